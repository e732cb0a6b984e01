"""Extract the few facts that a verdict needs from a Node's JSON, as printed by the API server.

No function here raises: a field of the wrong shape counts as absent, so a malformed Node affects only itself
(without a name the Node is called "", without a readable providerID it is out) and never the whole list.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from syncer.decide.policy import NodePolicy
from syncer.decide.zones import place_of_node
from syncer.model import InstanceId, NodeView

# Forms that cloud-provider-aws accepts too: aws:///zone/id, aws:////id, aws://zone/id and the bare id. AWS
# does not specify the length of an id (8 hex digits until 2016, 17 since), so the length is not checked, as
# in other controllers. AWS writes ids in lower case; an id in another spelling would equal no target that AWS
# lists.
_PROVIDER_ID = re.compile(r"(?:aws://(?P<host>[^/]*)/(?:(?P<zone>[^/]*)/)?)?(?P<id>i-[0-9a-z]+)")
_COMPUTE_TYPE = "eks.amazonaws.com/compute-type"
# `auto` (EKS Auto Mode) is an ordinary instance; all values except fargate and hybrid are ignored.
_NO_INSTANCE = frozenset({"fargate", "hybrid"})
_ZONE_LABELS = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
_EXCLUSION_LABELS = (
    "node.kubernetes.io/exclude-from-external-load-balancers",
    "alpha.service-controller.kubernetes.io/exclude-balancer",
)
# The false values of Go's strconv.ParseBool; k8s.io/cloud-provider parses the label with it since v0.34.
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})


def node_view(raw: object, policy: NodePolicy) -> NodeView:
    """Parse a Node from JSON.

    Selector, labels and taints are evaluated here once, so that the JSON need not be kept.
    """
    node = _mapping(raw)
    metadata, spec, status = (_mapping(node.get(part)) for part in ("metadata", "spec", "status"))
    labels = {key: _label(value) for key, value in _mapping(metadata.get("labels")).items()}
    provider_id = spec.get("providerID")
    instance_id, provider_zone = _instance(provider_id)
    no_instance = labels.get(_COMPUTE_TYPE) in _NO_INSTANCE
    place = place_of_node(provider_zone, next((labels[z] for z in _ZONE_LABELS if labels.get(z)), ""))
    ready, ready_since = _readiness(status)
    deletion = metadata.get("deletionTimestamp")
    return NodeView(
        name=_text(metadata.get("name")),
        instance_id=None if no_instance else instance_id,
        has_provider_id=no_instance or provider_id not in (None, ""),
        zone=sys.intern(place.zone),
        zone_source=place.source,
        created=parse_time(metadata.get("creationTimestamp")) or 0.0,
        deleting_since=None if not deletion else parse_time(deletion) or 0.0,
        selected=policy.selector.matches(labels),
        excluded=any(labels[label] not in _FALSE for label in _EXCLUSION_LABELS if label in labels),
        leaving_taint=_leaving_taint(spec, policy.leaving_taints),
        cordoned=spec.get("unschedulable") is True,
        ready=ready,
        ready_since=ready_since if ready else None,
    )


def parse_time(text: object) -> float | None:
    """Parse an RFC 3339 time, with or without a fraction, into seconds since the epoch; None if malformed."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment.timestamp()


def _instance(provider_id: object) -> tuple[InstanceId | None, str]:
    found = _PROVIDER_ID.fullmatch(provider_id) if isinstance(provider_id, str) else None
    if found is None:
        return None, ""
    return InstanceId(found["id"]), found["zone"] or found["host"] or ""


def _readiness(status: Mapping[str, Any]) -> tuple[bool, float | None]:
    for condition in _mappings(status.get("conditions")):
        if condition.get("type") == "Ready":
            return condition.get("status") == "True", parse_time(condition.get("lastTransitionTime"))
    return False, None


def _leaving_taint(spec: Mapping[str, Any], patterns: Iterable[str]) -> str | None:
    for taint in _mappings(spec.get("taints")):
        key = _text(taint.get("key"))
        if is_leaving(key, patterns):
            return sys.intern(key)
    return None


def is_leaving(key: str, patterns: Iterable[str]) -> bool:
    """Whether a key or `prefix/*` pattern matches the taint key, and no `!` pattern exempts the key."""
    leaving = False
    for pattern in patterns:
        exempt = pattern.startswith("!")
        bare = pattern.removeprefix("!")
        if key.startswith(bare[:-1]) if bare.endswith("/*") else key == bare:
            if exempt:
                return False
            leaving = True
    return leaving


def _label(value: object) -> str:
    """Return the label's value as kubectl would quote it; null is the empty value, as in Go's decoder."""
    return value if isinstance(value, str) else "" if value is None else str(value)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(value: object) -> Iterator[Mapping[str, Any]]:
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
