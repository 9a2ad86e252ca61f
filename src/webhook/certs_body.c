/*
 * What each step writes into the operator's own Secret: the whole object for its creation, else a merge patch. New
 * keys are made here.
 *
 * Happy path: certs_body() → the step's row in bodies[] → CA or certificate of net/certificate → keys of `data`.
 *
 * Failure modes: the CA does not sign (ERR_INVALID). The Secret was lost while its certificate is served: the same
 * content is written again. If it was deleted, the next CA is stored beside it at once, since whoever deletes the
 * Secret wants new keys.
 */
#include "certs_pass.h"

#include "base/text.h"
#include "base/time.h"

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
	const struct certs_step_facts *facts;
	const struct certs_rules *rules;
};

#define put_pair(b, keys, pair)                                                                                        \
	do {                                                                                                           \
		certs_material_put_text((b)->data, (keys).cert, (pair).cert);                                          \
		certs_material_put_text((b)->data, (keys).key, (pair).key);                                            \
	} while (0)

static const struct certificate_pair no_pair;

/* Makes a CA and a certificate of it. The time in the CA's name tells two of them apart in a bundle. */
static int make_pairs(const struct body *b, struct certificate_pair *ca, struct certificate_pair *server,
		      struct err *err)
{
	char time[TIME_TEXT_SIZE];
	auto_free char *name = xasprintf("Spark operator webhook CA %s", time_rfc3339(b->facts->wall_ms, time));

	if (certificate_make_ca(name, b->facts->wall_ms, b->rules->ca_life_ms, ca, err) < 0)
		return err_code(err);
	return certificate_make_server(ca, b->rules->names, b->facts->wall_ms, b->rules->cert_life_ms, server, err);
}

static void put_renewed(struct body *b)
{
	const struct certs_material *found = b->facts->found;

	if (found && found->renew)
		json_set_str(json_ensure_object(b->metadata, "annotations"), CERTS_RENEWED, found->renew);
}

static int put_next(struct body *b, struct err *err)
{
	struct certificate_pair ca = { 0 }, server = { 0 };
	int rc = make_pairs(b, &ca, &server, err);

	if (rc == 0) {
		put_pair(b, next_ca_keys, ca);
		put_pair(b, next_server_keys, server);
		put_renewed(b);
	}
	certificate_pair_done(&ca);
	certificate_pair_done(&server);
	return rc;
}

static int put_fresh(struct body *b, struct err *err)
{
	struct certs_material fresh = { 0 };
	int rc = make_pairs(b, &fresh.ca, &fresh.server, err);

	if (rc == 0) {
		certs_material_put(b->data, &fresh);
		put_renewed(b);
	}
	certificate_pair_done(&fresh.ca);
	certificate_pair_done(&fresh.server);
	return rc;
}

/* Whether what is served can be written as it is: it is whole and still valid. */
static bool can_restore(const struct body *b)
{
	const struct certs_material *served = b->facts->served;
	struct err ignored;

	return served && certificate_check_pair(&served->server, &ignored) == 0 &&
	       certificate_verify(served->server.cert, served->ca.cert, b->rules->names[0], b->facts->wall_ms,
				  &ignored) == 0;
}

static int fill_secret(struct body *b, struct err *err)
{
	if (!can_restore(b))
		return put_fresh(b, err);
	certs_material_put(b->data, b->facts->served);
	return 0;
}

/* A null removes a key by a merge patch, but means nothing in an object. */
static void drop_nulls(struct json *data)
{
	struct json *next;

	for (struct json *child = json_first(data); child; child = next) {
		next = json_next(child);
		if (json_is(child, JSON_NULL))
			json_remove(data, json_name(child));
	}
}

static int create_secret(struct body *b, struct err *err)
{
	int rc = fill_secret(b, err);

	if (rc == 0 && can_restore(b) && !b->facts->served->next_ca.cert)
		rc = put_next(b, err);
	drop_nulls(b->data);
	json_set_str(b->metadata, "name", b->rules->secret_name);
	json_set_str(b->metadata, "namespace", b->rules->secret_ns);
	json_set_str(json_ensure_object(b->metadata, "labels"), "app.kubernetes.io/managed-by", "spark-operator");
	return rc;
}

static int renew_server(struct body *b, struct err *err)
{
	struct certificate_pair server = { 0 };
	int rc = certificate_make_server(&b->facts->found->ca, b->rules->names, b->facts->wall_ms,
					 b->rules->cert_life_ms, &server, err);

	if (rc == 0)
		put_pair(b, server_keys, server);
	certificate_pair_done(&server);
	return rc;
}

static int switch_to_next(struct body *b, struct err *err)
{
	const struct certs_material *found = b->facts->found;

	(void)err;
	put_pair(b, ca_keys, found->next_ca);
	put_pair(b, server_keys, found->next_server);
	put_pair(b, next_ca_keys, no_pair);
	put_pair(b, next_server_keys, no_pair);
	certs_material_put_text(b->data, old_ca_key, found->ca.cert);
	return 0;
}

static int drop_old_ca(struct body *b, struct err *err)
{
	(void)err;
	certs_material_put_text(b->data, old_ca_key, NULL);
	return 0;
}

static int keep_served_ca(struct body *b, struct err *err)
{
	(void)err;
	certs_material_put_text(b->data, old_ca_key, b->facts->served->ca.cert);
	return 0;
}

typedef int body_fn(struct body *b, struct err *err);

static body_fn *const bodies[] = {
	[CERTS_STEP_CREATE] = create_secret, [CERTS_STEP_FILL] = fill_secret,	   [CERTS_STEP_RENEW] = renew_server,
	[CERTS_STEP_PUBLISH] = put_next,     [CERTS_STEP_SWITCH] = switch_to_next, [CERTS_STEP_DROP] = drop_old_ca,
	[CERTS_STEP_KEEP] = keep_served_ca,
};

struct json *certs_body(enum certs_step step, const struct certs_step_facts *facts, const struct certs_rules *rules,
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
