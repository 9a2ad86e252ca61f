/*
 * The recorder. Happy path: the first occurrence of an event becomes a record, and further ones raise its count. A
 * record that the server does not know in its present form waits in line; at most MAX_CALLS are under way. A record is
 * one block with its texts, about 300 bytes. The Event, some ten times as large, is built when it is sent, so that a
 * burst of thousands can wait.
 *
 * Failure modes: while the API server is unreachable or busy, the whole line waits, longer each time, and a record is
 * given up after MAX_TRIES. A refusal loses that one event. A create whose reply was lost is repeated under the same
 * name and found (AlreadyExists). An Event that has expired at the server is forgotten, and created anew next time.
 *
 * Limits: client-go tools/record/events_cache.go (4096 records, here fewer of those that are idle; a spam filter of 25
 * and one per 5 minutes by object) and tools/record/event.go (12 tries).
 */
#include "runtime/recorder.h"

#include <stdint.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"

enum {
	MAX_IDLE = 1024,
	MAX_SOURCES = 4096,
	MAX_WAITING = 32768,
	MAX_CALLS = 4,
	MAX_TRIES = 12,
	WINDOW_MS = 10 * 60 * 1000, /* repetitions further apart are new events */
	BURST = 25,
	REFILL_MS = 5 * 60 * 1000,
	PAUSE_MS = 1000,
	PAUSE_MAX_MS = 30 * 1000,
	LOG_EVERY_MS = 60 * 1000,
	TEXT_MAX = 1100, /* longer texts are cut; event_build cuts at 1024, at the end of a character */
};

enum text { NS, NAME, UID, TYPE, REASON, MESSAGE, TEXT_COUNT };

/* The texts of an event as a record keeps them. */
struct texts {
	const char *at[TEXT_COUNT];
	char cut[TEXT_COUNT][TEXT_MAX + 1]; /* of those that are too long */
};

/* One Event object, from its first occurrence on. */
struct record {
	struct list link; /* in recorder->waiting or ->idle; in none while a call is under way */
	struct recorder *r;
	struct api_call *call;
	const struct resource *res;
	int64_t wall_ms; /* time of the first occurrence */
	int64_t last_ms; /* time of the last occurrence */
	uint32_t count;
	uint32_t sent; /* the count that the server knows; 0: it does not have the Event yet */
	uint16_t tries;
	bool waiting;
	uint16_t at[TEXT_COUNT]; /* where each text begins in texts */
	char texts[];
};

/* The spam filter's tokens of one object: how many events it may still have. */
struct source {
	struct list all; /* recorder->sources, least recently used first */
	double tokens;
	int64_t at_ms;
	char uid[];
};

struct recorder {
	struct api *api;
	struct sched *sched;
	char *component;
	char *instance;
	struct map *by_key;
	struct map *by_uid;
	struct list sources;
	struct list waiting;
	struct list idle; /* records that the server knows as they are, least recently sent first */
	size_t waiting_len;
	size_t idle_len;
	size_t calls;
	struct sched_timer pause; /* armed: nothing is sent */
	unsigned pauses;	  /* in a row */
	int64_t logged_ms[ERR_INTERNAL + 1];
	struct metric *results;
};

static void on_pause_over(void *arg);
static void send_next(struct recorder *r);

static void free_record(void *value)
{
	struct record *e = value;

	list_remove(&e->link);
	if (e->call)
		api_cancel(e->r->api, e->call);
	free(e);
}

static void free_source(void *value)
{
	struct source *s = value;

	list_remove(&s->all);
	free(s);
}

struct recorder *recorder_new(struct api *api, struct sched *sched, const char *component, const char *instance,
			      struct metrics *metrics)
{
	static const char *const labels[] = { "result", NULL };
	static const char *const results[] = { "sent", "refused", "dropped", "filtered" };
	struct recorder *r = xcalloc(1, sizeof(*r));

	r->api = api;
	r->sched = sched;
	r->component = xstrdup(component);
	r->instance = xstrdup(instance);
	r->by_key = map_new(free_record);
	r->by_uid = map_new(free_source);
	list_init(&r->sources);
	list_init(&r->waiting);
	list_init(&r->idle);
	sched_timer_init(&r->pause, on_pause_over, r);
	for (size_t i = 0; i < array_len(r->logged_ms); i++)
		r->logged_ms[i] = INT64_MIN;
	if (!metrics)
		return r;
	r->results =
	    metrics_family(metrics, METRIC_COUNTER, "event_recorder_events_total",
			   "Events by what became of them: sent, refused, dropped (too many), filtered (too many "
			   "about one object)",
			   labels, NULL, 0);
	for (size_t i = 0; i < array_len(results); i++)
		metric_init(r->results, &results[i]);
	return r;
}

void recorder_free(struct recorder *r)
{
	if (!r)
		return;
	sched_disarm(r->sched, &r->pause);
	map_free(r->by_key);
	map_free(r->by_uid);
	free(r->component);
	free(r->instance);
	free(r);
}

