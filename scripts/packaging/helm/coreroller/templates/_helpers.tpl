{{- define "coreroller.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "coreroller.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "coreroller.labels" -}}
{{ include "coreroller.selector" . }}
app.kubernetes.io/component: server
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
{{- end -}}

{{- define "coreroller.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "coreroller.name" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "coreroller.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* The variable of a flag. */}}
{{- define "coreroller.variable" -}}
COREROLLER_{{ . | upper | replace "-" "_" }}
{{- end -}}

{{/* The secrets as a list of name, secret and key: each is a file with that name. */}}
{{- define "coreroller.secretFiles" -}}
{{- $files := list -}}
{{- with .Values.database.existingSecret -}}
{{- if and .name .urlKey -}}
{{- $files = append $files (dict "name" "database-url" "secret" .name "key" .urlKey) -}}
{{- else if .name -}}
{{- $files = append $files (dict "name" "database-password" "secret" .name "key" .passwordKey) -}}
{{- end -}}
{{- end -}}
{{- with .Values.admin.existingSecret -}}
{{- if .name -}}
{{- $files = append $files (dict "name" "admin-password" "secret" .name "key" .key) -}}
{{- end -}}
{{- end -}}
{{- concat $files .Values.secretFiles | toJson -}}
{{- end -}}

{{- define "coreroller.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "coreroller.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}
