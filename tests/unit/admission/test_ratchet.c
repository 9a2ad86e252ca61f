/* Updates of stored objects that have problems already. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "parse.h"
#include "admission/admission.h"

static const char good[] = JSON({
	"apiVersion" : "sparkoperator.k8s.io/v1beta2",
	"kind" : "SparkApplication",
	"metadata" : { "name" : "orders", "namespace" : "team-a", "uid" : "u-1", "resourceVersion" : "1" },
	"spec" : {
		"type" : "Scala",
		"mode" : "cluster",
		"image" : "i:1",
		"mainClass" : "M",
		"mainApplicationFile" : "local:///a.jar",
		"sparkVersion" : "3.5.6",
		"driver" : {},
		"executor" : {}
	}
});

static struct json *patched(const char *patch_text)
{
	struct json *tree = parse(good);
	auto_json patch = parse(patch_text);

	json_merge_apply(tree, patch);
	return tree;
}

static const char *first_warning(const struct review_reply *reply)
{
	return json_text(json_first(reply->warnings), "");
}

static void answer_update(const struct json *before, const struct json *object, struct review_reply *reply)
{
	static const char path[] = "/validate-sparkoperator-k8s-io-v1beta2-sparkapplication";
	const struct admission a = { 0 };
	const struct review r = { .operation = REVIEW_UPDATE,
				  .group = resource_sparkapplication.group,
				  .version = resource_sparkapplication.version,
				  .plural = resource_sparkapplication.plural,
				  .subresource = "",
				  .ns = "team-a",
				  .name = "orders",
				  .object = object,
				  .old_object = before };

	for (const struct admission_path *p = admission_paths; p->path; p++)
		if (text_eq(p->path, path))
			p->fn(&a, &r, reply);
}

/* The objects are merge patches of a good application. What the stored one has already is only warned of. */
static void updates_are_judged_by_what_they_make_worse(void **state)
{
	static const struct {
		const char *before;
		const char *after;
		const char *denied; /* all of the denial, or NULL */
		const char *warned; /* the first warning, or NULL */
	} rows[] = {
		/* an application of kubeflow's operator is edited */
		{ JSON({ "spec" : { "batchScheduler" : "volcano" } }),
		  JSON({ "spec" : { "batchScheduler" : "volcano", "timeToLiveSeconds" : 60 } }), NULL,
		  "spec.batchScheduler: " },
		{ JSON({ "spec" : { "batchScheduler" : "volcano" } }),
		  JSON({ "spec" : { "batchScheduler" : "yunikorn" } }), "spec.batchScheduler: ", NULL },
		{ "{}", JSON({ "spec" : { "batchScheduler" : "volcano" } }), "spec.batchScheduler: ", NULL },
		{ JSON({ "spec" : { "mode" : "client" } }), JSON({ "spec" : { "mode" : "client", "suspend" : true } }),
		  NULL, "spec.mode: " },
		{ JSON({ "spec" : { "driver" : { "memory" : "1gg" } } }), "{}", NULL, NULL },
		/* only what is new is denied, and the rest is a warning */
		{ JSON({ "spec" : { "driver" : { "memory" : "1gg" } } }),
		  JSON({ "spec" : { "driver" : { "memory" : "1gg" }, "executor" : { "cores" : 0 } } }),
		  "spec.executor.cores: ", "spec.driver.memory: " },
		{ JSON({ "spec" : { "driver" : { "memory" : "1gg" } } }),
		  JSON({ "spec" : { "driver" : { "memory" : "2gg" } } }), "spec.driver.memory: ", NULL },
		/* another element of the list, with the same value */
		{ JSON({
			  "spec" :
			      { "volumes" : [ { "name" : "a", "emptyDir" : {} }, { "name" : "A_B", "emptyDir" : {} } ] }
		  }),
		  JSON({ "spec" : { "volumes" : [ { "name" : "A_B", "emptyDir" : {} } ] } }), NULL,
		  "spec.volumes[0].name: " },
		{ JSON({ "spec" : { "volumes" : [ { "name" : "A_B", "emptyDir" : {} } ] } }), JSON({
			  "spec" : {
				  "volumes" :
				      [ { "name" : "A_B", "emptyDir" : {} }, { "name" : "A_B", "emptyDir" : {} } ]
			  }
		  }),
		  "", "spec.volumes[0].name: " },
		/* a key with a bracket */
		{ JSON({ "spec" : { "sparkConf" : { "spark.kubernetes.authenticate.oauthToken]x" : "a" } } }),
		  JSON({ "spec" : { "sparkConf" : { "spark.kubernetes.authenticate.oauthToken]x" : "b" } } }),
		  "spec.sparkConf[spark.kubernetes.authenticate.oauthToken]x]: ", NULL },
		/* labels, which the next pods get */
		{ "{}", JSON({ "metadata" : { "labels" : { "spark-role" : "driver" } } }),
		  "metadata.labels[spark-role]: ", NULL },
		{ JSON({ "metadata" : { "labels" : { "spark-role" : "driver" } } }),
		  JSON({ "metadata" : { "labels" : { "spark-role" : "driver", "team" : "a" } } }), NULL,
		  "metadata.labels[spark-role]: " },
		/* keys with dots */
		{ JSON({ "spec" : { "sparkConf" : { "spark.kubernetes.driver.limit.cores" : "many" } } }),
		  JSON({ "spec" : { "sparkConf" : { "spark.kubernetes.driver.limit.cores" : "many", "a" : "b" } } }),
		  NULL, "spec.sparkConf[spark.kubernetes.driver.limit.cores]: " },
		{ JSON({ "spec" : { "sparkConf" : { "spark.kubernetes.driver.limit.cores" : "many" } } }),
		  JSON({ "spec" : { "sparkConf" : { "spark.kubernetes.driver.limit.cores" : "more" } } }),
		  "spec.sparkConf[spark.kubernetes.driver.limit.cores]: ", NULL },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_json before = patched(rows[i].before);
		auto_json object = patched(rows[i].after);
		struct review_reply reply = { 0 };

		answer_update(before, object, &reply);
		if (reply.denied != (rows[i].denied != NULL) ||
		    (reply.denied && !text_starts(reply.message + (*reply.message == '['), rows[i].denied)))
			fail_msg("row %zu, %s: %s", i, rows[i].after, reply.message ? reply.message : "allowed");
		if (rows[i].warned ? !text_starts(first_warning(&reply), rows[i].warned) : json_len(reply.warnings) > 0)
			fail_msg("row %zu, %s: warned of %s", i, rows[i].after, first_warning(&reply));
		review_reply_done(&reply);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(updates_are_judged_by_what_they_make_worse) };

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
