"""The target groups of a stack whose load balancer is another stack's."""

from collections.abc import Mapping

import pulumi

from .component import Component
from .keys import Settings
from .targetgroups import health_check, target_group


class AttachedGroups(Component):
    """`target_groups` by listener name, to be forwarded to by the stack of the load balancer."""

    TYPE = "node-nlb-sync:attachment:AttachedGroups"

    def __init__(
        self,
        name: str,
        settings: Settings,
        node_ports: Mapping[str, pulumi.Output[int]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        self.target_groups = {
            item.name: target_group(name, settings, item, health_check(check, node_ports), self.beneath())
            for item, check in zip(settings.listeners, settings.health_checks, strict=True)
        }
        self.register_outputs({})
