"""CloudWatch alarms of the load balancer and of its target groups."""

from collections.abc import Mapping
from typing import Final

import pulumi
from pulumi_aws import cloudwatch, lb

from .component import Component
from .forward import Attached
from .keys import Settings

_NAMESPACE: Final = "AWS/NetworkELB"
_MINUTE: Final = 60  # seconds; the interval of the metrics


class Alarms(Component):
    """An alarm for each threshold: of each group that a listener forwards to, and of the load balancer.

    Groups of attachments have their alarms here too: AWS has the metric by load balancer and group alone, and
    the stack of a group does not know the load balancer.
    """

    TYPE = "node-nlb-sync:alarms:Alarms"

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        balancer: lb.LoadBalancer,
        groups: Mapping[str, lb.TargetGroup],
        attached: Attached,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        self._name, self._settings, self._chosen = name, settings, settings.alarms
        self._balancer = balancer.arn_suffix
        self._unhealthy_hosts(groups, attached)
        self._errors(
            "rejected-flows",
            "RejectedFlowCount",
            self._chosen.rejected_flows,
            "connections rejected by the load balancer",
        )
        self._errors(
            "port-allocation-errors",
            "PortAllocationErrorCount",
            self._chosen.port_allocation_errors,
            "connections lost: no free port towards a target",
        )
        self.register_outputs({})

    def _unhealthy_hosts(self, groups: Mapping[str, lb.TargetGroup], attached: Attached) -> None:
        """Watch each group for targets that stay unhealthy, in the zone with the most of them."""
        if (threshold := self._chosen.unhealthy_hosts) is None:
            return
        for item in self._settings.listeners:
            for attachment in self._settings.weights(item.name):
                suffix = attached[attachment][item.name] if attachment else groups[item.name].arn
                self._alarm(
                    f"{item.port}-{attachment}-unhealthy-hosts"
                    if attachment
                    else f"{item.port}-unhealthy-hosts",
                    "UnHealthyHostCount",
                    threshold,
                    f"unhealthy targets of listener {item.name}"
                    + (f", attachment {attachment}" if attachment else ""),
                    statistic="Maximum",
                    period=_MINUTE,
                    evaluation_periods=self._chosen.minutes,
                    TargetGroup=pulumi.Output.from_input(suffix).apply(group_suffix),
                )

    def _errors(self, label: str, metric: str, threshold: int | None, what: str) -> None:
        """Watch a number of errors of the load balancer."""
        if threshold is not None:
            self._alarm(
                label,
                metric,
                threshold,
                what,
                statistic="Sum",
                period=_MINUTE * self._chosen.minutes,
                evaluation_periods=1,
            )

    def _alarm(
        self,
        label: str,
        metric: str,
        threshold: int,
        what: str,
        *,
        statistic: str,
        period: int,
        evaluation_periods: int,
        **dimensions: pulumi.Input[str],
    ) -> None:
        """Create an alarm. A metric without values is no fault: AWS reports no targets and no traffic so."""
        cloudwatch.MetricAlarm(
            f"{self._name}-{label}",
            alarm_description=f"{self._name}: more than {threshold} {what}",
            namespace=_NAMESPACE,
            metric_name=metric,
            dimensions={"LoadBalancer": self._balancer, **dimensions},
            statistic=statistic,
            period=period,
            evaluation_periods=evaluation_periods,
            comparison_operator="GreaterThanThreshold",
            threshold=threshold,
            treat_missing_data="notBreaching",
            alarm_actions=[*self._chosen.actions] or None,
            ok_actions=[*self._chosen.actions] or None,
            tags=self._settings.tags,
            opts=self.beneath(),
        )


def group_suffix(arn: str) -> str:
    """Return the dimension TargetGroup of a group: `targetgroup/NAME/ID`."""
    return arn.rpartition(":")[2]
