"""docs/changes.md is true: every row of load balancer and listeners, applied to a stack with traffic."""

import pytest

from tests.changes import table
from tests.changes.measure import apply, measure
from tests.changes.rows import BALANCER_ROWS, ROWS, Row
from tests.changes.stand import Stand
from tests.changes.world import in_aws

pytestmark = pytest.mark.timeout(600)


def test_the_page_has_a_row_for_every_change() -> None:
    assert list(table.written()) == [row.name for row in ROWS]


@pytest.mark.parametrize("row", BALANCER_ROWS, ids=[row.name for row in BALANCER_ROWS])
def test_the_change_does_what_the_page_says(stand: Stand, row: Row) -> None:
    outcome, _ = measure(stand, row)
    assert outcome.cells == table.written()[row.name], outcome.detail


def test_without_the_keys_of_the_rows_everything_in_aws_is_as_before(stand: Stand) -> None:
    apply(stand, stand.base())
    assert in_aws(stand) == stand.first
