"""Every key of the stack configuration: type, default, range and reason. docs/stack.md is held to this table.

Ranges of health checks and delays are those of botocore's elbv2 model.
"""

from infra.clusterkeys import INGRESS, SYNCER
from infra.options import Addresses, Connections, Firewall, HealthCheck, Identity, Listener, Settings, Zone
from infra.shapes import CHARACTER, Cidr, Entries, Flag, Optional, Record, Rows, Text, Whole
from infra.words import port, port_name

ZONE = Record(
    build=Zone,
    fields={
        "subnet_id": Text(
            reason="The public subnet the load balancer stands in; its nodes in this zone become reachable.",
            allowed="the id of a subnet of this zone",
            pattern=r"subnet-[0-9a-f]{8,17}",
            example="subnet-0123456789abcdef0",
        ),
        "allocation_id": Optional(
            inner=Text(
                reason="An Elastic IP that exists already; without it one is created.",
                allowed="the allocation id of an Elastic IP that is free",
                pattern=r"eipalloc-[0-9a-f]{8,17}",
                example="eipalloc-0123456789abcdef0",
            )
        ),
    },
)

LISTENER = Record(
    build=Listener,
    fields={
        "name": Text(
            reason="Names the listener and its target group; of AWS's 32 characters 17 are taken.",
            allowed="1 to 15 lower-case letters, digits and hyphens, a letter first",
            pattern=r"[a-z]([a-z0-9-]{0,13}[a-z0-9])?",
            example="http",
        ),
        "port": port("The port that clients connect to on each static IP."),
        "service_port": port_name("The ingress port, by name, that the connections go to."),
        "protocol": Text(
            reason="The load balancer passes connections through; TLS ends in the ingress controller.",
            allowed="TCP",
            choices=("TCP",),
            default="TCP",
            example="TCP",
        ),
    },
)

DEFAULT_LISTENERS = [
    {"name": "http", "port": 80, "servicePort": "http"},
    {"name": "https", "port": 443, "servicePort": "https"},
]

HEALTH_CHECK = Record(
    build=HealthCheck,
    reason="Every group, the https one too, is checked over HTTP on this port, as the predecessor had it.",
    fields={
        "service_port": port_name(
            "The ingress port, by name, whose NodePort answers the check.", default="http"
        ),
        "path": Text(
            reason="Traefik answers /ping when it can serve.",
            allowed="a path of at most 1024 characters that begins with /",
            pattern=r"/[!-~]{0,1023}",
            default="/ping",
            example="/ping",
        ),
        "interval": Whole(
            low=5,
            high=300,
            unit="seconds",
            default=10,
            reason="With the threshold: how soon a dead node is left.",
        ),
        "timeout": Whole(
            low=2, high=120, unit="seconds", default=5, reason="At most the interval; AWS's own default is 6."
        ),
        "healthy_threshold": Whole(
            low=2, high=10, default=2, reason="Answers in a row before a node gets traffic."
        ),
        "unhealthy_threshold": Whole(
            low=2, high=10, default=2, reason="Failures in a row before a node gets none."
        ),
        "matcher": Text(
            reason="The HTTP codes that count as an answer.",
            allowed="a code, a range or a list of them, 200 to 599, such as 200-399",
            pattern=r"[2-5]\d\d([-,][2-5]\d\d)*",
            default="200-399",
            example="200-399",
        ),
    },
)

