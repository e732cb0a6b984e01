"""The checks of `doctor` in the environment: valid variables without effect in combination."""

from collections.abc import Iterator, Mapping

from syncer.commands.finding import Finding, note

_FILTER = ("NLB_SYNC_LABELFILTERKEY", "NLB_SYNC_LABELFILTERVALUE")
# The predecessor's names, and the overriding names.
_OUTDONE = (
    ("NLB_SYNC_TARGETGROUPARNS", "NLB_SYNC_TARGET_GROUPS"),
    (_FILTER[0], "NLB_SYNC_NODE_SELECTOR"),
    ("AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
)


def check_settings(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Report a note for each variable without effect."""
    given = {name for name, text in environment.items() if text.strip()}
    key, value = _FILTER
    if (key in given) != (value in given):
        there, absent = (key, value) if key in given else (value, key)
        yield note("settings", f"{there} without {absent} has no effect: every node may be a target")
    for old, new in _OUTDONE:
        if {old, new} <= given:
            yield note("settings", f"{old} has no effect with {new}")
    if environment.get("NLB_SYNC_PAUSED", "").strip().lower() in {"1", "t", "true"}:
        yield note("settings", "NLB_SYNC_PAUSED is set: the syncer writes nothing")
