/*
 * The admission webhook: a TLS server of its own, whose routes are the paths of admission/admission.h.
 *
 * Happy path: the caches list → certs finds or makes a certificate → the server listens → the configurations trust the
 * certificate → ready. A review is parsed, answered from the caches and counted within one call of the loop; nothing is
 * read or written meanwhile.
 *
 * Failure modes: a body that is no review gets 400 with the reason. Without a certificate nothing listens, so that no
 * request is ever answered without TLS. An address that cannot be listened on: the webhook never becomes ready, and
 * /readyz of the program says why.
 */
#include "webhook/webhook.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "net/http_server.h"
#include "runtime/cache.h"
#include "certs.h"
#include "admission/admission.h"
#include "webhook/webhook_registration.h"

enum { PATHS_MAX = 16, ADDRESS_SIZE = 300 };

/* A path, and the webhook that serves it. */
struct hook {
	struct webhook *webhook;
	const struct admission_path *path;
};

struct webhook {
	struct webhook_env env;
	const struct options *o;
	struct http_server *server;
	struct certs *certs;
	struct webhook_registration *registration; /* NULL: somebody else makes the configurations */
	struct cache *apps;			   /* NULL: those of env */
	struct cache *quotas;			   /* NULL: not enforced */
	struct admission admission;
	struct hook hooks[PATHS_MAX];
	size_t hook_count;
	struct metric *requests;
	struct metric *latency;
	struct metric *dropped;
	bool listening;
	char problem[ERR_MSG_SIZE]; /* why it cannot listen, "" if it can */
};

/* ---- requests ---- */

static const char *review_result(const struct review_reply *reply)
{
	if (reply->denied)
		return "denied";
	return json_len(reply->patch) ? "mutated" : "allowed";
}

static void log_denial(const struct hook *hook, const struct review *r, const struct review_reply *reply)
{
	auto_free char *key = xasprintf("%s/%s", r->ns, r->name);

	log_info(key, "refused", "kind", hook->path->kind, "operation", review_operation_name(r->operation), "why",
		 reply->message, NULL);
}

static void answer_review(const struct hook *hook, const struct review *r, struct http_exchange *x)
{
	struct webhook *w = hook->webhook;
	struct review_reply reply = { 0 };
	auto_free char *text = NULL;

	hook->path->fn(&w->admission, r, &reply);
	if (reply.denied)
		log_denial(hook, r, &reply);
	metric_add(
	    w->requests,
	    (const char *const[]){ hook->path->path, review_operation_name(r->operation), review_result(&reply), NULL },
	    1);
	text = review_reply_print(r, &reply);
	review_reply_done(&reply);
	x->content_type = "application/json";
	buf_puts(&x->reply, text);
}

static void serve_review(void *arg, struct http_exchange *x)
{
	const struct hook *hook = arg;
	struct webhook *w = hook->webhook;
	struct review review = { 0 };
	struct err err = { 0 };
	int64_t begin_us = time_now_us();

	if (review_parse(x->body, x->body_len, &review, &err) < 0) {
		x->status = 400;
		buf_printf(&x->reply, "%s\n", err.msg);
		metric_add(w->requests, (const char *const[]){ hook->path->path, "", "malformed", NULL }, 1);
	} else {
		answer_review(hook, &review, x);
		review_done(&review);
	}
	metric_observe(w->latency, (const char *const[]){ hook->path->path, NULL },
		       (double)(time_now_us() - begin_us) / 1e6);
}

static void serve_healthz(void *arg, struct http_exchange *x)
{
	(void)arg;
	buf_puts(&x->reply, "ok\n");
}

static void serve_readyz(void *arg, struct http_exchange *x)
{
	const char *why = "";

	if (webhook_ready(arg, &why)) {
		buf_puts(&x->reply, "ok\n");
		return;
	}
	x->status = 503;
	buf_printf(&x->reply, "not ready: %s\n", why);
}

/* ---- certificate ---- */

