/*
 * Feature gates have the names that kubeflow's operator gives them (pkg/features). There all of them are alpha and
 * off unless they are turned on. Here only DefaultTimeToLive has an effect, and it is on unless it is turned off.
 */
#include "options_parts.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum gate { DEFAULT_TTL, PARTIAL_RESTART, SPARK_DEFAULTS, REST_SUBMITTER, ALL_ALPHA, ALL_BETA };

static const struct {
	const char *name;
	const char *idle; /* why it has no effect; NULL: it has one */
} gates[] = {
	[DEFAULT_TTL] = { "DefaultTimeToLive", NULL },
	[PARTIAL_RESTART] = { "PartialRestart", "a change of the spec starts the application anew" },
	[SPARK_DEFAULTS] = { "LoadSparkDefaults", "there is no spark-defaults.conf here" },
	[REST_SUBMITTER] = { "RestSubmitter", "applications are submitted by the operator itself" },
	[ALL_ALPHA] = { "AllAlpha", NULL },
	[ALL_BETA] = { "AllBeta", NULL },
};

static int set_gate(const char *element, struct option_gates *ret, struct err *err)
{
	size_t len = strcspn(element, "=");
	bool on = false;

	if (element[len] != '=' || !option_parse_bool(element + len + 1, &on))
		return err_set(err, ERR_INVALID, "--feature-gates: \"%s\": expected NAME=true or NAME=false", element);
	for (unsigned i = 0; i < array_len(gates); i++) {
		if (strlen(gates[i].name) != len || strncmp(element, gates[i].name, len) != 0)
			continue;
		ret->given |= 1u << i;
		ret->on = on ? ret->on | 1u << i : ret->on & ~(1u << i);
		return 0;
	}
	return err_set(err, ERR_INVALID,
		       "--feature-gates: \"%s\": expected one of: DefaultTimeToLive PartialRestart LoadSparkDefaults "
		       "RestSubmitter AllAlpha AllBeta",
		       element);
}

int option_gates_set(const struct strv *elements, struct option_gates *ret, struct err *err)
{
	for (size_t i = 0; i < elements->len; i++)
		if (set_gate(elements->items[i], ret, err) < 0)
			return err_code(err);
	return 0;
}

/* For a gate that was not named, AllAlpha counts. */
static bool gate_is_on(const struct option_gates *g, enum gate gate)
{
	unsigned counts = g->given & 1u << gate ? gate : ALL_ALPHA;

	return g->on & 1u << counts;
}

bool option_gates_ttl_is_off(const struct option_gates *g)
{
	return g->given & 1u << DEFAULT_TTL && !(g->on & 1u << DEFAULT_TTL);
}

void option_gates_idle(const struct option_gates *g, struct strv *ret)
{
	for (unsigned i = 0; i < array_len(gates); i++)
		if (gates[i].idle && gate_is_on(g, i))
			strv_addf(ret, "feature gate %s (%s)", gates[i].name, gates[i].idle);
}
