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
