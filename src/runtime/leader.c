/*
 * The leader: carries the commands of the lease stepper to the API server, and replies and watch events of the Lease back to it.
 *
 * Happy path: start → first reply → on_started, or standing by until the Lease is free → renewals → release → done.
 * Failure modes are the stepper's to decide. Callbacks run from a timer of their own, so that they may free the leader. A Lease that
 * cannot be watched costs only the time until the next try: the informer says so in the log.
 */
#include "runtime/leader.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "runtime/informer.h"

enum { LOG_EVERY_MS = 60 * 1000, MAX_TIMEOUT_MS = 5000 };

struct leader {
	struct leader_options options;
	char *ns;
	char *name;
	char *key; /* "namespace/name", for the log */
	struct lease *lease;
	struct store *store; /* at most the one Lease */
	struct informer *informer;
	struct api_call *call;
	struct sched_timer timer;  /* the stepper's */
	struct sched_timer notify; /* something is to be told */
	enum lease_state told;
	void (*on_released)(void *arg);
	void *release_arg;
	char *standing_by; /* the holder that the log was last told of, or NULL */
	bool troubled;
	int64_t logged_ms; /* the last warning in a row */
	struct metric *status;
};

static const struct kind lease_kind = { .res = &resource_lease, .keep_tree = true };

static void on_timer(void *arg);
static void on_notify(void *arg);
static void on_change(void *arg, const struct kobj *before, const struct kobj *now);

static int64_t now_ms(const struct leader *l)
{
	return l->options.clock_ms ? l->options.clock_ms() : sched_now(l->options.sched);
}

static void show_status(const struct leader *l)
{
	const char *const values[] = { l->name };

	if (l->status)
		metric_set(l->status, values, leader_leads(l));
}

static struct metric *status_metric(struct metrics *m)
{
	static const char name[] = "leader_election_master_status";
	static const char *const labels[] = { "name", NULL };
	struct metric *found = metrics_find(m, name);

	return found ? found
		     : metrics_add(m, METRIC_GAUGE, name, "1 while this process leads, 0 while it stands by", labels,
				   NULL, 0);
}

static struct informer *make_informer(const struct leader *l)
{
	auto_free char *selector = xasprintf("metadata.name=%s", l->name);
	const struct informer_options options = {
		.api = l->options.api,
		.sched = l->options.sched,
		.store = l->store,
		.ns = l->ns,
		.field_selector = selector,
		.metrics = l->options.metrics,
	};

	return informer_new(&options);
}

struct leader *leader_new(const struct leader_options *options)
{
	struct leader *l = xcalloc(1, sizeof(*l));

	l->options = *options;
	l->ns = xstrdup(options->lease.ns);
	l->name = xstrdup(options->lease.name);
	l->key = xasprintf("%s/%s", l->ns, l->name);
	l->lease = lease_new(&options->lease, &options->sched->rng);
	l->store = store_new(&lease_kind);
	store_on_change(l->store, on_change, l);
	l->informer = make_informer(l);
	sched_timer_init(&l->timer, on_timer, l);
	sched_timer_init(&l->notify, on_notify, l);
	if (options->metrics)
		l->status = status_metric(options->metrics);
	show_status(l);
	return l;
}

static void cancel(struct leader *l)
{
	if (l->call)
		api_cancel(l->options.api, take_ptr(l->call));
}

void leader_free(struct leader *l)
{
	if (!l)
		return;
	cancel(l);
	sched_disarm(l->options.sched, &l->timer);
	sched_disarm(l->options.sched, &l->notify);
	informer_free(l->informer);
	store_free(l->store);
	lease_free(l->lease);
	free(l->standing_by);
	free(l->key);
	free(l->name);
	free(l->ns);
	free(l);
}

/* ---- the log ---- */

static void log_holder(struct leader *l)
{
	const char *holder = lease_holder(l->lease);

	if (lease_state(l->lease) != LEASE_WAITING || !holder[0] || text_eq(holder, l->standing_by))
		return;
	free(l->standing_by);
	l->standing_by = xstrdup(holder);
	log_info(l->key, "standing by", "leader", holder, NULL);
}

/* When it begins, and then once a minute. */
static void log_problem(struct leader *l)
{
	const char *problem = lease_problem(l->lease);
	bool troubled = problem[0] != '\0';

	if (lease_state(l->lease) == LEASE_LOST || lease_state(l->lease) == LEASE_RELEASED)
		return; /* log_state says it */
	if (troubled && (!l->troubled || sched_now(l->options.sched) - l->logged_ms >= LOG_EVERY_MS)) {
		l->logged_ms = sched_now(l->options.sched);
		log_warn(l->key, leader_leads(l) ? "cannot renew the Lease" : "cannot get the Lease", "error", problem,
			 NULL);
	}
	l->troubled = troubled;
}

