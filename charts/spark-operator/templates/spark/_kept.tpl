{{/*
What drivers need stays when its release is uninstalled, and so another release may meet it: the next one of that name in another
namespace, or one that names the same account. Helm refuses to take an object over from another release. So the object is used as it
is, and the notes say whose it is. An object that no release of a chart keeps is still refused by Helm.
*/}}

{{/* The release that keeps the object, if that is another one: (dict "root" "api" "kind" "namespace" "name") */}}
{{- define "spark-operator.keeper" -}}
{{- $metadata := (lookup .api .kind .namespace .name | default dict).metadata | default dict -}}
{{- $annotations := $metadata.annotations | default dict -}}
{{- $name := get $annotations "meta.helm.sh/release-name" -}}
{{- $space := get $annotations "meta.helm.sh/release-namespace" -}}
{{- $kept := and (eq (get $annotations "helm.sh/resource-policy") "keep")
  (eq (get ($metadata.labels | default dict) "app.kubernetes.io/component") "spark") -}}
{{- if and $kept $name (not (and (eq $name .root.Release.Name) (eq $space .root.Release.Namespace))) -}}
release {{ $name }} of namespace {{ $space }}
{{- end -}}
{{- end -}}

{{/* A part of the notes: which objects are another release's. Takes root, v. */}}
{{- define "spark-operator.notes.kept" -}}
{{- $rbac := "rbac.authorization.k8s.io/v1" -}}
{{- $names := .v.is.names -}}
{{- $rows := list -}}
{{- if .v.spark.serviceAccount.create -}}
{{- $rows = append $rows (dict "api" "v1" "kind" "ServiceAccount" "name" $names.sparkAccount) -}}
{{- end -}}
{{- if .v.spark.rbac.create -}}
{{- range list "Role" "RoleBinding" }}{{ $rows = append $rows (dict "api" $rbac "kind" . "name" $names.sparkRole) }}{{ end -}}
{{- end -}}
{{- $lines := list -}}
{{- $targets := list -}}
{{- range $namespace := .v.is.sparkNamespaces -}}
{{- range $rows -}}
{{- $keeper := include "spark-operator.keeper" (merge (dict "root" $.root "namespace" $namespace) .) -}}
{{- if $keeper -}}
{{- $lines = append $lines (printf "%s %s in %s belongs to %s" .kind .name $namespace $keeper) -}}
{{- $targets = append $targets (printf "  kubectl -n %s annotate --overwrite %s/%s meta.helm.sh/release-name=%s meta.helm.sh/release-namespace=%s"
  $namespace (lower .kind) .name $.root.Release.Name $.root.Release.Namespace) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $lines -}}
These objects for drivers are there already. They are used as they are, and this release does not change them:

  {{ join "\n  " $lines }}

If that release is gone, these commands and `helm upgrade` make them this release's own:

{{ join "\n" $targets }}
{{- end -}}
{{- end -}}