ROOT = Record(
    build=Settings,
    fields={
        "vpc_id": Text(
            reason="The cluster's VPC: target groups and the load balancer's security group live in it.",
            allowed="the id of a VPC",
            pattern=r"vpc-[0-9a-f]{8,17}",
            example="vpc-0123456789abcdef0",
        ),
        "zones": Entries(
            item=ZONE,
            least=1,
            key_pattern=r"[a-z]{2,}(-[a-z0-9]+)*-\d+[a-z]",
            reason="One subnet and one static IP for each availability zone, keyed by the zone's name.",
            allowed="availability zones such as eu-central-1a, each with a subnetId",
        ),
        "node_security_group_id": Text(
            reason="The nodes' security group: it gets one rule for each NodePort, and keeps all its own.",
            allowed="the id of a security group; absent with nodeSecurityGroupIds",
            pattern=r"(sg-[0-9a-f]{8,17})?",
            default="",
            example="sg-0123456789abcdef0",
        ),
        "node_security_group_ids": Rows(
            item=Text(
                reason="A security group of nodes.",
                allowed="the id of a security group",
                pattern=r"sg-[0-9a-f]{8,17}",
                example="sg-0123456789abcdef0",
            ),
            reason="In place of nodeSecurityGroupId where node pools have security groups of their own.",
            allowed="a list of security group ids",
            default=[],
        ),
        "listeners": Rows(
            item=LISTENER,
            least=1,
            default=DEFAULT_LISTENERS,
            reason="The ports that clients reach; each has a target group.",
            allowed="a list of listeners",
        ),
        "health_check": HEALTH_CHECK,
        "addresses": Record(
            build=Addresses,
            reason="Static IPs stand in other people's allow-lists, so they outlive the stack by default.",
            fields={
                "keep": Flag(
                    default=True,
                    reason="Created addresses outlive the stack, and the next `up` takes them again.",
                ),
                "protect": Flag(
                    default=False,
                    reason="true refuses to destroy or replace the addresses and the load balancer.",
                ),
            },
        ),
        "client_cidrs": Rows(
            item=Cidr(reason="A network of clients."),
            least=1,
            default=["0.0.0.0/0"],
            reason="Who may connect to the listeners; enforced by the load balancer's security group.",
            allowed="a list of IPv4 networks",
        ),
        "firewall": Record(
            build=Firewall,
            reason="The rules on the nodes' security group.",
            fields={
                "source": Text(
                    reason="load-balancer: only through the load balancer; clients: also clientCidrs; "
                    "any: 0.0.0.0/0, as the predecessor had it.",
                    allowed="load-balancer, clients or any",
                    choices=("load-balancer", "clients", "any"),
                    default="load-balancer",
                    example="load-balancer",
                )
            },
        ),
        "connections": Record(
            build=Connections,
            reason="What happens to established connections.",
            fields={
                "end_with_drain": Flag(
                    default=False,
                    reason="true resets what is still open when the deregistration delay is over.",
                ),
                "end_when_unhealthy": Flag(
                    default=True,
                    reason="true resets connections to a target that fails its check, so that clients of a "
                    "dead node learn it at once; false spares them while the ingress controller restarts.",
                ),
                "preserve_client_ip": Flag(
                    default=True,
                    reason="false hides the client's address, and lets a node call its own load balancer.",
                ),
            },
        ),
        "deregistration_delay": Whole(
            low=0,
            high=3600,
            unit="seconds",
            default=120,
            reason="How long a leaving node may finish its connections; AWS advises at least 120 for an NLB.",
        ),
        "cross_zone": Flag(
            default=False,
            reason="true spreads each static IP over the nodes of all zones, at the cost of traffic between "
            "zones and of a quota of 500 targets in total instead of a zone.",
        ),
        "target_quota": Whole(
            low=50,
            high=3000,
            default=500,
            reason="AWS's quota of targets for each zone of a load balancer, with crossZone for all zones "
            "together; beyond it the syncer chooses a stable subset of the nodes.",
        ),
        "ingress": INGRESS,
        "preset": Text(
            reason="predecessor: nodeSelector, toleration and label filter of the Go project's manifests.",
            allowed="none or predecessor",
            choices=("none", "predecessor"),
            default="none",
            example="predecessor",
        ),
        "syncer": SYNCER,
        "identity": Record(
            build=Identity,
            reason="By what right the syncer calls AWS.",
            fields={
                "kind": Text(
                    reason="user: an IAM user with keys in a Secret; it works on every cluster.",
                    allowed="user",
                    choices=("user",),
                    default="user",
                    example="user",
                )
            },
        ),
        "tags": Entries(
            item=Text(
                reason="",
                allowed="a tag's value in quotes, at most 256 characters",
                pattern=rf"{CHARACTER}{{0,256}}",
                example="''",
            ),
            key_pattern=rf"(?!aws:){CHARACTER}{{1,128}}",
            default={},
            reason="Tags of every AWS resource that can carry them.",
            allowed="keys of at most 128 characters that do not begin with aws:, with string values",
        ),
    },
)
