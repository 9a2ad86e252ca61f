/*
 * Offline validation: the rules by which the webhook refuses objects, and the operator SparkApplications, for files.
 * Whatever a submission could fail by is found, since one is built, down to the pod of an executor.
 *
 * What has no effect is a warning: a field that the CRD or Kubernetes does not have, a property without "spark.". With
 * --strict a warning counts as a problem, as kubectl sees unknown fields. A file that cannot be read, or holds no
 * object, is wrong too. Objects of other kinds are named and passed over.
 */
#include "offline/validate_files.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "offline.h"
#include "admission/validation.h"

struct validation {
	struct rule_options options;
	bool strict;
	FILE *out;
	FILE *errors;
};

/* Returns how many there are. */
static size_t print_problems(const struct validation *v, const char *title, const char *mark,
			     const struct json *problems)
{
	json_each (problem, problems) {
		auto_free char *line = validation_line(problem);

		fprintf(v->errors, "%s: %s%s\n", title, mark, line);
	}
	return json_len(problems);
}

static bool validate_object(void *context, const struct offline_object *object)
{
	const struct validation *v = context;
	auto_json problems = validation_problems(object->object, &v->options);
	auto_json unknown = validation_unknown_fields(object->object);
	auto_json doubts = NULL;
	size_t count = print_problems(v, object->title, "", problems);
	size_t warned = print_problems(v, object->title, "warning: ", unknown);

	if (count == 0) {
		doubts = validation_doubts(object->object, &v->options);
		warned += print_problems(v, object->title, "warning: ", doubts);
	}
	if (count > 0 || (v->strict && (warned > 0 || object->has_notes)))
		return false;
	fprintf(v->out, "%s: valid\n", object->title);
	return true;
}

int validate_files_run(const struct options *o, FILE *out, FILE *errors)
{
	struct validation validation = {
		.options = options_rules(o),
		.strict = o->strict,
		.out = out,
		.errors = errors,
	};
	const struct offline_walk walk = {
		.command = "validate",
		.fn = validate_object,
		.context = &validation,
		.notes = out,
		.errors = errors,
	};

	int code = offline_objects(o, &walk);

	if (fflush(out) != 0 || ferror(out)) {
		fprintf(errors, "validate: cannot write: %s\n", strerror(errno));
		code = 1;
	}
	return code;
}
