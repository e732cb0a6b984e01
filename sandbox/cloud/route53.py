"""Route 53: hosted zones and their records, as far as the stack has them.

Rules and messages from the Route 53 API reference (ChangeResourceRecordSets) and from public reports of
InvalidChangeBatch (boto3 issue 157, aws-cdk issue 19643, cli53 issues 213 and 257).
"""

import re
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.cloud import rest
from sandbox.cloud.errors import AwsError
from sandbox.cloud.request import Answer, Request

SERVICE: Final = "route53"
# The zone of Network Load Balancers in eu-central-1 ("Elastic Load Balancing endpoints and quotas").
BALANCERS: Final = "Z3F0SRJ5LGBH90"
# The account has a hosted zone from the start, as most accounts have.
ZONE_ID: Final = "Z0SANDBOX000000000000"
ZONE_NAME: Final = "sandbox.example"
_BALANCER_NAME: Final = re.compile(r"[a-z0-9-]+\.elb\.eu-central-1\.amazonaws\.com\.")
_NAME_SERVERS: Final = ("ns-1.sandbox.example.", "ns-2.sandbox.example.")
_SUBMITTED: Final = "2025-01-01T00:00:00Z"
_ARN: Final = "arn:aws:route53:::"
_PAGE: Final = 300
Structure = dict[str, Any]


@dataclass(slots=True)
class Zone:
    """A hosted zone; `records` by name, type and set identifier."""

    ident: str
    name: str
    reference: str
    private: bool
    records: dict[tuple[str, str, str], Structure] = field(default_factory=dict)

    def described(self) -> Structure:
        """Return the HostedZone of the API."""
        return {
            "Id": f"/hostedzone/{self.ident}",
            "Name": self.name,
            "CallerReference": self.reference,
            "Config": {"PrivateZone": self.private},
            "ResourceRecordSetCount": len(self.records),
        }


