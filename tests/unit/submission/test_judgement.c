/* Where validation draws the line: what users' files have, accepted, or refused with the cure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/text.h"
#include "json_text.h"
#include "patched_app.h"
#include "submission/submission.h"

#define SPEC(...)   "{\"spec\":" #__VA_ARGS__ "}"
#define DRIVER(...) "{\"spec\":{\"driver\":" #__VA_ARGS__ "}}"
#define EXEC(...)   "{\"spec\":{\"executor\":" #__VA_ARGS__ "}}"
#define CONF(...)   "{\"spec\":{\"sparkConf\":" #__VA_ARGS__ "}}"

static const struct rule_options strict = { 0 };
static const struct rule_options webhook = { .has_webhook = true };
static const struct rule_options image = { .default_image = "apache/spark:{sparkVersion}" };
static const struct rule_options arriving = { .is_admission = true };

struct row {
	const struct rule_options *options;
	const char *patch;
	const char *line; /* beginning of the only line; NULL if it is accepted */
};

static const struct row limits[] = {
	{ &strict, EXEC({ "memoryLimit" : "4g" }),
	  "spec.executor.memoryLimit: Forbidden: Spark sets the memory limit of executors to their request, 1408Mi; "
	  "only "
	  "the operator's webhook could raise it, and that is off: leave it out, and raise memoryOverhead instead" },
	{ &strict, EXEC({ "memoryLimit" : "1408Mi" }), NULL },
	{ &webhook, EXEC({ "memoryLimit" : "4g" }), NULL },
	{ &webhook, EXEC({ "memoryLimit" : "1g" }),
	  "spec.executor.memoryLimit: Invalid value: \"1g\": is below the request of executors, 1408Mi" },
	{ &webhook, EXEC({ "memoryLimit" : "1gg" }),
	  "spec.executor.memoryLimit: Invalid value: \"1gg\": expected a size" },
};

static const struct row lifecycles[] = {
	{ &strict, SPEC({
		 "executor" : { "lifecycle" : { "preStop" : {} } },
		 "sparkConf" : { "spark.decommission.enabled" : "true" }
	 }),
	  "spec.executor.lifecycle: Forbidden: Spark replaces it when spark.decommission.enabled is true; only the "
	  "operator's webhook could bring it back, and that is off" },
	{ &webhook, SPEC({
		 "executor" : { "lifecycle" : { "preStop" : {} } },
		 "sparkConf" : { "spark.decommission.enabled" : "true" }
	 }),
	  NULL },
	{ &strict,
	  SPEC({ "executor" : { "lifecycle" : null }, "sparkConf" : { "spark.decommission.enabled" : "true" } }),
	  NULL },
};

static const struct row images[] = {
	{ &strict, SPEC({ "image" : null }), "spec.image: Required value" },
	{ &strict, SPEC({ "image" : "", "driver" : { "image" : "i" } }),
	  "spec.executor.image: Required value: there is no spec.image either" },
	{ &arriving, SPEC({ "image" : null }), NULL },
	{ &image, SPEC({ "image" : null }), NULL },
	{ &image, SPEC({ "image" : null, "sparkVersion" : "latest" }),
	  "spec.sparkVersion: Required value: the operator's default image is apache/spark:{sparkVersion}, so the "
	  "version "
	  "has to be MAJOR.MINOR.PATCH, such as 3.5.6" },
	{ &image, SPEC({ "image" : "spark", "sparkVersion" : "latest" }), NULL },
};

