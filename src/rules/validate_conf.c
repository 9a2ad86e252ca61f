/*
 * Validation of spec.sparkConf: properties that would take the submission out of the operator's hands, those that
 * Spark's submission would act upon and this one does not, and values that the submission reads.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "rules/check.h"
#include "rules/validate.h"
#include "spark/conf.h"

#define NOT_ALLOWED "Forbidden: the key is not allowed: "
#define MANAGED	    "this value is managed by the operator"
#define USE_IMAGE   "use the image field on the CRD instead"
#define USE_ACCOUNT "configure the service account via the CRD spec instead"
#define CREDENTIALS "authentication credentials are managed by the operator"
#define NO_FILES    "it names a file of the submitter, and the operator has no files of yours: "
#define NO_MOUNTED  NO_FILES "mount a secret and name the file in spark.kubernetes.authenticate.driver.mounted.*"
#define NO_KRB5                                                                                                        \
	NO_FILES "make a ConfigMap with the key krb5.conf and name it in spark.kubernetes.kerberos.krb5.configMapName"
#define NO_STEPS "feature steps are Java classes, and this submission runs without Java: say it in spec.driver.template"

struct refusal_row {
	const char *key; /* one that ends in '*' stands for all that begin so */
	const char *why;
	const char *unless; /* the one value that changes nothing */
};

/* Of every kind, with the words of kubeflow's validator. */
static const struct refusal_row managed[] = {
	{ "spark.master", MANAGED, NULL },
	{ "spark.kubernetes.authenticate.oauthToken*", CREDENTIALS, NULL },
	{ "spark.kubernetes.authenticate.driver.oauthToken*", CREDENTIALS, NULL },
	{ "spark.kubernetes.authenticate.executor.oauthToken*", CREDENTIALS, NULL },
};

static const struct refusal_row refused[] = {
	{ "spark.submit.deployMode", MANAGED, "cluster" },
	{ "spark.driver.bindAddress", "it is managed and set to the driver pod's IP address", NULL },
	{ "spark.kubernetes.authenticate.submission.*", CREDENTIALS, NULL },
	{ "spark.kubernetes.authenticate.driver.caCertFile", NO_MOUNTED, NULL },
	{ "spark.kubernetes.authenticate.driver.clientKeyFile", NO_MOUNTED, NULL },
	{ "spark.kubernetes.authenticate.driver.clientCertFile", NO_MOUNTED, NULL },
	{ "spark.kubernetes.driver.podTemplateFile", NO_FILES "use spec.driver.template", NULL },
	{ "spark.kubernetes.executor.podTemplateFile", NO_FILES "use spec.executor.template", NULL },
	{ "spark.kubernetes.driver.pod.featureSteps", NO_STEPS, "" },
	{ "spark.kubernetes.kerberos.krb5.path", NO_KRB5, NULL },
};

/* Pairs of properties of which neither has an effect without the other. */
static const char *const pairs[][2] = {
	{ "spark.kerberos.principal", "spark.kerberos.keytab" },
	{ "spark.kubernetes.kerberos.tokenSecret.name", "spark.kubernetes.kerberos.tokenSecret.itemKey" },
};

