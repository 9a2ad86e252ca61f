/*
 * The recorder: repetitions become a count, talkative objects are silenced, and a server that refuses or is away costs
 * events, never memory.
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
#include "fake_kube.h"
#include "runtime/recorder.h"

#define EVENTS (&resource_event)

struct fixture {
	struct sched sched;
	struct fake_kube *fk;
	struct metrics *metrics;
	struct recorder *recorder;
	struct buf log;
};

static void on_log(void *arg, const char *line, size_t len)
{
	struct fixture *f = arg;

	buf_add(&f->log, line, len);
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	sched_init(&f->sched, 1000, 1767323045000, 1);
	f->fk = fake_kube_new(&f->sched, &(struct fake_options){ .count_events = true });
	f->metrics = metrics_new();
	f->recorder = recorder_new(fake_kube_api(f->fk), &f->sched, "operator", "host", f->metrics);
	f->log.max = 1 << 20;
	log_set_sink(on_log, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	log_set_sink(NULL, NULL);
	recorder_free(f->recorder);
	metrics_free(f->metrics);
	fake_kube_free(f->fk);
	buf_done(&f->log);
	sched_done(&f->sched);
	free(f);
	return 0;
}

static void say(struct fixture *f, const char *uid, const char *reason)
{
	const struct event_about about = { &resource_sparkapplication, "ns", "app", uid };

	recorder_event(f->recorder, &about, "Normal", reason, "something happened");
}

static const struct json *only_event(struct fixture *f)
{
	size_t pos = 0;

	assert_int_equal(fake_kube_count(f->fk, EVENTS), 1);
	return fake_kube_next(f->fk, EVENTS, &pos);
}

static double result(const struct fixture *f, const char *name)
{
	const char *const values[] = { name };

	return metric_get(metrics_find(f->metrics, "event_recorder_events_total"), values);
}

static unsigned lines(const struct fixture *f)
{
	unsigned count = 0;

	for (const char *at = buf_str(&f->log); (at = strchr(at, '\n')); at++)
		count++;
	return count;
}

static void first_occurrence(void **state)
{
	struct fixture *f = *state;
	const struct json *event;

	say(f, "u1", "Created");
	assert_int_equal(recorder_pending(f->recorder), 1);
	fake_kube_run(f->fk, 10);
	assert_int_equal(recorder_pending(f->recorder), 0);
	event = only_event(f);
	assert_string_equal(json_str(event, "reason", ""), "Created");
	assert_string_equal(json_str(event, "involvedObject.uid", ""), "u1");
	assert_string_equal(json_str(event, "source.component", ""), "operator");
	assert_string_equal(json_str(event, "metadata.namespace", ""), "ns");
	assert_int_equal(json_i64(event, "count", 0), 1);
	assert_int_equal(result(f, "sent"), 1);
}

static void repetitions_are_counted(void **state)
{
	struct fixture *f = *state;
	const struct json *event;

	for (int i = 0; i < 5; i++)
		say(f, "u1", "Created");
	fake_kube_run(f->fk, 100);
	assert_int_equal(json_i64(only_event(f), "count", 0), 5);
	assert_int_equal(fake_kube_write_count(f->fk), 2);
	fake_kube_run(f->fk, 60000);
	say(f, "u1", "Created");
	fake_kube_run(f->fk, 100);
	event = only_event(f);
	assert_int_equal(json_i64(event, "count", 0), 6);
	assert_string_equal(json_str(event, "firstTimestamp", ""), "2026-01-02T03:04:05Z");
	assert_string_equal(json_str(event, "lastTimestamp", ""), "2026-01-02T03:05:05Z");
	say(f, "u1", "Other");
	say(f, "u2", "Created");
	fake_kube_run(f->fk, 100);
	assert_int_equal(fake_kube_count(f->fk, EVENTS), 3);
}

static void a_new_event_after_the_window(void **state)
{
	struct fixture *f = *state;

	say(f, "u1", "Created");
	fake_kube_run(f->fk, 11 * 60 * 1000);
	say(f, "u1", "Created");
	fake_kube_run(f->fk, 100);
	assert_int_equal(fake_kube_count(f->fk, EVENTS), 2);
}

static void expired_event_is_made_anew(void **state)
{
	struct fixture *f = *state;
	auto_free char *name = NULL;

	say(f, "u1", "Created");
	fake_kube_run(f->fk, 100);
	name = xstrdup(json_str(only_event(f), "metadata.name", ""));
	fake_kube_delete(f->fk, EVENTS, "ns", name);
	say(f, "u1", "Created");
	fake_kube_run(f->fk, 100);
	assert_int_equal(fake_kube_count(f->fk, EVENTS), 0);
	say(f, "u1", "Created");
	fake_kube_run(f->fk, 100);
	assert_int_equal(fake_kube_count(f->fk, EVENTS), 1);
	assert_int_equal(lines(f), 0);
}

static void talkative_objects_are_silenced(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 40; i++) {
		auto_free char *reason = xasprintf("Reason%d", i);

		say(f, "u1", reason);
	}
	say(f, "u2", "Created");
	fake_kube_run(f->fk, 1000);
	assert_int_equal(fake_kube_count(f->fk, EVENTS), 26);
	assert_int_equal(result(f, "filtered"), 15);
	fake_kube_run(f->fk, 5 * 60 * 1000);
	say(f, "u1", "Later");
	say(f, "u1", "Too many");
	fake_kube_run(f->fk, 1000);
	assert_int_equal(fake_kube_count(f->fk, EVENTS), 27);
}

static void say_many(struct fixture *f, const char *uid, const char *what, int count)
{
	for (int i = 0; i < count; i++) {
		auto_free char *reason = xasprintf("%s%d", what, i);

		say(f, uid, reason);
	}
}

/* A day would refill the tokens eleven times. */
static void silence_saves_up_no_more_than_a_burst(void **state)
{
	struct fixture *f = *state;

	say(f, "u1", "First");
	fake_kube_run(f->fk, (int64_t)24 * 3600 * 1000);
	say_many(f, "u1", "Later", 40);
	assert_int_equal(result(f, "filtered"), 15);
}

