/*
 * What is to be done about the operator's own Secret: its state, and for each state the next step. Pure; the clock comes with the facts.
 *
 *   MISSING, UNUSABLE ──CREATE, FILL──▶ CURRENT ──PUBLISH──▶ NEXT ──SWITCH──▶ SWITCHED ──DROP──▶ CURRENT
 *   LEAFLESS ──RENEW──▶                   └─ RENEW: the certificate alone, of the same CA
 *
 * A serving certificate is renewed at two thirds of its life, and since the CA stays, at once. A CA is renewed at two thirds of its
 * own, or when a person asks for it by an annotation, and then every webhook configuration has to trust both before the switch.
 * Failure modes of the Secret: it was deleted or its content destroyed while a certificate is served: that one is put back, for no other
 * is trusted; somebody put another CA in: the one that is served stays trusted as the old one.
 */
#include <stdio.h>

#include "base/text.h"
#include "certs_parts.h"

enum {
	/* With the release everything goes, the Secret first: it must not come back because a pod is slower to end. */
	RESTORE_MS = 30 * 1000,
};

/* ---- what is there ---- */

static const char *dns_name(const struct certs_rules *rules)
{
	return rules->names[0];
}

static int check_leaf(const struct certificate_pair *leaf, const char *ca, const struct certs_rules *rules,
		      int64_t wall_ms, struct err *err)
{
	if (certs_memo_check_pair(rules->memo, leaf, err) < 0)
		return err_code(err);
	return certs_memo_verify(rules->memo, leaf->cert, ca, dns_name(rules), wall_ms, err);
}

static int64_t end_of(const char *cert, const struct certs_rules *rules)
{
	int64_t from_ms, until_ms;
	struct err err;

	return certs_memo_validity(rules->memo, cert, &from_ms, &until_ms, &err) < 0 ? 0 : until_ms;
}

static bool signs(const struct certificate_pair *ca, const struct certs_rules *rules, int64_t wall_ms)
{
	struct err err;

	return certs_memo_check_pair(rules->memo, ca, &err) == 0 && end_of(ca->cert, rules) > wall_ms;
}

/* Two thirds of its life, or of the life it would get now if that is shorter: what the existing operator left lives ten years. */
static int64_t due_of(const char *cert, int64_t life_ms, const struct certs_rules *rules)
{
	int64_t from_ms = 0, until_ms = 0, has_ms;
	struct err err;

	if (certs_memo_validity(rules->memo, cert, &from_ms, &until_ms, &err) < 0)
		return 0;
	from_ms += CERTIFICATE_SKEW_MS;
	has_ms = until_ms > from_ms ? until_ms - from_ms : 0;
	if (has_ms > life_ms)
		has_ms = life_ms;
	return from_ms + has_ms * 2 / 3 * (1000 - rules->jitter) / 1000;
}

enum certs_state certs_state(const struct certs_material *m, const struct certs_rules *rules, int64_t wall_ms,
			     struct err *why)
{
	if (!m)
		return CERTS_MISSING;
	if (check_leaf(&m->server, m->ca.cert, rules, wall_ms, why) < 0)
		return signs(&m->ca, rules, wall_ms) ? CERTS_LEAFLESS : CERTS_UNUSABLE;
	if (m->next_ca.cert)
		return CERTS_NEXT;
	return m->old_ca ? CERTS_SWITCHED : CERTS_CURRENT;
}

/* ---- steps ---- */

struct question {
	const struct certs_facts *facts;
	const struct certs_rules *rules;
	struct certs_decision *ret;
};

static void step(struct question *q, enum certs_step what, const char *why)
{
	q->ret->step = what;
	snprintf(q->ret->why, sizeof(q->ret->why), "%s", why);
}

static void look_at(struct question *q, int64_t wall_ms)
{
	int64_t delay_ms = wall_ms > q->facts->wall_ms ? wall_ms - q->facts->wall_ms : 0;

	if (delay_ms < q->ret->look_ms)
		q->ret->look_ms = delay_ms;
}

static bool serves_well(const struct question *q)
{
	const struct certs_material *served = q->facts->served;
	struct err err;

	return served && check_leaf(&served->server, served->ca.cert, q->rules, q->facts->wall_ms, &err) == 0;
}

static void on_missing(struct question *q)
{
	if (!serves_well(q))
		step(q, CERTS_STEP_CREATE, "there was none");
	else if (q->facts->stable_ms >= RESTORE_MS)
		step(q, CERTS_STEP_CREATE, "it was deleted");
	else
		look_at(q, q->facts->wall_ms + RESTORE_MS - q->facts->stable_ms);
}

