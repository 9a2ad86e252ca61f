/*
 * The pass: what is found in the source is compared with what is served and with what the API server trusts, as a
 * whole and each time anew.
 *
 * Happy path: the source holds a usable pair → it is served → every configuration gets its CA as caBundle → it is
 * trusted. For the operator's own Secret certs_decide() says in addition which step of its renewal is due.
 *
 * Failure modes: the source is empty or unusable: what is served stays, and so does its CA in caBundle. The source
 * holds a pair that is not trusted yet: what is served stays as long as it is trusted itself. A configuration does
 * not exist: it holds nothing up, but the certificate does not count as trusted. A configuration has not been
 * listed: nothing counts as trusted.
 */
#include "certs_pass.h"

#include <stdio.h>

#include "base/text.h"
#include "certs_trust.h"

enum { LONGEST_REST_MS = 12 * 3600 * 1000 };

struct pass {
	const struct certs_facts *facts;
	const struct certs_rules *rules;
	struct certs_actions *actions;
};

/* ---- trust ---- */

/* 0 if every configuration that exists trusts cert. Otherwise *err names one that does not, or that has not been
 * listed yet. */
static int check_all_trust(const struct pass *p, const char *cert, struct err *err)
{
	for (size_t i = 0; i < CERTS_CONFIGURATIONS; i++) {
		const struct certs_configuration *c = &p->facts->configurations[i];

		if (!c->name)
			continue;
		if (!c->listed)
			return err_set(err, ERR_BUSY, "%s %s has not been read yet: %s", c->kind, c->name, c->problem);
		if (certs_trust_check(c->tree, cert, p->rules, p->facts->wall_ms, err) < 0)
			return err_wrap(err, "%s %s", c->kind, c->name);
	}
	return 0;
}

static bool is_trusted(const struct pass *p, const struct certificate_pair *server)
{
	struct err ignored;

	return check_all_trust(p, server->cert, &ignored) == 0;
}

static bool has_urls(const struct json *configuration)
{
	json_each (webhook, json_get(configuration, "webhooks"))
		if (json_at(webhook, "clientConfig.url"))
			return true;
	return false;
}

/* 0 if what is served is trusted by configurations that do call it. */
static int check_served(const struct pass *p, struct err *err)
{
	static const char hint[] = ", and none whose url has the host of --webhook-url";
	const struct certs_material *served = p->actions->serve, *found = p->facts->found;

	if (!served && found && found->server.cert && found->server.key &&
	    certs_memo_check_serving(p->rules->memo, &found->server, err) < 0)
		return err_wrap(err, "the certificate in %s cannot be served", p->rules->source);
	if (!served)
		return err_set(err, ERR_BUSY, "no certificate in %s yet: %s", p->rules->source, p->facts->problem);
	if (check_all_trust(p, served->server.cert, err) < 0)
		return err_code(err);
	for (size_t i = 0; i < CERTS_CONFIGURATIONS; i++) {
		const struct certs_configuration *c = &p->facts->configurations[i];

		if (c->name && certs_trust_check(c->tree, served->server.cert, p->rules, p->facts->wall_ms, err) == 0)
			return err_set(err, ERR_BUSY, "%s %s has no webhook of service %s/%s%s", c->kind, c->name,
				       p->rules->service_ns, p->rules->service_name, has_urls(c->tree) ? hint : "");
	}
	return 0;
}

static void judge_trust(struct pass *p)
{
	struct err err = { 0 };

	p->actions->trusted = check_served(p, &err) == 0;
	snprintf(p->actions->why, sizeof(p->actions->why), "%s", err.msg);
}

/* ---- the phase ---- */

static enum certs_state find_state(const struct pass *p)
{
	struct err ignored;

	/* What others keep has no steps. */
	return p->rules->is_own ? certs_state(p->facts->found, p->rules, p->facts->wall_ms, &ignored) : CERTS_CURRENT;
}

/* Owned. While the source is of no use, the CA of what is served stays trusted. */
static char *find_bundle(const struct pass *p, enum certs_state state)
{
	const struct certs_material *found = p->facts->found, *served = p->facts->served;
	const struct certs_material *source = state >= CERTS_LEAFLESS && found ? found : served;

	return source ? certs_material_bundle(source, p->rules->memo) : xstrdup("");
}

