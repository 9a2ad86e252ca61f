/*
 * The work queue. A key is in one of four states:
 *
 *   idle ──add──▶ delayed (heap by due time) ──due──▶ ready (lists of its namespace) ──take──▶ busy ──finish──▶ idle
 *                                                                                       └── added meanwhile ──▶ delayed
 *
 * Each addition says when the key is due and when it is urgent, which a patient one is later; of several the earliest
 * of both count. A namespace has a list of ready keys that are urgent and one of those that are not yet.
 *
 * Namespaces with a ready key stand in `active`, the one served longest ago first. A namespace without entries is kept
 * until all that were served before it are gone: forgetting it earlier would let it jump the queue when it comes
 * back. An entry lives as long as it waits, is worked on or has failed.
 *
 * Rates and back-off: client-go util/workqueue, default_rate_limiters.go (exponential per item, bucket for retries).
 */
#include "runtime/queue.h"

#include <assert.h>
#include <string.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

enum key_state { IDLE = 0, DELAYED, READY, BUSY };

struct when {
	int64_t due_ms;
	int64_t urgent_ms; /* not before due_ms */
};

struct space {
	struct list active;  /* in queue->active while a key is ready */
	struct list order;   /* in queue->served once it was served */
	struct list ready;   /* entries that are urgent */
	struct list patient; /* entries that are not yet, by urgent_ms */
	uint64_t served;     /* number of the last turn, 0: never had one */
	size_t entries;
	char *name;
};

struct entry {
	struct list link; /* in namespace->ready or ->patient while READY */
	struct space *ns;
	char *key;
	enum key_state state;
	struct when when;
	uint64_t order;	   /* of addition, among equal due times */
	size_t slot;	   /* in the heap while DELAYED */
	bool again;	   /* added while BUSY … */
	struct when later; /* … for then */
	unsigned tries;
};

struct queue {
	struct queue_options options;
	struct rng *rng;
	struct map *entries;
	struct map *namespaces;
	struct list active; /* namespaces by served */
	struct list served; /* namespaces by served, 0 left out */
	uint64_t turns;
	struct entry **heap;
	size_t heap_len;
	size_t heap_cap;
	size_t ready;
	size_t busy;
	uint64_t orders;
	double tokens; /* of retries; below 0: promised ahead */
	int64_t tokens_ms;
};

static void free_entry(void *value)
{
	struct entry *e = value;

	free(e->key);
	free(e);
}

static void free_namespace(void *value)
{
	struct space *ns = value;

	free(ns->name);
	free(ns);
}

struct queue *queue_new(const struct queue_options *options, struct rng *rng)
{
	struct queue *q = xcalloc(1, sizeof(*q));

	q->options = *options;
	if (q->options.patience_ms == 0)
		q->options.patience_ms = 10 * 1000;
	if (q->options.retry_base_ms == 0)
		q->options.retry_base_ms = 100;
	if (q->options.retry_max_ms == 0)
		q->options.retry_max_ms = 5 * 60 * 1000;
	if (q->options.retry_qps <= 0)
		q->options.retry_qps = 50;
	if (q->options.retry_burst <= 0)
		q->options.retry_burst = 500;
	q->tokens = q->options.retry_burst;
	q->rng = rng;
	q->entries = map_new(free_entry);
	q->namespaces = map_new(free_namespace);
	list_init(&q->active);
	list_init(&q->served);
	return q;
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	map_free(q->entries);
	map_free(q->namespaces);
	free(q->heap);
	free(q);
}

/* ---- heap of delayed keys ---- */

static bool before(const struct entry *a, const struct entry *b)
{
	if (a->when.due_ms != b->when.due_ms)
		return a->when.due_ms < b->when.due_ms;
	return a->order < b->order;
}

static void heap_put(struct queue *q, size_t slot, struct entry *e)
{
	q->heap[slot] = e;
	e->slot = slot;
}

static void heap_up(struct queue *q, struct entry *e)
{
	size_t slot = e->slot;

	while (slot > 0 && before(e, q->heap[(slot - 1) / 2])) {
		heap_put(q, slot, q->heap[(slot - 1) / 2]);
		slot = (slot - 1) / 2;
	}
	heap_put(q, slot, e);
}

static struct entry *heap_pop(struct queue *q)
{
	struct entry *first = q->heap[0], *last = q->heap[--q->heap_len];
	size_t slot = 0;

	while (2 * slot + 1 < q->heap_len) {
		size_t child = 2 * slot + 1;

		if (child + 1 < q->heap_len && before(q->heap[child + 1], q->heap[child]))
			child++;
		if (!before(q->heap[child], last))
			break;
		heap_put(q, slot, q->heap[child]);
		slot = child;
	}
	if (q->heap_len > 0)
		heap_put(q, slot, last);
	return first;
}

