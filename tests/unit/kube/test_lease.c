/*
 * Leader election: tables of what happens, which command must follow and who leads then.
 *
 * A row is an event after some time; the answer is compared as text: "PATCH@7 holder=me for=15 transitions=1; LEADING".
 * Waits with chance in them are checked by their bounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "kube/lease.h"
#include "json_text.h"

enum { WHEN_DUE = -1 };
#define WALL0 INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

static const struct lease_options defaults = { "ops", "lock", "me", 15000, 10000, 2000 };

struct fixture {
	struct rng rng;
	struct lease *lease;
	int64_t now_ms;
	int64_t wall_ms; /* of this machine, right or not */
};

struct row {
	enum lease_event_type type;
	int64_t after_ms;
	const char *object; /* JSON, NULL: none */
	enum err_code code; /* of REPLY */
	const char *want;
};

#define START(want)                                                                                                    \
	{                                                                                                              \
		LEASE_EV_START, 0, NULL, ERR_NONE, want                                                                \
	}
#define OK(object, want)                                                                                               \
	{                                                                                                              \
		LEASE_EV_REPLY, 5, object, ERR_NONE, want                                                              \
	}
#define FAILED(code, want)                                                                                             \
	{                                                                                                              \
		LEASE_EV_REPLY, 5, NULL, ERR_##code, want                                                              \
	}
#define SEEN(object, want)                                                                                             \
	{                                                                                                              \
		LEASE_EV_SEEN, 2, object, ERR_NONE, want                                                               \
	}
#define TIMER(after_ms, want)                                                                                          \
	{                                                                                                              \
		LEASE_EV_TIMER, after_ms, NULL, ERR_NONE, want                                                         \
	}
#define RELEASE(want)                                                                                                  \
	{                                                                                                              \
		LEASE_EV_RELEASE, 1, NULL, ERR_NONE, want                                                              \
	}

/* A Lease in a version; n: how often it was renewed, so that the record differs. */
#define LEASE(version, holder, n)                                                                                      \
	"{\"metadata\":{\"resourceVersion\":\"" version "\"},\"spec\":{\"holderIdentity\":\"" holder                   \
	"\",\"leaseDurationSeconds\":15,\"acquireTime\":\"2020-01-01T00:00:00.000000Z\","                              \
	"\"renewTime\":\"2020-01-01T00:00:0" n ".000000Z\",\"leaseTransitions\":3}}"
#define FREE(version)                                                                                                  \
	"{\"metadata\":{\"resourceVersion\":\"" version                                                                \
	"\"},\"spec\":{\"holderIdentity\":\"\",\"leaseDurationSeconds\":1,\"leaseTransitions\":3}}"

static const char *const state_texts[] = { "IDLE", "WAITING", "LEADING", "LOST", "RELEASING", "RELEASED" };

static void begin(struct fixture *f, const struct lease_options *options)
{
	*f = (struct fixture){ .rng = { 1 }, .now_ms = 5000, .wall_ms = WALL0 };
	f->lease = lease_new(options, &f->rng);
}

static char *cmd_text(const struct lease_cmd *cmd)
{
	const struct json *spec = json_get(cmd->body, "spec");

	switch (cmd->type) {
	case LEASE_CMD_NONE:
		return xstrdup("");
	case LEASE_CMD_GET:
		assert_null(cmd->body);
		return xstrdup("GET; ");
	case LEASE_CMD_CREATE:
		assert_null(json_at(cmd->body, "metadata.resourceVersion"));
		break;
	case LEASE_CMD_PATCH:
		assert_non_null(json_at(cmd->body, "metadata.resourceVersion"));
		break;
	}
	return xasprintf("%s@%s holder=%s for=%d transitions=%d; ", cmd->type == LEASE_CMD_CREATE ? "CREATE" : "PATCH",
			 json_str(cmd->body, "metadata.resourceVersion", "-"), json_str(spec, "holderIdentity", "?"),
			 (int)json_i64(spec, "leaseDurationSeconds", -1), (int)json_i64(spec, "leaseTransitions", -1));
}

