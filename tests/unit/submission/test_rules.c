/* What single settings become: Kerberos, claims on demand, the network policy, variables of executors, versions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "build.h"
#include "base/text.h"
#include "parse.h"
#include "patched_app.h"
#include "submission/submission.h"

static void build_by(const struct rule_options *rules, const char *patch_text, struct submission *s)
{
	const struct submission_options options = { .master = "k8s://https://h",
						    .with_executor = true,
						    .rules = *rules };
	struct err err = { 0 };
	struct app app;
	auto_json tree = patched_app(patch_text, &app);

	(void)tree; /* app borrows from it */
	if (submission_build(&app, 1, &options, s, &err))
		fail_msg("%s: %s", patch_text, err.msg);
}

static void build(const char *patch_text, struct submission *s)
{
	build_by(&(const struct rule_options){ 0 }, patch_text, s);
}

static const struct json *spark_container(const struct json *pod)
{
	return json_first(json_at(pod, "spec.containers"));
}

/* The last of a name wins in a container. */
static const struct json *env_of(const struct json *pod, const char *name)
{
	const struct json *found = NULL;

	json_each (env, json_get(spark_container(pod), "env"))
		if (text_eq(json_str(env, "name", NULL), name))
			found = env;
	return found;
}

static void assert_like(const struct json *value, const char *text)
{
	auto_json wanted = parse_quoted(text);
	auto_free char *got = value ? json_print(value) : xstrdup("nothing");

	if (!json_equal(value, wanted))
		fail_msg("expected %s, got %s", text, got);
}

static bool has_property(const struct submission *s, const char *line)
{
	const struct json *data = json_get(submission_find(s, "ConfigMap"), "data");

	return strstr(json_text(json_get(data, "spark.properties"), ""), line) != NULL;
}

#define CONF(text) "{'spec':{'sparkConf':{" text "}}}"

static void kerberos(void **state)
{
	struct submission s = { 0 };
	const struct json *driver;

	(void)state;
	build(CONF("'spark.kubernetes.kerberos.krb5.configMapName':'krb5','spark.kubernetes.kerberos.tokenSecret.name':"
		   "'t',"
		   "'spark.kubernetes.kerberos.tokenSecret.itemKey':'k','spark.kerberos.keytab':'local:///k',"
		   "'spark.kerberos.principal':'me@X'"),
	      &s);
	driver = submission_find(&s, "Pod");
	assert_like(json_find(json_at(driver, "spec.volumes"), "name", "krb5-file"),
		    "{'name':'krb5-file','configMap':{'name':'krb5'}}");
	assert_like(json_find(json_get(spark_container(driver), "volumeMounts"), "name", "krb5-file"),
		    "{'name':'krb5-file','mountPath':'/etc/krb5.conf','subPath':'krb5.conf'}");
	assert_like(json_find(json_at(driver, "spec.volumes"), "name", "hadoop-secret"),
		    "{'name':'hadoop-secret','secret':{'secretName':'t'}}");
	assert_like(env_of(driver, "HADOOP_TOKEN_FILE_LOCATION"),
		    "{'name':'HADOOP_TOKEN_FILE_LOCATION','value':'/mnt/secrets/hadoop-credentials/k'}");
	assert_true(has_property(&s, "spark.kerberos.keytab=local\\:///k\n"));
	assert_null(json_find(json_at(s.executor, "spec.volumes"), "name", "krb5-file"));
	submission_done(&s);
}

#define CLAIM "spark.kubernetes.driver.volumes.persistentVolumeClaim.data."
#define CLAIM_CONF                                                                                                     \
	"'" CLAIM "mount.path':'/d','" CLAIM "mount.readOnly':'TRUE','" CLAIM                                          \
	"options.claimName':'my-OnDemand','" CLAIM "options.storageClass':'fast','" CLAIM                              \
	"options.sizeLimit':'1Gi','" CLAIM "label.team':'x','" CLAIM "annotation.a':'b'"

