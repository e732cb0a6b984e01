import io

import pytest
from rich.console import Console

from sandbox.progress import Progress, Step


def test_a_step_says_what_how_far_and_how_long() -> None:
    step = Step("pulumi up")
    assert step.line() == "pulumi up · 0 s"
    step.note("3 resources")
    assert step.line() == "pulumi up · 3 resources · 0 s"


def test_a_narrow_terminal_cuts_how_far_and_keeps_how_long() -> None:
    step = Step("pulumi up")
    step.note("29 resources, created PodDisruptionBudget node-nlb")
    assert len(step.line(40)) == 40
    assert step.line(40).endswith("… · 0 s")
    assert step.line(10) == "pulumi up… · 0 s"


def test_a_step_that_fails_stays_visible_as_failed() -> None:
    text = io.StringIO()
    progress = Progress(Console(file=text, width=20))
    with pytest.raises(ValueError, match="no"), progress.step("a step whose line is longer than that"):
        raise ValueError("no")
    assert text.getvalue() == "✗ a step whose line is longer than that · 0 s\n"
