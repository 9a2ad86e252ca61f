/*
 * JSON texts of tests as trees: a text that cannot be parsed fails the test. Include after cmocka.h.
 */
#ifndef TESTS_PARSE_H
#define TESTS_PARSE_H

#include <string.h>

#include "base/mem.h"
#include "json/json.h"
#include "json_text.h"

/* Owned. */
static inline struct json *parse(const char *text)
{
	struct err err = { 0 };
	struct json *tree = json_parse(text, strlen(text), &err);

	if (!tree)
		fail_msg("%s: %s", text, err.msg);
	return tree;
}

/* The same for a text with ' in place of ". Owned. */
static inline struct json *parse_quoted(const char *text)
{
	auto_free char *copy = xstrdup(text);

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	return parse(copy);
}

#endif
