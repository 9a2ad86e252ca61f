{{/*
The effective values: what the user gave, in the keys of either layout, over files/defaults.yaml, all in the 2.x layout,
with conclusions in `is`:

  {{- $v := include "spark-operator.values" . | fromYaml }}

files/old-values.yaml says which key means which. Contradictions and impossible combinations fail here, for every template.
Templates that change a dict in place return nothing; they get it by reference.
*/}}

{{/* Known keys with their values, by path: into[path] = value. Takes from, prefix, leaves, into. */}}
{{- define "spark-operator.values.flat" -}}
{{- range $key, $value := .from -}}
{{- $path := printf "%s%s" $.prefix $key -}}
{{- if hasKey $.leaves $path -}}
{{- $_ := set $.into $path $value -}}
{{- else if kindIs "map" $value -}}
{{- include "spark-operator.values.flat" (dict "from" $value "prefix" (printf "%s." $path) "leaves" $.leaves "into" $.into) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Maps merged as Helm does: Kubernetes is not given a key that is null. Takes into, from. */}}
{{- define "spark-operator.values.merge" -}}
{{- range $key, $value := .from -}}
{{- if kindIs "invalid" $value -}}
{{- $_ := unset $.into $key -}}
{{- else if and (kindIs "map" $value) (kindIs "map" (get $.into $key)) -}}
{{- include "spark-operator.values.merge" (dict "into" (get $.into $key) "from" $value) -}}
{{- else -}}
{{- $_ := set $.into $key $value -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
values[path] = value. null means "not given": the default holds. Maps are merged into the
default, but for resources. Takes in, path, value.
*/}}
{{- define "spark-operator.values.put" -}}
{{- $keys := splitList "." .path -}}
{{- $at := .in -}}
{{- range initial $keys -}}
{{- $at = get $at . -}}
{{- end -}}
{{- $base := get $at (last $keys) -}}
{{- $value := .value -}}
{{- if kindIs "map" $value -}}
{{- $into := dict -}}
{{- if and (kindIs "map" $base) (or (ne (last $keys) "resources") (not $value)) -}}{{- $into = deepCopy $base -}}{{- end -}}
{{- include "spark-operator.values.merge" (dict "into" $into "from" $value) -}}
{{- $value = $into -}}
{{- end -}}
{{- if not (kindIs "invalid" $value) -}}
{{- $_ := set $at (last $keys) $value -}}
{{- end -}}
{{- end -}}

{{/* Keys of charts 0.x. Chart 1.x and 2.x took them silently. Takes flat, gone (key → what took its place). */}}
{{- define "spark-operator.values.gone" -}}
{{- $lines := list -}}
{{- range $key, $now := .gone -}}
{{- if and (hasKey $.flat $key) (not (kindIs "invalid" (get $.flat $key))) -}}
{{- $lines = append $lines (printf "%s is a key of charts 0.x; now: %s" $key $now) -}}
{{- end -}}
{{- end -}}
{{- if $lines -}}{{- fail (printf "\n\n%s\n" (join "\n" $lines)) -}}{{- end -}}
{{- end -}}

{{/* The elements of a text as {"value": […]}. A comma too many is none: an empty element would mean all namespaces. Takes the text. */}}
{{- define "spark-operator.values.split" -}}
{{- dict "value" (compact (splitList "," (nospace .)) | default (list "")) | toYaml -}}
{{- end -}}

{{/* The value of an old key as its new key has it, as {"value": …}. Takes value, as. */}}
{{- define "spark-operator.values.as" -}}
{{- $value := .value -}}
{{- if eq .as "list" -}}
{{- if kindIs "string" $value -}}{{- $value = (include "spark-operator.values.split" $value | fromYaml).value -}}{{- end -}}
{{- else if eq .as "level" -}}
{{- $value = ternary "debug" "info" (gt (int $value) 2) -}}
{{- end -}}
{{- dict "value" $value | toYaml -}}
{{- end -}}

{{/* "true" if the value is an empty text, list or map: then its key says nothing. */}}
{{- define "spark-operator.values.empty" -}}
{{- if and (or (kindIs "string" .) (kindIs "slice" .) (kindIs "map" .)) (not .) -}}true{{- end -}}
{{- end -}}

{{- define "spark-operator.values.contradiction" -}}
{{- fail (printf "\n\n%s=%s and %s=%s contradict each other. Give one of them only; %s is the newer key.\n" .old (toJson .oldValue) .new (toJson .newValue) .name) -}}
{{- end -}}