static void on_unusable(struct question *q)
{
	struct err why = { 0 };

	certs_state(q->facts->found, q->rules, q->facts->wall_ms, &why);
	step(q, CERTS_STEP_FILL, why.msg);
}

static void on_leafless(struct question *q)
{
	struct err why = { 0 };

	certs_state(q->facts->found, q->rules, q->facts->wall_ms, &why);
	step(q, CERTS_STEP_RENEW, why.msg);
}

/* The CA signs no certificate that would last longer than this one when its own end is near. */
static bool renewal_helps(const struct question *q)
{
	const struct certs_material *m = q->facts->found;

	return signs(&m->ca, q->rules, q->facts->wall_ms) &&
	       end_of(m->ca.cert, q->rules) > end_of(m->server.cert, q->rules);
}

/* True if the serving certificate is renewed next. */
static bool renew_leaf(struct question *q)
{
	const struct certs_material *m = q->facts->found;
	int64_t due_ms = due_of(m->server.cert, q->rules->cert_life_ms, q->rules);

	if (!renewal_helps(q))
		return false;
	if (q->facts->wall_ms >= due_ms)
		step(q, CERTS_STEP_RENEW, "two thirds of its life are over");
	else
		look_at(q, due_ms);
	return q->ret->step != CERTS_STEP_NONE;
}

/* Two thirds of a CA that cannot sign are over when those of its last certificate are. */
static void on_current(struct question *q)
{
	const struct certs_material *m = q->facts->found;
	int64_t due_ms = due_of(m->ca.cert, q->rules->ca_life_ms, q->rules);

	if (!renewal_helps(q)) {
		int64_t leaf_ms = due_of(m->server.cert, q->rules->cert_life_ms, q->rules);

		due_ms = leaf_ms < due_ms ? leaf_ms : due_ms;
	}
	look_at(q, due_ms);
	if (m->renew && !text_eq(m->renew, m->renewed))
		step(q, CERTS_STEP_PUBLISH, "asked for by annotation " CERTS_RENEW);
	else if (q->facts->wall_ms >= due_ms)
		step(q, CERTS_STEP_PUBLISH, "two thirds of the CA's life are over");
	else
		renew_leaf(q);
}

static bool is_next_good(const struct question *q)
{
	const struct certs_material *m = q->facts->found;
	struct err err;

	return check_leaf(&m->next_server, m->next_ca.cert, q->rules, q->facts->wall_ms, &err) == 0 &&
	       signs(&m->next_ca, q->rules, q->facts->wall_ms) &&
	       q->facts->wall_ms < due_of(m->next_server.cert, q->rules->cert_life_ms, q->rules);
}

/* True if what was waited for has lasted for the overlap. */
static bool is_over(struct question *q)
{
	int64_t left_ms = q->rules->overlap_ms - q->facts->stable_ms;

	if (!q->facts->published)
		return false;
	if (left_ms > 0)
		look_at(q, q->facts->wall_ms + left_ms);
	return left_ms <= 0;
}

static void on_next(struct question *q)
{
	if (!is_next_good(q))
		step(q, CERTS_STEP_PUBLISH, "what was to be next is of no use");
	else if (is_over(q))
		step(q, CERTS_STEP_SWITCH, "the next CA is trusted everywhere");
	else
		renew_leaf(q);
}

static void on_switched(struct question *q)
{
	if (is_over(q))
		step(q, CERTS_STEP_DROP, "nothing is served of the old CA any more");
	else
		renew_leaf(q);
}

/* Whether what is served by now is of a CA that the Secret knows nothing of. */
static bool is_abandoned(const struct question *q)
{
	const struct certs_material *served = q->facts->served, *m = q->facts->found;

	return serves_well(q) && !text_eq(served->ca.cert, m->ca.cert) && !text_eq(served->ca.cert, m->next_ca.cert) &&
	       !text_eq(served->ca.cert, m->old_ca);
}

typedef void step_fn(struct question *q);

static step_fn *const steps[] = {
	[CERTS_MISSING] = on_missing, [CERTS_UNUSABLE] = on_unusable, [CERTS_LEAFLESS] = on_leafless,
	[CERTS_CURRENT] = on_current, [CERTS_NEXT] = on_next,	      [CERTS_SWITCHED] = on_switched,
};

void certs_decide(enum certs_state state, const struct certs_facts *facts, const struct certs_rules *rules,
		  struct certs_decision *ret)
{
	struct question q = { facts, rules, ret };

	*ret = (struct certs_decision){ .look_ms = INT64_MAX };
	if (state >= CERTS_LEAFLESS && is_abandoned(&q))
		step(&q, CERTS_STEP_KEEP, "another CA was put in");
	else
		steps[state](&q);
}
