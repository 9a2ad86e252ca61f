/*
 * Framing of a watch: from bytes as they arrive to complete JSON values.
 *
 * The API server writes one JSON object after the other. The structure of an object (depth of brackets, strings,
 * escapes) tells where it ends; ends of lines and chunks may fall anywhere. Each byte is looked at once.
 */
#ifndef KUBE_WATCH_FRAME_H
#define KUBE_WATCH_FRAME_H

#include "base/buf.h"
#include "json/json.h"

struct watch_frame {
	struct buf head; /* the first part of a value that continues in the next chunk */
	size_t depth;	 /* open brackets; 0 between values */
	bool in_string;
	bool escaped; /* in a string, after a backslash */
};

/* max: largest size of one value. */
void watch_frame_init(struct watch_frame *f, size_t max);
void watch_frame_done(struct watch_frame *f);
/* Forgets the first part of a value. The next byte is the first of a new stream. */
void watch_frame_reset(struct watch_frame *f);

/*
 * Consumes bytes up to the end of the next value, and moves *data and *len. Returns 1 if *ret is that value, owned;
 * call again then. Returns 0 if all bytes are consumed. ERR_INVALID: it is not an object, or not JSON. ERR_TOO_LARGE:
 * it is larger than max. After an error the place in the stream is lost, and watch_frame_reset has to follow.
 */
int watch_frame_next(struct watch_frame *f, const char **data, size_t *len, struct json **ret, struct err *err);

#endif
