"""One sandbox for all rows, as for the end-to-end tests."""

from tests.e2e.conftest import sandbox

__all__ = ["sandbox"]
