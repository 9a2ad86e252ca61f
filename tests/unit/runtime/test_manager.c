/*
 * The manager with toys: three kinds, of which each but the last owns objects of the next, and two managers in one
 * process on one metrics registry.
 *
 * A garden wants a bed for each name in its spec, a bed wants one plant, a plant is Grown at once. A bed is Full when
 * its plant is, a garden when all its beds are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/text.h"
#include "fake_kube.h"
#include "kube/selector.h"
#include "parse.h"
#include "runtime/manager.h"

static const struct resource gardens = { "toys.example.com", "v1", "gardens", "Garden", true };
static const struct resource beds = { "toys.example.com", "v1", "beds", "Bed", true };
static const struct resource plants = { "toys.example.com", "v1", "plants", "Plant", true };

/* namespace/name of the owner. */
static char *owner_of(const struct json *tree)
{
	const struct json *owner = json_first(json_at(tree, "metadata.ownerReferences"));

	return owner ? xasprintf("%s/%s", json_str(tree, "metadata.namespace", ""), json_str(owner, "name", "")) : NULL;
}

static const struct kind garden_kind = { .res = &gardens, .keep_tree = true };
static const struct kind bed_kind = { .res = &beds, .keep_tree = true, .index = owner_of };
static const struct kind plant_kind = { .res = &plants, .keep_tree = true, .index = owner_of };

struct world {
	struct manager *manager;
	unsigned seen;	/* changes of gardens that were observed */
	unsigned leads; /* times that the gardens were told that they are led */
};

static void observe_garden(void *arg, const struct kobj *before, const struct kobj *now)
{
	struct world *w = arg;

	assert_true(before || now);
	w->seen++;
}

static bool never(const void *arg)
{
	(void)arg;
	return false;
}

static const struct watch_row garden_watches[] = {
	{ .kind = &bed_kind, .wakes = wake_index },
	{ .kind = &plant_kind, .wakes = wake_index, .when = never },
	{ .kind = &garden_kind, .wakes = wake_self, .observe = observe_garden },
};
static const struct watch_row bed_watches[] = {
	{ .kind = &plant_kind, .wakes = wake_index },
	{ .kind = &bed_kind, .wakes = wake_self },
};
static const struct watch_row plant_watches[] = { { .kind = &plant_kind, .wakes = wake_self } };

#define GARDENS_BEDS (&garden_watches[0])
#define GARDENS	     (&garden_watches[2])
#define BEDS_PLANTS  (&bed_watches[0])
#define BEDS	     (&bed_watches[1])

static void plan_state(struct plan *plan, const struct kobj *obj, const char *state)
{
	struct json *body;

	if (text_eq(json_str(obj->tree, "status.state", ""), state))
		return;
	body = json_new_object();
	json_set_str(json_set(body, "status", json_new_object()), "state", state);
	plan_status(plan, obj->kind->res, obj->ns, obj->name, obj->uid, obj->resource_version, body);
}

static void plan_child(struct plan *plan, const struct resource *res, const struct kobj *owner, const char *name)
{
	struct json *child = json_new_object(), *meta = json_set(child, "metadata", json_new_object());
	char version[API_VERSION_SIZE];

	json_set_str(child, "apiVersion", resource_api_version(res, version));
	json_set_str(child, "kind", res->kind);
	json_set_str(meta, "namespace", owner->ns);
	json_set_str(meta, "name", name);
	json_append(json_set(meta, "ownerReferences", json_new_array()),
		    resource_owner_reference(owner->kind->res, owner->name, owner->uid, true));
	plan_create(plan, res, child, owner->uid, NULL, NULL);
}

static bool has_state(const struct kobj *obj, const char *state)
{
	return obj && text_eq(json_str(obj->tree, "status.state", ""), state);
}

static int plan_garden(void *arg, const struct kobj *obj, const struct past *past, int64_t wall_ms, struct plan *plan,
		       struct err *err)
{
	const struct world *w = arg;
	size_t full = 0, wanted = 0;

