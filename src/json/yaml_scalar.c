/*
 * Resolves scalars of YAML as goyaml.v2 (resolve.go and decode.go) and sigs.k8s.io/yaml (yaml.go) do: yes and on are
 * true, 0644 is octal, 1_000 a thousand, a time stays a text, a tag that is not known means a text.
 *
 * There are two differences, in which more is kept than there: integers beyond 64 bits keep their digits, and !!float
 * takes numbers beyond the range of a double. What is left out is 0b-101, which goyaml reads as -5.
 */
#include "yaml_scalar.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "literal.h"

#define DIGITS "0123456789"

/* FormatFloat(number, 'g', -1, 32) writes an exponent from 1e6 on, and below 1e-4. */
enum { FLOAT_KEY_DIGITS = 9, FLOAT_KEY_EXPONENT_MAX = 6, FLOAT_KEY_EXPONENT_MIN = -4 };

static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
static const char *const trues[] = { "true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", NULL };
static const char *const falses[] = {
	"false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF", NULL
};

static const struct {
	const char *text;
	double number;
} infinite[] = {
	{ ".inf", INFINITY },	{ ".Inf", INFINITY },  { ".INF", INFINITY },   { "+.inf", INFINITY },
	{ "+.Inf", INFINITY },	{ "+.INF", INFINITY }, { "-.inf", -INFINITY }, { "-.Inf", -INFINITY },
	{ "-.INF", -INFINITY }, { ".nan", NAN },       { ".NaN", NAN },	       { ".NAN", NAN },
};

static bool is_one_of_words(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (text_eq(text, *words))
			return true;
	return false;
}

/* ---- numbers ---- */

static int digit_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c | 0x20 : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* The whole text has to be digits of the base, and the value to fit into 64 bits: with a sign into an int64_t. Returns
 * the number in decimal, owned, or NULL. */
static char *parse_digits(const char *text, int base, char sign)
{
	uint64_t value = 0, max = !sign ? UINT64_MAX : sign == '-' ? (uint64_t)INT64_MAX + 1 : INT64_MAX;

	if (!*text)
		return NULL;
	for (; *text; text++) {
		int digit = digit_value(*text);

		if (digit < 0 || digit >= base || __builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit, &value) || value > max)
			return NULL;
	}
	return xasprintf("%s%" PRIu64, sign == '-' && value ? "-" : "", value);
}

/* As strconv.ParseInt with base 0: decimal, 0x, 0o, 0b and octal with a leading 0. What is all digits and too large for
 * 64 bits is decimal. Returns the number in decimal, owned, or NULL. */
static char *parse_integer(const char *text)
{
	static const struct {
		char letter;
		int base;
	} prefixes[] = { { 'x', 16 }, { 'o', 8 }, { 'b', 2 } };
	char sign = *text == '-' || *text == '+' ? *text : '\0';
	const char *digits = text + (sign != '\0');
	char *number;

	for (size_t i = 0; digits[0] == '0' && i < array_len(prefixes); i++)
		if ((digits[1] | 0x20) == prefixes[i].letter)
			return parse_digits(digits + 2, prefixes[i].base, sign);
	number = parse_digits(digits, digits[0] == '0' ? 8 : 10, sign);
	if (number || !*digits || digits[strspn(digits, DIGITS)] || (digits[0] == '0' && strpbrk(digits, "89")))
		return number;
	digits += strspn(digits, "0");
	return strlen(digits) < JSON_NUMBER_MAX ? xasprintf("%s%s", sign == '-' ? "-" : "", digits) : NULL;
}

/* A number that begins with a point may have an underscore only between two digits. */
static bool has_loose_underscore(const char *text)
{
	for (const char *p = strchr(text, '_'); p; p = strchr(p + 1, '_'))
		if (p == text || !strchr(DIGITS, p[-1]) || !p[1] || !strchr(DIGITS, p[1]))
			return true;
	return false;
}

