/*
 * The webhook's certificate in the running program: facts are gathered, certs_pass() says what is to be done, and
 * the writers do it.
 *
 * Happy path: a cache, a file or the time changes something → on_pass → gather → certs_pass → serve, write the
 * Secret, keep caBundle → the caches see what was written → on_pass, until nothing is left to do.
 *
 * Failure modes: those of the pass (certs_pass.c), of renewals (certs_decide.c) and of writes (certs_writer.c). The
 * wall clock is set while nothing changes: the next tick passes again.
 */
#include "certs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "certs_files.h"
#include "certs_trust.h"
#include "certs_writers.h"

enum {
	CLOCK_TICK_MS = 60 * 1000,
	CLOCK_SET_MS = 2 * 1000, /* the wall clock was set if it moved by so much */
	FILES_TICK_MS = 2 * 1000,
	JITTER = 50, /* per mille */
	NAMES = 7,   /* and NULL */
	REFUSED_MS = 60 * 1000,
};

static const struct kind configuration_kinds[CERTS_CONFIGURATIONS] = {
	[CERTS_MUTATING] = { .res = &resource_mutatingwebhook, .keep_tree = true },
	[CERTS_VALIDATING] = { .res = &resource_validatingwebhook, .keep_tree = true },
};

struct configuration {
	char *name; /* NULL: there is none to look after, and neither cache nor bundle */
	struct cache *cache;
	struct certs_bundle bundle;
};

struct certs {
	struct certs_shell shell;
	struct metrics *metrics;
	int (*on_certificate)(void *arg, const char *cert, const char *key, struct err *err);
	void *arg;

	struct certs_rules rules; /* borrows the texts that follow */
	char *names[NAMES];
	char *secret_ns;
	char *secret_name;
	char *service_ns;
	char *service_name;
	char *source;

	struct certs_files *files; /* the source is a directory, else NULL */
	struct cache *secret;	   /* the source is a Secret, else NULL */
	struct certs_secret secret_writer;
	struct configuration configurations[CERTS_CONFIGURATIONS];

	struct sched_timer tick;
	int64_t wall_offset_ms; /* of the clock at the last pass */

	struct certs_material *served; /* NULL: nothing yet */
	struct certs_phase phase;
	bool trusted;
	char why[ERR_MSG_SIZE];	    /* it is not trusted */
	char refused[ERR_MSG_SIZE]; /* what was said last about a certificate of somebody else that TLS refuses */

	struct metric *expiry; /* NULL without metrics */
	struct metric *renewals;
	struct metric *injections;
};

/* ---- one pass ---- */

static void gather_configurations(const struct certs *c, struct certs_configuration *ret)
{
	for (size_t i = 0; i < CERTS_CONFIGURATIONS; i++) {
		const struct configuration *from = &c->configurations[i];
		const struct kobj *object;

		ret[i] = (struct certs_configuration){ .kind = configuration_kinds[i].res->kind, .name = from->name };
		if (!from->name)
			continue;
		object = certs_object(from->cache);
		ret[i].listed = cache_synced(from->cache);
		ret[i].problem = cache_problem(from->cache);
		ret[i].tree = object ? object->tree : NULL;
	}
}

static const struct certs_material *found_material(const struct certs *c)
{
	const struct kobj *secret;

	if (c->files)
		return certs_files_found(c->files);
	secret = certs_object(c->secret);
	return secret ? secret->view : NULL;
}

static void gather_facts(const struct certs *c, struct certs_facts *ret)
{
	*ret = (struct certs_facts){
		.listed = c->files || cache_synced(c->secret),
		.problem = c->files ? "no pair of files" : cache_problem(c->secret),
		.found = found_material(c),
		.served = c->served,
		.phase = &c->phase,
		.now_ms = sched_now(c->shell.sched),
		.wall_ms = sched_wall(c->shell.sched),
	};
	gather_configurations(c, ret->configurations);
}

static bool is_same_pair(const struct certificate_pair *a, const struct certificate_pair *b)
{
	return text_eq(a->cert, b->cert) && text_eq(a->key, b->key);
}