/* Spark's own reading: blanks around numbers and booleans, and keys of old versions. */
static const struct row conf[] = {
	{ &strict, CONF({ "spark.kubernetes.local.dirs.tmpfs" : " true", "spark.driver.cores" : " 2 " }), NULL },
	{ &strict, CONF({ "spark.kubernetes.memoryOverheadFactor" : "0.2 ", "spark.ui.port" : "\t4041" }), NULL },
	{ &strict, CONF({ "spark.kubernetes.local.dirs.tmpfs" : "yes" }),
	  "spec.sparkConf[spark.kubernetes.local.dirs.tmpfs]: Invalid value: \"yes\": expected true or false" },
	/* KubernetesVolumeUtils reads this one as it is. */
	{ &strict, CONF({
		 "spark.kubernetes.driver.volumes.emptyDir.a.mount.path" : "/a",
		 "spark.kubernetes.driver.volumes.emptyDir.a.mount.readOnly" : " true"
	 }),
	  "spec.sparkConf[spark.kubernetes.driver.volumes.emptyDir.a.mount.readOnly]: Invalid value: \" true\"" },
	{ &strict, CONF({ "spark.yarn.driver.memoryOverhead" : "2g" }), NULL },
	{ &strict, CONF({ "spark.yarn.executor.memoryOverhead" : "2x" }),
	  "spec.sparkConf[spark.yarn.executor.memoryOverhead]: Invalid value: \"2x\": expected a size" },
	{ &strict, CONF({ "spark.yarn.keytab" : "file:///k", "spark.kerberos.principal" : "me" }),
	  "spec.sparkConf[spark.yarn.keytab]: Invalid value: \"file:///k\": the operator has no files of yours" },
	{ &strict, CONF({ "spark.yarn.keytab" : "local:///k" }),
	  "spec.sparkConf[spark.kerberos.principal]: Required value: spark.kerberos.keytab is set" },
	{ &strict, CONF({ "spark.yarn.keytab" : "local:///k", "spark.yarn.principal" : "me" }), NULL },
	{ &strict, SPEC({
		 "proxyUser" : "you",
		 "sparkConf" : { "spark.yarn.keytab" : "local:///k", "spark.yarn.principal" : "me" }
	 }),
	  "spec.proxyUser: Forbidden: only one of proxyUser and spark.kerberos.principal can be provided" },
};

static const struct rule_options baseline = { .pod_policy = POD_POLICY_BASELINE };

static const struct row allocation[] = {
	{ &strict, SPEC({ "dynamicAllocation" : { "enabled" : false, "minExecutors" : 0, "maxExecutors" : 0 } }),
	  NULL },
	{ &strict, SPEC({ "dynamicAllocation" : { "enabled" : true, "maxExecutors" : 0 } }),
	  "spec.dynamicAllocation.maxExecutors: Invalid value: 0: must be at least 1" },
	{ &strict, CONF({ "spark.dynamicAllocation.enabled" : "yes" }),
	  "spec.sparkConf[spark.dynamicAllocation.enabled]: Invalid value: \"yes\": expected true or false" },
	{ &strict, CONF({
		 "spark.dynamicAllocation.enabled" : "true",
		 "spark.dynamicAllocation.minExecutors" : "5",
		 "spark.dynamicAllocation.maxExecutors" : "4"
	 }),
	  "spec.sparkConf[spark.dynamicAllocation.minExecutors]: Invalid value: 5: is above "
	  "spark.dynamicAllocation.maxExecutors, 4" },
	{ &strict, CONF({
		 "spark.dynamicAllocation.enabled" : "false",
		 "spark.dynamicAllocation.minExecutors" : "5",
		 "spark.dynamicAllocation.maxExecutors" : "4"
	 }),
	  NULL },
	{ &strict,
	  CONF({ "spark.dynamicAllocation.enabled" : "true", "spark.dynamicAllocation.maxExecutors" : "infinity" }),
	  "spec.sparkConf[spark.dynamicAllocation.maxExecutors]: Invalid value: \"infinity\": expected an integer" },
	{ &strict, SPEC({
		 "dynamicAllocation" : { "enabled" : true, "minExecutors" : 5 },
		 "sparkConf" : { "spark.dynamicAllocation.maxExecutors" : "4" }
	 }),
	  "spec.dynamicAllocation.minExecutors: Invalid value: 5: is above spark.dynamicAllocation.maxExecutors, 4" },
	{ &strict, SPEC({
		 "dynamicAllocation" : { "enabled" : true, "maxExecutors" : 4 },
		 "sparkConf" : { "spark.dynamicAllocation.minExecutors" : "5" }
	 }),
	  "spec.sparkConf[spark.dynamicAllocation.minExecutors]: Invalid value: 5: is above maxExecutors, 4" },
	{ &strict, SPEC({
		 "dynamicAllocation" : { "enabled" : true, "minExecutors" : 2, "maxExecutors" : 4 },
		 "sparkConf" : { "spark.dynamicAllocation.minExecutors" : "9" }
	 }),
	  NULL },
};

