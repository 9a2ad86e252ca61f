/*
 * Gauges follow the changes of the stores: they are what a count of both stores would be, a scrape looks at no object,
 * and combinations of label values are bounded in number and in time.
 */
#include "metrics_world.h"

#include "base/text.h"
#include "base/time.h"

#define HOUR_MS (60 * 60 * 1000)

enum { NAMES = 4, TEAMS = 3, STEPS = 4000, LIMIT = 9999 };

static const char *const states[] = {
	"", "SUBMITTED", "RUNNING", "SUCCEEDING", "COMPLETED", "FAILED", "PENDING_RERUN"
};
static const char *const phases[] = { "Pending", "Running", "Succeeded", "Failed" };

static struct strv team_label(void)
{
	struct strv labels = { 0 };

	strv_add(&labels, "team");
	return labels;
}

/* index: of a team; beyond TEAMS: no label. */
static void label(struct json *tree, unsigned index)
{
	if (index < TEAMS)
		json_setf(json_at(tree, "metadata.labels"), "team", "t%u", index);
}

static void put_an_app(struct fixture *f, const char *name, const char *uid, const char *state, unsigned team)
{
	struct json *tree = object(f, "jobs", name, uid), *status = json_ensure_object(tree, "status");

	json_set_str(json_ensure_object(status, "applicationState"), "state", state);
	json_set_str(status, "lastSubmissionAttemptTime", "1970-01-01T00:16:42Z");
	json_set_str(status, "terminationTime", "1970-01-01T00:16:49Z");
	label(tree, team);
	put(f->apps, tree);
}

static void put_a_pod(struct fixture *f, const char *name, const char *app, const char *role, const char *phase,
		      unsigned team)
{
	struct json *tree = object(f, "jobs", name, name), *labels = json_at(tree, "metadata.labels");

	json_set_str(labels, LABEL_SPARK_ROLE, role);
	json_set_str(labels, LABEL_APP_NAME, app);
	json_set_str(json_ensure_object(tree, "status"), "phase", phase);
	label(tree, team);
	put(f->pods, tree);
}

static double gauge(const struct fixture *f, const char *family, const char *value)
{
	return metric_get(metrics_find(f->metrics, family), (const char *const[]){ value });
}

static double in_state(const struct fixture *f, const char *family, const char *ns, const char *state)
{
	return metric_get(metrics_find(f->metrics, family), (const char *const[]){ ns, state });
}

static double by_state(const struct fixture *f, const char *family, const char *state)
{
	return in_state(f, family, "jobs", state);
}

/* ---- what a count of the stores says ---- */

static const char *team_in(const struct json *labels)
{
	return json_text(json_get(labels, "team"), NULL);
}

static const char *team_of_pod(const struct fixture *f, const struct kobj *pod)
{
	const struct pod_view *view = pod->view;
	const struct kobj *app = pod->index ? store_get(f->apps, pod->index) : NULL;
	const char *team = app ? team_in(json_at(app->tree, "metadata.labels")) : NULL;

	for (size_t i = 0; i + 1 < view->labels.len; i += 2)
		if (text_eq(view->labels.items[i], "team"))
			return view->labels.items[i + 1];
	return team ? team : "Unknown";
}

static unsigned count_apps(const struct fixture *f, const char *team, int state)
{
	const struct kobj *o;
	unsigned count = 0;
	size_t pos = 0;

	while ((o = store_next(f->apps, &pos))) {
		const char *its = team_in(json_at(o->tree, "metadata.labels"));

		if (((const struct app *)o->view)->state == state && (!team || text_eq(team, its ? its : "Unknown")))
			count++;
	}
	return count;
}

static unsigned count_executors(const struct fixture *f, const char *team, int phase)
{
	const struct kobj *o;
	unsigned count = 0;
	size_t pos = 0;

	while ((o = store_next(f->pods, &pos))) {
		const struct pod_view *view = o->view;

		if (view->role == POD_ROLE_EXECUTOR && view->phase == phase &&
		    (!team || text_eq(team, team_of_pod(f, o))))
			count++;
	}
	return count;
}