static const struct {
	const char *key;
	check_fn *check;
} values[] = {
	{ "spark.driver.memory", check_memory },
	{ "spark.executor.memory", check_memory },
	{ "spark.driver.memoryOverhead", check_overhead },
	{ "spark.executor.memoryOverhead", check_overhead },
	{ "spark.driver.minMemoryOverhead", check_overhead },
	{ "spark.executor.minMemoryOverhead", check_overhead },
	{ "spark.kubernetes.memoryOverheadFactor", check_factor },
	{ "spark.driver.memoryOverheadFactor", check_factor_positive },
	{ "spark.executor.memoryOverheadFactor", check_factor_positive },
	{ "spark.driver.cores", check_cores },
	{ "spark.executor.cores", check_cores },
	{ "spark.executor.instances", check_count },
	{ "spark.dynamicAllocation.enabled", check_bool },
	{ "spark.driver.port", check_port },
	{ "spark.driver.blockManager.port", check_port },
	{ "spark.blockManager.port", check_block_port },
	{ "spark.ui.port", check_port },
	{ "spark.connect.grpc.binding.port", check_port },
	{ "spark.kubernetes.driver.request.cores", check_quantity },
	{ "spark.kubernetes.driver.limit.cores", check_quantity },
	{ "spark.kubernetes.executor.request.cores", check_quantity },
	{ "spark.kubernetes.executor.limit.cores", check_quantity },
	{ "spark.kubernetes.container.image.pullPolicy", check_pull_policy },
	{ "spark.kubernetes.pyspark.pythonVersion", check_python },
	{ "spark.kubernetes.driver.pod.name", check_object_name },
	{ "spark.kubernetes.driver.service.ipFamilyPolicy", check_ip_policy },
	{ "spark.kubernetes.driver.service.ipFamilies", check_ip_families },
	{ "spark.kubernetes.hadoop.configMapName", check_object_name },
	{ "spark.kubernetes.kerberos.krb5.configMapName", check_object_name },
	{ "spark.kubernetes.kerberos.tokenSecret.name", check_object_name },
	{ "spark.kubernetes.kerberos.tokenSecret.itemKey", check_not_empty },
	{ "spark.kerberos.keytab", check_keytab },
	{ "spark.kerberos.principal", check_not_empty },
	{ "spark.kubernetes.executor.podNamePrefix", check_executor_prefix },
	{ "spark.kubernetes.local.dirs.tmpfs", check_bool },
	{ "spark.kubernetes.legacy.useReadWriteOnceAccessMode", check_bool },
	{ "spark.kubernetes.configMap.maxSize", check_configmap_size },
	{ "spark.kubernetes.driver.service.publishNotReadyAddresses", check_bool },
	{ "spark.kubernetes.securityContext.allowPrivilegeEscalation", check_bool },
	{ "spark.kubernetes.driver.securityContext.allowPrivilegeEscalation", check_bool },
	{ "spark.kubernetes.executor.securityContext.allowPrivilegeEscalation", check_bool },
	{ "spark.kubernetes.container.image.pullSecrets", check_object_names },
	{ "spark.kubernetes.scheduler.name", check_reference },
	{ "spark.kubernetes.driver.scheduler.name", check_reference },
	{ "spark.local.dir", check_reference },
	{ "spark.pyspark.python", check_reference },
	{ "spark.pyspark.driver.python", check_reference },
	{ "spark.jars", check_files },
	{ "spark.jars.packages", check_packages },
	{ "spark.files", check_files },
	{ "spark.archives", check_files },
	{ "spark.submit.pyFiles", check_files },
};

/* What follows the prefix names a label, a variable …; value is checked where there is a rule for it. */
static const struct {
	const char *prefix;
	check_fn *check_name;
	check_fn *check_value;
	bool is_label; /* with reserved keys */
} prefixes[] = {
	{ "spark.kubernetes.driver.label.", check_label_key, check_label_template, true },
	{ "spark.kubernetes.executor.label.", check_label_key, check_label_template, true },
	{ "spark.kubernetes.driver.service.label.", check_label_key, check_label_value, true },
	{ "spark.kubernetes.driver.annotation.", check_annotation_key, NULL, false },
	{ "spark.kubernetes.executor.annotation.", check_annotation_key, NULL, false },
	{ "spark.kubernetes.driver.service.annotation.", check_annotation_key, NULL, false },
	{ "spark.kubernetes.node.selector.", check_label_key, check_label_value, false },
	{ "spark.kubernetes.driver.node.selector.", check_label_key, check_label_value, false },
	{ "spark.kubernetes.executor.node.selector.", check_label_key, check_label_value, false },
	{ "spark.kubernetes.driverEnv.", check_env_name, NULL, false },
	{ "spark.executorEnv.", check_env_name, NULL, false },
	{ "spark.kubernetes.driver.secrets.", check_secret_name, check_absolute, false },
	{ "spark.kubernetes.executor.secrets.", check_secret_name, check_absolute, false },
	{ "spark.kubernetes.driver.secretKeyRef.", check_env_name, check_secret_ref, false },
	{ "spark.kubernetes.executor.secretKeyRef.", check_env_name, check_secret_ref, false },
};

