"""No edit replaces the load balancer or releases an address without its name."""

from typing import Any

import pytest

from tests.program.world import VPC, Cloud, Config, Record, RunProgram

EIP = "aws:ec2/eip:Eip"
NLB = "aws:lb/loadBalancer:LoadBalancer"
STACK = "node-nlb-sync:stack"
MARK = f"node-nlb-sync/dev/{VPC}"
ZONES = ("eu-central-1a", "eu-central-1b", "eu-central-1c")
AWS = "arn:aws:elasticloadbalancing:eu-central-1:123456789012"
ARN = f"{AWS}:loadbalancer/net/node-nlb-0a1b2c3/0123456789abcdef"
GIVEN = "eipalloc-0123456789abcdef0"


@pytest.fixture
def up(config: Config, cloud: Cloud) -> Cloud:
    """AWS after an `up` of stack dev: tagged addresses, and the load balancer on them."""
    mappings = []
    for zone in ZONES:
        cloud.kept.append((f"eipalloc-{zone}", {STACK: MARK, "node-nlb-sync:zone": zone}))
        subnet = config["node-nlb-sync:zones"][zone]["subnetId"]
        mappings.append({"subnetId": subnet, "allocationId": f"eipalloc-{zone}"})
    cloud.balancers[ARN] = {
        "name": "node-nlb-0a1b2c3",
        "vpcId": VPC,
        "tags": {STACK: MARK},
        "subnetMappings": mappings,
    }
    cloud.existing[GIVEN] = "198.51.100.7"
    return cloud


def refused(run: RunProgram) -> str:
    with pytest.raises(Exception, match="node-nlb-sync:") as found:
        run()
    assert run.last.resources == []
    return str(found.value)


def edited(config: Config, **keys: Any) -> None:
    config.update({f"node-nlb-sync:{key}": value for key, value in keys.items()})


def without(config: Config, *zones: str) -> dict[str, Any]:
    places: dict[str, Any] = config["node-nlb-sync:zones"]
    return {zone: place for zone, place in places.items() if zone not in zones}


@pytest.mark.usefixtures("up")
def test_a_removed_zone_is_refused_with_the_command(run_program: RunProgram, config: Config) -> None:
    edited(config, zones=without(config, ZONES[2]))
    (line,) = refused(run_program).splitlines()
    assert line.startswith(
        "node-nlb-sync:zones.eu-central-1c: read nothing, and the load balancer node-nlb-0a1b2c3"
    )
    assert "fix: python -m infra.zones --apply, then pulumi up --refresh" in line


@pytest.mark.parametrize(
    ("key", "value"),
    [("subnetId", "subnet-0123456789abcdef0"), ("allocationId", GIVEN)],
)
def test_another_subnet_or_address_in_a_zone_is_refused(
    up: Cloud, run_program: RunProgram, config: Config, key: str, value: str
) -> None:
    up.zones["subnet-0123456789abcdef0"] = ZONES[1]
    config["node-nlb-sync:zones"][ZONES[1]][key] = value
    (line,) = refused(run_program).splitlines()
    assert line.startswith(f"node-nlb-sync:zones.{ZONES[1]}.{key}: read {value}, and the load balancer ")


def test_an_address_to_be_created_in_place_of_a_given_one_is_refused(
    up: Cloud, run_program: RunProgram
) -> None:
    up.balancers[ARN]["subnetMappings"][0]["allocationId"] = GIVEN
    assert f"zones.{ZONES[0]}.allocationId: read nothing, and the load" in refused(run_program)


@pytest.mark.usefixtures("up")
@pytest.mark.parametrize(
    ("key", "value", "has"),
    [("scheme", "internal", "internet-facing"), ("name", "edge", "node-nlb-0a1b2c3")],
)
def test_another_scheme_or_name_is_refused_without_the_opt_in(
    run_program: RunProgram, config: Config, key: str, value: str, has: str
) -> None:
    edited(config, loadBalancer={key: value})
    (line,) = refused(run_program).splitlines()
    assert line.startswith(f"node-nlb-sync:loadBalancer.{key}: read {value}, and the load balancer ")
    assert f"allowed: {has}, or allowReplacement with loadBalancer; fix: " in line
    edited(config, allowReplacement=["loadBalancer"])
    record = run_program()
    assert key == "name" or all(retained(record, zone) for zone in ZONES)


def test_a_name_that_is_removed_from_the_configuration_stays(up: Cloud, run_program: RunProgram) -> None:
    up.balancers[ARN]["name"] = "edge"
    assert run_program().one(NLB).ignore_changes == ("name", "subnetMappings")


