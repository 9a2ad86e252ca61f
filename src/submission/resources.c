/*
 * What the Spark container of a driver or executor pod requests, and its limits: processors, memory and devices
 * (BasicDriverFeatureStep, BasicExecutorFeatureStep and ResourceProfile.getResourcesForClusterManager).
 *
 * Happy path: each row of memory gives a number of MiB. Their sum is the request and the limit. Fails with ERR_INVALID
 * and the name of the property if a size cannot be read, if the sum is too large, or if a device has no vendor.
 */
#include "build.h"

#include <string.h>

#include "base/text.h"
#include "spark/conf.h"
#include "spark/version.h"
#include "spark/memory.h"

enum { MIN_OVERHEAD_MIB = 384, NOT_GIVEN = -1 };

enum memory_part { HEAP, MIN_OVERHEAD, OVERHEAD, OFF_HEAP, PYTHON, MEMORY_PARTS };

/* The container's memory is the sum of these. The smallest overhead only serves to compute the overhead. */
static const enum memory_part summands[] = { HEAP, OVERHEAD, OFF_HEAP, PYTHON };

struct memory_row {
	enum memory_part part;
	const char *key;
	const char *dflt;		     /* NULL: the part keeps its value if the property is absent */
	const char *unit;		     /* of a number that has none */
	int since;			     /* the first Spark that reads the property */
	bool (*when)(const struct build *b); /* NULL: always */
};

static bool has_off_heap(const struct build *b)
{
	return conf_true(b->conf, "spark.memory.offHeap.enabled");
}

static bool is_python_app(const struct build *b)
{
	return text_eq(conf_get(b->conf, "spark.kubernetes.resource.type", NULL), "python");
}

static const struct memory_row driver_memory[] = {
	{ HEAP, "spark.driver.memory", "1g", "m", 0, NULL },
	{ MIN_OVERHEAD, "spark.driver.minMemoryOverhead", "384m", "m", SPARK_4_0, NULL },
	{ OVERHEAD, "spark.driver.memoryOverhead", NULL, "m", 0, NULL },
};

static const struct memory_row executor_memory[] = {
	{ HEAP, "spark.executor.memory", "1g", "m", 0, NULL },
	{ MIN_OVERHEAD, "spark.executor.minMemoryOverhead", "384m", "m", SPARK_4_0, NULL },
	{ OVERHEAD, "spark.executor.memoryOverhead", NULL, "m", 0, NULL },
	{ OFF_HEAP, "spark.memory.offHeap.size", "0", "b", 0, has_off_heap },
	{ PYTHON, "spark.executor.pyspark.memory", "0", "m", 0, is_python_app },
};

/* A size that is a number only counts units. The error names the property. */
static int read_size(const struct build *b, const char *key, const char *text, const char *unit, int64_t *ret_mib,
		     struct err *err)
{
	bool is_number = text[strspn(text, "0123456789")] == '\0';
	auto_free char *size = xasprintf("%s%s", text, is_number ? unit : "");

	if (!memory_mib(size, b->version, ret_mib))
		return err_set(err, ERR_INVALID, "%s: Invalid value: \"%s\": expected a size such as 512m or 2g", key,
			       text);
	return 0;
}

int build_mib(const struct build *b, const char *key, const char *dflt, int64_t *ret, struct err *err)
{
	return read_size(b, key, conf_get(b->conf, key, dflt), "m", ret, err);
}

static int read_row(const struct build *b, const struct memory_row *row, int64_t mib[], struct err *err)
{
	const char *text = conf_get(b->conf, row->key, row->dflt);

	if (!text || b->version < row->since || (row->when && !row->when(b)))
		return 0;
	return read_size(b, row->key, text, row->unit, &mib[row->part], err);
}

/* The factor of the overhead where the role has its own (since Spark 3.3), else the common one. */
static double overhead_factor(const struct build *b, double common)
{
	auto_free char *key = xasprintf("spark.%s.memoryOverheadFactor", b->role->name);

	return b->version >= SPARK_3_3 ? build_factor(b, key, common) : common;
}

static int memory_total(const struct build *b, double common_factor, int64_t *ret_mib, struct err *err)
{
	bool driver = b->role == &role_driver;
	const struct memory_row *rows = driver ? driver_memory : executor_memory;
	size_t len = driver ? array_len(driver_memory) : array_len(executor_memory);
	int64_t mib[MEMORY_PARTS] = { [MIN_OVERHEAD] = MIN_OVERHEAD_MIB, [OVERHEAD] = NOT_GIVEN };

	for (size_t i = 0; i < len; i++) {
		int rc = read_row(b, &rows[i], mib, err);

		if (rc)
			return rc;
	}
	if (mib[OVERHEAD] == NOT_GIVEN)
		mib[OVERHEAD] = memory_overhead_mib(mib[HEAP], overhead_factor(b, common_factor), mib[MIN_OVERHEAD]);
	*ret_mib = 0;
	for (size_t i = 0; i < array_len(summands); i++)
		if (__builtin_add_overflow(*ret_mib, mib[summands[i]], ret_mib))
			return err_set(err, ERR_INVALID, "%s: Invalid value: too large with its overhead",
				       rows[HEAP].key);
	return 0;
}

/* The device that the property spark.ROLE.resource.NAME.amount asks for. Owned; NULL if it is another property. */
static char *device_of(const struct json *entry, const char *prefix)
{
	static const char ending[] = ".amount";
	const char *name = conf_suffix(entry, prefix);

	if (!name || !text_ends(name, ending) || text_eq(name, ending))
		return NULL;
	return xstrndup(name, strlen(name) - strlen(ending));
}

static int put_devices(struct build *b, struct json *limits, struct err *err)
{
	auto_free char *prefix = xasprintf("spark.%s.resource.", b->role->name);

	json_each (entry, b->conf) {
		auto_free char *device = device_of(entry, prefix);

		if (!device)
			continue;

		auto_free char *vendor_key = xasprintf("%s%s.vendor", prefix, device);
		const char *vendor = conf_get(b->conf, vendor_key, NULL);

		if (!vendor)
			return err_set(err, ERR_INVALID,
				       "%s: Required value: resource was requested, but vendor was not specified",
				       vendor_key);

		auto_free char *limit = xasprintf("%s/%s", vendor, device);

		json_set_str(limits, limit, json_text(entry, ""));
	}
	return 0;
}

int build_resources(struct build *b, double common_factor, struct err *err)
{
	struct json *resources = json_ensure_object(b->container, "resources");
	struct json *requests = json_ensure_object(resources, "requests");
	struct json *limits = json_ensure_object(resources, "limits");
	auto_free char *cores_key = xasprintf("spark.%s.cores", b->role->name), *cores = NULL;
	int64_t mib;
	int rc;

	rc = memory_total(b, common_factor, &mib, err);
	if (rc)
		return rc;
	cores = xasprintf("%lld", (long long)conf_i64(b->conf, cores_key, 1));
	json_set_str(requests, "cpu", build_role_get(b, "request.cores", cores));
	json_setf(requests, "memory", "%lldMi", (long long)mib);
	json_set_str(limits, "cpu", build_role_get(b, "limit.cores", NULL));
	json_setf(limits, "memory", "%lldMi", (long long)mib);
	return put_devices(b, limits, err);
}