static void claims_on_demand(void **state)
{
	static const struct {
		const char *version;
		const char *more;
		const char *mode;
		bool labelled; /* by Spark */
		bool user_label;
	} rows[] = {
		{ "3.1.1", "", "ReadWriteOnce", false, false },
		{ "3.5.6", "", "ReadWriteOnce", true, false },
		{ "3.5.6", ",'spark.kubernetes.legacy.useReadWriteOnceAccessMode':'false'", "ReadWriteOncePod", true,
		  false },
		{ "4.0.1", "", "ReadWriteOncePod", true, true },
		{ "4.0.1", ",'spark.kubernetes.legacy.useReadWriteOnceAccessMode':'true'", "ReadWriteOnce", true,
		  true },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_free char *patch =
		    xasprintf("{'spec':{'sparkVersion':'%s','sparkConf':{'spark.kubernetes.driver.volumes."
			      "emptyDir.first.mount.path':'/e'," CLAIM_CONF "%s}}}",
			      rows[i].version, rows[i].more);
		struct submission s = { 0 };
		const struct json *claim, *labels, *volume;

		build(patch, &s);
		claim = submission_find(&s, "PersistentVolumeClaim");
		assert_non_null(claim);
		assert_true(text_ends(json_str(claim, "metadata.name", ""), "-driver-pvc-1"));
		assert_true(text_starts(json_str(claim, "metadata.name", ""), "my-orders-"));
		assert_string_equal(json_text(json_first(json_at(claim, "spec.accessModes")), ""), rows[i].mode);
		assert_string_equal(json_str(claim, "spec.resources.requests.storage", ""), "1Gi");
		assert_string_equal(json_str(claim, "spec.storageClassName", ""), "fast");
		labels = json_at(claim, "metadata.labels");
		assert_int_equal(json_get(labels, "spark-app-selector") != NULL, rows[i].labelled);
		assert_int_equal(json_get(labels, "team") != NULL, rows[i].user_label);
		assert_int_equal(json_at(claim, "metadata.annotations.a") != NULL, rows[i].user_label);
		volume = json_find(json_at(submission_find(&s, "Pod"), "spec.volumes"), "name", "data");
		assert_string_equal(json_str(volume, "persistentVolumeClaim.claimName", ""),
				    json_str(claim, "metadata.name", "-"));
		assert_true(json_bool(volume, "persistentVolumeClaim.readOnly", false));
		submission_done(&s);
	}
}

static void a_claim_without_size_is_not_made(void **state)
{
	struct submission s = { 0 };

	(void)state;
	build(CONF("'" CLAIM "mount.path':'/d','" CLAIM "options.claimName':'mine','" CLAIM
		   "options.storageClass':'fast'"),
	      &s);
	assert_null(submission_find(&s, "PersistentVolumeClaim"));
	submission_done(&s);
}

static void network_policy(void **state)
{
	static const struct {
		const char *version;
		const char *excluded;
		bool made;
	} rows[] = {
		{ "4.1.0", "", false },
		{ "4.2.1", "", true },
		{ "9.0.0", "", true },
		{ "4.2.1", "org.apache.spark.deploy.k8s.features.NetworkPolicyFeatureStep", false },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_free char *patch = xasprintf(
		    "{'spec':{'sparkVersion':'%s','sparkConf':{'spark.kubernetes.driver.pod.excludedFeatureSteps':'%s'"
		    "}}}",
		    rows[i].version, rows[i].excluded);
		struct submission s = { 0 };
		const struct json *policy;

		build(patch, &s);
		policy = submission_find(&s, "NetworkPolicy");
		assert_int_equal(policy != NULL, rows[i].made);
		if (policy) {
			const char *id =
			    json_str(json_at(policy, "spec.podSelector.matchLabels"), "spark-app-selector", "");
			auto_free char *spec = xasprintf(
			    "{'podSelector':{'matchLabels':{'spark-app-selector':'%s','spark-role':'executor'}},"
			    "'ingress':[{'from':[{'podSelector':{'matchLabels':{'spark-app-selector':'%s'}}}]}]}",
			    id, id);

			assert_true(text_starts(id, "spark-"));
			assert_like(json_get(policy, "spec"), spec);
			assert_string_equal(json_str(policy, "apiVersion", ""), "networking.k8s.io/v1");
		}
		submission_done(&s);
	}
}

