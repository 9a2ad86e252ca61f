/*
 * The leader: carries the commands of the lease stepper to the API server, and replies and watch events of the Lease
 * back to it.
 *
 * Happy path: start → first reply → on_started, or standing by until the Lease is free → renewals → release → done. The
 * stepper decides about failures. Callbacks run from a timer of their own, so that they may free the leader. If the
 * Lease cannot be watched, only the time until the next try is lost, and the informer logs it.
 *
 * The Lease of a former operator has a leader of its own, inside this one: taken before, lost as if this one were lost,
 * given back after it. Its fence is behind the fence of this one, so a write that passes here is counted at both.
 */
#include "runtime/leader.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "kube/fence.h"
#include "runtime/cache.h"

enum { LOG_EVERY_MS = 60 * 1000, WRITES_POLL_MS = 20 };

struct leader {
	struct api *api;
	struct api *work;
	struct api guarded; /* work with the fence */
	struct fence fence;
	struct sched *sched;
	int64_t (*clock_ms)(void);
	void (*on_started)(void *arg);
	void (*on_lost)(void *arg);
	void *arg;
	char *ns;
	char *name;
	char *key;	       /* "namespace/name", for the log */
	struct leader *former; /* of the other operator's Lease; or NULL */
	struct lease *lease;
	struct cache *cache; /* holds the Lease if there is one */
	struct api_call *call;
	struct sched_timer timer;  /* when the stepper wants its timer event */
	struct sched_timer notify; /* runs the callbacks */
	enum lease_state notified; /* the state that the callbacks last knew */
	void (*on_released)(void *arg);
	void *release_arg;
	struct sched_timer writes; /* looks whether what was sent has been answered */
	int64_t writes_end_ms;	   /* when it no longer waits for that */
	int64_t duration_ms;	   /* of the lease */
	bool ending;		   /* leader_release was called */
	bool ended;		   /* the stepper was told so, or the Lease is kept */
	bool kept;		   /* until it expires */
	char *standing_by;	   /* the holder in the last log line about it, or NULL */
	bool troubled;		   /* the last try failed */
	int64_t logged_ms;	   /* when that was last logged */
	struct metric *status;
};

static const struct kind lease_kind = { .res = &resource_lease, .keep_tree = true };

static void on_timer(void *arg);
static void on_writes(void *arg);
static void on_notify(void *arg);
static void on_change(void *arg, const struct kobj *before, const struct kobj *now);
static void on_former_held(void *arg);
static void on_former_lost(void *arg);

static int64_t leader_now_ms(const struct leader *l)
{
	return l->clock_ms ? l->clock_ms() : sched_now(l->sched);
}

static int64_t fence_now_ms(const struct fence *f)
{
	return leader_now_ms(container_of(f, struct leader, fence));
}

/* ---- the API that is for the leader only ---- */

static struct api_call *send_guarded(struct api *api, const struct request *req, api_done_fn *done, void *arg)
{
	struct leader *l = container_of(api, struct leader, guarded);
	struct request fenced = *req;

	if (request_is_write(req))
		fenced.fence = &l->fence;
	return api_send(l->work, &fenced, done, arg);
}

static struct api_call *stream_guarded(struct api *api, const struct request *req, api_data_fn *data, api_done_fn *done,
				       void *arg)
{
	return api_stream(container_of(api, struct leader, guarded)->work, req, data, done, arg);
}

static void cancel_guarded(struct api *api, struct api_call *call)
{
	api_cancel(container_of(api, struct leader, guarded)->work, call);
}

static const struct api_ops guarded_ops = {
	.send = send_guarded,
	.stream = stream_guarded,
	.cancel = cancel_guarded,
};

/* ---- life ---- */

static void show_status(const struct leader *l)
{
	const char *const values[] = { l->name };

	if (l->status)
		metric_set(l->status, values, leader_leads(l));
}

static struct metric *status_metric(struct metrics *m)
{
	static const char *const labels[] = { "name", NULL };

	return metrics_family(m, METRIC_GAUGE, "leader_election_master_status",
			      "1 while this process leads, 0 while it stands by", labels, NULL, 0);
}

static struct cache *make_lease_cache(struct leader *l, struct metrics *metrics)
{
	auto_free char *selector = xasprintf("metadata.name=%s", l->name);
	const char *const ns = l->ns;
	const struct cache_options options = {
		.api = l->api,
		.sched = l->sched,
		.metrics = metrics,
		.kind = &lease_kind,
		.namespaces = &ns,
		.namespace_count = 1,
		.field_selector = selector,
		.on_change = on_change,
		.arg = l,
	};

	return cache_new(&options);
}

static bool has_former(const struct leader_options *options)
{
	return options->former_name && !text_eq(options->former_name, options->lease.name);
}

