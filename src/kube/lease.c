/*
 * The lease stepper. Happy path: START → GET → CREATE or PATCH → LEADING → PATCH every retry_ms → RELEASE → PATCH → RELEASED.
 *
 * Failure modes: a write that is refused for its version is followed by one GET at once, then by the next try; a write with
 * unknown outcome by a GET at the next try, which finds our identity if it took place. A GET that finds another holder ends
 * LEADING; so does time. Mirrors client-go tools/leaderelection/leaderelection.go (tryAcquireOrRenew, isLeaseValid, release) and
 * resourcelock/leaselock.go; merge PATCH with resourceVersion in place of PUT, which leaves strategy and preferredHolder alone.
 */
#include "kube/lease.h"

#include "base/text.h"
#include "kube/resource.h"

struct lease {
	struct lease_options options; /* its strings are owned */
	struct rng *rng;
	enum lease_state state;
	enum lease_cmd_type pending;
	struct json *spec;   /* as last seen, NULL: there was none */
	char *version;	     /* of the Lease as last seen, or NULL */
	bool settled;	     /* version came with a reply: what is written with it is based on what is known */
	bool contested;	     /* this try has been refused for its version before */
	int64_t observed_ms; /* when spec was first seen as it is */
	int64_t sent_ms;     /* the write under way */
	int64_t renewed_ms;  /* the last write that succeeded was sent */
	int64_t try_ms;	     /* the next try, -1: none */
	int64_t give_up_ms;  /* of RELEASING */
	char *seen;	     /* version that the watch has shown while a reply was awaited, or NULL */
	char *problem;	     /* or NULL */
};

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

	l->options = *options;
	l->options.ns = xstrdup(options->ns);
	l->options.name = xstrdup(options->name);
	l->options.identity = xstrdup(options->identity);
	l->rng = rng;
	l->try_ms = -1;
	return l;
}

