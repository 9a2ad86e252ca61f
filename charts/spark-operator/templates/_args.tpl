{{/*
Arguments of the operator. A row is a flag and its value; null and "" mean that the flag is not passed, so that the program's own
default holds. What `config` says replaces a row of the same name and comes last.
*/}}

{{/* The value as text: numbers in full (8080, not 8.08e+03), lists joined by commas, maps as JSON. */}}
{{- define "spark-operator.text" -}}
{{- if kindIs "float64" . -}}
{{- if eq (float64 (int64 .)) . }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- else if kindIs "slice" . -}}
{{- if and . (kindIs "map" (first .)) }}{{ toJson . }}{{ else }}{{ join "," . }}{{ end -}}
{{- else if kindIs "map" . -}}
{{- if . }}{{ toJson . }}{{ end -}}
{{- else if not (kindIs "invalid" .) -}}
{{ . }}
{{- end -}}
{{- end -}}

{{/* Namespaces to watch: none of them named when all are watched. */}}
{{- define "spark-operator.rows.common" -}}
{{- $v := .v -}}{{- $p := .values -}}{{- $metrics := $v.prometheus.metrics -}}
{{- $precision := $v.controller.scheduledSparkApplicationTimestampPrecision -}}
{{- $rows := list
  (list "zap-log-level" $p.logLevel)
  (list "zap-encoder" $p.logEncoder)
  (list "kube-api-qps" $p.kubeAPIQPS)
  (list "kube-api-burst" $p.kubeAPIBurst)
  (list "health-probe-bind-address" ":8081")
  (list "enable-metrics" (eq true $metrics.enable))
  (list "pod-policy" $v.webhook.podPolicy)
  (list "default-image" $v.controller.defaultImage)
  (list "allowed-ingress-hosts" $v.limits.ingressHosts)
  (list "allowed-ingress-annotations" $v.limits.ingressAnnotations)
  (list "allowed-service-types" $v.limits.serviceTypes)
  (list "allowed-service-annotations" $v.limits.serviceAnnotations)
  (list "allowed-service-labels" $v.limits.serviceLabels)
  (list "allowed-storage-classes" $v.limits.storageClasses)
  (list "max-claim-size" $v.limits.claimSize)
  (list "scheduled-spark-application-timestamp-precision" (ternary "" $precision (eq "nanos" $precision)))
-}}
{{- if $metrics.enable -}}
{{- $rows = concat $rows (list
  (list "metrics-bind-address" (printf ":%s" (include "spark-operator.text" $metrics.port)))
  (list "metrics-endpoint" $metrics.endpoint)
  (list "metrics-prefix" $metrics.prefix)
  (list "metrics-labels" (default "namespace,app_type" $metrics.labels))
  (list "metrics-old-names" $metrics.oldNames)
) -}}
{{- else -}}
{{- $rows = append $rows (list "metrics-bind-address" "0") -}}
{{- end -}}
{{- toJson $rows -}}
{{- end -}}

