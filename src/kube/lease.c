/*
 * The lease stepper. Happy path: START → GET → CREATE or PATCH → LEADING → PATCH every retry_ms → RELEASE → PATCH →
 * RELEASED.
 *
 * Failure modes: if a write is refused for its version, one GET follows at once, and after that the next try. If the
 * outcome of a write is unknown, the next try begins with a GET, which finds our identity if the write took place.
 * LEADING ends when a GET finds another holder, or when the time is up. Mirrors client-go
 * tools/leaderelection/leaderelection.go (tryAcquireOrRenew, isLeaseValid, release) and resourcelock/leaselock.go, with
 * a merge PATCH with resourceVersion in place of PUT, which leaves strategy and preferredHolder alone.
 */
#include "kube/lease.h"

#include <assert.h>

#include "base/text.h"
#include "kube/resource.h"

/* How far the known version is trusted, which decides what comes before the next write. */
enum trust {
	TRUST_NONE = 0, /* a GET comes first: only the watch has shown the version, or a write may have changed it */
	TRUST_REFUSED,	/* this try was refused once for its version, and reads again; a second refusal ends the try */
	TRUST_REPLY,	/* a PATCH: the version came with a reply */
};

struct lease {
	char *ns;
	char *name;
	char *identity;
	int64_t duration_ms;
	int64_t renew_deadline_ms;
	int64_t retry_ms;
	struct rng *rng;
	enum lease_state state;
	enum lease_cmd_type pending;  /* the command whose reply is awaited */
	struct json *spec;	      /* as last seen; NULL: there was none */
	char *version;		      /* of the Lease as last seen, or NULL */
	enum trust trust;	      /* in version */
	int64_t observed_ms;	      /* when the present spec was first seen */
	int64_t sent_ms;	      /* when the write under way was sent */
	int64_t renewed_ms;	      /* when the last write that succeeded was sent */
	int64_t asked_ms;	      /* when the last command was given */
	int64_t try_ms;		      /* when the next try is due; -1: none is */
	int64_t give_up_ms;	      /* when RELEASING ends without a reply */
	char *shown;		      /* the newer version that the watch showed while a reply was awaited, or NULL */
	char *problem;		      /* or NULL */
	char claimed[TIME_TEXT_SIZE]; /* renewTime of the last write */
};

enum { MAX_TIMEOUT_MS = 5000 };

int lease_check(const struct lease_options *o, struct err *err)
{
	if (text_empty(o->ns) || !text_is_dns_label(o->ns))
		return err_set(err, ERR_INVALID, "leader election: \"%s\" is not the name of a namespace",
			       o->ns ? o->ns : "");
	if (text_empty(o->name) || !text_is_dns_subdomain(o->name))
		return err_set(err, ERR_INVALID, "leader election: \"%s\" is not a name that a Lease can have",
			       o->name ? o->name : "");
	if (text_empty(o->identity))
		return err_set(err, ERR_INVALID, "leader election: the identity is empty");
	if (o->duration_ms < 1000 || o->duration_ms / 1000 > INT32_MAX)
		return err_set(err, ERR_INVALID,
			       "leader election: the lease duration has to be between 1 s and 68 years");
	if (o->duration_ms <= o->renew_deadline_ms)
		return err_set(err, ERR_INVALID,
			       "leader election: the lease duration has to be longer than the renew deadline");
	if (o->retry_ms <= 0 || o->renew_deadline_ms - o->retry_ms <= o->retry_ms / 5)
		return err_set(
		    err, ERR_INVALID,
		    "leader election: the renew deadline has to be longer than 1.2 times the retry period, which "
		    "has to be more than 0");
	return 0;
}

struct lease *lease_new(const struct lease_options *options, struct rng *rng)
{
	struct lease *l = xcalloc(1, sizeof(*l));

	l->ns = xstrdup(options->ns);
	l->name = xstrdup(options->name);
	l->identity = xstrdup(options->identity);
	l->duration_ms = options->duration_ms;
	l->renew_deadline_ms = options->renew_deadline_ms;
	l->retry_ms = options->retry_ms;
	l->rng = rng;
	l->try_ms = -1;
	return l;
}

