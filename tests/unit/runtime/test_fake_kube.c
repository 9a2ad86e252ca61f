/*
 * The fake API server is the ground that the simulation stands on, so it is tested like the rest: versions,
 * preconditions, pages, selectors, watches, garbage collection, and each of the faults.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"
#include "fake_kube.h"
#include "json_text.h"

#define POD                                                                                                            \
	"{\"kind\": \"Pod\", \"metadata\": {\"name\": \"%s\", \"labels\": {\"app\": \"%s\"}}, "                        \
	"\"spec\": {\"x\": 1}}"
#define RES_POD (&resource_pod)
#define RES_APP (&resource_sparkapplication)

struct fixture {
	struct sched sched;
	struct fake_kube *fk;
	struct reply reply; /* of the last call */
	unsigned replies;
	struct buf events; /* "ADDED a 102\n" */
	struct buf bytes;
	unsigned crashes;
};

static int setup_with(void **state, struct fake_options options)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	sched_init(&f->sched, 0, 1767323045000, 1);
	f->fk = fake_kube_new(&f->sched, &options);
	f->events.max = f->bytes.max = 1 << 20;
	*state = f;
	return 0;
}

static int setup(void **state)
{
	return setup_with(state, (struct fake_options){ 0 });
}

static int setup_grace(void **state)
{
	return setup_with(state, (struct fake_options){ .grace_ms = 3000 });
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fake_kube_free(f->fk);
	reply_done(&f->reply);
	buf_done(&f->events);
	buf_done(&f->bytes);
	sched_done(&f->sched);
	free(f);
	return 0;
}

static struct json *parse(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static struct json *parse(const char *fmt, ...)
{
	auto_buf text = { .max = 1 << 20 };
	struct json *tree;
	struct err err;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	tree = json_parse(buf_str(&text), text.len, &err);
	assert_non_null(tree);
	return tree;
}

static struct json *pod(const char *name, const char *app)
{
	return parse(POD, name, app);
}

static void on_reply(void *arg, struct reply *reply)
{
	struct fixture *f = arg;

	reply_done(&f->reply);
	f->reply = *reply;
	*reply = (struct reply){ 0 };
	f->replies++;
}

/* Sends, lets the latency pass, gives the HTTP status. body is taken. */
static int call(struct fixture *f, enum verb verb, const struct resource *res, const char *name, const char *query,
		struct json *body)
{
	auto_json owned = body;
	const struct request req = {
		.verb = verb, .res = res, .ns = "ns", .name = name, .query = query, .body = owned
	};
	unsigned before = f->replies;

	api_send(fake_kube_api(f->fk), &req, on_reply, f);
	assert_int_equal(f->replies, before);
	fake_kube_run(f->fk, 5);
	assert_int_equal(f->replies, before + 1);
	return f->reply.status;
}

static const char *reply_str(const struct fixture *f, const char *path)
{
	return json_str(f->reply.body, path, "-");
}

static void create(struct fixture *f, const char *name, const char *app)
{
	assert_int_equal(call(f, VERB_CREATE, RES_POD, NULL, NULL, pod(name, app)), 201);
}

static void on_data(void *arg, const char *data, size_t len)
{
	struct fixture *f = arg;
	char *end;

	buf_add(&f->bytes, data, len);
	while ((end = memchr(buf_str(&f->bytes), '\n', f->bytes.len))) {
		auto_json event = NULL;
		size_t size = (size_t)(end - f->bytes.data) + 1;
		struct err err;

		event = json_parse(f->bytes.data, size, &err);
		assert_non_null(event);
		buf_printf(&f->events, "%s %s\n", json_str(event, "type", ""),
			   json_str(event, "object.metadata.name", json_str(event, "object.reason", "-")));
		buf_drop(&f->bytes, size);
	}
}

static struct api_call *watch(struct fixture *f, const char *version, const char *selector)
{
	auto_free char *query = xasprintf("watch=true&resourceVersion=%s&timeoutSeconds=300%s%s", version,
					  selector ? "&labelSelector=" : "", selector ? selector : "");
	const struct request req = { .verb = VERB_WATCH, .res = RES_POD, .ns = "ns", .query = query };

	return api_stream(fake_kube_api(f->fk), &req, on_data, on_reply, f);
}

static void assert_events(struct fixture *f, const char *want)
{
	assert_string_equal(buf_str(&f->events), want);
	buf_clear(&f->events);
}

/* ---- verbs ---- */

static void create_and_get(void **state)
{
	struct fixture *f = *state;

	create(f, "a", "x");
	assert_string_equal(reply_str(f, "metadata.uid"), "00000000-0000-4000-8000-000000000001");
	assert_string_equal(reply_str(f, "metadata.creationTimestamp"), "2026-01-02T03:04:05Z");
	assert_string_equal(reply_str(f, "metadata.namespace"), "ns");
	assert_string_equal(reply_str(f, "status.phase"), "Pending");
	assert_int_equal(json_i64(f->reply.body, "metadata.generation", 0), 1);
	assert_int_equal(call(f, VERB_CREATE, RES_POD, NULL, NULL, pod("a", "x")), 409);
	assert_int_equal(f->reply.err.code, ERR_EXISTS);
	assert_int_equal(call(f, VERB_GET, RES_POD, "a", NULL, NULL), 200);
	assert_int_equal(call(f, VERB_GET, RES_POD, "b", NULL, NULL), 404);
	assert_int_equal(f->reply.err.code, ERR_NOT_FOUND);
	assert_int_equal(call(f, VERB_CREATE, &resource_service, NULL, NULL, pod("a", "x")), 400);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 1);
}