static void executor_env_wins(void **state)
{
	struct submission s = { 0 };

	(void)state;
	build("{'spec':{'sparkConf':{'spark.executorEnv.A':'conf'},'executor':{'envVars':{'A':'vars','B':'vars'},"
	      "'envSecretKeyRefs':{'A':{'name':'s','key':'k'}},'env':[{'name':'A','value':'env'},"
	      "{'name':'SPARK_USER','value':'me'},{'name':'SPARK_USER','value':'you'}]}}}",
	      &s);
	assert_like(env_of(s.executor, "A"), "{'name':'A','value':'env'}");
	assert_like(env_of(s.executor, "B"), "{'name':'B','value':'vars'}");
	assert_like(env_of(s.executor, "SPARK_USER"), "{'name':'SPARK_USER','value':'you'}");
	assert_false(has_property(&s, "spark.executorEnv.A="));
	assert_true(has_property(&s, "spark.executorEnv.SPARK_USER=you\n"));
	submission_done(&s);
}

static void spark_config_map_wins(void **state)
{
	struct submission s = { 0 };

	(void)state;
	build("{'spec':{'sparkConfigMap':'c','executor':{'envVars':{'SPARK_CONF_DIR':'/a'},"
	      "'env':[{'name':'SPARK_CONF_DIR','value':'/b'}]}}}",
	      &s);
	assert_like(env_of(s.executor, "SPARK_CONF_DIR"), "{'name':'SPARK_CONF_DIR','value':'/etc/spark/conf'}");
	submission_done(&s);
}

/* Spark appends its own HADOOP_CONF_DIR to executors if it is told of a map. */
static void hadoop_config_map_wins(void **state)
{
	struct submission s = { 0 };

	(void)state;
	build("{'spec':{'hadoopConfigMap':'field','sparkConf':{'spark.kubernetes.hadoop.configMapName':'conf'}}}", &s);
	assert_like(env_of(s.executor, "HADOOP_CONF_DIR"), "{'name':'HADOOP_CONF_DIR','value':'/etc/hadoop/conf'}");
	assert_like(env_of(submission_find(&s, "Pod"), "HADOOP_CONF_DIR"),
		    "{'name':'HADOOP_CONF_DIR','value':'/etc/hadoop/conf'}");
	submission_done(&s);
}

static void tokens_are_redacted(void **state)
{
	struct submission s = { 0 };

	(void)state;
	build(CONF("'spark.kubernetes.authenticate.driver.mounted.oauthToken':'geheim','spark.x.oauthToken':'geheim'"),
	      &s);
	assert_false(has_property(&s, "geheim"));
	assert_true(has_property(&s, "spark.x.oauthToken=<present_but_redacted>\n"));
	submission_done(&s);
}

static void settings_of_4_3(void **state)
{
	struct submission s = { 0 };

	(void)state;
	build("{'spec':{'sparkVersion':'4.3.0','sparkConf':{'spark.kubernetes.driver.service.publishNotReadyAddresses':"
	      "'true',"
	      "'spark.kubernetes.securityContext.allowPrivilegeEscalation':'true'}}}",
	      &s);
	assert_true(json_bool(submission_find(&s, "Service"), "spec.publishNotReadyAddresses", false));
	assert_true(
	    json_bool(spark_container(submission_find(&s, "Pod")), "securityContext.allowPrivilegeEscalation", false));
	submission_done(&s);
}

static void version_of_the_image(void **state)
{
	struct submission s = { 0 };

	(void)state;
	build("{'spec':{'sparkVersion':null,'driver':{'image':'r:5000/spark:4.2.1-java17'},'executor':{'image':'e'}}}",
	      &s);
	assert_non_null(submission_find(&s, "NetworkPolicy"));
	assert_string_equal(
	    json_text(json_get(json_at(submission_find(&s, "Pod"), "metadata.labels"), "spark-version"), ""), "4.2.1");
	submission_done(&s);
}

