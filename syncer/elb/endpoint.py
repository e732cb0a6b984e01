"""Checks boto3's own variables before botocore uses them: endpoints, and files that it reads whole."""

from collections.abc import Mapping

from botocore.utils import is_valid_endpoint_url, is_valid_ipv6_endpoint_url

from syncer.errors import MisconfiguredError
from syncer.hosts import is_url
from syncer.quote import quoted
from syncer.regular import NoFileError, refuse_no_file

# The first one that is set counts ("Service-specific endpoints" of the AWS SDKs reference guide).
ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2", "AWS_ENDPOINT_URL")

_FILES = (
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",  # botocore reads it where AWS_CA_BUNDLE is not set
)


def check_files(environment: Mapping[str, str]) -> None:
    """MisconfiguredError where a variable names a device, a pipe or a directory."""
    for name in _FILES:
        try:
            refuse_no_file(environment.get(name, ""))
        except NoFileError as error:
            raise MisconfiguredError(f"{name}: {error}; allowed: the path of a file") from None


def check_endpoints(environment: Mapping[str, str]) -> None:
    """MisconfiguredError where a variable is no URL: botocore would stumble over it at the first call."""
    for name in ENDPOINT_VARIABLES:
        text = environment.get(name, "")
        if text and not _is_endpoint(text):
            raise MisconfiguredError(
                f"{name} is {quoted(text)}; allowed: a URL such as "
                "https://elasticloadbalancing.eu-central-1.amazonaws.com"
            )


def _is_endpoint(text: str) -> bool:
    return is_url(text) and (is_valid_endpoint_url(text) or is_valid_ipv6_endpoint_url(text))
