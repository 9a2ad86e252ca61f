/* See sim_replica.h. */
#include "sim_replica.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/text.h"

enum { DRAIN_POLL_MS = 20 };

/* ---- the client: every answer waits for the replica's own clock ---- */

struct gate_call {
	struct list link;
	struct sim_replica *r;
	const struct resource *res;
	struct api_call *inner; /* NULL once it has ended */
	api_data_fn *data;
	api_done_fn *done;
	void *arg;
	struct sched_timer timer;
	struct buf bytes;
	struct reply reply;
};

static void free_call(struct gate_call *call)
{
	list_remove(&call->link);
	sched_disarm(&call->r->sched, &call->timer);
	if (call->inner)
		api_cancel(fake_kube_api(call->r->sim->kube), call->inner);
	buf_done(&call->bytes);
	reply_done(&call->reply);
	free(call);
}

static void on_deliver(void *arg)
{
	struct gate_call *call = arg;
	api_done_fn *done = call->done;
	void *done_arg = call->arg;
	struct reply reply;

	if (call->bytes.len > 0) {
		size_t len = call->bytes.len;
		auto_free char *bytes = buf_take(&call->bytes);

		if (!call->inner)
			sched_arm(&call->r->sched, &call->timer, 0);
		call->data(call->arg, bytes, len);
		return;
	}
	if (call->inner)
		return;
	reply = call->reply;
	call->reply = (struct reply){ 0 };
	free_call(call);
	done(done_arg, &reply);
	reply_done(&reply);
}

static void on_data(void *arg, const char *data, size_t len)
{
	struct gate_call *call = arg;
	bool is_late = call->res == call->r->late;

	buf_add(&call->bytes, data, len);
	if (!is_late || !sched_armed(&call->timer))
		sched_arm(&call->r->sched, &call->timer, is_late ? call->r->late_ms : 0);
}

static void on_done(void *arg, struct reply *reply)
{
	struct gate_call *call = arg;

	call->inner = NULL;
	call->reply = *reply;
	reply->body = NULL;
	sched_arm(&call->r->sched, &call->timer, 0);
}

static struct gate_call *new_call(struct api *api, const struct request *req, api_data_fn *data, api_done_fn *done,
				  void *arg)
{
	struct sim_replica *r = container_of(api, struct sim_replica, api);
	struct gate_call *call = xcalloc(1, sizeof(*call));

	assert_false(r->paused);
	call->r = r;
	call->res = req->res;
	call->data = data;
	call->done = done;
	call->arg = arg;
	call->bytes.max = 64 << 20;
	list_append(&r->calls, &call->link);
	sched_timer_init(&call->timer, on_deliver, call);
	return call;
}

static struct api_call *gate_send(struct api *api, const struct request *req, api_done_fn *done, void *arg)
{
	struct gate_call *call = new_call(api, req, NULL, done, arg);

	if (request_is_write(req) && req->res != &resource_lease && req->res != &resource_event) {
		assert_true(call->r->options.reckless || req->fence);
		call->r->writes++;
		call->r->counted_ms = sched_now(&call->r->sched);
	}
	call->inner = api_send(fake_kube_api(call->r->sim->kube), req, on_done, call);
	return (struct api_call *)(void *)call;
}

static struct api_call *gate_stream(struct api *api, const struct request *req, api_data_fn *data, api_done_fn *done,
				    void *arg)
{
	struct gate_call *call = new_call(api, req, data, done, arg);

	call->inner = api_stream(fake_kube_api(call->r->sim->kube), req, on_data, on_done, call);
	return (struct api_call *)(void *)call;
}

static void gate_cancel(struct api *api, struct api_call *call)
{
	(void)api;
	free_call((struct gate_call *)(void *)call);
}

static const struct api_ops gate_ops = { .send = gate_send, .stream = gate_stream, .cancel = gate_cancel };

/* ---- the process ---- */

static bool may_write(void *arg)
{
	const struct sim_replica *r = arg;

	return r->options.reckless || leader_may_write(r->leader);
}

static void on_started(void *arg)
{
	struct sim_replica *r = arg;

	r->led_ms = sched_now(&r->sched);
	manager_lead(r->manager);
}