class Route53:
    """The hosted zones of the account. A change is in sync `sync_s()` seconds after the call."""

    def __init__(self, clock: Callable[[], float], sync_s: Callable[[], float]) -> None:
        self._clock, self._sync_s = clock, sync_s
        self.zones: dict[str, Zone] = {}
        self._changes: dict[str, float] = {}
        self._add(Zone(ZONE_ID, _full(ZONE_NAME), "sandbox", private=False))
        self._actions: dict[str, Callable[[Structure], Structure]] = {
            "CreateHostedZone": self._create,
            "GetHostedZone": self._get,
            "ListHostedZones": self._list,
            "DeleteHostedZone": self._delete,
            "ChangeResourceRecordSets": self._change,
            "ListResourceRecordSets": self._list_records,
            "GetChange": lambda params: {"ChangeInfo": self._change_info(_bare(params["Id"]))},
            "ListTagsForResource": self._list_tags,
        }

    def answer(self, request: Request) -> Answer:
        """Answer a call. Raises AwsError."""
        from moto.core.parse import RestXMLParser  # noqa: PLC0415 (takes a second; only the server needs moto)
        from moto.core.serialize import RestXMLSerializer  # noqa: PLC0415
        from moto.core.utils import get_service_model  # noqa: PLC0415

        action, parts = rest.route(request)
        if action not in self._actions:
            raise AwsError("InvalidAction", f"The sandbox does not simulate {action}")
        model = get_service_model(SERVICE).operation_model(action)
        names = re.findall(r"\{(\w+)\}", model.http["requestUri"])
        parser: Any = RestXMLParser(model)
        params = parser.parse(
            {
                "method": request.method,
                "values": request.parameters(),
                "headers": {},
                "body": request.body,
                "url_path": request.path,
                "url_params": dict(zip(names, parts, strict=True)),
            }
        )
        rendered = RestXMLSerializer(model).serialize(self._actions[action](params))
        return Answer(rendered["status_code"], "text/xml", str(rendered["body"]).encode())

    def _zone(self, ident: str) -> Zone:
        if found := self.zones.get(_bare(ident)):
            return found
        raise AwsError("NoSuchHostedZone", f"No hosted zone found with ID: {_bare(ident)}", 404)

    def _create(self, params: Structure) -> Structure:
        reference = params["CallerReference"]
        if any(zone.reference == reference for zone in self.zones.values()):
            text = f"A hosted zone has already been created with the specified caller reference: {reference}"
            raise AwsError("HostedZoneAlreadyExists", text, 409)
        ident = "Z" + "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(20))
        private = bool(params.get("VPC") or (params.get("HostedZoneConfig") or {}).get("PrivateZone"))
        zone = self._add(Zone(ident, _full(params["Name"]), reference, private))
        return {
            "HostedZone": zone.described(),
            "ChangeInfo": self._submitted(),
            "DelegationSet": {"NameServers": list(_NAME_SERVERS)},
        }

    def _add(self, zone: Zone) -> Zone:
        """Add a zone with the records that every zone has."""
        self.zones[zone.ident] = zone
        servers = [{"Value": each} for each in _NAME_SERVERS]
        authority = [{"Value": f"{_NAME_SERVERS[0]} hostmaster.sandbox.example. 1 7200 900 1209600 86400"}]
        for kind, values in (("NS", servers), ("SOA", authority)):
            zone.records[(zone.name, kind, "")] = {
                "Name": zone.name,
                "Type": kind,
                "TTL": 900,
                "ResourceRecords": values,
            }
        return zone

    def _get(self, params: Structure) -> Structure:
        zone = self._zone(params["Id"])
        servers = {} if zone.private else {"DelegationSet": {"NameServers": list(_NAME_SERVERS)}}
        return {"HostedZone": zone.described(), **servers}

    def _list(self, params: Structure) -> Structure:
        del params
        zones = [zone.described() for zone in self.zones.values()]
        return {"HostedZones": zones, "Marker": "", "IsTruncated": False, "MaxItems": "100"}

    def _delete(self, params: Structure) -> Structure:
        zone = self._zone(params["Id"])
        if {kind for _, kind, _ in zone.records} - {"NS", "SOA"}:
            text = "The specified hosted zone contains non-required resource record sets and so cannot be"
            raise AwsError("HostedZoneNotEmpty", f"{text} deleted.")
        del self.zones[zone.ident]
        return {"ChangeInfo": self._submitted()}

    def _change(self, params: Structure) -> Structure:
        """Apply all changes of the batch, or none."""
        zone = self._zone(params["HostedZoneId"])
        records, problems = dict(zone.records), []
        for change in params["ChangeBatch"]["Changes"]:
            problems += changed(zone, records, change["Action"], change["ResourceRecordSet"])
        if problems:
            raise AwsError("InvalidChangeBatch", f"[{', '.join(problems)}]")
        zone.records = records
        return {"ChangeInfo": self._submitted()}

    def _list_records(self, params: Structure) -> Structure:
        zone = self._zone(params["HostedZoneId"])
        start, kind = params.get("StartRecordName"), params.get("StartRecordType") or ""
        if kind and not start:
            raise AwsError("InvalidInput", "StartRecordType without StartRecordName")
        first = (_reversed(_full(start)), kind) if start else ((), "")
        found = [
            record
            for key, record in sorted(
                zone.records.items(), key=lambda each: (_reversed(each[0][0]), each[0][1:])
            )
            if (_reversed(key[0]), key[1]) >= first
        ]
        most = int(params.get("MaxItems") or _PAGE)
        page: Structure = {
            "ResourceRecordSets": found[:most],
            "IsTruncated": len(found) > most,
            "MaxItems": str(most),
        }
        if len(found) > most:
            page.update(NextRecordName=found[most]["Name"], NextRecordType=found[most]["Type"])
        return page

    def _list_tags(self, params: Structure) -> Structure:
        ident = self._zone(params["ResourceId"]).ident
        return {"ResourceTagSet": {"ResourceType": "hostedzone", "ResourceId": ident, "Tags": []}}

    def _submitted(self) -> Structure:
        ident = f"C{secrets.token_hex(10).upper()}"
        self._changes[ident] = self._clock() + self._sync_s()
        return self._change_info(ident)

    def _change_info(self, ident: str) -> Structure:
        if ident not in self._changes:
            raise AwsError(
                "NoSuchChange", f"A change with the specified change ID does not exist: {ident}", 404
            )
        status = "PENDING" if self._clock() < self._changes[ident] else "INSYNC"
        return {"Id": f"/change/{ident}", "Status": status, "SubmittedAt": _SUBMITTED}


