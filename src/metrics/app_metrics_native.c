/*
 * Metrics of applications under our own names, always by namespace: how many are in which state, how often one came
 * into it, how long each phase of their lives took, how long the oldest has been waiting.
 *
 * Phases are measured between times that stand in the objects, the application's and its driver pod's, to the second:
 * an operator that was restarted in between measures the same. They are taken when the application's status moves on:
 * then the pod, from which the status was made, is in the store.
 *
 * Namespaces may come and go: beyond NAMESPACES_MAX of them, further ones are counted as "other".
 */
#include "app_metrics_internal.h"

#include <assert.h>
#include <string.h>

#include "base/map.h"
#include "base/text.h"

enum family {
	STATES,
	TRANSITIONS,
	WAITING,
	PHASES,
	EXECUTORS,
	EXECUTOR_TRANSITIONS,
	FAMILIES,
};

enum phase { PHASE_SUBMIT, PHASE_SCHEDULE, PHASE_START, PHASE_RUN, PHASE_COUNT };

static const char *const phase_names[] = { "submit", "schedule", "start", "run" };
/* enum pod_phase in the words of status.executorState */
static const char *const executor_states[] = { "PENDING", "RUNNING", "COMPLETED", "FAILED", "UNKNOWN" };
/* States in which an application waits and should move on soon. */
static const enum app_state waiting_states[] = { APP_NEW, APP_SUBMITTED, APP_PENDING_RERUN };
static const double phase_buckets[] = { 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400 };

static const struct {
	enum metric_type type;
	const char *name;
	const char *help;
	const char *labels[3];
} rows[FAMILIES] = {
	[STATES] = { METRIC_GAUGE, "spark_application_state", "Applications by state", { "namespace", "state" } },
	[TRANSITIONS] = { METRIC_COUNTER,
			  "spark_application_transitions_total",
			  "How often an application came into a state",
			  { "namespace", "state" } },
	[WAITING] = { METRIC_GAUGE,
		      "spark_application_oldest_waiting_seconds",
		      "How long the oldest application has been waiting in a state",
		      { "namespace", "state" } },
	[PHASES] = { METRIC_HISTOGRAM,
		     "spark_application_phase_duration_seconds",
		     "submit: creation to driver pod; schedule: to a node; start: to its container; run: to its end",
		     { "namespace", "phase" } },
	[EXECUTORS] = { METRIC_GAUGE, "spark_executor_state", "Executor pods by state", { "namespace", "state" } },
	[EXECUTOR_TRANSITIONS] = { METRIC_COUNTER,
				   "spark_executor_transitions_total",
				   "How often an executor pod came into a state",
				   { "namespace", "state" } },
};

enum { NAMESPACES_MAX = 500, LINES = 3 };

/* The gauges of one namespace. */
struct sums {
	size_t states[APP_STATE_COUNT];
	size_t executors[POD_UNKNOWN + 1];
	/* The applications that wait in each of waiting_states, by since when: a scheduler as a heap. It never runs. */
	struct sched lines[LINES];
	char ns[]; /* as it is shown */
};

static_assert(array_len(waiting_states) == LINES, "waiting_states");

/* An application that waits. */
struct waiter {
	struct sched_timer timer;
	struct sched *line;
};

struct app_metrics_native {
	struct app_metrics_world world;
	struct map *namespaces; /* name → struct sums, for namespaces whose series exist */
	struct sums *other;	/* one of them, for namespaces beyond NAMESPACES_MAX; NULL: there are none */
	struct map *waiters;	/* key of an application → struct waiter */
	struct metric *families[FAMILIES];
};

static const char *state_label(int state)
{
	return state == APP_NEW ? "NEW" : app_state_text((enum app_state)state);
}

static void free_sums(void *value)
{
	struct sums *sums = value;

	for (size_t i = 0; i < LINES; i++)
		sched_done(&sums->lines[i]);
	free(sums);
}

static void free_waiter(void *value)
{
	struct waiter *w = value;

	sched_disarm(w->line, &w->timer);
	free(w);
}

struct app_metrics_native *app_metrics_native_new(const struct app_metrics_world *world)
{
	struct app_metrics_native *native = xcalloc(1, sizeof(*native));

