"""aws:lb/loadBalancer:LoadBalancer (internal/service/elbv2/load_balancer.go)."""

import contextlib
import re
from collections.abc import Mapping
from typing import Any, Final

from sandbox.plugins.aws import attributes, tags
from sandbox.plugins.aws.handler import CREATE_S
from sandbox.plugins.aws.names import prefix_of, unique
from sandbox.plugins.aws.session import Aws, AwsError, doing, tolerating
from sandbox.plugins.provider import ProviderError
from sandbox.plugins.values import PropertyMap

_GONE: Final = ("LoadBalancerNotFound", "LoadBalancerNotFoundException")
_DETACH_S: Final = 300.0  # waitForNLBNetworkInterfacesToDetach
_UNKNOWN_ATTRIBUTE: Final = re.compile(
    r"attribute key ['\"]?([^'\" ]+)['\"]? is not (?:recognized|supported)"
)
_MAPPING: Final = {
    "subnetId": "SubnetId",
    "allocationId": "AllocationId",
    "privateIpv4Address": "PrivateIPv4Address",
    "ipv6Address": "IPv6Address",
}


class LoadBalancer:
    """A load balancer; the id is the ARN. For the network type; other types get the shared properties."""

    def create(self, aws: Aws, inputs: PropertyMap) -> tuple[str, PropertyMap]:
        """CreateLoadBalancer, unless the name exists (AWS would return the existing load balancer)."""
        kind = inputs["loadBalancerType"]
        name = inputs.get("name") or unique(inputs.get("namePrefix"), "tf-lb-")
        if _by_name(aws, name):
            raise ProviderError(f"ELBv2 Load Balancer ({name}) already exists")
        asked: dict[str, Any] = {
            "CustomerOwnedIpv4Pool": inputs.get("customerOwnedIpv4Pool"),
            "EnablePrefixForIpv6SourceNat": inputs.get("enablePrefixForIpv6SourceNat"),
            "IpAddressType": inputs.get("ipAddressType"),
            "Scheme": "internal" if inputs.get("internal") else None,
            "SecurityGroups": inputs.get("securityGroups"),
            "SubnetMappings": _mappings(inputs),
            "Subnets": inputs.get("subnets"),
            "Tags": tags.as_list(inputs["tagsAll"]),
        }
        with doing(f"creating ELBv2 {kind} Load Balancer ({name})"):
            made = aws.elbv2.create_load_balancer(
                Name=name, Type=kind, **{key: value for key, value in asked.items() if value}
            )
        return made["LoadBalancers"][0]["LoadBalancerArn"], {}

    def settle(self, aws: Aws, ident: str, inputs: PropertyMap, timeout_s: float) -> None:
        """Wait until the load balancer is active, and set the attributes."""
        _await_active(aws, ident, timeout_s, "create")
        kind = inputs["loadBalancerType"]
        if inputs.get("minimumLoadBalancerCapacity"):
            _reserve(aws, ident, inputs, timeout_s)
        wanted = attributes.wanted(attributes.LOAD_BALANCER, kind, inputs, attributes.LOAD_BALANCER)
        _modify(aws, ident, {**_access_logs(inputs), **wanted})
        if kind == "network" and inputs.get("enforceSecurityGroupInboundRulesOnPrivateLinkTraffic"):
            _set_security_groups(aws, ident, inputs)

    def read(self, aws: Aws, ident: str, prior: PropertyMap) -> PropertyMap | None:
        """DescribeLoadBalancers, attributes and tags."""
        found = _find(aws, ident)
        if found is None:
            return None
        with doing(f"reading ELBv2 Load Balancer ({ident}) attributes"):
            described = aws.elbv2.describe_load_balancer_attributes(LoadBalancerArn=ident)
        told = attributes.from_list(described["Attributes"])
        zones = found.get("AvailabilityZones", [])
        kind = found["Type"]
        return {
            "arn": ident,
            "arnSuffix": ident.partition(":loadbalancer/")[2],
            "customerOwnedIpv4Pool": found.get("CustomerOwnedIpv4Pool"),
            "dnsName": found["DNSName"],
            "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic": found.get(
                "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic", ""
            ),
            "enablePrefixForIpv6SourceNat": found.get("EnablePrefixForIpv6SourceNat") or "off",
            "internal": found.get("Scheme") == "internal",
            "ipAddressType": found.get("IpAddressType", "ipv4"),
            "loadBalancerType": kind,
            "name": found["LoadBalancerName"],
            "namePrefix": prefix_of(found["LoadBalancerName"]),
            "securityGroups": _in_order(prior.get("securityGroups"), found.get("SecurityGroups", [])),
            "subnetMappings": _in_order(prior.get("subnetMappings"), [_mapping(zone) for zone in zones]),
            "subnets": _in_order(prior.get("subnets"), [zone["SubnetId"] for zone in zones]),
            "vpcId": found["VpcId"],
            "zoneId": found.get("CanonicalHostedZoneId", ""),
            "accessLogs": {
                "bucket": told.get("access_logs.s3.bucket", ""),
                "enabled": told.get("access_logs.s3.enabled") == "true",
                "prefix": told.get("access_logs.s3.prefix", ""),
            },
            "minimumLoadBalancerCapacity": _capacity(aws, ident),
            **attributes.typed(attributes.LOAD_BALANCER, kind, told),
            **tags.as_properties(aws, tags.of_elbv2(aws, ident), prior),
        }

    def update(
        self, aws: Aws, ident: str, old: PropertyMap, new: PropertyMap, changed: frozenset[str]
    ) -> str:
        """Update attributes, security groups, added subnets, address type, tags; then wait for active."""
        kind = old["loadBalancerType"]
        pairs = attributes.wanted(attributes.LOAD_BALANCER, kind, new, changed)
        if "accessLogs" in changed:
            pairs.update(_access_logs(new))
        _modify(aws, ident, pairs)
        if changed & {"securityGroups", "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic"}:
            _set_security_groups(aws, ident, new)
        if changed & {"subnetMappings", "subnets"}:
            asked: dict[str, Any] = {"SubnetMappings": _mappings(new), "Subnets": new.get("subnets")}
            with doing(f"setting ELBv2 Load Balancer ({ident}) subnets"):
                aws.elbv2.set_subnets(
                    LoadBalancerArn=ident, **{key: value for key, value in asked.items() if value}
                )
        if "ipAddressType" in changed:
            with doing(f"setting ELBv2 Load Balancer ({ident}) address type"):
                aws.elbv2.set_ip_address_type(LoadBalancerArn=ident, IpAddressType=new["ipAddressType"])
        if "minimumLoadBalancerCapacity" in changed:
            _reserve(aws, ident, new, 0)
        if "tagsAll" in changed:
            tags.update_elbv2(aws, ident, old.get("tagsAll", {}), new["tagsAll"], "ELBv2 Load Balancer")
        _await_active(aws, ident, 0, "update")
        return ident

    def delete(self, aws: Aws, ident: str, state: PropertyMap, timeout_s: float) -> None:
        """DeleteLoadBalancer, then wait for the network interfaces, which hold addresses and groups.

        The wait is best effort: the deletion has succeeded in any case (resourceLoadBalancerDelete).
        """
        _ = state, timeout_s
        with doing(f"deleting ELBv2 Load Balancer ({ident})"):
            aws.elbv2.delete_load_balancer(LoadBalancerArn=ident)
        with contextlib.suppress(ProviderError):
            aws.wait(lambda: not _interfaces(aws, ident), _DETACH_S, f"waiting for interfaces of ({ident})")


