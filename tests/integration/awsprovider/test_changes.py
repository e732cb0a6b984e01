"""In-place updates, drift and imports, seen from AWS's side over HTTP."""

import json
from typing import Any

import pytest

from sandbox.cloud.network import Network
from sandbox.plugins.values import UNKNOWN, Secret, has_secret
from tests.integration.awsprovider.conftest import Clients, Workbench
from tests.integration.awsprovider.plugin import Change, Made, Plugin
from tests.integration.awsprovider.test_every_type import (
    ALLOW,
    BALANCER,
    EGRESS,
    EIP,
    GROUP,
    INGRESS,
    KEY,
    LISTENER,
    POLICY,
    TARGETS,
    USER,
)


def _targets(network: Network, **more: Any) -> dict[str, Any]:
    return {"port": 80, "protocol": "TCP", "vpcId": network.vpc_id, **more}


def _balancer(network: Network, addresses: dict[str, Made], *zones: str, **more: Any) -> dict[str, Any]:
    mappings = [{"subnetId": network.subnet_ids[zone], "allocationId": addresses[zone].id} for zone in zones]
    return {"loadBalancerType": "network", "subnetMappings": mappings, **more}


def _unchanged(plugin: Plugin, made: Made, inputs: dict[str, Any]) -> Change:
    """Nothing is left to change, neither by the recorded state nor by what AWS has."""
    assert plugin.diff(made, inputs).fields == []
    again = plugin.read(made)
    assert again is not None
    return plugin.diff(again, inputs)


def test_a_target_group_changes_its_health_check_attributes_and_tags_in_place(
    plugin: Plugin, made: Workbench, network: Network, boto: Clients
) -> None:
    before = _targets(network, healthCheck={"path": "/ping", "port": "31080"}, tags={"a": "1", "b": "2"})
    group = made(TARGETS, before)
    after = _targets(
        network,
        healthCheck={"path": "/healthz", "port": "31081", "interval": 10, "matcher": "200-299"},
        deregistrationDelay=15,
        connectionTermination=True,
        preserveClientIp="false",
        targetHealthStates=[{"enableUnhealthyConnectionTermination": False, "unhealthyDrainingInterval": 5}],
        tags={"b": "3", "c": "4"},
    )
    updated = plugin.update(group, after)

    found = boto.elbv2.describe_target_groups(TargetGroupArns=[group.id])["TargetGroups"][0]
    assert (found["HealthCheckPath"], found["HealthCheckPort"]) == ("/healthz", "31081")
    assert (found["HealthCheckIntervalSeconds"], found["Matcher"]["HttpCode"]) == (10, "200-299")
    attributes = boto.elbv2.describe_target_group_attributes(TargetGroupArn=group.id)["Attributes"]
    told = {each["Key"]: each["Value"] for each in attributes}
    assert told["deregistration_delay.timeout_seconds"] == "15"
    assert told["deregistration_delay.connection_termination.enabled"] == "true"
    assert told["preserve_client_ip.enabled"] == "false"
    assert told["target_health_state.unhealthy.connection_termination.enabled"] == "false"
    assert told["target_health_state.unhealthy.draining_interval_seconds"] == "5"
    assert updated.plain["tagsAll"] == {"b": "3", "c": "4"}
    assert _unchanged(plugin, updated, after).fields == []


