"""The network interfaces of load balancers; moto knows only interfaces of instances."""

from dataclasses import dataclass
from typing import Any, Final

# The owner of a load balancer's attachment; the AWS provider finds interfaces by owner and description
# (internal/service/elbv2/load_balancer.go waitForNLBNetworkInterfacesToDetach).
_OWNER: Final = "amazon-aws"


@dataclass(frozen=True, slots=True)
class _Attachment:
    """The Attachment of DescribeNetworkInterfaces, with the attributes that moto renders."""

    attachment_id: str
    attach_time: Any = None
    delete_on_termination: bool = False
    device_index: int = 1
    network_card_index: int = 0
    instance_owner_id: str = _OWNER
    status: str = "attached"


def make_managed(interface: Any) -> None:
    """Turn an interface of moto's backend into an interface that AWS manages for a Network Load Balancer."""
    interface.requester_managed = True
    interface.interface_type = "network_load_balancer"
    interface.status = "in-use"
    attachment = _Attachment(interface.id.replace("eni-", "ela-attach-"))
    moto_class = type(interface)

    class Managed(moto_class):  # type: ignore[misc,valid-type]
        """An interface without an instance: moto derives attachment and owner from the instance."""

        @property
        def attachment(self) -> _Attachment:
            return attachment

        def get_filter_value(self, filter_name: str, method_name: str | None = None) -> Any:
            if filter_name == "attachment.instance-owner-id":
                return _OWNER
            return super().get_filter_value(filter_name, method_name)

    interface.__class__ = Managed
