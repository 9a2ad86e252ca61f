/*
 * Errors: one shape for the whole program.
 *
 * A function that can fail takes `struct err *err` as its last parameter, returns 0 or a negative class
 * and fills *err only on failure. The class says what the caller does next; the text is for people and names
 * the object, the field and what was expected. Only the top of the program logs an error.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdint.h>

/* id, name in logs and metrics. What follows from each class is decided in runtime/controller.c. */
#define ERR_CODES(X)                                                                                                   \
	X(NOT_FOUND, "not_found")	/* 404: the object is not there */                                             \
	X(EXISTS, "already_exists")	/* 409 AlreadyExists: somebody holds the name */                               \
	X(CONFLICT, "conflict")		/* 409 Conflict: a precondition failed, read again */                          \
	X(GONE, "gone")			/* 410: the resourceVersion or continue token is too old */                    \
	X(INVALID, "invalid")		/* 400, 422 and our own checks: wrong until somebody changes it */             \
	X(DENIED, "denied")		/* 403: RBAC, quota or an admission webhook said no */                         \
	X(UNAUTHORIZED, "unauthorized") /* 401: credentials refused */                                                 \
	X(BUSY, "busy")			/* 429, 503 with Retry-After: wait retry_after_ms */                           \
	X(TIMEOUT, "timeout")		/* a deadline passed; whether a write took place is unknown */                 \
	X(IO, "io")			/* connection refused, reset, TLS failure; outcome of a write unknown */       \
	X(TOO_LARGE, "too_large")	/* over a size limit of ours or of the server (413) */                         \
	X(CANCELED, "canceled")		/* we gave up ourselves */                                                     \
	X(INTERNAL, "internal")		/* 5xx and everything without a class of its own */

enum err_code {
	ERR_NONE = 0,
#define X(id, name) ERR_##id,
	ERR_CODES(X)
#undef X
};

enum { ERR_MSG_SIZE = 1024 };

struct err {
	enum err_code code;
	int64_t retry_after_ms; /* what the server asked for, 0 if nothing */
	char msg[ERR_MSG_SIZE]; /* cut, never overrun */
};

/* Overwrites *err; returns -code, so that `return err_set(...)` sets and returns. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "text: " before the message that is there, keeps class and retry_after_ms; returns -code. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The class of *err as functions return it: -code, 0 if nothing failed. For `return err_code(err);` after a call that
 * has filled *err. */
static inline int err_code(const struct err *err)
{
	return -(int)err->code;
}

/* "ok" for ERR_NONE; never NULL. */
const char *err_name(enum err_code code);

#endif
