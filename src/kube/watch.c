/*
 * List + watch as a stepper: the state, and one function per event. The rules in include/kube/watch.h, which
 * docs/informer.md explains, mirror client-go's tools/cache/reflector.go. Where we differ, a comment says so.
 *
 * Happy path: START asks for the first page, and each PAGE for the next one. The last page opens the stream at the
 * version of the list. DATA becomes upserts and deletions. A clean end reopens the stream at the version that was
 * reached.
 *
 * Failure modes: after_failure decides whether the next attempt is a list, a page of it or a reopening. It follows at
 * once after the first 410 in a row and after a clean end, otherwise after a back-off. An event that cannot be
 * understood is never skipped: the version would move past it, and the cache would stay wrong.
 *
 * Events that do not fit the state (bytes of a cancelled stream, a timer armed for an earlier state) are ignored.
 */
#include "kube/watch.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "kube/request.h"
#include "watch_frame.h"

/* Objects in a page of a list. client-go asks for 500, but we hold a page as a tree, which takes some ten times its
 * text. */
#define PAGE "100"

enum {
	EVENT_MAX_BYTES = 16 * 1024 * 1024,
	CONTINUE_MAX_BYTES = 8 * 1024, /* tokens of etcd's store have about 200 */
	OPEN_MIN_S = 300,
	OPEN_MAX_S = 600,
	OPEN_GRACE_MS = 30 * 1000,
	IDLE_MS = 150 * 1000, /* two and a half bookmark periods */
	SHORT_MS = 1000,      /* reflector.go: VeryShortWatchError */
	BACKOFF_MS = 800,
	BACKOFF_MAX_MS = 30 * 1000,
	STEADY_MS = 30 * 1000, /* a stream that was open for so long ends the back-off of earlier failures */
	FRESHEN_MS = 6 * 1000, /* the stream may take so long to get where it has to be, then there is a list */
	FRESHEN_PAGES = 10,    /* a list of fewer pages begins again */
	FRESHEN_OPEN_S = 3,    /* a bookmark comes 2 s before the end: cache_watcher.go, nextBookmarkTime */
};

/* How it goes on after a failure: with a new list, with the same page of the list, or with the stream. */
enum next { NEXT_LIST, NEXT_PAGE, NEXT_REOPEN };

/* How far WATCH_EV_FRESHEN has come. */
enum freshness {
	FRESH = 0, /* nothing was asked, or it is done */
	STALE,	   /* the API server has not been asked yet, since no stream is open */
	LISTED,	   /* the list under way began later than that */
	PROBED,	   /* a page was asked for beside the stream */
	AWAITED,   /* the stream has to reach `wanted` */
};

struct watch {
	enum watch_state state;
	enum next next; /* what the back-off waits for */
	struct rng *rng;
	struct watch_frame frame;
	char *version;	    /* of the last complete list or later */
	char *list_version; /* of the first page of the list under way, NULL before it */
	unsigned pages;	    /* of the list under way that have come */
	char *token;	    /* LISTING: of the page that was asked for, encoded; NULL: it is the first one */
	int64_t opened_ms;  /* STREAMING: when the stream was opened */
	int64_t heard_ms;   /* STREAMING: when the last byte came */
	int64_t expires_ms; /* STREAMING: when the server has to have ended the stream */
	bool eventful;	    /* this stream brought an event */
	int64_t resume_ms;  /* BACKOFF: when it ends */
	unsigned tries;	    /* back-offs since a stream was open for STEADY_MS */
	unsigned gones;	    /* 410s since then */
	enum freshness freshness;
	char *wanted;	      /* AWAITED: version that the stream has to reach */
	int64_t fresh_due_ms; /* AWAITED: when there will be a list instead */
};

/* From each state, the states that may follow. Another one is a programming error. */
static const unsigned transitions[] = {
	[WATCH_EMPTY] = 1u << WATCH_LISTING,
	[WATCH_LISTING] = 1u << WATCH_LISTING | 1u << WATCH_STREAMING | 1u << WATCH_BACKOFF,
	[WATCH_STREAMING] = 1u << WATCH_LISTING | 1u << WATCH_STREAMING | 1u << WATCH_BACKOFF,
	[WATCH_BACKOFF] = 1u << WATCH_LISTING | 1u << WATCH_STREAMING,
};

