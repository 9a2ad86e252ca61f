{{/*
What a part may do, and no more. Where: in the whole cluster (ClusterRole) when all namespaces are watched, else in each of the job
namespaces (Role); always in the release's namespace what concerns the Lease and the certificate's Secret. The ClusterRole of an
operator of listed namespaces holds objects that have no namespace, by name.
*/}}

{{/* In namespaces of applications: the controller. */}}
{{- define "spark-operator.rules.controller" -}}
- apiGroups: [sparkoperator.k8s.io]
  resources: [sparkapplications]
  verbs: [get, list, watch, delete] # delete: timeToLiveSeconds
- apiGroups: [sparkoperator.k8s.io]
  resources: [sparkapplications/status]
  verbs: [patch]
- apiGroups: [sparkoperator.k8s.io] # kinds that are not run say so in their status
  resources: [scheduledsparkapplications, sparkconnects]
  verbs: [list, watch]
- apiGroups: [sparkoperator.k8s.io]
  resources: [scheduledsparkapplications/status, sparkconnects/status]
  verbs: [patch]
- apiGroups: [sparkoperator.k8s.io] # blockOwnerDeletion, where OwnerReferencesPermissionEnforcement is on (OpenShift)
  resources: [sparkapplications/finalizers]
  verbs: [update]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, create, delete] # delete: a driver whose submission could not be completed
- apiGroups: [""] # claims: those on demand of drivers
  resources: [configmaps, services, persistentvolumeclaims]
  verbs: [get, create, delete] # delete: an object with our name and other contents
- apiGroups: [networking.k8s.io] # Spark 4.2 and newer
  resources: [networkpolicies]
  verbs: [get, create, delete]
{{- if or .v.controller.uiIngress.enable (hasKey .v.config "ingress-url-format") (ne (include "spark-operator.text" .v.limits.ingressHosts) "none") }}
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [get, create]
{{- end }}
{{- if .v.controller.driverPodDisruptionBudget.enable }}
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, delete]
{{- end }}
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
{{- end -}}

{{/* In namespaces of applications: the webhook, which looks up a pod's application, and quotas. */}}
{{- define "spark-operator.rules.webhook" -}}
{{- if not .is.controls }}
- apiGroups: [sparkoperator.k8s.io]
  resources: [sparkapplications]
  verbs: [list, watch]
{{- end }}
{{- if .v.webhook.resourceQuotaEnforcement.enable }}
- apiGroups: [""]
  resources: [resourcequotas]
  verbs: [list, watch]
{{- end }}
{{- end -}}

{{- define "spark-operator.rules.jobs" -}}
{{- if .is.controls }}
{{ include "spark-operator.rules.controller" . }}
{{- end }}
{{- if .is.reviews }}
{{ include "spark-operator.rules.webhook" . }}
{{- end }}
{{- end -}}

{{/* Objects without a namespace, by name. */}}
{{- define "spark-operator.rules.cluster" -}}
{{- if and .is.controls .v.spark.jobNamespaceSelector }}
- apiGroups: [""]
  resources: [namespaces]
  verbs: [list, watch]
{{- end }}
{{- if and .is.controls .v.is.crdUpgrade }}
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  resourceNames:
    - scheduledsparkapplications.sparkoperator.k8s.io
    - sparkapplications.sparkoperator.k8s.io
    - sparkconnects.sparkoperator.k8s.io
  verbs: [get, create, patch] # a server-side apply that creates has a name
{{- end }}
{{- if .is.reviews }}
- apiGroups: [admissionregistration.k8s.io] # {{ ternary "whether they trust the certificate" "the caBundle of these two" (eq true .v.certManager.enable) }}
  resources: [mutatingwebhookconfigurations, validatingwebhookconfigurations]
  resourceNames: [{{ .v.is.names.webhookConfig }}]
  verbs: [list, watch{{ if not .v.certManager.enable }}, patch{{ end }}]
{{- end }}
{{- end -}}

{{- define "spark-operator.rules.lease" -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ .v.is.names.lease }}, {{ .v.is.names.formerLease }}]
  verbs: [get, list, watch, patch]
