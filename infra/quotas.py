"""Compare what the stack adds with AWS's quotas in the account, before the first resource."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from pulumi_aws import ec2, servicequotas

from .kept import creates
from .keys import Settings
from .problems import Problem
from .reads import Reading, unreadable

# Elastic IPs of a Region ("Amazon EC2 endpoints and quotas").
_ADDRESSES: Final = "L-0263D0A3"
_DEFAULT_ADDRESSES: Final = 5
# Address families of prefix lists; AWS counts the rules of a group separately for each.
IPV4: Final = "IPv4"
IPV6: Final = "IPv6"
FAMILIES: Final = (IPV4, IPV6)
_UNLIMITED: Final = 2**31
_ABSENT: Final = "no matching EC2 Managed Prefix List found"  # the provider's text


def quota(service: str, code: str, default: int, check: str, reading: Reading) -> int:
    """Return the account's quota; no limit after a failed read, because the quota may be raised."""
    action = "servicequotas:GetServiceQuota"
    read = partial(servicequotas.get_service_quota, service_code=service, quota_code=code)
    try:
        found: Any = reading.attempt(action, check, read)
    except Exception:  # noqa: BLE001 (Service Quotas is not in every partition)
        reading.skip(action, check, f"the default is {default}")
        return _UNLIMITED
    return int(found.value) if found and found.value is not None else _UNLIMITED


def too_many_addresses(
    settings: Settings, owned: Mapping[str, Sequence[str]], reading: Reading
) -> Iterator[Problem]:
    """Report more Elastic IPs than AWS's quota; `owned` are the stack's addresses in AWS by zone."""
    wanted = [
        zone for zone, place in settings.zones.items() if creates(settings, place) and not owned.get(zone)
    ]
    if not wanted:
        return
    check = "AWS's quota of Elastic IPs"
    try:
        found: Any = reading.attempt("ec2:DescribeAddresses", check, ec2.get_eips)
    except Exception:  # noqa: BLE001 (infra/network.py reports the failed read)
        return
    there = len(found.allocation_ids or ()) if found else 0
    if there + len(wanted) <= _DEFAULT_ADDRESSES:
        return
    most = quota("ec2", _ADDRESSES, _DEFAULT_ADDRESSES, check, reading)
    if there + len(wanted) > most:
        read = f"{len(wanted)} new Elastic IPs ({', '.join(wanted)}) beside {there} in the region"
        fix = f"raise AWS's quota {_ADDRESSES} (EC2, Elastic IPs), release addresses, or give an allocationId"
        yield Problem("zones", read, f"at most {most} Elastic IPs in the region", fix)


def client_lists(settings: Settings, reading: Reading) -> tuple[Mapping[str, int], list[Problem]]:
    """Return the rules that `clientPrefixLists` count for, and a problem for each list that AWS lacks.

    AWS counts the maximum of entries of each list, by the family of its addresses. A list that
    cannot be read, or without a maximum, as AWS's own lists, counts as one rule.
    """
    count, problems = dict.fromkeys(FAMILIES, 0), []
    for index, one in enumerate(settings.load_balancer.client_prefix_lists):
        read = partial(ec2.get_managed_prefix_list, id=one)
        check = "loadBalancer.clientPrefixLists"
        path, allowed = f"{check}[{index}]", "a prefix list of this region"
        fix = "list them with: aws ec2 describe-managed-prefix-lists"
        found: Any = None
        try:
            found = reading.attempt("ec2:DescribeManagedPrefixLists", check, read)
        except Exception as error:  # noqa: BLE001 (the SDK raises no narrower class for a failed function)
            missing = Problem(path, f"{one}, which does not exist", allowed, fix)
            known = _ABSENT in str(error)
            problems.append(missing if known else unreadable(path, one, error, allowed=allowed, fix=fix))
        family = found.address_family if found and found.address_family in FAMILIES else IPV4
        count[family] += max(1, (found.max_entries or 1) if found else 1)
    return count, problems
