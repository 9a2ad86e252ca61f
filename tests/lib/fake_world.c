/*
 * The state of the fake API server. Semantics as kubernetes apiserver registry/generic/registry/store.go: every change
 * takes the next version, which is one counter for all; a patch that changes nothing changes nothing; generation counts
 * changes of spec; status and the rest are written through different doors. Garbage collection runs a little later.
 */
#include "fake_world.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

enum { GC_MS = 20 };

struct object {
	const struct resource *res;
	char *key; /* in the map */
	struct json *tree;
};

struct dying {
	struct list link;
	struct world *w;
	struct sched_timer timer;
	char *key;
	char *uid;
};

static void free_object(void *value)
{
	struct object *o = value;

	free(o->key);
	json_free(o->tree);
	free(o);
}

static void on_gc(void *arg);

void world_init(struct world *w, struct sched *sched, int64_t grace_ms)
{
	*w = (struct world){ .sched = sched, .version = 100, .grace_ms = grace_ms };
	w->objects = map_new(free_object);
	list_init(&w->dying);
	sched_timer_init(&w->gc, on_gc, w);
}

static void free_dying(struct dying *d)
{
	list_remove(&d->link);
	sched_disarm(d->w->sched, &d->timer);
	free(d->key);
	free(d->uid);
	free(d);
}

void world_done(struct world *w)
{
	while (!list_empty(&w->dying))
		free_dying(container_of(w->dying.next, struct dying, link));
	sched_disarm(w->sched, &w->gc);
	for (size_t i = 0; i < w->len; i++) {
		json_free(w->changes[i].now);
		json_free(w->changes[i].old_labels);
	}
	free(w->changes);
	map_free(w->objects);
}

/* ---- requests ---- */

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : c - 'a' + 10;
}

char *world_query(const char *query, const char *name)
{
	auto_strv pairs = { 0 };
	auto_buf value = { .max = 65536 };

	strv_split(&pairs, query ? query : "", '&');
	for (size_t i = 0; i < pairs.len; i++) {
		const char *at = pairs.items[i] + strlen(name);

		if (!text_starts(pairs.items[i], name) || *at != '=')
			continue;
		for (at++; *at; at++) {
			bool encoded = at[0] == '%' && at[1] && at[2];

			buf_putc(&value, encoded ? (char)(hex(at[1]) * 16 + hex(at[2])) : *at);
			at += encoded ? 2 : 0;
		}
		return buf_take(&value);
	}
	return NULL;
}

bool world_selects(const char *selector, const struct json *labels)
{
	auto_strv terms = { 0 };

	strv_split(&terms, selector ? selector : "", ',');
	for (size_t i = 0; i < terms.len; i++) {
		char *equals = strchr(terms.items[i], '=');

		assert(equals);
		*equals = '\0';
		if (!text_eq(json_text(json_get(labels, terms.items[i]), NULL), equals + 1))
			return false;
	}
	return true;
}

bool world_selects_field(const char *selector, const struct json *object)
{
	static const char field[] = "metadata.name=";

	if (!selector)
		return true;
	assert(text_starts(selector, field));
	return text_eq(json_str(object, "metadata.name", NULL), selector + strlen(field));
}

static char *map_key(const struct resource *res, const char *ns, const char *name)
{
	return xasprintf("%s/%s/%s", res->plural, ns ? ns : "", name);
}

static struct object *find(const struct world *w, const struct resource *res, const char *ns, const char *name)
{
	auto_free char *key = map_key(res, ns, name);

	return map_get(w->objects, key);
}

static bool has_status(const struct resource *res)
{
	return res->group[0] || text_eq(res->kind, "Pod");
}

static const char *usual_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} rows[] = {
		{ 400, "BadRequest" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "NotFound" },
		{ 409, "Conflict" },
		{ 410, "Expired" },
		{ 413, "RequestEntityTooLarge" },
		{ 422, "Invalid" },
		{ 429, "TooManyRequests" },
		{ 500, "InternalError" },
		{ 503, "ServiceUnavailable" },
		{ 504, "Timeout" },
	};

	for (size_t i = 0; i < array_len(rows); i++)
		if (rows[i].status == status)
			return rows[i].reason;
	return "";
}