def _find(aws: Aws, ident: str) -> Any:
    try:
        with doing(f"reading ELBv2 Load Balancer ({ident})"):
            found = aws.elbv2.describe_load_balancers(LoadBalancerArns=[ident])["LoadBalancers"]
    except AwsError as error:
        if error.code not in _GONE:
            raise
        return None
    return found[0] if found else None


def _by_name(aws: Aws, name: str) -> bool:
    found = []
    with tolerating(*_GONE), doing(f"reading ELBv2 Load Balancer ({name})"):
        found = aws.elbv2.describe_load_balancers(Names=[name])["LoadBalancers"]
    return bool(found)


def _await_active(aws: Aws, ident: str, timeout_s: float, act: str) -> None:
    def active() -> bool:
        state = (_find(aws, ident) or {}).get("State", {})
        return bool(state.get("Code") == "active")

    aws.wait(active, timeout_s or CREATE_S, f"waiting for ELBv2 Load Balancer ({ident}) {act}")


def _modify(aws: Aws, ident: str, pairs: Mapping[str, Any]) -> None:
    """ModifyLoadBalancerAttributes without attributes unknown to this AWS, like the official provider."""
    left = dict(pairs)
    while left:
        try:
            with doing(f"modifying ELBv2 Load Balancer ({ident}) attributes"):
                aws.elbv2.modify_load_balancer_attributes(
                    LoadBalancerArn=ident, Attributes=attributes.to_list(left)
                )
        except AwsError as error:
            unknown = _UNKNOWN_ATTRIBUTE.search(str(error))
            if not unknown or left.pop(unknown[1], None) is None:
                raise
        else:
            return


