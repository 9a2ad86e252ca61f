/*
 * The manager: caches, and a controller and a recorder for each kind.
 *
 * Happy path: a cache changes → the rows that watch it are told and say which key wakes → the kind's controller asks
 * for a plan → the row's function makes it of the object and what is in the caches → the controller carries it out.
 * The controllers start when this manager leads, every cache has its first complete list, and every cache is as fresh
 * as the moment of taking over. A watch may be late, and what the last leader has done must not be done again. Nobody
 * waits for optional caches.
 *
 * Before that, a manager keeps its caches and does nothing else: it wakes no keys and tells nobody of changes, since
 * what is counted would count double. When it begins to work it finds all objects as if they had just been made.
 */
#include "runtime/manager.h"

#include <assert.h>

#include "base/log.h"
#include "base/text.h"
#include "runtime/cache.h"
#include "runtime/controller.h"

/* A kind that is run. */
struct unit {
	struct manager *m;
	const struct kind_row *row;
	void *arg;
	struct watched **watched; /* by row; NULL: the row is not watched */
	struct store *objects;	  /* of the kind */
	struct recorder *recorder;
	struct controller *controller;
};

/* Who is told of changes in a cache. */
struct watcher {
	struct unit *unit;
	const struct watch_row *row;
};

/* A cache, and its watchers in the order of the rows. */
struct watched {
	struct manager *m;
	const struct kind *kind;
	const char *label_selector; /* NULL: none */
	bool needed;		    /* a row of its watchers is not optional */
	struct cache *cache;
	struct watcher *watchers;
	size_t watcher_count;
};

struct manager {
	struct scope *scope;	  /* NULL: namespaces are watched one by one, or all */
	struct cache *namespaces; /* of the scope; NULL without one */
	struct watched **watched;
	size_t watched_count;
	struct unit *units;
	size_t unit_count;
	bool (*may_write)(void *arg); /* or NULL */
	void *may_write_arg;
	bool leads;
	bool started; /* the controllers run */
	bool stopped;
};

const char *wake_self(const struct kobj *obj)
{
	return obj->key;
}

const char *wake_index(const struct kobj *obj)
{
	return obj->index;
}

/* ---- changes ---- */

static void wake_key(struct controller *c, const char *key, enum haste haste)
{
	static const int64_t delays_ms[] = { [HASTE_PATIENT] = 0, [HASTE_SOON] = 100, [HASTE_SOMETIME] = 1000 };

	if (haste == HASTE_NOW)
		controller_enqueue(c, key);
	else
		controller_enqueue_patient(c, key, delays_ms[haste]);
}

/* An object that is gone wakes its key like one that has changed. */
static void wake_keys(const struct watcher *w, const struct kobj *before, const struct kobj *now)
{
	struct controller *c = w->unit->controller;
	const char *key = now ? w->row->wakes(now) : NULL, *old = before ? w->row->wakes(before) : NULL;
	enum haste haste = w->row->haste ? w->row->haste(before, now) : HASTE_NOW;

	if (key)
		wake_key(c, key, haste);
	if (old && !text_eq(old, key))
		wake_key(c, old, now ? HASTE_NOW : haste);
}

static void on_cache_change(void *arg, const struct kobj *before, const struct kobj *now)
{
	const struct watched *watched = arg;

	if (!watched->m->started)
		return;
	for (size_t i = 0; i < watched->watcher_count; i++) {
		const struct watcher *w = &watched->watchers[i];

		if (w->row->observe)
			w->row->observe(w->unit->arg, before, now);
		wake_keys(w, before, now);
	}
}

/* The row of the kind itself. */
static const struct watch_row *itself(const struct kind_row *kind)
{
	return &kind->watches[kind->watch_count - 1];
}

/* Whether it is so of each cache that is needed. */
static bool caches_are(const struct manager *m, bool (*so)(const struct cache *cache))
{
	if (m->namespaces && !so(m->namespaces))
		return false;
	for (size_t i = 0; i < m->watched_count; i++)
		if (m->watched[i]->needed && !so(m->watched[i]->cache))
			return false;
	return true;
}

static bool is_synced(const struct manager *m)
{
	return caches_are(m, cache_synced);
}

/* The unit finds the objects of its kind as if they had just been made. */
static void start_unit(struct unit *unit)
{
	const struct watch_row *row = itself(unit->row);
	const struct kobj *obj;
	size_t pos = 0;

	if (unit->row->lead)
		unit->row->lead(unit->arg);
	while ((obj = store_next(unit->objects, &pos))) {
		if (row->observe)
			row->observe(unit->arg, NULL, obj);
		controller_enqueue(unit->controller, obj->key);
	}
	controller_start(unit->controller);
}

