"""What check refuses, and what it fills in."""

from typing import Any

import pytest

from sandbox.plugins.aws.property_rules import RULES
from sandbox.plugins.aws.provider import AwsProvider
from sandbox.plugins.aws.schema import RESOURCES, Type, shapes
from sandbox.plugins.provider import Naming, ProviderError
from sandbox.plugins.values import UNKNOWN, Secret, has_secret, reveal
from tests.unit.awsprovider.programs import (
    BALANCER,
    EGRESS,
    EIP,
    GROUP,
    INGRESS,
    KEY,
    LISTENER,
    POLICY,
    PROGRAMS,
    TARGETS,
    USER,
    check,
    reasons,
)


def test_every_supported_type_has_a_program_and_rules() -> None:
    assert set(RESOURCES) == set(PROGRAMS) == set(RULES)


@pytest.mark.parametrize("token", RESOURCES)
def test_a_right_program_is_accepted(provider: AwsProvider, token: str) -> None:
    assert reasons(check(provider, token, PROGRAMS[token])) == ""


@pytest.mark.parametrize("token", RESOURCES)
def test_an_unknown_property_is_refused_by_its_name(provider: AwsProvider, token: str) -> None:
    answer = reasons(check(provider, token, {**PROGRAMS[token], "colour": "red"}))
    assert answer == "Invalid or unknown key. Examine values at 'web.colour'."


MISTYPED = {
    EIP: {"tags": "zone"},
    GROUP: {"revokeRulesOnDelete": "yes"},
    INGRESS: {"fromPort": "eighty"},
    EGRESS: {"toPort": "80"},
    BALANCER: {"subnetMappings": "subnet-1"},
    TARGETS: {"port": True},
    LISTENER: {"defaultActions": {"type": "forward"}},
    USER: {"forceDestroy": 1},
    POLICY: {"user": ["syncer"]},
    KEY: {"status": {}},
}


@pytest.mark.parametrize(("token", "wrong"), MISTYPED.items())
def test_a_mistyped_property_is_refused_by_its_name(
    provider: AwsProvider, token: str, wrong: dict[str, Any]
) -> None:
    answer = reasons(check(provider, token, {**PROGRAMS[token], **wrong}))
    assert "Incorrect attribute value type" in answer
    assert f"Examine values at 'web.{next(iter(wrong))}'." in answer


MISSING = [
    (
        GROUP,
        "ingress[0].fromPort",
        {"ingress": [{"protocol": "tcp", "toPort": 1, "cidrBlocks": ["10.0.0.0/8"]}]},
    ),
    (INGRESS, "ipProtocol", {"ipProtocol": None}),
    (INGRESS, "cidrIpv4", {"cidrIpv4": None}),
    (EGRESS, "securityGroupId", {"securityGroupId": None}),
    (BALANCER, "subnetMappings", {"subnetMappings": None}),
    (BALANCER, "subnetMappings[0].subnetId", {"subnetMappings": [{"allocationId": "eipalloc-1"}]}),
    (TARGETS, "port", {"port": None}),
    (TARGETS, "protocol", {"protocol": None}),
    (TARGETS, "vpcId", {"vpcId": None}),
    (LISTENER, "loadBalancerArn", {"loadBalancerArn": None}),
    (LISTENER, "defaultActions", {"defaultActions": None}),
    (LISTENER, "defaultActions[0].type", {"defaultActions": [{"type": "forward"}]}),
    (POLICY, "policy", {"policy": None}),
    (KEY, "user", {"user": None}),
]


@pytest.mark.parametrize(("token", "path", "without"), MISSING)
def test_a_missing_property_is_refused_by_its_name(
    provider: AwsProvider, token: str, path: str, without: dict[str, Any]
) -> None:
    answer = reasons(check(provider, token, {**PROGRAMS[token], **without}))
    assert f"Examine values at 'web.{path}'." in answer


def test_a_user_without_a_name_is_refused_where_the_stack_switched_naming_off(provider: AwsProvider) -> None:
    answer = check(provider, USER, {}, naming=Naming(mode="disable"))
    assert 'The argument "name" is required' in reasons(answer)


def test_ec2_takes_any_character_in_a_tag(provider: AwsProvider) -> None:
    assert check(provider, EIP, {"tags": {"a": "1,2"}}).failures == ()


def test_an_elastic_ip_requires_nothing(provider: AwsProvider) -> None:
    assert check(provider, EIP, {}).failures == ()


