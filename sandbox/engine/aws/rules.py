"""The one table of what the official provider requires, limits, defaults and never changes.

Keys are property paths as the program writes them; a dot goes into an object or into each item of a list.
Names and types are not repeated here: they come from the SDK (schema.py).
Sources are files of terraform-provider-aws v6 below internal/service/, or of pulumi-aws v7.
"""

from collections.abc import Mapping
from typing import Final

from sandbox.engine.aws.rule import Rule

_EIP: Final = "ec2/ec2_eip.go"
_GROUP: Final = "ec2/vpc_security_group.go"
_RULE: Final = "ec2/vpc_security_group_ingress_rule.go"  # the egress rule embeds the same schema
_LB: Final = "elbv2/load_balancer.go"
_TG: Final = "elbv2/target_group.go"
_LISTENER: Final = "elbv2/listener.go"
_VALIDATE: Final = "elbv2/validate.go"
_USER: Final = "iam/user.go"
_POLICY: Final = "iam/user_policy.go"
_KEY: Final = "iam/access_key.go"
_REGION: Final = "pulumi-aws provider/region.go"
_PULUMI: Final = "pulumi-aws provider/resources.go"

_PORTS: Final = ((-1, 65535),)
_PROTOCOLS: Final = ("HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE", "QUIC", "TCP_QUIC")
_NAME: Final = r"^(?!internal-)(?!-)[0-9A-Za-z-]{0,32}(?<!-)$"
_GROUP_NAME: Final = r"^(?!-)[0-9A-Za-z-]{1,32}(?<!-)$"
_APPLICATION: Final = ("loadBalancerType", ("application",))
_NETWORK: Final = ("loadBalancerType", ("network",))
_HTTP: Final = ("protocol", ("HTTP", "HTTPS"))
_REQUEST: Final = "routingHttpRequestXAmzn"
_RESPONSE: Final = "routingHttpResponse"
_ROUTING: Final = (  # listener attributes of application load balancers
    f"{_REQUEST}TlsCipherSuiteHeaderName",
    f"{_REQUEST}TlsVersionHeaderName",
    *(
        f"{_REQUEST}MtlsClientcert{part}HeaderName"
        for part in ("", "Issuer", "Leaf", "SerialNumber", "Subject", "Validity")
    ),
    *(
        f"{_RESPONSE}{part}HeaderValue"
        for part in (
            *(f"AccessControlAllow{what}" for what in ("Credentials", "Headers", "Methods", "Origin")),
            "AccessControlExposeHeaders",
            "AccessControlMaxAge",
            "ContentSecurityPolicy",
            "StrictTransportSecurity",
            "XContentTypeOptions",
            "XFrameOptions",
        )
    ),
    f"{_RESPONSE}ServerEnabled",
)
_SOURCES: Final = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")

# What AWS itself takes in names and descriptions (EC2 API reference, CreateSecurityGroup)
_WORDS: Final = r"^[0-9A-Za-z ._\-:/()#,@\[\]+=&;{}!$*]*$"

_region: Final = Rule(source=_REGION, computed=True, immutable=True)
_name_prefix: Final = Rule(
    source=_GROUP,
    computed=True,
    immutable=True,
    conflicts=("name",),
    length=(0, 229),
    pattern=r"^(?!sg-)" + _WORDS[1:],
)


def _application(default: object = None, allowed: tuple[str, ...] = ()) -> Rule:
    return Rule(source=_LB, default=default, allowed=allowed, only_for=_APPLICATION)


def _unsupported(source: str) -> Rule:
    """A property of the official provider that needs more than this project's load balancer."""
    return Rule(source=source, computed=True, unsupported=True)


def _inline_rules() -> dict[str, Rule]:
    """`ingress` and `egress` blocks of a security group."""
    found = {}
    for block in ("ingress", "egress"):
        found[block] = Rule(source=_GROUP, computed=True, unordered=True)
        found[f"{block}.fromPort"] = found[f"{block}.toPort"] = Rule(source=_GROUP, required=True)
        found[f"{block}.protocol"] = Rule(source=_GROUP, required=True, form="ip-protocol")
        found[f"{block}.self"] = Rule(source=_GROUP, default=False)
        found[f"{block}.cidrBlocks"] = Rule(source=_GROUP)
        found[f"{block}.cidrBlocks.*"] = Rule(source=_GROUP, form="cidr4")
        found[f"{block}.ipv6CidrBlocks.*"] = Rule(source=_GROUP, form="cidr6")
        found[f"{block}.securityGroups"] = Rule(source=_GROUP, unordered=True)
        found[f"{block}.description"] = Rule(source=_GROUP, length=(0, 255), pattern=_WORDS)
    return found


