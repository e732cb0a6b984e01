"""A small world for the program to read from under Pulumi's mocks, and a record of what it asks for."""

import asyncio
import gc
import json
import runpy
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import pulumi
import yaml
from pulumi.runtime import mocks, rpc
from pulumi.runtime import settings as runtime_settings

from tests.program import reads

ROOT = Path(__file__).parents[2]
NODE_PORTS = {"http": 31080, "https": 31443}
CHECK = 31777  # healthCheckNodePort of a Service with externalTrafficPolicy Local
SERVICE = "com.amazonaws.vpce.eu-central-1.vpce-svc-1"
VPC = "vpc-4283fefc63f0cd0e8"

IDENTITY_READS = {
    "aws:eks/getCluster:getCluster",
    "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider",
    "aws:iam/getRole:getRole",
}
BALANCER_READS = {"aws:lb/getLbs:getLbs", "aws:lb/getLoadBalancer:getLoadBalancer"}

Config = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """One resource as the program registered it: what the engine would be told."""

    type: str
    name: str
    inputs: dict[str, Any]
    urn: str
    parent: str
    import_id: str
    protect: bool
    retain_on_delete: bool
    delete_before_replace: bool
    replacement_trigger: float | None
    replace_on_changes: tuple[str, ...]
    delete_timeout: str
    version: str
    dependencies: tuple[str, ...]
    property_dependencies: dict[str, tuple[str, ...]]
    ignore_changes: tuple[str, ...]
    aliases: tuple[str, ...]


@dataclass(slots=True)
class Record:
    """What one run of the program asked for, and what it exported."""

    resources: list[Registered] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def of(self, type_: str) -> dict[str, Registered]:
        """All resources of a type, by logical name, which is theirs alone."""
        found = [item for item in self.resources if item.type == type_]
        assert len({item.name for item in found}) == len(found)
        return {item.name: item for item in found}

    def one(self, type_: str) -> Registered:
        """The only resource of a type."""
        (item,) = self.of(type_).values()
        return item

    def before(self, item: Registered) -> set[str]:
        """The URNs of all that must exist before `item` is made, and is deleted after it."""
        by_urn = {each.urn: each for each in self.resources}
        found: set[str] = set()
        waiting = [*item.dependencies]
        while waiting:
            urn = waiting.pop()
            if urn not in found:
                found.add(urn)
                waiting.extend(by_urn[urn].dependencies if urn in by_urn else ())
        return found


@dataclass(slots=True)
class Cloud(reads.Known):
    """The AWS side of the world that the program reads before it registers anything."""

    zones: dict[str, str] = field(default_factory=dict)
    vpc_id: str = VPC
    existing: dict[str, str] = field(default_factory=dict)
    balancers: dict[str, dict[str, Any]] = field(default_factory=dict)
    refusal: str = ""
    no_identity: bool = False
    target_types: dict[str, str] = field(default_factory=dict)
    group_vpcs: dict[str, str] = field(default_factory=dict)