{{- define "spark-operator.rows.controller" -}}
{{- $v := .v -}}{{- $c := $v.controller -}}{{- $metrics := $v.prometheus.metrics -}}{{- $ttl := false -}}
{{- range $c.featureGates }}{{ if and (eq .name "DefaultTimeToLive") .enabled }}{{ $ttl = true }}{{ end }}{{ end -}}
{{- $rows := list
  (list "controller-threads" $c.workers)
  (list "label-selector-filter" $v.labelSelectorFilter)
  (list "upgrade-crds" $v.is.crdUpgrade)
  (list "enable-ui-service" $c.uiService.enable)
  (list "driver-pod-creation-grace-period" $c.driverPodCreationGracePeriod)
  (list "max-tracked-executor-per-app" $c.maxTrackedExecutorPerApp)
  (list "webhook-for-executors" (ternary true "" (and $v.is.webhook $v.is.two)))
  (list "workqueue-ratelimiter-bucket-qps" $c.workqueueRateLimiter.bucketQPS)
  (list "workqueue-ratelimiter-bucket-size" $c.workqueueRateLimiter.bucketSize)
-}}
{{- if $v.spark.jobNamespaceSelector -}}
{{- $rows = append $rows (list "namespace-selector" $v.spark.jobNamespaceSelector) -}}
{{- end -}}
{{- if $c.workqueueRateLimiter.maxDelay.enable -}}
{{- $rows = append $rows (list "workqueue-ratelimiter-max-delay" $c.workqueueRateLimiter.maxDelay.duration) -}}
{{- end -}}
{{- if $c.uiIngress.enable -}}
{{- $rows = concat $rows (list
  (list "ingress-url-format" $c.uiIngress.urlFormat)
  (list "ingress-class-name" $c.uiIngress.ingressClassName)
  (list "ingress-tls" $c.uiIngress.tls)
  (list "ingress-annotations" $c.uiIngress.annotations)
) -}}
{{- end -}}
{{- if $c.batchScheduler.enable -}}
{{- $rows = concat $rows (list
  (list "enable-batch-scheduler" true)
  (list "kube-scheduler-names" $c.batchScheduler.kubeSchedulerNames)
  (list "default-batch-scheduler" $c.batchScheduler.default)
) -}}
{{- end -}}
{{- if $c.driverPodDisruptionBudget.enable -}}
{{- $rows = append $rows (list "enable-driver-pdb" true) -}}
{{- end -}}
{{- if $ttl -}}
{{- $rows = append $rows (list "default-time-to-live-seconds" $c.defaultTimeToLiveSeconds) -}}
{{- end -}}
{{- if $metrics.enable -}}
{{- $rows = concat $rows (list
  (list "metrics-job-submit-latency-buckets" $metrics.jobSubmitLatencyBuckets)
  (list "metrics-job-start-latency-buckets" $metrics.jobStartLatencyBuckets)
) -}}
{{- end -}}
{{- if $c.leaderElection.enable -}}
{{- $rows = concat $rows (list
  (list "leader-election" true)
  (list "leader-election-lock-name" $v.is.names.lease)
  (list "leader-election-former-lock-name" $v.is.names.formerLease)
  (list "leader-election-lock-namespace" $v.is.leaseNamespace)
  (list "leader-election-lease-duration" $c.leaderElection.leaseDuration)
  (list "leader-election-renew-deadline" $c.leaderElection.renewDeadline)
  (list "leader-election-retry-period" $c.leaderElection.retryPeriod)
) -}}
{{- else -}}
{{- $rows = append $rows (list "leader-election" false) -}}
{{- end -}}
{{- toJson $rows -}}
{{- end -}}

{{- define "spark-operator.rows.webhook" -}}
{{- $v := .v -}}{{- $config := $v.is.names.webhookConfig -}}
{{- if not $v.is.clusterRole }}{{ $config = "" }}{{ end -}}
{{- $rows := list
  (list "webhook-port" $v.webhook.port)
  (list "webhook-secret-name" $v.is.names.secret)
  (list "webhook-secret-namespace" .root.Release.Namespace)
  (list "webhook-svc-name" $v.is.names.webhookService)
  (list "webhook-svc-namespace" .root.Release.Namespace)
  (list "mutating-webhook-name" $config "always")
  (list "validating-webhook-name" $config "always")
  (list "enable-resource-quota-enforcement" $v.webhook.resourceQuotaEnforcement.enable)
  (list "enable-cert-manager" $v.certManager.enable)
-}}
{{- if and $v.is.two $v.limits.ingressHosts $v.controller.uiIngress.enable -}}
{{- $rows = append $rows (list "ingress-url-format" $v.controller.uiIngress.urlFormat) -}}
{{- end -}}
{{- toJson $rows -}}
{{- end -}}

{{/* All arguments of a part as a YAML list. */}}
{{- define "spark-operator.args" -}}
{{- $v := .v -}}{{- $is := include "spark-operator.part" . | fromYaml -}}{{- $config := $v.config | default dict -}}
{{- $args := ternary (list "start") (list .name "start") (or (eq $is.component "") (and $is.controls $is.admits)) -}}
{{- $rows := list -}}
{{- if $v.is.jobNamespaces -}}
{{- if or (eq .name "controller") (not $v.is.clusterWide) -}}
{{- $rows = append $rows (list "namespaces" $v.is.jobNamespaces) -}}
{{- end -}}
{{- end -}}
{{- $rows = concat $rows (include "spark-operator.rows.common" . | fromJsonArray) -}}
{{- if $is.controls }}{{ $rows = concat $rows (include "spark-operator.rows.controller" . | fromJsonArray) }}{{ end -}}
{{- if and $is.admits $is.controls }}{{ $rows = append $rows (list "enable-webhook" true) }}{{ end -}}
{{- if $is.admits }}{{ $rows = concat $rows (include "spark-operator.rows.webhook" . | fromJsonArray) }}{{ end -}}
{{- range $rows -}}
{{- $text := include "spark-operator.text" (index . 1) -}}
{{- if and (not (hasKey $config (first .))) (or $text (eq 3 (len .))) -}}
{{- $args = append $args (printf "--%s=%s" (first .) $text) -}}
{{- end -}}
{{- end -}}
{{- range $name := keys $config | sortAlpha -}}
{{- $args = append $args (printf "--%s=%s" $name (include "spark-operator.text" (get $config $name))) -}}
{{- end -}}
{{- toYaml $args -}}
{{- end -}}
