"""Availability zones of nodes: precedence of the sources, and comparison of zones."""

import re
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

# A zone name begins with its Region: us-east-2a, us-west-2-lax-1a (local), us-east-1-wl1-bos-wlz-1
# (Wavelength). EKS and kops write names; some labels and providerIDs have zone IDs instead
# (cloud-provider-aws issue 1185; Cluster API).
_NAME = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-[0-9]+(?:[a-z]|(?:-[a-z0-9]+)+)")
# use2-az1, usw2-lax1-az1, use1-wl1-bos-wlz1: the same for every account, but not convertible to an account's
# zone names.
_ID = re.compile(r"[a-z]+[0-9]+(?:-[a-z0-9]+)*-(?:az|wlz)[0-9]+")


class Source(StrEnum):
    """Source of a zone, the most trusted first."""

    AWS = "aws"
    PROVIDER_ID = "provider-id"
    LABEL = "label"
    NOWHERE = ""


class Place(NamedTuple):
    """A zone and its source; both empty without a zone in any source."""

    zone: str = ""
    source: Source = Source.NOWHERE


_SAYS = {
    Source.AWS: "by AWS's target list",
    Source.PROVIDER_ID: "by its providerID",
    Source.LABEL: "by its label",
}


def place_of_node(provider_zone: str, label_zone: str) -> Place:
    """Return the zone of a Node that AWS does not list as a target.

    The label is editable, and counts only if the providerID has no zone name.
    """
    if provider_zone and (_NAME.fullmatch(provider_zone) or not label_zone):
        return Place(provider_zone, Source.PROVIDER_ID)
    return Place(label_zone, Source.LABEL) if label_zone else Place()


@lru_cache(maxsize=1000)
def is_enabled(zone: str, enabled: frozenset[str]) -> bool:
    """Return whether a node in `zone` may be a target of a load balancer that serves the `enabled` zones.

    Names are compared with names and zone IDs with zone IDs. A zone of another form, or a missing zone,
    proves nothing: registering such a node costs an unused target, refusing it may cost all nodes.
    """
    return not zone or zone in enabled or _form(zone) not in set(map(_form, enabled))


def zone_text(zone: str, source: str) -> str:
    """Return zone and source as a phrase, "" without a zone."""
    if not zone:
        return ""
    return f"{zone}, {_SAYS[Source(source)]}" if source else zone


def _form(zone: str) -> str:
    if _NAME.fullmatch(zone):
        return "name"
    return "id" if _ID.fullmatch(zone) else "other"