	(void)past;
	(void)wall_ms;
	(void)err;
	json_each (name, json_at(obj->tree, "spec.beds")) {
		auto_free char *key = xasprintf("%s/%s", obj->ns, json_text(name, ""));
		const struct kobj *bed = store_get(manager_store(w->manager, GARDENS_BEDS), key);

		wanted++;
		full += has_state(bed, "Full");
		if (!bed)
			plan_child(plan, &beds, obj, json_text(name, ""));
	}
	plan_state(plan, obj, full == wanted ? "Full" : "Growing");
	return 0;
}

static int plan_bed(void *arg, const struct kobj *obj, const struct past *past, int64_t wall_ms, struct plan *plan,
		    struct err *err)
{
	const struct world *w = arg;
	size_t pos = 0;
	const struct kobj *plant = store_index_next(manager_store(w->manager, BEDS_PLANTS), obj->key, &pos);

	(void)past;
	(void)wall_ms;
	(void)err;
	if (!plant)
		plan_child(plan, &plants, obj, obj->name);
	plan_state(plan, obj, has_state(plant, "Grown") ? "Full" : "Empty");
	return 0;
}

static int plan_plant(void *arg, const struct kobj *obj, const struct past *past, int64_t wall_ms, struct plan *plan,
		      struct err *err)
{
	(void)arg;
	(void)past;
	(void)wall_ms;
	(void)err;
	plan_state(plan, obj, "Grown");
	return 0;
}

static void lead_gardens(void *arg)
{
	((struct world *)arg)->leads++;
}

static const struct kind_row garden_row = {
	.name = "garden-controller",
	.watches = garden_watches,
	.watch_count = array_len(garden_watches),
	.lead = lead_gardens,
	.plan = plan_garden,
};
static const struct kind_row bed_row = {
	.name = "bed-controller", .watches = bed_watches, .watch_count = array_len(bed_watches), .plan = plan_bed
};
static const struct kind_row plant_row = { .name = "plant-controller",
					   .watches = plant_watches,
					   .watch_count = array_len(plant_watches),
					   .plan = plan_plant };

struct fixture {
	struct sched sched;
	struct fake_kube *fk;
	struct metrics *metrics;
	struct world worlds[2];
};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	sched_init(&f->sched, 1000, 1767323045000, 1);
	f->fk = fake_kube_new(&f->sched, NULL);
	f->metrics = metrics_new();
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < array_len(f->worlds); i++)
		manager_free(f->worlds[i].manager);
	metrics_free(f->metrics);
	fake_kube_free(f->fk);
	sched_done(&f->sched);
	free(f);
	return 0;
}

static struct manager *start(struct fixture *f, struct world *w, const struct manager_options *options)
{
	const struct kind_setup kinds[] = { { &garden_row, w }, { &bed_row, w }, { &plant_row, w } };

	w->manager = manager_new(fake_kube_api(f->fk), &f->sched, f->metrics, options, kinds, array_len(kinds));
	manager_start(w->manager);
	return w->manager;
}

static void put_garden(struct fixture *f, const char *ns, const char *name, const char *spec)
{
	auto_free char *text = xasprintf("{\"metadata\":{\"namespace\":\"%s\",\"name\":\"%s\"},"
					 "\"spec\":{\"beds\":%s}}",
					 ns, name, spec);

	fake_kube_put(f->fk, &gardens, parse(text));
}

static const char *garden_state(const struct fixture *f, const char *ns, const char *name)
{
	return json_str(fake_kube_get(f->fk, &gardens, ns, name), "status.state", "none");
}

/* A change of the last kind reaches the first through the one between, by way of shared caches. */
static void three_kinds_wake_each_other(void **state)
{
	struct fixture *f = *state;
	struct world *w = &f->worlds[0];

	put_garden(f, "ns", "before", JSON([ "a", "b" ]));
	manager_lead(start(f, w, &(struct manager_options){ .instance = "toy" }));
	put_garden(f, "ns", "after", JSON(["c"]));
	fake_kube_run(f->fk, 10000);
	assert_int_equal(w->leads, 1);
	assert_true(manager_ready(w->manager));
	assert_int_equal(fake_kube_count(f->fk, &beds), 3);
	assert_int_equal(fake_kube_count(f->fk, &plants), 3);
	assert_string_equal(garden_state(f, "ns", "before"), "Full");
	assert_string_equal(garden_state(f, "ns", "after"), "Full");
	assert_int_equal(fake_kube_calls(f->fk, VERB_CREATE, &plants), 3);
	/* Two rows that watch beds or plants share a cache, which has one watch. */
	assert_int_equal(fake_kube_calls(f->fk, VERB_WATCH, &plants), 1);
	assert_int_equal(fake_kube_calls(f->fk, VERB_WATCH, &beds), 1);
	assert_true(w->seen >= 4);

	/* A plant that is lost grows again. */
	fake_kube_delete(f->fk, &plants, "ns", "b");
	fake_kube_run(f->fk, 10000);
	assert_int_equal(fake_kube_count(f->fk, &plants), 3);
	assert_string_equal(garden_state(f, "ns", "before"), "Full");
	assert_int_equal(manager_busy(w->manager), 0);
}

