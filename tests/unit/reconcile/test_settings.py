"""The environment: one table, one record, one line for each thing that is wrong."""

import re
from pathlib import Path

import pytest

from syncer.config.settings import TABLE, GroupSettings, ServicePort, as_help, as_markdown, load
from syncer.config.variables import Setting
from syncer.decide.policy import LEAVING_TAINTS, Ownership
from syncer.elb.arn import parse_arn
from syncer.errors import MisconfiguredError
from tests.simulation.world import HTTP, HTTPS

ONE = {"NLB_SYNC_TARGET_GROUPS": str(HTTP)}
DOCS = Path(__file__).parents[3] / "docs" / "settings.md"


def test_the_documentation_holds_the_table_as_the_code_has_it() -> None:
    table = as_markdown()
    assert table in DOCS.read_text(), f"replace the table in docs/settings.md by:\n{table}"


def test_help_names_every_variable() -> None:
    assert all(row.name in as_help() for row in TABLE)


def test_each_group_says_where_its_port_comes_from() -> None:
    settings = load({"NLB_SYNC_TARGET_GROUPS": f"{HTTP}=ns/svc:http, {HTTPS}=:30443"})
    assert [each.group.arn for each in settings.groups] == [HTTP, HTTPS]
    assert [each.port for each in settings.groups] == [ServicePort("ns/svc", "http"), 30443]
    assert [each.port for each in load(ONE).groups] == [None]


def test_groups_that_are_none_are_told_as_they_were_read() -> None:
    with pytest.raises(
        MisconfiguredError, match=r"^NLB_SYNC_TARGET_GROUPS is ',' \(missing target group ARN\); allowed"
    ):
        load({"NLB_SYNC_TARGET_GROUPS": ","})


def test_the_arn_names_region_and_partition() -> None:
    arn = str(HTTP).replace("arn:aws:", "arn:aws-cn:").replace("eu-central-1", "cn-north-1")
    group = load({"NLB_SYNC_TARGET_GROUPS": arn}).groups[0].group
    assert (group.partition, group.region) == ("aws-cn", "cn-north-1")


@pytest.mark.parametrize(
    ("partition", "region"),
    [
        ("aws-us-gov", "us-gov-west-1"),
        ("aws-iso-e", "eu-isoe-west-1"),
        ("aws-eusc", "eusc-de-east-1"),
        ("aws", "ap-southeast-7"),
    ],
)
def test_the_arn_of_every_partition_is_read(partition: str, region: str) -> None:
    group = parse_arn(
        f"arn:{partition}:elasticloadbalancing:{region}:123456789012:targetgroup/http/0123456789abcdef"
    )
    assert (group.partition, group.region) == (partition, region)


def test_the_predecessors_names_keep_working() -> None:
    settings = load(
        {
            "AWS_ACCESS_KEY": "AKIA",
            "AWS_SECRET_KEY": "hidden",
            "NLB_SYNC_TARGETGROUPARNS": f"{HTTP},{HTTPS}",
            "NLB_SYNC_LABELFILTERKEY": "role",
            "NLB_SYNC_LABELFILTERVALUE": "edge",
            "NLB_SYNC_AWSREGION": "eu-west-1",
            "NLB_SYNC_PORT": "9090",
            "NLB_SYNC_PROMETHEUS": "false",
        }
    )
    assert [each.group.arn for each in settings.groups] == [HTTP, HTTPS]
    assert settings.node_selector.matches({"role": "edge"})
    assert not settings.node_selector.matches({"role": "other"})
    assert (settings.access_key, settings.secret_key, settings.port) == ("AKIA", "hidden", 9090)
    assert not settings.metrics
    assert settings.groups[0].group.region == "eu-central-1"


@pytest.mark.parametrize("half", ["NLB_SYNC_LABELFILTERKEY", "NLB_SYNC_LABELFILTERVALUE"])
def test_half_a_label_filter_filters_nothing(half: str) -> None:
    assert load({**ONE, half: "role"}).node_selector.matches({})


SENT = "NLB_SYNC_SERVER_SIDE_SELECTOR"


