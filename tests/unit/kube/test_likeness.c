/* Whether an object that is there is the one that is wanted: what the API server adds, and what somebody else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "kube/likeness.h"
#include "parse.h"

struct row {
	const struct resource *res;
	const char *wanted;
	const char *found;
};

static bool are_alike(const struct row *row)
{
	auto_json wanted = parse(row->wanted);
	auto_json found = parse(row->found);

	return object_is_like(row->res, found, wanted);
}

static void assert_all(const struct row *rows, size_t count, bool alike)
{
	for (size_t i = 0; i < count; i++)
		if (are_alike(&rows[i]) != alike)
			fail_msg("row %zu: %s is %slike %s", i, rows[i].found, alike ? "not " : "", rows[i].wanted);
}

/* As a kube-apiserver 1.30 has them. */
static void defaults_are_no_difference(void **state)
{
	static const struct row rows[] = {
		{ &resource_service,
		  JSON({ "spec" : { "selector" : { "a" : "b" }, "ports" : [ { "port" : 80, "targetPort" : 80 } ] } }),
		  JSON({
			  "spec" : {
				  "clusterIPs" : ["10.0.0.1"],
				  "internalTrafficPolicy" : "Cluster",
				  "ipFamilies" : ["IPv4"],
				  "ipFamilyPolicy" : "SingleStack",
				  "ports" : [ { "port" : 80, "protocol" : "TCP", "targetPort" : 80 } ],
				  "selector" : { "a" : "b" },
				  "sessionAffinity" : "None",
				  "type" : "ClusterIP"
			  },
			  "status" : { "loadBalancer" : {} }
		  }) },
		{ &resource_persistentvolumeclaim,
		  JSON({ "spec" : { "resources" : { "requests" : { "storage" : "1024Mi" } } } }), JSON({
			  "spec" : {
				  "resources" : { "requests" : { "storage" : "1Gi" } },
				  "storageClassName" : "standard",
				  "volumeMode" : "Filesystem",
				  "volumeName" : "pvc-1"
			  },
			  "status" : { "phase" : "Bound" }
		  }) },
		{ &resource_networkpolicy, JSON({
			 "spec" : {
				 "ingress" : [ { "ports" : [ { "port" : 1 } ] } ],
				 "egress" : [ { "ports" : [ { "port" : 2 } ] } ]
			 }
		 }),
		  JSON({
			  "spec" : {
				  "ingress" : [ { "ports" : [ { "port" : 1, "protocol" : "TCP" } ] } ],
				  "egress" : [ { "ports" : [ { "port" : 2, "protocol" : "TCP" } ] } ],
				  "policyTypes" : [ "Ingress", "Egress" ]
			  }
		  }) },
	};

	(void)state;
	assert_all(rows, array_len(rows), true);
}

/* Go leaves out what is empty, false or 0. */
static void what_go_leaves_out_is_no_difference(void **state)
{
	static const struct row rows[] = {
		{ &resource_configmap, JSON({ "data" : {}, "immutable" : false }), "{}" },
		{ &resource_service, JSON({ "spec" : { "clusterIP" : "", "ports" : [], "healthCheckNodePort" : 0 } }),
		  JSON({ "spec" : {} }) },
	};
	static const struct row others[] = {
		{ &resource_configmap, JSON({ "immutable" : true }), "{}" },
		{ &resource_configmap, JSON({ "data" : { "a" : "b" } }), "{}" },
		{ &resource_service, JSON({ "spec" : { "healthCheckNodePort" : 1 } }), JSON({ "spec" : {} }) },
	};

	(void)state;
	assert_all(rows, array_len(rows), true);
	assert_all(others, array_len(others), false);
}