struct watch *watch_new(struct rng *rng)
{
	struct watch *w = xcalloc(1, sizeof(*w));

	w->rng = rng;
	w->version = xstrdup("");
	watch_frame_init(&w->frame, EVENT_MAX_BYTES);
	return w;
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	watch_frame_done(&w->frame);
	free(w->version);
	free(w->list_version);
	free(w->token);
	free(w->wanted);
	free(w);
}

enum watch_state watch_state(const struct watch *w)
{
	return w->state;
}

const char *watch_version(const struct watch *w)
{
	return w->version;
}

static void set_state(struct watch *w, enum watch_state state)
{
	assert(transitions[w->state] & 1u << state);
	w->state = state;
}

static void set_version(struct watch *w, const char *version)
{
	char *old = w->version;

	w->version = xstrdup(version);
	free(old);
}

/* ---- commands ---- */

void watch_cmds_done(struct watch_cmds *c)
{
	for (size_t i = 0; i < c->len; i++) {
		free(c->items[i].text);
		json_free(c->items[i].object);
	}
	free(c->items);
	*c = (struct watch_cmds){ 0 };
}

/* text and object are taken. */
static struct watch_cmd *add_cmd(struct watch_cmds *out, enum watch_cmd_type type, char *text, struct json *object)
{
	if (out->len == out->cap) {
		out->cap = out->cap ? out->cap * 2 : 16;
		out->items = xreallocarray(out->items, out->cap, sizeof(*out->items));
	}
	out->items[out->len] = (struct watch_cmd){ .type = type, .text = text, .object = object };
	return &out->items[out->len++];
}

static void arm_timer(int64_t delay_ms, struct watch_cmds *out)
{
	add_cmd(out, WATCH_CMD_TIMER, NULL, NULL)->ms = delay_ms;
}

/* ---- entering the states ---- */