static bool read_number(struct yaml_scalar *ret, const char *text)
{
	auto_free char *plain = xstrdup(text);
	char *to = plain;
	char *digits;

	if (!*text || !strchr("+-." DIGITS, *text) || (*text == '.' && has_loose_underscore(text)))
		return false;
	for (const char *from = text; *from; from++)
		if (*from != '_')
			*to++ = *from;
	*to = '\0';
	digits = *text == '.' ? NULL : parse_integer(plain);
	if (digits) {
		*ret = (struct yaml_scalar){ .type = YAML_SCALAR_INTEGER, .text = digits };
		return true;
	}
	if (!text_double(plain, &ret->number))
		return false;
	ret->type = YAML_SCALAR_FLOAT;
	ret->text = xstrdup(text);
	return true;
}

/* ---- reading ---- */

static void read_untagged(struct yaml_scalar *ret, const char *text)
{
	*ret = (struct yaml_scalar){ .type = YAML_SCALAR_TEXT };
	if (is_one_of_words(text, nulls)) {
		ret->type = YAML_SCALAR_NULL;
	} else if (is_one_of_words(text, trues) || is_one_of_words(text, falses)) {
		ret->type = YAML_SCALAR_BOOL;
		ret->is_true = is_one_of_words(text, trues);
	}
	for (size_t i = 0; i < array_len(infinite); i++)
		if (text_eq(text, infinite[i].text)) {
			ret->type = YAML_SCALAR_FLOAT;
			ret->number = infinite[i].number;
		}
	if (ret->type != YAML_SCALAR_TEXT || !read_number(ret, text))
		ret->text = xstrdup(text);
}

/* As encoding/json writes a string: what is not UTF-8 becomes U+FFFD. Owned. */
static char *make_utf8(const char *data, size_t len)
{
	auto_buf out;

	buf_init(&out, SIZE_MAX);
	while (len > 0) {
		size_t n = text_utf8_char(data, len);

		if (n)
			buf_add(&out, data, n);
		else
			buf_puts(&out, "\xef\xbf\xbd");
		n = n ? n : 1;
		data += n;
		len -= n;
	}
	return buf_take(&out);
}

static int read_binary(struct yaml_scalar *ret, const char *text, struct err *err)
{
	auto_free char *joined = xstrdup(text);
	auto_free char *data = NULL;
	char *to = joined;
	size_t len;

	for (const char *from = text; *from; from++)
		if (*from != '\n' && *from != '\r')
			*to++ = *from;
	*to = '\0';
	data = text_base64_decode(joined, &len);
	if (!data)
		return err_set(err, ERR_INVALID, "!!binary is not base64");
	if (memchr(data, '\0', len))
		return err_set(err, ERR_INVALID, "strings with NUL are not supported");
	*ret = (struct yaml_scalar){ .type = YAML_SCALAR_TEXT, .text = make_utf8(data, len) };
	return 0;
}

/* A year of four digits and a hyphen: goyaml looks closer, but keeps the text as it is all the same. */
static bool is_timestamp(const char *text)
{
	return strspn(text, DIGITS) == 4 && text[4] == '-';
}

/* The text has to be of the tag's type; an integer is a float too. */
static bool fits_tag(const struct yaml_scalar *s, const char *name)
{
	static const struct {
		const char *name;
		enum yaml_scalar_type type;
	} types[] = { { "int", YAML_SCALAR_INTEGER },
		      { "float", YAML_SCALAR_FLOAT },
		      { "bool", YAML_SCALAR_BOOL },
		      { "null", YAML_SCALAR_NULL } };

	if (text_eq(name, "timestamp"))
		return s->type == YAML_SCALAR_TEXT && is_timestamp(s->text);
	if (text_eq(name, "float") && s->type == YAML_SCALAR_INTEGER)
		return true;
	for (size_t i = 0; i < array_len(types); i++)
		if (text_eq(name, types[i].name))
			return s->type == types[i].type;
	return true; /* a tag of the user's */
}

/* Without the tag 1e400 is a text. yaml_print tags it, so that it can be read again. */
static bool read_huge_float(struct yaml_scalar *ret, const char *text)
{
	struct err ignored = { 0 };
	auto_json number = json_parse(text, strlen(text), &ignored);

	if (!json_is(number, JSON_NUMBER))
		return false;
	*ret = (struct yaml_scalar){ .type = YAML_SCALAR_INTEGER, .text = xstrdup(text) };
	return true;
}

