/*
 * The running program: loop, API client, operator, webhook, leader election, health and metrics server, signals.
 *
 * Start: configuration → loop → servers listen (not ready) → informers list, certificate → ready; with leader
 * election the operator works once this replica leads. An API server that is absent is not an error: the informers
 * keep trying and say so, /readyz answers 503 meanwhile. Stop (SIGTERM, SIGINT): not ready → no new plans → those
 * under way and waiting events finish, at most DRAIN_MS → nothing more is sent, and what was sent is answered → the
 * Lease is given back, or kept if an answer is missing → the webhook answers until the API server has noticed,
 * LINGER_MS after the signal → everything is cancelled and closed → the loop runs dry → exit 0. A second signal skips
 * the waiting. The Lease lost: the process ends at once with exit code 1, since somebody else may lead already.
 */
#include "start.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "metrics/app_metrics.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crds.h"
#include "diagnostics.h"
#include "net/http_server.h"
#include "operator.h"
#include "revision.h"
#include "runtime/process_metrics.h"
#include "runtime/client.h"
#include "runtime/leader.h"
#include "server_version.h"
#include "webhook/webhook.h"

enum {
	DRAIN_MS = 3500,	/* of the 5 s that a stop may take */
	DRAIN_LEADER_MS = 1500, /* leaves time for the last answers and for giving the Lease back */
	DRAIN_POLL_MS = 20,
	LINGER_MS = 5000, /* until no API server sends reviews here any more */
	HOST_SIZE = 256,
	IDENTITY_SIZE = HOST_SIZE + 20,
};

enum stop_phase { RUNNING = 0, DRAINING, RELEASING, LINGERING };

struct program {
	struct loop loop;
	struct client *client;
	struct client *lease_client;  /* of the Lease alone; NULL: without leader election */
	struct spark_operator *spark; /* NULL: this process is a webhook only */
	struct manager *manager;      /* of the operator, borrowed; or NULL */
	struct leader *leader;	      /* NULL: without leader election */
	struct webhook *webhook;      /* or NULL */
	struct crd_upgrade *crds;     /* NULL: CRDs are left alone */
	struct server_version *server_version;
	struct metrics *metrics;
	struct process_metrics *process;
	struct diagnostics *diagnostics;
	const struct options *options;
	struct loop_signal *signals[2];
	struct sched_timer drain;
	enum stop_phase phase;
	int64_t signalled_ms; /* when stopping began */
	bool hurry;	      /* a second signal */
	char *ns;	      /* the operator's own namespace */
	char host[HOST_SIZE];
	char identity[IDENTITY_SIZE];
};

/* ---- what the process reports about itself ---- */

static bool is_ready(void *arg, const char **ret_why)
{
	const struct program *p = arg;

	if (p->phase != RUNNING) {
		*ret_why = "stopping";
		return false;
	}
	if (p->manager && !manager_ready(p->manager)) {
		*ret_why = "the caches are not complete yet";
		return false;
	}
	return !p->webhook || webhook_ready(p->webhook, ret_why);
}

static struct json *debug_state(void *arg)
{
	const struct program *p = arg;
	struct json *state = p->spark ? operator_debug(p->spark) : json_new_object();
	const char *why = "";

	json_set_i64(state, "api_calls", client_pending(p->client));
	if (p->leader) {
		json_set_str(state, "identity", p->identity);
		json_set_str(state, "leader", leader_holder(p->leader));
	}
	if (p->webhook) {
		struct json *webhook = json_set(state, "webhook", json_new_object());

		json_set_bool(webhook, "ready", webhook_ready(p->webhook, &why));
		json_set_str(webhook, "problem", why);
	}
	if (p->crds)
		json_set(state, "crds", crd_upgrade_debug(p->crds));
	json_set_str(state, "kubernetes", server_version_text(p->server_version));
	json_set(state, "options", options_debug(p->options));
	return state;
}