static void patch_and_status(void **state)
{
	struct fixture *f = *state;
	auto_free char *version = NULL;

	fake_kube_put(f->fk, RES_APP,
		      parse(JSON({ "metadata" : { "name" : "a", "namespace" : "ns" }, "spec" : { "n" : 1 } })));
	call(f, VERB_PATCH, RES_APP, "a", NULL, parse(JSON({ "spec" : { "n" : 2 }, "status" : { "s" : 1 } })));
	assert_int_equal(json_i64(f->reply.body, "metadata.generation", 0), 2);
	assert_null(json_get(f->reply.body, "status"));
	version = xstrdup(reply_str(f, "metadata.resourceVersion"));
	call(f, VERB_PATCH, RES_APP, "a", NULL, parse(JSON({ "spec" : { "n" : 2 } })));
	assert_string_equal(reply_str(f, "metadata.resourceVersion"), version);
	assert_int_equal(
	    call(f, VERB_PATCH, RES_APP, "a", NULL, parse(JSON({ "metadata" : { "resourceVersion" : "1" } }))), 409);
	assert_int_equal(f->reply.err.code, ERR_CONFLICT);
	assert_int_equal(call(f, VERB_PATCH, RES_APP, "a", NULL, parse(JSON({ "metadata" : { "uid" : "other" } }))),
			 409);
	assert_int_equal(call(f, VERB_PATCH, RES_APP, "b", NULL, parse("{}")), 404);
}

static int patch_status(struct fixture *f, const char *text)
{
	auto_json body = parse("%s", text);
	const struct request req = {
		.verb = VERB_PATCH, .res = RES_APP, .ns = "ns", .name = "a", .subresource = "status", .body = body
	};

	api_send(fake_kube_api(f->fk), &req, on_reply, f);
	fake_kube_run(f->fk, 5);
	return f->reply.status;
}

