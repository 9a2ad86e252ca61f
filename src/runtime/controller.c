/*
 * The controller takes keys from its queue and reconciles them. One timer pumps the queue. A key that is due gets a
 * plan. A plan with actions gets a runner. The runner's outcome decides when the key is looked at again.
 *
 * Happy path: enqueue → pump → ops->plan → runner → rest until the cache has seen what was written → pump.
 *
 * Failure modes: the table `rules` says what follows from each error class. A failed key is also put on hold for a
 * moment, since the watch events of its own writes would otherwise defeat the back-off.
 *
 * A struct key exists only while there is something to remember about the key: a plan under way, a failure, a back-off,
 * outcomes, versions to wait for, or a status that was written just now. Keys that are gone cost nothing.
 */
#include "runtime/controller.h"

#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "controller_metrics.h"
#include "runner.h"

enum {
	MAX_PLANS = 32,
	PUMP_BATCH = 64, /* plans made before the loop gets its turn */
	REST_MS = 5000,	 /* longest wait for the cache */
	HOLD_MS = 100,	 /* no new plan for so long after a failure, whatever changes */
	HALT_MS = 1000,	 /* between two looks at whether writing is allowed again */
	SOON_MS = 30000, /* cap of the back-off after failures that have nothing to do with the object */
};

enum follow { BACK_OFF = 0, LOOK_AGAIN };

/* What follows from a failure, by error class. A root object that is gone (NOT_FOUND of its status or of a check) is
 * no failure: see forget_key(). */
static const struct rule {
	enum follow follow;
	int64_t cap_ms; /* cap of the back-off; 0: the queue's own */
} rules[] = {
	[ERR_NOT_FOUND] = { BACK_OFF, 0 },
	[ERR_EXISTS] = { BACK_OFF, 0 },
	[ERR_CONFLICT] = { LOOK_AGAIN, SOON_MS },
	[ERR_GONE] = { BACK_OFF, 0 },
	[ERR_INVALID] = { BACK_OFF, 0 },
	[ERR_DENIED] = { BACK_OFF, 0 },
	[ERR_UNAUTHORIZED] = { BACK_OFF, SOON_MS },
	[ERR_BUSY] = { BACK_OFF, SOON_MS },
	[ERR_TIMEOUT] = { BACK_OFF, SOON_MS },
	[ERR_IO] = { BACK_OFF, SOON_MS },
	[ERR_TOO_LARGE] = { BACK_OFF, 0 },
	[ERR_CANCELED] = { BACK_OFF, SOON_MS },
	[ERR_INTERNAL] = { BACK_OFF, SOON_MS },
};

struct key {
	struct list recent; /* in controller->recent while the status interval may run */
	struct controller *c;
	char *name;
	struct runner *runner; /* NULL if no plan is under way */
	int64_t since_ms;      /* when that plan was begun */
	int64_t requeue_ms;    /* when that plan wants the next look, after its end */
	int64_t deadline_ms;   /* … even if it fails, -1: never */
	char *uid;	       /* of the object that the fields below are about; NULL: there was none */
	struct failure *failure;
	struct outcomes outcomes;
	struct sightings waits;
	int64_t rest_ms;   /* the wait for them ends at this time at the latest */
	int64_t hold_ms;   /* no plan before this time */
	int64_t status_ms; /* last status write, INT64_MIN: none */
};

struct controller {
	struct controller_options options;
	struct queue *queue;
	struct map *keys;
	struct list recent; /* keys by status_ms */
	struct sched_timer pump;
	struct controller_metrics *metrics;
	bool started;
	bool stopped;
	bool has_told_dropped; /* see runner.h */
};

static void on_pump(void *arg);
static void on_collect(void *arg);

/* ---- keys ---- */

static void free_key(void *value)
{
	struct key *k = value;

	list_remove(&k->recent);
	runner_free(k->runner);
	sightings_done(&k->waits);
	free(k->failure);
	outcomes_done(&k->outcomes);
	free(k->uid);
	free(k->name);
	free(k);
}

static struct key *key_of(struct controller *c, const char *name)
{
	struct key *k = map_get(c->keys, name);

	if (k)
		return k;
	k = xcalloc(1, sizeof(*k));
	k->c = c;
	k->name = xstrdup(name);
	k->status_ms = INT64_MIN;
	list_init(&k->recent);
	map_set(c->keys, name, k);
	return k;
}

/* The queue keeps the back-off, but the back-off too belongs to the object whose uid is kept here. */
static void drop_key_if_idle(struct key *k)
{
	if (!k->runner && !k->failure && k->outcomes.len == 0 && k->waits.len == 0 && list_empty(&k->recent) &&
	    k->hold_ms <= sched_now(k->c->options.sched) && queue_tries(k->c->queue, k->name) == 0)
		map_remove(k->c->keys, k->name);
}

