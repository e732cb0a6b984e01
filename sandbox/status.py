"""The status of a running sandbox: addresses, listeners, groups, nodes, the syncer."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from sandbox import process, supervisor
from sandbox.cloud.client import ACCESS_KEY, SECRET_KEY
from sandbox.cluster import CONTROLLERS, STORE_AND_API, Rest
from sandbox.kubelet.spawn import running
from sandbox.kubelet.unpacked_image import UnpackedImage
from sandbox.layout import REGION, Layout
from sandbox.loopback import Address, Loopback
from sandbox.plugins.choice import Plugin, installed
from sandbox.supervisor import Incident

SYNCER_PORT = 8080
PROCESSES = ("cloud", *STORE_AND_API, *CONTROLLERS, "nodes", "dataplane")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A target of a group; `node` is the Node of its instance, if any."""

    id: str
    port: int
    node: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A target group from the AWS API."""

    name: str
    arn: str
    targets: tuple[Target, ...]

    @property
    def healthy(self) -> int:
        """Count the healthy targets."""
        return sum(target.state == "healthy" for target in self.targets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A Node and its instance."""

    name: str
    instance_id: str
    zone: str
    ready: bool
    cordoned: bool
    taints: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """All data of `sandbox status`. `entries` maps `zone/listener` to the actual listen address.

    `runtime` and `image` describe the syncer's Pods: processes without an image, or containers. `processes`
    are the running processes, `missing` those that do not run, `incidents` the ended processes; `supervised`
    is whether ended processes are restarted.
    """

    static_ips: Mapping[str, str]
    listeners: Mapping[str, int]
    entries: Mapping[str, Address]
    groups: tuple[Group, ...]
    nodes: tuple[Node, ...]
    syncer: str
    syncer_ready: bool
    processes: tuple[str, ...]
    missing: tuple[str, ...] = ()
    plugins: tuple[Plugin, ...] = ()
    incidents: Mapping[str, Incident] = field(default_factory=dict)
    supervised: bool = True
    runtime: str = "process"
    image: str = ""

    @property
    def settled(self) -> bool:
        """Whether the syncer has filled the groups: the same instances in all groups, all healthy.

        Targets of nodes that are not Ready do not count: they stay registered, and may never answer.
        """
        silent = {node.name for node in self.nodes if not node.ready}
        awaited = [[t for t in group.targets if t.node not in silent] for group in self.groups]
        members = {frozenset(target.id for target in targets) for targets in awaited}
        return (
            self.syncer_ready
            and len(members) == 1
            and members != {frozenset()}
            and all(target.state == "healthy" for targets in awaited for target in targets)
        )

    def to_json(self) -> dict[str, Any]:
        """Return the output of `sandbox status --json`."""
        return {
            "up": bool(self.processes),
            "staticIps": dict(self.static_ips),
            "listeners": dict(self.listeners),
            "entries": {name: str(place) for name, place in self.entries.items()},
            "targetGroups": [
                {
                    "name": group.name,
                    "arn": group.arn,
                    "healthy": group.healthy,
                    "total": len(group.targets),
                    "targets": [asdict(target) for target in group.targets],
                }
                for group in self.groups
            ],
            "nodes": [asdict(node) for node in self.nodes],
            "syncer": {
                "url": self.syncer,
                "ready": self.syncer_ready,
                "runtime": self.runtime,
                "image": self.image,
            },
            "processes": list(self.processes),
            "missing": list(self.missing),
            "supervised": self.supervised,
            "incidents": {name: asdict(one) for name, one in self.incidents.items()},
            "plugins": [plugin.to_json() for plugin in self.plugins],
        }


