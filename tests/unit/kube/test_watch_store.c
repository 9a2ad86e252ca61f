/*
 * List + watch and the cache together against a small API server that does everything a real one may do, and
 * more: pages, compaction, bookmarks, repeated events, lost connections, errors of all kinds, bytes in any pieces.
 *
 * Whatever happens, each state that the cache shows is one that the object had, and per object they come in order. When
 * the cache says that it is as fresh as was asked, it is.
 * When the faults end, the cache becomes equal to the server. The seed of a run that fails is printed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "kube/store.h"
#include "kube/watch.h"

enum { RUNS = 1000, STEPS = 300, LAST_VERSION = STEPS + 1, KEYS = 6, MAX_SETTLE = 10000 };

struct past {
	const char *type;
	size_t key;
	int uid;
};

struct server {
	struct past history[LAST_VERSION + 1]; /* by version, the first change makes 2 */
	int64_t version;
	int64_t compacted; /* a watch or a page from before is answered with 410 */
	int64_t changed[KEYS];
	int uids[KEYS]; /* 0: absent */
	int last_uid;
};

struct sim {
	struct rng rng;
	struct server server;
	struct watch *watch;
	struct store *store;
	uint64_t relist;
	int64_t now_ms;
	int64_t timer_ms; /* when it fires; -1: not armed */
	char *list;	  /* query of the list that was asked for, NULL if none */
	struct server snapshot;
	bool open;
	int64_t sent;	  /* version up to which the stream has been written */
	struct buf bytes; /* written, not yet arrived */
	int64_t seen[KEYS];
	int synced;
	int64_t asked; /* version at which the store was to be fresh; 0: it is */
};

static char *index_of(const struct json *tree)
{
	return xstrdup_null(json_str(tree, "metadata.labels.parity", NULL));
}

static const struct kind kind = { &resource_pod, false, NULL, NULL, index_of };

static bool chance(struct sim *s, int one_in)
{
	return rng_range(&s->rng, 0, one_in) == 0;
}

/* ---- server ---- */

static void server_change(struct sim *s)
{
	struct server *v = &s->server;
	size_t key = (size_t)rng_range(&s->rng, 0, KEYS);
	const char *type = "MODIFIED";
	int uid = v->uids[key];

	if (v->version == LAST_VERSION)
		return;
	if (!uid) {
		type = "ADDED";
		uid = ++v->last_uid;
	} else if (chance(s, 3)) {
		type = "DELETED";
	}
	v->history[++v->version] = (struct past){ type, key, uid };
	v->changed[key] = v->version;
	v->uids[key] = text_eq(type, "DELETED") ? 0 : uid;
}

static char *object_text(size_t key, int uid, int64_t version)
{
	return xasprintf(
	    "{\"metadata\":{\"name\":\"o%zu\",\"namespace\":\"n%zu\",\"uid\":\"u%d\",\"resourceVersion\":\"%lld\","
	    "\"labels\":{\"parity\":\"%s\"}},\"x\":\"}\\\"{\xc3\xa9\"}",
	    key, key % 2, uid, (long long)version, uid % 2 ? "odd" : "even");
}

static void write_event(struct sim *s, int64_t version)
{
	const struct past *p = &s->server.history[version];
	auto_free char *object = object_text(p->key, p->uid, version);

	buf_printf(&s->bytes, "{\"type\":\"%s\",\"object\":%s}\n", p->type, object);
}

/* Up to `limit` objects of the snapshot from key `from` on. */
static struct json *page(const struct server *snapshot, size_t from, int limit)
{
	struct json *list = json_new_object();
	struct json *meta = json_set(list, "metadata", json_new_object());
	struct json *items = json_set(list, "items", json_new_array());
	struct err err;
	size_t key;

	json_setf(meta, "resourceVersion", "%lld", (long long)snapshot->version);
	for (key = from; key < KEYS && limit > 0; key++) {
		auto_free char *text = NULL;

		if (!snapshot->uids[key])
			continue;
		text = object_text(key, snapshot->uids[key], snapshot->changed[key]);
		json_append(items, json_parse(text, strlen(text), &err));
		limit--;
	}
	if (key < KEYS)
		json_setf(meta, "continue", "%zu", key);
	return list;
}

/* ---- the informer's part: commands ---- */

static void step(struct sim *s, struct watch_event *ev);

static void upsert(struct sim *s, struct json *tree)
{
	struct err err;
	struct kobj *o = kobj_new(&kind, tree, &err);

	assert_non_null(o);
	store_upsert(s->store, o);
}

static void drop_object(struct sim *s, const struct json *tree)
{
	auto_free char *key =
	    xasprintf("%s/%s", json_str(tree, "metadata.namespace", ""), json_str(tree, "metadata.name", ""));

	store_remove(s->store, key);
}

static void open_stream(struct sim *s, const char *query)
{
	const char *version = strstr(query, "resourceVersion=");

	assert_false(s->open);
	assert_non_null(version);
	assert_true(text_i64(version + strlen("resourceVersion="), &s->sent));
	assert_in_range(s->sent, 1, s->server.version);
	s->open = true;
}

