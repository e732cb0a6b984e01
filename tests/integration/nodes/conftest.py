"""A sandbox with everything but the load balancer: control plane, AWS API, node machines."""

import sys
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from sandbox import process
from sandbox.cloud.network import ensure_network
from sandbox.layout import Layout
from sandbox.nodes import lifecycle


@pytest.fixture(scope="session")
def machines(control_plane: Layout) -> Iterator[Layout]:
    """The nodes process with its seed nodes, on the control plane that the session shares."""
    layout = control_plane
    try:
        start(layout, "cloud")
        eventually(lambda: ensure_network(layout.aws_url, layout.vpc_network))
        start(layout, "nodes")
        lifecycle.seed_nodes(layout)
        yield layout
    finally:
        process.stop(layout, "nodes")
        process.stop(layout, "cloud")


T = TypeVar("T")


def start(layout: Layout, name: str) -> None:
    process.start(layout, name, [sys.executable, "-m", f"sandbox.{name}", "--dir", layout.directory])


def eventually(look: Callable[[], T | None], within_s: float = 30.0) -> T:
    """What `look` answers once it is truthy and raises nothing."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            if found := look():
                return found
        except Exception:
            if time.monotonic() > deadline:
                raise
        if time.monotonic() > deadline:
            pytest.fail(f"still not so after {within_s:g} s")
        time.sleep(0.05)