static char *step(struct fixture *f, const struct row *row)
{
	struct err err = { 0 };
	auto_json object = row->object ? json_parse(row->object, strlen(row->object), &err) : NULL;
	struct lease_event ev = { .type = row->type, .object = object, .err = &err };
	auto_free char *command = NULL;
	int64_t after_ms = row->after_ms;
	struct lease_cmd cmd;

	assert_int_equal(err.code, ERR_NONE);
	if (row->code != ERR_NONE)
		err_set(&err, row->code, "%s by a test", err_name(row->code));
	if (after_ms == WHEN_DUE)
		after_ms = lease_due(f->lease) - f->now_ms;
	assert_true(after_ms >= 0);
	f->now_ms += after_ms;
	ev.now_ms = f->now_ms;
	ev.wall_ms = f->wall_ms + f->now_ms;
	lease_step(f->lease, &ev, &cmd);
	command = cmd_text(&cmd);
	json_free(cmd.body);
	return xasprintf("%s%s", command, state_texts[lease_state(f->lease)]);
}

static void play(struct fixture *f, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		auto_free char *got = step(f, &rows[i]);

		if (!text_eq(got, rows[i].want))
			fail_msg("row %zu: got \"%s\", want \"%s\" (%s)", i, got, rows[i].want,
				 lease_problem(f->lease));
	}
}

#define PLAY(f, ...)                                                                                                   \
	do {                                                                                                           \
		static const struct row rows_[] = { __VA_ARGS__ };                                                     \
		play(f, rows_, array_len(rows_));                                                                      \
	} while (0)

static void end(struct fixture *f)
{
	lease_free(f->lease);
}

/* WAITING behind a record of version 7 that was read at now. */
static void stand_by(struct fixture *f)
{
	begin(f, &defaults);
	PLAY(f, START("GET; WAITING"), OK(LEASE("7", "other", "0"), "WAITING"));
}

/* LEADING at version 7; the renewal was sent 5 ms ago. */
static void lead(struct fixture *f)
{
	begin(f, &defaults);
	PLAY(f, START("GET; WAITING"), OK(FREE("6"), "PATCH@6 holder=me for=15 transitions=4; WAITING"),
	     OK(LEASE("7", "me", "0"), "LEADING"));
}

static void made_when_absent(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, &defaults);
	assert_int_equal(lease_due(f.lease), -1);
	PLAY(&f, TIMER(0, "IDLE"), START("GET; WAITING"),
	     FAILED(NOT_FOUND, "CREATE@- holder=me for=15 transitions=0; WAITING"),
	     OK(LEASE("5", "me", "0"), "LEADING"));
	assert_string_equal(lease_holder(f.lease), "me");
	assert_int_equal(lease_due(f.lease), f.now_ms + 2000);
	PLAY(&f, TIMER(WHEN_DUE, "PATCH@5 holder=me for=15 transitions=3; LEADING"),
	     OK(LEASE("6", "me", "1"), "LEADING"));
	end(&f);
}

static void bodies_are_complete(void **state)
{
	struct err err = { 0 };
	struct lease_event ev = { .type = LEASE_EV_START, .wall_ms = WALL0 + 123, .err = &err };
	struct lease_cmd cmd;
	struct fixture f;
	auto_free char *created = NULL, *patched = NULL;
	static const char text[] = LEASE("9", "me", "1");
	auto_json object = json_parse(text, strlen(text), &err);

	(void)state;
	begin(&f, &defaults);
	lease_step(f.lease, &ev, &cmd);
	ev.type = LEASE_EV_REPLY;
	err.code = ERR_NOT_FOUND;
	lease_step(f.lease, &ev, &cmd);
	created = json_print(cmd.body);
	json_free(cmd.body);
	assert_string_equal(created, "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":{"
				     "\"name\":\"lock\",\"namespace\":\"ops\"},\"spec\":{\"holderIdentity\":\"me\","
				     "\"leaseDurationSeconds\":15,\"acquireTime\":\"2026-01-01T00:00:00.123000Z\","
				     "\"renewTime\":\"2026-01-01T00:00:00.123000Z\",\"leaseTransitions\":0}}");
	err.code = ERR_NONE;
	ev.object = object;
	lease_step(f.lease, &ev, &cmd);
	ev = (struct lease_event){ .type = LEASE_EV_TIMER, .now_ms = 2000, .wall_ms = WALL0 + 2000 };
	lease_step(f.lease, &ev, &cmd);
	patched = json_print(cmd.body);
	json_free(cmd.body);
	assert_string_equal(patched, "{\"metadata\":{\"resourceVersion\":\"9\"},\"spec\":{\"holderIdentity\":\"me\","
				     "\"leaseDurationSeconds\":15,\"acquireTime\":\"2020-01-01T00:00:00.000000Z\","
				     "\"renewTime\":\"2026-01-01T00:00:02.000000Z\",\"leaseTransitions\":3}}");
	end(&f);
}

static void creation_lost_to_another(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, &defaults);
	PLAY(&f, START("GET; WAITING"), FAILED(NOT_FOUND, "CREATE@- holder=me for=15 transitions=0; WAITING"),
	     FAILED(EXISTS, "WAITING"));
	assert_string_equal(lease_problem(f.lease), ""); /* nothing is wrong with that */
	PLAY(&f, TIMER(WHEN_DUE, "GET; WAITING"), OK(LEASE("7", "other", "0"), "WAITING"));
	end(&f);
}