class World(mocks.Mocks):
    """Answers as AWS and Kubernetes would, with ids of the real shape that follow from the logical name."""

    def __init__(
        self, cloud: Cloud, *, preview: bool, adopted: Mapping[str, int] | None, local: bool = False
    ) -> None:
        self.cloud, self.preview, self.adopted, self.local = cloud, preview, adopted, local

    def call(self, args: mocks.MockCallArgs) -> Any:
        if (answer := reads.answer(self.cloud, args.token, args.args)) is not None:
            return answer
        if args.token == "aws:ec2/getSubnet:getSubnet":
            zone = self.cloud.zones.get(args.args["id"])
            if zone is None:
                return {}, [("id", self.cloud.refusal)]
            free = self.cloud.free.get(args.args["id"], 251)
            ipv6 = self.cloud.ipv6.get(args.args["id"], "")
            place = {"availabilityZone": zone, "availableIpAddressCount": free, "ipv6CidrBlock": ipv6}
            return {"id": args.args["id"], "vpcId": self.cloud.vpc_id, **place}
        if args.token == "aws:ec2/getEips:getEips":
            return self._addresses(args.args)
        if args.token in BALANCER_READS:
            return self._balancers(args.args)
        if args.token == "aws:lb/getTargetGroup:getTargetGroup":
            return self._target_group(args.args["arn"])
        if args.token == "aws:ecr/getAuthorizationToken:getAuthorizationToken":
            return {"userName": "AWS", "password": "a-registry-token"}
        if args.token in IDENTITY_READS:
            if self.cloud.no_identity:
                return {}, [("id", "api error NoSuchEntity: not found")]
            return dict(args.args)
        raise AssertionError(f"{args.token} is not among the functions that the program may call")

    def _target_group(self, arn: str) -> Any:
        kind = self.cloud.target_types.get(arn)
        if kind is None:
            return {}, [("arn", "no matching ELBv2 Target Group found")]
        return {"arn": arn, "targetType": kind, "vpcId": self.cloud.group_vpcs.get(arn, VPC)}

    def _balancers(self, args: dict[str, Any]) -> dict[str, Any]:
        if "arn" in args:
            # An ARN that a mock made up is the load balancer's that exists.
            found = self.cloud.balancers.get(args["arn"]) or next(iter(self.cloud.balancers.values()))
            return {"arn": args["arn"], **found}
        wanted, every = args.get("tags") or {}, self.cloud.balancers.items()
        return {"arns": [arn for arn, one in every if wanted.items() <= one["tags"].items()]}

    def _addresses(self, args: dict[str, Any]) -> dict[str, Any]:
        if args.get("filters"):
            every = {**dict.fromkeys(dict(self.cloud.kept), "192.0.2.1"), **self.cloud.existing}
            found = {id_: ip for id_, ip in every.items() if id_ in args["filters"][0]["values"]}
            return {"allocationIds": [*found], "publicIps": [*found.values()]}
        wanted_tags = args.get("tags") or {}
        ids = [id_ for id_, tags in self.cloud.kept if wanted_tags.items() <= tags.items()]
        if not wanted_tags:
            ids = sorted({*ids, *self.cloud.existing})
        return {"allocationIds": ids, "publicIps": []}

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if args.typ == "kubernetes:core/v1:Service":
            return f"{args.name}", self._service(args)
        if self.preview or not args.custom:
            return ("" if args.custom else args.name), dict(args.inputs)
        return self._made(args)

    def _service(self, args: mocks.MockResourceArgs) -> dict[str, Any]:
        if args.resource_id:
            ports = [
                {"name": name, "nodePort": port, "port": 1} for name, port in (self.adopted or {}).items()
            ]
            if not self.local:
                return {"metadata": {}, "spec": {"type": "NodePort", "ports": ports}}
            policy = {"externalTrafficPolicy": "Local", "healthCheckNodePort": CHECK}
            return {"metadata": {}, "spec": {"type": "LoadBalancer", "ports": ports, **policy}}
        state = json.loads(json.dumps(args.inputs))
        if not self.preview:
            for port in state["spec"]["ports"]:
                port.setdefault("nodePort", NODE_PORTS.get(port["name"], 31999))
            if state["spec"].get("externalTrafficPolicy") == "Local":
                state["spec"].setdefault("healthCheckNodePort", CHECK)
        return dict(state)

    def _made(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        kind, name, state = args.typ.rpartition(":")[2], args.name, dict(args.inputs)
        arn = f"arn:aws:elasticloadbalancing:eu-central-1:123456789012:{kind.lower()}/{name}/0123456789abcdef"
        if kind == "Eip":
            id_ = args.resource_id or f"eipalloc-{name}"
            return id_, {**state, "allocationId": id_, "publicIp": f"192.0.2.{sum(name.encode()) % 250}"}
        if kind in {"TargetGroup", "LoadBalancer", "Listener"}:
            return arn, {
                **state,
                "arn": arn,
                "arnSuffix": f"net/{name}-0a1b2c3/0123456789abcdef",
                "name": f"{name}-0a1b2c3",
                "dnsName": f"{name}.elb.example",
                "zoneId": "Z0EXAMPLE",
            }
        if kind == "Repository":
            url = f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/{name}-0a1b2c3"
            return name, {
                **state,
                "name": f"{name}-0a1b2c3",
                "repositoryUrl": url,
                "registryId": "123456789012",
            }
        if kind == "Image":
            return name, {**state, "ref": f"{state['tags'][0]}@sha256:{'0' * 64}"}
        if kind == "VpcEndpointService":
            proof = {"name": "_vpce", "value": "vpce:1", "type": "TXT", "state": "pendingVerification"}
            found = [proof] if "privateDnsName" in state else []
            return "vpce-svc-1", {**state, "serviceName": SERVICE, "privateDnsNameConfigurations": found}
        if kind == "SecurityGroup":
            return f"sg-{name}", {**state, "name": f"{name}-0a1b2c3"}
        if kind == "Role":
            return name, {**state, "arn": f"arn:aws:iam::123456789012:role/{name}", "name": name}
        if kind == "AccessKey":
            return "AKIAEXAMPLE", {**state, "secret": "a-very-secret-key"}
        return f"{kind}-{name}", {"name": f"{name}-0a1b2c3", **state}


def trigger(request: Any) -> float | None:
    """The replacement trigger of a registration; None without one."""
    if not request.HasField("replacement_trigger"):
        return None
    return float(request.replacement_trigger.number_value)


class Monitor(mocks.MockMonitor):
    """Keeps the requests themselves: resource options are in no mock's arguments."""

    def __init__(self, world: World, record: Record) -> None:
        super().__init__(world)
        self.record = record

    def features(self) -> set[Any]:
        """What the SDK may ask of this engine."""
        return set(self.GetDeploymentInfo(None).supportedFeatures)  # type: ignore[no-untyped-call]

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 (gRPC's name)
        answer = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.type != "pulumi:pulumi:Stack":
            self.record.resources.append(
                Registered(
                    type=request.type,
                    name=request.name,
                    inputs=rpc.deserialize_properties(request.object),
                    urn=answer.urn,
                    parent=request.parent,
                    import_id=request.importId,
                    protect=request.protect,
                    retain_on_delete=request.retainOnDelete,
                    delete_before_replace=request.deleteBeforeReplace,
                    replacement_trigger=trigger(request),
                    replace_on_changes=tuple(request.replaceOnChanges),
                    delete_timeout=request.customTimeouts.delete,
                    version=request.version,
                    dependencies=tuple(request.dependencies),
                    property_dependencies={
                        key: tuple(found.urns) for key, found in request.propertyDependencies.items()
                    },
                    ignore_changes=tuple(request.ignoreChanges),
                    aliases=tuple(alias.spec.name for alias in request.aliases if alias.spec.name),
                )
            )
        return answer

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 (gRPC's name)
        if "pulumi:pulumi:Stack" in request.urn:
            self.record.outputs = rpc.deserialize_properties(request.outputs)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


def dev_config() -> Config:
    """The configuration of stack `dev`, with the project's defaults, as the CLI hands it to the program.

    Without its identity, so that the syncer has the predecessor's: an IAM user with keys in a Secret.
    """
    return deepcopy(_dev_config())


@cache
def _dev_config() -> Config:
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    stack = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
    defaults = {
        f"{project['name']}:{key}": entry["default"]
        for key, entry in project["config"].items()
        if "default" in entry
    }
    config = {**defaults, **stack["config"]}
    return {key: value for key, value in config.items() if key != "node-nlb-sync:identity"}


def revealed(value: Any) -> tuple[Any, bool]:
    """A recorded input without its secret wrapping, and whether it had one."""
    if isinstance(value, dict) and rpc._special_sig_key in value:
        return value["value"], True
    return value, False


def in_clear(value: Any) -> Any:
    """A recorded input or output without what is secret in it."""
    if isinstance(value, dict):
        if rpc._special_sig_key in value:
            return None
        return {key: in_clear(inner) for key, inner in value.items()}
    return [in_clear(inner) for inner in value] if isinstance(value, list) else value


def as_text(config: Config) -> dict[str, str]:
    """Strings as they are, everything else as JSON: how Pulumi passes configuration."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}


# The records of infra/ by everything that it reads: a run costs a quarter of a second.
_RECORDS: Final[dict[str, Record]] = {}


class RunProgram:
    """Runs infra/ exactly as Pulumi does (runpy, no package) and gives what it asked for."""

    def __init__(self, loop: asyncio.AbstractEventLoop, config: Config, cloud: Cloud) -> None:
        self._loop, self._config, self._cloud = loop, config, cloud
        self._ran: set[str] = set()
        self.last = Record()
        self.refused = False
        self.secret_keys: list[str] = []

    def __call__(
        self,
        program: Callable[[], None] | None = None,
        *,
        preview: bool = False,
        adopted: Mapping[str, int] | None = None,
        fresh: bool = False,
        local: bool = False,
    ) -> Record:
        """One `preview` or `up`, of infra/ or another program; `adopted` are NodePorts of a Service.

        With `local`, the adopted Service has externalTrafficPolicy Local.

        infra/ runs once for each configuration and world, whatever the number of tests that look at its
        record. A second run of a test is a run, and so is a `fresh` one: for its log.
        """
        inputs = repr((as_text(self._config), self._cloud, self.secret_keys, preview, adopted, local))
        if program is None and inputs in _RECORDS and inputs not in self._ran and not fresh:
            self.last = deepcopy(_RECORDS[inputs])
        else:
            self._run(program, preview=preview, adopted=adopted, local=local)
            if program is None:
                _RECORDS[inputs] = deepcopy(self.last)
        self._ran.add(inputs)
        return self.last

    def _run(
        self,
        program: Callable[[], None] | None,
        *,
        preview: bool,
        adopted: Mapping[str, int] | None,
        local: bool,
    ) -> None:
        self.last = Record()
        world = World(self._cloud, preview=preview, adopted=adopted, local=local)
        monitor = Monitor(world, self.last)
        # What mocks.set_mocks does, but for its root stack: run_in_stack makes one, as under the real engine.
        settings = mocks.MockSettings(  # type: ignore[no-untyped-call]
            monitor=monitor,
            monitor_features=monitor.features(),
            engine=mocks.MockEngine(None),
            project="node-nlb-sync",
            stack="dev",
            dry_run=preview,
            organization="organization",
            callbacks=None,
        )
        runtime_settings.configure(settings)
        runtime_settings.ROOT.set(None)
        pulumi.runtime.set_all_config(as_text(self._config), self.secret_keys)
        try:
            self._loop.run_until_complete(pulumi.runtime.run_in_stack(program or self._program))
        except Exception:
            self.refused = True
            gc.disable()  # until the fixture collects, quietly, what the program never awaited
            raise

    @staticmethod
    def _program() -> None:
        runpy.run_path(str(ROOT / "infra"), run_name="__main__")
