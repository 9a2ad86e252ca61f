{{/*
Labels and selectors. A part is {root: the chart's context, v: effective values, name: controller|webhook}. Selector labels are
those of the existing charts: a Deployment's selector cannot be changed, and `helm upgrade` from those charts keeps the Deployment.
*/}}

{{- define "spark-operator.part" -}}
{{- $v := .v -}}
component: {{ if $v.is.component }}{{ .name }}{{ end }}
deployment: {{ ternary $v.is.names.webhook $v.is.names.controller (and $v.is.two (eq .name "webhook")) }}
container: spark-operator{{ if $v.is.component }}-{{ .name }}{{ end }}
account: {{ ternary $v.is.names.webhookAccount $v.is.names.controllerAccount (and $v.is.two (eq .name "webhook")) }}
controls: {{ eq .name "controller" }}
admits: {{ and $v.is.webhook (or (not $v.is.two) (eq .name "webhook")) }}
{{- end -}}

{{- define "spark-operator.selector.all" -}}
app.kubernetes.io/name: {{ include "spark-operator.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end -}}

{{- define "spark-operator.selector" -}}
{{ include "spark-operator.selector.all" . }}
{{- with (include "spark-operator.part" . | fromYaml).component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{- define "spark-operator.labels.plain" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end -}}

{{/* Labels of an object that belongs to the part; the one Deployment of all parts is the component operator. */}}
{{- define "spark-operator.labels" -}}
{{- $labels := merge (include "spark-operator.selector" . | fromYaml) (include "spark-operator.labels.plain" . | fromYaml) -}}
{{- $labels = merge $labels (dict "app.kubernetes.io/component" "operator") -}}
{{- toYaml (merge $labels (.v.commonLabels | default dict)) -}}
{{- end -}}

{{/* Labels of an object that belongs to no Deployment: component says what it is for. */}}
{{- define "spark-operator.labels.of" -}}
{{- $labels := merge (include "spark-operator.selector.all" . | fromYaml) (include "spark-operator.labels.plain" . | fromYaml) -}}
{{- $labels = set $labels "app.kubernetes.io/component" .name -}}
{{- toYaml (merge $labels (.v.commonLabels | default dict)) -}}
{{- end -}}

{{/* metadata of an object: (dict "labels" TEXT "name" NAME "namespace" NAMESPACE "annotations" MAP) */}}
{{- define "spark-operator.metadata" -}}
name: {{ .name }}
{{- with .namespace }}
namespace: {{ . }}
{{- end }}
labels:
  {{- .labels | nindent 2 }}
{{- with .annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/*
Annotations of an object that stays when it is no longer in the manifests: for Helm, for Argo CD, whose Application is not OutOfSync
then, and for Flux's Kustomizations. Those that are given come along, and win for Argo CD and Flux. Takes a map or nothing.
*/}}
{{- define "spark-operator.kept" -}}
{{- $keep := dict "helm.sh/resource-policy" "keep" -}}
{{- $tools := dict "argocd.argoproj.io/sync-options" "Prune=false" "argocd.argoproj.io/compare-options" "IgnoreExtraneous"
  "kustomize.toolkit.fluxcd.io/prune" "disabled" -}}
{{- toYaml (merge $keep (. | default dict) $tools) -}}
{{- end -}}

{{/*
Whether the object lives as a hook of the old chart, which made its account and cluster role so. No release owns such an object and helm
refuses to take it over: the cluster role stays a hook, the account as it is, since the pods that run lose their tokens when it is
made anew. (dict "v" "api" "kind" "namespace" "name")
*/}}
{{- define "spark-operator.isHook" -}}
{{- $live := dict -}}
{{- if eq .v.is.layout "v1" }}{{ $live = lookup .api .kind .namespace .name | default dict }}{{ end -}}
{{- hasKey (($live.metadata | default dict).annotations | default dict) "helm.sh/hook" -}}
{{- end -}}

{{/* Fails where the cluster does not know an API that a value asks for: (dict "root" "api" "kind" "key") */}}
{{- define "spark-operator.needs" -}}
{{- if not (.root.Capabilities.APIVersions.Has (printf "%s/%s" .api .kind)) -}}
{{- fail (printf "%s: the cluster does not know %s of %s: install what brings it (helm template: --api-versions %s/%s)" .key .kind .api .api .kind) -}}
{{- end -}}
{{- end -}}

{{/* The application of `helm test`: (dict "root" "v" "name" NAME "hook" BOOL) */}}
{{- define "spark-operator.testApplication" -}}
{{- $x := dict "root" .root "v" .v "name" "test" -}}
apiVersion: sparkoperator.k8s.io/v1beta2
kind: SparkApplication
metadata:
  {{- $annotations := dict "helm.sh/hook" "test" "helm.sh/hook-delete-policy" "before-hook-creation,hook-succeeded" }}
  {{- include "spark-operator.metadata" (dict "name" .name "labels" (include "spark-operator.labels.of" $x)
    "namespace" (first (append (concat .v.is.sparkNamespaces .v.is.jobNamespaces) .root.Release.Namespace))
    "annotations" (ternary $annotations dict (eq true .hook))) | nindent 2 }}
spec:
  suspend: true
  type: Scala
  mode: cluster
  image: spark:3.5.6
  sparkVersion: 3.5.6
  mainClass: org.apache.spark.examples.SparkPi
  mainApplicationFile: local:///opt/spark/examples/jars/spark-examples.jar
  driver:
    cores: 1
    memory: 512m
    serviceAccount: {{ .v.is.names.sparkAccount }}
  executor:
    instances: 1
    cores: 1
    memory: 512m
{{- end -}}

{{/* A file of the chart as it is: helm's own braces in it mean nothing. (dict "root" "file") */}}
{{- define "spark-operator.file" -}}
{{- .root.Files.Get .file | trim | required (printf "%s is missing in this chart" .file) -}}
{{- end -}}