- apiGroups: [coordination.k8s.io] # RBAC cannot limit a creation to a name
  resources: [leases]
  verbs: [create]
{{- end -}}

{{- define "spark-operator.rules.secret" -}}
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [{{ .v.is.names.secret }}]
  verbs: [get, list, watch{{ if not .v.certManager.enable }}, patch{{ end }}]
{{- if not .v.certManager.enable }}
- apiGroups: [""] # RBAC cannot limit a creation to a name
  resources: [secrets]
  verbs: [create]
{{- end }}
{{- end -}}

{{/* A role or cluster role and its binding: (dict "root" "v" "name" "is" "prefix" ""|Cluster "namespace" NS "role" NAME "rules" TEXT "annotations") */}}
{{- define "spark-operator.grant" -}}
{{- $kind := printf "%sRole" .prefix -}}{{- $api := "rbac.authorization.k8s.io/v1" -}}
{{- range $object := list $kind (printf "%sBinding" $kind) }}
{{- $annotations := $.annotations | default dict -}}
{{- $known := dict "v" $.v "api" $api "kind" $object "namespace" "" "name" $.role -}}
{{- if and $.prefix (eq "true" (include "spark-operator.isHook" $known)) -}}
{{- $annotations = merge (dict "helm.sh/hook" "pre-install,pre-upgrade" "helm.sh/hook-delete-policy" "before-hook-creation"
  "helm.sh/hook-weight" "-10") $annotations -}}
{{- end }}
---
apiVersion: {{ $api }}
kind: {{ $object }}
metadata:
  {{- include "spark-operator.metadata" (dict "name" $.role "namespace" $.namespace "labels" (include "spark-operator.labels" $)
    "annotations" $annotations) | nindent 2 }}
{{- if eq $object $kind }}
rules:
  {{- regexReplaceAll "\n\n+" (trim $.rules) "\n" | nindent 2 }}
{{- else }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $kind }}
  name: {{ $.role }}
subjects:
  - kind: ServiceAccount
    name: {{ $.is.account }}
    namespace: {{ $.root.Release.Namespace }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Roles and bindings of a part: (dict "root" "v" "name" "values" "role" NAME) */}}
{{- define "spark-operator.rbac" -}}
{{- $v := .v -}}{{- $own := .root.Release.Namespace -}}
{{- $is := include "spark-operator.part" . | fromYaml -}}
{{- $is = set $is "reviews" (and $is.admits (ne false $v.webhook.rbac.create)) -}}
{{- $x := dict "root" .root "v" $v "name" .name "is" $is "role" .role "annotations" .values.rbac.annotations -}}
{{- $jobs := include "spark-operator.rules.jobs" $x -}}
{{- $cluster := include "spark-operator.rules.cluster" $x -}}
{{- $roles := dict -}}
{{- if $v.is.clusterWide -}}
{{- $cluster = printf "%s\n%s" $jobs $cluster -}}
{{- else -}}
{{- range $v.is.jobNamespaces }}{{ $_ := set $roles . $jobs }}{{ end -}}
{{- end -}}
{{- if $is.reviews -}}
{{- $_ := set $roles $own (printf "%s\n%s" (get $roles $own) (include "spark-operator.rules.secret" $x)) -}}
{{- end -}}
{{- if and $is.controls $v.controller.leaderElection.enable -}}
{{- $ns := $v.is.leaseNamespace -}}
{{- $_ := set $roles $ns (printf "%s\n%s" (get $roles $ns) (include "spark-operator.rules.lease" $x)) -}}
{{- end -}}
{{- if and $v.is.clusterRole (trim $cluster) -}}
{{- include "spark-operator.grant" (merge (dict "prefix" "Cluster" "rules" $cluster) $x) -}}
{{- end -}}
{{- range $ns := keys $roles | sortAlpha -}}
{{- with get $roles $ns | trim -}}
{{- include "spark-operator.grant" (merge (dict "prefix" "" "namespace" $ns "rules" .) $x) -}}
{{- end -}}
{{- end -}}
{{- end -}}
