/*
 * Functions that certificate.c and tls.c need to read PEM. Out of memory ends the program.
 */
#include "pem.h"

#include <limits.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

int pem_no_password(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

BIO *pem_bio(const char *text)
{
	size_t len = text ? strlen(text) : 0;
	BIO *bio = BIO_new_mem_buf(len > 0 ? text : "", len < INT_MAX ? (int)len : INT_MAX);

	if (!bio)
		abort();
	ERR_clear_error();
	return bio;
}

const char *pem_reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	return text ? text : "not usable";
}