def test_a_draining_interval_set_by_hand_goes_back(
    plugin: Plugin, made: Workbench, network: Network, boto: Clients
) -> None:
    """target_group.go: `unhealthy_draining_interval` is 0 by default, and both attributes are always sent."""
    program = _targets(network, targetHealthStates=[{"enableUnhealthyConnectionTermination": True}])
    group = made(TARGETS, program)
    prefix = "target_health_state.unhealthy"
    by_hand = {
        f"{prefix}.connection_termination.enabled": "false",
        f"{prefix}.draining_interval_seconds": "90",
    }
    boto.elbv2.modify_target_group_attributes(
        TargetGroupArn=group.id, Attributes=[{"Key": key, "Value": by_hand[key]} for key in by_hand]
    )
    drifted = plugin.read(group)
    assert drifted is not None
    assert set(plugin.diff(drifted, program).paths) == {
        "targetHealthStates[0].enableUnhealthyConnectionTermination",
        "targetHealthStates[0].unhealthyDrainingInterval",
    }
    mended = plugin.update(drifted, program)
    found = boto.elbv2.describe_target_group_attributes(TargetGroupArn=group.id)["Attributes"]
    told = {each["Key"]: each["Value"] for each in found}
    assert told[f"{prefix}.connection_termination.enabled"] == "true"
    assert told[f"{prefix}.draining_interval_seconds"] == "0"
    assert _unchanged(plugin, mended, program).fields == []


def test_a_load_balancer_gains_a_zone_and_changes_groups_and_attributes_in_place(
    plugin: Plugin, made: Workbench, network: Network, boto: Clients
) -> None:
    addresses = {zone: made(EIP, {"domain": "vpc"}, zone) for zone in network.subnet_ids}
    zones = sorted(network.subnet_ids)
    groups = [made(GROUP, {"vpcId": network.vpc_id}, name) for name in ("one", "two")]
    before = _balancer(network, addresses, *zones[:2], securityGroups=[groups[0].id])
    balancer = made(BALANCER, before)
    after = _balancer(
        network, addresses, *zones, securityGroups=[groups[1].id], enableCrossZoneLoadBalancing=True
    )
    assert plugin.diff(balancer, after).replaces == []
    foreseen = plugin.update(balancer, after, preview=True)
    assert foreseen.outputs["subnets"] is UNKNOWN
    updated = plugin.update(balancer, after)

    found = boto.elbv2.describe_load_balancers(LoadBalancerArns=[balancer.id])["LoadBalancers"][0]
    assert found["SecurityGroups"] == [groups[1].id]
    assert {zone["ZoneName"] for zone in found["AvailabilityZones"]} == set(zones)
    assert updated.plain["enableCrossZoneLoadBalancing"] is True
    assert _unchanged(plugin, updated, after).fields == []
    assert plugin.diff(updated, before).replaces == ["subnetMappings"]
    reread = plugin.read(updated)
    assert reread is not None
    assert reread.outputs == updated.outputs


def test_a_listener_moves_to_another_group_and_port_in_place(
    plugin: Plugin, made: Workbench, network: Network, boto: Clients
) -> None:
    addresses = {zone: made(EIP, {"domain": "vpc"}, zone) for zone in network.subnet_ids}
    balancer = made(BALANCER, _balancer(network, addresses, "eu-central-1a"))
    groups = [made(TARGETS, _targets(network), name) for name in ("old", "new")]

    def listener(group: Made, port: int, **more: Any) -> dict[str, Any]:
        actions = [{"type": "forward", "targetGroupArn": group.id}]
        return {
            "loadBalancerArn": balancer.id,
            "port": port,
            "protocol": "TCP",
            "defaultActions": actions,
            **more,
        }

    first = made(LISTENER, listener(groups[0], 80))
    after = listener(groups[1], 8080, tcpIdleTimeoutSeconds=400, tags={"a": "b"})
    updated = plugin.update(first, after)
    found = boto.elbv2.describe_listeners(ListenerArns=[first.id])["Listeners"][0]
    assert (found["Port"], found["DefaultActions"][0]["TargetGroupArn"]) == (8080, groups[1].id)
    assert updated.plain["tcpIdleTimeoutSeconds"] == 400
    assert _unchanged(plugin, updated, after).fields == []

    by_block = {
        **after,
        "defaultActions": [{"type": "forward", "forward": {"targetGroups": [{"arn": groups[0].id}]}}],
    }
    moved = plugin.update(updated, by_block)
    assert "targetGroupArn" not in moved.plain["defaultActions"][0]
    assert _unchanged(plugin, moved, by_block).fields == []

    for weights in ((100, 0), (50, 50)):
        each = [{"arn": group.id, "weight": weight} for group, weight in zip(groups, weights, strict=True)]
        by_weight = {
            **after,
            "defaultActions": [{"type": "forward", "forward": {"targetGroups": each}}],
        }
        moved = plugin.update(moved, by_weight)
        assert _unchanged(plugin, moved, by_weight).fields == []
        # The groups are a set.
        turned = {"targetGroups": each[::-1]}
        other_way = {**after, "defaultActions": [{"type": "forward", "forward": turned}]}
        assert _unchanged(plugin, moved, other_way).fields == []
    back = plugin.update(moved, after)
    assert "forward" not in back.plain["defaultActions"][0]
    assert _unchanged(plugin, back, after).fields == []


