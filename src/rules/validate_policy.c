/*
 * The level "baseline" of the Pod Security Standards, checked in the application: what pods may not have of the node.
 *
 * The same rules as pod-security-admission's (policy/check_*.go), but each problem names the field of the
 * application. What a namespace's own enforcement refuses in the pod is refused here before anything is created.
 */
#include <string.h>

#include "base/text.h"
#include "rules/validate.h"
#include "spark/conf.h"
#include "rules/policy.h"

#define NOT_ALLOWED "Forbidden: pod policy \"baseline\": "

static const char *const capabilities[] = { "AUDIT_WRITE", "CHOWN",  "DAC_OVERRIDE",	 "FOWNER",  "FSETID",
					    "KILL",	   "MKNOD",  "NET_BIND_SERVICE", "SETFCAP", "SETGID",
					    "SETPCAP",	   "SETUID", "SYS_CHROOT",	 NULL };

static const char *const sysctls[] = { "kernel.shm_rmid_forced",
				       "net.ipv4.ip_local_port_range",
				       "net.ipv4.tcp_syncookies",
				       "net.ipv4.ping_group_range",
				       "net.ipv4.ip_unprivileged_port_start",
				       "net.ipv4.ip_local_reserved_ports",
				       "net.ipv4.tcp_keepalive_time",
				       "net.ipv4.tcp_fin_timeout",
				       "net.ipv4.tcp_keepalive_intvl",
				       "net.ipv4.tcp_keepalive_probes",
				       "net.ipv4.tcp_rmem",
				       "net.ipv4.tcp_wmem",
				       NULL };

static const char *const selinux_types[] = {
	"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t", NULL
};
static const char *const profiles[] = { "RuntimeDefault", "Localhost", NULL };
static const char *const proc_mounts[] = { "Default", NULL };
static const char *const nothing[] = { "", NULL };

/* Members of a securityContext: a boolean that may not be true, or a text that must be one of those allowed. */
static const struct {
	const char *path;
	const char *const *allowed; /* NULL: a boolean */
} members[] = {
	{ "privileged", NULL },
	{ "windowsOptions.hostProcess", NULL },
	{ "seLinuxOptions.type", selinux_types },
	{ "seLinuxOptions.user", nothing },
	{ "seLinuxOptions.role", nothing },
	{ "seccompProfile.type", profiles },
	{ "appArmorProfile.type", profiles },
	{ "procMount", proc_mounts },
};

static const char *const host_fields[] = { "hostNetwork", "hostPID", "hostIPC" };

static bool is_one_of(const char *text, const char *const *allowed)
{
	for (; *allowed; allowed++)
		if (text_eq(text, *allowed))
			return true;
	return false;
}

/* The elements of a list (each itself, or its member `name`) that are not among those allowed. */
static void check_list(struct problems *p, const struct json *list, const char *path, const char *name,
		       const char *const *allowed)
{
	size_t i = 0;

	json_each (item, list) {
		const char *text = name ? json_str(item, name, "") : json_text(item, "");
		auto_free char *at = xasprintf("%s[%zu]%s%s", path, i++, name ? "." : "", name ? name : "");

		if (!is_one_of(text, allowed))
			problems_add(p, at, NOT_ALLOWED "\"%s\" is not allowed", text);
	}
}

static void check_context(struct problems *p, const struct json *context, const char *path)
{
	auto_free char *add = xasprintf("%s.capabilities.add", path), *sysctl = xasprintf("%s.sysctls", path);

	for (size_t i = 0; i < array_len(members); i++) {
		const struct json *value = json_at(context, members[i].path);
		auto_free char *at = xasprintf("%s.%s", path, members[i].path);

		if (!members[i].allowed && json_true(value))
			problems_add(p, at, NOT_ALLOWED "must not be true");
		else if (members[i].allowed && json_is(value, JSON_STRING) &&
			 !is_one_of(json_text(value, ""), members[i].allowed))
			problems_add(p, at, NOT_ALLOWED "\"%s\" is not allowed", json_text(value, ""));
	}
	check_list(p, json_at(context, "capabilities.add"), add, NULL, capabilities);
	check_list(p, json_get(context, "sysctls"), sysctl, "name", sysctls);
}

static void check_host_ports(struct problems *p, const struct json *ports, const char *path)
{
	size_t i = 0;

	json_each (port, ports) {
		auto_free char *at = xasprintf("%s[%zu].hostPort", path, i++);

		if (json_i64(port, "hostPort", 0) != 0)
			problems_add(p, at, NOT_ALLOWED "ports of the node are not allowed");
	}
}

static void check_host_paths(struct problems *p, const struct json *volumes, const char *path)
{
	size_t i = 0;

	json_each (volume, volumes) {
		auto_free char *at = xasprintf("%s[%zu].hostPath", path, i++);

		if (json_is(json_get(volume, "hostPath"), JSON_OBJECT))
			problems_add(p, at, NOT_ALLOWED "directories of the node are not allowed");
	}
}

