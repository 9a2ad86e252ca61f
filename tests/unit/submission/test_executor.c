/* The executor pod by versions: each row is a rule of BasicExecutorFeatureStep or of a step after it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "build.h"
#include "base/text.h"
#include "parse.h"
#include "submission/submission.h"

/* An application whose spec is merged with more, a JSON object. Owned. */
static struct json *application(const char *version, const char *more)
{
	auto_free char *text = xasprintf(JSON({
						 "metadata" : { "name" : "pi", "namespace" : "jobs", "uid" : "u-1" },
						 "spec" : {
							 "type" : "Scala",
							 "mode" : "cluster",
							 "sparkVersion" : "%s",
							 "image" : "i",
							 "mainClass" : "C",
							 "mainApplicationFile" : "local:///a.jar",
							 "driver" : {},
							 "executor" : {}
						 }
					 }),
					 version);
	auto_json patch = parse(more);
	struct json *tree = parse(text);

	json_merge_apply(json_get(tree, "spec"), patch);
	return tree;
}

static int build(const struct json *tree, struct submission *s, struct err *err)
{
	const struct submission_options options = { .master = "k8s://https://h:1", .with_executor = true };
	struct app app;

	if (app_decode(tree, &app, err) < 0)
		fail_msg("%s", err->msg);
	return submission_build(&app, 1, &options, s, err);
}

/* Owned. */
static struct json *executor(const char *version, const char *more)
{
	auto_json tree = application(version, more);
	struct submission s = { 0 };
	struct err err = { 0 };
	struct json *pod;

	if (build(tree, &s, &err))
		fail_msg("%s with %s: %s", version, more, err.msg);
	pod = take_ptr(s.executor);
	submission_done(&s);
	return pod;
}

static const struct json *container(const struct json *pod)
{
	const struct json *last = NULL;

	json_each (c, json_at(pod, "spec.containers"))
		last = c;
	return last;
}

/* The last one counts. */
static const char *env(const struct json *pod, const char *name)
{
	const char *value = NULL;

	json_each (e, json_get(container(pod), "env"))
		if (text_eq(json_str(e, "name", NULL), name))
			value = json_str(e, "value", "(a reference)");
	return value;
}

static bool has_option(const struct json *pod, const char *option)
{
	json_each (e, json_get(container(pod), "env"))
		if (text_starts(json_str(e, "name", NULL), "SPARK_JAVA_OPT_") &&
		    text_eq(json_str(e, "value", NULL), option))
			return true;
	return false;
}

static size_t count_options(const struct json *pod)
{
	size_t count = 0;

	json_each (e, json_get(container(pod), "env"))
		count += text_starts(json_str(e, "name", NULL), "SPARK_JAVA_OPT_");
	return count;
}

/* want: JSON, or "none". Members have an order. */
static void expect(const struct json *pod, bool in_container, const char *path, const char *want, const char *what)
{
	const struct json *from = in_container ? container(pod) : pod;
	const struct json *value = json_at(from, path);
	auto_json tree = value ? parse(want) : NULL;
	auto_free char *got = value ? json_print(value) : xstrdup("none");
	auto_free char *printed = tree ? json_print(tree) : xstrdup(want);

	if (!text_eq(got, printed))
		fail_msg("%s: %s is %s, not %s", what, path, got, printed);
}

