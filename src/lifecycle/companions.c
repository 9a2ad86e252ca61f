/*
 * Decides which companions an application has, when each is created, and what the status reports of them.
 *
 * Happy path: companions are created after the driver pod, in the same plan. The status write that is due anyway
 * reports the companions of the web UI. Which companions were created is remembered in memory only. After a restart
 * the operator creates them once more, and recognises the existing objects by their owner's uid.
 *
 * Failure modes: if a companion cannot be created, only that companion is tried again, with growing delays. The
 * application runs on. In kubeflow's operator (controller.go, reconcileSubmittedSparkApplication) such a failure holds
 * up the application's status.
 */
#include "lifecycle/companions.h"

#include "base/text.h"
#include "report.h"
#include "rules/validate.h"
#include "spark/conf.h"
#include "ui_service.h"

enum {
	RETRY_MS = 1000, /* after the first failure; doubled with each further one */
	RETRY_MAX_MS = 5 * 60 * 1000,
	REPORT_FAILURES = 2,
};

/* ---- which companions an application has ---- */

static void add_companion(struct companions *x, enum companion_type type, const struct resource *res, char *name,
			  const struct json *entry)
{
	x->items = xreallocarray(x->items, x->len + 1, sizeof(*x->items));
	x->items[x->len++] = (struct companion){ .type = type, .res = res, .name = name, .entry = entry };
}

static void add_ui_companions(struct companions *x, const struct companions_site *site)
{
	const struct app *app = site->app;

	if (!site->options.ui_service || !conf_has_ui(json_get(app->tree, "spec")))
		return;
	add_companion(x, COMPANION_UI_SERVICE, &resource_service, ui_service_name(app->name), NULL);
	if (!text_empty(site->options.ingress->url_format))
		add_companion(x, COMPANION_UI_INGRESS, &resource_ingress, ingress_ui_name(app->name), NULL);
}

static void add_port_companions(struct companions *x, const struct companions_site *site)
{
	const struct app *app = site->app;
	const struct json *entries = json_at(app->tree, "spec.driverIngressOptions");

	json_each (entry, json_is(entries, JSON_ARRAY) ? entries : NULL) {
		if (json_i64(entry, "servicePort", 0) <= 0)
			continue;
		add_companion(x, COMPANION_DRIVER_SERVICE, &resource_service, ingress_driver_service_name(app, entry),
			      entry);
		if (!text_empty(json_str(entry, "ingressURLFormat", "")))
			add_companion(x, COMPANION_DRIVER_INGRESS, &resource_ingress, ingress_driver_name(app, entry),
				      entry);
	}
}

void companions_list(struct companions *ret, const struct companions_site *site)
{
	*ret = (struct companions){ 0 };
	add_ui_companions(ret, site);
	add_port_companions(ret, site);
	if (site->options.driver_pdb && driver_pdb_wanted(site->app))
		add_companion(ret, COMPANION_DRIVER_PDB, &resource_poddisruptionbudget, xstrdup(site->driver_pod),
			      NULL);
}

void companions_done(struct companions *x)
{
	for (size_t i = 0; i < x->len; i++)
		free(x->items[i].name);
	free(x->items);
	*x = (struct companions){ 0 };
}

struct json *companions_build(const struct companions_site *site, const struct companion *companion)
{
	const struct app *app = site->app;
	const char *id = site->submission_id;

	switch (companion->type) {
	case COMPANION_UI_SERVICE:
		return ui_service_build(app, id);
	case COMPANION_UI_INGRESS:
		return ingress_ui_build(app, id, site->app_id, site->options.ingress);
	case COMPANION_DRIVER_SERVICE:
		return ingress_driver_service_build(app, id, companion->entry);
	case COMPANION_DRIVER_INGRESS:
		return ingress_driver_build(app, id, site->app_id, companion->entry, site->options.ingress);
	case COMPANION_DRIVER_PDB:
		return driver_pdb_build(app, companion->name);
	}
	return NULL;
}

/* ---- whether a companion exists ---- */

static const struct outcome *outcome_of(const struct companions_view *view, const struct companion *companion)
{
	return view->outcomes ? outcomes_find(view->outcomes, companion->res, companion->name) : NULL;
}

