"""The part of the table of rules (property_rules.py) for records, endpoint services and alarms."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from sandbox.plugins.aws.property_rule import REGION, Rule

_record = partial(Rule, source="route53/record.go")
_service = partial(Rule, source="ec2/vpc_endpoint_service.go")
_alarm = partial(Rule, source="cloudwatch/metric_alarm.go")
_pulumi = partial(Rule, source="pulumi-aws provider/resources.go")

_ROUTING: Final = (
    "cidrRoutingPolicy",
    "failoverRoutingPolicies",
    "geolocationRoutingPolicies",
    "geoproximityRoutingPolicy",
    "healthCheckId",
    "latencyRoutingPolicies",
    "multivalueAnswerRoutingPolicy",
    "setIdentifier",
    "weightedRoutingPolicies",
)
_TYPES: Final = (
    *("A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP"),
    *("SVCB", "TLSA", "TXT"),
)
_OTHER_ALARMS: Final = (
    "evaluationCriteria",
    "evaluationInterval",
    "evaluationWindow",
    "metricQueries",
    "thresholdMetricId",
    "warmUpConfiguration",
)
_OPERATORS: Final = (
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "GreaterThanUpperThreshold",
)
_MANY: Final = 1_000_000

AROUND: Final[Mapping[str, Mapping[str, Rule]]] = {
    "aws:route53/record:Record": {
        "name": _record(required=True, immutable=True, form="dns-name"),
        "zoneId": _record(required=True, immutable=True, length=(1, 32)),
        "type": _record(required=True, allowed=_TYPES),
        "ttl": _record(conflicts=("aliases",)),
        "records": _record(unordered=True),
        "allowOverwrite": _record(computed=True),
        "aliases": _record(exactly_one=("aliases", "records"), items=(0, 1)),
        "aliases.evaluateTargetHealth": _record(required=True),
        "aliases.name": _record(required=True, length=(1, 1024), form="dns-name"),
        "aliases.zoneId": _record(required=True, length=(1, 32)),
        **dict.fromkeys(_ROUTING, _record(unsupported=True)),
    },
    "aws:ec2/vpcEndpointService:VpcEndpointService": {
        "region": REGION,
        "acceptanceRequired": _service(required=True),
        "allowedPrincipals": _service(computed=True, unordered=True),
        "gatewayLoadBalancerArns": _service(unsupported=True),
        "networkLoadBalancerArns": _service(unordered=True, items=(1, _MANY)),
        "networkLoadBalancerArns.*": _service(form="arn"),
        "privateDnsName": _service(computed=True),
        "supportedIpAddressTypes": _service(computed=True, unordered=True),
        "supportedIpAddressTypes.*": _service(allowed=("ipv4", "ipv6")),
        "supportedRegions": _service(computed=True, unordered=True),
    },
    "aws:cloudwatch/metricAlarm:MetricAlarm": {
        "region": REGION,
        "name": _pulumi(computed=True, immutable=True, length=(1, 255), autoname=255),
        "actionsEnabled": _alarm(default=True),
        "alarmActions": _alarm(unordered=True),
        "alarmActions.*": _alarm(form="arn"),
        "okActions": _alarm(unordered=True, items=(0, 5)),
        "okActions.*": _alarm(form="arn"),
        "insufficientDataActions": _alarm(unordered=True, items=(0, 5)),
        "insufficientDataActions.*": _alarm(form="arn"),
        "alarmDescription": _alarm(length=(0, 1024)),
        "comparisonOperator": _alarm(allowed=_OPERATORS),
        "datapointsToAlarm": _alarm(between=((1, _MANY),)),
        "evaluateLowSampleCountPercentiles": _alarm(
            computed=True, allowed=("evaluate", "ignore"), ignore_case=True
        ),
        "evaluationPeriods": _alarm(between=((1, _MANY),)),
        "extendedStatistic": _alarm(conflicts=("statistic",)),
        "metricName": _alarm(length=(1, 255)),
        "namespace": _alarm(length=(1, 255), pattern="[^:].*"),
        "period": _alarm(form="alarm-period"),
        "statistic": _alarm(allowed=("SampleCount", "Average", "Sum", "Minimum", "Maximum")),
        "treatMissingData": _alarm(
            default="missing",
            allowed=("missing", "ignore", "breaching", "notBreaching"),
            ignore_case=True,
        ),
        **dict.fromkeys(_OTHER_ALARMS, _alarm(unsupported=True)),
    },
}