static void start_if_due(struct manager *m)
{
	if (!m->leads || m->started || m->stopped || !is_synced(m) || !caches_are(m, cache_fresh))
		return;
	m->started = true;
	log_info(NULL, "caches are complete, working", NULL);
	for (size_t i = 0; i < m->unit_count; i++)
		start_unit(&m->units[i]);
}

static void sync_progressed(struct manager *m)
{
	if (!m->leads && is_synced(m))
		log_info(NULL, "caches are complete, standing by", NULL);
	start_if_due(m);
}

static void on_cache_synced(void *arg)
{
	sync_progressed(((const struct watched *)arg)->m);
}

static void on_namespaces_synced(void *arg)
{
	sync_progressed(arg);
}

/* ---- what the controllers ask ---- */

static int make_plan(void *arg, const char *key, const struct past *past, int64_t wall_ms, struct plan *plan,
		     struct err *err)
{
	const struct unit *unit = arg;
	const struct kobj *obj = store_get(unit->objects, key);

	return obj ? unit->row->plan(unit->arg, obj, past, wall_ms, plan, err) : 0;
}

static const char *uid_of_key(void *arg, const char *key)
{
	const struct kobj *obj = store_get(((const struct unit *)arg)->objects, key);

	return obj ? obj->uid : NULL;
}

/* The caches that plans of this kind are made from. What other kinds watch may be behind. */
static bool has_seen(void *arg, const struct resource *res, const char *ns, const char *resource_version)
{
	const struct unit *unit = arg;

	for (size_t i = 0; i < unit->row->watch_count; i++) {
		const struct watched *watched = unit->watched[i];

		if (watched && watched->kind->res == res && !cache_has_seen(watched->cache, ns, resource_version))
			return false;
	}
	return true;
}

static bool may_manager_write(void *arg)
{
	const struct manager *m = ((const struct unit *)arg)->m;

	return m->started && (!m->may_write || m->may_write(m->may_write_arg));
}

static const struct controller_ops controller_ops = {
	.plan = make_plan,
	.uid = uid_of_key,
	.has_seen = has_seen,
	.may_write = may_manager_write,
};

/* ---- life ---- */

static struct watched *find_watched(const struct manager *m, const struct kind *kind, const char *label_selector)
{
	for (size_t i = 0; i < m->watched_count; i++)
		if (m->watched[i]->kind == kind && text_eq(m->watched[i]->label_selector, label_selector))
			return m->watched[i];
	return NULL;
}

static struct watched *ensure_watched(struct manager *m, const struct kind *kind, const char *label_selector)
{
	struct watched *watched = find_watched(m, kind, label_selector);

	if (watched)
		return watched;
	watched = xcalloc(1, sizeof(*watched));
	watched->m = m;
	watched->kind = kind;
	watched->label_selector = label_selector;
	m->watched = xreallocarray(m->watched, m->watched_count + 1, sizeof(struct watched *));
	m->watched[m->watched_count++] = watched;
	return watched;
}

static void add_watcher(struct unit *unit, size_t number, const char *label_selector)
{
	const struct watch_row *row = &unit->row->watches[number];
	struct watched *watched =
	    ensure_watched(unit->m, row->kind, text_empty(label_selector) ? NULL : label_selector);

	watched->needed = watched->needed || !row->optional;
	watched->watchers = xreallocarray(watched->watchers, watched->watcher_count + 1, sizeof(*watched->watchers));
	watched->watchers[watched->watcher_count++] = (struct watcher){ unit, row };
	unit->watched[number] = watched;
}

static void add_watchers(struct unit *unit, const struct manager_options *options)
{
	unit->watched = xcalloc(unit->row->watch_count, sizeof(struct watched *));
	for (size_t i = 0; i < unit->row->watch_count; i++) {
		const struct watch_row *row = &unit->row->watches[i];

		if (!row->when || row->when(unit->arg))
			add_watcher(unit, i, row == itself(unit->row) ? options->label_selector : row->label_selector);
	}
}

static void make_caches(struct manager *m, const struct cache_options *common)
{
	for (size_t i = 0; i < m->watched_count; i++) {
		struct watched *watched = m->watched[i];
		struct cache_options options = *common;

		options.kind = watched->kind;
		options.scope = m->scope;
		options.label_selector = watched->label_selector;
		options.optional = !watched->needed;
		options.on_change = on_cache_change;
		options.on_synced = on_cache_synced;
		options.arg = watched;
		watched->cache = cache_new(&options);
	}
}

static void make_scope(struct manager *m, const struct cache_options *common, const struct manager_options *o)
{
	struct cache_options options = *common;

	m->scope = scope_new(o->namespaces, o->namespace_count, o->namespace_selector);
	options.store = scope_namespaces(m->scope);
	options.namespace_count = 0;
	options.on_synced = on_namespaces_synced;
	options.arg = m;
	m->namespaces = cache_new(&options);
}

