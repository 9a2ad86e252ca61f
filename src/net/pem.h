/*
 * From PEM texts to OpenSSL's objects, for the modules of this layer that read certificates and keys.
 */
#ifndef NET_PEM_H
#define NET_PEM_H

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

/* A BIO that reads text, owned. text is borrowed; NULL counts as "". Clears earlier errors of OpenSSL. */
BIO *pem_bio(const char *text);
/* A password callback without a password. For an encrypted key OpenSSL's own one would ask on the terminal. */
int pem_no_password(char *buf, int size, int writing, void *arg);
/* The reason of OpenSSL's last error; static text. */
const char *pem_reason(void);

static inline void pem_bio_cleanup(BIO **p)
{
	BIO_free(*p);
}

static inline void pem_x509_cleanup(X509 **p)
{
	X509_free(*p);
}

static inline void pem_key_cleanup(EVP_PKEY **p)
{
	EVP_PKEY_free(*p);
}

#define auto_bio  __attribute__((cleanup(pem_bio_cleanup))) BIO
#define auto_x509 __attribute__((cleanup(pem_x509_cleanup))) X509
#define auto_key  __attribute__((cleanup(pem_key_cleanup))) EVP_PKEY

#endif
