"""Where AWS is asked instead of its own address, as boto3's variables say."""

from collections.abc import Mapping

from botocore.utils import is_valid_endpoint_url, is_valid_ipv6_endpoint_url

from syncer.errors import MisconfiguredError
from syncer.parsers import is_url

# The first one that is set counts ("Service-specific endpoints" of the AWS SDKs reference guide).
ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2", "AWS_ENDPOINT_URL")


def check_endpoints(environment: Mapping[str, str]) -> None:
    """MisconfiguredError where a variable is no URL: botocore would stumble over it at the first call."""
    for name in ENDPOINT_VARIABLES:
        text = environment.get(name, "")
        if text and not _is_endpoint(text):
            raise MisconfiguredError(
                f"{name} is {text!r}; allowed: a URL such as "
                "https://elasticloadbalancing.eu-central-1.amazonaws.com"
            )


def _is_endpoint(text: str) -> bool:
    return is_url(text) and (is_valid_endpoint_url(text) or is_valid_ipv6_endpoint_url(text))
