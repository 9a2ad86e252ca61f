/*
 * The pass over the webhook's certificate as a table: facts → actions. Each row says what the source holds, what is
 * served, which CAs both configurations trust and since when; and what is then to be done, in one line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"
#include "certs_pass.h"

static const int64_t made_ms = 1767323045000; /* day 0, when most of the certificates were made */

enum { SECOND = 1000, DAY = 24 * 3600 * SECOND };

/* ---- material ---- */

/* CAs A and B, certificates of them. */
static struct certificate_pair ca_a, ca_b, server_a, server_b, server_a_day_50, server_a_day_200, server_elsewhere;

static const char *const names[] = { "hook.spark.svc", NULL };
static struct certs_memo *memo;
static char no_bundle[] = "", now[] = "now", before[] = "before";

/* What a source may hold. */
static struct certs_material of_a, of_a_day_50, of_a_day_200, of_a_without_key, of_a_asked, of_a_answered, of_b;
static struct certs_material empty, only_ca, of_elsewhere, next, next_broken, switched;

static int64_t day(int n)
{
	return made_ms + n * (int64_t)DAY;
}

static void make_server(const struct certificate_pair *ca, const char *name, int made_day, struct certificate_pair *ret)
{
	const char *const server_names[] = { name, NULL };
	struct err err;

	assert_int_equal(certificate_make_server(ca, server_names, day(made_day), 90 * (int64_t)DAY, ret, &err), 0);
}

static int make_material(void **state)
{
	struct err err;

	(void)state;
	memo = certs_memo_new();
	assert_int_equal(certificate_make_ca("A", made_ms, 365 * (int64_t)DAY, &ca_a, &err), 0);
	assert_int_equal(certificate_make_ca("B", made_ms, 365 * (int64_t)DAY, &ca_b, &err), 0);
	make_server(&ca_a, names[0], 0, &server_a);
	make_server(&ca_a, names[0], 50, &server_a_day_50);
	make_server(&ca_a, names[0], 200, &server_a_day_200);
	make_server(&ca_a, "elsewhere", 0, &server_elsewhere);
	make_server(&ca_b, names[0], 0, &server_b);
	of_a = (struct certs_material){ .ca = ca_a, .server = server_a };
	of_a_day_50 = (struct certs_material){ .ca = ca_a, .server = server_a_day_50 };
	of_a_day_200 = (struct certs_material){ .ca = ca_a, .server = server_a_day_200 };
	of_a_without_key = (struct certs_material){ .ca = { ca_a.cert, NULL }, .server = server_a };
	of_a_asked = (struct certs_material){ .ca = ca_a, .server = server_a, .renew = now, .renewed = before };
	of_a_answered = (struct certs_material){ .ca = ca_a, .server = server_a, .renew = now, .renewed = now };
	of_b = (struct certs_material){ .ca = ca_b, .server = server_b };
	only_ca = (struct certs_material){ .ca = ca_a };
	of_elsewhere = (struct certs_material){ .ca = ca_a, .server = server_elsewhere };
	next = (struct certs_material){ .ca = ca_a, .server = server_a, .next_ca = ca_b, .next_server = server_b };
	next_broken = (struct certs_material){ .ca = ca_a, .server = server_a, .next_ca = ca_b };
	switched = (struct certs_material){ .ca = ca_b, .server = server_b, .old_ca = ca_a.cert };
	return 0;
}

static int drop_material(void **state)
{
	struct certificate_pair *const pairs[] = {
		&ca_a, &ca_b, &server_a, &server_b, &server_a_day_50, &server_a_day_200, &server_elsewhere
	};

	(void)state;
	for (size_t i = 0; i < array_len(pairs); i++)
		certificate_pair_done(pairs[i]);
	certs_memo_free(memo);
	return 0;
}

/* ---- facts ---- */

/* Which CAs a configuration trusts. */
#define NO_NAME NULL /* there is no configuration to look after */
#define ABSENT	"-"  /* it does not exist */
#define UNKNOWN "?"  /* nobody knows whether it exists */
#define NOBODY	""
#define A	"A"
#define B	"B"
#define A_AND_B "AB"

