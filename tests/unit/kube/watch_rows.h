/*
 * Tables of what happens to a list + watch, and of the commands that must follow. cmocka.h comes before this.
 *
 * Commands are compared as text: "BEGIN; LIST limit=100; UPSERT a@5; END; OPEN 10; TIMER 150000". The wait of a
 * back-off is random, so it is printed as WAIT and the step of the ladder that it lies on.
 */
#ifndef TESTS_WATCH_ROWS_H
#define TESTS_WATCH_ROWS_H

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "kube/watch.h"

enum { WHEN_DUE = -1 }; /* time passes until the timer that was armed last */

struct row {
	enum watch_event_type type;
	int64_t after_ms; /* since the row before */
	const char *text; /* PAGE, DATA */
	enum err_code code;
	int64_t retry_after_ms;
	const char *want;
};

#define START(want)                                                                                                    \
	{                                                                                                              \
		WATCH_EV_START, 0, NULL, ERR_NONE, 0, want                                                             \
	}
#define PAGE(text, want)                                                                                               \
	{                                                                                                              \
		WATCH_EV_PAGE, 10, text, ERR_NONE, 0, want                                                             \
	}
#define PAGE_FAILED(code, retry_ms, want)                                                                              \
	{                                                                                                              \
		WATCH_EV_PAGE_FAILED, 10, NULL, code, retry_ms, want                                                   \
	}
#define DATA(after_ms, text, want)                                                                                     \
	{                                                                                                              \
		WATCH_EV_DATA, after_ms, text, ERR_NONE, 0, want                                                       \
	}
#define ENDED(after_ms, code, retry, want)                                                                             \
	{                                                                                                              \
		WATCH_EV_ENDED, after_ms, NULL, code, retry, want                                                      \
	}
#define TIMER(after_ms, want)                                                                                          \
	{                                                                                                              \
		WATCH_EV_TIMER, after_ms, NULL, ERR_NONE, 0, want                                                      \
	}

#define FRESHEN(want)                                                                                                  \
	{                                                                                                              \
		WATCH_EV_FRESHEN, 1000, NULL, ERR_NONE, 0, want                                                        \
	}

#define OBJ(name, version)   "{\"metadata\":{\"name\":\"" name "\",\"uid\":\"u\",\"resourceVersion\":\"" version "\"}}"
#define EVENT(type, object)  "{\"type\":\"" type "\",\"object\":" object "}\n"
#define BOOKMARK(version)    EVENT("BOOKMARK", "{\"kind\":\"Pod\",\"metadata\":{\"resourceVersion\":\"" version "\"}}")
#define STATUS(fields)	     EVENT("ERROR", "{\"kind\":\"Status\"," fields "}")
#define LIST(version, items) "{\"metadata\":{\"resourceVersion\":\"" version "\"},\"items\":[" items "]}"
#define MORE(version, token, items)                                                                                    \
	"{\"metadata\":{\"resourceVersion\":\"" version "\",\"continue\":\"" token "\"},\"items\":[" items "]}"

#define RELIST	      "BEGIN; LIST limit=100"
#define OPEN(version) "OPEN " version "; TIMER 150000"
/* The beginning of most tables: one object, version 10, the stream is open. */
#define OPENED START(RELIST), PAGE(LIST("10", OBJ("a", "5")), "UPSERT a@5; END; " OPEN("10"))

struct fixture {
	struct rng rng;
	struct watch *w;
	int64_t now_ms;
	int64_t timer_ms; /* the delay armed last */
	struct buf warnings;
};

static inline void begin(struct fixture *f)
{
	*f = (struct fixture){ .rng = { 1 }, .now_ms = 1000000 };
	f->w = watch_new(&f->rng);
	buf_init(&f->warnings, 64 * 1024);
}

static inline void finish(struct fixture *f)
{
	watch_free(f->w);
	buf_done(&f->warnings);
}

/* The smallest step of 0.8 s, 1.6 s, ... 30 s with full jitter that ms lies on; -1 if on none. */
static inline int ladder_step(int64_t ms)
{
	for (int step = 0; step < 6; step++) {
		int64_t top = step == 5 ? 25600 : 800 << step;

		if (ms >= top / 2 && ms <= top)
			return step;
	}
	return ms > 15000 && ms <= 30000 ? 6 : -1;
}

