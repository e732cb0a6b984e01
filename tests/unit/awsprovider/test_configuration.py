"""What the provider takes as its own configuration."""

import pytest

from sandbox.plugins.aws import config
from sandbox.plugins.aws.names import prefix_of, unique
from sandbox.plugins.aws.provider import AwsProvider
from sandbox.plugins.provider import Naming, ProviderError, Resource
from sandbox.plugins.values import UNKNOWN

DEFAULT = Resource(
    "urn:pulumi:t::p::pulumi:providers:aws::default_7_51_1", "pulumi:providers:aws", "default_7_51_1"
)
OWN = Resource("urn:pulumi:t::p::pulumi:providers:aws::mine", "pulumi:providers:aws", "mine")


@pytest.fixture(autouse=True)
def _no_region_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)


def _reasons(resource: Resource, **news: object) -> list[str]:
    checked = AwsProvider().check_config(resource, {"region": "eu-central-1", **news}, {})
    return [failure.reason for failure in checked.failures]


def test_the_sandbox_configuration_is_accepted() -> None:
    endpoints = '[{"ec2": "http://127.0.0.1:1", "elasticloadbalancingv2": "http://127.0.0.1:1", "iam": "x"}]'
    assert _reasons(DEFAULT, endpoints=endpoints, skipMetadataApiCheck="true", version="7.51.1") == []


def test_an_unknown_key_is_refused_and_says_where_it_is_set() -> None:
    assert "Check `pulumi config get aws:colour`" in _reasons(DEFAULT, colour="red")[0]
    assert "Examine values at 'mine.colour'" in _reasons(OWN, colour="red")[0]


def test_an_endpoint_of_a_service_that_aws_does_not_have_is_refused() -> None:
    assert "Invalid or unknown key ec3" in _reasons(DEFAULT, endpoints='[{"ec3": "http://127.0.0.1:1"}]')[0]


@pytest.mark.parametrize(("key", "value"), [("skipRegionValidation", "maybe"), ("maxRetries", "few")])
def test_a_mistyped_key_is_refused(key: str, value: str) -> None:
    assert "is required" in _reasons(DEFAULT, **{key: value})[0]


def test_what_the_stand_in_cannot_do_is_refused_and_not_ignored() -> None:
    roles = '[{"roleArn": "arn:aws:iam::123456789012:role/x"}]'
    assert "the offline provider does not support this" in _reasons(DEFAULT, assumeRoles=roles)[0]
    assert "the offline provider does not support this" in _reasons(DEFAULT, useFipsEndpoint="true")[0]
    assert _reasons(DEFAULT, useFipsEndpoint="false") == []


def test_a_missing_region_says_how_to_set_it() -> None:
    assert "pulumi config set aws:region" in _reasons(DEFAULT, region=None)[0]


def test_the_region_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    checked = AwsProvider().check_config(DEFAULT, {}, {})
    assert checked.failures == ()
    assert checked.inputs["region"] == "eu-west-1"


def test_configuration_that_a_preview_does_not_know_is_not_refused() -> None:
    assert _reasons(OWN, endpoints=UNKNOWN, accessKey=UNKNOWN) == []


def test_endpoints_reach_the_client_of_their_service() -> None:
    parsed = config.parse({"region": "x", "endpoints": '[{"elbv2": "http://a"}, {"iam": "http://b"}]'})
    assert parsed.access.endpoints == {"elbv2": "http://a", "iam": "http://b"}


def test_default_tags_are_on_every_resource_and_yield_to_its_own() -> None:
    provider = AwsProvider()
    provider.configure(
        {
            "region": "eu-central-1",
            "skipCredentialsValidation": "true",
            "skipRequestingAccountId": "true",
            "defaultTags": '{"tags": {"team": "edge", "stage": "dev"}}',
        }
    )
    eip = Resource("urn:pulumi:t::p::aws:ec2/eip:Eip::a", "aws:ec2/eip:Eip", "a")
    inputs = provider.check(eip, {"tags": {"stage": "prod"}}, {}, Naming()).inputs
    assert inputs["tagsAll"] == {"team": "edge", "stage": "prod"}
    assert inputs["tags"] == {"stage": "prod"}


def test_a_provider_that_was_not_configured_says_so() -> None:
    eip = Resource("urn:pulumi:t::p::aws:ec2/eip:Eip::a", "aws:ec2/eip:Eip", "a")
    with pytest.raises(ProviderError, match="not configured"):
        AwsProvider().create(eip, {"tagsAll": {}}, preview=False, timeout_s=0)


def test_a_made_name_gives_its_prefix_back() -> None:
    name = unique("web-")
    assert len(name) == len("web-") + 26
    assert prefix_of(name) == "web-"
    assert prefix_of("web-1234567") == ""
    assert unique("a") != unique("a")
