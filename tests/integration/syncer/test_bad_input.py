"""What is wrong with the settings ends the process: one line, exit code 2, nothing written to AWS."""

import socket

import pytest

from tests.integration.syncer.household import Household, Syncer
from tests.integration.syncer.questions import Ask

pytestmark = pytest.mark.toolchain


@pytest.fixture
def ip_group(home: Household) -> str:
    made = home.elb.create_target_group(
        Name=f"ip-{home.service}",
        Protocol="TCP",
        Port=80,
        VpcId=home.network.vpc_id,
        TargetType="ip",
    )
    home.groups["ip"] = arn = made["TargetGroups"][0]["TargetGroupArn"]
    return arn


def refused(syncer: Syncer) -> str:
    """The one line of a process that has ended with exit code 2."""
    assert syncer.process.wait(15) == 2
    (line,) = syncer.log.read_text().splitlines()
    return line


def test_a_group_of_type_ip_is_refused_before_another_group_is_filled(home: Household, ip_group: str) -> None:
    home.join("a", "b")
    groups = f"{home.groups['http']}=:30080,{ip_group}=:30080"
    assert refused(home.syncer(NLB_SYNC_TARGET_GROUPS=groups)) == (
        f"NLB_SYNC_TARGET_GROUPS names {ip_group}, whose target type is ip; "
        "allowed: groups of target type instance"
    )
    assert home.registered("http") == set()


@pytest.mark.parametrize("words", [("plan",), ("explain",), ("leave",), ("run", "--once")])
def test_every_question_refuses_it_too(
    home: Household, ip_group: str, ask: Ask, words: tuple[str, ...]
) -> None:
    home.join("a")
    code, _, err = ask(*words, NLB_SYNC_TARGET_GROUPS=f"{ip_group}=:30080", NLB_SYNC_PORT=_free())
    assert code == 2
    assert "whose target type is ip" in err


def test_without_the_right_to_see_the_type_the_other_groups_are_kept(home: Household, ip_group: str) -> None:
    home.join("a", "b")
    key = home.key("types", DescribeTargetHealth="*", RegisterTargets="*", DeregisterTargets="*")
    groups = f"{home.groups['http']}=:30080,{ip_group}=:30080"
    syncer = home.syncer(NLB_SYNC_TARGET_GROUPS=groups, **key)
    home.until(lambda: home.registered("http") == {("a", 30080), ("b", 30080)}, within=15)
    home.until(lambda: "not a valid IPv4 address" in syncer.status["groups"][1]["problem"], within=5)
    assert syncer.status["groups"][0]["problem"] == ""


def test_a_group_that_does_not_exist_hides_no_other_of_a_wrong_type(home: Household, ip_group: str) -> None:
    gone = home.groups["http"][:-4] + "dead"
    groups = f"{gone}=:30080,{ip_group}=:30080"
    assert ip_group in refused(home.syncer(NLB_SYNC_TARGET_GROUPS=groups))


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("NLB_SYNC_TARGET_GROUPS", "arn:aws:s3:::bucket", "is not the ARN of a target group"),
        ("NLB_SYNC_TARGET_GROUP", "x", "did you mean NLB_SYNC_TARGET_GROUPS?"),
        ("NLB_SYNC_NODE_SELECTOR", "pool in web", "malformed label selector"),
        ("KUBECONFIG", "/nowhere", "allowed: the path of a kubeconfig"),
    ],
)
def test_a_wrong_variable_is_named_and_nothing_is_written(
    home: Household, name: str, value: str, says: str
) -> None:
    home.join("a")
    line = refused(home.syncer(**{name: value}))
    assert line.startswith(name)
    assert says in line
    assert home.registered("http") == home.registered("https") == set()


def test_a_namespace_that_is_not_there_is_told_and_the_replica_is_not_ready(
    home: Household, ask: Ask
) -> None:
    home.join("a")
    name = f"of-{home.service}"
    place = {"NLB_SYNC_NAMESPACE": name}
    says = f'namespaces "{name}" not found; create the namespace, or correct NLB_SYNC_NAMESPACE'
    syncer = home.syncer(**place)
    home.until(lambda: says in syncer.get("/readyz")[1], within=15)
    assert syncer.get("/readyz")[0] == 503
    assert any(says in problem for problem in syncer.status["problems"])
    assert home.registered("http") == set()
    code, out, _ = ask("doctor", **place)
    assert code == 1
    assert says in out
    code, _, err = ask("status", "--url", syncer.url, **place)
    assert code == 1
    assert says in err
    home.api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    home.until(lambda: syncer.ready and home.filled_with("a"), within=10)
    assert ask("doctor", NLB_SYNC_CROSS_ZONE="false", **place)[0] == 0
    home.until(lambda: ask("status", "--url", syncer.url, **place)[0] == 0, within=5)


@pytest.mark.parametrize("port", ["nobody:http", "{}:nothing"])
def test_a_service_or_a_port_of_it_that_is_not_there_is_told_by_all(
    home: Household, ask: Ask, port: str
) -> None:
    home.join("a")
    source = f"default/{port.format(home.service)}"
    groups = {"NLB_SYNC_TARGET_GROUPS": f"{home.groups['http']}={source}"}
    service, _, name = source.partition(":")
    says = f"the Service {service} has no NodePort named {name}; "
    syncer = home.syncer(**groups)
    home.until(lambda: says in syncer.log.read_text(), within=15)
    code, _, err = ask("status", "--url", syncer.url, **groups)
    assert code == 1
    assert f"waits for a NodePort named {name} of the Service {service}" in err
    for words in (("plan",), ("explain",), ("leave",)):
        code, _, err = ask(*words, **groups)
        assert code == 1
        assert says in err
    assert ask("doctor", **groups)[0] == 1
    assert home.registered("http") == set()


def _free() -> str:

    with socket.create_server(("127.0.0.1", 0)) as free:
        return str(free.getsockname()[1])
