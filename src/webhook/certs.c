/*
 * The driver: informers on the Secret and on both configurations, or a look at the files every two seconds; whenever something changes
 * or falls due, one pass (look) serves what there is, takes the Secret's next step and repairs caBundle. Every pass looks at the whole.
 *
 * Writes carry the resourceVersion they were decided for, so of several replicas one wins and the others look again; after its own write a
 * pass waits until the informer has seen it. Before caBundle is changed the Secret is read once more: a replica whose
 * watch has fallen behind must not take the new CA out again.
 *
 * Failure modes: a write that fails is decided anew after a back-off, whether it took place or not. Somebody who overwrites caBundle again
 * and again is answered at growing intervals. Configurations that are not there hold nothing up. While there is nothing usable, what
 * is served stays.
 */
#include "certs.h"

#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "runtime/informer.h"
#include "certs_parts.h"

enum {
	LOOK_MS = 12 * 3600 * 1000,
	CLOCK_MS = 60 * 1000,
	CLOCK_SET_MS = 2 * 1000, /* the wall clock was set if it moved by so much */
	FILES_MS = 2 * 1000,
	SEEN_MS = 30 * 1000, /* an informer that has not seen our write by then is behind for other reasons */
	CONFLICT_MS = 100,
	CONFLICT_MAX_MS = 5 * 1000,
	STALE_MS = 200,
	RETRY_MS = 500,
	RETRY_MAX_MS = 30 * 1000,
	QUIET_MS = 60 * 1000, /* overwritten later than this it is a new quarrel */
	JITTER = 50,	      /* per mille */
	NAMES = 6,
};

/* Whoever writes one object. */
struct writer {
	struct api_call *call;
	char *await; /* version of the last write that the informer has not seen; or NULL */
	int64_t await_until_ms;
	int64_t not_before_ms;
	unsigned failures;
};

/* A webhook configuration. */
struct target {
	struct certs *s;
	char *name; /* "": none */
	const struct resource *res;
	struct store *store;
	struct informer *informer;
	struct writer writer;
	unsigned repairs; /* of the same bundle, one soon after another */
	char *injected;	  /* the bundle of the last write, or NULL */
	int64_t injected_ms;
	bool again; /* the same as before: somebody took it away */
};

enum { MUTATING, VALIDATING, TARGETS };

struct certs {
	struct certs_options o; /* its strings are owned */
	char *names[NAMES];
	struct certs_rules rules;
	struct certs_service service;
	struct store *store; /* of the Secret; NULL with a directory */
	struct informer *informer;
	struct writer writer;
	struct certs_decision decision; /* of which the step is being written */
	struct target targets[TARGETS];
	struct sched_timer timer; /* of the next pass */
	struct sched_timer tick;
	int64_t wall_offset_ms;	      /* at the last pass */
	struct certs_material *files; /* of the directory; or NULL */
	uint64_t stamp;
	bool files_bad;
	struct kobj *served_object;	     /* the Secret that … */
	const struct certs_material *served; /* … what is served comes from; or the files that … */
	struct certs_material *served_files; /* … are owned here */
	enum certs_state state;
	char *bundle; /* what is to be trusted, "" if nothing is known */
	bool published;
	int64_t since_ms; /* state, bundle and published are as they are */
	bool trusted;
	char why[ERR_MSG_SIZE]; /* not trusted */
	struct metric *expiry;
	struct metric *renewals;
	struct metric *injections;
};

static void look(void *arg);
static void on_tick(void *arg);

/* ---- life ---- */

static void add_metrics(struct certs *s)
{
	static const char *const labels[] = { "configuration", NULL };
	struct metrics *m = s->o.metrics;

	if (!m)
		return;
	s->expiry = metrics_add(m, METRIC_GAUGE, "spark_operator_webhook_certificate_expiry_timestamp_seconds",
				"When the certificate that is served expires", NULL, NULL, 0);
	s->renewals = metrics_add(m, METRIC_COUNTER, "spark_operator_webhook_certificate_renewals_total",
				  "Certificates served in place of earlier ones", NULL, NULL, 0);
	s->injections = metrics_add(m, METRIC_COUNTER, "spark_operator_webhook_ca_injections_total",
				    "Writes of caBundle into webhook configurations", labels, NULL, 0);
}

