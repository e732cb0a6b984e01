"""CloudWatch: metric alarms, as far as the stack has them. No metric has values, so no alarm changes state.

The JSON protocol, as in botocore's model.

Limits and messages from the CloudWatch API reference (PutMetricAlarm, DeleteAlarms), and from public reports
(terraform-provider-aws issues 2180 and 19349).
"""

from collections.abc import Callable, Iterator
from time import time
from typing import Any, Final

from sandbox.cloud import rest
from sandbox.cloud.elbv2.store import named, pairs
from sandbox.cloud.errors import AwsError, AwsValidationError
from sandbox.cloud.policy import Call
from sandbox.cloud.request import Answer, Request
from sandbox.layout import ACCOUNT, REGION

SERVICE: Final = "cloudwatch"
_ARN: Final = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:"
_MOST_ACTIONS: Final = 5
_MOST_ALARMS: Final = 5000
_DAY_S: Final = 86_400
_HOUR_S: Final = 3600
_WEEK_S: Final = 7 * _DAY_S
_SHORT_PERIODS: Final = frozenset({10, 20, 30})
_STATISTICS: Final = frozenset({"SampleCount", "Average", "Sum", "Minimum", "Maximum"})
_OPERATORS: Final = frozenset(
    {
        "GreaterThanOrEqualToThreshold",
        "GreaterThanThreshold",
        "LessThanThreshold",
        "LessThanOrEqualToThreshold",
    }
)
_MISSING: Final = frozenset({"missing", "ignore", "breaching", "notBreaching"})
_REQUIRED: Final = (
    "AlarmName",
    "MetricName",
    "Namespace",
    "Statistic",
    "Period",
    "EvaluationPeriods",
    "Threshold",
    "ComparisonOperator",
)
_OF_A_STATE: Final = ("AlarmActions", "OKActions", "InsufficientDataActions")
Structure = dict[str, Any]


def resources_of(request: Request) -> tuple[str, ...]:
    """Return the alarms for the authorisation of a call."""
    params = rest.body_of(request)
    if "ResourceARN" in params:
        return (str(params["ResourceARN"]),)
    names = params.get("AlarmNames") or ([params["AlarmName"]] if "AlarmName" in params else [])
    return tuple(f"{_ARN}{name}" for name in names) or ("*",)


def implied(request: Request, resources: tuple[str, ...]) -> Iterator[Call]:
    """Yield the further call of a new alarm with tags."""
    if request.action == "PutMetricAlarm" and rest.body_of(request).get("Tags"):
        yield Call("cloudwatch:TagResource", resources, request.region)


