/*
 * The informer on the fake API server: the store follows whatever happens to objects, streams and server, and what goes
 * wrong is said once and not a hundred times.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "fake_kube.h"
#include "runtime/informer.h"

#define RES_POD (&resource_pod)

static const struct kind pod_kind = { .res = &resource_pod, .keep_tree = true };
static const struct kind app_kind = { .res = &resource_sparkapplication, .keep_tree = true };

struct fixture {
	struct sched sched;
	struct fake_kube *fk;
	struct store *store;
	struct metrics *metrics;
	struct informer *informer;
	unsigned synced;
	unsigned freshened;
	unsigned changes;
	struct buf log;
};

static void on_log(void *arg, const char *line, size_t len)
{
	struct fixture *f = arg;

	buf_add(&f->log, line, len);
}

static void on_synced(void *arg)
{
	struct fixture *f = arg;

	f->synced++;
}

static void on_fresh(void *arg)
{
	struct fixture *f = arg;

	f->freshened++;
}

static void on_change(void *arg, const struct kobj *before, const struct kobj *now)
{
	struct fixture *f = arg;

	assert_true(before || now);
	f->changes++;
}

static struct informer *informer(struct fixture *f, const char *ns, const char *selector)
{
	const struct informer_options options = {
		.api = fake_kube_api(f->fk),
		.sched = &f->sched,
		.store = f->store,
		.ns = ns,
		.label_selector = selector,
		.on_synced = on_synced,
		.on_fresh = on_fresh,
		.arg = f,
		.metrics = f->metrics,
	};

	return informer_new(&options);
}

static int setup_kind(void **state, const struct kind *kind)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	sched_init(&f->sched, 1000, 1767323045000, 1);
	f->fk = fake_kube_new(&f->sched, NULL);
	f->store = store_new(kind);
	f->metrics = metrics_new();
	f->log.max = 1 << 20;
	store_on_change(f->store, on_change, f);
	log_set_sink(on_log, f);
	*state = f;
	return 0;
}

static int setup(void **state)
{
	return setup_kind(state, &pod_kind);
}

static int setup_app(void **state)
{
	return setup_kind(state, &app_kind);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	log_set_sink(NULL, NULL);
	informer_free(f->informer);
	fake_kube_free(f->fk);
	store_free(f->store);
	metrics_free(f->metrics);
	buf_done(&f->log);
	sched_done(&f->sched);
	free(f);
	return 0;
}

static void start(struct fixture *f)
{
	f->informer = informer(f, NULL, NULL);
	informer_start(f->informer);
	fake_kube_run(f->fk, 100);
}

static void put(struct fixture *f, const char *ns, const char *name, const char *label)
{
	auto_free char *text =
	    xasprintf("{\"metadata\": {\"namespace\": \"%s\", \"name\": \"%s\", \"labels\": {\"app\": "
		      "\"%s\"}}}",
		      ns, name, label);
	struct err err;

	fake_kube_put(f->fk, store_kind(f->store)->res, json_parse(text, strlen(text), &err));
}

static void assert_keys(struct fixture *f, const char *want)
{
	auto_strv wanted = { 0 };

	strv_split(&wanted, want, ' ');
	assert_int_equal(store_len(f->store), wanted.len);
	for (size_t i = 0; i < wanted.len; i++)
		assert_non_null(store_get(f->store, wanted.items[i]));
}

static unsigned lines_with(const struct fixture *f, const char *text)
{
	unsigned count = 0;

	for (const char *at = buf_str(&f->log); (at = strstr(at, text)); at++)
		count++;
	return count;
}

static double restarts(const struct fixture *f, const char *reason)
{
	return metric_get(metrics_find(f->metrics, "spark_operator_watch_restarts_total"),
			  (const char *const[]){ "pods", reason });
}

static double contact(const struct fixture *f, const char *ns)
{
	return metric_get(metrics_find(f->metrics, "spark_operator_watch_last_contact_timestamp_seconds"),
			  (const char *const[]){ "pods", ns });
}

/* ---- following ---- */

