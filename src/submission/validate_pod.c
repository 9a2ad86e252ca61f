/*
 * Rules that need a whole pod, in which fields, sparkConf and template have come together.
 *
 * Some of these pods the API server would refuse (ValidateResourceRequirements, ValidateVolumeMounts,
 * validateContainerPorts); the driver would then create its executors again and again, without success. Others Spark
 * would change: it sets the memory limit of executors to their request, whatever a template says, and it refuses a
 * processor limit below the request (BasicExecutorFeatureStep). Each problem names the field that brought the container
 * into the pod.
 */
#include <string.h>

#include "base/text.h"
#include "build.h"
#include "rules/check.h"
#include "spark/memory.h"
#include "rules/validate.h"
#include "spark/conf.h"
#include "spark/version.h"

struct part {
	struct problems *problems;
	const struct build *b;
	const struct json *container;
	bool is_spark;
	char *field; /* the field that brought the container into the pod */
};

/* Bytes of spec.executor.memoryLimit. It is a quantity or a size in Java's notation, as the driver's limit is. */
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

static void check_memory_limit(struct problems *p, const struct build *b)
{
	const char *wanted = json_str(b->spec, "executor.memoryLimit", NULL), *set;
	double bytes;

	set = json_str(b->container, "resources.requests.memory", "");
	if (text_empty(wanted) || !check_quantity_value(set, &bytes) || limit_bytes(wanted) == bytes)
		return;
	if (!b->options->rules.has_webhook)
		problems_add(p, "spec.executor.memoryLimit",
			     "Forbidden: Spark sets the memory limit of executors to their request, %s; only the "
			     "operator's webhook could raise it, and that is off: leave it out, and raise "
			     "memoryOverhead instead",
			     set);
	else if (limit_bytes(wanted) < bytes)
		problems_add(p, "spec.executor.memoryLimit",
			     "Invalid value: \"%s\": is below the request of executors, %s", wanted, set);
}

static char *find_field(const struct build *b, const struct json *container)
{
	static const char *const lists[] = { "sidecars", "initContainers", "template.spec.containers",
					     "template.spec.initContainers" };
	const struct json *role = json_get(b->spec, b->role->name);
	const char *name = json_str(container, "name", "");

	for (size_t i = 0; i < array_len(lists); i++) {
		size_t at = 0;

		json_each (item, json_at(role, lists[i])) {
			if (text_eq(json_str(item, "name", ""), name))
				return xasprintf("spec.%s.%s[%zu]", b->role->name, lists[i], at);
			at++;
		}
	}
	return xasprintf("spec.%s", b->role->name);
}

/* The field that sets the limit. For the Spark container's processors it is a field or property of the spec. For all
 * other limits it is the place in the container. Owned. */
static char *limit_field(const struct part *part, const char *resource)
{
	const struct build *b = part->b;
	auto_free char *property = xasprintf("spark.kubernetes.%s.limit.cores", b->role->name);

	if (!part->is_spark || !text_eq(resource, "cpu"))
		return xasprintf("%s.resources.limits[%s]", part->field, resource);
	if (json_get(json_get(b->spec, "sparkConf"), property) &&
	    !json_has(json_get(b->spec, b->role->name), "coreLimit"))
		return xasprintf("spec.sparkConf[%s]", property);
	return xasprintf("spec.%s.coreLimit", b->role->name);
}

/* The API server checks the memory of the Spark container. Its message then stands in the status. */
static void check_limits(const struct part *part)
{
	const struct json *requests = json_at(part->container, "resources.requests");

	json_each (limit, json_at(part->container, "resources.limits")) {
		const char *resource = json_name(limit), *text = json_text(limit, "");
		const char *request = json_text(json_get(requests, resource), "");
		auto_free char *field = NULL;
		double requested, limited;

		if (part->is_spark && text_eq(resource, "memory"))
			continue;
		if (!check_quantity_value(request, &requested) || !check_quantity_value(text, &limited) ||
		    requested <= limited)
			continue;
		field = limit_field(part, resource);
		problems_add(part->problems, field, "Invalid value: \"%s\": is below the request of %s, %s", text,
			     !part->is_spark		       ? "the container"
			     : part->b->role == &role_executor ? "executors"
							       : "the driver",
			     request);
	}
}

static void check_mounts(const struct part *part)
{
	const struct json *volumes = json_at(part->b->pod, "spec.volumes");
	size_t i = 0;

	json_each (mount, json_get(part->container, "volumeMounts")) {
		const char *name = json_str(mount, "name", "");
		auto_free char *field = xasprintf("%s.volumeMounts[%zu].name", part->field, i++);

		if (!json_find(volumes, "name", name))
			problems_add(part->problems, field,
				     "Not found: \"%s\": the pod has no volume of that name; of spec.volumes it has "
				     "those that spec.%s.volumeMounts names",
				     name, part->b->role->name);
	}
}

static size_t count_named_items(const struct json *list, const char *name)
{
	size_t count = 0;

	json_each (item, list)
		count += text_eq(json_str(item, "name", NULL), name);
	return count;
}

/* For the Spark container only the ports of the role's field are checked. The others come from Spark or a template. */
static void check_ports(const struct part *part)
{
	const char *role_name = part->b->role->name;
	const struct json *ports = json_get(part->container, "ports"), *own = ports;
	size_t i = 0;

	if (part->is_spark)
		own = json_get(json_get(part->b->spec, role_name), "ports");
	json_each (port, own) {
		const char *name = json_str(port, "name", "");
		auto_free char *field = part->is_spark ? xasprintf("spec.%s.ports[%zu].name", role_name, i)
						       : xasprintf("%s.ports[%zu].name", part->field, i);
		bool is_first = json_find(own, "name", name) == port;

		i++;
		if (*name && count_named_items(ports, name) > 1 && (!is_first || count_named_items(own, name) == 1))
			problems_add(part->problems, field,
				     "Duplicate value: \"%s\": the container has another port of this name", name);
	}
}

static void check_name(const struct part *part)
{
	const struct json *containers = json_at(part->b->pod, "spec.containers");
	const struct json *inits = json_at(part->b->pod, "spec.initContainers");
	const char *name = json_str(part->container, "name", "");
	const struct json *first = json_find(containers, "name", name);
	auto_free char *field = xasprintf("%s.name", part->field);

	if (first != part->container && (first || json_find(inits, "name", name) != part->container))
		problems_add(part->problems, field,
			     "Duplicate value: \"%s\": the pod has another container of this name", name);
}

static void check_containers(struct problems *p, const struct build *b, const struct json *containers)
{
	json_each (container, containers) {
		auto_free char *field = find_field(b, container);
		const struct part part = { .problems = p,
					   .b = b,
					   .container = container,
					   .is_spark = container == b->container,
					   .field = field };

		check_name(&part);
		check_limits(&part);
		check_mounts(&part);
		check_ports(&part);
	}
}

void validate_pod(struct problems *p, const struct build *b)
{
	if (b->role == &role_executor)
		check_memory_limit(p, b);
	check_containers(p, b, json_at(b->pod, "spec.containers"));
	check_containers(p, b, json_at(b->pod, "spec.initContainers"));
}