int yaml_scalar_read(struct yaml_scalar *ret, const char *tag, const char *text, bool is_plain, struct err *err)
{
	static const char *const resolved[] = { "int", "float", "bool", "null", "timestamp", NULL };
	const char *name = tag && text_starts(tag, YAML_TAG) ? tag + strlen(YAML_TAG) : "";
	auto_yaml_scalar scalar = { 0 };

	*ret = (struct yaml_scalar){ 0 };
	if (text_eq(name, "binary"))
		return read_binary(ret, text, err);
	if (tag ? !is_one_of_words(name, resolved) : !is_plain) {
		*ret = (struct yaml_scalar){ .type = YAML_SCALAR_TEXT, .text = xstrdup(text) };
		return 0;
	}
	read_untagged(&scalar, text);
	if (tag && !fits_tag(&scalar, name)) {
		if (text_eq(name, "float") && read_huge_float(ret, text))
			return 0;
		return err_set(err, ERR_INVALID, "\"%s\" does not fit its tag !!%s", text, name);
	}
	*ret = scalar;
	scalar.text = NULL;
	return 0;
}

void yaml_scalar_done(struct yaml_scalar *s)
{
	free(s->text);
	s->text = NULL;
}

/* ---- use ---- */

struct json *yaml_scalar_value(const struct yaml_scalar *s, struct err *err)
{
	int64_t integer;

	switch (s->type) {
	case YAML_SCALAR_NULL:
		return json_new_null();
	case YAML_SCALAR_BOOL:
		return json_new_bool(s->is_true);
	case YAML_SCALAR_INTEGER:
		return text_i64(s->text, &integer) ? json_new_i64(integer) : literal_new(s->text);
	case YAML_SCALAR_FLOAT:
		if (isfinite(s->number))
			return json_new_double(s->number);
		err_set(err, ERR_INVALID, "JSON has no number %s", s->text);
		return NULL;
	default:
		return json_new_string(s->text);
	}
}

/* strconv.FormatFloat(value, 'g', -1, 32): as few digits as lead back to the same float. Owned. */
static char *format_float_key(double value)
{
	float number = (float)value;
	char text[TEXT_NUMBER_SIZE];
	int64_t exponent = 0;
	int digits = 0;

	if (!isfinite(number))
		return xstrdup(isnan(number) ? ".nan" : number > 0 ? ".inf" : "-.inf");
	do
		snprintf(text, sizeof(text), "%.*e", digits, (double)number);
	while (++digits < FLOAT_KEY_DIGITS && strtof(text, NULL) != number);
	text_i64(strchr(text, 'e') + 1, &exponent);
	if (exponent >= FLOAT_KEY_EXPONENT_MIN && exponent < FLOAT_KEY_EXPONENT_MAX)
		snprintf(text, sizeof(text), "%.*f", digits > exponent + 1 ? (int)(digits - exponent - 1) : 0,
			 (double)number);
	return xstrdup(text);
}

char *yaml_scalar_key(const struct yaml_scalar *s, struct err *err)
{
	int64_t integer;

	switch (s->type) {
	case YAML_SCALAR_TEXT:
		return xstrdup(s->text);
	case YAML_SCALAR_BOOL:
		return xstrdup(s->is_true ? "true" : "false");
	case YAML_SCALAR_FLOAT:
		return format_float_key(s->number);
	case YAML_SCALAR_INTEGER:
		if (text_i64(s->text, &integer))
			return xstrdup(s->text);
		err_set(err, ERR_INVALID, "key %s is too large for a number: quote it", s->text);
		return NULL;
	default:
		err_set(err, ERR_INVALID, "a key cannot be null: quote it if it is a text");
		return NULL;
	}
}

char *yaml_scalar_surprise(const struct yaml_scalar *s, const char *text)
{
	static const char *const usual[] = { "true", "True", "TRUE", "false", "False", "FALSE", NULL };
	char number[TEXT_NUMBER_SIZE];

	if (s->type == YAML_SCALAR_BOOL && !is_one_of_words(text, usual))
		return xstrdup(s->is_true ? "true" : "false");
	if (s->type != YAML_SCALAR_FLOAT || !isfinite(s->number) || !strchr(DIGITS, *text))
		return NULL;
	text_number(s->number, number);
	return text_eq(number, text) ? NULL : xstrdup(number);
}
