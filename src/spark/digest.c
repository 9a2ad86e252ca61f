/*
 * SHA-256 and MD5 of short texts, by OpenSSL. Names of objects contain their first digits, and users know these names.
 *
 * A machine that allows only approved algorithms may have no MD5. The digits then come from a hash of our own. It is as
 * good for a name, but kubeflow's operator would have given the object another one.
 */
#include "spark/digest.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/text.h"

static char *shorten(const char *name, const char *text, char out[DIGEST_SHORT_SIZE])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	size_t len = 0;

	if (EVP_Q_digest(NULL, name, "-fips", text, strlen(text), digest, &len) == 1 && len >= 4)
		snprintf(out, DIGEST_SHORT_SIZE, "%02x%02x%02x%02x", digest[0], digest[1], digest[2], digest[3]);
	else
		snprintf(out, DIGEST_SHORT_SIZE, "%08x", (unsigned)(uint32_t)text_hash(0, text));
	return out;
}

char *digest_sha256(const char *text, char out[DIGEST_SHORT_SIZE])
{
	return shorten("SHA256", text, out);
}

char *digest_md5(const char *text, char out[DIGEST_SHORT_SIZE])
{
	return shorten("MD5", text, out);
}
