/*
 * The objects beside an application. One list says which there are; a row per type says how it is called, made, and
 * complained about.
 *
 * Happy path: they are created with the driver pod, behind it, and the status write that is due anyway tells of those of the
 * web UI. What was created is remembered by this run of the operator only: another one creates them once more and finds its
 * own work, known by the owner's uid. Failures concern nobody else: each is tried again, later and later.
 * kubeflow controller.go (reconcileSubmittedSparkApplication) makes them after the submission and holds up the
 * application's status until it has.
 */
#include "lifecycle/extras.h"

#include "base/text.h"
#include "report.h"
#include "spark/conf.h"
#include "ui_service.h"

enum {
	RETRY_MS = 1000, /* doubled with each failure … */
	RETRY_MAX_MS = 5 * 60 * 1000,
	TELL_FAILURES = 2,
};

/* ---- which there are ---- */

static void add(struct extras *x, enum extra_type type, const struct resource *res, char *name,
		const struct json *entry)
{
	x->items = xreallocarray(x->items, x->len + 1, sizeof(*x->items));
	x->items[x->len++] = (struct extra){ .type = type, .res = res, .name = name, .entry = entry };
}

static void list_ui(struct extras *x, const struct extras_site *site)
{
	const struct app *app = site->app;

	if (!site->options.ui_service || !conf_has_ui(json_get(app->tree, "spec")))
		return;
	add(x, EXTRA_UI_SERVICE, &resource_service, ui_service_name(app->name), NULL);
	if (!text_empty(site->options.ingress->url_format))
		add(x, EXTRA_UI_INGRESS, &resource_ingress, ingress_ui_name(app->name), NULL);
}

static void list_ports(struct extras *x, const struct extras_site *site)
{
	const struct app *app = site->app;
	const struct json *entries = json_at(app->tree, "spec.driverIngressOptions");

	json_each (entry, json_is(entries, JSON_ARRAY) ? entries : NULL) {
		if (json_i64(entry, "servicePort", 0) <= 0)
			continue;
		add(x, EXTRA_DRIVER_SERVICE, &resource_service, ingress_driver_service_name(app, entry), entry);
		if (!text_empty(json_str(entry, "ingressURLFormat", "")))
			add(x, EXTRA_DRIVER_INGRESS, &resource_ingress, ingress_driver_name(app, entry), entry);
	}
}

void extras_list(struct extras *ret, const struct extras_site *site)
{
	*ret = (struct extras){ 0 };
	list_ui(ret, site);
	list_ports(ret, site);
	if (site->options.driver_pdb && driver_pdb_wanted(site->app))
		add(ret, EXTRA_DRIVER_PDB, &resource_poddisruptionbudget, xstrdup(site->driver_pod), NULL);
}

void extras_done(struct extras *x)
{
	for (size_t i = 0; i < x->len; i++)
		free(x->items[i].name);
	free(x->items);
	*x = (struct extras){ 0 };
}

struct json *extras_build(const struct extras_site *site, const struct extra *extra)
{
	const struct app *app = site->app;
	const char *id = site->submission_id;

	switch (extra->type) {
	case EXTRA_UI_SERVICE:
		return ui_service_build(app, id);
	case EXTRA_UI_INGRESS:
		return ingress_ui_build(app, id, site->app_id, site->options.ingress);
	case EXTRA_DRIVER_SERVICE:
		return ingress_driver_service_build(app, id, extra->entry);
	case EXTRA_DRIVER_INGRESS:
		return ingress_driver_build(app, id, site->app_id, extra->entry, site->options.ingress);
	case EXTRA_DRIVER_PDB:
		return driver_pdb_build(app, extra->name);
	}
	return NULL;
}

/* ---- what is known of them ---- */

static const struct extra_sighting *sighting_of(const struct extras_view *view, const struct extra *extra)
{
	for (size_t i = 0; i < view->seen_count; i++)
		if (view->seen[i].res == extra->res && text_eq(view->seen[i].name, extra->name))
			return &view->seen[i];
	return NULL;
}

