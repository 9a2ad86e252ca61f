/*
 * The address of the API server and our credentials, from the environment in a pod or from a kubeconfig.
 *
 * Kubeconfig rules: client-go tools/clientcmd. $KUBECONFIG is a list of files; of entries with one name the first
 * counts. Relative paths are relative to their file. *-data goes before a file, and tokenFile before token. Exec
 * plugins, auth-provider and username/password are refused with a message that says what to do instead. Without a
 * proxy-url, HTTPS_PROXY, HTTP_PROXY and NO_PROXY count. In-cluster rules: client-go rest.InClusterConfig, but without
 * a proxy: the API server's address is one of the cluster.
 */
#ifndef RUNTIME_CONFIG_H
#define RUNTIME_CONFIG_H

#include <stdbool.h>

#include "base/err.h"

struct config {
	char *server;  /* "https://host:port", no trailing slash */
	char *ca;      /* PEM text or NULL */
	char *ca_file; /* read again every 5 minutes; NULL if ca came as data */
	char *cert;    /* PEM text or NULL */
	char *key;
	char *cert_file; /* read again every minute and after a 401; NULL if cert came as data */
	char *key_file;
	char *token;	   /* or NULL */
	char *token_file;  /* read again when 60 s old and after a 401; NULL if none */
	char *server_name; /* tls-server-name or NULL */
	char *proxy;	   /* URL or NULL: proxy-url, else what the environment names; in a pod none */
	char *ns;	   /* the context's or the service account's namespace, "default" if none */
	bool insecure;
};

/*
 * path: the value of --kubeconfig. If it is NULL: $KUBECONFIG if that is set, else the pod's service account if
 * KUBERNETES_SERVICE_HOST is set, else ~/.kube/config. context NULL: current-context. ERR_INVALID names the file, the
 * entry and what was expected.
 */
int config_load(const char *path, const char *context, struct config *ret, struct err *err);
void config_done(struct config *c);
/* The proxy without scheme, user and password, for messages; NULL if there is none. Borrowed. */
const char *config_proxy_host(const struct config *c);

enum config_pem { CONFIG_PEM_CERTIFICATE = 1, CONFIG_PEM_KEY };

/* The text of a PEM file, owned. It has at least one whole block of the kind, and no encrypted one of it. NULL and
 * ERR_INVALID otherwise; the message begins with the path. */
char *config_read_pem(const char *path, enum config_pem kind, struct err *err);

#endif
