/*
 * Framing: finds where JSON objects end and parses them one at a time.
 *
 * Happy path: white space between values is skipped. A value in one chunk is parsed where it is, and a value in several
 * chunks is collected in `head` first. The state of the scan is kept between chunks, so that the cost is linear however
 * the bytes are cut. The scan looks at brackets and strings only. Everything else, also whether the brackets match, is
 * checked by the parser, which runs once per value.
 *
 * Failure modes: a value that is no object, text that is no JSON, a value over the limit. All end the stream.
 */
#include "watch_frame.h"

#include <string.h>

#include "kube/object.h"

void watch_frame_init(struct watch_frame *f, size_t max)
{
	*f = (struct watch_frame){ 0 };
	buf_init(&f->head, max);
}

void watch_frame_done(struct watch_frame *f)
{
	buf_done(&f->head);
}

void watch_frame_reset(struct watch_frame *f)
{
	buf_done(&f->head); /* frees the storage, which one large value may have made large */
	f->depth = 0;
	f->in_string = false;
	f->escaped = false;
}

/* Length of the white space that data begins with. */
static size_t count_blanks(const char *data, size_t len)
{
	size_t n = 0;

	while (n < len && (data[n] == ' ' || data[n] == '\t' || data[n] == '\r' || data[n] == '\n'))
		n++;
	return n;
}

static void scan_string(struct watch_frame *f, char c)
{
	if (f->escaped)
		f->escaped = false;
	else if (c == '\\')
		f->escaped = true;
	else if (c == '"')
		f->in_string = false;
}

static void scan_structure(struct watch_frame *f, char c)
{
	if (c == '"')
		f->in_string = true;
	else if (c == '{' || c == '[')
		f->depth++;
	else if (c == '}' || c == ']')
		f->depth--;
}

/* Returns how many bytes of data belong to the value. If the value ends there, depth is 0 afterwards. */
static size_t scan_value(struct watch_frame *f, const char *data, size_t len)
{
	size_t n = 0;

	do {
		if (f->in_string)
			scan_string(f, data[n]);
		else
			scan_structure(f, data[n]);
		n++;
	} while (n < len && f->depth > 0);
	return n;
}

int watch_frame_next(struct watch_frame *f, const char **data, size_t *len, struct json **ret, struct err *err)
{
	const char *value;
	size_t n;

	if (f->depth == 0) {
		n = count_blanks(*data, *len);
		*data += n;
		*len -= n;
	}
	if (*len == 0)
		return 0;
	if (f->depth == 0 && **data != '{')
		return err_set(err, ERR_INVALID, "watch: expected an object, found byte 0x%02x", (unsigned char)**data);
	value = *data;
	n = scan_value(f, *data, *len);
	*data += n;
	*len -= n;
	if (n > f->head.max - f->head.len)
		return err_set(err, ERR_TOO_LARGE, "watch: event larger than %zu bytes", f->head.max);
	if (f->depth > 0 || f->head.len > 0) {
		buf_add(&f->head, value, n);
		value = f->head.data;
		n = f->head.len;
	}
	if (f->depth > 0)
		return 0;
	*ret = object_parse(value, n, err);
	buf_done(&f->head);
	return *ret ? 1 : err_wrap(err, "watch");
}