def observe(layout: Layout, outputs: Mapping[str, Any]) -> Status:
    """Read the whole status. `outputs` are the stack's; parts without an answer stay empty."""
    dead = missing(layout)
    # An API server without its store does not answer for a minute.
    cluster_answers = not set(STORE_AND_API) & set(dead)
    nodes = _nodes(layout) if cluster_answers else ()
    by_instance = {node.instance_id: node.name for node in nodes}
    static_ips: dict[str, str] = dict(outputs.get("staticIps", {}))
    listeners = {name: int(port) for name, port in outputs.get("listeners", {}).items()}
    loopback = Loopback.of(layout)
    syncer, ready = _syncer(layout, outputs) if cluster_answers else ("", False)
    image = UnpackedImage.read(layout) if any(each.inside for each in running(layout)) else None
    return Status(
        static_ips=static_ips,
        listeners=listeners,
        entries={
            f"{zone}/{name}": loopback.place(ip, port)
            for zone, ip in sorted(static_ips.items())
            for name, port in listeners.items()
        },
        groups=tuple(
            Group(name=name, arn=arn, targets=_targets(layout, arn, by_instance))
            for name, arn in sorted(outputs.get("targetGroups", {}).items())
        ),
        nodes=nodes,
        syncer=syncer,
        syncer_ready=ready,
        processes=tuple(name for name in PROCESSES if name not in dead),
        missing=dead,
        plugins=tuple(installed(layout)),
        incidents=supervisor.incidents(layout),
        supervised=process.find(layout, supervisor.NAME) is not None,
        runtime=image.by if image else "process",
        image=image.image if image else "",
    )


def missing(layout: Layout) -> tuple[str, ...]:
    """Return the names of missing processes."""
    return tuple(name for name in PROCESSES if process.find(layout, name) is None)


def client(layout: Layout, service: str) -> Any:
    """Return a boto3 client of the sandbox's AWS, with administrator keys."""
    return _client(layout.aws_url, service)


@cache  # a new client takes 60 ms of CPU, and tests observe a sandbox several times a second
def _client(url: str, service: str) -> Any:
    session = boto3.Session(ACCESS_KEY, SECRET_KEY, region_name=REGION)
    config = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})
    return session.client(service, endpoint_url=url, config=config)  # type: ignore[call-overload]


def _targets(layout: Layout, arn: str, nodes: Mapping[str, str]) -> tuple[Target, ...]:
    try:
        answer = client(layout, "elbv2").describe_target_health(TargetGroupArn=arn)
        targets = answer["TargetHealthDescriptions"]
    except Exception:  # noqa: BLE001  (without a valid answer the part stays empty)
        return ()
    return tuple(
        Target(
            id=each["Target"]["Id"],
            port=each["Target"]["Port"],
            node=nodes.get(each["Target"]["Id"], ""),
            state=each["TargetHealth"]["State"],
            reason=each["TargetHealth"].get("Reason", ""),
        )
        for each in targets
    )


def _nodes(layout: Layout) -> tuple[Node, ...]:
    try:
        return tuple(_node(item) for item in Rest(layout).get("/api/v1/nodes")["items"])
    except Exception:  # noqa: BLE001
        return ()


def _node(item: Mapping[str, Any]) -> Node:
    conditions = {each["type"]: each["status"] for each in item["status"].get("conditions", [])}
    return Node(
        name=item["metadata"]["name"],
        instance_id=item["spec"].get("providerID", "").rpartition("/")[2],
        zone=item["metadata"].get("labels", {}).get("topology.kubernetes.io/zone", ""),
        ready=conditions.get("Ready") == "True",
        cordoned=bool(item["spec"].get("unschedulable")),
        taints=tuple(taint["key"] for taint in item["spec"].get("taints", [])),
    )


def _syncer(layout: Layout, outputs: Mapping[str, Any]) -> tuple[str, bool]:
    """Return the URL of a syncer Pod, preferably ready, and whether the Pod is ready."""
    found = outputs.get("syncer")
    if not found:
        return "", False
    namespace, name = found["namespace"], found["deployment"]
    try:
        rest = Rest(layout)
        deployment = rest.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}")
        labels = deployment["spec"]["selector"]["matchLabels"]
        selector = "%2C".join(f"{key}%3D{value}" for key, value in labels.items())
        pods = rest.get(f"/api/v1/namespaces/{namespace}/pods?labelSelector={selector}")["items"]
    except Exception:  # noqa: BLE001
        return "", False
    ip, ready = best_pod(pods)
    return (f"http://{Loopback.of(layout).place(ip, SYNCER_PORT)}/" if ip else ""), ready


def best_pod(pods: Iterable[Mapping[str, Any]]) -> tuple[str, bool]:
    """Return the IP of a Pod not in deletion, preferably ready, and its readiness; otherwise no IP."""
    staying = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    placed = [(not _ready(pod), pod["status"]["podIP"]) for pod in staying if pod["status"].get("podIP")]
    not_ready, ip = min(placed, default=(True, ""))
    return ip, not not_ready


def _ready(pod: Mapping[str, Any]) -> bool:
    conditions = pod["status"].get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