static void name_all(struct certs *s)
{
	const char *name = s->o.service_name, *ns = s->o.service_ns;
	size_t n = 0;

	if (name[0]) {
		s->names[n++] = xasprintf("%s.%s.svc", name, ns);
		s->names[n++] = xasprintf("%s.%s.svc.cluster.local", name, ns);
		s->names[n++] = xasprintf("%s.%s", name, ns);
	}
	s->names[n++] = xstrdup("localhost");
	s->names[n++] = xstrdup("127.0.0.1");
	s->service = (struct certs_service){ ns, name };
	s->rules = (struct certs_rules){
		.names = (const char *const *)s->names,
		.secret_ns = s->o.secret_ns,
		.secret_name = s->o.secret_name,
		.ca_life_ms = s->o.ca_life_ms,
		.cert_life_ms = s->o.cert_life_ms,
		.overlap_ms = s->o.overlap_ms,
		.memo = certs_memo_new(),
		.jitter = rng_range(&s->o.sched->rng, 0, JITTER + 1),
	};
}

static void on_change(void *arg, const struct kobj *before, const struct kobj *now)
{
	struct certs *s = arg;

	(void)before;
	(void)now;
	sched_arm(s->o.sched, &s->timer, 0);
}

static void on_synced(void *arg)
{
	on_change(arg, NULL, NULL);
}

/* Follows the one object, which is all that RBAC has to allow. */
static void follow(struct certs *s, const struct kind *kind, const char *ns, const char *name, struct store **ret_store,
		   struct informer **ret_informer)
{
	auto_free char *selector = xasprintf("metadata.name=%s", name);
	struct informer_options options = {
		.api = s->o.api,
		.sched = s->o.sched,
		.ns = ns,
		.field_selector = selector,
		.on_synced = on_synced,
		.arg = s,
		.metrics = s->o.metrics,
	};

	*ret_store = store_new(kind);
	store_on_change(*ret_store, on_change, s);
	options.store = *ret_store;
	*ret_informer = informer_new(&options);
}

static void target_init(struct target *t, struct certs *s, const char *name, const struct kind *kind)
{
	t->s = s;
	t->name = xstrdup(name ? name : "");
	t->res = kind->res;
	if (!t->name[0])
		return;
	follow(s, kind, NULL, t->name, &t->store, &t->informer);
	if (s->injections)
		metric_init(s->injections, (const char *const[]){ t->name });
}

struct certs *certs_new(const struct certs_options *options)
{
	struct certs *s = xcalloc(1, sizeof(*s));

	s->o = *options;
	s->o.secret_ns = xstrdup(options->secret_ns ? options->secret_ns : "");
	s->o.secret_name = xstrdup(options->secret_name ? options->secret_name : "");
	s->o.service_ns = xstrdup(options->service_ns ? options->service_ns : "");
	s->o.service_name = xstrdup(options->service_name ? options->service_name : "");
	s->o.directory = xstrdup_null(options->directory);
	s->o.cert_name = xstrdup_null(options->cert_name);
	s->o.key_name = xstrdup_null(options->key_name);
	s->bundle = xstrdup("");
	add_metrics(s);
	name_all(s);
	target_init(&s->targets[MUTATING], s, options->mutating_name, &certs_mutating_kind);
	target_init(&s->targets[VALIDATING], s, options->validating_name, &certs_validating_kind);
	if (!s->o.directory)
		follow(s, s->o.foreign_secret ? &certs_foreign_secret_kind : &certs_secret_kind, s->o.secret_ns,
		       s->o.secret_name, &s->store, &s->informer);
	sched_timer_init(&s->timer, look, s);
	sched_timer_init(&s->tick, on_tick, s);
	return s;
}

