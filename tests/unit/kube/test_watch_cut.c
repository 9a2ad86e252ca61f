/*
 * A recorded stream, cut everywhere: into chunks of every size, and by losing the connection after every byte.
 *
 * The stream has what makes cuts hard: UTF-8, escapes, brackets in strings, CRLF, blank lines, no line at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/text.h"
#include "kube/watch.h"

static const struct {
	int64_t version;
	const char *text;
	const char *want;
} recorded[] = {
	{ 11,
	  "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"b\",\"resourceVersion\":\"11\"},\"x\":"
	  "\"\xc3\xa9\xf0\x9f\x9a\x80\"}}\n",
	  "UPSERT b@11" },
	{ 12,
	  "{\"object\":{\"metadata\":{\"resourceVersion\":\"12\",\"name\":\"b\"},\"x\":\"\\\"}{\\\\\"},\"type\":"
	  "\"MODIFIED\"}\r\n",
	  "UPSERT b@12" },
	{ 13,
	  "\n\n{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":\"b\",\"resourceVersion\":\"13\"},\"x\":[[],{}]"
	  "}}",
	  "DELETE b@13" },
	{ 14,
	  "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"b\",\"resourceVersion\":\"14\"},\"x\":"
	  "\"\\u00e9\\ud83d\\ude80\"}} ",
	  "UPSERT b@14" },
	{ 15, " {\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"15\"}}}\n", NULL },
};

/* What the server sends to a watch from `version` on. */
static char *record_from(int64_t version)
{
	struct strv all = { 0 };
	char *text;

	for (size_t i = 0; i < array_len(recorded); i++)
		if (recorded[i].version > version)
			strv_add(&all, recorded[i].text);
	text = strv_join(&all, "");
	strv_done(&all);
	return text;
}

static char *all_commands(void)
{
	struct strv all = { 0 };
	char *text;

	for (size_t i = 0; i < array_len(recorded); i++)
		if (recorded[i].want)
			strv_add(&all, recorded[i].want);
	text = strv_join(&all, "; ");
	strv_done(&all);
	return text;
}

struct fixture {
	struct rng rng;
	struct watch *w;
	int64_t now_ms;
	int64_t timer_ms; /* the delay armed last */
	struct buf changes;
};

static void step(struct fixture *f, struct watch_event ev)
{
	struct watch_cmds cmds = { 0 };

	ev.now_ms = f->now_ms;
	watch_step(f->w, &ev, &cmds);
	for (size_t i = 0; i < cmds.len; i++) {
		const struct watch_cmd *cmd = &cmds.items[i];

		if (cmd->type == WATCH_CMD_TIMER)
			f->timer_ms = cmd->ms;
		if (!cmd->object)
			continue;
		buf_printf(&f->changes, "%s%s %s@%s", f->changes.len ? "; " : "",
			   cmd->type == WATCH_CMD_UPSERT ? "UPSERT" : "DELETE",
			   json_str(cmd->object, "metadata.name", ""),
			   json_str(cmd->object, "metadata.resourceVersion", ""));
	}
	watch_cmds_done(&cmds);
}

/* An open stream at version 10. */
static void begin(struct fixture *f)
{
	static const char list[] = "{\"metadata\":{\"resourceVersion\":\"10\"},\"items\":[]}";
	struct err err;

	*f = (struct fixture){ .rng = { 1 } };
	f->w = watch_new(&f->rng);
	buf_init(&f->changes, 4096);
	step(f, (struct watch_event){ .type = WATCH_EV_START });
	step(f, (struct watch_event){ .type = WATCH_EV_PAGE, .list = json_parse(list, strlen(list), &err) });
	assert_int_equal(watch_state(f->w), WATCH_STREAMING);
}

static void finish(struct fixture *f)
{
	watch_free(f->w);
	buf_done(&f->changes);
}

static void feed(struct fixture *f, const char *data, size_t len)
{
	auto_free char *exact = xmalloc(len ? len : 1); /* so that a read past the chunk is found */

	memcpy(exact, data, len);
	step(f, (struct watch_event){ .type = WATCH_EV_DATA, .data = exact, .len = len });
}

/* Nothing is lost and nothing comes twice, as the server goes on from the version that was reached. */
static void test_connection_lost_at_every_byte(void **state)
{
	auto_free char *stream = record_from(0);
	auto_free char *want = all_commands();
	struct err err = { .code = ERR_IO, .msg = "reset" };

	(void)state;
	for (size_t cut = 0; cut <= strlen(stream); cut++) {
		auto_free char *rest = NULL;
		struct fixture f;
		int64_t version;

		begin(&f);
		feed(&f, stream, cut);
		step(&f, (struct watch_event){ .type = WATCH_EV_ENDED, .err = &err });
		f.now_ms += f.timer_ms;
		step(&f, (struct watch_event){ .type = WATCH_EV_TIMER });
		assert_int_equal(watch_state(f.w), WATCH_STREAMING);
		assert_true(text_i64(watch_version(f.w), &version));
		rest = record_from(version);
		feed(&f, rest, strlen(rest));
		assert_string_equal(buf_str(&f.changes), want);
		assert_string_equal(watch_version(f.w), "15");
		finish(&f);
	}
}

static void test_chunks_of_every_size(void **state)
{
	auto_free char *stream = record_from(0);
	auto_free char *want = all_commands();
	size_t len = strlen(stream);

	(void)state;
	for (size_t size = 1; size <= len; size++) {
		struct fixture f;

		begin(&f);
		for (size_t at = 0; at < len; at += size)
			feed(&f, stream + at, size < len - at ? size : len - at);
		assert_string_equal(buf_str(&f.changes), want);
		assert_string_equal(watch_version(f.w), "15");
		finish(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connection_lost_at_every_byte),
		cmocka_unit_test(test_chunks_of_every_size),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