static void log_state(const struct leader *l, enum lease_state before)
{
	enum lease_state state = lease_state(l->lease);
	auto_free char *transitions = xasprintf("%lld", (long long)lease_transitions(l->lease));
	const char *problem = lease_problem(l->lease);

	if (state == LEASE_LEADING)
		log_info(l->key, "leading", "identity", lease_holder(l->lease), "transitions", transitions, NULL);
	else if (state == LEASE_LOST)
		log_error(l->key, "no longer leading", "error", problem, NULL);
	else if (state == LEASE_RELEASED && before == LEASE_RELEASING)
		log_info(l->key, problem[0] ? "Lease not given back, it will expire" : "Lease given back",
			 problem[0] ? "error" : NULL, problem, NULL);
}

/* ---- the stepper ---- */

static void on_reply(void *arg, struct reply *reply);

static void send(struct leader *l, const struct lease_cmd *cmd)
{
	static const enum verb verbs[] = {
		[LEASE_CMD_GET] = VERB_GET,
		[LEASE_CMD_CREATE] = VERB_CREATE,
		[LEASE_CMD_PATCH] = VERB_PATCH,
	};
	int64_t timeout_ms = l->options.lease.renew_deadline_ms / 2;
	const struct request req = {
		.verb = verbs[cmd->type],
		.lane = LANE_HIGH,
		.res = &resource_lease,
		.ns = l->ns,
		.name = cmd->type == LEASE_CMD_CREATE ? NULL : l->name,
		.body = cmd->body,
		.timeout_ms = timeout_ms < MAX_TIMEOUT_MS ? timeout_ms : MAX_TIMEOUT_MS,
	};

	cancel(l);
	l->call = api_send(l->options.api, &req, on_reply, l);
}

static void rearm(struct leader *l)
{
	int64_t due_ms = lease_due(l->lease);

	if (due_ms < 0)
		sched_disarm(l->options.sched, &l->timer);
	else
		sched_arm(l->options.sched, &l->timer, due_ms - now_ms(l));
}

static void step(struct leader *l, struct lease_event *ev)
{
	enum lease_state before = lease_state(l->lease), after;
	struct lease_cmd cmd;

	ev->now_ms = now_ms(l);
	ev->wall_ms = sched_wall(l->options.sched);
	lease_step(l->lease, ev, &cmd);
	after = lease_state(l->lease);
	if (cmd.type != LEASE_CMD_NONE)
		send(l, &cmd);
	else if (after == LEASE_LOST || after == LEASE_RELEASED)
		cancel(l);
	json_free(cmd.body);
	rearm(l);
	log_holder(l);
	log_problem(l);
	if (after == before)
		return;
	show_status(l);
	log_state(l, before);
	sched_arm(l->options.sched, &l->notify, 0);
}

static void on_reply(void *arg, struct reply *reply)
{
	struct leader *l = arg;
	struct lease_event ev = { .type = LEASE_EV_REPLY, .object = reply->body, .err = &reply->err };

	l->call = NULL;
	step(l, &ev);
}

static void on_change(void *arg, const struct kobj *before, const struct kobj *now)
{
	struct leader *l = arg;
	struct lease_event ev = { .type = LEASE_EV_SEEN, .object = now ? now->tree : NULL };

	if (text_eq((now ? now : before)->name, l->name))
		step(l, &ev);
}

static void on_timer(void *arg)
{
	struct lease_event ev = { .type = LEASE_EV_TIMER };

	step(arg, &ev);
}

/* Every branch calls back as its last act. */
static void on_notify(void *arg)
{
	struct leader *l = arg;
	enum lease_state state = lease_state(l->lease), told = l->told;
	void (*done)(void *arg) = l->on_released;

	if (done && state == LEASE_RELEASING)
		return;
	l->told = state;
	l->on_released = NULL;
	if (done)
		done(l->release_arg);
	else if (state == LEASE_LEADING && told != LEASE_LEADING)
		l->options.on_started(l->options.arg);
	else if (state == LEASE_LOST && told != LEASE_LOST)
		l->options.on_lost(l->options.arg);
}

/* ---- the contract ---- */

void leader_start(struct leader *l)
{
	struct lease_event ev = { .type = LEASE_EV_START };

	informer_start(l->informer);
	step(l, &ev);
}

void leader_release(struct leader *l, void (*done)(void *arg), void *arg)
{
	struct lease_event ev = { .type = LEASE_EV_RELEASE };

	l->on_released = done;
	l->release_arg = arg;
	step(l, &ev);
	sched_arm(l->options.sched, &l->notify, 0);
}

bool leader_leads(const struct leader *l)
{
	return lease_state(l->lease) == LEASE_LEADING;
}

bool leader_may_write(const struct leader *l)
{
	return lease_may_write(l->lease, now_ms(l));
}

const char *leader_holder(const struct leader *l)
{
	return lease_holder(l->lease);
}