static void expires_by_our_clock_only(void **state)
{
	static const int64_t skews_ms[] = { 0, -INT64_C(7200000), INT64_C(7200000), -INT64_C(300000000000) };

	(void)state;
	for (size_t i = 0; i < array_len(skews_ms); i++) {
		int64_t read_ms;
		struct fixture f;

		begin(&f, &defaults);
		f.wall_ms += skews_ms[i];
		PLAY(&f, START("GET; WAITING"), OK(LEASE("7", "other", "0"), "WAITING"));
		read_ms = f.now_ms;
		while (lease_due(f.lease) < read_ms + 15000)
			PLAY(&f, TIMER(WHEN_DUE, "GET; WAITING"), OK(LEASE("7", "other", "0"), "WAITING"));
		assert_int_equal(lease_due(f.lease), read_ms + 15000); /* not a retry later */
		PLAY(&f, TIMER(WHEN_DUE, "GET; WAITING"),
		     OK(LEASE("7", "other", "0"), "PATCH@7 holder=me for=15 transitions=4; WAITING"),
		     OK(LEASE("8", "me", "1"), "LEADING"));
		end(&f);
	}
}

static void standby_waits_with_jitter(void **state)
{
	int64_t low_ms = INT64_MAX, high_ms = 0;
	struct fixture f;

	(void)state;
	stand_by(&f);
	for (int i = 0; i < 200; i++) {
		int64_t wait_ms = lease_due(f.lease) - f.now_ms;

		low_ms = wait_ms < low_ms ? wait_ms : low_ms;
		high_ms = wait_ms > high_ms ? wait_ms : high_ms;
		PLAY(&f, TIMER(WHEN_DUE, "GET; WAITING"));
		if (i % 2)
			PLAY(&f, OK(LEASE("8", "other", "1"), "WAITING"));
		else
			PLAY(&f, OK(LEASE("9", "other", "2"), "WAITING"));
	}
	assert_in_range(low_ms, 2000, 2100);
	assert_in_range(high_ms, 4300, 4400);
	end(&f);
}

/* Renewals that a standby sees move the time at which it would take over. */
static void renewals_are_seen(void **state)
{
	struct fixture f;

	(void)state;
	stand_by(&f);
	f.now_ms += 14000;
	PLAY(&f, SEEN(LEASE("8", "other", "1"), "WAITING"));
	assert_true(lease_due(f.lease) >= f.now_ms + 2000);
	PLAY(&f, TIMER(WHEN_DUE, "GET; WAITING"), OK(LEASE("8", "other", "1"), "WAITING"));
	end(&f);
}

/* What was seen before the start counts: whoever waited for something else does not wait for this anew. */
static void looking_counts_before_the_start(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, &defaults);
	PLAY(&f, SEEN(LEASE("7", "other", "0"), "IDLE"));
	f.now_ms += 15000;
	PLAY(&f, START("GET; WAITING"),
	     OK(LEASE("7", "other", "0"), "PATCH@7 holder=me for=15 transitions=4; WAITING"));
	end(&f);
	begin(&f, &defaults);
	PLAY(&f, SEEN(LEASE("7", "other", "0"), "IDLE"));
	f.now_ms += 15000;
	PLAY(&f, START("GET; WAITING"), OK(LEASE("8", "other", "1"), "WAITING"));
	end(&f);
}

static void release_is_followed_at_once(void **state)
{
	struct fixture f;

	(void)state;
	stand_by(&f);
	PLAY(&f, SEEN(FREE("8"), "GET; WAITING"), OK(FREE("8"), "PATCH@8 holder=me for=15 transitions=4; WAITING"),
	     OK(LEASE("9", "me", "0"), "LEADING"));
	end(&f);
	/* seen while an older answer was under way */
	stand_by(&f);
	PLAY(&f, TIMER(WHEN_DUE, "GET; WAITING"), SEEN(FREE("8"), "WAITING"),
	     OK(LEASE("7", "other", "0"), "GET; WAITING"),
	     OK(FREE("8"), "PATCH@8 holder=me for=15 transitions=4; WAITING"), FAILED(CONFLICT, "WAITING"));
	end(&f);
}

