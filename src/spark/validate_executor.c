/*
 * What an application asks of its executors and Spark would not do: checked on the pod that Spark would make, since
 * only there all of fields, sparkConf and template have come together.
 *
 * Spark sets the memory limit of executors to their request, whatever a template says, and refuses a processor limit
 * below the request (BasicExecutorFeatureStep), as the API server does.
 */
#include <string.h>

#include "base/text.h"
#include "build.h"
#include "check.h"
#include "memory.h"

/* Bytes of spec.executor.memoryLimit: a quantity, or a size in Java's notation, as the driver's limit may be too. */
static double limit_bytes(const char *text)
{
	size_t len = strlen(text);
	double bytes = 0;
	int64_t mib;

	if (len && (text[len - 1] < '0' || text[len - 1] > '9') && memory_mib(text, VERSION_NEWEST, &mib))
		return (double)mib * 0x1p20;
	check_quantity_value(text, &bytes);
	return bytes;
}

static int check_memory_limit(const struct build *b, const struct json *resources, struct err *err)
{
	const char *wanted = json_str(b->spec, "executor.memoryLimit", NULL), *set;
	double bytes;

	set = json_str(resources, "limits.memory", "");
	if (text_empty(wanted) || !check_quantity_value(set, &bytes) || limit_bytes(wanted) == bytes)
		return 0;
	return err_set(
	    err, ERR_INVALID,
	    "spec.executor.memoryLimit: Invalid value: \"%s\": Spark sets the memory limit of executors to their "
	    "request, %s: leave it out, and raise memoryOverhead instead",
	    wanted, set);
}

static int check_cpu_limit(const struct json *resources, struct err *err)
{
	const char *request = json_str(resources, "requests.cpu", ""), *limit = json_str(resources, "limits.cpu", "");
	double requested, limited;

	if (!check_quantity_value(request, &requested) || !check_quantity_value(limit, &limited) ||
	    requested <= limited)
		return 0;
	return err_set(err, ERR_INVALID,
		       "spec.executor.coreLimit: Invalid value: \"%s\": is below the request of executors, %s", limit,
		       request);
}

static int check_names(const struct build *b, struct err *err)
{
	const struct json *containers = json_at(b->pod, "spec.containers"), *inits;

	inits = json_at(b->pod, "spec.initContainers");
	json_each (container, containers) {
		const char *name = json_str(container, "name", "");

		if (json_find(containers, "name", name) != container || json_find(inits, "name", name))
			return err_set(err, ERR_INVALID,
				       "spec.executor: Duplicate value: \"%s\": two containers would have this name",
				       name);
	}
	return 0;
}

int validate_executor(const struct build *b, struct err *err)
{
	const struct json *resources = json_get(b->container, "resources");
	int rc = check_memory_limit(b, resources, err);

	if (!rc)
		rc = check_cpu_limit(resources, err);
	return rc ? rc : check_names(b, err);
}