static void start_listening(struct webhook *w)
{
	char address[ADDRESS_SIZE];
	struct err err = { 0 };
	const char *host = w->o->webhook_bind ? w->o->webhook_bind : "";

	snprintf(address, sizeof(address), "%s:%lld", host, (long long)w->o->webhook_port);
	if (http_server_listen(w->server, address, &err) < 0) {
		snprintf(w->problem, sizeof(w->problem), "%s", err.msg);
		log_error(NULL, "the webhook cannot listen", "error", err.msg, NULL);
		return;
	}
	w->listening = true;
	log_info(NULL, "the webhook is served", "address", address, NULL);
}

static int on_certificate(void *arg, const char *cert, const char *key, struct err *err)
{
	struct webhook *w = arg;

	if (http_server_set_certificate(w->server, cert, key, err) < 0)
		return err_code(err);
	if (!w->listening)
		start_listening(w);
	return 0;
}

static const char *namespace_or_own(const struct webhook *w, const char *ns)
{
	return ns ? ns : w->env.ns;
}

static struct certs *make_certs(struct webhook *w)
{
	const struct options *o = w->o;
	const struct certs_options options = {
		.api = w->env.api,
		.sched = &w->env.loop->sched,
		.metrics = w->env.metrics,
		.secret_ns = namespace_or_own(w, o->webhook_secret_ns),
		.secret_name = o->webhook_secret,
		.service_ns = namespace_or_own(w, o->webhook_service_ns),
		.service_name = o->webhook_service,
		.url = o->webhook_url,
		.mutating_name = o->mutating_name,
		.validating_name = o->validating_name,
		.directory = o->webhook_cert_dir,
		.cert_name = o->webhook_cert_name,
		.key_name = o->webhook_key_name,
		.foreign_secret = o->cert_manager,
		.inject_ca = !o->cert_manager,
		.ca_life_ms = o->webhook_ca_life_ms,
		.cert_life_ms = o->webhook_cert_life_ms,
		.overlap_ms = o->webhook_overlap_ms,
		.on_certificate = on_certificate,
		.arg = w,
	};

	return certs_new(&options);
}

/* ---- caches ---- */

/* The objects of the namespaces in which requests are reviewed. */
static struct cache *cache_reviewed(const struct webhook *w, const struct kind *kind)
{
	const struct strv *namespaces = options_reviewed(w->o);
	const struct cache_options options = {
		.api = w->env.api,
		.sched = &w->env.loop->sched,
		.metrics = w->env.metrics,
		.kind = kind,
		.namespaces = (const char *const *)namespaces->items,
		.namespace_count = namespaces->len,
	};

	return cache_new(&options);
}

static bool caches_are_synced(const struct webhook *w)
{
	return (!w->apps || cache_synced(w->apps)) && (!w->quotas || cache_synced(w->quotas));
}

/* ---- life ---- */

static void count_dropped(const struct webhook *w, const char *cause, uint64_t count)
{
	const char *const values[] = { cause, NULL };

	metric_add(w->dropped, values, (double)count - metric_get(w->dropped, values));
}

static void collect_dropped(void *arg)
{
	const struct webhook *w = arg;
	const struct http_server_stats *stats = http_server_stats(w->server);

	count_dropped(w, "no_room", stats->turned_away);
	count_dropped(w, "evicted", stats->evicted);
	count_dropped(w, "broken_handshake", stats->broken_handshakes);
	for (enum http_phase phase = 0; phase < HTTP_PHASE_COUNT; phase++) {
		auto_free char *cause = xasprintf("timeout_%s", http_phase_name(phase));

		count_dropped(w, cause, stats->timed_out[phase]);
	}
}

static void add_webhook_metrics(struct webhook *w)
{
	static const char *const labels[] = { "path", "operation", "result", NULL };
	static const char *const path_label[] = { "path", NULL };
	static const char *const cause_label[] = { "cause", NULL };
	static const double bounds[] = { 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1 };

	w->requests = metrics_family(w->env.metrics, METRIC_COUNTER, "spark_operator_webhook_requests_total",
				     "Admission reviews by path, operation and result", labels, NULL, 0);
	w->dropped = metrics_family(w->env.metrics, METRIC_COUNTER, "spark_operator_webhook_connections_dropped_total",
				    "Connections that the server gave up, by cause", cause_label, NULL, 0);
	metrics_on_collect(w->env.metrics, collect_dropped, w);
	w->latency = metrics_family(w->env.metrics, METRIC_HISTOGRAM, "spark_operator_webhook_request_duration_seconds",
				    "Time to answer an admission review, without network and TLS", path_label, bounds,
				    array_len(bounds));
}

