/*
 * SHA-256 (FIPS 180-4), for names that the existing operator shortens with it.
 */
#ifndef SPARK_DIGEST_H
#define SPARK_DIGEST_H

/* The first eight hex digits. Returns out. */
enum { DIGEST_SHORT_SIZE = 9 };
char *digest_short(const char *text, char out[DIGEST_SHORT_SIZE]);

#endif
