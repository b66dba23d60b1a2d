{{- define "meshtoll.directory" -}}
{{- printf "%s-directory" (include "meshtoll.fullname" .) -}}
{{- end -}}

{{- define "meshtoll.hasDirectory" -}}
{{- if and .Values.directory.enabled (include "meshtoll.isFull" .) }}true{{ end -}}
{{- end -}}

{{- define "meshtoll.directory.selector" -}}
app.kubernetes.io/name: meshtoll
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: directory
{{- end -}}

{{- define "meshtoll.directory.labels" -}}
{{ include "meshtoll.directory.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end -}}

{{- define "meshtoll.directory.host" -}}
{{- printf "%s.%s.svc" (include "meshtoll.directory" .) .Release.Namespace -}}
{{- end -}}

{{- define "meshtoll.directory.tlsSecret" -}}
{{- .Values.directory.tls.existingSecret | default (printf "%s-tls" (include "meshtoll.directory" .)) -}}
{{- end -}}

{{- /* What a Secret of a certificate holds, as JSON: the one that is there, or a new one, the same for all who ask during one rendering. The
authority signs nothing else: its key is not kept. */ -}}
{{- define "meshtoll.directory.certificate" -}}
{{- $tls := .Values.directory.tls -}}
{{- if not (hasKey $tls "data") -}}
{{- $found := (lookup "v1" "Secret" .Release.Namespace (include "meshtoll.directory.tlsSecret" .)).data | default dict -}}
{{- if and (hasKey $found "tls.crt") (hasKey $found "tls.key") (hasKey $found "ca.crt") -}}
{{- $_ := set $tls "data" (pick $found "tls.crt" "tls.key" "ca.crt") -}}
{{- else -}}
{{- $host := include "meshtoll.directory.host" . -}}
{{- $names := list $host (printf "%s.cluster.local" $host) (trimSuffix ".svc" $host) (include "meshtoll.directory" .) -}}
{{- $days := 3650 -}}
{{- $authority := genCAWithKey "meshtoll-directory-ca" $days (genPrivateKey "ecdsa") -}}
{{- $pair := genSignedCertWithKey "meshtoll-directory" nil $names $days $authority (genPrivateKey "ecdsa") -}}
{{- $_ := set $tls "data" (dict "tls.crt" ($pair.Cert | b64enc) "tls.key" ($pair.Key | b64enc) "ca.crt" ($authority.Cert | b64enc)) -}}
{{- end -}}
{{- end -}}
{{- toJson $tls.data -}}
{{- end -}}

{{- define "meshtoll.directory.config" -}}
{{- $account := printf "%s/%s" .Release.Namespace (include "meshtoll.serviceAccount" .) -}}
{{- $config := merge (dict "directory" (dict "agents" (list $account))) (pick .Values.config "identity" "series") -}}
{{- with .Values.config.datadog -}}
{{- /* A pod is a host of its own. */ -}}
{{- $_ := set $config "datadog" (omit . "hostname") -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{- define "meshtoll.directory.web" -}}
tls_server_config:
  cert_file: tls.crt
  key_file: tls.key
{{- end -}}
