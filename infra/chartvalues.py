"""The values of the Helm chart, declared once: the source of values.yaml and values.schema.json."""

import json
from dataclasses import dataclass
from typing import Any, Final

from syncer.manifests.credentials import EXTERNAL, IRSA, KINDS, USER_KEYS, VARIABLES, of_kind
from syncer.manifests.pod import Workload
from syncer.manifests.references import IMAGE_FORM

from .clusterkeys import ENV_NAME, LABEL_KEY, LABEL_VALUE, SUBDOMAIN_FORM
from .resourcekeys import CPU, MEMORY

_DEFAULTS: Final = Workload(name="", namespace="", image="", credentials=of_kind(EXTERNAL), managed_by="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A value of the chart; `text` is the comment in values.yaml."""

    name: str
    default: Any
    schema: dict[str, Any]
    text: str


def _text(pattern: str, longest: int = 253) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^({pattern})$", "maxLength": longest}


def _object(properties: dict[str, Any], *, required: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        **({"required": list(required)} if required else {}),
        **more,
    }


def _texts(names: str, value: dict[str, Any], *, but: tuple[str, ...] = ()) -> dict[str, Any]:
    """A map with keys of the form `names`, without the keys `but`, which the chart sets itself."""
    # Not `propertyNames`: errors of `propertyNames` lack the path.
    found = {"type": "object", "additionalProperties": False, "patternProperties": {f"^({names})$": value}}
    return {**found, "properties": dict.fromkeys(but, False)} if but else found


_OBJECT_NAME: Final = _text(SUBDOMAIN_FORM)
_LABEL: Final = _text(r"[a-z]([-a-z0-9]*[a-z0-9])?", 63)
_LABELS: Final = (LABEL_KEY, _text(LABEL_VALUE, 63))
# The grammar of syncer/decide/selector.py.
_TERMS: Final = rf"\s*{LABEL_VALUE}\s*(,\s*{LABEL_VALUE}\s*)*"
_REQUIREMENT: Final = (
    rf"\s*(!\s*{LABEL_KEY}|{LABEL_KEY}(\s*(=|==|!=)\s*{LABEL_VALUE}|\s*[<>]\s*[0-9]{{1,19}}"
    rf"|\s+(in|notin)\s*\({_TERMS}\))?)\s*"
)
_SELECTOR: Final = _text(rf"\s*|{_REQUIREMENT}(,{_REQUIREMENT})*", 4096)
_AMOUNTS: Final = _object({"cpu": _text(CPU), "memory": _text(MEMORY)}, required=("cpu", "memory"))
_ARN: Final = (
    r"arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:targetgroup/[A-Za-z0-9-]{1,32}/[0-9a-f]{16}"
)
_PORT_NAME: Final = r"([0-9][0-9-]*)?[a-z]([-a-z0-9]*[a-z0-9])?"  # digits alone are a number
_PORT: Final = {"type": "integer", "minimum": 1, "maximum": 65535}
_ROLE: Final = _text(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+", 2048)
_TOLERATION: Final = _object(
    {
        "key": _text(LABEL_KEY),
        "operator": {"enum": ["Equal", "Exists"]},
        "value": _text(LABEL_VALUE, 63),
        "effect": {"enum": ["NoSchedule", "PreferNoSchedule", "NoExecute"]},
    }
)
# As in `syncer.topologySpread` of the stack; the selector is the chart's.
_SPREAD: Final = _object(
    {
        "topologyKey": _text(LABEL_KEY, 317),
        "maxSkew": {"type": "integer", "minimum": 1, "maximum": 5},
        "whenUnsatisfiable": {"enum": ["ScheduleAnyway", "DoNotSchedule"]},
    },
    required=("topologyKey",),
)
_IRSA: Final = {
    "if": {"properties": {"kind": {"const": IRSA}}},
    "then": {"properties": {"roleArn": _ROLE}},
    "else": {"properties": {"roleArn": {"const": ""}}},
}
# Variables set by the chart in any case.
_OWN_ENV: Final = (
    "POD_IP",
    "POD_NAME",
    "AWS_REGION",
    "NLB_SYNC_NAME",
    "NLB_SYNC_NAMESPACE",
    "NLB_SYNC_PROBE_PORT",
    "NLB_SYNC_OWNERSHIP",
    "NLB_SYNC_ZONES",
    "NLB_SYNC_NODE_SELECTOR",
    "NLB_SYNC_TARGET_GROUPS",
)
# The kubelet's probes cannot reach a loopback address.
_LOOPBACK: Final = r"^\s*(127\..*|::1|[lL]ocalhost\.?)\s*$"
_ENV: Final = _texts(ENV_NAME, {"type": "string"}, but=_OWN_ENV)
_ENV["properties"]["NLB_SYNC_ADDRESS"] = {"not": {"pattern": _LOOPBACK}}

VALUES: Final = (
    Value(
        name="image",
        default="",
        schema=_text(IMAGE_FORM, 512),
        text="Required: the syncer's image, with its digest: NAME@sha256:...",
    ),
    Value(
        name="targetGroups",
        default=[],
        schema={
            "type": "array",
            "minItems": 1,
            "items": _object(
                {
                    "arn": _text(_ARN, 2048),
                    "namespace": _LABEL,
                    "service": _LABEL,
                    "port": {"anyOf": [_text(_PORT_NAME, 63), _PORT]},
                },
                required=("arn", "namespace", "service"),
            ),
        },
        text="Required: each target group with the Service whose NodePort it follows:\n"
        "- {arn: ARN, namespace: NAMESPACE, service: NAME, port: NAME-OR-NUMBER}\n"
        "`port` is optional for a Service with a single port.",
    ),
    Value(
        name="identity",
        default={"kind": "", "roleArn": "", "secretName": _DEFAULTS.secret_name},
        schema=_object(
            {
                "kind": {"enum": list(KINDS)},
                "roleArn": {"type": "string"},
                "secretName": _OBJECT_NAME,
            },
            required=("kind", "roleArn", "secretName"),
            **_IRSA,
        ),
        text=f"Required: kind, one of {', '.join(KINDS)}.\n"
        f"roleArn is the IAM role that {IRSA} assumes; secretName is the Secret with the keys of\n"
        f"{USER_KEYS} (aws_access_key and aws_secret_key), which the chart does not create.",
    ),
    Value(
        name="name",
        default="nlb-sync",
        schema=_LABEL,
        text="The name of the Deployment; the names of its objects begin with it.",
    ),
    Value(
        name="ownership",
        default="tracked",
        schema={"enum": ["tracked", "exclusive", "add-only"]},
        text="tracked, exclusive or add-only: see docs/settings.md, NLB_SYNC_OWNERSHIP.",
    ),
    Value(
        name="zones",
        default=[],
        schema={"type": "array", "items": _text("[a-z0-9-]+", 63)},
        text="The availability zones that the load balancer serves; empty: all.",
    ),
    Value(
        name="labelFilter",
        default="",
        schema=_SELECTOR,
        text="A label selector: only these nodes become targets; empty: all.",
    ),
    Value(
        name="env",
        default={},
        schema=_ENV,
        text="Additional environment variables of the container, such as settings of docs/settings.md.",
    ),
    Value(
        name="replicas",
        default=_DEFAULTS.replicas,
        schema={"type": "integer", "minimum": 0, "maximum": 5},
        text="One replica writes, the other replicas stand by.",
    ),
    Value(
        name="resources",
        default={"requests": _DEFAULTS.requests, "limits": _DEFAULTS.limits},
        schema=_object({"requests": _AMOUNTS, "limits": _AMOUNTS}, required=("requests", "limits")),
        text="Enough for 5,000 nodes.",
    ),
    Value(
        name="labels",
        default={},
        schema=_texts(*_LABELS, but=("app", "app.kubernetes.io/name", "app.kubernetes.io/instance")),
        text="Labels of the Pods and of the objects of the Deployment.",
    ),
    Value(
        name="annotations",
        default={},
        schema=_texts(
            LABEL_KEY,
            {"type": "string"},
            but=("node-nlb-sync/configuration", "eks.amazonaws.com/skip-containers"),
        ),
        text="Annotations of the Deployment and its Pods.",
    ),
    Value(
        name="nodeSelector",
        default={},
        schema=_texts(*_LABELS),
        text="Labels of the nodes that the syncer may run on.",
    ),
    Value(
        name="tolerations",
        default=[],
        schema={"type": "array", "items": _TOLERATION},
        text="Taints of nodes that the syncer tolerates.",
    ),
    Value(
        name="topologySpread",
        default=[],
        schema={"type": "array", "items": _SPREAD, "uniqueItems": True},
        text="Topology spread constraints of the replicas, in place of a preference for different nodes:\n"
        "- {topologyKey: LABEL, maxSkew: 1, whenUnsatisfiable: ScheduleAnyway}",
    ),
    Value(
        name="hostNetwork",
        default=False,
        schema={"type": "boolean"},
        text="true runs the Pods in the network of their node, with its ports 8080 and 8081.",
    ),
    Value(
        name="imagePullSecrets",
        default=[],
        schema={"type": "array", "items": _object({"name": _OBJECT_NAME}, required=("name",))},
        text="Secrets with the credentials of the image's registry: - {name: NAME}.",
    ),
    Value(
        name="priorityClassName",
        default="",
        schema=_text(f"({SUBDOMAIN_FORM})?"),
        text="The Pods' priority class; empty: the cluster's default.",
    ),
    Value(
        name="egressPorts",
        default=list(_DEFAULTS.egress_ports),
        schema={"type": "array", "minItems": 1, "items": _PORT},
        text="TCP ports that the network policy opens beside DNS: those of AWS and of the API server.",
    ),
)


def values() -> str:
    """Return the text of values.yaml."""
    return "".join(_commented(value) for value in VALUES)


def _commented(value: Value) -> str:
    comment = "".join(f"# {line}\n" for line in value.text.splitlines())
    return f"\n{comment}{value.name}: {json.dumps(value.default)}\n"


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the values, for helm; helm itself adds `global`.

    Every value is required: values.yaml has all defaults, and helm removes a value set to null.
    """
    properties = {value.name: value.schema for value in VALUES}
    required = tuple(properties)
    head = {"$schema": "http://json-schema.org/draft-07/schema#"}
    external = {"properties": {"identity": {"properties": {"kind": {"const": EXTERNAL}}}}}
    credentials = {"properties": {"env": {"properties": dict.fromkeys(sorted(VARIABLES), False)}}}
    held = {"if": external, "else": credentials}
    return {**head, **_object({**properties, "global": {"type": "object"}}, required=required, **held)}