void world_refuse(struct reply *reply, int status, const char *reason, int64_t retry_after_s, const char *fmt, ...)
{
	struct json *body = json_new_object();
	auto_buf text = { .max = 4096 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	json_set_str(body, "kind", "Status");
	json_set_str(body, "apiVersion", "v1");
	json_set(body, "metadata", json_new_object());
	json_set_str(body, "status", "Failure");
	json_set_str(body, "message", buf_str(&text));
	json_set_str(body, "reason", reason ? reason : usual_reason(status));
	if (retry_after_s > 0)
		json_set_i64(json_set(body, "details", json_new_object()), "retryAfterSeconds", retry_after_s);
	json_set_i64(body, "code", status);
	json_free(reply->body);
	reply->status = status;
	reply->body = body;
}

static void not_found(const struct request *req, struct reply *reply)
{
	const struct resource *res = req->res;

	world_refuse(reply, 404, NULL, 0, "%s%s%s \"%s\" not found", res->plural, res->group[0] ? "." : "", res->group,
		     req->name);
}

/* ---- changes ---- */

static struct change *append(struct world *w, enum change_type type, const struct resource *res)
{
	if (w->len == w->cap) {
		w->cap = w->cap ? w->cap * 2 : 64;
		w->changes = xreallocarray(w->changes, w->cap, sizeof(*w->changes));
	}
	w->changes[w->len] =
	    (struct change){ .type = type, .version = w->version, .at_ms = sched_now(w->sched), .res = res };
	return &w->changes[w->len++];
}

void world_bookmark(struct world *w)
{
	append(w, CHANGE_BOOKMARK, NULL);
	w->on_change(w->arg, NULL, NULL, NULL);
}

static void stamp(struct world *w, struct json *tree)
{
	json_setf(json_ensure_object(tree, "metadata"), "resourceVersion", "%llu", (unsigned long long)++w->version);
}

static void collect_later(struct world *w)
{
	if (!sched_armed(&w->gc))
		sched_arm(w->sched, &w->gc, GC_MS);
}

/* Takes tree. */
static void add_object(struct world *w, const struct resource *res, const char *key, struct json *tree)
{
	struct object *o = xcalloc(1, sizeof(*o));

	o->res = res;
	o->key = xstrdup(key);
	o->tree = tree;
	map_set(w->objects, key, o);
	stamp(w, tree);
	append(w, CHANGE_ADDED, res)->now = json_dup(tree);
	if (json_len(json_at(tree, "metadata.ownerReferences")) > 0)
		collect_later(w);
	w->on_change(w->arg, res, NULL, w->changes[w->len - 1].now);
}

static bool remove_object(struct world *w, struct object *o)
{
	auto_json last = take_ptr(o->tree);
	const struct resource *res = o->res;

	map_remove(w->objects, o->key);
	stamp(w, last);
	append(w, CHANGE_DELETED, res)->now = json_dup(last);
	collect_later(w);
	w->on_change(w->arg, res, last, NULL);
	return true;
}

/* A deleted object goes when its last finalizer has gone. */
static bool is_released(const struct object *o)
{
	return !text_eq(o->res->kind, "Pod") && json_at(o->tree, "metadata.deletionTimestamp") &&
	       json_len(json_at(o->tree, "metadata.finalizers")) == 0;
}

/* Takes next. False if it is no change. */
static bool change_object(struct world *w, struct object *o, struct json *next)
{
	auto_json before = NULL;
	struct change *c;

	if (json_equal(o->tree, next)) {
		json_free(next);
		return false;
	}
	before = o->tree;
	o->tree = next;
	if (json_get(next, "spec") && !json_equal(json_get(before, "spec"), json_get(next, "spec")))
		json_set_i64(json_get(next, "metadata"), "generation", json_i64(before, "metadata.generation", 0) + 1);
	if (is_released(o))
		return remove_object(w, o);
	stamp(w, next);
	c = append(w, CHANGE_MODIFIED, o->res);
	c->now = json_dup(next);
	c->old_labels = json_dup(json_at(before, "metadata.labels"));
	if (!json_equal(json_at(before, "metadata.ownerReferences"), json_at(next, "metadata.ownerReferences")))
		collect_later(w);
	w->on_change(w->arg, o->res, before, c->now);
	return true;
}

static void complete(struct world *w, const struct resource *res, const char *ns, struct json *tree)
{
	struct json *meta = json_ensure_object(tree, "metadata");
	char text[TIME_TEXT_SIZE];

	json_set_str(tree, "kind", res->kind);
	if (!json_get(tree, "apiVersion")) {
		char version[API_VERSION_SIZE];

		json_set_str(tree, "apiVersion", resource_api_version(res, version));
	}
	json_set_str(meta, "namespace", ns);
	if (!json_get(meta, "uid"))
		json_setf(meta, "uid", "00000000-0000-4000-8000-%012llx", (unsigned long long)++w->uids);
	if (!json_get(meta, "creationTimestamp"))
		json_set_str(meta, "creationTimestamp", time_rfc3339(sched_wall(w->sched), text));
	if (json_get(tree, "spec") && !json_get(meta, "generation"))
		json_set_i64(meta, "generation", 1);
	if (res == &resource_service && !json_at(tree, "spec.clusterIP"))
		json_set_str(json_ensure_object(tree, "spec"), "clusterIP", "10.96.0.7");
}

const struct json *world_get(const struct world *w, const struct resource *res, const char *ns, const char *name)
{
	const struct object *o = find(w, res, ns, name);

	return o ? o->tree : NULL;
}

const struct json *world_put(struct world *w, const struct resource *res, struct json *object)
{
	const char *ns = json_str(object, "metadata.namespace", NULL);
	auto_free char *key = map_key(res, ns, json_str(object, "metadata.name", ""));
	struct object *o = map_get(w->objects, key);

	if (o) {
		static const char *const kept[] = { "uid", "creationTimestamp", "generation", "resourceVersion" };

		for (size_t i = 0; i < array_len(kept); i++) {
			const struct json *value = json_get(json_get(o->tree, "metadata"), kept[i]);

			if (value)
				json_set(json_get(object, "metadata"), kept[i], json_dup(value));
		}
	}
	complete(w, res, ns, object);
	if (o)
		change_object(w, o, object);
	else
		add_object(w, res, key, object);
	o = map_get(w->objects, key);
	return o ? o->tree : NULL;
}

bool world_remove(struct world *w, const struct resource *res, const char *ns, const char *name)
{
	struct object *o = find(w, res, ns, name);

	return o && remove_object(w, o);
}

const struct json *world_next(const struct world *w, const struct resource *res, size_t *pos)
{
	struct map_iter it = { .pos = *pos };

	while (map_next(w->objects, &it)) {
		const struct object *o = it.value;

		*pos = it.pos;
		if (o->res == res)
			return o->tree;
	}
	return NULL;
}

/* ---- verbs ---- */

static void answer(struct reply *reply, int status, const struct json *body)
{
	reply->status = status;
	reply->body = json_dup(body);
}

/* What a strict decoder says (apimachinery runtime/error.go, strictDecodingError). False if it says nothing. */
static bool refuse_unknown_fields(const struct world *w, const struct request *req, struct reply *reply)
{
	auto_free char *validation = world_query(req->query, "fieldValidation");
	auto_free char *fields = NULL;

	if (w->unknown && text_eq(validation, "Strict"))
		fields = w->unknown(req->res, req->body);
	if (fields)
		world_refuse(reply, 400, "BadRequest", 0,
			     "%s in version \"%s\" cannot be handled as a %s: strict decoding error: %s",
			     req->res->kind, req->res->version, req->res->kind, fields);
	return fields != NULL;
}

static void create(struct world *w, const struct request *req, struct reply *reply)
{
	const char *name = json_str(req->body, "metadata.name", "");
	auto_free char *key = map_key(req->res, req->ns, name);
	auto_free char *dry_run = NULL;
	const struct object *o;
	struct json *tree;

	if (!name[0] || !text_eq(json_str(req->body, "kind", NULL), req->res->kind) ||
	    !text_eq(json_str(req->body, "metadata.namespace", req->ns), req->ns)) {
		world_refuse(reply, 400, NULL, 0, "the object does not fit the request");
		return;
	}
	if (refuse_unknown_fields(w, req, reply))
		return;
	if (map_get(w->objects, key)) {
		world_refuse(reply, 409, "AlreadyExists", 0, "%s \"%s\" already exists", req->res->plural, name);
		return;
	}
	dry_run = world_query(req->query, "dryRun");
	if (dry_run) {
		answer(reply, 201, req->body);
		return;
	}
	tree = json_dup(req->body);
	if (has_status(req->res))
		json_remove(tree, "status");
	if (text_eq(req->res->kind, "Pod"))
		json_set_str(json_ensure_object(tree, "status"), "phase", "Pending");
	json_remove(json_get(tree, "metadata"), "uid");
	complete(w, req->res, req->ns, tree);
	add_object(w, req->res, key, tree);
	o = map_get(w->objects, key);
	if (o)
		answer(reply, 201, o->tree);
	else
		world_refuse(reply, 500, NULL, 0, "removed by a test while it was created");
}

/* False and a 409 if the object is not the one that is meant. */
static bool is_meant(const struct object *o, const char *uid, const char *version, struct reply *reply)
{
	const char *has_uid = json_str(o->tree, "metadata.uid", "");
	const char *has_version = json_str(o->tree, "metadata.resourceVersion", "");

	if (uid && !text_eq(uid, has_uid)) {
		world_refuse(reply, 409, NULL, 0,
			     "Precondition failed: UID in precondition: %s, UID in object meta: %s", uid, has_uid);
		return false;
	}
	if (version && !text_eq(version, has_version)) {
		world_refuse(
		    reply, 409, NULL, 0,
		    "the object has been modified; please apply your changes to the latest version and try again");
		return false;
	}
	return true;
}

/* What the patch makes of the object, seen through the door it came in by. Owned. */
static struct json *patched(const struct world *w, const struct request *req, const struct object *o)
{
	auto_json patch = json_dup(req->body);
	auto_json next = json_dup(o->tree);
	struct json *merged;
	bool status = text_eq(req->subresource, "status");

	json_remove(json_get(patch, "metadata"), "resourceVersion");
	json_remove(json_get(patch, "metadata"), "uid");
	json_merge_apply(next, patch);
	if (w->pruned)
		json_remove(json_get(next, "status"), w->pruned);
	if (!has_status(req->res))
		return take_ptr(next);
	merged = json_dup(status ? o->tree : next);
	json_remove(merged, "status");
	if (json_get(status ? next : o->tree, "status"))
		json_set(merged, "status", json_dup(json_get(status ? next : o->tree, "status")));
	return merged;
}

static void patch(struct world *w, const struct request *req, struct reply *reply)
{
	struct object *o = find(w, req->res, req->ns, req->name);

	if (!o) {
		not_found(req, reply);
		return;
	}
	if (!is_meant(o, json_str(req->body, "metadata.uid", NULL),
		      json_str(req->body, "metadata.resourceVersion", NULL), reply))
		return;
	answer(reply, 200, o->tree);
	if (!change_object(w, o, patched(w, req, o)))
		return;
	o = find(w, req->res, req->ns, req->name);
	if (o) {
		json_free(reply->body);
		answer(reply, 200, o->tree);
	}
}

static void on_grace_over(void *arg)
{
	struct dying *d = arg;
	struct object *o = map_get(d->w->objects, d->key);

	if (o && text_eq(json_str(o->tree, "metadata.uid", ""), d->uid))
		remove_object(d->w, o);
	free_dying(d);
}

/* Marks the object as deleted; a pod goes when its grace is over, others when their finalizers are gone. */
static void mark_deleted(struct world *w, struct object *o)
{
	struct json *next = json_dup(o->tree);
	char text[TIME_TEXT_SIZE];
	struct dying *d;

	if (json_at(next, "metadata.deletionTimestamp")) {
		json_free(next);
		return;
	}
	if (text_eq(o->res->kind, "Pod")) {
		d = xcalloc(1, sizeof(*d));
		d->w = w;
		d->key = xstrdup(o->key);
		d->uid = xstrdup(json_str(next, "metadata.uid", ""));
		list_append(&w->dying, &d->link);
		sched_timer_init(&d->timer, on_grace_over, d);
		sched_arm(w->sched, &d->timer, w->grace_ms);
		json_set_i64(json_get(next, "metadata"), "deletionGracePeriodSeconds", w->grace_ms / 1000);
	}
	json_set_str(json_get(next, "metadata"), "deletionTimestamp",
		     time_rfc3339(sched_wall(w->sched) + w->grace_ms, text));
	change_object(w, o, next);
}

static void delete_object(struct world *w, struct object *o)
{
	bool lingers = json_len(json_at(o->tree, "metadata.finalizers")) > 0;

	if (lingers || (text_eq(o->res->kind, "Pod") && w->grace_ms > 0))
		mark_deleted(w, o);
	else
		remove_object(w, o);
}

/* Pods and services are answered with the object, others with a Status (ReturnDeletedObject of their strategies). */
static void serve_delete(struct world *w, const struct request *req, struct reply *reply)
{
	struct object *o = find(w, req->res, req->ns, req->name);
	auto_json body = NULL;

	if (!o) {
		not_found(req, reply);
		return;
	}
	if (!is_meant(o, json_str(req->body, "preconditions.uid", NULL),
		      json_str(req->body, "preconditions.resourceVersion", NULL), reply))
		return;
	body = json_dup(o->tree);
	delete_object(w, o);
	o = find(w, req->res, req->ns, req->name);
	if (o) {
		answer(reply, 200, o->tree);
		return;
	}
	if (!text_eq(req->res->kind, "Pod") && !text_eq(req->res->kind, "Service")) {
		json_free(body);
		body = json_new_object();
		json_set_str(body, "kind", "Status");
		json_set_str(body, "status", "Success");
	}
	answer(reply, 200, body);
}

static int by_key(const void *a, const void *b)
{
	return strcmp((*(struct object *const *)a)->key, (*(struct object *const *)b)->key);
}

/* The objects of a list behind the one that the last page ended with, sorted by key. Owned array. */
static struct object **listed(const struct world *w, const struct request *req, const char *after, size_t *ret_count)
{
	auto_free char *selector = world_query(req->query, "labelSelector");
	auto_free char *field = world_query(req->query, "fieldSelector");
	struct object **found = xcalloc(map_len(w->objects) + 1, sizeof(struct object *));
	struct map_iter it = { 0 };
	size_t count = 0;

	while (map_next(w->objects, &it)) {
		struct object *o = it.value;

		if (o->res == req->res && (!req->ns || text_eq(req->ns, json_str(o->tree, "metadata.namespace", ""))) &&
		    strcmp(o->key, after) > 0 && world_selects(selector, json_at(o->tree, "metadata.labels")) &&
		    world_selects_field(field, o->tree))
			found[count++] = o;
	}
	qsort(found, count, sizeof(struct object *), by_key);
	*ret_count = count;
	return found;
}

/* Later pages show the present, not the time of the first: whoever watches from the first one's version misses
 * nothing. */
static void list(struct world *w, const struct request *req, struct reply *reply)
{
	auto_free char *limit_text = world_query(req->query, "limit");
	auto_free char *token = world_query(req->query, "continue");
	char *after = token ? strchr(token, ' ') : NULL;
	int64_t limit = 0, version = (int64_t)w->version;
	auto_free struct object **found = NULL;
	struct json *items;
	size_t count;

	if (after) {
		*after++ = '\0';
		text_i64(token, &version);
	}
	if (after && (uint64_t)version < w->compacted) {
		world_refuse(reply, 410, NULL, 0, "The provided continue parameter is too old");
		return;
	}
	text_i64(limit_text, &limit);
	found = listed(w, req, after ? after : "", &count);
	reply->status = 200;
	reply->body = json_new_object();
	json_setf(reply->body, "kind", "%sList", req->res->kind);
	json_setf(json_set(reply->body, "metadata", json_new_object()), "resourceVersion", "%lld", (long long)version);
	items = json_set(reply->body, "items", json_new_array());
	for (size_t i = 0; i < count && (limit == 0 || (int64_t)i < limit); i++) {
		struct json *item = json_append(items, json_dup(found[i]->tree));

		if (!req->res->group[0]) { /* built-in lists do not repeat these */
			json_remove(item, "kind");
			json_remove(item, "apiVersion");
		}
	}
	if (limit > 0 && (int64_t)count > limit)
		json_setf(json_get(reply->body, "metadata"), "continue", "%lld %s", (long long)version,
			  found[limit - 1]->key);
}

static void get(struct world *w, const struct request *req, struct reply *reply)
{
	const struct object *o = find(w, req->res, req->ns, req->name);

	if (o)
		answer(reply, 200, o->tree);
	else
		not_found(req, reply);
}

/* Without owners of fields: what is given replaces what is there. */
static void apply(struct world *w, const struct request *req, struct reply *reply)
{
	if (find(w, req->res, req->ns, req->name))
		patch(w, req, reply);
	else
		create(w, req, reply);
}

void world_handle(struct world *w, const struct request *req, struct reply *reply)
{
	static void (*const handlers[])(struct world *, const struct request *, struct reply *) = {
		[VERB_GET] = get,     [VERB_LIST] = list,	    [VERB_CREATE] = create,
		[VERB_PATCH] = patch, [VERB_DELETE] = serve_delete, [VERB_APPLY] = apply,
	};

	handlers[req->verb](w, req, reply);
}

/* ---- garbage collection: kubernetes pkg/controller/garbagecollector attemptToDeleteItem ---- */

/* Whether what the reference names is there. keys: of the objects, by uid. */
static bool is_owner_there(const struct world *w, const struct map *keys, const struct json *reference)
{
	const char *key = map_get(keys, json_str(reference, "uid", ""));
	const struct object *o = key ? map_get(w->objects, key) : NULL;
	const char *kind = o ? o->res->kind : NULL, *name = o ? json_str(o->tree, "metadata.name", "") : NULL;

	return o && text_eq(json_str(reference, "kind", kind), kind) &&
	       text_eq(json_str(reference, "name", name), name);
}

/* What is left of the references of an object when those to owners that are gone are removed. Owned. */
static struct json *remaining_owners(const struct world *w, const struct map *keys, const struct json *tree)
{
	struct json *left = json_new_array();

	json_each (owner, json_at(tree, "metadata.ownerReferences"))
		if (is_owner_there(w, keys, owner))
			json_append(left, json_dup(owner));
	return left;
}

/* An object goes when none of its owners is left. If some are left, it only loses its references to the others. */
static void collect_object(struct world *w, const struct map *keys, struct object *o)
{
	size_t owners = json_len(json_at(o->tree, "metadata.ownerReferences"));
	auto_json left = remaining_owners(w, keys, o->tree);
	struct json *next;

	if (json_len(left) == owners)
		return;
	if (json_len(left) == 0) {
		delete_object(w, o);
		return;
	}
	next = json_dup(o->tree);
	json_set(json_get(next, "metadata"), "ownerReferences", take_ptr(left));
	change_object(w, o, next);
}

static void on_gc(void *arg)
{
	struct world *w = arg;
	auto_map keys = map_new(free);
	auto_strv owned = { 0 };
	struct map_iter it = { 0 };

	while (map_next(w->objects, &it)) {
		const struct object *o = it.value;

		map_set(keys, json_str(o->tree, "metadata.uid", ""), xstrdup(it.key));
		if (json_len(json_at(o->tree, "metadata.ownerReferences")) > 0)
			strv_add(&owned, it.key);
	}
	for (size_t i = 0; i < owned.len; i++) {
		struct object *o = map_get(w->objects, owned.items[i]);

		if (o)
			collect_object(w, keys, o);
	}
}