void certs_start(struct certs *s)
{
	for (size_t i = 0; i < TARGETS; i++)
		if (s->targets[i].informer)
			informer_start(s->targets[i].informer);
	if (s->informer)
		informer_start(s->informer);
	s->since_ms = sched_now(s->o.sched);
	sched_arm(s->o.sched, &s->timer, 0);
	sched_arm(s->o.sched, &s->tick, 0);
}

static void writer_done(struct writer *w, struct certs *s)
{
	if (w->call)
		api_cancel(s->o.api, w->call);
	free(w->await);
}

void certs_free(struct certs *s)
{
	if (!s)
		return;
	sched_disarm(s->o.sched, &s->timer);
	sched_disarm(s->o.sched, &s->tick);
	writer_done(&s->writer, s);
	for (size_t i = 0; i < TARGETS; i++) {
		writer_done(&s->targets[i].writer, s);
		informer_free(s->targets[i].informer);
		store_free(s->targets[i].store);
		free(s->targets[i].name);
		free(s->targets[i].injected);
	}
	informer_free(s->informer);
	store_free(s->store);
	kobj_unref(s->served_object);
	certs_material_free(s->served_files);
	certs_material_free(s->files);
	for (size_t i = 0; i < NAMES; i++)
		free(s->names[i]);
	free((char *)s->o.secret_ns);
	free((char *)s->o.secret_name);
	free((char *)s->o.service_ns);
	free((char *)s->o.service_name);
	free((char *)s->o.directory);
	free((char *)s->o.cert_name);
	free((char *)s->o.key_name);
	certs_memo_free(s->rules.memo);
	free(s->bundle);
	free(s);
}

/* ---- writers ---- */

/* Looks again after delay_ms, unless it does so earlier anyway. */
static void look_in(struct certs *s, int64_t delay_ms)
{
	if (delay_ms > LOOK_MS)
		delay_ms = LOOK_MS;
	if (!sched_armed(&s->timer) || s->timer.due_ms > sched_now(s->o.sched) + delay_ms)
		sched_arm(s->o.sched, &s->timer, delay_ms);
}

/* Whether it may write now; if it has to wait for a time, the pass comes again. */
static bool is_free(struct certs *s, struct writer *w, const struct informer *i)
{
	int64_t now_ms = sched_now(s->o.sched), until_ms = w->not_before_ms;

	if (w->call)
		return false;
	if (w->await && (now_ms >= w->await_until_ms || informer_has_seen(i, w->await)))
		free(take_ptr(w->await));
	if (w->await)
		until_ms = w->await_until_ms;
	if (until_ms <= now_ms)
		return true;
	look_in(s, until_ms - now_ms);
	return false;
}

static void delay(struct certs *s, struct writer *w, int64_t delay_ms)
{
	w->not_before_ms = sched_now(s->o.sched) + delay_ms;
	look_in(s, delay_ms);
}

/* True if the write took place. */
static bool written(struct certs *s, struct writer *w, const struct reply *reply)
{
	const char *version = json_str(reply->body, "metadata.resourceVersion", NULL);
	int64_t retry_ms;

	if (reply->err.code == ERR_NONE) {
		w->failures = 0;
		w->await = xstrdup_null(version);
		w->await_until_ms = sched_now(s->o.sched) + SEEN_MS;
		look_in(s, 0);
		return true;
	}
	if (reply->err.code == ERR_CONFLICT || reply->err.code == ERR_EXISTS) {
		log_debug("-", "webhook: somebody else was first", "error", reply->err.msg, NULL);
		delay(s, w, time_backoff_ms(CONFLICT_MS, CONFLICT_MAX_MS, w->failures++, &s->o.sched->rng));
		return false;
	}
	retry_ms = time_backoff_ms(RETRY_MS, RETRY_MAX_MS, w->failures, &s->o.sched->rng);
	if (w->failures++ == 0)
		log_warn("-", "webhook: a write failed, it is tried again", "error", reply->err.msg, NULL);
	delay(s, w, reply->err.retry_after_ms > retry_ms ? reply->err.retry_after_ms : retry_ms);
	return false;
}