{{/* Old keys over the defaults. Takes values, flat, map; sets by[new path] = {key, value}. */}}
{{- define "spark-operator.values.old" -}}
{{- range .map -}}
{{- $given := get $.flat .key -}}
{{- if and (hasKey $.flat .key) (not (kindIs "invalid" $given)) -}}
{{- $value := (include "spark-operator.values.as" (dict "value" $given "as" .as) | fromYaml).value -}}
{{- $empty := include "spark-operator.values.empty" $value -}}
{{- $first := first .to -}}
{{- $new := get $.flat $first -}}
{{- if eq .as "list" -}}
{{- $new = (include "spark-operator.values.as" (dict "value" $new "as" .as) | fromYaml).value -}}
{{- end -}}
{{- if and (hasKey $.flat $first) (not (kindIs "invalid" $new)) (not $empty) (not (include "spark-operator.values.empty" $new)) (ne (toJson $value) (toJson $new)) -}}
{{- include "spark-operator.values.contradiction" (dict "old" .key "oldValue" $given "new" $first "newValue" $new "name" $first) -}}
{{- end -}}
{{- $other := get $.by $first -}}
{{- if and $other (ne (toJson $value) (toJson $other.value)) -}}
{{- include "spark-operator.values.contradiction" (dict "old" .key "oldValue" $given "new" $other.key "newValue" $other.given "name" $first) -}}
{{- end -}}
{{- if not $empty -}}
{{- $_ := set $.by $first (dict "key" .key "value" $value "given" $given) -}}
{{- end -}}
{{- range .to -}}
{{- include "spark-operator.values.put" (dict "in" $.values "path" . "value" $value) -}}
{{- end -}}
{{- if and (eq .as "ingress") $value -}}
{{- if eq (get $.flat "controller.uiIngress.enable" | toString) "false" -}}
{{- include "spark-operator.values.contradiction" (dict "old" .key "oldValue" $given "new" "controller.uiIngress.enable" "newValue" false "name" "controller.uiIngress.enable") -}}
{{- end -}}
{{- $_ := set $.values.controller.uiIngress "enable" true -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* New keys over that; an empty one yields to an old one. Takes values, flat, leaves, by. */}}
{{- define "spark-operator.values.new" -}}
{{- range $path, $value := .flat -}}
{{- if not (or (hasKey $.skip $path) (and (hasKey $.by $path) (include "spark-operator.values.empty" $value))) -}}
{{- include "spark-operator.values.put" (dict "in" $.values "path" $path "value" $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The namespaces as a list, to all of which a selector adds nothing, and the webhook's selector as a label selector. Takes the values. */}}
{{- define "spark-operator.values.normal" -}}
{{- if kindIs "string" .spark.jobNamespaces -}}
{{- $_ := set .spark "jobNamespaces" (include "spark-operator.values.split" .spark.jobNamespaces | fromYaml).value -}}
{{- end -}}
{{- $_ := set .spark "jobNamespaces" (uniq .spark.jobNamespaces) -}}
{{- if has "" .spark.jobNamespaces -}}
{{- $_ := set .spark "jobNamespaceSelector" "" -}}
{{- end -}}
{{- $selector := .webhook.namespaceSelector -}}
{{- if kindIs "string" $selector -}}
{{- $labels := dict -}}
{{- range compact (splitList "," (nospace $selector)) -}}
{{- $pair := splitn "=" 2 . -}}
{{- if not (and $pair._1 (regexMatch "^([a-z0-9.-]+/)?[A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?$" $pair._0)) -}}
{{- fail (printf "\n\nwebhook.namespaceSelector=%q: expected key1=value1,key2=value2 or a map of labels.\n" $selector) -}}
{{- end -}}
{{- if and (hasKey $labels $pair._0) (ne (get $labels $pair._0) (trimPrefix "=" $pair._1)) -}}
{{- $both := list (get $labels $pair._0) (trimPrefix "=" $pair._1) -}}
{{- fail (printf "\n\nwebhook.namespaceSelector=%q: a namespace has one value of the label %s. For either of them: webhook.namespaceSelector: {matchExpressions: [{key: %s, operator: In, values: [%s]}]}\n" $selector $pair._0 $pair._0 (join ", " $both)) -}}
{{- end -}}
{{- $_ := set $labels $pair._0 (trimPrefix "=" $pair._1) -}}
{{- end -}}
{{- $_ := set .webhook "namespaceSelector" (ternary (dict "matchLabels" $labels) dict (gt (len $labels) 0)) -}}
{{- else if and $selector (not (or (hasKey $selector "matchLabels") (hasKey $selector "matchExpressions"))) -}}
{{- $_ := set .webhook "namespaceSelector" (dict "matchLabels" $selector) -}}
{{- end -}}
{{- end -}}

{{/* What chart 1.x says about rights. Takes values, flat, is. */}}
{{- define "spark-operator.values.oldRights" -}}
{{- $all := eq (get .flat "rbac.create" | toString) "true" -}}
{{- if and (not $all) (eq (get .flat "rbac.createRole" | toString) "false") -}}
{{- if eq (get .flat "spark.rbac.create" | toString) "true" -}}
{{- include "spark-operator.values.contradiction" (dict "old" "rbac.createRole" "oldValue" false "new" "spark.rbac.create" "newValue" true "name" "spark.rbac.create") -}}
{{- end -}}
{{- $_ := set .values.spark.rbac "create" false -}}
{{- end -}}
{{- if and (not $all) (eq (get .flat "rbac.createClusterRole" | toString) "false") (not (hasKey .flat "rbac.clusterRole")) -}}
{{- if or .is.clusterWide (and .is.webhook (not .values.certManager.enable)) -}}
{{- $_ := set .values.controller.rbac "create" false -}}
{{- $_ := set .values.webhook.rbac "create" false -}}
{{- $_ := set .is "warnings" (append .is.warnings "rbac.createClusterRole=false: the chart made no Roles for the operator, since without a ClusterRole they are not enough here. Bring your own.") -}}
{{- else -}}
{{- $_ := set .values.rbac "clusterRole" false -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Names of objects. Takes root, values, is; returns a map. */}}
{{- define "spark-operator.values.names" -}}
{{- $v1 := eq .is.layout "v1" -}}
{{- $full := include "spark-operator.fullname" .root -}}
{{- $controller := ternary $full (printf "%s-controller" $full) (and $v1 (not .is.two)) -}}
{{- $webhook := ternary (printf "%s-webhook" $full) $controller .is.two -}}
{{- $controllerAccount := .values.controller.serviceAccount.name | default (ternary $controller "default" .values.controller.serviceAccount.create) -}}
{{- $webhookAccount := .values.webhook.serviceAccount.name | default (ternary $webhook "default" .values.webhook.serviceAccount.create) -}}
{{- $sparkAccount := .values.spark.serviceAccount.name | default (ternary (ternary (printf "%s-spark" .root.Release.Name) (printf "%s-spark" $full) $v1) "default" .values.spark.serviceAccount.create) -}}
fullname: {{ $full }}
controller: {{ $controller }}
webhook: {{ $webhook }}
controllerAccount: {{ $controllerAccount }}
webhookAccount: {{ ternary $webhookAccount $controllerAccount .is.two }}
controllerRole: {{ $controller }}
webhookRole: {{ $webhook }}
webhookService: {{ ternary (printf "%s-webhook" ($full | trunc 55 | trimSuffix "-")) (printf "%s-webhook-svc" ($full | trunc 51 | trimSuffix "-")) $v1 }}
secret: {{ ternary "spark-webhook-certs" (printf "%s-webhook-certs" $full) $v1 }}
webhookConfig: {{ printf "%s-webhook" $full }}
sparkAccount: {{ $sparkAccount }}
sparkRole: {{ ternary (printf "%s-spark" .root.Release.Name) $sparkAccount $v1 }}
lease: {{ .values.leaderElection.lockName | default "spark-operator-lock" }}
formerLease: {{ printf "%s-controller-lock" $full }}
controllerPdb: {{ printf "%s-pdb" $controller }}
webhookPdb: {{ printf "%s-pdb" $webhook }}
podMonitor: {{ printf "%s-podmonitor" $full }}
metricsService: {{ printf "%s-metrics" ($full | trunc 55 | trimSuffix "-") }}
serviceMonitor: {{ $full }}
{{- end -}}

{{/*
The image. Public images of kubeflow's and GCP's operators hold another program, which doesn't know our arguments: whoever passes
that chart's values.yaml as it is gets ours. Takes root, values, flat, is; sets is.image.
*/}}
{{- define "spark-operator.values.image" -}}
{{- $image := .values.image -}}
{{- $full := ternary (printf "%s/%s" $image.registry $image.repository) $image.repository (ne (default "" $image.registry) "") -}}
{{- $name := trimPrefix "docker.io/" $full -}}
{{- if not (kindIs "string" $image.tag) -}}
{{- fail (printf "\n\nimage.tag=%v is a number, of which YAML drops zeros: 0.10 is 0.1. Quote it: image.tag: \"…\", or --set-string image.tag=….\n" $image.tag) -}}
{{- end -}}
{{- $tag := $image.tag -}}
{{- $theirs := list "ghcr.io/kubeflow/spark-operator/controller" "kubeflow/spark-operator/controller" "ghcr.io/kubeflow/spark-operator" "kubeflow/spark-operator" "ghcr.io/googlecloudplatform/spark-operator" "gcr.io/spark-operator/spark-operator" "googlecloudplatform/spark-operator" -}}
{{- if has $name $theirs -}}
{{- include "spark-operator.values.blind" (merge (dict "image" $name) .) -}}
{{- $why := printf "%s holds another program; the image of this chart is taken" $name -}}
{{- $_ := set .is "ignored" (append .is.ignored (dict "key" "image" "why" $why)) -}}
{{- $name = "spark-operator" -}}
{{- $full = $name -}}
{{- $tag = "" -}}
{{- else if regexMatch "(kubeflow|googlecloudplatform)/spark-operator(/controller)?$" $name -}}
{{- $_ := set .is "warnings" (append .is.warnings (printf "image %s looks like a copy of kubeflow's or GCP's operator; this chart needs its own" $name)) -}}
{{- end -}}
{{- if hasPrefix "v1beta2-" $tag -}}
{{- $_ := set .is "ignored" (append .is.ignored (dict "key" "image.tag" "why" (printf "%s is a version of another program" $tag))) -}}
{{- $tag = "" -}}
{{- end -}}
{{- if not (regexMatch "^([^/]*[.:][^/]*|localhost)/" $full) -}}
{{- $_ := set .is "imageAsked" (printf "docker.io/%s%s" (ternary "" "library/" (contains "/" $full)) $full) -}}
{{- $_ := set .is "warnings" (append .is.warnings (printf "image %s names no registry: nodes that do not hold it ask for %s, which is not yours. Push the image to a registry of yours and give image.registry and image.repository" $full .is.imageAsked)) -}}
{{- end -}}
{{- $tag = default .root.Chart.AppVersion $tag -}}
{{- $_ := set .is "image" (printf "%s%s%s" $name (ternary "@" ":" (hasPrefix "sha256:" $tag)) $tag) -}}
{{- end -}}

{{/*
Where no cluster can be asked (helm template, Argo CD), nobody reads notes either. So values of another operator's chart are not
taken for what they most probably mean. Takes root, values, flat, is, image: the other operator's.
*/}}
{{- define "spark-operator.values.blind" -}}
{{- if not (include "spark-operator.values.hasCluster" .) -}}
{{- $lines := list (printf "image %s holds another program. Give image.registry and image.repository of this one, and image.tag." .image) -}}
{{- if not (get .flat "layout") -}}
{{- $lines = append $lines "Give `layout: v2` if kubeflow's chart 2.x installed this release, so that its objects keep their names, else `layout: v1`." -}}
{{- end -}}
{{- fail (printf "\n\nThese are values of another operator's chart, and the manifests are made without access to the cluster, so what is there is not known.\n%s\n" (join "\n" $lines)) -}}
{{- end -}}
{{- end -}}

{{/*
"true" if the release has ClusterRoles, so that whoever installs it may read objects of the whole cluster. Others perhaps read nothing
but the own namespace, and a lookup that is forbidden ends the rendering. Takes the values.
*/}}
{{- define "spark-operator.values.mayAskCluster" -}}
{{- if and .rbac.clusterRole .controller.rbac.create -}}true{{- end -}}
{{- end -}}

{{/* "true" if `lookup` asks a cluster. Takes root, values. */}}
{{- define "spark-operator.values.hasCluster" -}}
{{- $is := dict -}}
{{- if include "spark-operator.values.mayAskCluster" .values -}}
{{- $is = lookup "v1" "Namespace" "" "kube-system" -}}
{{- else -}}
{{- $is = lookup "v1" "ServiceAccount" .root.Release.Namespace "default" -}}
{{- end -}}
{{- if $is -}}true{{- end -}}
{{- end -}}

{{/* What another operator's chart did by default and this one does not, while its release is taken over. Takes values, flat, is. */}}
{{- define "spark-operator.values.takeover" -}}
{{- if and (eq .is.from "2.x") .is.clusterWide (kindIs "invalid" (index .flat "spark.jobNamespaces")) (not .values.spark.jobNamespaceSelector) -}}
{{- fail "\n\nThis release was installed with chart 2.x, which works in the namespace `default` where nothing is said; this chart works in all. Say which:\n  spark.jobNamespaces: [default]\n  spark.jobNamespaces: [\"\"]\n" -}}
{{- end -}}
{{- if eq .is.from "1.x" -}}
{{- if and .is.webhook (not (kindIs "bool" (get .flat "webhook.enable"))) -}}
{{- $_ := set .is "warnings" (append .is.warnings "the webhook is on. Chart 1.x has it off by default: webhook.enable=false") -}}
{{- end -}}
{{- if and .is.webhook (not (get .flat "webhook.port")) -}}
{{- $_ := set .is "warnings" (append .is.warnings (printf "the webhook's pod listens on %d, as in chart 2.x; chart 1.x: 8080. A firewall between control plane and nodes has to let that through, or give webhook.port" (int .values.webhook.port))) -}}
{{- end -}}
{{- if and .values.prometheus.metrics.enable (not (or (get .flat "metrics.port") (get .flat "prometheus.metrics.port"))) -}}
{{- $_ := set .is "warnings" (append .is.warnings (printf "metrics are on port %d, as in chart 2.x; chart 1.x: 10254. For the old one: metrics.port=10254" (int .values.prometheus.metrics.port))) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
What is said of another operator in the namespace, by its arguments. Operators of webhooks alone have no Lease. Takes who, args: a flag
a line, values, is.
*/}}
{{- define "spark-operator.values.neighbour" -}}
{{- $lease := printf "(?m)^--?leader-election-(former-)?lock-name=(%s|%s)$" .is.names.lease .is.names.formerLease -}}
{{- $secret := printf "(?m)^--?webhook-secret-name=%s$" .is.names.secret -}}
{{- $cure := "give each its own spark.jobNamespaces or labelSelectorFilter, or remove one" -}}
{{- if and .values.controller.leaderElection.enable (regexMatch $lease .args) -}}
{{- $_ := set .is "warnings" (append .is.warnings (printf "%s is in this namespace too. Operators with one Lease take turns: only one of them works. If the two have different namespaces of applications, give one of them leaderElection.lockName" .who)) -}}
{{- else if not (regexMatch "(?m)^webhook$" .args) -}}
{{- $_ := set .is "warnings" (append .is.warnings (printf "%s is in this namespace too. It has another Lease or none, so both work at the same time. Two operators must not have the same applications: %s" .who $cure)) -}}
{{- end -}}
{{- if and .is.webhook (regexMatch $secret .args) -}}
{{- $_ := set .is "warnings" (append .is.warnings (printf "%s keeps its certificate in Secret %s, as this release does. Each replaces the other's, so neither webhook can be relied on. Give one of them layout: v2, in which the Secret has the name of the release, or webhook.enable=false" .who .is.names.secret)) -}}
{{- end -}}
{{- end -}}

{{/* Other operators that would work on the same applications, or that hold the same Lease or Secret. Takes root, values, is. */}}
{{- define "spark-operator.values.others" -}}
{{- $own := .root.Release.Name -}}
{{- $space := .root.Release.Namespace -}}
{{- range (lookup "apps/v1" "Deployment" $space "").items -}}
{{- $labels := .metadata.labels | default dict -}}
{{- if and (eq (get $labels "app.kubernetes.io/name") "spark-operator") (ne (get $labels "app.kubernetes.io/instance") $own) -}}
{{- $args := list -}}
{{- range dig "spec" "template" "spec" "containers" list . }}{{ $args = concat $args (.args | default list) }}{{ end -}}
{{- $who := printf "Deployment %s of release %s" .metadata.name (get $labels "app.kubernetes.io/instance") -}}
{{- include "spark-operator.values.neighbour" (dict "who" $who "args" (join "\n" $args) "values" $.values "is" $.is) -}}
{{- end -}}
{{- end -}}
{{- if not .values.labelSelectorFilter -}}
{{- $rbac := "rbac.authorization.k8s.io/v1" -}}
{{- $roles := list -}}
{{- if include "spark-operator.values.mayAskCluster" .values -}}
{{- $roles = (lookup $rbac "ClusterRole" "" "").items | default list -}}
{{- if .is.clusterWide }}{{ $roles = concat $roles ((lookup $rbac "Role" "" "").items | default list) }}{{ end -}}
{{- end -}}
{{- range .is.jobNamespaces }}{{ $roles = concat $roles ((lookup $rbac "Role" . "").items | default list) }}{{ end -}}
{{- range $roles -}}
{{- include "spark-operator.values.rival" (dict "role" . "own" $own "is" $.is) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What is said of a role by which another release runs applications where this one does. Takes role, own: this release, is. */}}
{{- define "spark-operator.values.rival" -}}
{{- $labels := .role.metadata.labels | default dict -}}
{{- $watches := false -}}
{{- $creates := false -}}
{{- range .role.rules -}}
{{- $kinds := .resources | default list -}}
{{- if and (or (has "sparkapplications" $kinds) (has "*" $kinds)) (or (has "watch" .verbs) (has "*" .verbs)) }}{{ $watches = true }}{{ end -}}
{{- if and (or (has "pods" $kinds) (has "*" $kinds)) (or (has "create" .verbs) (has "*" .verbs)) }}{{ $creates = true }}{{ end -}}
{{- end -}}
{{- if and $watches $creates (eq (get $labels "app.kubernetes.io/name") "spark-operator") (ne (get $labels "app.kubernetes.io/instance") .own) -}}
{{- $where := ternary (printf "in namespace %s" .role.metadata.namespace) "in all namespaces" (not (empty .role.metadata.namespace)) -}}
{{- $_ := set .is "warnings" (append .is.warnings (printf "%s %s lets release %s work %s too. Two operators must not have the same applications: give each its spark.jobNamespaces or labelSelectorFilter, or remove one" (.role.kind | default "Role") .role.metadata.name (get $labels "app.kubernetes.io/instance") $where)) -}}
{{- end -}}
{{- end -}}

{{/* Given keys that mean nothing here. Takes values, flat, is, ignored (path → why); sets is.ignored, is.warnings. */}}
{{- define "spark-operator.values.ignored" -}}
{{- $out := .is.ignored -}}
{{- range $path, $why := .ignored -}}
{{- if get $.flat $path -}}
{{- $out = append $out (dict "key" $path "why" $why) -}}
{{- end -}}
{{- end -}}
{{- range .values.controller.featureGates -}}
{{- if and .enabled (ne .name "DefaultTimeToLive") -}}
{{- $out = append $out (dict "key" (printf "controller.featureGates: %s" .name) "why" "this operator has no such feature, or has it always") -}}
{{- end -}}
{{- end -}}
{{- $ttl := false -}}
{{- range .values.controller.featureGates -}}
{{- if and .enabled (eq .name "DefaultTimeToLive") -}}{{- $ttl = true -}}{{- end -}}
{{- end -}}
{{- if and (gt (int .values.controller.defaultTimeToLiveSeconds) 0) (not $ttl) -}}
{{- $out = append $out (dict "key" "controller.defaultTimeToLiveSeconds" "why" "it needs the feature gate DefaultTimeToLive in controller.featureGates") -}}
{{- end -}}
{{- range $role := list "controller" "webhook" -}}
{{- range (get $.values $role).env -}}
{{- if has .name (list "JAVA_OPTS" "_JAVA_OPTIONS" "JAVA_TOOL_OPTIONS" "JDK_JAVA_OPTIONS" "JAVA_HOME" "SPARK_SUBMIT_OPTS" "SPARK_HOME" "KUBERNETES_DISABLE_HOSTNAME_VERIFICATION") -}}
{{- $out = append $out (dict "key" (printf "%s.env: %s" $role .name) "why" "the operator starts no JVM; drivers and executors have spec.driver.javaOptions and env") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if .values.controller.batchScheduler.enable -}}
{{- $out = append $out (dict "key" "controller.batchScheduler" "why" "this version does not work with batch schedulers: it refuses applications that ask for one") -}}
{{- end -}}
{{- if and .values.controller.uiIngress.enable (not (and .values.controller.uiIngress.urlFormat .values.controller.uiService.enable)) -}}
{{- $out = append $out (dict "key" "controller.uiIngress.enable" "why" "it needs controller.uiIngress.urlFormat and controller.uiService.enable=true") -}}
{{- end -}}
{{- if and .is.webhook .values.webhook.guard .values.certManager.enable -}}
{{- $out = append $out (dict "key" "webhook.guard" "why" "with cert-manager the operator has neither of the permissions that the policies are for") -}}
{{- end -}}
{{- if not .is.webhook -}}
{{- range $path := list "certManager.enable" "webhook.resourceQuotaEnforcement.enable" "resourceQuotaEnforcement.enable" "webhook.guard" -}}
{{- if get $.flat $path -}}
{{- $out = append $out (dict "key" $path "why" "it needs webhook.enable=true") -}}
{{- end -}}
{{- end -}}
{{- if eq .values.deployments "two" -}}
{{- $out = append $out (dict "key" "deployments" "why" "without the webhook there is one") -}}
{{- end -}}
{{- else if not .is.two -}}
{{- range $path, $value := .flat -}}
{{- if and (regexMatch "^webhook\\.(replicas|revisionHistoryLimit|logLevel|logEncoder|kubeAPIQPS|kubeAPIBurst|serviceAccount\\..*|rbac\\..*|labels|annotations|deploymentAnnotations|sidecars|volumes|volumeMounts|nodeSelector|affinity|tolerations|priorityClassName|podSecurityContext|securityContext|topologySpreadConstraints|hostUsers|hostNetwork|dnsPolicy|dnsConfig|env|envFrom|resources|podDisruptionBudget\\..*)$" $path) $value -}}
{{- $out = append $out (dict "key" $path "why" (printf "there is one Deployment: %s counts" (replace "webhook." "controller." $path))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $_ := set .is "ignored" $out -}}
{{- $qps := get .flat "controller.kubeAPIQPS" -}}
{{- if and $qps (lt (int $qps) 100) -}}
{{- $_ := set .is "warnings" (append .is.warnings (printf "controller.kubeAPIQPS=%v limits the operator to few submissions a second; leave it out to have the default, 500" $qps)) -}}
{{- end -}}
{{- end -}}

{{/*
A budget that allows no disruption keeps every node from being drained. Kubernetes rounds a percentage of pods that must stay up.
Takes flat, role, at: the values of the role.
*/}}
{{- define "spark-operator.values.budget" -}}
{{- $budget := .at.podDisruptionBudget -}}
{{- $replicas := int .at.replicas -}}
{{- if $budget.enable -}}
{{- $key := printf "%s.podDisruptionBudget" .role -}}
{{- $given := get .flat (printf "%s.minAvailable" $key) | default (get .flat "podDisruptionBudget.minAvailable") -}}
{{- if $budget.maxUnavailable -}}
{{- if $given -}}
{{- fail (printf "\n\n%s: minAvailable and maxUnavailable exclude each other. Give one of them.\n" $key) -}}
{{- end -}}
{{- else -}}
{{- $text := toString $budget.minAvailable -}}
{{- $stay := trimSuffix "%" $text | int -}}
{{- if hasSuffix "%" $text -}}
{{- $stay = div (add (mul $stay $replicas) 99) 100 -}}
{{- end -}}
{{- if ge (int $stay) $replicas -}}
{{- fail (printf "\n\n%s.minAvailable=%s of %d replicas: no pod may be away, so no node with one of them can be drained. Give less, or %s.maxUnavailable=1.\n" $key $text $replicas $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Combinations that cannot be. Takes root, values, flat, is. */}}
{{- define "spark-operator.values.check" -}}
{{- $v := .values -}}
{{- range $role := ternary (list "controller" "webhook") (list "controller") .is.two -}}
{{- $at := get $v $role -}}
{{- if le (int $at.replicas) 1 -}}
{{- range $key, $given := dict "topologySpreadConstraints" $at.topologySpreadConstraints "podDisruptionBudget.enable" $at.podDisruptionBudget.enable -}}
{{- if $given -}}
{{- fail (printf "\n\n%s.%s needs %s.replicas (chart 1.x: replicaCount) of at least 2, it is %d.\n" $role $key $role (int $at.replicas)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $role := ternary (list "controller" "webhook") (list "controller") .is.two -}}
{{- include "spark-operator.values.budget" (dict "flat" $.flat "role" $role "at" (get $v $role)) -}}
{{- end -}}
{{- $ports := list "health" -}}
{{- if $v.prometheus.metrics.enable }}{{ $ports = append $ports $v.prometheus.metrics.portName }}{{ end -}}
{{- if .is.webhook }}{{ $ports = append $ports $v.webhook.portName }}{{ end -}}
{{- if ne (len $ports) (len (uniq $ports)) -}}
{{- fail (printf "\n\nprometheus.metrics.portName=%s, webhook.portName=%s and health must differ: they are names of ports of one pod.\n" $v.prometheus.metrics.portName $v.webhook.portName) -}}
{{- end -}}
{{- if not $v.rbac.clusterRole -}}
{{- if .is.clusterWide -}}
{{- fail (printf "\n\nrbac.clusterRole=false needs namespaces by name: set spark.jobNamespaces (chart 1.x: sparkJobNamespace), and not spark.jobNamespaceSelector. Now: jobNamespaces=%s, jobNamespaceSelector=%q.\n" (toJson $v.spark.jobNamespaces) $v.spark.jobNamespaceSelector) -}}
{{- end -}}
{{- if and .is.webhook (not $v.certManager.enable) -}}
{{- fail "\n\nrbac.clusterRole=false: without a ClusterRole the operator cannot keep its CA in the webhook configurations. Set webhook.enable=false, or certManager.enable=true.\n" -}}
{{- end -}}
{{- if $v.crds.upgrade -}}
{{- fail "\n\nrbac.clusterRole=false: without a ClusterRole the operator cannot upgrade the CRDs. Leave out crds.upgrade (hook.upgradeCrd) and apply the CRDs yourself.\n" -}}
{{- end -}}
{{- end -}}
{{- if and .is.webhook $v.certManager.enable (not (.root.Capabilities.APIVersions.Has "cert-manager.io/v1/Certificate")) -}}
{{- fail "\n\ncertManager.enable=true: the cluster has no cert-manager.io/v1 Certificate. Install cert-manager first, or leave certManager.enable out: then the operator makes the certificate. (helm template: --api-versions cert-manager.io/v1/Certificate)\n" -}}
{{- end -}}
{{- end -}}

{{/* An account cannot be made twice, and drivers must not have the operator's rights. Takes root, values, is. */}}
{{- define "spark-operator.values.accounts" -}}
{{- $names := .is.names -}}
{{- $made := list -}}
{{- if .values.controller.serviceAccount.create }}{{ $made = append $made $names.controllerAccount }}{{ end -}}
{{- if and .is.two .values.webhook.serviceAccount.create }}{{ $made = append $made $names.webhookAccount }}{{ end -}}
{{- if and .values.spark.serviceAccount.create (has .root.Release.Namespace .is.sparkNamespaces) (has $names.sparkAccount $made) -}}
{{- fail (printf "\n\nspark.serviceAccount.name=%s is the operator's own account in namespace %s, and drivers would have its rights. Give drivers another account.\n" $names.sparkAccount .root.Release.Namespace) -}}
{{- end -}}
{{- end -}}

{{/*
What the release is in the cluster, as {layout, from}; only v1 has a Deployment F, or a Service F-webhook, and only v2 a Service
F-webhook-svc. An upgrade that finds nothing in a namespace without its account `default` sees no cluster: helm template --is-upgrade,
helm upgrade --dry-run=client. Takes root, flat.
*/}}
{{- define "spark-operator.values.installed" -}}
{{- $full := include "spark-operator.fullname" .root -}}
{{- $space := .root.Release.Namespace -}}
{{- $one := lookup "apps/v1" "Deployment" $space $full -}}
{{- $controller := lookup "apps/v1" "Deployment" $space (printf "%s-controller" $full) -}}
{{- $service := lookup "v1" "Service" $space (printf "%s-webhook" ($full | trunc 55 | trimSuffix "-")) -}}
{{- $second := lookup "v1" "Service" $space (printf "%s-webhook-svc" ($full | trunc 51 | trimSuffix "-")) -}}
{{- if not (or (get .flat "layout") $one $controller $service $second (lookup "v1" "ServiceAccount" $space "default")) -}}
{{- fail "\n\nThis is an upgrade without access to the cluster, so the names that the release has are not known. Say which, or use --dry-run=server:\n  layout: v1    # a new installation has these, and chart 1.x\n  layout: v2    # kubeflow's chart 2.x has these\n" -}}
{{- end -}}
{{- $old := $one | default $controller | default dict -}}
{{- $chart := dig "metadata" "labels" "helm.sh/chart" "" $old -}}
{{- range dig "spec" "template" "spec" "containers" list $old -}}
{{- if contains "--upgrade-crds=" (join " " (.args | default list)) }}{{ $chart = "" }}{{ end -}} {{/* a flag of this operator only */}}
{{- end -}}
layout: {{ ternary "v2" "v1" (and (not $one) (not $service) (not (empty (or $controller $second)))) }}
{{- $prefix := printf "%s-" .root.Chart.Name }}
from: {{ regexFind (printf "^%s[12][.]" $prefix) $chart | trimPrefix $prefix | replace "." ".x" | quote }}
{{- end -}}

{{/*
Whose names objects get: never what other values suggest, since a name that changes leaves the old object behind. Takes root, flat;
returns is.layout, and is.from: the chart that made the release, 1.x or 2.x, while it is that of another operator.
*/}}
{{- define "spark-operator.values.layout" -}}
{{- $installed := dict "layout" "v1" "from" "" -}}
{{- if .root.Release.IsUpgrade -}}
{{- $installed = include "spark-operator.values.installed" . | fromYaml -}}
{{- end -}}
{{- dict "layout" (get .flat "layout" | default $installed.layout) "from" $installed.from | toYaml -}}
{{- end -}}

{{/* Worked out once per rendering, since it asks the cluster. */}}
{{- define "spark-operator.values" -}}
{{- if not (hasKey . "effectiveValues") -}}
{{- $_ := set . "effectiveValues" (include "spark-operator.values.make" .) -}}
{{- end -}}
{{- .effectiveValues -}}
{{- end -}}

{{- define "spark-operator.values.make" -}}
{{- $table := .Files.Get "files/old-values.yaml" | fromYaml -}}
{{- $v := .Files.Get "files/defaults.yaml" | fromYaml -}}
{{- $flat := dict -}}
{{- include "spark-operator.values.flat" (dict "from" .Values "prefix" "" "leaves" $table.leaves "into" $flat) -}}
{{- include "spark-operator.values.gone" (dict "flat" $flat "gone" $table.gone) -}}
{{- $is := include "spark-operator.values.layout" (dict "root" . "flat" $flat) | fromYaml -}}
{{- $_ := set $is "ignored" list -}}
{{- $_ := set $is "warnings" list -}}
{{- $skip := deepCopy $table.ignored -}}
{{- range $path, $whose := $table.leaves -}}
{{- if or (eq $whose "helm") (has $path (list "rbac.create" "rbac.createRole" "rbac.createClusterRole" "controller.pprof.port" "controller.pprof.portName")) -}}
{{- $_ := set $skip $path true -}}
{{- end -}}
{{- end -}}
{{- $by := dict -}}
{{- include "spark-operator.values.old" (dict "values" $v "flat" $flat "map" $table.map "by" $by) -}}
{{- range $table.map -}}
{{- $_ := set $skip .key true -}}
{{- end -}}
{{- include "spark-operator.values.new" (dict "values" $v "flat" $flat "by" $by "skip" $skip) -}}
{{- include "spark-operator.values.normal" $v -}}
{{- $_ := set $is "webhook" $v.webhook.enable -}}
{{- $two := or (eq $v.deployments "two") (and (ne $v.deployments "one") (eq $is.layout "v2")) -}}
{{- $_ := set $is "two" (and $is.webhook $two) -}}
{{- $_ := set $is "component" (or $is.two (eq $is.layout "v2")) -}}
{{- $all := or (not $v.spark.jobNamespaces) (has "" $v.spark.jobNamespaces) -}}
{{- $_ := set $is "clusterWide" (or $all (ne $v.spark.jobNamespaceSelector "")) -}}
{{- $_ := set $is "jobNamespaces" (ternary list $v.spark.jobNamespaces $all) -}}
{{- $named := without $v.spark.jobNamespaces "" -}}
{{- if not $named -}}
{{- $named = list .Release.Namespace -}}
{{- end -}}
{{- $_ := set $is "sparkNamespaces" $named -}}
{{- include "spark-operator.values.oldRights" (dict "values" $v "flat" $flat "is" $is) -}}
{{- if and (gt (int $v.controller.replicas) 1) (not $v.controller.leaderElection.enable) -}}
{{- $_ := set $v.controller.leaderElection "enable" true -}}
{{- $_ := set $is "warnings" (append $is.warnings "controller.leaderElection.enable=false: it is on all the same, since several replicas would work on the same applications") -}}
{{- end -}}
{{- if not $v.webhook.podFailurePolicy -}}
{{- $_ := set $v.webhook "podFailurePolicy" (get $flat "webhook.failurePolicy" | default "Ignore") -}}
{{- end -}}
{{- include "spark-operator.values.check" (dict "root" . "values" $v "flat" $flat "is" $is) -}}
{{- include "spark-operator.values.takeover" (dict "values" $v "flat" $flat "is" $is) -}}
{{- $_ := set $is "clusterRole" $v.rbac.clusterRole -}}
{{- if kindIs "bool" $v.crds.upgrade -}}
{{- $_ := set $is "crdUpgrade" $v.crds.upgrade -}}
{{- else -}}
{{- $_ := set $is "crdUpgrade" (and $is.clusterRole $v.controller.rbac.create (or $is.clusterWide $is.webhook)) -}}
{{- end -}}
{{- $_ := set $is "names" (include "spark-operator.values.names" (dict "root" . "values" $v "is" $is) | fromYaml) -}}
{{- include "spark-operator.values.accounts" (dict "root" . "values" $v "is" $is) -}}
{{- include "spark-operator.values.others" (dict "root" . "values" $v "is" $is) -}}
{{- $_ := set $is "leaseNamespace" (default .Release.Namespace $v.leaderElection.lockNamespace) -}}
{{- include "spark-operator.values.image" (dict "root" . "values" $v "flat" $flat "is" $is) -}}
{{- include "spark-operator.values.ignored" (dict "values" $v "flat" $flat "is" $is "ignored" $table.ignored) -}}
{{- $_ := set $v "is" $is -}}
{{- toYaml $v -}}
{{- end -}}

{{- define "spark-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "spark-operator.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains (include "spark-operator.name" .) .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "spark-operator.name" .) | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
