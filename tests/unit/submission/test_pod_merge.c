/* Pods of others: what is there stays or is changed in its place, and nothing is there twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "json/patch.h"
#include "parse.h"
#include "submission/pod_rows.h"

struct merge {
	const char *what;
	const char *driver;    /* members of spec.driver */
	const char *container; /* members of the pod's Spark container before … */
	const char *merged;    /* … and after */
	const char *pod;       /* members of the pod's spec before … */
	const char *pod_after; /* … and after; NULL: unchanged */
};

/* Members of an object, as they are written. */
#define MEMBERS(...) #__VA_ARGS__

static const struct merge merges[] = {
	/* ---- env ---- */
	{ "a variable is replaced in its place",
	  MEMBERS("env" : [ { "name" : "A", "value" : "new" }, { "name" : "B", "value" : "2" } ]),
	  MEMBERS("env" : [ { "name" : "A", "value" : "old" }, { "name" : "C", "value" : "3" } ]),
	  MEMBERS("env" : [
		  { "name" : "A", "value" : "new" },
		  { "name" : "C", "value" : "3" },
		  { "name" : "B", "value" : "2" }
	  ]),
	  "", NULL },
	{ "a reference takes the place of a value",
	  MEMBERS("env" : [ { "name" : "A", "valueFrom" : { "fieldRef" : { "fieldPath" : "x" } } } ]),
	  MEMBERS("env" : [ { "name" : "A", "value" : "old" } ]),
	  MEMBERS("env" : [ { "name" : "A", "valueFrom" : { "fieldRef" : { "fieldPath" : "x" } } } ]), "", NULL },
	{ "a variable that refers to others comes behind them",
	  MEMBERS("env" : [ { "name" : "B", "value" : "2" }, { "name" : "A", "value" : "$(B)" } ]),
	  MEMBERS("env" : [ { "name" : "A", "value" : "old" } ]),
	  MEMBERS("env" : [ { "name" : "B", "value" : "2" }, { "name" : "A", "value" : "$(B)" } ]), "", NULL },
	{ "of two wanted ones the last counts",
	  MEMBERS("env" : [ { "name" : "A", "value" : "1" }, { "name" : "A", "value" : "2" } ]), "",
	  MEMBERS("env" : [ { "name" : "A", "value" : "2" } ]), "", NULL },
	{ "an agent that has extended the value stays",
	  MEMBERS("env" : [ { "name" : "JAVA_TOOL_OPTIONS", "value" : "-Dx=1" } ]),
	  MEMBERS("env" : [ { "name" : "JAVA_TOOL_OPTIONS", "value" : "-Dx=1 -javaagent:/otel.jar" } ]),
	  MEMBERS("env" : [ { "name" : "JAVA_TOOL_OPTIONS", "value" : "-Dx=1 -javaagent:/otel.jar" } ]), "", NULL },
	{ "an agent that came first stays",
	  MEMBERS("env" : [ { "name" : "JAVA_TOOL_OPTIONS", "value" : "-Dx=1" } ]),
	  MEMBERS("env" : [ { "name" : "JAVA_TOOL_OPTIONS", "value" : "-javaagent:/otel.jar" } ]),
	  MEMBERS("env" : [ { "name" : "JAVA_TOOL_OPTIONS", "value" : "-javaagent:/otel.jar -Dx=1" } ]), "", NULL },
	{ "a part of a word is another value", MEMBERS("env" : [ { "name" : "A", "value" : "1" } ]),
	  MEMBERS("env" : [ { "name" : "A", "value" : "10" } ]), MEMBERS("env" : [ { "name" : "A", "value" : "1" } ]),
	  "", NULL },
	{ "nothing is another value", MEMBERS("env" : [ { "name" : "A", "value" : "" } ]),
	  MEMBERS("env" : [ { "name" : "A", "value" : "1" } ]), MEMBERS("env" : [ { "name" : "A", "value" : "" } ]), "",
	  NULL },
	/* ---- containers, ports ---- */
	{ "a container has its name, whatever its image",
	  MEMBERS("sidecars" : [ { "name" : "log", "image" : "busybox:1" } ],
		  "initContainers" : [ { "name" : "init", "image" : "busybox:1" } ]),
	  "", "", MEMBERS("initContainers" : [ { "name" : "init", "image" : "mirror/busybox:1" } ]), NULL },
	{ "init containers and containers share their names",
	  MEMBERS("sidecars" : [ { "name" : "proxy", "image" : "p" } ]), "", "",
	  MEMBERS("initContainers" : [ { "name" : "proxy", "image" : "p", "restartPolicy" : "Always" } ]), NULL },
	{ "a port has its name", MEMBERS("ports" : [ { "name" : "p", "containerPort" : 1 } ]),
	  MEMBERS("ports" : [ { "name" : "p", "containerPort" : 2 } ]),
	  MEMBERS("ports" : [ { "name" : "p", "containerPort" : 2 } ]), "", NULL },
	{ "a port has its number and protocol",
	  MEMBERS("ports" : [
		  { "name" : "p", "containerPort" : 1 },
		  { "name" : "q", "containerPort" : 1, "protocol" : "UDP" }
	  ]),
	  MEMBERS("ports" : [ { "containerPort" : 1, "protocol" : "TCP" } ]),
	  MEMBERS("ports" : [
		  { "containerPort" : 1, "protocol" : "TCP" },
		  { "name" : "q", "containerPort" : 1, "protocol" : "UDP" }
	  ]),
	  "", NULL },
	/* ---- objects ---- */
	{ "a policy's fields of the security context stay",
	  MEMBERS("securityContext" : { "runAsUser" : 185, "capabilities" : { "add" : ["NET_ADMIN"] } }),
	  MEMBERS("securityContext" : { "runAsUser" : 0, "capabilities" : { "drop" : ["ALL"] } }),
	  MEMBERS("securityContext" : {
		  "runAsUser" : 185,
		  "capabilities" : { "drop" : ["ALL"], "add" : ["NET_ADMIN"] }
	  }),
	  "", NULL },
	{ "a profile is one thing",
	  MEMBERS("podSecurityContext" : { "fsGroup" : 2, "seccompProfile" : { "type" : "RuntimeDefault" } }), "", "",
	  MEMBERS("securityContext" : {
		  "runAsNonRoot" : true,
		  "seccompProfile" : { "type" : "Localhost", "localhostProfile" : "p" }
	  }),
	  MEMBERS("securityContext" : {
		  "runAsNonRoot" : true,
		  "seccompProfile" : { "type" : "RuntimeDefault" },
		  "fsGroup" : 2
	  }) },
	{ "a hook is one thing", MEMBERS("lifecycle" : { "preStop" : { "sleep" : { "seconds" : 1 } } }),
	  MEMBERS("lifecycle" : {
		  "preStop" : { "exec" : { "command" : ["c"] } },
		  "postStart" : { "exec" : { "command" : ["c"] } }
	  }),
	  MEMBERS("lifecycle" : {
		  "preStop" : { "sleep" : { "seconds" : 1 } },
		  "postStart" : { "exec" : { "command" : ["c"] } }
	  }),
	  "", NULL },
	{ "options of a resolver have names",
	  MEMBERS("dnsConfig" : { "options" : [ { "name" : "ndots", "value" : "1" }, { "name" : "e" } ] }), "", "",
	  MEMBERS("dnsConfig" : {
		  "searches" : ["s"],
		  "options" : [ { "name" : "ndots", "value" : "5" }, { "name" : "t", "value" : "1" } ]
	  }),
	  MEMBERS("dnsConfig" : {
		  "searches" : ["s"],
		  "options" :
		      [ { "name" : "ndots", "value" : "1" }, { "name" : "t", "value" : "1" }, { "name" : "e" } ]
	  }) },
	{ "an affinity of another kind stays",
	  MEMBERS("affinity" : { "podAffinity" : { "preferredDuringSchedulingIgnoredDuringExecution" : [ {} ] } }), "",
	  "", MEMBERS("affinity" : { "nodeAffinity" : { "preferredDuringSchedulingIgnoredDuringExecution" : [ {} ] } }),
	  MEMBERS("affinity" : {
		  "nodeAffinity" : { "preferredDuringSchedulingIgnoredDuringExecution" : [ {} ] },
		  "podAffinity" : { "preferredDuringSchedulingIgnoredDuringExecution" : [ {} ] }
	  }) },
	{ "null says nothing", MEMBERS("lifecycle" : { "preStop" : null }),
	  MEMBERS("lifecycle" : { "preStop" : {} }), MEMBERS("lifecycle" : { "preStop" : {} }), "", NULL },
	/* ---- the rest of the pod ---- */
	{ "a resolver that is set up stays", MEMBERS("hostNetwork" : true), "", "", MEMBERS("dnsPolicy" : "None"),
	  MEMBERS("dnsPolicy" : "None", "hostNetwork" : true) },
	{ "the API server's policy does not", MEMBERS("hostNetwork" : true), "", "",
	  MEMBERS("dnsPolicy" : "ClusterFirst"),
	  MEMBERS("dnsPolicy" : "ClusterFirstWithHostNet", "hostNetwork" : true) },
	{ "names of an address that are there",
	  MEMBERS("hostAliases" :
		      [ { "ip" : "192.0.2.1", "hostnames" : ["a"] }, { "ip" : "192.0.2.2", "hostnames" : ["a"] } ]),
	  "", "", MEMBERS("hostAliases" : [ { "ip" : "192.0.2.1", "hostnames" : [ "b", "a" ] } ]),
	  MEMBERS("hostAliases" : [
		  { "ip" : "192.0.2.1", "hostnames" : [ "b", "a" ] },
		  { "ip" : "192.0.2.2", "hostnames" : ["a"] }
	  ]) },
	{ "of two times for the same taint the shorter one would count",
	  MEMBERS("tolerations" : [ { "key" : "t", "operator" : "Exists", "effect" : "E", "tolerationSeconds" : 9 } ]),
	  "", "",
	  MEMBERS("tolerations" : [
		  { "key" : "t", "operator" : "Exists", "effect" : "E", "tolerationSeconds" : 300 },
		  { "key" : "u", "operator" : "Exists", "effect" : "E", "tolerationSeconds" : 300 }
	  ]),
	  MEMBERS("tolerations" : [
		  { "key" : "t", "operator" : "Exists", "effect" : "E", "tolerationSeconds" : 9 },
		  { "key" : "u", "operator" : "Exists", "effect" : "E", "tolerationSeconds" : 300 }
	  ]) },
	{ "a toleration without a time is one for ever",
	  MEMBERS("tolerations" : [ { "key" : "t", "operator" : "Exists", "effect" : "E" } ]), "", "",
	  MEMBERS("tolerations" :
		      [ { "key" : "t", "operator" : "Exists", "effect" : "E", "tolerationSeconds" : 300 } ]),
	  MEMBERS("tolerations" : [ { "key" : "t", "operator" : "Exists", "effect" : "E" } ]) },
};