static void old_news_count_for_nothing(void **state)
{
	struct fixture f;

	(void)state;
	stand_by(&f);
	PLAY(&f, SEEN(FREE("6"), "WAITING"), SEEN(FREE("7"), "WAITING"), SEEN(FREE("x"), "WAITING"),
	     SEEN(JSON({ "spec" : {} }), "WAITING"), SEEN(NULL, "WAITING"));
	assert_string_equal(lease_holder(f.lease), "other");
	end(&f);
	lead(&f);
	PLAY(&f, SEEN(LEASE("5", "other", "0"), "LEADING"), SEEN(LEASE("7", "me", "0"), "LEADING"));
	assert_int_equal(lease_due(f.lease), f.now_ms - 4 + 2000);
	/* the echo of a renewal comes before its reply */
	PLAY(&f, TIMER(WHEN_DUE, "PATCH@7 holder=me for=15 transitions=3; LEADING"),
	     SEEN(LEASE("8", "me", "1"), "LEADING"), OK(LEASE("8", "me", "1"), "LEADING"));
	end(&f);
}

static void lost_when_not_renewed(void **state)
{
	static const enum err_code codes[] = {
		ERR_IO, ERR_TIMEOUT, ERR_INTERNAL, ERR_DENIED, ERR_BUSY, ERR_UNAUTHORIZED
	};

	(void)state;
	for (size_t i = 0; i < array_len(codes); i++) {
		struct row failure = { LEASE_EV_REPLY, 5, NULL, codes[i], "LEADING" };
		struct fixture f;
		int64_t sent_ms;

		lead(&f);
		sent_ms = f.now_ms - 5;
		assert_true(lease_may_write(f.lease, sent_ms + 9999));
		assert_false(lease_may_write(f.lease, sent_ms + 10000));
		PLAY(&f, TIMER(WHEN_DUE, "PATCH@7 holder=me for=15 transitions=3; LEADING"));
		play(&f, &failure, 1);
		for (int tries = 0; tries < 3; tries++) { /* whether it was written is unknown: read first */
			PLAY(&f, TIMER(WHEN_DUE, "GET; LEADING"));
			play(&f, &failure, 1);
		}
		PLAY(&f, TIMER(WHEN_DUE, "LOST"));
		assert_int_equal(f.now_ms, sent_ms + 10000);
		assert_non_null(strstr(lease_problem(f.lease), "not renewed for 10000 ms: "));
		assert_non_null(strstr(lease_problem(f.lease), err_name(codes[i])));
		assert_int_equal(lease_due(f.lease), -1);
		PLAY(&f, TIMER(1000, "LOST"), SEEN(FREE("9"), "LOST"), RELEASE("LOST"));
		end(&f);
	}
}

/* An answer that does not come is none. */
static void lost_while_an_answer_is_awaited(void **state)
{
	struct fixture f;

	(void)state;
	lead(&f);
	PLAY(&f, TIMER(WHEN_DUE, "PATCH@7 holder=me for=15 transitions=3; LEADING"));
	assert_int_equal(lease_due(f.lease), f.now_ms + 8000 - 5);
	PLAY(&f, TIMER(WHEN_DUE, "LOST"));
	end(&f);
}

static void renewed_after_lost_replies(void **state)
{
	struct fixture f;

	(void)state;
	lead(&f);
	PLAY(&f, TIMER(WHEN_DUE, "PATCH@7 holder=me for=15 transitions=3; LEADING"), FAILED(IO, "LEADING"),
	     TIMER(WHEN_DUE, "GET; LEADING"),
	     OK(LEASE("8", "me", "1"), "PATCH@8 holder=me for=15 transitions=3; LEADING"),
	     OK(LEASE("9", "me", "2"), "LEADING"), TIMER(WHEN_DUE, "PATCH@9 holder=me for=15 transitions=3; LEADING"));
	assert_string_equal(lease_problem(f.lease), "");
	end(&f);
}

/* Stopped for longer than it may: the answer to a renewal of then renews nothing, nor does another one begin. */
static void stopped_for_too_long(void **state)
{
	struct fixture f;

	(void)state;
	lead(&f);
	PLAY(&f, TIMER(WHEN_DUE, "PATCH@7 holder=me for=15 transitions=3; LEADING"));
	f.now_ms += 20000;
	PLAY(&f, OK(LEASE("8", "me", "1"), "LOST"));
	end(&f);
	lead(&f);
	f.now_ms += 20000;
	assert_false(lease_may_write(f.lease, f.now_ms));
	PLAY(&f, TIMER(0, "LOST"));
	end(&f);
	lead(&f);
	f.now_ms += 20000;
	PLAY(&f, SEEN(LEASE("8", "other", "1"), "LOST"));
	end(&f);
}

