"""aws:route53/record:Record (internal/service/route53/record.go), and the hosted zone that is looked up."""

from typing import Any, Final

from sandbox.plugins.aws.session import Aws, AwsError, doing
from sandbox.plugins.provider import ProviderError
from sandbox.plugins.values import PropertyMap

_GONE: Final = "NoSuchHostedZone"
_PARTS: Final = 3
_SYNC_S: Final = 1800.0


class Record:
    """A record; the id is `ZONE_NAME_TYPE`. Records have no tags."""

    def create(self, aws: Aws, inputs: PropertyMap) -> tuple[str, PropertyMap]:
        """GetHostedZone, then CREATE, or UPSERT with allowOverwrite."""
        _zone_name(aws, inputs["zoneId"])
        action = "UPSERT" if inputs.get("allowOverwrite") else "CREATE"
        with doing("creating Route53 Record"):
            made = _change(aws, inputs["zoneId"], [(action, _wire(inputs))])
        ident = f"{inputs['zoneId']}_{plain_name(inputs['name'])}_{inputs['type']}"
        _synced(aws, ident, made)
        return ident, {}

    def settle(self, aws: Aws, ident: str, inputs: PropertyMap, timeout_s: float) -> None:
        """No further steps."""

    def read(self, aws: Aws, ident: str, prior: PropertyMap) -> PropertyMap | None:
        """ListResourceRecordSets from the name and type of the record."""
        zone_id, name, kind = _key(ident, prior)
        try:
            full = _expanded(name, _zone_name(aws, zone_id))
            found = _find(aws, zone_id, full, kind)
        except AwsError as error:
            if error.code != _GONE:
                raise
            return None
        if found is None:
            return None
        alias = found.get("AliasTarget")
        shown = alias and {
            "evaluateTargetHealth": alias["EvaluateTargetHealth"],
            "name": plain_name(alias["DNSName"]),
            "zoneId": alias["HostedZoneId"],
        }
        return {
            "zoneId": zone_id,
            "name": plain_name(name),
            "type": kind,
            "fqdn": full,
            "aliases": [shown] if shown else None,
            "records": [each["Value"] for each in found.get("ResourceRecords") or ()] or None,
            "ttl": found.get("TTL"),
        }

    def update(
        self, aws: Aws, ident: str, old: PropertyMap, new: PropertyMap, changed: frozenset[str]
    ) -> str:
        """UPSERT; another type is a new record in the place of the old one."""
        zone_id, name, _ = _key(ident, old)
        if "type" not in changed:
            with doing("creating Route53 Record"):
                _synced(aws, ident, _change(aws, zone_id, [("UPSERT", _wire(new))]))
            return ident
        with doing(f"updating Route53 Record ({ident})"):
            made = _change(aws, zone_id, [("DELETE", _wire(old)), ("CREATE", _wire(new))])
        ident = f"{zone_id}_{plain_name(name)}_{new['type']}"
        _synced(aws, ident, made)
        return ident

    def delete(self, aws: Aws, ident: str, state: PropertyMap, timeout_s: float) -> None:
        """DELETE of the record as AWS has it; a missing record, or another one, is a success."""
        _ = timeout_s
        zone_id, name, kind = _key(ident, state)
        try:
            found = _find(aws, zone_id, _expanded(name, _zone_name(aws, zone_id)), kind)
            if found is not None:
                with doing(f"deleting Route53 Record ({ident})"):
                    _synced(aws, ident, _change(aws, zone_id, [("DELETE", found)]))
        except AwsError as error:
            if error.code not in {_GONE, "InvalidChangeBatch"}:
                raise


