/*
 * The leader over an API server in memory: what it asks, what it tells and when, and that it may be freed anywhere. Who
 * leads when is the stepper's matter (test_lease), two of them at work the simulation's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "fake_kube.h"
#include "runtime/leader.h"

struct fixture {
	struct sched sched;
	struct fake_kube *fk;
	struct metrics *metrics;
	struct leader *leader;
	struct buf log;
	unsigned started;
	unsigned lost;
	unsigned released;
	bool free_at_once; /* in the callback */
};

static int64_t clock_now_ms;

static int64_t read_clock(void)
{
	return clock_now_ms;
}

static void on_log(void *arg, const char *line, size_t len)
{
	struct fixture *f = arg;

	buf_add(&f->log, line, len);
}

static void told(struct fixture *f, unsigned *count)
{
	++*count;
	if (f->free_at_once)
		leader_free(take_ptr(f->leader));
}

static void on_started(void *arg)
{
	told(arg, &((struct fixture *)arg)->started);
}

static void on_lost(void *arg)
{
	told(arg, &((struct fixture *)arg)->lost);
}

static void on_released(void *arg)
{
	told(arg, &((struct fixture *)arg)->released);
}

static struct leader *make(struct fixture *f, const char *identity, int64_t (*clock_ms)(void))
{
	const struct leader_options options = {
		.api = fake_kube_api(f->fk),
		.sched = &f->sched,
		.metrics = f->metrics,
		.lease = { "ops", "lock", identity, 15000, 10000, 2000 },
		.clock_ms = clock_ms,
		.on_started = on_started,
		.on_lost = on_lost,
		.arg = f,
	};