static const struct row cures[] = {
	{ &strict, DRIVER({ "cores" : 0.1 }),
	  "spec.driver.cores: Invalid value: 0.1: expected an integer, as Spark's cores are whole: a part of a "
	  "processor is "
	  "a coreRequest" },
	{ &strict, EXEC({ "cores" : "100m" }),
	  "spec.executor.cores: Invalid value: \"100m\": expected an integer, as" },
	{ &strict, CONF({ "spark.executor.cores" : "0.5" }),
	  "spec.sparkConf[spark.executor.cores]: Invalid value: \"0.5\": expected an integer above 0, as Spark's cores "
	  "are "
	  "whole: a part of a processor is a coreRequest" },
	{ &strict, EXEC({ "memoryOverhead" : "0.2" }),
	  "spec.executor.memoryOverhead: Invalid value: \"0.2\": expected a size in Spark's notation, such as 512m or "
	  "2g; a "
	  "share of the memory is a memoryOverheadFactor: that of the spec, or spark.driver.memoryOverheadFactor and "
	  "spark.executor.memoryOverheadFactor of sparkConf" },
	{ &strict, EXEC({ "memoryOverhead" : "0.2g" }),
	  "spec.executor.memoryOverhead: Invalid value: \"0.2g\": expected a size in Spark's notation, such as 512m or "
	  "2g" },
	{ &strict, SPEC({ "deps" : { "jars" : ["/opt/jars/*"] } }),
	  "spec.deps.jars[0]: Invalid value: \"/opt/jars/*\": a folder of jars is no dependency: name it in "
	  "spark.driver.extraClassPath and spark.executor.extraClassPath of sparkConf, such as /opt/jars/*" },
	{ &strict, SPEC({ "deps" : { "jars" : ["/opt/jars/a.jar"] } }),
	  "spec.deps.jars[0]: Invalid value: \"/opt/jars/a.jar\": the operator has no files of yours" },
	{ &strict, SPEC({
		 "monitoring" : {
			 "exposeDriverMetrics" : true,
			 "prometheus" : { "jmxExporterJar" : "/a.jar", "configFile" : "/etc/metrics/conf/p.yaml" }
		 },
		 "driver" : { "configMaps" : [ { "name" : "m", "path" : "/etc/metrics/conf" } ] }
	 }),
	  "spec.driver.configMaps[0]: Duplicate value: \"/etc/metrics/conf\": the pod has that from spec.monitoring "
	  "already: "
	  "use another path, or name your files in both monitoring.metricsPropertiesFile and "
	  "monitoring.prometheus.configFile, and the operator mounts none" },
	{ &strict, SPEC({
		 "sparkConf" : { "spark.authenticate" : "true" },
		 "executor" : { "env" : [ { "name" : "_SPARK_AUTH_SECRET", "value" : "x" } ] }
	 }),
	  "spec.executor.env[0]: Forbidden: Spark sets _SPARK_AUTH_SECRET of executors itself by spark.authenticate: "
	  "mount the "
	  "secret (spec.driver.secrets, spec.executor.secrets) and name its file in spark.authenticate.secret.file" },
	{ &strict, CONF({ "spark.master" : "local" }),
	  "spec.sparkConf[spark.master]: Forbidden: the key is not allowed: this value is managed by the "
	  "operator" },
};

static char none_entry[] = "none", below_entry[] = "*.a.com", host_entry[] = "b.com", plain_entry[] = "ClusterIP";
static char *none_items[] = { none_entry }, *host_items[] = { below_entry, host_entry };
static char *plain_items[] = { plain_entry };
static char port_entry[] = "NodePort", *port_items[] = { port_entry };
static const struct strv port_list = { .items = port_items, .len = 1 };
static const struct strv none_list = { .items = none_items, .len = 1 }, host_list = { .items = host_items, .len = 2 };
static const struct strv plain_list = { .items = plain_items, .len = 1 };

#define INGRESS(url)                                                                                                   \
	SPEC({ "driverIngressOptions" : [ { "servicePort" : 1, "servicePortName" : "a", "ingressURLFormat" : url } ] })

static const struct rule_options no_ingress = { .limits.allowed[LIMIT_INGRESS_HOST] = &none_list,
						.ui_url_format = "spark.example.com/{{$appNamespace}}/{{$appName}}" };
static const struct rule_options own_hosts = { .limits.allowed[LIMIT_INGRESS_HOST] = &host_list,
					       .ui_url_format = "{{$appName}}-ui.c.com" };
