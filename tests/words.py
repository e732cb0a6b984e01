"""`python -m tests.words`: how plain the text of the project is, as figures to look at.

For docs, docstrings and comments: pronouns and relatives in 100 words, forms of "say" and "tell" in 100,000.
The goals are at most 5 and fewer than 60.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGES: Final = ("infra", "syncer", "sandbox", "bench")
PRONOUNS: Final = re.compile(
    r"he|her|him|his|i|it|its|me|my|one|ones|our|ours|she|that|their|theirs|them|these|they|this|"
    r"those|us|we|what|whatever|which|who|whoever|whom|whose|you|your|anybody|anyone|anything|"
    r"each|everybody|everyone|everything|nobody|none|nothing|somebody|someone|something"
)
SAYING: Final = re.compile(r"said|say|saying|says|tell|telling|tells|told")
_WORD: Final = re.compile(r"[A-Za-z]+(?:'[a-z]+)?")
_CODE: Final = re.compile(r"^```.*?^```|`[^`\n]*`|\]\([^)]*\)", re.MULTILINE | re.DOTALL)


def docs() -> Iterator[str]:
    """The prose of README, CHANGELOG and docs/, without code and targets of links."""
    for path in [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        yield _CODE.sub(" ", path.read_text())


def modules(package: str) -> Iterator[str]:
    """The text of each module of a package."""
    for path in sorted((ROOT / package).rglob("*.py")):
        yield path.read_text()


def docstrings(text: str) -> Iterator[str]:
    """The docstrings of a module, its classes and functions."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield _CODE.sub(" ", ast.get_docstring(node) or "")


def comments(text: str) -> Iterator[str]:
    """The comments of a module, without those that are for a tool."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and not re.match(r"#\s*(noqa|type:|pragma)", token.string):
            yield _CODE.sub(" ", token.string.partition("# noqa")[0])


def figures(texts: Iterator[str]) -> tuple[int, float, float]:
    """Words, pronouns and relatives in 100 of them, forms of "say" and "tell" in 100,000."""
    words = [word.lower() for text in texts for word in _WORD.findall(text)]
    share = 1 / max(len(words), 1)
    pronouns, saying = (
        sum(kind.fullmatch(word.partition("'")[0]) is not None for word in words)
        for kind in (PRONOUNS, SAYING)
    )
    return len(words), 100 * pronouns * share, 100_000 * saying * share


def table() -> Iterator[str]:
    """A line for each kind of text."""
    yield f"{'text':<24}{'words':>8}{'pronouns in 100':>18}{'say, tell in 100,000':>23}"
    kinds = {"docs": docs()}
    for package in PACKAGES:
        found = list(modules(package))
        kinds[f"{package}, docstrings"] = (each for text in found for each in docstrings(text))
        kinds[f"{package}, comments"] = (each for text in found for each in comments(text))
    for kind, texts in kinds.items():
        words, pronouns, saying = figures(texts)
        yield f"{kind:<24}{words:>8}{pronouns:>18.1f}{saying:>23.0f}"


if __name__ == "__main__":
    sys.stdout.write("\n".join(table()) + "\n")