static void tell_certificate(const struct certs *c, bool first)
{
	const struct certificate_pair *server = &c->served->server;
	char until[TIME_TEXT_SIZE];
	int64_t from_ms, until_ms = 0;
	struct err ignored;

	certs_memo_validity(c->rules.memo, server->cert, &from_ms, &until_ms, &ignored);
	log_info("-", first ? "webhook: serving a certificate" : "webhook: serving a new certificate", "from",
		 c->source, "until", time_rfc3339(until_ms, until), NULL);
	if (c->expiry)
		metric_set(c->expiry, NULL, (double)until_ms / 1000);
	if (c->renewals && !first)
		metric_add(c->renewals, NULL, 1);
}

/* If the pair is refused, what was served before goes on to be what is served. */
static int serve_material(struct certs *c, const struct certs_material *m, struct err *err)
{
	struct certs_material *before = c->served;
	bool differs = m && (!before || !is_same_pair(&before->server, &m->server));

	if (!m || m == before || (before && certs_material_eq(before, m)))
		return 0;
	if (differs && c->on_certificate(c->arg, m->server.cert, m->server.key, err) < 0)
		return err_wrap(err, "the certificate in %s cannot be served", c->source);
	c->served = certs_material_dup(m);
	if (differs)
		tell_certificate(c, !before);
	certs_material_free(before);
	return 0;
}

static void set_phase(struct certs *c, struct certs_phase *phase)
{
	free(c->phase.bundle);
	c->phase = *phase;
	phase->bundle = NULL; /* moved */
}

static void set_trusted(struct certs *c, bool trusted, const char *why)
{
	if (!trusted && !text_eq(c->why, why))
		log_info("-", "webhook: not trusted yet", "reason", why, NULL);
	c->trusted = trusted;
	snprintf(c->why, sizeof(c->why), "%s", why);
}

static void write_step(struct certs *c, const struct certs_facts *facts, const struct certs_actions *actions)
{
	const struct certs_step_facts step_facts = {
		.found = facts->found,
		.served = c->served,
		.wall_ms = facts->wall_ms,
	};

	certs_secret_write(&c->secret_writer, actions->step, actions->because, &step_facts);
}

/* What others renew is of no use to us, and what is served goes on being served: say so in time, and once. */
static void warn_of_refused(struct certs *c, const struct certs_material *found)
{
	struct err err = { 0 };

	if (c->rules.is_own || c->files || !found)
		return;
	if (certs_memo_check_serving(c->rules.memo, &found->server, &err) < 0 && !text_eq(c->refused, err.msg))
		log_warn("-", "webhook: a certificate cannot be served", "from", c->source, "error", err.msg, NULL);
	snprintf(c->refused, sizeof(c->refused), "%s", err.msg);
}

static void carry_out(struct certs *c, const struct certs_facts *facts, struct certs_actions *actions)
{
	struct err err = { 0 };

	set_phase(c, &actions->phase);
	warn_of_refused(c, facts->found);
	if (serve_material(c, actions->serve, &err) < 0) {
		set_trusted(c, false, err.msg);
		certs_shell_pass_in(&c->shell, REFUSED_MS);
		return;
	}
	if (actions->step != CERTS_STEP_NONE)
		write_step(c, facts, actions);
	for (size_t i = 0; i < CERTS_CONFIGURATIONS && actions->inject; i++)
		if (c->configurations[i].name)
			certs_bundle_keep(&c->configurations[i].bundle, c->phase.bundle);
	certs_shell_pass_in(&c->shell, actions->again_ms);
	set_trusted(c, actions->trusted, actions->why);
}

static void on_pass(void *arg)
{
	struct certs *c = arg;
	struct certs_facts facts;
	struct certs_actions actions;

	c->wall_offset_ms = c->shell.sched->wall_offset_ms;
	gather_facts(c, &facts);
	certs_pass(&facts, &c->rules, &actions);
	carry_out(c, &facts, &actions);
	certs_actions_done(&actions);
}

bool certs_trusted(const struct certs *c, const char **ret_why)
{
	if (!c->trusted && ret_why)
		*ret_why = c->why[0] ? c->why : "no certificate yet";
	return c->trusted;
}

