"""An AWS call: the parsed form, the refusals by rate, the rules, and the note of the call."""

import random
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from bench.aws import xml
from bench.aws.groups import Cloud, Group
from sandbox.elbv2.errors import Refusal
from sandbox.elbv2.targets import TargetKey
from sandbox.elbv2.throttle import RATES, WRITES, Rates, Throttle, refuse_share

OK = "ok"


@dataclass(slots=True)
class Elb:
    """The whole state of the fake. Fields of a note: at, operation, group, targets (id, port), code.

    `throttled` is the share (0 to 1) of all calls that is refused, `rates` are the request limits.
    """

    cloud: Cloud = field(default_factory=Cloud)
    throttled: float = 0.0
    rates: Rates = field(default_factory=dict)
    notes: list[dict[str, Any]] = field(default_factory=list)
    _throttle: Throttle = field(default_factory=Throttle)
    _chance: random.Random = field(default_factory=lambda: random.Random(4))  # noqa: S311 (reproducible)

    def call(self, body: bytes, now: float) -> tuple[int, bytes]:
        """Return HTTP status and XML for a form read at `now`."""
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        action, arn = form.get("Action", ""), form.get("TargetGroupArn", "")
        keys: list[TargetKey] = []
        try:
            keys = _targets(form, self.cloud.groups.get(arn))
            result = self._result(action, arn, keys, form, now)
        except Refusal as refusal:
            self.note(now, action, arn, keys, refusal.code)
            return 400, xml.refusal(refusal.code, refusal.message)
        self.note(now, action, arn, keys, OK)
        return 200, xml.answer(action, result)

    def note(self, now: float, operation: str, arn: str, keys: list[TargetKey], code: str = OK) -> None:
        """Record a call for the bench."""
        self.notes.append({"at": now, "operation": operation, "group": arn, "targets": keys, "code": code})

    def reset(self, world: dict[str, Any], now: float) -> None:
        """Start afresh: groups {arn: port}, instances {id: state}, targets {arn: [[id, port]]} (healthy)."""
        healthy_after: float = world["healthy_after"]
        self.cloud = Cloud(
            world["groups"], world["instances"], healthy_after=healthy_after, drain=world["drain"]
        )
        for arn, keys in world.get("targets", {}).items():
            self.cloud.groups[arn].targets.register([(one, port) for one, port in keys], now - healthy_after)
        # The rows measure the limit on writes; reads are never limited.
        self.rates = {WRITES: RATES[WRITES]} if world["limited"] else {}
        self.throttled = 0.0
        self._throttle.refill()
        self._chance.seed(4)
        self.notes.clear()

    def _result(
        self, action: str, arn: str, keys: list[TargetKey], form: dict[str, str], now: float
    ) -> bytes:
        self._throttle.spend(action, self.rates, now)
        refuse_share(self.throttled, self._chance)
        if action == "DescribeTargetGroups":
            return self._target_groups(form)
        if action == "DescribeTargetHealth":
            return self.cloud.health(self.cloud.group(arn), keys, now)
        if action == "RegisterTargets":
            self.cloud.register(self.cloud.group(arn), keys, now)
        elif action == "DeregisterTargets":
            self.cloud.deregister(self.cloud.group(arn), keys, now)
        else:
            raise Refusal("InvalidAction", f"Could not find operation {action} for version 2015-12-01")
        return b""

    def _target_groups(self, form: dict[str, str]) -> bytes:
        arns = [text for name, text in form.items() if name.startswith("TargetGroupArns.member.")]
        names = {text for name, text in form.items() if name.startswith("Names.member.")}
        if arns:
            return xml.target_groups(self.cloud.group(arn) for arn in arns)
        every = self.cloud.groups.values()
        return xml.target_groups(group for group in every if not names or group.name in names)


def _targets(form: dict[str, str], group: Group | None) -> list[TargetKey]:
    """Return the targets of the form without duplicates; an Id alone has the group's port."""
    prefix, own = "Targets.member.", str(group.port if group else 0)
    ids = [name[len(prefix) : -3] for name in form if name.startswith(prefix) and name.endswith(".Id")]
    named = ((form[f"{prefix}{index}.Id"], int(form.get(f"{prefix}{index}.Port", own))) for index in ids)
    return list(dict.fromkeys(named))