void lease_free(struct lease *l)
{
	if (!l)
		return;
	free((char *)l->options.ns);
	free((char *)l->options.name);
	free((char *)l->options.identity);
	json_free(l->spec);
	free(l->version);
	free(l->seen);
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
	return text_eq(lease_holder(l), l->options.identity);
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

/* object NULL: there is no Lease. */
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

static void command(struct lease *l, struct lease_cmd *ret, enum lease_cmd_type type, struct json *body)
{
	*ret = (struct lease_cmd){ type, body };
	l->pending = type;
	l->try_ms = -1;
}

static void get(struct lease *l, struct lease_cmd *ret)
{
	command(l, ret, LEASE_CMD_GET, NULL);
}

/* Ours from now on; if it was already, since when stays. */
static struct json *claim(const struct lease *l, int64_t wall_ms)
{
	struct json *spec = json_new_object();
	const char *acquired = is_ours(l) ? json_str(l->spec, "acquireTime", NULL) : NULL;
	char now[TIME_TEXT_SIZE];

	time_rfc3339_micro(wall_ms, now);
	json_set_str(spec, "holderIdentity", l->options.identity);
	json_set_i64(spec, "leaseDurationSeconds", l->options.duration_ms / 1000);
	json_set_str(spec, "acquireTime", acquired ? acquired : now);
	json_set_str(spec, "renewTime", now);
	json_set_i64(spec, "leaseTransitions", lease_transitions(l) + (l->spec && !is_ours(l)));
	return spec;
}

static struct json *giving_back(int64_t wall_ms)
{
	struct json *spec = json_new_object();
	char now[TIME_TEXT_SIZE];

	json_set_str(spec, "holderIdentity", "");
	json_set_i64(spec, "leaseDurationSeconds", 1);
	json_set_str(spec, "renewTime", time_rfc3339_micro(wall_ms, now));
	return spec;
}

static void create(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret)
{
	struct json *body = json_new_object();
	char version[API_VERSION_SIZE];
	struct json *meta;

	json_set_str(body, "apiVersion", resource_api_version(&resource_lease, version));
	json_set_str(body, "kind", resource_lease.kind);
	meta = json_set(body, "metadata", json_new_object());
	json_set_str(meta, "name", l->options.name);
	json_set_str(meta, "namespace", l->options.ns);
	json_set(body, "spec", claim(l, ev->wall_ms));
	l->sent_ms = ev->now_ms;
	command(l, ret, LEASE_CMD_CREATE, body);
}

static void patch(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret)
{
	struct json *body = json_new_object();

	json_set_str(json_set(body, "metadata", json_new_object()), "resourceVersion", l->version);
	json_set(body, "spec", l->state == LEASE_RELEASING ? giving_back(ev->wall_ms) : claim(l, ev->wall_ms));
	l->sent_ms = ev->now_ms;
	command(l, ret, LEASE_CMD_PATCH, body);
}

/* leaderelection.go: the fast path of the holder, or the slow one. */
static void try_now(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret)
{
	l->contested = false;
	if (l->settled && is_ours(l) && (l->state == LEASE_LEADING || l->state == LEASE_RELEASING))
		patch(l, ev, ret);
	else
		get(l, ret);
}

/* ---- what follows ---- */

static bool is_final(const struct lease *l)
{
	return l->state == LEASE_LOST || l->state == LEASE_RELEASED;
}

static void wait(struct lease *l, int64_t now_ms)
{
	int64_t retry_ms = l->options.retry_ms;

	if (l->state == LEASE_WAITING)
		retry_ms += rng_range(l->rng, 0, retry_ms * 6 / 5 + 1);
	l->try_ms = now_ms + retry_ms;
	if (l->state == LEASE_WAITING && is_held_by_another(l, now_ms) && expiry_ms(l) < l->try_ms)
		l->try_ms = expiry_ms(l);
}

static void end(struct lease *l, enum lease_state state)
{
	l->state = state;
	l->pending = LEASE_CMD_NONE;
	l->try_ms = -1;
}

static void retry_later(struct lease *l, const struct lease_event *ev)
{
	bool outrun = l->state == LEASE_WAITING && (ev->err->code == ERR_CONFLICT || ev->err->code == ERR_EXISTS);

	set_problem(l, outrun ? NULL : xstrdup(ev->err->msg));
	l->settled = false;
	if (l->state == LEASE_RELEASING)
		l->try_ms = ev->now_ms + LEASE_RELEASE_MS / 8;
	else
		wait(l, ev->now_ms);
}

static void on_read(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret)
{
	observe(l, ev->object, ev->now_ms);
	l->settled = l->version != NULL;
	if (l->state == LEASE_RELEASING && !is_ours(l)) {
		set_problem(l, NULL);
		end(l, LEASE_RELEASED);
	} else if (!l->settled) {
		set_problem(l, xstrdup("the Lease has no resourceVersion"));
		wait(l, ev->now_ms);
	} else if (!is_held_by_another(l, ev->now_ms)) {
		patch(l, ev, ret);
	} else if (l->state == LEASE_LEADING) {
		set_problem(l, xasprintf("it is held by %s now", lease_holder(l)));
		end(l, LEASE_LOST);
	} else {
		set_problem(l, NULL);
		wait(l, ev->now_ms);
	}
}

static void on_absent(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret)
{
	observe(l, NULL, ev->now_ms);
	l->settled = false;
	if (l->state == LEASE_RELEASING)
		end(l, LEASE_RELEASED);
	else
		create(l, ev, ret);
}

static void on_written(struct lease *l, const struct lease_event *ev)
{
	observe(l, ev->object, ev->now_ms);
	l->settled = l->version != NULL;
	set_problem(l, NULL);
	if (l->state == LEASE_RELEASING) {
		end(l, LEASE_RELEASED);
		return;
	}
	if (l->state == LEASE_WAITING && ev->now_ms - l->sent_ms >= l->options.renew_deadline_ms) {
		l->try_ms = ev->now_ms; /* it took so long that it counts for nothing */
		return;
	}
	l->renewed_ms = l->sent_ms;
	l->state = LEASE_LEADING;
	wait(l, ev->now_ms);
}

/* The watch is late at times: what is older than a reply counts for nothing. */
static bool is_newer(const struct lease *l, const char *version)
{
	bool ordered = false;

	if (text_empty(version))
		return false;
	return !l->version || (resource_version_compare(version, l->version, &ordered) > 0 && ordered);
}

static void on_reply(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret)
{
	auto_free char *seen = take_ptr(l->seen);
	enum lease_cmd_type was = l->pending;
	enum err_code code = ev->err->code;

	l->pending = LEASE_CMD_NONE;
	if (code == ERR_NONE && was == LEASE_CMD_GET) {
		on_read(l, ev, ret);
	} else if (code == ERR_NONE) {
		on_written(l, ev);
	} else if (code == ERR_NOT_FOUND && was == LEASE_CMD_GET) {
		on_absent(l, ev, ret);
	} else if ((code == ERR_CONFLICT || code == ERR_NOT_FOUND || code == ERR_EXISTS) && !l->contested &&
		   l->state != LEASE_WAITING) {
		l->contested = true;
		l->settled = false;
		get(l, ret);
	} else {
		retry_later(l, ev);
	}
	if (l->pending == LEASE_CMD_NONE && is_newer(l, seen) && !is_final(l))
		get(l, ret);
}

/* What is newer is a reason to ask, now or after the reply that is awaited. */
static void on_seen(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret)
{
	const char *version = json_str(ev->object, "metadata.resourceVersion", NULL);

	if (!ev->object && l->state == LEASE_LEADING && l->pending == LEASE_CMD_NONE)
		get(l, ret);
	if (!ev->object || !is_newer(l, version))
		return;
	if (l->pending != LEASE_CMD_NONE) {
		free(l->seen);
		l->seen = xstrdup(version);
		return;
	}
	observe(l, ev->object, ev->now_ms);
	l->settled = l->settled && is_ours(l);
	if (l->state == LEASE_LEADING && !is_ours(l))
		get(l, ret);
	else if (l->state == LEASE_WAITING && !lease_holder(l)[0])
		try_now(l, ev, ret);
	else if (l->state == LEASE_WAITING)
		wait(l, ev->now_ms);
}

static void on_release(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret)
{
	bool maybe_ours = l->state == LEASE_LEADING || l->pending == LEASE_CMD_PATCH || l->pending == LEASE_CMD_CREATE;

	if (!maybe_ours) {
		end(l, LEASE_RELEASED);
		return;
	}
	l->settled = l->settled && l->pending == LEASE_CMD_NONE; /* a write under way will change the version */
	l->state = LEASE_RELEASING;
	l->give_up_ms = ev->now_ms + LEASE_RELEASE_MS;
	try_now(l, ev, ret);
}

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
		set_problem(l, xasprintf("not renewed for %lld ms%s%s", (long long)l->options.renew_deadline_ms,
					 l->problem ? ": " : "", l->problem ? l->problem : ""));
	end(l, l->state == LEASE_LEADING ? LEASE_LOST : LEASE_RELEASED);
}

