"""`confirm` beside a running syncer: what the brake holds goes when a person has approved just that."""

from typing import Any

import pytest

from tests.integration.syncer.household import Household
from tests.integration.syncer.questions import Ask

pytestmark = pytest.mark.toolchain


def held(syncer: Any) -> str:
    return next(str(group["hold_id"]) for group in syncer.status["groups"])


def test_a_confirmed_hold_is_let_go_and_no_other(home: Household, ask: Ask) -> None:
    place = {"NLB_SYNC_NAMESPACE": "default", "NLB_SYNC_NAME": home.service}
    home.join("a", "b", "c", "d")
    syncer = home.syncer(**place)
    url = ("--url", f"http://127.0.0.1:{syncer.port}")
    home.until(lambda: home.filled_with("a", "b", "c", "d") and syncer.ready, within=25)
    home.until(lambda: all(each["healthy"] == 4 for each in syncer.status["groups"]), within=15)
    for name in ("b", "c", "d"):
        home.delete(name)
    home.until(lambda: len(syncer.status["nodes"]) == 1 and held(syncer) != "", within=15)
    name, hold = home.groups["http"].split("/")[1], held(syncer)
    for words in (("plan",), ("status", *url)):
        assert f"nlb-sync confirm {name} {hold}\n" in ask(*words, **place)[1]
    code, out, err = ask("confirm", name, "0123456789ab", *url, **place)
    assert (code, out) == (3, "")
    assert f"holds of the group: {hold}" in err
    code, out, err = ask("confirm", home.groups["http"], hold, *url, **place)
    assert (code, err) == (0, "")
    assert out.startswith(f"{hold} is confirmed for 15 minutes")
    home.until(lambda: {node for node, _ in home.registered("http")} == {"a"}, within=15)
    assert len(home.registered("https")) >= 2
    code, _, err = ask("confirm", name, hold, *url, **place)
    assert code == 3
    assert "holds of the group: none" in err


def test_what_is_wrong_is_one_line(home: Household, ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    name = home.groups["http"].split("/")[1]
    code, _, err = ask("confirm", "nobody", "0123456789ab")
    assert code == 2
    assert err.startswith("GROUP is 'nobody'; allowed: ")
    code, _, err = ask("confirm", name, "0123456789ab")
    assert code == 2
    assert err.startswith("NLB_SYNC_NAMESPACE is not set")
    with pytest.raises(SystemExit) as ended:
        ask("confirm", name, "all")
    assert ended.value.code == 2
    assert "'all' is not a hold id" in capsys.readouterr().err
