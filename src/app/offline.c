/*
 * SparkApplications from files, and what would become of them. Fails with what is wrong with the object.
 */
#include "offline.h"

#include "base/text.h"
#include "spark/ui_service.h"

#define OFFLINE_UID "00000000-0000-0000-0000-000000000000"

static void set_default(struct json *object, const char *name, const char *value)
{
	if (!json_get(object, name))
		json_set_str(object, name, value);
}

int offline_app(struct json *object, struct app *ret, struct err *err)
{
	const char *kind = json_str(object, "kind", "");
	struct json *metadata;

	if (!text_eq(kind, resource_sparkapplication.kind))
		return err_set(err, ERR_INVALID, "kind: \"%s\": expected SparkApplication", kind);
	metadata = json_ensure_object(object, "metadata");
	set_default(metadata, "namespace", "default");
	set_default(metadata, "uid", OFFLINE_UID);
	return app_decode(object, ret, err);
}

int offline_build(const struct options *o, const struct app *app, struct submission *ret, struct err *err)
{
	const struct submission_options options = { .master = o->master, .submitted_ms = 0, .with_executor = true };
	struct app_names names;
	struct json *service;
	int rc;

	rc = submission_build(app, o->attempt, &options, ret, err);
	if (rc || !o->ui_service)
		return rc;
	app_names_init(&names, app, o->attempt);
	service = ui_service_build(app, names.submission_id);
	if (service)
		json_append(ret->objects, service);
	app_names_done(&names);
	return 0;
}
