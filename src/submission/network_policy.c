/*
 * The NetworkPolicy of an application's executors (NetworkPolicyFeatureStep, since Spark 4.2). With it, executors
 * accept connections only from pods of their own application. Nothing can fail.
 */
#include "build.h"

int network_policy_step(struct build *b, struct err *err)
{
	auto_free char *name = xasprintf("%s-policy", b->names.prefix);
	struct json *policy, *spec, *selector, *from;

	(void)err;
	if (b->version < SPARK_4_2)
		return 0;
	policy = build_object(b, &resource_networkpolicy, name);
	json_set_str(json_at(policy, "metadata.labels"), LABEL_APP_SELECTOR, b->names.app_id);
	spec = json_ensure_object(policy, "spec");
	selector = json_ensure_object(json_ensure_object(spec, "podSelector"), "matchLabels");
	json_set_str(selector, LABEL_APP_SELECTOR, b->names.app_id);
	json_set_str(selector, LABEL_SPARK_ROLE, "executor");
	from = json_append(json_ensure_array(spec, "ingress"), json_new_object());
	from = json_append(json_ensure_array(from, "from"), json_new_object());
	selector = json_ensure_object(json_ensure_object(from, "podSelector"), "matchLabels");
	json_set_str(selector, LABEL_APP_SELECTOR, b->names.app_id);
	return 0;
}