/* Each rule that a version brought begins with that version, and is not there one version earlier. */
static const char *label_of(const struct json *object, const char *key)
{
	return json_text(json_get(json_at(object, "metadata.labels"), key), NULL);
}

static bool is_immutable(const struct submission *s)
{
	return json_bool(submission_find(s, "ConfigMap"), "immutable", false);
}

static bool names_namespace(const struct submission *s)
{
	return json_get(json_get(submission_find(s, "ConfigMap"), "data"), "spark.kubernetes.namespace");
}

static bool service_has_app(const struct submission *s)
{
	return label_of(submission_find(s, "Service"), "spark-app-selector");
}

static bool driver_has_version(const struct submission *s)
{
	return label_of(submission_find(s, "Pod"), "spark-version");
}

static bool executor_has_version(const struct submission *s)
{
	return label_of(s->executor, "spark-version");
}

static bool claim_has_app(const struct submission *s)
{
	return label_of(submission_find(s, "PersistentVolumeClaim"), "spark-app-selector");
}

static bool claim_has_label(const struct submission *s)
{
	return label_of(submission_find(s, "PersistentVolumeClaim"), "team");
}

static bool claim_is_of_one_pod(const struct submission *s)
{
	const struct json *claim = submission_find(s, "PersistentVolumeClaim");

	return text_eq(json_text(json_first(json_at(claim, "spec.accessModes")), ""), "ReadWriteOncePod");
}

static bool mount_has_expression(const struct submission *s)
{
	const struct json *mounts = json_get(spark_container(submission_find(s, "Pod")), "volumeMounts");

	return json_get(json_find(mounts, "name", "data"), "subPathExpr");
}

static bool overwrites_submit_time(const struct submission *s)
{
	return has_property(s, "spark.app.submitTime=0\n");
}

static bool driver_has_selector(const struct submission *s)
{
	return json_get(json_at(submission_find(s, "Pod"), "spec.nodeSelector"), "disk");
}

static bool driver_has_scheduler(const struct submission *s)
{
	return text_eq(json_str(submission_find(s, "Pod"), "spec.schedulerName", ""), "driver-s");
}

static bool annotation_has_app_id(const struct submission *s)
{
	const struct json *annotations = json_at(submission_find(s, "Pod"), "metadata.annotations");

	return text_starts(json_text(json_get(annotations, "id"), ""), "spark-");
}

static bool label_has_app_id(const struct submission *s)
{
	return text_starts(label_of(submission_find(s, "Pod"), "id"), "spark-");
}

static bool driver_has_own_factor(const struct submission *s)
{
	const struct json *pod = submission_find(s, "Pod");

	return text_eq(json_str(spark_container(pod), "resources.limits.memory", ""), "2048Mi");
}

static bool executor_has_smallest_overhead(const struct submission *s)
{
	return text_eq(json_str(spark_container(s->executor), "resources.limits.memory", ""), "1524Mi");
}

static bool driver_shares_block_port(const struct submission *s)
{
	const struct json *ports = json_get(spark_container(submission_find(s, "Pod")), "ports");

	return json_i64(json_find(ports, "name", "blockmanager"), "containerPort", 0) == 7077;
}

static bool executor_shares_block_port(const struct submission *s)
{
	const struct json *ports = json_get(spark_container(s->executor), "ports");

	return json_i64(json_find(ports, "name", "blockmanager"), "containerPort", 0) == 7077;
}

static bool has_connect_port(const struct submission *s)
{
	return json_find(json_get(spark_container(submission_find(s, "Pod")), "ports"), "name", "spark-connect");
}

static bool has_grace_property(const struct submission *s)
{
	return has_property(s, "spark.kubernetes.executor.terminationGracePeriodSeconds=77s\n");
}

static bool executor_has_grace(const struct submission *s)
{
	return json_i64(s->executor, "spec.terminationGracePeriodSeconds", 0) == 77;
}

static bool image_has_version(const struct submission *s)
{
	return !strstr(json_str(spark_container(s->executor), "image", ""), "{{SPARK_VERSION}}");
}