/* ---- what there is ---- */

static struct kobj *the_object(const struct store *store)
{
	size_t pos = 0;

	return store ? store_next(store, &pos) : NULL;
}

static const struct json *configuration(const struct target *t)
{
	const struct kobj *o = the_object(t->store);

	return o ? o->tree : NULL;
}

static char *key_of(const struct certs *s)
{
	if (s->o.directory)
		return xstrdup(s->o.directory);
	return xasprintf("%s/%s", s->o.secret_ns, s->o.secret_name);
}

/* A pair that is being replaced is read again at each turn until it fits together. */
static void read_files(struct certs *s)
{
	uint64_t stamp = certs_files_stamp(s->o.directory, s->o.cert_name, s->o.key_name);
	struct certs_material *fresh;
	struct err err;

	if (stamp == s->stamp && !s->files_bad)
		return;
	fresh = certs_read_files(s->o.directory, s->o.cert_name, s->o.key_name, &err);
	if (!fresh && !s->files_bad)
		log_warn("-", "webhook: the certificate's files are not usable, they are read again", "error", err.msg,
			 NULL);
	s->files_bad = !fresh;
	s->stamp = stamp;
	if (!fresh)
		return;
	certs_material_free(s->files);
	s->files = fresh;
	look_in(s, 0);
}

static const struct certs_material *found(const struct certs *s)
{
	const struct kobj *o = the_object(s->store);

	if (s->o.directory)
		return s->files;
	return o ? o->view : NULL;
}

static bool is_own(const struct certs *s)
{
	return !s->o.directory && !s->o.foreign_secret;
}

/* Whether every configuration that is there trusts it; the text says which one does not, or is not known yet. */
static bool all_trust(const struct certs *s, const char *cert, struct err *err)
{
	for (size_t i = 0; i < TARGETS; i++) {
		const struct target *t = &s->targets[i];

		if (!t->informer)
			continue;
		if (!informer_synced(t->informer)) {
			err_set(err, ERR_BUSY, "%s %s has not been read yet: %s", t->res->kind, t->name,
				informer_problem(t->informer));
			return false;
		}
		if (certs_trusts(configuration(t), &s->service, cert, &s->rules, sched_wall(s->o.sched), err) < 0) {
			err_wrap(err, "%s %s", t->res->kind, t->name);
			return false;
		}
	}
	return true;
}

/* ---- serving ---- */

static void log_served(const struct certs *s, bool first, int64_t until_ms)
{
	auto_free char *key = key_of(s);
	char until[TIME_TEXT_SIZE];

	log_info("-", first ? "webhook: serving a certificate" : "webhook: serving a new certificate", "from", key,
		 "until", time_rfc3339(until_ms, until), NULL);
}

static struct certs_material *copy_files(const struct certs_material *m)
{
	struct certs_material *copy = xcalloc(1, sizeof(*copy));

	copy->server = (struct certificate_pair){ xstrdup(m->server.cert), xstrdup(m->server.key) };
	copy->ca.cert = xstrdup_null(m->ca.cert);
	return copy;
}

static void remember(struct certs *s, const struct certs_material *m)
{
	if (s->o.directory) {
		certs_material_free(s->served_files);
		s->served_files = copy_files(m);
		s->served = s->served_files;
		return;
	}
	kobj_unref(s->served_object);
	s->served_object = kobj_ref(the_object(s->store));
	s->served = s->served_object->view;
}