enum source { OWN, UNLISTED /* as OWN, but the Secret has not been listed yet */, CERT_MANAGER, DIRECTORY };

struct row {
	const char *what;
	enum source source;
	const struct certs_material *found;
	const struct certs_material *served;
	const char *mutating; /* trusts these CAs */
	const char *validating;
	double day;
	int stable_s;	  /* for so long all of that has been as it is */
	const char *want; /* the actions in one line; * stands for any text */
};

static const struct row rows[] = {
	{ "nothing is known yet", UNLISTED, NULL, NULL, UNKNOWN, UNKNOWN, 0, 0,
	  "serve nothing; again in 12 h; not trusted: no certificate in spark/certs yet: no reply" },
	{ "there is no Secret", OWN, NULL, NULL, NOBODY, NOBODY, 0, 0,
	  "serve nothing; CREATE: there was none; again in 12 h; not trusted: no certificate in spark/certs yet: no "
	  "reply" },
	{ "the Secret is empty", OWN, &empty, NULL, NOBODY, NOBODY, 0, 0,
	  "serve nothing; FILL: *; again in 12 h; not trusted: no certificate *" },
	{ "the Secret has a CA only", OWN, &only_ca, NULL, NOBODY, NOBODY, 0, 0,
	  "serve nothing; RENEW: *; inject A; again in 12 h; not trusted: no certificate *" },
	{ "the certificate is for another name", OWN, &of_elsewhere, NULL, NOBODY, NOBODY, 0, 0,
	  "serve nothing; RENEW: *name*; inject A; again in 12 h; not trusted: no certificate *" },
	{ "the first certificate is served though nobody trusts it", OWN, &of_a, NULL, NOBODY, NOBODY, 0, 0,
	  "serve found; inject A; again in 12 h; not trusted: Mutating hooks: webhook a: caBundle is empty" },
	{ "one configuration trusts it", OWN, &of_a, &of_a, A, NOBODY, 0, 0,
	  "serve found; inject A; again in 12 h; not trusted: Validating hooks: webhook a: caBundle is empty" },
	{ "both configurations trust it", OWN, &of_a, &of_a, A, A, 0, 0,
	  "serve found; inject A; again in 12 h; trusted" },
	{ "a configuration does not exist", OWN, &of_a, &of_a, A, ABSENT, 0, 0,
	  "serve found; inject A; again in 12 h; not trusted: Validating hooks has no webhook of service spark/hook" },
	{ "a configuration has not been listed", OWN, &of_a, &of_a, A, UNKNOWN, 0, 0,
	  "serve found; inject A; again in 12 h; not trusted: Validating hooks has not been read yet: denied" },
	{ "there are no configurations to look after", OWN, &of_a, &of_a, NO_NAME, NO_NAME, 0, 0,
	  "serve found; inject A; again in 12 h; trusted" },

	/* Two thirds of the certificate's 90 days. */
	{ "the certificate is due tomorrow", OWN, &of_a, &of_a, A, A, 59, 0,
	  "serve found; inject A; again in 12 h; trusted" },
	{ "the certificate is due", OWN, &of_a, &of_a, A, A, 60, 0,
	  "serve found; RENEW: two thirds of its life are over; inject A; again in 12 h; trusted" },
	{ "the certificate was renewed", OWN, &of_a_day_50, &of_a, A, A, 60, 0,
	  "serve found; inject A; again in 12 h; trusted" },
	{ "the certificate has expired", OWN, &of_a, &of_a, A, A, 91, 0,
	  "serve found; RENEW: *expired*; inject A; again in 12 h; not trusted: *expired*" },

	/* Two thirds of the CA's 365 days, or whenever a person asks. */
	{ "the CA is due", OWN, &of_a_day_200, &of_a_day_200, A, A, 244, 0,
	  "serve found; PUBLISH: two thirds of the CA's life are over; inject A; again in 12 h; trusted" },
	{ "a CA that cannot sign is due with its certificate", OWN, &of_a_without_key, &of_a, A, A, 60, 0,
	  "serve found; PUBLISH: two thirds of the CA's life are over; inject A; again in 12 h; trusted" },
	{ "a person asks", OWN, &of_a_asked, &of_a, A, A, 0, 0,
	  "serve found; PUBLISH: asked for by annotation sparkoperator.k8s.io/renew; inject A; again in 12 h; "
	  "trusted" },
	{ "a person has asked before", OWN, &of_a_answered, &of_a, A, A, 0, 0,
	  "serve found; inject A; again in 12 h; trusted" },
	{ "the next CA is not trusted everywhere", OWN, &next, &of_a, A_AND_B, A, 0, 3600,
	  "serve found; inject AB; again in 12 h; trusted" },
	{ "the next CA is trusted for less than the overlap", OWN, &next, &of_a, A_AND_B, A_AND_B, 0, 59,
	  "serve found; inject AB; again in 1 s; trusted" },
	{ "the next CA is trusted for the overlap", OWN, &next, &of_a, A_AND_B, A_AND_B, 0, 60,
	  "serve found; SWITCH: the next CA is trusted everywhere; inject AB; again in 12 h; trusted" },
	{ "a configuration that does not exist holds nothing up", OWN, &next, &of_a, A_AND_B, ABSENT, 0, 60,
	  "serve found; SWITCH: the next CA is trusted everywhere; inject AB; again in 12 h; not trusted: Validating "
	  "hooks has no webhook of service spark/hook" },
	{ "a configuration that was not listed does", OWN, &next, &of_a, A_AND_B, UNKNOWN, 0, 60,
	  "serve found; inject AB; again in 12 h; not trusted: Validating hooks has not been read yet: denied" },
	{ "the next certificate is of no use", OWN, &next_broken, &of_a, A_AND_B, A_AND_B, 0, 60,
	  "serve found; PUBLISH: the next CA and certificate cannot be used; inject AB; again in 12 h; trusted" },
	{ "after the switch the new certificate is served", OWN, &switched, &of_a, A_AND_B, A_AND_B, 0, 0,
	  "serve found; inject AB; again in 60 s; trusted" },
	{ "the old CA goes after the overlap", OWN, &switched, &switched, A_AND_B, A_AND_B, 0, 60,
	  "serve found; DROP: no certificate of the old CA is served any more; inject AB; again in 12 h; trusted" },

	/* Others at work. */
	{ "the Secret was deleted just now", OWN, NULL, &of_a, A, A, 0, 10,
	  "serve served; inject A; again in 20 s; trusted" },
	{ "the Secret was deleted a while ago", OWN, NULL, &of_a, A, A, 0, 30,
	  "serve served; CREATE: it was deleted; inject A; again in 12 h; trusted" },
	{ "the Secret was emptied", OWN, &empty, &of_a, A, A, 0, 0,
	  "serve served; FILL: *; inject A; again in 12 h; trusted" },
	{ "somebody overwrote both caBundles", OWN, &of_a, &of_a, B, B, 0, 0,
	  "serve found; inject A; again in 12 h; not trusted: Mutating hooks: webhook a: *" },
	{ "another CA was put in", OWN, &of_b, &of_a, A, A, 0, 0,
	  "serve served; KEEP: somebody put another CA into the Secret; again in 12 h; trusted" },
	{ "another CA was put in, and the served one is the old one", OWN, &switched, &of_a, A, A, 0, 60,
	  "serve served; inject AB; again in 12 h; trusted" },
	{ "another CA was put in, and nobody trusts the served one", OWN, &of_b, &of_a, NOBODY, NOBODY, 0, 0,
	  "serve found; inject B; again in 12 h; not trusted: Mutating hooks: webhook a: caBundle is empty" },

	/* Certificates of others have no steps. caBundle is injected for files, not for cert-manager's Secret. */
	{ "cert-manager's certificate", CERT_MANAGER, &of_a, NULL, NOBODY, NOBODY, 60, 0,
	  "serve found; again in 12 h; not trusted: Mutating hooks: webhook a: caBundle is empty" },
	{ "cert-manager's next certificate is not trusted yet", CERT_MANAGER, &of_b, &of_a, A, A, 0, 0,
	  "serve served; again in 12 h; trusted" },
	{ "cert-manager's next certificate is trusted", CERT_MANAGER, &of_b, &of_a, B, B, 0, 0,
	  "serve found; again in 12 h; trusted" },
	{ "cert-manager's Secret is gone", CERT_MANAGER, NULL, &of_a, A, A, 0, 0,
	  "serve served; again in 12 h; trusted" },
	{ "files are not there yet", DIRECTORY, NULL, NULL, NOBODY, NOBODY, 0, 0,
	  "serve nothing; again in 12 h; not trusted: no certificate in spark/certs yet: no reply" },
	{ "files", DIRECTORY, &of_a, NULL, NOBODY, A, 0, 0,
	  "serve found; inject A; again in 12 h; not trusted: Mutating hooks: webhook a: caBundle is empty" },
	{ "the certificate begins before the longest rest", DIRECTORY, &of_a, &of_a, A, A, -0.25, 0,
	  "serve found; inject A; again in 21300 s; not trusted: *not yet valid*" },
	{ "the certificate ends before the longest rest", DIRECTORY, &of_a, &of_a, A, A, 89.75, 0,
	  "serve found; inject A; again in 21601 s; trusted" },
};

