"""Commands in the documentation exist: targets of the Makefile, subcommands, arguments and options."""

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from sandbox.__main__ import main as sandbox_command
from syncer.commands.cli import _parser

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
INLINE = re.compile(r"`([^`\n]+)`")
BLOCK = re.compile(r"^```(?:sh)?\n(.*?)^```", re.DOTALL | re.MULTILINE)
# The command in the syncer's own Pod, and the other name of it.
SYNCER = re.compile(r"(?:kubectl .* -- )?python -m syncer (?=[a-z])")


def commands(program: str) -> Iterator[tuple[str, list[str]]]:
    """Each mention of `program ARGS…` with the page it stands on."""
    for page in PAGES:
        text = page.read_text()
        lines = [line for block in BLOCK.findall(text) for line in block.splitlines()]
        for line in [*lines, *INLINE.findall(text)]:
            plain = SYNCER.sub("nlb-sync ", re.split(r" # | && | &$", line)[0].strip())
            plain = plain.removeprefix(".venv/bin/")
            if plain.split(" ")[0] == program and " " in plain:
                yield page.name, shlex.split(re.sub(r"[\[\]…]", "", plain))[1:]


def test_the_pages_mention_commands_at_all() -> None:
    assert {"up", "down", "test"} <= {words[0] for _, words in commands("make")}
    assert any(words[:2] == ["node", "drain"] for _, words in commands("sandbox"))


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for _, words in commands("make") for word in words if "=" not in word}
    assert named <= targets


@pytest.mark.parametrize(("page", "words"), list(commands("sandbox")))
def test_every_sandbox_command_and_option_exists(page: str, words: list[str]) -> None:
    command: click.Command = sandbox_command
    rest = list(words)
    while rest and isinstance(command, click.Group):
        name = rest.pop(0)
        assert name in command.commands, f"{page}: sandbox {' '.join(words)}"
        command = command.commands[name]
    options = {flag for parameter in command.params for flag in parameter.opts}
    assert {word for word in rest if word.startswith("--")} <= options, page
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    assert arguments or not [word for word in rest[:1] if not word.startswith("--")], page


def questions() -> dict[str, argparse.ArgumentParser]:
    """The parser of each of the syncer's own commands."""
    actions = (each for each in _parser()._actions if isinstance(each, argparse._SubParsersAction))
    return {name: parser for each in actions for name, parser in each.choices.items()}


def test_the_pages_mention_every_question() -> None:
    assert {words[0] for _, words in commands("nlb-sync")} >= set(questions()) - {"run"}


@pytest.mark.parametrize(("page", "words"), list(commands("nlb-sync")))
def test_every_question_and_its_options_exist(page: str, words: list[str]) -> None:
    known = questions()
    if words[0].startswith("-"):
        assert words[0] in _parser()._option_string_actions, page
        return
    assert words[0] in known, f"{page}: nlb-sync {' '.join(words)}"
    options = {flag for action in known[words[0]]._actions for flag in action.option_strings}
    given = {word.partition("=")[0] for word in words[1:] if word.startswith("-") and len(word) > 1}
    assert given <= options, f"{page}: nlb-sync {' '.join(words)}"
