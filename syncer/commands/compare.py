"""`compare`: what changes when the syncer takes a group over from the AWS Load Balancer Controller.

Exit codes: 0 compared, 1 a read failed, 2 a flag or variable is wrong, 3 no such binding.
"""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

from syncer.cluster.access import configuration
from syncer.cluster.api import Api, RefusedError
from syncer.commands.live import live_look
from syncer.commands.look import Look
from syncer.commands.printing import Exit, complain, show, show_json, show_table
from syncer.config.settings import GroupSettings, ServicePort, Settings, load
from syncer.decide.binding import API, Binding, Difference, differences, read_binding
from syncer.decide.documents import DocumentError
from syncer.decide.explanation import ABSENT, AtGroup, Explanation
from syncer.decide.next_action import Action
from syncer.errors import ClusterError, MisconfiguredError
from syncer.model import OWN_PORT_TEXT

_NOT_FOUND = 404
_GROUPS = "NLB_SYNC_TARGET_GROUPS"


def compare(args: argparse.Namespace) -> int:
    """Print the fields and the nodes that differ."""
    namespace, _, name = args.binding.rpartition("/")
    namespace = namespace or os.environ.get("NLB_SYNC_NAMESPACE", "") or "default"
    try:
        found = binding_of(Api(configuration(os.environ)), namespace, name)
    except ClusterError as error:
        complain(f"TargetGroupBinding {namespace}/{name} cannot be read: {error}")
        return Exit.NOT_WELL
    except DocumentError as error:
        complain(f"TargetGroupBinding {namespace}/{name} is malformed: {error}")
        return Exit.NOT_POSSIBLE
    if found is None:
        complain(f"TargetGroupBinding {namespace}/{name} does not exist; use --binding NAMESPACE/NAME")
        return Exit.NOT_POSSIBLE
    settings = with_group(os.environ, found)
    fields = tuple(_fields(found, settings))
    seen = live_look(settings)
    changes = [(each, at) for each in seen.explanations for at in each.groups if _differs(at)]
    if args.json:
        show_json(_as_json(found, fields, changes, seen))
    else:
        _show(found, fields, changes)
    for problem in seen.problems:
        complain(problem)
    return Exit.NOT_WELL if seen.problems else Exit.WELL


def binding_of(api: Api, namespace: str, name: str) -> Binding | None:
    """Read a TargetGroupBinding; None if it, or its kind, does not exist.

    Raises:
        ClusterError: without an answer, or without the permission to get targetgroupbindings.
        DocumentError: if the object is malformed.

    """
    try:
        return read_binding(api.get(f"/apis/{API}/namespaces/{namespace}/targetgroupbindings/{name}", {}))
    except RefusedError as error:
        if error.status == _NOT_FOUND:
            return None
        raise


def with_group(environment: Mapping[str, str], binding: Binding) -> Settings:
    """Return the settings with the binding's group alone, on the port that the environment names for it."""
    followed = f"{binding.target_group}={binding.service}:{binding.port}"
    try:
        settings = load({**environment, _GROUPS: environment.get(_GROUPS) or followed})
    except MisconfiguredError as error:
        if environment.get(_GROUPS):
            raise
        raise MisconfiguredError(f"TargetGroupBinding {binding.name}: {error}") from None
    own = [each for each in settings.groups if each.group.arn == binding.target_group]
    if not own:
        own = list(load({**environment, _GROUPS: followed}).groups)
    return replace(settings, groups=tuple(own))


def _fields(binding: Binding, settings: Settings) -> Sequence[Difference]:
    (group,) = settings.groups
    return tuple(
        differences(
            binding,
            source=_source(group),
            selector=settings.node_selector.text,
            ownership=settings.ownership,
        )
    )


def _source(group: GroupSettings) -> str:
    if isinstance(group.port, ServicePort):
        return f"{group.port.service}:{group.port.port}"
    return OWN_PORT_TEXT if group.port is None else f"port {group.port}"


def _differs(at: AtGroup) -> bool:
    return at.next is not Action.NOTHING


def _as_json(
    binding: Binding,
    fields: Sequence[Difference],
    changes: Sequence[tuple[Explanation, AtGroup]],
    seen: Look,
) -> dict[str, object]:
    return {
        "binding": binding.name,
        "target_group": binding.target_group,
        "fields": [
            {"field": each.field, "binding": each.binding, "here": each.here, "effect": each.effect}
            for each in fields
        ],
        "nodes": [
            {
                "node": each.node,
                "instance_id": each.instance_id,
                "port": at.port,
                "state": at.state,
                "verdict": each.standing.value,
                "reason": each.reason,
                "next": at.next,
                "why": at.why.value if at.why else "",
            }
            for each, at in changes
        ],
        "problems": list(seen.problems),
    }


def _show(
    binding: Binding, fields: Sequence[Difference], changes: Sequence[tuple[Explanation, AtGroup]]
) -> None:
    if fields:
        rows = ((each.field, each.binding, each.here, each.effect) for each in fields)
        show_table(("FIELD", "BINDING", "HERE", "EFFECT"), rows)
    else:
        show(f"no field of {binding.name} differs")
    show("")
    if not changes:
        show("no node differs: the syncer would change no target")
        return
    show_table(
        ("NODE", "INSTANCE", "AWS NOW", "HERE", "VERDICT"),
        (
            (
                each.node or "(no Node)",
                each.instance_id or "-",
                "no target" if at.state == ABSENT else f"{at.state} on {at.port}",
                f"{at.next} {at.why or ''}".strip(),
                f"{each.standing.value}, {each.reason}",
            )
            for each, at in changes
        ),
    )