/* There is room for 4096 objects: the one that has been quiet for longest is forgotten, and has a new burst. */
static void the_filter_forgets_who_is_quiet(void **state)
{
	struct fixture *f = *state;

	say_many(f, "talkative", "One", 40);
	say(f, "quiet", "One");
	for (int i = 0; i < 4000; i++) {
		auto_free char *uid = xasprintf("u%d", i);

		say(f, uid, "One");
	}
	say(f, "talkative", "Another");
	for (int i = 4000; i < 4096; i++) {
		auto_free char *uid = xasprintf("u%d", i);

		say(f, uid, "One");
	}
	assert_int_equal(result(f, "filtered"), 16);
	say(f, "talkative", "More");
	assert_int_equal(result(f, "filtered"), 17);
}

/* An event may be repeated for months, and now and then a repetition meets a server that has trouble. */
static void a_success_ends_the_tries_of_an_event(void **state)
{
	enum { TIMES = 20 };
	struct fixture *f = *state;
	const struct fake_refusal internal = { .status = 500 };

	for (int i = 0; i < TIMES; i++) {
		fake_kube_refuse(f->fk, 0, EVENTS, 1, &internal);
		say(f, "u1", "Created");
		fake_kube_run(f->fk, 5000);
	}
	assert_int_equal(json_i64(only_event(f), "count", 0), TIMES);
	assert_int_equal(result(f, "refused"), 0);
}

static void lost_reply_is_found_again(void **state)
{
	struct fixture *f = *state;

	fake_kube_fail(f->fk, 1, FAKE_LOSE_REPLY, NULL);
	say(f, "u1", "Created");
	fake_kube_run(f->fk, 10);
	say(f, "u1", "Created");
	assert_int_equal(recorder_pending(f->recorder), 1);
	fake_kube_run(f->fk, 5000);
	assert_int_equal(json_i64(only_event(f), "count", 0), 2);
	assert_int_equal(recorder_pending(f->recorder), 0);
}

static void retry_after_is_kept(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal busy = { .status = 429, .retry_after_s = 20 };

	fake_kube_fail(f->fk, 1, FAKE_REFUSE, &busy);
	say(f, "u1", "Created");
	fake_kube_run(f->fk, 19000);
	say(f, "u2", "Created");
	assert_int_equal(fake_kube_write_count(f->fk), 1);
	fake_kube_run(f->fk, 1100);
	assert_int_equal(fake_kube_count(f->fk, EVENTS), 2);
}

