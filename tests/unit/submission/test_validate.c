/* Validation: one row per rule, each a valid application with one thing changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "rules/check.h"
#include "base/text.h"
#include "submission/submission.h"
#include "json_text.h"

static const char valid[] = JSON({
	"metadata" : { "name" : "orders", "namespace" : "team-a", "uid" : "u" },
	"spec" : {
		"type" : "Scala",
		"mode" : "cluster",
		"image" : "i:1",
		"mainClass" : "M",
		"mainApplicationFile" : "local:///a.jar",
		"sparkVersion" : "3.5.6",
		"volumes" : [
			{ "name" : "data", "emptyDir" : {} },
			{ "name" : "spark-local-dir-x", "configMap" : { "name" : "c" } }
		],
		"driver" : {},
		"executor" : {}
	}
});

/* The error of a valid application after a merge patch; "" if there is none. */
static void validate(const char *patch_text, struct err *err)
{
	auto_json tree = json_parse(valid, strlen(valid), err);
	auto_json patch = json_parse(patch_text, strlen(patch_text), err);
	struct app app;

	if (!tree || !patch)
		fail_msg("%s", err->msg);
	memset(err, 0, sizeof(*err));
	json_merge_apply(tree, patch);
	if (!app_decode(tree, &app, err))
		submission_validate(&app, err);
}

/* Patches of the application. Their argument is a JSON object as it is written (see JSON() in json_text.h). */
#define MD(...)	    "{\"metadata\":" #__VA_ARGS__ "}"
#define SPEC(...)   "{\"spec\":" #__VA_ARGS__ "}"
#define DRIVER(...) "{\"spec\":{\"driver\":" #__VA_ARGS__ "}}"
#define EXEC(...)   "{\"spec\":{\"executor\":" #__VA_ARGS__ "}}"
#define CONF(...)   "{\"spec\":{\"sparkConf\":" #__VA_ARGS__ "}}"