static void store_follows(void **state)
{
	struct fixture *f = *state;
	const char *const pods[] = { "pods" };

	put(f, "ns", "a", "x");
	put(f, "ns", "b", "x");
	start(f);
	assert_int_equal(f->synced, 1);
	assert_true(informer_synced(f->informer));
	assert_int_equal(informer_state(f->informer), WATCH_STREAMING);
	assert_keys(f, "ns/a ns/b");
	put(f, "ns", "c", "x");
	fake_kube_patch(f->fk, RES_POD, "ns", "a", "{\"spec\": {\"n\": 7}}");
	fake_kube_delete(f->fk, RES_POD, "ns", "b");
	fake_kube_run(f->fk, 10);
	assert_keys(f, "ns/a ns/c");
	assert_int_equal(json_i64(store_get(f->store, "ns/a")->tree, "spec.n", 0), 7);
	assert_int_equal(f->changes, 5);
	assert_string_equal(informer_problem(f->informer), "");
	assert_int_equal(lines_with(f, "level=warn"), 0);
	assert_int_equal(metric_get(metrics_find(f->metrics, "informer_lists_total"), pods), 1);
	assert_int_equal(metric_get(metrics_find(f->metrics, "informer_watches_total"), pods), 1);
	assert_int_equal(metric_get(metrics_find(f->metrics, "informer_events_total"), pods), 3);
}

static void nothing_before_the_first_list(void **state)
{
	struct fixture *f = *state;

	f->informer = informer(f, NULL, NULL);
	assert_false(informer_synced(f->informer));
	assert_int_equal(informer_state(f->informer), WATCH_EMPTY);
	assert_false(informer_has_seen(f->informer, "1"));
	informer_start(f->informer);
	assert_int_equal(f->synced, 0);
	assert_int_equal(informer_state(f->informer), WATCH_LISTING);
}

static void many_pages(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 1201; i++) {
		auto_free char *name = xasprintf("pod-%d", i);

		put(f, "ns", name, "x");
	}
	start(f);
	assert_int_equal(store_len(f->store), 1201);
	assert_int_equal(f->synced, 1);
	assert_int_equal(fake_kube_calls(f->fk, VERB_LIST, RES_POD), 13); /* pages of 100 */
}

static void only_what_is_selected(void **state)
{
	struct fixture *f = *state;

	put(f, "ns", "a", "x");
	put(f, "ns", "b", "y");
	put(f, "other", "c", "x");
	f->informer = informer(f, "ns", "app=x");
	informer_start(f->informer);
	fake_kube_run(f->fk, 100);
	assert_keys(f, "ns/a");
	put(f, "other", "d", "x");
	put(f, "ns", "e", "x");
	fake_kube_patch(f->fk, RES_POD, "ns", "a", "{\"metadata\": {\"labels\": {\"app\": \"y\"}}}");
	fake_kube_run(f->fk, 10);
	assert_keys(f, "ns/e");
}

static void two_namespaces_share_a_store(void **state)
{
	struct fixture *f = *state;
	struct informer *second;

	put(f, "one", "a", "x");
	put(f, "two", "b", "x");
	f->informer = informer(f, "one", NULL);
	second = informer(f, "two", NULL);
	informer_start(f->informer);
	informer_start(second);
	fake_kube_run(f->fk, 100);
	assert_keys(f, "one/a two/b");
	fake_kube_delete(f->fk, RES_POD, "one", "a");
	fake_kube_compact(f->fk);
	fake_kube_cut_watches(f->fk, true);
	fake_kube_run(f->fk, 10000);
	assert_keys(f, "two/b");
	informer_free(second);
}

static void seen_versions(void **state)
{
	struct fixture *f = *state;
	const char *version;

	put(f, "ns", "a", "x");
	start(f);
	assert_true(informer_has_seen(f->informer, "101"));
	assert_true(informer_has_seen(f->informer, "99"));
	assert_false(informer_has_seen(f->informer, "102"));
	assert_false(informer_has_seen(f->informer, "not a version"));
	fake_kube_delay(f->fk, RES_POD, 500);
	put(f, "ns", "b", "x");
	version = json_str(fake_kube_get(f->fk, RES_POD, "ns", "b"), "metadata.resourceVersion", "");
	fake_kube_run(f->fk, 400);
	assert_false(informer_has_seen(f->informer, version));
	fake_kube_run(f->fk, 200);
	assert_true(informer_has_seen(f->informer, version));
}

