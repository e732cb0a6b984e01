"""Rules of AWS and Kubernetes across keys that would otherwise fail after the first resource is created."""

from collections.abc import Iterator
from typing import Final

from .clusterkeys import Syncer
from .keys import Settings
from .listenerrules import checks
from .ports import wrong_node_ports
from .problems import Change, Problem, echo

MOST_LISTENERS: Final = 50  # AWS does not raise this quota ("Quotas for your Network Load Balancers")


def wrong_combinations(settings: Settings) -> Iterator[Problem]:
    """Report values that are allowed by themselves and that AWS or the API server refuses together."""
    if (surplus := len(settings.listeners) - MOST_LISTENERS) > 0:
        read = f"{len(settings.listeners)} listeners"
        allowed = f"at most {MOST_LISTENERS}: AWS's quota of an NLB"
        yield Problem("listeners", read, allowed, f"remove {surplus} of them")
    for path, check in checks(settings):
        yield from wrong_matcher(path, check.matcher)
    if settings.ingress.create_namespace and not settings.ingress.create:
        path, allowed = "ingress.createNamespace", "false beside ingress.create false: the Service exists"
        yield Problem(path, "true", allowed, Change(path, None))
    yield from wrong_node_ports(settings)
    yield from wrong_tolerations(settings.syncer)
    yield from wrong_spreads(settings.syncer)
    # The API server accepts a Secret once (the list is a map by name).
    names = settings.syncer.image_pull_secrets
    for index, name in enumerate(names):
        if name in names[:index]:
            path = f"syncer.imagePullSecrets[{index}]"
            yield Problem(path, f"{echo(name)} a second time", "each Secret once", Change(path, None))


def wrong_matcher(check: str, matcher: str) -> Iterator[Problem]:
    """Report HTTP codes in a descending range, and codes that are named twice."""
    ranges = [code_range(part) for part in matcher.split(",")]
    ordered = sorted((min(each), max(each)) for each in ranges)
    merged = [ordered[0]]
    for low, high in ordered[1:]:
        if low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    if any(low > high for low, high in ranges) or len(merged) < len(ranges):
        path = f"{check}.matcher"
        allowed = "ascending ranges such as 200-399, each code once"
        meant = ",".join(str(low) if low == high else f"{low}-{high}" for low, high in merged)
        yield Problem(path, echo(matcher), allowed, Change(path, meant, text=True))


def code_range(part: str) -> tuple[int, int]:
    """Return the first and the last code of `200` or `200-399`."""
    low, _, high = part.partition("-")
    return int(low), int(high or low)


def wrong_tolerations(syncer: Syncer) -> Iterator[Problem]:
    """Report a value beside Exists, and a missing key beside Equal, which the API server refuses."""
    for index, item in enumerate(syncer.tolerations):
        path = f"syncer.tolerations[{index}]"
        if item.operator == "Exists" and item.value is not None:
            where = f"{path}.value"
            yield Problem(where, echo(item.value), "no value beside operator Exists", f"remove {where}")
        if item.operator == "Equal" and item.key is None:
            fix = Change(f"{path}.key", "process", after=f", or set {path}.operator to Exists for all taints")
            yield Problem(f"{path}.key", "nothing", "a taint key beside operator Equal", fix)


def wrong_spreads(syncer: Syncer) -> Iterator[Problem]:
    """Report two constraints on a label with the same effect, which the API server refuses."""
    seen: set[tuple[str, str]] = set()
    for index, item in enumerate(syncer.topology_spread):
        pair = (item.topology_key, item.when_unsatisfiable)
        if pair in seen:
            path = f"syncer.topologySpread[{index}]"
            read = f"{echo(item.topology_key)} with {item.when_unsatisfiable} again"
            yield Problem(path, read, "each label once for each whenUnsatisfiable", Change(path, None))
        seen.add(pair)
