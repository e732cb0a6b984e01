"""`status` of a replica that stands by: what it shows may be older than what the leader has done."""

from typing import Any

import pytest

from syncer.commands.status import _show

TOLD = "leader     no: another replica is the leader; its changes appear here within 30 s"


def shown(capsys: pytest.CaptureFixture[str], **said: Any) -> list[str]:
    _show({"ready": True, "ownership": "tracked", "nodes": [], "groups": [], **said})
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({"leader": False, "paused": False}, TOLD),
        ({"leader": False, "paused": True}, "leader     no"),
        ({"leader": False, "election": "no Lease: no answer"}, "leader     no"),
        ({"leader": True, "paused": False}, "leader     yes"),
    ],
)
def test_a_standby_says_that_another_one_writes(
    capsys: pytest.CaptureFixture[str], said: dict[str, Any], line: str
) -> None:
    assert line in shown(capsys, **said)


def test_the_version_is_shown_where_the_syncer_reports_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, version="0.2.0")[0] == "version    0.2.0"
    assert not [line for line in shown(capsys) if "version" in line]