static const struct rule_options no_own_hosts = { .limits.allowed[LIMIT_INGRESS_HOST] = &none_list,
						  .ui_url_format = "{{$appName}}-ui.c.com" };
static const struct rule_options some_hosts = { .limits.allowed[LIMIT_INGRESS_HOST] = &host_list };
static const struct rule_options plain_services = { .limits.allowed[LIMIT_SERVICE_TYPE] = &plain_list };
static const struct rule_options port_services = { .limits.allowed[LIMIT_SERVICE_TYPE] = &port_list };
static const struct rule_options small_claims = { .limits.claim_size = "10Gi" };

/* What comes by which way is in tests/bad/limits. */
static const struct row choices[] = {
	{ &no_ingress, SPEC({}), NULL },
	{ &no_ingress, INGRESS("a.com"),
	  "spec.driverIngressOptions[0]: Forbidden: the host \"a.com\" is not allowed: the operator's "
	  "--allowed-ingress-hosts is none: leave it out" },
	{ &no_ingress, INGRESS("none"), "spec.driverIngressOptions[0]: Forbidden: the host \"none\" is not allowed" },
	{ &no_ingress, SPEC({ "sparkUIOptions" : { "serviceType" : "LoadBalancer" } }), NULL },
	{ &own_hosts, SPEC({}),
	  "metadata.name: Forbidden: the host \"orders-ui.c.com\" is not allowed: choose one that the operator's "
	  "--allowed-ingress-hosts allows: *.a.com, b.com" },
	{ &no_own_hosts, SPEC({}),
	  "metadata.name: Forbidden: the web UI would have the host \"orders-ui.c.com\", and the operator's "
	  "--allowed-ingress-hosts is none: set spark.ui.enabled to false" },
	{ &own_hosts, SPEC({ "sparkConf" : { "spark.ui.enabled" : "false" } }), NULL },
	{ &some_hosts, INGRESS("x.a.com/y"), NULL },
	{ &some_hosts, INGRESS("x.y.a.com"), NULL },
	{ &some_hosts, INGRESS("b.com:8080"), NULL },
	{ &some_hosts, INGRESS("a.com"),
	  "spec.driverIngressOptions[0].ingressURLFormat: Forbidden: the host \"a.com\"" },
	{ &some_hosts, INGRESS(".a.com"),
	  "spec.driverIngressOptions[0].ingressURLFormat: Forbidden: the host \".a.com\"" },
	{ &some_hosts, INGRESS("xxa.com"),
	  "spec.driverIngressOptions[0].ingressURLFormat: Forbidden: the host \"xxa.com\"" },
	{ &some_hosts, INGRESS("x.b.com"),
	  "spec.driverIngressOptions[0].ingressURLFormat: Forbidden: the host \"x.b.com\"" },
	{ &plain_services, SPEC({ "sparkUIOptions" : { "serviceType" : "ClusterIP" } }), NULL },
	{ &plain_services, SPEC({ "sparkUIOptions" : { "serviceType" : "" } }), NULL },
	{ &port_services, SPEC({ "sparkUIOptions" : { "serviceType" : "ClusterIP" } }), NULL },
	{ &plain_services, SPEC({ "sparkUIOptions" : { "serviceType" : "NodePort" } }),
	  "spec.sparkUIOptions.serviceType: Forbidden: the type \"NodePort\" is not allowed: choose one that the "
	  "operator's --allowed-service-types allows: ClusterIP" },
	{ &small_claims, CONF({
		 "spark.kubernetes.driver.volumes.persistentVolumeClaim.a.mount.path" : "/a",
		 "spark.kubernetes.driver.volumes.persistentVolumeClaim.a.options.claimName" : "OnDemand",
		 "spark.kubernetes.driver.volumes.persistentVolumeClaim.a.options.storageClass" : "any",
		 "spark.kubernetes.driver.volumes.persistentVolumeClaim.a.options.sizeLimit" : "${spark.size}",
		 "spark.size" : "1Ti"
	 }),
	  "spec.sparkConf[spark.kubernetes.driver.volumes.persistentVolumeClaim.a.options.sizeLimit]: Forbidden: "
	  "\"${spark.size}\" is no quantity such as 10Gi" },
};

