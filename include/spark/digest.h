/*
 * Digests for names that kubeflow's operator shortens with them. They are not for security.
 */
#ifndef SPARK_DIGEST_H
#define SPARK_DIGEST_H

/* Write the first eight hex digits of text's SHA-256 or MD5. Both return out. */
enum { DIGEST_SHORT_SIZE = 9 };
char *digest_sha256(const char *text, char out[DIGEST_SHORT_SIZE]);
char *digest_md5(const char *text, char out[DIGEST_SHORT_SIZE]);

#endif
