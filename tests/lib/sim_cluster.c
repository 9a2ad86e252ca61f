/* See sim_cluster.h. */
#include "sim_cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/text.h"
#include "base/time.h"
#include "rules/schema.h"
#include "spark/pod.h"

enum {
	LOOK_MS = 50,
	RESTART_MS = 1000,
	DRIVER_RUNS_MS = 400,
	EXECUTORS_COME_MS = 800,
	EXECUTORS_RUN_MS = 1200,
	EXECUTOR_GOES_MS = 4000,
	DRIVER_ENDS_MS = 5000,
	QUIET_MS = 60000,
	LONGEST_MS = 3600000,
	TTL_S = 20,
	TEXT_MAX = 4096,
};

#define NS "default"

/* ---- the player ---- */

static struct json *terminated(const char *container, int64_t exit_code, const char *phase)
{
	struct json *status = json_new_object();
	struct json *c = json_append(json_set(status, "containerStatuses", json_new_array()), json_new_object());
	struct json *end = json_ensure_object(json_ensure_object(c, "state"), "terminated");

	json_set_str(status, "phase", phase);
	json_set_str(c, "name", container);
	json_set_i64(end, "exitCode", exit_code);
	json_set_str(end, "reason", exit_code ? "Error" : "Completed");
	json_set_str(end, "finishedAt", "2026-01-01T00:00:30Z");
	return status;
}

static struct json *running(const char *container)
{
	struct json *status = json_new_object();
	struct json *c = json_append(json_set(status, "containerStatuses", json_new_array()), json_new_object());

	json_set_str(status, "phase", "Running");
	json_set_str(c, "name", container);
	json_ensure_object(json_ensure_object(c, "state"), "running");
	return status;
}

static struct json *running_since(const struct sim *s, const char *container)
{
	struct json *status = running(container);
	char now[TIME_TEXT_SIZE];

	json_set_str(json_at(json_first(json_get(status, "containerStatuses")), "state.running"), "startedAt",
		     time_rfc3339(sched_wall(&s->sched), now));
	return status;
}

static const char *app_of(const struct json *driver)
{
	return json_text(json_get(json_at(driver, "metadata.labels"), LABEL_APP_NAME), "?");
}

static char *executor_name(const struct json *driver, int number)
{
	return xasprintf("%s-exec-%d", app_of(driver), number);
}

/* As the Spark driver makes them from the pod template: labels by conf, owned by the driver pod. */
static void create_executor(struct sim *s, const struct json *driver, int number)
{
	static const char *const copied[] = { LABEL_APP_NAME, LABEL_SUBMISSION_ID, LABEL_LAUNCHED_BY,
					      LABEL_APP_SELECTOR };
	const struct json *from = json_at(driver, "metadata.labels");
	auto_json executor = json_new_object();
	struct json *metadata = json_ensure_object(executor, "metadata");
	struct json *labels = json_ensure_object(metadata, "labels");
	auto_free char *name = executor_name(driver, number);

	if (fake_kube_get(s->kube, &resource_pod, NS, name))
		return;
	json_set_str(metadata, "name", name);
	json_set_str(metadata, "namespace", NS);
	for (size_t i = 0; i < array_len(copied); i++)
		json_set_str(labels, copied[i], json_text(json_get(from, copied[i]), NULL));
	json_set_str(labels, LABEL_SPARK_ROLE, "executor");
	json_setf(labels, LABEL_EXEC_ID, "%d", number);
	json_append(json_ensure_array(metadata, "ownerReferences"),
		    resource_owner_reference(&resource_pod, json_str(driver, "metadata.name", ""),
					     json_str(driver, "metadata.uid", ""), true));
	json_set_str(json_ensure_object(executor, "status"), "phase", "Pending");
	fake_kube_put(s->kube, &resource_pod, take_ptr(executor));
}

static const char *phase_of(const struct json *pod)
{
	return json_str(pod, "status.phase", "Pending");
}

static void set_status(struct sim *s, const char *name, struct json *status)
{
	fake_kube_patch_status(s->kube, &resource_pod, NS, name, status);
}

static void move_executors(struct sim *s, const struct json *driver, int64_t age_ms)
{
	for (int number = 1; number <= 2; number++) {
		auto_free char *name = executor_name(driver, number);
		const struct json *pod = fake_kube_get(s->kube, &resource_pod, NS, name);

		if (!pod)
			continue;
		if (age_ms >= EXECUTORS_RUN_MS && text_eq(phase_of(pod), "Pending"))
			set_status(s, name, running(EXECUTOR_CONTAINER));
		if (age_ms >= EXECUTOR_GOES_MS && number == 2)
			fake_kube_delete(s->kube, &resource_pod, NS, name);
	}
}

