from typing import Any

import pytest

from tests.integration.cloud.world import Cloud, name, refusal


def test_a_group_has_the_health_check_defaults_of_aws(cloud: Cloud) -> None:
    http = _described(cloud, cloud.group(HealthCheckProtocol="HTTP"))
    assert (http["HealthCheckIntervalSeconds"], http["HealthCheckTimeoutSeconds"]) == (30, 6)
    assert (http["HealthyThresholdCount"], http["UnhealthyThresholdCount"]) == (5, 2)
    assert (http["HealthCheckPath"], http["Matcher"]) == ("/", {"HttpCode": "200-399"})
    assert http["HealthCheckPort"] == "traffic-port"
    tcp = _described(cloud, cloud.group())
    assert (tcp["HealthCheckProtocol"], tcp["HealthCheckTimeoutSeconds"]) == ("TCP", 10)
    assert "HealthCheckPath" not in tcp


def test_every_part_of_the_health_check_changes_in_place(cloud: Cloud) -> None:
    group = cloud.group()
    wanted: dict[str, Any] = {
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPort": "30080",
        "HealthCheckPath": "/ping",
        "HealthCheckIntervalSeconds": 5,
        "HealthCheckTimeoutSeconds": 2,
        "HealthyThresholdCount": 2,
        "UnhealthyThresholdCount": 3,
        "Matcher": {"HttpCode": "200"},
    }
    cloud.elb.modify_target_group(TargetGroupArn=group, **wanted)
    after = _described(cloud, group)
    assert {key: after[key] for key in wanted} == wanted
    assert after["TargetGroupArn"] == group