/* Whoever may create objects cannot slip a submission one that says more. */
static void what_somebody_adds_is_a_difference(void **state)
{
	static const char policy[] = JSON({ "spec" : { "ingress" : [ { "from" : [ { "podSelector" : {} } ] } ] } });
	static const struct row rows[] = {
		{ &resource_configmap, JSON({ "data" : { "a" : "1" } }), JSON({ "data" : { "a" : "1", "b" : "2" } }) },
		{ &resource_configmap, JSON({ "data" : { "a" : "1" } }),
		  JSON({ "data" : { "a" : "1" }, "binaryData" : { "b" : "eA==" } }) },
		{ &resource_configmap, JSON({ "data" : { "a" : "1" } }), JSON({ "data" : { "a" : "2" } }) },
		{ &resource_configmap, JSON({ "data" : { "a" : "1" } }), JSON({ "data" : { "a" : 1 } }) },
		{ &resource_service, JSON({ "spec" : {} }), JSON({ "spec" : { "type" : "LoadBalancer" } }) },
		{ &resource_service, JSON({ "spec" : {} }), JSON({ "spec" : { "sessionAffinity" : "ClientIP" } }) },
		{ &resource_service, JSON({ "spec" : {} }), JSON({ "spec" : { "externalIPs" : ["10.0.0.9"] } }) },
		{ &resource_service, JSON({ "spec" : { "ports" : [ { "port" : 1 } ] } }),
		  JSON({ "spec" : { "ports" : [ { "port" : 1, "targetPort" : 2 } ] } }) },
		{ &resource_networkpolicy, policy,
		  JSON({ "spec" : { "ingress" : [ { "from" : [ { "podSelector" : {} } ] }, {} ] } }) },
		{ &resource_networkpolicy, policy, JSON({ "spec" : { "ingress" : [] } }) },
		{ &resource_networkpolicy, policy, JSON({ "spec" : { "ingress" : [ {} ] } }) },
		{ &resource_service, JSON({ "spec" : { "ports" : [ { "port" : 80 } ] } }),
		  JSON({ "spec" : { "ports" : [ { "port" : 80, "nodePort" : 30080 } ] } }) },
		{ &resource_service, JSON({ "spec" : {} }), JSON({ "spec" : { "externalIPs" : ["10.0.0.9"] } }) },
		/* a default of another resource is none of this one */
		{ &resource_configmap, JSON({ "spec" : {} }), JSON({ "spec" : { "type" : "ClusterIP" } }) },
		/* a default counts only where nothing else was wanted */
		{ &resource_service, JSON({ "spec" : { "type" : "NodePort" } }),
		  JSON({ "spec" : { "type" : "ClusterIP" } }) },
	};

	(void)state;
	assert_all(rows, array_len(rows), false);
}

static void labels_and_annotations_have_to_be_there(void **state)
{
	static const char wanted[] = JSON({ "metadata" : { "labels" : { "l" : "1" }, "annotations" : { "a" : "1" } } });
	static const struct row rows[] = {
		{ &resource_configmap, wanted, wanted },
		{ &resource_configmap, wanted, JSON({
			 "metadata" : {
				 "labels" : { "l" : "1", "more" : "" },
				 "annotations" : { "a" : "1", "more" : "" },
				 "uid" : "u",
				 "finalizers" : ["f"]
			 }
		 }) },
	};
	static const struct row others[] = {
		{ &resource_configmap, wanted, JSON({ "metadata" : { "labels" : { "l" : "1" } } }) },
		{ &resource_configmap, wanted, JSON({ "metadata" : { "annotations" : { "a" : "1" } } }) },
		{ &resource_configmap, wanted,
		  JSON({ "metadata" : { "labels" : { "l" : "1" }, "annotations" : { "a" : "2" } } }) },
		{ &resource_configmap, wanted,
		  JSON({ "metadata" : { "labels" : { "l" : "2" }, "annotations" : { "a" : "1" } } }) },
	};

	(void)state;
	assert_all(rows, array_len(rows), true);
	assert_all(others, array_len(others), false);
}

static void pods_are_all_alike(void **state)
{
	static const struct row row = { &resource_pod, JSON({ "spec" : { "containers" : [] } }),
					JSON({ "spec" : { "containers" : [ { "name" : "istio" } ] } }) };

	(void)state;
	assert_true(are_alike(&row));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_no_difference),
		cmocka_unit_test(what_go_leaves_out_is_no_difference),
		cmocka_unit_test(what_somebody_adds_is_a_difference),
		cmocka_unit_test(labels_and_annotations_have_to_be_there),
		cmocka_unit_test(pods_are_all_alike),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
