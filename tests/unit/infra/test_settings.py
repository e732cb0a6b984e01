"""Any configuration is either read whole or refused with one line for each thing that is wrong."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.keys import ROOT, Settings
from infra.problems import SettingsError
from infra.settings import load
from infra.shapes import camel

REGION = "eu-central-1"
MINIMAL: dict[str, Any] = {
    "vpcId": "vpc-0123456789abcdef0",
    "nodeSecurityGroupId": "sg-0123456789abcdef0",
    "zones": {
        "eu-central-1b": {
            "subnetId": "subnet-0123456789abcdef1",
            "allocationId": "eipalloc-0123456789abcdef1",
        },
        "eu-central-1a": {"subnetId": "subnet-0123456789abcdef0"},
    },
    "syncer": {"image": "node-nlb-sync:dev"},
}

Change = Callable[[dict[str, Any]], object]


def as_text(config: dict[str, Any]) -> dict[str, str]:
    """As Pulumi hands it to a program: strings as they are, the rest as JSON."""
    return {
        f"node-nlb-sync:{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in config.items()
    }


def read(config: dict[str, Any], region: str | None = REGION) -> Settings:
    return load(as_text(config), region)


def lines(config: dict[str, Any], region: str | None = REGION) -> list[str]:
    """What is said of a wrong configuration."""
    with pytest.raises(SettingsError) as refused:
        read(config, region)
    return str(refused.value).split("\n")


def changed(change: Change) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(json.dumps(MINIMAL))
    change(config)
    return config


def test_the_minimal_configuration_has_the_predecessors_names_by_default() -> None:
    settings = read(MINIMAL)
    assert (settings.ingress.namespace, settings.ingress.name) == (
        "ingress-traefik",
        "traefik-ingress-service-nlb",
    )
    assert settings.syncer_namespace == "ingress-traefik"
    assert settings.syncer.name == "nlb-sync"
    assert [(item.name, item.port, item.service_port) for item in settings.listeners] == [
        ("http", 80, "http"),
        ("https", 443, "https"),
    ]
    assert settings.health_check.path == "/ping"


def test_without_the_preset_the_syncer_may_run_anywhere_and_every_node_is_a_target() -> None:
    syncer = read(MINIMAL).syncer
    assert (syncer.node_selector, syncer.tolerations, syncer.label_filter) == ({}, (), None)


def test_the_preset_brings_the_predecessors_placement_and_filter() -> None:
    syncer = read({**MINIMAL, "preset": "predecessor"}).syncer
    assert syncer.node_selector == {"kops.k8s.io/instancegroup": "critical"}
    assert [(item.key, item.operator, item.value) for item in syncer.tolerations] == [
        ("process", "Equal", "critical")
    ]
    assert syncer.label_filter == "kops.k8s.io/instancegroup=nodes"


def test_what_the_stack_says_itself_wins_over_the_preset() -> None:
    config = {**MINIMAL, "preset": "predecessor", "syncer": {"image": "x:1", "nodeSelector": {}}}
    assert read(config).syncer.node_selector == {}
    assert read(config).syncer.label_filter == "kops.k8s.io/instancegroup=nodes"


def test_zones_are_keyed_so_that_their_order_means_nothing() -> None:
    turned = {**MINIMAL, "zones": dict(reversed(MINIMAL["zones"].items()))}
    assert list(read(turned).zones.items()) == list(read(MINIMAL).zones.items())


def test_keys_of_providers_are_none_of_our_business() -> None:
    settings = load({**as_text(MINIMAL), "aws:region": REGION, "kubernetes:context": "prod"}, REGION)
    assert settings.vpc_id == MINIMAL["vpcId"]


@pytest.mark.parametrize(
    ("cross_zone", "quota", "limit"),
    [(True, 500, 250), (False, 500, 500), (True, 1000, 500), (False, 3000, 1000)],
)
def test_the_groups_share_the_load_balancers_quota(cross_zone: bool, quota: int, limit: int) -> None:
    assert read({**MINIMAL, "crossZone": cross_zone, "targetQuota": quota}).target_limit == limit


# One change a row; the line must begin with the key and hold every word.
WRONG: list[tuple[str, Change, str, tuple[str, ...]]] = [
    ("a missing key", lambda c: c.pop("vpcId"), "vpcId", ("read nothing", "pulumi config set vpcId vpc-")),
    ("an unknown key", lambda c: c.update(zons={}), "zons", ("does not exist", "did you mean zones?")),
    (
        "an unknown nested key",
        lambda c: c["syncer"].update(nodeselector={}),
        "syncer.nodeselector",
        ("did you mean nodeSelector?",),
    ),
    (
        "a missing nested key",
        lambda c: c["zones"]["eu-central-1a"].pop("subnetId"),
        "zones.eu-central-1a.subnetId",
        ("read nothing", "pulumi config set --path"),
    ),
    ("no zone", lambda c: c.update(zones={}), "zones", ("read nothing", "availability zones")),
    (
        "a zone of another region",
        lambda c: c["zones"].update({"us-east-1a": {"subnetId": "subnet-0123456789abcdef9"}}),
        "zones.us-east-1a",
        ("another region", "eu-central-1"),
    ),
    (
        "one subnet for two zones",
        lambda c: c["zones"]["eu-central-1a"].update(subnetId="subnet-0123456789abcdef1"),
        "zones.eu-central-1b.subnetId",
        ("as in zone eu-central-1a",),
    ),
    (
        "one address for two zones",
        lambda c: c["zones"]["eu-central-1a"].update(allocationId="eipalloc-0123456789abcdef1"),
        "zones.eu-central-1b.allocationId",
        ("as in zone eu-central-1a",),
    ),
    (
        "a number out of range",
        lambda c: c.update(healthCheck={"interval": 3}),
        "healthCheck.interval",
        ("read 3", "5 to 300 seconds", "healthCheck.interval' 10"),
    ),
    (
        "a number in quotes",
        lambda c: c.update(healthCheck={"interval": "10"}),
        "healthCheck.interval",
        ('read "10"', "a whole number"),
    ),
    (
        "true for a number",
        lambda c: c.update(deregistrationDelay=True),
        "deregistrationDelay",
        ("read true",),
    ),
    ("a word for a flag", lambda c: c.update(crossZone="yes"), "crossZone", ('read "yes"', "true or false")),
    (
        "a time-out beyond the interval",
        lambda c: c.update(healthCheck={"interval": 5, "timeout": 6}),
        "healthCheck.timeout",
        ("read 6", "at most healthCheck.interval, 5"),
    ),
    (
        "a health check of no port",
        lambda c: c.update(healthCheck={"servicePort": "admin"}),
        "healthCheck.servicePort",
        ('read "admin"', "http, https"),
    ),
    (
        "a listener to no port",
        lambda c: c.update(listeners=[{"name": "web", "port": 80, "servicePort": "web"}]),
        "listeners[0].servicePort",
        ('read "web"', "http, https"),
    ),
    (
        "two listeners on one port",
        lambda c: c.update(
            listeners=[{"name": n, "port": 80, "servicePort": "http"} for n in ("one", "two")]
        ),
        "listeners[1].port",
        ("read 80 a second time",),
    ),
    (
        "two listeners of one name",
        lambda c: c.update(listeners=[{"name": "a", "port": n, "servicePort": "http"} for n in (80, 81)]),
        "listeners[1].name",
        ("a second time",),
    ),
    (
        "another protocol",
        lambda c: c.update(listeners=[{"name": "a", "port": 80, "servicePort": "http", "protocol": "QUIC"}]),
        "listeners[0].protocol",
        ('read "QUIC"', "allowed: TCP"),
    ),
    (
        "a listener name that AWS would not take",
        lambda c: c.update(listeners=[{"name": "a" * 16, "port": 80, "servicePort": "http"}]),
        "listeners[0].name",
        ("1 to 15",),
    ),
    (
        "a network with host bits",
        lambda c: c.update(clientCidrs=["203.0.113.7/24"]),
        "clientCidrs[0]",
        ("203.0.113.7/24", "203.0.113.0/24"),
    ),
    ("an IPv6 network", lambda c: c.update(clientCidrs=["::/0"]), "clientCidrs[0]", ("IPv4",)),
    (
        "a near miss of a choice",
        lambda c: c.update(firewall={"source": "loadbalancer"}),
        "firewall.source",
        ("load-balancer, clients or any", "firewall.source' load-balancer"),
    ),
    ("an empty image", lambda c: c["syncer"].update(image=""), "syncer.image", ('read ""',)),
    (
        "a build beside an image",
        lambda c: c["syncer"].update(build={"base": "python:3.13"}),
        "syncer.build.base",
        ("no value with syncer.image", "pulumi config rm --path"),
    ),
    (
        "a login without a repository",
        lambda c: c.update(syncer={"build": {"username": "a"}}),
        "syncer.build.username",
        ("no value without syncer.build.repository",),
    ),
    (
        "half a login",
        lambda c: c.update(syncer={"build": {"repository": "example.com/a", "username": "a"}}),
        "syncer.build.password",
        (
            "read nothing",
            "a value with syncer.build.username",
            "pulumi config set --secret --path 'node-nlb-sync:syncer.build.password' <password>",
        ),
    ),
    (
        "the other half",
        lambda c: c.update(syncer={"build": {"repository": "example.com/a", "password": "a"}}),
        "syncer.build.username",
        ("pulumi config set --path 'node-nlb-sync:syncer.build.username' <username>",),
    ),
    (
        "a wrong password",
        lambda c: c.update(syncer={"build": {"repository": "example.com/a", "username": "a", "password": 5}}),
        "syncer.build.password",
        ("pulumi config set --secret --path 'node-nlb-sync:syncer.build.password' <password>",),
    ),
    (
        "a repository with a tag",
        lambda c: c.update(syncer={"build": {"repository": "example.com/a:1"}}),
        "syncer.build.repository",
        ("without a tag",),
    ),
    (
        "another platform",
        lambda c: c.update(syncer={"build": {"platforms": ["linux/riscv64"]}}),
        "syncer.build.platforms[0]",
        ("linux/amd64 or linux/arm64",),
    ),
    ("too many", lambda c: c["syncer"].update(replicas=6), "syncer.replicas", ("read 6", "0 to 5")),
    (
        "a variable that the stack sets",
        lambda c: c["syncer"].update(env={"NLB_SYNC_TARGET_GROUPS": "x"}),
        "syncer.env.NLB_SYNC_TARGET_GROUPS",
        ("the stack sets itself",),
    ),
    (
        "the Pod's name, by which Lease and registry are named",
        lambda c: c["syncer"].update(env={"POD_NAME": "x"}),
        "syncer.env.POD_NAME",
        ("the stack sets itself", "remove syncer.env.POD_NAME"),
    ),
    (
        "a value beside Exists",
        lambda c: c["syncer"].update(tolerations=[{"key": "a", "operator": "Exists", "value": "b"}]),
        "syncer.tolerations[0].value",
        ("operator Exists",),
    ),
    ("a tag of AWS's own", lambda c: c.update(tags={"aws:x": "y"}), "tags", ('the key "aws:x"', "rename")),
    ("a number for a tag", lambda c: c.update(tags={"cost": 5}), "tags.cost", ("in quotes",)),
    (
        "an identity that there is not",
        lambda c: c.update(identity={"kind": "user"}),
        "identity.kind",
        ("user-keys or external", "identity.kind' user-keys"),
    ),
    (
        "an identity without its key",
        lambda c: c.update(identity={"kind": "irsa"}),
        "identity.oidcProviderArn",
        ("read nothing", "identity.kind irsa"),
    ),
    (
        "two identities at once",
        lambda c: c.update(identity={"clusterName": "prod", "roleName": "nodes"}),
        "identity.roleName",
        ("node-role", "only the keys of identity.kind pod-identity"),
    ),
    (
        "a rotation without keys",
        lambda c: c.update(identity={"clusterName": "prod", "keyGeneration": 2}),
        "identity.keyGeneration",
        ("read 2", "pod-identity"),
    ),
    (
        "a network twice",
        lambda c: c.update(clientCidrs=["10.0.0.0/8", "10.0.0.0/8"]),
        "clientCidrs[1]",
        ("a second time",),
    ),
    (
        "a label of no node",
        lambda c: c["syncer"].update(nodeSelector={"a b": "c"}),
        "syncer.nodeSelector",
        ('the key "a b"',),
    ),
    (
        "a repository without a registry",
        lambda c: c.update(syncer={"build": {"repository": "team/x"}}),
        "syncer.build.repository",
        ("docker.io/team/name",),
    ),
    (
        "a port that the probes do not ask",
        lambda c: c["syncer"].update(env={"NLB_SYNC_PROBE_PORT": "9000"}),
        "syncer.env.NLB_SYNC_PROBE_PORT",
        ("the stack sets itself",),
    ),
    (
        "the predecessor's keys beside an identity",
        lambda c: c.update(
            identity={"clusterName": "prod"}, syncer={**c["syncer"], "env": {"AWS_ACCESS_KEY": "x"}}
        ),
        "syncer.env.AWS_ACCESS_KEY",
        ("the stack sets itself",),
    ),
    ("a list for an object", lambda c: c.update(ingress=[]), "ingress", ("read []",)),
    ("an object for a list", lambda c: c.update(listeners={}), "listeners", ("read {}",)),
]


@pytest.mark.parametrize(
    ("change", "key", "words"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG]
)
def test_what_is_wrong_is_one_line_that_names_key_value_allowed_and_fix(
    change: Change, key: str, words: tuple[str, ...]
) -> None:
    (line,) = lines(changed(change))
    assert line.startswith(f"node-nlb-sync:{key}: read ")
    assert "; allowed: " in line
    assert "; fix: " in line
    assert [word for word in words if word not in line] == []


def test_everything_that_is_wrong_is_said_at_once() -> None:
    wrong = {"zones": {}, "syncer": {"image": 5, "replicas": 9}, "preset": "legacy", "extra": 1}
    keys = [line.split(": ")[0] for line in lines(wrong)]
    assert keys == [
        f"node-nlb-sync:{key}"
        for key in (
            "extra",
            "preset",
            "syncer.image",
            "syncer.replicas",
            "vpcId",
            "zones",
            "nodeSecurityGroupId",
        )
    ]


def test_a_missing_region_is_said_with_the_command_that_sets_it() -> None:
    (line,) = lines(MINIMAL, region=None)
    assert "pulumi config set aws:region" in line


def test_a_long_value_is_cut_short_and_stays_on_its_line() -> None:
    (line,) = lines({**MINIMAL, "vpcId": "x\n" * 500})
    assert len(line) < 300


def test_zones_of_local_zones_belong_to_their_region() -> None:
    zones = {"us-west-2-lax-1a": {"subnetId": "subnet-0123456789abcdef0"}}
    assert list(read({**MINIMAL, "zones": zones}, "us-west-2").zones) == ["us-west-2-lax-1a"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
configurations = st.dictionaries(
    st.sampled_from([camel(name) for name in ROOT.fields]) | st.text(max_size=8), json_values, max_size=6
)


@given(configurations)
def test_any_configuration_is_read_or_refused_in_lines(extra: dict[str, Any]) -> None:
    try:
        settings = read(MINIMAL | extra)
    except SettingsError as error:
        refused = str(error).split("\n")
        known = len(error.problems)
    else:
        assert isinstance(settings, Settings)
        return
    assert len(refused) == known
    for line in refused:
        assert line.startswith("node-nlb-sync:")
        assert "; allowed: " in line
        assert "; fix: " in line


@pytest.mark.parametrize("password", [12345678, ["hunter2"], {"a": "hunter2"}])
def test_a_wrong_password_is_not_repeated(password: Any) -> None:
    build = {"repository": "r.example.com/x", "username": "me", "password": password}
    wrong = lines(changed(lambda c: c.update(syncer={"build": build})))
    assert "syncer.build.password: read a value that is not shown" in "".join(wrong)
    assert "hunter2" not in "".join(wrong)
    assert "12345678" not in "".join(wrong)


def test_values_of_a_key_that_holds_secrets_are_not_repeated_by_any_check() -> None:
    config = as_text(changed(lambda c: c.update(tags={"a": "hun\u2603ter"})))
    with pytest.raises(SettingsError) as refused:
        load(config, "eu-central-1", ["node-nlb-sync:tags"])
    assert "read a value of a key that holds secrets" in str(refused.value)
    assert "hun" not in str(refused.value)


def test_a_number_for_text_is_set_as_text_and_not_repeated() -> None:
    (line,) = lines(changed(lambda c: c["syncer"].update(env={"NLB_SYNC_PORT": 4711})))
    command = "pulumi config set --type string --path 'node-nlb-sync:syncer.env.NLB_SYNC_PORT' <value>"
    assert line.endswith(f"fix: {command}")


def test_two_constraints_on_one_label_are_refused() -> None:
    spread = {"topologyKey": "topology.kubernetes.io/zone"}
    (line,) = lines(changed(lambda c: c["syncer"].update(topologySpread=[spread, spread])))
    assert line.startswith("node-nlb-sync:syncer.topologySpread[1]: read ")