def _reserve(aws: Aws, ident: str, inputs: PropertyMap, timeout_s: float) -> None:
    """ModifyCapacityReservation; without a capacity the reservation is reset. Then wait for the zones."""
    wanted = inputs.get("minimumLoadBalancerCapacity")
    asked: Any = {"MinimumLoadBalancerCapacity": {"CapacityUnits": wanted["capacityUnits"]}} if wanted else {}
    with doing(f"modifying ELBv2 Load Balancer ({ident}) capacity reservation"):
        aws.elbv2.modify_capacity_reservation(
            LoadBalancerArn=ident, ResetCapacityReservation=not wanted, **asked
        )

    def provisioned() -> bool:
        zones = _reservation(aws, ident)["CapacityReservationState"]
        return all(zone["State"]["Code"] == "provisioned" for zone in zones)

    wait = f"waiting for ELBv2 Load Balancer ({ident}) capacity reservation provision"
    aws.wait(provisioned, timeout_s or CREATE_S, wait)


def _reservation(aws: Aws, ident: str) -> Any:
    with doing(f"reading ELBv2 Load Balancer ({ident}) capacity reservation"):
        return aws.elbv2.describe_capacity_reservation(LoadBalancerArn=ident)


def _capacity(aws: Aws, ident: str) -> PropertyMap | None:
    """Return the reserved capacity; None also where AWS or the rights do not know the action."""
    units = None
    with tolerating("AccessDenied", "InvalidAction"):
        units = _reservation(aws, ident).get("MinimumLoadBalancerCapacity", {}).get("CapacityUnits")
    return {"capacityUnits": units} if units else None


def _set_security_groups(aws: Aws, ident: str, inputs: PropertyMap) -> None:
    enforce = inputs.get("enforceSecurityGroupInboundRulesOnPrivateLinkTraffic")
    asked: Any = {"EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": enforce} if enforce else {}
    with doing(f"setting ELBv2 Load Balancer ({ident}) security groups"):
        aws.elbv2.set_security_groups(
            LoadBalancerArn=ident, SecurityGroups=inputs.get("securityGroups") or [], **asked
        )


def _access_logs(inputs: PropertyMap) -> dict[str, Any]:
    logs = inputs.get("accessLogs") or {"enabled": False}
    pairs = {"access_logs.s3.enabled": logs["enabled"]}
    if logs["enabled"]:
        pairs["access_logs.s3.bucket"] = logs["bucket"]
        pairs["access_logs.s3.prefix"] = logs.get("prefix", "")
    return pairs


def _mappings(inputs: PropertyMap) -> list[Any]:
    return [
        {api: mapping[key] for key, api in _MAPPING.items() if mapping.get(key)}
        for mapping in inputs.get("subnetMappings") or ()
    ]


def _mapping(zone: Mapping[str, Any]) -> PropertyMap:
    address: Mapping[str, Any] = next(iter(zone.get("LoadBalancerAddresses") or []), {})
    return {
        "subnetId": zone["SubnetId"],
        "outpostId": zone.get("OutpostId", ""),
        "allocationId": address.get("AllocationId", ""),
        "ipv6Address": address.get("IPv6Address", ""),
        "privateIpv4Address": address.get("PrivateIPv4Address", ""),
    }


def _in_order(prior: Any, found: list[Any]) -> list[Any]:
    """Return a set as a list in the program's last order, so that a second read changes nothing."""
    keys = [_key(each) for each in prior] if isinstance(prior, list) else []
    place = {key: index for index, key in enumerate(keys)}
    return sorted(found, key=lambda each: (place.get(_key(each), len(place)), _key(each)))


def _key(value: Any) -> str:
    return str(value.get("subnetId")) if isinstance(value, Mapping) else str(value)


def _interfaces(aws: Aws, arn: str) -> bool:
    """Return whether network interfaces of the load balancer still exist.

    ec2.FindNetworkInterfacesByAttachmentInstanceOwnerIDAndDescription.
    """
    description = f"ELB {arn.partition(':loadbalancer/')[2]}"
    with doing(f"reading network interfaces of ({arn})"):
        found = aws.ec2.describe_network_interfaces(
            Filters=[
                {"Name": "attachment.instance-owner-id", "Values": ["amazon-aws"]},
                {"Name": "description", "Values": [description]},
            ]
        )["NetworkInterfaces"]
    return bool(found)