/* ---- what makes a pass come ---- */

static void on_listed(void *arg)
{
	struct certs *c = arg;

	sched_arm(c->shell.sched, &c->shell.pass, 0);
}

static void on_object(void *arg, const struct kobj *before, const struct kobj *now)
{
	(void)before;
	(void)now;
	on_listed(arg);
}

/* Files have no watch, and nobody says that the clock was set. */
static void on_tick(void *arg)
{
	struct certs *c = arg;
	int64_t moved_ms = c->shell.sched->wall_offset_ms - c->wall_offset_ms;

	if (c->files && certs_files_read(c->files))
		certs_shell_pass_in(&c->shell, 0);
	if (moved_ms < -CLOCK_SET_MS || moved_ms > CLOCK_SET_MS)
		certs_shell_pass_in(&c->shell, 0);
	sched_arm(c->shell.sched, &c->tick, c->files ? FILES_TICK_MS : CLOCK_TICK_MS);
}

/* ---- life ---- */

static void add_cert_metrics(struct certs *c)
{
	static const char *const labels[] = { "configuration", NULL };
	struct metrics *m = c->metrics;

	if (!m)
		return;
	c->expiry = metrics_family(m, METRIC_GAUGE, "spark_operator_webhook_certificate_expiry_timestamp_seconds",
				   "When the certificate that is served expires", NULL, NULL, 0);
	c->renewals = metrics_family(m, METRIC_COUNTER, "spark_operator_webhook_certificate_renewals_total",
				     "Certificates served in place of earlier ones", NULL, NULL, 0);
	c->injections = metrics_family(m, METRIC_COUNTER, "spark_operator_webhook_ca_injections_total",
				       "Writes of caBundle into webhook configurations", labels, NULL, 0);
}

/* The host of --webhook-url is a name of the certificate too. */
static void add_url_host(struct certs *c, const char *url, size_t count)
{
	auto_free char *host = certs_trust_host(url);

	for (size_t i = 0; host && i < count; i++) {
		if (strcasecmp(host, c->names[i]) != 0)
			continue;
		c->rules.url_host = c->names[i];
		return;
	}
	if (host)
		c->rules.url_host = c->names[count] = take_ptr(host);
}

static void copy_texts(struct certs *c, const struct certs_options *o)
{
	const char *name = o->service_name ? o->service_name : "", *ns = o->service_ns ? o->service_ns : "";
	size_t n = 0;

	c->secret_ns = xstrdup(o->secret_ns ? o->secret_ns : "");
	c->secret_name = xstrdup(o->secret_name ? o->secret_name : "");
	c->service_ns = xstrdup(ns);
	c->service_name = xstrdup(name);
	c->source = o->directory ? xstrdup(o->directory) : xasprintf("%s/%s", c->secret_ns, c->secret_name);
	if (name[0]) {
		c->names[n++] = xasprintf("%s.%s.svc", name, ns);
		c->names[n++] = xasprintf("%s.%s.svc.cluster.local", name, ns);
		c->names[n++] = xasprintf("%s.%s", name, ns);
	}
	c->names[n++] = xstrdup("localhost");
	c->names[n++] = xstrdup("127.0.0.1");
	add_url_host(c, o->url, n);
}

static void set_rules(struct certs *c, const struct certs_options *o)
{
	c->rules = (struct certs_rules){
		.names = (const char *const *)c->names,
		.url_host = c->rules.url_host,
		.service_ns = c->service_ns,
		.service_name = c->service_name,
		.secret_ns = c->secret_ns,
		.secret_name = c->secret_name,
		.source = c->source,
		.is_own = !o->directory && !o->foreign_secret,
		.inject_ca = o->inject_ca,
		.ca_life_ms = o->ca_life_ms,
		.cert_life_ms = o->cert_life_ms,
		.overlap_ms = o->overlap_ms,
		.jitter = rng_range(&o->sched->rng, 0, JITTER + 1),
		.memo = certs_memo_new(),
	};
}

