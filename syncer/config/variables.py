"""The table of every variable of the syncer: docs and `--help` are rendered from the table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from syncer.config.parsers import (
    Secret,
    boolean,
    groups,
    host,
    limit,
    matching,
    number,
    one_of,
    taints,
    zones,
)
from syncer.decide.policy import LEAVING_TAINTS, Ownership
from syncer.decide.selector import Selector
from syncer.text.hosts import parse_names
from syncer.text.numbers import port


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A row of the table. `field` is the field of Settings for the value; several rows may share a field.

    `explains`: the error of `parse` names the wrong part of the text.
    """

    name: str
    field: str
    default: str
    allowed: str
    reason: str
    parse: Callable[[str], Any]
    unit: str = ""
    explains: bool = False


GROUPS_ALLOWED = (
    "ARN, ARN=namespace/service:port (its name or number; none for the only port) or ARN=:nodeport, "
    "comma-separated, each ARN once"
)

TABLE: tuple[Setting, ...] = (
    Setting(
        name="NLB_SYNC_TARGET_GROUPS",
        field="groups",
        default="",
        allowed=GROUPS_ALLOWED,
        parse=groups,
        explains=True,
        reason="The groups to keep filled. With a Service's port its live NodePort is followed; "
        "a bare ARN registers with the group's own port.",
    ),
    Setting(
        name="NLB_SYNC_TARGETGROUPARNS",
        field="groups",
        default="",
        allowed=GROUPS_ALLOWED,
        parse=groups,
        explains=True,
        reason="The predecessor's name of NLB_SYNC_TARGET_GROUPS, read when that one is not set.",
    ),
    Setting(
        name="NLB_SYNC_NODE_SELECTOR",
        field="node_selector",
        default="",
        allowed="a Kubernetes label selector",
        parse=Selector.parse,
        explains=True,
        reason="Which nodes may be targets; empty means all, as the cluster's own exclusion label decides.",
    ),
    Setting(
        name="NLB_SYNC_LABELFILTERKEY",
        field="label_key",
        default="",
        allowed="a label's key",
        parse=str,
        reason="The predecessor's selector: used, together with the value, only when both are set.",
    ),
    Setting(
        name="NLB_SYNC_LABELFILTERVALUE",
        field="label_value",
        default="",
        allowed="a label's value",
        parse=str,
        reason="The predecessor's selector: used, together with the key, only when both are set.",
    ),
    Setting(
        name="NLB_SYNC_OWNERSHIP",
        field="ownership",
        default="tracked",
        allowed=", ".join(Ownership),
        parse=Ownership,
        reason="tracked removes only what it registered itself; exclusive also removes foreign targets and "
        "is for groups that nobody else fills; add-only removes nothing.",
    ),
    Setting(
        name="NLB_SYNC_LEAVING_TAINTS",
        field="leaving_taints",
        default=",".join(LEAVING_TAINTS),
        allowed="taint keys without value or effect, comma-separated; a trailing /* is a prefix, a leading "
        "! an exception",
        parse=taints,
        explains=True,
        reason="A node with one of them is about to go and is deregistered while it still answers.",
    ),
    Setting(
        name="NLB_SYNC_CORDON_LEAVES",
        field="cordon_leaves",
        default="false",
        allowed="true, false",
        parse=boolean,
        reason="Whether a cordoned node leaves. Kubernetes itself does not say so; kops and drains by hand "
        "only cordon.",
    ),
    Setting(
        name="NLB_SYNC_TARGET_LIMIT",
        field="target_limit",
        default="",
        allowed="1 to 5000",
        parse=limit,
        reason="How many targets a group may hold. AWS's default is 500 for an NLB with cross-zone, shared "
        "by its groups; without a limit it is learnt from TooManyTargets.",
    ),
    Setting(
        name="NLB_SYNC_ZONES",
        field="zones",
        default="",
        allowed="availability zones such as eu-central-1a, comma-separated",
        parse=zones,
        explains=True,
        reason="The zones that the load balancer serves: a node elsewhere would stay an unused target.",
    ),
    Setting(
        name="NLB_SYNC_CROSS_ZONE",
        field="cross_zone",
        default="true",
        allowed="true, false",
        parse=boolean,
        reason="false where cross-zone load balancing is off: then each zone keeps its own share serving.",
    ),
    Setting(
        name="NLB_SYNC_SERVING_SHARE",
        field="serving_share",
        default="0.5",
        allowed="0 to 1",
        parse=number(0, 1),
        reason="The share of what served in the last ten minutes that goes on serving while nodes leave.",
    ),
    Setting(
        name="NLB_SYNC_PAUSED",
        field="paused",
        default="false",
        allowed="true, false",
        parse=boolean,
        reason="Observes and reports, writes nothing: no target, no record, no event, no Lease.",
    ),
    Setting(
        name="NLB_SYNC_NAMESPACE",
        field="namespace",
        default="",
        allowed="a Kubernetes namespace: a-z, 0-9 and -, at most 63 of them",
        parse=matching(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"),
        reason="Where the Lease and the ConfigMap of this syncer lie. Default: the Pod's own; outside a "
        "cluster there is no election without it.",
    ),
    Setting(
        name="NLB_SYNC_NAME",
        field="name",
        default="",
        allowed="a Kubernetes object's name: a-z, 0-9, - and .",
        parse=matching(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"),
        reason="Their name. All replicas share it, and no other syncer in the namespace. Default: the "
        "Deployment's, as the Pod's name tells it, else nlb-sync; with hostNetwork set it, or POD_NAME.",
    ),
    Setting(
        name="NLB_SYNC_READ_SECONDS",
        field="read_every",
        default="30",
        unit="s",
        allowed="5 to 300",
        parse=number(5, 300),
        reason="How often each group is read for drift: one DescribeTargetHealth, 0.1 % of "
        "AWS's 50 a second.",
    ),
    Setting(
        name="NLB_SYNC_READ_AWAITED_SECONDS",
        field="read_awaited_every",
        default="5",
        unit="s",
        allowed="1 to 60",
        parse=number(1, 60),
        reason="How often a group is read while a target is to become healthy.",
    ),
    Setting(
        name="NLB_SYNC_AWSREGION",
        field="region",
        default="",
        allowed="an AWS region",
        parse=str,
        reason="The predecessor's name of AWS_REGION. It has no effect: a group's ARN names its region.",
    ),
    Setting(
        name="NLB_SYNC_ADDRESS",
        field="address",
        default="",
        allowed="an IP address or a name of this host, without a port",
        parse=host,
        reason="The address of both HTTP ports. Default: every address where "
        "KUBERNETES_SERVICE_HOST is set (a Pod has its own), else 127.0.0.1.",
    ),
    Setting(
        name="NLB_SYNC_PORT",
        field="port",
        default="8080",
        allowed="1 to 65535",
        parse=port,
        reason="The port of /, /status, /metrics, /healthz and /readyz.",
    ),
    Setting(
        name="NLB_SYNC_PROBE_PORT",
        field="probe_port",
        default="",
        allowed="1 to 65535",
        parse=lambda text: port(text) if text else None,
        reason="A second port for /healthz and /readyz alone, which clients of the other paths cannot fill; "
        "the stack sets 8081. Default: none, and so is the number of NLB_SYNC_PORT.",
    ),
    Setting(
        name="NLB_SYNC_HTTP_HOSTS",
        field="http_hosts",
        default="",
        allowed="host names without port, comma-separated",
        parse=parse_names,
        explains=True,
        reason="Further names under which HTTP is answered, such as that of an Ingress or of a Service with "
        "another name. IP addresses, localhost, and the names of the Pod and of NLB_SYNC_NAME always are.",
    ),
    Setting(
        name="NLB_SYNC_PROMETHEUS",
        field="metrics",
        default="true",
        allowed="true, false",
        parse=boolean,
        reason="false closes /metrics, and only that.",
    ),
    Setting(
        name="NLB_SYNC_LOG_LEVEL",
        field="log_level",
        default="info",
        allowed="debug, info, warning, error",
        parse=one_of("debug", "info", "warning", "error"),
        reason="info is one line a decision.",
    ),
    Setting(
        name="AWS_ACCESS_KEY",
        field="access_key",
        default="",
        allowed="an access key id",
        parse=str,
        reason="The predecessor's name of AWS_ACCESS_KEY_ID, read when that one is not set.",
    ),
    Setting(
        name="AWS_SECRET_KEY",
        field="secret_key",
        default="",
        allowed="a secret access key",
        parse=Secret,
        reason="The predecessor's name of AWS_SECRET_ACCESS_KEY, read when that one is not set.",
    ),
)