def test_single_rules_change_in_place_and_leave_the_others_alone(
    plugin: Plugin, made: Workbench, network: Network, boto: Clients
) -> None:
    group = made(GROUP, {"vpcId": network.vpc_id})
    rule = {"securityGroupId": group.id, "ipProtocol": "tcp", "cidrIpv4": "10.0.0.0/8"}
    kept = made(INGRESS, {**rule, "fromPort": 443, "toPort": 443}, "kept")
    inward = made(INGRESS, {**rule, "fromPort": 80, "toPort": 80}, "in")
    outward = made(EGRESS, {**rule, "fromPort": 30000, "toPort": 32767}, "out")
    after = {**rule, "fromPort": 81, "toPort": 82, "description": "moved", "tags": {"n": "1"}}
    updated = plugin.update(inward, after)
    assert _unchanged(plugin, updated, after).fields == []
    wider = {**rule, "fromPort": 1, "toPort": 65535}
    assert _unchanged(plugin, plugin.update(outward, wider), wider).fields == []

    rules = boto.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group.id]}])
    ports = {each["SecurityGroupRuleId"]: each["FromPort"] for each in rules["SecurityGroupRules"]}
    assert ports == {kept.id: 443, inward.id: 81, outward.id: 1}


def test_a_rule_for_every_protocol_or_for_a_group_changes_in_place(
    plugin: Plugin, made: Workbench, network: Network
) -> None:
    group = made(GROUP, {"vpcId": network.vpc_id})
    other = made(GROUP, {"vpcId": network.vpc_id}, "other")
    every = {"securityGroupId": group.id, "ipProtocol": "-1", "cidrIpv4": "10.0.0.0/8"}
    narrowed = {**every, "cidrIpv4": "10.1.0.0/16"}
    updated = plugin.update(made(EGRESS, every), narrowed)
    assert "fromPort" not in updated.plain
    assert _unchanged(plugin, updated, narrowed).fields == []
    named = {"securityGroupId": group.id, "ipProtocol": "tcp", "fromPort": 31080, "toPort": 31080}
    before = {**named, "referencedSecurityGroupId": other.id, "description": "health checks"}
    rule = made(INGRESS, before)
    assert _unchanged(plugin, rule, before).fields == []
    after = {**before, "fromPort": 31081, "toPort": 31081, "referencedSecurityGroupId": network.node_group_id}
    assert _unchanged(plugin, plugin.update(rule, after), after).fields == []


def test_a_security_group_starts_without_the_egress_rule_that_aws_gives_it(
    made: Workbench, network: Network, boto: Clients
) -> None:
    group = made(GROUP, {"vpcId": network.vpc_id})
    found = boto.ec2.describe_security_groups(GroupIds=[group.id])["SecurityGroups"][0]
    assert found["IpPermissionsEgress"] == []