static const struct {
	const char *patch;
	const char *line; /* beginning of the only line; NULL if it is accepted */
} rows[] = {
	{ "{}", NULL },
	{ MD({ "name" : "1a" }), "metadata.name: Invalid value: \"1a\": a DNS-1035 label" },
	{ MD({ "name" : null }), "metadata.name: Required value" },
	{ MD({ "labels" : { "spark-role" : "x" } }), "metadata.labels[spark-role]: Forbidden" },
	{ MD({ "labels" : { "team" : "x" } }), NULL },
	{ MD({ "labels" : ["a"] }), "metadata.labels: Invalid value: [\"a\"]: expected a map of strings" },
	{ DRIVER({ "labels" : ["a"] }), "spec.driver.labels: Invalid value: [\"a\"]: expected a map of strings" },
	{ DRIVER({ "envVars" : ["a"] }), "spec.driver.envVars: Invalid value: [\"a\"]: expected a map of strings" },
	{ DRIVER({ "envSecretKeyRefs" : ["a"] }), "spec.driver.envSecretKeyRefs: Invalid value" },
	{ SPEC({ "sparkConf" : ["a"] }), "spec.sparkConf: Invalid value: [\"a\"]: expected a map of strings" },
	{ SPEC({ "type" : null }), "spec.type: Required value" },
	{ SPEC({ "mode" : null }), NULL },
	{ SPEC({ "mode" : "client" }), "spec.mode: Invalid value: \"client\": the driver of a client-mode" },
	{ SPEC({ "sparkVersion" : null }), NULL },
	{ SPEC({ "sparkVersion" : "" }), NULL },
	{ SPEC({ "sparkVersion" : "9.1.0" }), NULL },
	{ SPEC({ "sparkVersion" : "2.4.8" }), NULL },
	{ SPEC({ "sparkVersion" : "latest" }), NULL },
	{ SPEC({ "sparkVersion" : "3.5.1+vendor" }), NULL },
	{ SPEC({ "sparkVersion" : "4.1.0", "image" : "spark:{{SPARK_VERSION}}" }), NULL },
	{ SPEC({ "sparkVersion" : "4", "executor" : { "image" : "spark:{{SPARK_VERSION}}" } }),
	  "spec.sparkVersion: Required value: spec.executor.image has {{SPARK_VERSION}} in it" },
	{ SPEC({ "sparkVersion" : 3.5 }), "spec.sparkVersion: Invalid value: 3.5: expected a string" },
	{ SPEC({ "sparkVersion" : "v3.5.6" }), NULL },
	{ SPEC({ "image" : null }), "spec.image: Required value" },
	{ SPEC({ "image" : null, "driver" : { "image" : "d" } }), "spec.executor.image: Required value" },
	{ SPEC({ "image" : null, "driver" : { "image" : "d" }, "executor" : { "image" : "e" } }), NULL },
	{ SPEC({ "imagePullPolicy" : "Sometimes" }),
	  "spec.imagePullPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"IfNotPresent\"" },
	{ SPEC({ "imagePullSecrets" : [ "ok", "No" ] }), "spec.imagePullSecrets[1]: Invalid value: \"No\"" },
	{ SPEC({ "imagePullSecrets" : "x" }),
	  "spec.imagePullSecrets: Invalid value: \"x\": expected a list of strings" },
	{ SPEC({ "mainClass" : null }), "spec.mainClass: Required value" },
	{ SPEC({ "mainClass" : null, "mainApplicationFile" : "local:///a.py" }), NULL },
	{ SPEC({ "mainClass" : null, "type" : "Python" }),
	  "spec.mainApplicationFile: Invalid value: \"local:///a.jar\": Spark knows" },
	{ SPEC({ "mainApplicationFile" : null }), "spec.mainApplicationFile: Required value" },
	{ SPEC({ "mainApplicationFile" : "" }), "spec.mainApplicationFile: Required value" },
	{ SPEC({ "mainApplicationFile" : "/a.jar" }),
	  "spec.mainApplicationFile: Invalid value: \"/a.jar\": the operator has no files" },
	{ SPEC({ "mainApplicationFile" : "file:///a.jar" }),
	  "spec.mainApplicationFile: Invalid value: \"file:///a.jar\": the operator" },
	{ SPEC({ "mainApplicationFile" : "local:///a b.jar" }),
	  "spec.mainApplicationFile: Invalid value: \"local:///a b.jar\": expected a URL" },
	{ SPEC({ "mainApplicationFile" : "s3a://bucket/a.jar" }), NULL },
	{ SPEC({ "mainApplicationFile" : "spark-internal" }), NULL },
	{ SPEC({ "arguments" : [1] }), "spec.arguments[0]: Invalid value: 1: expected a string" },
	{ SPEC({ "arguments" : [ "", "a b" ] }), NULL },
	{ SPEC({ "hadoopConf" : { "a" : true } }), "spec.hadoopConf[a]: Invalid value: true: expected a string" },
	{ SPEC({ "memoryOverheadFactor" : "-1" }),
	  "spec.memoryOverheadFactor: Invalid value: \"-1\": expected a number" },
	{ SPEC({ "pythonVersion" : "2" }), "spec.pythonVersion: Invalid value: \"2\": expected 3" },
	{ SPEC({ "deps" : { "jars" : ["a.jar"] } }),
	  "spec.deps.jars[0]: Invalid value: \"a.jar\": the operator has no files" },
	{ SPEC({ "deps" : { "jars" : ["local:///a.jar"], "packages" : ["a:b:1"] } }), NULL },
	{ SPEC({ "volumes" : [ { "name" : "a" }, { "name" : "a" } ] }),
	  "spec.volumes[1].name: Duplicate value: \"a\"" },
	{ SPEC({ "volumes" : [ { "name" : "A" } ] }),
	  "spec.volumes[0].name: Invalid value: \"A\": expected a DNS label" },
	{ SPEC({ "volumes" : [ { "name" : "pod-template-volume" } ] }), NULL },
	{ SPEC({
		  "volumes" : [ { "name" : "pod-template-volume", "emptyDir" : {} } ],
		  "driver" : { "volumeMounts" : [ { "name" : "pod-template-volume", "mountPath" : "/a" } ] }
	  }),
	  "spec.driver.volumeMounts[0]: Duplicate value: \"pod-template-volume\": the pod has that from Spark itself" },
	{ SPEC({ "volumes" : [7] }), "spec.volumes[0]: Invalid value: 7: expected an object\nspec.volumes[0].name" },
	{ SPEC({ "nodeSelector" : { "a" : "b" }, "driver" : { "nodeSelector" : { "a" : "c" } } }),
	  "spec.nodeSelector: Forbidden" },
	{ SPEC({ "nodeSelector" : { "a" : "b" }, "driver" : { "nodeSelector" : {} } }), NULL },
	{ SPEC({ "driver" : null }), "spec.driver: Required value" },
	{ SPEC({ "driver" : [] }), "spec.driver: Invalid value: []: expected an object" },
	{ SPEC({ "dynamicAllocation" : { "enabled" : "yes" } }),
	  "spec.dynamicAllocation.enabled: Invalid value: \"yes\": expected true" },
	{ SPEC({ "dynamicAllocation" : { "enabled" : true, "minExecutors" : 3, "maxExecutors" : 2 } }),
	  "spec.dynamicAllocation.minExecutors: Invalid value: 3: is above maxExecutors, 2" },
	{ SPEC({ "monitoring" : { "prometheus" : { "jmxExporterJar" : "/x" } } }), NULL },
	{ SPEC({ "monitoring" : { "exposeDriverMetrics" : true } }), NULL },
	{ SPEC({
		  "monitoring" : { "exposeDriverMetrics" : true, "prometheus" : { "jmxExporterJar" : "/x" } },
		  "driver" : { "secrets" : [ { "name" : "s", "path" : "/etc/metrics/conf" } ] }
	  }),
	  "spec.driver.secrets[0]: Duplicate value: \"/etc/metrics/conf\": the pod has that from spec.monitoring "
	  "already" },
	{ SPEC({ "batchScheduler" : "volcano" }), "spec.batchScheduler: Forbidden" },
	{ SPEC({ "batchScheduler" : "" }), NULL },
	{ DRIVER({ "template" : { "spec" : {} } }), NULL },
	{ EXEC({ "template" : { "metadata" : { "labels" : { "a" : "b" } } } }), NULL },
	{ EXEC({ "template" : { "spec" : { "containers" : [] } } }), NULL },
	{ DRIVER({ "template" : [] }), "spec.driver.template: Invalid value: []: expected an object" },
	{ DRIVER({ "template" : { "spec" : "x" } }),
	  "spec.driver.template.spec: Invalid value: \"x\": expected an object" },
	{ DRIVER({ "template" : { "metadata" : 1 } }),
	  "spec.driver.template.metadata: Invalid value: 1: expected an object" },
	{ EXEC({ "template" : { "spec" : { "containers" : {} } } }),
	  "spec.executor.template.spec.containers: Invalid value: {}: expected a list" },
	{ EXEC({ "template" : { "spec" : { "containers" : [1] } } }),
	  "spec.executor.template.spec.containers[0]: Invalid value: 1: expected an object" },
	{ EXEC({ "template" : { "spec" : { "containers" : [ { "env" : {} } ] } } }),
	  "spec.executor.template.spec.containers[0].env: Invalid value: {}: expected a list" },
	{ DRIVER({ "template" : { "metadata" : { "ownerReferences" : [ { "controller" : true } ] } } }),
	  "spec.driver.template.metadata.ownerReferences[0].controller: Forbidden" },
	{ DRIVER({ "template" : { "metadata" : { "ownerReferences" : [ { "name" : "a" } ] } } }), NULL },
	{ DRIVER({ "template" : { "spec" : { "volumes" : [ { "name" : "spark-conf-volume-driver" } ] } } }),
	  "spec.driver.template.spec.volumes[0]: Duplicate value: \"spark-conf-volume-driver\"" },
	{ EXEC({ "template" : { "spec" : { "volumes" : [ { "name" : "spark-conf-volume-driver" } ] } } }), NULL },
	{ DRIVER({
		  "template" : { "spec" : { "volumes" : [ { "name" : "data" } ] } },
		  "volumeMounts" : [ { "name" : "data", "mountPath" : "/a" } ]
	  }),
	  "spec.driver.volumeMounts[0]: Duplicate value: \"data\": the pod has that from "
	  "spec.driver.template.spec.volumes[0] already" },
	{ DRIVER({
		  "template" : { "spec" : { "volumes" : [ { "name" : "data", "emptyDir" : {} } ] } },
		  "volumeMounts" : [ { "name" : "data", "mountPath" : "/a" } ]
	  }),
	  NULL },
	{ DRIVER({
		  "template" : { "spec" : { "volumes" : [ { "name" : "s-volume" } ] } },
		  "secrets" : [ { "name" : "s", "path" : "/s" } ]
	  }),
	  "spec.driver.secrets[0]: Duplicate value: \"s-volume\"" },
	{ DRIVER({ "configMaps" : [ { "name" : "a", "path" : "/x" }, { "name" : "b", "path" : "/x" } ] }),
	  "spec.driver.configMaps[1]: Duplicate value: \"/x\": the pod has that from spec.driver.configMaps[0] "
	  "already" },
	{ DRIVER({ "configMaps" : [ { "name" : "a", "path" : "/x" }, { "name" : "a", "path" : "/y" } ] }), NULL },
	{ DRIVER({ "configMaps" : [ { "name" : "a", "path" : "/opt/spark/conf" } ] }),
	  "spec.driver.configMaps[0]: Duplicate value: \"/opt/spark/conf\": the pod has that from Spark itself" },
	{ EXEC({ "template" : { "spec" : { "volumes" : [ { "name" : "spark-local-dir-1" } ] } } }),
	  "spec.sparkConf[spark.local.dir]: Duplicate value: \"spark-local-dir-1\"" },
	{ EXEC({
		  "template" : {
			  "spec" : {
				  "volumes" : [ { "name" : "spark-local-dir-1" } ],
				  "containers" :
				      [ { "volumeMounts" : [ { "name" : "spark-local-dir-1", "mountPath" : "/s" } ] } ]
			  }
		  }
	  }),
	  NULL },
	{ EXEC({ "sidecars" : [ { "name" : "spark-kubernetes-executor", "image" : "i" } ] }),
	  "spec.executor.sidecars[0].name: Duplicate value: \"spark-kubernetes-executor\": the pod has another" },
	{ EXEC({ "memoryLimit" : "2g" }), "spec.executor.memoryLimit: Forbidden: Spark sets the memory limit of "
					  "executors to their request, 1408Mi" },
	{ EXEC({ "memoryLimit" : "1408Mi" }), NULL },
	{ EXEC({ "memoryLimit" : "1408m" }), NULL },
	{ EXEC({ "memoryLimit" : "1476395008" }), NULL },
	{ EXEC({ "memoryLimit" : "" }), NULL },
	{ EXEC({ "cores" : 2, "coreLimit" : "1500m" }),
	  "spec.executor.coreLimit: Invalid value: \"1500m\": is below the request of executors, 2" },
	{ EXEC({ "cores" : 2, "coreLimit" : "2000m" }), NULL },
	{ EXEC({ "env" : [ { "name" : "SPARK_LOCAL_DIRS", "value" : "/x" } ] }),
	  "spec.executor.env[0]: Forbidden: Spark sets SPARK_LOCAL_DIRS of executors itself: use volumes" },
	{ EXEC({ "env" : [ { "name" : "SPARK_JAVA_OPT_7", "value" : "x" } ] }),
	  "spec.executor.env[0]: Forbidden: Spark sets" },
	{ EXEC({ "env" : [ { "name" : "SPARK_CLASSPATH", "value" : "x" } ] }), NULL },
	{ SPEC({
		  "sparkConf" : { "spark.executor.extraClassPath" : "/a" },
		  "executor" : { "env" : [ { "name" : "SPARK_CLASSPATH" } ] }
	  }),
	  "spec.executor.env[0]: Forbidden: Spark sets SPARK_CLASSPATH of executors itself by "
	  "spark.executor.extraClassPath" },
	{ EXEC({ "env" : [ { "name" : "SPARK_USER", "value" : "me" } ] }), NULL },
	{ EXEC({
		  "env" :
		      [ { "name" : "SPARK_USER",
			  "valueFrom" : { "fieldRef" : { "fieldPath" : "spec.nodeName" } } } ]
	  }),
	  "spec.executor.env[0]: Forbidden: Spark sets SPARK_USER of executors itself: give it a plain value" },
	{ EXEC({ "envVars" : { "SPARK_EXECUTOR_POD_IP" : "x" } }),
	  "spec.executor.envVars[SPARK_EXECUTOR_POD_IP]: Forbidden" },
	{ DRIVER({ "env" : [ { "name" : "SPARK_LOCAL_DIRS", "value" : "/x" } ] }), NULL },
	{ DRIVER({ "memoryLimit" : "2Gi" }), NULL },
	{ DRIVER({ "memoryLimit" : "much" }), "spec.driver.memoryLimit: Invalid value" },
	{ DRIVER({ "cores" : 0 }), "spec.driver.cores: Invalid value: 0: must be at least 1" },
	{ DRIVER({ "cores" : 1.5 }), "spec.driver.cores: Invalid value: 1.5: expected an integer" },
	{ DRIVER({ "cores" : "1" }), "spec.driver.cores: Invalid value: \"1\": expected an integer" },
	{ DRIVER({ "coreRequest" : "two" }),
	  "spec.driver.coreRequest: Invalid value: \"two\": expected a Kubernetes quantity" },
	{ DRIVER({ "coreRequest" : "0.5", "coreLimit" : "1500m" }), NULL },
	{ DRIVER({ "memory" : "0m" }), "spec.driver.memory: Invalid value: \"0m\"" },
	{ DRIVER({ "memory" : "2Gi" }), "spec.driver.memory: Invalid value: \"2Gi\": expected a size in Spark's" },
	{ DRIVER({ "memoryOverhead" : "0" }), NULL },
	{ EXEC({ "memoryOverhead" : "x" }), "spec.executor.memoryOverhead: Invalid value: \"x\"" },
	{ EXEC({ "instances" : 0 }), "spec.executor.instances: Invalid value: 0" },
	{ EXEC({ "instances" : -1 }), "spec.executor.instances: Invalid value: -1: must be at least 0" },
	{ SPEC({ "executor" : { "instances" : 0 }, "dynamicAllocation" : { "enabled" : true } }), NULL },
	{ SPEC({ "executor" : { "instances" : 0 }, "sparkConf" : { "spark.dynamicAllocation.enabled" : "true" } }),
	  NULL },
	{ DRIVER({ "podName" : "A_b." }), "spec.driver.podName: Invalid value: \"A_b.\"" },
	{ DRIVER({ "serviceAccount" : "a b" }), "spec.driver.serviceAccount: Invalid value: \"a b\"" },
	{ DRIVER({ "labels" : { "sparkoperator.k8s.io/app-name" : "x" } }),
	  "spec.driver.labels[sparkoperator.k8s.io/app-name]: Forbidden" },
	{ DRIVER({ "labels" : { "a b" : "x" } }),
	  "spec.driver.labels[a b]: Invalid value: \"a b\": expected [PREFIX/]NAME" },
	{ DRIVER({ "labels" : { "a" : "x y" } }), "spec.driver.labels[a]: Invalid value: \"x y\": expected letters" },
	{ DRIVER({ "labels" : { "a" : 1 } }), "spec.driver.labels[a]: Invalid value: 1: expected a string" },
	{ DRIVER({ "annotations" : { "a b" : "x y" } }), "spec.driver.annotations[a b]: Invalid value" },
	{ DRIVER({ "annotations" : { "a" : "x y" } }), NULL },
	{ DRIVER({ "env" : [ { "value" : "1" } ] }), "spec.driver.env[0].name: Required value" },
	{ DRIVER({ "env" : [ { "name" : "1A" } ] }), "spec.driver.env[0].name: Invalid value: \"1A\"" },
	{ DRIVER({ "envVars" : { "A=B" : "1" } }), "spec.driver.envVars[A=B]: Invalid value" },
	{ DRIVER({ "envVars" : { "_a.B-1" : "1" } }), NULL },
	{ DRIVER({ "envSecretKeyRefs" : { "A" : { "name" : "s" } } }),
	  "spec.driver.envSecretKeyRefs[A]: Required value: name and key" },
	{ DRIVER({ "volumeMounts" : [ { "name" : "no", "mountPath" : "/a" } ] }),
	  "spec.driver.volumeMounts[0]: Not found: \"no\"" },
	{ DRIVER({
		  "volumeMounts" : [ { "name" : "data", "mountPath" : "/a" }, { "name" : "data", "mountPath" : "/a" } ]
	  }),
	  "spec.driver.volumeMounts[1]: Duplicate value: \"/a\"" },
	{ DRIVER({ "volumeMounts" : [ { "name" : "data" } ] }),
	  "spec.driver.volumeMounts[0].mountPath: Required value" },
	{ EXEC({ "volumeMounts" : [ { "name" : "spark-local-dir-x", "mountPath" : "/a" } ] }),
	  "spec.executor.volumeMounts[0]: Invalid value: \"spark-local-dir-x\": Spark's local directories" },
	{ EXEC({ "configMaps" : [ { "name" : "a", "path" : "etc" } ] }),
	  "spec.executor.configMaps[0].path: Invalid value: \"etc\"" },
	{ EXEC({ "gpu" : { "name" : "no name", "quantity" : 1 } }),
	  "spec.executor.gpu.name: Invalid value: \"no name\"" },
	{ SPEC({
		  "executor" : { "lifecycle" : { "preStop" : {} } },
		  "sparkConf" : { "spark.decommission.enabled" : "true" }
	  }),
	  "spec.executor.lifecycle: Forbidden" },
	{ CONF({ "spark.master" : "local" }),
	  "spec.sparkConf[spark.master]: Forbidden: the key is not allowed: this value is managed by the operator" },
	{ CONF({ "spark.submit.deployMode" : "cluster" }), NULL },
	{ CONF({ "spark.submit.deployMode" : "client" }), "spec.sparkConf[spark.submit.deployMode]: Forbidden" },
	{ CONF({ "spark.kubernetes.namespace" : "team-a" }), NULL },
	{ CONF({ "spark.kubernetes.namespace" : "b" }), "spec.sparkConf[spark.kubernetes.namespace]: Forbidden: must "
							"equal the application namespace \"team-a\", got \"b\"" },
	{ CONF({ "spark.kubernetes.authenticate.driver.oauthTokenFile" : "/t" }),
	  "spec.sparkConf[spark.kubernetes.authenticate.driver.oauthTokenFile]: Forbidden: the key is not allowed: "
	  "authentication" },
	{ CONF({ "spark.kubernetes.authenticate.submission.oauthToken" : "t" }),
	  "spec.sparkConf[spark.kubernetes.authenticate.submission.oauthToken]: Forbidden: the key is not allowed: "
	  "authentication" },
	{ CONF({ "spark.kubernetes.context" : "c", "spark.app.id" : "x", "spark.driver.host" : "h" }), NULL },
	{ CONF({ "spark.master=local" : "x" }),
	  "spec.sparkConf[spark.master=local]: Invalid value: \"spark.master=local\"" },
	{ SPEC({ "hadoopConf" : { "a=b" : "x" } }),
	  "spec.hadoopConf[a=b]: Invalid value: \"a=b\": expected a key without" },
	{ CONF({ "spark.kubernetes.kerberos.krb5.path" : "/k" }),
	  "spec.sparkConf[spark.kubernetes.kerberos.krb5.path]: Forbidden: the key is not allowed: it names a file of "
	  "the submitter, and the "
	  "operator "
	  "has no files of yours: make a ConfigMap" },
	{ CONF({ "spark.kubernetes.kerberos.krb5.configMapName" : "krb5" }), NULL },
	{ CONF({ "spark.kubernetes.kerberos.tokenSecret.name" : "t" }),
	  "spec.sparkConf[spark.kubernetes.kerberos.tokenSecret.itemKey]: Required value: "
	  "spark.kubernetes.kerberos.tokenSecret.name is set" },
	{ CONF({ "spark.kubernetes.kerberos.tokenSecret.itemKey" : "k" }),
	  "spec.sparkConf[spark.kubernetes.kerberos.tokenSecret.name]: Required value" },
	{ CONF({ "spark.kerberos.keytab" : "local:///k/t" }),
	  "spec.sparkConf[spark.kerberos.principal]: Required value" },
	{ CONF({ "spark.kerberos.keytab" : "local:///k/t", "spark.kerberos.principal" : "me@X" }), NULL },
	{ CONF({ "spark.kerberos.keytab" : "/k/t", "spark.kerberos.principal" : "me@X" }),
	  "spec.sparkConf[spark.kerberos.keytab]: Invalid value: \"/k/t\": the operator has no files of yours: mount" },
	{ SPEC({
		  "proxyUser" : "u",
		  "sparkConf" : { "spark.kerberos.keytab" : "local:///k", "spark.kerberos.principal" : "p" }
	  }),
	  "spec.proxyUser: Forbidden: only one of proxyUser and spark.kerberos.principal" },
	{ CONF({ "spark.kubernetes.driver.podTemplateFile" : "/t" }),
	  "spec.sparkConf[spark.kubernetes.driver.podTemplateFile]: Forbidden: the key is not allowed: it names a file "
	  "of the submitter, and "
	  "the "
	  "operator has no files of yours: use spec.driver.template" },
	{ CONF({ "spark.kubernetes.executor.podTemplateContainerName" : "main" }), NULL },
	{ CONF({ "spark.kubernetes.driver.pod.featureSteps" : "org.example.Step" }),
	  "spec.sparkConf[spark.kubernetes.driver.pod.featureSteps]: Forbidden: the key is not allowed: feature steps "
	  "are Java classes" },
	{ CONF({ "spark.kubernetes.executor.pod.featureSteps" : "org.example.Step" }), NULL },
	{ SPEC({
		  "sparkVersion" : "4.2.1",
		  "sparkConf" : {
			  "spark.kubernetes.driver.pod.excludedFeatureSteps" :
			      "org.apache.spark.deploy.k8s.features.BasicDriverFeatureStep"
		  }
	  }),
	  "spec.sparkConf[spark.kubernetes.driver.pod.excludedFeatureSteps]: Unsupported value" },
	{ CONF({ "spark.kubernetes.file.upload.path" : "s3a://b", "spark.kubernetes.driver.resourceNamePrefix" : "x" }),
	  NULL },
	{ CONF({ "spark.kubernetes.local.dirs.tmpfs" : "yes" }),
	  "spec.sparkConf[spark.kubernetes.local.dirs.tmpfs]: Invalid" },
	{ CONF({ "spark.kubernetes.configMap.maxSize" : "2000000" }),
	  "spec.sparkConf[spark.kubernetes.configMap.maxSize]: Inv" },
	{ CONF({ "spark.driver.memoryOverheadFactor" : "0" }),
	  "spec.sparkConf[spark.driver.memoryOverheadFactor]: Invalid" },
	{ CONF({ "spark.kubernetes.memoryOverheadFactor" : "0" }), NULL },
	{ CONF({ "spark.executor.instances" : "0" }),
	  "spec.sparkConf[spark.executor.instances]: Invalid value: 0: must be at least 1" },
	{ CONF({ "spark.executor.instances" : "-1" }),
	  "spec.sparkConf[spark.executor.instances]: Invalid value: \"-1\"" },
	{ CONF({ "spark.blockManager.port" : "80" }),
	  "spec.sparkConf[spark.blockManager.port]: Invalid value: \"80\"" },
	{ CONF({ "spark.blockManager.port" : "0" }), "spec.sparkConf[spark.driver.blockManager.port]: Required value" },
	{ CONF({ "spark.blockManager.port" : "0", "spark.driver.blockManager.port" : "7079" }), NULL },
	{ CONF({ "spark.kubernetes.executor.podNamePrefix" : "A_b" }),
	  "spec.sparkConf[spark.kubernetes.executor.podNamePrefix]: Invalid value" },
	{ CONF({ "spark.executorEnv.A B" : "x" }), "spec.sparkConf[spark.executorEnv.A B]: Invalid value: \"A B\"" },
	{ CONF({ "spark.kubernetes.driver.secrets.a.b" : "/x" }),
	  "spec.sparkConf[spark.kubernetes.driver.secrets.a.b]: Inv" },
	{ CONF({ "spark.kubernetes.driver.label.id" : "x{{APP_ID}}" }),
	  "spec.sparkConf[spark.kubernetes.driver.label.id]: Invalid value: \"x{{APP_ID}}\"" },
	{ SPEC({ "sparkVersion" : "4.0.1", "driver" : { "labels" : { "id" : "x{{APP_ID}}" } } }), NULL },
	{ SPEC({ "sparkVersion" : "4.0.1", "driver" : { "nodeSelector" : { "id" : "x{{APP_ID}}" } } }),
	  "spec.driver.nodeSelector[id]: Invalid value" },
	{ CONF({
		  "spark.kubernetes.driver.volumes.emptyDir.a.mount.path" : "/x",
		  "spark.kubernetes.driver.volumes.nfs.a.mount.path" : "/y"
	  }),
	  "spec.sparkConf[spark.kubernetes.driver.volumes.nfs.a.mount.path]: Duplicate value: \"a\"" },
	{ CONF({ "spark.kubernetes.executor.volumes.csi.a.mount.path" : "/x" }),
	  "spec.sparkConf[spark.kubernetes.executor.volumes.csi.a.mount.path]: Invalid value" },
	{ CONF({ "spark.kubernetes.driver.volumes.emptyDir.A.mount.path" : "/x" }),
	  "spec.sparkConf[spark.kubernetes.driver.volumes.emptyDir.A.]: Invalid value: \"A\": expected a DNS label" },
	{ CONF({
		  "spark.kubernetes.driver.volumes.emptyDir.a.mount.path" : "/x",
		  "spark.kubernetes.driver.volumes.emptyDir.a.mount.readOnly" : "yes"
	  }),
	  "spec.sparkConf[spark.kubernetes.driver.volumes.emptyDir.a.mount.readOnly]: Invalid value: \"yes\": expected "
	  "true or false" },
	{ CONF({
		  "spark.kubernetes.driver.volumes.emptyDir.a.mount.path" : "/x",
		  "spark.kubernetes.driver.volumes.emptyDir.a.options.sizeLimit" : "5"
	  }),
	  NULL },
	{ SPEC({
		  "sparkVersion" : "4.0.1",
		  "sparkConf" : {
			  "spark.kubernetes.driver.volumes.emptyDir.a.mount.path" : "/x",
			  "spark.kubernetes.driver.volumes.emptyDir.a.options.sizeLimit" : "5"
		  }
	  }),
	  "spec.sparkConf[spark.kubernetes.driver.volumes.emptyDir.a.options.sizeLimit]: Invalid value: \"5\": is "
	  "smaller than 1KiB" },
	{ SPEC({
		  "sparkVersion" : "4.0.1",
		  "sparkConf" : {
			  "spark.kubernetes.driver.volumes.emptyDir.a.mount.path" : "/x",
			  "spark.kubernetes.driver.volumes.emptyDir.a.mount.subPath" : "s",
			  "spark.kubernetes.driver.volumes.emptyDir.a.mount.subPathExpr" : "e"
		  }
	  }),
	  "spec.sparkConf[spark.kubernetes.driver.volumes.emptyDir.a.mount.subPathExpr]: Forbidden: excludes "
	  "mount.subPath" },
	{ "{\"spec\":{\"sparkVersion\":\"4.0.1\",\"sparkConf\":{"
	  "\"spark.kubernetes.driver.volumes.persistentVolumeClaim.a.mount.path\":\"/x\","
	  "\"spark.kubernetes.driver.volumes.persistentVolumeClaim.a.options.claimName\":\"OnDemand\","
	  "\"spark.kubernetes.driver.volumes.persistentVolumeClaim.a.label.sparkoperator.k8s.io/app-name\":\"x\"}}}",
	  "spec.sparkConf[spark.kubernetes.driver.volumes.persistentVolumeClaim.a.label.sparkoperator.k8s.io/"
	  "app-name]: Invalid value: "
	  "\"x\": "
	  "reserved" },
	{ CONF({ "spark.kubernetes.driver.label.spark-role" : "x" }),
	  "spec.sparkConf[spark.kubernetes.driver.label.spark-role]: Forbidden: reserved" },
	{ CONF({ "spark.kubernetes.executor.label.a" : "x y" }),
	  "spec.sparkConf[spark.kubernetes.executor.label.a]: Invalid value: \"x y\"" },
	{ CONF({ "spark.driver.memory" : "1.5g" }), "spec.sparkConf[spark.driver.memory]: Invalid value: \"1.5g\"" },
	{ CONF({ "spark.ui.port" : "x" }), "spec.sparkConf[spark.ui.port]: Invalid value: \"x\": expected a port" },
	{ CONF({ "spark.jars" : "local:///a.jar,b.jar" }), "spec.sparkConf[spark.jars]: Invalid value" },
	{ CONF({ "spark.kubernetes.driver.secretKeyRef.A" : "a:b:c" }),
	  "spec.sparkConf[spark.kubernetes.driver.secretKeyRef.A]: Invalid value: \"a:b:c\": expected SECRET:KEY" },
	{ CONF({ "spark.kubernetes.driver.volumes.csi.a.mount.path" : "/x" }),
	  "spec.sparkConf[spark.kubernetes.driver.volumes.csi.a.mount.path]: Invalid value" },
	{ CONF({ "spark.kubernetes.driver.volumes.hostPath.a.mount.path" : "/x" }),
	  "spec.sparkConf[spark.kubernetes.driver.volumes.hostPath.a.options.path]: Required value" },
	{ CONF({ "spark.kubernetes.driver.volumes.emptyDir.a.options.medium" : "" }),
	  "spec.sparkConf[spark.kubernetes.driver.volumes.emptyDir.a.mount.path]: Required value" },
	{ CONF({ "spark.driver.resource.gpu.amount" : "1" }),
	  "spec.sparkConf[spark.driver.resource.gpu.vendor]: Required value" },
	{ CONF({ "not.spark" : "x", "Spark.Master" : "y" }), NULL },
	{ SPEC({ "restartPolicy" : { "type" : "Sometimes" } }),
	  "spec.restartPolicy.type: Unsupported value: \"Sometimes\": supported values: \"Always\", \"Never\"" },
	{ SPEC({ "restartPolicy" : { "type" : "OnFailure", "onFailureRetries" : -1 } }),
	  "spec.restartPolicy.onFailureRetries: Invalid value: -1: must be at least 0" },
	{ SPEC({ "restartPolicy" : { "type" : "Always", "onFailureRetryInterval" : 0 } }),
	  "spec.restartPolicy.onFailureRetryInterval: Invalid value: 0: must be at least 1" },
	{ SPEC({ "timeToLiveSeconds" : -1, "failureRetries" : -3 }), NULL },
	{ SPEC({ "batchSchedulerOptions" : { "resources" : { "cpu" : "2x", "memory" : 1 } } }),
	  "spec.batchSchedulerOptions.resources[cpu]: Invalid value: \"2x\"" },
	{ SPEC({ "dynamicAllocation" : { "enabled" : true, "initialExecutors" : 9, "maxExecutors" : 2 } }), NULL },
	{ SPEC({ "sparkUIOptions" : { "servicePort" : 0 } }),
	  "spec.sparkUIOptions.servicePort: Invalid value: 0: must" },
	{ SPEC({ "sparkUIOptions" : { "serviceLabels" : { "a" : "x y" } } }),
	  "spec.sparkUIOptions.serviceLabels[a]: Invalid value: \"x y\"" },
	{ SPEC({ "sparkUIOptions" : { "ingressTLS" : [ { "hosts" : ["a"], "secretName" : "A" } ] } }),
	  "spec.sparkUIOptions.ingressTLS[0].secretName: Invalid value: \"A\"" },
	{ SPEC({
		  "driverIngressOptions" :
		      [ { "servicePort" : 1, "ingressURLFormat" : "h/{{ $appNamespace }}/{{$appName}}" } ]
	  }),
	  NULL },
	{ SPEC({ "driverIngressOptions" : [ { "ingressURLFormat" : "a" } ] }),
	  "spec.driverIngressOptions[0].servicePort: Required value" },
	{ SPEC({ "driverIngressOptions" : [ { "servicePort" : 1, "ingressURLFormat" : "{{$appNames}}" } ] }),
	  "spec.driverIngressOptions[0].ingressURLFormat: Invalid value: \"{{$appNames}}\"" },
	{ SPEC({ "driverIngressOptions" : [ { "servicePort" : 1, "ingressURLFormat" : "{$appName}" } ] }),
	  "spec.driverIngressOptions[0].ingressURLFormat: Invalid value" },
	{ SPEC({ "deps" : { "packages" : ["g:a:1,g/b/2"] } }), NULL },
	{ CONF({ "spark.jars.packages" : "g:a" }), "spec.sparkConf[spark.jars.packages]: Invalid value: \"g:a\"" },
	{ DRIVER({ "javaOptions" : "-Dspark.a=b -Da=b" }), NULL },
	{ DRIVER({ "javaOptions" : "-XX:+UseG1GC -Xmx1g" }), "spec.driver.javaOptions: Invalid value" },
	{ EXEC({ "javaOptions" : "-Xmx1g" }), "spec.executor.javaOptions: Invalid value: \"-Xmx1g\": Spark does not" },
	{ CONF({ "spark.executor.extraJavaOptions" : "-Dspark.a=b" }),
	  "spec.sparkConf[spark.executor.extraJavaOptions]: Invalid value" },
	{ DRIVER({ "coreLimit" : "500m" }),
	  "spec.driver.coreLimit: Invalid value: \"500m\": is below the request of the driver, 1" },
	{ DRIVER({ "coreRequest" : "250m", "coreLimit" : "500m" }), NULL },
	{ CONF({ "spark.kubernetes.driver.limit.cores" : "0.5" }),
	  "spec.sparkConf[spark.kubernetes.driver.limit.cores]: Invalid value: \"0.5\": is below" },
	{ DRIVER({ "memoryLimit" : "700m" }), NULL },
	{ DRIVER({
		  "sidecars" : [ {
			  "name" : "a",
			  "image" : "i",
			  "resources" : { "requests" : { "memory" : "2Gi" }, "limits" : { "memory" : "1Gi" } }
		  } ]
	  }),
	  "spec.driver.sidecars[0].resources.limits[memory]: Invalid value: \"1Gi\": is below the request of the "
	  "container" },
	{ EXEC({
		  "initContainers" :
		      [ { "name" : "a", "image" : "i", "volumeMounts" : [ { "name" : "data", "mountPath" : "/x" } ] } ]
	  }),
	  "spec.executor.initContainers[0].volumeMounts[0].name: Not found: \"data\"" },
	{ EXEC({
		  "volumeMounts" : [ { "name" : "data", "mountPath" : "/x" } ],
		  "initContainers" :
		      [ { "name" : "a", "image" : "i", "volumeMounts" : [ { "name" : "data", "mountPath" : "/x" } ] } ]
	  }),
	  NULL },
	{ EXEC({
		  "template" : {
			  "spec" : {
				  "containers" : [
					  { "name" : "spark-kubernetes-executor" }, {
						  "name" : "x",
						  "image" : "i",
						  "volumeMounts" : [ { "name" : "no", "mountPath" : "/x" } ]
					  }
				  ]
			  }
		  }
	  }),
	  "spec.executor.template.spec.containers[1].volumeMounts[0].name: Not found: \"no\"" },
	{ DRIVER(
	      { "sidecars" : [ { "name" : "a", "image" : "i", "ports" : [ { "name" : "p" }, { "name" : "p" } ] } ] }),
	  "spec.driver.sidecars[0].ports[1].name: Duplicate value: \"p\"" },
	{ DRIVER({ "sidecars" : [ { "name" : "a", "image" : " i" } ] }),
	  "spec.driver.sidecars[0].image: Invalid value: \" i\": must not" },
	{ EXEC({ "sidecars" : [ { "name" : "a", "image" : "i" }, { "name" : "a", "image" : "j" } ] }),
	  "spec.executor.sidecars[0].name: Duplicate value: \"a\"" },
	{ EXEC({ "gpu" : { "name" : "gpu", "quantity" : 1 } }),
	  "spec.executor.gpu.name: Invalid value: \"gpu\": expected VENDOR/NAME" },
	{ DRIVER({ "env" : [ { "name" : "A", "valueFrom" : { "secretKeyRef" : { "name" : "s" } } } ] }),
	  "spec.driver.env[0].valueFrom.secretKeyRef.key: Required value" },
	{ DRIVER({ "env" : [ { "name" : "A", "valueFrom" : {} } ] }),
	  "spec.driver.env[0].valueFrom: Required value: one of configMapKeyRef" },
	{ DRIVER({
		  "env" : [ {
			  "name" : "A",
			  "valueFrom" :
			      { "fieldRef" : { "fieldPath" : "a" },
				"resourceFieldRef" : { "resource" : "limits.cpu" } }
		  } ]
	  }),
	  "spec.driver.env[0].valueFrom.resourceFieldRef: Forbidden: may not specify more than 1 source" },
	{ DRIVER({
		  "env" : [ {
			  "name" : "A",
			  "value" : "",
			  "valueFrom" : { "configMapKeyRef" : { "name" : "c", "key" : "..k" } }
		  } ]
	  }),
	  "spec.driver.env[0].valueFrom.configMapKeyRef.key: Invalid value: \"..k\"" },
	{ EXEC({ "envFrom" : [ { "prefix" : "A_" } ] }),
	  "spec.executor.envFrom[0]: Required value: configMapRef or secretRef" },
	{ EXEC({ "envFrom" : [ { "secretRef" : { "name" : "S" } } ] }),
	  "spec.executor.envFrom[0].secretRef.name: Invalid value: \"S\"" },
	{ EXEC({ "envFrom" : [ { "configMapRef" : { "name" : "c", "optional" : true } } ] }), NULL },
	{ DRIVER({ "envSecretKeyRefs" : { "A" : { "name" : "s", "key" : "a b" } } }),
	  "spec.driver.envSecretKeyRefs[A].key: Invalid value: \"a b\"" },
	{ SPEC({ "volumes" : [ { "name" : "v", "secret" : {} } ] }), NULL },
	{ SPEC({
		  "volumes" : [ { "name" : "v", "secret" : {} } ],
		  "driver" : { "volumeMounts" : [ { "name" : "v", "mountPath" : "/v" } ] },
		  "executor" : { "volumeMounts" : [ { "name" : "v", "mountPath" : "/v" } ] }
	  }),
	  "spec.volumes[0].secret.secretName: Required value" },
	{ SPEC({
		  "volumes" : [ { "name" : "v", "hostPath" : { "path" : "/a/../b" } } ],
		  "driver" : { "volumeMounts" : [ { "name" : "v", "mountPath" : "/v" } ] }
	  }),
	  "spec.volumes[0].hostPath.path: Invalid value: \"/a/../b\": must not contain '..'" },
	{ SPEC({
		  "volumes" : [ { "name" : "v", "emptyDir" : { "sizeLimit" : "1g", "medium" : "Disk" } } ],
		  "driver" : { "volumeMounts" : [ { "name" : "v", "mountPath" : "/v" } ] }
	  }),
	  "spec.volumes[0].emptyDir.medium: Unsupported value: \"Disk\": supported values: \"\", \"HugePages\", "
	  "\"Memory\"\nspec.volumes[0].emptyDir.sizeLimit: Invalid value: \"1g\"" },
	{ SPEC({
		  "volumes" :
		      [ { "name" : "spark-local-dir-1", "persistentVolumeClaim" : { "claimName" : "OnDemand" } } ],
		  "executor" : { "volumeMounts" : [ { "name" : "spark-local-dir-1", "mountPath" : "/v" } ] }
	  }),
	  NULL },
	{ DRIVER({ "volumeMounts" : [ { "name" : "data", "mountPath" : "/a", "subPath" : "a/..b" } ] }), NULL },
	{ DRIVER({ "volumeMounts" : [ { "name" : "data", "mountPath" : "/a", "subPath" : "/b" } ] }),
	  "spec.driver.volumeMounts[0].subPath: Invalid value: \"/b\": must be a relative path" },
	{ DRIVER(
	      { "volumeMounts" : [ { "name" : "data", "mountPath" : "/a", "subPath" : "b", "subPathExpr" : "c" } ] }),
	  "spec.driver.volumeMounts[0].subPathExpr: Forbidden: subPathExpr and subPath" },
	{ DRIVER({ "ports" : [ { "name" : "a", "protocol" : "ICMP" } ] }),
	  "spec.driver.ports[0].containerPort: Required value\nspec.driver.ports[0].protocol: Unsupported value: "
	  "\"ICMP\"" },
	{ EXEC({
		  "tolerations" : [
			  { "operator" : "Exists" },
			  { "key" : "a", "value" : "b", "effect" : "NoExecute", "tolerationSeconds" : 5 }
		  ]
	  }),
	  NULL },
	{ EXEC({ "tolerations" : [ { "value" : "b" } ] }),
	  "spec.executor.tolerations[0].operator: Invalid value: \"\": operator must be Exists when" },
	{ EXEC({ "tolerations" : [ { "key" : "a", "operator" : "Exists", "value" : "b" } ] }),
	  "spec.executor.tolerations[0].operator: Invalid value: \"b\": value must be empty" },
	{ EXEC({ "tolerations" : [ { "key" : "a", "operator" : "In", "effect" : "NoSchedule" } ] }),
	  "spec.executor.tolerations[0].operator: Unsupported value: \"In\": supported values: \"Equal\", \"Exists\"" },
	{ EXEC({ "tolerations" : [ { "key" : "a", "effect" : "NoSchedule", "tolerationSeconds" : 5 } ] }),
	  "spec.executor.tolerations[0].effect: Invalid value: \"NoSchedule\": effect must be 'NoExecute'" },
	{ DRIVER({ "labels" : { "sparkoperator.k8s.io/connect-name" : "x" } }),
	  "spec.driver.labels[sparkoperator.k8s.io/connect-name]: Forbidden: reserved" },
	{ EXEC({ "template" : { "metadata" : { "labels" : { "sparkoperator.k8s.io/connect-name" : "x" } } } }),
	  "spec.executor.template.metadata.labels[sparkoperator.k8s.io/connect-name]: Forbidden: reserved" },
	{ MD({ "labels" : { "sparkoperator.k8s.io/scheduled-app-name" : "x" } }), NULL },
};