@pytest.mark.parametrize(
    "given",
    [
        {"HealthCheckIntervalSeconds": 4},
        {"HealthCheckIntervalSeconds": 301},
        {"HealthCheckTimeoutSeconds": 1},
        {"HealthCheckTimeoutSeconds": 121},
        {"HealthyThresholdCount": 1},
        {"UnhealthyThresholdCount": 11},
        {"HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 6},
        {"HealthCheckPort": "0"},
        {"HealthCheckPort": "http"},
        {"HealthCheckProtocol": "HTTP", "HealthCheckPath": "ping"},
        {"HealthCheckProtocol": "HTTP", "Matcher": {"HttpCode": "100"}},
        {"HealthCheckPath": "/ping"},
        {"HealthCheckEnabled": False},
        {"Port": 0},
        {"Name": "a" * 33},
        {"Name": "-begins-with-a-hyphen"},
        {"VpcId": "vpc-0"},
        {"Protocol": "HTTP"},
    ],
)
def test_a_group_out_of_range_is_refused(cloud: Cloud, given: dict[str, Any]) -> None:
    wanted = {"Name": name("tg"), "Protocol": "TCP", "Port": 80, "VpcId": cloud.network.vpc_id, **given}
    code, message = refusal(cloud.elb.create_target_group, **wanted)
    assert code in {"ValidationError", "InvalidConfigurationRequest"}
    assert message


def test_a_modification_out_of_range_changes_nothing(cloud: Cloud) -> None:
    group = cloud.group()
    before = _described(cloud, group)
    code, _ = refusal(cloud.elb.modify_target_group, TargetGroupArn=group, HealthCheckIntervalSeconds=9)
    assert code == "ValidationError"
    assert _described(cloud, group) == before


def test_a_name_can_be_taken_only_once(cloud: Cloud) -> None:
    cloud.group(Name="taken")
    wanted: dict[str, Any] = {"Protocol": "TCP", "Port": 81, "VpcId": cloud.network.vpc_id}
    assert refusal(cloud.elb.create_target_group, Name="taken", **wanted)[0] == "DuplicateTargetGroupName"
    cloud.balancer(Name="taken")
    code, _ = refusal(
        cloud.elb.create_load_balancer,
        Name="taken",
        Type="network",
        Subnets=list(cloud.network.subnet_ids.values()),
    )
    assert code == "DuplicateLoadBalancerName"


def test_a_group_in_use_by_a_listener_cannot_be_deleted(cloud: Cloud) -> None:
    group, balancer = cloud.group(), cloud.balancer()
    listener = cloud.listener(balancer, group)
    code, message = refusal(cloud.elb.delete_target_group, TargetGroupArn=group)
    assert (code, "is currently in use by a listener or a rule" in message) == ("ResourceInUse", True)
    cloud.elb.delete_listener(ListenerArn=listener)
    cloud.elb.delete_target_group(TargetGroupArn=group)
    cloud.elb.delete_target_group(TargetGroupArn=group)
    assert refusal(cloud.elb.describe_target_groups, TargetGroupArns=[group])[0] == "TargetGroupNotFound"


def test_a_group_serves_one_load_balancer_only(cloud: Cloud) -> None:
    group = cloud.served_group()
    actions: Any = [{"Type": "forward", "TargetGroupArn": group}]
    code, _ = refusal(
        cloud.elb.create_listener,
        LoadBalancerArn=cloud.balancer(),
        Protocol="TCP",
        Port=80,
        DefaultActions=actions,
    )
    assert code == "TargetGroupAssociationLimit"


def test_a_listener_cannot_bring_more_targets_than_its_load_balancer_may_hold(cloud: Cloud) -> None:
    group, node = cloud.group(), cloud.node()
    cloud.register(group, node, port=1)
    cloud.register(group, node, port=2)
    cloud.faults(quotas={"targets-per-network-load-balancer": 1})
    actions: Any = [{"Type": "forward", "TargetGroupArn": group}]
    wanted: dict[str, Any] = {"Protocol": "TCP", "Port": 80, "DefaultActions": actions}
    code, _ = refusal(cloud.elb.create_listener, LoadBalancerArn=cloud.balancer(), **wanted)
    assert code == "TooManyTargets"


def test_a_port_of_a_load_balancer_has_one_listener(cloud: Cloud) -> None:
    group, balancer = cloud.group(), cloud.balancer()
    cloud.listener(balancer, group, 443)
    actions: Any = [{"Type": "forward", "TargetGroupArn": group}]
    wanted: dict[str, Any] = {"LoadBalancerArn": balancer, "Protocol": "TCP", "DefaultActions": actions}
    assert refusal(cloud.elb.create_listener, Port=443, **wanted)[0] == "DuplicateListener"
    unknown: Any = [{"Type": "forward", "TargetGroupArn": group[:-1] + "x"}]
    wanted["DefaultActions"] = unknown
    assert refusal(cloud.elb.create_listener, Port=80, **wanted)[0] == "TargetGroupNotFound"


def test_a_listener_can_move_to_another_port_and_group(cloud: Cloud) -> None:
    one, two, balancer = cloud.group(), cloud.group(), cloud.balancer()
    listener = cloud.listener(balancer, one)
    actions: Any = [{"Type": "forward", "TargetGroupArn": two}]
    cloud.elb.modify_listener(ListenerArn=listener, Port=8080, DefaultActions=actions)
    after: Any = cloud.elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"]
    assert [(one["Port"], one["DefaultActions"][0]["TargetGroupArn"]) for one in after] == [(8080, two)]
    cloud.elb.delete_target_group(TargetGroupArn=one)


def weighted(weights: dict[str, int | None], **given: Any) -> Any:
    """A forward action to several groups."""
    groups = [
        {"TargetGroupArn": arn, **({} if weight is None else {"Weight": weight})}
        for arn, weight in weights.items()
    ]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups, **given}}]