def test_the_selector_is_sent_to_the_api_server_only_by_the_setting() -> None:
    selector = {"NLB_SYNC_NODE_SELECTOR": "pool = web, !spot"}
    assert load({**ONE, **selector}).sent_selector == ""
    assert load({**ONE, **selector, SENT: "false"}).sent_selector == ""
    assert load({**ONE, **selector, SENT: "true"}).sent_selector == "pool in (web),!spot"


def test_the_predecessors_label_filter_is_sent_too() -> None:
    halves = {"NLB_SYNC_LABELFILTERKEY": "role", "NLB_SYNC_LABELFILTERVALUE": "edge"}
    assert load({**ONE, **halves, SENT: "1"}).sent_selector == "role in (edge)"


@pytest.mark.parametrize("others", [{}, {"NLB_SYNC_NODE_SELECTOR": " "}, {"NLB_SYNC_LABELFILTERKEY": "role"}])
def test_no_selector_to_send_is_refused_lest_every_node_be_read(others: dict[str, str]) -> None:
    with pytest.raises(MisconfiguredError) as refused:
        load({**ONE, **others, SENT: "true"})
    assert str(refused.value) == (
        f"NLB_SYNC_NODE_SELECTOR is not set, but {SENT} is true; allowed: a label selector, or {SENT}=false"
    )
    assert load({**ONE, **others, SENT: "false"}).sent_selector == ""


def test_the_new_name_of_the_groups_wins_over_the_old_one() -> None:
    settings = load({**ONE, "NLB_SYNC_TARGETGROUPARNS": str(HTTPS)})
    assert settings.groups == (GroupSettings(settings.groups[0].group),)
    assert settings.groups[0].group.arn == HTTP


def test_it_listens_on_every_address_in_a_pod_and_on_loopback_elsewhere() -> None:
    assert load(ONE).address == "127.0.0.1"
    assert load({**ONE, "KUBERNETES_SERVICE_HOST": "10.0.0.1"}).address == ""
    chosen = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "NLB_SYNC_ADDRESS": "127.64.16.3"}
    assert load({**ONE, **chosen}).address == "127.64.16.3"


@pytest.mark.parametrize("service", ["NLB_SYNC", "NLB_SYNC_METRICS"])
def test_service_links_of_a_service_that_is_called_like_us_are_no_settings(service: str) -> None:
    links = {
        f"{service}_SERVICE_HOST": "10.0.0.9",
        f"{service}_SERVICE_PORT": "8080",
        f"{service}_SERVICE_PORT_HTTP": "8080",
        f"{service}_PORT": "tcp://10.0.0.9:8080",
        f"{service}_PORT_8080_TCP": "tcp://10.0.0.9:8080",
        f"{service}_PORT_8080_TCP_ADDR": "10.0.0.9",
    }
    assert load({**ONE, **links}).port == 8080


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_an_empty_variable_counts_as_not_set(row: Setting) -> None:
    if row.name != "NLB_SYNC_TARGET_GROUPS":
        assert load({**ONE, row.name: " "}) == load(ONE)


def bounds(row: Setting) -> tuple[float, float] | None:
    found = re.fullmatch(r"(\d+) to (\d+)", row.allowed)
    return (float(found[1]), float(found[2])) if found else None


@pytest.mark.parametrize("row", [row for row in TABLE if bounds(row)], ids=lambda row: row.name)
def test_each_number_is_taken_up_to_its_bounds_and_refused_beyond(row: Setting) -> None:
    low, high = bounds(row) or (0, 0)
    for text in (f"{low:g}", f"{high:g}"):
        assert getattr(load({**ONE, row.name: text}), row.field) == float(text)
    for text in (f"{low - 1:g}", f"{high + 1:g}", "nan", "inf", "-", "ten"):
        with pytest.raises(MisconfiguredError) as raised:
            load({**ONE, row.name: text})
        said = f"{row.name} is {text!r}; allowed: {row.allowed} {row.unit}".strip()
        assert str(raised.value) == said


def test_spaces_and_line_breaks_around_the_groups_do_no_harm() -> None:
    settings = load({"NLB_SYNC_TARGET_GROUPS": f"\n {HTTP} = ns/svc:http ,\n{HTTPS}=:30443,\n"})
    assert settings == load({"NLB_SYNC_TARGET_GROUPS": f"{HTTP}=ns/svc:http,{HTTPS}=:30443"})