/* Forgets the status writes that are so old that they no longer delay the next one. */
static void forget_old_writes(struct controller *c)
{
	int64_t old_ms = sched_now(c->options.sched) - STATUS_INTERVAL_MS;

	while (!list_empty(&c->recent)) {
		struct key *k = container_of(c->recent.next, struct key, recent);

		if (k->status_ms > old_ms)
			return;
		list_remove(&k->recent);
		drop_key_if_idle(k);
	}
}

/* ---- life ---- */

struct controller *controller_new(const struct controller_options *options)
{
	struct controller *c = xcalloc(1, sizeof(*c));

	c->options = *options;
	if (c->options.max_plans == 0)
		c->options.max_plans = MAX_PLANS;
	c->queue = queue_new(&options->queue, &options->sched->rng);
	c->keys = map_new(free_key);
	c->metrics = controller_metrics_new(options->metrics, options->name, c->options.max_plans);
	if (c->metrics)
		metrics_on_collect(options->metrics, on_collect, c);
	list_init(&c->recent);
	sched_timer_init(&c->pump, on_pump, c);
	return c;
}

void controller_free(struct controller *c)
{
	if (!c)
		return;
	sched_disarm(c->options.sched, &c->pump);
	map_free(c->keys);
	queue_free(c->queue);
	if (c->metrics)
		metrics_off_collect(c->options.metrics, on_collect, c);
	controller_metrics_free(c->metrics);
	free(c);
}

/* Arms the pump for the time at which the queue has a key that may be taken. A pump that is armed for that time or an
 * earlier one stays as it is: arming the pump anew would move it behind all other timers, again and again. */
static void arm_pump(struct controller *c)
{
	int64_t now_ms = sched_now(c->options.sched), next_ms = queue_next(c->queue);

	if (!c->started || c->stopped || next_ms < 0 || queue_busy(c->queue) >= c->options.max_plans)
		return;
	if (next_ms < now_ms)
		next_ms = now_ms;
	if (!sched_armed(&c->pump) || next_ms < c->pump.due_ms)
		sched_arm(c->options.sched, &c->pump, next_ms - now_ms);
}

static void add_key(struct controller *c, const char *key, int64_t delay_ms)
{
	queue_add(c->queue, key, sched_now(c->options.sched), delay_ms);
	controller_metrics_added(c->metrics);
}

static void add_patient_key(struct controller *c, const char *key, int64_t delay_ms)
{
	queue_add_patient(c->queue, key, sched_now(c->options.sched), delay_ms);
	controller_metrics_added(c->metrics);
}

void controller_enqueue(struct controller *c, const char *key)
{
	add_key(c, key, 0);
	arm_pump(c);
}

void controller_enqueue_patient(struct controller *c, const char *key, int64_t delay_ms)
{
	add_patient_key(c, key, delay_ms);
	arm_pump(c);
}

void controller_start(struct controller *c)
{
	c->started = true;
	arm_pump(c);
}

void controller_stop(struct controller *c)
{
	c->stopped = true;
	sched_disarm(c->options.sched, &c->pump);
}

unsigned controller_busy(const struct controller *c)
{
	return (unsigned)queue_busy(c->queue);
}

size_t controller_queued(const struct controller *c)
{
	return queue_len(c->queue);
}

/* ---- after a plan ---- */

static void finish_key(struct key *k, const char *result)
{
	struct controller *c = k->c;
	int64_t now_ms = sched_now(c->options.sched);

	controller_metrics_finished(c->metrics, result, now_ms - k->since_ms);
	queue_finish(c->queue, k->name, now_ms);
	drop_key_if_idle(k);
	arm_pump(c);
}

static void clear_failure(struct key *k)
{
	free(take_ptr(k->failure));
	k->hold_ms = 0;
	queue_forget(k->c->queue, k->name);
}

static void succeed_key(struct key *k, int64_t requeue_ms)
{
	clear_failure(k);
	if (requeue_ms >= 0)
		add_key(k->c, k->name, requeue_ms);
	finish_key(k, requeue_ms >= 0 ? "requeue_after" : "success");
}

/* The root object is gone. If it comes back, that change enqueues the key. */
static void forget_key(struct key *k)
{
	clear_failure(k);
	outcomes_done(&k->outcomes);
	sightings_done(&k->waits);
	finish_key(k, "success");
}

/* Failures in a row are counted together as long as all of them are refusals of the same object, or none is a refusal.
 * So an outage between two refusals begins a new row: a deadline for refusals does not run during an outage. */
