"""Check variables by the rules of the syncer's start, without an SDK: a stack can use the checks too."""

import contextlib
import re
from collections.abc import Mapping
from typing import Any, Final

from syncer.config.environment import SPACE
from syncer.config.parsers import boolean
from syncer.config.variables import TABLE, Setting
from syncer.decide.selector import Selector
from syncer.elb.variables import VARIABLES
from syncer.errors import MisconfiguredError
from syncer.text.hosts import is_loopback
from syncer.text.quote import named, quoted

_ROWS: Final = {row.name: row for row in TABLE}
_SELECTOR, _SENT = "NLB_SYNC_NODE_SELECTOR", "NLB_SYNC_SERVER_SIDE_SELECTOR"
_KEYS: Final = ("AWS_ACCESS_KEY", "AWS_SECRET_KEY")
_ID, _SECRET = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
# {NAME}_SERVICE_HOST, {NAME}_PORT_80_TCP_ADDR and similar, for Services named nlb-sync or nlb-sync-SOMETHING.
_SERVICE_LINK = re.compile(
    r"NLB_SYNC(_[A-Z0-9_]+)?"
    r"(_SERVICE_HOST|_SERVICE_PORT(_[A-Z0-9_]+)?|_PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)


class RefusedError(MisconfiguredError):
    """The syncer does not start with this variable.

    `hint` describes the wrong part of the value and may quote the value; `meant` is the setting with the
    nearest name, where `name` is not a setting.
    """

    def __init__(self, name: str, wrong: str, allowed: str, *, hint: str = "", meant: str = "") -> None:
        super().__init__(f"{name} {wrong}; {f'did you mean {meant}? ' if meant else ''}allowed: {allowed}")
        self.name, self.allowed, self.hint, self.meant = name, allowed, hint, meant


class UnknownSettingError(RefusedError):
    """An unused variable with a name like a setting's. Its value may be a misplaced key."""


def check(name: str, text: str) -> None:
    """Check one variable by itself, in a Pod without service links.

    Raises:
        RefusedError: the syncer would not start with the variable.

    """
    check_name(name, linked=False)
    if name in _ROWS:
        read(_ROWS[name], text)
        check_probed(name, text)
    elif name in VARIABLES and (trimmed := text.strip(SPACE)):
        try:
            VARIABLES[name].parse(trimmed)
        except ValueError:
            raise RefusedError(name, f"is {quoted(trimmed)}", VARIABLES[name].allowed) from None


def check_probed(name: str, text: str) -> None:
    """Check that the kubelet's probes reach the syncer; a loopback address would prevent the probes.

    Raises:
        RefusedError: the probes cannot reach the address.

    """
    if name == "NLB_SYNC_ADDRESS" and is_loopback(text.strip(SPACE)):
        allowed = "an address of the Pod, for the kubelet's probes, such as $(POD_IP)"
        raise RefusedError(name, f"is {quoted(text)}", allowed)


def check_together(environment: Mapping[str, str]) -> None:
    """Validate constraints that span several variables.

    Raises:
        RefusedError: a variable is missing, or the combination has no meaning.

    """
    _check_sent(environment)
    there = [name for name in (*_KEYS, _ID, _SECRET) if environment.get(name, "").strip(SPACE)]
    own = [name for name in there if name in _KEYS]
    if len(own) == 1:
        (absent,) = set(_KEYS) - set(own)
        raise RefusedError(absent, f"is not set, but {own[0]} is", "both variables or none")
    if _ID in there and _SECRET not in there:  # boto3 does not read a secret alone
        raise RefusedError(_SECRET, f"is not set, but {_ID} is", "both variables or none")


def _check_sent(environment: Mapping[str, str]) -> None:
    """Check that a selector that is to be sent to the API server is set.

    Without the check, the lost selector of a large cluster would make the syncer read every Node.
    """
    selector, sent = (environment.get(name, "").strip(SPACE) for name in (_SELECTOR, _SENT))
    if selector or filtered(environment) or not sent:
        return
    with contextlib.suppress(ValueError):  # `read` refuses the value
        if boolean(sent):
            raise RefusedError(
                _SELECTOR, f"is not set, but {_SENT} is true", f"a label selector, or {_SENT}=false"
            )


def check_name(name: str, *, linked: bool = True) -> None:
    """Check that a variable named like a setting is a setting; with `linked`, or a service link.

    Raises:
        UnknownSettingError: with the nearest setting.

    """
    if not name.startswith("NLB_SYNC_") or name in _ROWS or (linked and _is_service_link(name)):
        return
    from difflib import get_close_matches  # noqa: PLC0415 - only for a misspelt name

    near = get_close_matches(name, _ROWS, n=1, cutoff=0.8)
    raise UnknownSettingError(
        named(name),
        "is not a setting",
        "the variables in `python -m syncer run --help`",
        meant=near[0] if near else "",
    )


def read(row: Setting, text: str) -> Any:
    """Parse the value of a setting.

    Raises:
        RefusedError: the value is not allowed.

    """
    text = text.strip(SPACE)
    if row.name.endswith("_PORT") and text.startswith("tcp://"):
        text = ""  # the service link of a Service named nlb-sync or nlb-sync-probe, not a setting
    try:
        return row.parse(text or row.default)
    except ValueError as error:
        hint = str(error) if row.explains else ""
        wrong = f"is {quoted(text)}{f' ({hint})' if hint else ''}"
        raise RefusedError(row.name, wrong, f"{row.allowed} {row.unit}".strip(), hint=hint) from None


def filtered(environment: Mapping[str, str]) -> Selector | None:
    """Return the predecessor's filter as a selector, if no selector and both halves are set.

    Raises:
        RefusedError: the halves make no selector.

    """
    names = (_SELECTOR, "NLB_SYNC_LABELFILTERKEY", "NLB_SYNC_LABELFILTERVALUE")
    selector, key, value = (environment.get(name, "").strip(SPACE) for name in names)
    if selector or not (key and value):
        return None
    try:
        return Selector.parse(f"{key}={value}")
    except ValueError as error:
        wrong = f"is {quoted(key)} and {names[2]} {quoted(value)} ({error})"
        raise RefusedError(names[1], wrong, "a label key and a label value", hint=str(error)) from None


def _is_service_link(name: str) -> bool:
    """Return whether the kubelet sets such a variable for a Service beside the Pod, such as nlb-sync-metrics.

    Source: "environment variables" in Kubernetes' Service documentation.
    """
    return _SERVICE_LINK.fullmatch(name) is not None