static void status_has_its_own_door(void **state)
{
	struct fixture *f = *state;
	const struct fake_write *writes;
	size_t len;

	fake_kube_put(f->fk, RES_APP,
		      parse(JSON({ "metadata" : { "name" : "a", "namespace" : "ns" }, "spec" : { "n" : 1 } })));
	assert_int_equal(patch_status(f, JSON({ "spec" : { "n" : 5 }, "status" : { "s" : 1 } })), 200);
	assert_int_equal(json_i64(f->reply.body, "spec.n", 0), 1);
	assert_int_equal(json_i64(f->reply.body, "status.s", 0), 1);
	assert_int_equal(json_i64(f->reply.body, "metadata.generation", 0), 1);
	assert_int_equal(patch_status(f, JSON({ "status" : { "s" : 1 } })), 200);
	writes = fake_kube_writes(f->fk, &len);
	assert_int_equal(len, 2);
	assert_true(writes[0].changed);
	assert_false(writes[1].changed);
	assert_string_equal(writes[0].version, writes[1].version);
	assert_string_equal(writes[1].key, "ns/a");
	assert_string_equal(writes[1].subresource, "status");
	assert_int_equal(writes[1].number, 2);
}

static void delete_with_preconditions(void **state)
{
	struct fixture *f = *state;

	create(f, "a", "x");
	assert_int_equal(call(f, VERB_DELETE, RES_POD, "a", NULL, parse(JSON({ "preconditions" : { "uid" : "u" } }))),
			 409);
	assert_int_equal(
	    call(f, VERB_DELETE, RES_POD, "a", NULL, parse(JSON({ "preconditions" : { "resourceVersion" : "1" } }))),
	    409);
	assert_int_equal(call(f, VERB_DELETE, RES_POD, "a", NULL, NULL), 200);
	assert_int_equal(call(f, VERB_DELETE, RES_POD, "a", NULL, NULL), 404);
	assert_null(fake_kube_get(f->fk, RES_POD, "ns", "a"));
}

static void graceful_deletion(void **state)
{
	struct fixture *f = *state;

	create(f, "a", "x");
	call(f, VERB_DELETE, RES_POD, "a", NULL, NULL);
	assert_string_equal(reply_str(f, "metadata.deletionTimestamp"), "2026-01-02T03:04:08Z");
	call(f, VERB_DELETE, RES_POD, "a", NULL, NULL);
	fake_kube_run(f->fk, 2900);
	assert_non_null(fake_kube_get(f->fk, RES_POD, "ns", "a"));
	fake_kube_run(f->fk, 200);
	assert_null(fake_kube_get(f->fk, RES_POD, "ns", "a"));
}

static void finalizers_hold_an_object(void **state)
{
	struct fixture *f = *state;

	fake_kube_put(f->fk, RES_APP,
		      parse(JSON({ "metadata" : { "name" : "a", "namespace" : "ns", "finalizers" : ["x/y"] } })));
	call(f, VERB_DELETE, RES_APP, "a", NULL, NULL);
	assert_non_null(json_at(fake_kube_get(f->fk, RES_APP, "ns", "a"), "metadata.deletionTimestamp"));
	call(f, VERB_PATCH, RES_APP, "a", NULL, parse(JSON({ "metadata" : { "finalizers" : null } })));
	assert_null(fake_kube_get(f->fk, RES_APP, "ns", "a"));
}

static void dependents_follow_their_owner(void **state)
{
	struct fixture *f = *state;
	const struct json *app, *driver;

	app = fake_kube_put(f->fk, RES_APP, parse(JSON({ "metadata" : { "name" : "a", "namespace" : "ns" } })));
	driver = fake_kube_put(
	    f->fk, RES_POD,
	    parse(JSON({ "metadata" : { "name" : "d", "namespace" : "ns", "ownerReferences" : [ { "uid" : "%s" } ] } }),
		  json_str(app, "metadata.uid", "")));
	fake_kube_put(
	    f->fk, RES_POD,
	    parse(JSON({ "metadata" : { "name" : "e", "namespace" : "ns", "ownerReferences" : [ { "uid" : "%s" } ] } }),
		  json_str(driver, "metadata.uid", "")));
	create(f, "free", "x");
	fake_kube_run(f->fk, 1000);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 3);
	assert_true(fake_kube_delete(f->fk, RES_APP, "ns", "a"));
	assert_false(fake_kube_delete(f->fk, RES_APP, "ns", "a"));
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 3);
	fake_kube_run(f->fk, 1000);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 1);
}