/* Generated manifests say in sparkConf once more what fields say. */
static const struct row repetitions[] = {
	{ &strict, SPEC({
		 "driver" : { "serviceAccount" : "engine" },
		 "executor" : { "serviceAccount" : "engine" },
		 "sparkConf" : {
			 "spark.kubernetes.authenticate.driver.serviceAccountName" : "engine",
			 "spark.kubernetes.authenticate.executor.serviceAccountName" : "engine",
			 "spark.kubernetes.container.image" : "i:1",
			 "spark.kubernetes.driver.container.image" : "i:1"
		 }
	 }),
	  NULL },
	{ &strict, SPEC({
		 "driver" : { "serviceAccount" : "engine" },
		 "sparkConf" : { "spark.kubernetes.authenticate.driver.serviceAccountName" : "other" }
	 }),
	  "spec.sparkConf[spark.kubernetes.authenticate.driver.serviceAccountName]: Forbidden: the key is not allowed: "
	  "spec.driver.serviceAccount replaces "
	  "it, so "
	  "\"engine\" counts and not \"other\": leave the property out" },
	{ &strict, CONF({ "spark.kubernetes.authenticate.driver.serviceAccountName" : "other" }),
	  "spec.sparkConf[spark.kubernetes.authenticate.driver.serviceAccountName]: Forbidden: the key is not allowed: "
	  "configure the service account" },
	{ &strict, SPEC({
		 "executor" : { "image" : "e" },
		 "sparkConf" : { "spark.kubernetes.executor.container.image" : "i:1" }
	 }),
	  "spec.sparkConf[spark.kubernetes.executor.container.image]: Forbidden: the key is not allowed: "
	  "spec.executor.image replaces it, so \"e\" counts "
	  "and not "
	  "\"i:1\"" },
	{ &strict, SPEC({
		 "driver" : { "kubernetesMaster" : "k8s://m" },
		 "sparkConf" : { "spark.kubernetes.driver.master" : "k8s://m" }
	 }),
	  NULL },
};

static const struct row pods[] = {
	{ &strict, EXEC({ "configMaps" : [ { "name" : "x", "path" : "/opt/spark/conf" } ] }),
	  "spec.executor.configMaps[0]: Duplicate value: \"/opt/spark/conf\": the pod has that from Spark itself" },
	{ &strict, SPEC({
		 "executor" : { "configMaps" : [ { "name" : "x", "path" : "/opt/spark/conf" } ] },
		 "sparkConf" : { "spark.kubernetes.executor.disableConfigMap" : "true" }
	 }),
	  NULL },
	{ &strict, DRIVER({ "annotations" : { "Foo.com/x" : "1" }, "serviceAnnotations" : { "Foo.com/x" : "1" } }),
	  NULL },
	{ &strict, CONF({ "spark.kubernetes.executor.annotation.Foo.com/X" : "1" }), NULL },
	{ &strict, DRIVER({ "labels" : { "Foo.com/x" : "1" } }), "spec.driver.labels[Foo.com/x]: Invalid value" },
	{ &strict, DRIVER({ "annotations" : { "a b" : "1" } }), "spec.driver.annotations[a b]: Invalid value" },
	{ &strict, DRIVER({
		 "tolerations" : [
			 { "key" : "a", "operator" : "Gt", "value" : "5" },
			 { "key" : "a", "operator" : "Lt", "value" : "-5" }
		 ]
	 }),
	  NULL },
	{ &strict, DRIVER({ "tolerations" : [ { "key" : "a", "operator" : "Gt", "value" : "b" } ] }),
	  "spec.driver.tolerations[0].value: Invalid value: \"b\": operator compares numbers: expected an integer" },
	{ &strict, DRIVER({ "secrets" : [ { "name" : "s", "path" : "/a" }, { "name" : "s", "path" : "/b" } ] }), NULL },
	{ &strict, DRIVER({ "secrets" : [ { "name" : "s", "path" : "/a" }, { "name" : "t", "path" : "/a" } ] }),
	  "spec.driver.secrets[1]: Duplicate value: \"/a\": the pod has that from spec.driver.secrets[0] already" },
};