static void scrape(struct fixture *f)
{
	auto_buf text;

	buf_init(&text, 64 << 20);
	metrics_write(f->metrics, &text);
	assert_false(text.overflow);
}

static void expect_what_the_stores_hold(struct fixture *f)
{
	static const char *const teams[] = { "t0", "t1", "t2", "Unknown" };

	scrape(f);
	for (size_t i = 0; i < array_len(teams); i++) {
		assert_int_equal(gauge(f, "spark_application_running_count", teams[i]),
				 count_apps(f, teams[i], APP_RUNNING));
		assert_int_equal(gauge(f, "spark_executor_running_count", teams[i]),
				 count_executors(f, teams[i], POD_RUNNING));
	}
	assert_int_equal(by_state(f, "spark_application_state", "RUNNING"), count_apps(f, NULL, APP_RUNNING));
	assert_int_equal(by_state(f, "spark_application_state", "NEW"), count_apps(f, NULL, APP_NEW));
	assert_int_equal(by_state(f, "spark_application_state", "COMPLETED"), count_apps(f, NULL, APP_COMPLETED));
	assert_int_equal(by_state(f, "spark_executor_state", "PENDING"), count_executors(f, NULL, POD_PENDING));
	assert_int_equal(by_state(f, "spark_executor_state", "FAILED"), count_executors(f, NULL, POD_FAILED));
	assert_int_equal(by_state(f, "spark_application_oldest_waiting_seconds", "NEW"),
			 count_apps(f, NULL, APP_NEW) ? NOW_S - CREATED_S : 0);
	assert_int_equal(by_state(f, "spark_application_oldest_waiting_seconds", "SUBMITTED"),
			 count_apps(f, NULL, APP_SUBMITTED) ? 10 : 0);
}

/* ---- tests ---- */

static unsigned pick(struct rng *rng, size_t count)
{
	return (unsigned)rng_range(rng, 0, (int64_t)count);
}

static void random_step(struct fixture *f, struct rng *rng)
{
	auto_free char *app = xasprintf("a%u", pick(rng, NAMES));
	auto_free char *pod = xasprintf("p%u", pick(rng, 2 * NAMES));
	auto_free char *uid = xasprintf("u%u", pick(rng, 2));
	auto_free char *key = NULL;

	switch (pick(rng, 8)) {
	case 0:
		key = xasprintf("jobs/%s", app);
		store_remove(f->apps, key);
		break;
	case 1:
		key = xasprintf("jobs/%s", pod);
		store_remove(f->pods, key);
		break;
	case 2:
	case 3:
	case 4:
		put_an_app(f, app, uid, states[pick(rng, array_len(states))], pick(rng, TEAMS + 1));
		break;
	default:
		put_a_pod(f, pod, app, pick(rng, 5) ? "executor" : "driver", phases[pick(rng, array_len(phases))],
			  pick(rng, 2) ? TEAMS : pick(rng, TEAMS));
	}
}

/* Whatever comes, goes, is renamed, moves to another application or gets other labels, and whenever counting begins. */
static void gauges_are_what_a_count_would_be(void **state)
{
	struct fixture *f = *state;
	auto_strv labels = team_label();
	const struct app_metrics_options options = { .labels = &labels };
	struct rng rng = { .state = 11 };

	for (int i = 0; i < 50; i++)
		random_step(f, &rng);
	start(f, &options, NULL);
	for (int i = 0; i < STEPS; i++) {
		random_step(f, &rng);
		if (i % 7 == 0)
			expect_what_the_stores_hold(f);
	}
}