static const struct json *put_owned(struct fixture *f, const struct resource *res, const char *name, const char *owners)
{
	return fake_kube_put(
	    f->fk, res,
	    parse("{\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\",\"ownerReferences\":[%s]}}", name, owners));
}

/* As the garbage collector of Kubernetes: one owner that is left is enough, and references to others are removed. */
static void the_last_owner_takes_its_dependents_along(void **state)
{
	static const char reference[] = JSON({ "kind" : "%s", "name" : "%s", "uid" : "%s" });
	struct fixture *f = *state;
	auto_free char *by_app = NULL, *by_driver = NULL, *both = NULL, *by_stranger = NULL;
	const struct json *left;

	by_app =
	    xasprintf(reference, "SparkApplication", "a", json_str(put_owned(f, RES_APP, "a", ""), "metadata.uid", ""));
	by_driver = xasprintf(reference, "Pod", "d", json_str(put_owned(f, RES_POD, "d", ""), "metadata.uid", ""));
	both = xasprintf("%s,%s", by_driver, by_app);
	/* The uid is that of the application, but there is no Pod of this name with it. */
	by_stranger =
	    xasprintf(reference, "Pod", "a", json_str(fake_kube_get(f->fk, RES_APP, "ns", "a"), "metadata.uid", ""));
	put_owned(f, RES_POD, "both", both);
	put_owned(f, RES_POD, "stray", by_stranger);
	fake_kube_run(f->fk, 1000);
	assert_null(fake_kube_get(f->fk, RES_POD, "ns", "stray"));
	assert_true(fake_kube_delete(f->fk, RES_POD, "ns", "d"));
	fake_kube_run(f->fk, 1000);
	left = json_at(fake_kube_get(f->fk, RES_POD, "ns", "both"), "metadata.ownerReferences");
	assert_int_equal(json_len(left), 1);
	assert_string_equal(json_str(json_first(left), "kind", ""), "SparkApplication");
	assert_true(fake_kube_delete(f->fk, RES_APP, "ns", "a"));
	fake_kube_run(f->fk, 1000);
	assert_null(fake_kube_get(f->fk, RES_POD, "ns", "both"));
}

static void list_in_pages(void **state)
{
	struct fixture *f = *state;
	auto_free char *token = NULL, *query = NULL, *version = NULL;

	create(f, "c", "x");
	create(f, "a", "x");
	create(f, "b", "y");
	fake_kube_put(f->fk, RES_POD, parse(JSON({ "metadata" : { "name" : "a", "namespace" : "other" } })));
	call(f, VERB_LIST, RES_POD, NULL, "limit=2", NULL);
	assert_string_equal(reply_str(f, "kind"), "PodList");
	assert_int_equal(json_len(json_get(f->reply.body, "items")), 2);
	assert_string_equal(json_str(json_first(json_get(f->reply.body, "items")), "metadata.name", ""), "a");
	assert_null(json_get(json_first(json_get(f->reply.body, "items")), "kind"));
	token = text_url_encode(reply_str(f, "metadata.continue"));
	version = xstrdup(reply_str(f, "metadata.resourceVersion"));
	query = xasprintf("limit=2&continue=%s", token);
	create(f, "aa", "x");
	call(f, VERB_LIST, RES_POD, NULL, query, NULL);
	assert_int_equal(json_len(json_get(f->reply.body, "items")), 1);
	assert_string_equal(reply_str(f, "metadata.resourceVersion"), version);
	assert_string_equal(reply_str(f, "metadata.continue"), "-");
	fake_kube_compact(f->fk);
	assert_int_equal(call(f, VERB_LIST, RES_POD, NULL, query, NULL), 410);
	assert_int_equal(f->reply.err.code, ERR_GONE);
	call(f, VERB_LIST, RES_POD, NULL, "labelSelector=app%3Dy", NULL);
	assert_int_equal(json_len(json_get(f->reply.body, "items")), 1);
}