static bool key_matches(const char *key, const char *pattern)
{
	size_t len = strlen(pattern);

	if (pattern[len - 1] == '*')
		return strncmp(key, pattern, len - 1) == 0;
	return strcmp(key, pattern) == 0;
}

/* "is not allowed" is what tests of kubeflow's operator look for. */
static void check_refused(struct problems *p, const char *path, const struct json *entry,
			  const struct refusal_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (key_matches(json_name(entry), rows[i].key) && !text_eq(json_text(entry, NULL), rows[i].unless))
			problems_add(p, path, NOT_ALLOWED "%s", rows[i].why);
}

/* Properties for which there are fields; of these the first that is set counts. */
static const struct {
	const char *key;
	const char *why; /* if no field is set, with the words of kubeflow's validator */
	const char *fields[2];
} replaced[] = {
	{ "spark.kubernetes.container.image", USE_IMAGE, { "image", NULL } },
	{ "spark.kubernetes.driver.container.image", USE_IMAGE, { "driver.image", "image" } },
	{ "spark.kubernetes.executor.container.image", USE_IMAGE, { "executor.image", "image" } },
	{ "spark.kubernetes.authenticate.driver.serviceAccountName", USE_ACCOUNT, { "driver.serviceAccount", NULL } },
	{ "spark.kubernetes.authenticate.executor.serviceAccountName",
	  USE_ACCOUNT,
	  { "executor.serviceAccount", "driver.serviceAccount" } },
	{ "spark.kubernetes.driver.master", MANAGED, { "driver.kubernetesMaster", NULL } },
};

static const char *set_field_of(const struct json *spec, const char *const fields[2])
{
	for (size_t i = 0; i < 2 && fields[i]; i++)
		if (!text_empty(json_str(spec, fields[i], NULL)))
			return fields[i];
	return NULL;
}

/* A property that says the same as its field contradicts nothing. */
static void check_replaced(struct problems *p, const struct json *spec, const char *path, const struct json *entry)
{
	for (size_t i = 0; i < array_len(replaced); i++) {
		const char *key = replaced[i].key, *own = json_text(entry, "");
		const char *field = text_eq(json_name(entry), key) ? set_field_of(spec, replaced[i].fields) : NULL;
		const char *value = field ? json_str(spec, field, "") : NULL;

		if (!text_eq(json_name(entry), key) || text_eq(own, value))
			continue;
		if (field)
			problems_add(p, path,
				     NOT_ALLOWED "spec.%s replaces it, so \"%s\" counts and not \"%s\": "
						 "leave the property out",
				     field, value, own);
		else
			problems_add(p, path, NOT_ALLOWED "%s", replaced[i].why);
	}
}

/* A row of the spec replaces the property anyway; but two places that disagree hide a mistake. */
static void check_property_value(struct problems *p, const char *path, const struct json *entry)
{
	const char *key = conf_key(json_name(entry));

	for (size_t i = 0; i < array_len(values); i++) {
		const char *why = text_eq(key, values[i].key) ? values[i].check(json_text(entry, "")) : NULL;

		if (why)
			problems_invalid(p, path, entry, why);
	}
}

static void check_named(struct problems *p, check_fn *check_label, const char *path, const struct json *entry)
{
	for (size_t i = 0; i < array_len(prefixes); i++) {
		const char *name = conf_suffix(entry, prefixes[i].prefix), *why;
		check_fn *check = prefixes[i].check_value;

		if (!name)
			continue;
		why = prefixes[i].check_name(name);
		if (prefixes[i].is_label && validate_is_reserved(name))
			problems_add(p, path, "Forbidden: reserved for the bookkeeping of Spark and the operator");
		else if (why)
			problems_invalid_text(p, path, name, why);
		if (check == check_label_template)
			check = check_label;
		why = check ? check(json_text(entry, "")) : NULL;
		if (why)
			problems_invalid(p, path, entry, why);
	}
}

