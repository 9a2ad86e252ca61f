/* What stands in the way of a creation or a proof, and what the next plan learns of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/time.h"
#include "json_text.h"
#include "toy_world.h"

static const struct resource *const res_map = &resource_configmap;

static struct json *map_of(const struct kobj *app, const char *value)
{
	struct json *map = pod_of(app);

	json_set_str(map, "kind", "ConfigMap");
	json_set_str(json_get(map, "metadata"), "name", "a-map");
	json_set_str(json_set(map, "data", json_new_object()), "key", value);
	return map;
}

/* A ConfigMap, and after it a pod, whose absence is proved if the ConfigMap is there. */
static int toy_submission(struct fixture *f, const struct kobj *app, const struct failure *failed, struct plan *plan,
			  struct err *err)
{
	size_t pos = 0;

	(void)failed;
	(void)err;
	if (store_index_next(f->pods, app->key, &pos))
		return 0;
	plan_create(plan, res_map, map_of(app, json_str(app->tree, "spec.value", "1")), app->uid, "app", app->name);
	plan_absent_if_found(plan, RES_POD, app->ns, "a-driver", app->uid);
	plan_pod(plan, app);
	return 0;
}

static int toy_absent(struct fixture *f, const struct kobj *app, const struct failure *failed, struct plan *plan,
		      struct err *err)
{
	(void)f;
	(void)failed;
	(void)err;
	if (phase_of(app)[0])
		return 0;
	plan_absent(plan, RES_POD, app->ns, "a-driver", app->uid);
	plan_phase(plan, app, "Gone");
	return 0;
}

static int toy_deadline(struct fixture *f, const struct kobj *app, const struct failure *failed, struct plan *plan,
			struct err *err)
{
	toy_pod_only(f, app, failed, plan, err);
	if (failed)
		plan_deadline(plan, failed->since_ms + 30000 - sched_wall(&f->sched));
	return 0;
}

static const char *uid(struct fixture *f)
{
	return json_str(fake_kube_get(f->fk, RES_APP, "ns", "a"), "metadata.uid", "");
}

/* A pod or ConfigMap of the application's, without informers' labels: no cache sees it. more: members of the object. */
static void put_own(struct fixture *f, const struct resource *res, const char *name, const char *label,
		    const char *more)
{
	auto_free char *text = xasprintf("{\"metadata\": {\"namespace\": \"ns\", \"name\": \"%s\", \"labels\": "
					 "{\"app\": \"%s\"}, \"ownerReferences\": [{\"uid\": \"%s\"}]%s}",
					 name, label, uid(f), more);
	struct err err;

	fake_kube_put(f->fk, res, json_parse(text, strlen(text), &err));
}

static void start_with_app(struct fixture *f, toy_plan_fn *toy)
{
	f->locked = true;
	start(f, toy);
	put_app(f, "ns", "a", "{}");
}

static void go(struct fixture *f, int64_t ms)
{
	f->locked = false;
	fake_kube_run(f->fk, ms);
}

static void an_equal_object_is_adopted(void **state)
{
	struct fixture *f = *state;

	start_with_app(f, toy_submission);
	put_own(f, res_map, "a-map", "a", "}, \"data\": {\"key\": \"1\"}");
	go(f, 3000);
	assert_int_equal(f->told, 0);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 1);
	assert_int_equal(fake_kube_calls(f->fk, VERB_GET, RES_POD), 1); /* the proof */
}

/* A quota that the object has used up itself refuses to create it again. */
static void an_equal_object_is_adopted_though_its_creation_is_denied(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal denied = { .status = 403, .message = "exceeded quota" };

	start_with_app(f, toy_submission);
	put_own(f, res_map, "a-map", "a", "}, \"data\": {\"key\": \"1\"}");
	fake_kube_refuse(f->fk, VERB_CREATE, res_map, -1, &denied);
	go(f, 3000);
	assert_int_equal(f->told, 0);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 1);
}

/* The words are those of the refusal, whether the look finds nothing or is denied itself. */
static void a_creation_that_is_denied_is_a_refusal(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal denied = { .status = 403, .message = "exceeded quota" };
	const struct fake_refusal blind = { .status = 403, .message = "cannot get configmaps" };

	start_with_app(f, toy_submission);
	fake_kube_refuse(f->fk, VERB_CREATE, res_map, -1, &denied);
	for (int is_blind = 0; is_blind < 2; is_blind++) {
		if (is_blind)
			fake_kube_refuse(f->fk, VERB_GET, res_map, -1, &blind);
		f->told = 0;
		go(f, 8000);
		assert_true(f->told > 0);
		assert_true(failure_is_refusal(&f->last_told));
		assert_non_null(strstr(f->last_told.err.msg, "exceeded quota"));
	}
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 0);
}

static void the_proof_is_made_only_after_something_was_found(void **state)
{
	struct fixture *f = *state;

	start_with_app(f, toy_submission);
	go(f, 3000);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 1);
	assert_int_equal(fake_kube_calls(f->fk, VERB_GET, RES_POD), 0);
}