/* age_ms: since the driver pod was created. */
static void move_driver(struct sim *s, const struct json *driver, int64_t age_ms)
{
	auto_free char *name = xstrdup(json_str(driver, "metadata.name", ""));
	auto_free char *executor = executor_name(driver, 1);
	bool was_running = text_eq(phase_of(driver), "Running");

	if (s->plot == SIM_HOLD) {
		if (age_ms >= DRIVER_RUNS_MS && text_eq(phase_of(driver), "Pending"))
			set_status(s, name, running_since(s, DRIVER_CONTAINER));
		return;
	}
	if (age_ms >= EXECUTORS_COME_MS && age_ms < EXECUTOR_GOES_MS) {
		create_executor(s, driver, 1);
		create_executor(s, driver, 2);
	}
	move_executors(s, driver, age_ms);
	if (age_ms >= DRIVER_ENDS_MS) {
		set_status(s, executor,
			   terminated(EXECUTOR_CONTAINER, s->plot == SIM_FAIL ? 1 : 0,
				      s->plot == SIM_FAIL ? "Failed" : "Succeeded"));
		set_status(s, name,
			   terminated(DRIVER_CONTAINER, s->plot == SIM_FAIL ? 1 : 0,
				      s->plot == SIM_FAIL ? "Failed" : "Succeeded"));
	} else if (age_ms >= DRIVER_RUNS_MS && !was_running) {
		set_status(s, name, running(DRIVER_CONTAINER));
	}
}

static bool is_driver(const struct json *pod)
{
	return text_eq(json_text(json_get(json_at(pod, "metadata.labels"), LABEL_SPARK_ROLE), ""), "driver");
}

static bool is_alive(const struct json *pod)
{
	return !text_eq(phase_of(pod), "Succeeded") && !text_eq(phase_of(pod), "Failed");
}

/* Armed while a driver pod lives; on_change arms it anew for the next one. */
static void on_player(void *arg)
{
	struct sim *s = arg;
	auto_json drivers = json_new_array();
	const struct json *pod;
	size_t pos = 0;

	while ((pod = fake_kube_next(s->kube, &resource_pod, &pos)))
		if (is_driver(pod) && is_alive(pod))
			json_append(drivers, json_dup(pod));
	if (json_len(drivers) > 0)
		sched_arm(&s->sched, &s->player, LOOK_MS);
	json_each (driver, drivers) {
		int64_t created_ms = 0;

		if (time_parse(json_str(driver, "metadata.creationTimestamp", NULL), &created_ms))
			move_driver(s, driver, sched_wall(&s->sched) - created_ms);
	}
}

void sim_apply_named(struct sim *s, const char *name, const char *uid)
{
	static const char text[] =
	    "{\"apiVersion\":\"sparkoperator.k8s.io/v1beta2\",\"kind\":\"SparkApplication\","
	    "\"metadata\":{\"name\":\"pi\",\"namespace\":\"" NS "\"},"
	    "\"spec\":{\"type\":\"Scala\",\"mode\":\"cluster\",\"image\":\"spark:3.5.6\",\"sparkVersion\":\"3.5.6\","
	    "\"mainClass\":\"org.example.Pi\",\"mainApplicationFile\":\"local:///pi.jar\","
	    "\"driver\":{\"cores\":1,\"memory\":\"512m\"},"
	    "\"executor\":{\"cores\":1,\"instances\":2,\"memory\":\"512m\"}}}";
	struct err err = { 0 };
	struct json *app = json_parse(text, strlen(text), &err);

	assert_non_null(app);
	json_set_str(json_get(app, "metadata"), "name", name);
	json_set_str(json_get(app, "metadata"), "uid", uid);
	if (s->plot == SIM_EXPIRE)
		json_set_i64(json_get(app, "spec"), "timeToLiveSeconds", TTL_S);
	if (s->spec) {
		auto_json more = json_parse(s->spec, strlen(s->spec), &err);

		assert_non_null(more);
		json_merge_apply(json_get(app, "spec"), more);
	}
	fake_kube_put(s->kube, &resource_sparkapplication, app);
}

void sim_apply(struct sim *s, const char *uid)
{
	sim_apply_named(s, "pi", uid);
}

/* ---- oracles ---- */

static bool is_over(const struct json *app)
{
	const char *state = json_str(app, "status.applicationState.state", "");

	return text_eq(state, "COMPLETED") || text_eq(state, "FAILED");
}