static const struct certs_rules rules = {
	.names = names,
	.service_ns = "spark",
	.service_name = "hook",
	.secret_ns = "spark",
	.secret_name = "certs",
	.source = "spark/certs",
	.ca_life_ms = 365 * (int64_t)DAY,
	.cert_life_ms = 90 * (int64_t)DAY,
	.overlap_ms = 60 * SECOND,
};

/* A configuration with one webhook that trusts these CAs. Owned. */
static struct json *configuration(const char *cas)
{
	auto_free char *bundle =
	    xasprintf("%s%s", strchr(cas, 'A') ? ca_a.cert : "", strchr(cas, 'B') ? ca_b.cert : "");
	auto_free char *encoded = text_base64_encode(bundle, strlen(bundle));
	struct json *tree = json_new_object();
	struct json *webhook = json_append(json_set(tree, "webhooks", json_new_array()), json_new_object());
	struct json *client = json_set(webhook, "clientConfig", json_new_object());

	json_set_str(webhook, "name", "a");
	json_set_str(client, "caBundle", encoded);
	json_set_str(json_set(client, "service", json_new_object()), "name", "hook");
	json_set_str(json_get(client, "service"), "namespace", "spark");
	return tree;
}

static struct certs_configuration observed(const char *kind, const char *cas)
{
	bool listed = cas && !text_eq(cas, UNKNOWN);

