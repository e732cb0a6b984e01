"""The keys of `syncer.resources`: CPU and memory in Kubernetes notation."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Final

from .problems import Change, Problem, echo
from .shapes import Record, Text, declared

_NUMBER: Final = r"\d{1,15}(\.\d{1,9})?"
CPU: Final = r"\d{1,6}(\.\d{1,3})?|\d{1,9}m"
MEMORY: Final = _NUMBER + "(k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?"
UNITS: Final[Mapping[str, Fraction]] = {
    "": Fraction(1),
    "m": Fraction(1, 1000),
    **{name: Fraction(1000) ** power for power, name in enumerate("kMGTPE", 1)},
    **{f"{name}i": Fraction(1024) ** power for power, name in enumerate("KMGTPE", 1)},
}


def cpu(default: str, reason: str) -> Text:
    """A CPU quantity; the API server accepts no finer unit than 1m."""
    allowed = "CPUs as a Kubernetes quantity such as 0.5 or 500m"
    return Text(default=default, reason=reason, allowed=allowed, pattern=CPU, example=default)


def memory(default: str, reason: str) -> Text:
    """A quantity of bytes; `m` would be thousandths of a byte, and is a misspelt M."""
    allowed = "bytes as a Kubernetes quantity such as 200Mi"
    return Text(default=default, reason=reason, allowed=allowed, pattern=MEMORY, example=default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """What the syncer's container is promised."""

    cpu: str = declared(cpu("250m", "As in the predecessor."))
    memory: str = declared(memory("200Mi", "As in the predecessor; 5,000 nodes need half."))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the syncer's container may take."""

    cpu: str = declared(cpu("500m", "As in the predecessor."))
    memory: str = declared(memory("400Mi", "As in the predecessor; 5,000 nodes need half."))


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Requests and limits of the syncer's container."""

    requests: Requests = declared(Record(build=Requests))
    limits: Limits = declared(Record(build=Limits))


def size(quantity: str) -> Fraction:
    """Return the value of a Kubernetes quantity, in CPUs or bytes."""
    number = re.match(_NUMBER, quantity)
    digits = number[0] if number else "0"
    return Fraction(digits) * UNITS[quantity[len(digits) :]]


def wrong_resources(resources: Resources) -> Iterator[Problem]:
    """Report a request above its limit, which the API server refuses."""
    for name in (field.name for field in fields(Requests)):
        request, limit = getattr(resources.requests, name), getattr(resources.limits, name)
        if size(request) > size(limit):
            path = f"syncer.resources.requests.{name}"
            allowed = f"at most syncer.resources.limits.{name}, {limit}"
            yield Problem(path, echo(request), allowed, Change(path, limit, text=True))
