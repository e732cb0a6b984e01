"""Write the Helm chart from the syncer's Kubernetes objects (`python -m infra.helmchart`)."""

import json
from pathlib import Path
from typing import Any, Final

from syncer.manifests import Manifest
from syncer.manifests.credentials import KINDS, of_kind
from syncer.manifests.documents import access, running, settings
from syncer.manifests.pod import Workload, apart
from syncer.version import VERSION

from .chartvalues import schema, values
from .resourcekeys import UNITS
from .templates import Each, Expr, If, IfSet, Items, Spread, lines, merged

PROJECT: Final = Path(__file__).parent.parent
CHART: Final = PROJECT / "chart"
MARK: Final = "Written by python -m infra.helmchart."

_NAMESPACE: Final = Expr("$namespace")
_NAME, _RELEASE = Expr("$.Values.name"), Expr("$.Release.Namespace")
_GROUPS: Final = Expr('include "nlb-sync.groups" $')
_REGION: Final = Expr('index (splitList ":" (index $.Values.targetGroups 0).arn) 3')
_SETTINGS: Final = settings(
    name=_NAME,
    region=_REGION,
    groups=_GROUPS,
    ownership=Expr("$.Values.ownership"),
    zones=IfSet('join "," $.Values.zones'),
    node_selector=IfSet("$.Values.labelFilter"),
)
_DATA: Final = Expr('include "nlb-sync.settings" $ | fromYaml')
# The text of `fingerprint` in syncer/manifests/workload.py, without secrets.
_SIZES: Final = " ".join(f'"{name}" {float(unit)}' for name, unit in UNITS.items())
_HELPERS: Final = """\
{{- /* The number of a quantity, in CPUs or bytes. */}}
{{- define "nlb-sync.size" -}}
{{- $units := dict %SIZES% }}
{{- $digits := regexFind "^[0-9.]+" . }}
{{- mulf (float64 $digits) (get $units (trimPrefix $digits .)) }}
{{- end }}

{{- define "nlb-sync.requests" -}}
{{- $limits := $.Values.resources.limits }}
{{- range $name, $request := $.Values.resources.requests }}
{{- $limit := get $limits $name }}
{{- if gt (include "nlb-sync.size" $request | float64) (include "nlb-sync.size" $limit | float64) }}
{{- $form := "resources.requests.%s: %s is above resources.limits.%s; set at most %s" }}
{{- fail (printf $form $name $request $name $limit) }}
{{- end }}
{{- end }}
{{- toJson $.Values.resources.requests }}
{{- end }}

{{- define "nlb-sync.groups" -}}
{{- $groups := list }}
{{- $arns := list }}
{{- range $.Values.targetGroups }}
{{- if has .arn $arns }}{{ fail (printf "targetGroups: duplicate ARN: %s; list it once" .arn) }}{{ end }}
{{- $arns = append $arns .arn }}
{{- $group := printf "%s=%s/%s" .arn .namespace .service }}
{{- with .port }}{{ $group = printf "%s:%s" $group (toString .) }}{{ end }}
{{- $groups = append $groups $group }}
{{- end }}
{{- join "," $groups }}
{{- end }}

{{- define "nlb-sync.spreads" -}}
{{- $selector := dict "matchLabels" (dict "app" $.Values.name) }}
{{- $spreads := list }}
{{- range $.Values.topologySpread }}
{{- $defaults := dict "maxSkew" 1 "whenUnsatisfiable" "ScheduleAnyway" "labelSelector" $selector }}
{{- $spreads = append $spreads (merge (deepCopy .) $defaults) }}
{{- end }}
{{- toJson $spreads }}
{{- end }}

{{- define "nlb-sync.stamp" -}}
{{- $text := "" }}
{{- range $key, $value := include "nlb-sync.settings" $ | fromYaml }}
{{- $text = printf "%s%s=%s\\n" $text $key $value }}
{{- end }}
{{- $text | sha256sum | trunc 16 }}
{{- end }}

{{- define "nlb-sync.settings" -}}
"""
_SERVICES: Final = """\
{{- $services := dict }}
{{- range $.Values.targetGroups }}
{{- $known := get $services .namespace | default list }}
{{- $_ := set $services .namespace (append $known .service | uniq | sortAlpha) }}
{{- end }}
{{- range $namespace, $names := $services }}
"""
_NOTES: Final = """\
The syncer writes nothing to AWS before one replica is the leader. Show its state:

  kubectl --namespace {{ $.Release.Namespace }} logs deployment/{{ $.Values.name }}
  kubectl --namespace {{ $.Release.Namespace }} exec deployment/{{ $.Values.name }} -- python -m syncer status
{{- if not (contains "@sha256:" $.Values.image) }}

The image has no digest, so another image may run under its name later; print the digest with:

  docker buildx imagetools inspect {{ $.Values.image }}
{{- end }}
"""


