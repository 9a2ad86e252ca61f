/*
 * Framing of a watch: from bytes as they arrive to complete JSON values.
 *
 * The API server writes one JSON object after the other. Where one ends is told by its structure (depth of brackets,
 * strings, escapes), never by lines or chunks: both may fall anywhere. Each byte is looked at once.
 */
#ifndef KUBE_WATCH_FRAME_H
#define KUBE_WATCH_FRAME_H

#include "base/buf.h"
#include "json/json.h"

struct watch_frame {
	struct buf head; /* the value so far, if a chunk ended inside it */
	size_t depth;	 /* open brackets; 0 between values */
	bool in_string;
	bool escaped; /* in a string, after a backslash */
};

/* max: largest size of one value. */
void watch_frame_init(struct watch_frame *f, size_t max);
void watch_frame_done(struct watch_frame *f);
/* Forgets a value that was begun: the next byte is the first of a stream. */
void watch_frame_reset(struct watch_frame *f);

/*
 * Consumes bytes up to the end of the next value, moving *data and *len. 1: *ret is that value, owned; call again. 0: all
 * bytes are consumed. ERR_INVALID: not an object, or not JSON; ERR_TOO_LARGE: over max. After an error the place in the
 * stream is lost: reset.
 */
int watch_frame_next(struct watch_frame *f, const char **data, size_t *len, struct json **ret, struct err *err);

#endif
