{{/*
The Deployment of a part: {root, v, name: controller|webhook, values: the part's values}. With one Deployment the controller's
is all there is and serves the webhook as well.
*/}}

{{/*
Pods of operators that know no common Lease never run side by side: without leader election, and while a release of chart 1.x is taken
over, whose only replica holds no Lease. Takes part, is.
*/}}
{{- define "spark-operator.strategy" -}}
{{- if and .is.controls (or (not .part.v.controller.leaderElection.enable) (eq .part.v.is.from "1.x")) -}}
type: Recreate
{{- else -}}
type: RollingUpdate
rollingUpdate:
{{- if .part.values.hostNetwork }}
  maxUnavailable: 1 # the next pod opens the same ports of a node
  maxSurge: 0
{{- else }}
  maxUnavailable: 0
{{- end }}
{{- end -}}
{{- end -}}

{{- define "spark-operator.podAnnotations" -}}
{{- $annotations := dict -}}{{- $metrics := .v.prometheus.metrics -}}
{{- if $metrics.enable -}}
{{- $annotations = dict "prometheus.io/scrape" "true" "prometheus.io/path" $metrics.endpoint
  "prometheus.io/port" (include "spark-operator.text" $metrics.port) -}}
{{- end -}}
{{- with merge (deepCopy (.values.annotations | default dict)) $annotations }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{/* The numbers of the pod's ports as a JSON list. Takes part, is. */}}
{{- define "spark-operator.portNumbers" -}}
{{- $v := .part.v -}}
{{- $numbers := list 8081 -}}
{{- if $v.prometheus.metrics.enable }}{{ $numbers = append $numbers (int $v.prometheus.metrics.port) }}{{ end -}}
{{- if .is.admits }}{{ $numbers = append $numbers (int $v.webhook.port) }}{{ end -}}
{{- toJson $numbers -}}
{{- end -}}

{{/*
The pod's security context. The operator is not root and has no capability, so for a port below 1024 it needs a sysctl of its
network namespace, which Kubernetes counts as safe. On the node's network there is no such namespace. Takes part, is.
*/}}
{{- define "spark-operator.podSecurity" -}}
{{- $context := deepCopy (.part.values.podSecurityContext | default dict) -}}
{{- $lowest := 1024 -}}
{{- range include "spark-operator.portNumbers" . | fromJsonArray }}{{ $lowest = min $lowest (int .) }}{{ end -}}
{{- if lt (int $lowest) 1024 -}}
{{- if .part.values.hostNetwork -}}
{{- fail (printf "\n\nport %v with hostNetwork=true: the operator is not root, so on a node's network its ports are 1024 and above. Take another webhook.port, prometheus.metrics.port (metrics.port).\n" $lowest) -}}
{{- end -}}
{{- $name := "net.ipv4.ip_unprivileged_port_start" -}}
{{- $given := $context.sysctls | default list -}}
{{- $names := list -}}
{{- range $given }}{{ $names = append $names .name }}{{ end -}}
{{- if not (has $name $names) -}}
{{- $_ := set $context "sysctls" (append $given (dict "name" $name "value" (toString $lowest))) -}}
{{- end -}}
{{- end -}}
{{- with $context }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{- define "spark-operator.ports" -}}
{{- $v := .part.v -}}
{{- $numbers := include "spark-operator.portNumbers" . | fromJsonArray -}}
{{- if ne (len $numbers) (len (uniq $numbers)) -}}
{{- fail (printf "\n\nprometheus.metrics.port=%v, webhook.port=%v and 8081, where /healthz is, must differ: they are ports of one pod.\n" $v.prometheus.metrics.port $v.webhook.port) -}}
{{- end -}}
- name: health
  containerPort: 8081
{{- if $v.prometheus.metrics.enable }}
- name: {{ $v.prometheus.metrics.portName }}
  containerPort: {{ $v.prometheus.metrics.port }}
{{- end }}
{{- if .is.admits }}
- name: {{ $v.webhook.portName }}
  containerPort: {{ $v.webhook.port }}
{{- end }}
{{- end -}}

{{- define "spark-operator.spread" -}}
{{- $selector := dict "labelSelector" (dict "matchLabels" (include "spark-operator.selector" . | fromYaml)) -}}
{{- $out := list -}}
{{- range .values.topologySpreadConstraints }}{{ $out = append $out (mergeOverwrite (deepCopy .) $selector) }}{{ end -}}
{{- toYaml $out -}}
{{- end -}}

{{/*
The affinity as given; with image.architectures its pods go to nodes of such processors only. Terms are alternatives, and so
each of them gets the condition. Takes affinity, v.
*/}}
{{- define "spark-operator.affinity" -}}
{{- $affinity := deepCopy (.affinity | default dict) -}}
{{- with .v.image.architectures -}}
{{- $arch := dict "key" "kubernetes.io/arch" "operator" "In" "values" . -}}
{{- $node := $affinity.nodeAffinity | default dict -}}
{{- $required := $node.requiredDuringSchedulingIgnoredDuringExecution | default dict -}}
{{- $terms := list -}}
{{- range $required.nodeSelectorTerms | default (list dict) -}}
{{- $terms = append $terms (set . "matchExpressions" (append (.matchExpressions | default list) $arch)) -}}
{{- end -}}
{{- $_ := set $required "nodeSelectorTerms" $terms -}}
{{- $_ := set $node "requiredDuringSchedulingIgnoredDuringExecution" $required -}}
{{- $_ := set $affinity "nodeAffinity" $node -}}
{{- end -}}
{{- with $affinity }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{- define "spark-operator.container" -}}
{{- $p := .part.values -}}{{- $v := .part.v -}}
name: {{ .is.container }}
image: {{ $v.is.image }}{{ with $v.is.imageAsked }} # nodes that do not hold it ask for {{ . }}{{ end }}
{{- with $v.image.pullPolicy }}
imagePullPolicy: {{ . }}
{{- end }}
args:
  {{- include "spark-operator.args" .part | nindent 2 }}