static void init_unit(struct unit *unit, const struct cache_options *common, const struct manager_options *o)
{
	const struct kind_row *row = unit->row;
	struct controller_options controller = {
		.api = common->api,
		.sched = common->sched,
		.ops = &controller_ops,
		.arg = unit,
		.queue = o->queue,
		.max_plans = o->max_plans,
		.drops_unknown_fields = o->drops_unknown_fields,
		.metrics = common->metrics,
		.name = row->name,
	};

	unit->recorder = recorder_new(common->api, common->sched, row->name, o->instance, common->metrics);
	controller.recorder = unit->recorder;
	unit->controller = controller_new(&controller);
}

struct manager *manager_new(struct api *api, struct sched *sched, struct metrics *metrics,
			    const struct manager_options *options, const struct kind_setup *kinds, size_t kind_count)
{
	const struct cache_options common = {
		.api = api,
		.sched = sched,
		.metrics = metrics,
		.namespaces = options->namespaces,
		.namespace_count = options->namespace_count,
	};
	struct manager *m = xcalloc(1, sizeof(*m));

	m->may_write = options->may_write;
	m->may_write_arg = options->may_write_arg;
	m->units = xcalloc(kind_count, sizeof(*m->units));
	m->unit_count = kind_count;
	for (size_t i = 0; i < kind_count; i++) {
		m->units[i] = (struct unit){ .m = m, .row = kinds[i].row, .arg = kinds[i].arg };
		add_watchers(&m->units[i], options);
	}
	for (size_t i = 0; i < kind_count; i++)
		init_unit(&m->units[i], &common, options);
	if (options->namespace_selector)
		make_scope(m, &common, options);
	make_caches(m, &common);
	for (size_t i = 0; i < kind_count; i++)
		m->units[i].objects = manager_store(m, itself(m->units[i].row));
	return m;
}

void manager_start(struct manager *m)
{
	if (m->namespaces)
		cache_start(m->namespaces);
	for (size_t i = 0; i < m->watched_count; i++)
		cache_start(m->watched[i]->cache);
}

void manager_lead(struct manager *m)
{
	assert(!m->leads);
	m->leads = true;
	if (m->namespaces)
		cache_freshen(m->namespaces);
	for (size_t i = 0; i < m->watched_count; i++)
		cache_freshen(m->watched[i]->cache);
	start_if_due(m);
}

bool manager_ready(const struct manager *m)
{
	return is_synced(m) && !m->stopped;
}

void manager_stop(struct manager *m)
{
	m->stopped = true;
	for (size_t i = 0; i < m->unit_count; i++)
		controller_stop(m->units[i].controller);
}

static size_t events_waiting(const struct manager *m)
{
	size_t count = 0;

	for (size_t i = 0; i < m->unit_count; i++)
		count += recorder_pending(m->units[i].recorder);
	return count;
}

size_t manager_busy(const struct manager *m)
{
	size_t count = events_waiting(m);

	for (size_t i = 0; i < m->unit_count; i++)
		count += controller_busy(m->units[i].controller);
	return count;
}

struct store *manager_store(const struct manager *m, const struct watch_row *row)
{
	for (size_t i = 0; i < m->unit_count; i++) {
		const struct unit *unit = &m->units[i];

		for (size_t n = 0; n < unit->row->watch_count; n++)
			if (&unit->row->watches[n] == row && unit->watched[n])
				return cache_store(unit->watched[n]->cache);
	}
	return NULL;
}

static void free_watched(struct watched *watched)
{
	cache_free(watched->cache);
	free(watched->watchers);
	free(watched);
}

void manager_free(struct manager *m)
{
	if (!m)
		return;
	cache_free(m->namespaces);
	for (size_t i = 0; i < m->watched_count; i++)
		free_watched(m->watched[i]);
	free(m->watched);
	scope_free(m->scope);
	for (size_t i = 0; i < m->unit_count; i++) {
		controller_free(m->units[i].controller);
		recorder_free(m->units[i].recorder);
		free(m->units[i].watched);
	}
	free(m->units);
	free(m);
}

struct json *manager_debug(const struct manager *m)
{
	struct json *debug = json_new_object();
	struct json *controllers, *informers;

	json_set_bool(debug, "ready", manager_ready(m));
	json_set_bool(debug, "leads", m->leads);
	json_set_i64(debug, "events_waiting", (int64_t)events_waiting(m));
	controllers = json_set(debug, "controllers", json_new_object());
	for (size_t i = 0; i < m->unit_count; i++)
		json_set(controllers, m->units[i].row->name, controller_debug(m->units[i].controller));
	informers = json_set(debug, "informers", json_new_array());
	if (m->namespaces)
		cache_debug(m->namespaces, informers);
	for (size_t i = 0; i < m->watched_count; i++)
		cache_debug(m->watched[i]->cache, informers);
	return debug;
}