/* ---- watches ---- */

static void watch_follows_and_resumes(void **state)
{
	struct fixture *f = *state;
	struct api_call *stream = watch(f, "100", NULL);

	create(f, "a", "x");
	assert_events(f, "ADDED a\n");
	fake_kube_put(f->fk, RES_POD, parse(JSON({ "metadata" : { "name" : "z", "namespace" : "other" } })));
	fake_kube_patch(f->fk, RES_POD, "ns", "a", JSON({ "spec" : { "y" : 1 } }));
	fake_kube_delete(f->fk, RES_POD, "ns", "a");
	fake_kube_bookmark(f->fk);
	assert_events(f, "");
	fake_kube_run(f->fk, 2);
	assert_events(f, "MODIFIED a\nDELETED a\nBOOKMARK -\n");
	api_cancel(fake_kube_api(f->fk), stream);
	watch(f, "101", NULL);
	fake_kube_run(f->fk, 10);
	assert_events(f, "MODIFIED a\nDELETED a\nBOOKMARK -\n");
	fake_kube_run(f->fk, 300000);
	assert_int_equal(f->replies, 2);
	assert_int_equal(f->reply.err.code, ERR_NONE);
}

static void selector_turns_changes_into_comings_and_goings(void **state)
{
	struct fixture *f = *state;

	watch(f, "100", "app%3Dx");
	create(f, "a", "y");
	fake_kube_patch(f->fk, RES_POD, "ns", "a", JSON({ "metadata" : { "labels" : { "app" : "x" } } }));
	fake_kube_patch(f->fk, RES_POD, "ns", "a", JSON({ "spec" : { "y" : 1 } }));
	fake_kube_patch(f->fk, RES_POD, "ns", "a", JSON({ "metadata" : { "labels" : { "app" : null } } }));
	fake_kube_delete(f->fk, RES_POD, "ns", "a");
	fake_kube_run(f->fk, 2);
	assert_events(f, "ADDED a\nMODIFIED a\nDELETED a\n");
}

static void old_versions_are_gone(void **state)
{
	struct fixture *f = *state;

	create(f, "a", "x");
	fake_kube_compact(f->fk);
	watch(f, "100", NULL);
	fake_kube_run(f->fk, 5);
	assert_int_equal(f->reply.err.code, ERR_GONE);
	fake_kube_expire(f->fk, false);
	watch(f, "101", NULL);
	fake_kube_run(f->fk, 5);
	assert_int_equal(f->reply.status, 410);
	watch(f, "101", NULL);
	fake_kube_run(f->fk, 5);
	assert_int_equal(f->replies, 3);
	fake_kube_expire(f->fk, true);
	fake_kube_run(f->fk, 5);
	assert_events(f, "ERROR Expired\n");
	assert_int_equal(f->replies, 4);
	assert_int_equal(f->reply.err.code, ERR_NONE);
}

static void streams_can_be_cut(void **state)
{
	struct fixture *f = *state;

	watch(f, "100", NULL);
	fake_kube_run(f->fk, 5);
	fake_kube_cut_watches(f->fk, false);
	fake_kube_run(f->fk, 1);
	assert_int_equal(f->replies, 1);
	assert_int_equal(f->reply.err.code, ERR_NONE);
	watch(f, "100", NULL);
	fake_kube_run(f->fk, 5);
	fake_kube_cut_watches(f->fk, true);
	fake_kube_run(f->fk, 1);
	assert_int_equal(f->reply.err.code, ERR_IO);
	assert_int_equal(f->reply.status, 200);
	watch(f, "100", NULL);
	fake_kube_cut_at_event(f->fk, 2);
	for (const char *name = "abc"; *name; name++)
		fake_kube_put(f->fk, RES_POD,
			      parse(JSON({ "metadata" : { "name" : "%c", "namespace" : "ns" } }), *name));
	fake_kube_run(f->fk, 10);
	assert_events(f, "ADDED a\n");
	assert_int_equal(f->replies, 3);
	assert_true(f->bytes.len > 0);
}

