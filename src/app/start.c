/*
 * The running program: loop, API client, operator, health and metrics server, signals.
 *
 * Start: configuration → loop → servers listen (not ready) → informers list → ready. An API server that is absent is not an error:
 * the informers keep trying and say so, /readyz answers 503 meanwhile.
 * Stop (SIGTERM, SIGINT): not ready → no new plans → those under way and waiting events finish, at most DRAIN_MS → everything is
 * cancelled and closed → the loop runs dry → exit 0. A second signal skips the waiting.
 */
#include "start.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "app/manager.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/http_server.h"
#include "process_metrics.h"
#include "runtime/client.h"

enum {
	DRAIN_MS = 3500, /* of the 5 s that a stop may take */
	DRAIN_POLL_MS = 20
};

struct program {
	struct loop loop;
	struct client *client;
	struct manager *manager;
	struct metrics *metrics;
	struct process_metrics *process;
	struct http_server *servers[2];
	struct loop_signal *signals[2];
	struct sched_timer drain;
	int64_t stop_deadline_ms; /* 0: not stopping */
};

/* ---- HTTP ---- */

static void serve_healthz(void *arg, struct http_exchange *x)
{
	(void)arg;
	buf_puts(&x->reply, "ok\n");
}

static void serve_readyz(void *arg, struct http_exchange *x)
{
	const struct program *p = arg;

	if (manager_ready(p->manager)) {
		buf_puts(&x->reply, "ok\n");
		return;
	}
	x->status = 503;
	buf_puts(&x->reply, p->stop_deadline_ms ? "stopping\n" : "not ready: the caches are not complete yet\n");
}

static void serve_metrics(void *arg, struct http_exchange *x)
{
	const struct program *p = arg;

	x->content_type = "text/plain; version=0.0.4; charset=utf-8";
	metrics_write(p->metrics, &x->reply);
}

static void serve_debug(void *arg, struct http_exchange *x)
{
	const struct program *p = arg;
	auto_json state = manager_debug(p->manager);
	auto_free char *text = NULL;

	json_set_i64(state, "api_calls", client_pending(p->client));
	text = json_print_pretty(state);
	x->content_type = "application/json";
	buf_puts(&x->reply, text);
}

static int serve(struct program *p, size_t index, const char *address, struct err *err)
{
	const struct http_route routes[] = {
		{ "GET", "/healthz", false, serve_healthz, p },
		{ "GET", "/readyz", false, serve_readyz, p },
		{ "GET", "/metrics", false, serve_metrics, p },
		{ "GET", "/debug/state", true, serve_debug, p },
	};
	const struct http_server_options limits = { 0 };

	if (text_eq(address, "0"))
		return 0;
	p->servers[index] = http_server_new(&p->loop, routes, array_len(routes), &limits);
	return http_server_listen(p->servers[index], address, err);
}

/* ---- stop ---- */

static void close_all(struct program *p)
{
	sched_disarm(&p->loop.sched, &p->drain);
	manager_free(take_ptr(p->manager));
	if (p->client)
		client_close(take_ptr(p->client));
	for (size_t i = 0; i < array_len(p->servers); i++)
		if (p->servers[i])
			http_server_close(take_ptr(p->servers[i]), 0);
	for (size_t i = 0; i < array_len(p->signals); i++)
		loop_signal_close(take_ptr(p->signals[i]));
	loop_stop(&p->loop);
}

static void on_drain(void *arg)
{
	struct program *p = arg;
	size_t busy = manager_busy(p->manager);

	if (busy > 0 && sched_now(&p->loop.sched) < p->stop_deadline_ms) {
		sched_arm(&p->loop.sched, &p->drain, DRAIN_POLL_MS);
		return;
	}
	if (busy > 0)
		log_warn(NULL, "stopping with work under way; it is taken up at the next start", NULL);
	close_all(p);
}