bool extras_is_told(const struct app *app, const struct json *driver_info, const struct resource *res, const char *name)
{
	auto_free char *service = ui_service_name(app->name), *ingress = ingress_ui_name(app->name);

	if (res == &resource_service && text_eq(name, service))
		return !text_empty(json_str(driver_info, "webUIServiceName", NULL));
	if (res == &resource_ingress && text_eq(name, ingress))
		return !text_empty(json_str(driver_info, "webUIIngressName", NULL));
	return false;
}

static bool is_there(const struct extras_view *view, const struct extra *extra, const struct extra_sighting *seen)
{
	if (extra->type == EXTRA_DRIVER_PDB)
		return view->pdb && text_eq(view->pdb->name, extra->name);
	return (seen && seen->address) || extras_is_told(view->site.app, view->driver_info, extra->res, extra->name);
}

int64_t extras_rest_ms(unsigned failures, int64_t ago_ms)
{
	int64_t delay_ms = RETRY_MS;

	if (failures == 0)
		return 0;
	for (unsigned i = 1; i < failures && delay_ms < RETRY_MAX_MS; i++)
		delay_ms *= 2;
	if (delay_ms > RETRY_MAX_MS)
		delay_ms = RETRY_MAX_MS;
	if (ago_ms < 0)
		return delay_ms;
	return ago_ms < delay_ms ? delay_ms - ago_ms : 0;
}

/* ---- what is to be done ---- */

static bool is_due(const struct extras_view *view, const struct extra *extra, struct plan *plan)
{
	const struct extra_sighting *seen = sighting_of(view, extra);
	int64_t rest_ms;

	if (is_there(view, extra, seen))
		return false;
	rest_ms = seen ? extras_rest_ms(seen->failures, view->now_ms - seen->failed_ms) : 0;
	if (rest_ms > 0)
		plan_requeue(plan, rest_ms);
	return rest_ms == 0;
}

void extras_due(struct extras *ret, const struct extras_view *view, struct plan *plan)
{
	auto_extras all = { 0 };

	*ret = (struct extras){ 0 };
	extras_list(&all, &view->site);
	for (size_t i = 0; i < all.len; i++) {
		struct extra *extra = &all.items[i];

		if (is_due(view, extra, plan))
			add(ret, extra->type, extra->res, take_ptr(extra->name), extra->entry);
	}
}

void extras_create(const struct extras *due, const struct extras_view *view, struct plan *plan)
{
	const struct app *app = view->site.app;

	for (size_t i = 0; i < due->len; i++) {
		const struct extra *extra = &due->items[i];
		const struct extra_sighting *seen = sighting_of(view, extra);
		const char *label = extra->type == EXTRA_UI_SERVICE ? LABEL_CREATED_BY : NULL;

		if (seen && seen->failures == TELL_FAILURES)
			report_extra_failed(app, extra, seen->problem, plan);
		plan_create_extra(plan, extra->res, extras_build(&view->site, extra), app->uid, label,
				  label ? "true" : NULL);
	}
}

void extras_tell(const struct extras_view *view, struct json *driver_info)
{
	auto_extras all = { 0 };
	const struct app *app = view->site.app;

	if (view->seen_count == 0)
		return;
	extras_list(&all, &view->site);
	for (size_t i = 0; i < all.len; i++) {
		const struct extra *extra = &all.items[i];
		const struct extra_sighting *seen = sighting_of(view, extra);

		if (!seen || !seen->address || extras_is_told(app, driver_info, extra->res, extra->name))
			continue;
		if (extra->type == EXTRA_UI_SERVICE)
			ui_service_tell(app, seen->address, driver_info);
		else if (extra->type == EXTRA_UI_INGRESS)
			ingress_ui_tell(app, view->site.app_id, view->site.options.ingress, driver_info);
	}
}
