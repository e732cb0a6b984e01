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
    "ARN, ARN=namespace/service:port (name or number; without :port for the only port) or "
    "ARN=:nodeport, comma-separated, each ARN once"
)

TABLE: tuple[Setting, ...] = (
    Setting(
        name="NLB_SYNC_TARGET_GROUPS",
        field="groups",
        default="",
        allowed=GROUPS_ALLOWED,
        parse=groups,
        explains=True,
        reason="The managed target groups. Targets have the live NodePort of the Service's port; with a "
        "bare ARN "
        "they have the port of the group.",
    ),
    Setting(
        name="NLB_SYNC_TARGETGROUPARNS",
        field="groups",
        default="",
        allowed=GROUPS_ALLOWED,
        parse=groups,
        explains=True,
        reason="The predecessor's name of NLB_SYNC_TARGET_GROUPS; used only without NLB_SYNC_TARGET_GROUPS.",
    ),
    Setting(
        name="NLB_SYNC_NODE_SELECTOR",
        field="node_selector",
        default="",
        allowed="a Kubernetes label selector",
        parse=Selector.parse,
        explains=True,
        reason="The nodes that may be targets; empty: all nodes without the cluster's exclusion label.",
    ),
    Setting(
        name="NLB_SYNC_LABELFILTERKEY",
        field="label_key",
        default="",
        allowed="a label key",
        parse=str,
        reason="The key of the predecessor's selector; used only if the value is set too.",
    ),
    Setting(
        name="NLB_SYNC_LABELFILTERVALUE",
        field="label_value",
        default="",
        allowed="a label value",
        parse=str,
        reason="The value of the predecessor's selector; used only if the key is set too.",
    ),
    Setting(
        name="NLB_SYNC_SERVER_SIDE_SELECTOR",
        field="server_side_selector",
        default="false",
        allowed="true, false; true needs a selector",
        parse=boolean,
        reason="true sends the selector to the API server, which then sends no other Node: for clusters "
        "above 10,000 nodes. A node that loses its label then looks like a deleted Node.",
    ),
    Setting(
        name="NLB_SYNC_OWNERSHIP",
        field="ownership",
        default="tracked",
        allowed=", ".join(Ownership),
        parse=Ownership,
        reason="tracked removes only targets of the syncer's ownership registry; exclusive also removes "
        "foreign "
        "targets, for groups without another writer; add-only removes no target.",
    ),
    Setting(
        name="NLB_SYNC_LEAVING_TAINTS",
        field="leaving_taints",
        default=",".join(LEAVING_TAINTS),
        allowed="taint keys without value or effect, comma-separated; a trailing /* is a prefix, a leading "
        "! an exception",
        parse=taints,
        explains=True,
        reason="A node with one of these taints is leaving: it is deregistered while it still serves.",
    ),
    Setting(
        name="NLB_SYNC_CORDON_LEAVES",
        field="cordon_leaves",
        default="false",
        allowed="true, false",
        parse=boolean,
        reason="true treats a cordoned node as leaving, for kops and manual drains, which only cordon; in "
        "Kubernetes a cordon means no removal.",
    ),
    Setting(
        name="NLB_SYNC_TARGET_LIMIT",
        field="target_limit",
        default="",
        allowed="1 to 5000",
        parse=limit,
        reason="The maximum of targets in a group. AWS's default is 500 for an NLB with cross-zone, shared "
        "by "
        "its groups; empty: the limit follows from TooManyTargets errors.",
    ),
    Setting(
        name="NLB_SYNC_ZONES",
        field="zones",
        default="",
        allowed="availability zones such as eu-central-1a, comma-separated",
        parse=zones,
        explains=True,
        reason="The zones that the load balancer serves: a node of another zone would be an unused target.",
    ),
    Setting(
        name="NLB_SYNC_CROSS_ZONE",
        field="cross_zone",
        default="true",
        allowed="true, false",
        parse=boolean,
        reason="false if cross-zone load balancing is off: then NLB_SYNC_SERVING_SHARE applies to each zone.",
    ),
    Setting(
        name="NLB_SYNC_SERVING_SHARE",
        field="serving_share",
        default="0.5",
        allowed="0 to 1",
        parse=number(0, 1),
        reason="The share of the instances that served in the last ten minutes that continue to serve while "
        "nodes leave.",
    ),
    Setting(
        name="NLB_SYNC_PAUSED",
        field="paused",
        default="false",
        allowed="true, false",
        parse=boolean,
        reason="true observes and reports without writes: no target, ownership registry, event or Lease.",
    ),
    Setting(
        name="NLB_SYNC_NAMESPACE",
        field="namespace",
        default="",
        allowed="a Kubernetes namespace: a-z, 0-9 and -, at most 63 characters",
        parse=matching(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"),
        reason="The namespace of this syncer's Lease and ConfigMap. Default: the Pod's namespace; outside a "
        "cluster leader election needs it.",
    ),
    Setting(
        name="NLB_SYNC_NAME",
        field="name",
        default="",
        allowed="a Kubernetes object's name: a-z, 0-9, - and .",
        parse=matching(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"),
        reason="The name of the Lease and the base of the ConfigMap's name: the same for all replicas, "
        "different "
        "for other syncers of the namespace. Default: the Deployment's name, derived from the Pod's "
        "name, else nlb-sync; with hostNetwork set NLB_SYNC_NAME or POD_NAME.",
    ),
    Setting(
        name="NLB_SYNC_READ_SECONDS",
        field="read_every",
        default="30",
        unit="s",
        allowed="5 to 300",
        parse=number(5, 300),
        reason="The interval between reads of a group: one DescribeTargetHealth, 0.1 % of AWS's 50 a second.",
    ),
    Setting(
        name="NLB_SYNC_READ_AWAITED_SECONDS",
        field="read_awaited_every",
        default="5",
        unit="s",
        allowed="1 to 60",
        parse=number(1, 60),
        reason="The interval between reads of a group while a target is expected to become healthy.",
    ),
    Setting(
        name="NLB_SYNC_AWSREGION",
        field="region",
        default="",
        allowed="an AWS region",
        parse=str,
        reason="The predecessor's name of AWS_REGION. Without effect: a group's ARN contains its region.",
    ),
    Setting(
        name="NLB_SYNC_ADDRESS",
        field="address",
        default="",
        allowed="an IP address or a name of this host, without a port",
        parse=host,
        reason="The address of both HTTP ports. Default: every address if "
        "KUBERNETES_SERVICE_HOST is set (in a Pod), else 127.0.0.1.",
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
        reason="A second port for /healthz and /readyz, unaffected by clients of the other paths; the "
        "stack sets "
        "8081. Without a second port by default and with the value of NLB_SYNC_PORT.",
    ),
    Setting(
        name="NLB_SYNC_HTTP_HOSTS",
        field="http_hosts",
        default="",
        allowed="host names without port, comma-separated",
        parse=parse_names,
        explains=True,
        reason="Additional names in the Host header, such as the name of an Ingress or of another Service. "
        "Always allowed: IP addresses, localhost, the name of the Pod and NLB_SYNC_NAME.",
    ),
    Setting(
        name="NLB_SYNC_PROMETHEUS",
        field="metrics",
        default="true",
        allowed="true, false",
        parse=boolean,
        reason="false disables /metrics.",
    ),
    Setting(
        name="NLB_SYNC_LOG_LEVEL",
        field="log_level",
        default="info",
        allowed="debug, info, warning, error",
        parse=one_of("debug", "info", "warning", "error"),
        reason="info logs one line for each decision.",
    ),
    Setting(
        name="AWS_ACCESS_KEY",
        field="access_key",
        default="",
        allowed="an access key id",
        parse=str,
        reason="The predecessor's name of AWS_ACCESS_KEY_ID; used only without AWS_ACCESS_KEY_ID.",
    ),
    Setting(
        name="AWS_SECRET_KEY",
        field="secret_key",
        default="",
        allowed="a secret access key",
        parse=Secret,
        reason="The predecessor's name of AWS_SECRET_ACCESS_KEY; used only without AWS_SECRET_ACCESS_KEY.",
    ),
)
