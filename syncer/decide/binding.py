"""A TargetGroupBinding of the AWS Load Balancer Controller, compared with the syncer's settings."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from syncer.decide.documents import DocumentError
from syncer.decide.policy import Ownership

API = "elbv2.k8s.aws/v1beta1"
_OPERATORS = {"In": "in", "NotIn": "notin"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """The fields of a TargetGroupBinding with a counterpart here.

    `service` is `namespace/name`, `port` the Service port's name or number. `selector` is the node selector
    in the grammar of `kubectl get -l`, "" for all nodes. `own_rules`: the controller manages security group
    rules for the binding. `shared`: the group has other writers (`multiClusterTargetGroup`).
    """

    name: str
    target_group: str
    target_type: str
    service: str
    port: str
    selector: str = ""
    own_rules: bool = False
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """A field with different values; `effect` is the consequence when the syncer takes the group over."""

    field: str
    binding: str
    here: str
    effect: str


def read_binding(document: Mapping[str, Any]) -> Binding:
    """Parse a TargetGroupBinding.

    Raises:
        DocumentError: if a needed field is missing or malformed, with the field.

    """
    metadata, spec = _mapping(document, "metadata"), _mapping(document, "spec")
    reference = _mapping(spec, "serviceRef", "spec.")
    namespace, name = _text(metadata, "namespace", "metadata."), _text(metadata, "name", "metadata.")
    port = reference.get("port")
    if not isinstance(port, str | int) or isinstance(port, bool) or port == "":
        raise DocumentError(f"spec.serviceRef.port is {port!r}; allowed: a port's name or number")
    return Binding(
        name=f"{namespace}/{name}",
        target_group=_text(spec, "targetGroupARN", "spec."),
        target_type=str(spec.get("targetType") or "instance"),
        service=f"{namespace}/{_text(reference, 'name', 'spec.serviceRef.')}",
        port=str(port),
        selector=_selector(spec.get("nodeSelector")),
        own_rules=bool(spec.get("networking")),
        shared=spec.get("multiClusterTargetGroup") is True,
    )


def differences(
    binding: Binding, *, source: str, selector: str, ownership: Ownership
) -> Iterator[Difference]:
    """Yield the fields that differ.

    `source` is the syncer's source of the port, `namespace/name:port` or another description; `selector` and
    `ownership` are the syncer's settings.
    """
    if binding.target_type != "instance":
        yield Difference(
            "targetType", binding.target_type, "instance", "the syncer refuses groups of another target type"
        )
    followed = f"{binding.service}:{binding.port}"
    if source != followed:
        yield Difference("serviceRef", followed, source, "targets may be registered on another port")
    if selector != binding.selector:
        yield Difference(
            "nodeSelector", binding.selector or "all nodes", selector or "all nodes", "see the nodes below"
        )
    if binding.own_rules:
        yield Difference(
            "networking",
            "the controller manages security group rules",
            "the rules are resources of the stack",
            "add the nodes' rules before the binding is deleted",
        )
    writers = "exclusive" if not binding.shared else "tracked"
    if ownership.value != writers:
        yield Difference(
            "multiClusterTargetGroup",
            str(binding.shared).lower(),
            f"NLB_SYNC_OWNERSHIP={ownership.value}",
            "targets of other owners stay"
            if binding.shared is False
            else "targets of other owners are removed",
        )


def _selector(document: Any) -> str:
    """Return a LabelSelector in the grammar of `kubectl get -l`; "" for none."""
    if document is None:
        return ""
    labels: Any = {}
    expressions: Any = []
    if isinstance(document, Mapping):
        labels = document.get("matchLabels") or {}
        expressions = document.get("matchExpressions") or []
    if not (
        isinstance(document, Mapping)
        and isinstance(labels, Mapping)
        and isinstance(expressions, list)
        and all(isinstance(each, Mapping) for each in expressions)
    ):
        raise DocumentError("spec.nodeSelector is malformed; allowed: a LabelSelector")
    return ",".join([*(f"{key}={value}" for key, value in sorted(labels.items())), *map(_part, expressions)])


def _part(expression: Mapping[str, Any]) -> str:
    key, operator = expression.get("key"), expression.get("operator")
    match operator:
        case "In" | "NotIn":
            values = ",".join(map(str, expression.get("values") or ()))
            return f"{key} {_OPERATORS[operator]} ({values})"
        case "Exists":
            return str(key)
        case "DoesNotExist":
            return f"!{key}"
    raise DocumentError(f"spec.nodeSelector has the operator {operator!r}; allowed: a LabelSelector")


def _mapping(document: Mapping[str, Any], key: str, where: str = "") -> Mapping[str, Any]:
    value = document.get(key)
    if not isinstance(value, Mapping):
        raise DocumentError(f"{where}{key} is missing or malformed")
    return value


def _text(document: Mapping[str, Any], key: str, where: str) -> str:
    value = document.get(key)
    if not isinstance(value, str) or not value:
        raise DocumentError(f"{where}{key} is missing or malformed")
    return value
