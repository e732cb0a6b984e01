"""boto3's own variables: what botocore stumbles over is one line that names the variable."""

import os
from collections.abc import Callable, Iterator

import botocore.configprovider as config
import pytest
from botocore.credentials import create_credential_resolver
from botocore.loaders import Loader
from botocore.session import Session
from botocore.utils import is_valid_uri
from hypothesis import example, given
from hypothesis import strategies as st

from syncer.elb.adapter import BotoElb
from syncer.elb.variables import ENDPOINT_VARIABLES, VARIABLES, check_variables
from syncer.errors import MisconfiguredError
from tests.simulation.world import HTTP

LOADER = Loader()
WRONG = ("x y", "0", "-1")
# A profile and the path of a file: their errors name the variable or the profile.
NAMED = {"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CA_BUNDLE"}


def botocore_variables() -> Iterator[str]:
    """Every variable by which the installed botocore is configured."""
    for table in (config.BOTOCORE_DEFAUT_SESSION_VARIABLES, config.DEFAULT_S3_CONFIG_VARS):
        for _, names, *_ in table.values():
            yield from [names] if isinstance(names, str) else names or []
    yield "AWS_CREDENTIAL_EXPIRATION"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make what botocore makes before its first call, with these variables."""

    def make(**variables: str) -> None:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        session = Session(include_builtin_handlers=False)  # they act on calls, and there is none
        session.register_component("data_loader", LOADER)
        create_credential_resolver(session, region_name="eu-central-1").load_credentials()
        session.create_client("elbv2", region_name="eu-central-1")

    return make


@pytest.mark.parametrize("name", sorted(set(botocore_variables()) - NAMED))
def test_what_botocore_refuses_is_refused_before_with_the_variables_name(
    name: str, client: Callable[..., None]
) -> None:
    for value in WRONG:
        try:
            client(**{name: value})
        except Exception:  # noqa: BLE001 - of any class
            with pytest.raises(MisconfiguredError) as refused:
                check_variables({name: value})
            assert str(refused.value).startswith(f"{name} is {value!r}; allowed: ")
            assert "\n" not in str(refused.value)


TAKEN = [
    ("AWS_METADATA_SERVICE_TIMEOUT", ("1", "3600"), ("abc", "0", "1.5", "3601")),
    ("AWS_METADATA_SERVICE_NUM_ATTEMPTS", ("0", "3"), ("x", "-1")),
    ("AWS_MAX_ATTEMPTS", ("1", "5"), ("0", "x")),
    ("AWS_RETRY_MODE", ("legacy", "standard", "adaptive"), ("foo",)),
    ("AWS_DEFAULTS_MODE", ("legacy", "auto", "Standard", "in-region", "cross-region", "mobile"), ("fast",)),
    ("AWS_STS_REGIONAL_ENDPOINTS", ("legacy", "regional"), ("Regional", "global")),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", ("IPv4", "ipv6"), ("v6",)),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT", ("http://127.0.0.1:1338", "http://[fd00:ec2::254]"), ("imds",)),
    ("AWS_ACCOUNT_ID_ENDPOINT_MODE", ("preferred", "disabled", "Required"), ("never",)),
    ("AWS_REQUEST_CHECKSUM_CALCULATION", ("when_supported", "WHEN_REQUIRED"), ("never",)),
    ("AWS_RESPONSE_CHECKSUM_VALIDATION", ("when_supported", "when_required"), ("never",)),
    ("AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES", ("1", "1048576"), ("0", "1048577", "1k")),
    ("AWS_S3_DISABLE_EXPRESS_SESSION_AUTH", ("true", "False"), ("yes",)),
    ("AWS_S3_US_EAST_1_REGIONAL_ENDPOINT", ("legacy", "regional"), ("global",)),
    ("AWS_CSM_PORT", ("31000",), ("0", "p")),
    ("AWS_ROLE_SESSION_NAME", ("nlb-sync@prod",), ("x", "a b", "x" * 65)),
    (
        "AWS_CREDENTIAL_EXPIRATION",
        ("2126-11-29T06:00:00Z", "2126-11-29T06:00:00+01:00"),
        ("soon", "0", "2126-11-29T06:00:00"),
    ),
    ("AWS_ENDPOINT_URL_STS", ("https://sts.eu-central-1.amazonaws.com",), ("sts", "https://a_b")),
]


@pytest.mark.parametrize(("name", "right", "wrong"), TAKEN, ids=[row[0] for row in TAKEN])
def test_botocore_takes_what_is_allowed_and_the_rest_is_refused(
    name: str, right: tuple[str, ...], wrong: tuple[str, ...], client: Callable[..., None]
) -> None:
    for value in right:
        check_variables({name: value})
        client(**{name: value})
    for value in wrong:
        with pytest.raises(MisconfiguredError, match=f"^{name} is {value!r}; allowed: "):
            check_variables({name: value})


def test_each_variable_is_in_the_table_above() -> None:
    assert {row[0] for row in TAKEN} | set(ENDPOINT_VARIABLES) == set(VARIABLES)


def test_the_syncer_refuses_it_at_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_METADATA_SERVICE_TIMEOUT", "abc")
    with pytest.raises(MisconfiguredError, match=r"^AWS_METADATA_SERVICE_TIMEOUT is 'abc'; allowed: 1 to "):
        BotoElb([HTTP])


@given(st.from_regex(r"https?://[a-z0-9_.:%\[\]-]{1,20}(/x)?", fullmatch=True))
@example("http://a_b")
@example("http://[fe80::1%eth0]:80")
@example("http://a.")
def test_an_endpoint_that_is_taken_is_taken_by_botocore_too(url: str) -> None:
    try:
        VARIABLES["AWS_ENDPOINT_URL"].parse(url)
    except ValueError:
        return
    assert is_valid_uri(url)
