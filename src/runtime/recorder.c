/*
 * The recorder. Happy path: the first occurrence becomes a record with an Event to create, further ones raise its
 * count; a record with something to say waits in line; at most MAX_CALLS are under way.
 *
 * Failure modes: while the API server is unreachable or busy the whole line waits, longer each time, and a record is
 * given up after MAX_TRIES; a refusal loses that one event; a create whose reply was lost is repeated under the same
 * name and found (AlreadyExists). An Event that the server has expired is forgotten and created anew next time.
 *
 * Limits: client-go tools/record/events_cache.go (4096 records, spam filter of 25 and one per 5 minutes by object) and
 * tools/record/event.go (12 tries).
 */
#include "runtime/recorder.h"

#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"

enum {
	MAX_RECORDS = 4096,
	MAX_SOURCES = 4096,
	MAX_WAITING = 1000,
	MAX_CALLS = 4,
	MAX_TRIES = 12,
	WINDOW_MS = 10 * 60 * 1000, /* repetitions further apart are new events */
	BURST = 25,
	REFILL_MS = 5 * 60 * 1000,
	PAUSE_MS = 1000,
	PAUSE_MAX_MS = 30 * 1000,
	LOG_EVERY_MS = 60 * 1000,
};

/* One Event object, from its first occurrence on. */
struct record {
	struct list all;     /* recorder->records, least recently used first */
	struct list waiting; /* recorder->waiting */
	struct recorder *r;
	char *key;
	char *ns;
	char *name;
	struct json *object; /* to create; NULL once that is done */
	int64_t count;
	int64_t sent; /* count that the server knows */
	int64_t last_ms;
	unsigned tries;
	struct api_call *call;
};

/* How much an object may still say. */
struct source {
	struct list all; /* recorder->sources, least recently used first */
	char *uid;
	double tokens;
	int64_t at_ms;
};

struct recorder {
	struct api *api;
	struct sched *sched;
	char *component;
	char *instance;
	struct map *by_key;
	struct map *by_uid;
	struct list records;
	struct list sources;
	struct list waiting;
	size_t waiting_len;
	size_t calls;
	struct sched_timer pause; /* armed: nothing is sent */
	unsigned pauses;	  /* in a row */
	int64_t logged_ms[ERR_INTERNAL + 1];
	struct metric *results;
};

static void on_pause_over(void *arg);
static void pump(struct recorder *r);

static void free_record(void *value)
{
	struct record *e = value;

	list_remove(&e->all);
	list_remove(&e->waiting);
	if (e->call)
		api_cancel(e->r->api, e->call);
	json_free(e->object);
	free(e->key);
	free(e->ns);
	free(e->name);
	free(e);
}

static void free_source(void *value)
{
	struct source *s = value;

	list_remove(&s->all);
	free(s->uid);
	free(s);
}

struct recorder *recorder_new(struct api *api, struct sched *sched, const char *component, const char *instance,
			      struct metrics *metrics)
{
	static const char *const labels[] = { "result", NULL };
	struct recorder *r = xcalloc(1, sizeof(*r));

	r->api = api;
	r->sched = sched;
	r->component = xstrdup(component);
	r->instance = xstrdup(instance);
	r->by_key = map_new(free_record);
	r->by_uid = map_new(free_source);
	list_init(&r->records);
	list_init(&r->sources);
	list_init(&r->waiting);
	sched_timer_init(&r->pause, on_pause_over, r);
	for (size_t i = 0; i < array_len(r->logged_ms); i++)
		r->logged_ms[i] = INT64_MIN;
	if (metrics)
		r->results =
		    metrics_add(metrics, METRIC_COUNTER, "event_recorder_events_total",
				"Events by what became of them: sent, refused, dropped (too many), filtered (too many "
				"about one object)",
				labels, NULL, 0);
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

static void count(const struct recorder *r, const char *result)
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
		s = xcalloc(1, sizeof(*s));
		s->uid = xstrdup(uid);
		s->tokens = BURST;
		s->at_ms = sched_now(r->sched);
		list_init(&s->all);
		map_set(r->by_uid, uid, s);
	}
	list_remove(&s->all);
	list_append(&r->sources, &s->all);
	return s;
}

static bool may_speak(struct recorder *r, const char *uid)
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

static bool is_waiting(const struct record *e)
{
	return !list_empty(&e->waiting);
}

static void unqueue(struct record *e)
{
	if (!is_waiting(e))
		return;
	list_remove(&e->waiting);
	e->r->waiting_len--;
}

