/*
 * What config_load is made of: small files, PEM texts, the two sources of a configuration. For config.c, kubeconfig.c,
 * credentials.c and their tests; everybody else calls config_load.
 */
#ifndef RUNTIME_CONFIG_PARTS_H
#define RUNTIME_CONFIG_PARTS_H

#include "base/buf.h"
#include "runtime/config.h"

enum { CONFIG_FILE_MAX = 1024 * 1024 };

/* Appends the file to out. Missing: ERR_NOT_FOUND; unreadable or over CONFIG_FILE_MAX: ERR_INVALID. The text begins
 * with the path. */
int config_read(const char *path, struct buf *out, struct err *err);
/* The token in a file, blanks around it trimmed. Owned; NULL and ERR_INVALID if unreadable, empty or not one word. */
char *config_read_token(const char *path, struct err *err);
/* A bearer token goes into a header: one word of printable ASCII. */
int config_check_token(const char *token, struct err *err);

enum config_pem { CONFIG_PEM_CERTIFICATE = 1, CONFIG_PEM_KEY };
/* Whether there is at least one whole block of the kind, not encrypted. Blocks of other kinds are passed over. */
int config_check_pem(const char *text, size_t len, enum config_pem kind, struct err *err);
/* The file's content, checked. Owned; NULL and ERR_INVALID otherwise, the text begins with the path. */
char *config_read_pem(const char *path, enum config_pem kind, struct err *err);

/* dir: where the service account is mounted. Host and port come from the environment. */
int config_in_cluster(const char *dir, struct config *ret, struct err *err);
/* files: paths in order of precedence; missing ones are passed over, but not all of them. */
int kubeconfig_load(const struct strv *files, const char *context, struct config *ret, struct err *err);

#endif