class ChartWorkload(Workload):
    """A Workload that branches on the chart's values."""

    @property
    def spreads(self) -> Any:
        """Return the constraints of the values, with the Pods' selector."""
        return IfSet('include "nlb-sync.spreads" $ | fromJsonArray')

    @property
    def affinity(self) -> Any:
        """Return the affinity of a Workload, for an empty `topologySpread`."""
        return If("not $.Values.topologySpread", apart(self))

    def with_host_network(self, then: Any, otherwise: Any) -> Any:
        """Branch on `hostNetwork`; without an `otherwise` the field is omitted."""
        if otherwise is None:
            return If("$.Values.hostNetwork", then)
        return Expr(f"ternary {json.dumps(then)} {json.dumps(otherwise)} $.Values.hostNetwork")


def workload(kind: str) -> Workload:
    """Return the workload of an identity kind, with references to the chart's values."""
    return ChartWorkload(
        name=_NAME,
        namespace=_RELEASE,
        image=Expr("$.Values.image"),
        credentials=of_kind(kind, Expr("$.Values.identity.roleArn")),
        managed_by=Expr("$.Release.Service"),
        secret_name=Expr("$.Values.identity.secretName"),
        env=[Each("$.Values.env", {"name": Expr("$name"), "value": Expr("$value")})],
        replicas=Expr("$.Values.replicas"),
        requests=Expr('include "nlb-sync.requests" $ | fromJson'),
        limits=Expr("$.Values.resources.limits"),
        labels={Spread("$.Values.labels"): None},
        annotations={Spread("$.Values.annotations"): None},
        node_selector=IfSet("$.Values.nodeSelector"),
        tolerations=IfSet("$.Values.tolerations"),
        image_pull_secrets=IfSet("$.Values.imagePullSecrets"),
        priority_class_name=IfSet("$.Values.priorityClassName"),
        egress_ports=[Items("$.Values.egressPorts")],
    )


def documents(found: list[Manifest]) -> str:
    """Return templates of objects; objects in the namespaces of Services are repeated per namespace."""
    text = f"{{{{- /* {MARK} */}}}}\n"
    inside = False
    for each in found:
        repeated = each["metadata"].get("namespace") == _NAMESPACE
        if repeated != inside:
            text += _SERVICES if repeated else "{{- end }}\n"
        inside = repeated
        text += "---\n" + "\n".join(lines(each)) + "\n"
    return text


def written() -> dict[Path, str]:
    """Return every file of the chart with its text."""
    variants = {kind: running(workload(kind), _DATA, Expr('include "nlb-sync.stamp" $')) for kind in KINDS}
    helpers = (
        f"{{{{- /* {MARK} */}}}}\n{_HELPERS}".replace("%SIZES%", _SIZES)
        + "\n".join(lines(_SETTINGS))
        + "\n{{- end }}\n"
    )
    head = (
        f"# {MARK}\napiVersion: v2\nname: nlb-sync\ntype: application\n"
        "description: Keeps the target groups of an AWS NLB in step with the cluster's nodes.\n"
        f"version: {VERSION}\nappVersion: {VERSION}\n"
    )
    services = {_NAMESPACE: Expr("$names")}
    return {
        CHART / "Chart.yaml": head,
        CHART / "values.yaml": f"# {MARK}\n{values()}",
        CHART / "values.schema.json": json.dumps(schema(), indent=2) + "\n",
        CHART / "templates/_helpers.tpl": helpers,
        CHART / "templates/access.yaml": documents(access(_NAME, _RELEASE, services)),
        CHART / "templates/workload.yaml": documents(merged(variants)),
        CHART / "templates/NOTES.txt": _NOTES,
    }


if __name__ == "__main__":
    for path, text in written().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