/* Versions pass without a change here when others write; a bookmark says so. */
static void bookmarks_count_as_seen(void **state)
{
	struct fixture *f = *state;
	struct err err;

	start(f);
	fake_kube_put(f->fk, &resource_service,
		      json_parse("{\"metadata\": {\"name\": \"s\", \"namespace\": \"ns\"}}", 46, &err));
	fake_kube_run(f->fk, 10);
	assert_false(informer_has_seen(f->informer, "101"));
	fake_kube_bookmark(f->fk);
	fake_kube_run(f->fk, 10);
	assert_true(informer_has_seen(f->informer, "101"));
}

/* Each relist is that of its informer, and what one of them reports stays until the other has gone too. */
static void two_informers_of_one_namespace(void **state)
{
	struct fixture *f = *state;
	struct informer *second;

	put(f, "ns", "a", "x");
	f->informer = informer(f, "ns", NULL);
	second = informer(f, "ns", NULL);
	informer_start(f->informer);
	informer_start(second);
	fake_kube_run(f->fk, 100);
	assert_keys(f, "ns/a");
	assert_true(contact(f, "ns") > 0);
	informer_free(second);
	assert_true(contact(f, "ns") > 0);
	informer_free(take_ptr(f->informer));
	assert_true(contact(f, "ns") == 0);
}

/* ---- as fresh as a moment ---- */

/* The watch brings nothing for an hour, and the server knows more. */
static void a_late_watch_is_made_up_for(void **state)
{
	struct fixture *f = *state;

	put(f, "ns", "a", "x");
	start(f);
	assert_true(informer_fresh(f->informer));
	fake_kube_delay(f->fk, RES_POD, 3600000);
	put(f, "ns", "b", "x");
	fake_kube_delete(f->fk, RES_POD, "ns", "a");
	fake_kube_run(f->fk, 1000);
	assert_keys(f, "ns/a");
	informer_freshen(f->informer);
	assert_false(informer_fresh(f->informer));
	fake_kube_run(f->fk, 10);
	assert_int_equal(f->freshened, 1);
	assert_keys(f, "ns/b");
	assert_int_equal(fake_kube_calls(f->fk, VERB_LIST, RES_POD), 2);
	assert_int_equal(fake_kube_calls(f->fk, VERB_WATCH, RES_POD), 1);
	assert_true(restarts(f, "silent") == 0);
}

/* There is more than a page. A watch that says how far it is saves the list. */
static void many_objects_are_listed_only_if_need_be(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 250; i++) {
		auto_free char *name = xasprintf("pod-%d", i);

		put(f, "ns", name, "x");
	}
	start(f);
	put(f, "ns", "new", "x");
	fake_kube_run(f->fk, 1);
	informer_freshen(f->informer);
	fake_kube_run(f->fk, 100);
	assert_int_equal(f->freshened, 1);
	assert_int_equal(fake_kube_calls(f->fk, VERB_LIST, RES_POD), 4);

	fake_kube_delay(f->fk, RES_POD, 3600000);
	put(f, "ns", "newer", "x");
	informer_freshen(f->informer);
	fake_kube_run(f->fk, 5000);
	assert_int_equal(f->freshened, 1);
	assert_int_equal(store_len(f->store), 251);
	fake_kube_run(f->fk, 1500);
	assert_int_equal(f->freshened, 2);
	assert_int_equal(store_len(f->store), 252);
	assert_int_equal(fake_kube_calls(f->fk, VERB_LIST, RES_POD), 5 + 3);
}

static void freed_while_it_freshens(void **state)
{
	struct fixture *f = *state;

	start(f);
	for (int64_t ms = 0; ms < 20; ms++) {
		struct informer *i = informer(f, NULL, NULL);

		informer_freshen(i);
		informer_start(i);
		fake_kube_run(f->fk, ms);
		informer_freshen(i);
		fake_kube_run(f->fk, ms / 2);
		informer_free(i);
	}
	f->freshened = 0;
	fake_kube_run(f->fk, 1000);
	assert_int_equal(f->freshened, 0);
}

/* ---- faults ---- */

