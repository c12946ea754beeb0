{{- define "bluezone.name" -}}
{{- if contains "bluezone" .Release.Name }}{{ .Release.Name | trunc 50 }}{{ else }}{{ printf "%s-bluezone" .Release.Name | trunc 50 }}{{ end }}
{{- end }}
{{- define "bluezone.selector" -}}
app.kubernetes.io/name: bluezone
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- define "bluezone.labels" -}}
{{ include "bluezone.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}
{{- define "bluezone.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- /* Refuse values with which the pods could not run, each in a sentence. */ -}}
{{- define "bluezone.check" -}}
{{- if gt (int .Values.replicas) 1 }}
{{- if not .Values.database.secret }}{{ fail "replicas above 1 need PostgreSQL: set database.secret" }}{{ end }}
{{- if not .Values.bucket.url }}{{ fail "replicas above 1 need a bucket for the files that phones fetch: set bucket.url" }}{{ end }}
{{- if not .Values.masterKey.secret }}{{ fail "replicas above 1 need a master key: set masterKey.secret" }}{{ end }}
{{- if .Values.persistence.existingClaim }}{{ fail "replicas above 1 need a volume each: leave persistence.existingClaim empty" }}{{ end }}
{{- end }}
{{- if and .Values.bucket.url (not .Values.bucket.secret) }}{{ fail "bucket.url needs bucket.secret, the Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" }}{{ end }}
{{- if and .Values.masterKey.secret (not .Values.database.secret) }}{{ fail "masterKey.secret needs PostgreSQL: set database.secret" }}{{ end }}
{{- if and .Values.metrics.enabled (not .Values.metrics.tokenSecret) }}{{ fail "metrics.enabled needs metrics.tokenSecret: others in the cluster can reach the port" }}{{ end }}
{{- if and (or .Values.metrics.serviceMonitor .Values.metrics.rules) (not .Values.metrics.enabled) }}{{ fail "metrics.serviceMonitor and metrics.rules need metrics.enabled" }}{{ end }}
{{- end }}