static void on_lost(void *arg)
{
	struct sim_replica *r = arg;

	r->lost = true;
	r->ended = !r->options.reckless;
}

static void on_released(void *arg)
{
	struct sim_replica *r = arg;

	r->ended = true;
}

static void on_drain(void *arg)
{
	struct sim_replica *r = arg;

	if (manager_busy(r->manager) > 0)
		sched_arm(&r->sched, &r->drain, DRAIN_POLL_MS);
	else
		leader_release(r->leader, on_released, r);
}

void sim_replica_start(struct sim_replica *r, struct sim *s, const struct sim_replica_options *options)
{
	const struct operator_options spark = {
		.reconcile = reconcile_defaults,
		.manager = { .instance = options->identity, .may_write = may_write, .may_write_arg = r },
	};
	struct leader_options leader = {
		.lease = { SIM_LEASE_NS, options->lease ? options->lease : SIM_LEASE, options->identity, 15000, 10000,
			   2000 },
		.former_name = options->former,
		.on_started = on_started,
		.on_lost = on_lost,
		.arg = r,
	};

	*r = (struct sim_replica){ .sim = s, .options = *options, .led_ms = -1 };
	sched_init(&r->sched, sched_now(&s->sched), sched_wall(&s->sched) + options->skew_ms,
		   text_hash(1, options->identity));
	r->api.ops = &gate_ops;
	list_init(&r->calls);
	sched_timer_init(&r->drain, on_drain, r);
	r->metrics = metrics_new();
	leader.api = &r->api;
	leader.sched = &r->sched;
	leader.metrics = r->metrics;
	r->leader = leader_new(&leader);
	r->spark = operator_new(options->reckless ? &r->api : leader_api(r->leader), &r->sched, r->metrics, &spark);
	r->manager = operator_manager(r->spark);
	manager_start(r->manager);
	leader_start(r->leader);
}

void sim_replica_kill(struct sim_replica *r)
{
	if (!r->manager)
		return;
	r->manager = NULL;
	operator_free(take_ptr(r->spark));
	leader_free(take_ptr(r->leader));
	metrics_free(take_ptr(r->metrics));
	assert_true(list_empty(&r->calls));
	sched_done(&r->sched);
}

void sim_replica_terminate(struct sim_replica *r)
{
	manager_stop(r->manager);
	sched_arm(&r->sched, &r->drain, 0);
}

static bool runs(const struct sim_replica *r)
{
	return r->manager && !r->paused;
}

static void expect_one_writer(const struct sim_replica *replicas, size_t count)
{
	unsigned writers = 0;

	for (size_t i = 0; i < count; i++)
		writers += runs(&replicas[i]) && !replicas[i].options.reckless && leader_may_write(replicas[i].leader);
	if (writers > 1)
		fail_msg("two may write");
}

static int64_t next_ms(const struct sim *s, const struct sim_replica *replicas, size_t count)
{
	int64_t next = sched_next(&s->sched);

	for (size_t i = 0; i < count; i++) {
		int64_t own = runs(&replicas[i]) ? sched_next(&replicas[i].sched) : -1;

		if (own >= 0 && (next < 0 || own < next))
			next = own;
	}
	return next;
}

static void run_to(struct sim *s, struct sim_replica *replicas, size_t count, int64_t now_ms)
{
	sched_run(&s->sched, now_ms);
	for (size_t i = 0; i < count; i++) {
		if (runs(&replicas[i]))
			sched_run(&replicas[i].sched, s->sched.now_ms);
		if (runs(&replicas[i]) && replicas[i].ended)
			sim_replica_kill(&replicas[i]);
	}
	expect_one_writer(replicas, count);
}

void sim_replicas_run(struct sim *s, struct sim_replica *replicas, size_t count, int64_t duration_ms)
{
	int64_t end_ms = sched_now(&s->sched) + duration_ms, next;

	while ((next = next_ms(s, replicas, count)) >= 0 && next <= end_ms)
		run_to(s, replicas, count, next);
	run_to(s, replicas, count, end_ms);
}
