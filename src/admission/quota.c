/*
 * Checks the ResourceQuotas before anything is created (kubeflow internal/webhook/resourcequota.go).
 *
 * Happy path: submission builds the pods of the driver and of the executors that Spark starts with. Their requests and
 * limits are added up and compared with what each quota of the namespace has left. Since the built pods are counted,
 * sidecars, overheads and templates count as they do for the API server. A container without a limit counts by its
 * request. An application that has its pods already counts by how much it grows. A suspended application asks for
 * nothing yet.
 *
 * Failure modes: a quota that is too small is named. Two cases are left to the API server: quotas with scopes, since it
 * is not known beforehand which pods they apply to, and two applications that compete for the same remainder.
 */
#include "quota.h"

#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "rules/check.h"
#include "admission/admission.h"
#include "submission/submission.h"

/* The text is limited to what an error holds, which would otherwise cut the text in the middle of a line. */
enum { TEXT_MAX = ERR_MSG_SIZE - 1 };

static const struct quota_row {
	const char *hard; /* the name of the resource in quotas */
	bool is_limit;
	const char *resource;
} rows[] = {
	{ "cpu", false, "cpu" },       { "requests.cpu", false, "cpu" },       { "limits.cpu", true, "cpu" },
	{ "memory", false, "memory" }, { "requests.memory", false, "memory" }, { "limits.memory", true, "memory" },
};

struct demand {
	double amount[array_len(rows)];
};

static double amount_of(const struct json *list, const char *resource)
{
	const struct json *value = json_get(list, resource);
	double amount = json_number(value, 0);

	check_quantity_value(json_text(value, ""), &amount);
	return amount;
}

/* The API server sets an absent request to the limit. An absent limit counts as the request. */
static double container_amount(const struct json *container, const struct quota_row *row)
{
	const struct json *requests = json_at(container, "resources.requests");
	const struct json *limits = json_at(container, "resources.limits");
	const struct json *first = row->is_limit ? limits : requests;

	return amount_of(json_get(first, row->resource) ? first : row->is_limit ? requests : limits, row->resource);
}

/* The sum over all containers, or the largest step of the initialization (Kubernetes resource helpers, PodRequests). */
static double pod_amount(const struct json *pod, const struct quota_row *row)
{
	double all = 0, sidecars = 0, largest = 0;

	json_each (container, json_at(pod, "spec.containers"))
		all += container_amount(container, row);
	json_each (container, json_at(pod, "spec.initContainers")) {
		double amount = container_amount(container, row);

		if (text_eq(json_str(container, "restartPolicy", ""), "Always"))
			sidecars += amount;
		else
			largest = fmax(largest, sidecars + amount);
	}
	return fmax(all + sidecars, largest);
}

static int demand_of(const struct app *app, const struct rule_options *rules, struct demand *ret, struct err *err)
{
	const struct submission_options options = { .master = "k8s://https://kubernetes.default.svc",
						    .with_executor = true,
						    .rules = *rules };
	struct submission s = { 0 };
	int rc = submission_build(app, 1, &options, &s, err);
	double executors = rc ? 0 : (double)submission_executors(app);

	for (size_t i = 0; i < array_len(rows) && !rc; i++)
		ret->amount[i] =
		    pod_amount(submission_find(&s, "Pod"), &rows[i]) + executors * pod_amount(s.executor, &rows[i]);
	submission_done(&s);
	return rc;
}

/* Rounds to thousandths, the precision with which the API server counts processors. */
static double round_to_thousandths(double amount)
{
	return round(amount * 1000) / 1000;
}

static void put_amount(struct buf *out, const char *resource, double amount)
{
	if (text_eq(resource, "cpu"))
		buf_printf(out, amount == floor(amount) ? "%.0f" : "%.3f", amount);
	else if (fmod(amount, 0x1p20) == 0)
		buf_printf(out, "%.0fMi", amount / 0x1p20);
	else
		buf_printf(out, "%.0f", amount);
}

/* Appends to out the resources of which one quota has too little left. */
static void check_quota(const struct json *quota, const struct demand *d, struct buf *out)
{
	const struct json *hard = json_at(quota, "spec.hard"), *used = json_at(quota, "status.used");
	bool is_first = true;

	for (size_t i = 0; i < array_len(rows); i++) {
		double left = round_to_thousandths(amount_of(hard, rows[i].hard) - amount_of(used, rows[i].hard));

		if (!json_get(hard, rows[i].hard) || d->amount[i] <= 0 || round_to_thousandths(d->amount[i]) <= left)
			continue;
		if (is_first)
			buf_printf(out, "%sfailed to validate resource quota \"%s/%s\"", out->len ? "\n" : "",
				   json_str(quota, "metadata.namespace", ""), json_str(quota, "metadata.name", ""));
		is_first = false;
		buf_printf(out, "\n  %s: requested ", rows[i].hard);
		put_amount(out, rows[i].resource, d->amount[i]);
		buf_printf(out, ", used %s, hard %s", json_text(json_get(used, rows[i].hard), "0"),
			   json_text(json_get(hard, rows[i].hard), ""));
	}
}

static bool has_scopes(const struct json *quota)
{
	return json_len(json_at(quota, "spec.scopes")) || json_len(json_at(quota, "spec.scopeSelector"));
}

int quota_check(const struct store *quotas, const struct app *app, const struct app *before,
		const struct rule_options *rules, struct err *err)
{
	const char *ns = app->ns ? app->ns : "";
	struct demand now = { 0 }, then = { 0 };
	const struct kobj *quota;
	struct err ignored = { 0 };
	size_t pos = 0;
	auto_buf text = { 0 };
	int rc;

	if (app->suspend || !store_index_next(quotas, ns, &(size_t){ 0 }))
		return 0;
	rc = demand_of(app, rules, &now, err);
	if (rc)
		return rc;
	if (before && app_state_is((enum app_state)before->state, STATE_HOLDS_PODS) &&
	    demand_of(before, rules, &then, &ignored) == 0)
		for (size_t i = 0; i < array_len(rows); i++)
			now.amount[i] -= then.amount[i];
	buf_init(&text, TEXT_MAX);
	while ((quota = store_index_next(quotas, ns, &pos)))
		if (!has_scopes(quota->tree))
			check_quota(quota->tree, &now, &text);
	return text.len ? err_set(err, ERR_DENIED, "%s", buf_str(&text)) : 0;
}

static char *namespace_of(const struct json *tree)
{
	return xstrdup(json_str(tree, "metadata.namespace", ""));
}

const struct kind quota_kind = {
	.res = &resource_resourcequota,
	.keep_tree = true,
	.index = namespace_of,
};