static void another_content_is_not_adopted(void **state)
{
	static const char *const contents[] = {
		"}, \"data\": {\"key\": \"2\"}",
		"}, \"data\": {\"key\": \"1\", \"more\": \"x\"}",
		"}, \"data\": {}",
		"}",
		"}, \"data\": {\"key\": \"1\"}, \"binaryData\": {\"x\": \"eA==\"}",
	};
	struct fixture *f = *state;

	start_with_app(f, toy_submission);
	for (size_t i = 0; i < array_len(contents); i++) {
		put_own(f, res_map, "a-map", "a", contents[i]);
		go(f, 1000);
		f->told = 0;
		for (int k = 0; k < 2; k++) {
			controller_enqueue(f->controller, "ns/a");
			go(f, 300);
		}
		assert_true(f->told > 0);
		assert_int_equal(f->last_told.err.code, ERR_EXISTS);
		assert_int_equal(f->last_told.holder, HOLDER_DIFFERENT);
		assert_string_equal(f->last_told.name, "a-map");
		assert_string_equal(f->last_told.holder_uid,
				    json_str(fake_kube_get(f->fk, res_map, "ns", "a-map"), "metadata.uid", ""));
		assert_false(failure_is_refusal(&f->last_told));
		assert_int_equal(fake_kube_count(f->fk, RES_POD), 0);
	}
}

static void a_holder_that_ends_is_known(void **state)
{
	struct fixture *f = *state;
	const char at[] = "2026-01-02T03:05:00Z";
	struct err err;
	const char text[] = JSON({
		"metadata" : {
			"namespace" : "ns",
			"name" : "a-driver",
			"uid" : "u-before",
			"deletionTimestamp" : "2026-01-02T03:05:00Z",
			"finalizers" : ["x"]
		}
	});
	int64_t at_ms = 0;

	start_with_app(f, toy_pod_only);
	fake_kube_put(f->fk, RES_POD, json_parse(text, strlen(text), &err));
	go(f, 300);
	time_parse(at, &at_ms);
	assert_true(f->told > 0); /* soon: a cache that never sees strangers is not waited for */
	assert_int_equal(f->last_told.holder, HOLDER_STRANGER);
	assert_int_equal(f->last_told.holder_gone_ms, at_ms);
	assert_non_null(strstr(f->last_told.err.msg, "it is being deleted"));
	assert_true(failure_is_refusal(&f->last_told));
}

static void absence_is_proved(void **state)
{
	struct fixture *f = *state;
	struct err err;
	const char stranger[] = JSON({ "metadata" : { "namespace" : "ns", "name" : "a-driver" } });

	start_with_app(f, toy_absent);
	put_own(f, RES_POD, "a-driver", "none", "}");
	go(f, 8000);
	assert_string_equal(app_phase(f, "a"), "");
	assert_true(f->told > 0);
	assert_int_equal(f->last_told.type, ACTION_ABSENT);
	assert_ptr_equal(f->last_told.res, RES_POD);
	assert_int_equal(f->last_told.err.code, ERR_EXISTS);
	assert_false(failure_is_refusal(&f->last_told));
	fake_kube_delete(f->fk, RES_POD, "ns", "a-driver");
	fake_kube_put(f->fk, RES_POD, json_parse(stranger, strlen(stranger), &err)); /* has the name, but is not ours */
	go(f, 20000);
	assert_string_equal(app_phase(f, "a"), "Gone");
}

static int toy_absent_labelled(struct fixture *f, const struct kobj *app, const struct failure *failed,
			       struct plan *plan, struct err *err)
{
	(void)f;
	(void)failed;
	(void)err;
	if (phase_of(app)[0])
		return 0;
	plan_absent_labelled(plan, RES_POD, app->ns, "a-driver", app->uid, "id", "7");
	plan_phase(plan, app, "Gone");
	return 0;
}

static void a_label_makes_an_object_without_owner_ours(void **state)
{
	struct fixture *f = *state;
	struct err err;
	const char ours[] =
	    JSON({ "metadata" : { "namespace" : "ns", "name" : "a-driver", "labels" : { "id" : "7" } } });
	const char other[] =
	    JSON({ "metadata" : { "namespace" : "ns", "name" : "a-driver", "labels" : { "id" : "8" } } });

	start_with_app(f, toy_absent_labelled);
	fake_kube_put(f->fk, RES_POD, json_parse(ours, strlen(ours), &err));
	go(f, 8000);
	assert_string_equal(app_phase(f, "a"), "");
	fake_kube_put(f->fk, RES_POD, json_parse(other, strlen(other), &err));
	go(f, 20000);
	assert_string_equal(app_phase(f, "a"), "Gone");
}