	return leader_new(&options);
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	sched_init(&f->sched, 1000, 1767323045000, 1);
	f->fk = fake_kube_new(&f->sched, NULL);
	f->metrics = metrics_new();
	f->leader = make(f, "me", NULL);
	f->log.max = 1 << 20;
	log_set_sink(on_log, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	log_set_sink(NULL, NULL);
	leader_free(f->leader);
	metrics_free(f->metrics);
	fake_kube_free(f->fk);
	buf_done(&f->log);
	sched_done(&f->sched);
	free(f);
	return 0;
}

static void lead(struct fixture *f)
{
	leader_start(f->leader);
	fake_kube_run(f->fk, 100);
	assert_int_equal(f->started, 1);
	assert_true(leader_leads(f->leader));
}

static double status(const struct fixture *f)
{
	static const char *const lease[] = { "lock" };

	return metric_get(metrics_find(f->metrics, "leader_election_master_status"), lease);
}

static unsigned logged(struct fixture *f, const char *text)
{
	unsigned count = 0;

	for (const char *at = buf_str(&f->log); (at = strstr(at, text)); at++)
		count++;
	return count;
}

static const struct json *lease_of(const struct fixture *f)
{
	return fake_kube_get(f->fk, &resource_lease, "ops", "lock");
}

static void put_lease(struct fixture *f, const char *holder, const char *renewed)
{
	struct json *lease = json_new_object();
	struct json *meta = json_set(lease, "metadata", json_new_object());
	struct json *spec = json_set(lease, "spec", json_new_object());

	json_set_str(meta, "namespace", "ops");
	json_set_str(meta, "name", "lock");
	json_set_str(spec, "holderIdentity", holder);
	json_set_i64(spec, "leaseDurationSeconds", 15);
	json_set_str(spec, "renewTime", renewed);
	fake_kube_put(f->fk, &resource_lease, lease);
}

static void leads_and_renews(void **state)
{
	struct fixture *f = *state;
	auto_free char *census = NULL;

	assert_true(status(f) == 0);
	assert_string_equal(leader_holder(f->leader), "");
	leader_start(f->leader);
	assert_int_equal(f->started, 0); /* never from inside */
	fake_kube_run(f->fk, 10);
	assert_int_equal(f->started, 1);
	assert_true(leader_may_write(f->leader));
	assert_true(status(f) == 1);
	assert_int_equal(logged(f, "level=info key=ops/lock msg=leading identity=me transitions=0"), 1);
	fake_kube_run(f->fk, 60000);
	assert_string_equal(json_str(lease_of(f), "spec.holderIdentity", ""), "me");
	assert_string_equal(json_str(lease_of(f), "spec.acquireTime", ""), "2026-01-02T03:04:05.005000Z");
	assert_in_range(fake_kube_calls(f->fk, VERB_PATCH, &resource_lease), 28, 31);
	assert_int_equal(fake_kube_calls(f->fk, VERB_GET, &resource_lease), 1);
	assert_int_equal(fake_kube_calls(f->fk, VERB_LIST, &resource_lease), 1);
	assert_int_equal(fake_kube_calls(f->fk, VERB_WATCH, &resource_lease), 1);
	assert_int_equal(f->started, 1);
	assert_int_equal(f->lost, 0);
	census = fake_kube_census(f->fk);
	assert_true(text_starts(census, "create leases ops/lock\npatch leases ops/lock\n"));
}

static void stands_by_and_says_behind_whom(void **state)
{
	struct fixture *f = *state;

	put_lease(f, "other", "a");
	leader_start(f->leader);
	fake_kube_run(f->fk, 100);
	put_lease(f, "other", "b");
	fake_kube_run(f->fk, 10000);
	assert_false(leader_leads(f->leader));
	assert_string_equal(leader_holder(f->leader), "other");
	assert_int_equal(logged(f, "msg=\"standing by\" leader=other"), 1);
	put_lease(f, "third", "c");
	fake_kube_run(f->fk, 1000);
	assert_int_equal(logged(f, "msg=\"standing by\" leader=third"), 1);
	put_lease(f, "", "d");
	fake_kube_run(f->fk, 50);
	assert_int_equal(f->started, 1);
	assert_true(status(f) == 1);
}

/* Another Lease of the namespace is none of ours. */
static void other_leases_do_not_matter(void **state)
{
	struct fixture *f = *state;
	struct json *lease = json_new_object();

	lead(f);
	json_set_str(json_set(lease, "metadata", json_new_object()), "namespace", "ops");
	json_set_str(json_get(lease, "metadata"), "name", "another");
	json_set_str(json_set(lease, "spec", json_new_object()), "holderIdentity", "other");
	fake_kube_put(f->fk, &resource_lease, lease);
	fake_kube_run(f->fk, 30000);
	assert_true(leader_leads(f->leader));
	assert_int_equal(fake_kube_calls(f->fk, VERB_GET, &resource_lease), 1);
}

static void loses(void **state)
{
	struct fixture *f = *state;

	lead(f);
	fake_kube_down(f->fk, 60000);
	fake_kube_run(f->fk, 9800);
	assert_true(leader_may_write(f->leader));
	assert_int_equal(logged(f, "msg=\"cannot renew the Lease\" error="), 1);
	fake_kube_run(f->fk, 2200);
	assert_int_equal(f->lost, 1);
	assert_false(leader_leads(f->leader));
	assert_false(leader_may_write(f->leader));
	assert_true(status(f) == 0);
	assert_int_equal(
	    logged(f, "level=error key=ops/lock msg=\"no longer leading\" error=\"not renewed for 10000 ms: "), 1);
	assert_int_equal(logged(f, "level=warn key=ops/lock"), 1);
	fake_kube_run(f->fk, 120000);
	assert_int_equal(f->lost, 1);
	assert_int_equal(f->started, 1);
	assert_string_equal(json_str(lease_of(f), "spec.holderIdentity", ""), "me"); /* it does not come back */
}

/* The loop's time stands still in a callback while the process is stopped; the clock does not. */
static void asks_the_clock(void **state)
{
	struct fixture *f = *state;

	leader_free(f->leader);
	clock_now_ms = 5000;
	f->leader = make(f, "me", read_clock);
	lead(f);
	assert_true(leader_may_write(f->leader));
	clock_now_ms += 9999;
	assert_true(leader_may_write(f->leader));
	clock_now_ms++;
	assert_false(leader_may_write(f->leader));
	fake_kube_run(f->fk, 2100); /* the timer of the next renewal: too late */
	assert_int_equal(f->lost, 1);
}

static void note_reply(void *arg, struct reply *reply)
{
	*(enum err_code *)arg = reply->err.code;
}

static enum err_code write_pod(struct fixture *f, struct api *api, const char *name)
{
	auto_json pod = json_new_object();
	struct json *meta = json_set(pod, "metadata", json_new_object());
	const struct request req = { .verb = VERB_CREATE, .res = &resource_pod, .ns = "ops", .body = pod };
	enum err_code code = ERR_INTERNAL;

	json_set_str(pod, "apiVersion", "v1");
	json_set_str(pod, "kind", "Pod");
	json_set_str(meta, "namespace", "ops");
	json_set_str(meta, "name", name);
	api_send(api, &req, note_reply, &code);
	fake_kube_run(f->fk, 5);
	return code;
}

static enum err_code read_pod(struct fixture *f, const char *name)
{
	const struct request req = { .verb = VERB_GET, .res = &resource_pod, .ns = "ops", .name = name };
	enum err_code code = ERR_INTERNAL;