static int make_diagnostics(struct program *p, const struct options *o, struct err *err)
{
	const struct diagnostics_source source = {
		.loop = &p->loop,
		.metrics = p->metrics,
		.host = p->host,
		.ready = is_ready,
		.debug = debug_state,
		.arg = p,
	};

	p->diagnostics = diagnostics_new(&source, o, err);
	return p->diagnostics ? 0 : err_code(err);
}

/* ---- stop ---- */

static void close_all(struct program *p)
{
	sched_disarm(&p->loop.sched, &p->drain);
	webhook_close(take_ptr(p->webhook));
	crd_upgrade_free(take_ptr(p->crds));
	server_version_free(take_ptr(p->server_version));
	operator_free(take_ptr(p->spark));
	p->manager = NULL;
	leader_free(take_ptr(p->leader));
	if (p->lease_client)
		client_close(take_ptr(p->lease_client));
	if (p->client)
		client_close(take_ptr(p->client));
	diagnostics_close(take_ptr(p->diagnostics));
	for (size_t i = 0; i < array_len(p->signals); i++)
		loop_signal_close(take_ptr(p->signals[i]));
	loop_stop(&p->loop);
}

static void on_released(void *arg)
{
	struct program *p = arg;

	p->phase = LINGERING;
	sched_arm(&p->loop.sched, &p->drain, 0);
}

static int64_t stopping_ms(const struct program *p)
{
	return sched_now(&p->loop.sched) - p->signalled_ms;
}

/* From leader_release on, a plan that is still under way sends nothing more. */
static void drain_plans(struct program *p)
{
	size_t busy = p->manager ? manager_busy(p->manager) : 0;

	if (busy > 0 && !p->hurry && stopping_ms(p) < (p->leader ? DRAIN_LEADER_MS : DRAIN_MS))
		return;
	if (busy > 0)
		log_warn(NULL, "stopping with work under way; it is taken up at the next start", NULL);
	p->phase = p->leader ? RELEASING : LINGERING;
	if (p->phase == RELEASING)
		leader_release(p->leader, on_released, p);
}

static bool is_done(const struct program *p)
{
	if (p->phase == RELEASING)
		return p->hurry;
	return p->phase == LINGERING && (!p->webhook || p->hurry || stopping_ms(p) >= LINGER_MS);
}

static void on_drain(void *arg)
{
	struct program *p = arg;

	if (p->phase == DRAINING)
		drain_plans(p);
	if (is_done(p))
		close_all(p);
	else
		sched_arm(&p->loop.sched, &p->drain, DRAIN_POLL_MS);
}

static void on_signal(void *arg, int signum)
{
	struct program *p = arg;

	p->hurry = p->phase != RUNNING;
	log_info(NULL, p->hurry ? "stopping at once" : "stopping", "signal", strsignal(signum), NULL);
	if (p->phase == RUNNING) {
		p->phase = DRAINING;
		p->signalled_ms = sched_now(&p->loop.sched);
		if (p->manager)
			manager_stop(p->manager);
		if (p->webhook)
			webhook_fade(p->webhook);
	}
	sched_arm(&p->loop.sched, &p->drain, 0);
}

/* ---- leadership ---- */

static void on_leading(void *arg)
{
	struct program *p = arg;

	if (p->crds)
		crd_upgrade_start(p->crds);
	manager_lead(p->manager);
}

static void on_lost(void *arg)
{
	(void)arg;
	log_error(NULL, "the Lease is lost, another replica may lead: ending", NULL);
	_exit(1);
}

static bool may_write(void *arg)
{
	const struct program *p = arg;

	return !p->leader || leader_may_write(p->leader);
}

static void make_identity(struct program *p)
{
	uint64_t chance = 0;

	gethostname(p->host, sizeof(p->host) - 1);
	if (getrandom(&chance, sizeof(chance), 0) != (ssize_t)sizeof(chance))
		chance = (uint64_t)time_wall_ms();
	snprintf(p->identity, sizeof(p->identity), "%s_%016llx", p->host, (unsigned long long)chance);
}

