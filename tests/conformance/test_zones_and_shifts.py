"""Rewritten zone labels and zonal shifts through the command: what it explains and what it plans."""

from typing import Any

import pytest

from tests.conformance.conftest import Ask
from tests.conformance.documents import PORT, Json, health, instance, listed, node, tainted, target

ZONES = dict(zip("abcdef", "aaaabc", strict=True))
LABEL = "topology.kubernetes.io/zone"


def placed(letter: str, *, label: str | None = None, provider: str | None = None, **spec: Any) -> Json:
    """A node of `us-east-2`, with another label or another zone in its providerID."""
    zone = f"us-east-2{ZONES[letter]}"
    within = zone if provider is None else provider
    return node(
        letter,
        labels={LABEL: zone if label is None else label},
        spec={"providerID": f"aws:///{within}/{instance(letter)}", **spec},
    )


def overridden(state: str, letters: str = "abcd") -> list[Json]:
    """Six healthy targets; those of zone a have this AdministrativeOverride."""
    override: dict[str, Any] = {
        "AdministrativeOverride": {"State": state, "Reason": "AdministrativeOverride.X"}
    }
    return [target(each, **(override if each in letters else {})) for each in ZONES]


def plan(ask: Ask, nodes: list[Json], targets: list[Json]) -> tuple[set[str], dict[str, str]]:
    files = ("--nodes", listed(*nodes), "--targets", health(targets), "--port", str(PORT))
    (group,) = ask("plan", *files, "--ownership", "exclusive")["groups"]
    letters = {instance(letter): letter for letter in ZONES}
    return {letters[each["id"]] for each in group["deregister"]}, {
        letters[each["id"]]: each["why"] for each in group["held"]
    }


@pytest.mark.parametrize("state", ["zonal_shift_active", "zonal_shift_delegated_to_dns", "unknown"])
def test_z1_of_the_last_two_with_traffic_one_stays(ask: Ask, state: str) -> None:
    leaving = tainted("ToBeDeletedByClusterAutoscaler")
    nodes = [placed(each, **(leaving if each in "ef" else {})) for each in ZONES]
    gone, held = plan(ask, nodes, overridden(state))
    assert len(gone) == 1
    assert list(held.values()) == ["LastServing"]
    assert gone | held.keys() == {"e", "f"}


def test_z1_explain_names_the_override_of_shifted_nodes_alone(ask: Ask) -> None:
    files = ("-f", listed(*map(placed, ZONES)), "--targets", health(overridden("zonal_shift_active")))
    told = {each["node"][-1]: each.get("override", "") for each in ask("explain", *files)}
    assert told == {letter: "zonal_shift_active" if letter in "abcd" else "" for letter in ZONES}


def test_b3_zone_ids_in_labels_put_no_node_out(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """kubernetes/cloud-provider-aws issue 1185."""
    monkeypatch.setenv("NLB_SYNC_ZONES", "us-east-2a,us-east-2b,us-east-2c")
    nodes = [placed(each, label="use2-az1") for each in ZONES]
    assert {each["reason"] for each in ask("explain", "-f", listed(*nodes))} == {"Ready"}
    assert plan(ask, nodes, []) == (set(), {})


def test_b3_the_verdict_names_zone_and_source(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NLB_SYNC_ZONES", "us-east-2a")
    nodes = [placed("e", label="us-east-2a"), placed("f", provider=""), placed("a", label="us-east-2c")]
    by = [
        (each["reason"], each.get("zone"), each.get("zone_source"))
        for each in ask("explain", "-f", listed(*nodes))
    ]
    assert by == [
        ("ZoneNotEnabled", "us-east-2b", "provider-id"),
        ("ZoneNotEnabled", "us-east-2c", "label"),
        ("Ready", None, None),
    ]
    at_aws = target("a")
    at_aws["Target"]["AvailabilityZone"] = "us-east-2b"
    (said,) = ask("explain", "-f", nodes[2], "--targets", health([at_aws]))
    assert (said["reason"], said["zone"], said["zone_source"]) == ("ZoneNotEnabled", "us-east-2b", "aws")


@pytest.mark.parametrize("state", ["healthy", "initial", "unhealthy"])
def test_b3_zones_that_do_not_exist_remove_nothing(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    monkeypatch.setenv("NLB_SYNC_ZONES", "us-east-2x")
    targets = [target("a"), target("b"), *(target(each, state) for each in "cdef")]
    gone, held = plan(ask, [placed(each) for each in ZONES], targets)
    assert gone == set()
    assert held.keys() == set(ZONES)
