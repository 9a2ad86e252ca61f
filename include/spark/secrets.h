/*
 * Secrets whose type says what for: the variable that tells the program where their file is.
 */
#ifndef SPARK_SECRETS_H
#define SPARK_SECRETS_H

/* The variable for secrets of that type; NULL if there is none. */
const char *secrets_variable(const char *type);
/* What the variable says of a secret of that type mounted at path. Owned. */
char *secrets_file(const char *type, const char *path);

#endif