static int make_leader(struct program *p, const struct options *o, struct err *err)
{
	const struct leader_options options = {
		.api = client_api(p->lease_client),
		.work = client_api(p->client),
		.sched = &p->loop.sched,
		.metrics = p->metrics,
		.lease = {
			.ns = o->lease_ns ? o->lease_ns : p->ns,
			.name = o->lease_name,
			.identity = p->identity,
			.duration_ms = o->lease_duration_ms,
			.renew_deadline_ms = o->lease_renew_ms,
			.retry_ms = o->lease_retry_ms,
		},
		.former_name = text_empty(o->former_lease_name) ? NULL : o->former_lease_name,
		.clock_ms = time_boot_ms,
		.on_started = on_leading,
		.on_lost = on_lost,
		.arg = p,
	};

	if (leader_check(&options, err) < 0)
		return err_code(err);
	p->leader = leader_new(&options);
	return 0;
}

/* ---- start ---- */

/* The Lease has a client of its own, with connections of its own and without a limit: nothing that the operator does,
 * or that is done to it, keeps a renewal waiting. */
static int make_clients(struct program *p, const struct options *o, const struct config *config, struct err *err)
{
	struct client_options options = {
		.qps = o->kube_api_qps,
		.burst = o->kube_api_burst,
		.metrics = p->metrics,
		.user_agent = "spark-operator/" SPARK_OPERATOR_VERSION,
	};

	p->client = client_new(&p->loop, config, &options, err);
	options.qps = 0;
	options.max_connections = LEADER_CONNECTIONS;
	if (p->client && o->leader_election)
		p->lease_client = client_new(&p->loop, config, &options, err);
	return p->client && (p->lease_client || !o->leader_election) ? 0 : err_code(err);
}

static int connect_program(struct program *p, const struct options *o, struct err *err)
{
	struct config config;
	const char *proxy;
	int r;

	if (config_load(o->kubeconfig, o->context, &config, err) < 0)
		return err_code(err);
	proxy = config_proxy_host(&config);
	r = make_clients(p, o, &config, err);
	if (r == 0)
		log_info(NULL, "using API server", "server", config.server, proxy ? "proxy" : NULL, proxy, NULL);
	p->ns = take_ptr(config.ns);
	config_done(&config);
	return r;
}

/* The API for what only one replica may do. */
static struct api *worker_api(struct program *p)
{
	return p->leader ? leader_api(p->leader) : client_api(p->client);
}

struct operator_options start_operator_options(const struct options *o)
{
	return (struct operator_options){
		.manager = {
			.namespaces = (const char *const *)o->namespaces.items,
			.namespace_count = o->namespaces.len,
			.namespace_selector = o->namespace_selector,
			.label_selector = selector_text(o->label_selector),
			.max_plans = (unsigned)o->controller_threads,
			.drops_unknown_fields = o->field_validation == FIELDS_IGNORED,
			.queue = { .retry_max_ms = o->retry_max_ms, .retry_qps = o->retry_qps,
				   .retry_burst = o->retry_burst },
		},
		.reconcile = {
			.master = o->master,
			.driver_pod_creation_grace_ms = o->driver_pod_creation_grace_ms,
			.refusal_deadline_ms = o->refusal_deadline_ms,
			.max_tracked_executors = o->max_tracked_executors,
			.ui_service = o->ui_service,
			.driver_pdb = o->driver_pdb,
			.default_ttl_s = o->default_ttl_s,
			.rules = options_rules(o),
			.ingress = {
				.url_format = o->ingress_url_format,
				.class_name = o->ingress_class_name,
				.tls = o->ingress_tls,
				.annotations = o->ingress_annotations,
			},
		},
		.metrics = {
			.prefix = o->metrics_prefix,
			.labels = &o->metrics_labels,
			.submit_buckets = { o->submit_buckets.bounds, o->submit_buckets.len },
			.start_buckets = { o->start_buckets.bounds, o->start_buckets.len },
			.old_names = o->metrics_old_names,
		},
	};
}