static const struct row mounts[] = {
	{ &strict, DRIVER({
		 "volumeMounts" : [ { "name" : "of-template", "mountPath" : "/x" } ],
		 "template" : { "spec" : { "volumes" : [ { "name" : "of-template", "emptyDir" : {} } ] } }
	 }),
	  NULL },
	{ &strict, EXEC({
		 "volumeMounts" : [ { "name" : "of-template", "mountPath" : "/x" } ],
		 "template" : { "spec" : { "volumes" : [ { "name" : "of-template", "emptyDir" : {} } ] } }
	 }),
	  NULL },
	{ &strict, EXEC({
		 "volumeMounts" : [ { "name" : "other", "mountPath" : "/x" } ],
		 "template" : { "spec" : { "volumes" : [ { "name" : "of-template", "emptyDir" : {} } ] } }
	 }),
	  "spec.executor.volumeMounts[0]: Not found: \"other\": spec.volumes has no volume of that name" },
	{ &strict, SPEC({
		 "volumes" : [ { "name" : "spark-local-dir-1", "emptyDir" : {} } ],
		 "driver" : {
			 "volumeMounts" : [ {
				 "name" : "spark-local-dir-1",
				 "mountPath" : "/x",
				 "mountPropagation" : "HostToContainer"
			 } ]
		 }
	 }),
	  "spec.driver.volumeMounts[0].mountPropagation: Forbidden: Spark mounts volumes spark-local-dir-* itself, and "
	  "has "
	  "no property for it" },
	{ &strict, SPEC({
		 "volumes" : [ { "name" : "spark-local-dir-1", "emptyDir" : {} } ],
		 "driver" : {
			 "volumeMounts" :
			     [ { "name" : "spark-local-dir-1", "mountPath" : "/x", "subPathExpr" : "$(A)" } ]
		 }
	 }),
	  "spec.driver.volumeMounts[0].subPathExpr: Forbidden: Spark mounts volumes spark-local-dir-* itself, and has "
	  "no "
	  "property for it before 4.0" },
	{ &strict, SPEC({
		 "sparkVersion" : "4.0.0",
		 "volumes" : [ { "name" : "spark-local-dir-1", "emptyDir" : {} } ],
		 "driver" : {
			 "volumeMounts" :
			     [ { "name" : "spark-local-dir-1", "mountPath" : "/x", "subPathExpr" : "$(A)" } ]
		 }
	 }),
	  NULL },
	{ &strict, DRIVER({
		 "template" : {
			 "metadata" :
			     { "resourceVersion" : "7", "uid" : "u", "creationTimestamp" : "2026-01-01T00:00:00Z" }
		 }
	 }),
	  NULL },
	{ &strict, EXEC({ "template" : { "metadata" : { "finalizers" : ["a/b"] } } }), NULL },
};

static const struct row hosts[] = {
	{ &baseline,
	  DRIVER({ "lifecycle" : { "preStop" : { "httpGet" : { "port" : 80, "host" : "169.254.169.254" } } } }),
	  "spec.driver.lifecycle.preStop.httpGet.host: Forbidden: pod policy \"baseline\": other hosts than the pod" },
	{ &baseline, EXEC({ "lifecycle" : { "postStart" : { "tcpSocket" : { "port" : 80, "host" : "10.0.0.1" } } } }),
	  "spec.executor.lifecycle.postStart.tcpSocket.host: Forbidden" },
	{ &baseline, DRIVER({
		 "sidecars" : [ {
			 "name" : "a",
			 "image" : "i",
			 "livenessProbe" : { "httpGet" : { "port" : 80, "host" : "x" } }
		 } ]
	 }),
	  "spec.driver.sidecars[0].livenessProbe.httpGet.host: Forbidden" },
	{ &baseline, EXEC({
		 "template" : {
			 "spec" : {
				 "containers" : [ {
					 "name" : "spark-kubernetes-executor",
					 "startupProbe" : { "tcpSocket" : { "port" : 80, "host" : "x" } }
				 } ]
			 }
		 }
	 }),
	  "spec.executor.template.spec.containers[0].startupProbe.tcpSocket.host: Forbidden" },
	{ &baseline, DRIVER({ "lifecycle" : { "preStop" : { "httpGet" : { "port" : 80, "host" : "" } } } }), NULL },
	{ &strict, DRIVER({ "lifecycle" : { "preStop" : { "httpGet" : { "port" : 80, "host" : "x" } } } }), NULL },
};

