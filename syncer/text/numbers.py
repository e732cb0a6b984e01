"""Numbers in text of users or files: ASCII digits, at most one dot, no other characters.

`int` and `float` also accept digits of other scripts, underscores, signs, exponents, `inf` and `nan`, and
have a separate message for more than 4,300 digits.
"""

import re

_WHOLE = re.compile(r"[0-9]{1,19}")
_DECIMAL = re.compile(r"[0-9]{1,19}(?:\.[0-9]{0,19})?|\.[0-9]{1,19}")


def whole(text: str, low: int, high: int) -> int:
    """Parse a whole number from `low` to `high`.

    Raises:
        ValueError: for any other text.

    """
    if not _WHOLE.fullmatch(text) or not low <= (value := int(text)) <= high:
        raise ValueError
    return value


def decimal(text: str, low: float, high: float) -> float:
    """Parse a number from `low` to `high`, with or without a fraction.

    Raises:
        ValueError: for any other text.

    """
    if not _DECIMAL.fullmatch(text) or not low <= (value := float(text)) <= high:
        raise ValueError
    return value


def port(text: str) -> int:
    """Parse a TCP port, 1 to 65535.

    Raises:
        ValueError: for any other text.

    """
    return whole(text, 1, 65535)
