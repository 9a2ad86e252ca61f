/*
 * Texts without the ids that derive from a run. Two submissions of different specs have different ids, and are compared
 * by what is left.
 */
#ifndef TESTS_MASKED_IDS_H
#define TESTS_MASKED_IDS_H

#include <string.h>

#include "json/json.h"
#include "parse.h"

static inline void mask_digits(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] != '-')
			text[i] = '0';
}

/* The length of the UUID, or of "-" and 16 or more hexadecimal digits, with which text begins; else 0. */
static inline size_t masked_id_len(const char *text)
{
	static const char hex[] = "0123456789abcdef", form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	size_t len = 0;

	while (form[len] && (form[len] == 'x' ? text[len] && strchr(hex, text[len]) : text[len] == form[len]))
		len++;
	if (!form[len])
		return len;
	len = text[0] == '-' ? strspn(text + 1, hex) : 0;
	return len >= 16 ? len + 1 : 0;
}

/* Puts zeros for all digits of ids, in place. */
static inline char *masked_ids(char *text)
{
	for (char *p = text; *p; p++) {
		size_t len = masked_id_len(p);

		mask_digits(p, len);
		p += len ? len - 1 : 0;
	}
	return text;
}

/* Takes tree, returns it with masked ids. */
static inline struct json *masked_tree(struct json *tree)
{
	auto_free char *text = json_print(tree);

	json_free(tree);
	return parse(masked_ids(text));
}

#endif
