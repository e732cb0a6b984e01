"""Kubernetes label selectors: the whole grammar of `kubectl get -l`, evaluated as by the API server."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from syncer.text.quote import quoted

# k8s.io/apimachinery validation: names and values have at most 63 characters, a key's prefix is a DNS
# subdomain of at most 253.
_NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_SUBDOMAIN_LENGTH = 253
_TOKEN = re.compile(r"\s*(==|!=|[=!(),<>]|[^\s=!(),<>]+)")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_INT64 = range(-(2**63), 2**63)
_SYMBOLS = frozenset({"==", "!=", "=", "!", "(", ")", ",", "<", ">"})
_END = ""


class SelectorError(ValueError):
    """A selector does not parse; the one-line message has the found and the expected token."""


class _Operator(StrEnum):
    IN = "in"
    NOT_IN = "notin"
    EXISTS = "exists"
    ABSENT = "!"
    ABOVE = ">"
    BELOW = "<"


@dataclass(frozen=True, slots=True)
class Requirement:
    """A comma-separated part of a selector."""

    key: str
    operator: _Operator
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels meet the requirement; a missing key meets `notin` and `!=`, as in Kubernetes."""
        value = labels.get(self.key)
        match self.operator:
            case _Operator.EXISTS:
                return value is not None
            case _Operator.ABSENT:
                return value is None
            case _Operator.IN:
                return value is not None and value in self.values
            case _Operator.NOT_IN:
                return value is None or value not in self.values
        number, bound = _int64(value), _int64(next(iter(self.values)))
        if number is None or bound is None:
            return False
        return number > bound if self.operator is _Operator.ABOVE else number < bound

    def as_query(self) -> str:
        """Return the requirement in the set-based syntax of the API's `labelSelector`."""
        match self.operator:
            case _Operator.EXISTS:
                return self.key
            case _Operator.ABSENT:
                return f"!{self.key}"
            case _Operator.IN | _Operator.NOT_IN:
                return f"{self.key} {self.operator} ({','.join(sorted(self.values))})"
        return f"{self.key}{self.operator}{next(iter(self.values))}"


@dataclass(frozen=True, slots=True)
class Selector:
    """Requirements that must all be met; an empty selector matches everything."""

    requirements: tuple[Requirement, ...] = ()
    text: str = ""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether a Node with these labels is selected."""
        return all(requirement.matches(labels) for requirement in self.requirements)

    def as_query(self) -> str:
        """Return the value of the API's `labelSelector`, from the parsed requirements; "" selects everything.

        The API server then evaluates what is evaluated here, whatever the spelling of `text`.
        """
        return ",".join(requirement.as_query() for requirement in self.requirements)

    @classmethod
    def parse(cls, text: str) -> "Selector":
        """Parse a selector such as `role=ingress,!spot,zone in (a, b)`.

        Raises:
            SelectorError: if the text does not parse, with the reason in one line.

        """
        return cls(tuple(_Parser(text).requirements()), text.strip())


class _Parser:
    """Recursive descent over the tokens, a method for every rule of the grammar."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._at = 0

    def requirements(self) -> Iterator[Requirement]:
        while self._peek() != _END:
            yield self._requirement()
            if self._peek() == _END:
                return
            self._expect(",", "',' or the end")
            if self._peek() in _SYMBOLS - {"!"} or self._peek() == _END:
                raise self._unexpected(self._peek(), "a label key after ','")

    def _requirement(self) -> Requirement:
        absent = self._peek() == "!"
        if absent:
            self._next()
        key = self._key()
        if absent:
            return Requirement(key, _Operator.ABSENT)
        if self._peek() in {_END, ","}:
            return Requirement(key, _Operator.EXISTS)
        match self._next():
            case "=" | "==":
                return Requirement(key, _Operator.IN, frozenset({self._exact()}))
            case "!=":
                return Requirement(key, _Operator.NOT_IN, frozenset({self._exact()}))
            case "in":
                return Requirement(key, _Operator.IN, self._listed())
            case "notin":
                return Requirement(key, _Operator.NOT_IN, self._listed())
            case ("<" | ">") as sign:
                return Requirement(key, _Operator(sign), frozenset({self._integer()}))
            case other:
                raise self._unexpected(other, "one of = == != in notin < >")

    def _key(self) -> str:
        key = self._next()
        if key in _SYMBOLS or key == _END:
            raise self._unexpected(key, "a label key")
        prefix, slash, name = key.rpartition("/")
        if slash and not (_SUBDOMAIN.fullmatch(prefix) and len(prefix) <= _SUBDOMAIN_LENGTH):
            raise self._wrong(f"the prefix of {quoted(key)} is not a DNS subdomain")
        if not _NAME.fullmatch(name):
            raise self._wrong(f"{quoted(key)} is not a label key")
        return key

    def _exact(self) -> str:
        if self._peek() in {_END, ","}:
            return ""
        return self._value(self._next())

    def _integer(self) -> str:
        text = self._exact()
        if _int64(text) is None:
            raise self._wrong(f"{quoted(text)} is not an integer of 64 bits, as < and > need")
        return text

    def _listed(self) -> frozenset[str]:
        self._expect("(", "'(' after in or notin")
        values = set()  # `()` and `(,)` mean the empty value, as in Kubernetes
        while True:
            values.add("" if self._peek() in {",", ")"} else self._value(self._next()))
            if self._peek() == ")":
                self._next()
                return frozenset(values)
            self._expect(",", "',' or ')'")

    def _value(self, value: str) -> str:
        if value in _SYMBOLS or value == _END:
            raise self._unexpected(value, "a value")
        if not _NAME.fullmatch(value):
            raise self._wrong(f"{quoted(value)} is not a label value")
        return value

    def _expect(self, token: str, expected: str) -> None:
        found = self._next()
        if found != token:
            raise self._unexpected(found, expected)

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else _END

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _unexpected(self, found: str, expected: str) -> SelectorError:
        return self._wrong(f"found {quoted(found) if found else 'the end'}, expected {expected}")

    def _wrong(self, what: str) -> SelectorError:
        return SelectorError(f"malformed label selector {quoted(self._text)}: {what}")


def _int64(text: str | None) -> int | None:
    """Return the integer as by Go's strconv.ParseInt, as the API server compares; None for other text."""
    if text is None or not _INTEGER.fullmatch(text):
        return None
    return number if (number := int(text)) in _INT64 else None


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    while found := _TOKEN.match(text, at):
        tokens.append(found[1])
        at = found.end()
    return tokens


EVERYTHING = Selector()
