"""One sandbox for the rows of a file, as for the end-to-end tests."""

import pytest

from tests.changes.measure import settled
from tests.changes.stand import Stand
from tests.changes.world import in_aws
from tests.e2e.conftest import sandbox
from tests.e2e.driver import Sandbox

__all__ = ["sandbox"]


@pytest.fixture(scope="module")
def stand(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Stand:
    made = Stand(sandbox, tmp_path_factory.mktemp("changes") / "project")
    settled(made)
    made.first = in_aws(made)
    return made