bool companion_is_reported(const struct app *app, const struct json *driver_info, const struct resource *res,
			   const char *name)
{
	auto_free char *service = ui_service_name(app->name), *ingress = ingress_ui_name(app->name);

	if (res == &resource_service && text_eq(name, service))
		return !text_empty(json_str(driver_info, "webUIServiceName", NULL));
	if (res == &resource_ingress && text_eq(name, ingress))
		return !text_empty(json_str(driver_info, "webUIIngressName", NULL));
	return false;
}

bool companions_are_reported(const struct app *app, const struct outcomes *outcomes)
{
	const struct json *driver_info = json_get(app->status, "driverInfo");

	for (size_t i = 0; i < outcomes->len; i++)
		if (!outcomes->items[i].noted &&
		    !companion_is_reported(app, driver_info, outcomes->items[i].res, outcomes->items[i].name))
			return false;
	return true;
}

static bool companion_exists(const struct companions_view *view, const struct companion *companion,
			     const struct outcome *outcome)
{
	if (companion->type == COMPANION_DRIVER_PDB)
		return view->pdb && text_eq(view->pdb->name, companion->name);
	return (outcome && outcome->value) ||
	       companion_is_reported(view->site.app, view->driver_info, companion->res, companion->name);
}

int64_t companions_rest_ms(unsigned failures, int64_t ago_ms)
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

/* ---- creating and reporting ---- */

/* Whether the author chose more of Services and Ingresses than the operator's limits allow. */
static bool is_beyond_limits(const struct companions_view *view)
{
	auto_problems problems;

	problems_init(&problems);
	if (view->rules)
		validate_limits(&problems, view->site.app, view->rules);
	return problems_any(&problems);
}

static bool is_companion_due(const struct companions_view *view, const struct companion *companion, struct plan *plan)
{
	const struct outcome *outcome = outcome_of(view, companion);
	int64_t rest_ms;

	if (companion_exists(view, companion, outcome))
		return false;
	rest_ms = outcome ? companions_rest_ms(outcome->failures, view->now_ms - outcome->failed_ms) : 0;
	if (rest_ms > 0)
		plan_requeue(plan, rest_ms);
	return rest_ms == 0;
}

void companions_due(struct companions *ret, const struct companions_view *view, struct plan *plan)
{
	bool is_beyond = is_beyond_limits(view);
	auto_companions all = { 0 };

	*ret = (struct companions){ 0 };
	companions_list(&all, &view->site);
	for (size_t i = 0; i < all.len; i++) {
		struct companion *companion = &all.items[i];

		if (is_beyond && companion->type != COMPANION_DRIVER_PDB)
			continue;
		if (is_companion_due(view, companion, plan))
			add_companion(ret, companion->type, companion->res, take_ptr(companion->name),
				      companion->entry);
	}
}

void companions_create(const struct companions *due, const struct companions_view *view, struct plan *plan)
{
	const struct app *app = view->site.app;

	for (size_t i = 0; i < due->len; i++) {
		const struct companion *companion = &due->items[i];
		const struct outcome *outcome = outcome_of(view, companion);
		const char *label = companion->type == COMPANION_UI_SERVICE ? LABEL_CREATED_BY : NULL;

		if (outcome && outcome->failures == REPORT_FAILURES)
			report_companion_failed(app, companion, outcome->problem, plan);
		plan_create_optional(plan, companion->res, companions_build(&view->site, companion), app->uid, label,
				     label ? "true" : NULL, "spec.clusterIP");
	}
}

void companions_report(const struct companions_view *view, struct json *driver_info)
{
	auto_companions all = { 0 };
	const struct app *app = view->site.app;

	if (!view->outcomes || view->outcomes->len == 0)
		return;
	companions_list(&all, &view->site);
	for (size_t i = 0; i < all.len; i++) {
		const struct companion *companion = &all.items[i];
		const struct outcome *outcome = outcome_of(view, companion);

		if (!outcome || !outcome->value ||
		    companion_is_reported(app, driver_info, companion->res, companion->name))
			continue;
		if (companion->type == COMPANION_UI_SERVICE)
			ui_service_report(app, outcome->value, driver_info);
		else if (companion->type == COMPANION_UI_INGRESS)
			ingress_ui_report(app, view->site.app_id, view->site.options.ingress, driver_info);
	}
}