/* A change that nobody was told of is not seen: so nothing but what was told was read. */
static void a_scrape_looks_at_no_object(void **state)
{
	struct fixture *f = *state;
	struct kobj *app, *pod;

	start_plain(f);
	put_app(f, "jobs", "u", "RUNNING", 1, 1);
	put_pod(f, "e1", "executor", "Running");
	app = store_get(f->apps, "jobs/pi");
	pod = store_get(f->pods, "jobs/e1");
	((struct app *)app->view)->state = APP_FAILED;
	((struct pod_view *)pod->view)->phase = POD_FAILED;
	assert_shows(f, "spark_application_running_count{namespace=\"jobs\"} 1");
	assert_shows(f, "spark_executor_running_count{namespace=\"jobs\"} 1");
	assert_shows(f, "spark_application_state{namespace=\"jobs\",state=\"RUNNING\"} 1");
	assert_shows(f, "spark_executor_state{namespace=\"jobs\",state=\"RUNNING\"} 1");
	((struct app *)app->view)->state = APP_RUNNING;
	((struct pod_view *)pod->view)->phase = POD_RUNNING;
}

/* An application whose name and team are the same. */
static void put_team(struct fixture *f, const char *team, const char *state)
{
	struct json *tree = object(f, "jobs", team, team);

	json_set_str(json_at(tree, "metadata.labels"), "team", team);
	json_set_str(json_ensure_object(json_ensure_object(tree, "status"), "applicationState"), "state", state);
	put(f->apps, tree);
}

static void put_run(struct fixture *f, int run, const char *state)
{
	auto_free char *name = xasprintf("run-%d", run);

	put_team(f, name, state);
}

static size_t count_lines(struct fixture *f, const char *start)
{
	auto_buf text;
	const char *at, *end;
	size_t count = 0;

	buf_init(&text, 64 << 20);
	metrics_write(f->metrics, &text);
	assert_false(text.overflow);
	at = text.data;
	end = at + text.len;
	while ((at = memmem(at, (size_t)(end - at), start, strlen(start)))) {
		at++;
		count++;
	}
	return count;
}

/* A label that is different for each run. */
static void combinations_are_bounded(void **state)
{
	struct fixture *f = *state;
	auto_strv labels = team_label();
	const struct app_metrics_options options = { .labels = &labels };

	start(f, &options, NULL);
	for (int i = 0; i < LIMIT + 51; i++)
		put_run(f, i, "RUNNING");
	put_a_pod(f, "exec", "run-8", "executor", "Running", TEAMS);
	assert_int_equal(count_lines(f, "\nspark_application_running_count{"), LIMIT + 1);
	assert_int_equal(gauge(f, "spark_application_running_count", "other"), 51);
	assert_int_equal(gauge(f, "spark_application_running_count", "run-7"), 1);
	/* One of those that have series of their own ends. After an hour another one has its place. */
	store_remove(f->apps, "jobs/run-7");
	sched_run(&f->sched, HOUR_MS + HOUR_MS / 4);
	assert_int_equal(count_lines(f, "{team=\"run-7\"}"), 0);
	assert_int_equal(gauge(f, "spark_application_running_count", "other"), 50);
	assert_int_equal(gauge(f, "spark_application_running_count", "run-8"), 1);
	assert_int_equal(gauge(f, "spark_executor_running_count", "run-8"), 1);
}

static void what_is_used_is_not_dropped(void **state)
{
	struct fixture *f = *state;
	auto_strv labels = team_label();
	const struct app_metrics_options options = { .labels = &labels };

	start(f, &options, NULL);
	put_run(f, 1, "RUNNING");
	put_run(f, 2, "RUNNING");
	store_remove(f->apps, "jobs/run-2");
	for (int i = 1; i <= 8; i++) {
		sched_run(&f->sched, i * HOUR_MS / 2);
		scrape(f);
	}
	assert_shows(f, "spark_application_running_count{team=\"run-1\"} 1");
	assert_int_equal(count_lines(f, "run-2"), 0);
	put_run(f, 2, "RUNNING");
	assert_shows(f, "spark_application_running_count{team=\"run-2\"} 1");
}