static void drop(struct record *e)
{
	unqueue(e);
	map_remove(e->r->by_key, e->key);
}

static void enqueue(struct record *e)
{
	struct recorder *r = e->r;

	if (is_waiting(e) || e->call)
		return;
	if (r->waiting_len == MAX_WAITING) {
		count(r, "dropped");
		drop(container_of(r->waiting.next, struct record, waiting));
	}
	list_append(&r->waiting, &e->waiting);
	r->waiting_len++;
}

/* The least recently used record that has nothing more to say makes room. */
static void make_room(struct recorder *r)
{
	for (struct list *at = r->records.next; at != &r->records; at = at->next) {
		struct record *e = container_of(at, struct record, all);

		if (is_waiting(e) || e->call)
			continue;
		drop(e);
		return;
	}
}

/* Takes object. */
static struct record *record_new(struct recorder *r, const char *key, struct json *object)
{
	struct record *e = xcalloc(1, sizeof(*e));

	if (map_len(r->by_key) >= MAX_RECORDS)
		make_room(r);
	e->r = r;
	e->key = xstrdup(key);
	e->ns = xstrdup(json_str(object, "metadata.namespace", "default"));
	e->name = xstrdup(json_str(object, "metadata.name", ""));
	e->object = object;
	list_init(&e->all);
	list_init(&e->waiting);
	map_set(r->by_key, key, e);
	return e;
}

void recorder_event(struct recorder *r, const struct event_about *about, const char *type, const char *reason,
		    const char *message)
{
	auto_free char *key = xasprintf("%s\n%s\n%s\n%s", about->uid ? about->uid : about->name, type, reason, message);
	struct record *e = map_get(r->by_key, key);
	int64_t now_ms = sched_now(r->sched);

	if (!may_speak(r, about->uid ? about->uid : about->name)) {
		count(r, "filtered");
		return;
	}
	if (e && now_ms - e->last_ms > WINDOW_MS && !is_waiting(e) && !e->call) {
		drop(e);
		e = NULL;
	}
	if (!e)
		e = record_new(
		    r, key, event_build(about, type, reason, message, r->component, r->instance, sched_wall(r->sched)));
	e->count++;
	e->last_ms = now_ms;
	list_remove(&e->all);
	list_append(&r->records, &e->all);
	enqueue(e);
	pump(r);
}

size_t recorder_pending(const struct recorder *r)
{
	return r->waiting_len + r->calls;
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

static void pause_line(struct recorder *r, int64_t at_least_ms)
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

/* What was sent did not get through. */
static void on_failure(struct record *e, const struct err *err)
{
	struct recorder *r = e->r;

	if (is_transient(err->code) && ++e->tries < MAX_TRIES) {
		pause_line(r, err->retry_after_ms);
		enqueue(e);
		return;
	}
	if (e->object || err->code != ERR_NOT_FOUND) {
		count(r, "refused");
		log_refused(r, err);
	}
	drop(e);
}

static void on_reply(void *arg, struct reply *reply)
{
	struct record *e = arg;
	struct recorder *r = e->r;
	bool created = e->object && (reply->err.code == ERR_NONE || reply->err.code == ERR_EXISTS);

	e->call = NULL;
	r->calls--;
	if (created) {
		json_free(take_ptr(e->object));
		e->sent = 1;
	}
	if (created || reply->err.code == ERR_NONE) {
		r->pauses = 0;
		e->tries = 0;
		count(r, "sent");
		if (e->count > e->sent)
			enqueue(e);
	} else {
		on_failure(e, &reply->err);
	}
	pump(r);
}

static void send(struct record *e)
{
	struct recorder *r = e->r;
	auto_json patch = e->object ? NULL : event_repeat(e->count, sched_wall(r->sched));
	struct request req = {
		.verb = e->object ? VERB_CREATE : VERB_PATCH,
		.lane = LANE_LOW,
		.res = &resource_event,
		.ns = e->ns,
		.name = e->object ? NULL : e->name,
		.body = e->object ? e->object : patch,
	};

	if (!e->object)
		e->sent = e->count;
	e->call = api_send(r->api, &req, on_reply, e);
	r->calls++;
}

static void pump(struct recorder *r)
{
	while (r->calls < MAX_CALLS && r->waiting_len > 0 && !sched_armed(&r->pause)) {
		struct record *e = container_of(r->waiting.next, struct record, waiting);

		unqueue(e);
		send(e);
	}
}

static void on_pause_over(void *arg)
{
	pump(arg);
}
