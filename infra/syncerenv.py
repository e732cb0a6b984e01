"""Variables of `syncer.env`: variables of the stack, and variables that the syncer would refuse at start."""

from collections.abc import Iterator, Mapping
from typing import Final

import pulumi

from syncer.config.validation import RefusedError, UnknownSettingError, check, check_together
from syncer.manifests.credentials import VARIABLES

from .clusterkeys import Syncer
from .identitykeys import EXTERNAL
from .problems import NAMESPACE, VALUE, Change, Problem, SettingsError, echo
from .shapes import child

# Set by the Deployment from stack outputs; a second entry of the same name would silently win.
RESERVED_ENV: Final = frozenset(
    {
        "NLB_SYNC_NAME",
        "NLB_SYNC_NAMESPACE",  # the rights to Lease and registry are in the syncer's own namespace
        "NLB_SYNC_PROBE_PORT",
        "NLB_SYNC_TARGET_GROUPS",
        "POD_IP",
        "POD_NAME",
    }
)
_ENV: Final = "syncer.env"
_FILTER: Final = "syncer.labelFilter"
_SELECTOR: Final = "NLB_SYNC_NODE_SELECTOR"
_SENT: Final = "NLB_SYNC_SERVER_SIDE_SELECTOR"
_HIDDEN: Final = "a value that is not shown"
# Placeholder for an unknown value: accepted by every rule across variables.
_UNKNOWN: Final = "x"


def env_problems(syncer: Syncer, kind: str, *, shown: bool = True) -> Iterator[Problem]:
    """Yield a line per variable set by the stack beside identity `kind`, or refused by the syncer.

    Messages repeat values only where `shown`.
    """
    # Only with `external` the stack provides no credentials.
    reserved = RESERVED_ENV | (frozenset() if kind == EXTERNAL else VARIABLES)
    for name in sorted(reserved & syncer.env.keys()):
        path = child(_ENV, name)
        yield Problem(path, "a variable that the stack sets itself", "any other name", f"remove {path}")
    env = {name: value for name, value in syncer.env.items() if name not in reserved}
    for name, value in env.items():
        yield from refused(name, known(value) or "", shown=shown)
    sent = "true" if syncer.server_side_selector else ""
    own = {_SELECTOR: syncer.label_filter or "", _SENT: sent}
    yield from refused_together(env, own, shown=shown)
    if syncer.label_filter is not None:
        fix = Change(_FILTER, "role=worker")
        yield from refused(_SELECTOR, syncer.label_filter, fix, shown=shown)


def checked(env: Mapping[str, pulumi.Input[str]]) -> dict[str, pulumi.Input[str]]:
    """Return `env` with a check of every Output once the value is known; errors do not repeat the value."""

    def later(name: str, value: pulumi.Output[str]) -> pulumi.Output[str]:
        return value.apply(lambda text: accepted(name, text))

    return {
        name: later(name, value) if isinstance(value, pulumi.Output) else value for name, value in env.items()
    }


def accepted(name: str, value: str) -> str:
    """Return `value`, a secret. Raises SettingsError for a value that the syncer refuses."""
    if problems := [*refused(name, value, shown=False)]:
        raise SettingsError(problems, component=NAMESPACE)
    return value


def known(value: pulumi.Input[str]) -> str | None:
    """Return the value in the Pod; None for an Output, and for a value with a reference for the kubelet."""
    return value if isinstance(value, str) and "$(" not in value else None


def refused(name: str, value: str, fix: Change | None = None, *, shown: bool = True) -> Iterator[Problem]:
    """Yield the line about a variable that the syncer refuses by itself."""
    path = fix.path if fix else child(_ENV, name)
    try:
        check(name, value)
    except UnknownSettingError as error:
        instead = f", and set {child(_ENV, error.meant)} instead" if error.meant else ""
        read, allowed = "a variable that is not a setting of the syncer", "the settings of docs/settings.md"
        yield Problem(path, read, allowed, Change(path, None, after=instead))
    except RefusedError as error:
        fix = fix or Change(path, None, after=", or correct its value")
        yield Problem(path, read_of(value, error, shown=shown), error.allowed, fix)


def refused_together(
    env: Mapping[str, pulumi.Input[str]], own: Mapping[str, str], *, shown: bool
) -> Iterator[Problem]:
    """Yield the line about variables that the syncer refuses in combination; `own` are from keys."""
    given = {name: _UNKNOWN if (text := known(value)) is None else text for name, value in env.items()}
    try:
        check_together({**own, **given})
    except RefusedError as error:
        path = child(_ENV, error.name)
        if error.name == _SELECTOR and not given.get(_SELECTOR):
            sent = child(_ENV, _SENT) if _SENT in given else "syncer.serverSideSelector"
            fix = Change(_FILTER, "role=worker", after=f", or remove {sent}")
            yield Problem(_FILTER, f"nothing, but {sent} is true", "a label selector", fix)
            return
        if error.name in given:
            read, fix = read_of(given[error.name], error, shown=shown), Change(path, None)
        else:
            read, fix = "nothing", Change(path, VALUE, after=", or remove the other variable", secret=True)
        yield Problem(path, read, error.allowed, fix)


def read_of(value: str, error: RefusedError, *, shown: bool) -> str:
    """Return the read value with the wrong part."""
    if not shown:
        return _HIDDEN
    return f"{echo(value)} ({error.hint})" if error.hint else echo(value)
