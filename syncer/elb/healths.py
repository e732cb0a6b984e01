"""DescribeTargetHealth; only changed targets of the answer are parsed.

The call has no pages: 5,000 targets are 0.86 MB of XML, nearly all identical to the answer 30 s before, and
botocore takes 0.1 s of CPU for the XML. So a parsed target is remembered by its text.
"""

import logging
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from functools import cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from syncer.decide.documents import DocumentError, read_target
from syncer.elb.arn import parse_arn
from syncer.model import TargetGroupArn, TargetHealth
from syncer.text.numbers import whole

if TYPE_CHECKING:
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client

log = logging.getLogger(__name__)

# Emitted by botocore for its own handlers, though missing in its documentation. A botocore without the event,
# or with other arguments, costs CPU and no more: then botocore parses the whole answer.
_BEFORE_PARSE = "before-parse.elastic-load-balancing-v2.DescribeTargetHealth"
_BEGINS, _ENDS = b"<TargetHealthDescriptions>", b"</TargetHealthDescriptions>"
_MEMBER_ENDS = b"</member>"
_HEALTHS = "Healths"
# For an answer in another form than AWS's: botocore parses the answer, or reports the error.
_UNFAMILIAR = (AttributeError, LookupError, TypeError, ValueError, ET.ParseError)


class Healths:
    """Reads groups, and remembers a group's last read. Reads of a group do not overlap."""

    def __init__(self) -> None:
        self._known: dict[TargetGroupArn, dict[bytes, TargetHealth]] = {}
        self._odd: dict[TargetGroupArn, list[str]] = {}
        self._current = threading.local()

    def attach(self, client: "ElasticLoadBalancingv2Client") -> None:
        """Register the hook between the client's answers and parser."""
        client.meta.events.register(_BEFORE_PARSE, self._before_parse)

    def read(self, client: "ElasticLoadBalancingv2Client", group: TargetGroupArn) -> list[TargetHealth]:
        """Return the targets, the same object for an unchanged target; raises botocore's exceptions."""
        self._current.group = group
        answer: Any = client.describe_target_health(TargetGroupArn=group)
        if _HEALTHS in answer:
            healths: list[TargetHealth] = answer[_HEALTHS]
            self._odd.pop(group, None)
            return healths
        return self._readable(group, answer["TargetHealthDescriptions"])

    def _readable(self, group: TargetGroupArn, lines: Iterable[object]) -> list[TargetHealth]:
        """Return the targets of these lines; a line without a target is skipped and logged once."""
        healths, odd = list[TargetHealth](), list[str]()
        for number, line in enumerate(lines):
            try:
                healths.append(read_target(number, line))
            except DocumentError as error:
                odd.append(str(error))
        if odd != self._odd.get(group, []):
            for problem in odd:
                log.warning("%s: ignored a malformed target: %s", parse_arn(group).name, problem)
        self._odd[group] = odd
        return healths

    def _before_parse(self, **context: Any) -> None:
        """Parse the list of an answer; called by botocore in the thread of the call.

        The list is removed from the answer, so that a botocore that drops the parsed result finds no list:
        such an answer is an error, and never an empty group.
        """
        try:
            response, handed_on = context["response_dict"], context["customized_response_dict"]
            head, _, rest = response["body"].partition(_BEGINS)
            listed, ends, tail = rest.rpartition(_ENDS)
            if not ends:
                return
            healths = self._known_or_parsed(self._current.group, listed)
        except _UNFAMILIAR:
            return
        response["body"] = head + tail
        handed_on[_HEALTHS] = healths

    def _known_or_parsed(self, group: TargetGroupArn, listed: bytes) -> list[TargetHealth]:
        """Return all members of the list. A digest replaces a member's text, ten times as long."""
        *members, rest = listed.split(_MEMBER_ENDS)
        if rest.strip():
            raise ValueError("the list has other elements than members")
        before, now, healths = self._known.get(group, {}), dict[bytes, TargetHealth](), list[TargetHealth]()
        for member in members:
            digest = blake2b(member, digest_size=16).digest()
            now[digest] = health = before.get(digest) or _parsed(member + _MEMBER_ENDS)
            healths.append(health)
        self._known[group] = now
        return healths


def _parsed(member: bytes) -> TargetHealth:
    return read_target(0, _fields(ET.fromstring(member)))  # noqa: S314 - by AWS, and botocore does the same


def _fields(element: ET.Element) -> dict[str, Any]:
    """Convert XML as botocore does; the port is the only number."""
    return {
        each.tag: _fields(each)
        if len(each)
        else _number(each.text)
        if each.tag == "Port"
        else each.text or ""
        for each in element
    }


@cache
def _number(text: str) -> int:
    """Parse a port; a group's targets share the port, so the result is cached."""
    return whole(text, 0, 65535)