def test_a_listener_forwards_to_several_groups_by_weight(cloud: Cloud) -> None:
    blue, green, balancer = cloud.group(), cloud.group(), cloud.balancer()
    listener = cloud.listener(balancer, blue)
    cloud.register(green, cloud.node())
    assert set(cloud.health(green).values()) == {("unused", "Target.NotInUse")}
    for weights in ({blue: 100, green: 0}, {blue: 999, green: 1}):
        cloud.elb.modify_listener(ListenerArn=listener, DefaultActions=weighted({**weights}))
        (shown,) = cloud.elb.describe_listeners(ListenerArns=[listener])["Listeners"][0]["DefaultActions"]
        forward = shown["ForwardConfig"]["TargetGroups"]
        assert {each["TargetGroupArn"]: each["Weight"] for each in forward} == weights
        assert "TargetGroupArn" not in shown
    # A group with weight 0 is in use too: its targets are checked, and it cannot be deleted.
    assert ("unused", "Target.NotInUse") not in cloud.health(green).values()
    assert refusal(cloud.elb.delete_target_group, TargetGroupArn=green)[0] == "ResourceInUse"
    forward_blue: Any = [{"Type": "forward", "TargetGroupArn": blue}]
    cloud.elb.modify_listener(ListenerArn=listener, DefaultActions=forward_blue)
    cloud.elb.delete_target_group(TargetGroupArn=green)


def test_weights_are_held_to_the_rules_of_aws(cloud: Cloud) -> None:
    blue, green, balancer = cloud.group(), cloud.group(), cloud.balancer()
    foreign = cloud.served_group()
    udp = cloud.group(Protocol="UDP")
    sticky = cloud.group()
    cloud.attribute(sticky, "stickiness.enabled", "true")
    six: dict[str, int | None] = {cloud.group(): 1 for _ in range(6)}
    two: Any = [{"Type": "forward", "TargetGroupArn": each} for each in (blue, green)]
    both: Any = [{**weighted({blue: 1})[0], "TargetGroupArn": green}]
    twice: Any = weighted({blue: 1})
    twice[0]["ForwardConfig"]["TargetGroups"] *= 2
    for actions, code in [
        (weighted({blue: 1000, green: 0}), "ValidationError"),
        (weighted({blue: -1, green: 0}), "ValidationError"),
        (weighted({blue: 1, green: None}), "ValidationError"),
        (weighted(six), "ValidationError"),
        (both, "ValidationError"),
        (twice, "ValidationError"),
        (two, "TooManyActions"),
        (weighted({blue: 1, foreign: 0}), "TargetGroupAssociationLimit"),
        (weighted({blue: 1, udp: 0}), "IncompatibleProtocols"),
        (weighted({blue: 1, sticky: 1}), "InvalidConfigurationRequest"),
    ]:
        created = cloud.elb.create_listener
        found = refusal(created, LoadBalancerArn=balancer, Protocol="TCP", Port=80, DefaultActions=actions)
        assert found[0] == code, (actions, found)
    config: Any = {"TargetGroupStickinessConfig": {"Enabled": True}}
    cloud.elb.create_listener(
        LoadBalancerArn=balancer,
        Protocol="TCP",
        Port=80,
        DefaultActions=weighted({blue: 1, sticky: 1}, **config),
    )


def test_the_targets_of_all_weighted_groups_count(cloud: Cloud) -> None:
    blue, green, balancer = cloud.group(), cloud.group(), cloud.balancer()
    listener = cloud.listener(balancer, blue)
    for group in (blue, green):
        cloud.register(group, cloud.node())
    cloud.faults(quotas={"targets-per-network-load-balancer": 1})
    code, _ = refusal(
        cloud.elb.modify_listener, ListenerArn=listener, DefaultActions=weighted({blue: 1, green: 0})
    )
    assert code == "TooManyTargets"


def test_a_tcp_listener_has_an_idle_timeout_in_its_range(cloud: Cloud) -> None:
    listener = cloud.listener(cloud.balancer(), cloud.group())
    key = "tcp.idle_timeout.seconds"
    shown = cloud.elb.describe_listener_attributes(ListenerArn=listener)["Attributes"]
    assert shown == [{"Key": key, "Value": "350"}]
    code, _ = refusal(
        cloud.elb.modify_listener_attributes,
        ListenerArn=listener,
        Attributes=[{"Key": key, "Value": "59"}],
    )
    assert code == "InvalidConfigurationRequest"