	native->world = *world;
	native->namespaces = map_new(free_sums);
	native->waiters = map_new(free_waiter);
	for (size_t f = 0; f < FAMILIES; f++)
		native->families[f] =
		    metrics_family(world->registry, rows[f].type, rows[f].name, rows[f].help, rows[f].labels,
				   phase_buckets, f == PHASES ? array_len(phase_buckets) : 0);
	return native;
}

void app_metrics_native_free(struct app_metrics_native *native)
{
	if (!native)
		return;
	map_free(native->waiters);
	map_free(native->namespaces);
	free(native);
}

/* The name under which a namespace is counted, whose series exist. */
static const char *shown_ns(const struct app_metrics_native *native, const char *ns)
{
	const struct sums *sums = map_get(native->namespaces, ns);

	return sums ? sums->ns : "other";
}

static void add_to_native(const struct app_metrics_native *native, enum family f, const char *ns, const char *label)
{
	metric_add(native->families[f], (const char *const[]){ shown_ns(native, ns), label }, 1);
}

static void set_native(const struct app_metrics_native *native, enum family f, const char *ns, const char *label,
		       double value)
{
	metric_set(native->families[f], (const char *const[]){ ns, label }, value);
}

/* How long the first of a line has been waiting. */
static double longest_wait_s(const struct app_metrics_native *native, const struct sched *line)
{
	int64_t since_ms = sched_next(line);

	return since_ms > 0 ? app_metrics_seconds(since_ms, sched_wall(native->world.sched)) : 0;
}

static void show_sums(const struct app_metrics_native *native, const struct sums *sums)
{
	for (int state = 0; state < APP_STATE_COUNT; state++)
		set_native(native, STATES, sums->ns, state_label(state), (double)sums->states[state]);
	for (size_t i = 0; i < LINES; i++)
		set_native(native, WAITING, sums->ns, state_label((int)waiting_states[i]),
			   longest_wait_s(native, &sums->lines[i]));
	for (size_t i = 0; i < array_len(executor_states); i++)
		set_native(native, EXECUTORS, sums->ns, executor_states[i], (double)sums->executors[i]);
}

static struct sums *add_sums(struct app_metrics_native *native, const char *ns)
{
	struct sums *sums = xcalloc(1, sizeof(*sums) + strlen(ns) + 1);

	memcpy(sums->ns, ns, strlen(ns) + 1);
	for (size_t i = 0; i < LINES; i++)
		sched_init(&sums->lines[i], 0, 0, 1);
	map_set(native->namespaces, ns, sums);
	show_sums(native, sums);
	for (int state = 0; state < APP_STATE_COUNT; state++)
		metric_init(native->families[TRANSITIONS], (const char *const[]){ ns, state_label(state) });
	for (size_t i = POD_RUNNING; i < array_len(executor_states); i++)
		metric_init(native->families[EXECUTOR_TRANSITIONS], (const char *const[]){ ns, executor_states[i] });
	for (size_t i = 0; i < PHASE_COUNT; i++)
		metric_init(native->families[PHASES], (const char *const[]){ ns, phase_names[i] });
	return sums;
}

static struct sums *sums_of(struct app_metrics_native *native, const char *ns)
{
	struct sums *sums = map_get(native->namespaces, ns);

	if (sums)
		return sums;
	if (map_len(native->namespaces) < NAMESPACES_MAX)
		return add_sums(native, ns);
	/* A namespace may have that very name, and then shares its series with those that have none of their own. */
	if (!native->other)
		native->other = map_get(native->namespaces, "other");
	if (!native->other)
		native->other = add_sums(native, "other");
	return native->other;
}

void app_metrics_native_touch(struct app_metrics_native *native, const char *ns)
{
	sums_of(native, ns);
}

/* ---- gauges ---- */

/* Since when an application has been waiting in a state of waiting_states; 0 if it is not. */
static int64_t waits_since(const struct app *app)
{
	if (!app_state_is((enum app_state)app->state, STATE_WAITS))
		return 0;
	if (app->state == APP_NEW)
		return app->suspend ? 0 : app->created_ms;
	return app_state_is((enum app_state)app->state, STATE_HAS_DRIVER) ? app->last_submission_ms
									  : app->terminated_ms;
}

