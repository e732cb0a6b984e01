"""DescribeTargetHealth, of whose answer only those targets are parsed that are not as they were.

It does not page: 5,000 targets are 0.86 MB of XML, nearly all of it word for word what came 30 s before, and
botocore takes 0.1 s of CPU for it. So what the answer says of each target is remembered by its text.
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

# Emitted by botocore for its own handlers, though its documentation does not list it. A botocore without it,
# or with other arguments, costs CPU and no more: then all of each answer is parsed by botocore.
_BEFORE_PARSE = "before-parse.elastic-load-balancing-v2.DescribeTargetHealth"
_BEGINS, _ENDS = b"<TargetHealthDescriptions>", b"</TargetHealthDescriptions>"
_MEMBER_ENDS = b"</member>"
_HEALTHS = "Healths"
# Of an answer that is not written as AWS writes it: botocore says what it is, or what is wrong with it.
_UNFAMILIAR = (AttributeError, LookupError, TypeError, ValueError, ET.ParseError)


class Healths:
    """Reads groups, and remembers what was last read of each. Reads of one group do not overlap."""

    def __init__(self) -> None:
        self._known: dict[TargetGroupArn, dict[bytes, TargetHealth]] = {}
        self._odd: dict[TargetGroupArn, list[str]] = {}
        self._asked = threading.local()

    def attach(self, client: "ElasticLoadBalancingv2Client") -> None:
        """Stand between this client's answers and its parser."""
        client.meta.events.register(_BEFORE_PARSE, self._before_parse)

    def read(self, client: "ElasticLoadBalancingv2Client", group: TargetGroupArn) -> list[TargetHealth]:
        """What AWS lists, the same object for what is as it was; botocore's exceptions."""
        self._asked.group = group
        answer: Any = client.describe_target_health(TargetGroupArn=group)
        if _HEALTHS in answer:
            healths: list[TargetHealth] = answer[_HEALTHS]
            self._odd.pop(group, None)
            return healths
        return self._readable(group, answer["TargetHealthDescriptions"])

    def _readable(self, group: TargetGroupArn, lines: Iterable[object]) -> list[TargetHealth]:
        """The targets in these lines; one that names none harms only itself, and is said once."""
        healths, odd = list[TargetHealth](), list[str]()
        for number, line in enumerate(lines):
            try:
                healths.append(read_target(number, line))
            except DocumentError as error:
                odd.append(str(error))
        if odd != self._odd.get(group, []):
            for said in odd:
                log.warning("%s: passed over: %s", parse_arn(group).name, said)
        self._odd[group] = odd
        return healths

    def _before_parse(self, **said: Any) -> None:
        """Called by botocore with an answer, in the thread that asked for it.

        The list is taken out of it, so that botocore finds none should it not hand on what was made of it:
        such an answer is an error, and never an empty group.
        """
        try:
            response, handed_on = said["response_dict"], said["customized_response_dict"]
            head, _, rest = response["body"].partition(_BEGINS)
            listed, ends, tail = rest.rpartition(_ENDS)
            if not ends:
                return
            healths = self._known_or_parsed(self._asked.group, listed)
        except _UNFAMILIAR:
            return
        response["body"] = head + tail
        handed_on[_HEALTHS] = healths

    def _known_or_parsed(self, group: TargetGroupArn, listed: bytes) -> list[TargetHealth]:
        """Each member of the list. A digest stands for its text, which is ten times as long."""
        *members, rest = listed.split(_MEMBER_ENDS)
        if rest.strip():
            raise ValueError("something else than members")
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
    """As botocore makes it of the XML; the port is the only number in it."""
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
    """The same for each target of a group, and kept once for them all."""
    return whole(text, 0, 65535)
