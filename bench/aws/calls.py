"""An AWS call: the parsed form, the refusals by rate, the rules, and the note of the call."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from bench.aws import xml
from bench.aws.buckets import BURST, RATE, Bucket, Dice
from bench.aws.groups import Cloud, Group, Key, Refusal, Target

_WRITES = frozenset({"RegisterTargets", "DeregisterTargets"})
OK = "ok"


@dataclass(slots=True)
class Elb:
    """The whole state of the fake. Fields of a note: at, operation, group, targets (id, port), code."""

    cloud: Cloud = field(default_factory=Cloud)
    dice: Dice = field(default_factory=Dice)
    bucket: Bucket | None = None
    notes: list[dict[str, Any]] = field(default_factory=list)

    def call(self, body: bytes, now: float) -> tuple[int, bytes]:
        """Return HTTP status and XML for a form read at `now`."""
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        action, arn = form.get("Action", ""), form.get("TargetGroupArn", "")
        keys: list[Key] = []
        try:
            keys = _targets(form, self.cloud.groups.get(arn))
            result = self._result(action, arn, keys, form, now)
        except Refusal as refusal:
            self.note(now, action, arn, keys, refusal.code)
            return 400, xml.refusal(refusal.code, refusal.message)
        self.note(now, action, arn, keys, OK)
        return 200, xml.answer(action, result)

    def note(self, now: float, operation: str, arn: str, keys: list[Key], code: str = OK) -> None:
        """Record a call for the bench."""
        self.notes.append({"at": now, "operation": operation, "group": arn, "targets": keys, "code": code})

    def reset(self, world: dict[str, Any], now: float) -> None:
        """Start afresh: groups {arn: port}, instances {id: state}, targets {arn: [[id, port]]} (healthy)."""
        self.cloud = Cloud(
            groups={arn: Group(arn, port) for arn, port in world["groups"].items()},
            instances=dict(world["instances"]),
            healthy_after=world["healthy_after"],
            drain=world["drain"],
        )
        for arn, keys in world.get("targets", {}).items():
            self.cloud.groups[arn].targets = {Key(*key): Target(healthy_at=now) for key in keys}
        self.bucket = Bucket(RATE, BURST, now) if world["limited"] else None
        self.dice = Dice()
        self.notes.clear()

    def _result(self, action: str, arn: str, keys: list[Key], form: dict[str, str], now: float) -> bytes:
        empty = action in _WRITES and self.bucket is not None and not self.bucket.spend(now)
        if empty or not self.dice.passes():
            raise Refusal("ThrottlingException", "Rate exceeded")
        if action == "DescribeTargetGroups":
            return self._target_groups(form)
        if action == "DescribeTargetHealth":
            return self.cloud.health(self.cloud.group(arn), keys, now)
        if action in _WRITES and not keys:
            raise Refusal("ValidationError", "At least one target must be specified")
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


def _targets(form: dict[str, str], group: Group | None) -> list[Key]:
    """Return the targets of the form without duplicates; an Id alone has the group's port."""
    prefix, own = "Targets.member.", str(group.port if group else 0)
    ids = [name[len(prefix) : -3] for name in form if name.startswith(prefix) and name.endswith(".Id")]
    named = (Key(form[f"{prefix}{index}.Id"], int(form.get(f"{prefix}{index}.Port", own))) for index in ids)
    return list(dict.fromkeys(named))