static void a_proof_that_cannot_be_made_proves_nothing(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal denied = { .status = 403 };

	fake_kube_refuse(f->fk, VERB_GET, RES_POD, 3, &denied);
	start_with_app(f, toy_absent);
	go(f, 150);
	assert_string_equal(app_phase(f, "a"), "");
	go(f, 10000);
	assert_string_equal(app_phase(f, "a"), "Gone");
	assert_int_equal(fake_kube_calls(f->fk, VERB_GET, RES_POD), 4);
}

/* A proxy or load balancer in front of the API server does not know what is there. */
static void a_404_of_something_else_proves_nothing(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal lost = { .status = 404, .reason = "" };

	fake_kube_refuse(f->fk, VERB_GET, RES_POD, 3, &lost);
	start_with_app(f, toy_absent);
	go(f, 150);
	assert_string_equal(app_phase(f, "a"), "");
	go(f, 10000);
	assert_string_equal(app_phase(f, "a"), "Gone");
	assert_int_equal(fake_kube_calls(f->fk, VERB_GET, RES_POD), 4);
}

static void an_equal_object_that_is_going_is_not_adopted(void **state)
{
	struct fixture *f = *state;

	start_with_app(f, toy_submission);
	put_own(
	    f, res_map, "a-map", "a",
	    ", \"deletionTimestamp\": \"2026-01-02T03:05:00Z\", \"finalizers\": [\"x\"]}, \"data\": {\"key\": \"1\"}");
	go(f, 500);
	assert_true(f->told > 0);
	assert_int_equal(f->last_told.holder, HOLDER_OURS);
	assert_false(failure_is_refusal(&f->last_told));
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 0);
	fake_kube_delete(f->fk, res_map, "ns", "a-map");
	go(f, 5000);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 1);
}

/* The first refusal of the second object must not be taken for the last one of the first. */
static void each_refused_object_has_its_time(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal denied = { .status = 403 };

	fake_kube_refuse(f->fk, VERB_CREATE, res_map, 4, &denied);
	fake_kube_refuse(f->fk, VERB_CREATE, RES_POD, 1, &denied);
	start_with_app(f, toy_submission);
	go(f, 30000);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 1);
	assert_string_equal(f->last_told.name, "a-driver");
	assert_int_equal(f->last_told.tries, 1);
}

static int toy_named(struct fixture *f, const struct kobj *app, const struct failure *failed, struct plan *plan,
		     struct err *err)
{
	struct json *map = map_of(app, "1");

	(void)f;
	(void)failed;
	(void)err;
	json_set_str(json_get(map, "metadata"), "name", json_str(app->tree, "spec.map", "first"));
	plan_create(plan, res_map, map, app->uid, "app", app->name);
	return 0;
}

/* After an edit another object is wanted, of the same kind. */
static void so_has_one_of_the_same_kind(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal denied = { .status = 403 };

	fake_kube_refuse(f->fk, VERB_CREATE, res_map, -1, &denied);
	start_with_app(f, toy_named);
	go(f, 3000);
	assert_string_equal(f->last_told.name, "first");
	assert_true(f->last_told.tries > 1);
	fake_kube_patch(f->fk, RES_APP, "ns", "a", JSON({ "spec" : { "map" : "second" } }));
	f->told = 0;
	while (f->told < 2)
		go(f, 10);
	assert_string_equal(f->last_told.name, "second");
	assert_int_equal(f->last_told.tries, 1);
}

/* It has run. Another one would be a second driver of one run. */
static void a_pod_that_is_going_counts_as_created(void **state)
{
	struct fixture *f = *state;

	start_with_app(f, toy_pod_only);
	fake_kube_delay(f->fk, RES_POD, 20000);
	put_own(f, RES_POD, "a-driver", "a",
		", \"deletionTimestamp\": \"2026-01-02T03:05:00Z\", \"finalizers\": [\"x\"]}");
	go(f, 15000);
	assert_int_equal(f->told, 0);
}

/* The back-off after so many failures is longer than a second. */
static void a_deadline_is_kept_to_the_second(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal denied = { .status = 403 };
	unsigned before;

	fake_kube_refuse(f->fk, VERB_CREATE, RES_POD, -1, &denied);
	start_with_app(f, toy_deadline);
	go(f, 29000);
	before = f->plans;
	go(f, 1500);
	assert_true(f->plans > before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_equal_object_is_adopted),
		TEST(an_equal_object_is_adopted_though_its_creation_is_denied),
		TEST(a_creation_that_is_denied_is_a_refusal),
		TEST(the_proof_is_made_only_after_something_was_found),
		TEST(another_content_is_not_adopted),
		TEST(a_holder_that_ends_is_known),
		TEST(absence_is_proved),
		TEST(a_label_makes_an_object_without_owner_ours),
		TEST(a_proof_that_cannot_be_made_proves_nothing),
		TEST(a_404_of_something_else_proves_nothing),
		TEST(an_equal_object_that_is_going_is_not_adopted),
		TEST(each_refused_object_has_its_time),
		TEST(so_has_one_of_the_same_kind),
		TEST(a_pod_that_is_going_counts_as_created),
		TEST(a_deadline_is_kept_to_the_second),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