	api_send(leader_api(f->leader), &req, note_reply, &code);
	fake_kube_run(f->fk, 5);
	return code;
}

/* A write through the leader's API is let through up to the moment at which another one may lead, and no longer. A read
 * always is. */
static void its_api_is_fenced(void **state)
{
	struct fixture *f = *state;
	struct api *api;

	leader_free(f->leader);
	clock_now_ms = 5000;
	f->leader = make(f, "me", read_clock);
	api = leader_api(f->leader);
	assert_int_equal(write_pod(f, api, "before"), ERR_CANCELED);
	lead(f);
	assert_int_equal(write_pod(f, api, "a"), ERR_NONE);
	clock_now_ms += 9999;
	assert_int_equal(write_pod(f, api, "b"), ERR_NONE);
	clock_now_ms++;
	assert_int_equal(write_pod(f, api, "c"), ERR_CANCELED);
	assert_int_equal(read_pod(f, "b"), ERR_NONE);
	assert_int_equal(read_pod(f, "c"), ERR_NOT_FOUND);
	assert_int_equal(write_pod(f, fake_kube_api(f->fk), "others"), ERR_NONE);
}

/* What waits when the Lease is renewed may be sent until the new moment. */
static void a_renewal_moves_the_fence(void **state)
{
	struct fixture *f = *state;

	lead(f);
	fake_kube_run(f->fk, 60000);
	assert_int_equal(write_pod(f, leader_api(f->leader), "a"), ERR_NONE);
	fake_kube_down(f->fk, 60000);
	fake_kube_run(f->fk, 12000);
	assert_int_equal(write_pod(f, leader_api(f->leader), "b"), ERR_CANCELED);
}

static void gives_back(void **state)
{
	struct fixture *f = *state;

	lead(f);
	leader_release(f->leader, on_released, f);
	assert_int_equal(f->released, 0);
	assert_false(leader_may_write(f->leader));
	fake_kube_run(f->fk, 20);
	assert_int_equal(f->released, 1);
	assert_string_equal(json_str(lease_of(f), "spec.holderIdentity", "?"), "");
	assert_int_equal(json_i64(lease_of(f), "spec.leaseDurationSeconds", 0), 1);
	assert_int_equal(logged(f, "msg=\"Lease given back\""), 1);
	fake_kube_run(f->fk, 60000);
	assert_int_equal(f->released, 1);
	assert_int_equal(f->started, 1);
	assert_int_equal(f->lost, 0);
	assert_string_equal(json_str(lease_of(f), "spec.holderIdentity", "?"), "");
}

static void gives_back_in_vain(void **state)
{
	struct fixture *f = *state;

	lead(f);
	fake_kube_down(f->fk, 60000);
	leader_release(f->leader, on_released, f);
	fake_kube_run(f->fk, 1990);
	assert_int_equal(f->released, 0);
	fake_kube_run(f->fk, 20);
	assert_int_equal(f->released, 1);
	assert_int_equal(f->lost, 0);
	assert_int_equal(logged(f, "msg=\"Lease not given back, it will expire\""), 1);
}

/* Whenever it is asked to, and whatever it was just doing, it says once that it is done and leaves nothing behind. */
static void gives_back_at_every_time(void **state)
{
	struct fixture *f = *state;

	for (int64_t at_ms = 0; at_ms < 2100; at_ms += at_ms < 30 ? 1 : 23) {
		leader_free(f->leader);
		f->leader = make(f, "me", NULL);
		f->released = 0;
		if (at_ms > 0)
			leader_start(f->leader);
		fake_kube_run(f->fk, at_ms);
		leader_release(f->leader, on_released, f);
		fake_kube_run(f->fk, 100);
		assert_int_equal(f->released, 1);
		assert_string_equal(json_str(lease_of(f), "spec.holderIdentity", ""), "");
		assert_false(leader_leads(f->leader));
		fake_kube_run(f->fk, 5000);
		assert_int_equal(f->released, 1);
		assert_int_equal(f->lost, 0);
	}
}

/* What the leader does goes to a server that takes its time, the Lease to the quick one. */
static struct fake_kube *work_slowly(struct fixture *f, int64_t call_ms)
{
	struct fake_kube *slow = fake_kube_new(&f->sched, &(struct fake_options){ .call_ms = call_ms });
	struct leader_options options = {
		.api = fake_kube_api(f->fk),
		.work = fake_kube_api(slow),
		.sched = &f->sched,
		.metrics = f->metrics,
		.lease = { "ops", "lock", "me", 15000, 10000, 2000 },
		.on_started = on_started,
		.on_lost = on_lost,
		.arg = f,
	};