static void a_standby_does_nothing_until_it_leads(void **state)
{
	struct fixture *f = *state;
	struct world *w = &f->worlds[0];

	start(f, w, &(struct manager_options){ .instance = "toy" });
	put_garden(f, "ns", "g", JSON(["a"]));
	fake_kube_run(f->fk, 10000);
	assert_true(manager_ready(w->manager));
	assert_int_equal(fake_kube_write_count(f->fk), 0);
	assert_int_equal(w->seen, 0);
	manager_lead(w->manager);
	assert_int_equal(w->leads, 0); /* before it has asked whether the caches are up to date */
	fake_kube_run(f->fk, 5);
	assert_int_equal(w->leads, 1);
	assert_int_equal(w->seen, 1); /* as if it had just been made */
	fake_kube_run(f->fk, 10000);
	assert_string_equal(garden_state(f, "ns", "g"), "Full");
}

/* A watch that is late does not let it work from an old picture: the bed is there, and was Full. */
static void what_it_leads_is_up_to_date(void **state)
{
	struct fixture *f = *state;
	struct world *w = &f->worlds[0];

	start(f, w, &(struct manager_options){ .instance = "toy" });
	put_garden(f, "ns", "g", JSON(["a"]));
	fake_kube_run(f->fk, 1000);
	fake_kube_delay(f->fk, &beds, 3600000);
	fake_kube_delay(f->fk, &plants, 3600000);
	fake_kube_put(
	    f->fk, &plants,
	    parse(JSON({ "metadata" : { "name" : "a", "namespace" : "ns" }, "status" : { "state" : "Grown" } })));
	fake_kube_put(
	    f->fk, &beds,
	    parse(JSON({ "metadata" : { "name" : "a", "namespace" : "ns" }, "status" : { "state" : "Full" } })));
	fake_kube_run(f->fk, 1000);
	assert_int_equal(store_len(manager_store(w->manager, GARDENS_BEDS)), 0);
	manager_lead(w->manager);
	fake_kube_run(f->fk, 100);
	assert_int_equal(fake_kube_calls(f->fk, VERB_CREATE, &beds), 0);
	assert_string_equal(garden_state(f, "ns", "g"), "Full");
}

/* Who leads from the beginning needs no more than the first lists. */
static void leading_from_the_beginning_costs_nothing(void **state)
{
	struct fixture *f = *state;
	struct world *w = &f->worlds[0];
	const struct kind_setup kinds[] = { { &plant_row, w } };
	const struct manager_options options = { .instance = "toy" };

	fake_kube_put(f->fk, &plants, parse(JSON({ "metadata" : { "name" : "a", "namespace" : "ns" } })));
	w->manager = manager_new(fake_kube_api(f->fk), &f->sched, f->metrics, &options, kinds, array_len(kinds));
	manager_lead(w->manager);
	manager_start(w->manager);
	fake_kube_run(f->fk, 1000);
	assert_int_equal(fake_kube_calls(f->fk, VERB_LIST, &plants), 1);
	assert_int_equal(fake_kube_calls(f->fk, VERB_WATCH, &plants), 1);
	assert_int_equal(fake_kube_calls(f->fk, VERB_PATCH, &plants), 1);
}

