"""docs/changes.md is true: every row, applied to a stack with traffic."""

import pytest

from tests.changes import table
from tests.changes.measure import apply, measure, settled
from tests.changes.rows import ROWS, Row
from tests.changes.stand import Stand
from tests.changes.world import in_aws
from tests.e2e.driver import Sandbox

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def stand(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Stand:
    made = Stand(sandbox, tmp_path_factory.mktemp("changes") / "project")
    settled(made)
    made.first = in_aws(made)
    return made


def test_the_page_has_a_row_for_every_change() -> None:
    assert list(table.written()) == [row.name for row in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_the_change_does_what_the_page_says(stand: Stand, row: Row) -> None:
    outcome, _ = measure(stand, row)
    assert outcome.cells == table.written()[row.name], outcome.detail


def test_without_the_keys_of_the_rows_everything_in_aws_is_as_before(stand: Stand) -> None:
    apply(stand, stand.base())
    assert in_aws(stand) == stand.first
