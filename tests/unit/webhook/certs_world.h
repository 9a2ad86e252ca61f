/*
 * Replicas of the webhook's certificate on the fake API server, and the check that what each serves is trusted by the
 * configurations as they are at that moment. For test_certs.c and test_certs_faults.c.
 */
#ifndef TESTS_CERTS_WORLD_H
#define TESTS_CERTS_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "fake_kube.h"
#include "net/certificate.h"
#include "certs.h"
#include "json_text.h"

#define NAME	"hook.spark.svc"
#define MUTATES &resource_mutatingwebhook
#define SECRET	&resource_secret

static const int64_t wall0_ms = 1767323045000, second_ms = 1000, hour_ms = 3600 * 1000,
		     day_ms = INT64_C(24) * 3600 * 1000;

enum { REPLICAS = 3 };

struct fixture;

struct replica {
	struct fixture *f;
	struct certs *certs;
	struct metrics *metrics;
	char *cert;
	char *key;
	unsigned changes;
};

struct fixture {
	struct sched sched;
	struct fake_kube *fk;
	struct certs_options options;
	struct replica replicas[REPLICAS];
	struct buf log;
	bool watchful; /* from now on every certificate served has to be trusted */
	char *directory;
	bool refuses; /* on_certificate does */
};

static inline char *decoded(const struct json *value)
{
	size_t len;
	char *text = text_base64_decode(json_text(value, ""), &len);

	return text ? text : xstrdup("");
}

static inline bool trusts(const struct json *configuration, const char *cert, int64_t wall_ms)
{
	const char *last = NULL;
	struct err err;

	json_each (webhook, json_get(configuration, "webhooks")) {
		const char *encoded = json_str(webhook, "clientConfig.caBundle", "");
		auto_free char *bundle = decoded(json_at(webhook, "clientConfig.caBundle"));

		if (!text_eq(json_str(webhook, "clientConfig.service.name", "hook"), "hook") || text_eq(last, encoded))
			continue;
		if (certificate_verify(cert, bundle, NAME, wall_ms, &err) < 0)
			return false;
		last = encoded;
	}
	return true;
}

static const struct json *hooks(const struct fixture *f, const struct resource *res)
{
	return fake_kube_get(f->fk, res, NULL, "hooks");
}

static inline bool all_trust(const struct fixture *f, const char *cert)
{
	return trusts(hooks(f, MUTATES), cert, sched_wall(&f->sched)) &&
	       trusts(hooks(f, &resource_validatingwebhook), cert, sched_wall(&f->sched));
}

static inline void check(const struct fixture *f)
{
	for (size_t i = 0; i < REPLICAS && f->watchful; i++)
		if (f->replicas[i].cert && f->replicas[i].certs && !all_trust(f, f->replicas[i].cert))
			fail_msg("replica %zu serves what is not trusted at %lld", i, (long long)sched_now(&f->sched));
}

static inline void on_change(void *arg, const struct resource *res, const struct json *before, const struct json *now)
{
	(void)before;
	(void)now;
	if (res != SECRET)
		check(arg);
}

static inline int on_certificate(void *arg, const char *cert, const char *key, struct err *err)
{
	struct replica *r = arg;
	const struct certificate_pair pair = { (char *)cert, (char *)key };

	if (r->f->refuses)
		return err_set(err, ERR_INVALID, "refused by a test");
	assert_int_equal(certificate_check_pair(&pair, err), 0);
	free(r->cert);
	free(r->key);
	r->cert = xstrdup(cert);
	r->key = xstrdup(key);
	r->changes++;
	check(r->f);
	return 0;
}

static inline void on_log(void *arg, const char *line, size_t len)
{
	struct fixture *f = arg;

	buf_add(&f->log, line, len);
}

static inline int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	sched_init(&f->sched, 1000, wall0_ms, 1);
	f->fk = fake_kube_new(&f->sched, NULL);
	f->log.max = 16 << 20;
	f->options = (struct certs_options){
		.sched = &f->sched,
		.api = fake_kube_api(f->fk),
		.secret_ns = "spark",
		.secret_name = "certs",
		.service_ns = "spark",
		.service_name = "hook",
		.mutating_name = "hooks",
		.validating_name = "hooks",
		.inject_ca = true,
		.ca_life_ms = 365 * day_ms,
		.cert_life_ms = 90 * day_ms,
		.overlap_ms = 60 * second_ms,
		.on_certificate = on_certificate,
	};
	fake_kube_on_change(f->fk, on_change, f);
	log_set_sink(on_log, f);
	*state = f;
	return 0;
}

static inline void stop(struct fixture *f, size_t i)
{
	struct replica *r = &f->replicas[i];

	certs_free(take_ptr(r->certs));
	metrics_free(take_ptr(r->metrics));
	free(take_ptr(r->cert));
	free(take_ptr(r->key));
	r->changes = 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	log_set_sink(NULL, NULL);
	for (size_t i = 0; i < REPLICAS; i++)
		stop(f, i);
	fake_kube_free(f->fk);
	buf_done(&f->log);
	sched_done(&f->sched);
	if (f->directory) {
		static const char *const names[] = { "tls.crt", "tls.key", "ca.crt" };

		for (size_t i = 0; i < array_len(names); i++) {
			auto_free char *path = xasprintf("%s/%s", f->directory, names[i]);

			unlink(path);
		}
		rmdir(f->directory);
	}
	free(f->directory);
	free(f);
	return 0;
}