/* Spark's pod of an application that asks for nothing, 3.5. */
static void test_plain(void **state)
{
	auto_json pod = executor("3.5.6", "{}");
	auto_json again = executor("3.5.6", "{}");
	const char *name = json_str(pod, "metadata.name", "");
	const struct json *labels = json_at(pod, "metadata.labels");
	const struct json *owners = json_at(pod, "metadata.ownerReferences"), *owner = json_first(owners);

	(void)state;
	assert_true(json_equal(pod, again));
	assert_true(text_starts(name, "pi-") && text_ends(name, "-exec-1"));
	assert_int_equal(strlen(name), strlen("pi-0123456789abcdef-exec-1"));
	assert_string_equal(json_str(pod, "spec.hostname", ""), name);
	assert_string_equal(json_str(pod, "metadata.namespace", ""), "jobs");
	assert_string_equal(json_text(json_get(labels, "spark-exec-id"), ""), "1");
	assert_string_equal(json_text(json_get(labels, "spark-role"), ""), "executor");
	assert_string_equal(json_text(json_get(labels, "spark-version"), ""), "3.5.6");
	assert_string_equal(json_text(json_get(labels, "spark-exec-resourceprofile-id"), ""), "0");
	/* Kubernetes keeps an object as long as one of its owners is there, so a second owner would keep executors. */
	assert_int_equal(json_len(owners), 1);
	assert_string_equal(json_str(owner, "kind", ""), "Pod");
	assert_string_equal(json_str(owner, "name", ""), "pi-driver");
	expect(pod, false, "spec.restartPolicy", "\"Never\"", "plain");
	expect(pod, true, "args", JSON(["executor"]), "plain");
	expect(pod, true, "ports", JSON([ { "containerPort" : 7079, "name" : "blockmanager" } ]), "plain");
	expect(pod, true, "name", "\"spark-kubernetes-executor\"", "plain");
	assert_string_equal(env(pod, "SPARK_USER"), "spark");
	assert_string_equal(env(pod, "SPARK_EXECUTOR_POD_IP"), "(a reference)");
	assert_string_equal(env(pod, "SPARK_EXECUTOR_POD_NAME"), "(a reference)");
	assert_true(text_starts(env(pod, "SPARK_DRIVER_URL"), "spark://CoarseGrainedScheduler@pi-"));
	assert_true(text_ends(env(pod, "SPARK_DRIVER_URL"), "-driver-svc.jobs.svc:7078"));
}