static void clean_ends_cost_nothing(void **state)
{
	struct fixture *f = *state;

	start(f);
	for (int i = 0; i < 5; i++) {
		fake_kube_run(f->fk, 5000);
		fake_kube_cut_watches(f->fk, i % 2);
		fake_kube_run(f->fk, 3000);
		put(f, "ns", i % 2 ? "odd" : "even", "x");
		fake_kube_delete(f->fk, RES_POD, "ns", i % 2 ? "even" : "odd");
	}
	fake_kube_run(f->fk, 100);
	assert_keys(f, "ns/even");
	assert_int_equal(fake_kube_calls(f->fk, VERB_LIST, RES_POD), 1);
	assert_int_equal(fake_kube_calls(f->fk, VERB_WATCH, RES_POD), 6);
	assert_int_equal(lines_with(f, "level=warn"), 0);
	assert_true(restarts(f, "ended") == 3);
	assert_true(restarts(f, "failed") == 2);
	assert_string_equal(informer_problem(f->informer), "");
}

/* After a stream that ended as streams do, a problem that shows in another way is told all the same. */
static void a_clean_end_hides_nothing_later(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal rbac = { .status = 403 };

	start(f);
	fake_kube_run(f->fk, 5000);
	fake_kube_cut_watches(f->fk, false);
	fake_kube_run(f->fk, 3000);
	assert_string_equal(informer_problem(f->informer), "");
	fake_kube_refuse(f->fk, VERB_LIST, NULL, -1, &rbac);
	fake_kube_expire(f->fk, true);
	fake_kube_run(f->fk, 2000);
	assert_non_null(strstr(informer_problem(f->informer), "403"));
	assert_int_equal(lines_with(f, "level=warn"), 1);
}

static void half_an_event_comes_again(void **state)
{
	struct fixture *f = *state;

	start(f);
	fake_kube_cut_at_event(f->fk, 1);
	fake_kube_run(f->fk, 2000);
	put(f, "ns", "a", "x");
	put(f, "ns", "b", "x");
	fake_kube_run(f->fk, 5000);
	assert_keys(f, "ns/a ns/b");
	assert_int_equal(fake_kube_calls(f->fk, VERB_LIST, RES_POD), 1);
}

static void relist_after_gone(void **state)
{
	struct fixture *f = *state;

	put(f, "ns", "a", "x");
	put(f, "ns", "b", "x");
	start(f);
	for (int as_event = 0; as_event < 2; as_event++) {
		fake_kube_run(f->fk, 60000);
		fake_kube_delay(f->fk, RES_POD, 3600000);
		fake_kube_delete(f->fk, RES_POD, "ns", as_event ? "c" : "a");
		put(f, "ns", "c", "x");
		fake_kube_cut_watches(f->fk, true);
		fake_kube_expire(f->fk, as_event);
		fake_kube_run(f->fk, 10000);
		assert_keys(f, "ns/b ns/c");
		fake_kube_delay(f->fk, RES_POD, 0);
	}
	assert_int_equal(fake_kube_calls(f->fk, VERB_LIST, RES_POD), 3);
	assert_int_equal(f->synced, 1);
	assert_true(restarts(f, "expired") == 2);
}

/* The first 410 is normal. The second one in a row is a problem until the watch brings something, although the lists
 * between them succeed. */
static void the_second_gone_is_reported(void **state)
{
	const struct fake_refusal gone = { .status = 410 };
	struct fixture *f = *state;

	start(f);
	fake_kube_run(f->fk, 60000);
	fake_kube_refuse(f->fk, VERB_WATCH, RES_POD, 3, &gone);
	fake_kube_cut_watches(f->fk, false);
	fake_kube_run(f->fk, 12);
	assert_int_equal(lines_with(f, "level=warn"), 0);
	fake_kube_run(f->fk, 20000);
	assert_int_equal(fake_kube_calls(f->fk, VERB_LIST, RES_POD), 4);
	assert_int_equal(lines_with(f, "level=warn"), 1);
	assert_int_equal(lines_with(f, "following the API server again"), 0);
	assert_non_null(strstr(informer_problem(f->informer), "listing again in"));
	put(f, "ns", "a", "x");
	fake_kube_run(f->fk, 10);
	assert_string_equal(informer_problem(f->informer), "");
	assert_int_equal(lines_with(f, "following the API server again"), 1);
}

