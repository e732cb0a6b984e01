"""aws:lb/listener:Listener (internal/service/elbv2/listener.go)."""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.plugins.aws import attributes, tags
from sandbox.plugins.aws.session import Aws, AwsError, doing
from sandbox.plugins.provider import ProviderError
from sandbox.plugins.values import PropertyMap

_GONE: Final = ("ListenerNotFound", "ListenerNotFoundException")
_OWN_CALLS: Final = frozenset({"tags", "tagsAll", *attributes.LISTENER})


class Listener:
    """A listener; the id is the ARN. Actions are forwards, as on every network load balancer."""

    def create(self, aws: Aws, inputs: PropertyMap) -> tuple[str, PropertyMap]:
        """CreateListener."""
        owner = inputs["loadBalancerArn"]
        asked = _settings(inputs)
        if inputs["tagsAll"]:
            asked["Tags"] = tags.as_list(inputs["tagsAll"])
        with doing(f"creating ELBv2 Listener ({owner})"):
            made = aws.elbv2.create_listener(
                LoadBalancerArn=owner,
                DefaultActions=_actions(inputs),
                **asked,
            )
        return made["Listeners"][0]["ListenerArn"], {}

    def settle(self, aws: Aws, ident: str, inputs: PropertyMap, timeout_s: float) -> None:
        """Set the attributes."""
        _ = timeout_s
        _modify_attributes(aws, ident, inputs, frozenset(attributes.LISTENER))

    def read(self, aws: Aws, ident: str, prior: PropertyMap) -> PropertyMap | None:
        """DescribeListeners, attributes and tags."""
        found = _find(aws, ident)
        if found is None:
            return None
        certificates = found.get("Certificates") or []
        policies = found.get("AlpnPolicy") or []
        mutual = found.get("MutualAuthentication")
        return {
            "arn": ident,
            "alpnPolicy": policies[0] if len(policies) == 1 else prior.get("alpnPolicy"),
            "certificateArn": certificates[0]["CertificateArn"] if len(certificates) == 1 else None,
            "defaultActions": _actions_found(found, prior),
            "loadBalancerArn": found["LoadBalancerArn"],
            "mutualAuthentication": {"mode": mutual["Mode"]} if mutual else None,
            "port": found.get("Port"),
            "protocol": found.get("Protocol"),
            "sslPolicy": found.get("SslPolicy") or "",
            **_attributes_found(aws, ident, found.get("Protocol", "")),
            **tags.as_properties(aws, tags.of_elbv2(aws, ident), prior),
        }

    def update(
        self, aws: Aws, ident: str, old: PropertyMap, new: PropertyMap, changed: frozenset[str]
    ) -> str:
        """ModifyListener with all properties, attributes, tags."""
        if changed - _OWN_CALLS:
            asked = _settings(new)
            if "defaultActions" in changed:
                asked["DefaultActions"] = _actions(new)
            with doing(f"modifying ELBv2 Listener ({ident})"):
                aws.elbv2.modify_listener(ListenerArn=ident, **asked)
        _modify_attributes(aws, ident, new, changed)
        if "tagsAll" in changed:
            tags.update_elbv2(aws, ident, old.get("tagsAll", {}), new["tagsAll"], "ELBv2 Listener")
        return ident

    def delete(self, aws: Aws, ident: str, state: PropertyMap, timeout_s: float) -> None:
        """DeleteListener; a missing listener is an error (resourceListenerDelete)."""
        _ = state, timeout_s
        with doing(f"deleting ELBv2 Listener ({ident})"):
            aws.elbv2.delete_listener(ListenerArn=ident)


def _find(aws: Aws, ident: str) -> Any:
    try:
        with doing(f"reading ELBv2 Listener ({ident})"):
            found = aws.elbv2.describe_listeners(ListenerArns=[ident])["Listeners"]
    except AwsError as error:
        if error.code not in (*_GONE, "LoadBalancerNotFound"):
            raise
        return None
    return found[0] if found else None


