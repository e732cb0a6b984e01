"""PrivateLink endpoint services: AWS's rules that moto lacks.

From the EC2 API reference (CreateVpcEndpointServiceConfiguration and its neighbours), "Share your services
through AWS PrivateLink", and public reports (cloud-custodian issue 9921).
"""

import re
import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from sandbox.cloud.errors import AwsError

if TYPE_CHECKING:
    from sandbox.cloud.ec2 import Ec2
    from sandbox.cloud.elbv2.records import LoadBalancer
    from sandbox.cloud.elbv2.store import Elbv2

_PRINCIPAL: Final = re.compile(r"\*|arn:aws[a-z-]*:iam::\d{12}:(root|user/.+|role/.+)")
_ABOUT: Final = "VpcEndpointServiceConfiguration"
_FIELD: Final = re.compile(r"(?P<name>\w+?)LoadBalancerArn\.\d+")


class EndpointServices:
    """The endpoint services in moto's backend of EC2, beside the load balancers of `elbv2`."""

    def __init__(self, ec2: "Ec2", elbv2: "Elbv2") -> None:
        self._ec2, self._elbv2 = ec2, elbv2
        teach_moto(self)

    def require(self, action: str, fields: dict[str, str]) -> None:
        """Raise the error of AWS for a call that moto accepts."""
        if not action.endswith((_ABOUT, "VpcEndpointServicePermissions")):
            return
        given, added = list(_arns(fields, "Network")), list(_arns(fields, "AddNetwork"))
        for arn in (*given, *added):
            self._require_free(arn)
        if action == f"Modify{_ABOUT}":
            service = self._service(fields.get("ServiceId", ""))
            left = {*service.network_load_balancer_arns, *added} - {*_arns(fields, "RemoveNetwork")}
            if not left:
                raise AwsError("InvalidParameter", "An endpoint service needs at least one load balancer.")
        if action == "ModifyVpcEndpointServicePermissions":
            self._service(fields.get("ServiceId", ""))
            for key, principal in fields.items():
                if key.startswith("AddAllowedPrincipals.") and not _PRINCIPAL.fullmatch(principal):
                    raise AwsError("InvalidPrincipal", f"Invalid Principal: '{principal}'")

    def balancers(self, arns: list[str]) -> list[Any]:
        """Return load balancers with the attributes that moto reads."""
        return [Balancer(self._elbv2.load_balancer(arn)) for arn in arns]

    def _service(self, ident: str) -> Any:
        if found := self._ec2.endpoint_services.get(ident):
            return found
        text = f"The VpcEndpointService Id '{ident}' does not exist"
        raise AwsError("InvalidVpcEndpointServiceId.NotFound", text)

    def _require_free(self, arn: str) -> None:
        if arn not in self._elbv2.load_balancers:
            raise AwsError("InvalidParameter", f"Load balancer '{arn}' not found")
        if self._ec2.has_endpoint_service(arn):
            text = f"Load balancer '{arn}' is already associated with an endpoint service"
            raise AwsError("InvalidParameter", text)


class Balancer:
    """A load balancer as moto's endpoint services see it."""

    type = "network"

    def __init__(self, one: "LoadBalancer") -> None:
        self.arn = one.arn
        self.subnets = [Place(name) for name in one.zones]


class Place:
    """A subnet, of which moto reads the zone."""

    def __init__(self, zone: str) -> None:
        self.availability_zone = zone


class _Balancers:
    """In the place of moto's own load balancers, of which the sandbox has none."""

    def __init__(self, services: EndpointServices) -> None:
        self._services = services

    def describe_load_balancers(self, arns: list[str], names: object) -> list[Any]:
        """Return the load balancers of `arns`."""
        del names
        return self._services.balancers(arns)


def teach_moto(services: EndpointServices) -> None:
    """Let moto's endpoint services find the load balancers here, and prove private DNS names as AWS does."""
    from moto.ec2.models import vpc_service_configuration as theirs  # noqa: PLC0415 (as in sandbox/cloud/ec2.py)

    balancers = _Balancers(services)
    theirs.VPCServiceConfigurationBackend.elbv2_backend = property(lambda _: balancers)  # type: ignore[assignment]
    theirs.VPCServiceConfiguration.private_dns_name_configuration = property(proof)  # type: ignore[assignment,method-assign]


def proof(service: Any) -> dict[str, str]:
    """Return the TXT record that AWS waits for; it is another one after a change of the name."""
    if not service.private_dns_name:
        return {}
    known: tuple[str, dict[str, str]] = getattr(service, "proof", ("", {}))
    if known[0] != service.private_dns_name:
        record = {
            "Name": f"_{secrets.token_hex(10)}",
            "Value": f"vpce:{secrets.token_hex(10)}",
            "Type": "TXT",
        }
        known = service.proof = (service.private_dns_name, {"State": "pendingVerification", **record})
    return known[1]


def _arns(fields: dict[str, str], name: str) -> Iterator[str]:
    """Yield the ARNs of `NetworkLoadBalancerArn.N` and the like."""
    for key, arn in fields.items():
        found = _FIELD.fullmatch(key)
        if found and found["name"] == name:
            yield arn
