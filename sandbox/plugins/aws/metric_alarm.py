"""aws:cloudwatch/metricAlarm:MetricAlarm (internal/service/cloudwatch/metric_alarm.go)."""

from typing import Any, Final

from sandbox.plugins.aws import tags
from sandbox.plugins.aws.session import Aws, doing, tolerating
from sandbox.plugins.provider import ProviderError
from sandbox.plugins.values import PropertyMap

# Properties to the members of PutMetricAlarm; the name and the dimensions have other forms.
_MEMBERS: Final = {
    "actionsEnabled": "ActionsEnabled",
    "alarmActions": "AlarmActions",
    "alarmDescription": "AlarmDescription",
    "comparisonOperator": "ComparisonOperator",
    "datapointsToAlarm": "DatapointsToAlarm",
    "evaluateLowSampleCountPercentiles": "EvaluateLowSampleCountPercentile",
    "evaluationPeriods": "EvaluationPeriods",
    "extendedStatistic": "ExtendedStatistic",
    "insufficientDataActions": "InsufficientDataActions",
    "metricName": "MetricName",
    "namespace": "Namespace",
    "okActions": "OKActions",
    "period": "Period",
    "statistic": "Statistic",
    "treatMissingData": "TreatMissingData",
    "unit": "Unit",
}
_TAGS: Final = frozenset({"tags", "tagsAll"})


class MetricAlarm:
    """An alarm of a metric; the id is the name."""

    def create(self, aws: Aws, inputs: PropertyMap) -> tuple[str, PropertyMap]:
        """PutMetricAlarm, after a look for an alarm of the name, which AWS would overwrite."""
        name = inputs["name"]
        if _find(aws, name) is not None:
            raise ProviderError(f'CloudWatch metric alarm "{name}" already exists')
        with doing(f"creating CloudWatch Metric Alarm ({name})"):
            _client(aws).put_metric_alarm(**_wire(inputs), Tags=tags.as_list(inputs["tagsAll"]))
        return name, {}

    def settle(self, aws: Aws, ident: str, inputs: PropertyMap, timeout_s: float) -> None:
        """No further steps."""

    def read(self, aws: Aws, ident: str, prior: PropertyMap) -> PropertyMap | None:
        """DescribeAlarms and ListTagsForResource."""
        found = _find(aws, ident)
        if found is None:
            return None
        with doing(f"listing tags for CloudWatch Metric Alarm ({ident})"):
            told = _client(aws).list_tags_for_resource(ResourceARN=found["AlarmArn"])["Tags"]
        return {
            **{key: found.get(member) or None for key, member in _MEMBERS.items()},
            "actionsEnabled": found["ActionsEnabled"],
            "arn": found["AlarmArn"],
            "dimensions": {each["Name"]: each["Value"] for each in found.get("Dimensions", [])} or None,
            "name": ident,
            "threshold": found.get("Threshold"),
            "treatMissingData": found.get("TreatMissingData") or "missing",
            **tags.as_properties(aws, told, prior),
        }

    def update(
        self, aws: Aws, ident: str, old: PropertyMap, new: PropertyMap, changed: frozenset[str]
    ) -> str:
        """PutMetricAlarm with all properties, then the tags, which it leaves alone."""
        if changed - _TAGS:
            with doing(f"updating CloudWatch Metric Alarm ({ident})"):
                _client(aws).put_metric_alarm(**_wire(new))
        if "tagsAll" in changed:
            tags.update_cloudwatch(aws, old["arn"], old.get("tagsAll", {}), new["tagsAll"])
        return ident

    def delete(self, aws: Aws, ident: str, state: PropertyMap, timeout_s: float) -> None:
        """DeleteAlarms."""
        _ = state, timeout_s
        with (
            tolerating("ResourceNotFound", "ResourceNotFoundException"),
            doing(f"deleting CloudWatch Metric Alarm ({ident})"),
        ):
            _client(aws).delete_alarms(AlarmNames=[ident])


def _client(aws: Aws) -> Any:
    return aws.clients.client("cloudwatch", aws.region)


def _find(aws: Aws, name: str) -> Any:
    with doing(f"reading CloudWatch Metric Alarm ({name})"):
        found = _client(aws).describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm"])["MetricAlarms"]
    return found[0] if found else None


def _wire(inputs: PropertyMap) -> dict[str, Any]:
    given = {member: inputs[key] for key, member in _MEMBERS.items() if inputs.get(key) not in (None, "", [])}
    dimensions = inputs.get("dimensions") or {}
    return {
        **given,
        "AlarmName": inputs["name"],
        "Dimensions": [{"Name": key, "Value": value} for key, value in sorted(dimensions.items())],
        "Threshold": float(inputs.get("threshold") or 0),
    }
