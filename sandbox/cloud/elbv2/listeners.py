"""Listeners of Network Load Balancers: a protocol, a port, and the target groups of the forward action."""

from collections.abc import Iterable

from sandbox.cloud.elbv2 import attributes, certificates
from sandbox.cloud.elbv2.address_types import require_protocol
from sandbox.cloud.elbv2.forward import described_action, valid_actions
from sandbox.cloud.elbv2.records import Listener, LoadBalancer, forward_groups
from sandbox.cloud.elbv2.store import Elbv2, named
from sandbox.cloud.errors import AwsError, AwsValidationError, answered
from sandbox.cloud.query import Structure
from sandbox.elbv2.quotas import require_group_places


def create(cloud: Elbv2, params: Structure) -> Structure:
    """CreateListener."""
    owner = cloud.load_balancer(params["LoadBalancerArn"])
    protocol, port = params.get("Protocol"), params.get("Port")
    if protocol is None or port is None:
        raise AwsValidationError("A listener protocol and port must be specified")
    _require_free_port(cloud, owner.arn, protocol, port)
    require_protocol(owner.ip_address_type, protocol)
    certificates.require_tls(protocol, params, [])
    _require_no_reservation(owner, protocol)
    listeners = cloud.listeners_of(owner.arn)
    if len(listeners) >= cloud.faults.quotas["listeners-per-network-load-balancer"]:
        raise AwsError("TooManyListeners", "The maximum number of listeners has been reached")
    made = Listener(
        arn=cloud.new_arn("listener", owner.path),
        load_balancer_arn=owner.arn,
        protocol=protocol,
        port=port,
        actions=valid_actions(cloud, owner.arn, protocol, params["DefaultActions"]),
        ssl_policy=params.get("SslPolicy") or certificates.default_policy(protocol),
        certificates=params.get("Certificates", []),
        alpn_policy=params.get("AlpnPolicy", []),
        attributes=dict(attributes.LISTENER) if protocol == "TCP" else {},
        tags=named(params.get("Tags")),
    )
    _require_places(cloud, owner, made.group_arns)
    cloud.listeners[made.arn] = made
    return {"Listeners": [described(made)]}


def describe(cloud: Elbv2, params: Structure) -> Structure:
    """DescribeListeners: by ARN, or all of a load balancer."""
    arns, owner = params.get("ListenerArns", []), params.get("LoadBalancerArn")
    if arns:
        return {"Listeners": [described(cloud.listener(arn)) for arn in arns]}
    if owner is None:
        raise AwsValidationError("You must specify either listener ARNs or a load balancer ARN")
    cloud.load_balancer(owner)
    return {"Listeners": [described(one) for one in cloud.listeners_of(owner)]}


def modify(cloud: Elbv2, params: Structure) -> Structure:
    """ModifyListener: missing parameters stay unchanged."""
    one = cloud.listener(params["ListenerArn"])
    protocol, port = params.get("Protocol", one.protocol), params.get("Port", one.port)
    if (protocol, port) != (one.protocol, one.port):
        _require_free_port(cloud, one.load_balancer_arn, protocol, port, but=one.arn)
    certificates.require_tls(protocol, params, one.certificates)
    owner = cloud.load_balancer(one.load_balancer_arn)
    require_protocol(owner.ip_address_type, protocol)
    _require_no_reservation(owner, protocol)
    if params.get("DefaultActions"):
        actions = valid_actions(cloud, one.load_balancer_arn, protocol, params["DefaultActions"])
        groups = [forwarded["TargetGroupArn"] for action in actions for forwarded in forward_groups(action)]
        _require_places(cloud, owner, groups)
        one.actions = actions
    if protocol != one.protocol:
        one.attributes = dict(attributes.LISTENER) if protocol == "TCP" else {}
        one.ssl_policy = certificates.default_policy(protocol)
    one.protocol, one.port = protocol, port
    if protocol == "TLS":
        one.ssl_policy = params.get("SslPolicy", one.ssl_policy)
        one.certificates = params.get("Certificates", one.certificates)
        one.alpn_policy = params.get("AlpnPolicy", one.alpn_policy)
    else:
        one.certificates, one.further_certificates, one.alpn_policy = [], [], []
    return {"Listeners": [described(one)]}


def delete(cloud: Elbv2, params: Structure) -> Structure:
    """DeleteListener."""
    del cloud.listeners[cloud.listener(params["ListenerArn"]).arn]
    return {}


def described(one: Listener) -> Structure:
    """Return a listener in the API's form."""
    return {
        "ListenerArn": one.arn,
        "LoadBalancerArn": one.load_balancer_arn,
        "Port": one.port,
        "Protocol": one.protocol,
        "SslPolicy": one.ssl_policy,
        "Certificates": one.certificates or None,
        "AlpnPolicy": one.alpn_policy or None,
        "DefaultActions": [described_action(action) for action in one.actions],
    }


def _require_no_reservation(owner: LoadBalancer, protocol: str) -> None:
    if protocol == "TLS" and owner.capacity_units is not None:
        raise AwsError(
            "InvalidConfigurationRequest",
            "TLS listeners are not supported on Network Load Balancers with a capacity reservation",
        )


def _require_places(cloud: Elbv2, owner: LoadBalancer, arns: Iterable[str]) -> None:
    """Raise TooManyTargets if the targets of the joining groups exceed a quota of the load balancer."""
    groups = {group.arn: group for group in [*cloud.groups_of(owner.arn), *map(cloud.group, arns)]}
    with answered():
        require_group_places(
            cloud.balancer(owner), list(groups.values()), cloud, cloud.conditions().quotas, cloud.clock()
        )


def _require_free_port(cloud: Elbv2, owner: str, protocol: str, port: int, but: str | None = None) -> None:
    if not 1 <= port <= 65_535:  # noqa: PLR2004 (TCP's own range)
        raise AwsValidationError(f"Listener port '{port}' must be between 1 and 65535")
    for other in cloud.listeners_of(owner):
        if other.port == port and transports(other.protocol) & transports(protocol) and other.arn != but:
            raise AwsError(
                "DuplicateListener",
                f"A listener already exists on this port for this load balancer '{owner}'",
            )


def transports(protocol: str) -> set[str]:
    """Return the IP protocols of a listener."""
    return {"UDP": {"udp"}, "TCP_UDP": {"tcp", "udp"}}.get(protocol, {"tcp"})
