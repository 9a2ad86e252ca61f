/*
 * A cache. Happy path: cache_new makes the store and an informer for each namespace; cache_start starts them; from then
 * on the store follows the API server, and the owner is told of each change.
 *
 * Where namespaces are chosen by their labels, one informer watches the whole cluster and fills a store of the scope,
 * which shows the watched part of it in ours.
 */
#include "runtime/cache.h"

#include "base/text.h"
#include "runtime/informer.h"

struct cache_part {
	struct informer *informer;
	char *ns; /* NULL: all namespaces, or the resource has none */
};

struct cache {
	struct store *store;
	bool owns_store;
	struct cache_part *parts;
	size_t part_count;
};

static void add_part(struct cache *c, const struct cache_options *o, struct store *filled, const char *ns)
{
	const struct informer_options options = {
		.api = o->api,
		.sched = o->sched,
		.store = filled,
		.ns = ns,
		.label_selector = o->label_selector,
		.field_selector = o->field_selector,
		.optional = o->optional,
		.on_synced = o->on_synced,
		.on_fresh = o->on_synced,
		.arg = o->arg,
		.metrics = o->metrics,
	};

	c->parts = xreallocarray(c->parts, c->part_count + 1, sizeof(*c->parts));
	c->parts[c->part_count++] = (struct cache_part){ informer_new(&options), xstrdup_null(ns) };
}

static bool has_part(const struct cache *c, const char *ns)
{
	for (size_t i = 0; i < c->part_count; i++)
		if (text_eq(c->parts[i].ns, ns))
			return true;
	return false;
}

struct cache *cache_new(const struct cache_options *options)
{
	struct cache *c = xcalloc(1, sizeof(*c));
	bool is_whole = options->scope || options->namespace_count == 0;

	c->owns_store = !options->store;
	c->store = options->store ? options->store : store_new(options->kind);
	if (options->on_change)
		store_on_change(c->store, options->on_change, options->arg);
	if (is_whole)
		add_part(c, options, options->scope ? scope_add(options->scope, c->store) : c->store, NULL);
	for (size_t i = 0; !is_whole && i < options->namespace_count; i++)
		if (!has_part(c, options->namespaces[i]))
			add_part(c, options, c->store, options->namespaces[i]);
	return c;
}

void cache_start(struct cache *c)
{
	for (size_t i = 0; i < c->part_count; i++)
		informer_start(c->parts[i].informer);
}

void cache_free(struct cache *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->part_count; i++) {
		informer_free(c->parts[i].informer);
		free(c->parts[i].ns);
	}
	free(c->parts);
	if (c->owns_store)
		store_free(c->store);
	free(c);
}

struct store *cache_store(const struct cache *c)
{
	return c->store;
}

bool cache_synced(const struct cache *c)
{
	for (size_t i = 0; i < c->part_count; i++)
		if (!informer_synced(c->parts[i].informer))
			return false;
	return true;
}

void cache_freshen(struct cache *c)
{
	for (size_t i = 0; i < c->part_count; i++)
		informer_freshen(c->parts[i].informer);
}

bool cache_fresh(const struct cache *c)
{
	for (size_t i = 0; i < c->part_count; i++)
		if (!informer_fresh(c->parts[i].informer))
			return false;
	return true;
}

bool cache_has_seen(const struct cache *c, const char *ns, const char *resource_version)
{
	for (size_t i = 0; i < c->part_count; i++)
		if (!c->parts[i].ns || text_eq(c->parts[i].ns, ns))
			return informer_has_seen(c->parts[i].informer, resource_version);
	return true;
}

const char *cache_problem(const struct cache *c)
{
	const char *problem = "";

	for (size_t i = 0; i < c->part_count && !*problem; i++)
		problem = informer_problem(c->parts[i].informer);
	return problem;
}

static const char *watch_state_text(enum watch_state state)
{
	static const char *const texts[] = {
		[WATCH_EMPTY] = "empty",
		[WATCH_LISTING] = "listing",
		[WATCH_STREAMING] = "streaming",
		[WATCH_BACKOFF] = "backoff",
	};

	return texts[state];
}

void cache_debug(const struct cache *c, struct json *informers)
{
	for (size_t i = 0; i < c->part_count; i++) {
		const struct informer *informer = c->parts[i].informer;
		struct json *item = json_append(informers, json_new_object());

		json_set_str(item, "resource", store_kind(c->store)->res->plural);
		json_set_str(item, "namespace", c->parts[i].ns ? c->parts[i].ns : "*");
		json_set_bool(item, "synced", informer_synced(informer));
		json_set_bool(item, "fresh", informer_fresh(informer));
		json_set_str(item, "state", watch_state_text(informer_state(informer)));
		json_set_str(item, "problem", informer_problem(informer));
	}
}
