{{- /* Written by python -m infra.helmchart. */}}
{{- define "nlb-sync.groups" -}}
{{- $groups := list }}
{{- $arns := list }}
{{- range $.Values.targetGroups }}
{{- if has .arn $arns }}{{ fail (printf "targetGroups: %s is there twice; name it once" .arn) }}{{ end }}
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
{{- $text = printf "%s%s=%s\n" $text $key $value }}
{{- end }}
{{- $text | sha256sum | trunc 16 }}
{{- end }}

{{- define "nlb-sync.settings" -}}
AWS_REGION: {{ toJson (index (splitList ":" (index $.Values.targetGroups 0).arn) 3) }}
NLB_SYNC_NAME: {{ toJson ($.Values.name) }}
NLB_SYNC_PROBE_PORT: "8081"
NLB_SYNC_OWNERSHIP: {{ toJson ($.Values.ownership) }}
{{- with join "," $.Values.zones }}
NLB_SYNC_ZONES: {{ toJson . }}
{{- end }}
{{- with $.Values.labelFilter }}
NLB_SYNC_NODE_SELECTOR: {{ toJson . }}
{{- end }}
NLB_SYNC_TARGET_GROUPS: {{ toJson (include "nlb-sync.groups" $) }}
{{- end }}
