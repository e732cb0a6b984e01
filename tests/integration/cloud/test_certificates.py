"""Certificates of ACM: the cloud refuses them in listeners, and the program before the first resource."""

from typing import Any

import boto3
import pulumi
import pytest

from infra.certificates import unissued_certificates
from infra.reads import Reading
from infra.settings import read
from sandbox.layout import REGION
from tests.integration.cloud.world import Cloud, refusal
from tests.unit.infra.test_settings import MINIMAL

ABSENT = "arn:aws:acm:eu-central-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"


@pytest.fixture
def pending(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> str:
    """The ARN of a requested certificate, with the environment of a deployer."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "sandbox")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sandbox")
    acm: Any = boto3.client("acm", region_name=REGION)
    arn: str = acm.request_certificate(DomainName="a.example.com", ValidationMethod="DNS")["CertificateArn"]
    return arn


def test_a_listener_needs_an_issued_certificate(cloud: Cloud, pending: str) -> None:
    actions: Any = [{"Type": "forward", "TargetGroupArn": cloud.group()}]
    wanted: Any = {"LoadBalancerArn": cloud.balancer(), "Port": 443, "DefaultActions": actions}
    for arn, expected in ((pending, "UnsupportedCertificate"), (ABSENT, "CertificateNotFound")):
        certificates: Any = [{"CertificateArn": arn}]
        code, text = refusal(cloud.elb.create_listener, Protocol="TLS", Certificates=certificates, **wanted)
        assert code == expected
        assert arn in text


def test_the_program_reads_the_status(pending: str) -> None:
    item = {"name": "tls", "port": 443, "servicePort": "http", "protocol": "TLS"}
    settings = read({**MINIMAL, "listeners": [{**item, "certificateArns": [pending, ABSENT]}]}, REGION)
    found = [each.read for each in unissued_certificates(settings, Reading(pulumi.InvokeOptions()))]
    assert found == [f"{pending} with the status PENDING_VALIDATION", f"{ABSENT}, which does not exist"]