static void leave_line(struct app_metrics_native *native, const struct kobj *app)
{
	const struct app *view = app->view;

	map_remove(native->waiters, app->key);
	sums_of(native, view->ns)->states[view->state]--;
}

static void join_line(struct app_metrics_native *native, const struct kobj *app)
{
	const struct app *view = app->view;
	struct sums *sums = sums_of(native, view->ns);
	int64_t since_ms = waits_since(view);
	struct waiter *w;

	sums->states[view->state]++;
	for (size_t i = 0; i < LINES && since_ms > 0; i++) {
		if ((int)waiting_states[i] != view->state)
			continue;
		w = xcalloc(1, sizeof(*w));
		w->line = &sums->lines[i];
		sched_arm(w->line, &w->timer, since_ms);
		map_set(native->waiters, app->key, w);
	}
}

void app_metrics_native_count_app(struct app_metrics_native *native, const struct kobj *before, const struct kobj *now)
{
	if (before && before->view)
		leave_line(native, before);
	if (now && now->view)
		join_line(native, now);
}

void app_metrics_native_count_executor(struct app_metrics_native *native, const struct pod_view *before,
				       const struct pod_view *now)
{
	if (before)
		sums_of(native, before->ns)->executors[before->phase]--;
	if (now)
		sums_of(native, now->ns)->executors[now->phase]++;
}

void app_metrics_native_collect(struct app_metrics_native *native)
{
	struct map_iter it = { 0 };

	while (map_next(native->namespaces, &it))
		show_sums(native, it.value);
}

/* ---- phases ---- */

/* The driver pod of the attempt that the status reports; NULL if the pod is gone. */
static const struct pod_view *driver_of(const struct app_metrics_native *native, const struct app_change *c)
{
	const struct kobj *o;
	size_t pos = 0;

	while ((o = store_index_next(native->world.pods, c->object->key, &pos))) {
		const struct pod_view *pod = o->view;

		if (pod && pod->role == POD_ROLE_DRIVER && text_eq(pod->submission_id, c->is->submission_id))
			return pod;
	}
	return NULL;
}

static void observe_phase_end(const struct app_metrics_native *native, const struct app_change *c, enum phase phase,
			      int64_t from_ms, int64_t to_ms)
{
	const char *const values[] = { shown_ns(native, c->is->ns), phase_names[phase] };

	if (from_ms > 0 && to_ms > 0)
		metric_observe(native->families[PHASES], values, app_metrics_seconds(from_ms, to_ms));
}

static void observe_phases(const struct app_metrics_native *native, const struct app_change *c)
{
	bool is_next = c->is->execution_attempts > c->was->execution_attempts;
	const struct pod_view *pod = driver_of(native, c);

	if (is_next && c->is->execution_attempts == 1)
		observe_phase_end(native, c, PHASE_SUBMIT, c->is->created_ms,
				  pod ? pod->created_ms : c->is->last_submission_ms);
	if (!pod)
		return;
	if (app_state_is((enum app_state)c->is->state, STATE_STARTED) &&
	    (is_next || !app_state_is((enum app_state)c->was->state, STATE_STARTED))) {
		observe_phase_end(native, c, PHASE_SCHEDULE, pod->created_ms, pod->scheduled_ms);
		observe_phase_end(native, c, PHASE_START, pod->scheduled_ms, pod->started_ms);
	}
	if (c->is->terminated_ms > 0 && c->is->terminated_ms != c->was->terminated_ms)
		observe_phase_end(native, c, PHASE_RUN, pod->started_ms, c->is->terminated_ms);
}

void app_metrics_native_app(struct app_metrics_native *native, const struct app_change *c)
{
	bool is_new = !c->was && c->is->state == APP_NEW && c->is->submission_attempts == 0;

	if (is_new || (c->was && c->was->state != c->is->state))
		add_to_native(native, TRANSITIONS, c->is->ns, state_label(c->is->state));
	if (c->was)
		observe_phases(native, c);
}

void app_metrics_native_executor(struct app_metrics_native *native, const struct pod_view *was,
				 const struct pod_view *is)
{
	if (was->phase != is->phase)
		add_to_native(native, EXECUTOR_TRANSITIONS, is->ns, executor_states[is->phase]);
}
