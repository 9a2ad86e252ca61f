/*
 * Offline validation: the rules by which the operator refuses a SparkApplication, for files. Whatever a submission could
 * fail by is found, since one is built, down to the pod of an executor.
 */
#include "validate_files.h"

#include "offline.h"

struct validation {
	const struct options *o;
	FILE *out;
};

static int validate_object(void *context, struct json *object, struct err *err)
{
	const struct validation *v = context;
	struct submission submission = { 0 };
	struct app app;

	if (offline_app(object, &app, err) < 0 || offline_build(v->o, &app, &submission, err) < 0)
		return -(int)err->code;
	submission_done(&submission);
	fprintf(v->out, "%s/%s: valid\n", app.ns, app.name);
	return 0;
}

int validate_files_run(const struct options *o, FILE *out, FILE *errors)
{
	struct validation validation = { .o = o, .out = out };

	return offline_each(o, "validate", validate_object, &validation, errors);
}