static bool is_expected(const char *line, const struct err *err)
{
	if (!line)
		return err->code == ERR_NONE;
	return err->code == ERR_INVALID && text_starts(err->msg, line) &&
	       (strchr(line, '\n') || !strchr(err->msg, '\n'));
}

static void each_rule(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct err err = { 0 };

		validate(rows[i].patch, &err);
		if (is_expected(rows[i].line, &err))
			continue;
		print_error("%s: got: %s\n", rows[i].patch, err.msg);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void the_message_counts_what_it_leaves_out(void **state)
{
	auto_json tree = json_new_object();
	struct json *driver = json_ensure_object(json_ensure_object(tree, "spec"), "driver");
	struct json *labels = json_ensure_object(driver, "labels");
	auto_free char *patch = NULL;
	struct err err;

	(void)state;
	for (int i = 0; i < 100; i++) {
		auto_free char *key = xasprintf("bad key %02d", i);

		json_set_str(labels, key, "x");
	}
	patch = json_print(tree);
	validate(patch, &err);
	assert_int_equal(err.code, ERR_INVALID);
	assert_non_null(strstr(err.msg, "bad key 00"));
	assert_non_null(strstr(err.msg, "\n… and "));
	assert_true(text_ends(err.msg, " more"));
	assert_true(strlen(err.msg) < ERR_MSG_SIZE);
}

static void long_values_are_cut_between_characters(void **state)
{
	struct err err;

	(void)state;
	validate(DRIVER({ "memory" : "xéééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé" }), &err);
	assert_non_null(strstr(err.msg, "...\": expected"));
	assert_true(text_is_utf8(err.msg, strlen(err.msg)));
	assert_true(strlen(err.msg) < 200);
}

static void long_keys_are_cut(void **state)
{
	auto_json tree = json_new_object();
	struct json *driver = json_ensure_object(json_ensure_object(tree, "spec"), "driver");
	auto_free char *key = xcalloc(1, (1 << 16) + 1);
	auto_free char *patch = NULL;
	struct err err;

	(void)state;
	memset(key, 'x', 1 << 16);
	json_set_str(json_ensure_object(driver, "labels"), key, "a");
	patch = json_print(tree);
	validate(patch, &err);
	assert_int_equal(err.code, ERR_INVALID);
	assert_true(text_starts(err.msg, "spec.driver.labels[xxx"));
	assert_true(strlen(err.msg) < 1000);
}

static void more_than_a_configmap_holds(void **state)
{
	auto_json tree = json_new_object();
	struct json *conf = json_ensure_object(json_ensure_object(tree, "spec"), "sparkConf");
	auto_free char *value = xcalloc(1, (1 << 20) + 1);
	auto_free char *patch = NULL;
	struct err err;

	(void)state;
	memset(value, 'x', 1 << 20);
	json_set_str(conf, "spark.large", value);
	patch = json_print(tree);
	validate(patch, &err);
	assert_int_equal(err.code, ERR_INVALID);
	assert_non_null(strstr(err.msg, "a ConfigMap holds 1048576"));
}

/* The longest names that Kubernetes takes of what Spark makes of them, and one character more. */
static void limits_of_names(void **state)
{
	static const struct {
		const char *format;
		int max;
	} names[] = {
		{ SPEC({ "driver" : { "secrets" : [ { "name" : "%s", "path" : "/s" } ] } }), 56 },
		{ CONF({ "spark.kubernetes.executor.secrets.%s" : "/s" }), 56 },
		{ CONF({ "spark.kubernetes.executor.podNamePrefix" : "%s" }), 237 },
		{ CONF({ "spark.kubernetes.driver.pod.name" : "%s" }), 253 },
		{ DRIVER({ "podName" : "%s" }), 253 },
		{ DRIVER({ "labels" : { "a" : "%s" } }), 63 },
		{ DRIVER({ "labels" : { "%s" : "a" } }), 63 },
		{ EXEC({ "configMaps" : [ { "name" : "%s", "path" : "/c" } ] }), 253 },
		{ MD({ "name" : "%s" }), 63 },
		{ CONF({ "spark.kubernetes.driver.volumes.emptyDir.%s.mount.path" : "/x" }), 63 },
	};

	(void)state;
	for (size_t i = 0; i < array_len(names) * 2; i++) {
		int len = names[i / 2].max + (int)(i % 2);
		auto_free char *name = xcalloc(1, (size_t)len + 1);
		auto_free char *patch = NULL;
		const char *at = strstr(names[i / 2].format, "%s");
		struct err err;

		memset(name, 'a', (size_t)len);
		patch = xasprintf("%.*s%s%s", (int)(at - names[i / 2].format), names[i / 2].format, name, at + 2);
		validate(patch, &err);
		if ((err.code == ERR_INVALID) != (i % 2 == 1))
			fail_msg("%s: got: %s", patch, err.msg);
	}
}

static void quantities(void **state)
{
	static const char *const good[] = { "1", "0.5", ".5", "500m", "1Gi", "2E", "1e3", "1E-3", "10k" };
	static const char *const bad[] = { "", "m", "1g", "1 ", "1.2.3", "1ee3", "-", "1Kib" };

	(void)state;
	for (size_t i = 0; i < array_len(good); i++)
		assert_null(check_quantity(good[i]));
	for (size_t i = 0; i < array_len(bad); i++)
		assert_non_null(check_quantity(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule),
		cmocka_unit_test(the_message_counts_what_it_leaves_out),
		cmocka_unit_test(long_values_are_cut_between_characters),
		cmocka_unit_test(long_keys_are_cut),
		cmocka_unit_test(more_than_a_configmap_holds),
		cmocka_unit_test(limits_of_names),
		cmocka_unit_test(quantities),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