static inline void print_open(const char *query, struct buf *out)
{
	static const char head[] = "watch=true&allowWatchBookmarks=true&timeoutSeconds=";
	static const char tail[] = "&resourceVersion=";
	int64_t timeout_s = 0;
	auto_free char *number = NULL;

	assert_true(text_starts(query, head));
	query += strlen(head);
	number = xstrndup(query, strcspn(query, "&"));
	assert_true(text_i64(number, &timeout_s));
	if (timeout_s == 3)
		buf_puts(out, "SHORT ");
	else
		assert_in_range(timeout_s, 300, 599);
	query += strlen(number);
	assert_true(text_starts(query, tail));
	buf_printf(out, "OPEN %s", query + strlen(tail));
}

static inline void print_timer(struct fixture *f, int64_t ms, struct buf *out)
{
	f->timer_ms = ms;
	if (watch_state(f->w) != WATCH_BACKOFF)
		buf_printf(out, "TIMER %lld", (long long)ms);
	else if (ladder_step(ms) >= 0)
		buf_printf(out, "WAIT %d", ladder_step(ms));
	else
		buf_printf(out, "WAIT %lldms", (long long)ms);
}

static inline void print_object(const char *verb, const struct json *object, struct buf *out)
{
	buf_printf(out, "%s %s@%s", verb, json_str(object, "metadata.name", "?"),
		   json_str(object, "metadata.resourceVersion", "?"));
}

static inline void print_cmd(struct fixture *f, const struct watch_cmd *cmd, struct buf *out)
{
	switch (cmd->type) {
	case WATCH_CMD_LIST:
		buf_printf(out, "LIST %s", cmd->text);
		return;
	case WATCH_CMD_OPEN:
		print_open(cmd->text, out);
		return;
	case WATCH_CMD_CANCEL:
		buf_puts(out, "CANCEL");
		return;
	case WATCH_CMD_TIMER:
		print_timer(f, cmd->ms, out);
		return;
	case WATCH_CMD_BEGIN:
		buf_puts(out, "BEGIN");
		return;
	case WATCH_CMD_UPSERT:
		print_object("UPSERT", cmd->object, out);
		return;
	case WATCH_CMD_DELETE:
		print_object("DELETE", cmd->object, out);
		return;
	case WATCH_CMD_END:
		buf_puts(out, "END");
		return;
	case WATCH_CMD_FRESH:
		buf_puts(out, "FRESH");
		return;
	case WATCH_CMD_WARN:
		buf_puts(out, "WARN");
		buf_printf(&f->warnings, "%s\n", cmd->text);
		return;
	}
	fail();
}

static inline void step(struct fixture *f, const struct watch_event *ev, struct buf *out)
{
	struct watch_cmds cmds = { 0 };

	watch_step(f->w, ev, &cmds);
	for (size_t i = 0; i < cmds.len; i++) {
		if (out->len)
			buf_puts(out, "; ");
		print_cmd(f, &cmds.items[i], out);
	}
	watch_cmds_done(&cmds);
}

static inline void run_row(struct fixture *f, const struct row *row, struct buf *out)
{
	struct err err = { .code = row->code, .retry_after_ms = row->retry_after_ms, .msg = "the reason" };
	struct watch_event ev = { .type = row->type };

	f->now_ms += row->after_ms == WHEN_DUE ? f->timer_ms : row->after_ms;
	ev.now_ms = f->now_ms;
	if (row->type == WATCH_EV_PAGE)
		ev.list = json_parse(row->text, strlen(row->text), &err);
	if (row->type == WATCH_EV_DATA) {
		ev.data = row->text;
		ev.len = strlen(row->text);
	}
	if (row->code != ERR_NONE)
		ev.err = &err;
	step(f, &ev, out);
}

static inline void run(struct fixture *f, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		auto_buf got;

		buf_init(&got, 64 * 1024);
		run_row(f, &rows[i], &got);
		if (!text_eq(buf_str(&got), rows[i].want))
			print_error("row %zu\n", i);
		assert_string_equal(buf_str(&got), rows[i].want);
	}
}

static inline void run_table(const struct row *rows, size_t count)
{
	struct fixture f;

	begin(&f);
	run(&f, rows, count);
	finish(&f);
}

#define RUN(...)                                                                                                       \
	do {                                                                                                           \
		const struct row rows_[] = { __VA_ARGS__ };                                                            \
		run_table(rows_, array_len(rows_));                                                                    \
	} while (0)

#endif