static const struct field_case {
	const char *version, *spec;
	bool in_container;
	const char *path, *want;
} field_cases[] = {
	/* ResourceProfile.getResourcesForClusterManager; the numbers are those of Spark */
	{ "3.5.6", "{}", true, "resources",
	  JSON({ "requests" : { "cpu" : "1", "memory" : "1408Mi" }, "limits" : { "memory" : "1408Mi" } }) },
	{ "3.5.6", JSON({
		  "sparkConf" : {
			  "spark.memory.offHeap.enabled" : "true",
			  "spark.memory.offHeap.size" : "3g",
			  "spark.executor.memory" : "2g",
			  "spark.executor.pyspark.memory" : "512m"
		  },
		  "type" : "Python",
		  "mainApplicationFile" : "local:///a.py"
	  }),
	  true, "resources.limits.memory", "\"6451Mi\"" },
	{ "3.5.6",
	  JSON({ "sparkConf" : { "spark.executor.pyspark.memory" : "512m", "spark.memory.offHeap.size" : "3g" } }),
	  true, "resources.requests.memory", "\"1408Mi\"" },
	{ "3.5.6", JSON({
		  "sparkConf" : {
			  "spark.memory.offHeap.enabled" : "true",
			  "spark.memory.offHeap.size" : "1500000",
			  "spark.executor.memoryOverhead" : "0"
		  }
	  }),
	  true, "resources.requests.memory", "\"1025Mi\"" },
	{ "3.5.6", JSON({
		  "executor" : { "memory" : "5431m" },
		  "sparkConf" :
		      { "spark.executor.memoryOverheadFactor" : "0.15", "spark.executor.minMemoryOverhead" : "2g" }
	  }),
	  true, "resources.requests.memory", "\"6245Mi\"" },
	{ "4.0.1", JSON({
		  "executor" : { "memory" : "5431m" },
		  "sparkConf" :
		      { "spark.executor.memoryOverheadFactor" : "0.15", "spark.executor.minMemoryOverhead" : "2g" }
	  }),
	  true, "resources.requests.memory", "\"7479Mi\"" },
	{ "3.5.6", JSON({ "executor" : { "cores" : 3, "coreLimit" : "4000m" } }), true, "resources.limits.cpu",
	  "\"4000m\"" },
	{ "3.5.6", JSON({ "executor" : { "cores" : 3, "coreRequest" : "0.5" } }), true, "resources.requests.cpu",
	  "\"0.5\"" },
	{ "3.5.6", JSON({
		  "sparkConf" : {
			  "spark.executor.resource.gpu.amount" : "2",
			  "spark.executor.resource.gpu.vendor" : "nvidia.com"
		  }
	  }),
	  true, "resources.limits", JSON({ "memory" : "1408Mi", "nvidia.com/gpu" : "2" }) },
	/* container and pod */
	{ "4.1.0", "{}", true, "resizePolicy", "none" },
	{ "4.2.1", "{}", true, "resizePolicy", JSON([
		  { "resourceName" : "cpu", "restartPolicy" : "NotRequired" },
		  { "resourceName" : "memory", "restartPolicy" : "NotRequired" }
	  ]) },
	{ "4.2.1", "{}", true, "securityContext", "none" },
	{ "4.3.0", "{}", true, "securityContext", JSON({ "allowPrivilegeEscalation" : false }) },
	{ "4.3.0", JSON({ "sparkConf" : { "spark.kubernetes.securityContext.allowPrivilegeEscalation" : "true" } }),
	  true, "securityContext", JSON({ "allowPrivilegeEscalation" : true }) },
	{ "4.3.0", JSON({
		  "sparkConf" : {
			  "spark.kubernetes.securityContext.allowPrivilegeEscalation" : "true",
			  "spark.kubernetes.executor.securityContext.allowPrivilegeEscalation" : "false"
		  }
	  }),
	  true, "securityContext", JSON({ "allowPrivilegeEscalation" : false }) },
	{ "4.0.1", "{}", false, "spec.terminationGracePeriodSeconds", "none" },
	{ "4.1.0", "{}", false, "spec.terminationGracePeriodSeconds", "30" },
	{ "4.1.0", JSON({ "sparkConf" : { "spark.kubernetes.executor.terminationGracePeriodSeconds" : "1m" } }), false,
	  "spec.terminationGracePeriodSeconds", "60" },
	{ "4.1.0", JSON({ "sparkConf" : { "spark.kubernetes.executor.terminationGracePeriodSeconds" : "2500ms" } }),
	  false, "spec.terminationGracePeriodSeconds", "2" },
	{ "4.1.0", JSON({ "sparkConf" : { "spark.kubernetes.executor.terminationGracePeriodSeconds" : "45" } }), false,
	  "spec.terminationGracePeriodSeconds", "45" },
	{ "3.5.6", JSON({ "sparkConf" : { "spark.decommission.enabled" : "true" } }), true, "lifecycle",
	  JSON({ "preStop" : { "exec" : { "command" : ["/opt/decom.sh"] } } }) },
	{ "3.5.6", JSON({ "sparkConf" : { "spark.blockManager.port" : "9999" } }), true, "ports",
	  JSON([ { "containerPort" : 9999, "name" : "blockmanager" } ]) },
	{ "3.5.6", JSON({
		  "sparkConf" : {
			  "spark.kubernetes.executor.podNamePrefix" :
			      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bb-cccccccccccccccccccccccccccccccccccccccccccccccccccc"
		  }
	  }),
	  false, "spec.hostname", "\"bb-cccccccccccccccccccccccccccccccccccccccccccccccccccc-exec-1\"" },
	{ "3.5.6", JSON({ "sparkConf" : { "spark.kubernetes.executor.podNamePrefix" : "a.b" } }), false,
	  "spec.hostname", "\"a_b-exec-1\"" },
	{ "4.1.0", JSON({ "image" : "i:{{SPARK_VERSION}}" }), true, "image", "\"i:4.1.0\"" },
	{ "4.0.1", JSON({ "image" : "i:{{SPARK_VERSION}}" }), true, "image", "\"i:{{SPARK_VERSION}}\"" },
	{ "3.5.6", JSON({ "executor" : { "annotations" : { "a" : "{{EXECUTOR_ID}}" } } }), false,
	  "metadata.annotations.a", "\"1\"" },
	{ "3.5.6", JSON({ "executor" : { "serviceAccount" : "e" }, "driver" : { "serviceAccount" : "d" } }), false,
	  "spec.serviceAccountName", "\"e\"" },
	{ "3.5.6", JSON({ "driver" : { "serviceAccount" : "d" } }), false, "spec.serviceAccountName", "\"d\"" },
	{ "3.5.6", JSON({
		  "driver" : { "serviceAccount" : "d" },
		  "executor" : { "template" : { "spec" : { "serviceAccountName" : "t" } } }
	  }),
	  false, "spec.serviceAccountName", "\"d\"" },
	/* other steps */
	{ "3.5.6", JSON({
		  "sparkConf" : {
			  "spark.kubernetes.executor.disableConfigMap" : "true",
			  "spark.local.dir" : "/x",
			  "spark.kubernetes.local.dirs.tmpfs" : "true"
		  }
	  }),
	  false, "spec.volumes", JSON([ { "name" : "spark-local-dir-1", "emptyDir" : { "medium" : "Memory" } } ]) },
	{ "4.1.0", JSON({
		  "sparkConf" : {
			  "spark.kubernetes.executor.disableConfigMap" : "true",
			  "spark.kubernetes.executor.pod.excludedFeatureSteps" :
			      "org.apache.spark.deploy.k8s.features.LocalDirsFeatureStep"
		  }
	  }),
	  false, "spec.volumes", "none" },
	{ "3.5.6",
	  "{\"sparkConf\":{\"spark.kubernetes.executor.disableConfigMap\":\"true\","
	  "\"spark.kubernetes.executor.podNamePrefix\":\"p\","
	  "\"spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-1.options.claimName\":"
	  "\"x-SPARK_EXECUTOR_ID-OnDemand\","
	  "\"spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-1.mount.path\":\"/d\"}}",
	  false, "spec.volumes", JSON([ {
		  "name" : "spark-local-dir-1",
		  "persistentVolumeClaim" : { "claimName" : "x-1-p-exec-1-pvc-0", "readOnly" : false }
	  } ]) },
	{ "3.5.6", JSON({
		  "sparkConf" : {
			  "spark.kubernetes.executor.pod.excludedFeatureSteps" :
			      "org.apache.spark.deploy.k8s.features.BasicExecutorFeatureStep"
		  }
	  }),
	  true, "args", JSON(["executor"]) },
	{ "4.1.0", JSON({ "sparkConf" : { "spark.kubernetes.allocation.pods.allocator" : "deployment" } }), false,
	  "spec.restartPolicy", "\"Never\"" },
	{ "4.2.1", JSON({ "sparkConf" : { "spark.kubernetes.allocation.pods.allocator" : "deployment" } }), false,
	  "spec.restartPolicy", "\"Always\"" },
	{ "3.5.6", JSON({ "sparkConf" : { "spark.kubernetes.allocation.pods.allocator" : "statefulset" } }), false,
	  "spec.restartPolicy", "\"Always\"" },
};

