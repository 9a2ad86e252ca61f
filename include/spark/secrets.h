/*
 * Secrets of known types. A variable tells the program where the secret's file is.
 */
#ifndef SPARK_SECRETS_H
#define SPARK_SECRETS_H

/* The name of the variable for secrets of that type; NULL if there is none. */
const char *secrets_variable(const char *type);
/* The value of the variable for a secret of that type mounted at path. Owned. */
char *secrets_file(const char *type, const char *path);

#endif
