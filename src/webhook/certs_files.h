/*
 * A certificate in a directory that somebody else keeps: DIRECTORY/cert_name, DIRECTORY/key_name and, if it is
 * there, DIRECTORY/ca.crt.
 */
#ifndef WEBHOOK_CERTS_FILES_H
#define WEBHOOK_CERTS_FILES_H

#include <stdbool.h>

#include "certs_material.h"

struct certs_files;

struct certs_files *certs_files_new(const char *directory, const char *cert_name, const char *key_name);
void certs_files_free(struct certs_files *f); /* NULL is fine */
/* Reads the files if one of them has changed or if they were of no use the last time. True if there is a new pair.
 * Logs a warning when the files become unusable. */
bool certs_files_read(struct certs_files *f);
/* The last pair that was whole; borrowed until the next certs_files_read. NULL: none so far. */
const struct certs_material *certs_files_found(const struct certs_files *f);

#endif
