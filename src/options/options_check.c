/*
 * What options need of each other, checked when all are known, as the existing operator checks it before it starts (cmd/operator/
 * controller/start.go, PreRunE; main.go of 1.x). ERR_INVALID names the flag and what was expected.
 */
#include "options_parts.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "kube/selector.h"

/* pkg/features; all of them are alpha and off by default. */
static const struct {
	const char *name;
	const char *idle; /* why it has no effect; NULL: it has one */
} gates[] = {
	{ "DefaultTimeToLive", NULL },
	{ "PartialRestart", "a change of the spec starts the application anew" },
	{ "LoadSparkDefaults", "there is no spark-defaults.conf here" },
	{ "RestSubmitter", "applications are submitted by the operator itself" },
	{ "AllAlpha", NULL },
	{ "AllBeta", NULL },
};

/* Whether the element of --feature-gates is about the gate. */
static bool is_about(const char *element, const char *gate)
{
	size_t len = strlen(gate);

	return !strncmp(element, gate, len) && element[len] == '=';
}

/* 1 on, 0 off, -1 not given; AllAlpha counts for those that are not named. */
static int gate_state(const struct options *o, const char *gate)
{
	int state = -1;
	bool on = false;

	for (size_t i = 0; i < o->feature_gates.len; i++) {
		if (!is_about(o->feature_gates.items[i], gate))
			continue;
		option_parse_bool(strchr(o->feature_gates.items[i], '=') + 1, &on);
		state = on;
	}
	if (state < 0 && !text_eq(gate, "AllAlpha") && gate_state(o, "AllAlpha") == 1)
		return 1;
	return state;
}

static int check_gate(const char *element, struct err *err)
{
	const char *equals = strchr(element, '=');
	bool on = false;

	if (!equals || !option_parse_bool(equals + 1, &on))
		return err_set(err, ERR_INVALID, "--feature-gates: \"%s\": expected NAME=true or NAME=false", element);
	for (size_t i = 0; i < array_len(gates); i++)
		if (is_about(element, gates[i].name))
			return 0;
	return err_set(err, ERR_INVALID,
		       "--feature-gates: \"%s\": expected one of: DefaultTimeToLive PartialRestart LoadSparkDefaults "
		       "RestSubmitter AllAlpha AllBeta",
		       element);
}

static int check_gates(struct options *o, struct err *err)
{
	for (size_t i = 0; i < o->feature_gates.len; i++)
		if (check_gate(o->feature_gates.items[i], err) < 0)
			return err_code(err);
	if (gate_state(o, "DefaultTimeToLive") == 0)
		o->default_ttl_s = 0;
	return 0;
}

void option_idle_gates(const struct options *o, struct strv *ret)
{
	for (size_t i = 0; i < array_len(gates); i++)
		if (gates[i].idle && gate_state(o, gates[i].name) == 1)
			strv_addf(ret, "feature gate %s (%s)", gates[i].name, gates[i].idle);
	if (o->notes->set & OPTIONS_SERVE && gate_state(o, "DefaultTimeToLive") == 0 &&
	    !text_eq(option_note(o, "default-time-to-live-seconds")->text, "0"))
		strv_add(ret, "--default-time-to-live-seconds (its feature gate DefaultTimeToLive is off)");
}

/*
 * Without its webhook, the 1.x operator would not enforce quotas, and it says so (main.go). The commands of 2.x are more than
 * one process, of which another one may serve the webhook.
 */
static int check_quota(const struct options *o, struct err *err)
{
	if (o->notes->set != OPTIONS_OLD || o->webhook || !o->quota)
		return 0;
	return err_set(err, ERR_INVALID, "--enable-resource-quota-enforcement: expected --enable-webhook with it");
}

/* An empty name among them means all, as for the existing operator, whatever a selector adds to them. */
static int check_namespaces(struct options *o, struct err *err)
{
	if (strv_has(&o->namespaces, "")) {
		strv_done(&o->namespaces);
		selector_free(take_ptr(o->namespace_selector));
	}
	for (size_t i = 0; i < o->namespaces.len; i++)
		if (!text_is_dns_label(o->namespaces.items[i]))
			return err_set(err, ERR_INVALID, "--namespaces: \"%s\": expected names of namespaces",
				       o->namespaces.items[i]);
	return 0;
}

/* The 1.x operator's default of a flag of that name is the empty text. */
static int check_master(struct options *o, struct err *err)
{
	struct option_name name;

	if (!text_empty(o->master) || !option_find(OPTIONS_START, "master", strlen("master"), &name))
		return 0;
	return option_value(o, name.row, name.row->dflt, err);
}

int option_check(struct options *o, struct err *err)
{
	if (check_namespaces(o, err) < 0 || check_master(o, err) < 0)
		return err_code(err);
	if (!(o->notes->set & OPTIONS_SERVE))
		return 0;
	return check_gates(o, err) < 0 ? err_code(err) : check_quota(o, err);
}
