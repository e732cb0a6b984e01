"""Check that ACM has issued the certificates of TLS listeners.

The AWS provider finds a certificate by its domain and not by its ARN, so ACM is read with boto3. boto3 has
the credentials of the default AWS provider alone: a certificate beside a provider resource is not read.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import pulumi

from .keys import Settings
from .policy import region_of
from .problems import Problem
from .reads import Reading

_ACTION: Final = "acm:DescribeCertificate"
_CHECK: Final = "whether the certificates of listeners are issued"
_ISSUED: Final = "ISSUED"
_PENDING: Final = "PENDING_VALIDATION"
_ABSENT: Final = "ResourceNotFoundException"
# Credentials and endpoints of `aws:` that boto3 does not read from the configuration.
_ELSEWHERE: Final = ("assumeRoles", "assumeRoleWithWebIdentity", "endpoints", "sharedCredentialsFiles")
_TIMEOUT_S: Final = 5


def unissued_certificates(settings: Settings, reading: Reading) -> Iterator[Problem]:
    """Report certificates that ACM lacks or has not issued, as far as they can be read."""
    wanted = [
        (f"listeners[{index}].certificateArns[{number}]", arn)
        for index, item in enumerate(settings.listeners)
        for number, arn in enumerate(item.certificate_arns)
        if isinstance(arn, str) and ":acm:" in arn  # not of IAM
    ]
    if not wanted or reading.options.provider is not None:
        return
    try:
        acm = client(region_of(wanted[0][1]))
    except Exception as error:  # noqa: BLE001 (boto3 has no class for all errors of a configuration)
        return _unread(error)
    allowed = "a certificate with the status ISSUED in ACM"
    for path, arn in wanted if acm else ():
        try:
            found = reading.attempt(_ACTION, _CHECK, partial(_status, acm, arn))
        except Exception as error:  # noqa: BLE001 (boto3's errors of connections and of answers)
            if _ABSENT not in str(error):
                return _unread(error)
            fix = "list them with: aws acm list-certificates"
            yield Problem(path, f"{arn}, which does not exist", allowed, fix)
            continue
        if found == _PENDING:
            fix = (
                "create the records of the certificate's validation, and repeat the command once it is issued"
            )
            yield Problem(path, f"{arn} with the status {found}", allowed, fix)
        elif found not in {None, _ISSUED}:
            fix = "give a certificate that is issued"
            yield Problem(path, f"{arn} with the status {found}", allowed, fix)


def client(region: str) -> Any:
    """Return a client of ACM with the default provider's credentials; None where boto3 has others."""
    import boto3  # noqa: PLC0415 (half a second of CPU, for TLS listeners alone)
    from botocore.config import Config  # noqa: PLC0415

    config = pulumi.Config("aws")
    if any(config.get(key) for key in _ELSEWHERE):
        return None
    session: Any = boto3.Session(
        profile_name=config.get("profile"),
        aws_access_key_id=config.get("accessKey"),
        aws_secret_access_key=config.get("secretKey"),
        aws_session_token=config.get("token"),
    )
    limits = Config(connect_timeout=_TIMEOUT_S, read_timeout=_TIMEOUT_S, retries={"total_max_attempts": 2})
    return session.client("acm", region_name=region, config=limits)


def _status(acm: Any, arn: str, *, opts: pulumi.InvokeOptions) -> str:
    del opts
    return str(acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"])


def _unread(error: Exception) -> None:
    """Log why certificates are not checked; AWS refuses a wrong one with the listener."""
    pulumi.log.debug(f"certificates are not checked: {' '.join(str(error).split())}")