	return (struct certs_configuration){
		.kind = kind,
		.name = cas ? "hooks" : NULL,
		.listed = listed,
		.problem = "denied",
		.tree = listed && !text_eq(cas, ABSENT) ? configuration(cas) : NULL,
	};
}

/* ---- actions ---- */

static void print_bundle(struct buf *out, const char *bundle)
{
	buf_puts(out, "; inject ");
	if (strstr(bundle, ca_a.cert))
		buf_putc(out, 'A');
	if (strstr(bundle, ca_b.cert))
		buf_putc(out, 'B');
}

static void print_actions(struct buf *out, const struct certs_facts *facts, const struct certs_actions *a)
{
	static const char *const steps[] = { "NONE", "CREATE", "FILL", "RENEW", "PUBLISH", "SWITCH", "DROP", "KEEP" };
	const char *serve = a->serve == facts->found ? "found" : "served";

	buf_printf(out, "serve %s", a->serve ? serve : "nothing");
	if (a->step)
		buf_printf(out, "; %s: %s", steps[a->step], a->because);
	if (a->inject)
		print_bundle(out, a->phase.bundle);
	if (a->again_ms == 12 * 3600 * SECOND)
		buf_puts(out, "; again in 12 h");
	else
		buf_printf(out, "; again in %lld s", (long long)a->again_ms / SECOND);
	buf_printf(out, a->trusted ? "; trusted" : "; not trusted: %s", a->why);
}

/*
 * How long a phase has lasted is known from what the pass before left. So there are two passes with the same facts,
 * stable_s apart.
 */