void lease_free(struct lease *l)
{
	if (!l)
		return;
	free(l->ns);
	free(l->name);
	free(l->identity);
	json_free(l->spec);
	free(l->version);
	free(l->shown);
	free(l->problem);
	free(l);
}

/* ---- the record ---- */

const char *lease_holder(const struct lease *l)
{
	return json_str(l->spec, "holderIdentity", "");
}

int64_t lease_transitions(const struct lease *l)
{
	return json_i64(l->spec, "leaseTransitions", 0);
}

static bool is_ours(const struct lease *l)
{
	return text_eq(lease_holder(l), l->identity);
}

static int64_t expiry_ms(const struct lease *l)
{
	int64_t seconds = json_i64(l->spec, "leaseDurationSeconds", 0);

	if (seconds < 0 || seconds > INT32_MAX)
		seconds = 0;
	return l->observed_ms + seconds * 1000;
}

static bool is_held_by_another(const struct lease *l, int64_t now_ms)
{
	return lease_holder(l)[0] && !is_ours(l) && expiry_ms(l) > now_ms;
}

/* Keeps version and record of the Lease. object NULL: there is no Lease. */
static void observe(struct lease *l, const struct json *object, int64_t now_ms)
{
	const struct json *spec = json_get(object, "spec");

	free(l->version);
	l->version = xstrdup_null(json_str(object, "metadata.resourceVersion", NULL));
	if (l->spec && json_equal(l->spec, spec))
		return;
	json_free(l->spec);
	l->spec = json_dup(spec);
	l->observed_ms = now_ms;
}

static void set_problem(struct lease *l, char *text)
{
	free(l->problem);
	l->problem = text;
}

/* ---- commands ---- */

static void set_command(struct lease *l, struct lease_cmd *ret, enum lease_cmd_type type, struct json *body)
{
	*ret = (struct lease_cmd){ .type = type, .body = body };
	l->pending = type;
	l->try_ms = -1;
}

static void set_write(struct lease *l, struct lease_cmd *ret, enum lease_cmd_type type, struct json *body,
		      const struct lease_event *ev)
{
	l->sent_ms = ev->now_ms;
	time_rfc3339_micro(ev->wall_ms, l->claimed);
	set_command(l, ret, type, body);
}

static void get_lease(struct lease *l, struct lease_cmd *ret)
{
	set_command(l, ret, LEASE_CMD_GET, NULL);
}

/* The record that says that we hold the Lease. If we held it before, acquireTime stays. */
static struct json *claim_record(const struct lease *l, int64_t wall_ms)
{
	struct json *spec = json_new_object();
	const char *acquired = is_ours(l) ? json_str(l->spec, "acquireTime", NULL) : NULL;
	char now[TIME_TEXT_SIZE];

	time_rfc3339_micro(wall_ms, now);
	json_set_str(spec, "holderIdentity", l->identity);
	json_set_i64(spec, "leaseDurationSeconds", l->duration_ms / 1000);
	json_set_str(spec, "acquireTime", acquired ? acquired : now);
	json_set_str(spec, "renewTime", now);
	json_set_i64(spec, "leaseTransitions", lease_transitions(l) + (l->spec && !is_ours(l)));
	return spec;
}

static struct json *release_record(int64_t wall_ms)
{
	struct json *spec = json_new_object();
	char now[TIME_TEXT_SIZE];

	json_set_str(spec, "holderIdentity", "");
	json_set_i64(spec, "leaseDurationSeconds", 1);
	json_set_str(spec, "renewTime", time_rfc3339_micro(wall_ms, now));
	return spec;
}

static void create_lease(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret)
{
	struct json *body = json_new_object();
	char version[API_VERSION_SIZE];
	struct json *meta;

	json_set_str(body, "apiVersion", resource_api_version(&resource_lease, version));
	json_set_str(body, "kind", resource_lease.kind);
	meta = json_set(body, "metadata", json_new_object());
	json_set_str(meta, "name", l->name);
	json_set_str(meta, "namespace", l->ns);
	json_set(body, "spec", claim_record(l, ev->wall_ms));
	set_write(l, ret, LEASE_CMD_CREATE, body, ev);
}

