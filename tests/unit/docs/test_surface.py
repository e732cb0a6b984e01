"""What users depend on by name changes on purpose, and with a line in the changelog."""

import json

from tests.unit.docs.surface import RECORD, surface


def test_the_public_surface_is_the_recorded_one() -> None:
    found = json.loads(json.dumps(surface()))
    assert found == json.loads(RECORD.read_text()), "after a wanted change: python -m tests.unit.docs.surface"