static void expect_cause(const struct sim *s, const struct json *driver)
{
	const struct json *owner = json_first(json_at(driver, "metadata.ownerReferences"));
	const struct json *app = fake_kube_get(s->kube, &resource_sparkapplication, NS, app_of(driver));

	if (!app || !text_eq(json_str(app, "metadata.uid", "?"), json_str(owner, "uid", "")))
		fail_msg("a driver pod was created for an application that is gone");
	if (is_over(app))
		fail_msg("a driver pod was created for an application that has ended");
}

static void on_change(void *arg, const struct resource *res, const struct json *before, const struct json *now)
{
	struct sim *s = arg;
	const struct json *labels = json_at(now, "metadata.labels");
	const char *id = json_text(json_get(labels, LABEL_SUBMISSION_ID), "");
	intptr_t count;

	if (before || res != &resource_pod || !is_driver(now))
		return;
	if (!sched_armed(&s->player))
		sched_arm(&s->sched, &s->player, LOOK_MS);
	count = (intptr_t)map_get(s->driver_uids, id) + 1;
	map_set(s->driver_uids, id, (void *)count);
	if (count > 1)
		fail_msg("a second driver pod was created for attempt %s", id);
	expect_cause(s, now);
}

void sim_check_writes(const struct sim *s)
{
	size_t len = 0;
	const struct fake_write *writes = fake_kube_writes(s->kube, &len);

	for (size_t i = 0; i < len; i++)
		if (text_eq(writes[i].subresource, "status") && writes[i].number && !writes[i].changed)
			fail_msg("write %u changed nothing: status of %s", writes[i].number, writes[i].key);
}

/* ---- the operator's life ---- */

struct operator_options sim_options(void)
{
	return (struct operator_options){ .reconcile = reconcile_defaults, .manager.instance = "sim" };
}

static void start_operator(struct sim *s)
{
	s->metrics = metrics_new();
	s->spark = operator_new(fake_kube_api(s->kube), &s->sched, s->metrics, &s->options);
	s->manager = operator_manager(s->spark);
	manager_lead(s->manager);
	manager_start(s->manager);
}

static void stop_operator(struct sim *s)
{
	s->manager = NULL;
	operator_free(take_ptr(s->spark));
	metrics_free(take_ptr(s->metrics));
}

static void on_restart(void *arg)
{
	start_operator(arg);
}

void sim_crash(void *arg)
{
	struct sim *s = arg;

	stop_operator(s);
	fake_kube_drop_client(s->kube);
	s->crashes++;
	sched_arm(&s->sched, &s->restart, RESTART_MS);
}

void sim_fault_crash(struct sim *s, unsigned k, const void *arg)
{
	(void)arg;
	fake_kube_crash_after(s->kube, k, sim_crash, s);
}

void sim_fault_call(struct sim *s, unsigned k, const void *arg)
{
	fake_kube_fail(s->kube, k, *(const enum fake_fault *)arg, NULL);
}

void sim_fault_refusal(struct sim *s, unsigned k, const void *arg)
{
	fake_kube_fail(s->kube, k, FAKE_REFUSE, arg);
}

const struct fake_refusal sim_refusals[SIM_REFUSALS] = {
	{ 409, "Conflict", NULL, 0 }, { 422, NULL, NULL, 0 }, { 403, NULL, NULL, 0 },
	{ 429, NULL, NULL, 2 },	      { 500, NULL, NULL, 0 }, { 503, NULL, NULL, 0 },
};

#define TEMPLATE "spec.driver.template."

/* Pods are compared with the record of Kubernetes' types, as if they were a pod template of an application. */
static char *unknown_fields_of(const struct resource *res, const struct json *object)
{
	auto_json app = json_new_object();
	struct json *pod_template;
	auto_problems unknown;
	auto_buf text = { 0 };

	problems_init(&unknown);
	if (res != &resource_pod)
		return NULL;
	pod_template = json_ensure_object(json_ensure_object(json_ensure_object(app, "spec"), "driver"), "template");
	json_set(pod_template, "metadata", json_dup(json_get(object, "metadata")));
	json_set(pod_template, "spec", json_dup(json_get(object, "spec")));
	schema_unknown(NULL, &unknown, app, "SparkApplication");
	buf_init(&text, TEXT_MAX);
	json_each (field, unknown.list)
		buf_printf(&text, "%sunknown field \"%s\"", text.len ? ", " : "",
			   json_str(field, "field", "") + strlen(TEMPLATE));
	return text.len ? buf_take(&text) : NULL;
}

static void drop_line(void *arg, const char *line, size_t len)
{
	(void)arg;
	(void)line;
	(void)len;
}