static void make_operator(struct program *p, const struct options *o)
{
	struct operator_options options = start_operator_options(o);

	options.manager.instance = p->host;
	options.manager.may_write = may_write;
	options.manager.may_write_arg = p;
	p->spark = operator_new(worker_api(p), &p->loop.sched, p->metrics, &options);
	p->manager = operator_manager(p->spark);
	if (o->upgrade_crds)
		p->crds = crd_upgrade_new(worker_api(p), &p->loop.sched);
}

static int make_webhook(struct program *p, const struct options *o, struct err *err)
{
	const struct webhook_env env = {
		.loop = &p->loop,
		.api = client_api(p->client),
		.metrics = p->metrics,
		.ns = p->ns,
		.apps = p->spark ? operator_apps(p->spark) : NULL,
	};

	p->webhook = webhook_new(&env, o, err);
	return p->webhook ? 0 : err_code(err);
}

static int make_roles(struct program *p, const struct options *o, unsigned roles, struct err *err)
{
	if (roles & ROLE_CONTROLLER) {
		if (o->leader_election && make_leader(p, o, err) < 0)
			return err_code(err);
		make_operator(p, o);
	}
	return roles & ROLE_WEBHOOK ? make_webhook(p, o, err) : 0;
}

static int set_up(struct program *p, const struct options *o, unsigned roles, struct err *err)
{
	p->metrics = metrics_new();
	p->process = process_metrics_new(p->metrics, time_wall_ms());
	process_metrics_build_info(p->metrics, SPARK_OPERATOR_VERSION, revision);
	sched_timer_init(&p->drain, on_drain, p);
	make_identity(p);
	if (connect_program(p, o, err) < 0 || make_roles(p, o, roles, err) < 0)
		return err_code(err);
	p->server_version = server_version_new(client_api(p->client), &p->loop.sched);
	if (make_diagnostics(p, o, err) < 0)
		return err_code(err);
	p->signals[0] = loop_on_signal(&p->loop, SIGTERM, on_signal, p);
	p->signals[1] = loop_on_signal(&p->loop, SIGINT, on_signal, p);
	return 0;
}

static void begin_program(struct program *p)
{
	server_version_start(p->server_version);
	if (p->manager && !p->leader)
		on_leading(p);
	if (p->manager)
		manager_start(p->manager);
	if (p->leader)
		leader_start(p->leader);
	if (p->webhook)
		webhook_start(p->webhook);
}

static int check_tls(const char *flag, const char *min_version, const struct strv *suites, struct err *err)
{
	const struct http_server_options options = { .tls_min_version = min_version, .tls_cipher_suites = suites };

	return http_server_check_tls(&options, err) < 0 ? err_wrap(err, "--%s", flag) : 0;
}

int start_check(const struct options *o, struct err *err)
{
	if (check_tls("metric-tls-cipher-suites", o->metrics_tls_min, &o->metrics_ciphers, err) < 0 ||
	    check_tls("webhook-tls-cipher-suites", o->webhook_tls_min, &o->webhook_ciphers, err) < 0)
		return err_code(err);
	return 0;
}

int start_run(const struct options *o, unsigned roles)
{
	struct program p = { .options = o };
	struct err err = { 0 };
	int result = 0;

	loop_raise_file_limit();
	if (loop_init(&p.loop, &err) < 0) {
		log_error(NULL, "cannot start", "error", err.msg, NULL);
		return 1;
	}
	if (set_up(&p, o, roles, &err) < 0) {
		log_error(NULL, "cannot start", "error", err.msg, NULL);
		result = 1;
		close_all(&p);
	} else {
		auto_free char *namespaces = o->namespaces.len ? strv_join(&o->namespaces, ",") : xstrdup("all");

		log_info(NULL, "starting", "version", SPARK_OPERATOR_VERSION, "revision", revision, "namespaces",
			 namespaces, NULL);
		begin_program(&p);
		loop_run(&p.loop);
	}
	if (loop_close(&p.loop) != 0)
		result = 1;
	process_metrics_free(p.process);
	metrics_free(p.metrics);
	free(p.ns);
	log_info(NULL, "stopped", NULL);
	return result;
}
