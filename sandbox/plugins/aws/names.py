"""Names made by the provider from a `namePrefix` (internal/create/naming.go)."""

import itertools
import re
import time
from typing import Final

_SUFFIX: Final = re.compile(
    r"\d{18}[0-9a-f]{8}$"
)  # id.UniqueIDSuffixLength: 18 digits of time, 8 of a counter
_counter = itertools.count(1)


def unique(prefix: str | None, default: str = "terraform-") -> str:
    """Return `prefix` and 26 characters, unique in this process."""
    now = time.time()
    stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime(now)) + f"{int(now % 1 * 10_000):04d}"
    return f"{prefix or default}{stamp}{next(_counter):08x}"


def prefix_of(name: str) -> str:
    """Return the prefix of a name made by `unique`; empty for any other name."""
    return _SUFFIX.sub("", name) if _SUFFIX.search(name) else ""