void sim_init_bare(struct sim *s, enum sim_plot plot)
{
	*s = (struct sim){ .plot = plot, .options = sim_options() };
	if (!getenv("SIM_LOG"))
		log_set_sink(drop_line, NULL);
	sched_init(&s->sched, 0, INT64_C(1767225600000), 1); /* 2026-01-01T00:00:00Z */
	s->kube = fake_kube_new(&s->sched, NULL);
	fake_kube_on_unknown(s->kube, unknown_fields_of);
	s->driver_uids = map_new(NULL);
	fake_kube_on_change(s->kube, on_change, s);
	sched_timer_init(&s->player, on_player, s);
	sched_timer_init(&s->restart, on_restart, s);
}

void sim_init_with(struct sim *s, enum sim_plot plot, const struct operator_options *options, const char *spec)
{
	sim_init_bare(s, plot);
	s->options = *options;
	s->spec = spec;
	start_operator(s);
	sched_run(&s->sched, 10);
	sim_apply(s, SIM_UID);
}

void sim_init(struct sim *s, enum sim_plot plot)
{
	const struct operator_options options = sim_options();

	sim_init_with(s, plot, &options, NULL);
}

void sim_done(struct sim *s)
{
	if (s->manager)
		stop_operator(s);
	sched_disarm(&s->sched, &s->player);
	sched_disarm(&s->sched, &s->restart);
	fake_kube_free(s->kube);
	map_free(s->driver_uids);
	sched_done(&s->sched);
}

bool sim_has_ended(const struct sim *s)
{
	const struct json *app;
	size_t pos = 0;

	while ((app = fake_kube_next(s->kube, &resource_sparkapplication, &pos)))
		if (s->plot == SIM_EXPIRE || !is_over(app))
			return false;
	return true;
}

void sim_run(struct sim *s)
{
	unsigned writes = 0;
	int64_t quiet_since_ms = 0;

	while (s->sched.now_ms < LONGEST_MS) {
		unsigned count = fake_kube_write_count(s->kube);

		if (count != writes || !sim_has_ended(s) || !s->manager)
			quiet_since_ms = s->sched.now_ms;
		writes = count;
		if (s->sched.now_ms - quiet_since_ms > QUIET_MS)
			return;
		sched_run(&s->sched, sched_next(&s->sched));
	}
	fail_msg("the application has not come to its end within an hour (state %s)",
		 json_str(fake_kube_get(s->kube, &resource_sparkapplication, NS, "pi"), "status.applicationState.state",
			  "?"));
}

/* ---- the end ---- */

static void mask_object(struct json *object)
{
	static const char *const metadata_fields[] = { "uid", "resourceVersion", "creationTimestamp", "generation" };
	static const char *const status_fields[] = { "lastSubmissionAttemptTime", "terminationTime", "duration" };
	struct json *metadata = json_get(object, "metadata");
	struct json *status = json_get(object, "status");

	for (size_t i = 0; i < array_len(metadata_fields); i++)
		json_remove(metadata, metadata_fields[i]);
	for (size_t i = 0; i < array_len(status_fields); i++)
		if (json_get(status, status_fields[i]))
			json_set_str(status, status_fields[i], "some time");
	json_each (condition, json_get(status, "conditions")) {
		json_remove(condition, "lastTransitionTime");
	}
	json_each (owner, json_get(metadata, "ownerReferences")) {
		if (text_eq(json_str(owner, "kind", ""), "Pod"))
			json_remove(owner, "uid");
	}
}

/* spark.properties holds the time of submission: comment and spark.app.submitTime. */
static void mask_properties(struct json *object)
{
	struct json *data = json_get(object, "data");
	const char *text = json_text(json_get(data, "spark.properties"), NULL);
	auto_strv lines = { 0 };
	auto_strv kept = { 0 };
	auto_free char *joined = NULL;

	if (!text)
		return;
	strv_split(&lines, text, '\n');
	for (size_t i = 0; i < lines.len; i++)
		if (lines.items[i][0] != '#' && !text_starts(lines.items[i], "spark.app.submitTime="))
			strv_add(&kept, lines.items[i]);
	joined = strv_join(&kept, "\n");
	json_set_str(data, "spark.properties", joined);
}

char *sim_end(struct sim *s)
{
	static const struct resource *const kinds[] = { &resource_sparkapplication, &resource_configmap,
							&resource_service,	    &resource_pod,
							&resource_ingress,	    &resource_poddisruptionbudget };
	auto_json all = json_new_object();

	for (size_t i = 0; i < array_len(kinds); i++) {
		const struct json *object;
		size_t pos = 0;

		while ((object = fake_kube_next(s->kube, kinds[i], &pos))) {
			auto_free char *key =
			    xasprintf("%s/%s", kinds[i]->plural, json_str(object, "metadata.name", ""));
			struct json *copy = json_set(all, key, json_dup(object));

			mask_object(copy);
			mask_properties(copy);
		}
	}
	return json_print_pretty(all);
}
