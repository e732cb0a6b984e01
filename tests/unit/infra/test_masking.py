"""No message about the stack configuration repeats a key that was pasted into it."""

import json

import pytest

from infra.problems import SettingsError
from infra.settings import load

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
KEYS = {
    "id": "AKIAQWERTYUIOPASDFGH",
    "secret": SECRET,
    "session": "IQoJb3JpZ2luX2VjEA" + "aB3/" * 40,
    "jwt": "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEyMyIsInR5cCI6IkpXVCJ9LCJhIjoxMjM0NX0.eyJzdWIiOiJhIn0.c2ln",
    "pem": "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\n-----END RSA PRIVATE KEY-----",
    "url": "https://admin:hunter2@vpc.example",
}
HIDDEN = ("AKIAQWERTYUIOPASDFGH", SECRET[:20], "IQoJb3JpZ2luX2Vj", "eyJhbGciOi", "MIIEpAIB", "hunter2")


def places(key: str) -> dict[str, dict[str, str]]:
    """Where it may be pasted."""
    return {
        "a value": {"node-nlb-sync:vpcId": key},
        "a number": {"node-nlb-sync:targetQuota": key},
        "a list": {"node-nlb-sync:clientCidrs": json.dumps([key])},
        "an object's value": {"node-nlb-sync:zones": json.dumps({"eu-central-1a": {"subnetId": key}})},
        "an object's key": {"node-nlb-sync:zones": json.dumps({key: {"subnetId": "subnet-1"}})},
        "a key": {f"node-nlb-sync:{key}": "x"},
        "a long value": {"node-nlb-sync:vpcId": "x " * 20 + key},
    }


@pytest.mark.parametrize("place", places(""))
@pytest.mark.parametrize("key", KEYS)
def test_s3_a_key_in_the_stack_configuration_is_not_repeated(key: str, place: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load(places(KEYS[key])[place], "eu-central-1")
    assert [word for word in HIDDEN if word in str(raised.value)] == []


def test_s3_what_is_wrong_and_no_key_is_still_repeated() -> None:
    digest = "sha256:" + "0123456789abcdef" * 4
    for value in ("vpc-nonsense", digest, "https://host:443/path"):
        with pytest.raises(SettingsError) as raised:
            load({"node-nlb-sync:vpcId": value}, "eu-central-1")
        assert value[:50] in str(raised.value)
