/*
 * Chooses where the configuration comes from (client-go tools/clientcmd ClientConfigLoadingRules,
 * rest.InClusterConfig). Everything is read once, at the start. A configuration that cannot work is refused there, with
 * the file and the field, and not with a TLS error minutes later.
 *
 * In a pod, a missing ca.crt is refused. client-go logs it and goes on with the system's authorities, but no public
 * authority signs for a cluster.
 */
#include "runtime/config.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "config_parts.h"

static const char service_account_dir[] = "/var/run/secrets/kubernetes.io/serviceaccount";

static char *read_namespace(const char *dir)
{
	auto_free char *path = xasprintf("%s/namespace", dir);
	struct err ignored;
	auto_free char *ns = config_read_token(path, &ignored); /* a namespace is one word, as a token is */

	return ns && text_is_dns_label(ns) ? take_ptr(ns) : xstrdup("default");
}

int config_in_cluster(const char *dir, struct config *ret, struct err *err)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST"), *port = getenv("KUBERNETES_SERVICE_PORT");
	struct config c = { 0 };
	int64_t number;

	if (!host || !*host)
		return err_set(err, ERR_INVALID, "KUBERNETES_SERVICE_HOST is not set: this is not a pod");
	if (!port || !text_i64(port, &number) || number < 1 || number > 65535)
		return err_set(err, ERR_INVALID, "KUBERNETES_SERVICE_PORT is \"%s\": expected a port number",
			       port ? port : "");
	c.token_file = xasprintf("%s/token", dir);
	c.token = config_read_token(c.token_file, err);
	c.ca_file = xasprintf("%s/ca.crt", dir);
	if (c.token)
		c.ca = config_read_pem(c.ca_file, CONFIG_PEM_CERTIFICATE, err);
	if (!c.token || !c.ca) {
		config_done(&c);
		return err_wrap(err, "the pod's service account");
	}
	c.server = xasprintf(strchr(host, ':') ? "https://[%s]:%" PRId64 : "https://%s:%" PRId64, host, number);
	c.ns = read_namespace(dir);
	*ret = c;
	return 0;
}

/* Only a kubeconfig has contexts. So the pod's own account is not used if a context is given. */
int config_load(const char *path, const char *context, struct config *ret, struct err *err)
{
	const char *list = getenv("KUBECONFIG"), *home = getenv("HOME");
	auto_strv files = { 0 };

	if (path) {
		strv_add(&files, path);
		return kubeconfig_load(&files, context, ret, err);
	}
	if (!text_empty(list)) {
		strv_split(&files, list, ':');
		return kubeconfig_load(&files, context, ret, err);
	}
	if (!context && !text_empty(getenv("KUBERNETES_SERVICE_HOST")))
		return config_in_cluster(service_account_dir, ret, err);
	strv_addf(&files, "%s/.kube/config", home ? home : "");
	if (access(files.items[0], F_OK) < 0)
		return err_set(
		    err, ERR_INVALID,
		    "no API server configured: give --kubeconfig, set KUBECONFIG, run in a pod, or provide %s",
		    files.items[0]);
	return kubeconfig_load(&files, context, ret, err);
}