static void serve(struct certs *s, const struct certs_material *m)
{
	bool first = !s->served, same = s->served && text_eq(s->served->server.cert, m->server.cert) &&
					text_eq(s->served->server.key, m->server.key);
	int64_t from_ms, until_ms = 0;
	struct err err;

	if (s->served != m)
		remember(s, m);
	if (same)
		return;
	certs_memo_validity(s->rules.memo, m->server.cert, &from_ms, &until_ms, &err);
	log_served(s, first, until_ms);
	if (s->expiry)
		metric_set(s->expiry, NULL, (double)until_ms / 1000);
	if (s->renewals && !first)
		metric_add(s->renewals, NULL, 1);
	s->o.on_certificate(s->o.arg, s->served->server.cert, s->served->server.key);
}

/* Whether what the source holds can be served. */
static bool is_usable(const struct certs *s, const struct certs_material *m)
{
	struct err err;

	if (is_own(s))
		return s->state >= CERTS_CURRENT;
	return m && certs_memo_check_pair(s->rules.memo, &m->server, &err) == 0;
}

/* What is trusted is not given up for what is not (yet). */
static void choose(struct certs *s, const struct certs_material *m)
{
	struct err err;

	if (!is_usable(s, m))
		return;
	if (!s->served || text_eq(s->served->server.cert, m->server.cert) || all_trust(s, m->server.cert, &err) ||
	    !all_trust(s, s->served->server.cert, &err))
		serve(s, m);
}

static int check_trusted(const struct certs *s, struct err *err)
{
	const char *cert = s->served ? s->served->server.cert : NULL;
	auto_free char *key = key_of(s);

	if (!cert)
		return err_set(err, ERR_BUSY, "no certificate in %s yet: %s", key,
			       s->informer ? informer_problem(s->informer) : "no pair of files");
	if (!all_trust(s, cert, err))
		return err_code(err);
	for (size_t i = 0; i < TARGETS; i++) {
		const struct target *t = &s->targets[i];

		if (t->informer &&
		    certs_trusts(configuration(t), &s->service, cert, &s->rules, sched_wall(s->o.sched), err) == 0)
			return err_set(err, ERR_BUSY, "%s %s has no webhook of service %s/%s", t->res->kind, t->name,
				       s->service.ns, s->service.name);
	}
	return 0;
}

static void judge(struct certs *s)
{
	struct err err = { 0 };

	s->trusted = check_trusted(s, &err) == 0;
	if (!s->trusted && !text_eq(s->why, err.msg))
		log_info("-", "webhook: not trusted yet", "reason", err.msg, NULL);
	snprintf(s->why, sizeof(s->why), "%s", err.msg);
}

bool certs_trusted(const struct certs *s, const char **ret_why)
{
	if (!s->trusted && ret_why)
		*ret_why = s->why[0] ? s->why : "no certificate yet";
	return s->trusted;
}

/* ---- the Secret ---- */

static void on_written(void *arg, struct reply *reply)
{
	static const char *const messages[] = {
		[CERTS_STEP_CREATE] = "webhook: Secret created",
		[CERTS_STEP_FILL] = "webhook: Secret filled",
		[CERTS_STEP_RENEW] = "webhook: certificate renewed",
		[CERTS_STEP_PUBLISH] = "webhook: renewal of the CA begins",
		[CERTS_STEP_SWITCH] = "webhook: CA renewed",
		[CERTS_STEP_DROP] = "webhook: old CA dropped",
		[CERTS_STEP_KEEP] = "webhook: old CA stays trusted for a while",
	};
	struct certs *s = arg;
	auto_free char *key = key_of(s);

	s->writer.call = NULL;
	if (written(s, &s->writer, reply))
		log_info(key, messages[s->decision.step], "because", s->decision.why, NULL);
}