static void close_stream(struct sim *s)
{
	s->open = false;
	buf_clear(&s->bytes);
}

/* The state of the object at this version of the server; NULL if it was not there. */
static const struct past *state_at(const struct server *v, size_t key, int64_t version, int64_t *ret_version)
{
	for (; version > 1; version--) {
		if (v->history[version].key != key)
			continue;
		*ret_version = version;
		return text_eq(v->history[version].type, "DELETED") ? NULL : &v->history[version];
	}
	return NULL;
}

/* The store shows each object as it was at the version reached, which is that of the question or later, or newer. */
static void expect_fresh(struct sim *s)
{
	int64_t reached, changed, version;

	assert_true(text_i64(watch_version(s->watch), &reached));
	assert_true(s->asked > 0);
	assert_true(reached >= s->asked);
	for (size_t key = 0; key < KEYS; key++) {
		auto_free char *name = xasprintf("n%zu/o%zu", key % 2, key);
		const struct past *past = state_at(&s->server, key, reached, &changed);
		const struct kobj *o = store_get(s->store, name);

		if (o)
			assert_true(text_i64(o->resource_version, &version));
		if (past)
			assert_true(!o || version >= changed);
		else
			assert_true(!o || version > reached);
	}
}

static void carry_out(struct sim *s, struct watch_cmd *cmd)
{
	switch (cmd->type) {
	case WATCH_CMD_LIST:
		free(s->list);
		s->list = take_ptr(cmd->text);
		return;
	case WATCH_CMD_OPEN:
		open_stream(s, cmd->text);
		return;
	case WATCH_CMD_CANCEL:
		assert_true(s->open);
		close_stream(s);
		return;
	case WATCH_CMD_TIMER:
		assert_true(cmd->ms > 0);
		s->timer_ms = s->now_ms + cmd->ms;
		return;
	case WATCH_CMD_BEGIN:
		s->relist = store_relist_begin(s->store);
		return;
	case WATCH_CMD_UPSERT:
		upsert(s, take_ptr(cmd->object));
		return;
	case WATCH_CMD_DELETE:
		drop_object(s, cmd->object);
		return;
	case WATCH_CMD_END:
		store_relist_end(s->store, NULL, s->relist);
		s->synced++;
		return;
	case WATCH_CMD_WARN:
		assert_non_null(cmd->text);
		return;
	case WATCH_CMD_FRESH:
		expect_fresh(s);
		s->asked = 0;
		return;
	}
	fail();
}

static void step(struct sim *s, struct watch_event *ev)
{
	struct watch_cmds cmds = { 0 };

	ev->now_ms = s->now_ms;
	watch_step(s->watch, ev, &cmds);
	for (size_t i = 0; i < cmds.len; i++)
		carry_out(s, &cmds.items[i]);
	watch_cmds_done(&cmds);
}

/* The order of the states of one object, and that they are true. */
static void on_change(void *arg, const struct kobj *before, const struct kobj *now)
{
	struct sim *s = arg;
	const struct past *p;
	int64_t version, uid;
	size_t key;

	(void)before;
	if (!now)
		return;
	assert_true(text_i64(now->resource_version, &version));
	p = &s->server.history[version];
	key = (size_t)(now->name[1] - '0');
	assert_true(text_i64(now->uid + 1, &uid));
	assert_int_equal(p->key, key);
	assert_int_equal(p->uid, uid);
	assert_string_not_equal(p->type, "DELETED");
	assert_true(version > s->seen[key]);
	s->seen[key] = version;
}

/* ---- what happens ---- */

static void fail_with(struct sim *s, enum watch_event_type type, enum err_code code)
{
	struct err err = { .code = code, .retry_after_ms = chance(s, 4) ? 5000 : 0, .msg = "failed" };

	step(s, &(struct watch_event){ .type = type, .err = &err });
}

static void answer_list(struct sim *s, bool faults)
{
	static const enum err_code codes[] = { ERR_IO, ERR_GONE, ERR_BUSY, ERR_INTERNAL, ERR_TIMEOUT };
	auto_free char *query = take_ptr(s->list);
	const char *token = strstr(query, "continue=");
	int limit = faults ? (int)rng_range(&s->rng, 1, 4) : KEYS;
	int64_t from = 0;

	if (faults && chance(s, 5)) {
		fail_with(s, WATCH_EV_PAGE_FAILED, codes[rng_range(&s->rng, 0, array_len(codes))]);
		return;
	}
	if (token)
		assert_true(text_i64(token + strlen("continue="), &from));
	else
		s->snapshot = s->server;
	if (s->snapshot.version < s->server.compacted) {
		fail_with(s, WATCH_EV_PAGE_FAILED, ERR_GONE);
		return;
	}
	step(s, &(struct watch_event){ .type = WATCH_EV_PAGE, .list = page(&s->snapshot, (size_t)from, limit) });
}

