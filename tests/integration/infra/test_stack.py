"""What an operator sees of stack dev: kept addresses return, errors are lines."""

from collections.abc import Iterator

import pytest

from tests.integration.infra.conftest import DevStack

pytestmark = pytest.mark.toolchain


@pytest.fixture
def kept(stack: DevStack) -> Iterator[DevStack]:
    before = stack.configure(addresses={"keep": True})
    yield stack
    stack.configure(**before)
    stack.destroy().ok()


def test_a_stack_that_was_destroyed_takes_its_kept_addresses_again(kept: DevStack) -> None:
    kept.up().ok()
    addresses = kept.output("staticIps")
    kept.destroy().ok()
    kept.up().ok()
    assert kept.output("staticIps") == addresses
    kept.up("--expect-no-changes").ok()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"preset": "predecesor"},
            'node-nlb-sync:preset: read "predecesor"; allowed: none or predecessor; fix: pulumi config set',
        ),
        (
            {"zones": {"eu-central-1a": {"subnetId": "subnet-0123456789abcdef0"}}},
            "zones.eu-central-1a.subnetId: read subnet-0123456789abcdef0, and AWS says: InvalidSubnetID",
        ),
    ],
    ids=["a value that is not allowed", "a subnet that AWS does not know"],
)
def test_a_wrong_configuration_is_one_line_and_no_traceback(
    stack: DevStack, change: dict[str, object], line: str
) -> None:
    before = stack.configure(**change)
    said = stack.run("preview", "--stack=dev")
    stack.configure(**before)
    assert said.code != 0
    assert line in said.text
    assert "Traceback" not in said.text