/* The answer to the write that would make us the leader comes late. From the renew deadline on nothing may be written
 * by it: nothing is lost, and the Lease is asked for once more. The longer lease duration does not matter. */
static void answered_too_late_to_lead(void **state)
{
	static const int64_t late_ms[] = { 10000, 10001, 12000, 14999, 15000, 20000 };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < array_len(late_ms); i++) {
		begin(&f, &defaults);
		PLAY(&f, START("GET; WAITING"), OK(FREE("6"), "PATCH@6 holder=me for=15 transitions=4; WAITING"));
		f.now_ms += late_ms[i] - 5;
		PLAY(&f, OK(LEASE("7", "me", "0"), "WAITING"), TIMER(0, "GET; WAITING"),
		     OK(LEASE("7", "me", "0"), "PATCH@7 holder=me for=15 transitions=3; WAITING"),
		     OK(LEASE("8", "me", "1"), "LEADING"));
		end(&f);
	}
	begin(&f, &defaults);
	PLAY(&f, START("GET; WAITING"), OK(FREE("6"), "PATCH@6 holder=me for=15 transitions=4; WAITING"));
	f.now_ms += 9999 - 5;
	PLAY(&f, OK(LEASE("7", "me", "0"), "LEADING"));
	assert_true(lease_may_write(f.lease, f.now_ms));
	assert_int_equal(lease_writes_until(f.lease), f.now_ms + 1);
	end(&f);
}

static int64_t timeout_of(struct fixture *f, enum lease_event_type type, const char *text, enum err_code code)
{
	struct err err = { .code = code };
	auto_json object = text ? json_parse(text, strlen(text), &err) : NULL;
	struct lease_event ev = {
		.type = type, .now_ms = f->now_ms, .wall_ms = f->wall_ms + f->now_ms, .object = object, .err = &err
	};
	struct lease_cmd cmd;

	lease_step(f->lease, &ev, &cmd);
	json_free(cmd.body);
	return cmd.timeout_ms;
}

/* Several tries fit into the renew deadline, whatever that is. A deadline that is long waits for no answer longer than
 * 5 s. */
static void tries_have_their_time(void **state)
{
	static const struct {
		int64_t renew_deadline_ms;
		int64_t first_ms;
		int64_t again_ms;
	} rows[] = { { 10000, 2000, 4000 }, { 4000, 800, 1600 }, { 60000, 5000, 5000 }, { 20000, 4000, 5000 } };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct lease_options options = defaults;

		options.renew_deadline_ms = rows[i].renew_deadline_ms;
		options.duration_ms = options.renew_deadline_ms + 5000;
		begin(&f, &options);
		assert_int_equal(timeout_of(&f, LEASE_EV_START, NULL, ERR_NONE), rows[i].first_ms);
		assert_int_equal(timeout_of(&f, LEASE_EV_REPLY, FREE("6"), ERR_NONE), rows[i].first_ms);
		assert_int_equal(timeout_of(&f, LEASE_EV_REPLY, LEASE("7", "me", "0"), ERR_NONE), 0);
		for (int n = 0; n < 3; n++) {
			f.now_ms = lease_due(f.lease);
			assert_int_equal(timeout_of(&f, LEASE_EV_TIMER, NULL, ERR_NONE),
					 n == 0 ? rows[i].first_ms : rows[i].again_ms);
			f.now_ms += n == 0 ? rows[i].first_ms : rows[i].again_ms;
			if (n < 2)
				timeout_of(&f, LEASE_EV_REPLY, NULL, ERR_TIMEOUT);
			assert_int_equal(lease_state(f.lease), LEASE_LEADING);
			if (f.now_ms + rows[i].again_ms > lease_writes_until(f.lease))
				break;
		}
		end(&f);
	}
	lead(&f);
	assert_int_equal(timeout_of(&f, LEASE_EV_RELEASE, NULL, ERR_NONE), LEASE_RELEASE_MS / 3);
	end(&f);
}

/* A renewal that fails is tried again soon: there are at least two more tries before the deadline, or one where the
 * retry period is half of it. A failure at once is no reason to try in a loop. */