static bool has_network_policy(const struct submission *s)
{
	return submission_find(s, "NetworkPolicy");
}

static bool has_resize_policy(const struct submission *s)
{
	return json_get(spark_container(s->executor), "resizePolicy");
}

static bool has_library_path(const struct submission *s)
{
	return env_of(s->executor, "SPARK_EXECUTOR_LIBRARY_PATH");
}

static bool executor_knows_its_pod(const struct submission *s)
{
	return env_of(s->executor, "SPARK_EXECUTOR_POD_NAME");
}

static bool driver_escalates_not(const struct submission *s)
{
	return json_at(spark_container(submission_find(s, "Pod")), "securityContext.allowPrivilegeEscalation");
}

static bool executor_escalates_not(const struct submission *s)
{
	return json_at(spark_container(s->executor), "securityContext.allowPrivilegeEscalation");
}

static bool user_is_a_principal(const struct submission *s)
{
	return text_eq(json_str(env_of(submission_find(s, "Pod"), "SPARK_USER"), "value", ""), "me@REALM");
}

static bool service_has_families(const struct submission *s)
{
	return json_at(submission_find(s, "Service"), "spec.ipFamilyPolicy");
}

static bool service_says_who_is_published(const struct submission *s)
{
	return json_at(submission_find(s, "Service"), "spec.publishNotReadyAddresses");
}

static bool connect_has_protocol(const struct submission *s)
{
	const struct json *ports = json_at(submission_find(s, "Service"), "spec.ports");

	return json_get(json_find(ports, "name", "spark-connect"), "appProtocol");
}

static bool executor_has_hadoop_conf(const struct submission *s)
{
	return env_of(s->executor, "HADOOP_CONF_DIR");
}

static bool executor_has_attributes(const struct submission *s)
{
	return env_of(s->executor, "SPARK_EXECUTOR_ATTRIBUTE_APP_ID");
}

static bool executor_is_restarted(const struct submission *s)
{
	return text_eq(json_str(s->executor, "spec.restartPolicy", ""), "Always");
}

static bool executor_has_one_core(const struct submission *s)
{
	return text_eq(json_str(env_of(s->executor, "SPARK_EXECUTOR_CORES"), "value", ""), "1");
}

static bool executor_has_option(const struct submission *s, const char *option)
{
	json_each (env, json_get(spark_container(s->executor), "env"))
		if (text_eq(json_str(env, "value", NULL), option))
			return true;
	return false;
}

static bool executor_has_ipv6_option(const struct submission *s)
{
	return executor_has_option(s, "-Djava.net.preferIPv6Addresses=false");
}

static bool executor_has_tls_options(const struct submission *s)
{
	return executor_has_option(s, "-Dspark.ssl.enabled=true");
}

static bool host_path_has_type(const struct submission *s)
{
	const struct json *volumes = json_at(submission_find(s, "Pod"), "spec.volumes");

	return text_eq(json_str(json_find(volumes, "name", "host"), "hostPath.type", ""), "Directory");
}

static const char everything[] =
    "'image':'i:{{SPARK_VERSION}}','proxyUser':'me@REALM','executor':{'cores':4,'terminationGracePeriodSeconds':77},"
    "'sparkConf':{'spark.app.submitTime':'3','spark.kubernetes.driver.node.selector.disk':'ssd',"
    "'spark.kubernetes.driver.scheduler.name':'driver-s','spark.kubernetes.driver.annotation.id':'{{APP_ID}}',"
    "'spark.driver.memoryOverheadFactor':'1.0','spark.executor.minMemoryOverhead':'500m',"
    "'spark.blockManager.port':'7077','spark.executor.extraLibraryPath':'/lib','spark.ssl.enabled':'true',"
    "'spark.kubernetes.hadoop.configMapName':'hadoop','spark.ui.custom.executor.log.url':'http://logs',"
    "'spark.kubernetes.allocation.pods.allocator':'deployment',"
    "'spark.kubernetes.allocation.recoveryMode.enabled':'true',"
    "'spark.kubernetes.driver.volumes.hostPath.host.mount.path':'/host',"
    "'spark.kubernetes.driver.volumes.hostPath.host.options.path':'/',"
    "'spark.kubernetes.driver.volumes.hostPath.host.options.type':'Directory'," CLAIM_CONF "}";

