"""The operator's pages: all in the index, their codes and keys those of the program, their sums right."""

import ast
import re
import sys
import types
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from infra.keys import ROOT as KEYS
from infra.keytable import rows
from infra.settings import read
from infra.shapes import camel
from infra.spelling import as_config
from syncer.decide.reasons import health_text
from syncer.model import Why

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
PAGES = (
    "install-eks",
    "install-kops",
    "rights",
    "cost",
    "upgrade",
    "rotate-keys",
    "teardown",
    "troubleshoot",
)
KEY = re.compile(r"`((?:connections|syncer|identity|ingress|healthCheck|addresses|firewall)\.[a-zA-Z.]+)")


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text()


def section(name: str, heading: str) -> str:
    return page(name).partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def first_cells(text: str) -> list[str]:
    """The first cell of each row of the tables in a text, without the heads."""
    lines = ["", *text.splitlines(), ""]
    cells = [re.match(r"\| (.+?) \|", line) for line in lines]
    return [
        cell[1]
        for (before, line), cell in zip(pairwise(lines), cells[1:], strict=True)
        if cell and before.startswith("|") and not line.startswith("|---")
    ]


def test_the_readme_leads_to_the_index_and_the_index_to_every_page() -> None:
    assert "](docs/README.md)" in (ROOT / "README.md").read_text()
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", (DOCS / "README.md").read_text()))
    assert linked == {each.name for each in DOCS.glob("*.md")} - {"README.md"}


@pytest.mark.parametrize("name", PAGES)
def test_each_link_to_a_section_leads_to_a_heading(name: str) -> None:
    for target, anchor in re.findall(r"\]\(([\w-]*(?:\.md)?)#([\w-]+)\)", page(name)):
        text = (DOCS / target).read_text() if target else page(name)
        headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        known = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}
        assert anchor in known | set(re.findall(r'<a id="([\w-]+)">', text)), f"{name}: {target}#{anchor}"


@pytest.mark.parametrize("name", PAGES)
def test_each_key_of_the_stack_exists(name: str) -> None:
    lines = [row for key, shape in KEYS.fields.items() for row in rows(camel(key), shape)]
    known = {line.split("`")[1] for line in lines}
    assert set(KEY.findall(page(name))) - known == set()


def test_every_hold_and_every_verdict_has_its_fix() -> None:
    assert first_cells(section("troubleshoot", "A hold")) == [f"`{why}`" for why in Why]
    verdicts = re.findall(r"\| (?:out|leaving) \| `([A-Za-z]+)", page("verdicts"))
    named = [cell.strip("`") for cell in first_cells(section("troubleshoot", "A node is no target"))]
    assert named == [*verdicts, "ZoneNotEnabled"]


@pytest.mark.parametrize("heading", ["Targets are unhealthy", "Targets are unused"])
def test_the_reasons_are_those_of_aws(heading: str) -> None:
    reasons = re.findall(r"^\| `(\w+\.\w+)`", section("troubleshoot", heading), re.MULTILINE)
    assert len(set(reasons)) == 3
    assert [each for each in reasons if each != "Target.IpUnusable" and health_text("", each) == each] == []


def test_every_symptom_has_its_section() -> None:
    text = page("troubleshoot")
    named = re.findall(r"\[([^]]+)\]\(#[\w-]+\) \|$", text.partition("\n## ")[0], re.MULTILINE)
    assert named == re.findall(r"^## (.+)$", text, re.MULTILINE)


def test_the_sums_follow_from_the_prices() -> None:
    prices = [float(each) for each in re.findall(r"^\| [^|]+ \| (0\.\d+) \|", page("cost"), re.MULTILINE)]
    balancer, unit, address, crossing = prices
    examples = re.findall(r"^\| .+ \| (?:true|false) \| .+ \|$", page("cost"), re.MULTILINE)
    assert len(examples) == 3
    for example in examples:
        zones, fresh, open_, gigabytes, cross, *shown = example.strip("| ").split(" | ")[1:]
        units = max(float(fresh) / 800, float(open_) / 100_000, float(gigabytes) / 730)
        across = float(gigabytes) * (int(zones) - 1) / int(zones) if cross == "true" else 0
        parts = [730 * balancer, 730 * unit * units, 730 * address * int(zones), crossing * across]
        found = [float(each) for each in shown]
        assert found == pytest.approx([*parts, sum(parts)], abs=0.01)
    assert f"{730 * address:.2f} a month while nothing uses it" in page("cost")


class Anything:
    """Stands for a class of an SDK: takes whatever it is given, and has whatever it is asked for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args, self.kwargs = args, kwargs

    def __getattr__(self, name: str) -> Any:
        return f"sg-0a1b2c3d4e5f6071{len(name) % 10}" if name.endswith("group_id") else Anything()

    def __str__(self) -> str:
        return "name"


def test_the_program_with_a_cluster_has_arguments_that_the_component_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`eks.Cluster` is a stand-in here: its SDK is no dependency of this project."""
    (block,) = re.findall(r"^```python\n(.*?)^```", page("install-eks"), re.DOTALL | re.MULTILINE)
    made: list[dict[str, Any]] = []
    component = types.ModuleType("node_nlb_sync")
    eks = types.ModuleType("pulumi_eks")
    kubernetes = types.ModuleType("pulumi_kubernetes")
    pulumi = types.ModuleType("pulumi")
    cluster = Anything()
    vars(cluster)["eks_cluster"] = types.SimpleNamespace(name="prod")

    def component_of(_name: str, args: dict[str, Any], _options: object) -> Anything:
        made.append(args)
        return Anything()

    vars(component)["NodeNlb"] = component_of
    vars(eks)["Cluster"] = lambda *_args, **_kwargs: cluster
    vars(kubernetes)["Provider"] = Anything
    image = "registry.example.com/node-nlb-sync@sha256:" + "0" * 64
    config = types.SimpleNamespace(require=lambda _key: image)
    vars(pulumi).update(Config=lambda: config, ResourceOptions=Anything, export=lambda *_: None)
    for module in (component, eks, kubernetes, pulumi):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(ast.parse(block), "install-eks.md", "exec"), {})  # noqa: S102 (the page's own program)
    monkeypatch.undo()
    (arguments,) = made
    settings = read(as_config(arguments, KEYS), None, own_provider=True)
    assert settings.identity.kind == "pod-identity"
    assert settings.health_check.service_port == "traefik"
