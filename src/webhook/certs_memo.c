/*
 * Answers of net/certificate, found by the SHA-256 of the question's texts. To read and verify a certificate costs
 * up to a millisecond on the loop that answers admission reviews. No text is kept.
 *
 * Happy path: the question has been asked before → its answer. Otherwise net/certificate is asked, and the answer
 * replaces the oldest. Failures are answers too. The answer of a verification holds until the certificate begins or
 * ceases to be valid, and for an hour at most, since the certificate of its CA may cease to be valid as well.
 */
#include "certs_memo.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { ENTRIES = 32, KEY_BYTES = 32, HOLDS_MS = 3600 * 1000 };

enum question { NO_QUESTION = 0, VALIDITY, PAIR, SERVING, VERIFY };

struct entry {
	enum question question;
	unsigned char key[KEY_BYTES];
	enum err_code code;
	char msg[256];
	int64_t from_ms;
	int64_t until_ms;
	int64_t asked_ms; /* VERIFY: the wall clock that was asked for */
};

struct certs_memo {
	struct entry entries[ENTRIES];
	size_t next; /* the entry that is replaced next */
};

struct certs_memo *certs_memo_new(void)
{
	return xcalloc(1, sizeof(struct certs_memo));
}

void certs_memo_free(struct certs_memo *memo)
{
	free(memo);
}

static void digest_texts(const char *const *texts, size_t count, unsigned char key[KEY_BYTES])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (!ctx || !EVP_DigestInit_ex(ctx, EVP_sha256(), NULL))
		abort(); /* out of memory */
	for (size_t i = 0; i < count; i++) {
		const char *text = texts[i] ? texts[i] : "";

		EVP_DigestUpdate(ctx, text, strlen(text) + 1);
	}
	EVP_DigestFinal_ex(ctx, key, NULL);
	EVP_MD_CTX_free(ctx);
}

/* The entry of that question, or an empty one to be filled. */
static struct entry *find_entry(struct certs_memo *memo, enum question question, const char *const *texts, size_t count)
{
	unsigned char key[KEY_BYTES];
	struct entry *e;

	digest_texts(texts, count, key);
	for (size_t i = 0; i < ENTRIES; i++)
		if (memo->entries[i].question == question && memcmp(memo->entries[i].key, key, KEY_BYTES) == 0)
			return &memo->entries[i];
	e = &memo->entries[memo->next++ % ENTRIES];
	*e = (struct entry){ 0 };
	memcpy(e->key, key, KEY_BYTES);
	return e;
}

static void store_answer(struct entry *e, enum question question, int rc, const struct err *err)
{
	e->question = question;
	e->code = rc < 0 ? err->code : ERR_NONE;
	snprintf(e->msg, sizeof(e->msg), "%.255s", rc < 0 ? err->msg : "");
}

static int stored_answer(const struct entry *e, struct err *err)
{
	return e->code == ERR_NONE ? 0 : err_set(err, e->code, "%s", e->msg);
}

int certs_memo_validity(struct certs_memo *memo, const char *cert, int64_t *ret_from_ms, int64_t *ret_until_ms,
			struct err *err)
{
	struct entry *e = find_entry(memo, VALIDITY, &cert, 1);

	if (!e->question)
		store_answer(e, VALIDITY, certificate_validity(cert, &e->from_ms, &e->until_ms, err), err);
	*ret_from_ms = e->from_ms;
	*ret_until_ms = e->until_ms;
	return stored_answer(e, err);
}

int certs_memo_check_pair(struct certs_memo *memo, const struct certificate_pair *p, struct err *err)
{
	const char *const texts[] = { p->cert, p->key };
	struct entry *e = find_entry(memo, PAIR, texts, 2);

	if (!e->question)
		store_answer(e, PAIR, certificate_check_pair(p, err), err);
	return stored_answer(e, err);
}

int certs_memo_check_serving(struct certs_memo *memo, const struct certificate_pair *p, struct err *err)
{
	const char *const texts[] = { p->cert, p->key };
	struct entry *e = find_entry(memo, SERVING, texts, 2);

	if (!e->question)
		store_answer(e, SERVING, certificate_check_serving(p, err), err);
	return stored_answer(e, err);
}

/* Where the time lies: -1 before the certificate is valid, 0 while it is, 1 afterwards. */
static int side_of_validity(const struct entry *e, int64_t wall_ms)
{
	if (wall_ms < e->from_ms)
		return -1;
	return wall_ms > e->until_ms;
}

static bool answer_holds(const struct entry *e, int64_t wall_ms)
{
	int64_t passed_ms = wall_ms - e->asked_ms;

	return e->question && passed_ms < HOLDS_MS && passed_ms > -HOLDS_MS &&
	       side_of_validity(e, wall_ms) == side_of_validity(e, e->asked_ms);
}

int certs_memo_verify(struct certs_memo *memo, const char *cert, const char *bundle, const char *name, int64_t wall_ms,
		      struct err *err)
{
	const char *const texts[] = { cert, bundle, name };
	struct entry *e = find_entry(memo, VERIFY, texts, 3);
	struct err ignored;

	if (answer_holds(e, wall_ms))
		return stored_answer(e, err);
	certificate_validity(cert, &e->from_ms, &e->until_ms, &ignored);
	e->asked_ms = wall_ms;
	store_answer(e, VERIFY, certificate_verify(cert, bundle, name, wall_ms, err), err);
	return stored_answer(e, err);
}