static void on_signal(void *arg, int signum)
{
	struct program *p = arg;
	bool again = p->stop_deadline_ms != 0;

	log_info(NULL, again ? "stopping at once" : "stopping", "signal", strsignal(signum), NULL);
	p->stop_deadline_ms = sched_now(&p->loop.sched) + (again ? 0 : DRAIN_MS);
	manager_stop(p->manager);
	sched_arm(&p->loop.sched, &p->drain, 0);
}

/* ---- start ---- */

static int make_client(struct program *p, const struct options *o, struct err *err)
{
	struct client_options options = {
		.qps = o->kube_api_qps,
		.burst = o->kube_api_burst,
		.metrics = p->metrics,
		.user_agent = "spark-operator/" SPARK_OPERATOR_VERSION,
	};
	struct config config;

	if (config_load(o->kubeconfig, o->context, &config, err) < 0)
		return -(int)err->code;
	p->client = client_new(&p->loop, &config, &options, err);
	if (p->client)
		log_info(NULL, "using API server", "server", config.server, NULL);
	config_done(&config);
	return p->client ? 0 : -(int)err->code;
}

static void make_manager(struct program *p, const struct options *o)
{
	char host[256] = "";
	struct manager_options options = {
		.namespaces = (const char *const *)o->namespaces.items,
		.namespace_count = o->namespaces.len,
		.max_plans = (unsigned)o->controller_threads,
		.queue = { .retry_cap_ms = o->retry_max_ms, .retry_qps = o->retry_qps, .retry_burst = o->retry_burst },
		.reconcile = {
			.master = o->master,
			.driver_appear_ms = o->driver_grace_ms,
			.refusal_deadline_ms = o->refusal_deadline_ms,
			.max_tracked_executors = o->max_tracked_executors,
			.ui_service = o->ui_service,
		},
		.instance = host,
	};

	gethostname(host, sizeof(host) - 1);
	p->manager = manager_new(client_api(p->client), &p->loop.sched, p->metrics, &options);
}

static int set_up(struct program *p, const struct options *o, struct err *err)
{
	const char *const version_label[] = { "version", NULL };
	const char *const version[] = { SPARK_OPERATOR_VERSION, NULL };

	p->metrics = metrics_new();
	p->process = process_metrics_new(p->metrics, time_wall_ms());
	metric_set(
	    metrics_add(p->metrics, METRIC_GAUGE, "spark_operator_build_info", "Always 1", version_label, NULL, 0),
	    version, 1);
	sched_timer_init(&p->drain, on_drain, p);
	if (make_client(p, o, err) < 0)
		return -(int)err->code;
	make_manager(p, o);
	if (serve(p, 0, o->metrics_bind, err) < 0 || serve(p, 1, o->health_bind, err) < 0)
		return -(int)err->code;
	p->signals[0] = loop_on_signal(&p->loop, SIGTERM, on_signal, p);
	p->signals[1] = loop_on_signal(&p->loop, SIGINT, on_signal, p);
	return 0;
}

int start_run(const struct options *o)
{
	struct program p = { 0 };
	struct err err = { 0 };
	int result = 0;

	if (loop_init(&p.loop, &err) < 0) {
		log_error(NULL, "cannot start", "error", err.msg, NULL);
		return 1;
	}
	if (set_up(&p, o, &err) < 0) {
		log_error(NULL, "cannot start", "error", err.msg, NULL);
		result = 1;
		close_all(&p);
	} else {
		auto_free char *namespaces = o->namespaces.len ? strv_join(&o->namespaces, ",") : xstrdup("all");

		log_info(NULL, "starting", "version", SPARK_OPERATOR_VERSION, "namespaces", namespaces, NULL);
		manager_start(p.manager);
		loop_run(&p.loop);
	}
	if (loop_close(&p.loop) != 0)
		result = 1;
	process_metrics_free(p.process);
	metrics_free(p.metrics);
	log_info(NULL, "stopped", NULL);
	return result;
}
