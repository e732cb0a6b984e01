"""The keys of `listeners`: a port for clients, its protocol, and the target group behind it."""

from dataclasses import dataclass
from typing import Final

import pulumi

from .clusterkeys import port_name, tcp_port
from .healthkeys import HealthCheck, ListenerHealthCheck
from .shapes import Flag, Optional, Record, Rows, Text, Whole, declared

TLS: Final = "TLS"
UDP: Final = "UDP"
TCP_UDP: Final = "TCP_UDP"
CERTIFICATE: Final = r"arn:aws[a-z-]*:(acm:[a-z0-9-]+|iam:):\d{12}:(certificate|server-certificate)/[!-~]+"
DEFAULT_LISTENERS: Final = [
    {"name": "http", "port": 80, "servicePort": "http"},
    {"name": "https", "port": 443, "servicePort": "https"},
]


# TLS 1.2 and 1.3 with forward secrecy, which AWS recommends; AWS's own default also admits TLS 1.0.
SSL_POLICY: Final = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
# Seconds; AWS's default for the listener attribute tcp.idle_timeout.seconds.
IDLE_TIMEOUT: Final = 350
# The group's port is immutable and not in the data path: targets are registered with the live NodePort.
TARGET_GROUP_PORT: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerGroup:
    """Name and own port of a listener's target group, which AWS cannot change."""

    name: str | None = declared(
        Optional(
            inner=Text(
                reason="The name in AWS; absent: that of the stack and a random suffix. A group with a name "
                "of its own cannot be replaced: another backendProtocol needs another name.",
                allowed="1 to 32 letters, digits and hyphens, without a hyphen at the ends",
                pattern=r"[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?",
                example="prod-http",
            )
        )
    )
    port: int = declared(
        Whole(
            low=1,
            high=65535,
            default=TARGET_GROUP_PORT,
            reason="The group's own port, which has no effect: targets are registered with the NodePort.",
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A port that clients reach, and the ingress port (by name) that its connections go to."""

    name: str = declared(
        Text(
            reason="The name of the listener and its target group; the stack uses 17 of AWS's 32 characters.",
            allowed="1 to 15 lower-case letters, digits and hyphens, a letter first",
            pattern=r"[a-z]([a-z0-9-]{0,13}[a-z0-9])?",
            example="http",
        )
    )
    port: int = declared(tcp_port("The port that clients connect to on each static IP."))
    service_port: str = declared(port_name("The name of the ingress port that receives the connections."))
    protocol: str = declared(
        Text(
            reason="TCP passes connections through, and TLS ends in the ingress controller. TLS ends at the "
            "load balancer, with a certificate of certificateArns. UDP and TCP_UDP (both on one port) need "
            "an ingress port of that protocol.",
            allowed="TCP, TLS, UDP or TCP_UDP",
            choices=("TCP", TLS, UDP, TCP_UDP),
            default="TCP",
            example="TCP",
        )
    )
    certificate_arns: tuple[pulumi.Input[str], ...] = declared(
        Rows(
            item=Text(
                output=True,
                reason="A certificate.",
                allowed="the ARN of a certificate in ACM or IAM",
                pattern=CERTIFICATE,
                example="arn:aws:acm:eu-central-1:123456789012:certificate/12345678-1234-1234-1234-123456789012",
            ),
            reason="Certificates of a TLS listener: the first by default, the others for the names in them "
            "(SNI).",
            allowed="a list of certificate ARNs",
            default=[],
        )
    )
    ssl_policy: str | None = declared(
        Optional(
            inner=Text(
                reason="TLS versions and ciphers of a TLS listener; absent: "
                "ELBSecurityPolicy-TLS13-1-2-Res-2021-06 (TLS 1.2 and 1.3).",
                allowed="the name of an ELB security policy",
                pattern=r"ELBSecurityPolicy-[A-Za-z0-9-]{1,100}",
                example="ELBSecurityPolicy-TLS13-1-2-2021-06",
            )
        )
    )
    alpn_policy: str | None = declared(
        Optional(
            inner=Text(
                reason="The HTTP versions that a TLS listener offers (ALPN); absent: none.",
                allowed="HTTP1Only, HTTP2Only, HTTP2Optional, HTTP2Preferred or None",
                choices=("HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None"),
                example="HTTP2Preferred",
            )
        )
    )
    backend_protocol: str = declared(
        Text(
            reason="TLS encrypts again on the way to the nodes; behind a TLS listener only.",
            allowed="TCP or TLS",
            choices=("TCP", TLS),
            default="TCP",
            example="TCP",
        )
    )
    idle_timeout: int | None = declared(
        Optional(
            inner=Whole(
                low=60,
                high=6000,
                unit="seconds",
                reason="The time until AWS closes an idle connection of a TCP listener; absent: 350, AWS's "
                "default.",
            )
        )
    )
    cross_zone: bool | None = declared(
        Optional(
            inner=Flag(reason="In place of the load balancer's crossZone for this group; absent: the same.")
        )
    )
    proxy_protocol: bool = declared(
        Flag(
            default=False,
            reason="true sends the PROXY protocol (version 2) header before each connection, and before each "
            "health check: the ingress controller must expect it.",
        )
    )
    stickiness: bool = declared(
        Flag(default=False, reason="true sends all connections of a client address to the same node.")
    )
    health_check: ListenerHealthCheck = declared(
        Record(build=ListenerHealthCheck, reason="In place of keys of healthCheck, for this group.")
    )
    target_group: ListenerGroup = declared(
        Record(build=ListenerGroup, reason="For an adopted target group: what AWS cannot change.")
    )

    @property
    def tls_policy(self) -> str | None:
        """Return the security policy of a TLS listener."""
        return (self.ssl_policy or SSL_POLICY) if self.protocol == TLS else None

    @property
    def idle_seconds(self) -> int | None:
        """Return the idle timeout of a TCP listener; AWS lets no other protocol have one set."""
        return (self.idle_timeout or IDLE_TIMEOUT) if self.protocol == "TCP" else None

    @property
    def transports(self) -> tuple[str, ...]:
        """Return the IP protocols of the clients, in the words of security group rules."""
        return transports(self.protocol)

    @property
    def group_protocol(self) -> str:
        """Return the protocol of the listener's group."""
        return self.protocol if "udp" in self.transports else self.backend_protocol

    def checked_by(self, common: HealthCheck) -> HealthCheck:
        """Return the health check of the listener's group."""
        return self.health_check.beside(common)


def transports(protocol: str) -> tuple[str, ...]:
    """Return the IP protocols of a listener or an ingress port, in the words of security group rules."""
    return {UDP: ("udp",), TCP_UDP: ("tcp", "udp")}.get(protocol, ("tcp",))