@pytest.mark.usefixtures("up")
def test_more_security_groups_are_an_edit_in_place(run_program: RunProgram, config: Config) -> None:
    edited(config, loadBalancer={"securityGroupIds": ["sg-0123456789abcdef0"]})
    assert run_program().one(NLB).ignore_changes == ("subnetMappings",)


def test_another_private_address_of_an_internal_load_balancer_is_refused(
    up: Cloud, run_program: RunProgram, config: Config
) -> None:
    there = up.balancers[ARN]
    mappings = [{"subnetId": each["subnetId"]} for each in there["subnetMappings"]]
    there.update({"internal": True, "subnetMappings": mappings})
    edited(config, loadBalancer={"scheme": "internal"})
    run_program()
    config["node-nlb-sync:zones"][ZONES[1]]["privateAddress"] = "10.0.0.15"
    (line,) = refused(run_program).splitlines()
    assert line.startswith(f"node-nlb-sync:zones.{ZONES[1]}.privateAddress: read 10.0.0.15, and the load ")
    mappings[1]["privateIpv4Address"] = "10.0.0.15"
    run_program()


@pytest.mark.usefixtures("up")
def test_no_command_takes_every_zone(run_program: RunProgram, config: Config) -> None:
    edited(config, zones=without(config, *ZONES[1:]))
    config["node-nlb-sync:zones"][ZONES[0]]["allocationId"] = GIVEN
    lines = refused(run_program).splitlines()
    assert len(lines) == len(ZONES)
    assert all("fix: keep one zone of the load balancer as it is" in line for line in lines)


def test_another_vpc_is_refused(up: Cloud, run_program: RunProgram, config: Config) -> None:
    edited(config, vpcId="vpc-0123456789abcdef0")
    up.vpc_id = "vpc-0123456789abcdef0"
    (line,) = refused(run_program).splitlines()
    assert line.startswith("node-nlb-sync:vpcId: read vpc-0123456789abcdef0, and the load balancer node-nlb")


def test_groups_of_another_load_balancer_are_refused_while_the_stack_has_its_own(
    up: Cloud, run_program: RunProgram, config: Config
) -> None:
    arn = f"{AWS}:targetgroup/http/0123456789abcdef"
    up.target_types[arn] = "instance"
    keys = {key: value for key, value in config.items() if key.startswith(("aws:", "kubernetes:"))}
    config.clear()
    config.update(keys)
    edited(config, targetGroups={"http": arn}, syncer={"image": "node-nlb-sync:dev"})
    assert "targetGroups: read target groups, and this stack has the load balancer" in refused(run_program)
    up.balancers.clear()
    run_program(adopted={"http": 31080, "https": 31443})


@pytest.mark.parametrize("tags", [{STACK: MARK}, {}], ids=["tagged", "of release 0.1"])
def test_the_opt_in_allows_the_replacement(
    up: Cloud, run_program: RunProgram, config: Config, tags: dict[str, str]
) -> None:
    up.balancers[ARN]["tags"] = tags
    edited(config, zones=without(config, ZONES[2]))
    refused(run_program)
    edited(config, allowReplacement=["loadBalancer"])
    balancer = run_program().one(NLB)
    assert balancer.delete_before_replace
    assert len(balancer.inputs["subnetMappings"]) == len(ZONES) - 1


def test_a_load_balancer_of_another_name_is_found_by_its_tag(
    up: Cloud, run_program: RunProgram, config: Config
) -> None:
    up.balancers[ARN.replace("node-nlb-0a1b2c3", "edge")] = up.balancers.pop(ARN)
    edited(config, zones=without(config, ZONES[2]))
    refused(run_program)


def test_load_balancers_of_others_are_no_concern(up: Cloud, run_program: RunProgram, config: Config) -> None:
    up.balancers[ARN]["tags"] = {STACK: "other/dev/vpc-4283fefc63f0cd0e8"}
    edited(config, zones=without(config, ZONES[2]))
    run_program()


def test_an_old_state_has_no_say_where_aws_has_the_configured_zones(
    up: Cloud, run_program: RunProgram
) -> None:
    assert run_program().one(NLB).ignore_changes == ("subnetMappings",)
    up.balancers[ARN]["subnetMappings"].pop()
    assert run_program(preview=True).one(NLB).ignore_changes == ()