/* Whether nobody would notice if the next certificate were served from now on. */
static bool is_published(const struct pass *p, enum certs_state state)
{
	const struct certs_material *found = p->facts->found;

	if (!found || state < CERTS_CURRENT || !is_trusted(p, &found->server))
		return false;
	return state != CERTS_NEXT || !found->next_server.cert || is_trusted(p, &found->next_server);
}

static void find_phase(struct pass *p)
{
	const struct certs_phase *last = p->facts->phase;
	struct certs_phase *now = &p->actions->phase;

	now->state = find_state(p);
	now->bundle = find_bundle(p, now->state);
	now->published = is_published(p, now->state);
	if (now->state == last->state && now->published == last->published && text_eq(now->bundle, last->bundle))
		now->since_ms = last->since_ms;
	else
		now->since_ms = p->facts->now_ms;
}

static void keep_phase(struct pass *p)
{
	p->actions->phase = *p->facts->phase;
	p->actions->phase.bundle = xstrdup(p->facts->phase->bundle);
}

/* ---- what is served ---- */

static bool is_usable(const struct pass *p)
{
	const struct certs_material *found = p->facts->found;
	struct err ignored;

	if (p->rules->is_own)
		return p->actions->phase.state >= CERTS_CURRENT;
	return found && certs_memo_check_serving(p->rules->memo, &found->server, &ignored) == 0;
}

static bool is_still_trusted(const struct pass *p)
{
	return is_trusted(p, &p->facts->served->server);
}

/* A certificate that is trusted is not given up for one that is not trusted yet. */
static const struct certs_material *choose_served(const struct pass *p)
{
	const struct certs_material *found = p->facts->found, *served = p->facts->served;

	if (!is_usable(p))
		return served;
	if (!served || text_eq(served->server.cert, found->server.cert))
		return found;
	if (is_trusted(p, &found->server))
		return found;
	return is_still_trusted(p) ? served : found;
}

/* ---- what is done ---- */

static void pass_again_in(struct pass *p, int64_t delay_ms)
{
	if (delay_ms < p->actions->again_ms)
		p->actions->again_ms = delay_ms;
}

static void choose_step(struct pass *p)
{
	const struct certs_phase *phase = &p->actions->phase;
	const struct certs_step_facts facts = {
		.found = p->facts->found,
		.served = p->actions->serve,
		.published = phase->published,
		.stable_ms = p->facts->now_ms - phase->since_ms,
		.wall_ms = p->facts->wall_ms,
	};
	struct certs_decision decision;

	if (!p->rules->is_own)
		return;
	certs_decide(phase->state, &facts, p->rules, &decision);
	p->actions->step = decision.step;
	snprintf(p->actions->because, sizeof(p->actions->because), "%s", decision.because);
	if (decision.step == CERTS_STEP_NONE)
		pass_again_in(p, decision.again_ms);
}

/* Not before the Secret keeps the CA of what is served: the bundle of the Secret as it is would end the trust in it. */
static bool may_inject(const struct pass *p)
{
	return p->rules->inject_ca && p->actions->phase.bundle[0] && p->actions->step != CERTS_STEP_KEEP;
}

/* When the certificate that is served begins or ceases to be valid, trust in it changes. */
static void watch_validity(struct pass *p)
{
	const struct certs_material *served = p->actions->serve;
	int64_t from_ms, until_ms, wall_ms = p->facts->wall_ms;
	struct err ignored;

	if (!served || certs_memo_validity(p->rules->memo, served->server.cert, &from_ms, &until_ms, &ignored) < 0)
		return;
	if (from_ms > wall_ms)
		pass_again_in(p, from_ms - wall_ms);
	if (until_ms + 1000 > wall_ms)
		pass_again_in(p, until_ms + 1000 - wall_ms);
}

void certs_pass(const struct certs_facts *facts, const struct certs_rules *rules, struct certs_actions *ret)
{
	struct pass p = { facts, rules, ret };

	*ret = (struct certs_actions){ .serve = facts->served, .again_ms = LONGEST_REST_MS };
	if (facts->listed) {
		find_phase(&p);
		ret->serve = choose_served(&p);
		choose_step(&p);
		ret->inject = may_inject(&p);
		watch_validity(&p);
	} else {
		keep_phase(&p);
	}
	judge_trust(&p);
}

void certs_actions_done(struct certs_actions *actions)
{
	free(actions->phase.bundle);
}