static void patch_lease(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret)
{
	struct json *body = json_new_object();

	json_set_str(json_set(body, "metadata", json_new_object()), "resourceVersion", l->version);
	json_set(body, "spec",
		 l->state == LEASE_RELEASING ? release_record(ev->wall_ms) : claim_record(l, ev->wall_ms));
	set_write(l, ret, LEASE_CMD_PATCH, body, ev);
}

/* Begins a try with a PATCH (the holder's fast path in leaderelection.go) or with a GET. */
static void try_now(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret)
{
	bool holds = l->state == LEASE_LEADING || l->state == LEASE_RELEASING;

	if (holds && is_ours(l) && l->trust == TRUST_REPLY)
		patch_lease(l, ev, ret);
	else
		get_lease(l, ret);
}

/* ---- what follows ---- */

/* LOST and RELEASED are left by no event. */
static bool is_final(const struct lease *l)
{
	return l->state == LEASE_LOST || l->state == LEASE_RELEASED;
}

static void wait_for_try(struct lease *l, int64_t now_ms)
{
	int64_t retry_ms = l->retry_ms;

	if (l->state == LEASE_WAITING)
		retry_ms += rng_range(l->rng, 0, retry_ms * 6 / 5 + 1);
	l->try_ms = now_ms + retry_ms;
	if (l->state == LEASE_WAITING && is_held_by_another(l, now_ms) && expiry_ms(l) < l->try_ms)
		l->try_ms = expiry_ms(l);
}

