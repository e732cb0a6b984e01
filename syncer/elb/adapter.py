"""The AWS calls of the syncer, in a small thread pool, through a client for each region."""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import boto3

from syncer.elb.arn import parse_arn
from syncer.elb.credentials import Source
from syncer.elb.cures import credentials_fault
from syncer.elb.faults import RAISED, fault
from syncer.elb.healths import Healths
from syncer.elb.own_port import OwnPorts
from syncer.elb.session import CONFIG, new_session, source_of
from syncer.elb.variables import check_files, check_variables
from syncer.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    CredentialsExpiredError,
    NotLeaderError,
    TargetGroupNotFoundError,
    ThrottledError,
)
from syncer.model import Target, TargetGroupArn, TargetHealth

if TYPE_CHECKING:
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client
    from types_boto3_elbv2.type_defs import (
        TargetDescriptionTypeDef,
        TargetGroupTypeDef,
    )

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

_THREADS = 16
_SERVICE = "elastic-load-balancing-v2"
_WRITES = ("RegisterTargets", "DeregisterTargets")
# For `retry_throttled_s` of a command: pauses of 0.5, 1, 2 and 4 s.
RETRY_THROTTLED_S = 7.5
_FIRST_PAUSE = 0.5


class BotoElb:
    """Implements `syncer.interfaces.Elb` on boto3.

    The controller does the retries: a call is a single attempt. A command has no controller, so
    `retry_throttled_s` repeats a throttled call for the given seconds.
    """

    def __init__(
        self,
        groups: Collection[TargetGroupArn],
        *,
        access_key: str = "",
        secret_key: str = "",
        called: Callable[[str, str], None] = lambda _operation, _code: None,
        may_write: Callable[[], bool] = lambda: True,
        retry_throttled_s: float = 0.0,
    ) -> None:
        check_variables(os.environ)
        check_files(os.environ)
        self._may_write = may_write
        self._retry_throttled_s = retry_throttled_s
        self._keys = (access_key, secret_key)
        self._called = called
        self._healths = Healths()
        self._own_ports = OwnPorts()
        self._ports: dict[TargetGroupArn, int] = {}
        self._lock = threading.Lock()
        self._region = next((parse_arn(group).region for group in groups), "")
        self._sources: dict[str, Source] = {}
        self._clients: dict[str, ElasticLoadBalancingv2Client] = {}
        # A group may have a read and a write under way: a hanging call delays no other group.
        workers = min(_THREADS, max(2, 2 * len(groups)))
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="aws")

    async def describe(self, group: TargetGroupArn) -> Sequence[TargetHealth]:
        """DescribeTargetHealth of the whole group: a single call without pages."""
        healths = await self._in_thread(
            "DescribeTargetHealth", group, lambda client: self._healths.read(client, group)
        )
        return self._own_ports.seen(group, healths)

    async def target_types(self, groups: Collection[TargetGroupArn]) -> Mapping[TargetGroupArn, str]:
        """Return the groups' target types, by one DescribeTargetGroups a region; absent where unknown."""
        regions: dict[str, list[TargetGroupArn]] = {}
        for group in groups:
            regions.setdefault(parse_arn(group).region, []).append(group)
        found = await asyncio.gather(*(self._target_types(together) for together in regions.values()))
        return {group: kind for each in found for group, kind in each.items()}

    async def _target_types(self, groups: Sequence[TargetGroupArn]) -> Mapping[TargetGroupArn, str]:
        """Return the types of one region: AWS refuses the whole call for a missing group."""

        def call(client: "ElasticLoadBalancingv2Client") -> list["TargetGroupTypeDef"]:
            return client.describe_target_groups(TargetGroupArns=groups)["TargetGroups"]

        try:
            described = await self._in_thread("DescribeTargetGroups", groups[0], call)
        except TargetGroupNotFoundError:
            alone = [[group] for group in groups] if len(groups) > 1 else []
            found = await asyncio.gather(*map(self._target_types, alone))
            return {group: kind for each in found for group, kind in each.items()}
        except AwsError:
            return {}
        named = {TargetGroupArn(each["TargetGroupArn"]): each for each in described}
        # A group of Lambda functions has no port.
        self._ports |= {group: each["Port"] for group, each in named.items() if "Port" in each}
        return {group: each["TargetType"] for group, each in named.items() if "TargetType" in each}

    async def default_port(self, group: TargetGroupArn) -> int:
        """Return the group's own port; without the right to read the port, the placeholder 0.

        The predecessor's policy does not allow DescribeTargetGroups: then targets are registered without a
        port, as in the predecessor, and AWS uses the group's own port.
        """

        def call(client: "ElasticLoadBalancingv2Client") -> int:
            return client.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]["Port"]

        if group in self._ports:
            return self._ports[group]  # the port cannot be changed
        try:
            return await self._in_thread("DescribeTargetGroups", group, call)
        except AccessDeniedError as error:
            log.warning(
                "%s: registers targets without a port, AWS uses the group's port: %s",
                parse_arn(group).name,
                error,
            )
            return 0

    async def register(self, group: TargetGroupArn, targets: Iterable[Target]) -> None:
        """RegisterTargets, one call; the caller cuts batches."""
        requested = list(targets)
        self._own_ports.registering(group, requested)
        named = [_description(target) for target in requested]
        await self._in_thread(
            "RegisterTargets",
            group,
            lambda client: client.register_targets(TargetGroupArn=group, Targets=named),
        )

    async def deregister(self, group: TargetGroupArn, targets: Iterable[Target]) -> None:
        """DeregisterTargets, one call; the caller cuts batches."""
        named = [_description(target) for target in targets]
        await self._in_thread(
            "DeregisterTargets",
            group,
            lambda client: client.deregister_targets(TargetGroupArn=group, Targets=named),
        )

    def close(self) -> None:
        """Accept no more calls; the call under way ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(
        self, operation: str, group: TargetGroupArn, call: "Callable[[ElasticLoadBalancingv2Client], Answer]"
    ) -> Answer:
        waited, pause = 0.0, _FIRST_PAUSE
        while True:
            try:
                return await self._attempt(operation, group, call)
            except ThrottledError:
                if waited + pause > self._retry_throttled_s:
                    raise
            await asyncio.sleep(pause)
            waited, pause = waited + pause, pause * 2

    async def _attempt(
        self, operation: str, group: TargetGroupArn, call: "Callable[[ElasticLoadBalancingv2Client], Answer]"
    ) -> Answer:
        region = parse_arn(group).region

        def attempt() -> Answer:
            try:
                return call(self._client(region))
            except RAISED as error:
                raise fault(operation, error) from None

        try:
            answer = await asyncio.get_running_loop().run_in_executor(self._pool, attempt)
        except NotLeaderError:
            raise  # no call was made
        except CredentialsError as error:
            rejected = isinstance(error, CredentialsExpiredError)
            self._called(operation if rejected else "Credentials", error.code)
            if rejected:
                with self._lock:
                    self._clients.clear()  # the next attempt reads files, tokens and roles again
                    self._sources.clear()
            raise
        except AwsError as error:
            self._called(operation, error.code)
            raise
        self._called(operation, "ok")
        return answer

    def _client(self, region: str) -> "ElasticLoadBalancingv2Client":
        with self._lock:
            if region not in self._clients:
                try:
                    client = self._session(region).client("elbv2", region_name=region, config=CONFIG)
                except RAISED as error:  # no call was made: a profile or another file of AWS's is broken
                    raise credentials_fault("", error) from None
                for operation in _WRITES:
                    client.meta.events.register(f"before-send.{_SERVICE}.{operation}", self._check)
                self._healths.attach(client)
                self._clients[region] = client
            return self._clients[region]

    def _check(self, event_name: str, **_: object) -> None:
        """Refuse a write without leadership; botocore calls the hook before every attempt, also a retry."""
        if not self._may_write():
            raise NotLeaderError(event_name.rpartition(".")[2])

    def _session(self, region: str) -> boto3.Session:
        """Return a session with the Region's credentials, fetched once for all calls."""
        try:
            if region not in self._sources:
                self._sources[region] = source_of(region, *self._keys, os.environ)
            return new_session(self._sources[region])
        except RAISED as error:
            raise credentials_fault("", error) from None


def _description(target: Target) -> "TargetDescriptionTypeDef":
    # No AvailabilityZone: invalid for instance targets (API reference).
    return {"Id": target.id, "Port": target.port} if target.port else {"Id": target.id}
