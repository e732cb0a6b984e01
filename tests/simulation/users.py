"""The three simulated AWSs behind one interface: simulation, sandbox (in process) and bench."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlencode

from bench.aws.calls import Elb
from sandbox.cloud.ec2 import Ec2
from sandbox.cloud.elbv2 import attributes, targets
from sandbox.cloud.elbv2.health import CheckResult, forget_unchecked, record
from sandbox.cloud.elbv2.records import HealthCheck, Listener, LoadBalancer, TargetGroup, Zone
from sandbox.cloud.elbv2.store import Elbv2
from sandbox.cloud.errors import AwsError
from sandbox.cloud.faults import QUOTAS, Faults
from sandbox.elbv2.account import Instance
from syncer.errors import AwsError as SyncerError
from syncer.model import InstanceId, Target, TargetGroupArn, TargetState
from tests.simulation.cloud import MemoryCloud

ARNS = tuple(f"arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/{name}/0" for name in ("one", "two"))
PORT, HEALTHY_S, DRAIN_S = 80, 20.0, 25
Wanted = Sequence[tuple[str, int | None]]
"""Instance ids with port, None for the group's."""
States = Mapping[tuple[str, int], tuple[str, str]]
"""State and reason; without a reason for initial targets, whose checks differ."""


class Simulation:
    """`tests.simulation.cloud`, on the running virtual loop."""

    def __init__(self) -> None:
        self.cloud = MemoryCloud(map(TargetGroupArn, ARNS))
        for group in self.cloud.groups.values():
            group.healthy_after, group.deregistration_delay_s, group.port = HEALTHY_S, DRAIN_S, PORT

    def write(self, operation: str, arn: str, wanted: Wanted) -> str:
        call = self.cloud.register if operation == "register" else self.cloud.deregister
        try:
            call(TargetGroupArn(arn), [Target(InstanceId(one), port or 0) for one, port in wanted])
        except SyncerError as error:
            return error.code
        return ""

    def states(self, arn: str) -> States:
        found = self.cloud.described(TargetGroupArn(arn))
        return {each.target: shown(each.state.value, each.reason) for each in found}

    def run(self, one: str, zone: str, *, running: bool) -> None:
        if running:
            self.cloud.launch(one, zone)
        else:
            self.cloud.running.pop(InstanceId(one), None)

    def change(
        self, sick: Collection[str], crowded: Collection[str], zones: set[str], *, listening: bool
    ) -> None:
        self.cloud.sick, self.cloud.crowded = {*map(InstanceId, sick)}, {*map(InstanceId, crowded)}
        self.cloud.zones = zones
        for group in self.cloud.groups.values():
            group.listening = listening

    def limit(self, of_group: int, of_balancer: int) -> None:
        self.cloud.quota = of_balancer
        for group in self.cloud.groups.values():
            group.quota = of_group


class _Ec2:
    """The instances of moto that the rules for targets read."""

    def __init__(self) -> None:
        self.instances: dict[str, Instance] = {}

    def instance(self, instance_id: str) -> Instance | None:
        return self.instances.get(instance_id)


