{{/*
What users of a namespace may do with applications, by the built-in roles view, edit and admin, to which Kubernetes adds these
rules. Each role has those of the one before it.
*/}}

{{- define "spark-operator.rules.view" -}}
- apiGroups: [sparkoperator.k8s.io]
  resources: [sparkapplications, scheduledsparkapplications, sparkconnects]
  verbs: [get, list, watch]
- apiGroups: [sparkoperator.k8s.io]
  resources: [sparkapplications/status, scheduledsparkapplications/status, sparkconnects/status]
  verbs: [get]
{{- end -}}

{{- define "spark-operator.rules.edit" -}}
- apiGroups: [sparkoperator.k8s.io]
  resources: [sparkapplications, scheduledsparkapplications, sparkconnects]
  verbs: [create, update, patch, delete, deletecollection]
{{- end -}}

{{/*
A Role can only give what its author holds. So whoever administers a namespace must hold what the operator's own Role there says of
applications. The rest of that Role is in the built-in role admin.
*/}}
{{- define "spark-operator.rules.admin" -}}
- apiGroups: [sparkoperator.k8s.io] # to give it to an operator of this namespace
  resources: [sparkapplications/status, scheduledsparkapplications/status, sparkconnects/status]
  verbs: [patch]
- apiGroups: [sparkoperator.k8s.io] # the same
  resources: [sparkapplications/finalizers]
  verbs: [update]
{{- end -}}

{{/* Whether these roles are made. Takes v. */}}
{{- define "spark-operator.hasUserRoles" -}}
{{- $with := and .v.is.clusterRole .v.controller.rbac.create (or .v.is.clusterWide .v.is.webhook) -}}
{{- ternary .v.rbac.userRoles $with (kindIs "bool" .v.rbac.userRoles) -}}
{{- end -}}

{{/*
A part of the notes: the CRDs are not there, and nothing here brings them. The API server tells everybody which kinds it has. Helm
renders after it has created the CRDs of the chart. Takes root, v.
*/}}
{{- define "spark-operator.notes.missing" -}}
{{- if not (or .v.is.crdUpgrade (.root.Capabilities.APIVersions.Has "sparkoperator.k8s.io/v1beta2/SparkApplication")) -}}
The CRDs are not installed, and the operator waits for them. Somebody who administers the cluster has to apply them (docs/tenants.md):

  kubectl apply --server-side -f crds
{{- end -}}
{{- end -}}
