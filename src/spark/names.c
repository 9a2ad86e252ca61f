/*
 * Names of the objects of one run.
 *
 * spark-submit makes its names from random numbers and the time. Here every name is a hash of the application's uid,
 * the number of the run, the spec and the purpose. So a repeated submission finds the objects that the one before it
 * has created, and a submission of another spec never meets them. The names have the form of those of Spark's
 * KubernetesConf, KubernetesUtils.uniqueID and DriverServiceFeatureStep. Nothing can fail.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "spark/digest.h"
#include "spark/app.h"
#include "spark/names.h"

enum {
	LABEL_MAX = 63,
	UUID_SIZE = 37,
	ID_SIZE = 17,
	SPEC_HASH_VERSION = 1,
	RUN_ID_VERSION = 15, /* where it stands in a submission id */
	RUN_ID_NUMBER = 24,
};

#define RUN_MAX INT64_C(0xffffffff)

/* The fields of the spec that a submission does not depend on. */
static const char *const unsubmitted[] = { "suspend", "timeToLiveSeconds" };

struct seed {
	const char *uid;
	int64_t run;
	uint64_t spec; /* a hash */
};

static bool is_submitted(const struct json *member)
{
	for (size_t i = 0; i < array_len(unsubmitted); i++)
		if (text_eq(json_name(member), unsubmitted[i]))
			return false;
	return !json_is(member, JSON_NULL);
}

/* The hashes of members are added, so the order of members does not count. */
static uint64_t spec_hash(const struct json *spec)
{
	uint64_t sum = 0;

	if (!json_is(spec, JSON_OBJECT)) /* it will be refused, but has names until then */
		return json_hash(spec);
	json_each (member, spec)
		if (is_submitted(member))
			sum += text_hash(json_hash(member), json_name(member));
	return sum;
}

static uint64_t hash(const struct seed *seed, uint64_t lane, const char *purpose)
{
	auto_free char *text =
	    xasprintf("%s/%lld/%016llx/%s", seed->uid, (long long)seed->run, (unsigned long long)seed->spec, purpose);

	return text_hash(lane, text);
}

static void id16(const struct seed *seed, const char *purpose, char out[ID_SIZE])
{
	snprintf(out, ID_SIZE, "%016llx", (unsigned long long)hash(seed, 0, purpose));
}

/* A UUID of version 8, whose content the application chooses (RFC 9562). */
static void uuid(const struct seed *seed, const char *purpose, char out[UUID_SIZE])
{
	uint64_t high = hash(seed, 0, purpose), low = hash(seed, 1, purpose);

	high = (high & ~UINT64_C(0xf000)) | 0x8000;
	low = (low & ~(UINT64_C(3) << 62)) | UINT64_C(2) << 62;
	snprintf(out, UUID_SIZE, "%08llx-%04llx-%04llx-%04llx-%012llx", (unsigned long long)(high >> 32),
		 (unsigned long long)(high >> 16 & 0xffff), (unsigned long long)(high & 0xffff),
		 (unsigned long long)(low >> 48), (unsigned long long)(low & UINT64_C(0xffffffffffff)));
}

/*
 * The submission id is a UUID too. Its last group is the number of the run, and the digit after the version is the
 * version of spec_hash(). So whoever knows the submission id of a run knows the number of the run, and can tell whether
 * the spec is still the submitted one.
 */
static char *run_id(const struct seed *seed)
{
	uint64_t high = hash(seed, 0, "submission"), low = hash(seed, 1, "submission");

	return xasprintf("%08llx-%04llx-8%x%02llx-%04llx-%012llx", (unsigned long long)(high >> 32),
			 (unsigned long long)(high >> 16 & 0xffff), SPEC_HASH_VERSION,
			 (unsigned long long)(high & 0xff), (unsigned long long)(low >> 48 & 0x3fff) | 0x8000,
			 (unsigned long long)seed->run);
}

/* The value of a hexadecimal digit; -1 for other characters. */
static int hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static bool is_run_id(const char *text)
{
	char form[] = "xxxxxxxx-xxxx-8vxx-xxxx-xxxxxxxxxxxx";
	size_t i = 0;

	form[RUN_ID_VERSION] = (char)('0' + SPEC_HASH_VERSION);
	while (form[i] && (form[i] == 'x' ? hex_value(text[i]) >= 0 : text[i] == form[i]))
		i++;
	return !form[i] && !text[i];
}