/* Who says a host has the kubelet connect to it (check_hostProbesAndhostLifecycle.go). */
static void check_hosts(struct problems *p, const struct json *container, const char *path)
{
	static const char *const handlers[] = { "livenessProbe", "readinessProbe", "startupProbe", "lifecycle.preStop",
						"lifecycle.postStart" };
	static const char *const actions[] = { "httpGet", "tcpSocket" };

	for (size_t i = 0; i < array_len(handlers) * array_len(actions); i++) {
		const char *handler = handlers[i / array_len(actions)], *action = actions[i % array_len(actions)];
		auto_free char *host = xasprintf("%s.%s.host", handler, action);
		auto_free char *at = xasprintf("%s.%s", path, host);

		if (!text_empty(json_str(container, host, NULL)))
			problems_add(p, at, NOT_ALLOWED "other hosts than the pod are not allowed");
	}
}

static void check_containers(struct problems *p, const struct json *containers, const char *path)
{
	size_t i = 0;

	json_each (container, containers) {
		auto_free char *context = xasprintf("%s[%zu].securityContext", path, i);
		auto_free char *ports = xasprintf("%s[%zu].ports", path, i);
		auto_free char *at = xasprintf("%s[%zu]", path, i++);

		check_hosts(p, container, at);
		check_context(p, json_get(container, "securityContext"), context);
		check_host_ports(p, json_get(container, "ports"), ports);
	}
}

/* The annotation that chose the AppArmor profile before there was a field for it. */
static void check_annotation(struct problems *p, const char *key, const char *value, const char *path)
{
	if (text_starts(key, "container.apparmor.security.beta.kubernetes.io/") && *value &&
	    !text_eq(value, "runtime/default") && !text_starts(value, "localhost/"))
		problems_add(p, path, NOT_ALLOWED "\"%s\" is not allowed", value);
}

static void check_annotations(struct problems *p, const struct json *annotations, const char *path)
{
	json_each (item, validate_map(annotations)) {
		auto_free char *at = xasprintf("%s[%s]", path, json_name(item));

		check_annotation(p, json_name(item), json_text(item, ""), at);
	}
}

void validate_policy_template(struct problems *p, const struct json *pod_template, const char *path)
{
	static const char *const lists[] = { "containers", "initContainers", "ephemeralContainers" };
	const struct json *spec = json_get(pod_template, "spec");
	auto_free char *annotations = xasprintf("%s.metadata.annotations", path);
	auto_free char *volumes = xasprintf("%s.spec.volumes", path);
	auto_free char *context = xasprintf("%s.spec.securityContext", path);

	for (size_t i = 0; i < array_len(host_fields); i++) {
		auto_free char *at = xasprintf("%s.spec.%s", path, host_fields[i]);

		if (json_bool(spec, host_fields[i], false))
			problems_add(p, at, NOT_ALLOWED "must not be true");
	}
	for (size_t i = 0; i < array_len(lists); i++) {
		auto_free char *at = xasprintf("%s.spec.%s", path, lists[i]);

		check_containers(p, json_get(spec, lists[i]), at);
	}
	check_annotations(p, json_at(pod_template, "metadata.annotations"), annotations);
	check_host_paths(p, json_get(spec, "volumes"), volumes);
	check_context(p, json_get(spec, "securityContext"), context);
}

static void check_role_policy(struct problems *p, const struct json *role, const char *name)
{
	static const char *const lists[] = { "sidecars", "initContainers" };
	static const char *const contexts[] = { "securityContext", "podSecurityContext" };
	auto_free char *role_path = xasprintf("spec.%s", name);
	auto_free char *template_path = xasprintf("spec.%s.template", name),
		       *host = xasprintf("spec.%s.hostNetwork", name);
	auto_free char *ports = xasprintf("spec.%s.ports", name), *annotations = xasprintf("spec.%s.annotations", name);

	if (json_bool(role, "hostNetwork", false))
		problems_add(p, host, NOT_ALLOWED "must not be true");
	check_hosts(p, role, role_path);
	for (size_t i = 0; i < array_len(contexts); i++) {
		auto_free char *at = xasprintf("spec.%s.%s", name, contexts[i]);

		check_context(p, json_get(role, contexts[i]), at);
	}
	for (size_t i = 0; i < array_len(lists); i++) {
		auto_free char *at = xasprintf("spec.%s.%s", name, lists[i]);

		check_containers(p, json_get(role, lists[i]), at);
	}
	check_host_ports(p, json_get(role, "ports"), ports);
	check_annotations(p, json_get(role, "annotations"), annotations);
	validate_policy_template(p, json_get(role, "template"), template_path);
}

void validate_policy_conf(struct problems *p, const struct json *conf)
{
	json_each (entry, validate_map(conf)) {
		auto_free char *at = xasprintf("spec.sparkConf[%s]", json_name(entry));

		for (size_t i = 0; i < 2; i++) {
			const struct role *role = i ? &role_executor : &role_driver;
			auto_free char *volume = xasprintf("%svolumes.hostPath.", role->conf);
			auto_free char *annotation = xasprintf("%sannotation.", role->conf);
			const char *key = conf_suffix(entry, annotation);

			if (conf_suffix(entry, volume))
				problems_add(p, at, NOT_ALLOWED "directories of the node are not allowed");
			if (key)
				check_annotation(p, key, json_text(entry, ""), at);
		}
	}
}

void validate_policy(struct problems *p, const struct json *spec)
{
	check_host_paths(p, json_get(spec, "volumes"), "spec.volumes");
	check_role_policy(p, json_get(spec, "driver"), "driver");
	check_role_policy(p, json_get(spec, "executor"), "executor");
	validate_policy_conf(p, json_get(spec, "sparkConf"));
}
