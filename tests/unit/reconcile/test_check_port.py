"""A NodePort that changed outside Pulumi: said, with the cure, and the old targets stay (rule 8)."""

import asyncio

from syncer.decide.check_port import stale_check_port
from syncer.model import InstanceId, Target, TargetHealth, TargetState
from tests.simulation.virtual import run_virtually
from tests.simulation.world import HTTP, PORTS, SERVICE, World, instance

LIVE = (31000, 30443)


def health(state: TargetState, *, port: int = 31000, check: int = 30080, name: str = "a") -> TargetHealth:
    target = Target(InstanceId(f"i-{name}"), port)
    return TargetHealth(target=target, state=state, check_port=check)


def test_a_check_on_a_node_port_that_is_gone_and_fails_is_stale() -> None:
    assert stale_check_port([health(TargetState.UNHEALTHY)], 31000, LIVE) == 30080


def test_a_check_that_any_target_passes_is_not_stale() -> None:
    both = [health(TargetState.UNHEALTHY), health(TargetState.HEALTHY, name="b")]
    assert stale_check_port(both, 31000, LIVE) is None


def test_a_check_that_has_not_failed_yet_says_nothing() -> None:
    assert stale_check_port([health(TargetState.INITIAL)], 31000, LIVE) is None


def test_a_check_on_another_live_port_of_the_service_or_on_no_node_port_is_not_stale() -> None:
    assert stale_check_port([health(TargetState.UNHEALTHY, check=30443)], 31000, LIVE) is None
    assert stale_check_port([health(TargetState.UNHEALTHY, check=10256)], 31000, LIVE) is None


def test_targets_on_an_old_port_say_nothing() -> None:
    assert stale_check_port([health(TargetState.UNHEALTHY, port=30080)], 31000, LIVE) is None


def test_it_is_reported_until_pulumi_has_followed_and_the_old_targets_stay_meanwhile() -> None:
    async def story() -> None:
        world = World()
        for arn in PORTS:
            world.cloud.groups[arn].check_port = 30080
        world.join("a", "b")
        replica = world.replica()
        await world.until(lambda: len(world.cloud.serving(HTTP)) == 2, within=60)
        old = world.targets("a", "b")
        world.cluster.expose(SERVICE, "http", 31000)
        world.cloud.sick |= {instance("a"), instance("b")}  # nobody answers on 30080 any more
        await asyncio.sleep(1200)
        new = {Target(instance(name), 31000) for name in ("a", "b")}
        assert world.cloud.registered(HTTP) == old | new
        stale = b'nlb_sync_health_check_port_stale{target_group="http"} '
        assert stale + b"1.0" in replica.metrics().encode()
        says = replica.events.of()["HealthCheckPortStale"]
        assert "30080" in says
        assert "run `pulumi up`" in says
        for arn in PORTS:
            world.cloud.groups[arn].check_port = 31000
        world.cloud.sick.clear()
        await world.until(lambda: world.cloud.registered(HTTP) == new, within=60)
        assert stale + b"0.0" in replica.metrics().encode()
        await replica.stop()

    run_virtually(story())