static void count_event(const struct recorder *r, const char *result)
{
	const char *const values[] = { result };

	if (r->results)
		metric_add(r->results, values, 1);
}

/* ---- the spam filter ---- */

static struct source *source_of(struct recorder *r, const char *uid)
{
	struct source *s = map_get(r->by_uid, uid);

	if (!s) {
		if (map_len(r->by_uid) == MAX_SOURCES)
			map_remove(r->by_uid, container_of(r->sources.next, struct source, all)->uid);
		s = xcalloc(1, sizeof(*s) + strlen(uid) + 1);
		memcpy(s->uid, uid, strlen(uid) + 1);
		s->tokens = BURST;
		s->at_ms = sched_now(r->sched);
		list_init(&s->all);
		map_set(r->by_uid, uid, s);
	}
	list_remove(&s->all);
	list_append(&r->sources, &s->all);
	return s;
}

static bool may_record(struct recorder *r, const char *uid)
{
	struct source *s = source_of(r, uid);
	int64_t now_ms = sched_now(r->sched);

	s->tokens += (double)(now_ms - s->at_ms) / REFILL_MS;
	s->at_ms = now_ms;
	if (s->tokens > BURST)
		s->tokens = BURST;
	if (s->tokens < 1)
		return false;
	s->tokens -= 1;
	return true;
}

/* ---- records ---- */

static const char *record_text(const struct record *e, enum text which)
{
	return e->texts + e->at[which];
}

/* The key of a record, owned: the object's uid, and a hash of type, reason and message. */
static char *make_key(const char *const *texts)
{
	const char *uid = texts[UID][0] ? texts[UID] : texts[NAME];
	uint64_t h = 0;

	for (size_t i = TYPE; i < TEXT_COUNT; i++)
		h = text_hash(h, texts[i]);
	return xasprintf("%s/%016llx", uid, (unsigned long long)h);
}

static void leave_list(struct record *e)
{
	struct recorder *r = e->r;

	if (list_empty(&e->link))
		return;
	list_remove(&e->link);
	if (e->waiting)
		r->waiting_len--;
	else
		r->idle_len--;
	e->waiting = false;
}

static void drop_record(struct record *e)
{
	const char *texts[TEXT_COUNT];
	auto_free char *key = NULL;

	for (enum text i = 0; i < TEXT_COUNT; i++)
		texts[i] = record_text(e, i);
	key = make_key(texts);
	leave_list(e);
	map_remove(e->r->by_key, key);
}

static void enqueue_record(struct record *e)
{
	struct recorder *r = e->r;

	if (e->waiting || e->call)
		return;
	if (r->waiting_len == MAX_WAITING) {
		count_event(r, "dropped");
		drop_record(container_of(r->waiting.next, struct record, link));
	}
	leave_list(e);
	list_append(&r->waiting, &e->link);
	e->waiting = true;
	r->waiting_len++;
}

/* Makes a record idle. Then drops idle records that are older than the window, and the oldest ones beyond MAX_IDLE. */
static void make_idle(struct record *e)
{
	struct recorder *r = e->r;

	list_append(&r->idle, &e->link);
	r->idle_len++;
	while (r->idle_len > 0) {
		e = container_of(r->idle.next, struct record, link);
		if (r->idle_len <= MAX_IDLE && sched_now(r->sched) - e->last_ms <= WINDOW_MS)
			return;
		drop_record(e);
	}
}

static struct record *record_new(struct recorder *r, const char *key, const struct resource *res,
				 const char *const *texts)
{
	size_t len[TEXT_COUNT], size = 0;
	struct record *e;

	for (size_t i = 0; i < TEXT_COUNT; i++) {
		len[i] = strlen(texts[i]);
		size += len[i] + 1;
	}
	e = xcalloc(1, sizeof(*e) + size);
	size = 0;
	for (size_t i = 0; i < TEXT_COUNT; i++) {
		e->at[i] = (uint16_t)size;
		memcpy(e->texts + size, texts[i], len[i]);
		size += len[i] + 1;
	}
	e->r = r;
	e->res = res;
	e->wall_ms = sched_wall(r->sched);
	list_init(&e->link);
	map_set(r->by_key, key, e);
	return e;
}

/* Nothing may see the whole of a text that is too long: the key of a record is made of its texts, and it is made again
 * of what the record holds when the record is dropped. */
static void cut_texts(struct texts *texts, const char *const given[TEXT_COUNT])
{
	for (size_t i = 0; i < TEXT_COUNT; i++) {
		size_t len = given[i] ? strnlen(given[i], TEXT_MAX + 1) : 0;

		texts->at[i] = given[i] ? given[i] : "";
		if (len <= TEXT_MAX)
			continue;
		memcpy(texts->cut[i], given[i], TEXT_MAX);
		texts->cut[i][TEXT_MAX] = '\0';
		texts->at[i] = texts->cut[i];
	}
}

