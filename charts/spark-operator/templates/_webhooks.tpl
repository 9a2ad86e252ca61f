{{/*
The webhook configurations, as `spark-operator webhook config` prints them. They hold no caBundle: the operator writes it (cert-manager
with certManager.enable), and an upgrade by helm leaves what is not in a template alone.
*/}}

{{- define "spark-operator.hooks" -}}
mutating:
  - {path: mutate--v1-pod, version: v1, resource: pods}
  - {path: mutate-sparkoperator-k8s-io-v1beta2-sparkapplication, version: v1beta2, resource: sparkapplications}
  - {path: mutate-sparkoperator-k8s-io-v1beta2-scheduledsparkapplication, version: v1beta2, resource: scheduledsparkapplications}
  - {path: mutate-sparkoperator-k8s-io-v1alpha1-sparkconnect, version: v1alpha1, resource: sparkconnects}
validating:
  - {path: validate-sparkoperator-k8s-io-v1beta2-sparkapplication, version: v1beta2, resource: sparkapplications}
  - {path: validate-sparkoperator-k8s-io-v1beta2-scheduledsparkapplication, version: v1beta2, resource: scheduledsparkapplications}
  - {path: validate-sparkoperator-k8s-io-v1alpha1-sparkconnect, version: v1alpha1, resource: sparkconnects}
{{- end -}}

{{/*
Never Kubernetes' own namespaces; only the listed ones, if some are; besides what webhook.namespaceSelector asks for, which is a label
selector or a map of labels.
*/}}
{{- define "spark-operator.webhookNamespaces" -}}
{{- $given := .v.webhook.namespaceSelector | default dict -}}
{{- if not (or (hasKey $given "matchLabels") (hasKey $given "matchExpressions")) }}{{ $given = dict "matchLabels" $given }}{{ end -}}
matchExpressions:
  - key: kubernetes.io/metadata.name
    operator: NotIn
    values: [kube-system, kube-public, kube-node-lease]
{{- if and .v.is.jobNamespaces (not .v.is.clusterWide) }}
  - key: kubernetes.io/metadata.name
    operator: In
    values:
      {{- toYaml .v.is.jobNamespaces | nindent 6 }}
{{- end }}
{{- with $given.matchExpressions }}
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $given.matchLabels }}
matchLabels:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "spark-operator.hook" -}}
{{- $hook := .hook -}}{{- $v := .v -}}{{- $pods := eq $hook.resource "pods" -}}
name: {{ $hook.path }}.sparkoperator.k8s.io
clientConfig:
  service:
    namespace: {{ .root.Release.Namespace }}
    name: {{ $v.is.names.webhookService }}
    port: 443
    path: /{{ $hook.path }}
rules:
  - apiGroups: [{{ ternary "\"\"" "sparkoperator.k8s.io" $pods }}]
    apiVersions: [{{ $hook.version }}]
    resources: [{{ $hook.resource }}]
    operations: [CREATE{{ if not $pods }}, UPDATE{{ end }}]
    scope: Namespaced
namespaceSelector:
  {{- include "spark-operator.webhookNamespaces" . | nindent 2 }}
{{- if $pods }}
objectSelector: # no other pod of the cluster ever waits for the webhook
  matchLabels:
    sparkoperator.k8s.io/launched-by-spark-operator: "true"
{{- end }}
failurePolicy: {{ ternary $v.webhook.podFailurePolicy $v.webhook.failurePolicy $pods }}
matchPolicy: Equivalent
{{- if eq .kind "Mutating" }}
reinvocationPolicy: Never
{{- end }}
sideEffects: None
timeoutSeconds: {{ $v.webhook.timeoutSeconds }}
admissionReviewVersions: [v1, v1beta1]
{{- end -}}

{{/* (dict "root" "v" "kind" Mutating|Validating) */}}
{{- define "spark-operator.webhookConfiguration" -}}
{{- $annotations := dict -}}
{{- if .v.certManager.enable -}}
{{- $annotations = dict "cert-manager.io/inject-ca-from" (printf "%s/%s" .root.Release.Namespace (include "spark-operator.certificate" .)) -}}
{{- end -}}
apiVersion: admissionregistration.k8s.io/v1
kind: {{ .kind }}WebhookConfiguration
metadata:
  {{- include "spark-operator.metadata" (dict "name" .v.is.names.webhookConfig "annotations" $annotations
    "labels" (include "spark-operator.labels.of" (dict "root" .root "v" .v "name" "webhook"))) | nindent 2 }}
webhooks:
{{- range $hook := get (include "spark-operator.hooks" . | fromYaml) (lower .kind) }}
  - {{ include "spark-operator.hook" (dict "root" $.root "v" $.v "kind" $.kind "hook" $hook) | nindent 4 | trim }}
{{- end }}
{{- end -}}

{{- define "spark-operator.certificate" -}}
{{ include "spark-operator.name" .root }}-certificate
{{- end -}}

{{- define "spark-operator.issuer" -}}
{{ include "spark-operator.name" .root }}-self-signed-issuer
{{- end -}}