WRONG_VALUES = [
    (INGRESS, {"fromPort": 70000}, "expected to be in the range (-1 - 65535), got 70000"),
    (INGRESS, {"cidrIpv4": "10.0.0.1/8"}, "is not a valid IPv4 CIDR block"),
    (INGRESS, {"cidrIpv6": "::/0"}, "only one of `cidr_ipv4,cidr_ipv6"),
    (INGRESS, {"ipProtocol": "http"}, "expected tcp, udp"),
    (INGRESS, {"description": "caf\u00e9"}, "does not match"),
    (EIP, {"tags": {"aws:x": "1"}}, "reserved"),
    (EIP, {"tags": {"a" * 129: "1"}}, "a tag key has at most 128 characters"),
    (TARGETS, {"tags": {"a": "1,2"}}, "a tag value has at most 256 letters"),
    (GROUP, {"name": "sg-mine"}, "does not match"),
    (GROUP, {"description": "a|b"}, "does not match"),
    (GROUP, {"name": "a", "namePrefix": "b"}, '"name": conflicts with name_prefix'),
    (BALANCER, {"name": "x" * 33}, "does not match"),
    (BALANCER, {"name": "internal-web"}, "does not match"),
    (BALANCER, {"loadBalancerType": "nlb"}, "expected one of application, network, gateway"),
    (BALANCER, {"subnets": ["subnet-1"]}, "only one of `subnet_mapping"),
    (TARGETS, {"name": "a_b"}, "does not match"),
    (TARGETS, {"protocol": "tcp"}, "expected one of HTTP"),
    (TARGETS, {"deregistrationDelay": 3601}, "(0 - 3600)"),
    (TARGETS, {"slowStart": 10}, "(0 - 0) or (30 - 900)"),
    (TARGETS, {"healthCheck": {"interval": 4}}, "(5 - 300)"),
    (TARGETS, {"healthCheck": {"healthyThreshold": 1}}, "(2 - 10)"),
    (TARGETS, {"healthCheck": {"port": "http"}}, '"traffic-port"'),
    (TARGETS, {"healthCheck": {"path": "ping"}}, "does not match ^/"),
    (TARGETS, {"healthCheck": {"protocol": "TCP", "path": "/"}}, 'health_check[0].protocol" is "TCP"'),
    (TARGETS, {"healthCheck": {"protocol": "tcp", "matcher": "200"}}, "health_check[0].matcher"),
    (TARGETS, {"healthCheck": {"interval": 5, "timeout": 6}}, "must be smaller than or equal"),
    (TARGETS, {"protocol": "HTTP", "healthCheck": {"protocol": "TCP"}}, 'cannot have value "TCP"'),
    (LISTENER, {"port": 0}, "(1 - 65535)"),
    (LISTENER, {"loadBalancerArn": "web"}, "is an invalid ARN"),
    (POLICY, {"policy": "[]"}, "invalid JSON policy"),
    (POLICY, {"policy": "{"}, "invalid JSON policy"),
    (KEY, {"status": "active"}, "expected one of Active, Inactive"),
    (USER, {"name": "a b"}, "does not match"),
    (USER, {"path": "nlb"}, "does not match"),
    (POLICY, {"policy": '{"Sid": "' + "x" * 2048 + '"}'}, "AWS takes 2048"),
]


@pytest.mark.parametrize(("token", "wrong", "words"), WRONG_VALUES)
def test_a_value_the_official_provider_refuses_is_refused(
    provider: AwsProvider, token: str, wrong: dict[str, Any], words: str
) -> None:
    assert words in reasons(check(provider, token, {**PROGRAMS[token], **wrong}))


UNSUPPORTED = [
    (BALANCER, {"connectionLogs": {"bucket": "b"}}, "connectionLogs"),
    (LISTENER, {"mutualAuthentication": {"mode": "verify"}}, "mutualAuthentication"),
    (LISTENER, {"routingHttpResponseServerEnabled": True}, "routingHttpResponseServerEnabled"),
    (
        LISTENER,
        {"defaultActions": [{"type": "redirect", "redirect": {"statusCode": "HTTP_301"}}]},
        "defaultActions[0].redirect",
    ),
    (KEY, {"pgpKey": "keybase:me"}, "pgpKey"),
]


@pytest.mark.parametrize(("token", "more", "path"), UNSUPPORTED)
def test_what_the_stand_in_cannot_do_is_refused_and_not_ignored(
    provider: AwsProvider, token: str, more: dict[str, Any], path: str
) -> None:
    answer = reasons(check(provider, token, {**PROGRAMS[token], **more}))
    assert "is not supported by the offline provider" in answer
    assert f"Examine values at 'web.{path}'." in answer


def test_every_routing_attribute_of_the_sdk_is_in_the_table() -> None:
    routing = {name for name in shapes()[LISTENER].inputs if name.startswith("routingHttp")}
    assert routing == {name for name in RULES[LISTENER] if name.startswith("routingHttp")}


def test_what_is_not_known_yet_is_left_alone(provider: AwsProvider) -> None:
    program = {**PROGRAMS[TARGETS], "vpcId": UNKNOWN, "healthCheck": {"port": UNKNOWN, "path": "/ping"}}
    checked = check(provider, TARGETS, program)
    assert checked.failures == ()
    assert checked.inputs["healthCheck"]["port"] is UNKNOWN


def test_defaults_are_the_official_ones_at_every_level(provider: AwsProvider) -> None:
    inputs = check(provider, TARGETS, PROGRAMS[TARGETS]).inputs
    assert inputs["deregistrationDelay"] == 300
    assert inputs["targetType"] == "instance"
    assert inputs["region"] == "eu-central-1"
    check_of = inputs["healthCheck"]
    assert (check_of["protocol"], check_of["interval"]) == ("HTTP", 30)
    assert (check_of["healthyThreshold"], check_of["unhealthyThreshold"]) == (3, 3)
    assert "timeout" not in check_of


