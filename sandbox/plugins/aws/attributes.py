"""Read and write ELBv2 attributes: properties that AWS keeps as key-value texts become typed values."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Attribute:
    """A property: the key at AWS, the parser of the text, and the resource kinds with this property."""

    key: str
    parse: Callable[[str], Any]
    only: frozenset[str]


def flag(text: str) -> bool:
    """Parse an attribute that is true or false."""
    return text == "true"


def to_text(value: Any) -> str:
    """Format a value as an attribute."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def to_list(pairs: Mapping[str, Any]) -> list[Any]:
    """Return attributes in the form of API requests."""
    return [{"Key": key, "Value": to_text(value)} for key, value in pairs.items()]


def from_list(found: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return attributes of an API response by key."""
    return {each["Key"]: each.get("Value", "") for each in found}


def typed(table: Mapping[str, Attribute], kind: str, found: Mapping[str, str]) -> dict[str, Any]:
    """Return the properties of a resource of `kind` from AWS's attributes."""
    return {
        name: attribute.parse(found[attribute.key])
        for name, attribute in table.items()
        if kind in attribute.only and attribute.key in found
    }


def wanted(
    table: Mapping[str, Attribute], kind: str, inputs: Mapping[str, Any], names: Iterable[str]
) -> dict[str, Any]:
    """Return the attributes for the properties `names` of a resource of `kind`."""
    return {
        table[name].key: inputs[name]
        for name in names
        if name in table and kind in table[name].only and inputs.get(name) not in (None, "")
    }


_APPLICATION: Final = frozenset({"application"})
_NETWORK: Final = frozenset({"network"})
_EVERY: Final = frozenset({"application", "network", "gateway"})
_SERVERS: Final = frozenset({"instance", "ip"})

# elbv2/load_balancer.go loadBalancerAttributes
LOAD_BALANCER: Final[Mapping[str, Attribute]] = {
    "clientKeepAlive": Attribute("client_keep_alive.seconds", int, _APPLICATION),
    "desyncMitigationMode": Attribute("routing.http.desync_mitigation_mode", str, _APPLICATION),
    "dnsRecordClientRoutingPolicy": Attribute("dns_record.client_routing_policy", str, _NETWORK),
    "dropInvalidHeaderFields": Attribute(
        "routing.http.drop_invalid_header_fields.enabled", flag, _APPLICATION
    ),
    "enableCrossZoneLoadBalancing": Attribute(
        "load_balancing.cross_zone.enabled", flag, frozenset({"network", "gateway"})
    ),
    "enableDeletionProtection": Attribute("deletion_protection.enabled", flag, _EVERY),
    "enableHttp2": Attribute("routing.http2.enabled", flag, _APPLICATION),
    "enableTlsVersionAndCipherSuiteHeaders": Attribute(
        "routing.http.x_amzn_tls_version_and_cipher_suite.enabled", flag, _APPLICATION
    ),
    "enableWafFailOpen": Attribute("waf.fail_open.enabled", flag, _APPLICATION),
    "enableXffClientPort": Attribute("routing.http.xff_client_port.enabled", flag, _APPLICATION),
    "enableZonalShift": Attribute("zonal_shift.config.enabled", flag, frozenset({"application", "network"})),
    "idleTimeout": Attribute("idle_timeout.timeout_seconds", int, _APPLICATION),
    "preserveHostHeader": Attribute("routing.http.preserve_host_header.enabled", flag, _APPLICATION),
    "secondaryIpsAutoAssignedPerSubnet": Attribute("secondary_ips.auto_assigned.per_subnet", int, _NETWORK),
    "xffHeaderProcessingMode": Attribute("routing.http.xff_header_processing.mode", str, _APPLICATION),
}

# elbv2/target_group.go targetGroupAttributes
TARGET_GROUP: Final[Mapping[str, Attribute]] = {
    "connectionTermination": Attribute("deregistration_delay.connection_termination.enabled", flag, _SERVERS),
    "deregistrationDelay": Attribute("deregistration_delay.timeout_seconds", int, _SERVERS),
    "lambdaMultiValueHeadersEnabled": Attribute(
        "lambda.multi_value_headers.enabled", flag, frozenset({"lambda"})
    ),
    "loadBalancingAlgorithmType": Attribute("load_balancing.algorithm.type", str, _SERVERS),
    "loadBalancingAnomalyMitigation": Attribute("load_balancing.algorithm.anomaly_mitigation", str, _SERVERS),
    "loadBalancingCrossZoneEnabled": Attribute("load_balancing.cross_zone.enabled", str, _SERVERS),
    "preserveClientIp": Attribute("preserve_client_ip.enabled", str, _SERVERS),
    "proxyProtocolV2": Attribute("proxy_protocol_v2.enabled", flag, _SERVERS),
    "slowStart": Attribute("slow_start.duration_seconds", int, _SERVERS),
}

# elbv2/listener.go listenerAttributes, for network load balancers
LISTENER: Final[Mapping[str, Attribute]] = {
    "tcpIdleTimeoutSeconds": Attribute("tcp.idle_timeout.seconds", int, frozenset({"TCP", "GENEVE"})),
}
