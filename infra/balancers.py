"""The stack's load balancer in AWS, read before the first resource is registered."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_aws import ec2, lb

from .kept import STACK_TAG
from .problems import Problems
from .reads import unreadable
from .stackstate import State

_ARN: Final = re.compile(r":loadbalancer/net/(?P<name>[^/]+)/")
_PART: Final = "node-nlb-sync:loadbalancer:LoadBalancer"  # the type of infra/loadbalancer.py
_NLB: Final = "aws:lb/loadBalancer:LoadBalancer"
_LONGEST_PREFIX: Final = 24  # of AWS's 32 characters; the engine adds a hyphen and 7 characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Subnet and address of a load balancer in a zone; "" for an address that AWS chose."""

    subnet_id: str
    allocation_id: str
    private_address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balancer:
    """A Network Load Balancer of AWS; `mark` is the value of STACK_TAG, or "" before release 0.2."""

    arn: str
    name: str
    vpc_id: str
    internal: bool
    mark: str
    zones: Mapping[str, Place]


def find_balancer(
    name: str,
    mark: str,
    allocations: Collection[str],
    reading: pulumi.InvokeOptions,
    problems: Problems,
    *,
    state: State,
    called: str | None = None,
    named_only: bool = False,
) -> Balancer | None:
    """Return the load balancer of the component `name`, or None; add a problem for a failed read.

    The load balancer has `mark` as its tag, or no tag and one of `allocations`, or the tag of this stack in
    another VPC, or the tag of the stack's former name. `called` is `loadBalancer.name`. With `named_only`,
    load balancers of other names are not read and a failed read is no problem.
    """
    try:
        return _find(name, mark, allocations, reading, state=state, called=called, named_only=named_only)
    except Exception as error:  # noqa: BLE001 (the SDK raises no narrower class for a failed function)
        if not named_only:
            allowed = "load balancers that can be read"
            read = "those of the region"
            problems.append(unreadable("zones", read, error, allowed=allowed, fix="run it again"))
        return None


def _find(
    name: str,
    mark: str,
    allocations: Collection[str],
    reading: pulumi.InvokeOptions,
    *,
    state: State,
    called: str | None,
    named_only: bool,
) -> Balancer | None:
    every = lb.get_lbs(opts=reading).arns or []  # None: a preview with an unconfigured provider
    named = [_read(arn, reading) for arn in every if _has_name(arn, name, called)]
    if exact := next((one for one in named if one["mark"] == mark), None):
        return _placed(exact, reading)
    if every and not named_only:  # a name of another form; reads the tags of every load balancer
        tagged = lb.get_lbs(tags={STACK_TAG: mark}, opts=reading).arns or []
        if tagged:
            return _placed(_read(tagged[0], reading), reading)
    if related := next(_related(named, mark, allocations), None):
        return _placed(related, reading)
    others = {one["arn"]: one for one in named if renamed(one["mark"], mark)}
    if not others or named_only:  # the stack of an edge, for one, has such a load balancer too
        return None
    # After `pulumi stack rename` the tags have the former name until the next `up`.
    own = arn_in(state, name)
    return _placed(others[own], reading) if own in others else None


def arn_in(state: State, name: str) -> str:
    """Return the ARN of the load balancer of the component `name` in the stack's state; "" without one."""
    return str(state.beneath(_PART).get((_NLB, name), {}).get("arn", ""))


def _related(
    named: Collection[Mapping[str, Any]], mark: str, allocations: Collection[str]
) -> Iterator[Mapping[str, Any]]:
    """Yield an untagged load balancer on the stack's addresses, then one of the stack in another VPC."""
    for one in named:
        if not one["mark"] and {each["allocation_id"] for each in one["mappings"]} & {*allocations}:
            yield one
    stack = mark.rpartition("/")[0]
    for one in named:
        before, _, scope = one["mark"].rpartition("/")
        # The mark of the project's own program ends with the VPC's id; with given groups there is no id.
        if before == stack and scope.startswith("vpc-") and mark.rpartition("/")[2][:4] in {"", "vpc-"}:
            yield one


def renamed(former: str, mark: str) -> bool:
    """Return whether two values of STACK_TAG differ in the names of project and stack alone."""
    scopes = {value.rpartition("/")[2] for value in (former, mark)}
    return bool(former) and former != mark and len(scopes) == 1


def _has_name(arn: str, name: str, called: str | None) -> bool:
    found = _ARN.search(arn)
    if found is None:
        return False
    return found["name"] == called or found["name"].startswith(f"{name[:_LONGEST_PREFIX]}-")


def _read(arn: str, reading: pulumi.InvokeOptions) -> Mapping[str, Any]:
    found = lb.get_load_balancer(arn=arn, opts=reading)
    return {
        "arn": arn,
        "name": found.name,
        "vpc_id": found.vpc_id,
        "internal": bool(found.internal),
        "mark": (found.tags or {}).get(STACK_TAG, ""),
        "mappings": [
            {
                "subnet_id": each.subnet_id,
                "allocation_id": each.allocation_id or "",
                "private_address": each.private_ipv4_address or "",
            }
            for each in found.subnet_mappings or []
        ],
    }


def _placed(one: Mapping[str, Any], reading: pulumi.InvokeOptions) -> Balancer:
    """Return the load balancer with its places by zone; AWS names only the subnets."""
    zones = {
        str(ec2.get_subnet(id=each["subnet_id"], opts=reading).availability_zone): Place(**each)
        for each in one["mappings"]
    }
    kept = {key: one[key] for key in ("arn", "name", "vpc_id", "internal", "mark")}
    return Balancer(**kept, zones=dict(sorted(zones.items())))
