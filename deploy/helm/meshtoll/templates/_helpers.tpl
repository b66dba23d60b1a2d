{{- define "meshtoll.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "meshtoll.agent" -}}
{{- printf "%s-agent" (include "meshtoll.fullname" .) -}}
{{- end -}}

{{- define "meshtoll.selector" -}}
app.kubernetes.io/name: meshtoll
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: agent
{{- end -}}

{{- /* It takes an account and rules of its own. */ -}}
{{- define "meshtoll.hasUninstallHook" -}}
{{- if and (include "meshtoll.isFull" .) .Values.uninstallHook .Values.rbac.create .Values.serviceAccount.create }}true{{ end -}}
{{- end -}}

{{- define "meshtoll.hook.labels" -}}
app.kubernetes.io/name: meshtoll
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: uninstall
{{- end -}}

{{- /* Given a weight. Nothing of it stays, however it ends. */ -}}
{{- define "meshtoll.hook.annotations" -}}
helm.sh/hook: pre-delete
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded,hook-failed
{{- end -}}

{{- define "meshtoll.labels" -}}
{{ include "meshtoll.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end -}}

{{- define "meshtoll.serviceAccount" -}}
{{- if .Values.serviceAccount.name -}}
{{- .Values.serviceAccount.name -}}
{{- else if .Values.serviceAccount.create -}}
{{- include "meshtoll.agent" . -}}
{{- else -}}
default
{{- end -}}
{{- end -}}

{{- define "meshtoll.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository (.tag | default $.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "meshtoll.isFull" -}}
{{- if eq .Values.mode "full" }}true{{ end -}}
{{- end -}}

{{- /* Only where it does not listen on the address of its node; the kubelet is on the same network. */ -}}
{{- define "meshtoll.probedHost" -}}
{{- $address := .Values.web.listenAddress -}}
{{- if and (include "meshtoll.isFull" .) $address (not (has $address (list "0.0.0.0" "::"))) }}{{ $address }}{{ end -}}
{{- end -}}

{{- define "meshtoll.config" -}}
{{- $host := dig "datadog" "hostname" "auto" .Values.config | toString -}}
{{- if not (or (eq $host "auto") (contains "${" $host)) -}}
{{- fail (printf "config.datadog.hostname is %q on every node, and of two hosts of one name Datadog keeps one's points: write ${NODE_NAME} into it, such as ${NODE_NAME}-main" $host) -}}
{{- end -}}
{{- $always := dict "node" (dict "name" "${NODE_NAME}") -}}
{{- if not (include "meshtoll.isFull" .) -}}
{{- $_ := merge $always (dict "flows" (dict "enabled" false)) -}}
{{- end -}}
{{- if .Values.inventory -}}
{{- $_ := set $always "inventory" (dict "file" "inventory.json") -}}
{{- end -}}
{{- if include "meshtoll.hasDirectory" . -}}
{{- $url := printf "https://%s:%d" (include "meshtoll.directory.host" .) (int .Values.directory.port) -}}
{{- $how := dict "url" $url "caFile" "directory-ca.crt" "tokenFile" "/var/run/secrets/meshtoll/token" -}}
{{- $_ := set $always "kubernetes" (dict "directory" $how) -}}
{{- end -}}
{{- mergeOverwrite (deepCopy .Values.config) $always | toYaml -}}
{{- end -}}

{{- define "meshtoll.flags" -}}
- --config.file=/etc/meshtoll/meshtoll.yaml
- --state.dir=/var/lib/meshtoll
- --log.level={{ .Values.log.level }}
- --log.format={{ .Values.log.format }}
{{- end -}}

{{- /* What every container of the program is and may. */ -}}
{{- define "meshtoll.program" -}}
image: {{ include "meshtoll.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
env:
  - name: NODE_NAME
    valueFrom:
      fieldRef:
        fieldPath: spec.nodeName
  # Where the kubelet is, and by which an agent knows whether it is on its node's network.
  - name: NODE_IP
    valueFrom:
      fieldRef:
        fieldPath: status.hostIP
  {{- if include "meshtoll.isFull" . }}
  # By which an agent that is stopped finds out whether another one comes after it.
  - name: POD_NAME
    valueFrom:
      fieldRef:
        fieldPath: metadata.name
  - name: POD_NAMESPACE
    valueFrom:
      fieldRef:
        fieldPath: metadata.namespace
  {{- end }}
  {{- with include "meshtoll.datadogKey" . }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
    {{- if include "meshtoll.isFull" . }}
    {{- if include "meshtoll.entersPods" . }}
    # To enter the network namespaces of pods, and to open them by processes of other users.
    add: [NET_ADMIN, SYS_ADMIN, SYS_PTRACE]
    {{- else }}
    add: [NET_ADMIN]
    {{- end }}
    {{- end }}
  {{- if and (include "meshtoll.isFull" .) .Values.seLinuxOptions }}
  seLinuxOptions:
    {{- toYaml .Values.seLinuxOptions | nindent 4 }}
  {{- end }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
volumeMounts:
  - name: config
    mountPath: /etc/meshtoll
    readOnly: true
  - name: state
    mountPath: /var/lib/meshtoll
  {{- if include "meshtoll.isFull" . }}
  # Names and numbers of folders are read, no file: they say which pod on the node's network a socket is of.
  - name: cgroups
    mountPath: /host/sys/fs/cgroup
    readOnly: true
  {{- end }}
  {{- if include "meshtoll.entersPods" . }}
  # Of processes their cgroups are read, which say whose they are, and the network namespaces of pods with a proxy are opened.
  - name: proc
    mountPath: /host/proc
    readOnly: true
  {{- end }}
  {{- if include "meshtoll.readsLogs" . }}
  # Of these only the logs of istiod are read, and those of proxies where envoy.accessLog is auto.
  - name: pod-logs
    mountPath: /var/log/pods
    readOnly: true
  {{- end }}
  {{- if include "meshtoll.hasDirectory" . }}
  - name: directory-token
    mountPath: /var/run/secrets/meshtoll
    readOnly: true
  {{- end }}
  {{- if include "meshtoll.asksIstiodDebug" . }}
  # Where Istio's own components have theirs.
  - name: istio-token
    mountPath: /var/run/secrets/tokens
    readOnly: true
  {{- end }}
{{- end -}}

{{- /* For the admin ports of proxies. */ -}}
{{- define "meshtoll.entersPods" -}}
{{- $envoy := .Values.config.envoy | default dict -}}
{{- if and (include "meshtoll.isFull" .) (eq (toString $envoy.admin) "netns") (ne (toString $envoy.enabled) "false") -}}
true
{{- end -}}
{{- end -}}

{{- /* How the logs of istiods are read: auto, api or off. */ -}}
{{- define "meshtoll.logs" -}}
{{- $istiod := .Values.config.istiod | default dict -}}
{{- if eq (toString $istiod.enabled) "false" }}off{{ else }}{{ $istiod.log | default "auto" }}{{ end -}}
{{- end -}}

{{- /* Without uid 0 nobody may read them. */ -}}
{{- define "meshtoll.readsLogs" -}}
{{- $envoy := .Values.config.envoy | default dict -}}
{{- $proxies := and (eq (toString $envoy.accessLog) "auto") (ne (toString $envoy.enabled) "false") -}}
{{- if and (include "meshtoll.isFull" .) (or (eq (include "meshtoll.logs" .) "auto") $proxies) }}true{{ end -}}
{{- end -}}

{{- define "meshtoll.followsLogs" -}}
{{- if eq (include "meshtoll.logs" .) "api" }}true{{ end -}}
{{- end -}}

{{- define "meshtoll.asksIstiodDebug" -}}
{{- $istiod := .Values.config.istiod | default dict -}}
{{- if and (eq (toString $istiod.debug) "true") (ne (toString $istiod.enabled) "false") -}}
true
{{- end -}}
{{- end -}}

{{- /* Of the environment of agents and directories. */ -}}
{{- define "meshtoll.datadogKey" -}}
{{- with .Values.datadog.existingSecret -}}
- name: DD_API_KEY
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: {{ $.Values.datadog.secretKey }}
{{- end -}}
{{- end -}}

{{- /* For the Datadog Agent of the node: scrape /metrics, which it takes 2,000 series of by default. */ -}}
{{- define "meshtoll.datadogChecks" -}}
{{- $url := printf "%s://%%%%host%%%%:%v/metrics" (ternary "https" "http" .Values.web.tls) .Values.web.port -}}
{{- dict "openmetrics" (dict "instances" (list (dict "openmetrics_endpoint" $url "namespace" "meshtoll" "metrics" (list "meshtoll_.+")))) | toJson -}}
{{- end -}}