void recorder_event(struct recorder *r, const struct event_about *about, const char *type, const char *reason,
		    const char *message)
{
	const char *const given[TEXT_COUNT] = { about->ns, about->name, about->uid, type, reason, message };
	int64_t now_ms = sched_now(r->sched);
	auto_free char *key = NULL;
	struct texts texts;
	struct record *e;

	if (!may_record(r, about->uid ? about->uid : about->name)) {
		count_event(r, "filtered");
		return;
	}
	cut_texts(&texts, given);
	key = make_key(texts.at);
	e = map_get(r->by_key, key);
	if (e && now_ms - e->last_ms > WINDOW_MS && !e->waiting && !e->call) {
		drop_record(e);
		e = NULL;
	}
	if (!e)
		e = record_new(r, key, about->res, texts.at);
	e->count++;
	e->last_ms = now_ms;
	enqueue_record(e);
	send_next(r);
}

size_t recorder_pending(const struct recorder *r)
{
	return r->waiting_len + r->calls;
}

size_t recorder_len(const struct recorder *r)
{
	return map_len(r->by_key);
}

/* ---- sending ---- */

static void log_refused(struct recorder *r, const struct err *err)
{
	int64_t now_ms = sched_now(r->sched), *logged_ms = &r->logged_ms[err->code];

	if (*logged_ms != INT64_MIN && now_ms - *logged_ms < LOG_EVERY_MS)
		return;
	*logged_ms = now_ms;
	log_warn("-", "event refused", "class", err_name(err->code), "error", err->msg, NULL);
}

static void pause_sending(struct recorder *r, int64_t at_least_ms)
{
	int64_t pause_ms = time_backoff_ms(PAUSE_MS, PAUSE_MAX_MS, r->pauses, &r->sched->rng);

	if (sched_armed(&r->pause))
		return;
	r->pauses++;
	sched_arm(r->sched, &r->pause, pause_ms > at_least_ms ? pause_ms : at_least_ms);
}

static bool is_transient(enum err_code code)
{
	return code == ERR_BUSY || code == ERR_TIMEOUT || code == ERR_IO || code == ERR_INTERNAL ||
	       code == ERR_UNAUTHORIZED;
}

/* The call for e failed. */
static void on_failure(struct record *e, const struct err *err)
{
	struct recorder *r = e->r;

	if (is_transient(err->code) && ++e->tries < MAX_TRIES) {
		pause_sending(r, err->retry_after_ms);
		enqueue_record(e);
		return;
	}
	if (e->sent == 0 || err->code != ERR_NOT_FOUND) {
		count_event(r, "refused");
		log_refused(r, err);
	}
	drop_record(e);
}

static void on_reply(void *arg, struct reply *reply)
{
	struct record *e = arg;
	struct recorder *r = e->r;
	bool created = e->sent == 0 && (reply->err.code == ERR_NONE || reply->err.code == ERR_EXISTS);

	e->call = NULL;
	r->calls--;
	if (created)
		e->sent = 1;
	if (created || reply->err.code == ERR_NONE) {
		r->pauses = 0;
		e->tries = 0;
		count_event(r, "sent");
		if (e->count > e->sent)
			enqueue_record(e);
		else
			make_idle(e);
	} else {
		on_failure(e, &reply->err);
	}
	send_next(r);
}

static const char *or_null(const char *value)
{
	return value[0] ? value : NULL;
}

static struct json *build_event(const struct record *e)
{
	const struct event_about about = {
		.res = e->res,
		.ns = or_null(record_text(e, NS)),
		.name = record_text(e, NAME),
		.uid = or_null(record_text(e, UID)),
	};

	return event_build(&about, record_text(e, TYPE), record_text(e, REASON), record_text(e, MESSAGE),
			   e->r->component, e->r->instance, e->wall_ms);
}

static void send_record(struct record *e)
{
	struct recorder *r = e->r;
	auto_json event = build_event(e);
	auto_json patch = e->sent > 0 ? event_repeat(e->count, sched_wall(r->sched)) : NULL;
	struct request req = {
		.verb = patch ? VERB_PATCH : VERB_CREATE,
		.lane = LANE_LOW,
		.res = &resource_event,
		.ns = json_str(event, "metadata.namespace", ""),
		.name = patch ? json_str(event, "metadata.name", "") : NULL,
		.body = patch ? patch : event,
	};

	if (patch)
		e->sent = e->count;
	e->call = api_send(r->api, &req, on_reply, e);
	r->calls++;
}

static void send_next(struct recorder *r)
{
	while (r->calls < MAX_CALLS && r->waiting_len > 0 && !sched_armed(&r->pause)) {
		struct record *e = container_of(r->waiting.next, struct record, link);

		leave_list(e);
		send_record(e);
	}
}

static void on_pause_over(void *arg)
{
	send_next(arg);
}