def get_zone(aws: Aws, args: PropertyMap) -> PropertyMap:
    """GetHostedZone by id, and its tags (route53/zone_data_source.go)."""
    ident = args.get("zoneId")
    if not ident:
        raise ProviderError("the offline AWS provider finds a hosted zone by zoneId only")
    client = aws.clients.client("route53", aws.region)
    with doing(f"reading Route 53 Hosted Zone ({ident})"):
        found = client.get_hosted_zone(Id=ident)
    with doing(f"listing Route 53 Hosted Zone ({ident}) tags"):
        told = client.list_tags_for_resource(ResourceType="hostedzone", ResourceId=ident)
    zone, servers = found["HostedZone"], found.get("DelegationSet", {}).get("NameServers") or [""]
    return {
        "id": ident,
        "arn": f"arn:{aws.partition}:route53:::hostedzone/{ident}",
        "callerReference": zone["CallerReference"],
        "comment": zone["Config"].get("Comment", ""),
        "name": zone["Name"].removesuffix("."),
        "nameServers": servers,
        "primaryNameServer": servers[0],
        "privateZone": zone["Config"].get("PrivateZone", False),
        "resourceRecordSetCount": zone.get("ResourceRecordSetCount", 0),
        "tags": {tag["Key"]: tag["Value"] for tag in told["ResourceTagSet"]["Tags"]},
        "zoneId": ident,
    }


def plain_name(name: str) -> str:
    """Return a name as the provider records it: in lower case without a dot, and with *."""
    return name.lower().removesuffix(".").replace("\\052", "*")


def _key(ident: str, known: PropertyMap) -> tuple[str, str, str]:
    """Return zone, name and type; the id of an imported record contains all three."""
    if known.get("zoneId"):
        return known["zoneId"], known["name"], known["type"]
    parts = ident.split("_")
    if len(parts) < _PARTS:
        raise ProviderError(f"unexpected format for ID ({ident}), expected ZONE_NAME_TYPE")
    return parts[0], "_".join(parts[1:-1]), parts[-1]


def _zone_name(aws: Aws, zone_id: str) -> str:
    with doing(f"reading Route 53 Hosted Zone ({zone_id})"):
        found: Any = aws.clients.client("route53", aws.region).get_hosted_zone(Id=zone_id)
    return str(found["HostedZone"]["Name"])


def _expanded(name: str, zone: str) -> str:
    """Return the full name; a name outside the zone is one relative to the zone (expandRecordName)."""
    name, zone = plain_name(name), plain_name(zone)
    return name if name == zone or name.endswith(f".{zone}") else f"{name}.{zone}" if name else zone


def _find(aws: Aws, zone_id: str, name: str, kind: str) -> Any:
    with doing(f"reading Route 53 Record ({name})"):
        page = aws.clients.client("route53", aws.region).list_resource_record_sets(
            HostedZoneId=zone_id, StartRecordName=name, StartRecordType=kind, MaxItems="1"
        )
    same = (each for each in page["ResourceRecordSets"] if each["Type"] == kind)
    return next((each for each in same if plain_name(each["Name"]) == name), None)


def _change(aws: Aws, zone_id: str, changes: list[tuple[str, Any]]) -> str:
    client = aws.clients.client("route53", aws.region)
    zone = client.get_hosted_zone(Id=zone_id)["HostedZone"]["Name"]
    batch = [
        {"Action": action, "ResourceRecordSet": {**record, "Name": _expanded(record["Name"], zone)}}
        for action, record in changes
    ]
    made = client.change_resource_record_sets(
        HostedZoneId=zone_id, ChangeBatch={"Changes": batch, "Comment": "Managed by Terraform"}
    )
    return str(made["ChangeInfo"]["Id"])


def _synced(aws: Aws, ident: str, change: str) -> None:
    """Wait until every name server has the change."""

    def done() -> bool:
        with doing(f"waiting for Route 53 Record ({ident}) synchronize"):
            found = aws.clients.client("route53", aws.region).get_change(Id=change)
        return bool(found["ChangeInfo"]["Status"] == "INSYNC")

    aws.wait(done, _SYNC_S, f"waiting for Route 53 Record ({ident}) synchronize")


def _wire(inputs: PropertyMap) -> dict[str, Any]:
    record: dict[str, Any] = {"Name": inputs["name"], "Type": inputs["type"]}
    if inputs.get("records"):
        record["ResourceRecords"] = [{"Value": each} for each in inputs["records"]]
        record["TTL"] = inputs.get("ttl")
    for alias in inputs.get("aliases") or ():
        record["AliasTarget"] = {
            "DNSName": alias["name"],
            "EvaluateTargetHealth": alias["evaluateTargetHealth"],
            "HostedZoneId": alias["zoneId"],
        }
    return record
