"""What the syncer would refuse when its Pod starts is refused by the stack, before anything is made."""

import json
from typing import Any

import pytest

from infra.problems import SettingsError
from infra.settings import load
from infra.syncerenv import RESERVED_ENV
from syncer.config.settings import TABLE
from tests.unit.infra.test_settings import as_text, changed, lines, read

SYNCER = "node-nlb-sync:syncer"


def with_env(identity: str = "", **env: str) -> dict[str, Any]:
    config = changed(lambda c: c["syncer"].update(env=env))
    return {**config, "identity": {"kind": identity}} if identity else config


WRONG = [
    ("NLB_SYNC_READ_SECONDS", "1", 'read "1"; allowed: 5 to 300 s; fix: pulumi config rm --path '),
    ("NLB_SYNC_READ_SECONDS", "\u0663\u0660", "allowed: 5 to 300 s"),
    ("NLB_SYNC_OWNERSHIP", "exclusiv", 'read "exclusiv"; allowed: tracked, exclusive, add-only'),
    ("NLB_SYNC_LEAVING_TAINTS", "gone=true:NoSchedule", "is not a taint key); allowed: taint keys"),
    ("NLB_SYNC_PAUSED", "perhaps", "allowed: true, false"),
    ("NLB_SYNC_SERVING_SHARE", "50%", "allowed: 0 to 1"),
    ("AWS_METADATA_SERVICE_TIMEOUT", "abc", 'read "abc"; allowed: 1 to 3600 s'),
    ("AWS_RETRY_MODE", "foo", "allowed: legacy, standard, adaptive"),
    ("AWS_ENDPOINT_URL", "localhost:4566", "allowed: a URL such as https://"),
    ("NLB_SYNC_ADDRESS", "127.0.0.1", "for the kubelet's probes, such as $(POD_IP)"),
    ("NLB_SYNC_ADDRESS", "localhost", "for the kubelet's probes"),
    ("NLB_SYNC_ADDRESS", " ::1", "for the kubelet's probes"),
    ("NLB_SYNC_OWNERSIP", "x", "and set syncer.env.NLB_SYNC_OWNERSHIP instead"),
    ("NLB_SYNC_PROB_PORT", "8081", "a variable that is not a setting of the syncer"),
]


@pytest.mark.parametrize(("name", "value", "says"), WRONG)
def test_a_variable_that_the_syncer_refuses_is_one_line(name: str, value: str, says: str) -> None:
    (line,) = lines(with_env(**{name: value}))
    assert line.startswith(f"node-nlb-sync:syncer.env.{name}: read ")
    assert says in line
    assert f"pulumi config rm --path 'node-nlb-sync:syncer.env.{name}'" in line


def test_every_wrong_variable_is_reported_at_once() -> None:
    found = lines(with_env(NLB_SYNC_PORT="0", NLB_SYNC_PROMETHEUS="perhaps", NLB_SYNC_X="1"))
    assert [line.split(":")[1] for line in found] == [
        f"syncer.env.{name}" for name in ("NLB_SYNC_PORT", "NLB_SYNC_PROMETHEUS", "NLB_SYNC_X")
    ]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_each_default_and_nothing_is_accepted(row: Any) -> None:
    if row.name not in RESERVED_ENV | {"NLB_SYNC_ZONES", "NLB_SYNC_NODE_SELECTOR"}:
        for value in (row.default, " "):
            read(with_env("external", **{row.name: value}))


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("NLB_SYNC_ZONES", "zones", "eu-central-1a"),
        ("NLB_SYNC_NODE_SELECTOR", "syncer.labelFilter", "a=b"),
        ("NLB_SYNC_SERVER_SIDE_SELECTOR", "syncer.serverSideSelector", "false"),
    ],
)
def test_a_variable_that_would_win_over_a_key_is_refused(name: str, key: str, value: str) -> None:
    own = {"env": {name: value}, "labelFilter": "role=worker", "serverSideSelector": True}
    (line,) = lines(changed(lambda c: c["syncer"].update(own)))
    assert line.endswith(
        f"env.{name}: read a variable; allowed: no value with {key}; "
        f"fix: pulumi config rm --path 'node-nlb-sync:syncer.env.{name}'"
    )


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY"])
def test_half_a_pair_of_keys_is_refused(name: str) -> None:
    (line,) = lines(with_env("external", **{name: "AKIA"}))
    assert "allowed: both variables or none" in line
    assert "SECRET" in line