static const struct boundary {
	int since;
	const char *what;
	bool (*holds)(const struct submission *s);
} boundaries[] = {
	{ SPARK_3_2, "immutable ConfigMap", is_immutable },
	{ SPARK_3_2, "the claim's label", claim_has_app },
	{ SPARK_3_2, "the service's label", service_has_app },
	{ SPARK_3_2, "the driver's block manager port", driver_shares_block_port },
	{ SPARK_3_2, "the executor's block manager port", executor_shares_block_port },
	{ SPARK_3_3, "namespace in the ConfigMap", names_namespace },
	{ SPARK_3_3, "the driver's version", driver_has_version },
	{ SPARK_3_3, "the executor's version", executor_has_version },
	{ SPARK_3_4, "the service's address families", service_has_families },
	{ SPARK_3_4, "option for IPv6", executor_has_ipv6_option },
	{ SPARK_3_5, "Hadoop's configuration of executors", executor_has_hadoop_conf },
	{ SPARK_3_3, "the driver's node selector", driver_has_selector },
	{ SPARK_3_3, "the driver's scheduler", driver_has_scheduler },
	{ SPARK_3_3, "ids in annotations", annotation_has_app_id },
	{ SPARK_3_3, "a role's factor", driver_has_own_factor },
	{ SPARK_3_3, "name of the executor's pod", executor_knows_its_pod },
	{ SPARK_4_0, "one pod's claim", claim_is_of_one_pod },
	{ SPARK_4_0, "the claim's labels", claim_has_label },
	{ SPARK_4_0, "subPathExpr", mount_has_expression },
	{ SPARK_4_0, "smallest overhead", executor_has_smallest_overhead },
	{ SPARK_4_0, "attributes of executors", executor_has_attributes },
	{ SPARK_4_0, "options of TLS", executor_has_tls_options },
	{ SPARK_4_0, "type of a host path", host_path_has_type },
	{ SPARK_4_1, "port of Spark Connect", has_connect_port },
	{ SPARK_4_1, "property of the grace period", has_grace_property },
	{ SPARK_4_1, "version in the image", image_has_version },
	{ SPARK_4_2, "network policy", has_network_policy },
	{ SPARK_4_2, "resize policy", has_resize_policy },
	{ SPARK_4_2, "protocol of Spark Connect", connect_has_protocol },
	{ SPARK_4_2, "restart policy of a Deployment", executor_is_restarted },
	{ SPARK_4_2, "one task at a time in recovery mode", executor_has_one_core },
	{ SPARK_4_2, "library path", has_library_path },
	{ SPARK_4_3, "addresses that are not ready", service_says_who_is_published },
	{ SPARK_4_3, "the driver's escalation", driver_escalates_not },
	{ SPARK_4_3, "the executor's escalation", executor_escalates_not },
	{ SPARK_4_3, "a principal as user", user_is_a_principal },
};

static void each_rule_begins_with_its_version(void **state)
{
	static const int versions[] = { SPARK_3_1, SPARK_3_2, SPARK_3_3, SPARK_3_4, SPARK_3_5,
					SPARK_4_0, SPARK_4_1, SPARK_4_2, SPARK_4_3 };

	(void)state;
	for (size_t i = 0; i < array_len(versions); i++) {
		auto_free char *patch = xasprintf("{'spec':{'sparkVersion':'%d.%d.0',%s}}", versions[i] / 100,
						  versions[i] % 100, everything);
		struct submission s = { 0 };

		build(patch, &s);
		for (size_t k = 0; k < array_len(boundaries); k++)
			if (boundaries[k].holds(&s) != (versions[i] >= boundaries[k].since))
				fail_msg("%s: Spark %d", boundaries[k].what, versions[i]);
		/* Two that do not begin, but end. */
		assert_int_equal(overwrites_submit_time(&s), versions[i] >= SPARK_3_3 && versions[i] < SPARK_3_5);
		assert_true(executor_has_grace(&s));
		submission_done(&s);
	}
}

