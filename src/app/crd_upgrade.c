/*
 * Keeping the CRDs of the cluster up to date: a conversation of one GET and at most one server-side apply each.
 *
 * Happy path: the CRD is there with our number and our versions, and nothing is written. Absent, older or another
 * operator's: applied with force, under the resourceVersion that was read, so that two operators of different
 * versions cannot write past each other. spec.versions is one unit to the API server (listType atomic), hence a
 * schema is replaced as a whole, never mixed; annotations and labels of others (Helm's among them) stay. Stored
 * objects are not touched: no schema here is narrower than another operator's, apart from rules that unchanged
 * objects are exempt from (docs/crds.md).
 *
 * A newer number: a newer operator wrote it, which is being rolled back or rolled out; it is left alone. Refused by
 * RBAC: one warning with what to do by hand, and a look again every RETRY_MAX_MS. Everything else is tried again,
 * later each time.
 */
#include <inttypes.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crds.h"

enum { RETRY_MIN_MS = 1000, RETRY_MAX_MS = 5 * 60 * 1000 };

enum upgrade_state { WAITING = 0, READING, APPLYING, CURRENT, CREATED, UPGRADED, NEWER, FORBIDDEN, FAILING };

static const char *const state_names[] = {
	[WAITING] = "waiting", [READING] = "reading",	  [APPLYING] = "applying",
	[CURRENT] = "current", [CREATED] = "created",	  [UPGRADED] = "upgraded",
	[NEWER] = "newer",     [FORBIDDEN] = "forbidden", [FAILING] = "failing",
};

struct upgrade { /* of one CRD */
	struct crd_upgrade *all;
	const char *text; /* ours; its tree is ten times as large, and there only while it is needed */
	char *name;
	char *plural;
	int64_t version; /* ours */
	int64_t found;	 /* 0: without a number; -1: not there, or not known yet */
	enum upgrade_state state;
	enum err_code complained; /* the error class of the last warning */
	struct err problem;
	unsigned tries;
	struct api_call *call;
	struct sched_timer retry;
};

struct crd_upgrade {
	struct api *api;
	struct sched *sched;
	struct upgrade *items;
	size_t count;
};

static int64_t version_of(const struct json *crd)
{
	int64_t version = 0;

	text_i64(json_text(json_get(json_at(crd, "metadata.annotations"), ANNOTATION_CRDS_VERSION), ""), &version);
	return version;
}

static void set_upgrade_state(struct upgrade *u, enum upgrade_state state, const char *message)
{
	auto_free char *found = xasprintf("%" PRId64, u->found);
	auto_free char *version = xasprintf("%" PRId64, u->version);

	u->state = state;
	u->tries = 0;
	u->problem = (struct err){ 0 };
	log_write(state == CURRENT ? LOG_DEBUG : LOG_INFO, NULL, message, "crd", u->name, "found",
		  u->found > 0 ? found : "none", "version", version, NULL);
}

/* Logs a warning once per error class, so that retries do not repeat it. */
static void warn_about_upgrade(struct upgrade *u)
{
	if (u->complained == u->problem.code)
		return;
	u->complained = u->problem.code;
	if (u->state == FORBIDDEN)
		log_warn(
		    NULL,
		    "the CRD cannot be upgraded: the operator may not get, create and patch customresourcedefinitions",
		    "crd", u->name, "do", "spark-operator crds | kubectl apply --server-side --force-conflicts -f -",
		    "error", u->problem.msg, NULL);
	else
		log_warn(NULL, "the CRD cannot be upgraded; trying again", "crd", u->name, "error", u->problem.msg,
			 NULL);
}

static void fail_upgrade(struct upgrade *u, const struct err *err)
{
	int64_t wait_ms = time_backoff_ms(RETRY_MIN_MS, RETRY_MAX_MS, u->tries++, &u->all->sched->rng);

	u->problem = *err;
	u->state = err->code == ERR_DENIED ? FORBIDDEN : FAILING;
	if (err->code != ERR_CONFLICT)
		warn_about_upgrade(u);
	if (u->state == FORBIDDEN)
		wait_ms = RETRY_MAX_MS;
	sched_arm(u->all->sched, &u->retry, err->retry_after_ms > wait_ms ? err->retry_after_ms : wait_ms);
}

