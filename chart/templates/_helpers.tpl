{{- /* Written by python -m infra.helmchart. */}}
{{- /* The number of a quantity, in CPUs or bytes. */}}
{{- define "nlb-sync.size" -}}
{{- $units := dict "" 1.0 "m" 0.001 "k" 1000.0 "M" 1000000.0 "G" 1000000000.0 "T" 1000000000000.0 "P" 1000000000000000.0 "E" 1e+18 "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 "Pi" 1125899906842624.0 "Ei" 1.152921504606847e+18 }}
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
