/*
 * What is to be done about the operator's own Secret: its state, and for each state the next step. Pure: the time
 * comes with the facts.
 *
 *   MISSING, UNUSABLE ──CREATE, FILL──▶ CURRENT ──PUBLISH──▶ NEXT ──SWITCH──▶ SWITCHED ──DROP──▶ CURRENT
 *   LEAFLESS ──RENEW──▶                   └─ RENEW: the certificate alone, of the same CA
 *
 * Happy path: a serving certificate is renewed at two thirds of its life, and since its CA stays, it is served at
 * once. A CA is renewed at two thirds of its own life, or when a person asks for it by an annotation. Every
 * configuration then has to trust both CAs before the next certificate is served.
 *
 * Failure modes: the Secret was deleted or its content destroyed while a certificate is served: the same
 * certificate is put back, since the API server trusts no other. Somebody put another CA in: the CA of what is
 * served stays trusted as the old one.
 */
#include "certs_pass.h"

#include <stdio.h>

#include "base/text.h"

enum {
	/* When a release is uninstalled, the Secret may be deleted before the last pod ends. That pod must not
	 * create it again. */
	RESTORE_MS = 30 * 1000,
};

/* ---- what the Secret holds ---- */

/* 0 if the pair can be served: TLS takes it, and the certificate verifies with ca, for the host of --webhook-url
 * too. */
static int check_server(const struct certificate_pair *server, const char *ca, const struct certs_rules *rules,
			int64_t wall_ms, struct err *err)
{
	if (certs_memo_check_serving(rules->memo, server, err) < 0 ||
	    certs_memo_verify(rules->memo, server->cert, ca, rules->names[0], wall_ms, err) < 0)
		return err_code(err);
	return rules->url_host ? certs_memo_verify(rules->memo, server->cert, ca, rules->url_host, wall_ms, err) : 0;
}

/* When it ceases to be valid; 0 if it cannot be read. */
static int64_t end_of_validity(const char *cert, const struct certs_rules *rules)
{
	int64_t from_ms, until_ms;
	struct err ignored;

	return certs_memo_validity(rules->memo, cert, &from_ms, &until_ms, &ignored) < 0 ? 0 : until_ms;
}

static bool can_sign(const struct certificate_pair *ca, const struct certs_rules *rules, int64_t wall_ms)
{
	struct err ignored;

	return certs_memo_check_pair(rules->memo, ca, &ignored) == 0 && end_of_validity(ca->cert, rules) > wall_ms;
}

/* When two thirds of its life are over; 0 if it cannot be read. A certificate of kubeflow's operator lives ten
 * years: it is renewed as if it had been made for life_ms. */
static int64_t renewal_due(const char *cert, int64_t life_ms, const struct certs_rules *rules)
{
	int64_t from_ms = 0, until_ms = 0, lives_ms;
	struct err ignored;

	if (certs_memo_validity(rules->memo, cert, &from_ms, &until_ms, &ignored) < 0)
		return 0;
	from_ms += CERTIFICATE_SKEW_MS;
	lives_ms = until_ms > from_ms ? until_ms - from_ms : 0;
	if (lives_ms > life_ms)
		lives_ms = life_ms;
	return from_ms + lives_ms * 2 / 3 * (1000 - rules->jitter) / 1000;
}

enum certs_state certs_state(const struct certs_material *m, const struct certs_rules *rules, int64_t wall_ms,
			     struct err *why)
{
	if (!m)
		return CERTS_MISSING;
	if (check_server(&m->server, m->ca.cert, rules, wall_ms, why) < 0)
		return can_sign(&m->ca, rules, wall_ms) ? CERTS_LEAFLESS : CERTS_UNUSABLE;
	if (m->next_ca.cert)
		return CERTS_NEXT;
	return m->old_ca ? CERTS_SWITCHED : CERTS_CURRENT;
}

/* ---- steps ---- */

struct choice {
	const struct certs_step_facts *facts;
	const struct certs_rules *rules;
	struct certs_decision *ret;
};

static void take_step(struct choice *c, enum certs_step step, const char *because)
{
	c->ret->step = step;
	snprintf(c->ret->because, sizeof(c->ret->because), "%s", because);
}

static void decide_again_at(struct choice *c, int64_t wall_ms)
{
	int64_t delay_ms = wall_ms > c->facts->wall_ms ? wall_ms - c->facts->wall_ms : 0;

	if (delay_ms < c->ret->again_ms)
		c->ret->again_ms = delay_ms;
}

static bool serves_a_valid_pair(const struct choice *c)
{
	const struct certs_material *served = c->facts->served;
	struct err ignored;

	return served && check_server(&served->server, served->ca.cert, c->rules, c->facts->wall_ms, &ignored) == 0;
}

static void on_missing(struct choice *c)
{
	if (!serves_a_valid_pair(c))
		take_step(c, CERTS_STEP_CREATE, "there was none");
	else if (c->facts->stable_ms >= RESTORE_MS)
		take_step(c, CERTS_STEP_CREATE, "it was deleted");
	else
		decide_again_at(c, c->facts->wall_ms + RESTORE_MS - c->facts->stable_ms);
}

