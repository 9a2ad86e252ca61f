/*
 * Label selectors: a text becomes a list of requirements, and each is checked against the labels of an object.
 *
 * Happy path: key, operator, value or list of values, comma. Failure modes: a text that is no selector is ERR_INVALID,
 * with the place of the mistake. Everything that the API server would refuse is refused, since the same text may be
 * sent to it. Meaning and syntax are those of apimachinery pkg/labels (Requirement.Matches, Parser.parse): != and notin
 * hold for objects without the label too.
 */
#include "kube/selector.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"

enum op { OP_EXISTS = 1, OP_ABSENT, OP_IN, OP_NOT_IN, OP_GREATER, OP_LESS };

#define BLANKS	 " \t\r\n"
#define SPECIALS "=!<>(),"

struct requirement {
	enum op op;
	char *key;
	struct strv values;
};

struct selector {
	char *text; /* as it was written */
	struct requirement *items;
	size_t len;
};

void selector_free(struct selector *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->len; i++) {
		free(s->items[i].key);
		strv_done(&s->items[i].values);
	}
	free(s->items);
	free(s->text);
	free(s);
}

const char *selector_text(const struct selector *s)
{
	return s ? s->text : NULL;
}

/* ---- matching ---- */

static bool number_holds(const struct requirement *r, const char *value)
{
	int64_t has, limit;

	if (!value || !text_i64(value, &has) || !text_i64(r->values.items[0], &limit))
		return false;
	return r->op == OP_GREATER ? has > limit : has < limit;
}

static bool requirement_holds(const struct requirement *r, const struct json *labels)
{
	const char *value = json_text(json_get(labels, r->key), NULL);

	switch (r->op) {
	case OP_EXISTS:
		return value != NULL;
	case OP_ABSENT:
		return value == NULL;
	case OP_IN:
		return value && strv_has(&r->values, value);
	case OP_NOT_IN:
		return !value || !strv_has(&r->values, value);
	case OP_GREATER:
	case OP_LESS:
		return number_holds(r, value);
	}
	return false;
}

bool selector_matches(const struct selector *s, const struct json *labels)
{
	for (size_t i = 0; i < s->len; i++)
		if (!requirement_holds(&s->items[i], labels))
			return false;
	return true;
}

/* ---- parsing ---- */

struct parser {
	const char *text;
	const char *at;
	struct err *err;
};

static int parse_error(const struct parser *p, const char *what)
{
	return err_set(p->err, ERR_INVALID, "label selector \"%s\": expected %s at character %zu", p->text, what,
		       (size_t)(p->at - p->text) + 1);
}

static void skip_blanks(struct parser *p)
{
	p->at += strspn(p->at, BLANKS);
}

static bool accept_token(struct parser *p, const char *token)
{
	skip_blanks(p);
	if (!text_starts(p->at, token))
		return false;
	p->at += strlen(token);
	return true;
}

/* A word may be empty. Owned. */
static char *read_word(struct parser *p)
{
	size_t len;
	char *out;

	skip_blanks(p);
	len = strcspn(p->at, BLANKS SPECIALS);
	out = xstrndup(p->at, len);
	p->at += len;
	return out;
}

static int read_key(struct parser *p, struct requirement *r)
{
	const char *start;

	skip_blanks(p);
	start = p->at;
	r->key = read_word(p);
	if (text_is_label_key(r->key))
		return 0;
	p->at = start;
	return parse_error(p, "the key of a label");
}

static int read_value(struct parser *p, struct requirement *r)
{
	const char *start;
	auto_free char *value = NULL;
	int64_t number;

	skip_blanks(p);
	start = p->at;
	value = read_word(p);
	strv_add(&r->values, value);
	if (r->op == OP_GREATER || r->op == OP_LESS ? text_i64(value, &number) : text_is_label_value(value))
		return 0;
	p->at = start;
	return parse_error(p, r->op == OP_GREATER || r->op == OP_LESS ? "a number" : "the value of a label");
}

static int read_list(struct parser *p, struct requirement *r)
{
	int rc;

	if (!accept_token(p, "("))
		return parse_error(p, "(");
	do {
		rc = read_value(p, r);
		if (rc)
			return rc;
	} while (accept_token(p, ","));
	return accept_token(p, ")") ? 0 : parse_error(p, ", or )");
}

static const struct {
	const char *token;
	enum op op;
} operators[] = {
	{ "==", OP_IN }, { "=", OP_IN }, { "!=", OP_NOT_IN }, { ">", OP_GREATER }, { "<", OP_LESS },
};

static int read_operator(struct parser *p, struct requirement *r)
{
	auto_free char *name = NULL;
	const char *start;

	for (size_t i = 0; i < array_len(operators); i++) {
		if (!accept_token(p, operators[i].token))
			continue;
		r->op = operators[i].op;
		return read_value(p, r);
	}
	skip_blanks(p);
	start = p->at;
	name = read_word(p);
	r->op = text_eq(name, "in") ? OP_IN : text_eq(name, "notin") ? OP_NOT_IN : OP_EXISTS;
	if (r->op != OP_EXISTS)
		return read_list(p, r);
	p->at = start;
	return 0;
}

static int read_requirement(struct parser *p, struct requirement *r)
{
	int rc;

	r->op = OP_ABSENT;
	if (accept_token(p, "!"))
		return read_key(p, r);
	rc = read_key(p, r);
	return rc ? rc : read_operator(p, r);
}

static int read_all(struct parser *p, struct selector *s)
{
	int rc;

	skip_blanks(p);
	if (!*p->at)
		return 0;
	do {
		s->items = xreallocarray(s->items, s->len + 1, sizeof(*s->items));
		s->items[s->len++] = (struct requirement){ 0 };
		rc = read_requirement(p, &s->items[s->len - 1]);
		if (rc)
			return rc;
	} while (accept_token(p, ","));
	return *p->at ? parse_error(p, "a comma or the end") : 0;
}

struct selector *selector_parse(const char *text, struct err *err)
{
	struct parser p = { .text = text, .at = text, .err = err };
	struct selector *s = xcalloc(1, sizeof(*s));

	s->text = xstrdup(text);
	if (read_all(&p, s) == 0)
		return s;
	selector_free(s);
	return NULL;
}