static void take_step(struct certs *s, const struct certs_facts *facts)
{
	const struct kobj *o = the_object(s->store);
	struct request req = { .verb = o ? VERB_PATCH : VERB_CREATE,
			       .lane = LANE_HIGH,
			       .res = &resource_secret,
			       .ns = s->o.secret_ns,
			       .name = o ? s->o.secret_name : NULL };
	auto_json body = NULL;
	struct err err;

	body = certs_body(s->decision.step, facts, &s->rules, &err);
	if (!body) {
		struct reply reply = { .err = err };

		written(s, &s->writer, &reply);
		return;
	}
	if (o)
		json_set_str(json_get(body, "metadata"), "resourceVersion", o->resource_version);
	req.body = body;
	s->writer.call = api_send(s->o.api, &req, on_written, s);
}

static void set_phase(struct certs *s, enum certs_state state, char *bundle, bool published)
{
	auto_free char *owned = bundle;

	if (state == s->state && published == s->published && text_eq(bundle, s->bundle))
		return;
	s->state = state;
	s->published = published;
	free(s->bundle);
	s->bundle = take_ptr(owned);
	s->since_ms = sched_now(s->o.sched);
}

/* Whether the switch to what is next would be noticed by nobody. */
static bool is_published(const struct certs *s, enum certs_state state, const struct certs_material *m)
{
	struct err err;

	if (state < CERTS_CURRENT)
		return false;
	return all_trust(s, m->server.cert, &err) &&
	       (state != CERTS_NEXT || !m->next_server.cert || all_trust(s, m->next_server.cert, &err));
}

/* True if caBundle may follow. */
static bool tend(struct certs *s, const struct certs_material *m)
{
	struct certs_facts facts = { .found = m, .served = s->served, .wall_ms = sched_wall(s->o.sched) };
	struct certs_decision decision;

	facts.published = s->published;
	facts.stable_ms = sched_now(s->o.sched) - s->since_ms;
	certs_decide(s->state, &facts, &s->rules, &decision);
	if (decision.step == CERTS_STEP_NONE) {
		look_in(s, decision.look_ms);
		return true;
	}
	if (is_free(s, &s->writer, s->informer)) {
		s->decision = decision;
		take_step(s, &facts);
	}
	return decision.step != CERTS_STEP_KEEP;
}

/* ---- caBundle ---- */

static void on_injected(void *arg, struct reply *reply)
{
	struct target *t = arg;
	struct certs *s = t->s;
	const char *const labels[] = { t->name };

	t->writer.call = NULL;
	if (!written(s, &t->writer, reply))
		return;
	log_info(t->name, t->again ? "webhook: caBundle repaired" : "webhook: caBundle set", "kind", t->res->kind,
		 NULL);
	if (s->injections)
		metric_add(s->injections, labels, 1);
}

static void inject(struct target *t)
{
	struct certs *s = t->s;
	const struct kobj *o = the_object(t->store);
	auto_json body = o ? certs_inject(o->tree, &s->service, s->bundle) : NULL;
	struct request req = { .verb = VERB_PATCH, .lane = LANE_HIGH, .res = t->res, .name = t->name, .body = body };

	if (!body)
		return;
	json_set_str(json_ensure_object(body, "metadata"), "resourceVersion", o->resource_version);
	if (!text_eq(t->injected, s->bundle) || sched_now(s->o.sched) - t->injected_ms > QUIET_MS)
		t->repairs = 0;
	t->again = text_eq(t->injected, s->bundle);
	free(t->injected);
	t->injected = xstrdup(s->bundle);
	t->injected_ms = sched_now(s->o.sched);
	t->repairs++;
	t->writer.call = api_send(s->o.api, &req, on_injected, t);
}

static void on_checked(void *arg, struct reply *reply)
{
	struct target *t = arg;
	struct certs *s = t->s;
	const struct kobj *o = the_object(s->store);
	const char *version = json_str(reply->body, "metadata.resourceVersion", NULL);

	t->writer.call = NULL;
	if (reply->err.code == ERR_NONE || reply->err.code == ERR_NOT_FOUND) {
		if (text_eq(version, o ? o->resource_version : NULL))
			inject(t);
		else
			delay(s, &t->writer, STALE_MS);
		return;
	}
	written(s, &t->writer, reply);
}