def changed(
    zone: Zone, records: dict[tuple[str, str, str], Structure], action: str, given: Structure
) -> list[str]:
    """Apply one change to `records`; return the reasons why AWS refuses it."""
    name, kind = _full(given["Name"]), given["Type"]
    key, about = (name, kind, given.get("SetIdentifier") or ""), f"[name='{name}', type='{kind}']"
    if name != zone.name and not name.endswith(f".{zone.name}"):
        return [f"RRSet with DNS name {name} is not permitted in zone {zone.name}"]
    alias = given.get("AliasTarget")
    if (alias is None) == (not given.get("ResourceRecords")):
        raise AwsError(
            "InvalidInput",
            "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or "
            f"TrafficPolicyInstanceId], but found none in Change with [Action={action}, Name={name}, "
            f"Type={kind}, SetIdentifier=null]",
        )
    record = {**given, "Name": name}
    if alias is not None:
        record["AliasTarget"] = {**alias, "DNSName": _full(alias["DNSName"])}
    if action == "DELETE":
        if key not in records:
            return [f"Tried to delete resource record set {about} but it was not found"]
        if records[key] != record:
            text = "but the values provided do not match the current values"
            return [f"Tried to delete resource record set {about} {text}"]
        del records[key]
        return []
    if action == "CREATE" and key in records:
        return [f"Tried to create resource record set {about} but it already exists"]
    beside = {other for named, other, _ in records if named == name and other != kind}
    if beside and "CNAME" in {kind, *beside}:
        text = "is not permitted as it conflicts with other records with the same DNS name in zone"
        return [f"RRSet of type {kind} with DNS name {name} {text} {zone.name}"]
    if alias is not None and (problem := _lost(zone, records, kind, record["AliasTarget"])):
        return [problem]
    records[key] = record
    return []


def _lost(zone: Zone, records: dict[tuple[str, str, str], Structure], kind: str, alias: Structure) -> str:
    """Return the refusal of an alias target outside its zone; AWS does not look for the load balancer."""
    home, target = alias["HostedZoneId"], alias["DNSName"]
    about = f"Tried to create an alias that targets {target}, type {kind} in zone {home}, but"
    if home == BALANCERS:
        inside = _BALANCER_NAME.fullmatch(target) is not None
    else:
        inside = home == zone.ident and (target == zone.name or target.endswith(f".{zone.name}"))
    if not inside:
        return f"{about} the alias target name does not lie within the target zone"
    if home == zone.ident and (target, kind, "") not in records:
        return f"{about} that target was not found"
    return ""


def resources_of(request: Request) -> tuple[str, ...]:
    """Return the zone or change for the authorisation of a call."""
    action, parts = rest.route(request)
    if not parts:
        return ("*",)
    return (f"{_ARN}{'change' if action == 'GetChange' else 'hostedzone'}/{_bare(parts[-1])}",)


def _bare(ident: str) -> str:
    return ident.rpartition("/")[2]


def _full(name: str) -> str:
    """Return a name as Route 53 stores it: in lower case, with a dot, and * as an octal code."""
    return f"{name.lower().removesuffix('.')}.".replace("*", "\\052")


def _reversed(name: str) -> tuple[str, ...]:
    return tuple(reversed(name.removesuffix(".").split(".")))