/* Numbers that Spark reads only where dynamic allocation is on. */
static void check_allocation(struct problems *p, const struct json *spec, const struct json *conf)
{
	static const struct {
		const char *key;
		check_fn *check;
	} numbers[] = {
		{ "spark.dynamicAllocation.minExecutors", check_count },
		{ "spark.dynamicAllocation.initialExecutors", check_count },
		{ "spark.dynamicAllocation.maxExecutors", check_positive },
	};

	for (size_t i = 0; i < array_len(numbers) && conf_dynamic(spec); i++) {
		auto_free char *path = xasprintf("spec.sparkConf[%s]", numbers[i].key);
		const struct json *value = json_get(conf, numbers[i].key);
		const char *why = value ? numbers[i].check(json_text(value, "")) : NULL;

		if (why)
			problems_invalid(p, path, value, why);
	}
}

static void check_namespace(struct problems *p, const struct app *app, const char *path, const struct json *entry)
{
	const char *ns = app->ns ? app->ns : "default";

	if (text_eq(json_name(entry), "spark.kubernetes.namespace") && !text_eq(json_text(entry, NULL), ns))
		problems_add(p, path, "Forbidden: must equal the application namespace \"%s\", got \"%s\"", ns,
			     json_text(entry, ""));
}

/* spark-submit takes KEY=VALUE, and would see another key. */
static void check_property_key(struct problems *p, const char *path, const struct json *entry)
{
	if (strchr(json_name(entry), '='))
		problems_add(p, path, "Invalid value: \"%s\": expected a key without '='", json_name(entry));
}

static void check_pairs(struct problems *p, const struct json *conf)
{
	for (size_t i = 0; i < array_len(pairs); i++) {
		bool first = conf_get(conf, pairs[i][0], NULL), second = conf_get(conf, pairs[i][1], NULL);
		auto_free char *path = xasprintf("spec.sparkConf[%s]", pairs[i][first]);

		if (first != second)
			problems_add(p, path, "Required value: %s is set", pairs[i][second]);
	}
}

/* Settings that exclude each other, or need each other. */
static void check_conflicts(struct problems *p, const struct json *spec, const struct json *conf)
{
	const char *shared = conf_get(conf, "spark.blockManager.port", NULL);

	if (conf_get(conf, "spark.kerberos.principal", NULL) && !text_empty(json_str(spec, "proxyUser", NULL)))
		problems_add(p, "spec.proxyUser",
			     "Forbidden: only one of proxyUser and spark.kerberos.principal can be provided");
	if (text_eq(shared, "0") && !conf_get(conf, "spark.driver.blockManager.port", NULL))
		problems_add(p, "spec.sparkConf[spark.driver.blockManager.port]",
			     "Required value: spark.blockManager.port is 0, and the driver's has to be a number");
}

void validate_conf_managed(struct problems *p, const struct app *app)
{
	json_each (entry, validate_map(json_at(app->tree, "spec.sparkConf"))) {
		auto_free char *path = xasprintf("spec.sparkConf[%s]", json_name(entry));

		check_refused(p, path, entry, managed, array_len(managed));
		check_replaced(p, json_get(app->tree, "spec"), path, entry);
		check_namespace(p, app, path, entry);
	}
}

void validate_conf(struct problems *p, const struct app *app, const struct rule_options *options)
{
	const struct json *spec = json_get(app->tree, "spec"), *conf = validate_map(json_get(spec, "sparkConf"));
	check_fn *check_label = validate_label_check(spec, options);

	json_each (entry, validate_map(json_get(spec, "hadoopConf"))) {
		auto_free char *path = xasprintf("spec.hadoopConf[%s]", json_name(entry));

		check_property_key(p, path, entry);
	}
	validate_conf_managed(p, app);
	check_pairs(p, conf);
	check_conflicts(p, spec, conf);
	check_allocation(p, spec, conf);
	json_each (entry, conf) {
		auto_free char *path = xasprintf("spec.sparkConf[%s]", json_name(entry));

		if (!json_is(entry, JSON_STRING))
			continue;
		check_property_key(p, path, entry);
		check_refused(p, path, entry, refused, array_len(refused));
		check_property_value(p, path, entry);
		check_named(p, check_label, path, entry);
	}
}