int leader_check(const struct leader_options *options, struct err *err)
{
	struct lease_options former = options->lease;

	former.name = has_former(options) ? options->former_name : options->lease.name;
	return lease_check(&options->lease, err) < 0 ? err_code(err) : lease_check(&former, err);
}

/* Without a metric: that one says which process works, and knows only the one Lease. */
static struct leader *make_former(struct leader *l, const struct leader_options *options)
{
	struct leader_options former = *options;

	former.lease.name = options->former_name;
	former.former_name = NULL;
	former.metrics = NULL;
	former.on_started = on_former_held;
	former.on_lost = on_former_lost;
	former.arg = l;
	return leader_new(&former);
}

struct leader *leader_new(const struct leader_options *options)
{
	struct leader *l = xcalloc(1, sizeof(*l));

	l->api = options->api;
	l->work = options->work ? options->work : options->api;
	l->guarded.ops = &guarded_ops;
	fence_init(&l->fence, fence_now_ms);
	if (has_former(options)) {
		l->former = make_former(l, options);
		l->fence.next = &l->former->fence;
	}
	l->sched = options->sched;
	l->clock_ms = options->clock_ms;
	l->on_started = options->on_started;
	l->on_lost = options->on_lost;
	l->arg = options->arg;
	l->ns = xstrdup(options->lease.ns);
	l->name = xstrdup(options->lease.name);
	l->duration_ms = options->lease.duration_ms;
	l->key = xasprintf("%s/%s", l->ns, l->name);
	l->lease = lease_new(&options->lease, &options->sched->rng);
	l->cache = make_lease_cache(l, options->metrics);
	sched_timer_init(&l->timer, on_timer, l);
	sched_timer_init(&l->writes, on_writes, l);
	sched_timer_init(&l->notify, on_notify, l);
	if (options->metrics)
		l->status = status_metric(options->metrics);
	show_status(l);
	return l;
}

static void cancel_request(struct leader *l)
{
	if (l->call)
		api_cancel(l->api, take_ptr(l->call));
}

