"""What all unit tests share: a heap that the garbage collector need not walk again and again."""

import gc

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Leave out of each collection what the imports made: a million objects that stay until the end."""
    gc.collect()
    gc.freeze()
