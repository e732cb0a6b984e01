"""The table of required, limited, default and immutable properties in the official provider.

Keys are property paths as written in a program; a dot enters an object or every item of a list. Names and
types come from the SDK (schema.py) and are not repeated here. Sources are files of terraform-provider-aws v6
below internal/service/, or of pulumi-aws v7.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final

from sandbox.plugins.aws.around_rules import AROUND
from sandbox.plugins.aws.identity_rules import IDENTITY
from sandbox.plugins.aws.property_rule import REGION, Rule, prefix

_eip = partial(Rule, source="ec2/ec2_eip.go")
_group = partial(Rule, source="ec2/vpc_security_group.go")
_rule = partial(Rule, source="ec2/vpc_security_group_ingress_rule.go")  # the egress rule has the same schema
_balancer = partial(Rule, source="elbv2/load_balancer.go")
_targets = partial(Rule, source="elbv2/target_group.go")
_listener = partial(Rule, source="elbv2/listener.go")
_certificate = partial(Rule, source="elbv2/listener_certificate.go")
_named = partial(Rule, source="elbv2/validate.go")
_pulumi = partial(Rule, source="pulumi-aws provider/resources.go")

_PORTS: Final = ((-1, 65535),)
_PROTOCOLS: Final = ("HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE", "QUIC", "TCP_QUIC")
_NAME: Final = r"^(?!internal-)(?!-)[0-9A-Za-z-]{0,32}(?<!-)$"
_GROUP_NAME: Final = r"^(?!-)[0-9A-Za-z-]{1,32}(?<!-)$"
_APPLICATION: Final = ("loadBalancerType", ("application",))
_NETWORK: Final = ("loadBalancerType", ("network",))
_HTTP: Final = ("protocol", ("HTTP", "HTTPS"))
_CLIENT_CERTIFICATE: Final = ("", "Issuer", "Leaf", "SerialNumber", "Subject", "Validity")
_ALLOWED: Final = tuple(
    f"AccessControlAllow{what}" for what in ("Credentials", "Headers", "Methods", "Origin")
)
_HEADERS: Final = ("ExposeHeaders", "MaxAge")
_SECURITY: Final = (
    "ContentSecurityPolicy",
    "StrictTransportSecurity",
    "XContentTypeOptions",
    "XFrameOptions",
)
_ROUTING: Final = (  # listener attributes of application load balancers
    "routingHttpRequestXAmznTlsCipherSuiteHeaderName",
    "routingHttpRequestXAmznTlsVersionHeaderName",
    *(f"routingHttpRequestXAmznMtlsClientcert{part}HeaderName" for part in _CLIENT_CERTIFICATE),
    *(f"routingHttpResponse{part}HeaderValue" for part in (*_ALLOWED, *_SECURITY)),
    *(f"routingHttpResponseAccessControl{part}HeaderValue" for part in _HEADERS),
    "routingHttpResponseServerEnabled",
)
_BALANCER_EXTRAS: Final = ("connectionLogs", "healthCheckLogs", "ipamPools")
_LOGS_ON: Final = ("accessLogs.enabled", (True,))
_OTHER_ACTIONS: Final = ("authenticateCognito", "authenticateOidc", "fixedResponse", "redirect")
_SOURCES: Final = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")

# Characters accepted by AWS in names and descriptions (EC2 API reference, CreateSecurityGroup)
_WORDS: Final = r"^[0-9A-Za-z ._\-:/()#,@\[\]+=&;{}!$*]*$"
_NOT_SG: Final = r"^(?!sg-)" + _WORDS[1:]


def _application(default: object = None, allowed: tuple[str, ...] = ()) -> Rule:
    return _balancer(default=default, allowed=allowed, only_for=_APPLICATION)


def _inline_rules() -> dict[str, Rule]:
    """Rules of `ingress` and `egress` blocks of a security group."""
    found = {}
    for block in ("ingress", "egress"):
        found[block] = _group(computed=True, unordered=True)
        found[f"{block}.fromPort"] = found[f"{block}.toPort"] = _group(required=True)
        found[f"{block}.protocol"] = _group(required=True, form="ip-protocol")
        found[f"{block}.self"] = _group(default=False)
        found[f"{block}.cidrBlocks"] = _group()
        found[f"{block}.cidrBlocks.*"] = _group(form="cidr4")
        found[f"{block}.ipv6CidrBlocks.*"] = _group(form="cidr6")
        found[f"{block}.securityGroups"] = _group(unordered=True)
        found[f"{block}.description"] = _group(length=(0, 255), pattern=_WORDS)
    return found


_SECURITY_GROUP_RULE: Final[Mapping[str, Rule]] = {
    "region": REGION,
    "securityGroupId": _rule(required=True, immutable=True),
    "ipProtocol": _rule(required=True, form="ip-protocol"),
    "description": _rule(length=(0, 255), pattern=_WORDS),
    "fromPort": _rule(between=_PORTS),
    "toPort": _rule(between=_PORTS),
    "cidrIpv4": _rule(form="cidr4", exactly_one=_SOURCES),
    "cidrIpv6": _rule(form="cidr6"),
}

RULES: Final[Mapping[str, Mapping[str, Rule]]] = {
    "aws:ec2/eip:Eip": {
        "region": REGION,
        "address": _eip(immutable=True),
        "domain": _eip(computed=True, immutable=True, allowed=("vpc", "standard")),
        "instance": _eip(computed=True),
        "ipamPoolId": _eip(computed=True, immutable=True),
        "networkBorderGroup": _eip(computed=True, immutable=True),
        "networkInterface": _eip(computed=True),
        "publicIpv4Pool": _eip(computed=True, immutable=True),
    },
    "aws:ec2/securityGroup:SecurityGroup": {
        "region": REGION,
        "description": _pulumi(immutable=True, default="Managed by Pulumi", length=(0, 255), pattern=_WORDS),
        "name": _group(
            computed=True,
            immutable=True,
            conflicts=("namePrefix",),
            length=(0, 255),
            pattern=_NOT_SG,
            autoname=255,
        ),
        "namePrefix": prefix(_group, pattern=_NOT_SG, length=(0, 229)),
        "revokeRulesOnDelete": _group(default=False),
        "vpcId": _group(computed=True, immutable=True),
        **_inline_rules(),
    },
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _SECURITY_GROUP_RULE,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _SECURITY_GROUP_RULE,
    "aws:lb/loadBalancer:LoadBalancer": {
        "region": REGION,
        "name": _named(computed=True, immutable=True, conflicts=("namePrefix",), pattern=_NAME, autoname=32),
        "namePrefix": prefix(_named, pattern=r"^(?!internal-)(?!-)[0-9A-Za-z-]{1,6}$"),
        "loadBalancerType": _balancer(
            immutable=True, default="application", allowed=("application", "network", "gateway")
        ),
        "internal": _balancer(computed=True, immutable=True),
        "ipAddressType": _balancer(
            computed=True, allowed=("ipv4", "dualstack", "dualstack-without-public-ipv4")
        ),
        "securityGroups": _balancer(computed=True, unordered=True),
        "subnetMappings": _balancer(computed=True, unordered=True, exactly_one=("subnetMappings", "subnets")),
        "subnetMappings.subnetId": _balancer(required=True),
        "subnetMappings.outpostId": _balancer(computed=True),
        "subnetMappings.privateIpv4Address": _balancer(form="ipv4"),
        "subnetMappings.ipv6Address": _balancer(form="ipv6"),
        "subnets": _balancer(computed=True, unordered=True),
        "customerOwnedIpv4Pool": _balancer(immutable=True),
        "enableDeletionProtection": _balancer(default=False),
        "enableZonalShift": _balancer(default=False),
        "enableCrossZoneLoadBalancing": _balancer(
            default=False, only_for=("loadBalancerType", ("network", "gateway"))
        ),
        "dnsRecordClientRoutingPolicy": _balancer(
            default="any_availability_zone",
            only_for=_NETWORK,
            allowed=(
                "any_availability_zone",
                "availability_zone_affinity",
                "partial_availability_zone_affinity",
            ),
        ),
        "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic": _balancer(
            computed=True, allowed=("on", "off"), only_for=_NETWORK
        ),
        "enablePrefixForIpv6SourceNat": _balancer(computed=True, allowed=("on", "off"), only_for=_NETWORK),
        "secondaryIpsAutoAssignedPerSubnet": _balancer(computed=True, between=((0, 7),), only_for=_NETWORK),
        "accessLogs": _balancer(computed=True),  # SuppressMissingOptionalConfigurationBlock
        "accessLogs.bucket": _balancer(required=True, only_for=_LOGS_ON),
        "accessLogs.prefix": _balancer(only_for=_LOGS_ON),
        "accessLogs.enabled": _balancer(default=False),
        "minimumLoadBalancerCapacity": _balancer(),
        "minimumLoadBalancerCapacity.capacityUnits": _balancer(required=True),
        **dict.fromkeys(_BALANCER_EXTRAS, _balancer(computed=True, unsupported=True)),
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
        "region": REGION,
        "name": _named(
            computed=True, immutable=True, conflicts=("namePrefix",), pattern=_GROUP_NAME, autoname=32
        ),
        "namePrefix": _named(
            computed=True, immutable=True, conflicts=("name",), pattern=r"^(?!-)[0-9A-Za-z-]{1,6}$"
        ),
        "port": _targets(immutable=True, between=((1, 65535),)),
        "protocol": _targets(immutable=True, allowed=_PROTOCOLS),
        "protocolVersion": _targets(
            computed=True,
            immutable=True,
            allowed=("GRPC", "HTTP1", "HTTP2"),
            ignore_case=True,
            only_for=_HTTP,
        ),
        "vpcId": _targets(immutable=True),
        "targetType": _targets(
            immutable=True, default="instance", allowed=("instance", "ip", "lambda", "alb")
        ),
        "ipAddressType": _targets(computed=True, immutable=True, allowed=("ipv4", "ipv6")),
        "targetControlPort": _targets(computed=True, unsupported=True),
        "deregistrationDelay": _targets(default=300, between=((0, 3600),)),
        "connectionTermination": _targets(computed=True),
        "preserveClientIp": _targets(computed=True, form="true-or-false"),
        "proxyProtocolV2": _targets(default=False),
        "lambdaMultiValueHeadersEnabled": _targets(default=False),
        "slowStart": _targets(default=0, between=((0, 0), (30, 900))),
        "loadBalancingAlgorithmType": _targets(
            computed=True, allowed=("round_robin", "least_outstanding_requests", "weighted_random")
        ),
        "loadBalancingAnomalyMitigation": _targets(computed=True, allowed=("on", "off")),
        "loadBalancingCrossZoneEnabled": _targets(
            computed=True, allowed=("true", "false", "use_load_balancer_configuration")
        ),
        "healthCheck": _targets(computed=True),
        "healthCheck.enabled": _targets(default=True),
        "healthCheck.healthyThreshold": _targets(default=3, between=((2, 10),)),
        "healthCheck.unhealthyThreshold": _targets(default=3, between=((2, 10),)),
        "healthCheck.interval": _targets(default=30, between=((5, 300),)),
        "healthCheck.timeout": _targets(computed=True, between=((2, 120),)),
        "healthCheck.matcher": _targets(computed=True),
        "healthCheck.path": _targets(computed=True, length=(1, 1024), pattern="^/"),
        "healthCheck.port": _targets(default="traffic-port", form="health-check-port"),
        "healthCheck.protocol": _targets(default="HTTP", allowed=("HTTP", "HTTPS", "TCP"), ignore_case=True),
        "stickiness": _targets(computed=True),
        "stickiness.type": _targets(
            required=True,
            allowed=("lb_cookie", "app_cookie", "source_ip", "source_ip_dest_ip", "source_ip_dest_ip_proto"),
        ),
        "stickiness.enabled": _targets(default=True),
        "stickiness.cookieDuration": _targets(default=86400, between=((0, 604800),), only_for=_HTTP),
        "targetFailovers": _targets(computed=True, unsupported=True),  # gateway load balancers only
        "targetGroupHealth": _targets(computed=True),
        "targetGroupHealth.dnsFailover": _targets(computed=True),
        "targetGroupHealth.dnsFailover.minimumHealthyTargetsCount": _named(
            default="off", form="off-or-count"
        ),
        "targetGroupHealth.dnsFailover.minimumHealthyTargetsPercentage": _named(
            default="off", form="off-or-percentage"
        ),
        "targetGroupHealth.unhealthyStateRouting": _targets(computed=True),
        "targetGroupHealth.unhealthyStateRouting.minimumHealthyTargetsCount": _targets(default=1),
        "targetGroupHealth.unhealthyStateRouting.minimumHealthyTargetsPercentage": _named(
            default="off", form="off-or-percentage"
        ),
        "targetHealthStates": _targets(computed=True),
        "targetHealthStates.enableUnhealthyConnectionTermination": _targets(required=True),
        "targetHealthStates.unhealthyDrainingInterval": _targets(default=0, between=((0, 360000),)),
    },
    "aws:lb/listener:Listener": {
        "region": REGION,
        "loadBalancerArn": _listener(required=True, immutable=True, form="arn"),
        "port": _listener(between=((1, 65535),)),
        "protocol": _listener(computed=True, allowed=_PROTOCOLS, ignore_case=True),
        "sslPolicy": _listener(computed=True),
        "certificateArn": _listener(form="arn"),
        "alpnPolicy": _listener(
            allowed=("HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None"), ignore_case=True
        ),
        "tcpIdleTimeoutSeconds": _listener(computed=True, between=((60, 6000),)),
        "mutualAuthentication": _listener(computed=True, unsupported=True),
        **dict.fromkeys(_ROUTING, _listener(computed=True, unsupported=True)),
        "defaultActions": _listener(required=True),
        "defaultActions.type": _listener(
            required=True,
            allowed=("forward", "authenticate-oidc", "authenticate-cognito", "redirect", "fixed-response"),
            ignore_case=True,
        ),
        **{f"defaultActions.{kind}": _listener(computed=True, unsupported=True) for kind in _OTHER_ACTIONS},
        "defaultActions.order": _listener(computed=True, between=((1, 50000),)),
        "defaultActions.targetGroupArn": _listener(form="arn"),
        "defaultActions.forward.targetGroups": _listener(required=True, items=(1, 5), unordered=True),
        "defaultActions.forward.targetGroups.arn": _listener(required=True, form="arn"),
        "defaultActions.forward.targetGroups.weight": _listener(default=1, between=((0, 999),)),
        "defaultActions.forward.stickiness": _listener(computed=True),
        "defaultActions.forward.stickiness.duration": _listener(required=True, between=((1, 604800),)),
        "defaultActions.forward.stickiness.enabled": _listener(default=False),
    },
    "aws:lb/listenerCertificate:ListenerCertificate": {
        "region": REGION,
        "listenerArn": _certificate(required=True, immutable=True, form="arn"),
        "certificateArn": _certificate(required=True, immutable=True, form="arn"),
    },
    **AROUND,
    **IDENTITY,
}