static void events_can_be_late(void **state)
{
	struct fixture *f = *state;

	watch(f, "100", NULL);
	fake_kube_delay(f->fk, RES_POD, 1000);
	create(f, "a", "x");
	fake_kube_run(f->fk, 900);
	assert_events(f, "");
	fake_kube_run(f->fk, 200);
	assert_events(f, "ADDED a\n");
	create(f, "b", "x");
	fake_kube_delay(f->fk, RES_POD, 0);
	fake_kube_run(f->fk, 2);
	assert_events(f, "ADDED b\n");
}

/* ---- faults ---- */

static void kth_write_fails(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal quota = { .status = 403, .message = "exceeded quota", .retry_after_s = 3 };
	auto_free char *census = NULL;

	fake_kube_fail(f->fk, 1, FAKE_REFUSE, &quota);
	fake_kube_fail(f->fk, 2, FAKE_LOSE_CALL, NULL);
	fake_kube_fail(f->fk, 3, FAKE_LOSE_REPLY, NULL);
	assert_int_equal(call(f, VERB_CREATE, RES_POD, NULL, NULL, pod("a", "x")), 403);
	assert_int_equal(f->reply.err.code, ERR_DENIED);
	assert_int_equal(f->reply.err.retry_after_ms, 3000);
	assert_string_equal(f->reply.err.msg, "create pods ns/a: 403 Forbidden: exceeded quota");
	assert_int_equal(call(f, VERB_CREATE, RES_POD, NULL, NULL, pod("a", "x")), 0);
	assert_int_equal(f->reply.err.code, ERR_IO);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 0);
	assert_int_equal(call(f, VERB_CREATE, RES_POD, NULL, NULL, pod("a", "x")), 0);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 1);
	assert_int_equal(call(f, VERB_CREATE, &resource_event, NULL, NULL,
			      parse(JSON({ "kind" : "Event", "metadata" : { "name" : "e" } }))),
			 201);
	assert_int_equal(fake_kube_write_count(f->fk), 3);
	census = fake_kube_census(f->fk);
	assert_string_equal(census, "create pods ns/a\n");
}

static void calls_are_refused_by_rule(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal busy = { .status = 429 };

	fake_kube_refuse(f->fk, VERB_GET, RES_POD, 2, &busy);
	create(f, "a", "x");
	assert_int_equal(call(f, VERB_GET, RES_POD, "a", NULL, NULL), 429);
	assert_int_equal(call(f, VERB_GET, RES_POD, "a", NULL, NULL), 429);
	assert_int_equal(call(f, VERB_GET, RES_POD, "a", NULL, NULL), 200);
	fake_kube_refuse(f->fk, 0, NULL, -1, &busy);
	assert_int_equal(call(f, VERB_LIST, RES_POD, NULL, NULL, NULL), 429);
	fake_kube_accept(f->fk);
	assert_int_equal(call(f, VERB_LIST, RES_POD, NULL, NULL, NULL), 200);
	assert_int_equal(fake_kube_calls(f->fk, VERB_GET, RES_POD), 3);
	assert_int_equal(fake_kube_calls(f->fk, VERB_LIST, NULL), 2);
}