def test_an_added_zone_that_the_engine_did_not_add_is_an_error(up: Cloud, run_program: RunProgram) -> None:
    up.balancers[ARN]["subnetMappings"].pop()
    with pytest.raises(Exception, match="zones: read eu-central-1c, and the load balancer is not"):
        run_program()


def retained(record: Record, zone: str) -> bool:
    address = record.of(EIP).get(f"node-nlb-{zone}")
    return address is not None and address.retain_on_delete and address.import_id == f"eipalloc-{zone}"


@pytest.mark.parametrize("keep", [True, False])
def test_the_address_of_a_removed_zone_stays_in_the_stack_until_its_zone_is_named(
    up: Cloud, run_program: RunProgram, config: Config, keep: bool
) -> None:
    edited(config, addresses={"keep": keep}, zones=without(config, ZONES[2]))
    up.balancers[ARN]["subnetMappings"].pop()
    assert retained(run_program(), ZONES[2])
    edited(config, addresses={"keep": keep, "release": [ZONES[2]]})
    line = refused(run_program)
    assert "addresses.release[0]: read eu-central-1c, and AWS has its address eipalloc-eu-central-1c" in line
    up.kept.pop()
    assert set(run_program().of(EIP)) == {f"node-nlb-{zone}" for zone in ZONES[:2]}


def test_the_created_address_of_a_zone_with_a_given_one_stays(
    up: Cloud, run_program: RunProgram, config: Config
) -> None:
    config["node-nlb-sync:zones"][ZONES[0]]["allocationId"] = GIVEN
    up.balancers[ARN]["subnetMappings"][0]["allocationId"] = GIVEN
    assert retained(run_program(), ZONES[0])


def test_a_zone_in_use_cannot_be_released(run_program: RunProgram, config: Config) -> None:
    edited(config, addresses={"release": [ZONES[0]]})
    assert "addresses.release[0]: read eu-central-1a, a zone of zones" in refused(run_program)


FORMER = f"node-nlb-sync/old/{VPC}"
PARTS = "node-nlb-sync:index:NodeNlb$node-nlb-sync:loadbalancer:LoadBalancer"


def in_state(arn: str, component: str = "node-nlb") -> dict[str, Any]:
    """The resources of a state: the stack itself, and a component's load balancer."""
    stack = "urn:pulumi:dev::node-nlb-sync::"
    return {
        f"{stack}pulumi:pulumi:Stack::node-nlb-sync-dev": {"type": "pulumi:pulumi:Stack", "outputs": {}},
        f"{stack}{PARTS}${NLB}::{component}": {"type": NLB, "outputs": {"arn": arn}},
    }


def addresses_in_state(cloud: Cloud) -> dict[str, Any]:
    """The resources of the addresses in AWS, with their tags."""
    part = "node-nlb-sync:index:NodeNlb$node-nlb-sync:addresses:StaticAddresses"
    return {
        f"urn:pulumi:dev::node-nlb-sync::{part}${EIP}::node-nlb-{tags['node-nlb-sync:zone']}": {
            "type": EIP,
            "outputs": {"allocationId": ident, "tags": tags},
        }
        for ident, tags in cloud.kept
    }


@pytest.fixture
def after_rename(up: Cloud) -> Cloud:
    """AWS and state after `pulumi stack rename dev` of the stack `old`."""
    up.balancers[ARN]["tags"] = {STACK: FORMER}
    up.kept = [(ident, {**tags, STACK: FORMER, "team": "edge", "aws:x": "y"}) for ident, tags in up.kept]
    up.state = {**in_state(ARN), **addresses_in_state(up)}
    return up


@pytest.mark.usefixtures("after_rename")
def test_a_renamed_stack_is_guarded_before_its_first_up(run_program: RunProgram, config: Config) -> None:
    edited(config, zones=without(config, ZONES[2]))
    (line,) = refused(run_program).splitlines()
    assert line.startswith("node-nlb-sync:zones.eu-central-1c: read nothing, and the load balancer node-nlb-")


@pytest.mark.usefixtures("after_rename")
def test_a_renamed_stack_keeps_its_addresses_and_gets_new_tags(
    run_program: RunProgram, config: Config
) -> None:
    edited(config, addresses={"keep": True})
    record = run_program()
    assert {item.import_id for item in record.of(EIP).values()} == {f"eipalloc-{zone}" for zone in ZONES}
    for item in record.of(EIP).values():
        assert (item.inputs["tags"][STACK], item.inputs["tags"]["team"]) == (MARK, "edge")
        assert "tags" not in item.ignore_changes
        assert "aws:x" not in item.inputs["tags"]
    assert record.one(NLB).inputs["tags"][STACK] == MARK
    assert "subnetMappings" in record.one(NLB).ignore_changes