int64_t names_run(const char *submission_id)
{
	int64_t run = 0;

	if (!submission_id || !is_run_id(submission_id))
		return 0;
	for (const char *p = submission_id + RUN_ID_NUMBER; *p; p++)
		run = run * 16 + hex_value(*p);
	return run <= RUN_MAX ? run : 0;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Removes blanks at both ends and turns letters into lower case. Each run of dashes and of characters outside
 * [a-z0-9-] becomes one dash. Java's rules for Unicode letters are not needed: names of Kubernetes objects are ASCII,
 * and any other character becomes a dash. */
static char *slug(const char *text)
{
	size_t start = 0, end = strlen(text), n = 0;
	char *out = xmalloc(end + 1);

	while (start < end && (unsigned char)text[start] <= ' ')
		start++;
	while (end > start && (unsigned char)text[end - 1] <= ' ')
		end--;
	for (size_t i = start; i < end; i++) {
		char c = lower(text[i]);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
			c = '-';
		if (c != '-' || n == 0 || out[n - 1] != '-')
			out[n++] = c;
	}
	out[n] = '\0';
	return out;
}

char *names_prefix(const char *app_name, const char *id)
{
	auto_free char *joined = xasprintf("%s-%s", app_name, id);
	auto_free char *text = slug(joined);
	char *prefix = xstrdup(text[0] == '-' ? text + 1 : text);

	if (prefix[0] >= '0' && prefix[0] <= '9')
		prefix[0] = 'x';
	return prefix;
}

char *names_configmap_volume(const char *configmap)
{
	static const char suffix[] = "-vol";
	char digest[DIGEST_SHORT_SIZE];
	size_t len = strlen(configmap), room = LABEL_MAX - sizeof(digest) - (sizeof(suffix) - 1);
	auto_free char *base = xstrdup(configmap);

	if (len + sizeof(suffix) - 1 <= LABEL_MAX && !strchr(configmap, '.'))
		return xasprintf("%s%s", configmap, suffix);
	for (char *p = base; *p; p++)
		if (*p == '.')
			*p = '-';
	if (len > room)
		len = room;
	while (len && base[len - 1] == '-')
		len--;
	return xasprintf("%.*s-%s%s", (int)len, base, digest_sha256(configmap, digest), suffix);
}

char *names_app_label(const char *app_name)
{
	auto_free char *text = slug(app_name);
	size_t len = strlen(text), start = text[0] == '-';

	if (len > LABEL_MAX)
		len = LABEL_MAX;
	if (len > start && text[len - 1] == '-')
		len--;
	return xstrndup(text + start, len - start);
}

static char *driver_pod_name(const struct app *app, const char *name)
{
	const struct json *conf = json_at(app->tree, "spec.sparkConf");
	const char *given = json_str(app->tree, "spec.driver.podName", NULL);

	if (text_empty(given))
		given = json_text(json_get(conf, "spark.kubernetes.driver.pod.name"), NULL);
	return text_empty(given) ? xasprintf("%s-driver", name) : xstrdup(given);
}

static char *service_name(const struct seed *seed, const char *prefix)
{
	auto_free char *name = xasprintf("%s-driver-svc", prefix);
	char id[ID_SIZE];

	if (strlen(name) <= LABEL_MAX)
		return take_ptr(name);
	id16(seed, "service", id);
	return xasprintf("spark-%s-driver-svc", id);
}

static char *prefix_of(const struct seed *seed, const char *name)
{
	char id[ID_SIZE];

	id16(seed, "prefix", id);
	return names_prefix(name, id);
}

static void print_spec_hash(char out[SPEC_HASH_SIZE], uint64_t hash)
{
	snprintf(out, SPEC_HASH_SIZE, "v%d-%016llx", SPEC_HASH_VERSION, (unsigned long long)hash);
}

char *app_names_service(const struct app *app, int64_t run, const char *spec_hash)
{
	struct seed seed = { .uid = app->uid ? app->uid : "", .run = run };
	auto_free char *prefix = NULL;
	char text[SPEC_HASH_SIZE];

	for (const char *p = strchr(spec_hash, '-'); p && *p; p++)
		if (hex_value(*p) >= 0)
			seed.spec = seed.spec * 16 + (uint64_t)hex_value(*p);
	print_spec_hash(text, seed.spec);
	if (!text_eq(text, spec_hash))
		return NULL;
	prefix = prefix_of(&seed, app->name ? app->name : "");
	return service_name(&seed, prefix);
}

void app_names_init(struct app_names *n, const struct app *app, int64_t run)
{
	const struct seed seed = {
		.uid = app->uid ? app->uid : "",
		.run = run,
		.spec = spec_hash(json_get(app->tree, "spec")),
	};
	const char *name = app->name ? app->name : "";
	char id[ID_SIZE], text[UUID_SIZE];

	n->submission_id = run_id(&seed);
	n->app_id = xasprintf("spark-%016llx%016llx", (unsigned long long)hash(&seed, 0, "application"),
			      (unsigned long long)hash(&seed, 1, "application"));
	n->prefix = prefix_of(&seed, name);
	n->driver_pod = driver_pod_name(app, name);
	n->service = service_name(&seed, n->prefix);
	id16(&seed, "configmap", id);
	n->configmap = xasprintf("spark-drv-%s-conf-map", id);
	print_spec_hash(n->spec_hash, seed.spec);
	uuid(&seed, "local-dir", text);
	n->local_dir = xasprintf("/var/data/spark-%s", text);
}

void app_names_done(struct app_names *n)
{
	free(n->submission_id);
	free(n->app_id);
	free(n->prefix);
	free(n->driver_pod);
	free(n->service);
	free(n->configmap);
	free(n->local_dir);
	memset(n, 0, sizeof(*n));
}