class Sandbox:
    """`sandbox.cloud.elbv2`; `check` does the data plane's work."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sick: Collection[str] = ()
        self.started: dict[str, float] = {}
        self.ec2 = _Ec2()
        self.cloud = Elbv2(cast(Ec2, self.ec2), lambda: self.now)
        self.cloud.faults = replace(Faults(), registration_delay_s=HEALTHY_S / 4)
        check = HealthCheck(
            protocol="TCP", port="traffic-port", path=None, interval_s=10, timeout_s=6,
            healthy_threshold=2, unhealthy_threshold=2, matcher=None,
        )  # fmt: skip
        for arn in ARNS:
            own = {**attributes.TARGET_GROUP, "deregistration_delay.timeout_seconds": str(DRAIN_S)}
            name = arn.split("/")[1]
            self.cloud.groups[arn] = TargetGroup(arn, name, "TCP", PORT, "", "instance", "ipv4", check, own)
        self.balancer = LoadBalancer(
            "lb", "lb", "lb", "internal", "", "ipv4", datetime.now(UTC), 0.0, [],
            attributes=dict(attributes.LOAD_BALANCER),
        )  # fmt: skip
        self.cloud.load_balancers["lb"] = self.balancer
        self.change((), (), {"1a", "1b"}, listening=True)

    def write(self, operation: str, arn: str, wanted: Wanted) -> str:
        call = targets.register if operation == "register" else targets.deregister
        named = [{"Id": one} if port is None else {"Id": one, "Port": port} for one, port in wanted]
        try:
            call(self.cloud, {"TargetGroupArn": arn, "Targets": named})
        except AwsError as error:
            return error.code
        return ""

    def states(self, arn: str, lag_s: float = 0.0) -> States:
        answer = targets.describe_health(self.cloud, {"TargetGroupArn": arn}, lag_s)
        return {
            (one["Target"]["Id"], one["Target"]["Port"]): shown(
                one["TargetHealth"]["State"], one["TargetHealth"]["Reason"] or ""
            )
            for one in answer["TargetHealthDescriptions"]
        }

    def run(self, one: str, zone: str, *, running: bool) -> None:
        known = self.ec2.instances.get(one)
        if running and (known is None or known.state != "running"):
            self.ec2.instances[one] = Instance("running", zone)
            self.started[one] = self.now
        elif known is not None and not running:
            self.ec2.instances[one] = Instance("stopped", zone)
            forget_unchecked(self.cloud)

    def change(
        self, sick: Collection[str], crowded: Collection[str], zones: set[str], *, listening: bool
    ) -> None:
        self.sick = sick
        poison = dict.fromkeys(crowded, "TooManyRegistrationsForTargetId")
        self.cloud.faults = replace(self.cloud.faults, poison=poison)
        self.balancer.zones = {zone: Zone(zone, "", "", "", None, None) for zone in zones}
        forward: list[Any] = [{"Type": "forward", "TargetGroupArn": arn} for arn in ARNS]
        self.cloud.listeners = {"li": Listener("li", "lb", "TCP", 80, forward)} if listening else {}
        forget_unchecked(self.cloud)

    def limit(self, of_group: int, of_balancer: int) -> None:
        quotas = {
            **QUOTAS,
            "targets-per-target-group": of_group,
            "targets-per-network-load-balancer": of_balancer,
        }
        self.cloud.faults = replace(self.cloud.faults, quotas=quotas)

    def check(self) -> None:
        """Post the results of checks that began HEALTHY_S ago."""
        results = [
            CheckResult(
                target_group_arn=arn,
                instance_id=one,
                port=port,
                state="unhealthy" if one in self.sick else "healthy",
            )
            for arn, group in self.cloud.groups.items()
            for (one, port), target in group.targets.present.items()
            if self.now >= max(target.registered_at, self.started.get(one, 0.0)) + HEALTHY_S
        ]
        record(self.cloud, results)


class Bench:
    """`bench.aws`, by the body of its HTTP requests."""

    def __init__(self) -> None:
        self.now = 0.0
        self.elb = Elb()
        world = {"groups": dict.fromkeys(ARNS, PORT), "instances": {}, "limited": False}
        self.elb.reset({**world, "healthy_after": HEALTHY_S, "drain": float(DRAIN_S)}, 0.0)

    def write(self, operation: str, arn: str, wanted: Wanted) -> str:
        form = {"Action": f"{operation.capitalize()}Targets", "TargetGroupArn": arn}
        for index, (one, port) in enumerate(wanted, 1):
            form[f"Targets.member.{index}.Id"] = one
            if port is not None:
                form[f"Targets.member.{index}.Port"] = str(port)
        _, body = self.elb.call(urlencode(form).encode(), self.now)
        code = re.search(r"<Code>(\w+)</Code>", body.decode())
        return code[1] if code else ""

    def states(self, arn: str) -> States:
        form = {"Action": "DescribeTargetHealth", "TargetGroupArn": arn}
        _, body = self.elb.call(urlencode(form).encode(), self.now)
        members = re.findall(
            r"<Id>([^<]+)</Id><Port>(\d+)</Port>.*?<State>([^<]+)</State>(?:<Reason>([^<]+)</Reason>)?",
            body.decode(),
        )
        return {(one, int(port)): shown(state, reason) for one, port, state, reason in members}

    def run(self, one: str, zone: str, *, running: bool) -> None:  # noqa: ARG002
        if running or one in self.elb.cloud.instances:
            self.elb.cloud.set_states({one: "running" if running else "stopped"}, self.now)


def shown(state: str, reason: str) -> tuple[str, str]:
    return state, "" if state == TargetState.INITIAL else reason
