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

static void build(const char *patch_text, struct submission *s)
{
	const struct submission_options options = { .master = "k8s://https://h", .with_executor = true };
	struct err err = { 0 };
	struct app app;
	auto_json tree = patched_app(patch_text, &app);

	(void)tree; /* app borrows from it */
	if (submission_build(&app, 1, &options, s, &err))
		fail_msg("%s: %s", patch_text, err.msg);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
