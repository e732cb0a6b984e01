"""Check boto3's own variables before botocore reads them: botocore's errors do not name the variable.

The module imports no SDK, so that a stack can check the variables of a future Pod.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from syncer.errors import MisconfiguredError
from syncer.text.hosts import is_url
from syncer.text.numbers import port, whole
from syncer.text.quote import quoted
from syncer.text.regular_file import NoFileError, refuse_no_file

# The first variable that is set counts ("Service-specific endpoints" of the AWS SDKs reference guide).
ENDPOINT_VARIABLES: Final = ("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2", "AWS_ENDPOINT_URL")

_FILES: Final = (
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",  # read by botocore where AWS_CA_BUNDLE is not set
)
# AWS's form of a session's name (API reference, AssumeRoleWithWebIdentity).
_SESSION_NAME: Final = re.compile(r"[A-Za-z0-9_+=,.@-]{2,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsVariable:
    """A variable of botocore; `parse` raises ValueError for values that botocore or AWS refuses."""

    allowed: str
    parse: Callable[[str], Any]


def _url(example: str) -> AwsVariable:
    return AwsVariable(allowed=f"a URL such as {example}", parse=_endpoint)


def _endpoint(text: str) -> None:
    """Refuse invalid endpoints of botocore, also host names with `_`, which DNS allows."""
    if not is_url(text) or "_" in (urlsplit(text).hostname or "").partition("%")[0]:
        raise ValueError


def _choice(*allowed: str, exact: bool = False) -> AwsVariable:
    """Return a variable with one of `allowed`; botocore ignores the case of most variables."""

    def parse(text: str) -> None:
        if (text if exact else text.lower()) not in allowed:
            raise ValueError

    return AwsVariable(allowed=", ".join(allowed), parse=parse)


def _whole(low: int, high: int, unit: str = "") -> AwsVariable:
    allowed = f"{low} to {high}{unit}"
    return AwsVariable(allowed=allowed, parse=lambda text: whole(text, low, high))


def _moment(text: str) -> None:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError


def _session_name(text: str) -> None:
    if not _SESSION_NAME.fullmatch(text):
        raise ValueError


_REGIONAL: Final = _choice("legacy", "regional", exact=True)
_CHECKSUMS: Final = _choice("when_supported", "when_required")

# Variables of botocore/configprovider.py and botocore/credentials.py. Most wrong values end every call, also
# a value for another service. The syncer itself sets the number of attempts.
VARIABLES: Final[Mapping[str, AwsVariable]] = {
    **dict.fromkeys(ENDPOINT_VARIABLES, _url("https://elasticloadbalancing.eu-central-1.amazonaws.com")),
    "AWS_ENDPOINT_URL_STS": _url("https://sts.eu-central-1.amazonaws.com"),
    "AWS_EC2_METADATA_SERVICE_ENDPOINT": _url("http://169.254.169.254"),
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": _choice("ipv4", "ipv6"),
    "AWS_METADATA_SERVICE_TIMEOUT": _whole(1, 3600, " s"),
    "AWS_METADATA_SERVICE_NUM_ATTEMPTS": _whole(0, 1000),
    "AWS_MAX_ATTEMPTS": _whole(1, 1000),
    "AWS_RETRY_MODE": _choice("legacy", "standard", "adaptive"),
    "AWS_DEFAULTS_MODE": _choice("legacy", "auto", "standard", "in-region", "cross-region", "mobile"),
    "AWS_STS_REGIONAL_ENDPOINTS": _REGIONAL,
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": _choice("preferred", "disabled", "required"),
    "AWS_REQUEST_CHECKSUM_CALCULATION": _CHECKSUMS,
    "AWS_RESPONSE_CHECKSUM_VALIDATION": _CHECKSUMS,
    "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES": _whole(1, 1_048_576),
    "AWS_CSM_PORT": AwsVariable(allowed="1 to 65535", parse=port),
    "AWS_S3_DISABLE_EXPRESS_SESSION_AUTH": _choice("true", "false"),
    "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT": _REGIONAL,
    "AWS_ROLE_SESSION_NAME": AwsVariable(allowed="2 to 64 letters, digits and _+=,.@-", parse=_session_name),
    "AWS_CREDENTIAL_EXPIRATION": AwsVariable(
        allowed="a time with its zone such as 2026-11-29T06:00:00Z", parse=_moment
    ),
}


def check_variables(environment: Mapping[str, str]) -> None:
    """Raise MisconfiguredError for a variable that botocore would refuse at the first or every call."""
    for name, variable in VARIABLES.items():
        if text := environment.get(name, ""):
            try:
                variable.parse(text)
            except ValueError:
                raise MisconfiguredError(f"{name} is {quoted(text)}; allowed: {variable.allowed}") from None


def check_files(environment: Mapping[str, str]) -> None:
    """Raise MisconfiguredError for a variable with the path of a device, a pipe or a directory."""
    for name in _FILES:
        try:
            refuse_no_file(environment.get(name, ""))
        except NoFileError as error:
            raise MisconfiguredError(f"{name}: {error}; allowed: the path of a file") from None
