/*
 * Literals: see literal.h. A literal also holds the nearest finite double, so that callers can compare sizes.
 */
#include "literal.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

void literal_set(cJSON *v, const char *text, size_t len)
{
	v->type = (v->type & ~0xff) | cJSON_Raw;
	v->valuestring = xstrndup(text, len);
	v->valuedouble = fmin(fmax(v->valuedouble, -DBL_MAX), DBL_MAX);
}

struct json *literal_new(const char *text)
{
	double value = *text == '-' ? -DBL_MAX : DBL_MAX;
	cJSON *v;

	text_double(text, &value);
	v = cJSON_CreateNumber(value);
	literal_set(v, text, strlen(text));
	return (struct json *)v;
}

const char *literal_text(const struct json *v)
{
	return cJSON_IsRaw((const cJSON *)v) ? ((const cJSON *)v)->valuestring : NULL;
}
