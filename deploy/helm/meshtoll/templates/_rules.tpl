{{- /* Of the rules of one group those that are wanted, with values in the places of ${name}: an alert's own first. */ -}}
{{- define "meshtoll.rules" -}}
{{- $given := .given -}}
{{- $without := .without -}}
{{- $wanted := list -}}
{{- range .rules -}}
{{- $own := dict -}}
{{- if .alert -}}
{{- $own = get $given.alerts .alert | default dict -}}
{{- if and (hasKey $own "job") (not $own.job) -}}
{{- $own = merge (dict "job" (get $given.jobs .alert)) $own -}}
{{- end -}}
{{- end -}}
{{- if or .record (and $own.enabled (not (has .alert $without))) -}}
{{- $text := toYaml . -}}
{{- range $name, $value := merge (dict "runbookUrl" $given.runbookUrl) $own $given.recording -}}
{{- $text = replace (printf "${%s}" $name) (include "meshtoll.plain" $value) $text -}}
{{- end -}}
{{- $wanted = append $wanted (fromYaml $text) -}}
{{- end -}}
{{- end -}}
{{- toYaml $wanted -}}
{{- end -}}

{{- /* Numbers of values are all floats: 100000000, not 1e+08. */ -}}
{{- define "meshtoll.plain" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}{{- int64 . -}}{{- else -}}{{- toString . -}}{{- end -}}
{{- end -}}

{{- /* Nobody else can know it, and a link that leads nowhere is found out at night. */ -}}
{{- define "meshtoll.runbookUrl" -}}
{{- required "prometheusRule.runbookUrl is missing: say where docs/runbooks of your copy is to be read, such as https://git.example.com/meshtoll/docs/runbooks; alerts and dashboards link to its pages" .Values.prometheusRule.runbookUrl -}}
{{- end -}}