void leader_free(struct leader *l)
{
	if (!l)
		return;
	cancel_request(l);
	sched_disarm(l->sched, &l->timer);
	sched_disarm(l->sched, &l->writes);
	sched_disarm(l->sched, &l->notify);
	cache_free(l->cache);
	lease_free(l->lease);
	leader_free(l->former);
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

/* Logs a problem when it begins, and then once a minute. */
static void log_lease_problem(struct leader *l)
{
	static const char *const texts[] = {
		[LEASE_WAITING] = "cannot get the Lease",
		[LEASE_LEADING] = "cannot renew the Lease",
		[LEASE_RELEASING] = "cannot give the Lease back",
	};
	enum lease_state state = lease_state(l->lease);
	const char *problem = lease_problem(l->lease);
	bool troubled = problem[0] != '\0';

	if (state >= array_len(texts) || !texts[state])
		return; /* log_state logs the others */
	if (troubled && (!l->troubled || sched_now(l->sched) - l->logged_ms >= LOG_EVERY_MS)) {
		l->logged_ms = sched_now(l->sched);
		log_warn(l->key, texts[state], "error", problem, NULL);
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

static void send_command(struct leader *l, const struct lease_cmd *cmd)
{
	static const enum verb verbs[] = {
		[LEASE_CMD_GET] = VERB_GET,
		[LEASE_CMD_CREATE] = VERB_CREATE,
		[LEASE_CMD_PATCH] = VERB_PATCH,
	};
	const struct request req = {
		.verb = verbs[cmd->type],
		.res = &resource_lease,
		.ns = l->ns,
		.name = cmd->type == LEASE_CMD_CREATE ? NULL : l->name,
		.body = cmd->body,
		.timeout_ms = cmd->timeout_ms,
	};

	cancel_request(l);
	l->call = api_send(l->api, &req, on_reply, l);
}

static void rearm_timer(struct leader *l)
{
	int64_t due_ms = lease_due(l->lease);

	if (due_ms < 0)
		sched_disarm(l->sched, &l->timer);
	else
		sched_arm(l->sched, &l->timer, due_ms - leader_now_ms(l));
}

static void step_lease(struct leader *l, struct lease_event *ev)
{
	enum lease_state before = lease_state(l->lease), after;
	struct lease_cmd cmd;

	if (l->kept)
		return;
	ev->now_ms = leader_now_ms(l);
	ev->wall_ms = sched_wall(l->sched);
	lease_step(l->lease, ev, &cmd);
	after = lease_state(l->lease);
	l->fence.until_ms = l->ending ? INT64_MIN : lease_writes_until(l->lease);
	if (cmd.type != LEASE_CMD_NONE)
		send_command(l, &cmd);
	else if (after == LEASE_LOST || after == LEASE_RELEASED)
		cancel_request(l);
	json_free(cmd.body);
	rearm_timer(l);
	log_holder(l);
	log_lease_problem(l);
	if (after == before)
		return;
	show_status(l);
	log_state(l, before);
	sched_arm(l->sched, &l->notify, 0);
}

static void on_reply(void *arg, struct reply *reply)
{
	struct leader *l = arg;
	struct lease_event ev = { .type = LEASE_EV_REPLY, .object = reply->body, .err = &reply->err };

	l->call = NULL;
	step_lease(l, &ev);
}

static void on_change(void *arg, const struct kobj *before, const struct kobj *now)
{
	struct leader *l = arg;
	struct lease_event ev = { .type = LEASE_EV_SEEN, .object = now ? now->tree : NULL };

	if (text_eq((now ? now : before)->name, l->name))
		step_lease(l, &ev);
}

static void on_timer(void *arg)
{
	struct lease_event ev = { .type = LEASE_EV_TIMER };

	step_lease(arg, &ev);
}

static void notify_of_end(struct leader *l)
{
	enum lease_state state = lease_state(l->lease);
	bool over = l->ended ? state != LEASE_RELEASING : state == LEASE_LOST;
	void (*done)(void *arg) = l->on_released;

	if (!over || !done)
		return;
	l->on_released = NULL;
	if (l->former)
		leader_release(l->former, done, l->release_arg);
	else
		done(l->release_arg);
}

/* Every branch runs its callback last, since that may free the leader. */
static void on_notify(void *arg)
{
	struct leader *l = arg;
	enum lease_state state = lease_state(l->lease), notified = l->notified;

	l->notified = state;
	if (l->ending)
		notify_of_end(l);
	else if (state == LEASE_LEADING && notified != LEASE_LEADING)
		l->on_started(l->arg);
	else if (state == LEASE_LOST && notified != LEASE_LOST)
		l->on_lost(l->arg);
}

static void start_lease(struct leader *l)
{
	struct lease_event ev = { .type = LEASE_EV_START };

	step_lease(l, &ev);
}

static void on_former_held(void *arg)
{
	struct leader *l = arg;

	if (!l->ending)
		start_lease(l);
}

static void on_former_lost(void *arg)
{
	struct leader *l = arg;

	if (!l->ending)
		l->on_lost(l->arg);
}

/* ---- the end ---- */

/* Whether something that was sent may take place after another replica has begun to lead. */
static bool has_loose_write(const struct leader *l)
{
	const struct fence *f = &l->fence;

	return f->under_way > 0 ||
	       (f->unanswered_ms != INT64_MIN && leader_now_ms(l) - f->unanswered_ms < l->duration_ms);
}

static void keep_lease(struct leader *l)
{
	l->kept = true;
	cancel_request(l);
	sched_disarm(l->sched, &l->timer);
	log_info(l->key, "Lease kept, it will expire", "reason",
		 "a write was sent and not answered, and may take place still", NULL);
}

static void end_leading(struct leader *l)
{
	struct lease_event ev = { .type = LEASE_EV_RELEASE };

	l->ended = true;
	if (leader_leads(l) && has_loose_write(l))
		keep_lease(l);
	else
		step_lease(l, &ev);
	sched_arm(l->sched, &l->notify, 0);
}

static void on_writes(void *arg)
{
	struct leader *l = arg;

	if (l->fence.under_way > 0 && sched_now(l->sched) < l->writes_end_ms)
		sched_arm(l->sched, &l->writes, WRITES_POLL_MS);
	else
		end_leading(l);
}

/* ---- the contract ---- */

void leader_start(struct leader *l)
{
	cache_start(l->cache);
	if (l->former)
		leader_start(l->former);
	else
		start_lease(l);
}

void leader_release(struct leader *l, void (*done)(void *arg), void *arg)
{
	l->on_released = done;
	l->release_arg = arg;
	l->ending = true;
	l->fence.until_ms = INT64_MIN;
	l->writes_end_ms = sched_now(l->sched) + LEADER_WRITES_MS;
	on_writes(l);
}

struct api *leader_api(struct leader *l)
{
	return &l->guarded;
}

bool leader_leads(const struct leader *l)
{
	return lease_state(l->lease) == LEASE_LEADING && (!l->former || leader_leads(l->former));
}

bool leader_may_write(const struct leader *l)
{
	return fence_is_open(&l->fence);
}

const char *leader_holder(const struct leader *l)
{
	return l->former && !leader_leads(l->former) ? leader_holder(l->former) : lease_holder(l->lease);
}