static void test_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(field_cases); i++) {
		const struct field_case *c = &field_cases[i];
		auto_json pod = executor(c->version, c->spec);
		auto_free char *what = xasprintf("%s with %s", c->version, c->spec);

		expect(pod, c->in_container, c->path, c->want, what);
	}
}

static const struct env_case {
	const char *version, *spec, *name, *want; /* want NULL: the variable is not set */
} env_cases[] = {
	{ "3.5.6", JSON({ "executor" : { "memory" : "2000m", "cores" : 3 } }), "SPARK_EXECUTOR_MEMORY", "2000m" },
	{ "3.5.6", JSON({ "executor" : { "cores" : 3 } }), "SPARK_EXECUTOR_CORES", "3" },
	{ "4.1.0", JSON({
		  "sparkConf" :
		      { "spark.kubernetes.allocation.recoveryMode.enabled" : "true", "spark.executor.cores" : "4" }
	  }),
	  "SPARK_EXECUTOR_CORES", "4" },
	{ "4.2.1", JSON({
		  "sparkConf" :
		      { "spark.kubernetes.allocation.recoveryMode.enabled" : "true", "spark.executor.cores" : "4" }
	  }),
	  "SPARK_EXECUTOR_CORES", "1" },
	{ "3.5.6", JSON({ "sparkConf" : { "spark.ui.custom.executor.log.url" : "http://x" } }),
	  "SPARK_EXECUTOR_ATTRIBUTE_EXECUTOR_ID", NULL },
	{ "4.0.1", JSON({ "sparkConf" : { "spark.ui.custom.executor.log.url" : "http://x" } }),
	  "SPARK_EXECUTOR_ATTRIBUTE_EXECUTOR_ID", "1" },
	{ "4.1.0", JSON({ "sparkConf" : { "spark.executor.extraLibraryPath" : "/l" } }), "SPARK_EXECUTOR_LIBRARY_PATH",
	  NULL },
	{ "4.2.1", JSON({ "sparkConf" : { "spark.executor.extraLibraryPath" : "/l" } }), "SPARK_EXECUTOR_LIBRARY_PATH",
	  "/l" },
	{ "3.5.6", JSON({ "sparkConf" : { "spark.executor.extraClassPath" : "/c" } }), "SPARK_CLASSPATH", "/c" },
	{ "3.5.6", JSON({ "sparkConf" : { "spark.executorEnv.SPARK_EXECUTOR_DIRS" : "/a/SPARK_EXECUTOR_ID" } }),
	  "SPARK_EXECUTOR_DIRS", "/a/1" },
	{ "3.5.6", JSON({ "sparkConf" : { "spark.executorEnv.a-b.c" : "" } }), "a-b.c", "" },
	{ "3.5.6", JSON({ "sparkConf" : { "spark.local.dir" : "/x,/y" } }), "SPARK_LOCAL_DIRS", "/x,/y" },
	/* the driver's own directories are the executors' too: LocalDirsFeatureStep reads SPARK_LOCAL_DIRS */
	{ "3.5.6",
	  JSON({ "sparkConf" : { "spark.kubernetes.driver.volumes.emptyDir.spark-local-dir-1.mount.path" : "/d" } }),
	  "SPARK_LOCAL_DIRS", "/d" },
	/* Utils.getCurrentUserName reads SPARK_USER */
	{ "4.3.0", JSON({ "proxyUser" : "alice" }), "SPARK_USER", "alice" },
	{ "3.4.4", JSON({ "sparkConf" : { "spark.kubernetes.executor.hadoopConfigMapName" : "m" } }), "HADOOP_CONF_DIR",
	  NULL },
	{ "3.5.6", JSON({ "sparkConf" : { "spark.kubernetes.executor.hadoopConfigMapName" : "m" } }), "HADOOP_CONF_DIR",
	  "/opt/hadoop/conf" },
	{ "3.5.6", JSON({ "sparkConf" : { "spark.authenticate" : "true", "spark.authenticate.secret.file" : "/f" } }),
	  "_SPARK_AUTH_SECRET", NULL },
	{ "3.5.6", "{}", "_SPARK_AUTH_SECRET", NULL },
};

