"""Rights and tokens that are taken away while the syncer runs, and given back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.cluster import pki
from tests.integration.syncer.account import Account
from tests.integration.syncer.household import Household, Syncer
from tests.integration.syncer.wire import Wire

pytestmark = pytest.mark.toolchain


@pytest.fixture
def wire(home: Household) -> Iterator[Wire]:
    with Wire(home.layout) as made:
        yield made


@pytest.fixture
def account(home: Household) -> Account:
    return Account(home)


def _said(syncer: Syncer) -> str:
    return " ".join(syncer.status["problems"])


def test_rights_that_are_revoked_leave_the_groups_as_they_are_until_they_return(
    home: Household, account: Account, wire: Wire
) -> None:
    account.grant()
    home.join("a", "b", "c")
    syncer = home.syncer(**account.in_pod(account.mount(account.token()), wire.port))
    home.until(lambda: home.filled_with("a", "b", "c"), within=20)
    home.until(lambda: syncer.ready, within=5)
    account.revoke()
    wire.cut()  # else the watch would go on for up to 50 s: it was allowed when it began
    for resource in ("nodes", "services"):
        home.until(lambda missing=resource: f'cannot watch resource "{missing}"' in _said(syncer), within=10)  # type: ignore[misc]
    home.delete("a")
    home.join("d")
    home.stays(lambda: home.filled_with("a", "b", "c"), for_s=4)
    assert syncer.get("/healthz")[0] == syncer.get("/readyz")[0] == 200
    account.grant()
    assert home.until(lambda: home.filled_with("b", "c", "d"), within=15) < 5
    home.until(lambda: not syncer.status["problems"], within=5)


def test_without_the_right_to_watch_the_list_is_read_and_the_right_is_named(
    home: Household, account: Account
) -> None:
    home.join("a")
    account.grant("get", "list")
    token_file = account.mount(account.token())
    syncer = home.syncer(**account.in_pod(token_file, home.layout.apiserver_port))
    home.until(lambda: home.filled_with("a"), within=20)
    home.until(lambda: 'cannot watch resource "nodes"' in _said(syncer), within=10)


def test_a_service_that_may_not_be_read_makes_no_other_group_look_ill(
    home: Household, account: Account
) -> None:
    home.join("a")
    account.grant("get", "list", "watch", resources=("nodes",))
    groups = f"{home.groups['http']}=default/{home.service}:http,{home.groups['https']}=:30443"
    token_file = account.mount(account.token())
    environment = account.in_pod(token_file, home.layout.apiserver_port)
    syncer = home.syncer(NLB_SYNC_TARGET_GROUPS=groups, **environment)
    home.until(lambda: home.registered("https") == {("a", 30443)}, within=20)
    home.until(lambda: syncer.status["groups"][1]["last_good_pass"] is not None, within=5)
    assert syncer.status["groups"][0]["last_good_pass"] is None
    home.until(lambda: 'cannot list resource "services"' in syncer.get("/readyz")[1], within=5)


def test_an_authority_that_is_replaced_is_trusted_without_a_restart(
    home: Household, account: Account, tmp_path: Path
) -> None:
    account.grant()
    home.join("a")
    file = account.mount(account.token())
    trusted = file.with_name("ca.crt")
    right = trusted.read_bytes()
    trusted.write_bytes(pki.ensure(tmp_path / "another").ca.read_bytes())
    syncer = home.syncer(**account.in_pod(file, home.layout.apiserver_port))
    home.until(lambda: "certificate of the API server is refused: " in syncer.get("/readyz")[1], within=15)
    trusted.write_bytes(right)
    home.until(lambda: home.filled_with("a"), within=10)
    home.until(lambda: not syncer.status["problems"], within=5)


def test_a_token_that_is_rotated_and_dies_is_not_missed(
    home: Household, account: Account, wire: Wire
) -> None:
    """Rotated in time, as the kubelet does it, in a Pod and by a kubeconfig that names the token's file."""
    account.grant()
    home.join("a")
    old = account.token()
    files = [account.mount(old), account.mount(old)]
    syncers = [
        home.syncer(**account.in_pod(files[0], wire.port)),
        home.syncer(**account.outside(files[1], wire.port)),
    ]
    home.until(lambda: home.filled_with("a"), within=20)
    home.until(lambda: all(syncer.ready for syncer in syncers), within=5)
    new = account.token()
    for file in files:
        file.write_text(new.text)
    old.kill()
    wire.cut()
    home.join("b")
    home.until(lambda: all(len(syncer.status["nodes"]) == 2 for syncer in syncers), within=10)
    home.until(lambda: not any(syncer.status["problems"] for syncer in syncers), within=5)
    assert home.filled_with("a", "b")


def test_a_token_that_dies_too_early_is_said_and_the_next_one_is_taken_at_once(
    home: Household, account: Account, wire: Wire
) -> None:
    account.grant()
    home.join("a", "b")
    old = account.token()
    file = account.mount(old)
    syncer = home.syncer(**account.in_pod(file, wire.port))
    home.until(lambda: home.filled_with("a", "b"), within=20)
    old.kill()
    wire.cut()
    home.until(lambda: "HTTP 401" in _said(syncer), within=10)
    home.delete("a")
    home.stays(lambda: home.filled_with("a", "b"), for_s=3)
    file.write_text(account.token().text)
    assert home.until(lambda: home.filled_with("b"), within=15) < 5
    home.until(lambda: not syncer.status["problems"], within=5)
    assert old.text not in syncer.log.read_text()
