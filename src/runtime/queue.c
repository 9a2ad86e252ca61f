/*
 * The work queue holds the keys that wait to be reconciled, and hands them out fairly among tenants. The tenant of a
 * key is its Kubernetes namespace, the part of the key before the slash.
 *
 * Happy path: a key is in one of four states:
 *
 *   idle ──add──▶ delayed (heap by due time) ──due──▶ ready (lists of its tenant) ──take──▶ busy ──finish──▶ idle
 *                                                                                       └── added meanwhile ──▶ delayed
 *
 * Each addition says when the key is due and when the key becomes urgent. A key that is added as patient becomes urgent
 * only some time after it is due. When a key is added several times, the earliest due time and the earliest urgent
 * time count. A tenant has one list of ready keys that are urgent, and one list of ready keys that are not yet urgent.
 *
 * The list `active` holds the tenants that have a ready key. The tenant that was served longest ago comes first. A
 * tenant without entries is kept until all tenants that were served before it are gone. If it were forgotten earlier,
 * it would count as never served when it comes back, and would jump the queue. An entry lives as long as its key
 * waits, is worked on or has failed.
 *
 * Failure modes: there are none, since nothing here waits for anything. The caller reports a failed key with
 * queue_retry(). Rates and back-off are those of client-go's util/workqueue, default_rate_limiters.go: exponential for
 * each key, and one token bucket for the retries of all keys.
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
	int64_t urgent_ms; /* never earlier than due_ms */
};

/* One Kubernetes namespace. */
struct tenant {
	struct list active;  /* link in queue->active while one of its keys is ready */
	struct list order;   /* link in queue->served once the tenant was served */
	struct list ready;   /* ready entries that are urgent, in order of arrival */
	struct list patient; /* ready entries that are not yet urgent, by urgent_ms */
	uint64_t served;     /* number of the turn in which it was last served, 0: never */
	size_t entries;
	char *name;
};

struct entry {
	struct list link; /* in tenant->ready or tenant->patient while READY */
	struct tenant *tenant;
	char *key;
	enum key_state state;
	struct when when;
	uint64_t order;	   /* of addition: decides among equal due times */
	size_t slot;	   /* in the heap while DELAYED */
	bool again;	   /* the key was added while BUSY */
	struct when later; /* when the key is due after that, if again is set */
	unsigned tries;
};

struct queue {
	struct queue_options options;
	struct rng *rng;
	struct map *entries;
	struct map *tenants;
	struct list active; /* tenants with a ready entry, by tenant->served */
	struct list served; /* tenants that were served, by tenant->served */
	uint64_t turns;
	struct entry **heap;
	size_t heap_len;
	size_t heap_cap;
	size_t ready;
	size_t busy;
	uint64_t orders;
	double tokens; /* tokens left for retries; below 0: so many are promised in advance */
	int64_t tokens_ms;
};

static void free_entry(void *value)
{
	struct entry *e = value;

	free(e->key);
	free(e);
}

static void free_tenant(void *value)
{
	struct tenant *tenant = value;

	free(tenant->name);
	free(tenant);
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
	q->tenants = map_new(free_tenant);
	list_init(&q->active);
	list_init(&q->served);
	return q;
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	map_free(q->entries);
	map_free(q->tenants);
	free(q->heap);
	free(q);
}

/* ---- heap of delayed keys ---- */

static bool is_entry_before(const struct entry *a, const struct entry *b)
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

	while (slot > 0 && is_entry_before(e, q->heap[(slot - 1) / 2])) {
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

		if (child + 1 < q->heap_len && is_entry_before(q->heap[child + 1], q->heap[child]))
			child++;
		if (!is_entry_before(q->heap[child], last))
			break;
		heap_put(q, slot, q->heap[child]);
		slot = child;
	}
	if (q->heap_len > 0)
		heap_put(q, slot, last);
	return first;
}

static void delay_entry(struct queue *q, struct entry *e, struct when when)
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

/* ---- entries and tenants ---- */

static struct tenant *tenant_of(struct queue *q, const char *key)
{
	const char *slash = strchr(key, '/');
	auto_free char *name = xstrndup(key, slash ? (size_t)(slash - key) : 0);
	struct tenant *tenant = map_get(q->tenants, name);

	if (tenant)
		return tenant;
	tenant = xcalloc(1, sizeof(*tenant));
	tenant->name = xstrdup(name);
	list_init(&tenant->ready);
	list_init(&tenant->patient);
	list_init(&tenant->active);
	list_init(&tenant->order);
	map_set(q->tenants, name, tenant);
	return tenant;
}

static void drop_tenant(struct queue *q, struct tenant *tenant)
{
	list_remove(&tenant->order);
	map_remove(q->tenants, tenant->name);
}

static void leave_tenant(struct queue *q, struct tenant *tenant)
{
	tenant->entries--;
	if (tenant->entries == 0 && tenant->served == 0)
		drop_tenant(q, tenant);
	while (!list_empty(&q->served)) {
		tenant = container_of(q->served.next, struct tenant, order);
		if (tenant->entries > 0)
			return;
		drop_tenant(q, tenant);
	}
}

