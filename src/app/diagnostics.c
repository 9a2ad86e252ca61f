/*
 * Serves health, metrics and state over HTTP, see diagnostics.h.
 *
 * Happy path: the loop answers each request from memory. The metrics are written out at most once a second, and
 * everybody who asks within that second gets the same text. A process that hangs does not answer, which is what a probe
 * of /healthz finds out. The certificate of --secure-metrics is replaced long before it expires. New connections get
 * the new one.
 *
 * Failure modes: an address that is in use or a TLS option that is wrong ends the start of the program.
 */
#include "diagnostics.h"

#include <stdint.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "net/certificate.h"
#include "net/http_server.h"

enum { EXPOSITION_MS = 1000, EXPOSITION_MAX = 64 << 20 };

static const int64_t certificate_life_ms = (int64_t)365 * 24 * 3600 * 1000;
static const int64_t certificate_renew_ms = (int64_t)24 * 3600 * 1000;

struct diagnostics {
	struct diagnostics_source source;
	struct http_server *metrics; /* NULL: off; the same holds for health */
	struct http_server *health;
	struct sched_timer renewal;
	struct http_text *exposition; /* NULL: none was asked for yet */
	int64_t exposed_ms;	      /* when it was made */
};

static void serve_healthz(void *arg, struct http_exchange *x)
{
	(void)arg;
	buf_puts(&x->reply, "ok\n");
}

static void serve_readyz(void *arg, struct http_exchange *x)
{
	const struct diagnostics_source *source = arg;
	const char *why = "";

	if (source->ready(source->arg, &why)) {
		buf_puts(&x->reply, "ok\n");
		return;
	}
	x->status = 503;
	buf_printf(&x->reply, "not ready: %s\n", why);
}

static void serve_debug(void *arg, struct http_exchange *x)
{
	const struct diagnostics_source *source = arg;
	auto_json state = source->debug(source->arg);
	auto_free char *text = json_print_pretty(state);

	x->content_type = "application/json";
	buf_puts(&x->reply, text);
}

static void make_exposition(struct diagnostics *d)
{
	struct buf text;

	buf_init(&text, EXPOSITION_MAX);
	metrics_write(d->source.metrics, &text);
	http_text_unref(d->exposition);
	d->exposition = http_text_take(&text);
	d->exposed_ms = sched_now(&d->source.loop->sched);
}

static void serve_metrics(void *arg, struct http_exchange *x)
{
	struct diagnostics *d = arg;

	if (!d->exposition || sched_now(&d->source.loop->sched) - d->exposed_ms >= EXPOSITION_MS)
		make_exposition(d);
	if (http_text_buf(d->exposition)->overflow) {
		x->status = 500;
		buf_puts(&x->reply, "the metrics are over their size limit\n");
		return;
	}
	x->content_type = "text/plain; version=0.0.4; charset=utf-8";
	x->shared = d->exposition;
}

static struct http_server *make_server(struct diagnostics *d, const char *metrics_path,
				       const struct http_server_options *options)
{
	const struct http_route routes[] = {
		{ "GET", "/healthz", false, serve_healthz, &d->source },
		{ "GET", "/readyz", false, serve_readyz, &d->source },
		{ "GET", "/debug/state", true, serve_debug, &d->source },
		{ "GET", metrics_path, false, serve_metrics, d },
	};

	return http_server_new(d->source.loop, routes, array_len(routes) - (metrics_path ? 0 : 1), options);
}

static int renew_metrics_certificate(struct diagnostics *d, struct err *err)
{
	const char *const names[] = { d->source.host, "localhost", NULL };
	__attribute__((cleanup(certificate_pair_done))) struct certificate_pair ca = { 0 };
	__attribute__((cleanup(certificate_pair_done))) struct certificate_pair pair = { 0 };
	int64_t now_ms = time_wall_ms();

	if (certificate_make_ca("spark-operator metrics", now_ms, certificate_life_ms, &ca, err) < 0 ||
	    certificate_make_server(&ca, names, now_ms, certificate_life_ms, &pair, err) < 0)
		return err_code(err);
	return http_server_set_certificate(d->metrics, pair.cert, pair.key, err);
}

static void on_renewal(void *arg)
{
	struct diagnostics *d = arg;
	struct err err = { 0 };

	if (renew_metrics_certificate(d, &err) < 0)
		log_error(NULL, "the certificate of the metrics cannot be renewed", "error", err.msg, NULL);
	sched_arm(&d->source.loop->sched, &d->renewal, certificate_renew_ms);
}

static int secure_metrics_server(struct diagnostics *d, struct err *err)
{
	if (renew_metrics_certificate(d, err) < 0)
		return err_code(err);
	sched_arm(&d->source.loop->sched, &d->renewal, certificate_renew_ms);
	return 0;
}

static int listen_all(struct diagnostics *d, const struct options *o, struct err *err)
{
	const char *path = o->metrics ? o->metrics_endpoint : NULL;
	const struct http_server_options plain = { 0 };
	const struct http_server_options tls = { .tls_min_version = o->metrics_tls_min,
						 .tls_cipher_suites = &o->metrics_ciphers };

	if (!text_eq(o->metrics_bind, "0")) {
		d->metrics = make_server(d, path, o->secure_metrics ? &tls : &plain);
		if (o->secure_metrics && secure_metrics_server(d, err) < 0)
			return err_code(err);
		if (http_server_listen(d->metrics, o->metrics_bind, err) < 0)
			return err_code(err);
	}
	if (text_eq(o->health_bind, "0"))
		return 0;
	d->health = make_server(d, o->secure_metrics ? NULL : path, &plain);
	return http_server_listen(d->health, o->health_bind, err);
}

struct diagnostics *diagnostics_new(const struct diagnostics_source *source, const struct options *o, struct err *err)
{
	struct diagnostics *d = xcalloc(1, sizeof(*d));

	d->source = *source;
	sched_timer_init(&d->renewal, on_renewal, d);
	if (listen_all(d, o, err) == 0)
		return d;
	diagnostics_close(d);
	return NULL;
}

void diagnostics_close(struct diagnostics *d)
{
	if (!d)
		return;
	sched_disarm(&d->source.loop->sched, &d->renewal);
	if (d->metrics)
		http_server_close(d->metrics, 0);
	if (d->health)
		http_server_close(d->health, 0);
	http_text_unref(d->exposition);
	free(d);
}