static inline void start(struct fixture *f, size_t i)
{
	struct replica *r = &f->replicas[i];
	struct certs_options options = f->options;

	r->f = f;
	r->metrics = metrics_new();
	options.metrics = r->metrics;
	options.arg = r;
	r->certs = certs_new(&options);
	certs_start(r->certs);
}

static inline void run(struct fixture *f, int64_t ms)
{
	fake_kube_run(f->fk, ms);
}

static inline struct json *json(const char *text)
{
	struct err err;
	struct json *v = json_parse(text, strlen(text), &err);

	assert_non_null(v);
	return v;
}

static inline void put_hooks(struct fixture *f)
{
	static const char text[] = JSON({
		"metadata" : { "name" : "hooks" },
		"webhooks" : [
			{ "name" : "a", "clientConfig" : { "service" : { "name" : "hook", "namespace" : "spark" } } }, {
				"name" : "b",
				"clientConfig" :
				    { "service" : { "name" : "hook", "namespace" : "spark", "port" : 443 } },
				"rules" : [1]
			},
			{
				"name" : "other",
				"clientConfig" :
				    { "service" : { "name" : "other", "namespace" : "spark" }, "caBundle" : "b3RoZXI=" }
			}
		]
	});

	fake_kube_put(f->fk, MUTATES, json(text));
	fake_kube_put(f->fk, &resource_validatingwebhook, json(text));
}

static const struct json *secret(const struct fixture *f)
{
	return fake_kube_get(f->fk, SECRET, "spark", "certs");
}

static inline char *held(const struct fixture *f, const char *key)
{
	return decoded(json_get(json_get(secret(f), "data"), key));
}

static inline bool holds(const struct fixture *f, const char *key)
{
	return json_get(json_get(secret(f), "data"), key);
}

static inline void assert_settled(struct fixture *f)
{
	auto_free char *cert = held(f, "server-cert.pem");
	const char *why = "?";

	assert_false(holds(f, "next-ca-cert.pem"));
	assert_false(holds(f, "old-ca-cert.pem"));
	for (size_t i = 0; i < REPLICAS; i++) {
		if (!f->replicas[i].certs)
			continue;
		if (!certs_trusted(f->replicas[i].certs, &why))
			fail_msg("replica %zu: %s", i, why);
		assert_string_equal(f->replicas[i].cert, cert);
	}
	assert_true(all_trust(f, cert));
	assert_string_equal(
	    json_str(json_find(json_get(hooks(f, MUTATES), "webhooks"), "name", "other"), "clientConfig.caBundle", ""),
	    "b3RoZXI=");
}

/* All three, settled, and from now on watched. */
static inline void start_all(struct fixture *f)
{
	put_hooks(f);
	for (size_t i = 0; i < REPLICAS; i++)
		start(f, i);
	run(f, 2 * second_ms);
	assert_settled(f);
	f->watchful = true;
}

static inline unsigned lines_with(const struct fixture *f, const char *text)
{
	unsigned count = 0;

	for (const char *at = buf_str(&f->log); (at = strstr(at, text)); at++)
		count++;
	return count;
}

static inline unsigned creations(const struct fixture *f)
{
	size_t len;
	const struct fake_write *w = fake_kube_writes(f->fk, &len);
	unsigned count = 0;

	for (size_t i = 0; i < len; i++)
		count += w[i].verb == VERB_CREATE && w[i].res == SECRET;
	return count;
}

/* Nothing is written while nothing changes. */
static inline void assert_quiet(struct fixture *f)
{
	unsigned before = fake_kube_write_count(f->fk);

	run(f, hour_ms);
	assert_int_equal(fake_kube_write_count(f->fk), before);
}

static inline void ask_for_renewal(struct fixture *f, const char *word)
{
	auto_free char *patch =
	    xasprintf("{\"metadata\": {\"annotations\": {\"sparkoperator.k8s.io/renew\": \"%s\"}}}", word);

	fake_kube_patch(f->fk, SECRET, "spark", "certs", patch);
}

static inline void put_pair(struct json *data, const char *cert_key, const char *key_key,
			    const struct certificate_pair *pair)
{
	auto_free char *cert = text_base64_encode(pair->cert, strlen(pair->cert));
	auto_free char *key = pair->key ? text_base64_encode(pair->key, strlen(pair->key)) : NULL;

	json_set_str(data, cert_key, cert);
	json_set_str(data, key_key, key);
}

/* A Secret with a CA of that age, as another program made it. */
static inline void put_secret(struct fixture *f, int64_t age_ms, int64_t life_ms, const char *name, bool ca_key)
{
	static const char text[] = JSON({ "metadata" : { "name" : "certs", "namespace" : "spark" }, "data" : {} });
	struct json *tree = json(text);
	const char *const names[] = { name, NULL };
	int64_t made_ms = sched_wall(&f->sched) - age_ms;
	struct certificate_pair ca = { 0 }, server = { 0 };
	struct err err;

	assert_int_equal(certificate_make_ca("theirs", made_ms, life_ms, &ca, &err), 0);
	assert_int_equal(certificate_make_server(&ca, names, made_ms, life_ms, &server, &err), 0);
	if (!ca_key)
		certificate_wipe(take_ptr(ca.key));
	put_pair(json_get(tree, "data"), "ca-cert.pem", "ca-key.pem", &ca);
	put_pair(json_get(tree, "data"), "server-cert.pem", "server-key.pem", &server);
	fake_kube_put(f->fk, SECRET, tree);
	certificate_pair_done(&ca);
	certificate_pair_done(&server);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#endif