def test_inline_rules_follow_the_program(
    plugin: Plugin, made: Workbench, network: Network, boto: Clients
) -> None:
    def program(*ports: int) -> dict[str, Any]:
        blocks = [
            {"protocol": "tcp", "fromPort": port, "toPort": port, "cidrBlocks": ["10.0.0.0/8", "10.1.0.0/16"]}
            for port in ports
        ]
        outward = {"protocol": "-1", "fromPort": 0, "toPort": 0, "self": True}
        return {"vpcId": network.vpc_id, "ingress": blocks, "egress": [outward]}

    group = made(GROUP, program(80, 81))
    assert _unchanged(plugin, group, program(81, 80)).fields == []
    updated = plugin.update(group, program(81, 82))
    assert _unchanged(plugin, updated, program(82, 81)).fields == []
    found = boto.ec2.describe_security_groups(GroupIds=[group.id])["SecurityGroups"][0]
    assert sorted(each["FromPort"] for each in found["IpPermissions"]) == [81, 82]


def test_an_elastic_ip_changes_its_tags_in_place(plugin: Plugin, made: Workbench, boto: Clients) -> None:
    address = made(EIP, {"domain": "vpc", "tags": {"a": "1"}})
    updated = plugin.update(address, {"domain": "vpc", "tags": {"b": "2"}})
    found = boto.ec2.describe_addresses(AllocationIds=[address.id])["Addresses"][0]
    assert found["Tags"] == [{"Key": "b", "Value": "2"}]
    assert updated.plain["publicIp"] == found["PublicIp"]
    assert _unchanged(plugin, updated, {"domain": "vpc", "tags": {"b": "2"}}).fields == []


def test_a_user_its_policy_and_its_key_change_in_place(
    plugin: Plugin, made: Workbench, boto: Clients
) -> None:
    user = made(USER, {"name": "syncer", "tags": {"a": "1"}})
    policy = made(POLICY, {"user": "syncer", "policy": ALLOW})
    key = made(KEY, {"user": "syncer"})
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
    changed = plugin.update(policy, {"user": "syncer", "policy": document})
    assert _unchanged(plugin, changed, {"user": "syncer", "policy": json.dumps(document)}).fields == []
    stopped = plugin.update(key, {"user": "syncer", "status": "Inactive"})
    keys = boto.iam.list_access_keys(UserName="syncer")["AccessKeyMetadata"]
    assert [each["Status"] for each in keys] == ["Inactive"]
    assert stopped.outputs["secret"] == key.outputs["secret"]
    tagged = plugin.update(user, {"name": "syncer", "tags": {"b": "2"}})
    assert _unchanged(plugin, tagged, {"name": "syncer", "tags": {"b": "2"}}).fields == []


def test_a_renamed_user_is_the_same_user(plugin: Plugin, boto: Clients) -> None:
    user = plugin.create(USER, {"name": "before"})
    renamed = plugin.update(user, {"name": "after"})
    assert boto.iam.get_user(UserName="after")["User"]["UserId"] == user.plain["uniqueId"]
    reread = plugin.read(renamed)
    assert reread is not None
    assert reread.id == "after"
    plugin.delete(renamed)
    assert [each["UserName"] for each in boto.iam.list_users()["Users"]] == []


def test_keys_are_secret_in_what_the_engine_records(plugin: Plugin, made: Workbench) -> None:
    made(USER, {"name": "holder"})
    key = made(KEY, {"user": "holder"})
    assert isinstance(key.outputs["secret"], Secret)
    assert isinstance(key.outputs["sesSmtpPasswordV4"], Secret)
    again = plugin.read(key)
    assert again is not None
    assert again.outputs == key.outputs


def test_what_the_program_hands_over_as_a_secret_stays_one(plugin: Plugin, made: Workbench) -> None:
    address = made(EIP, {"domain": "vpc", "tags": {"owner": Secret("me")}})
    assert has_secret(address.outputs["tags"])
    assert has_secret(address.outputs["tagsAll"])
    again = plugin.read(address)
    assert again is not None
    assert has_secret(again.inputs["tags"])


DRIFTS = ["path", "delay", "tag"]