static void test_env(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(env_cases); i++) {
		const struct env_case *c = &env_cases[i];
		auto_json pod = executor(c->version, c->spec);
		const char *got = env(pod, c->name);

		if (!text_eq(got, c->want))
			fail_msg("%s with %s: %s is %s", c->version, c->spec, c->name, got ? got : "not set");
	}
}

static void test_secret(void **state)
{
	auto_json pod = executor("3.5.6", JSON({ "sparkConf" : { "spark.authenticate" : "true" } }));

	(void)state;
	assert_non_null(env(pod, "_SPARK_AUTH_SECRET"));
}

/* JavaModuleOptions by version, SparkConf.isExecutorStartupConf, Utils.splitCommandString. */
static const struct option_case {
	const char *version, *spec, *option;
	bool want;
} option_cases[] = {
	{ "3.5.6", "{}", "-Djava.net.preferIPv6Addresses=false", true },
	{ "3.5.6", "{}", "--add-opens=java.base/java.lang=ALL-UNNAMED", true },
	{ "3.5.6", "{}", "-Djdk.reflect.useDirectMethodHandle=false", true },
	{ "4.1.0", "{}", "-Djdk.reflect.useDirectMethodHandle=false", true },
	{ "4.2.1", "{}", "-Djdk.reflect.useDirectMethodHandle=false", false },
	{ "3.5.6", "{}", "--add-modules=jdk.incubator.vector", false },
	{ "4.0.1", "{}", "--add-modules=jdk.incubator.vector", true },
	{ "4.0.1", "{}", "--enable-native-access=ALL-UNNAMED", false },
	{ "4.1.0", "{}", "--enable-native-access=ALL-UNNAMED", true },
	{ "4.1.0", "{}", "--sun-misc-unsafe-memory-access=allow", false },
	{ "4.2.1", "{}", "--sun-misc-unsafe-memory-access=allow", true },
	{ "3.5.6", "{}", "-Dspark.driver.port=7078", true },
	{ "3.5.6", JSON({ "sparkConf" : { "spark.rpc.x" : "1" } }), "-Dspark.rpc.x=1", true },
	{ "3.5.6", JSON({ "sparkConf" : { "spark.port.maxRetries" : "3" } }), "-Dspark.port.maxRetries=3", true },
	{ "3.5.6", JSON({ "sparkConf" : { "spark.ssl.rpc.keyStore" : "/a" } }), "-Dspark.ssl.rpc.keyStore=/a", false },
	{ "4.0.1", JSON({ "sparkConf" : { "spark.ssl.rpc.keyStore" : "/a" } }), "-Dspark.ssl.rpc.keyStore=/a", true },
	{ "4.0.1", JSON({ "sparkConf" : { "spark.ssl.rpc.keyPassword" : "p" } }), "-Dspark.ssl.rpc.keyPassword=p",
	  false },
	{ "3.5.6", JSON({ "sparkConf" : { "spark.authenticate.secret" : "s" } }), "-Dspark.authenticate.secret=s",
	  false },
	{ "3.5.6", JSON({ "sparkConf" : { "spark.memory.fraction" : "0.5" } }), "-Dspark.memory.fraction=0.5", false },
	{ "3.5.6", JSON({ "executor" : { "javaOptions" : " -Da='b c'  -Dn={{EXECUTOR_ID}}" } }), "-Da=b c", true },
	{ "3.5.6", JSON({ "executor" : { "javaOptions" : " -Da='b c'  -Dn={{EXECUTOR_ID}}" } }), "-Dn=1", true },
	{ "3.5.6", JSON({ "executor" : { "javaOptions" : "-Da=\"q\\\"z\\\\\"" } }), "-Da=q\"z\\", true },
	{ "3.5.6", JSON({ "executor" : { "javaOptions" : "-De='' -Dx\\y" } }), "-De=", true },
	{ "3.5.6", JSON({ "executor" : { "javaOptions" : "-De='' -Dx\\y" } }), "-Dx\\y", true },
	{ "3.5.6", JSON({ "executor" : { "javaOptions" : "-Du='open end" } }), "-Du=open end", true },
};