/* Each path, operation and result is shown from the start, with 0. */
static void init_webhook_metrics(const struct webhook *w)
{
	static const char *const operations[] = { "CREATE", "UPDATE" };
	static const char *const results[] = { "allowed", "mutated", "denied" };

	for (size_t i = 0; i < w->hook_count; i++) {
		const struct admission_path *p = w->hooks[i].path;
		size_t count = text_eq(p->kind, "pod") ? 1 : array_len(operations);

		metric_init(w->latency, &p->path);
		metric_init(w->requests, (const char *const[]){ p->path, "", "malformed" });
		for (size_t n = 0; n < count * array_len(results); n++)
			metric_init(w->requests, (const char *const[]){ p->path, operations[n / array_len(results)],
									results[n % array_len(results)] });
	}
}

static struct http_server *make_webhook_server(struct webhook *w, const struct http_server_options *limits)
{
	struct http_route routes[PATHS_MAX + 2] = {
		{ "GET", "/healthz", false, serve_healthz, w },
		{ "GET", "/readyz", false, serve_readyz, w },
	};
	size_t count = 2;

	for (const struct admission_path *p = admission_paths; p->path && w->hook_count < PATHS_MAX; p++) {
		struct hook *hook = &w->hooks[w->hook_count++];

		*hook = (struct hook){ w, p };
		routes[count++] = (struct http_route){ "POST", p->path, false, serve_review, hook };
	}
	init_webhook_metrics(w);
	return http_server_new(w->env.loop, routes, count, limits);
}

struct webhook *webhook_new(const struct webhook_env *env, const struct options *o, struct err *err)
{
	const struct http_server_options tls = { .tls_min_version = o->webhook_tls_min,
						 .tls_cipher_suites = &o->webhook_ciphers };
	struct webhook *w;

	if (o->webhook_register && webhook_registration_check(o, err) < 0)
		return NULL;
	w = xcalloc(1, sizeof(*w));
	w->env = *env;
	w->o = o;
	add_webhook_metrics(w);
	if (!env->apps)
		w->apps = cache_reviewed(w, &app_kind);
	if (o->quota)
		w->quotas = cache_reviewed(w, &quota_kind);
	w->admission = (struct admission){
		.apps = env->apps ? env->apps : cache_store(w->apps),
		.quotas = w->quotas ? cache_store(w->quotas) : NULL,
		.namespaces = (const char *const *)options_reviewed(o)->items,
		.namespace_count = options_reviewed(o)->len,
		.rules = options_rules(o),
	};
	w->admission.rules.is_admission = true;
	w->server = make_webhook_server(w, &tls);
	w->certs = make_certs(w);
	if (o->webhook_register)
		w->registration = webhook_registration_new(env->api, &env->loop->sched, env->ns, o);
	return w;
}

void webhook_start(struct webhook *w)
{
	if (w->apps)
		cache_start(w->apps);
	if (w->quotas)
		cache_start(w->quotas);
	if (w->registration)
		webhook_registration_start(w->registration);
	certs_start(w->certs);
}

bool webhook_ready(const struct webhook *w, const char **ret_why)
{
	if (!caches_are_synced(w)) {
		*ret_why = "the webhook's caches are not complete yet";
		return false;
	}
	if (*w->problem) {
		*ret_why = w->problem;
		return false;
	}
	return certs_trusted(w->certs, ret_why);
}

void webhook_fade(struct webhook *w)
{
	http_server_fade(w->server);
}

void webhook_close(struct webhook *w)
{
	if (!w)
		return;
	webhook_registration_free(w->registration);
	certs_free(w->certs);
	http_server_close(w->server, 0);
	cache_free(w->apps);
	cache_free(w->quotas);
	free(w);
}