/* A field that is null is as good as absent, wherever it is. */
static const struct {
	const char *spec;
	const char *line;
} null_fields[] = {
	{ "\"driver\":{\"tolerations\":[{\"key\":\"a\",\"operator\":\"Exists\",\"effect\":\"NoSchedule\","
	  "\"tolerationSeconds\":null,\"value\":null}]}",
	  NULL },
	{ "\"executor\":{\"instances\":null},\"sparkConf\":{\"spark.executor.instances\":\"0\"}",
	  "spec.sparkConf[spark.executor.instances]: Invalid value: 0" },
	{ "\"driver\":{\"ports\":[{\"name\":\"a\",\"protocol\":\"TCP\",\"containerPort\":null}]}",
	  "spec.driver.ports[0].containerPort: Required value" },
	{ "\"executor\":{\"coreLimit\":null,\"coreRequest\":\"2\"},\"sparkConf\":{"
	  "\"spark.kubernetes.executor.limit.cores\":\"1\"}",
	  "spec.sparkConf[spark.kubernetes.executor.limit.cores]: Invalid value: \"1\": is below the request" },
	{ "\"sparkUIOptions\":{\"servicePort\":null,\"serviceType\":null},\"nodeSelector\":null,\"volumes\":null",
	  NULL },
	{ "\"dynamicAllocation\":{\"enabled\":null,\"minExecutors\":null,\"maxExecutors\":null}", NULL },
	{ "\"sparkConf\":null,\"hadoopConf\":null,\"deps\":null,\"monitoring\":null,\"batchScheduler\":null", NULL },
};

static void problems_of(const struct row *row, struct err *err)
{
	struct app app;
	auto_json tree = patched_app(row->patch, &app);
	auto_problems p;

	(void)tree;
	problems_init(&p);
	submission_problems(&p, &app, row->options);
	problems_result(&p, err);
}

/* As a merge patch, but nulls are values. */
static void put_all(struct json *object, const struct json *patch)
{
	json_each (member, patch) {
		if (json_is(member, JSON_OBJECT) && json_is(json_get(object, json_name(member)), JSON_OBJECT))
			put_all(json_get(object, json_name(member)), member);
		else
			json_set(object, json_name(member), json_dup(member));
	}
}

static void check(const struct row *rows, size_t count)
{
	int wrong = 0;

	for (size_t i = 0; i < count; i++) {
		const char *line = rows[i].line;
		struct err err = { 0 };

		problems_of(&rows[i], &err);
		if (line ? text_starts(err.msg, line) && !strchr(err.msg, '\n') : err.code == ERR_NONE)
			continue;
		print_error("%s: got: %s\n", rows[i].patch, err.msg);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void null_is_absent(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(null_fields); i++) {
		auto_free char *text = xasprintf("{\"spec\":{%s}}", null_fields[i].spec);
		struct err err = { 0 };
		auto_json tree = parse_quoted(patched_app_base);
		auto_json patch = parse_quoted(text);
		struct app app;
		auto_problems p;

		put_all(tree, patch);
		assert_int_equal(app_decode(tree, &app, &err), 0);
		problems_init(&p);
		submission_problems(&p, &app, &strict);
		problems_result(&p, &err);
		if (null_fields[i].line ? !text_starts(err.msg, null_fields[i].line) : err.code != ERR_NONE)
			fail_msg("%s: got: %s", text, err.msg);
	}
}

#define CHECK(rows) check(rows, array_len(rows))

static void what_the_webhook_can_do(void **state)
{
	(void)state;
	CHECK(limits);
	CHECK(lifecycles);
}

static void an_image_may_come_later(void **state)
{
	(void)state;
	CHECK(images);
}

static void what_to_do_instead(void **state)
{
	(void)state;
	CHECK(cures);
	CHECK(repetitions);
}

static void executors_on_demand(void **state)
{
	(void)state;
	CHECK(allocation);
}

static void what_pods_may_have(void **state)
{
	(void)state;
	CHECK(pods);
	CHECK(mounts);
	CHECK(hosts);
}

static void what_authors_may_choose(void **state)
{
	(void)state;
	CHECK(choices);
}

static void as_spark_reads_it(void **state)
{
	(void)state;
	CHECK(conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_webhook_can_do), cmocka_unit_test(an_image_may_come_later),
		cmocka_unit_test(what_to_do_instead),	   cmocka_unit_test(executors_on_demand),
		cmocka_unit_test(what_pods_may_have),	   cmocka_unit_test(as_spark_reads_it),
		cmocka_unit_test(null_is_absent),	   cmocka_unit_test(what_authors_may_choose),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