def test_a_name_is_the_logical_one_and_seven_hex_digits_and_stays(provider: AwsProvider) -> None:
    first = check(provider, TARGETS, PROGRAMS[TARGETS]).inputs
    again = check(provider, TARGETS, PROGRAMS[TARGETS], first, naming=Naming(seed=b"other")).inputs
    assert first["name"].startswith("web-")
    assert len(first["name"]) == len("web-") + 7
    assert again["name"] == first["name"]
    replaced = check(provider, TARGETS, PROGRAMS[TARGETS], naming=Naming(seed=b"other")).inputs
    assert replaced["name"] != first["name"]


def test_a_logical_name_too_long_for_a_load_balancer_is_refused(provider: AwsProvider) -> None:
    answer = check(provider, BALANCER, PROGRAMS[BALANCER], name="a-load-balancer-of-26-chars")
    assert "is longer than maximum length 32" in reasons(answer)


def test_a_security_group_with_the_logical_name_sg_is_refused(provider: AwsProvider) -> None:
    assert "does not match" in reasons(check(provider, GROUP, PROGRAMS[GROUP], name="sg"))


def test_a_name_prefix_keeps_the_logical_name_out(provider: AwsProvider) -> None:
    assert "name" not in check(provider, GROUP, {**PROGRAMS[GROUP], "namePrefix": "web-"}).inputs


def test_autonaming_of_the_stack_is_obeyed(provider: AwsProvider) -> None:
    naming = Naming(mode="enforce", proposed="web-dev")
    assert check(provider, GROUP, PROGRAMS[GROUP], naming=naming).inputs["name"] == "web-dev"


def test_a_policy_may_be_an_object(provider: AwsProvider) -> None:
    inputs = check(provider, POLICY, {"user": "u", "policy": {"Version": "2012-10-17"}}).inputs
    assert inputs["policy"] == '{"Version":"2012-10-17"}'


def test_secrets_stay_secret_through_check_and_in_all_tags(provider: AwsProvider) -> None:
    program = {**PROGRAMS[EIP], "tags": {"owner": Secret("me")}}
    inputs = check(provider, EIP, program).inputs
    assert has_secret(inputs["tags"])
    assert has_secret(inputs["tagsAll"])
    assert reveal(inputs["tagsAll"]) == {"owner": "me"}


@pytest.mark.parametrize("wrong", [Secret(["hunter2"]), Secret("hunter2"), {"a": Secret("hunter2,")}])
def test_no_message_quotes_a_secret(provider: AwsProvider, wrong: Any) -> None:
    for key in ("port", "tags", "name"):
        answer = reasons(check(provider, TARGETS, {**PROGRAMS[TARGETS], key: wrong}))
        assert "hunter2" not in answer
        if key != "name" or wrong != Secret("hunter2"):
            assert f"Examine values at 'web.{key}" in answer


def test_an_unlisted_type_fails_by_its_name(provider: AwsProvider) -> None:
    with pytest.raises(
        ProviderError, match="aws:s3/bucket:Bucket: not supported by the offline AWS provider"
    ):
        check(provider, "aws:s3/bucket:Bucket", {})


def test_an_unlisted_function_fails_by_its_name(provider: AwsProvider) -> None:
    with pytest.raises(ProviderError, match="aws:ec2/getVpc:getVpc"):
        provider.invoke("aws:ec2/getVpc:getVpc", {})


def test_a_function_refuses_an_unknown_argument(provider: AwsProvider) -> None:
    answer = provider.invoke("aws:ec2/getEips:getEips", {"colour": "red"})
    assert "Invalid or unknown key" in answer.failures[0].reason


@pytest.mark.parametrize("token", RESOURCES)
def test_the_table_names_only_properties_that_the_sdk_has(token: str) -> None:
    shape = shapes()[token]
    top = Type("object", properties=shape.inputs)
    for path, rule in RULES[token].items():
        assert rule.source
        if not rule.sensitive:
            assert _type_at(top, path.split(".")), path


@pytest.mark.parametrize("token", RESOURCES)
def test_the_table_requires_what_the_sdk_requires(token: str) -> None:
    required = {path for path, rule in RULES[token].items() if rule.required and "." not in path}
    assert required - {"name"} == shapes()[token].required - {"name"}


@pytest.mark.parametrize("token", RESOURCES)
def test_secret_outputs_of_the_sdk_are_sensitive(token: str) -> None:
    sensitive = {path for path, rule in RULES[token].items() if rule.sensitive}
    assert sensitive == set(shapes()[token].secrets)


def _type_at(kind: Type | None, path: list[str]) -> Type | None:
    for part in path:
        kind = kind.item if kind and kind.kind == "list" else kind
        if kind is None or (part == "*" and kind.kind == "string"):
            return kind
        kind = kind.properties.get(part)
    return kind
