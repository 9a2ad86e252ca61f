/*
 * The parts of config_load: small files, PEM texts, the two sources of a configuration. For config.c, kubeconfig.c,
 * credentials.c and their tests. Other modules call config_load.
 */
#ifndef RUNTIME_CONFIG_PARTS_H
#define RUNTIME_CONFIG_PARTS_H

#include "base/buf.h"
#include "runtime/config.h"

enum { CONFIG_FILE_MAX = 1024 * 1024 };

/* Appends the file to out. ERR_NOT_FOUND if it is missing. ERR_INVALID if it cannot be read or is larger than
 * CONFIG_FILE_MAX. The message begins with the path. */
int config_read(const char *path, struct buf *out, struct err *err);
/* The token in a file, owned, without blanks around it. NULL and ERR_INVALID if the file cannot be read, is empty or
 * has more than one word. */
char *config_read_token(const char *path, struct err *err);
/* Checks that a token is one word of printable ASCII, since it becomes part of a header. */
int config_check_token(const char *token, struct err *err);

/* Checks that there is at least one whole block of the kind, not encrypted. Blocks of other kinds are passed over. */
int config_check_pem(const char *text, size_t len, enum config_pem kind, struct err *err);

/* Checks that the scheme is one that works. */
int config_check_proxy(const char *proxy, struct err *err);
/* A URL as it may be shown: without user and password. Owned. */
char *config_hide_user(const char *url);
/* The proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name for the server's URL, owned, in *ret; NULL: none.
 * ERR_INVALID names the variable. */
int config_env_proxy(const char *server, char **ret, struct err *err);

/* dir: the directory where the service account is mounted. Host and port come from the environment. */
int config_in_cluster(const char *dir, struct config *ret, struct err *err);
/* files: paths in order of precedence. Some may be missing, but not all of them. */
int kubeconfig_load(const struct strv *files, const char *context, struct config *ret, struct err *err);

#endif
