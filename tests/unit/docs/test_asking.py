"""The numbers in docs/asking.md are those of the code: exit codes, and the limits of files that are read."""

import re
from pathlib import Path

from syncer.commands.printing import Exit
from syncer.commands.reading import Limits

PAGE = (Path(__file__).resolve().parents[3] / "docs/asking.md").read_text()


def rows(heading: str) -> dict[str, str]:
    """The first two columns of the table that begins with this line."""
    _, _, after = PAGE.partition(f"\n{heading}\n|---")
    assert after, heading
    table = after.partition("\n\n")[0]
    return dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|", table, re.MULTILINE))


def test_every_exit_code_is_documented() -> None:
    assert {int(code) for code in rows("| code | means |")} == set(Exit)


def test_the_limits_of_a_file_are_those_of_the_code() -> None:
    limits = Limits()
    assert list(rows("| limit | value | reason |").values()) == [
        f"{limits.most // 1024**2} MiB",
        f"{limits.silence:g} s",
        f"{limits.no_writer:g} s",
        f"{limits.whole:g} s",
    ]
