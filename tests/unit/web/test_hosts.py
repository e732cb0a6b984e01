"""Which Host is answered: addresses, localhost and own names; everything else may be DNS rebinding."""

import pytest

from syncer.config.settings import load
from syncer.errors import MisconfiguredError
from syncer.run import own_hosts
from tests.simulation.world import HTTP

POD = "edge-sync-7d9f6c5b8d-x2v4q"
ENVIRONMENT = {
    "NLB_SYNC_TARGET_GROUPS": f"{HTTP}=:30080",
    "NLB_SYNC_NAMESPACE": "Edge".lower(),
    "HOSTNAME": POD,
    "POD_NAME": POD,
    "NLB_SYNC_HTTP_HOSTS": "Sync.Example.com., metrics",
}


def allowed(host: str, **changes: str) -> bool:
    environment = {**ENVIRONMENT, **changes}
    return own_hosts(environment, load(environment)).allow(host)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.0.0.1:8080", "10.0.3.7:9999", "192.0.2.1:", "[::1]", "[::1]:8080"),
        *("[fd00::7]:8080", "[FD00::7]", "[::ffff:10.0.0.1]", "[fe80::1%eth0]:8080"),
        *("localhost", "localhost:1", "LocalHost:8080", "localhost.", "localhost.:8080"),
        *(POD, POD.upper(), "edge-sync", "edge-sync:8080", "edge-sync.edge", "edge-sync.edge.svc:80"),
        *("edge-sync.edge.svc.cluster.local", "Edge-Sync.Edge.svc.Cluster.Local.:8080"),
        *("sync.example.com", "SYNC.example.com.:443", "metrics"),
    ],
)
def test_s7_addresses_localhost_and_own_names_are_allowed(host: str) -> None:
    assert allowed(host)


@pytest.mark.parametrize(
    "host",
    [
        *("attacker.example", "attacker.example:8080", "127.0.0.1.attacker.example", "127.0.0.1.nip.io"),
        *("localhost.attacker.example", "attacker.localhost", "localhost..", "localhosts", "xlocalhost"),
        *("edge-sync.attacker.example", "edge-sync.edge.svc.attacker.example", "edge-sync.other.svc"),
        *("other.edge.svc", "edge-sync.edge.svc.cluster.local.attacker.example", "www.sync.example.com"),
        *("user@localhost", "user:pw@127.0.0.1", "127.0.0.1@attacker.example", "attacker.example#@localhost"),
        *("", ":8080", ".", "127.0.0.1:80:80", "127.0.0.1:x", "localhost:8O80", "localhost:\uff18"),
        *("127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "127.0.0.01", "127.0.0.1.", "256.0.0.1"),
        *(
            "\u0661\u0662\u0667.0.0.1",
            "127.0.0.1, attacker.example",
            "127.0.0.1/",
            "127.0.0.1 attacker.example",
        ),
        *("::1", "[::1", "::1]", "[attacker.example]", "[::1]attacker.example", "[]", "[127.0.0.1]"),
        *("%6cocalhost", "l\u00f6calhost", "local\u200bhost", "null"),
    ],
)
def test_s7_any_other_host_is_not(host: str) -> None:
    assert not allowed(host)


def test_s7_a_name_of_nothing_allows_nothing() -> None:
    bare = {"NLB_SYNC_TARGET_GROUPS": f"{HTTP}=:30080"}
    hosts = own_hosts(bare, load(bare))
    assert hosts.names == frozenset()
    assert not hosts.allow("edge-sync")


@pytest.mark.parametrize(
    "text", ["*", "*.example.com", "a..b", "sync.example.com:443", "http://x", "a b", "-x"]
)
def test_s7_a_setting_that_is_no_list_of_names_is_refused(text: str) -> None:
    with pytest.raises(MisconfiguredError) as raised:
        allowed("x", NLB_SYNC_HTTP_HOSTS=text)
    assert "is not a host name" in str(raised.value)
    assert str(raised.value).startswith("NLB_SYNC_HTTP_HOSTS is ")
    assert "\n" not in str(raised.value)
