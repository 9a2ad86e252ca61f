/*
 * Offline validation: the rules by which the webhook refuses objects, and the operator SparkApplications, for files.
 * Whatever a submission could fail by is found, since one is built, down to the pod of an executor.
 *
 * A field that the CRD does not have is wrong too: kubectl would refuse the object, and the API server drop the field
 * for others. A field that Kubernetes does not have in a pod is a warning, since the cluster's Kubernetes may be
 * newer than the types recorded here. A file that cannot be read, or holds no object, is wrong too. Objects of other
 * kinds are named and passed over.
 */
#include "offline/validate_files.h"

#include "base/text.h"
#include "offline.h"
#include "admission/validation.h"

struct validation {
	struct rule_options options;
	FILE *out;
	FILE *errors;
};

/* "KIND NAMESPACE/NAME"; what is missing is said to be. Owned. */
static char *title_of(const struct json *object)
{
	const char *name = json_str(object, "metadata.name", NULL);

	if (text_empty(name))
		name = json_str(object, "metadata.generateName", "(no name)");
	return xasprintf("%s %s/%s", json_str(object, "kind", "(no kind)"),
			 json_str(object, "metadata.namespace", "default"), name);
}

/* Returns how many there are. */
static size_t print_problems(const struct validation *v, const char *path, const char *title, const char *mark,
			     const struct json *problems)
{
	json_each (problem, problems) {
		auto_free char *line = validation_line(problem);

		fprintf(v->errors, "%s: %s: %s%s\n", path, title, mark, line);
	}
	return json_len(problems);
}

static bool validate_object(void *context, const char *path, struct json *object)
{
	const struct validation *v = context;
	auto_free char *title = title_of(object);
	auto_json problems = NULL;
	auto_json dropped = NULL;
	auto_json kept = NULL;
	auto_json doubts = NULL;
	size_t count;

	if (!validation_knows(json_str(object, "kind", ""))) {
		fprintf(v->out, "%s: %s: skipped: not of a kind of this operator\n", path, title);
		return true;
	}
	problems = validation_problems(object, &v->options);
	validation_unknown_fields(object, &dropped, &kept);
	count = print_problems(v, path, title, "", problems) + print_problems(v, path, title, "", dropped);
	print_problems(v, path, title, "warning: ", kept);
	if (count > 0)
		return false;
	doubts = validation_doubts(object, &v->options);
	print_problems(v, path, title, "warning: ", doubts);
	fprintf(v->out, "%s: %s: valid\n", path, title);
	return true;
}

int validate_files_run(const struct options *o, FILE *out, FILE *errors)
{
	struct validation validation = {
		.options = options_rules(o),
		.out = out,
		.errors = errors,
	};

	return offline_objects(o, "validate", validate_object, &validation, errors);
}