/* The hour begins with the last use, not with the first one. */
static void what_was_used_lately_is_not_dropped(void **state)
{
	struct fixture *f = *state;
	auto_strv labels = team_label();
	const struct app_metrics_options options = { .labels = &labels };

	start(f, &options, NULL);
	for (int i = 0; i < 5; i++) {
		put_run(f, 1, "RUNNING");
		store_remove(f->apps, "jobs/run-1");
		sched_run(&f->sched, (i + 1) * HOUR_MS * 9 / 10);
		scrape(f);
		assert_shows(f, "spark_application_running_count{team=\"run-1\"} 0");
	}
}

/* There are only as many as namespaces, and dashboards add up their counters. */
static void series_of_namespaces_stay(void **state)
{
	struct fixture *f = *state;

	start_plain(f);
	put_app(f, "jobs", "u", "RUNNING", 1, 1);
	store_remove(f->apps, "jobs/pi");
	sched_run(&f->sched, 3 * HOUR_MS);
	scrape(f);
	sched_run(&f->sched, 6 * HOUR_MS);
	assert_shows(f, "spark_application_running_count{namespace=\"jobs\"} 0");
}

static void namespaces_are_bounded(void **state)
{
	struct fixture *f = *state;

	start_plain(f);
	for (int i = 0; i < 600; i++) {
		auto_free char *ns = xasprintf("ns-%d", i);

		put_app(f, ns, ns, "", 0, 0);
		put_app(f, ns, ns, "RUNNING", 1, 1);
	}
	scrape(f);
	assert_int_equal(in_state(f, "spark_application_state", "ns-499", "RUNNING"), 1);
	assert_int_equal(in_state(f, "spark_application_state", "other", "RUNNING"), 100);
	assert_int_equal(in_state(f, "spark_application_transitions_total", "other", "RUNNING"), 100);
	for (int i = 0; i < 600; i++) {
		auto_free char *key = xasprintf("ns-%d/pi", i);

		store_remove(f->apps, key);
	}
	scrape(f);
	assert_int_equal(in_state(f, "spark_application_state", "ns-499", "RUNNING"), 0);
	assert_int_equal(in_state(f, "spark_application_state", "other", "RUNNING"), 0);
}

/* A namespace whose name is that of the last series shares it. */
static void a_namespace_may_be_called_other(void **state)
{
	struct fixture *f = *state;

	start_plain(f);
	put_app(f, "other", "other", "", 0, 0);
	for (int i = 0; i < 600; i++) {
		auto_free char *ns = xasprintf("ns-%d", i);

		put_app(f, ns, ns, "RUNNING", 1, 1);
	}
	scrape(f);
	assert_int_equal(in_state(f, "spark_application_state", "other", "NEW"), 1);
	assert_int_equal(in_state(f, "spark_application_state", "other", "RUNNING"), 101);
	store_remove(f->apps, "other/pi");
	scrape(f);
	assert_int_equal(in_state(f, "spark_application_state", "other", "NEW"), 0);
	assert_int_equal(in_state(f, "spark_application_state", "other", "RUNNING"), 101);
}

static void a_combination_may_be_called_other(void **state)
{
	struct fixture *f = *state;
	auto_strv labels = team_label();
	const struct app_metrics_options options = { .labels = &labels };

	start(f, &options, NULL);
	put_team(f, "other", "RUNNING");
	for (int i = 0; i < LIMIT + 50; i++)
		put_run(f, i, "RUNNING");
	assert_int_equal(count_lines(f, "\nspark_application_running_count{"), LIMIT + 1);
	assert_int_equal(gauge(f, "spark_application_running_count", "other"), 51);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(gauges_are_what_a_count_would_be),
		TEST(a_scrape_looks_at_no_object),
		TEST(combinations_are_bounded),
		TEST(what_is_used_is_not_dropped),
		TEST(what_was_used_lately_is_not_dropped),
		TEST(series_of_namespaces_stay),
		TEST(namespaces_are_bounded),
		TEST(a_namespace_may_be_called_other),
		TEST(a_combination_may_be_called_other),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