class CloudWatch:
    """The metric alarms of the account, by name."""

    def __init__(self) -> None:
        self.alarms: dict[str, Structure] = {}
        self._tags: dict[str, dict[str, str]] = {}
        self._actions: dict[str, Callable[[Structure], Structure]] = {
            "PutMetricAlarm": self._put,
            "DescribeAlarms": self._describe,
            "DeleteAlarms": self._delete,
            "ListTagsForResource": self._list_tags,
            "TagResource": self._tag,
            "UntagResource": self._untag,
        }

    def answer(self, request: Request) -> Answer:
        """Answer a call. Raises AwsError."""
        if request.action not in self._actions:
            raise AwsError(
                "UnknownOperationException", f"The sandbox does not simulate {request.action}", 404
            )
        result = self._actions[request.action](rest.body_of(request))
        return rest.render(result)

    def _put(self, params: Structure) -> Structure:
        """Create an alarm, or replace all of an alarm but its tags and its state."""
        _require_valid(params)
        name = params["AlarmName"]
        known = self.alarms.get(name)
        if known is None and len(self.alarms) >= _MOST_ALARMS:
            raise AwsError("LimitExceeded", "The maximum limit for alarms has been exceeded")
        now = time()
        kept = {key: value for key, value in params.items() if key != "Tags"}
        lists = {key: params.get(key) or [] for key in (*_OF_A_STATE, "Dimensions")}
        state = {
            key: known[key] if known else value
            for key, value in (("StateValue", "INSUFFICIENT_DATA"), ("StateUpdatedTimestamp", now))
        }
        self.alarms[name] = {
            "ActionsEnabled": True,
            "TreatMissingData": "missing",
            **kept,
            **lists,
            **state,
            "AlarmArn": f"{_ARN}{name}",
            "Threshold": float(params["Threshold"]),
            "AlarmConfigurationUpdatedTimestamp": now,
        }
        if known is None:
            self._tags[name] = named(params.get("Tags"))
        return {}

    def _describe(self, params: Structure) -> Structure:
        wanted, prefix = params.get("AlarmNames"), params.get("AlarmNamePrefix") or ""
        if wanted and prefix:
            raise AwsValidationError("AlarmNamePrefix cannot be specified with AlarmNames")
        found = [
            alarm
            for name, alarm in sorted(self.alarms.items())
            if (name in wanted if wanted else name.startswith(prefix))
        ]
        if "MetricAlarm" not in (params.get("AlarmTypes") or ["MetricAlarm"]):
            found = []
        return {"MetricAlarms": found, "CompositeAlarms": []}

    def _delete(self, params: Structure) -> Structure:
        """Delete all of the alarms, or none."""
        names = params.get("AlarmNames") or []
        if missing := [name for name in names if name not in self.alarms]:
            raise AwsError("ResourceNotFound", f"Alarms not found: {', '.join(missing)}", 404)
        for name in names:
            del self.alarms[name], self._tags[name]
        return {}

    def _list_tags(self, params: Structure) -> Structure:
        return {"Tags": pairs(self._tags[self._named(params)])}

    def _tag(self, params: Structure) -> Structure:
        self._tags[self._named(params)].update(named(params.get("Tags")))
        return {}

    def _untag(self, params: Structure) -> Structure:
        tags = self._tags[self._named(params)]
        for key in params.get("TagKeys") or []:
            tags.pop(key, None)
        return {}

    def _named(self, params: Structure) -> str:
        arn = str(params.get("ResourceARN", ""))
        name = arn.removeprefix(_ARN)
        if not arn.startswith(_ARN) or name not in self.alarms:
            raise AwsError("ResourceNotFoundException", f"Unknown resource: {arn}", 404)
        return name


def render_error(error: AwsError) -> tuple[Answer, list[tuple[str, str]]]:
    """Return a refusal; a header has the code of the older query protocol, which clients report."""
    answer, headers = rest.render_error(error)
    return answer, [*headers, ("x-amzn-query-error", f"{error.code};Sender")]


def _require_valid(params: Structure) -> None:
    """Raise ValidationError for what PutMetricAlarm refuses."""
    for key in _REQUIRED:
        if params.get(key) in (None, ""):
            raise AwsValidationError(f"The parameter {key} is required")
    for key, allowed in (
        ("Statistic", _STATISTICS),
        ("ComparisonOperator", _OPERATORS),
        ("TreatMissingData", _MISSING),
    ):
        if key in params and params[key] not in allowed:
            raise AwsValidationError(f"The value {params[key]} is not supported for parameter {key}")
    period, periods = params["Period"], params["EvaluationPeriods"]
    if period not in _SHORT_PERIODS and (period < 1 or period % 60):
        raise AwsValidationError("Period must be 10, 20, 30 or a multiple of 60")
    most = _WEEK_S if period >= _HOUR_S else _DAY_S
    if periods < 1 or period * periods > most:
        raise AwsValidationError(
            "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= "
            f"{most})."
        )
    for key in _OF_A_STATE:
        _require_actions(key, params.get(key) or [])


def _require_actions(key: str, arns: list[str]) -> None:
    if len(arns) > _MOST_ACTIONS:
        raise AwsValidationError(
            f"1 validation error detected: Value at '{key}' failed to satisfy constraint: Member must have "
            f"length less than or equal to {_MOST_ACTIONS}"
        )
    for arn in arns:
        parts = arn.split(":")
        if len(parts) < 6 or parts[0] != "arn":  # noqa: PLR2004 (parts of an ARN)
            raise AwsValidationError(f"Invalid arn syntax: {arn}")
        if parts[2] == "sns" and parts[3] != REGION:
            raise AwsValidationError(f"Invalid region {parts[3]} specified. Only {REGION} is supported.")