/* They share API server, scheduler and metrics registry, and each does its own part. */
static void two_managers_live_in_one_process(void **state)
{
	static const char *const first[] = { "one" }, *const second[] = { "two" };
	struct fixture *f = *state;
	const char *const retries[] = { "garden-controller" };
	auto_buf text;

	buf_init(&text, 1 << 20);
	manager_lead(start(f, &f->worlds[0],
			   &(struct manager_options){ .namespaces = first, .namespace_count = 1, .instance = "toy" }));
	manager_lead(start(f, &f->worlds[1],
			   &(struct manager_options){ .namespaces = second, .namespace_count = 1, .instance = "toy" }));
	fake_kube_run(f->fk, 1000);
	put_garden(f, "one", "g", JSON(["a"]));
	put_garden(f, "two", "g", JSON(["a"]));
	fake_kube_run(f->fk, 10000);
	assert_true(f->worlds[0].seen > 0);
	assert_int_equal(f->worlds[0].seen, f->worlds[1].seen);
	assert_int_equal(store_len(manager_store(f->worlds[0].manager, GARDENS)), 1);

	/* One goes, the registry and the other stay. */
	manager_free(take_ptr(f->worlds[0].manager));
	metrics_write(f->metrics, &text);
	assert_true(metric_get(metrics_find(f->metrics, "workqueue_adds_total"), retries) >= 2);
	put_garden(f, "two", "h", "[]");
	fake_kube_run(f->fk, 5000);
	assert_string_equal(garden_state(f, "two", "h"), "Full");
}

static void a_selector_chooses_namespaces(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	struct selector *selector = selector_parse("toys=on", &err);
	struct world *w = &f->worlds[0];

	fake_kube_put(f->fk, &resource_namespace,
		      parse(JSON({ "metadata" : { "name" : "on", "labels" : { "toys" : "on" } } })));
	fake_kube_put(f->fk, &resource_namespace, parse(JSON({ "metadata" : { "name" : "off" } })));
	put_garden(f, "on", "g", JSON(["a"]));
	put_garden(f, "off", "g", JSON(["a"]));
	manager_lead(start(f, w, &(struct manager_options){ .namespace_selector = selector, .instance = "toy" }));
	fake_kube_run(f->fk, 10000);
	assert_int_equal(store_len(manager_store(w->manager, GARDENS)), 1);
	assert_string_equal(garden_state(f, "off", "g"), "none");
	assert_string_equal(garden_state(f, "on", "g"), "Full");
	manager_free(take_ptr(w->manager));
	selector_free(selector);
}

/*
 * The label selector is that of the kinds that are run. Beds are run and have no such label, so nobody works on them.
 * Gardens watch all beds all the same: they see the one that they have made, and do not wait for a cache that will
 * never have it.
 */
static void a_row_sees_what_its_own_selector_leaves(void **state)
{
	struct fixture *f = *state;
	struct world *w = &f->worlds[0];

	fake_kube_put(f->fk, &gardens, parse(JSON({
			      "metadata" : { "name" : "g", "namespace" : "ns", "labels" : { "team" : "a" } },
			      "spec" : { "beds" : ["a"] }
		      })));
	start(f, w, &(struct manager_options){ .label_selector = "team=a", .instance = "toy" });
	manager_lead(w->manager);
	fake_kube_run(f->fk, 500);
	assert_int_equal(store_len(manager_store(w->manager, GARDENS_BEDS)), 1);
	assert_int_equal(store_len(manager_store(w->manager, BEDS)), 0);
	assert_null(manager_store(w->manager, &garden_watches[1]));
	assert_string_equal(garden_state(f, "ns", "g"), "Growing");
	fake_kube_patch(f->fk, &beds, "ns", "a", "{\"status\":{\"state\":\"Full\"}}");
	fake_kube_run(f->fk, 500);
	assert_string_equal(garden_state(f, "ns", "g"), "Full");
	assert_int_equal(fake_kube_calls(f->fk, VERB_CREATE, &beds), 1);
	fake_kube_run(f->fk, 60000);
	assert_int_equal(fake_kube_calls(f->fk, VERB_CREATE, &beds), 1);
}

static void a_namespace_that_is_there_twice_counts_once(void **state)
{
	static const char *const namespaces[] = { "one", "two", "one" };
	struct fixture *f = *state;
	struct world *w = &f->worlds[0];

	put_garden(f, "one", "g", JSON(["a"]));
	manager_lead(start(f, w,
			   &(struct manager_options){ .namespaces = namespaces,
						      .namespace_count = array_len(namespaces),
						      .instance = "toy" }));
	fake_kube_run(f->fk, 10000);
	assert_string_equal(garden_state(f, "one", "g"), "Full");
	assert_int_equal(fake_kube_calls(f->fk, VERB_WATCH, &gardens), 2);
}