static void delay(struct queue *q, struct entry *e, struct when when)
{
	if (q->heap_len == q->heap_cap) {
		q->heap_cap = q->heap_cap ? q->heap_cap * 2 : 64;
		q->heap = xreallocarray(q->heap, q->heap_cap, sizeof(struct entry *));
	}
	e->state = DELAYED;
	e->when = when;
	e->order = q->orders++;
	e->slot = q->heap_len++;
	heap_up(q, e);
}

/* ---- entries and namespaces ---- */

static struct space *namespace_of(struct queue *q, const char *key)
{
	const char *slash = strchr(key, '/');
	auto_free char *name = xstrndup(key, slash ? (size_t)(slash - key) : 0);
	struct space *ns = map_get(q->namespaces, name);

	if (ns)
		return ns;
	ns = xcalloc(1, sizeof(*ns));
	ns->name = xstrdup(name);
	list_init(&ns->ready);
	list_init(&ns->patient);
	list_init(&ns->active);
	list_init(&ns->order);
	map_set(q->namespaces, name, ns);
	return ns;
}

static void drop_namespace(struct queue *q, struct space *ns)
{
	list_remove(&ns->order);
	map_remove(q->namespaces, ns->name);
}

static void leave(struct queue *q, struct space *ns)
{
	ns->entries--;
	if (ns->entries == 0 && ns->served == 0)
		drop_namespace(q, ns);
	while (!list_empty(&q->served)) {
		ns = container_of(q->served.next, struct space, order);
		if (ns->entries > 0)
			return;
		drop_namespace(q, ns);
	}
}

/* Puts the namespace behind those that were served before it. */
static void activate(struct queue *q, struct space *ns)
{
	struct list *at = q->active.prev;

	while (at != &q->active && container_of(at, struct space, active)->served > ns->served)
		at = at->prev;
	list_append(at->next, &ns->active);
}

static struct entry *entry_of(struct queue *q, const char *key)
{
	struct entry *e = map_get(q->entries, key);

	if (e)
		return e;
	e = xcalloc(1, sizeof(*e));
	e->key = xstrdup(key);
	e->ns = namespace_of(q, key);
	e->ns->entries++;
	list_init(&e->link);
	map_set(q->entries, key, e);
	return e;
}

static void drop_if_idle(struct queue *q, struct entry *e)
{
	if (e->state != IDLE || e->tries > 0)
		return;
	leave(q, e->ns);
	map_remove(q->entries, e->key);
}

/* ---- ready keys ---- */

static bool has_ready(const struct space *ns)
{
	return !list_empty(&ns->ready) || !list_empty(&ns->patient);
}

/* Among the ready ones of its namespace. */
static void line_up(struct entry *e, int64_t now_ms)
{
	struct list *at = e->ns->patient.prev;

	if (e->when.urgent_ms <= now_ms) {
		list_append(&e->ns->ready, &e->link);
		return;
	}
	while (at != &e->ns->patient && container_of(at, struct entry, link)->when.urgent_ms > e->when.urgent_ms)
		at = at->prev;
	list_append(at->next, &e->link);
}

/* A patient key whose patience is over goes first, since it has waited for longest; otherwise it goes last. */
static struct entry *next_ready(struct space *ns, int64_t now_ms)
{
	struct entry *patient = NULL;

	if (!list_empty(&ns->patient))
		patient = container_of(ns->patient.next, struct entry, link);
	if (list_empty(&ns->ready) || (patient && patient->when.urgent_ms <= now_ms))
		return patient;
	return container_of(ns->ready.next, struct entry, link);
}

static void ripen(struct queue *q, int64_t now_ms)
{
	while (q->heap_len > 0 && q->heap[0]->when.due_ms <= now_ms) {
		struct entry *e = heap_pop(q);

		e->state = READY;
		if (!has_ready(e->ns))
			activate(q, e->ns);
		line_up(e, now_ms);
		q->ready++;
	}
}

/* ---- the contract ---- */

static struct when earlier(struct when a, struct when b)
{
	return (struct when){
		.due_ms = a.due_ms < b.due_ms ? a.due_ms : b.due_ms,
		.urgent_ms = a.urgent_ms < b.urgent_ms ? a.urgent_ms : b.urgent_ms,
	};
}

static void hurry(struct entry *e, int64_t urgent_ms, int64_t now_ms)
{
	if (e->when.urgent_ms <= urgent_ms)
		return;
	e->when.urgent_ms = urgent_ms;
	list_remove(&e->link);
	line_up(e, now_ms);
}