static int64_t min_ms(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* A renewal that has failed is tried again soon enough for several tries before the deadline. */
static void retry_renewal(struct lease *l, int64_t now_ms)
{
	l->try_ms = l->asked_ms + min_ms(l->retry_ms, l->renew_deadline_ms / 5);
	if (l->try_ms < now_ms)
		l->try_ms = now_ms;
}

static int64_t try_timeout_ms(const struct lease *l)
{
	if (l->state == LEASE_RELEASING)
		return LEASE_RELEASE_MS / 3;
	return min_ms(l->problem ? l->renew_deadline_ms * 2 / 5 : l->renew_deadline_ms / 5, MAX_TIMEOUT_MS);
}

static void end_as(struct lease *l, enum lease_state state)
{
	l->state = state;
	l->pending = LEASE_CMD_NONE;
	l->try_ms = -1;
}

/* ---- replies ---- */

static void on_failed(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret)
{
	bool outrun = l->state == LEASE_WAITING && (ev->err->code == ERR_CONFLICT || ev->err->code == ERR_EXISTS);

	(void)ret;
	set_problem(l, outrun ? NULL : xstrdup(ev->err->msg));
	l->trust = TRUST_NONE;
	if (l->state == LEASE_RELEASING)
		l->try_ms = ev->now_ms + LEASE_RELEASE_MS / 8;
	else if (l->state == LEASE_LEADING)
		retry_renewal(l, ev->now_ms);
	else
		wait_for_try(l, ev->now_ms);
}

/* A leader, also one that gives the Lease back, reads it again at once, but only once in a try. */
static void on_refused(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret)
{
	if (l->state == LEASE_WAITING || l->trust == TRUST_REFUSED) {
		on_failed(l, ev, ret);
		return;
	}
	l->trust = TRUST_REFUSED;
	get_lease(l, ret);
}

/* A GET has found the Lease, and it may be ours to write. */
static void use_record(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret)
{
	if (!is_held_by_another(l, ev->now_ms)) {
		patch_lease(l, ev, ret);
	} else if (l->state == LEASE_LEADING) {
		set_problem(l, xasprintf("it is held by %s now", lease_holder(l)));
		end_as(l, LEASE_LOST);
	} else {
		set_problem(l, NULL);
		wait_for_try(l, ev->now_ms);
	}
}

/* The record is the one that we wrote last. So that write has succeeded, although its answer was lost. */
static bool is_last_claim(const struct lease *l)
{
	return is_ours(l) && text_eq(json_str(l->spec, "renewTime", ""), l->claimed);
}

static void on_read(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret)
{
	observe(l, ev->object, ev->now_ms);
	if (l->state == LEASE_LEADING && is_last_claim(l))
		l->renewed_ms = l->sent_ms;
	if (!l->version)
		l->trust = TRUST_NONE;
	else if (l->trust != TRUST_REFUSED)
		l->trust = TRUST_REPLY;
	if (l->state == LEASE_RELEASING && !is_ours(l)) {
		set_problem(l, NULL);
		end_as(l, LEASE_RELEASED);
	} else if (!l->version) {
		set_problem(l, xstrdup("the Lease has no resourceVersion"));
		wait_for_try(l, ev->now_ms);
	} else {
		use_record(l, ev, ret);
	}
}

static void on_absent(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret)
{
	observe(l, NULL, ev->now_ms);
	if (l->trust == TRUST_REPLY)
		l->trust = TRUST_NONE;
	if (l->state == LEASE_RELEASING)
		end_as(l, LEASE_RELEASED);
	else
		create_lease(l, ev, ret);
}

static void on_written(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret)
{
	(void)ret;
	observe(l, ev->object, ev->now_ms);
	l->trust = l->version ? TRUST_REPLY : TRUST_NONE;
	set_problem(l, NULL);
	if (l->state == LEASE_RELEASING) {
		end_as(l, LEASE_RELEASED);
		return;
	}
	if (l->state == LEASE_WAITING && ev->now_ms - l->sent_ms >= l->renew_deadline_ms) {
		l->try_ms = ev->now_ms; /* the reply came too late to lead by this write */
		return;
	}
	l->renewed_ms = l->sent_ms;
	l->state = LEASE_LEADING;
	wait_for_try(l, ev->now_ms);
}

enum answer { ANSWER_DONE, ANSWER_ABSENT, ANSWER_REFUSED, ANSWER_FAILED, ANSWERS };

typedef void reply_fn(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret);

/* The rows are in the order of enum answer: done, absent, refused, failed. */
static reply_fn *const reply_handlers[][ANSWERS] = {
	[LEASE_CMD_GET] = { on_read, on_absent, on_refused, on_failed },
	[LEASE_CMD_CREATE] = { on_written, on_refused, on_refused, on_failed },
	[LEASE_CMD_PATCH] = { on_written, on_refused, on_refused, on_failed },
};

static enum answer answer_of(enum err_code code)
{
	switch (code) {
	case ERR_NONE:
		return ANSWER_DONE;
	case ERR_NOT_FOUND:
		return ANSWER_ABSENT;
	case ERR_CONFLICT:
	case ERR_EXISTS:
		return ANSWER_REFUSED;
	default:
		return ANSWER_FAILED;
	}
}

/* Whether version is newer than what is known. The watch is late at times, and shows what a reply has shown before. */
static bool is_newer(const struct lease *l, const char *version)
{
	bool ordered = false;

	if (text_empty(version))
		return false;
	return !l->version || (resource_version_compare(version, l->version, &ordered) > 0 && ordered);
}

static void on_reply(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret)
{
	auto_free char *shown = take_ptr(l->shown);
	enum lease_cmd_type was = l->pending;

	assert(was != LEASE_CMD_NONE);
	l->pending = LEASE_CMD_NONE;
	reply_handlers[was][answer_of(ev->err->code)](l, ev, ret);
	if (l->pending == LEASE_CMD_NONE && is_newer(l, shown) && !is_final(l))
		get_lease(l, ret);
}

/* ---- the watch ---- */

/* The Lease has a newer record, and no reply is awaited that would show it. */
static void on_record(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret)
{
	observe(l, ev->object, ev->now_ms);
	if (!is_ours(l))
		l->trust = TRUST_NONE;
	if (l->state == LEASE_LEADING && !is_ours(l))
		get_lease(l, ret);
	else if (l->state == LEASE_WAITING && !lease_holder(l)[0])
		try_now(l, ev, ret);
	else if (l->state == LEASE_WAITING)
		wait_for_try(l, ev->now_ms);
}

static void on_deleted(struct lease *l, struct lease_cmd *ret)
{
	if (l->state == LEASE_LEADING && l->pending == LEASE_CMD_NONE)
		get_lease(l, ret);
}

static void on_seen(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret)
{
	const char *version = json_str(ev->object, "metadata.resourceVersion", NULL);

	if (!ev->object) {
		on_deleted(l, ret);
	} else if (!is_newer(l, version)) {
		return;
	} else if (l->pending == LEASE_CMD_NONE) {
		on_record(l, ev, ret);
	} else { /* the reply may be older than this */
		free(l->shown);
		l->shown = xstrdup(version);
	}
}

/* ---- the end ---- */

static void on_release(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret)
{
	bool maybe_ours = l->state == LEASE_LEADING || l->pending == LEASE_CMD_PATCH || l->pending == LEASE_CMD_CREATE;

	if (!maybe_ours) {
		end_as(l, LEASE_RELEASED);
		return;
	}
	if (l->pending != LEASE_CMD_NONE) /* a write under way may change the version */
		l->trust = TRUST_NONE;
	l->state = LEASE_RELEASING;
	l->give_up_ms = ev->now_ms + LEASE_RELEASE_MS;
	try_now(l, ev, ret);
}

/* The time to renew, or to give the Lease back, is up. */
static bool is_too_late(const struct lease *l, int64_t now_ms)
{
	return (l->state == LEASE_LEADING && !lease_may_write(l, now_ms)) ||
	       (l->state == LEASE_RELEASING && now_ms >= l->give_up_ms);
}

static void give_up(struct lease *l)
{
	if (l->state == LEASE_RELEASING && !l->problem)
		set_problem(l, xstrdup("no answer"));
	if (l->state == LEASE_LEADING)
		set_problem(l, xasprintf("not renewed for %lld ms%s%s", (long long)l->renew_deadline_ms,
					 l->problem ? ": " : "", l->problem ? l->problem : ""));
	end_as(l, l->state == LEASE_LEADING ? LEASE_LOST : LEASE_RELEASED);
}

static void on_timer(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret)
{
	if (!is_too_late(l, ev->now_ms) && l->try_ms >= 0 && ev->now_ms >= l->try_ms)
		try_now(l, ev, ret);
}

static void handle_lease_event(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret)
{
	*ret = (struct lease_cmd){ 0 };
	if (l->state == LEASE_IDLE && ev->type == LEASE_EV_SEEN)
		observe(l, ev->object, ev->now_ms);
	if (is_final(l) || (l->state == LEASE_IDLE && ev->type != LEASE_EV_START))
		return;
	switch (ev->type) {
	case LEASE_EV_START:
		l->state = LEASE_WAITING;
		get_lease(l, ret);
		return;
	case LEASE_EV_TIMER:
		on_timer(l, ev, ret);
		break;
	case LEASE_EV_REPLY:
		on_reply(l, ev, ret);
		break;
	case LEASE_EV_SEEN:
		on_seen(l, ev, ret);
		break;
	case LEASE_EV_RELEASE:
		if (l->state != LEASE_RELEASING)
			on_release(l, ev, ret);
		break;
	}
	if (is_too_late(l, ev->now_ms)) {
		json_free(take_ptr(ret->body));
		ret->type = LEASE_CMD_NONE;
		give_up(l);
	}
}

void lease_step(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret)
{
	handle_lease_event(l, ev, ret);
	if (ret->type == LEASE_CMD_NONE)
		return;
	l->asked_ms = ev->now_ms;
	ret->timeout_ms = try_timeout_ms(l);
}

/* ---- what is known ---- */

enum lease_state lease_state(const struct lease *l)
{
	return l->state;
}

int64_t lease_due(const struct lease *l)
{
	int64_t end_ms = -1;

	if (l->state == LEASE_LEADING)
		end_ms = lease_writes_until(l);
	else if (l->state == LEASE_RELEASING)
		end_ms = l->give_up_ms;
	if (l->try_ms < 0 || (end_ms >= 0 && end_ms < l->try_ms))
		return end_ms;
	return l->try_ms;
}

int64_t lease_writes_until(const struct lease *l)
{
	return l->state == LEASE_LEADING ? l->renewed_ms + l->renew_deadline_ms : INT64_MIN;
}

bool lease_may_write(const struct lease *l, int64_t now_ms)
{
	return now_ms < lease_writes_until(l);
}

const char *lease_problem(const struct lease *l)
{
	return l->problem ? l->problem : "";
}