/* Ids in labels would not be valid before. */
static void ids_in_labels(void **state)
{
	struct submission s = { 0 };

	(void)state;
	build("{'spec':{'sparkVersion':'4.0.0','driver':{'labels':{'id':'{{APP_ID}}'}}}}", &s);
	assert_true(label_has_app_id(&s));
	submission_done(&s);
}

/* What the two fields of one application say, and what becomes of it. */
static void version_of_an_image_that_contradicts(void **state)
{
	static const struct {
		const char *field;
		const char *image;
		const char *label;
	} rows[] = {
		{ "2.4.5", "kernel:3.5.3", "3.5.3" },
		{ "3.5", "spark:3.5.6", "3.5.6" },
		{ "3.5.1+vendor", "vendor/spark:7", "3.5.1" },
		{ "", "flyte-spark:6qk2hUvXy3N0aPq_rYwzCw", "4.3" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_free char *patch =
		    xasprintf("{'spec':{'sparkVersion':'%s','image':'%s'}}", rows[i].field, rows[i].image);
		struct submission s = { 0 };

		build(patch, &s);
		assert_string_equal(label_of(submission_find(&s, "Pod"), "spark-version"), rows[i].label);
		assert_string_equal(label_of(s.executor, "spark-version"), rows[i].label);
		submission_done(&s);
	}
}

/* Beside the real spark-submit 3.5.6: 1024 and 2048 MiB. */
static void old_keys(void **state)
{
	struct submission s = { 0 };

	(void)state;
	build(CONF("'spark.yarn.driver.memoryOverhead':'2g','spark.yarn.executor.memoryOverhead':'3g',"
		   "'spark.unsafe.offHeap':' TRUE ','spark.memory.offHeap.size':'1g',"
		   "'spark.yarn.keytab':'local:///k','spark.yarn.principal':'me@X','spark.driver.cores':' 2'"),
	      &s);
	assert_string_equal(json_str(spark_container(submission_find(&s, "Pod")), "resources.limits.memory", ""),
			    "3072Mi");
	assert_string_equal(json_str(spark_container(s.executor), "resources.limits.memory", ""), "5120Mi");
	assert_string_equal(json_str(spark_container(submission_find(&s, "Pod")), "resources.requests.cpu", ""), "2");
	assert_true(has_property(&s, "spark.kerberos.keytab=local\\:///k\n"));
	assert_true(has_property(&s, "spark.kerberos.principal=me@X\n"));
	assert_true(has_property(&s, "spark.yarn.keytab=local\\:///k\n"));
	assert_false(has_property(&s, "spark.driver.memoryOverhead"));
	submission_done(&s);
	build("{'spec':{'driver':{'memoryOverhead':'1g'},'sparkConf':{'spark.yarn.driver.memoryOverhead':'2g'}}}", &s);
	assert_string_equal(json_str(spark_container(submission_find(&s, "Pod")), "resources.limits.memory", ""),
			    "2048Mi");
	submission_done(&s);
}

/* A template that was copied from a pod, and a mount of its volume; a mount of a local directory. */
static void templates_of_pods(void **state)
{
	static const char of_template[] =
	    "{'volumeMounts':[{'name':'v','mountPath':'/v'}],'secrets':[{'name':'s','path':'/a'},{'name':'s','path':'/"
	    "b'}],"
	    "'template':{'metadata':{'resourceVersion':'7','uid':'u','managedFields':[{}]},"
	    "'spec':{'volumes':[{'name':'v','emptyDir':{}}]}}}";
	auto_free char *patch =
	    xasprintf("{'spec':{'sparkVersion':'4.0.0','driver':%s,'executor':%s}}", of_template, of_template);
	struct submission s = { 0 };

	(void)state;
	build(patch, &s);
	for (size_t i = 0; i < 2; i++) {
		const struct json *pod = i ? s.executor : submission_find(&s, "Pod");
		const struct json *mounts = json_get(spark_container(pod), "volumeMounts");

		assert_null(json_at(pod, "metadata.resourceVersion"));
		assert_null(json_at(pod, "metadata.uid"));
		assert_null(json_at(pod, "metadata.managedFields"));
		assert_string_equal(json_str(json_find(mounts, "name", "v"), "mountPath", ""), "/v");
		assert_string_equal(json_str(json_find(mounts, "name", "s-volume"), "mountPath", ""), "/b");
	}
	submission_done(&s);
	build("{'spec':{'sparkVersion':'4.0.0','volumes':[{'name':'spark-local-dir-1','emptyDir':{}}],'driver':{"
	      "'volumeMounts':[{'name':'spark-local-dir-1','mountPath':'/x','subPathExpr':'$(A)'}]}}}",
	      &s);
	assert_string_equal(json_str(json_find(json_get(spark_container(submission_find(&s, "Pod")), "volumeMounts"),
					       "name", "spark-local-dir-1"),
				     "subPathExpr", ""),
			    "$(A)");
	submission_done(&s);
}

static void the_default_image(void **state)
{
	static const struct rule_options rules = { .default_image = "apache/spark:{sparkVersion}-{sparkVersion}" };
	static const struct {
		const char *patch;
		const char *driver;
		const char *executor;
	} rows[] = {
		{ "{'spec':{'image':null}}", "apache/spark:3.5.6-3.5.6", "apache/spark:3.5.6-3.5.6" },
		{ "{'spec':{'image':''}}", "apache/spark:3.5.6-3.5.6", "apache/spark:3.5.6-3.5.6" },
		{ "{'spec':{'image':null,'executor':{'image':'own'}}}", "apache/spark:3.5.6-3.5.6", "own" },
		{ "{'spec':{'driver':{'image':'own'}}}", "own", "i:1" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct submission s = { 0 };

		build_by(&rules, rows[i].patch, &s);
		assert_string_equal(json_str(spark_container(submission_find(&s, "Pod")), "image", ""), rows[i].driver);
		assert_string_equal(json_str(spark_container(s.executor), "image", ""), rows[i].executor);
		submission_done(&s);
	}
}

/* Spark writes the request as the limit; the webhook brings the field. */
static void memory_limit_of_executors(void **state)
{
	static const struct rule_options rules = { .has_webhook = true };
	const struct json *resources;
	struct submission s = { 0 };

	(void)state;
	build_by(
	    &rules,
	    "{'spec':{'sparkConf':{'spark.decommission.enabled':'true'},'executor':{'memory':'2g','memoryLimit':'10g',"
	    "'lifecycle':{'preStop':{'exec':{'command':['drain']}}}}}}",
	    &s);
	resources = json_get(spark_container(s.executor), "resources");
	assert_string_equal(json_str(resources, "requests.memory", ""), "2432Mi");
	assert_string_equal(json_str(resources, "limits.memory", ""), "10Gi");
	assert_like(json_get(spark_container(s.executor), "lifecycle"), "{'preStop':{'exec':{'command':['drain']}}}");
	submission_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_begins_with_its_version),
		cmocka_unit_test(ids_in_labels),
		cmocka_unit_test(version_of_an_image_that_contradicts),
		cmocka_unit_test(old_keys),
		cmocka_unit_test(templates_of_pods),
		cmocka_unit_test(the_default_image),
		cmocka_unit_test(memory_limit_of_executors),
		cmocka_unit_test(kerberos),
		cmocka_unit_test(claims_on_demand),
		cmocka_unit_test(a_claim_without_size_is_not_made),
		cmocka_unit_test(network_policy),
		cmocka_unit_test(executor_env_wins),
		cmocka_unit_test(spark_config_map_wins),
		cmocka_unit_test(hadoop_config_map_wins),
		cmocka_unit_test(tokens_are_redacted),
		cmocka_unit_test(settings_of_4_3),
		cmocka_unit_test(version_of_the_image),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