static const struct watch_row hedge_watches[] = {
	{ .kind = &bed_kind, .wakes = wake_self, .optional = true },
};
static const struct kind_row hedge_row = {
	.name = "hedge-controller",
	.watches = hedge_watches,
	.watch_count = array_len(hedge_watches),
	.plan = plan_plant,
};

/* The API server does not have beds, and then it has. */
static void what_is_optional_is_not_waited_for(void **state)
{
	const struct fake_refusal not_found = { 404, NULL, NULL, 0 };
	struct fixture *f = *state;
	struct world *w = &f->worlds[0];
	const struct kind_setup kinds[] = { { &plant_row, w }, { &hedge_row, w } };
	const struct manager_options options = { .instance = "toy" };

	fake_kube_refuse(f->fk, VERB_LIST, &beds, -1, &not_found);
	w->manager = manager_new(fake_kube_api(f->fk), &f->sched, f->metrics, &options, kinds, array_len(kinds));
	manager_start(w->manager);
	fake_kube_run(f->fk, 1000);
	assert_true(manager_ready(w->manager));
	manager_lead(w->manager);
	fake_kube_put(f->fk, &plants, parse(JSON({ "metadata" : { "name" : "a", "namespace" : "ns" } })));
	fake_kube_put(f->fk, &beds, parse(JSON({ "metadata" : { "name" : "b", "namespace" : "ns" } })));
	fake_kube_run(f->fk, 1000);
	assert_string_equal(json_str(fake_kube_get(f->fk, &plants, "ns", "a"), "status.state", ""), "Grown");
	fake_kube_accept(f->fk);
	fake_kube_run(f->fk, 60000);
	assert_string_equal(json_str(fake_kube_get(f->fk, &beds, "ns", "b"), "status.state", ""), "Grown");
}

/* Another row needs the same cache. */
static void what_another_row_needs_is_waited_for(void **state)
{
	const struct fake_refusal not_found = { 404, NULL, NULL, 0 };
	struct fixture *f = *state;
	struct world *w = &f->worlds[0];
	const struct kind_setup kinds[] = { { &hedge_row, w }, { &bed_row, w } };
	const struct manager_options options = { .instance = "toy" };

	fake_kube_refuse(f->fk, VERB_LIST, &beds, -1, &not_found);
	w->manager = manager_new(fake_kube_api(f->fk), &f->sched, f->metrics, &options, kinds, array_len(kinds));
	manager_start(w->manager);
	fake_kube_run(f->fk, 1000);
	assert_false(manager_ready(w->manager));
	fake_kube_accept(f->fk);
	fake_kube_run(f->fk, 60000);
	assert_true(manager_ready(w->manager));
}

static void nothing_is_planned_after_stop(void **state)
{
	struct fixture *f = *state;
	struct world *w = &f->worlds[0];
	auto_json debug = NULL;

	manager_lead(start(f, w, &(struct manager_options){ .instance = "toy" }));
	fake_kube_run(f->fk, 1000);
	manager_stop(w->manager);
	assert_false(manager_ready(w->manager));
	put_garden(f, "ns", "g", JSON(["a"]));
	fake_kube_run(f->fk, 5000);
	assert_int_equal(fake_kube_write_count(f->fk), 0);
	debug = manager_debug(w->manager);
	assert_int_equal(json_len(json_get(debug, "controllers")), 3);
	assert_int_equal(json_len(json_get(debug, "informers")), 3);
	assert_string_equal(json_str(json_first(json_get(debug, "informers")), "resource", ""), "beds");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(three_kinds_wake_each_other),
		TEST(a_standby_does_nothing_until_it_leads),
		TEST(two_managers_live_in_one_process),
		TEST(a_selector_chooses_namespaces),
		TEST(nothing_is_planned_after_stop),
		TEST(what_it_leads_is_up_to_date),
		TEST(a_row_sees_what_its_own_selector_leaves),
		TEST(a_namespace_that_is_there_twice_counts_once),
		TEST(leading_from_the_beginning_costs_nothing),
		TEST(what_is_optional_is_not_waited_for),
		TEST(what_another_row_needs_is_waited_for),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
