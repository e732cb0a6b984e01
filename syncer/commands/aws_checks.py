"""The checks of `doctor` in AWS: credentials, rights, target groups, zones, quota and clock."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from syncer.commands.finding import Finding, Grade, fails, note, ok
from syncer.config.settings import GroupSettings, ServicePort, Settings
from syncer.decide.check_port import NODE_PORTS
from syncer.decide.evaluate import evaluate
from syncer.decide.reasons import override_text
from syncer.decide.zones import is_enabled
from syncer.elb.firewall import missing_rules, node_groups
from syncer.elb.survey import GroupFacts, Survey
from syncer.errors import AccessDeniedError, AwsError, CredentialsError
from syncer.model import InstanceId, NodeView, Standing, TargetHealth, TargetState

# AWS refuses a signature with a clock skew of 5 minutes ("Signature Version 4", troubleshooting).
_SKEW_FAILS_S = 240.0
_SKEW_NOTED_S = 60.0
# With a smaller share of free places a burst of new nodes may not fit.
_SPARE_SHARE = 0.1

_NUMBER = re.compile(r"[0-9]{1,5}")


def _shift_text(shifted: Sequence[TargetHealth]) -> str:
    counts = Counter(health.override for health in shifted)
    counted = "; ".join(f"{n} targets: {override_text(override)}" for override, n in sorted(counts.items()))
    return f"zonal shift: {counted}"


# Probes a health check: protocol, port and path to (result or None, explanation).
Knock = Callable[[str, int, str], tuple[bool | None, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsChecks:
    """Checks of AWS; the cluster's `nodes` and `ports` are None and empty if unreadable.

    `ports` are the NodePorts of Services `namespace/name` by port name.
    """

    survey: Survey
    settings: Settings
    nodes: tuple[NodeView, ...] | None
    ports: Mapping[str, Mapping[str, int]]
    knock: Knock

    async def run(self) -> AsyncIterator[Finding]:
        """Run all checks, in an order where a failure explains later failures."""
        try:
            found = await self.survey.identity()
        except AwsError as error:
            yield fails("credentials", str(error))
            return
        identity = await self._who(found)
        yield identity
        if identity.grade is Grade.FAILS:
            return
        for group in self.settings.groups:
            async for finding in self._group(group):
                yield finding
        for finding in self._clock():
            yield finding

    async def _who(self, found: str) -> Finding:
        """Report the owner of the credentials; the syncer itself never looks the owner up."""
        group = self.settings.groups[0].group
        try:
            arn = await self.survey.caller(group.arn)
        except CredentialsError as error:
            return fails("credentials", f"from {found}; AWS refuses the credentials: {error}")
        except AwsError as error:
            return note("credentials", f"from {found}; cannot read the identity: {error}")
        if not arn:
            return ok("credentials", f"from {found}")
        accounts = {each.group.account for each in self.settings.groups}
        if other := accounts.difference(arn.split(":")[4:5]):
            there = ", ".join(sorted(other))
            return note("credentials", f"{arn}, from {found}; other accounts of target groups: {there}")
        return ok("credentials", f"{arn}, from {found}")

    async def _group(self, group: GroupSettings) -> AsyncIterator[Finding]:
        arn, name = group.group.arn, group.group.name
        healths: list[TargetHealth] | None = None
        try:
            healths = list(await self.survey.describe(arn))
            healthy = sum(health.state is TargetState.HEALTHY for health in healths)
            yield ok(name, f"DescribeTargetHealth: {len(healths)} targets, {healthy} healthy")
            if shifted := [health for health in healths if health.shifted and health.registered]:
                yield note(name, _shift_text(shifted))
        except AccessDeniedError as error:
            yield note(name, f"{error}; the syncer runs blind: changes by other writers are not repaired")
        except AwsError as error:
            yield fails(name, str(error))
            return
        yield await self._may(group, "register")
        yield await self._may(group, "deregister")
        try:
            facts = await self.survey.facts(arn)
        except AwsError as error:
            yield note(name, f"{error}; not checked: type, health check, zones, quota")
            return
        if facts.target_type != "instance":
            yield fails(name, f"target type is {facts.target_type}; allowed: groups of type instance")
            return
        yield ok(name, "target type is instance")
        yield self._health_check(group, facts, healths or [])
        for balancer in facts.balancers:
            async for finding in self._balancer(group, balancer, facts, healths or []):
                yield finding
        if not facts.balancers:
            yield fails(name, "no load balancer uses the group; add a listener")

    async def _may(self, group: GroupSettings, operation: str) -> Finding:
        name, call = group.group.name, "RegisterTargets" if operation == "register" else "DeregisterTargets"
        try:
            answer = await self.survey.may(
                "register" if operation == "register" else "deregister", group.group.arn
            )
        except AwsError as error:
            return fails(name, str(error))
        if " IP" in answer:
            return fails(name, f"target type is not instance ({answer}); allowed: groups of type instance")
        return ok(name, f"{call} is allowed")

    def _health_check(
        self, group: GroupSettings, facts: GroupFacts, healths: Collection[TargetHealth]
    ) -> Finding:
        name, port = group.group.name, facts.check_port
        live_ports = {number for ports in self.ports.values() for number in ports.values()}
        if _NUMBER.fullmatch(port) and int(port) in NODE_PORTS and live_ports and int(port) not in live_ports:
            live = ", ".join(map(str, sorted(live_ports)))
            return fails(
                name,
                f"HealthCheckPortStale: the health check uses port {port}, the NodePorts are {live}; run "
                "`pulumi up`",
            )
        passing = sum(health.state is TargetState.HEALTHY for health in healths)
        where = f"{facts.check_protocol} {port}{facts.check_path if facts.check_protocol != 'TCP' else ''}"
        if passing:
            return ok(name, f"{passing} targets pass the health check ({where})")
        checked = int(port) if _NUMBER.fullmatch(port) else self._wanted_port(group)
        if checked is None:
            return note(name, f"no target passes the health check yet ({where})")
        good, result = self.knock(facts.check_protocol, checked, facts.check_path)
        if good is None:
            return note(name, f"no target passes the health check yet ({where}); {result}")
        return ok(name, result) if good else fails(name, f"the health check ({where}) fails: {result}")

    def _wanted_port(self, group: GroupSettings) -> int | None:
        """Return the group's target port, for a health check on the traffic port; None if unknown."""
        source = group.port
        if isinstance(source, ServicePort):
            return self.ports.get(source.service, {}).get(source.port)
        return source

    async def _balancer(
        self,
        group: GroupSettings,
        balancer: str,
        facts: GroupFacts,
        healths: Collection[TargetHealth],
    ) -> AsyncIterator[Finding]:
        arn, name = group.group.arn, group.group.name
        try:
            found = await self.survey.balancer(arn, balancer)
        except AwsError as error:
            yield note(name, f"{error}; not checked: the zones of the nodes, security group rules")
        else:
            yield self._zones(name, found.zones, healths)
            yield await self._firewall(group, facts, found.security_groups)
        try:
            crossing = await self.survey.cross_zone(arn, balancer)
        except AwsError as error:
            yield note(name, f"{error}; not checked: NLB_SYNC_CROSS_ZONE")
            crossing = self.settings.cross_zone
        if crossing != self.settings.cross_zone:
            real = str(crossing).lower()
            yield note(name, f"cross-zone load balancing is {real}; set NLB_SYNC_CROSS_ZONE={real}")
        try:
            quotas = await self.survey.quotas(arn)
            share = await self.survey.groups_beside(arn, balancer)
        except AwsError as error:
            yield note(name, f"{error}; not checked: the quota")
            return
        # With cross-zone on, the quota of a zone applies to the whole load balancer ("Quotas for your NLBs").
        whole = (
            "targets-per-availability-zone-per-network-load-balancer"
            if crossing
            else ("targets-per-network-load-balancer")
        )
        places = quotas.get(whole, 0) // max(1, share)
        if places:
            yield self._room(name, min(places, quotas.get("targets-per-target-group", places)))

    async def _firewall(self, group: GroupSettings, facts: GroupFacts, own: frozenset[str]) -> Finding:
        """Compare the rules between the load balancer and the nodes with the ports of targets and check.

        `own` are the load balancer's security groups.
        """
        arn, name = group.group.arn, group.group.name
        check = int(facts.check_port) if _NUMBER.fullmatch(facts.check_port) else None
        wanted = self._wanted_port(group)
        ports = {(wanted, transport) for transport in facts.transports} if wanted else set()
        if check:
            ports.add((check, "tcp"))
        if not own or not self.survey.reaches_ec2:
            why = "an endpoint for ELBv2 alone is set" if own else "the load balancer has no security group"
            return note(name, f"{why}; not checked: security group rules")
        try:
            rules = await self.survey.firewall_rules(arn, own)
            rules += await self.survey.firewall_rules(arn, node_groups(own, rules) - own)
        except AwsError as error:
            return note(name, f"{error}; not checked: security group rules")
        if missing := missing_rules(own, rules, ports):
            return fails(name, f"{'; '.join(missing)}: run `pulumi up --refresh`")
        where = ", ".join(f"{transport.upper()} {port}" for port, transport in sorted(ports))
        return ok(name, f"security group rules for {where} are present" if ports else "no port known yet")

    def _zones(self, name: str, enabled: frozenset[str], healths: Collection[TargetHealth]) -> Finding:
        configured = self.settings.zones
        if configured is not None and not configured <= enabled:
            extra = ", ".join(sorted(configured - enabled))
            return fails(
                name, f"NLB_SYNC_ZONES has zones that the load balancer does not serve: {extra}; remove them"
            )
        listed = {health.target.id: health.zone for health in healths if health.zone}
        zones = {listed.get(node.instance_id or InstanceId(""), node.zone) for node in self._wanted()}
        if configured is not None:
            zones = {zone for zone in zones if is_enabled(zone, configured)}
        idle = {zone for zone in zones if not is_enabled(zone, enabled)}
        if idle:
            return fails(
                name,
                f"nodes in {', '.join(sorted(idle))} get no traffic; enable the zone on the load balancer",
            )
        served = f"the load balancer serves {', '.join(sorted(enabled))}"
        return ok(name, served if self.nodes is None else f"{served}, the zones of all nodes")

    def _room(self, name: str, quota: int) -> Finding:
        limit, wanted = self.settings.target_limit or quota, len(self._wanted())
        if self.nodes is None and limit <= quota:
            return note(name, f"{limit} places; not checked: the number of nodes")
        if limit > quota:
            return fails(name, f"NLB_SYNC_TARGET_LIMIT is {limit}; allowed by the account's quota: {quota}")
        if wanted > limit:
            return fails(name, f"{wanted} nodes for {limit} places; raise the quota, or select fewer nodes")
        if limit - wanted < limit * _SPARE_SHARE:
            return note(name, f"{wanted} nodes for {limit} places; few places are free")
        return ok(name, f"{wanted} nodes for {limit} places")

    def _wanted(self) -> list[NodeView]:
        """Return the desired nodes, before zones are considered."""
        verdicts = evaluate(self.nodes, frozenset(), self.settings.node_policy).verdicts
        chosen = {verdict.node for verdict in verdicts if verdict.standing is Standing.IN}
        return [node for node in self.nodes or () if node.name in chosen]

    def _clock(self) -> Iterator[Finding]:
        skew = self.survey.skew
        if skew is None:
            yield note("clock", "AWS responses have no date")
        elif abs(skew) > _SKEW_NOTED_S:
            grade = fails if abs(skew) > _SKEW_FAILS_S else note
            yield grade("clock", f"{abs(skew):.0f} s off AWS's clock; AWS refuses calls that are 300 s off")
        else:
            yield ok("clock", f"{abs(skew):.0f} s off AWS's clock")
