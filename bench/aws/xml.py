"""XML responses of AWS's query protocol; written by hand, because 5,000 targets must be cheap."""

from collections.abc import Iterable
from typing import Protocol
from xml.sax.saxutils import escape

_NAMESPACE = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"
_REQUEST = "00000000-0000-4000-8000-000000000000"


class Group(Protocol):
    """The fields of a group in DescribeTargetGroups."""

    @property
    def arn(self) -> str:
        """Return the ARN."""

    @property
    def name(self) -> str:
        """Return the name."""

    @property
    def port(self) -> int:
        """Return the group's port."""


def answer(action: str, result: bytes = b"") -> bytes:
    """Wrap a result into the response to `action`."""
    name = action.encode()
    return b"".join(
        [
            b'<%sResponse xmlns="%s"><%sResult>' % (name, _NAMESPACE.encode(), name),
            result,
            b"</%sResult><ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></%sResponse>"
            % (name, _REQUEST.encode(), name),
        ]
    )


def refusal(code: str, message: str) -> bytes:
    """Return an error response."""
    return (
        f'<ErrorResponse xmlns="{_NAMESPACE}"><Error><Type>Sender</Type><Code>{escape(code)}</Code>'
        f"<Message>{escape(message)}</Message></Error><RequestId>{_REQUEST}</RequestId></ErrorResponse>"
    ).encode()


def health(states: Iterable[tuple[tuple[str, int], str, str]]) -> bytes:
    """Return the result of DescribeTargetHealth from (target, state, reason code) rows ("" for no reason)."""
    parts = [
        f"<member><HealthCheckPort>{port}</HealthCheckPort><Target><Id>{name}</Id><Port>{port}</Port></Target>"
        f"<TargetHealth><State>{state}</State>{f'<Reason>{reason}</Reason>' if reason else ''}"
        "</TargetHealth></member>"
        for (name, port), state, reason in states
    ]
    return f"<TargetHealthDescriptions>{''.join(parts)}</TargetHealthDescriptions>".encode()


def target_groups(groups: Iterable[Group]) -> bytes:
    """Return the result of DescribeTargetGroups."""
    parts = [
        f"<member><TargetGroupArn>{group.arn}</TargetGroupArn><TargetGroupName>{group.name}</TargetGroupName>"
        f"<Protocol>TCP</Protocol><Port>{group.port}</Port><VpcId>vpc-0123456789abcdef0</VpcId>"
        "<HealthCheckProtocol>HTTP</HealthCheckProtocol><HealthCheckPort>traffic-port</HealthCheckPort>"
        "<HealthCheckEnabled>true</HealthCheckEnabled><HealthCheckIntervalSeconds>10"
        "</HealthCheckIntervalSeconds><HealthCheckTimeoutSeconds>6</HealthCheckTimeoutSeconds>"
        "<HealthyThresholdCount>2</HealthyThresholdCount><UnhealthyThresholdCount>2"
        "</UnhealthyThresholdCount><HealthCheckPath>/ping</HealthCheckPath><Matcher><HttpCode>200-399"
        "</HttpCode></Matcher><TargetType>instance</TargetType><IpAddressType>ipv4</IpAddressType>"
        "<LoadBalancerArns/></member>"
        for group in groups
    ]
    return f"<TargetGroups>{''.join(parts)}</TargetGroups>".encode()