static void write_stream(struct sim *s, bool faults)
{
	if (s->sent < s->server.compacted && s->sent < s->server.version) {
		buf_puts(&s->bytes, "{\"type\":\"ERROR\",\"object\":{\"code\":410,\"reason\":\"Expired\"}}\n");
		s->sent = s->server.version;
		return;
	}
	if (s->sent < s->server.version)
		write_event(s, ++s->sent);
	if (faults && s->sent > 1 && chance(s, 4))
		write_event(s, rng_range(&s->rng, 2, s->sent + 1));
	if (chance(s, 4))
		buf_printf(&s->bytes,
			   "\r\n{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"%lld\"}}}\n\n",
			   (long long)s->sent);
	if (faults && chance(s, 20))
		buf_puts(&s->bytes,
			 chance(s, 2) ? "{\"type\":\"NEWS\"}" : "{\"type\":\"ERROR\",\"object\":{\"code\":500}}");
}

static void deliver(struct sim *s, size_t len)
{
	auto_free char *chunk = xmalloc(len + 1);

	memcpy(chunk, buf_str(&s->bytes), len);
	buf_drop(&s->bytes, len);
	step(s, &(struct watch_event){ .type = WATCH_EV_DATA, .data = chunk, .len = len });
}

static void end_stream(struct sim *s)
{
	static const enum err_code codes[] = {
		ERR_NONE, ERR_NONE, ERR_IO, ERR_GONE, ERR_BUSY, ERR_INTERNAL, ERR_TIMEOUT
	};

	close_stream(s);
	fail_with(s, WATCH_EV_ENDED, codes[rng_range(&s->rng, 0, array_len(codes))]);
}

static void pass_time(struct sim *s, int64_t ms)
{
	s->now_ms += ms;
	if (s->timer_ms < 0 || s->timer_ms > s->now_ms)
		return;
	s->timer_ms = -1;
	step(s, &(struct watch_event){ .type = WATCH_EV_TIMER });
}

static void freshen(struct sim *s)
{
	s->asked = s->server.version;
	step(s, &(struct watch_event){ .type = WATCH_EV_FRESHEN });
}

static void happen(struct sim *s)
{
	int64_t what = rng_range(&s->rng, 0, 20);

	if (chance(s, 40))
		freshen(s);
	else if (what < 5)
		server_change(s);
	else if (what == 5)
		s->server.compacted = rng_range(&s->rng, s->server.compacted, s->server.version + 1);
	else if (what == 6)
		pass_time(s, rng_range(&s->rng, 0, 100000));
	else if (what == 7)
		pass_time(s, rng_range(&s->rng, 0, 500));
	else if (what < 11 && s->list)
		answer_list(s, true);
	else if (what < 14 && s->open)
		write_stream(s, true);
	else if (what < 19 && s->open)
		deliver(s, (size_t)rng_range(&s->rng, 0, (int64_t)s->bytes.len + 1));
	else if (s->open && chance(s, 3))
		end_stream(s);
}

/* No more faults: what is under way comes to its end. */
static void settle(struct sim *s)
{
	for (int i = 0; i < MAX_SETTLE; i++) {
		if (s->list)
			answer_list(s, false);
		else if (s->open && s->bytes.len)
			deliver(s, s->bytes.len);
		else if (s->open && s->sent < s->server.version)
			write_stream(s, false);
		else if (s->open && !s->asked)
			return;
		else
			pass_time(s, s->timer_ms - s->now_ms);
	}
	fail_msg("does not come to rest");
}

static size_t index_size(const struct store *store, const char *value)
{
	size_t pos = 0, count = 0;

	while (store_index_next(store, value, &pos))
		count++;
	return count;
}

static void compare(const struct sim *s)
{
	size_t alive = 0;

	for (size_t key = 0; key < KEYS; key++) {
		auto_free char *name = xasprintf("n%zu/o%zu", key % 2, key);
		const struct kobj *o = store_get(s->store, name);
		int64_t version;

		if (!s->server.uids[key]) {
			assert_null(o);
			continue;
		}
		alive++;
		assert_non_null(o);
		assert_true(text_i64(o->resource_version, &version));
		assert_int_equal(version, s->server.changed[key]);
	}
	assert_int_equal(store_len(s->store), alive);
	assert_int_equal(index_size(s->store, "odd") + index_size(s->store, "even"), alive);
}

static void run(uint64_t number)
{
	struct sim s = { .rng = { number }, .server = { .version = 1 }, .timer_ms = -1 };

	buf_init(&s.bytes, 1024 * 1024);
	s.watch = watch_new(&s.rng);
	s.store = store_new(&kind);
	store_on_change(s.store, on_change, &s);
	step(&s, &(struct watch_event){ .type = WATCH_EV_START });
	for (int i = 0; i < STEPS; i++)
		happen(&s);
	settle(&s);
	assert_true(s.synced > 0);
	assert_int_equal(watch_state(s.watch), WATCH_STREAMING);
	compare(&s);
	free(s.list);
	watch_free(s.watch);
	store_free(s.store);
	buf_done(&s.bytes);
}

static uint64_t seed;

static int print_seed(void **state)
{
	(void)state;
	print_message("last seed %llu\n", (unsigned long long)seed);
	return 0;
}

static void test_random_runs(void **state)
{
	(void)state;
	for (seed = 1; seed <= RUNS; seed++)
		run(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_teardown(test_random_runs, print_seed) };

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