/* Inserts the tenant into queue->active, behind the tenants that were served before it. */
static void activate_tenant(struct queue *q, struct tenant *tenant)
{
	struct list *at = q->active.prev;

	while (at != &q->active && container_of(at, struct tenant, active)->served > tenant->served)
		at = at->prev;
	list_append(at->next, &tenant->active);
}

static struct entry *entry_of(struct queue *q, const char *key)
{
	struct entry *e = map_get(q->entries, key);

	if (e)
		return e;
	e = xcalloc(1, sizeof(*e));
	e->key = xstrdup(key);
	e->tenant = tenant_of(q, key);
	e->tenant->entries++;
	list_init(&e->link);
	map_set(q->entries, key, e);
	return e;
}

static void drop_if_idle(struct queue *q, struct entry *e)
{
	if (e->state != IDLE || e->tries > 0)
		return;
	leave_tenant(q, e->tenant);
	map_remove(q->entries, e->key);
}

/* ---- ready keys ---- */

static bool has_ready_entry(const struct tenant *tenant)
{
	return !list_empty(&tenant->ready) || !list_empty(&tenant->patient);
}

/* Puts the entry into one of the two lists of ready entries of its tenant. */
static void line_up(struct entry *e, int64_t now_ms)
{
	struct list *at = e->tenant->patient.prev;

	if (e->when.urgent_ms <= now_ms) {
		list_append(&e->tenant->ready, &e->link);
		return;
	}
	while (at != &e->tenant->patient && container_of(at, struct entry, link)->when.urgent_ms > e->when.urgent_ms)
		at = at->prev;
	list_append(at->next, &e->link);
}

/* A patient key that has become urgent goes first, since it has waited longest. A patient key that has not become
 * urgent goes last. */
static struct entry *next_ready(struct tenant *tenant, int64_t now_ms)
{
	struct entry *patient = NULL;

	if (!list_empty(&tenant->patient))
		patient = container_of(tenant->patient.next, struct entry, link);
	if (list_empty(&tenant->ready) || (patient && patient->when.urgent_ms <= now_ms))
		return patient;
	return container_of(tenant->ready.next, struct entry, link);
}

static void ready_due_entries(struct queue *q, int64_t now_ms)
{
	while (q->heap_len > 0 && q->heap[0]->when.due_ms <= now_ms) {
		struct entry *e = heap_pop(q);

		e->state = READY;
		if (!has_ready_entry(e->tenant))
			activate_tenant(q, e->tenant);
		line_up(e, now_ms);
		q->ready++;
	}
}

/* ---- public functions ---- */

static struct when earlier_of_both(struct when a, struct when b)
{
	return (struct when){
		.due_ms = a.due_ms < b.due_ms ? a.due_ms : b.due_ms,
		.urgent_ms = a.urgent_ms < b.urgent_ms ? a.urgent_ms : b.urgent_ms,
	};
}

static void hurry_entry(struct entry *e, int64_t urgent_ms, int64_t now_ms)
{
	if (e->when.urgent_ms <= urgent_ms)
		return;
	e->when.urgent_ms = urgent_ms;
	list_remove(&e->link);
	line_up(e, now_ms);
}

static void add_entry(struct queue *q, struct entry *e, struct when when, int64_t now_ms)
{
	switch (e->state) {
	case IDLE:
		delay_entry(q, e, when);
		return;
	case DELAYED:
		if (when.due_ms < e->when.due_ms)
			e->order = q->orders++;
		e->when = earlier_of_both(e->when, when);
		heap_up(q, e);
		return;
	case READY:
		ready_due_entries(q, now_ms);
		hurry_entry(e, when.urgent_ms, now_ms);
		return;
	case BUSY:
		e->later = e->again ? earlier_of_both(e->later, when) : when;
		e->again = true;
		return;
	}
}

void queue_add(struct queue *q, const char *key, int64_t now_ms, int64_t delay_ms)
{
	int64_t due_ms = now_ms + delay_ms;

	add_entry(q, entry_of(q, key), (struct when){ due_ms, due_ms }, now_ms);
}

void queue_add_patient(struct queue *q, const char *key, int64_t now_ms, int64_t delay_ms)
{
	int64_t due_ms = now_ms + delay_ms;

	add_entry(q, entry_of(q, key), (struct when){ due_ms, due_ms + q->options.patience_ms }, now_ms);
}

/* Takes one token for a retry. Returns how long the retry has to wait until the bucket has that token. */
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
	add_entry(q, e, (struct when){ now_ms + wait_ms, now_ms + wait_ms }, now_ms);
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
	struct tenant *tenant;
	struct entry *e;

	ready_due_entries(q, now_ms);
	if (list_empty(&q->active))
		return NULL;
	tenant = container_of(list_pop(&q->active), struct tenant, active);
	tenant->served = ++q->turns;
	list_remove(&tenant->order);
	list_append(&q->served, &tenant->order);
	e = next_ready(tenant, now_ms);
	list_remove(&e->link);
	if (has_ready_entry(tenant))
		activate_tenant(q, tenant);
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
		delay_entry(q, e, e->later);
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