static void a_failed_renewal_is_tried_again_soon(void **state)
{
	static const struct {
		int64_t renew_deadline_ms;
		int64_t pause_ms;
	} rows[] = { { 10000, 2000 }, { 4000, 800 }, { 60000, 2000 } };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct lease_options options = defaults;
		int64_t asked_ms;

		options.renew_deadline_ms = rows[i].renew_deadline_ms;
		options.duration_ms = options.renew_deadline_ms + 5000;
		begin(&f, &options);
		PLAY(&f, START("GET; WAITING"));
		timeout_of(&f, LEASE_EV_REPLY, FREE("6"), ERR_NONE);
		PLAY(&f, OK(LEASE("7", "me", "0"), "LEADING"));
		f.now_ms = asked_ms = lease_due(f.lease);
		timeout_of(&f, LEASE_EV_TIMER, NULL, ERR_NONE);
		PLAY(&f, FAILED(IO, "LEADING"));
		assert_int_equal(lease_due(f.lease), asked_ms + rows[i].pause_ms);
		PLAY(&f, TIMER(WHEN_DUE, "GET; LEADING"));
		f.now_ms += rows[i].pause_ms + 100;
		timeout_of(&f, LEASE_EV_REPLY, NULL, ERR_TIMEOUT);
		if (lease_state(f.lease) == LEASE_LEADING)
			assert_int_equal(lease_due(f.lease), f.now_ms);
		end(&f);
	}
}

/* The API server is slow, and each renewal takes place after its time: what a GET finds counts from when that was sent.
 */
static void a_renewal_found_by_reading_counts(void **state)
{
	struct fixture f;
	int64_t sent_ms;
	auto_free char *found = NULL;
	char renewed[TIME_TEXT_SIZE];

	(void)state;
	lead(&f);
	PLAY(&f, TIMER(WHEN_DUE, "PATCH@7 holder=me for=15 transitions=3; LEADING"));
	sent_ms = f.now_ms;
	time_rfc3339_micro(f.wall_ms + f.now_ms, renewed);
	found = xasprintf("{\"metadata\":{\"resourceVersion\":\"8\"},\"spec\":{\"holderIdentity\":\"me\","
			  "\"leaseDurationSeconds\":15,\"renewTime\":\"%s\"}}",
			  renewed);
	f.now_ms += 3000;
	PLAY(&f, FAILED(TIMEOUT, "LEADING"), TIMER(WHEN_DUE, "GET; LEADING"));
	f.now_ms += 3000;
	timeout_of(&f, LEASE_EV_REPLY, found, ERR_NONE);
	assert_int_equal(lease_writes_until(f.lease), sent_ms + 10000);
	end(&f);
	/* what was there before does not count */
	lead(&f);
	sent_ms = f.now_ms - 5;
	PLAY(&f, TIMER(WHEN_DUE, "PATCH@7 holder=me for=15 transitions=3; LEADING"), FAILED(TIMEOUT, "LEADING"),
	     TIMER(WHEN_DUE, "GET; LEADING"),
	     OK(LEASE("7", "me", "0"), "PATCH@7 holder=me for=15 transitions=3; LEADING"));
	assert_int_equal(lease_writes_until(f.lease), sent_ms + 10000);
	end(&f);
}

static void taken_by_another(void **state)
{
	struct fixture f;

	(void)state;
	lead(&f);
	PLAY(&f, SEEN(LEASE("8", "other", "1"), "GET; LEADING"), OK(LEASE("8", "other", "1"), "LOST"));
	assert_string_equal(lease_problem(f.lease), "it is held by other now");
	end(&f);
	lead(&f);
	PLAY(&f, TIMER(WHEN_DUE, "PATCH@7 holder=me for=15 transitions=3; LEADING"), FAILED(CONFLICT, "GET; LEADING"),
	     OK(LEASE("8", "other", "1"), "LOST"));
	end(&f);
}

static void emptied_or_deleted_while_leading(void **state)
{
	struct fixture f;

	(void)state;
	lead(&f);
	PLAY(&f, SEEN(FREE("8"), "GET; LEADING"), OK(FREE("8"), "PATCH@8 holder=me for=15 transitions=4; LEADING"),
	     OK(LEASE("9", "me", "1"), "LEADING"));
	PLAY(&f, SEEN(NULL, "GET; LEADING"), FAILED(NOT_FOUND, "CREATE@- holder=me for=15 transitions=0; LEADING"),
	     OK(LEASE("12", "me", "1"), "LEADING"));
	PLAY(&f, TIMER(WHEN_DUE, "PATCH@12 holder=me for=15 transitions=3; LEADING"), FAILED(NOT_FOUND, "GET; LEADING"),
	     FAILED(NOT_FOUND, "CREATE@- holder=me for=15 transitions=0; LEADING"), FAILED(EXISTS, "LEADING"),
	     TIMER(WHEN_DUE, "GET; LEADING"), OK(LEASE("15", "other", "1"), "LOST"));
	end(&f);
}