@pytest.mark.parametrize("drift", DRIFTS)
def test_a_change_behind_its_back_is_seen_and_undone(
    plugin: Plugin, made: Workbench, network: Network, boto: Clients, drift: str
) -> None:
    program = _targets(network, healthCheck={"path": "/ping"}, deregistrationDelay=10, tags={"a": "1"})
    group = made(TARGETS, program)
    if drift == "path":
        boto.elbv2.modify_target_group(TargetGroupArn=group.id, HealthCheckPath="/other")
    elif drift == "delay":
        attribute = {"Key": "deregistration_delay.timeout_seconds", "Value": "77"}
        boto.elbv2.modify_target_group_attributes(TargetGroupArn=group.id, Attributes=[attribute])
    else:
        boto.elbv2.add_tags(ResourceArns=[group.id], Tags=[{"Key": "alien", "Value": "1"}])
    seen = plugin.read(group)
    assert seen is not None
    assert seen.inputs != group.inputs
    fields = {"path": ["healthCheck"], "delay": ["deregistrationDelay"], "tag": ["tags", "tagsAll"]}[drift]
    assert plugin.diff(seen, program).fields == fields
    mended = plugin.update(seen, program)
    assert mended.outputs == group.outputs


def test_drift_of_every_other_type_is_seen(
    plugin: Plugin, made: Workbench, network: Network, boto: Clients
) -> None:
    def seen(resource: Made) -> list[str]:
        found = plugin.read(resource)
        assert found is not None
        return plugin.diff(found, resource.inputs, checked=True).fields

    address = made(EIP, {"domain": "vpc", "tags": {"a": "1"}})
    boto.ec2.delete_tags(Resources=[address.id], Tags=[{"Key": "a"}])
    assert seen(address) == ["tags", "tagsAll"]

    group = made(GROUP, {"vpcId": network.vpc_id})
    boto.ec2.create_tags(Resources=[group.id], Tags=[{"Key": "alien", "Value": "1"}])
    assert seen(group) == ["tags", "tagsAll"]

    rule = made(
        INGRESS,
        {
            "securityGroupId": group.id,
            "ipProtocol": "tcp",
            "fromPort": 1,
            "toPort": 1,
            "cidrIpv4": "10.0.0.0/8",
        },
    )
    moved = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 9, "CidrIpv4": "10.0.0.0/8"}
    boto.ec2.modify_security_group_rules(
        GroupId=group.id, SecurityGroupRules=[{"SecurityGroupRuleId": rule.id, "SecurityGroupRule": moved}]
    )
    assert seen(rule) == ["toPort"]

    balancer = made(
        BALANCER, _balancer(network, {"eu-central-1a": address}, "eu-central-1a", securityGroups=[group.id])
    )
    cross_zone = {"Key": "load_balancing.cross_zone.enabled", "Value": "true"}
    boto.elbv2.modify_load_balancer_attributes(LoadBalancerArn=balancer.id, Attributes=[cross_zone])
    boto.elbv2.set_security_groups(LoadBalancerArn=balancer.id, SecurityGroups=[network.node_group_id])
    assert seen(balancer) == ["enableCrossZoneLoadBalancing", "securityGroups"]

    actions = [{"type": "forward", "targetGroupArn": made(TARGETS, _targets(network)).id}]
    listener = made(
        LISTENER, {"loadBalancerArn": balancer.id, "port": 80, "protocol": "TCP", "defaultActions": actions}
    )
    boto.elbv2.modify_listener(ListenerArn=listener.id, Port=81)
    assert seen(listener) == ["port"]

    user = made(USER, {"name": "drifting"})
    boto.iam.update_user(UserName="drifting", NewPath="/elsewhere/")
    assert seen(user) == ["path"]
    policy = made(POLICY, {"user": "drifting", "name": "p", "policy": ALLOW})
    boto.iam.put_user_policy(
        UserName="drifting", PolicyName="p", PolicyDocument=ALLOW.replace("Allow", "Deny")
    )
    assert seen(policy) == ["policy"]
    key = made(KEY, {"user": "drifting"})
    boto.iam.update_access_key(UserName="drifting", AccessKeyId=key.id, Status="Inactive")
    assert seen(key) == ["status"]


