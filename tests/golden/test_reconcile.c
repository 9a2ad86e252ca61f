/*
 * Goldens of reconcile: world in (tests/lib/spark_world.h), plan out. Bodies of creations are cut to kind and
 * name, since submission has goldens of its own. Every golden is also carried on: applying the status patches must
 * lead to rest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "golden.h"
#include "spark_world.h"

enum { PASSES_MAX = 6 };

static void plan_of(const struct json *input, const struct json *app, struct plan *plan)
{
	struct spark_world s;
	struct err err = { 0 };

	spark_world_init(&s, input, app);
	plan_init(plan);
	if (reconcile(&s.world, &s.options, plan, &err))
		fail_msg("%s", err.msg);
	spark_world_done(&s);
}

/* Nothing is created or told before it is proved that the picture is up to date; one proof is enough. A proof that the
 * driver pod is gone may come before it. */
static void assert_look_before_act(const struct plan *plan, const struct json *app)
{
	const struct action *first = plan->actions;

	while (first && first->type == ACTION_ABSENT && first + 1 < plan->actions + plan->len)
		first++;
	for (size_t i = 0; i < plan->len; i++) {
		const struct action *a = &plan->actions[i];

		if (a->type == ACTION_STATUS || a->type == ACTION_CHECK) {
			assert_ptr_equal(a, first);
			assert_string_equal(a->resource_version, json_str(app, "metadata.resourceVersion", ""));
			assert_string_equal(a->uid, json_str(app, "metadata.uid", ""));
		}
		if (a->type == ACTION_CREATE || a->type == ACTION_EVENT)
			assert_true(first->type == ACTION_STATUS || first->type == ACTION_CHECK);
	}
}

/* What the API server makes of a status patch. */
static void apply(struct json *app, const struct action *a, int pass)
{
	const struct json *patch = json_get(a->body, "status");

	json_merge_apply(json_ensure_object(app, "status"), patch);
	json_setf(json_get(app, "metadata"), "resourceVersion", "%d", 1000 + pass);
}

static bool carry_on(const struct json *input, struct json *app, int pass)
{
	auto_plan plan = { 0 };
	bool rest = true;

	plan_of(input, app, &plan);
	assert_look_before_act(&plan, app);
	for (size_t i = 0; i < plan.len; i++) {
		if (plan.actions[i].type != ACTION_STATUS)
			continue;
		apply(app, &plan.actions[i], pass);
		rest = false;
	}
	return rest;
}

static void assert_rest(const struct json *input)
{
	auto_json app = json_dup(json_get(input, "app"));

	for (int pass = 0; pass < PASSES_MAX; pass++)
		if (carry_on(input, app, pass))
			return;
	fail_msg("no rest after %d passes", PASSES_MAX);
}

static struct json *run(const struct json *input)
{
	auto_plan plan = { 0 };
	struct json *out;

	plan_of(input, json_get(input, "app"), &plan);
	out = plan_json(&plan);
	json_each (action, json_get(out, "actions")) {
		struct json *body = json_get(action, "body");
		struct json *brief;

		if (!text_eq(json_str(action, "type", ""), "create") && !text_eq(json_str(action, "type", ""), "try"))
			continue;
		if (!body)
			continue;
		brief = json_new_object();
		json_set_str(brief, "kind", json_str(body, "kind", NULL));
		json_set_str(brief, "name", json_str(body, "metadata.name", NULL));
		json_set(action, "body", brief);
	}
	assert_rest(input);
	return out;
}

int main(void)
{
	return golden_run("golden/reconcile", run);
}
