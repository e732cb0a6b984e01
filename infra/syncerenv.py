"""Variables of `syncer.env`: the stack's own, and what the syncer would refuse when its Pod starts."""

from collections.abc import Iterator, Mapping
from typing import Final

import pulumi

from syncer.config.validation import RefusedError, UnknownSettingError, check, check_together
from syncer.manifests.credentials import VARIABLES

from .clusterkeys import Syncer
from .identitykeys import EXTERNAL
from .problems import NAMESPACE, VALUE, Change, Problem, SettingsError, echo
from .shapes import child

# What the Deployment sets itself from stack outputs; a second entry of the same name would silently win.
RESERVED_ENV: Final = frozenset(
    {
        "NLB_SYNC_NAME",
        "NLB_SYNC_NAMESPACE",  # the rights to Lease and registry are in the syncer's own
        "NLB_SYNC_PROBE_PORT",
        "NLB_SYNC_TARGET_GROUPS",
        "POD_IP",
        "POD_NAME",
    }
)
_ENV: Final = "syncer.env"
_HIDDEN: Final = "a value that is not shown"
# Stands for a value that is not known yet: every rule across variables accepts it.
_UNKNOWN: Final = "x"


def env_problems(syncer: Syncer, kind: str, *, shown: bool = True) -> Iterator[Problem]:
    """A line for each variable that the stack sets itself beside identity `kind`, or the syncer refuses.

    Values are repeated only where they are `shown`.
    """
    # Only beside `external` there are no credentials of the stack.
    reserved = RESERVED_ENV | (frozenset() if kind == EXTERNAL else VARIABLES)
    for name in sorted(reserved & syncer.env.keys()):
        path = child(_ENV, name)
        yield Problem(path, "a variable that the stack sets itself", "any other name", f"remove {path}")
    env = {name: value for name, value in syncer.env.items() if name not in reserved}
    for name, value in env.items():
        yield from refused(name, known(value) or "", shown=shown)
    yield from refused_together(env, syncer.label_filter or "", shown=shown)
    if syncer.label_filter is not None:
        fix = Change("syncer.labelFilter", "role=worker")
        yield from refused("NLB_SYNC_NODE_SELECTOR", syncer.label_filter, fix, shown=shown)


def checked(env: Mapping[str, pulumi.Input[str]]) -> dict[str, pulumi.Input[str]]:
    """`env` with each Output checked once its value is known; its error does not repeat the value."""

    def later(name: str, value: pulumi.Output[str]) -> pulumi.Output[str]:
        return value.apply(lambda text: accepted(name, text))

    return {
        name: later(name, value) if isinstance(value, pulumi.Output) else value for name, value in env.items()
    }


def accepted(name: str, value: str) -> str:
    """`value`, a secret. Raises SettingsError where the syncer refuses it."""
    if problems := [*refused(name, value, shown=False)]:
        raise SettingsError(problems, component=NAMESPACE)
    return value


def known(value: pulumi.Input[str]) -> str | None:
    """The value that the Pod has; None for an Output, and where the kubelet expands a reference in it."""
    return value if isinstance(value, str) and "$(" not in value else None


def refused(name: str, value: str, fix: Change | None = None, *, shown: bool = True) -> Iterator[Problem]:
    """The line about a variable that the syncer refuses by itself."""
    path = fix.path if fix else child(_ENV, name)
    try:
        check(name, value)
    except UnknownSettingError as error:
        instead = f", and set {child(_ENV, error.meant)} in its place" if error.meant else ""
        read, allowed = "a variable that the syncer does not know", "the settings of docs/settings.md"
        yield Problem(path, read, allowed, Change(path, None, after=instead))
    except RefusedError as error:
        fix = fix or Change(path, None, after=", or correct its value")
        yield Problem(path, read_of(value, error, shown=shown), error.allowed, fix)


def refused_together(
    env: Mapping[str, pulumi.Input[str]], label_filter: str, *, shown: bool
) -> Iterator[Problem]:
    """The line about variables that the syncer refuses beside each other."""
    given = {name: _UNKNOWN if (text := known(value)) is None else text for name, value in env.items()}
    try:
        check_together({"NLB_SYNC_NODE_SELECTOR": label_filter, **given})
    except RefusedError as error:
        path = child(_ENV, error.name)
        if error.name in given:
            read, fix = read_of(given[error.name], error, shown=shown), Change(path, None)
        else:
            read, fix = "nothing", Change(path, VALUE, after=", or remove the other one", secret=True)
        yield Problem(path, read, error.allowed, fix)


def read_of(value: str, error: RefusedError, *, shown: bool) -> str:
    """What was read, and which part of it is wrong."""
    if not shown:
        return _HIDDEN
    return f"{echo(value)} ({error.hint})" if error.hint else echo(value)
