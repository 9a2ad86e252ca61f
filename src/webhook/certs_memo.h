/*
 * Answers of net/certificate, remembered: a pass asks the same questions as the pass before it, and the API
 * server's admission reviews wait meanwhile. The functions answer as those of net/certificate do.
 */
#ifndef WEBHOOK_CERTS_MEMO_H
#define WEBHOOK_CERTS_MEMO_H

#include <stdint.h>

#include "net/certificate.h"

struct certs_memo;

struct certs_memo *certs_memo_new(void);
void certs_memo_free(struct certs_memo *memo);
int certs_memo_validity(struct certs_memo *memo, const char *cert, int64_t *ret_from_ms, int64_t *ret_until_ms,
			struct err *err);
int certs_memo_check_pair(struct certs_memo *memo, const struct certificate_pair *p, struct err *err);
int certs_memo_check_serving(struct certs_memo *memo, const struct certificate_pair *p, struct err *err);
int certs_memo_verify(struct certs_memo *memo, const char *cert, const char *bundle, const char *name, int64_t wall_ms,
		      struct err *err);

#endif
