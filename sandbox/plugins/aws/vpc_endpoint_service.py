"""aws:ec2/vpcEndpointService:VpcEndpointService (internal/service/ec2/vpc_endpoint_service.go)."""

from typing import Any, Final

from sandbox.plugins.aws import tags
from sandbox.plugins.aws.handler import CREATE_S
from sandbox.plugins.aws.session import Aws, AwsError, doing
from sandbox.plugins.provider import ProviderError
from sandbox.plugins.values import PropertyMap

_GONE: Final = ("InvalidVpcEndpointService.NotFound", "InvalidVpcEndpointServiceId.NotFound")
_LISTS: Final = {
    "networkLoadBalancerArns": "NetworkLoadBalancerArns",
    "supportedIpAddressTypes": "SupportedIpAddressTypes",
    "supportedRegions": "SupportedRegions",
}
_CONFIGURED: Final = frozenset({"acceptanceRequired", "privateDnsName", *_LISTS})


class VpcEndpointService:
    """A PrivateLink endpoint service; the id is `vpce-svc-…`."""

    def create(self, aws: Aws, inputs: PropertyMap) -> tuple[str, PropertyMap]:
        """CreateVpcEndpointServiceConfiguration."""
        asked: dict[str, Any] = {
            "AcceptanceRequired": inputs["acceptanceRequired"],
            "TagSpecifications": tags.specification("vpc-endpoint-service", inputs["tagsAll"]),
        }
        for key, name in (*_LISTS.items(), ("privateDnsName", "PrivateDnsName")):
            if inputs.get(key):
                asked[name] = inputs[key]
        with doing("creating EC2 VPC Endpoint Service"):
            made = aws.ec2.create_vpc_endpoint_service_configuration(**asked)
        return made["ServiceConfiguration"]["ServiceId"], {}

    def settle(self, aws: Aws, ident: str, inputs: PropertyMap, timeout_s: float) -> None:
        """Wait until the service is available, and set the principals."""
        _available(aws, ident, timeout_s or CREATE_S)
        if inputs.get("allowedPrincipals"):
            _permit(aws, ident, [], inputs["allowedPrincipals"])

    def read(self, aws: Aws, ident: str, prior: PropertyMap) -> PropertyMap | None:
        """DescribeVpcEndpointServiceConfigurations and its permissions."""
        found = _find(aws, ident)
        if found is None:
            return None
        with doing(f"reading EC2 VPC Endpoint Service ({ident}) permissions"):
            allowed = aws.ec2.describe_vpc_endpoint_service_permissions(ServiceId=ident)["AllowedPrincipals"]
        proof = found.get("PrivateDnsNameConfiguration") or {}
        keys = {"name": "Name", "state": "State", "type": "Type", "value": "Value"}
        shown = {key: proof[name] for key, name in keys.items() if proof.get(name)}
        regions = [each["Region"] for each in found.get("SupportedRegions", [])]
        return {
            "acceptanceRequired": found.get("AcceptanceRequired", False),
            "allowedPrincipals": sorted(each["Principal"] for each in allowed),
            "arn": aws.arn("ec2", f"vpc-endpoint-service/{ident}"),
            "availabilityZones": sorted(found.get("AvailabilityZones", [])),
            "baseEndpointDnsNames": found.get("BaseEndpointDnsNames", []),
            "managesVpcEndpoints": found.get("ManagesVpcEndpoints", False),
            "networkLoadBalancerArns": found.get("NetworkLoadBalancerArns") or None,
            "privateDnsName": found.get("PrivateDnsName") or "",
            "privateDnsNameConfigurations": [shown] if shown else [],
            "serviceName": found["ServiceName"],
            "serviceType": (found.get("ServiceType") or [{}])[0].get("ServiceType", ""),
            "state": found["ServiceState"],
            "supportedIpAddressTypes": found.get("SupportedIpAddressTypes", []),
            "supportedRegions": regions,
            **tags.as_properties(aws, found.get("Tags", []), prior),
        }

    def update(
        self, aws: Aws, ident: str, old: PropertyMap, new: PropertyMap, changed: frozenset[str]
    ) -> str:
        """ModifyVpcEndpointServiceConfiguration and -Permissions with the differences, then the tags."""
        if parts := changed & _CONFIGURED:
            asked: dict[str, Any] = {"ServiceId": ident}
            for key, name in (
                ("acceptanceRequired", "AcceptanceRequired"),
                ("privateDnsName", "PrivateDnsName"),
            ):
                if key in parts:
                    asked[name] = new[key]
            for key, name in _LISTS.items():
                before, after = set(old.get(key) or ()), set(new.get(key) or ())
                asked[f"Add{name}"], asked[f"Remove{name}"] = sorted(after - before), sorted(before - after)
            with doing(f"updating EC2 VPC Endpoint Service ({ident})"):
                aws.ec2.modify_vpc_endpoint_service_configuration(
                    **{key: value for key, value in asked.items() if value not in ([], None)}
                )
            _available(aws, ident, CREATE_S)
        if "allowedPrincipals" in changed:
            _permit(aws, ident, old.get("allowedPrincipals") or [], new.get("allowedPrincipals") or [])
        if "tagsAll" in changed:
            tags.update_ec2(aws, ident, old.get("tagsAll", {}), new["tagsAll"], "EC2 VPC Endpoint Service")
        return ident

    def delete(self, aws: Aws, ident: str, state: PropertyMap, timeout_s: float) -> None:
        """DeleteVpcEndpointServiceConfigurations, and wait; refused while endpoints are connected."""
        _ = state
        what = f"deleting EC2 VPC Endpoint Service ({ident})"
        with doing(what):
            answer = aws.ec2.delete_vpc_endpoint_service_configurations(ServiceIds=[ident])
        for each in answer.get("Unsuccessful", []):
            error = each.get("Error", {})
            if error.get("Code") not in _GONE:
                raise ProviderError(f"{what}: {ident}: {error.get('Code')}: {error.get('Message')}")
        waiting = f"waiting for EC2 VPC Endpoint Service ({ident}) delete"
        aws.wait(lambda: _find(aws, ident) is None, timeout_s or CREATE_S, waiting)


def _find(aws: Aws, ident: str) -> Any:
    try:
        with doing(f"reading EC2 VPC Endpoint Service ({ident})"):
            found = aws.ec2.describe_vpc_endpoint_service_configurations(ServiceIds=[ident])
    except AwsError as error:
        if error.code not in _GONE:
            raise
        return None
    return next(iter(found["ServiceConfigurations"]), None)


def _available(aws: Aws, ident: str, timeout_s: float) -> None:
    def done() -> bool:
        found = _find(aws, ident)
        return found is not None and found["ServiceState"] == "Available"

    aws.wait(done, timeout_s, f"waiting for EC2 VPC Endpoint Service ({ident}) create")


def _permit(aws: Aws, ident: str, old: list[str], new: list[str]) -> None:
    asked: dict[str, Any] = {
        "AddAllowedPrincipals": sorted(set(new) - set(old)),
        "RemoveAllowedPrincipals": sorted(set(old) - set(new)),
    }
    with doing(f"modifying EC2 VPC Endpoint Service ({ident}) permissions"):
        aws.ec2.modify_vpc_endpoint_service_permissions(
            ServiceId=ident, **{key: value for key, value in asked.items() if value}
        )