static void run_while(struct fixture *f, enum watch_state state, bool is)
{
	for (int ms = 0; (informer_state(f->informer) == state) == is; ms++) {
		assert_true(ms < 60000);
		fake_kube_run(f->fk, 1);
	}
}

/* Some of the pages fail. The list comes to its end all the same, and no page is read twice. */
static void a_list_survives_failing_pages(void **state)
{
	const struct fake_refusal busy = { .status = 429 };
	struct fixture *f = *state;

	for (int i = 0; i < 2000; i++) {
		auto_free char *name = xasprintf("pod-%d", i);

		put(f, "ns", name, "x");
	}
	f->informer = informer(f, NULL, NULL);
	informer_start(f->informer);
	for (int i = 0; i < 4; i++) {
		fake_kube_run(f->fk, 12);
		fake_kube_refuse(f->fk, VERB_LIST, RES_POD, 1, &busy);
		run_while(f, WATCH_BACKOFF, false);
		run_while(f, WATCH_BACKOFF, true);
	}
	fake_kube_run(f->fk, 100);
	assert_int_equal(f->synced, 1);
	assert_int_equal(store_len(f->store), 2000);
	assert_int_equal(fake_kube_calls(f->fk, VERB_LIST, RES_POD), 20 + 4);
	assert_string_equal(informer_problem(f->informer), "");
}

static void silent_streams_are_reopened(void **state)
{
	struct fixture *f = *state;
	double contact_s;

	start(f);
	contact_s = contact(f, "");
	assert_true(contact_s > 0);
	fake_kube_run(f->fk, 160000);
	assert_int_equal(fake_kube_calls(f->fk, VERB_WATCH, RES_POD), 2);
	assert_int_equal(fake_kube_calls(f->fk, VERB_LIST, RES_POD), 1);
	assert_true(restarts(f, "silent") == 1);
	assert_true(restarts(f, "failed") == 0);
	assert_true(contact(f, "") == contact_s);
	put(f, "ns", "a", "x");
	fake_kube_run(f->fk, 10);
	assert_true(contact(f, "") >= contact_s + 160);
}

static void absent_server_is_said_once_a_minute(void **state)
{
	struct fixture *f = *state;

	fake_kube_down(f->fk, 150000);
	start(f);
	assert_int_equal(lines_with(f, "level=warn"), 1);
	assert_int_equal(lines_with(f, "resource=pods namespace=* verb=list error="), 1);
	assert_non_null(strstr(informer_problem(f->informer), "connection refused"));
	fake_kube_run(f->fk, 59000);
	assert_int_equal(lines_with(f, "level=warn"), 1);
	fake_kube_run(f->fk, 91000);
	assert_in_range(lines_with(f, "level=warn"), 2, 3);
	put(f, "ns", "a", "x");
	fake_kube_run(f->fk, 40000);
	assert_keys(f, "ns/a");
	assert_int_equal(lines_with(f, "following the API server again"), 1);
	assert_string_equal(informer_problem(f->informer), "");
}

static void outage_while_streaming(void **state)
{
	struct fixture *f = *state;

	put(f, "ns", "a", "x");
	start(f);
	fake_kube_run(f->fk, 5000);
	fake_kube_down(f->fk, 30000);
	fake_kube_run(f->fk, 20000);
	assert_int_equal(lines_with(f, "verb=watch"), 1);
	assert_keys(f, "ns/a");
	put(f, "ns", "b", "x");
	fake_kube_run(f->fk, 60000);
	assert_keys(f, "ns/a ns/b");
	assert_int_equal(fake_kube_calls(f->fk, VERB_LIST, RES_POD), 1);
	assert_int_equal(lines_with(f, "following the API server again"), 1);
}

static void missing_crd_is_named(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal unknown = { .status = 404,
					      .message = "the server could not find the requested resource" };

	fake_kube_refuse(f->fk, VERB_LIST, NULL, 3, &unknown);
	start(f);
	assert_non_null(
	    strstr(informer_problem(f->informer),
		   "the CRD sparkapplications.sparkoperator.k8s.io is not installed (kubectl apply -f crds/)"));
	assert_int_equal(lines_with(f, "is not installed"), 1);
	put(f, "ns", "a", "x");
	fake_kube_run(f->fk, 30000);
	assert_keys(f, "ns/a");
	assert_string_equal(informer_problem(f->informer), "");
}