@pytest.mark.parametrize("keep", [True, False])
def test_the_second_up_after_a_rename_finds_addresses_with_the_former_name(
    after_rename: Cloud, run_program: RunProgram, config: Config, *, keep: bool
) -> None:
    """As after an `up` that ended between the tags of the load balancer and of the addresses."""
    after_rename.balancers[ARN]["tags"] = {STACK: MARK}
    edited(config, addresses={"keep": keep})
    record = run_program()
    assert {item.inputs["tags"][STACK] for item in record.of(EIP).values()} == {MARK}
    assert not [item for item in record.of(EIP).values() if "tags" in item.ignore_changes]


def test_tags_removed_by_another_tool_come_back(
    after_rename: Cloud, run_program: RunProgram, config: Config
) -> None:
    after_rename.kept = [(ident, {}) for ident, _ in after_rename.kept]
    edited(config, addresses={"keep": True})
    tags = [item.inputs["tags"] for item in run_program().of(EIP).values()]
    assert {(each[STACK], each["node-nlb-sync:zone"]) for each in tags} == {(MARK, zone) for zone in ZONES}


def test_an_address_of_the_state_that_was_released_is_made_again(
    after_rename: Cloud, run_program: RunProgram, config: Config
) -> None:
    after_rename.kept, after_rename.balancers = [], {}
    edited(config, addresses={"keep": True})
    assert {item.import_id for item in run_program().of(EIP).values()} == {""}


def test_a_renamed_stack_may_have_some_new_tags(
    after_rename: Cloud, run_program: RunProgram, config: Config
) -> None:
    edited(config, addresses={"keep": True})
    ident, tags = after_rename.kept[0]
    after_rename.kept[0] = (ident, {**tags, STACK: MARK})
    assert {item.import_id for item in run_program().of(EIP).values()} == {f"eipalloc-{z}" for z in ZONES}


def test_a_given_name_of_a_renamed_stack_is_found(
    after_rename: Cloud, run_program: RunProgram, config: Config
) -> None:
    other = ARN.replace("node-nlb-0a1b2c3", "prod")
    after_rename.balancers = {other: {**after_rename.balancers[ARN], "name": "prod"}}
    after_rename.state = in_state(other)
    edited(config, zones=without(config, ZONES[2]), loadBalancer={"name": "prod"})
    assert "and the load balancer prod is in that zone" in refused(run_program)


@pytest.mark.parametrize("state", [None, in_state(ARN, "other"), in_state(ARN.replace("0a1b2c3", "1111111"))])
def test_the_load_balancer_of_another_stack_is_none_of_this_one(
    after_rename: Cloud, run_program: RunProgram, config: Config, state: dict[str, Any] | None
) -> None:
    """Two stacks in one VPC: what the state lacks belongs to the other stack."""
    after_rename.state, after_rename.address_quota = state, 10
    edited(config, zones=without(config, ZONES[2]))
    assert "subnetMappings" not in run_program().one(NLB).ignore_changes
    assert {*after_rename.state_reads} == {"organization/node-nlb-sync/dev"}


@pytest.mark.parametrize("opt_in", [[], ["loadBalancer"]])
def test_another_region_is_refused_even_with_the_opt_in(
    cloud: Cloud, run_program: RunProgram, config: Config, opt_in: list[str]
) -> None:
    """The load balancer would be replaced and its addresses released; AWS shows nothing of it there."""
    cloud.state = in_state(ARN.replace("eu-central-1", "eu-west-1"))
    edited(config, allowReplacement=opt_in)
    assert refused(run_program) == (
        "node-nlb-sync:zones: read eu-central-1a, and the load balancer of this stack is in eu-west-1; "
        "allowed: zones of eu-west-1; fix: use another stack for the other Region, or put aws:region and "
        "zones back to eu-west-1"
    )


def test_a_load_balancer_deleted_by_hand_is_made_again(cloud: Cloud, run_program: RunProgram) -> None:
    cloud.state = in_state(ARN)
    assert run_program().one(NLB).ignore_changes == ()


def test_the_state_is_read_once(up: Cloud, run_program: RunProgram) -> None:
    up.balancers[ARN]["tags"] = {STACK: FORMER}
    run_program(fresh=True)
    assert up.state_reads == ["organization/node-nlb-sync/dev"]