static void server_can_be_down(void **state)
{
	struct fixture *f = *state;

	watch(f, "100", NULL);
	fake_kube_run(f->fk, 5);
	fake_kube_down(f->fk, 1000);
	fake_kube_run(f->fk, 1);
	assert_int_equal(f->replies, 1);
	assert_int_equal(call(f, VERB_CREATE, RES_POD, NULL, NULL, pod("a", "x")), 0);
	assert_int_equal(f->reply.err.code, ERR_IO);
	assert_int_equal(fake_kube_write_count(f->fk), 0);
	fake_kube_run(f->fk, 1000);
	create(f, "a", "x");
}

static void on_crash(void *arg)
{
	struct fixture *f = arg;

	f->crashes++;
	fake_kube_drop_client(f->fk);
}

static void client_crashes_after_a_write(void **state)
{
	struct fixture *f = *state;
	auto_json body = pod("b", "x");
	const struct request req = { .verb = VERB_CREATE, .res = RES_POD, .ns = "ns", .body = body };

	fake_kube_crash_after(f->fk, 2, on_crash, f);
	watch(f, "100", NULL);
	create(f, "a", "x");
	api_send(fake_kube_api(f->fk), &req, on_reply, f);
	fake_kube_run(f->fk, 100);
	assert_int_equal(f->crashes, 1);
	assert_int_equal(f->replies, 1);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 2);
	assert_events(f, "ADDED a\n");
}

static void cancelled_calls_are_silent(void **state)
{
	struct fixture *f = *state;
	auto_json body = pod("a", "x");
	const struct request req = { .verb = VERB_CREATE, .res = RES_POD, .ns = "ns", .body = body };
	struct api *api = fake_kube_api(f->fk);
	struct api_call *late;

	api_cancel(api, api_send(api, &req, on_reply, f));
	fake_kube_run(f->fk, 10);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 0);
	late = api_send(api, &req, on_reply, f);
	fake_kube_run(f->fk, 3);
	api_cancel(api, late);
	fake_kube_run(f->fk, 10);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 1);
	assert_int_equal(f->replies, 0);
}

static void play_kubelet(void *arg, const struct resource *res, const struct json *before, const struct json *now)
{
	struct fixture *f = arg;

	if (!before && now)
		fake_kube_patch_status(f->fk, res, "ns", json_str(now, "metadata.name", ""),
				       parse(JSON({ "phase" : "Running" })));
}

static void a_test_reacts_to_changes(void **state)
{
	struct fixture *f = *state;
	const struct json *object;
	size_t pos = 0;

	watch(f, "100", NULL);
	fake_kube_on_change(f->fk, play_kubelet, f);
	create(f, "a", "x");
	assert_events(f, "ADDED a\nMODIFIED a\n");
	object = fake_kube_next(f->fk, RES_POD, &pos);
	assert_string_equal(json_str(object, "status.phase", ""), "Running");
	assert_null(fake_kube_next(f->fk, RES_POD, &pos));
}

#define TEST(fn)       cmocka_unit_test_setup_teardown(fn, setup, teardown)
#define TEST_GRACE(fn) cmocka_unit_test_setup_teardown(fn, setup_grace, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(create_and_get),
		TEST(patch_and_status),
		TEST(status_has_its_own_door),
		TEST(delete_with_preconditions),
		TEST_GRACE(graceful_deletion),
		TEST(finalizers_hold_an_object),
		TEST(dependents_follow_their_owner),
		TEST(the_last_owner_takes_its_dependents_along),
		TEST(list_in_pages),
		TEST(watch_follows_and_resumes),
		TEST(selector_turns_changes_into_comings_and_goings),
		TEST(old_versions_are_gone),
		TEST(streams_can_be_cut),
		TEST(events_can_be_late),
		TEST(kth_write_fails),
		TEST(calls_are_refused_by_rule),
		TEST(server_can_be_down),
		TEST(client_crashes_after_a_write),
		TEST(cancelled_calls_are_silent),
		TEST(a_test_reacts_to_changes),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