/* The cache of the one object, which is all that RBAC has to allow. ns NULL: the object has no namespace. */
static struct cache *cache_object(struct certs *c, const struct kind *kind, const char *ns, const char *name)
{
	auto_free char *selector = xasprintf("metadata.name=%s", name);
	const struct cache_options options = {
		.api = c->shell.api,
		.sched = c->shell.sched,
		.metrics = c->metrics,
		.kind = kind,
		.namespaces = &ns,
		.namespace_count = ns ? 1 : 0,
		.field_selector = selector,
		.on_change = on_object,
		.on_synced = on_listed,
		.arg = c,
	};

	return cache_new(&options);
}

static void add_configuration(struct certs *c, size_t index, const char *name)
{
	struct configuration *to = &c->configurations[index];
	const struct kind *kind = &configuration_kinds[index];

	if (text_empty(name))
		return;
	to->name = xstrdup(name);
	to->cache = cache_object(c, kind, NULL, name);
	certs_bundle_init(&to->bundle, &(struct certs_bundle_options){
					   .shell = &c->shell,
					   .rules = &c->rules,
					   .configuration = to->cache,
					   .secret = c->secret,
					   .res = kind->res,
					   .name = to->name,
					   .writes = c->injections,
				       });
	if (c->injections)
		metric_init(c->injections, (const char *const[]){ to->name });
}

static void add_source(struct certs *c, const struct certs_options *o)
{
	if (o->directory) {
		c->files = certs_files_new(o->directory, o->cert_name, o->key_name);
		return;
	}
	c->secret = cache_object(c, o->foreign_secret ? &certs_foreign_secret_kind : &certs_secret_kind, c->secret_ns,
				 c->secret_name);
	certs_secret_init(&c->secret_writer, &c->shell, c->secret, &c->rules);
}

struct certs *certs_new(const struct certs_options *options)
{
	struct certs *c = xcalloc(1, sizeof(*c));

	c->shell = (struct certs_shell){ .api = options->api, .sched = options->sched };
	sched_timer_init(&c->shell.pass, on_pass, c);
	sched_timer_init(&c->tick, on_tick, c);
	c->metrics = options->metrics;
	c->on_certificate = options->on_certificate;
	c->arg = options->arg;
	c->phase.bundle = xstrdup("");
	add_cert_metrics(c);
	copy_texts(c, options);
	set_rules(c, options);
	add_source(c, options);
	add_configuration(c, CERTS_MUTATING, options->mutating_name);
	add_configuration(c, CERTS_VALIDATING, options->validating_name);
	return c;
}

void certs_start(struct certs *c)
{
	for (size_t i = 0; i < CERTS_CONFIGURATIONS; i++)
		if (c->configurations[i].cache)
			cache_start(c->configurations[i].cache);
	if (c->secret)
		cache_start(c->secret);
	c->phase.since_ms = sched_now(c->shell.sched);
	sched_arm(c->shell.sched, &c->shell.pass, 0);
	sched_arm(c->shell.sched, &c->tick, 0);
}

static void configuration_done(struct configuration *configuration)
{
	if (!configuration->name)
		return;
	certs_bundle_done(&configuration->bundle);
	cache_free(configuration->cache);
	free(configuration->name);
}

static void free_texts(struct certs *c)
{
	for (size_t i = 0; i < NAMES; i++)
		free(c->names[i]);
	free(c->secret_ns);
	free(c->secret_name);
	free(c->service_ns);
	free(c->service_name);
	free(c->source);
}

void certs_free(struct certs *c)
{
	if (!c)
		return;
	sched_disarm(c->shell.sched, &c->shell.pass);
	sched_disarm(c->shell.sched, &c->tick);
	for (size_t i = 0; i < CERTS_CONFIGURATIONS; i++)
		configuration_done(&c->configurations[i]);
	if (c->secret)
		certs_secret_done(&c->secret_writer);
	cache_free(c->secret);
	certs_files_free(c->files);
	certs_material_free(c->served);
	certs_memo_free(c->rules.memo);
	free_texts(c);
	free(c->phase.bundle);
	free(c);
}
