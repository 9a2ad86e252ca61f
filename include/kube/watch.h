/*
 * List + watch of one resource as a stepper: events in, commands out; no sockets, no clock.
 * Semantics: client-go tools/cache/reflector.go, as laid down in docs/informer.md.
 *
 *   EMPTY ──START──▶ LISTING ──last page──▶ STREAMING ──end──▶ (reopen at the same resourceVersion)
 *     ▲                 │ failed                 │ 410 Gone, ERROR event
 *     └──── BACKOFF ◀───┴────────────────────────┘
 *
 * - The first list has resourceVersion "" (most recent) and pages of 100; so has each later list. A page that is
 *   answered with 429, 500, 503, a timeout or not at all is asked for again, after a back-off. A 410 on a later page
 *   starts the list again at once. The second one in a row backs off.
 * - The watch has allowWatchBookmarks and a random timeoutSeconds in [300, 600). It begins at the list's
 *   resourceVersion, never at an item's.
 * - A clean end reopens the stream at the last resourceVersion, without a list. If the stream took less than 1 s and
 *   brought no event, its end counts as a failure.
 * - 410, or an ERROR event with code 410 → list. 429, connection refused, timeouts → back off, reopen at the same
 *   version. Other errors on opening → back off, list. The back-off is 0.8 s and doubles up to 30 s, with jitter. It
 *   starts anew once a stream has been open for 30 s. It is at least as long as the server's Retry-After.
 * - No byte for 150 s on an open stream → cancel and reopen.
 * - A timeout in an ERROR event → list: it may mean that the server does not know the version yet.
 * - An event that cannot be decoded, or an item without metadata → WATCH_CMD_WARN and a list. It is never passed over
 *   in silence.
 * - Each back-off says in a WATCH_CMD_WARN why it waits and how long. The first 410 in a row is normal and says
 *   nothing.
 * - An event older than the version reached is a repetition and is ignored.
 * - FRESHEN: a watch may be late, and a quiet one does not say how far it is. So a page of a consistent list is asked
 *   for, beside the stream. Its version is that of the moment. If the stream has reached that version, the store is
 *   fresh. If the page is the whole list, it becomes the store. Otherwise the stream is reopened with a timeoutSeconds
 *   of 3, as the server sends a bookmark 2 s before that. If the stream has not reached the version after 6 s, there is
 *   a list. A list that begins after FRESHEN needs none of that, and one of which fewer than ten pages have come begins
 *   again. If the API server answers 403 or 404, the store counts as fresh, since more cannot be known.
 * - Events that do not fit the state (bytes of a cancelled stream) are ignored.
 */
#ifndef KUBE_WATCH_H
#define KUBE_WATCH_H

#include "base/buf.h"
#include "base/time.h"
#include "json/json.h"

enum watch_state { WATCH_EMPTY = 0, WATCH_LISTING, WATCH_STREAMING, WATCH_BACKOFF };

enum watch_event_type {
	WATCH_EV_START = 1,
	WATCH_EV_PAGE,	      /* list: a page arrived */
	WATCH_EV_PAGE_FAILED, /* err */
	WATCH_EV_DATA,	      /* data, len: bytes of the stream */
	WATCH_EV_ENDED,	      /* err: NULL or code NONE for a clean end */
	WATCH_EV_TIMER,	      /* the timer of WATCH_CMD_TIMER fired */
	WATCH_EV_FRESHEN,     /* the store is to be as fresh as this moment: WATCH_CMD_FRESH will say when it is */
};

struct watch_event {
	enum watch_event_type type;
	int64_t now_ms;
	struct json *list; /* taken */
	const struct err *err;
	const char *data;
	size_t len;
};

enum watch_cmd_type {
	WATCH_CMD_LIST = 1, /* text: query of the list ("limit=100&continue=…"), without selectors. A page that was
			     * asked for before and has not come is no longer wanted */
	WATCH_CMD_OPEN,	    /* text: query of the watch */
	WATCH_CMD_CANCEL,   /* end the open stream; its further events are ignored */
	WATCH_CMD_TIMER,    /* ms: (re-)arm the one timer */
	WATCH_CMD_BEGIN,    /* a full list begins: store_relist_begin */
	WATCH_CMD_UPSERT,   /* object */
	WATCH_CMD_DELETE,   /* object: last state */
	WATCH_CMD_END,	    /* the list is complete: store_relist_end, and from the first one on synced */
	WATCH_CMD_WARN,	    /* text: for the log */
	WATCH_CMD_FRESH,    /* the store is as fresh as WATCH_EV_FRESHEN asked */
};

struct watch_cmd {
	enum watch_cmd_type type;
	char *text;
	struct json *object; /* owned by the command; take_ptr() it */
	int64_t ms;
	bool lasts; /* WARN: pages of a list do not end the problem, but what the stream brings does */
};

struct watch_cmds {
	struct watch_cmd *items;
	size_t len;
	size_t cap;
};

void watch_cmds_done(struct watch_cmds *c);

struct watch; /* opaque */

/* rng is borrowed. */
struct watch *watch_new(struct rng *rng);
void watch_free(struct watch *w);
enum watch_state watch_state(const struct watch *w);
/* Version of the last list, event or bookmark; "" before the first list. Borrowed. */
const char *watch_version(const struct watch *w);

/* Appends to out the commands to be carried out, in this order. */
void watch_step(struct watch *w, const struct watch_event *ev, struct watch_cmds *out);

#endif