static void on_unusable(struct choice *c)
{
	struct err why = { 0 };

	certs_state(c->facts->found, c->rules, c->facts->wall_ms, &why);
	take_step(c, CERTS_STEP_FILL, why.msg);
}

static void on_leafless(struct choice *c)
{
	struct err why = { 0 };

	certs_state(c->facts->found, c->rules, c->facts->wall_ms, &why);
	take_step(c, CERTS_STEP_RENEW, why.msg);
}

/* A certificate ends when its CA does. So another one of the same CA helps only if the CA lives longer than the
 * present one. */
static bool renewal_helps(const struct choice *c)
{
	const struct certs_material *m = c->facts->found;

	return can_sign(&m->ca, c->rules, c->facts->wall_ms) &&
	       end_of_validity(m->ca.cert, c->rules) > end_of_validity(m->server.cert, c->rules);
}

static void renew_server_when_due(struct choice *c)
{
	int64_t due_ms = renewal_due(c->facts->found->server.cert, c->rules->cert_life_ms, c->rules);

	if (!renewal_helps(c))
		return;
	if (c->facts->wall_ms >= due_ms)
		take_step(c, CERTS_STEP_RENEW, "two thirds of its life are over");
	else
		decide_again_at(c, due_ms);
}

/* If the CA can renew the serving certificate no more, a new CA is due when that renewal would be. */
static int64_t ca_renewal_due(const struct choice *c)
{
	const struct certs_material *m = c->facts->found;
	int64_t ca_ms = renewal_due(m->ca.cert, c->rules->ca_life_ms, c->rules), server_ms;

	if (renewal_helps(c))
		return ca_ms;
	server_ms = renewal_due(m->server.cert, c->rules->cert_life_ms, c->rules);
	return server_ms < ca_ms ? server_ms : ca_ms;
}

static void on_current(struct choice *c)
{
	const struct certs_material *m = c->facts->found;
	int64_t due_ms = ca_renewal_due(c);

	decide_again_at(c, due_ms);
	if (m->renew && !text_eq(m->renew, m->renewed))
		take_step(c, CERTS_STEP_PUBLISH, "asked for by annotation " CERTS_RENEW);
	else if (c->facts->wall_ms >= due_ms)
		take_step(c, CERTS_STEP_PUBLISH, "two thirds of the CA's life are over");
	else
		renew_server_when_due(c);
}

static bool is_next_usable(const struct choice *c)
{
	const struct certs_material *m = c->facts->found;
	struct err ignored;

	return check_server(&m->next_server, m->next_ca.cert, c->rules, c->facts->wall_ms, &ignored) == 0 &&
	       can_sign(&m->next_ca, c->rules, c->facts->wall_ms) &&
	       c->facts->wall_ms < renewal_due(m->next_server.cert, c->rules->cert_life_ms, c->rules);
}

/* Whether the phase has been published and unchanged for the overlap: every API server has read the configurations
 * by then. */
static bool is_overlap_over(struct choice *c)
{
	int64_t left_ms = c->rules->overlap_ms - c->facts->stable_ms;

	if (!c->facts->published)
		return false;
	if (left_ms > 0)
		decide_again_at(c, c->facts->wall_ms + left_ms);
	return left_ms <= 0;
}

static void on_next(struct choice *c)
{
	if (!is_next_usable(c))
		take_step(c, CERTS_STEP_PUBLISH, "the next CA and certificate cannot be used");
	else if (is_overlap_over(c))
		take_step(c, CERTS_STEP_SWITCH, "the next CA is trusted everywhere");
	else
		renew_server_when_due(c);
}

static void on_switched(struct choice *c)
{
	if (is_overlap_over(c))
		take_step(c, CERTS_STEP_DROP, "no certificate of the old CA is served any more");
	else
		renew_server_when_due(c);
}

/* Whether what is served is of a CA that the Secret does not have: the bundle of the Secret would end the trust in
 * it. */
static bool is_served_ca_lost(const struct choice *c)
{
	const struct certs_material *served = c->facts->served, *m = c->facts->found;

	return serves_a_valid_pair(c) && !text_eq(served->ca.cert, m->ca.cert) &&
	       !text_eq(served->ca.cert, m->next_ca.cert) && !text_eq(served->ca.cert, m->old_ca);
}

typedef void choose_fn(struct choice *c);

static choose_fn *const choices[] = {
	[CERTS_MISSING] = on_missing, [CERTS_UNUSABLE] = on_unusable, [CERTS_LEAFLESS] = on_leafless,
	[CERTS_CURRENT] = on_current, [CERTS_NEXT] = on_next,	      [CERTS_SWITCHED] = on_switched,
};

void certs_decide(enum certs_state state, const struct certs_step_facts *facts, const struct certs_rules *rules,
		  struct certs_decision *ret)
{
	struct choice c = { facts, rules, ret };

	*ret = (struct certs_decision){ .again_ms = INT64_MAX };
	if (state >= CERTS_LEAFLESS && is_served_ca_lost(&c))
		take_step(&c, CERTS_STEP_KEEP, "somebody put another CA into the Secret");
	else
		choices[state](&c);
}
