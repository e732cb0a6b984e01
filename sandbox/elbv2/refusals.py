"""The targets that RegisterTargets and DeregisterTargets refuse, always for the whole call (source 1)."""

from collections.abc import Collection, Iterable, Sequence

from sandbox.elbv2.account import Conditions, Group, Instances
from sandbox.elbv2.errors import Refusal
from sandbox.elbv2.targets import TargetKey

_PORTS = range(1, 65_536)
_TOO_MANY = "TooManyRegistrationsForTargetId"


def named_targets(
    group: Group, targets: Iterable[tuple[str, int | None]], largest: int | None = None
) -> list[TargetKey]:
    """Return the targets of a call without duplicates; an id alone means the group's port.

    Raises Refusal (ValidationError) for an empty or too large call, or a port out of range.
    """
    listed = [(one, group.port if port is None else port) for one, port in targets]
    if not listed:
        raise Refusal("ValidationError", "At least one target must be specified")
    if largest is not None and len(listed) > largest:
        raise Refusal("ValidationError", f"{len(listed)} targets in a call; 1 to {largest} are allowed")
    for _, port in listed:
        if port not in _PORTS:
            raise Refusal("ValidationError", f"Target port '{port}' must be between 1 and 65535")
    return list(dict.fromkeys(listed))


def require_registrable(
    group: Group, keys: Sequence[TargetKey], account: Instances, conditions: Conditions
) -> None:
    """Raise the refusal of a call with an instance that does not exist, is idle, elsewhere or refused."""
    if group.target_type == "ip":
        raise Refusal("ValidationError", f"The IP address '{keys[0][0]}' is not a valid IPv4 address")
    found = {key[0]: account.instance(key[0]) if key[0].startswith("i-") else None for key in keys}
    known = {one: instance for one, instance in found.items() if instance is not None}
    _require_none(
        "The following instances do not exist", [one for one in found if one not in known], conditions
    )
    _require_none(
        "The following targets are not in a running state and cannot be registered",
        [one for one, instance in known.items() if instance.state != "running"],
        conditions,
    )
    _require_none(
        f"The following targets are not in the target group VPC '{group.vpc_id}'",
        [one for one, instance in known.items() if instance.vpc_id != group.vpc_id],
        conditions,
    )
    if refused := [one for one in found if one in conditions.refused]:
        code = conditions.refused[refused[0]]
        alike = [one for one in refused if conditions.refused[one] == code]
        sentence = "The following targets cannot be registered"
        if code == _TOO_MANY:
            sentence = "The following targets are registered with too many target groups"
        _require_none(sentence, alike, conditions, code)


def require_deregistrable(keys: Iterable[TargetKey], conditions: Conditions) -> None:
    """Raise the refusal of a call with a stuck instance."""
    stuck = list(dict.fromkeys(key[0] for key in keys if key[0] in conditions.stuck))
    _require_none("The following targets are not valid", stuck, conditions)


def _require_none(
    sentence: str, ids: Collection[str], conditions: Conditions, code: str = "InvalidTarget"
) -> None:
    if ids and conditions.names_ids:
        quoted = ", ".join(f"'{one}'" for one in ids)
        raise Refusal(code, f"{sentence}: {quoted}", ids)
    if ids:
        raise Refusal(code, "One or more targets are not valid")
