"""Simulation, sandbox and bench give the same answers in random histories of calls, instances and time."""

import asyncio
import random
from collections.abc import Iterable
from dataclasses import replace

import pytest

from tests.simulation import lag
from tests.simulation.users import ARNS, Bench, Sandbox, Simulation, States
from tests.simulation.virtual import run_virtually

IDS = [f"i-{number:017x}" for number in range(5)]
ZONES = {one: "1a" if number % 2 else "1b" for number, one in enumerate(IDS)}
PORTS = [None, 80, 30080]
STEPS, LAG_S = 150, 15.0


def a_batch(chance: random.Random) -> list[tuple[str, int | None]]:
    return [(chance.choice(IDS), chance.choice(PORTS)) for _ in range(chance.randrange(1, 4))]


async def history(chance: random.Random, *, everything: bool) -> set[str]:
    """Play a history; the distinct answers, so that a test can require a rich history."""
    simulation, sandbox, bench = Simulation(), Sandbox(), Bench()
    users: list[Simulation | Sandbox | Bench] = (
        [simulation, sandbox] if everything else [simulation, sandbox, bench]
    )
    seen: set[str] = set()
    if everything:
        simulation.limit(4, 6)
        sandbox.limit(4, 6)
    for _ in range(STEPS):
        sandbox.now = bench.now = asyncio.get_running_loop().time()
        event = chance.choices(
            ["register", "deregister", "start", "stop", "change"], [5, 3, 3, 1, everything]
        )[0]
        if event in {"register", "deregister"}:
            arn, batch = chance.choice(ARNS), a_batch(chance)
            codes = [user.write(event, arn, batch) for user in users]
            assert len(set(codes)) == 1, (event, batch, codes)
            seen.add(codes[0])
        elif event == "change":
            sick, crowded = chance.sample(IDS, 2), chance.sample(IDS, chance.choice([0, 0, 1]))
            zones, listening = set(chance.choice(["1a", "1a 1b"]).split()), chance.random() < 0.8
            for each in (simulation, sandbox):
                each.change(sick, crowded, zones, listening=listening)
        else:
            one = chance.choice(IDS)
            for user in users:
                user.run(one, ZONES[one], running=event == "start")
        await compare(users, sandbox, seen)
        await asyncio.sleep(chance.choice([0, 0, 5, 10]))
        sandbox.now = bench.now = asyncio.get_running_loop().time()
        await compare(users, sandbox, seen)
    return seen


async def compare(users: Iterable[Simulation | Sandbox | Bench], sandbox: Sandbox, seen: set[str]) -> None:
    sandbox.check()
    for arn in ARNS:
        first, *others = (user.states(arn) for user in users)
        for other in others:
            assert dict(other) == dict(first)
        seen.update(f"{state} {reason}".strip() for state, reason in first.values())


@pytest.mark.parametrize("seed", range(5))
def test_the_three_agree_on_targets_instances_and_time(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    assert run_virtually(history(chance, everything=False)) == {
        "",
        "InvalidTarget",
        "initial",
        "healthy",
        "draining Target.DeregistrationInProgress",
        "unused Target.InvalidState",
    }


@pytest.mark.parametrize("seed", range(5))
def test_simulation_and_sandbox_agree_on_listeners_zones_checks_and_limits_too(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    assert run_virtually(history(chance, everything=True)) >= {
        "",
        "InvalidTarget",
        "TooManyTargets",
        "healthy",
        "unhealthy Target.FailedHealthChecks",
        "unused Target.NotInUse",
    }


def without_checks(states: States) -> dict[tuple[str, int], bool]:
    """Whether each target drains."""
    return {key: state == "draining" for key, (state, _) in states.items()}


@pytest.mark.parametrize("seed", range(3))
def test_simulation_and_sandbox_show_the_same_past_where_reads_lag(seed: int) -> None:
    async def story() -> int:
        chance = random.Random(seed)  # noqa: S311
        simulation, sandbox = Simulation(), Sandbox()
        simulation.cloud.lag, differing = lag.fixed(LAG_S), 0
        sandbox.cloud.faults = replace(sandbox.cloud.faults, health_lag_s={"*": (LAG_S, LAG_S)})
        for one in IDS:
            simulation.run(one, ZONES[one], running=True)
            sandbox.run(one, ZONES[one], running=True)
        for _ in range(STEPS):
            sandbox.now = asyncio.get_running_loop().time()
            event, arn, batch = (
                chance.choice(["register", "deregister"]),
                chance.choice(ARNS),
                a_batch(chance),
            )
            assert simulation.write(event, arn, batch) == sandbox.write(event, arn, batch) == ""
            past = without_checks(sandbox.states(arn, LAG_S))
            assert without_checks(simulation.states(arn)) == past
            differing += past != without_checks(sandbox.states(arn))
            await asyncio.sleep(chance.choice([0, 2, 7]))
        return differing

    assert run_virtually(story()) > STEPS / 4