	leader_free(f->leader);
	f->leader = leader_new(&options);
	lead(f);
	return slow;
}

static struct api_call *send_write(struct fixture *f, enum err_code *ret)
{
	const struct request req = { .verb = VERB_DELETE, .res = &resource_pod, .ns = "ops", .name = "p" };

	*ret = ERR_INTERNAL;
	return api_send(leader_api(f->leader), &req, note_reply, ret);
}

static void last_writes_are_answered_before_it_is_given_back(void **state)
{
	struct fixture *f = *state;
	struct fake_kube *slow = work_slowly(f, 900);
	enum err_code before, after;

	send_write(f, &before);
	fake_kube_run(f->fk, 100);
	leader_release(f->leader, on_released, f);
	send_write(f, &after);
	fake_kube_run(f->fk, 790);
	assert_int_equal(f->released, 0);
	assert_string_equal(json_str(lease_of(f), "spec.holderIdentity", "?"), "me");
	fake_kube_run(f->fk, 50);
	assert_int_equal(before, ERR_NOT_FOUND);
	assert_int_equal(f->released, 1);
	assert_string_equal(json_str(lease_of(f), "spec.holderIdentity", "?"), "");
	fake_kube_run(f->fk, 1000);
	assert_int_equal(after, ERR_CANCELED);
	assert_int_equal(fake_kube_calls(slow, VERB_DELETE, &resource_pod), 1);
	leader_free(take_ptr(f->leader));
	fake_kube_free(slow);
}

/* The write may take place at any time: the next leader has to wait until the Lease expires. */
static void it_is_kept_if_a_write_is_not_answered(void **state)
{
	struct fixture *f = *state;
	struct fake_kube *slow = work_slowly(f, 3000);
	enum err_code code;

	send_write(f, &code);
	fake_kube_run(f->fk, 100);
	leader_release(f->leader, on_released, f);
	fake_kube_run(f->fk, LEADER_WRITES_MS - 1);
	assert_int_equal(f->released, 0);
	fake_kube_run(f->fk, 30);
	assert_int_equal(f->released, 1);
	assert_int_equal(f->lost, 0);
	assert_int_equal(logged(f, "msg=\"Lease kept, it will expire\" reason=\"a write was sent"), 1);
	fake_kube_run(f->fk, 60000);
	assert_int_equal(f->released, 1);
	assert_int_equal(f->lost, 0);
	assert_false(leader_may_write(f->leader));
	assert_string_equal(json_str(lease_of(f), "spec.holderIdentity", "?"), "me");
	assert_int_equal(json_i64(lease_of(f), "spec.leaseDurationSeconds", 0), 15);
	leader_free(take_ptr(f->leader));
	fake_kube_free(slow);
}

static void it_is_kept_after_a_cancelled_write(void **state)
{
	struct fixture *f = *state;
	struct fake_kube *slow = work_slowly(f, 3000);
	enum err_code code;

	api_cancel(leader_api(f->leader), send_write(f, &code));
	fake_kube_run(f->fk, 14999);
	leader_release(f->leader, on_released, f);
	fake_kube_run(f->fk, 20);
	assert_int_equal(f->released, 1);
	assert_string_equal(json_str(lease_of(f), "spec.holderIdentity", "?"), "me");
	leader_free(f->leader);
	fake_kube_free(slow);
	/* a lease duration later it does no harm any more */
	fake_kube_run(f->fk, 20000);
	f->started = f->released = 0;
	f->leader = NULL;
	slow = work_slowly(f, 3000);
	api_cancel(leader_api(f->leader), send_write(f, &code));
	fake_kube_run(f->fk, 15000);
	leader_release(f->leader, on_released, f);
	fake_kube_run(f->fk, 20);
	assert_int_equal(f->released, 1);
	assert_string_equal(json_str(lease_of(f), "spec.holderIdentity", "?"), "");
	leader_free(take_ptr(f->leader));
	fake_kube_free(slow);
}

/* The Lease goes on being renewed while the last answer is awaited, and may be lost. */
static void it_may_be_lost_while_the_last_answer_is_awaited(void **state)
{
	struct fixture *f = *state;
	struct fake_kube *slow = work_slowly(f, 3000);
	enum err_code code;

	send_write(f, &code);
	fake_kube_run(f->fk, 100);
	leader_release(f->leader, on_released, f);
	put_lease(f, "other", "a");
	fake_kube_run(f->fk, 100);
	assert_int_equal(f->released, 1);
	assert_int_equal(f->lost, 0);
	fake_kube_run(f->fk, 5000);
	assert_int_equal(f->released, 1);
	assert_int_equal(f->lost, 0);
	assert_string_equal(json_str(lease_of(f), "spec.holderIdentity", "?"), "other");
	leader_free(take_ptr(f->leader));
	fake_kube_free(slow);
}

static void release_of_a_standby_is_done_at_once(void **state)
{
	struct fixture *f = *state;

	put_lease(f, "other", "a");
	leader_start(f->leader);
	fake_kube_run(f->fk, 100);
	leader_release(f->leader, on_released, f);
	fake_kube_run(f->fk, 0);
	assert_int_equal(f->released, 1);
	assert_string_equal(json_str(lease_of(f), "spec.holderIdentity", ""), "other");
	assert_int_equal(logged(f, "given back"), 0);
}

static void release_after_the_loss(void **state)
{
	struct fixture *f = *state;

	lead(f);
	put_lease(f, "other", "a");
	while (leader_leads(f->leader))
		sched_run(&f->sched, sched_next(&f->sched));
	leader_release(f->leader, on_released, f); /* before the loss was told */
	fake_kube_run(f->fk, 1000);
	assert_int_equal(f->released, 1);
	assert_int_equal(f->lost, 0);
	assert_string_equal(json_str(lease_of(f), "spec.holderIdentity", ""), "other");
}

static void may_be_freed_in_callbacks(void **state)
{
	struct fixture *f = *state;

	f->free_at_once = true;
	leader_start(f->leader);
	fake_kube_run(f->fk, 1000);
	assert_int_equal(f->started, 1);
	assert_null(f->leader);
	f->free_at_once = false;
	f->leader = make(f, "next", NULL);
	leader_start(f->leader);
	fake_kube_run(f->fk, 20000);
	assert_int_equal(f->started, 2);
	f->free_at_once = true;
	put_lease(f, "other", "a");
	fake_kube_run(f->fk, 1000);
	assert_int_equal(f->lost, 1);
	assert_null(f->leader);
	f->free_at_once = false;
	f->leader = make(f, "last", NULL);
	leader_start(f->leader);
	fake_kube_run(f->fk, 20000);
	f->free_at_once = true;
	leader_release(f->leader, on_released, f);
	fake_kube_run(f->fk, 1000);
	assert_int_equal(f->released, 1);
	assert_null(f->leader);
}

static void may_be_freed_at_every_time(void **state)
{
	struct fixture *f = *state;

	for (int64_t at_ms = 0; at_ms < 30; at_ms++) {
		leader_free(f->leader);
		f->leader = make(f, "me", NULL);
		leader_start(f->leader);
		fake_kube_run(f->fk, at_ms);
	}
	leader_free(take_ptr(f->leader));
	leader_free(NULL);
	fake_kube_run(f->fk, 60000);
	assert_int_equal(f->lost, 0);
}

/* What is wrong is said when it begins and once a minute. */
static void says_what_is_wrong(void **state)
{
	static const struct fake_refusal refusal = { 403, NULL, "leases is forbidden", 0 };
	struct fixture *f = *state;

	fake_kube_refuse(f->fk, VERB_GET, &resource_lease, -1, &refusal);
	leader_start(f->leader);
	fake_kube_run(f->fk, 110000);
	assert_int_equal(
	    logged(f, "level=warn key=ops/lock msg=\"cannot get the Lease\" error=\"get leases ops/lock: 403 "), 2);
	fake_kube_accept(f->fk);
	fake_kube_run(f->fk, 5000);
	assert_int_equal(f->started, 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(leads_and_renews),
		TEST(stands_by_and_says_behind_whom),
		TEST(other_leases_do_not_matter),
		TEST(loses),
		TEST(asks_the_clock),
		TEST(its_api_is_fenced),
		TEST(a_renewal_moves_the_fence),
		TEST(gives_back),
		TEST(gives_back_in_vain),
		TEST(gives_back_at_every_time),
		TEST(last_writes_are_answered_before_it_is_given_back),
		TEST(it_is_kept_if_a_write_is_not_answered),
		TEST(it_is_kept_after_a_cancelled_write),
		TEST(it_may_be_lost_while_the_last_answer_is_awaited),
		TEST(release_of_a_standby_is_done_at_once),
		TEST(release_after_the_loss),
		TEST(may_be_freed_in_callbacks),
		TEST(may_be_freed_at_every_time),
		TEST(says_what_is_wrong),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
