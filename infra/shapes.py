"""The grammar of the stack configuration: the allowed values, and the reports of wrong values.

A shape reads a raw value (JSON, as passed by Pulumi) into a Python value and adds a line to `problems` for
every error in the value; a shape never raises. `MISSING` stands for an absent key.
"""

import difflib
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Final, Protocol

import pulumi

from .problems import MISSING, NAMESPACE, VALUE, Change, Problem, Problems, SettingsError, echo

REQUIRED: Final = object()
# Without NUL, which no environment variable may hold, and without surrogates, which are not valid UTF-8.
CHARACTER = r"[^\x00\ud800-\udfff]"


class Shape(Protocol):
    """The allowed values of a key."""

    @property
    def default(self) -> Any:
        """Return the raw value of an absent key; `REQUIRED` for a required key."""

    @property
    def reason(self) -> str:
        """Return the purpose of the key and the reason for the default, for docs/keys.md."""

    @property
    def kind(self) -> str:
        """Return the type, in the terms of Pulumi.yaml."""

    @property
    def allowed(self) -> str:
        """Return the range, in words."""

    def read(self, path: str, raw: Any, problems: Problems) -> Any:
        """Return the value of `raw`; undefined after a problem was added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A string that matches `pattern` as a whole, or is one of `choices`.

    With `output`, a Pulumi Output is allowed too and is checked once the value is known; with `secret`,
    messages do not repeat a wrong value; with `number`, a whole number is allowed too.
    """

    reason: str
    allowed: str
    example: str
    default: Any = REQUIRED
    pattern: str = rf"{CHARACTER}+"
    choices: tuple[str, ...] = ()
    output: bool = False
    secret: bool = False
    number: bool = False
    kind: str = "string"

    def read(self, path: str, raw: Any, problems: Problems) -> Any:
        """Return `raw` unchanged; with `number`, a whole number as text."""
        if self.number and isinstance(raw, int) and not isinstance(raw, bool):
            text: Any = self.read(path, str(raw), [])
            raw = text or raw
        if self.output and isinstance(raw, pulumi.Output):
            return raw.apply(lambda known: self._known(path, known))
        if isinstance(raw, str) and (
            raw in self.choices if self.choices else re.fullmatch(self.pattern, raw, re.ASCII) is not None
        ):
            return raw
        near = difflib.get_close_matches(raw, self.choices, n=1) if isinstance(raw, str) else []
        if isinstance(raw, (int, float)) and not self.choices and not self.secret:
            near = [VALUE]  # meant as text; the value itself may be a secret
        fix = Change(path, near[0] if near else self.example, secret=self.secret, text=True)
        hidden = self.secret and raw is not MISSING
        problems.append(
            Problem(path, "a value that is not shown" if hidden else echo(raw), self.allowed, fix)
        )
        return ""

    def _known(self, path: str, raw: Any) -> Any:
        """Return the value of an Output. A wrong value ends the program before a resource gets the value."""
        problems: Problems = []
        value = self.read(path, raw, problems)
        if problems:
            raise SettingsError(problems, component=NAMESPACE)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """An integer from `low` to `high`, in `unit`; `example` is the fix of a key without a default."""

    reason: str
    low: int
    high: int
    unit: str = ""
    example: str = ""
    default: Any = REQUIRED
    kind: str = "integer"

    @property
    def allowed(self) -> str:
        """Return the range with the unit."""
        return f"{self.low} to {self.high}{' ' if self.unit else ''}{self.unit}"

    def read(self, path: str, raw: Any, problems: Problems) -> int:
        """Return `raw` unchanged; true is not a number."""
        if isinstance(raw, int) and not isinstance(raw, bool) and self.low <= raw <= self.high:
            return raw
        example = str(self.default) if isinstance(self.default, int) else self.example or str(self.low)
        problems.append(Problem(path, echo(raw), f"a whole number, {self.allowed}", Change(path, example)))
        return self.low


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """true or false."""

    reason: str
    default: Any = REQUIRED
    allowed: str = "true or false"
    kind: str = "boolean"

    def read(self, path: str, raw: Any, problems: Problems) -> bool:
        """Return `raw` unchanged; "yes" and 1 are refused."""
        if isinstance(raw, bool):
            return raw
        fix = Change(path, "true" if self.default is True else "false")
        problems.append(Problem(path, echo(raw), self.allowed, fix))
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cidr:
    """An IPv4 or IPv6 network in CIDR notation, in its short form and with no host bits set."""

    reason: str
    default: Any = REQUIRED
    allowed: str = "a network such as 203.0.113.0/24 or 2001:db8::/32"
    kind: str = "string"

    def read(self, path: str, raw: Any, problems: Problems) -> str:
        """Return `raw` unchanged; the error for host bits or a bare address has the corrected network."""
        meant = network_of(raw)
        if meant is not None and str(meant) == raw:
            return str(raw)
        fix = Change(path, "203.0.113.0/24" if meant is None else str(meant))
        problems.append(Problem(path, echo(raw), self.allowed, fix))
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Optional:
    """A value that may be absent: `inner`, or None; with a `default`, None is written as null.

    `null` is the meaning of null for docs/keys.md.
    """

    inner: Shape
    default: Any = None
    null: str = "not managed"

    @property
    def reason(self) -> str:
        """Return the inner shape's reason."""
        return self.inner.reason

    @property
    def kind(self) -> str:
        """Return the inner shape's kind."""
        return self.inner.kind

    @property
    def allowed(self) -> str:
        """Return the inner shape's range; null is named where it differs from an absent key."""
        return self.inner.allowed if self.default is None else f"{self.inner.allowed}, or null: {self.null}"

    def read(self, path: str, raw: Any, problems: Problems) -> Any:
        """Return None for null, and for an absent key without a default."""
        return None if raw is None else self.inner.read(path, raw, problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """An array of items with the same shape; read into a tuple."""

    item: Shape
    reason: str
    allowed: str
    default: Any = REQUIRED
    least: int = 0
    kind: str = "array"

    def read(self, path: str, raw: Any, problems: Problems) -> tuple[Any, ...]:
        """Read the items in order."""
        if not isinstance(raw, list) or len(raw) < self.least:
            problems.append(Problem(path, echo(raw), self.allowed, in_file(path, "a list", raw, self.least)))
            return ()
        return tuple(self.item.read(f"{path}[{number}]", item, problems) for number, item in enumerate(raw))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """An object with the user's own keys; read into a dict sorted by key, because the order is irrelevant."""

    item: Shape
    reason: str
    allowed: str
    key_pattern: str = rf"{CHARACTER}+"
    default: Any = REQUIRED
    least: int = 0
    kind: str = "object"

    def read(self, path: str, raw: Any, problems: Problems) -> dict[str, Any]:
        """Read the values in order."""
        if not isinstance(raw, dict) or len(raw) < self.least:
            fix = in_file(path, "key: value lines", raw, self.least)
            problems.append(Problem(path, echo(raw), self.allowed, fix))
            return {}
        for key in raw:
            if re.fullmatch(self.key_pattern, key, re.ASCII) is None:
                problems.append(
                    Problem(path, f"the key {echo(key)}", self.allowed, "rename or remove that key")
                )
        return {key: self.item.read(child(path, key), raw[key], problems) for key in sorted(raw)}


def in_file(path: str, form: str, raw: Any, least: int) -> str | Change:
    """Return the fix for a list or a map of another form: an empty text was meant to be no value."""
    if raw == "" and least == 0:
        return Change(path, None, after=f", or write it as {form} in Pulumi.<stack>.yaml")
    return f"write it as {form} in Pulumi.<stack>.yaml" + (f", with at least {least}" if least else "")


def network_of(raw: Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """Return the network of an address or a CIDR block, without host bits; None for other values."""
    if not isinstance(raw, str):  # the library also accepts numbers
        return None
    try:
        return ipaddress.ip_network(raw, strict=False)
    except ValueError:
        return None


def is_ipv6(network: str) -> bool:
    """Return whether a network, as read by `Cidr`, is one of IPv6."""
    return ":" in network


def child(path: str, key: str) -> str:
    """Return the property path of `key` in `path`, in the spelling of `pulumi config set --path`."""
    if re.fullmatch(r"[A-Za-z_][\w-]{0,63}", key, re.ASCII):
        return f"{path}.{key}" if path else key
    return f"{path}[{echo(key)}]"


@cache
def camel(name: str) -> str:
    """Return the configuration's spelling of a name: `subnetId` for `subnet_id`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def declared(shape: Shape) -> Any:
    """Return the dataclass field of a key: name, Python type and shape are in one place."""
    return field(metadata={"shape": shape})


@cache
def _fields(build: type[Any]) -> Mapping[str, Shape]:
    return {each.name: each.metadata["shape"] for each in fields(build) if each.metadata}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An object with the keys declared by `build`, a dataclass; unknown keys are refused."""

    build: type[Any]
    reason: str = ""
    allowed: str = "an object with the keys below"
    default: Any = field(default_factory=dict)
    kind: str = "object"

    @property
    def fields(self) -> Mapping[str, Shape]:
        """Return the shape of every key, by the name of the dataclass field."""
        return _fields(self.build)  # type: ignore[arg-type]  # a class is hashable

    def read(self, path: str, raw: Any, problems: Problems) -> Any:
        """Return the record, or None after a problem inside, because the record could not be built."""
        known = {camel(name): name for name in self.fields}
        if not isinstance(raw, dict):
            allowed = f"an object with the keys {', '.join(sorted(known))}"
            fix = "write it as key: value lines in Pulumi.<stack>.yaml"
            problems.append(Problem(path, echo(raw), allowed, fix))
            return None
        before = len(problems)
        for key in raw:
            if key not in known:
                problems.append(unknown(child(path, key), key, tuple(known)))
        values = {name: self._read_field(path, name, raw, problems) for name in self.fields}
        return self.build(**values) if len(problems) == before else None

    def _read_field(self, path: str, name: str, raw: Mapping[str, Any], problems: Problems) -> Any:
        shape, key = self.fields[name], camel(name)
        value = raw.get(key, MISSING)
        if value is MISSING and shape.default is not REQUIRED:
            value = shape.default
        return shape.read(child(path, key), value, problems)


def unknown(path: str, key: str, known: tuple[str, ...]) -> Problem:
    """Return the line about an unknown key, with the nearest known key."""
    near = difflib.get_close_matches(key, known, n=1)
    fix = f"did you mean {near[0]}?" if near else "remove it"
    return Problem(path, "a key that does not exist", ", ".join(sorted(known)), fix)