ports:
  {{- include "spark-operator.ports" . | nindent 2 }}
{{- with $p.env }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $p.envFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $p.volumeMounts }}
volumeMounts:
  {{- toYaml . | nindent 2 }}
{{- end }}
livenessProbe:
  httpGet:
    path: /healthz
    port: 8081
    scheme: HTTP
  periodSeconds: 10
  timeoutSeconds: 5
readinessProbe:
  httpGet:
    path: /readyz
    port: 8081
    scheme: HTTP
  periodSeconds: 2
  timeoutSeconds: 5
{{- with $p.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $p.securityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "spark-operator.pod" -}}
{{- $p := .part.values -}}{{- $v := .part.v -}}
serviceAccountName: {{ .is.account }}
automountServiceAccountToken: {{ ne false $p.serviceAccount.automountServiceAccountToken }}
terminationGracePeriodSeconds: 30
{{- with $v.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with include "spark-operator.podSecurity" . }}
securityContext:
  {{- . | nindent 2 }}
{{- end }}
{{- with $p.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- if and (kindIs "bool" $p.hostUsers) (semverCompare ">=1.30-0" .part.root.Capabilities.KubeVersion.Version) }}
hostUsers: {{ $p.hostUsers }}
{{- end }}
{{- if $p.hostNetwork }}
hostNetwork: true
{{- end }}
{{- with $p.dnsPolicy | default (ternary "ClusterFirstWithHostNet" "" (eq true $p.hostNetwork)) }}
dnsPolicy: {{ . }}
{{- end }}
{{- with $p.dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $p.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with include "spark-operator.affinity" (dict "affinity" $p.affinity "v" .part.v) }}
affinity:
  {{- . | nindent 2 }}
{{- end }}
{{- with $p.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if $p.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- include "spark-operator.spread" .part | nindent 2 }}
{{- end }}
containers:
  - {{ include "spark-operator.container" . | nindent 4 | trim }}
  {{- with $p.sidecars }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with $p.volumes }}
volumes:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "spark-operator.deployment" -}}
{{- $is := include "spark-operator.part" . | fromYaml -}}{{- $p := .values -}}
{{- $selector := include "spark-operator.selector" . | fromYaml -}}
{{- $both := dict "is" $is "part" . -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "spark-operator.metadata" (dict "name" $is.deployment "namespace" .root.Release.Namespace
    "labels" (include "spark-operator.labels" .) "annotations" $p.deploymentAnnotations) | nindent 2 }}
spec:
  replicas: {{ int $p.replicas }}
  {{- if not (kindIs "invalid" $p.revisionHistoryLimit) }}
  revisionHistoryLimit: {{ int $p.revisionHistoryLimit }}
  {{- end }}
  selector:
    matchLabels:
      {{- toYaml $selector | nindent 6 }}
  strategy:
    {{- include "spark-operator.strategy" $both | nindent 4 }}
  template:
    metadata:
      labels:
        {{- toYaml (merge (deepCopy $selector) (deepCopy ($p.labels | default dict)) (deepCopy (.v.commonLabels | default dict))) | nindent 8 }}
      {{- with include "spark-operator.podAnnotations" . }}
      annotations:
        {{- . | nindent 8 }}
      {{- end }}
    spec:
      {{- include "spark-operator.pod" $both | nindent 6 }}
{{- end -}}

{{/* A PodDisruptionBudget of a part: (dict "root" "v" "name" "values" "pdb" NAME) */}}
{{- define "spark-operator.pdb" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "spark-operator.metadata" (dict "name" .pdb "namespace" .root.Release.Namespace
    "labels" (include "spark-operator.labels" .)) | nindent 2 }}
spec:
  {{- with .values.podDisruptionBudget.maxUnavailable }}
  maxUnavailable: {{ . }}
  {{- else }}
  minAvailable: {{ .values.podDisruptionBudget.minAvailable }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "spark-operator.selector" . | nindent 6 }}
{{- end -}}

{{/* The ServiceAccount of a part: (dict "root" "v" "name" "values") */}}
{{- define "spark-operator.serviceaccount" -}}
{{- $is := include "spark-operator.part" . | fromYaml -}}{{- $ns := .root.Release.Namespace -}}
{{- $known := dict "v" .v "api" "v1" "kind" "ServiceAccount" "namespace" $ns "name" $is.account -}}
{{- if ne "true" (include "spark-operator.isHook" $known) -}}
apiVersion: v1
kind: ServiceAccount
automountServiceAccountToken: {{ ne false .values.serviceAccount.automountServiceAccountToken }}
metadata:
  {{- include "spark-operator.metadata" (dict "name" $is.account "namespace" $ns "labels" (include "spark-operator.labels" .)
    "annotations" .values.serviceAccount.annotations) | nindent 2 }}
{{- end }}
{{- end -}}