/* Somebody who writes to the Lease all the time does not make us answer all the time. */
static void one_more_try_after_a_conflict(void **state)
{
	struct fixture f;

	(void)state;
	lead(&f);
	PLAY(&f, TIMER(WHEN_DUE, "PATCH@7 holder=me for=15 transitions=3; LEADING"), FAILED(CONFLICT, "GET; LEADING"),
	     OK(LEASE("8", "me", "0"), "PATCH@8 holder=me for=15 transitions=3; LEADING"), FAILED(CONFLICT, "LEADING"),
	     TIMER(2000, "GET; LEADING"));
	end(&f);
}

static void given_back(void **state)
{
	struct fixture f;

	(void)state;
	lead(&f);
	PLAY(&f, RELEASE("PATCH@7 holder= for=1 transitions=-1; RELEASING"));
	assert_false(lease_may_write(f.lease, f.now_ms));
	PLAY(&f, RELEASE("RELEASING"), OK(FREE("8"), "RELEASED"));
	assert_string_equal(lease_problem(f.lease), "");
	assert_int_equal(lease_due(f.lease), -1);
	end(&f);
	/* while a renewal is under way, which will change the version */
	lead(&f);
	PLAY(&f, TIMER(WHEN_DUE, "PATCH@7 holder=me for=15 transitions=3; LEADING"), RELEASE("GET; RELEASING"),
	     OK(LEASE("7", "me", "1"), "PATCH@7 holder= for=1 transitions=-1; RELEASING"),
	     FAILED(CONFLICT, "GET; RELEASING"),
	     OK(LEASE("8", "me", "1"), "PATCH@8 holder= for=1 transitions=-1; RELEASING"), OK(FREE("9"), "RELEASED"));
	end(&f);
	/* not ours any more, or gone */
	lead(&f);
	PLAY(&f, RELEASE("PATCH@7 holder= for=1 transitions=-1; RELEASING"), FAILED(CONFLICT, "GET; RELEASING"),
	     OK(LEASE("8", "other", "1"), "RELEASED"));
	end(&f);
	lead(&f);
	PLAY(&f, RELEASE("PATCH@7 holder= for=1 transitions=-1; RELEASING"), FAILED(NOT_FOUND, "GET; RELEASING"),
	     FAILED(NOT_FOUND, "RELEASED"));
	end(&f);
}

static void release_gives_up(void **state)
{
	struct fixture f;
	int64_t asked_ms;

	(void)state;
	lead(&f);
	PLAY(&f, RELEASE("PATCH@7 holder= for=1 transitions=-1; RELEASING"));
	asked_ms = f.now_ms;
	PLAY(&f, FAILED(IO, "RELEASING"), TIMER(WHEN_DUE, "GET; RELEASING"), FAILED(IO, "RELEASING"),
	     TIMER(WHEN_DUE, "GET; RELEASING"));
	assert_int_equal(lease_due(f.lease), asked_ms + 2000);
	PLAY(&f, TIMER(WHEN_DUE, "RELEASED"));
	assert_non_null(strstr(lease_problem(f.lease), "io by a test"));
	end(&f);
	lead(&f);
	PLAY(&f, RELEASE("PATCH@7 holder= for=1 transitions=-1; RELEASING"), TIMER(WHEN_DUE, "RELEASED"));
	assert_string_equal(lease_problem(f.lease), "no answer");
	end(&f);
}

static void release_by_who_does_not_lead(void **state)
{
	struct fixture f;

	(void)state;
	stand_by(&f);
	PLAY(&f, RELEASE("RELEASED"));
	end(&f);
	/* a write is under way: it may have become ours */
	begin(&f, &defaults);
	PLAY(&f, START("GET; WAITING"), OK(FREE("6"), "PATCH@6 holder=me for=15 transitions=4; WAITING"),
	     RELEASE("GET; RELEASING"), OK(LEASE("7", "me", "0"), "PATCH@7 holder= for=1 transitions=-1; RELEASING"),
	     OK(FREE("8"), "RELEASED"));
	end(&f);
}

