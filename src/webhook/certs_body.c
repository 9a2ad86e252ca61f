/*
 * What is written into the operator's own Secret, step by step: the whole object for its creation, a merge patch else. New keys are made here.
 *
 * A Secret that was lost while its certificate is served is written again as it was; one that was deleted gets the next CA beside it as
 * well, for whoever deletes it wants new keys. Failure modes: a CA that does not sign (ERR_INVALID).
 */
#include "base/text.h"
#include "certs_parts.h"

static const struct {
	const char *cert;
	const char *key;
} ca_keys = { "ca-cert.pem", "ca-key.pem" }, server_keys = { "server-cert.pem", "server-key.pem" },
  next_ca_keys = { "next-ca-cert.pem", "next-ca-key.pem" },
  next_server_keys = { "next-server-cert.pem", "next-server-key.pem" };
static const char old_ca_key[] = "old-ca-cert.pem";

struct body {
	struct json *data;
	struct json *metadata;
	const struct certs_facts *facts;
	const struct certs_rules *rules;
};

#define put_pair(b, keys, pair)                                                                                        \
	do {                                                                                                           \
		certs_put((b)->data, (keys).cert, (pair).cert);                                                        \
		certs_put((b)->data, (keys).key, (pair).key);                                                          \
	} while (0)

static const struct certificate_pair no_pair;

/* A CA and a certificate of it. Named after the time too: two of them are told apart in a bundle. */
static int make(const struct body *b, struct certificate_pair *ca, struct certificate_pair *server, struct err *err)
{
	char time[TIME_TEXT_SIZE];
	auto_free char *name = xasprintf("Spark operator webhook CA %s", time_rfc3339(b->facts->wall_ms, time));

	if (certificate_make_ca(name, b->facts->wall_ms, b->rules->ca_life_ms, ca, err) < 0)
		return err_code(err);
	return certificate_make_server(ca, b->rules->names, b->facts->wall_ms, b->rules->cert_life_ms, server, err);
}

static void remember_renewal(struct body *b)
{
	const struct certs_material *found = b->facts->found;

	if (found && found->renew)
		json_set_str(json_ensure_object(b->metadata, "annotations"), CERTS_RENEWED, found->renew);
}

static int put_next(struct body *b, struct err *err)
{
	struct certificate_pair ca = { 0 }, server = { 0 };
	int rc = make(b, &ca, &server, err);

	if (rc == 0) {
		put_pair(b, next_ca_keys, ca);
		put_pair(b, next_server_keys, server);
		remember_renewal(b);
	}
	certificate_pair_done(&ca);
	certificate_pair_done(&server);
	return rc;
}

static int put_fresh(struct body *b, struct err *err)
{
	struct certs_material fresh = { 0 };
	int rc = make(b, &fresh.ca, &fresh.server, err);

	if (rc == 0) {
		certs_put_material(b->data, &fresh);
		remember_renewal(b);
	}
	certificate_pair_done(&fresh.ca);
	certificate_pair_done(&fresh.server);
	return rc;
}

static bool can_restore(const struct body *b)
{
	const struct certs_material *served = b->facts->served;
	struct err err;

	return served && certificate_check_pair(&served->server, &err) == 0 &&
	       certificate_verify(served->server.cert, served->ca.cert, b->rules->names[0], b->facts->wall_ms, &err) ==
		   0;
}

static int fill(struct body *b, struct err *err)
{
	if (!can_restore(b))
		return put_fresh(b, err);
	certs_put_material(b->data, b->facts->served);
	return 0;
}

/* What a patch removes, an object simply does not have. */
static void drop_nulls(struct json *data)
{
	struct json *next;

	for (struct json *child = json_first(data); child; child = next) {
		next = json_next(child);
		if (json_is(child, JSON_NULL))
			json_remove(data, json_name(child));
	}
}

static int create(struct body *b, struct err *err)
{
	int rc = fill(b, err);

	if (rc == 0 && can_restore(b) && !b->facts->served->next_ca.cert)
		rc = put_next(b, err);
	drop_nulls(b->data);
	json_set_str(b->metadata, "name", b->rules->secret_name);
	json_set_str(b->metadata, "namespace", b->rules->secret_ns);
	json_set_str(json_ensure_object(b->metadata, "labels"), "app.kubernetes.io/managed-by", "spark-operator");
	return rc;
}

static int renew(struct body *b, struct err *err)
{
	struct certificate_pair server = { 0 };
	int rc = certificate_make_server(&b->facts->found->ca, b->rules->names, b->facts->wall_ms,
					 b->rules->cert_life_ms, &server, err);

	if (rc == 0)
		put_pair(b, server_keys, server);
	certificate_pair_done(&server);
	return rc;
}

static int switch_over(struct body *b, struct err *err)
{
	const struct certs_material *found = b->facts->found;

	(void)err;
	put_pair(b, ca_keys, found->next_ca);
	put_pair(b, server_keys, found->next_server);
	put_pair(b, next_ca_keys, no_pair);
	put_pair(b, next_server_keys, no_pair);
	certs_put(b->data, old_ca_key, found->ca.cert);
	return 0;
}

static int drop(struct body *b, struct err *err)
{
	(void)err;
	certs_put(b->data, old_ca_key, NULL);
	return 0;
}

static int keep(struct body *b, struct err *err)
{
	(void)err;
	certs_put(b->data, old_ca_key, b->facts->served->ca.cert);
	return 0;
}

typedef int body_fn(struct body *b, struct err *err);

static body_fn *const bodies[] = {
	[CERTS_STEP_CREATE] = create,	 [CERTS_STEP_FILL] = fill,	    [CERTS_STEP_RENEW] = renew,
	[CERTS_STEP_PUBLISH] = put_next, [CERTS_STEP_SWITCH] = switch_over, [CERTS_STEP_DROP] = drop,
	[CERTS_STEP_KEEP] = keep,
};

struct json *certs_body(enum certs_step step, const struct certs_facts *facts, const struct certs_rules *rules,
			struct err *err)
{
	auto_json tree = json_new_object();
	struct body b = { .facts = facts, .rules = rules };

	if (step == CERTS_STEP_CREATE) {
		json_set_str(tree, "apiVersion", "v1");
		json_set_str(tree, "kind", "Secret");
		json_set_str(tree, "type", "Opaque");
	}
	b.metadata = json_set(tree, "metadata", json_new_object());
	b.data = json_set(tree, "data", json_new_object());
	return bodies[step](&b, err) < 0 ? NULL : take_ptr(tree);
}
