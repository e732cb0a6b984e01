"""What /status says of simulated worlds: the documents that the page has to show."""

import asyncio
import copy
import hashlib
import json
from typing import Any

from syncer.errors import AccessDeniedError, CredentialsExpiredError
from syncer.model import InstanceId, Target
from tests.simulation.cluster import node
from tests.simulation.virtual import run_virtually
from tests.simulation.world import HTTP, HTTPS, Replica, World

Document = dict[str, Any]
EVIL = "<img src=x onerror=alert(1)>"


def _told(replica: Replica) -> Document:
    told: Document = json.loads(json.dumps(replica.status()))
    return told


def names(count: int) -> list[str]:
    """Node names as EKS makes them."""
    return [
        f"ip-10-0-{16 + index // 250}-{1 + index % 250}.eu-central-1.compute.internal"
        for index in range(count)
    ]


def identity(name: str) -> InstanceId:
    """The instance of a node."""
    return InstanceId("i-" + hashlib.sha256(name.encode()).hexdigest()[:17])


def joins(world: World, name: str, **changes: Any) -> None:
    """Run a node in a zone by its name, or change it."""
    zone = f"eu-central-1{'abc'[int(name.partition('.')[0][-1]) % 3]}"
    labels = {"topology.kubernetes.io/zone": zone, **changes.pop("labels", {})}
    world.cloud.launch(identity(name), zone)
    world.cluster.put(node(name, identity(name), labels=labels, **changes))


def quiet(count: int = 3) -> Document:
    """All nodes are healthy targets of both groups."""

    async def story() -> Document:
        world = World()
        for name in names(count):
            joins(world, name)
        replica = world.replica()
        await world.until(lambda: len(world.cloud.serving(HTTPS)) == count, within=60)
        await asyncio.sleep(10)
        told = _told(replica)
        await replica.stop()
        return told

    return run_virtually(story())


def blind(count: int = 3) -> Document:
    """AWS lets nobody read the groups, as with the predecessor's policy; all nodes are registered."""

    async def story() -> Document:
        world = World()
        for name in names(count):
            joins(world, name)
        replica = world.replica()
        for arn in (HTTP, HTTPS):
            replica.elb.broken["describe", arn] = AccessDeniedError(
                "DescribeTargetHealth", "AccessDenied", "no", "elasticloadbalancing:DescribeTargetHealth"
            )
        await world.until(lambda: len(world.cloud.serving(HTTPS)) == count, within=60)
        await asyncio.sleep(10)
        told = _told(replica)
        await replica.stop()
        return told

    return run_virtually(story())


def forsaken() -> Document:
    """AWS throws every read back for ten minutes after all was well: what is shown is what was known then."""

    async def story() -> Document:
        world = World()
        for name in names(3):
            joins(world, name)
        replica = world.replica()
        await world.until(lambda: len(world.cloud.serving(HTTPS)) == 3, within=60)
        await asyncio.sleep(10)
        for arn in (HTTP, HTTPS):
            replica.elb.broken["describe", arn] = CredentialsExpiredError(
                "DescribeTargetHealth",
                "ExpiredToken",
                "the security token included in the request is expired",
            )
        await asyncio.sleep(600)
        told = _told(replica)
        await replica.stop()
        return told

    return run_virtually(story())


def deserted() -> Document:
    """A cluster that was scaled to nothing: no node, no target."""

    async def story() -> Document:
        world = World()
        replica = world.replica()
        await asyncio.sleep(10)
        told = _told(replica)
        await replica.stop()
        return told

    return run_virtually(story())


def mixed() -> Document:
    """A cluster in which something of everything happens."""

    async def story() -> Document:
        world = World({"NLB_SYNC_OWNERSHIP": "tracked"})
        known = names(8)
        for name in known:
            joins(world, name)
        fargate = {"eks.amazonaws.com/compute-type": "fargate"}
        world.cluster.put(node("fargate-ip-10-0-18-7", "fargate", labels=fargate))
        stranger = Target(InstanceId("i-0f0e1d2c3b4a59687"), 30999)
        world.cloud.launch(stranger.id, "eu-central-1c")
        world.cloud.register(HTTP, [stranger])
        replica = world.replica()
        await world.until(lambda: len(world.cloud.serving(HTTPS)) == len(known), within=60)
        world.cloud.sick.add(identity(known[2]))
        joins(world, known[3], ready=False)
        joins(world, known[4], taints=["ToBeDeletedByClusterAutoscaler"])
        joins(world, known[5], labels={"node.kubernetes.io/exclude-from-external-load-balancers": "true"})
        await asyncio.sleep(40)
        joins(world, "ip-10-0-31-77.eu-central-1.compute.internal")
        joins(world, "ip-10-0-31-90.eu-central-1.compute.internal", ready=False)
        for gone in known[:2]:
            world.cluster.delete(gone)
        await asyncio.sleep(8)
        told = _told(replica)
        await replica.stop()
        return told

    return run_virtually(story())


def busy() -> Document:
    """A common afternoon: one node joins, one leaves, one fails its health check, the others serve."""

    async def story() -> Document:
        world = World()
        known = names(8)
        for name in known:
            joins(world, name)
        fargate = {"eks.amazonaws.com/compute-type": "fargate"}
        world.cluster.put(node("fargate-ip-10-0-18-7", "fargate", labels=fargate))
        replica = world.replica()
        await world.until(lambda: len(world.cloud.serving(HTTPS)) == len(known), within=60)
        world.cloud.sick.add(identity(known[2]))
        joins(world, known[4], taints=["karpenter.sh/disrupted"])
        await asyncio.sleep(40)
        joins(world, "ip-10-0-31-77.eu-central-1.compute.internal")
        await asyncio.sleep(8)
        told = _told(replica)
        await replica.stop()
        return told

    return run_virtually(story())


def crowd(count: int) -> Document:
    """A large cluster, made of the first node of a small one; one in 500 is unhealthy in one group."""
    told = quiet(1)
    pattern = told["nodes"][0]
    targets = [group["targets"][0] for group in told["groups"]]
    told["nodes"] = []
    rows: list[list[Document]] = [[], []]
    for index, name in enumerate(names(count)):
        identity = f"i-{index:017x}"
        told["nodes"].append({**pattern, "node": name, "instance_id": identity})
        for row, target in zip(rows, targets, strict=True):
            row.append({**target, "id": identity})
        if index % 500 == 7:
            rows[0][-1].update(state="unhealthy", reason="Target.FailedHealthChecks")
    for group, row in zip(told["groups"], rows, strict=True):
        group.update(targets=row, registered=count, healthy=sum(each["state"] == "healthy" for each in row))
    return told


def poisoned() -> Document:
    """Every string that comes from the cluster or AWS tries to be markup."""
    told = copy.deepcopy(mixed())

    def soil(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: soil(each) if key not in {"state", "next", "verdict"} else each
                for key, each in value.items()
            }
        if isinstance(value, list):
            return [soil(each) for each in value]
        return EVIL + value if isinstance(value, str) else value

    soiled: Document = soil(told)
    soiled["sentences"] = {EVIL + code: EVIL + text for code, text in told["sentences"].items()}
    soiled["problems"] = [EVIL]
    return soiled