static void on_applied(void *arg, struct reply *reply)
{
	struct upgrade *u = arg;

	u->call = NULL;
	if (reply->err.code != ERR_NONE)
		fail_upgrade(u, &reply->err);
	else if (u->found < 0)
		set_upgrade_state(u, CREATED, "CRD created");
	else
		set_upgrade_state(u, UPGRADED, "CRD upgraded");
}

/* Applies our CRD. there: the cluster's CRD as it was read, NULL if there is none. */
static void apply_crd(struct upgrade *u, const struct json *there)
{
	const char *resource_version = json_str(there, "metadata.resourceVersion", NULL);
	auto_json body = crds_parse(u->text);
	const struct request request = {
		.verb = VERB_APPLY,
		.res = &resource_crd,
		.name = u->name,
		.query = "force=true",
		.body = body,
	};

	json_set_str(json_get(body, "metadata"), "resourceVersion", resource_version);
	u->state = APPLYING;
	u->call = api_send(u->all->api, &request, on_applied, u);
}

/* The number alone is not enough: another operator's versions may have been applied over ours, and that keeps our
 * annotation. */
static bool is_current(const struct upgrade *u, const struct json *there)
{
	auto_json wanted = crds_parse(u->text);

	return u->found == u->version && json_equal(json_at(there, "spec.versions"), json_at(wanted, "spec.versions"));
}

static void on_read(void *arg, struct reply *reply)
{
	struct upgrade *u = arg;

	u->call = NULL;
	if (reply->err.code == ERR_NOT_FOUND) {
		u->found = -1;
		apply_crd(u, NULL);
		return;
	}
	if (reply->err.code != ERR_NONE) {
		fail_upgrade(u, &reply->err);
		return;
	}
	u->found = version_of(reply->body);
	if (u->found > u->version)
		set_upgrade_state(u, NEWER, "the CRD is of a newer operator; it is left as it is");
	else if (is_current(u, reply->body))
		set_upgrade_state(u, CURRENT, "the CRD is up to date");
	else
		apply_crd(u, reply->body);
}

static void read_crd(struct upgrade *u)
{
	const struct request request = { .verb = VERB_GET, .res = &resource_crd, .name = u->name };

	u->state = READING;
	u->call = api_send(u->all->api, &request, on_read, u);
}

static void on_retry(void *arg)
{
	read_crd(arg);
}

struct crd_upgrade *crd_upgrade_new(struct api *api, struct sched *sched)
{
	struct crd_upgrade *all = xcalloc(1, sizeof(*all));

	all->api = api;
	all->sched = sched;
	while (crds_data[all->count])
		all->count++;
	all->items = xcalloc(all->count, sizeof(*all->items));
	for (size_t i = 0; i < all->count; i++) {
		struct upgrade *u = &all->items[i];
		auto_json crd = crds_parse(crds_data[i]);

		u->all = all;
		u->text = crds_data[i];
		u->name = xstrdup(json_str(crd, "metadata.name", ""));
		u->plural = xstrdup(json_str(crd, "spec.names.plural", ""));
		u->version = version_of(crd);
		u->found = -1;
		sched_timer_init(&u->retry, on_retry, u);
	}
	return all;
}

void crd_upgrade_start(struct crd_upgrade *all)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->items[i].state == WAITING)
			read_crd(&all->items[i]);
}

struct json *crd_upgrade_debug(const struct crd_upgrade *all)
{
	struct json *debug = json_new_object();

	for (size_t i = 0; i < all->count; i++) {
		const struct upgrade *u = &all->items[i];
		struct json *item = json_set(debug, u->plural, json_new_object());

		json_set_str(item, "state", state_names[u->state]);
		json_set_i64(item, "version", u->version);
		json_set_i64(item, "found", u->found);
		json_set_str(item, "problem", u->problem.msg);
	}
	return debug;
}

void crd_upgrade_free(struct crd_upgrade *all)
{
	if (!all)
		return;
	for (size_t i = 0; i < all->count; i++) {
		struct upgrade *u = &all->items[i];

		if (u->call)
			api_cancel(all->api, u->call);
		sched_disarm(all->sched, &u->retry);
		free(u->name);
		free(u->plural);
	}
	free(all->items);
	free(all);
}
