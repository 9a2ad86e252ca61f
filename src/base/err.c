/*
 * Errors: sets, wraps and names them. The text is made in a buffer of its own, so that the old message may be among
 * the arguments. A message that is too long is cut; nothing here can fail.
 */
#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static const char *const names[] = { [ERR_NONE] = "ok",
#define X(id, name) [ERR_##id] = (name),
				     ERR_CODES(X)
#undef X
};

int err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	char text[ERR_MSG_SIZE];
	va_list ap;

	assert(code != ERR_NONE);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err->code = code;
	err->retry_after_ms = 0;
	memcpy(err->msg, text, strlen(text) + 1);
	return err_code(err);
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	char text[ERR_MSG_SIZE];
	size_t len, room;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	len = strlen(text);
	room = sizeof(text) - len;
	if (snprintf(text + len, room, ": %s", err->msg) < 0)
		text[len] = '\0';
	memcpy(err->msg, text, strlen(text) + 1);
	return err_code(err);
}

const char *err_name(enum err_code code)
{
	if ((size_t)code >= array_len(names))
		return "unknown";
	return names[code];
}