@pytest.mark.parametrize("value", ["$(POD_IP)", "http://$(POD_IP):80", "$(UNKNOWN)", "1$(X)"])
def test_a_value_with_a_reference_is_left_to_kubernetes(value: str) -> None:
    for name in ("NLB_SYNC_ADDRESS", "NLB_SYNC_PORT", "AWS_ENDPOINT_URL", "HTTPS_PROXY"):
        assert read(with_env(**{name: value})).syncer.env == {name: value}


@pytest.mark.parametrize("selector", ["role in (", "a b", "role=worker;zone=a", "=x", "-a/b"])
def test_a_label_filter_that_the_syncer_cannot_read_is_refused(selector: str) -> None:
    (line,) = lines(changed(lambda c: c["syncer"].update(labelFilter=selector)))
    assert line.startswith(
        f"node-nlb-sync:syncer.labelFilter: read {json.dumps(selector)} (malformed label selector "
    )
    assert line.endswith("fix: pulumi config set --path 'node-nlb-sync:syncer.labelFilter' role=worker")


@pytest.mark.parametrize(
    "selector", ["role=worker", "!spot", "zone in (a, b),cpu>4", "node.kubernetes.io/x!=y"]
)
def test_a_label_filter_that_the_syncer_reads_is_accepted(selector: str) -> None:
    assert read(changed(lambda c: c["syncer"].update(labelFilter=selector))).syncer.label_filter == selector


def test_a_server_side_selector_without_a_label_filter_is_refused() -> None:
    (line,) = lines(changed(lambda c: c["syncer"].update(serverSideSelector=True)))
    assert line == (
        "node-nlb-sync:syncer.labelFilter: read nothing, but syncer.serverSideSelector is true; "
        "allowed: a label selector; fix: pulumi config set --path "
        "'node-nlb-sync:syncer.labelFilter' role=worker, or remove syncer.serverSideSelector"
    )
    (line,) = lines(with_env(NLB_SYNC_SERVER_SIDE_SELECTOR="true"))
    assert "read nothing, but syncer.env.NLB_SYNC_SERVER_SIDE_SELECTOR is true; " in line


@pytest.mark.parametrize(
    "env",
    [
        {"NLB_SYNC_NODE_SELECTOR": "a=b"},
        {"NLB_SYNC_LABELFILTERKEY": "a", "NLB_SYNC_LABELFILTERVALUE": "b"},
    ],
)
def test_a_server_side_selector_beside_a_selector_of_a_variable_is_accepted(env: dict[str, str]) -> None:
    read(changed(lambda c: c["syncer"].update(serverSideSelector=True, env=env)))
    read(changed(lambda c: c["syncer"].update(serverSideSelector=True, labelFilter="a=b")))


def test_halves_that_say_nothing_together_are_refused() -> None:
    (line,) = lines(with_env("external", AWS_ACCESS_KEY="AKIA"))
    assert line.startswith(
        "node-nlb-sync:syncer.env.AWS_SECRET_KEY: read nothing; allowed: both variables or none; fix: "
    )
    both = {"NLB_SYNC_LABELFILTERKEY": "a b", "NLB_SYNC_LABELFILTERVALUE": "c"}
    (line,) = lines(with_env(**both))
    assert line.startswith(
        'node-nlb-sync:syncer.env.NLB_SYNC_LABELFILTERKEY: read "a b" (malformed label selector '
    )
    read(changed(lambda c: c["syncer"].update(env=both, labelFilter="role=worker")))


SECRETS = [
    {"NLB_SYNC_READ_SECONDS": "hunter2-hunter2"},
    {"NLB_SYNC_NODE_SELECTOR": "hunter2 hunter2"},
    {"NLB_SYNC_TOKEN": "hunter2-hunter2"},
    {"AWS_ENDPOINT_URL": "hunter2-hunter2"},
    {"NLB_SYNC_LABELFILTERKEY": "hunter2 hunter2", "NLB_SYNC_LABELFILTERVALUE": "x"},
]


@pytest.mark.parametrize("env", SECRETS, ids=lambda env: next(iter(env)))
def test_a_secret_is_not_repeated(env: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as refused:
        load(as_text(with_env(**env)), "eu-central-1", [SYNCER])
    (line,) = str(refused.value).split("\n")
    assert line.startswith(f"node-nlb-sync:syncer.env.{next(iter(env))}: read a va")
    assert "hunter2" not in line