static void strange_records(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, &defaults);
	PLAY(&f, START("GET; WAITING"), OK(JSON({ "spec" : {} }), "WAITING"));
	assert_string_equal(lease_problem(f.lease), "the Lease has no resourceVersion");
	PLAY(&f, TIMER(WHEN_DUE, "GET; WAITING"), OK("[]", "WAITING"), TIMER(WHEN_DUE, "GET; WAITING"),
	     OK(JSON({ "metadata" : { "resourceVersion" : "3" } }), "PATCH@3 holder=me for=15 transitions=0; WAITING"),
	     FAILED(DENIED, "WAITING"));
	assert_string_equal(lease_problem(f.lease), "denied by a test");
	/* a term that is none has ended */
	PLAY(&f, TIMER(WHEN_DUE, "GET; WAITING"),
	     OK(JSON({
			"metadata" : { "resourceVersion" : "4" },
			"spec" : { "holderIdentity" : "x", "leaseDurationSeconds" : -5 }
		}),
		"PATCH@4 holder=me for=15 transitions=1; WAITING"),
	     FAILED(CONFLICT, "WAITING"), TIMER(WHEN_DUE, "GET; WAITING"),
	     OK(JSON({
			"metadata" : { "resourceVersion" : "5" },
			"spec" : { "holderIdentity" : "x", "leaseDurationSeconds" : 99999999999999 }
		}),
		"PATCH@5 holder=me for=15 transitions=1; WAITING"));
	end(&f);
}

static void options_are_checked(void **state)
{
	static const struct {
		struct lease_options options;
		const char *want; /* NULL: fine */
	} rows[] = {
		{ { "ops", "lock", "me", 15000, 10000, 2000 }, NULL },
		{ { "ops", "a.lock", "me", 1000, 999, 800 }, NULL },
		{ { "", "lock", "me", 15000, 10000, 2000 }, "not the name of a namespace" },
		{ { NULL, "lock", "me", 15000, 10000, 2000 }, "not the name of a namespace" },
		{ { "ops", "Lock", "me", 15000, 10000, 2000 }, "not a name that a Lease can have" },
		{ { "ops", NULL, "me", 15000, 10000, 2000 }, "not a name that a Lease can have" },
		{ { "ops", "lock", "", 15000, 10000, 2000 }, "identity is empty" },
		{ { "ops", "lock", "me", 999, 500, 100 }, "between 1 s and" },
		{ { "ops", "lock", "me", INT64_MAX, 10000, 2000 }, "between 1 s and" },
		{ { "ops", "lock", "me", 10000, 10000, 2000 }, "longer than the renew deadline" },
		{ { "ops", "lock", "me", 15000, 2400, 2000 }, "1.2 times the retry period" },
		{ { "ops", "lock", "me", 15000, 2401, 2000 }, NULL },
		{ { "ops", "lock", "me", 15000, 10000, 0 }, "more than 0" },
		{ { "ops", "lock", "me", 15000, 10000, INT64_MAX }, "1.2 times" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct err err = { 0 };
		int result = lease_check(&rows[i].options, &err);

		if ((result < 0) != (rows[i].want != NULL) || (rows[i].want && !strstr(err.msg, rows[i].want)))
			fail_msg("row %zu: %d %s", i, result, err.msg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(made_when_absent),
		cmocka_unit_test(bodies_are_complete),
		cmocka_unit_test(creation_lost_to_another),
		cmocka_unit_test(expires_by_our_clock_only),
		cmocka_unit_test(standby_waits_with_jitter),
		cmocka_unit_test(renewals_are_seen),
		cmocka_unit_test(looking_counts_before_the_start),
		cmocka_unit_test(release_is_followed_at_once),
		cmocka_unit_test(old_news_count_for_nothing),
		cmocka_unit_test(lost_when_not_renewed),
		cmocka_unit_test(lost_while_an_answer_is_awaited),
		cmocka_unit_test(renewed_after_lost_replies),
		cmocka_unit_test(stopped_for_too_long),
		cmocka_unit_test(answered_too_late_to_lead),
		cmocka_unit_test(tries_have_their_time),
		cmocka_unit_test(a_failed_renewal_is_tried_again_soon),
		cmocka_unit_test(a_renewal_found_by_reading_counts),
		cmocka_unit_test(taken_by_another),
		cmocka_unit_test(emptied_or_deleted_while_leading),
		cmocka_unit_test(one_more_try_after_a_conflict),
		cmocka_unit_test(given_back),
		cmocka_unit_test(release_gives_up),
		cmocka_unit_test(release_by_who_does_not_lead),
		cmocka_unit_test(strange_records),
		cmocka_unit_test(options_are_checked),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