static void on_timer(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret)
{
	if (!is_too_late(l, ev->now_ms) && l->try_ms >= 0 && ev->now_ms >= l->try_ms)
		try_now(l, ev, ret);
}

void lease_step(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret)
{
	*ret = (struct lease_cmd){ 0 };
	if (is_final(l) || (l->state == LEASE_IDLE && ev->type != LEASE_EV_START))
		return;
	switch (ev->type) {
	case LEASE_EV_START:
		l->state = LEASE_WAITING;
		get(l, ret);
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

/* ---- what is known ---- */

enum lease_state lease_state(const struct lease *l)
{
	return l->state;
}

int64_t lease_due(const struct lease *l)
{
	int64_t end_ms = -1;

	if (l->state == LEASE_LEADING)
		end_ms = l->renewed_ms + l->options.renew_deadline_ms;
	else if (l->state == LEASE_RELEASING)
		end_ms = l->give_up_ms;
	if (l->try_ms < 0 || (end_ms >= 0 && end_ms < l->try_ms))
		return end_ms;
	return l->try_ms;
}

bool lease_may_write(const struct lease *l, int64_t now_ms)
{
	return l->state == LEASE_LEADING && now_ms < l->renewed_ms + l->options.renew_deadline_ms;
}

const char *lease_problem(const struct lease *l)
{
	return l->problem ? l->problem : "";
}
