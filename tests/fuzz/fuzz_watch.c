/*
 * Fuzz target: a watch whose bytes are arbitrary and come in arbitrary pieces.
 *
 * Input: one byte n (0 to 7), n + 1 bytes of chunk sizes, used in turn, then the stream. Commands are carried out:
 * lists are answered with one object, streams reopened, timers fired, objects put into a store. It fails on a crash, a
 * leak, an object that the store would refuse, or a stream that is left without a timer.
 */
#include <stdint.h>
#include <string.h>

#include "kube/store.h"
#include "kube/watch.h"

static const char list_text[] = "{\"metadata\":{\"resourceVersion\":\"10\"},\"items\":[{\"metadata\":{\"name\":\"a\","
				"\"resourceVersion\":\"5\"}}]}";

static const struct kind kind = { &resource_pod, false, NULL, NULL, NULL };

struct fuzz {
	struct rng rng;
	struct watch *watch;
	struct store *store;
	uint64_t relist;
	int64_t now_ms;
	int64_t wait_ms; /* of the timer, 0 if none is armed */
	bool listing;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void upsert(struct fuzz *f, struct json *tree)
{
	struct err err;
	struct kobj *o = kobj_new(&kind, tree, &err);

	check(o);
	store_upsert(f->store, o);
}

static void carry_out(struct fuzz *f, struct watch_cmd *cmd)
{
	switch (cmd->type) {
	case WATCH_CMD_LIST:
		check(cmd->text);
		f->listing = true;
		return;
	case WATCH_CMD_TIMER:
		check(cmd->ms > 0);
		f->wait_ms = cmd->ms;
		return;
	case WATCH_CMD_BEGIN:
		f->relist = store_relist_begin(f->store);
		return;
	case WATCH_CMD_END:
		store_relist_end(f->store, NULL, f->relist);
		return;
	case WATCH_CMD_UPSERT:
		upsert(f, take_ptr(cmd->object));
		return;
	case WATCH_CMD_DELETE:
		store_remove(f->store, json_str(cmd->object, "metadata.name", ""));
		return;
	case WATCH_CMD_OPEN:
	case WATCH_CMD_WARN:
		check(cmd->text);
		return;
	case WATCH_CMD_CANCEL:
	case WATCH_CMD_FRESH:
		return;
	}
}

static void step(struct fuzz *f, struct watch_event ev)
{
	struct watch_cmds cmds = { 0 };

	ev.now_ms = f->now_ms;
	watch_step(f->watch, &ev, &cmds);
	for (size_t i = 0; i < cmds.len; i++)
		carry_out(f, &cmds.items[i]);
	watch_cmds_done(&cmds);
}

/* Until the stream is open (again). */
static void reopen(struct fuzz *f)
{
	while (watch_state(f->watch) != WATCH_STREAMING) {
		struct err err;

		if (f->listing) {
			f->listing = false;
			step(f, (struct watch_event){ .type = WATCH_EV_PAGE,
						      .list = json_parse(list_text, strlen(list_text), &err) });
			continue;
		}
		check(f->wait_ms > 0);
		f->now_ms += f->wait_ms;
		f->wait_ms = 0;
		step(f, (struct watch_event){ .type = WATCH_EV_TIMER });
	}
	check(f->wait_ms > 0);
}

static void stream(struct fuzz *f, const uint8_t *sizes, size_t size_count, const uint8_t *data, size_t len)
{
	for (size_t i = 0; len > 0; i = (i + 1) % size_count) {
		size_t n = (size_t)sizes[i] + 1 < len ? (size_t)sizes[i] + 1 : len;

		reopen(f);
		f->now_ms += sizes[i];
		step(f, (struct watch_event){ .type = WATCH_EV_DATA, .data = (const char *)data, .len = n });
		data += n;
		len -= n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = { .rng = { 1 } };
	size_t size_count = size ? (data[0] & 7u) + 1u : 0;

	if (size < 1 + size_count)
		return 0;
	json_setup();
	f.watch = watch_new(&f.rng);
	f.store = store_new(&kind);
	step(&f, (struct watch_event){ .type = WATCH_EV_START });
	stream(&f, data + 1, size_count, data + 1 + size_count, size - 1 - size_count);
	reopen(&f);
	step(&f, (struct watch_event){ .type = WATCH_EV_ENDED });
	watch_free(f.watch);
	store_free(f.store);
	return 0;
}