static void trouble_of_each_class_costs_no_event(void **state)
{
	static const int statuses[] = { 401, 429, 500, 503, 504 };
	struct fixture *f = *state;

	for (size_t i = 0; i < array_len(statuses); i++) {
		const struct fake_refusal refusal = { .status = statuses[i] };
		auto_free char *uid = xasprintf("u%d", statuses[i]);

		fake_kube_refuse(f->fk, VERB_CREATE, EVENTS, 2, &refusal);
		say(f, uid, "Created");
		fake_kube_run(f->fk, 60000);
		assert_int_equal(fake_kube_count(f->fk, EVENTS), i + 1);
	}
	assert_int_equal(result(f, "refused"), 0);
}

static void refusals_are_logged_once_a_minute(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal denied = { .status = 403, .message = "namespace is being terminated" };

	fake_kube_refuse(f->fk, VERB_CREATE, EVENTS, -1, &denied);
	for (int i = 0; i < 5; i++) {
		auto_free char *uid = xasprintf("u%d", i);

		say(f, uid, "Created");
	}
	fake_kube_run(f->fk, 1000);
	assert_int_equal(recorder_pending(f->recorder), 0);
	assert_int_equal(lines(f), 1);
	assert_non_null(strstr(buf_str(&f->log), "class=denied"));
	assert_int_equal(result(f, "refused"), 5);
	fake_kube_run(f->fk, 60000);
	say(f, "u9", "Created");
	fake_kube_run(f->fk, 1000);
	assert_int_equal(lines(f), 2);
}

static void the_oldest_is_dropped(void **state)
{
	struct fixture *f = *state;

	fake_kube_down(f->fk, 20000);
	for (int i = 0; i < 33000; i++) {
		auto_free char *uid = xasprintf("u%d", i);

		say(f, uid, "Created");
	}
	assert_int_equal(recorder_pending(f->recorder), 32768 + 4);
	assert_int_equal(result(f, "dropped"), 33000 - 32768 - 4);
	fake_kube_run(f->fk, 10000); /* those under way come back and wait too */
	assert_int_equal(recorder_pending(f->recorder), 32768);
	assert_int_equal(result(f, "dropped"), 33000 - 32768);
}

/* What was said while nothing could be sent is told as it was then. */
static void waiting_events_are_whole(void **state)
{
	struct fixture *f = *state;
	const struct event_about node = { &resource_pod, NULL, "node", NULL };
	const struct json *event;

	fake_kube_down(f->fk, 20000);
	recorder_event(f->recorder, &node, "Warning", "Gone", "the node is gone");
	fake_kube_run(f->fk, 5000);
	recorder_event(f->recorder, &node, "Warning", "Gone", "the node is gone");
	fake_kube_run(f->fk, 60000);
	event = only_event(f);
	assert_string_equal(json_str(event, "metadata.namespace", ""), "default");
	assert_string_equal(json_str(event, "type", ""), "Warning");
	assert_string_equal(json_str(event, "message", ""), "the node is gone");
	assert_string_equal(json_str(event, "involvedObject.kind", ""), "Pod");
	assert_string_equal(json_str(event, "involvedObject.name", ""), "node");
	assert_null(json_at(event, "involvedObject.uid"));
	assert_null(json_at(event, "involvedObject.namespace"));
	assert_string_equal(json_str(event, "firstTimestamp", ""), "2026-01-02T03:04:05Z");
	assert_int_equal(json_i64(event, "count", 0), 2);
}

static void long_outage_gives_up(void **state)
{
	struct fixture *f = *state;

	fake_kube_down(f->fk, 3600 * 1000);
	say(f, "u1", "Created");
	fake_kube_run(f->fk, 1800 * 1000);
	assert_int_equal(recorder_pending(f->recorder), 0);
	assert_int_equal(result(f, "refused"), 1);
}

/* 4096 records and sources are kept; the rest is forgotten, not leaked. */
static void memory_is_bounded(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 5000; i++) {
		auto_free char *uid = xasprintf("u%d", i);

		say(f, uid, "Created");
		fake_kube_run(f->fk, 6);
	}
	say(f, "u0", "Created");
	say(f, "u4999", "Created");
	fake_kube_run(f->fk, 100);
	assert_int_equal(fake_kube_count(f->fk, EVENTS), 5001);
}