/* The pod of a row: its Spark container, a sidecar from a mirror, and what the row adds. Owned. */
static struct json *pod_of(const char *container, const char *members)
{
	auto_free char *text =
	    xasprintf("{\"spec\":{\"containers\":[{\"name\":\"spark\"%s%s},{\"name\":\"log\",\"image\":\"m\"}]%s%s}}",
		      *container ? "," : "", container, *members ? "," : "", members);

	return parse(text);
}

static void expect_pod(const struct merge *m, const struct json *pod)
{
	auto_json want = pod_of(m->merged, m->pod_after ? m->pod_after : m->pod);
	auto_json patch = json_patch_diff(want, pod);
	auto_free char *text = patch ? json_print(patch) : NULL;

	if (!json_equal(pod, want))
		fail_msg("%s: what makes it of what was wanted: %s", m->what, text);
}

static void what_is_there_stays_or_changes_in_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(merges); i++) {
		auto_free char *text = xasprintf("{\"driver\":{%s}}", merges[i].driver);
		auto_json spec = parse(text);
		auto_json pod = pod_of(merges[i].container, merges[i].pod);
		const struct pod_ctx ctx = { .spec = spec,
					     .role = "driver",
					     .container = json_first(json_at(pod, "spec.containers")),
					     .is_admitted = true };
		struct err err = { 0 };

		for (int time = 0; time < 2; time++) {
			assert_int_equal(pod_rows_apply(&ctx, pod, &err), 0);
			expect_pod(&merges[i], pod);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_there_stays_or_changes_in_its_place) };

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