static void test_options(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(option_cases); i++) {
		const struct option_case *c = &option_cases[i];
		auto_json pod = executor(c->version, c->spec);

		if (has_option(pod, c->option) != c->want)
			fail_msg("%s with %s: %s", c->version, c->spec, c->option);
	}
}

/* Up to 4.0 SparkContext writes the defaults into the options again, twice. */
static void test_default_options(void **state)
{
	static const char spec[] = JSON({ "sparkConf" : { "spark.executor.defaultJavaOptions" : "-Dd=1" } });
	auto_json before = executor("4.0.1", "{}");
	auto_json three = executor("4.0.1", spec);
	auto_json plain = executor("4.1.0", "{}");
	auto_json one = executor("4.1.0", spec);

	(void)state;
	assert_int_equal(count_options(three), count_options(before) + 3);
	assert_int_equal(count_options(one), count_options(plain) + 1);
}

/* What a template has stays unless Spark sets it (table of template fields: KubernetesUtils.loadPodFromTemplate). */
static void test_template(void **state)
{
	auto_json pod = executor(
	    "4.3.0", JSON({
		    "executor" : {
			    "template" : {
				    "metadata" : { "labels" : { "l" : "m", "spark-role" : "x" } },
				    "spec" : {
					    "restartPolicy" : "Always",
					    "priorityClassName" : "p",
					    "containers" : [
						    {
							    "name" : "spark-kubernetes-executor",
							    "workingDir" : "/w",
							    "image" : "t",
							    "resources" : { "limits" : { "foo" : "1" } },
							    "securityContext" :
								{ "runAsUser" : 5, "allowPrivilegeEscalation" : true }
						    },
						    { "name" : "side", "image" : "s" }
					    ]
				    }
			    }
		    }
	    }));
	const struct json *first = json_first(json_at(pod, "spec.containers"));

	(void)state;
	assert_string_equal(json_str(first, "name", ""), "side");
	expect(pod, true, "workingDir", "\"/w\"", "template");
	expect(pod, true, "image", "\"i\"", "template");
	expect(pod, true, "securityContext", JSON({ "runAsUser" : 5, "allowPrivilegeEscalation" : false }), "template");
	expect(pod, true, "resources.limits", JSON({ "foo" : "1", "memory" : "1408Mi" }), "template");
	expect(pod, false, "spec.restartPolicy", "\"Never\"", "template");
	expect(pod, false, "spec.priorityClassName", "\"p\"", "template");
	expect(pod, false, "metadata.labels.l", "\"m\"", "template");
	expect(pod, false, "metadata.labels.spark-role", "\"executor\"", "template");
}