def _settings(inputs: PropertyMap) -> Any:
    protocol = inputs.get("protocol")
    if protocol is None and ":loadbalancer/app/" in inputs["loadBalancerArn"]:
        protocol = "HTTP"
    asked: dict[str, Any] = {
        "AlpnPolicy": [inputs["alpnPolicy"]] if inputs.get("alpnPolicy") else None,
        "Certificates": [{"CertificateArn": inputs["certificateArn"]}]
        if inputs.get("certificateArn")
        else None,
        "Port": inputs.get("port"),
        "Protocol": protocol.upper() if protocol else None,
        "SslPolicy": inputs.get("sslPolicy"),
    }
    return {key: value for key, value in asked.items() if value}


def _actions(inputs: PropertyMap) -> list[Any]:
    return [_action(index, each) for index, each in enumerate(inputs["defaultActions"])]


def _action(index: int, action: Mapping[str, Any]) -> Any:
    kind = action["type"].lower()
    if kind != "forward":
        raise ProviderError(
            f"default_action[{index}].type {kind}: the offline provider makes forward actions only, "
            "the kind that a network load balancer has"
        )
    wire: dict[str, Any] = {"Type": kind, "Order": action.get("order") or index + 1}
    if action.get("targetGroupArn"):
        wire["TargetGroupArn"] = action["targetGroupArn"]
    else:
        wire["ForwardConfig"] = _forward(action["forward"])
    return wire


def _forward(forward: Mapping[str, Any]) -> Any:
    config: dict[str, Any] = {
        "TargetGroups": [
            {"TargetGroupArn": each["arn"], "Weight": each["weight"]} for each in forward["targetGroups"]
        ]
    }
    if sticky := forward.get("stickiness"):
        config["TargetGroupStickinessConfig"] = {
            "Enabled": sticky["enabled"],
            "DurationSeconds": sticky["duration"],
        }
    return config


def _actions_found(found: Mapping[str, Any], prior: PropertyMap) -> list[PropertyMap]:
    """Return the actions as written by the program: with an ARN or a forward block, on import with both."""
    ordered = sorted(found.get("DefaultActions", []), key=lambda each: each.get("Order", 1))
    written = prior.get("defaultActions") or []
    return [
        _action_found(action, written[index] if index < len(written) else {}, index)
        for index, action in enumerate(ordered)
    ]


def _action_found(action: Mapping[str, Any], written: Mapping[str, Any], index: int) -> PropertyMap:
    shown: PropertyMap = {"type": action["Type"], "order": action.get("Order", index + 1)}
    config = action.get("ForwardConfig") or {}
    groups = config.get("TargetGroups", [])
    arn = action.get("TargetGroupArn") or (groups[0]["TargetGroupArn"] if len(groups) == 1 else "")
    if not written.get("forward"):
        shown["targetGroupArn"] = arn
    if groups and not written.get("targetGroupArn"):
        shown["forward"] = {
            "targetGroups": [
                {"arn": each["TargetGroupArn"], "weight": each.get("Weight", 1)} for each in groups
            ]
        }
        if (sticky := config.get("TargetGroupStickinessConfig")) and "DurationSeconds" in sticky:
            shown["forward"]["stickiness"] = {
                "enabled": sticky.get("Enabled", False),
                "duration": sticky["DurationSeconds"],
            }
    return shown


def _attributes_found(aws: Aws, ident: str, protocol: str) -> PropertyMap:
    with doing(f"reading ELBv2 Listener ({ident}) attributes"):
        described = aws.elbv2.describe_listener_attributes(ListenerArn=ident)
    told = attributes.from_list(described["Attributes"])
    return attributes.typed(attributes.LISTENER, protocol, told)


def _modify_attributes(aws: Aws, ident: str, inputs: PropertyMap, names: frozenset[str]) -> None:
    wanted = attributes.wanted(attributes.LISTENER, (inputs.get("protocol") or "").upper(), inputs, names)
    if wanted:
        with doing(f"modifying ELBv2 Listener ({ident}) attributes"):
            aws.elbv2.modify_listener_attributes(ListenerArn=ident, Attributes=attributes.to_list(wanted))