_SECURITY_GROUP_RULE: Final[Mapping[str, Rule]] = {
    "region": _region,
    "securityGroupId": Rule(source=_RULE, required=True, immutable=True),
    "ipProtocol": Rule(source=_RULE, required=True, form="ip-protocol"),
    "description": Rule(source=_RULE, length=(0, 255), pattern=_WORDS),
    "fromPort": Rule(source=_RULE, between=_PORTS),
    "toPort": Rule(source=_RULE, between=_PORTS),
    "cidrIpv4": Rule(source=_RULE, form="cidr4", exactly_one=_SOURCES),
    "cidrIpv6": Rule(source=_RULE, form="cidr6"),
}

RULES: Final[Mapping[str, Mapping[str, Rule]]] = {
    "aws:ec2/eip:Eip": {
        "region": _region,
        "address": Rule(source=_EIP, immutable=True),
        "domain": Rule(source=_EIP, computed=True, immutable=True, allowed=("vpc", "standard")),
        "instance": Rule(source=_EIP, computed=True),
        "ipamPoolId": Rule(source=_EIP, computed=True, immutable=True),
        "networkBorderGroup": Rule(source=_EIP, computed=True, immutable=True),
        "networkInterface": Rule(source=_EIP, computed=True),
        "publicIpv4Pool": Rule(source=_EIP, computed=True, immutable=True),
    },
    "aws:ec2/securityGroup:SecurityGroup": {
        "region": _region,
        "description": Rule(
            source=_PULUMI, immutable=True, default="Managed by Pulumi", length=(0, 255), pattern=_WORDS
        ),
        "name": Rule(
            source=_GROUP,
            computed=True,
            immutable=True,
            conflicts=("namePrefix",),
            length=(0, 255),
            pattern=r"^(?!sg-)" + _WORDS[1:],
            autoname=255,
        ),
        "namePrefix": _name_prefix,
        "revokeRulesOnDelete": Rule(source=_GROUP, default=False),
        "vpcId": Rule(source=_GROUP, computed=True, immutable=True),
        **_inline_rules(),
    },
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _SECURITY_GROUP_RULE,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _SECURITY_GROUP_RULE,
    "aws:lb/loadBalancer:LoadBalancer": {
        "region": _region,
        "name": Rule(
            source=_VALIDATE,
            computed=True,
            immutable=True,
            conflicts=("namePrefix",),
            pattern=_NAME,
            autoname=32,
        ),
        "namePrefix": Rule(
            source=_VALIDATE,
            computed=True,
            immutable=True,
            conflicts=("name",),
            pattern=r"^(?!internal-)(?!-)[0-9A-Za-z-]{1,6}$",
        ),
        "loadBalancerType": Rule(
            source=_LB, immutable=True, default="application", allowed=("application", "network", "gateway")
        ),
        "internal": Rule(source=_LB, computed=True, immutable=True),
        "ipAddressType": Rule(
            source=_LB, computed=True, allowed=("ipv4", "dualstack", "dualstack-without-public-ipv4")
        ),
        "securityGroups": Rule(source=_LB, computed=True, unordered=True),
        "subnetMappings": Rule(
            source=_LB, computed=True, unordered=True, exactly_one=("subnetMappings", "subnets")
        ),
        "subnetMappings.subnetId": Rule(source=_LB, required=True),
        "subnetMappings.outpostId": Rule(source=_LB, computed=True),
        "subnetMappings.privateIpv4Address": Rule(source=_LB, form="ipv4"),
        "subnetMappings.ipv6Address": Rule(source=_LB, form="ipv6"),
        "subnets": Rule(source=_LB, computed=True, unordered=True),
        "customerOwnedIpv4Pool": Rule(source=_LB, immutable=True),
        "enableDeletionProtection": Rule(source=_LB, default=False),
        "enableZonalShift": Rule(source=_LB, default=False),
        "enableCrossZoneLoadBalancing": Rule(
            source=_LB, default=False, only_for=("loadBalancerType", ("network", "gateway"))
        ),
        "dnsRecordClientRoutingPolicy": Rule(
            source=_LB,
            default="any_availability_zone",
            only_for=_NETWORK,
            allowed=(
                "any_availability_zone",
                "availability_zone_affinity",
                "partial_availability_zone_affinity",
            ),
        ),
        "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic": Rule(
            source=_LB, computed=True, allowed=("on", "off"), only_for=_NETWORK
        ),
        "enablePrefixForIpv6SourceNat": Rule(
            source=_LB, computed=True, allowed=("on", "off"), only_for=_NETWORK
        ),
        "secondaryIpsAutoAssignedPerSubnet": Rule(
            source=_LB, computed=True, between=((0, 7),), only_for=_NETWORK
        ),
        "accessLogs": Rule(source=_LB, computed=True),  # SuppressMissingOptionalConfigurationBlock
        "accessLogs.bucket": Rule(source=_LB, required=True),
        "accessLogs.enabled": Rule(source=_LB, default=False),
        "connectionLogs": _unsupported(_LB),
        "healthCheckLogs": _unsupported(_LB),
        "ipamPools": _unsupported(_LB),
        "minimumLoadBalancerCapacity": _unsupported(_LB),
        "clientKeepAlive": _application(3600),
        "desyncMitigationMode": _application("defensive", ("monitor", "defensive", "strictest")),
        "dropInvalidHeaderFields": _application(default=False),
        "enableHttp2": _application(default=True),
        "enableTlsVersionAndCipherSuiteHeaders": _application(default=False),
        "enableWafFailOpen": _application(default=False),
        "enableXffClientPort": _application(default=False),
        "idleTimeout": _application(60),
        "preserveHostHeader": _application(default=False),
        "xffHeaderProcessingMode": _application("append", ("append", "preserve", "remove")),
    },
    "aws:lb/targetGroup:TargetGroup": {
        "region": _region,
        "name": Rule(
            source=_VALIDATE,
            computed=True,
            immutable=True,
            conflicts=("namePrefix",),
            pattern=_GROUP_NAME,
            autoname=32,
        ),
        "namePrefix": Rule(
            source=_VALIDATE,
            computed=True,
            immutable=True,
            conflicts=("name",),
            pattern=r"^(?!-)[0-9A-Za-z-]{1,6}$",
        ),
        "port": Rule(source=_TG, immutable=True, between=((1, 65535),)),
        "protocol": Rule(source=_TG, immutable=True, allowed=_PROTOCOLS),
        "protocolVersion": Rule(
            source=_TG,
            computed=True,
            immutable=True,
            allowed=("GRPC", "HTTP1", "HTTP2"),
            ignore_case=True,
            only_for=_HTTP,
        ),
        "vpcId": Rule(source=_TG, immutable=True),
        "targetType": Rule(
            source=_TG, immutable=True, default="instance", allowed=("instance", "ip", "lambda", "alb")
        ),
        "ipAddressType": Rule(source=_TG, computed=True, immutable=True, allowed=("ipv4", "ipv6")),
        "targetControlPort": _unsupported(_TG),
        "deregistrationDelay": Rule(source=_TG, default=300, between=((0, 3600),)),
        "connectionTermination": Rule(source=_TG, computed=True),
        "preserveClientIp": Rule(source=_TG, computed=True, form="true-or-false"),
        "proxyProtocolV2": Rule(source=_TG, default=False),
        "lambdaMultiValueHeadersEnabled": Rule(source=_TG, default=False),
        "slowStart": Rule(source=_TG, default=0, between=((0, 0), (30, 900))),
        "loadBalancingAlgorithmType": Rule(
            source=_TG,
            computed=True,
            allowed=("round_robin", "least_outstanding_requests", "weighted_random"),
        ),
        "loadBalancingAnomalyMitigation": Rule(source=_TG, computed=True, allowed=("on", "off")),
        "loadBalancingCrossZoneEnabled": Rule(
            source=_TG, computed=True, allowed=("true", "false", "use_load_balancer_configuration")
        ),
        "healthCheck": Rule(source=_TG, computed=True),
        "healthCheck.enabled": Rule(source=_TG, default=True),
        "healthCheck.healthyThreshold": Rule(source=_TG, default=3, between=((2, 10),)),
        "healthCheck.unhealthyThreshold": Rule(source=_TG, default=3, between=((2, 10),)),
        "healthCheck.interval": Rule(source=_TG, default=30, between=((5, 300),)),
        "healthCheck.timeout": Rule(source=_TG, computed=True, between=((2, 120),)),
        "healthCheck.matcher": Rule(source=_TG, computed=True),
        "healthCheck.path": Rule(source=_TG, computed=True, length=(1, 1024), pattern="^/"),
        "healthCheck.port": Rule(source=_TG, default="traffic-port", form="health-check-port"),
        "healthCheck.protocol": Rule(
            source=_TG, default="HTTP", allowed=("HTTP", "HTTPS", "TCP"), ignore_case=True
        ),
        "stickiness": Rule(source=_TG, computed=True),
        "stickiness.type": Rule(
            source=_TG,
            required=True,
            allowed=("lb_cookie", "app_cookie", "source_ip", "source_ip_dest_ip", "source_ip_dest_ip_proto"),
        ),
        "stickiness.enabled": Rule(source=_TG, default=True),
        "stickiness.cookieDuration": Rule(source=_TG, default=86400, between=((0, 604800),), only_for=_HTTP),
        "targetFailovers": _unsupported(_TG),  # gateway load balancers only
        "targetGroupHealth": Rule(source=_TG, computed=True),
        "targetGroupHealth.dnsFailover": Rule(source=_TG, computed=True),
        "targetGroupHealth.dnsFailover.minimumHealthyTargetsCount": Rule(
            source=_VALIDATE, default="off", form="off-or-count"
        ),
        "targetGroupHealth.dnsFailover.minimumHealthyTargetsPercentage": Rule(
            source=_VALIDATE, default="off", form="off-or-percentage"
        ),
        "targetGroupHealth.unhealthyStateRouting": Rule(source=_TG, computed=True),
        "targetGroupHealth.unhealthyStateRouting.minimumHealthyTargetsCount": Rule(source=_TG, default=1),
        "targetGroupHealth.unhealthyStateRouting.minimumHealthyTargetsPercentage": Rule(
            source=_VALIDATE, default="off", form="off-or-percentage"
        ),
        "targetHealthStates": Rule(source=_TG, computed=True),
        "targetHealthStates.enableUnhealthyConnectionTermination": Rule(source=_TG, required=True),
        "targetHealthStates.unhealthyDrainingInterval": Rule(source=_TG, between=((0, 360000),)),
    },
    "aws:lb/listener:Listener": {
        "region": _region,
        "loadBalancerArn": Rule(source=_LISTENER, required=True, immutable=True, form="arn"),
        "port": Rule(source=_LISTENER, between=((1, 65535),)),
        "protocol": Rule(source=_LISTENER, computed=True, allowed=_PROTOCOLS, ignore_case=True),
        "sslPolicy": Rule(source=_LISTENER, computed=True),
        "certificateArn": Rule(source=_LISTENER, form="arn"),
        "alpnPolicy": Rule(
            source=_LISTENER,
            allowed=("HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None"),
            ignore_case=True,
        ),
        "tcpIdleTimeoutSeconds": Rule(source=_LISTENER, computed=True, between=((60, 6000),)),
        "mutualAuthentication": _unsupported(_LISTENER),
        **dict.fromkeys(_ROUTING, _unsupported(_LISTENER)),
        "defaultActions": Rule(source=_LISTENER, required=True),
        "defaultActions.type": Rule(
            source=_LISTENER,
            required=True,
            allowed=("forward", "authenticate-oidc", "authenticate-cognito", "redirect", "fixed-response"),
            ignore_case=True,
        ),
        "defaultActions.authenticateCognito": _unsupported(_LISTENER),
        "defaultActions.authenticateOidc": _unsupported(_LISTENER),
        "defaultActions.fixedResponse": _unsupported(_LISTENER),
        "defaultActions.redirect": _unsupported(_LISTENER),
        "defaultActions.order": Rule(source=_LISTENER, computed=True, between=((1, 50000),)),
        "defaultActions.targetGroupArn": Rule(source=_LISTENER, form="arn"),
        "defaultActions.forward.targetGroups": Rule(
            source=_LISTENER, required=True, items=(1, 5), unordered=True
        ),
        "defaultActions.forward.targetGroups.arn": Rule(source=_LISTENER, required=True, form="arn"),
        "defaultActions.forward.targetGroups.weight": Rule(source=_LISTENER, default=1, between=((0, 999),)),
        "defaultActions.forward.stickiness": Rule(source=_LISTENER, computed=True),
        "defaultActions.forward.stickiness.duration": Rule(
            source=_LISTENER, required=True, between=((1, 604800),)
        ),
        "defaultActions.forward.stickiness.enabled": Rule(source=_LISTENER, default=False),
    },
    "aws:iam/user:User": {
        "name": Rule(
            source=_USER, required=True, pattern=r"^[0-9A-Za-z=,.@\-_+]+$", length=(1, 64), autoname=255
        ),
        "path": Rule(source=_USER, default="/", pattern=r"^/([!-~]+/)?$"),
        "forceDestroy": Rule(source=_USER, default=False),
        "permissionsBoundary": Rule(source=_USER, length=(0, 2048)),
    },
    "aws:iam/userPolicy:UserPolicy": {
        "name": Rule(source=_POLICY, computed=True, immutable=True, conflicts=("namePrefix",), autoname=255),
        "namePrefix": Rule(source=_POLICY, computed=True, immutable=True, conflicts=("name",)),
        "policy": Rule(source=_POLICY, required=True, form="policy"),
        "user": Rule(source=_POLICY, required=True, immutable=True),
    },
    "aws:iam/accessKey:AccessKey": {
        "pgpKey": _unsupported(_KEY),
        "status": Rule(source=_KEY, default="Active", allowed=("Active", "Inactive")),
        "user": Rule(source=_KEY, required=True, immutable=True),
        "secret": Rule(source=_KEY, sensitive=True),
        "sesSmtpPasswordV4": Rule(source=_KEY, sensitive=True),
    },
}