/* A termination message makes a message too long to be kept. */
static void long_messages_are_forgotten_too(void **state)
{
	struct fixture *f = *state;
	char message[2048];
	const struct json *event;
	size_t pos = 0;

	memset(message, 'x', sizeof(message));
	message[sizeof(message) - 1] = '\0';
	for (int i = 0; i < 3000; i++) {
		auto_free char *uid = xasprintf("u%d", i);
		const struct event_about about = { &resource_sparkapplication, "ns", "app", uid };

		recorder_event(f->recorder, &about, "Warning", "Failed", message);
		fake_kube_run(f->fk, 6);
	}
	fake_kube_run(f->fk, 100);
	assert_int_equal(recorder_len(f->recorder), 1024);
	event = fake_kube_next(f->fk, EVENTS, &pos);
	assert_int_equal(strlen(json_str(event, "message", "")), 1024);
}

/* They differ only behind the place where both are cut, so they are one Event. */
static void messages_that_are_alike_when_cut_are_one(void **state)
{
	struct fixture *f = *state;
	const struct event_about about = { &resource_sparkapplication, "ns", "app", "u1" };
	char message[1200];

	memset(message, 'x', sizeof(message));
	message[sizeof(message) - 1] = '\0';
	recorder_event(f->recorder, &about, "Warning", "Failed", message);
	message[sizeof(message) - 2] = 'y';
	recorder_event(f->recorder, &about, "Warning", "Failed", message);
	fake_kube_run(f->fk, 100);
	assert_int_equal(json_i64(only_event(f), "count", 0), 2);
}

/* Each pause in a row is longer than the one before; after an outage the next hiccup costs a second again. */
static void a_success_ends_a_row_of_pauses(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal busy = { .status = 503 };

	fake_kube_refuse(f->fk, VERB_CREATE, EVENTS, 6, &busy);
	say(f, "u1", "Created");
	fake_kube_run(f->fk, 120 * 1000);
	assert_int_equal(fake_kube_count(f->fk, EVENTS), 1);
	fake_kube_refuse(f->fk, VERB_CREATE, EVENTS, 1, &busy);
	say(f, "u2", "Created");
	fake_kube_run(f->fk, 1100);
	assert_int_equal(fake_kube_count(f->fk, EVENTS), 2);
}

/* The window of repetitions passes while the event waits for its first try: it still counts, and is told once. */
static void what_waits_is_not_forgotten(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal busy = { .status = 429, .retry_after_s = 62 };

	fake_kube_refuse(f->fk, VERB_CREATE, EVENTS, 11, &busy);
	say(f, "u1", "Created");
	fake_kube_run(f->fk, 10 * 60 * 1000 + 5000);
	assert_int_equal(recorder_pending(f->recorder), 1);
	say(f, "u1", "Created");
	assert_int_equal(recorder_pending(f->recorder), 1);
	fake_kube_run(f->fk, 2 * 60 * 1000);
	assert_int_equal(json_i64(only_event(f), "count", 0), 2);
	assert_string_equal(json_str(only_event(f), "firstTimestamp", ""), "2026-01-02T03:04:05Z");
}

static void freed_under_way(void **state)
{
	struct fixture *f = *state;

	for (int64_t ms = 0; ms < 8; ms++) {
		struct recorder *r = recorder_new(fake_kube_api(f->fk), &f->sched, "operator", "host", NULL);
		const struct event_about about = { &resource_pod, "", "node", "u" };

		recorder_event(r, &about, "Normal", "A", "a");
		fake_kube_run(f->fk, ms);
		recorder_event(r, &about, "Normal", "A", "a");
		recorder_free(r);
	}
	fake_kube_run(f->fk, 100);
	recorder_free(NULL);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(first_occurrence),
		TEST(repetitions_are_counted),
		TEST(a_new_event_after_the_window),
		TEST(expired_event_is_made_anew),
		TEST(talkative_objects_are_silenced),
		TEST(silence_saves_up_no_more_than_a_burst),
		TEST(the_filter_forgets_who_is_quiet),
		TEST(a_success_ends_the_tries_of_an_event),
		TEST(lost_reply_is_found_again),
		TEST(retry_after_is_kept),
		TEST(trouble_of_each_class_costs_no_event),
		TEST(refusals_are_logged_once_a_minute),
		TEST(the_oldest_is_dropped),
		TEST(waiting_events_are_whole),
		TEST(long_outage_gives_up),
		TEST(memory_is_bounded),
		TEST(long_messages_are_forgotten_too),
		TEST(messages_that_are_alike_when_cut_are_one),
		TEST(a_success_ends_a_row_of_pauses),
		TEST(what_waits_is_not_forgotten),
		TEST(freed_under_way),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