@pytest.mark.parametrize(
    ("listener", "groups"),
    [
        ("TCP", {"TCP", "TCP_UDP"}),
        ("UDP", {"UDP", "TCP_UDP"}),
        ("TCP_UDP", {"TCP_UDP"}),
    ],
)
def test_a_listener_has_groups_of_its_protocol(cloud: Cloud, listener: Any, groups: set[str]) -> None:
    balancer = cloud.balancer()
    for port, protocol in enumerate(("TCP", "UDP", "TCP_UDP", "TLS"), 1000):
        group = cloud.group(Protocol=protocol)
        actions: Any = [{"Type": "forward", "TargetGroupArn": group}]
        with_group: Any = {"LoadBalancerArn": balancer, "Port": port, "DefaultActions": actions}
        if protocol in groups:
            cloud.elb.create_listener(Protocol=listener, **with_group)
        else:
            code, _ = refusal(cloud.elb.create_listener, Protocol=listener, **with_group)
            assert code == "IncompatibleProtocols"


def test_both_protocols_of_a_port_are_taken_by_a_listener_of_both(cloud: Cloud) -> None:
    balancer = cloud.balancer()
    group = cloud.group(Protocol="TCP_UDP")
    actions: Any = [{"Type": "forward", "TargetGroupArn": group}]
    where: Any = {"LoadBalancerArn": balancer, "Port": 53, "DefaultActions": actions}
    cloud.elb.create_listener(Protocol="TCP_UDP", **where)
    for protocol in ("TCP", "UDP"):
        code, _ = refusal(cloud.elb.create_listener, Protocol=protocol, **where)
        assert code == "DuplicateListener"


def test_a_group_of_udp_preserves_addresses_and_ends_flows(cloud: Cloud) -> None:
    group = cloud.group(Protocol="UDP")
    found = cloud.elb.describe_target_group_attributes(TargetGroupArn=group)["Attributes"]
    attributes = {each["Key"]: each["Value"] for each in found}
    assert attributes["deregistration_delay.connection_termination.enabled"] == "true"
    assert attributes["target_health_state.unhealthy.connection_termination.enabled"] == "false"
    for key, value in (
        ("preserve_client_ip.enabled", "false"),
        ("target_health_state.unhealthy.connection_termination.enabled", "true"),
    ):
        code, _ = refusal(
            cloud.elb.modify_target_group_attributes,
            TargetGroupArn=group,
            Attributes=[{"Key": key, "Value": value}],
        )
        assert code == "InvalidConfigurationRequest"


def test_the_deregistration_delay_is_300_seconds_and_at_most_an_hour(cloud: Cloud) -> None:
    group = cloud.group()
    shown = cloud.elb.describe_target_group_attributes(TargetGroupArn=group)["Attributes"]
    attributes = {one["Key"]: one["Value"] for one in shown}
    assert attributes["deregistration_delay.timeout_seconds"] == "300"
    assert attributes["preserve_client_ip.enabled"] == "true"
    assert attributes["target_health_state.unhealthy.connection_termination.enabled"] == "true"
    code, _ = refusal(
        cloud.elb.modify_target_group_attributes,
        TargetGroupArn=group,
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "3601"}],
    )
    assert code == "InvalidConfigurationRequest"


def test_the_groups_of_a_load_balancer_are_those_its_listeners_forward_to(cloud: Cloud) -> None:
    balancer, served = cloud.balancer(), cloud.group()
    cloud.group()
    cloud.listener(balancer, served)
    found: Any = cloud.elb.describe_target_groups(LoadBalancerArn=balancer)["TargetGroups"]
    assert [(one["TargetGroupArn"], one["LoadBalancerArns"]) for one in found] == [(served, [balancer])]


def _described(cloud: Cloud, group: str) -> dict[str, Any]:
    return dict(cloud.elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0])