static void add(struct queue *q, struct entry *e, struct when when, int64_t now_ms)
{
	switch (e->state) {
	case IDLE:
		delay(q, e, when);
		return;
	case DELAYED:
		if (when.due_ms < e->when.due_ms)
			e->order = q->orders++;
		e->when = earlier(e->when, when);
		heap_up(q, e);
		return;
	case READY:
		ripen(q, now_ms);
		hurry(e, when.urgent_ms, now_ms);
		return;
	case BUSY:
		e->later = e->again ? earlier(e->later, when) : when;
		e->again = true;
		return;
	}
}

void queue_add(struct queue *q, const char *key, int64_t now_ms, int64_t delay_ms)
{
	int64_t due_ms = now_ms + delay_ms;

	add(q, entry_of(q, key), (struct when){ due_ms, due_ms }, now_ms);
}

void queue_add_patient(struct queue *q, const char *key, int64_t now_ms, int64_t delay_ms)
{
	int64_t due_ms = now_ms + delay_ms;

	add(q, entry_of(q, key), (struct when){ due_ms, due_ms + q->options.patience_ms }, now_ms);
}

/* How long the next retry has to wait for its share of the rate; takes the share. */
static int64_t bucket_delay(struct queue *q, int64_t now_ms)
{
	if (now_ms > q->tokens_ms) {
		q->tokens += (double)(now_ms - q->tokens_ms) * q->options.retry_qps / 1000;
		q->tokens_ms = now_ms;
	}
	if (q->tokens > q->options.retry_burst)
		q->tokens = q->options.retry_burst;
	q->tokens -= 1;
	return q->tokens >= 0 ? 0 : (int64_t)(-q->tokens * 1000 / q->options.retry_qps);
}

void queue_retry(struct queue *q, const char *key, int64_t now_ms, int64_t at_least_ms, int64_t at_most_ms)
{
	struct entry *e = entry_of(q, key);
	int64_t cap_ms = at_most_ms > 0 && at_most_ms < q->options.retry_max_ms ? at_most_ms : q->options.retry_max_ms;
	int64_t wait_ms = time_backoff_ms(q->options.retry_base_ms, cap_ms, e->tries, q->rng);
	int64_t bucket_ms = bucket_delay(q, now_ms);

	e->tries++;
	if (wait_ms < bucket_ms)
		wait_ms = bucket_ms;
	if (wait_ms < at_least_ms)
		wait_ms = at_least_ms;
	add(q, e, (struct when){ now_ms + wait_ms, now_ms + wait_ms }, now_ms);
}

void queue_forget(struct queue *q, const char *key)
{
	struct entry *e = map_get(q->entries, key);

	if (!e)
		return;
	e->tries = 0;
	drop_if_idle(q, e);
}

unsigned queue_tries(const struct queue *q, const char *key)
{
	const struct entry *e = map_get(q->entries, key);

	return e ? e->tries : 0;
}

const char *queue_take(struct queue *q, int64_t now_ms)
{
	struct space *ns;
	struct entry *e;

	ripen(q, now_ms);
	if (list_empty(&q->active))
		return NULL;
	ns = container_of(list_pop(&q->active), struct space, active);
	ns->served = ++q->turns;
	list_remove(&ns->order);
	list_append(&q->served, &ns->order);
	e = next_ready(ns, now_ms);
	list_remove(&e->link);
	if (has_ready(ns))
		activate(q, ns);
	e->state = BUSY;
	q->ready--;
	q->busy++;
	return e->key;
}

void queue_finish(struct queue *q, const char *key, int64_t now_ms)
{
	struct entry *e = map_get(q->entries, key);

	assert(e && e->state == BUSY);
	q->busy--;
	e->state = IDLE;
	if (e->again) {
		e->again = false;
		if (e->later.due_ms < now_ms)
			e->later.due_ms = now_ms;
		if (e->later.urgent_ms < now_ms)
			e->later.urgent_ms = now_ms;
		delay(q, e, e->later);
		return;
	}
	drop_if_idle(q, e);
}

int64_t queue_due(const struct queue *q, const char *key)
{
	const struct entry *e = map_get(q->entries, key);

	assert(e);
	return e->when.due_ms;
}

int64_t queue_next(const struct queue *q)
{
	if (q->ready > 0)
		return 0;
	return q->heap_len > 0 ? q->heap[0]->when.due_ms : -1;
}

size_t queue_len(const struct queue *q)
{
	return q->heap_len + q->ready;
}

size_t queue_waiting(const struct queue *q, int64_t now_ms, int64_t *ret_since_ms)
{
	struct map_iter it = { 0 };
	size_t count = 0;

	*ret_since_ms = now_ms;
	while (map_next(q->entries, &it)) {
		const struct entry *e = it.value;

		if ((e->state != DELAYED && e->state != READY) || e->when.due_ms > now_ms)
			continue;
		count++;
		if (e->when.due_ms < *ret_since_ms)
			*ret_since_ms = e->when.due_ms;
	}
	return count;
}

size_t queue_busy(const struct queue *q)
{
	return q->busy;
}