/* Nobody needs the resource: that it is not there is an answer, and no reason to warn again and again. */
static void an_optional_resource_may_be_missing(void **state)
{
	const struct fake_refusal refusals[] = { { .status = 404 }, { .status = 403 } };
	struct fixture *f = *state;
	struct informer_options options = {
		.api = fake_kube_api(f->fk),
		.sched = &f->sched,
		.store = f->store,
		.metrics = f->metrics,
		.optional = true,
	};

	for (size_t i = 0; i < array_len(refusals); i++) {
		fake_kube_refuse(f->fk, VERB_LIST, NULL, -1, &refusals[i]);
		f->informer = informer_new(&options);
		informer_start(f->informer);
		fake_kube_run(f->fk, 600000);
		assert_false(informer_synced(f->informer));
		assert_true(informer_problem(f->informer)[0]);
		assert_int_equal(lines_with(f, "level=warn"), 0);
		assert_int_equal(lines_with(f, "not followed"), i + 1);
		assert_true(contact(f, "") >= (double)(sched_wall(&f->sched) / 1000 - 30));
		fake_kube_accept(f->fk);
		put(f, "ns", "a", "x");
		fake_kube_run(f->fk, 30000);
		assert_keys(f, "ns/a");
		assert_string_equal(informer_problem(f->informer), "");
		informer_free(take_ptr(f->informer));
	}

	/* That there is no answer is a problem as elsewhere. */
	f->informer = informer_new(&options);
	informer_start(f->informer);
	fake_kube_down(f->fk, 30000);
	fake_kube_run(f->fk, 20000);
	assert_int_equal(lines_with(f, "level=warn"), 1);
}

static void forbidden_is_quoted(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal rbac = {
		.status = 403,
		.message = "pods is forbidden: User \"u\" cannot list resource \"pods\" in API group \"\" at the "
			   "cluster scope",
	};

	fake_kube_refuse(f->fk, VERB_LIST, NULL, -1, &rbac);
	start(f);
	assert_non_null(strstr(informer_problem(f->informer), "cannot list resource \"pods\""));
	fake_kube_run(f->fk, 600000);
	assert_in_range(lines_with(f, "level=warn"), 8, 11);
	assert_false(informer_synced(f->informer));
	fake_kube_accept(f->fk);
	fake_kube_run(f->fk, 60000);
	assert_true(informer_synced(f->informer));
}

static void freed_under_way(void **state)
{
	struct fixture *f = *state;

	for (int64_t ms = 0; ms < 20; ms++) {
		struct informer *i = informer(f, NULL, NULL);

		informer_start(i);
		fake_kube_run(f->fk, ms);
		informer_free(i);
	}
	f->synced = 0;
	fake_kube_run(f->fk, 1000);
	assert_int_equal(f->synced, 0);
	informer_free(NULL);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(store_follows),
		TEST(nothing_before_the_first_list),
		TEST(many_pages),
		TEST(only_what_is_selected),
		TEST(two_namespaces_share_a_store),
		TEST(two_informers_of_one_namespace),
		TEST(seen_versions),
		TEST(bookmarks_count_as_seen),
		TEST(a_late_watch_is_made_up_for),
		TEST(many_objects_are_listed_only_if_need_be),
		TEST(freed_while_it_freshens),
		TEST(clean_ends_cost_nothing),
		TEST(a_clean_end_hides_nothing_later),
		TEST(half_an_event_comes_again),
		TEST(relist_after_gone),
		TEST(the_second_gone_is_reported),
		TEST(a_list_survives_failing_pages),
		TEST(silent_streams_are_reopened),
		TEST(absent_server_is_said_once_a_minute),
		TEST(outage_while_streaming),
		cmocka_unit_test_setup_teardown(missing_crd_is_named, setup_app, teardown),
		TEST(an_optional_resource_may_be_missing),
		TEST(forbidden_is_quoted),
		TEST(freed_under_way),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