def test_the_taints_of_the_default_are_taints() -> None:
    assert load(ONE).leaving_taints == LEAVING_TAINTS


def test_ownership_is_tracked_unless_said_otherwise() -> None:
    assert load(ONE).plan_policy.ownership is Ownership.TRACKED
    assert load({**ONE, "NLB_SYNC_OWNERSHIP": "exclusive"}).plan_policy.ownership is Ownership.EXCLUSIVE


def test_the_secret_key_is_not_in_the_settings_repr() -> None:
    settings = load({**ONE, "AWS_ACCESS_KEY": "AKIA", "AWS_SECRET_KEY": "hidden"})
    assert "hidden" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("NLB_SYNC_TARGET_GROUPS", "", "is not set"),
        ("NLB_SYNC_TARGET_GROUPS", "arn:aws:s3:::bucket", "is not the ARN of a target group"),
        ("NLB_SYNC_TARGET_GROUPS", f"{HTTP},{HTTP}=:80", "duplicate ARN"),
        ("NLB_SYNC_TARGET_GROUPS", f"{HTTP}=svc:http", "is not namespace/service:port"),
        ("NLB_SYNC_TARGET_GROUPS", f"{HTTP}=:99999", "is not a port from 1 to 65535"),
        ("NLB_SYNC_TARGET_GROUPS", f"{HTTP}=", "'' after http is not namespace/service:port"),
        (
            "NLB_SYNC_TARGET_GROUPS",
            f"{HTTP},{str(HTTP).replace('/http/', '/web/')}",
            "are the same target group",
        ),
        ("NLB_SYNC_TARGET_GROUPS", str(HTTP).upper(), "is not the ARN of a target group"),
        ("NLB_SYNC_TARGET_GROUP", str(HTTP), "did you mean NLB_SYNC_TARGET_GROUPS?"),
        ("NLB_SYNC_LEAVING_TAINTS", "gone=true:NoSchedule", "'gone=true:NoSchedule' is not a taint key"),
        ("NLB_SYNC_LEAVING_TAINTS", "gone*", "'gone*' is not a taint key"),
        ("NLB_SYNC_ZONES", "eu-central-1a;eu-central-1b", "is not an availability zone name"),
        ("NLB_SYNC_NAMESPACE", "Ingress", "is 'Ingress'; allowed: a Kubernetes namespace"),
        ("NLB_SYNC_NAME", "-x", "is '-x'; allowed: a Kubernetes object's name"),
        ("NLB_SYNC_NODE_SELECTOR", "a in (", "allowed: a Kubernetes label selector"),
        ("NLB_SYNC_OWNERSHIP", "mine", "is 'mine'; allowed: tracked, exclusive, add-only"),
        ("NLB_SYNC_PAUSED", "perhaps", "is 'perhaps'; allowed: true, false"),
        ("NLB_SYNC_READ_SECONDS", "1", "is '1'; allowed: 5 to 300"),
        ("NLB_SYNC_READ_SECONDS", "soon", "is 'soon'; allowed: 5 to 300"),
        ("NLB_SYNC_PORT", "0", "is '0'; allowed: 1 to 65535"),
        ("NLB_SYNC_LOG_LEVEL", "loud", "is 'loud'; allowed: debug, info, warning, error"),
        ("NLB_SYNC_OWNERSHP", "exclusive", "is not a setting"),
        (
            "NLB_SYNC_SOMETHING_ELSE",
            "x",
            "is not a setting; allowed: the variables in `python -m syncer run --help`",
        ),
        ("AWS_ACCESS_KEY", "AKIA", "AWS_SECRET_KEY is not set, but AWS_ACCESS_KEY is"),
        ("AWS_SECRET_KEY", "hidden", "AWS_ACCESS_KEY is not set, but AWS_SECRET_KEY is"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_the_variable(name: str, value: str, says: str) -> None:
    with pytest.raises(MisconfiguredError) as raised:
        load({**ONE, name: value})
    assert name in str(raised.value)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)
