"""aws:ec2/eip:Eip (internal/service/ec2/ec2_eip.go)."""

from typing import Any, Final

from sandbox.plugins.aws import tags
from sandbox.plugins.aws.handler import CREATE_S
from sandbox.plugins.aws.session import Aws, AwsError, doing, tolerating
from sandbox.plugins.values import PropertyMap

_GONE: Final = "InvalidAllocationID.NotFound"


class Eip:
    """An Elastic IP; the id is the allocation id."""

    def create(self, aws: Aws, inputs: PropertyMap) -> tuple[str, PropertyMap]:
        """AllocateAddress."""
        asked: dict[str, Any] = {
            "Address": inputs.get("address"),
            "CustomerOwnedIpv4Pool": inputs.get("customerOwnedIpv4Pool"),
            "Domain": inputs.get("domain"),
            "IpamPoolId": inputs.get("ipamPoolId"),
            "NetworkBorderGroup": inputs.get("networkBorderGroup"),
            "PublicIpv4Pool": inputs.get("publicIpv4Pool"),
            "TagSpecifications": tags.specification("elastic-ip", inputs["tagsAll"]),
        }
        with doing("creating EC2 EIP"):
            made = aws.ec2.allocate_address(**{key: value for key, value in asked.items() if value})
        return made["AllocationId"], {}

    def settle(self, aws: Aws, ident: str, inputs: PropertyMap, timeout_s: float) -> None:
        """Wait for the address, and associate it with the instance or interface of the program."""
        aws.wait(
            lambda: _find(aws, ident) is not None,
            timeout_s or CREATE_S,
            f"waiting for EC2 EIP ({ident}) create",
        )
        if inputs.get("instance") or inputs.get("networkInterface"):
            _associate(aws, ident, inputs)

    def read(self, aws: Aws, ident: str, prior: PropertyMap) -> PropertyMap | None:
        """DescribeAddresses, and the reverse name where AWS has a reverse name."""
        found = _find(aws, ident)
        if found is None:
            return None
        private, public = found.get("PrivateIpAddress", ""), found.get("PublicIp", "")
        return {
            "allocationId": ident,
            "arn": aws.arn("ec2", f"elastic-ip/{ident}"),
            "associationId": found.get("AssociationId", ""),
            "carrierIp": found.get("CarrierIp", ""),
            "customerOwnedIp": found.get("CustomerOwnedIp", ""),
            "customerOwnedIpv4Pool": found.get("CustomerOwnedIpv4Pool", ""),
            "domain": found.get("Domain"),
            "instance": found.get("InstanceId") or "",
            "ipamPoolId": prior.get("ipamPoolId"),
            "networkBorderGroup": found.get("NetworkBorderGroup") or aws.region,
            "networkInterface": found.get("NetworkInterfaceId") or "",
            "privateIp": private or None,
            "privateDns": _dns("ip", private, aws.region, "compute.internal") if private else None,
            "publicIp": public,
            "publicDns": _dns("ec2", public, aws.region, "compute.amazonaws.com"),
            "publicIpv4Pool": found.get("PublicIpv4Pool") or "amazon",
            "ptrRecord": reverse_name(aws, ident),
            **tags.as_properties(aws, found.get("Tags", []), prior),
        }

    def update(
        self, aws: Aws, ident: str, old: PropertyMap, new: PropertyMap, changed: frozenset[str]
    ) -> str:
        """Update tags and the association."""
        if changed & {"instance", "networkInterface", "associateWithPrivateIp"}:
            _disassociate(aws, old.get("associationId", ""))
            if new.get("instance") or new.get("networkInterface"):
                _associate(aws, ident, new)
        if "tagsAll" in changed:
            tags.update_ec2(aws, ident, old.get("tagsAll", {}), new["tagsAll"], "EC2 EIP")
        return ident

    def delete(self, aws: Aws, ident: str, state: PropertyMap, timeout_s: float) -> None:
        """Disassociate the address where the state has an association, then release the address once.

        resourceEIPDelete has no retries: an address still held by a deleted load balancer is an error
        (terraform-provider-aws#33645).
        """
        _ = timeout_s
        _disassociate(aws, state.get("associationId", ""))
        asked: dict[str, Any] = {"AllocationId": ident}
        if state.get("networkBorderGroup"):
            asked["NetworkBorderGroup"] = state["networkBorderGroup"]
        with tolerating(_GONE), doing(f"deleting EC2 EIP ({ident})"):
            aws.ec2.release_address(**asked)


def _find(aws: Aws, ident: str) -> Any:
    try:
        with doing(f"reading EC2 EIP ({ident})"):
            found = aws.ec2.describe_addresses(AllocationIds=[ident])["Addresses"]
    except AwsError as error:
        if error.code != _GONE:
            raise
        return None
    return found[0] if found else None


def _associate(aws: Aws, ident: str, inputs: PropertyMap) -> None:
    asked: dict[str, Any] = {
        "InstanceId": inputs.get("instance"),
        "NetworkInterfaceId": inputs.get("networkInterface"),
        "PrivateIpAddress": inputs.get("associateWithPrivateIp"),
    }
    with doing(f"associating EC2 EIP ({ident})"):
        aws.ec2.associate_address(AllocationId=ident, **{key: value for key, value in asked.items() if value})


def _disassociate(aws: Aws, association: str) -> None:
    if association:
        with tolerating("InvalidAssociationID.NotFound"), doing(f"disassociating EC2 EIP ({association})"):
            aws.ec2.disassociate_address(AssociationId=association)


def reverse_name(aws: Aws, ident: str) -> str:
    """Return the address's PTR record; empty for an API without DescribeAddressesAttribute."""
    try:
        with doing(f"reading EC2 EIP ({ident}) domain name attribute"):
            found = aws.ec2.describe_addresses_attribute(AllocationIds=[ident], Attribute="domain-name")
    except AwsError as error:
        if error.code in (_GONE, "InvalidAction", "UnsupportedOperation", "NotImplemented", "501"):
            return ""
        raise
    entries = found.get("Addresses", [])
    return str(entries[0].get("PtrRecord") or "").removesuffix(".") if entries else ""


def _dns(prefix: str, address: str, region: str, suffix: str) -> str:
    """Return AWS's name for an address (ec2_instance dns names; us-east-1 has a separate old form)."""
    dashed = address.replace(".", "-")
    if region == "us-east-1":
        suffix = "ec2.internal" if prefix == "ip" else "compute-1.amazonaws.com"
        return f"{prefix}-{dashed}.{suffix}"
    return f"{prefix}-{dashed}.{region}.{suffix}"