def test_an_alien_rule_of_the_group_is_nobodys_business(
    plugin: Plugin, made: Workbench, network: Network, boto: Clients
) -> None:
    program = {"vpcId": network.vpc_id}
    group = made(GROUP, program)
    permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    boto.ec2.authorize_security_group_ingress(GroupId=group.id, IpPermissions=[permission])
    assert _unchanged(plugin, group, program).fields == []


def test_a_resource_deleted_behind_its_back_is_gone(plugin: Plugin, network: Network, boto: Clients) -> None:
    group = plugin.create(TARGETS, _targets(network))
    boto.elbv2.delete_target_group(TargetGroupArn=group.id)
    assert plugin.read(group) is None
    plugin.delete(group)


def test_everything_can_be_imported_by_its_id_and_then_matches_its_program(
    plugin: Plugin, made: Workbench, network: Network
) -> None:
    programs: list[tuple[str, dict[str, Any]]] = [
        (EIP, {"domain": "vpc", "tags": {"zone": "a"}}),
        (GROUP, {"vpcId": network.vpc_id, "description": "d", "name": "imported"}),
        (TARGETS, _targets(network, name="imported", healthCheck={"path": "/ping"}, deregistrationDelay=10)),
        (USER, {"name": "imported", "path": "/x/"}),
        (POLICY, {"user": "imported", "name": "p", "policy": ALLOW}),
        (KEY, {"user": "imported"}),
    ]
    for token, program in programs:
        original = made(token, program)
        imported = plugin.read(Made(token, "web", original.id, {}, {}))
        assert imported is not None
        assert plugin.diff(imported, program).fields == [], token
        assert plugin.diff(imported, imported.inputs).fields == [], token
    group = made(GROUP, {"vpcId": network.vpc_id}, "other")
    rule = {
        "securityGroupId": group.id,
        "ipProtocol": "tcp",
        "fromPort": 1,
        "toPort": 2,
        "cidrIpv4": "10.0.0.0/8",
    }
    for token in (INGRESS, EGRESS):
        imported = plugin.read(Made(token, "web", made(token, rule).id, {}, {}))
        assert imported is not None
        assert plugin.diff(imported, rule).fields == []


def test_an_imported_load_balancer_and_listener_match_their_programs(
    plugin: Plugin, made: Workbench, network: Network
) -> None:
    addresses = {zone: made(EIP, {"domain": "vpc"}, zone) for zone in network.subnet_ids}
    program = _balancer(network, addresses, *sorted(addresses, reverse=True), name="imported")
    balancer = made(BALANCER, program)
    imported = plugin.read(Made(BALANCER, "web", balancer.id, {}, {}))
    assert imported is not None
    assert plugin.diff(imported, program).fields == []
    group = made(TARGETS, _targets(network))
    listener = {
        "loadBalancerArn": balancer.id,
        "port": 80,
        "protocol": "TCP",
        "defaultActions": [{"type": "forward", "targetGroupArn": group.id}],
    }
    read = plugin.read(Made(LISTENER, "web", made(LISTENER, listener).id, {}, {}))
    assert read is not None
    assert plugin.diff(read, listener).fields == ["defaultActions"]  # the official one shows both forms, too


def test_a_preview_knows_its_inputs_and_nothing_that_only_aws_can_say(
    plugin: Plugin, network: Network
) -> None:
    foreseen = plugin.preview(TARGETS, _targets(network, healthCheck={"path": "/ping", "port": UNKNOWN}))
    assert foreseen["arn"] is UNKNOWN
    assert foreseen["loadBalancerArns"] is UNKNOWN
    assert foreseen["healthCheck"]["port"] is UNKNOWN
    assert foreseen["port"] == 80
    assert foreseen["name"].startswith("web-")
    assert "__defaults" not in foreseen["healthCheck"]