static bool is_of_row(const struct failure *row, const struct failure *f)
{
	bool is_refusal = failure_is_refusal(f);

	return failure_is_refusal(row) == is_refusal &&
	       (!is_refusal || (row->res == f->res && text_eq(row->name, f->name)));
}

static void remember_failure(struct key *k, const struct failure *failure)
{
	struct failure *f = k->failure;
	unsigned tries = 0;
	int64_t since_ms = sched_wall(k->c->options.sched);

	if (f && is_of_row(f, failure)) {
		tries = f->tries;
		since_ms = f->since_ms;
	}
	if (!f)
		f = k->failure = xcalloc(1, sizeof(*f));
	*f = *failure;
	f->tries = tries + 1;
	f->since_ms = since_ms;
}

/* deadline_ms: from now; -1: none. */
static void fail_key(struct key *k, const struct failure *failure, int64_t deadline_ms)
{
	struct controller *c = k->c;
	const struct err *err = &failure->err;
	const struct rule *rule = &rules[err->code];
	int64_t now_ms = sched_now(c->options.sched);

	queue_retry(c->queue, k->name, now_ms, err->retry_after_ms, rule->cap_ms);
	controller_metrics_retried(c->metrics);
	if (rule->follow == LOOK_AGAIN) {
		log_debug(k->name, "plan was out of date", "error", err->msg, NULL);
		finish_key(k, "error");
		return;
	}
	log_warn(k->name, "plan failed, will be tried again", "error", err->msg, "class", err_name(err->code), NULL);
	remember_failure(k, failure);
	k->hold_ms = now_ms + (err->retry_after_ms > HOLD_MS ? err->retry_after_ms : HOLD_MS);
	if (deadline_ms >= 0)
		add_key(c, k->name, deadline_ms);
	finish_key(k, "error");
}

static void on_done(void *arg)
{
	struct key *k = arg;
	struct controller *c = k->c;
	struct runner *r = take_ptr(k->runner);
	int64_t now_ms = sched_now(c->options.sched);

	sightings_done(&k->waits);
	k->waits = r->seen;
	r->seen = (struct sightings){ 0 };
	if (k->waits.len > 0) {
		k->rest_ms = now_ms + REST_MS;
		add_patient_key(c, k->name, REST_MS);
	}
	if (r->options.status_ms != k->status_ms) {
		k->status_ms = r->options.status_ms;
		list_remove(&k->recent);
		list_append(&c->recent, &k->recent);
	}
	if (r->root_gone)
		forget_key(k);
	else if (r->failure.err.code != ERR_NONE)
		fail_key(k, &r->failure, k->deadline_ms);
	else
		succeed_key(k, k->requeue_ms);
	runner_free(r);
}

/* ---- before a plan ---- */

/* Whether the cache has not yet seen what the last plan wrote. The wait for that ends at rest_ms. */
static bool is_behind(struct key *k)
{
	const struct controller_options *o = &k->c->options;

	if (k->waits.len == 0)
		return false;
	for (size_t i = 0; i < k->waits.len; i++) {
		const struct sighting *s = &k->waits.items[i];

		if (!o->ops->has_seen(o->arg, s->res, s->ns, s->version) && sched_now(o->sched) < k->rest_ms)
			return true;
	}
	sightings_done(&k->waits);
	return false;
}

/* Forgets what earlier plans left behind if the key now belongs to another object, or to none. */
static void forget_others(struct key *k)
{
	const struct controller_options *o = &k->c->options;
	const char *uid = o->ops->uid ? o->ops->uid(o->arg, k->name) : NULL;

	if (text_eq(k->uid, uid))
		return;
	clear_failure(k);
	outcomes_done(&k->outcomes);
	free(k->uid);
	k->uid = xstrdup_null(uid);
}

static int64_t later_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/*
 * The time before which no plan may be made for the key. It lies in the past if a plan may be made now. In the status
 * interval no plan is made at all: if something has changed, the plan would begin with a status write, which would have
 * to wait. A plan for each event would be made and thrown away.
 */
static int64_t not_before(struct key *k)
{
	int64_t seen_ms = is_behind(k) ? k->rest_ms : 0;
	int64_t status_ms = list_empty(&k->recent) ? 0 : k->status_ms + STATUS_INTERVAL_MS;

	return later_of(k->hold_ms, later_of(seen_ms, status_ms));
}

static void postpone_key(struct key *k, int64_t due_ms)
{
	struct controller *c = k->c;
	int64_t now_ms = sched_now(c->options.sched);

	queue_add(c->queue, k->name, now_ms, due_ms - now_ms);
	queue_finish(c->queue, k->name, now_ms);
	drop_key_if_idle(k);
}

