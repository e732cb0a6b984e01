"""Certificates of TLS listeners, compared with ACM before the first resource."""

import logging

import pytest

from infra.problems import SettingsError
from tests.program.test_listeners import ARNS, HTTP, SECURE, listeners
from tests.program.world import Cloud, Config, RunProgram

PATH = "listeners[1].certificateArns[1]"


@pytest.fixture(autouse=True)
def tls(config: Config) -> None:
    listeners(config, HTTP, SECURE)


ALLOWED = "allowed: a certificate with the status ISSUED in ACM"


@pytest.mark.parametrize(
    ("status", "read", "fix"),
    [
        ("", "which does not exist", "list them with: aws acm list-certificates"),
        (
            "PENDING_VALIDATION",
            "with the status PENDING_VALIDATION",
            "create the records of the certificate's validation, and repeat the command once it is issued",
        ),
        ("EXPIRED", "with the status EXPIRED", "give a certificate that is issued"),
    ],
)
def test_a_certificate_that_is_not_issued_is_one_line(
    run_program: RunProgram, cloud: Cloud, status: str, read: str, fix: str
) -> None:
    cloud.certificates[ARNS[1]] = status
    with pytest.raises(SettingsError) as refused:
        run_program(preview=True)
    assert run_program.last.resources == []
    gap = "" if status else ","
    line = f"node-nlb-sync:{PATH}: read {ARNS[1]}{gap} {read}; {ALLOWED}; fix: {fix}"
    assert str(refused.value) == line


def test_every_certificate_is_read(run_program: RunProgram, cloud: Cloud) -> None:
    cloud.certificates.update(dict.fromkeys(ARNS, "FAILED"))
    with pytest.raises(SettingsError) as refused:
        run_program(preview=True)
    assert len(str(refused.value).split("\n")) == len(ARNS)


def test_a_denied_read_is_one_warning(
    run_program: RunProgram, cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.denied = {"acm:DescribeCertificate"}
    with caplog.at_level(logging.WARNING):
        run_program(fresh=True)
    (line,) = [each for each in caplog.messages if "acm" in each]
    assert (
        "not checked: whether the certificates of listeners are issued; allow acm:DescribeCertificate" in line
    )


def test_an_unreachable_acm_is_no_problem(run_program: RunProgram, cloud: Cloud) -> None:
    cloud.unreachable = True
    assert run_program(preview=True).resources


def test_a_certificate_of_iam_is_not_read(run_program: RunProgram, config: Config, cloud: Cloud) -> None:
    of_iam = "arn:aws:iam::123456789012:server-certificate/web"
    listeners(config, HTTP, {**SECURE, "certificateArns": [of_iam]})
    cloud.certificates[of_iam] = ""
    assert run_program(preview=True).resources