static void pass_twice(const struct certs_facts *facts, const struct certs_rules *r, int stable_s,
		       struct certs_actions *ret)
{
	const struct certs_phase none = { .bundle = no_bundle };
	struct certs_facts first = *facts, second = *facts;
	struct certs_actions last;

	first.phase = &none;
	first.now_ms -= stable_s * (int64_t)SECOND;
	certs_pass(&first, r, &last);
	second.phase = &last.phase;
	certs_pass(&second, r, ret);
	certs_actions_done(&last);
}

static bool pass_is_as_wanted(const struct row *row)
{
	struct certs_rules of_row = rules;
	struct certs_facts facts = {
		.listed = row->source != UNLISTED,
		.problem = "no reply",
		.found = row->found,
		.served = row->served,
		.configurations = { observed("Mutating", row->mutating), observed("Validating", row->validating) },
		.now_ms = DAY,
		.wall_ms = made_ms + (int64_t)(row->day * DAY),
	};
	struct certs_actions actions;
	auto_buf got = { .max = 4096 };
	bool same;

	of_row.is_own = row->source == OWN || row->source == UNLISTED;
	of_row.inject_ca = row->source != CERT_MANAGER;
	of_row.memo = memo;
	pass_twice(&facts, &of_row, row->stable_s, &actions);
	print_actions(&got, &facts, &actions);
	same = fnmatch(row->want, buf_str(&got), 0) == 0;
	if (!same)
		print_error("%s:\n  want %s\n  got  %s\n", row->what, row->want, buf_str(&got));
	certs_actions_done(&actions);
	for (size_t i = 0; i < CERTS_CONFIGURATIONS; i++)
		json_free((struct json *)facts.configurations[i].tree);
	return same;
}

static void facts_lead_to_actions(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		wrong += !pass_is_as_wanted(&rows[i]);
	assert_int_equal(wrong, 0);
}

/* Carries the phase from one pass to the next, at now_ms. */
static void pass_on(struct certs_facts *facts, struct certs_phase *phase, int64_t now_ms)
{
	struct certs_rules own = rules;
	struct certs_actions actions;

	own.is_own = true;
	own.memo = memo;
	facts->now_ms = now_ms;
	facts->phase = phase;
	certs_pass(facts, &own, &actions);
	if (phase->bundle != no_bundle)
		free(phase->bundle);
	*phase = actions.phase;
}

static void a_phase_lasts_until_something_changes(void **state)
{
	struct certs_phase phase = { .bundle = no_bundle };
	struct certs_facts facts = { .listed = true, .problem = "", .found = &of_a, .served = &of_a };

	(void)state;
	facts.wall_ms = day(1);
	pass_on(&facts, &phase, 1);
	assert_int_equal(phase.since_ms, 1);
	assert_int_equal(phase.state, CERTS_CURRENT);
	pass_on(&facts, &phase, 2);
	assert_int_equal(phase.since_ms, 1);
	facts.found = &next; /* another state and bundle */
	pass_on(&facts, &phase, 3);
	assert_int_equal(phase.since_ms, 3);
	assert_int_equal(phase.state, CERTS_NEXT);
	facts.found = &next_broken; /* the same */
	pass_on(&facts, &phase, 4);
	assert_int_equal(phase.since_ms, 3);
	facts.configurations[CERTS_MUTATING] = observed("Mutating", NOBODY); /* not published */
	pass_on(&facts, &phase, 5);
	assert_int_equal(phase.since_ms, 5);
	assert_false(phase.published);
	facts.served = facts.found;
	facts.found = NULL; /* another state */
	pass_on(&facts, &phase, 6);
	assert_int_equal(phase.since_ms, 6);
	assert_int_equal(phase.state, CERTS_MISSING);
	json_free((struct json *)facts.configurations[CERTS_MUTATING].tree);
	free(phase.bundle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facts_lead_to_actions),
		cmocka_unit_test(a_phase_lasts_until_something_changes),
	};

	json_setup();
	return cmocka_run_group_tests(tests, make_material, drop_material);
}
