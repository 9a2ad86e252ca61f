/*
 * Where the API server is and who we are: in-cluster environment or kubeconfig.
 *
 * Kubeconfig rules: client-go tools/clientcmd. $KUBECONFIG is a list, the first file wins per name; relative paths are relative
 * to their file; *-data beats a file; tokenFile beats token. Refused with a message that says what to do instead: exec plugins,
 * auth-provider, username/password.
 * In-cluster rules: client-go rest.InClusterConfig.
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
	char *token;	   /* or NULL */
	char *token_file;  /* read again when 60 s old and after a 401; NULL if none */
	char *server_name; /* tls-server-name or NULL */
	char *proxy;	   /* proxy-url or NULL */
	char *ns;	   /* the context's or the service account's namespace, "default" if none */
	bool insecure;
};

/*
 * path: --kubeconfig, NULL if not given. Then: $KUBECONFIG if set, else in-cluster if KUBERNETES_SERVICE_HOST is set, else
 * ~/.kube/config. context: NULL for current-context. ERR_INVALID names the file, the entry and what was expected.
 */
int config_load(const char *path, const char *context, struct config *ret, struct err *err);
void config_done(struct config *c);

#endif