static void run_plan(struct key *k, struct plan *plan)
{
	const struct controller_options *o = &k->c->options;
	struct runner_options options = {
		.api = o->api,
		.sched = o->sched,
		.recorder = o->recorder,
		.key = k->name,
		.drops_unknown_fields = o->drops_unknown_fields,
		.may_write = o->ops->may_write,
		.may_write_arg = o->arg,
		.has_told_dropped = &k->c->has_told_dropped,
		.status_ms = k->status_ms,
		.outcomes = &k->outcomes,
		.done = on_done,
		.arg = k,
	};

	if (plan->forgets)
		outcomes_done(&k->outcomes);
	k->requeue_ms = plan->requeue_ms;
	k->deadline_ms = plan->deadline_ms;
	k->runner = runner_new(&options, plan);
	runner_start(k->runner);
}

static void skip_plan(struct key *k, const struct plan *plan)
{
	if (plan->forgets)
		outcomes_done(&k->outcomes);
	succeed_key(k, plan->requeue_ms);
}

static void begin_key(struct controller *c, const char *name)
{
	const struct controller_options *o = &c->options;
	struct key *k = key_of(c, name);
	int64_t now_ms = sched_now(o->sched), due_ms;
	struct past past;
	struct failure failure = { 0 };
	auto_plan plan;

	plan_init(&plan);
	forget_others(k);
	due_ms = not_before(k);
	if (due_ms > now_ms) {
		postpone_key(k, due_ms);
		return;
	}
	controller_metrics_taken(c->metrics, now_ms - queue_due(c->queue, name));
	k->since_ms = now_ms;
	past = (struct past){ k->failure, k->outcomes };
	if (o->ops->plan(o->arg, name, &past, sched_wall(o->sched), &plan, &failure.err) < 0)
		fail_key(k, &failure, plan.deadline_ms);
	else if (plan.len == 0)
		skip_plan(k, &plan);
	else
		run_plan(k, &plan);
}

static bool may_controller_write(const struct controller *c)
{
	const struct controller_options *o = &c->options;

	return !o->ops->may_write || o->ops->may_write(o->arg);
}

static void on_pump(void *arg)
{
	struct controller *c = arg;

	forget_old_writes(c);
	if (!may_controller_write(c)) {
		sched_arm(c->options.sched, &c->pump, HALT_MS);
		return;
	}
	for (int i = 0; i < PUMP_BATCH && queue_busy(c->queue) < c->options.max_plans; i++) {
		const char *name = queue_take(c->queue, sched_now(c->options.sched));

		if (!name)
			break;
		begin_key(c, name);
	}
	arm_pump(c);
}

/* ---- metrics and /debug/state ---- */

static void on_collect(void *arg)
{
	const struct controller *c = arg;
	int64_t now_ms = sched_now(c->options.sched), since_ms;
	struct controller_load load = { .busy = queue_busy(c->queue) };
	struct map_iter it = { 0 };

	while (map_next(c->keys, &it)) {
		const struct key *k = it.value;
		int64_t age_ms = k->runner ? now_ms - k->since_ms : 0;

		load.longest_ms = age_ms > load.longest_ms ? age_ms : load.longest_ms;
		load.all_ms += age_ms;
	}
	load.waiting = queue_waiting(c->queue, now_ms, &since_ms);
	load.delayed = queue_len(c->queue) - load.waiting;
	load.oldest_ms = now_ms - since_ms;
	controller_metrics_load(c->metrics, &load);
}

static struct json *debug_plan(const struct key *k)
{
	struct json *out = json_new_object();
	auto_free char *action = runner_describe(k->runner);

	json_set_str(out, "key", k->name);
	json_set_str(out, "action", action);
	json_set_i64(out, "since_ms", sched_now(k->c->options.sched) - k->since_ms);
	return out;
}

static struct json *debug_failure(const struct key *k)
{
	struct json *out = json_new_object();

	json_set_str(out, "key", k->name);
	json_set_str(out, "error", k->failure->err.msg);
	json_set_i64(out, "tries", k->failure->tries);
	return out;
}

struct json *controller_debug(const struct controller *c)
{
	struct json *out = json_new_object();
	struct json *plans, *failures;
	struct map_iter it = { 0 };

	json_set_i64(out, "queued", (int64_t)queue_len(c->queue));
	json_set_i64(out, "busy", (int64_t)queue_busy(c->queue));
	json_set_i64(out, "remembered", (int64_t)map_len(c->keys));
	plans = json_set(out, "plans", json_new_array());
	failures = json_set(out, "failures", json_new_array());
	while (map_next(c->keys, &it)) {
		const struct key *k = it.value;

		if (k->runner)
			json_append(plans, debug_plan(k));
		if (k->failure)
			json_append(failures, debug_failure(k));
	}
	return out;
}