static int64_t earlier_of(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* When an open stream is given up if nothing happens. */
static int64_t stream_due(const struct watch *w)
{
	int64_t due_ms = earlier_of(w->heard_ms + IDLE_MS, w->expires_ms);

	return w->freshness == AWAITED ? earlier_of(due_ms, w->fresh_due_ms) : due_ms;
}

/* Whether the stream was to reach a version by now and has not. */
static bool is_overdue(const struct watch *w, int64_t now_ms)
{
	return w->freshness == AWAITED && w->fresh_due_ms <= now_ms;
}

static void ask_page(const struct watch *w, struct watch_cmds *out)
{
	char *query = w->token ? xasprintf("limit=" PAGE "&continue=%s", w->token) : xstrdup("limit=" PAGE);

	add_cmd(out, WATCH_CMD_LIST, query, NULL);
}

static void start_list(struct watch *w, struct watch_cmds *out)
{
	set_state(w, WATCH_LISTING);
	w->pages = 0;
	free(take_ptr(w->list_version));
	free(take_ptr(w->token));
	if (w->freshness != FRESH)
		w->freshness = LISTED;
	add_cmd(out, WATCH_CMD_BEGIN, NULL, NULL);
	ask_page(w, out);
}

/* The list under way goes on. What came of it is in the store. */
static void resume_list(struct watch *w, struct watch_cmds *out)
{
	set_state(w, WATCH_LISTING);
	ask_page(w, out);
}

/* To be called when a stream ends. Only a stream that was open for a while shows that failures are over. Lists may take
 * longer than the longest wait, so the time since the last failure shows nothing. client-go waits for two minutes. With
 * a proxy that cuts silent streams after 50 s these would never pass, and each cut would cost 30 s. */
static void end_trouble_if_steady(struct watch *w, int64_t now_ms)
{
	if (w->state != WATCH_STREAMING || now_ms - w->opened_ms < STEADY_MS)
		return;
	w->tries = 0;
	w->gones = 0;
}

/* Asks what the version is now, beside the stream. The answer is a page of the list. */
static void probe(struct watch *w, struct watch_cmds *out)
{
	w->freshness = PROBED;
	add_cmd(out, WATCH_CMD_LIST, xstrdup("limit=" PAGE), NULL);
}

static void open_stream(struct watch *w, int64_t now_ms, struct watch_cmds *out)
{
	int64_t timeout_s = w->freshness == AWAITED ? FRESHEN_OPEN_S : rng_range(w->rng, OPEN_MIN_S, OPEN_MAX_S);
	auto_free char *version = text_url_encode(w->version);

	end_trouble_if_steady(w, now_ms);
	set_state(w, WATCH_STREAMING);
	watch_frame_reset(&w->frame);
	w->opened_ms = now_ms;
	w->heard_ms = now_ms;
	w->expires_ms = now_ms + timeout_s * 1000 + OPEN_GRACE_MS;
	w->eventful = false;
	add_cmd(out, WATCH_CMD_OPEN,
		xasprintf("watch=true&allowWatchBookmarks=true&timeoutSeconds=%d&resourceVersion=%s", (int)timeout_s,
			  version),
		NULL);
	arm_timer(stream_due(w) - now_ms, out);
	if (w->freshness == STALE)
		probe(w, out);
}

static void back_off(struct watch *w, enum next next, const struct err *err, int64_t now_ms, struct watch_cmds *out)
{
	static const char *const texts[] = {
		[NEXT_LIST] = "listing again",
		[NEXT_PAGE] = "asking for this page again",
		[NEXT_REOPEN] = "reopening",
	};
	int64_t delay_ms = time_backoff_ms(BACKOFF_MS, BACKOFF_MAX_MS, w->tries++, w->rng);
	bool lasts = w->state == WATCH_STREAMING || err->code == ERR_GONE;

	if (delay_ms < err->retry_after_ms)
		delay_ms = err->retry_after_ms;
	set_state(w, WATCH_BACKOFF);
	w->next = next;
	w->resume_ms = now_ms + delay_ms;
	add_cmd(out, WATCH_CMD_WARN, xasprintf("%s; %s in %d ms", err->msg, texts[next], (int)delay_ms), NULL)->lasts =
	    lasts;
	arm_timer(delay_ms, out);
}

static void end_back_off(struct watch *w, int64_t now_ms, struct watch_cmds *out)
{
	if (w->next == NEXT_LIST || is_overdue(w, now_ms))
		start_list(w, out);
	else if (w->next == NEXT_PAGE)
		resume_list(w, out);
	else
		open_stream(w, now_ms, out);
}

static void after_failure(struct watch *w, enum next next, const struct err *err, int64_t now_ms,
			  struct watch_cmds *out)
{
	end_trouble_if_steady(w, now_ms);
	if (err->code == ERR_GONE && w->gones++ == 0)
		start_list(w, out);
	else
		back_off(w, next, err, now_ms, out);
}

/* ---- objects ---- */

/* Checks what a store needs of an object. The caller adds to the message which object it is. */
static int check_object(const struct json *object, struct err *err)
{
	if (text_empty(json_str(object, "metadata.name", NULL)))
		return err_set(err, ERR_INVALID, "object without metadata.name");
	if (text_empty(json_str(object, "metadata.resourceVersion", NULL)))
		return err_set(err, ERR_INVALID, "object %s without metadata.resourceVersion",
			       json_str(object, "metadata.name", NULL));
	return 0;
}

/* Each item becomes an UPSERT. Those before a bad item are kept, since they are right. */
static int take_items(struct json *list, struct watch_cmds *out, struct err *err)
{
	auto_json items = json_take(list, "items");
	struct json *item;
	int rc;

	if (items && !json_is(items, JSON_ARRAY) && !json_is(items, JSON_NULL))
		return err_set(err, ERR_INVALID, "list: items: expected an array");
	while ((item = json_take_first(items))) {
		rc = check_object(item, err);
		if (rc < 0) {
			json_free(item);
			return err_wrap(err, "list");
		}
		add_cmd(out, WATCH_CMD_UPSERT, NULL, item);
	}
	return 0;
}

/* Whether the same page may well come if it is asked for once more. client-go, too, repeats a request that failed so,
 * and not the list (rest.Request). The token is good for as long as etcd keeps the version, usually for five minutes;
 * then the answer is 410. */
static bool may_come_yet(const struct err *err)
{
	return err->code == ERR_BUSY || err->code == ERR_TIMEOUT || err->code == ERR_IO || err->code == ERR_INTERNAL;
}

/* ---- freshness: to know everything up to the moment of WATCH_EV_FRESHEN ---- */

static void become_fresh(struct watch *w, struct watch_cmds *out)
{
	w->freshness = FRESH;
	free(take_ptr(w->wanted));
	add_cmd(out, WATCH_CMD_FRESH, NULL, NULL);
}

static void check_wanted(struct watch *w, struct watch_cmds *out)
{
	bool ordered;

	if (w->freshness == AWAITED && resource_version_compare(w->version, w->wanted, &ordered) >= 0 && ordered)
		become_fresh(w, out);
}

/* A list that has just begun begins again, as that takes less time than to ask after its end how far the stream is: a
 * process that starts alone gets the Lease a moment after its lists have begun. */
static void on_freshen(struct watch *w, const struct watch_event *ev, struct watch_cmds *out)
{
	bool is_short = w->pages < FRESHEN_PAGES;

	free(take_ptr(w->wanted));
	w->freshness = STALE;
	if (w->state == WATCH_STREAMING)
		probe(w, out);
	else if (is_short && (w->state == WATCH_LISTING || (w->state == WATCH_BACKOFF && w->next == NEXT_PAGE)))
		start_list(w, out);
	else if (w->state == WATCH_BACKOFF)
		end_back_off(w, ev->now_ms, out);
}

/* The stream goes on, but shortly: the server sends a bookmark before the end, and with it the version that the stream
 * has reached. A quiet stream would not say that for a minute. */
static void await_version(struct watch *w, const char *version, int64_t now_ms, struct watch_cmds *out)
{
	w->freshness = AWAITED;
	w->wanted = xstrdup(version);
	w->fresh_due_ms = now_ms + FRESHEN_MS;
	if (w->state != WATCH_STREAMING)
		return;
	add_cmd(out, WATCH_CMD_CANCEL, NULL, NULL);
	open_stream(w, now_ms, out);
}

/* The page is all that there is, so it takes the place of a list. The stream stays: it repeats what is older, and that
 * is ignored. Nothing newer than the page has come yet, so nothing that was removed since can come back. */
static int take_whole_list(struct watch *w, struct json *list, struct watch_cmds *out, struct err *err)
{
	const char *version = json_str(list, "metadata.resourceVersion", "");

	add_cmd(out, WATCH_CMD_BEGIN, NULL, NULL);
	if (take_items(list, out, err) < 0)
		return err_code(err);
	add_cmd(out, WATCH_CMD_END, NULL, NULL);
	set_version(w, version);
	become_fresh(w, out);
	return 0;
}

static int take_probe(struct watch *w, struct json *list, int64_t now_ms, struct watch_cmds *out, struct err *err)
{
	const char *version = json_str(list, "metadata.resourceVersion", NULL);
	bool ordered = false;
	int order = version ? resource_version_compare(w->version, version, &ordered) : 0;

	if (!ordered)
		return err_set(err, ERR_INVALID, "list: metadata.resourceVersion: missing, or not a number");
	if (order >= 0)
		become_fresh(w, out);
	else if (text_empty(json_str(list, "metadata.continue", NULL)))
		return take_whole_list(w, list, out, err);
	else
		await_version(w, version, now_ms, out);
	return 0;
}

/* The stream cannot show any more that it is up to date, so it begins again after the back-off, or there is a list. */
static void probe_failed(struct watch *w, const struct err *err, int64_t now_ms, struct watch_cmds *out)
{
	if (w->freshness != FRESH)
		w->freshness = STALE;
	if (w->state != WATCH_STREAMING)
		return;
	add_cmd(out, WATCH_CMD_CANCEL, NULL, NULL);
	after_failure(w, may_come_yet(err) ? NEXT_REOPEN : NEXT_LIST, err, now_ms, out);
}

/* What may not be read, or is no longer served, cannot be known better. It must not keep all else waiting: whatever is
 * decided from it is refused too. */
static void give_up_freshness(struct watch *w, const struct err *err, struct watch_cmds *out)
{
	bool refused = err->code == ERR_DENIED || err->code == ERR_NOT_FOUND;

	if (refused && w->freshness != FRESH && w->version[0])
		become_fresh(w, out);
}

/* ---- list ---- */

/*
 * The watch begins at the version of the first page, as in client-go's tools/pager. All pages of a consistent list have
 * the same version. If they had not, the first one would be the safe one: no event after it is missed.
 */
static int take_page(struct watch *w, struct json *list, struct watch_cmds *out, struct err *err)
{
	const char *version = json_str(list, "metadata.resourceVersion", NULL);

	if (text_empty(version))
		return err_set(err, ERR_INVALID, "list: metadata.resourceVersion: missing");
	if (strlen(json_str(list, "metadata.continue", "")) > CONTINUE_MAX_BYTES)
		return err_set(err, ERR_TOO_LARGE, "list: metadata.continue: larger than %d bytes", CONTINUE_MAX_BYTES);
	if (!w->list_version)
		w->list_version = xstrdup(version);
	return take_items(list, out, err);
}

static void finish_list(struct watch *w, int64_t now_ms, struct watch_cmds *out)
{
	set_version(w, w->list_version);
	free(take_ptr(w->token));
	add_cmd(out, WATCH_CMD_END, NULL, NULL);
	if (w->freshness == LISTED)
		become_fresh(w, out);
	open_stream(w, now_ms, out);
}

static void on_page(struct watch *w, const struct watch_event *ev, struct watch_cmds *out)
{
	auto_json list = ev->list;
	auto_free char *token = NULL;
	struct err err;

	if (w->freshness == PROBED && take_probe(w, list, ev->now_ms, out, &err) < 0)
		probe_failed(w, &err, ev->now_ms, out);
	if (w->state != WATCH_LISTING)
		return;
	if (take_page(w, list, out, &err) < 0) {
		after_failure(w, NEXT_LIST, &err, ev->now_ms, out);
		return;
	}
	token = text_url_encode(json_str(list, "metadata.continue", ""));
	w->pages++;
	if (!token[0]) {
		finish_list(w, ev->now_ms, out);
		return;
	}
	free(w->token);
	w->token = take_ptr(token);
	ask_page(w, out);
}

static void on_page_failed(struct watch *w, const struct watch_event *ev, struct watch_cmds *out)
{
	enum next next = w->token && may_come_yet(ev->err) ? NEXT_PAGE : NEXT_LIST;
	bool is_probe = w->freshness == PROBED;

	give_up_freshness(w, ev->err, out);
	if (is_probe)
		probe_failed(w, ev->err, ev->now_ms, out);
	else if (w->state == WATCH_LISTING)
		after_failure(w, next, ev->err, ev->now_ms, out);
}

/* ---- stream ---- */

/* The class of the Status that an ERROR event carries. */
static int classify_error_event(struct json *event, struct err *err)
{
	int64_t code = json_i64(event, "object.code", 0);
	struct reply reply = { .status = code > 0 && code < 1000 ? (int)code : 0, .body = json_take(event, "object") };

	reply_classify(&reply, NULL, -1);
	*err = reply.err;
	reply_done(&reply);
	return err_wrap(err, "watch: ERROR event");
}

/* False if version is older than the version reached. Such an event is a repetition. */
static bool advance_version(struct watch *w, const char *version)
{
	bool ordered;
	int order = resource_version_compare(version, w->version, &ordered);

	if (ordered && order < 0)
		return false;
	set_version(w, version);
	return true;
}

static int take_bookmark(struct watch *w, const struct json *object, struct err *err)
{
	const char *version = json_str(object, "metadata.resourceVersion", NULL);

	if (text_empty(version))
		return err_set(err, ERR_INVALID, "watch: BOOKMARK without metadata.resourceVersion");
	advance_version(w, version);
	return 0;
}

static int take_change(struct watch *w, enum watch_cmd_type type, struct json *event, struct watch_cmds *out,
		       struct err *err)
{
	const struct json *object = json_get(event, "object");

	if (check_object(object, err) < 0)
		return err_wrap(err, "watch");
	if (advance_version(w, json_str(object, "metadata.resourceVersion", NULL)))
		add_cmd(out, type, NULL, json_take(event, "object"));
	return 0;
}

static int take_event(struct watch *w, struct json *event, struct watch_cmds *out, struct err *err)
{
	const char *type = json_str(event, "type", "");

	if (text_eq(type, "ADDED") || text_eq(type, "MODIFIED"))
		return take_change(w, WATCH_CMD_UPSERT, event, out, err);
	if (text_eq(type, "DELETED"))
		return take_change(w, WATCH_CMD_DELETE, event, out, err);
	if (text_eq(type, "BOOKMARK"))
		return take_bookmark(w, json_get(event, "object"), err);
	if (text_eq(type, "ERROR"))
		return classify_error_event(event, err);
	return err_set(err, ERR_INVALID, "watch: unknown event type \"%.32s\"", type);
}

/* Takes all events that are complete with these bytes. */
static int take_data(struct watch *w, const char *data, size_t len, struct watch_cmds *out, struct err *err)
{
	struct json *value;
	int rc;

	while ((rc = watch_frame_next(&w->frame, &data, &len, &value, err)) > 0) {
		auto_json event = value;

		rc = take_event(w, event, out, err);
		if (rc < 0)
			return rc;
		w->eventful = true;
	}
	return rc;
}

/*
 * If an event says that something failed, a timeout leads to a list, unlike in stream_failed: the timeout may mean that
 * the server does not know our version yet (ResourceVersionTooLarge), and then it does not help to ask for the version
 * again.
 */
static void on_data(struct watch *w, const struct watch_event *ev, struct watch_cmds *out)
{
	struct err err;
	int rc;

	if (w->state != WATCH_STREAMING)
		return;
	w->heard_ms = ev->now_ms;
	rc = take_data(w, ev->data, ev->len, out, &err);
	check_wanted(w, out);
	if (rc == 0)
		return;
	add_cmd(out, WATCH_CMD_CANCEL, NULL, NULL);
	after_failure(w, err.code == ERR_BUSY ? NEXT_REOPEN : NEXT_LIST, &err, ev->now_ms, out);
}

static void stream_failed(struct watch *w, const struct err *err, int64_t now_ms, struct watch_cmds *out)
{
	bool reopen = err->code == ERR_BUSY || err->code == ERR_IO || err->code == ERR_TIMEOUT;

	after_failure(w, reopen ? NEXT_REOPEN : NEXT_LIST, err, now_ms, out);
}

/* Half an event at the end is not lost: its version was not reached, so the event comes again. */
static void on_ended(struct watch *w, const struct watch_event *ev, struct watch_cmds *out)
{
	struct err err;

	if (w->state != WATCH_STREAMING)
		return;
	if (ev->err && ev->err->code != ERR_NONE) {
		stream_failed(w, ev->err, ev->now_ms, out);
		return;
	}
	if (ev->now_ms - w->opened_ms < SHORT_MS && !w->eventful) {
		err_set(&err, ERR_IO, "watch: ended at once without an event");
		stream_failed(w, &err, ev->now_ms, out);
		return;
	}
	if (is_overdue(w, ev->now_ms))
		start_list(w, out);
	else
		open_stream(w, ev->now_ms, out);
}

/* ---- timer ---- */

/* Bytes do not re-arm the timer. When it fires, it is armed for the rest of the time if bytes have come. */
static void stream_timer(struct watch *w, int64_t now_ms, struct watch_cmds *out)
{
	int64_t left_ms = stream_due(w) - now_ms;

	if (left_ms > 0) {
		arm_timer(left_ms, out);
		return;
	}
	add_cmd(out, WATCH_CMD_CANCEL, NULL, NULL);
	if (is_overdue(w, now_ms))
		start_list(w, out);
	else
		open_stream(w, now_ms, out);
}

static void backoff_timer(struct watch *w, int64_t now_ms, struct watch_cmds *out)
{
	int64_t left_ms = w->resume_ms - now_ms;

	if (left_ms > 0)
		arm_timer(left_ms, out);
	else
		end_back_off(w, now_ms, out);
}

static void on_timer(struct watch *w, const struct watch_event *ev, struct watch_cmds *out)
{
	if (w->state == WATCH_STREAMING)
		stream_timer(w, ev->now_ms, out);
	else if (w->state == WATCH_BACKOFF)
		backoff_timer(w, ev->now_ms, out);
}

static void on_start(struct watch *w, const struct watch_event *ev, struct watch_cmds *out)
{
	(void)ev;
	assert(w->state == WATCH_EMPTY);
	start_list(w, out);
}

typedef void handler_fn(struct watch *w, const struct watch_event *ev, struct watch_cmds *out);

static handler_fn *const handlers[] = {
	[WATCH_EV_START] = on_start,	 [WATCH_EV_PAGE] = on_page,   [WATCH_EV_PAGE_FAILED] = on_page_failed,
	[WATCH_EV_DATA] = on_data,	 [WATCH_EV_ENDED] = on_ended, [WATCH_EV_TIMER] = on_timer,
	[WATCH_EV_FRESHEN] = on_freshen,
};

void watch_step(struct watch *w, const struct watch_event *ev, struct watch_cmds *out)
{
	handlers[ev->type](w, ev, out);
}
