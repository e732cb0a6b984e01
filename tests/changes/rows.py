"""The rows of docs/changes.md: edits of stack dev, one after another and back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.cloud.network import NODE_GROUP_ID, VPC_ID
from sandbox.layout import ACCOUNT, REGION
from tests.changes.stand import Stand

Keys = Mapping[str, Any]
LAST: Final = "eu-central-1c"
SERVICE: Final = "/api/v1/namespaces/ingress-traefik/services/traefik-ingress-service-nlb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An edit: its keys, what is done by hand before it, and flags of `pulumi up`.

    `zonal`: the command for zones runs before `up`, and only the zones that stay count for requests.
    `stays`: the next row begins where this one ends.
    """

    name: str
    keys: Keys | Callable[[Stand], Keys] = field(default_factory=dict)
    by_hand: Callable[[Stand], None] | None = None
    flags: Sequence[str] = ()
    zonal: bool = False
    stays: bool = False

    def asked(self, stand: Stand) -> Keys:
        """Return the keys to set; ids of AWS are known only in the stand."""
        return self.keys if isinstance(self.keys, Mapping) else self.keys(stand)


def listeners(*rows: tuple[str, int, str]) -> Keys:
    return {"listeners": [{"name": name, "port": port, "servicePort": to} for name, port, to in rows]}


def syncer(**keys: Any) -> Keys:
    return {"syncer": {"image": "node-nlb-sync:dev", "env": {"NLB_SYNC_ADDRESS": "$(POD_IP)"}, **keys}}


def ports(**more: int) -> Keys:
    every = [{"name": "http", "port": 80}, {"name": "https", "port": 443}]
    fixed = [{**each, **({"nodePort": more[str(each["name"])]} if more else {})} for each in every]
    return {"ingress": {"createNamespace": True, "ports": fixed}}


def without_last(stand: Stand) -> Keys:
    return {"zones": {zone: place for zone, place in stand.zones.items() if zone != LAST}}


def other_subnet(stand: Stand) -> Keys:
    return {"zones": {**stand.zones, LAST: {"subnetId": stand.second_subnet(LAST)}}}


def other_address(stand: Stand) -> Keys:
    return {"zones": {**stand.zones, LAST: {**stand.zones[LAST], "allocationId": stand.own_address()}}}


def pool(stand: Stand) -> Keys:
    groups = [NODE_GROUP_ID, stand.second_group()]
    return {"nodeSecurityGroupId": None, "nodeSecurityGroupIds": groups}


def delete_service(stand: Stand) -> None:
    stand.api.delete(SERVICE)


RENAMED: Final[Keys] = {
    "ingress": {
        "createNamespace": True,
        "ports": [{"name": "plain", "port": 80}, {"name": "tls", "port": 443}],
    },
    "healthCheck": {"interval": 5, "timeout": 2, "servicePort": "plain"},
    **listeners(("http", 80, "plain"), ("https", 443, "tls")),
}
GROUP: Final = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/http/0123456789abcdef"
KEYS_OF_A_USER: Final[Keys] = {"identity": {"kind": "user-keys"}}

ROWS: Final = (
    Row(name="a zone removed", keys=without_last),
    Row(
        name="a zone removed, with `python -m infra.zones --apply`",
        keys=without_last,
        zonal=True,
        flags=("--refresh",),
        stays=True,
    ),
    Row(name="a zone added"),
    Row(name="another subnet in a zone", keys=other_subnet),
    Row(
        name="another subnet in a zone, with `python -m infra.zones --apply`",
        keys=other_subnet,
        zonal=True,
        flags=("--refresh",),
    ),
    Row(name="another Elastic IP in a zone", keys=other_address),
    Row(
        name="another Elastic IP in a zone, with `python -m infra.zones --apply`",
        keys=other_address,
        zonal=True,
        flags=("--refresh",),
    ),
    Row(name="`vpcId`", keys={"vpcId": VPC_ID[:-1] + ("0" if VPC_ID[-1] != "0" else "1")}),
    Row(name="listeners renamed", keys=listeners(("web", 80, "http"), ("secure", 443, "https"))),
    Row(
        name="a listener added",
        keys=listeners(("http", 80, "http"), ("https", 443, "https"), ("extra", 8080, "http")),
        stays=True,
    ),
    Row(name="a listener removed"),
    Row(
        name="the ports of two listeners swapped",
        keys=listeners(("https", 80, "https"), ("http", 443, "http")),
    ),
    Row(name="the ports of the Service renamed", keys=RENAMED),
    Row(name="NodePorts set", keys=ports(http=30180, https=30543), stays=True),
    Row(name="NodePorts changed", keys=ports(http=30181, https=30544)),
    Row(name="the Service deleted by hand", by_hand=delete_service, flags=("--refresh",)),
    Row(name="`ingress.create` from true to false", keys={"ingress": {"create": False}}),
    Row(name="`identity.kind` to user-keys", keys=KEYS_OF_A_USER, stays=True),
    Row(
        name="`identity.keyGeneration`",
        keys={"identity": {"kind": "user-keys", "keyGeneration": 2}},
    ),
    Row(name="`syncer.image`", keys=syncer(image="node-nlb-sync:next")),
    Row(name="`syncer.replicas`", keys=syncer(replicas=1)),
    Row(name="`syncer.env`", keys=syncer(env={"NLB_SYNC_ADDRESS": "$(POD_IP)", "NO_PROXY": "*"})),
    Row(name="`syncer.namespace`", keys=syncer(namespace="default")),
    Row(name="`tags`", keys={"tags": {"example.com/owner": "edge"}}),
    Row(name="`crossZone` to false", keys={"crossZone": False}),
    Row(name="`healthCheck.interval`", keys={"healthCheck": {"interval": 10, "timeout": 3}}),
    Row(name="`deregistrationDelay`", keys={"deregistrationDelay": 20}),
    Row(name="`connections`", keys={"connections": {"endWhenUnhealthy": False, "endWithDrain": True}}),
    Row(name="`firewall.source` to any", keys={"firewall": {"source": "any"}}),
    Row(name="`clientCidrs`", keys={"clientCidrs": ["127.0.0.0/8", "192.0.2.0/24"]}),
    Row(name="a node security group added", keys=pool),
    Row(name="`addresses.keep` to true", keys={"addresses": {"keep": True}}),
    Row(
        name="a zone removed, with `allowReplacement: [loadBalancer]`",
        keys=lambda stand: {**without_last(stand), "allowReplacement": ["loadBalancer"]},
    ),
)