static void test_errors(void **state)
{
	static const struct {
		const char *version, *spec, *want;
	} cases[] = {
		{ "4.1.0",
		  JSON({ "sparkConf" : { "spark.kubernetes.executor.terminationGracePeriodSeconds" : "soon" } }),
		  "terminationGracePeriodSeconds" },
		{ "4.1.0", JSON({
			  "sparkConf" :
			      { "spark.kubernetes.executor.terminationGracePeriodSeconds" : "99999999999999999d" }
		  }),
		  "terminationGracePeriodSeconds" },
		{ "3.5.6", JSON({
			  "sparkConf" : { "spark.memory.offHeap.enabled" : "true", "spark.memory.offHeap.size" : "3x" }
		  }),
		  "spark.memory.offHeap.size" },
		{ "3.5.6", JSON({ "sparkConf" : { "spark.executor.memoryOverhead" : "much" } }), "memoryOverhead" },
		{ "4.0.1", JSON({ "sparkConf" : { "spark.executor.minMemoryOverhead" : "much" } }),
		  "minMemoryOverhead" },
		{ "3.5.6", JSON({
			  "sparkConf" : {
				  "spark.memory.offHeap.enabled" : "true",
				  "spark.memory.offHeap.size" : "8000000000p",
				  "spark.executor.memoryOverhead" : "8000000000p"
			  }
		  }),
		  "" },
		{ "3.5.6", JSON({ "sparkConf" : { "spark.executor.resource.gpu.amount" : "2" } }),
		  "spark.executor.resource.gpu.vendor" },
		{ "3.5.6", JSON({ "sparkConf" : { "spark.kubernetes.executor.volumes.nfs.n.mount.path" : "/n" } }),
		  "spark.kubernetes.executor.volumes.nfs.n.options" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_json tree = application(cases[i].version, cases[i].spec);
		struct submission s = { 0 };
		struct err err = { 0 };

		assert_int_equal(build(tree, &s, &err), -ERR_INVALID);
		if (!strstr(err.msg, cases[i].want))
			fail_msg("%s: %s", cases[i].spec, err.msg);
		submission_done(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),	 cmocka_unit_test(test_fields),	 cmocka_unit_test(test_env),
		cmocka_unit_test(test_secret),	 cmocka_unit_test(test_options), cmocka_unit_test(test_default_options),
		cmocka_unit_test(test_template), cmocka_unit_test(test_errors),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