/* The first repair comes at once, those of a quarrel ever more slowly. */
static bool is_quarrel(struct target *t)
{
	struct certs *s = t->s;
	int64_t pause_ms, passed_ms = sched_now(s->o.sched) - t->injected_ms;

	if (t->repairs < 2 || !text_eq(t->injected, s->bundle))
		return false;
	pause_ms = RETRY_MS << (t->repairs < 8 ? t->repairs - 2 : 6);
	if (pause_ms > RETRY_MAX_MS)
		pause_ms = RETRY_MAX_MS;
	if (passed_ms >= pause_ms)
		return false;
	look_in(s, pause_ms - passed_ms);
	return true;
}

static void keep_trusted(struct target *t)
{
	struct certs *s = t->s;
	struct request req = { .verb = VERB_GET,
			       .lane = LANE_HIGH,
			       .res = &resource_secret,
			       .ns = s->o.secret_ns,
			       .name = s->o.secret_name };
	auto_json patch = NULL;

	if (!t->informer || !informer_synced(t->informer) || !the_object(t->store) ||
	    !is_free(s, &t->writer, t->informer))
		return;
	patch = certs_inject(the_object(t->store)->tree, &s->service, s->bundle);
	if (!patch || is_quarrel(t))
		return;
	if (s->o.directory)
		inject(t);
	else
		t->writer.call = api_send(s->o.api, &req, on_checked, t);
}

/* ---- the pass ---- */

/* What is to be trusted follows what is found; while that is of no use, what is served. */
static void assess(struct certs *s, const struct certs_material *m)
{
	enum certs_state state = CERTS_CURRENT;
	const struct certs_material *base = m;
	struct err why;

	if (is_own(s))
		state = certs_state(m, &s->rules, sched_wall(s->o.sched), &why);
	if (state < CERTS_LEAFLESS || !m)
		base = s->served;
	set_phase(s, state, base ? certs_bundle(base, s->rules.memo) : xstrdup(""), m && is_published(s, state, m));
}

/* Files have no watch, and nobody says that the clock was set. */
static void on_tick(void *arg)
{
	struct certs *s = arg;
	int64_t moved_ms = s->o.sched->wall_offset_ms - s->wall_offset_ms;

	if (s->o.directory)
		read_files(s);
	if (moved_ms < -CLOCK_SET_MS || moved_ms > CLOCK_SET_MS)
		look_in(s, 0);
	sched_arm(s->o.sched, &s->tick, s->o.directory ? FILES_MS : CLOCK_MS);
}

/* What is served ends, and so does trust in it. */
static void mind_the_end(struct certs *s)
{
	int64_t from_ms, until_ms, wall_ms = sched_wall(s->o.sched);
	struct err err;

	look_in(s, LOOK_MS);
	if (!s->served || certs_memo_validity(s->rules.memo, s->served->server.cert, &from_ms, &until_ms, &err) < 0)
		return;
	if (from_ms > wall_ms)
		look_in(s, from_ms - wall_ms);
	if (until_ms + 1000 > wall_ms)
		look_in(s, until_ms + 1000 - wall_ms);
}

static void look(void *arg)
{
	struct certs *s = arg;
	const struct certs_material *m;
	bool may_inject = true;

	s->wall_offset_ms = s->o.sched->wall_offset_ms;
	if (s->informer && !informer_synced(s->informer)) {
		judge(s);
		return;
	}
	m = found(s);
	assess(s, m);
	choose(s, m);
	if (is_own(s))
		may_inject = tend(s, m);
	for (size_t i = 0; i < TARGETS && may_inject && s->o.inject_ca && s->bundle[0]; i++)
		keep_trusted(&s->targets[i]);
	mind_the_end(s);
	judge(s);
}
