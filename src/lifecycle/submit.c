/*
 * Plans how the objects of a submission come into being.
 *
 * Happy path: each is created, the Service as the last. A repetition finds them and goes on.
 *
 * Failure modes: an object that is there with other contents is replaced, if no driver uses it. If a Service is found
 * before its driver pod could be created, the driver pod has been there, and the plan ends.
 */
#include "submit.h"

#include "base/mem.h"
#include "base/text.h"

/* The label by which an object that exists already is known to be ours. Objects that all runs share have no submission
 * id, so there another label is compared. */
static const char *label_of(const struct json *object)
{
	return json_get(json_at(object, "metadata.labels"), LABEL_SUBMISSION_ID) ? LABEL_SUBMISSION_ID
										 : LABEL_CREATED_BY;
}

/* The last plan found that this object is there with other contents. Then it is deleted, to be created anew, once it
 * is sure that no driver uses it, and that none has been there: what is created anew is not found any more, so nobody
 * would ask for the Service later. */
static void replace_object(const struct submit *s, const struct resource *res, const struct json *object,
			   struct plan *plan)
{
	const struct failure *f = s->failure;
	const char *name = json_str(object, "metadata.name", "");

	if (!f || f->holder != HOLDER_DIFFERENT || f->res != res || !text_eq(f->name, name) || !f->holder_uid[0])
		return;
	if (!s->has_driver)
		plan_absent(plan, &resource_pod, s->app->ns, s->names->driver_pod, s->app->uid);
	if (!s->has_driver && res != &resource_service)
		plan_absent(plan, &resource_service, s->app->ns, s->names->service, s->app->uid);
	plan_delete(plan, res, s->app->ns, name, f->holder_uid);
}

static void create_object(const struct submit *s, struct json *object, struct plan *plan)
{
	const struct resource *res = resource_of_kind(json_str(object, "kind", ""));
	const char *key = label_of(object), *uid = s->app->uid;
	auto_free char *value = xstrdup(json_text(json_get(json_at(object, "metadata.labels"), key), ""));

	replace_object(s, res, object, plan);
	if (res == &resource_service)
		plan_create_noted(plan, res, object, uid, key, value);
	else
		plan_create(plan, res, object, uid, key, value);
}

/* The owner of executors is the driver pod, which is not there yet. */
static void rehearse_executor(const struct json *executor, struct plan *plan)
{
	struct json *pod = json_dup(executor);

	json_remove(json_get(pod, "metadata"), "ownerReferences");
	plan_rehearse(plan, &resource_pod, pod);
}

/*
 * Plans the creations, the Service as the last. If the first object is there already, an earlier submission may have
 * come far: its Service would prove that its driver pod has existed, and must not be created a second time.
 */
void submit_plan(const struct submit *s, struct json *objects, struct plan *plan)
{
	struct json *service = NULL;
	size_t count = 0;

	if (s->executor && !s->has_driver)
		rehearse_executor(s->executor, plan);
	for (struct json *o = json_take_first(objects); o; o = json_take_first(objects)) {
		if (text_eq(json_str(o, "metadata.name", NULL), s->names->service)) {
			service = o;
			continue;
		}
		if (s->has_driver) { /* what its pod needs was created before it */
			json_free(o);
			continue;
		}
		create_object(s, o, plan);
		if (count++ == 0)
			plan_absent_if_found(plan, &resource_service, s->app->ns, s->names->service, s->app->uid);
	}
	if (service)
		create_object(s, service, plan);
}

void submit_prove_absence(const struct app *app, const char *driver_pod, const char *submission_id, struct plan *plan)
{
	plan_absent_labelled(plan, &resource_pod, app->ns, driver_pod, app->uid, LABEL_SUBMISSION_ID, submission_id);
}
