/*
 * Label selectors as text: what `kubectl -l` takes (apimachinery pkg/labels, Parse): k=v, k==v, k!=v, k in (a,b),
 * k notin (a,b), k, !k, k>1, k<1, joined by commas, all of which have to hold.
 */
#ifndef KUBE_SELECTOR_H
#define KUBE_SELECTOR_H

#include "json/json.h"

struct selector;

/* "" and blanks select everything. Returns NULL and ERR_INVALID, which says what was expected and where. */
struct selector *selector_parse(const char *text, struct err *err);
void selector_free(struct selector *s); /* NULL is fine */
/* labels: metadata.labels; NULL for none. */
bool selector_matches(const struct selector *s, const struct json *labels);
/* The text that it was parsed from, for the API server; borrowed. NULL for NULL. */
const char *selector_text(const struct selector *s);

#endif
