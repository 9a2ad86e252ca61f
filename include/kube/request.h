/*
 * One call to the API server as data: verb, resource, name, body; and what came back.
 * Pure: building the URL and classifying the answer, no sockets.
 */
#ifndef KUBE_REQUEST_H
#define KUBE_REQUEST_H

#include <stddef.h>

#include "kube/resource.h"

enum verb {
	VERB_GET = 1,
	VERB_LIST,
	VERB_WATCH,
	VERB_CREATE,
	VERB_PATCH, /* RFC 7396 merge patch, application/merge-patch+json */
	VERB_DELETE,
	VERB_APPLY, /* server-side apply of a whole object, application/apply-patch+yaml; RBAC's patch (and create) */
};

/* Who goes first when the client-side rate limit holds requests back. */
enum lane {
	LANE_NORMAL = 0,
	LANE_HIGH, /* lists and watches, later the leader's lease: without them nothing else is right */
	LANE_LOW,  /* events: nice to have */
};

struct request {
	enum verb verb;
	enum lane lane;
	const struct resource *res;
	const char *ns;		 /* NULL: all namespaces (list, watch) or not namespaced */
	const char *name;	 /* NULL for LIST, WATCH, CREATE */
	const char *subresource; /* "status", … or NULL */
	const char *query;	 /* already encoded, without '?'; NULL if none */
	const struct json *body; /* NULL if none */
	int64_t timeout_ms;	 /* 0: the client's default for the verb */
};

/* "GET", "POST", "PATCH", "DELETE". */
const char *request_method(const struct request *r);
/* "list", "create" …: Kubernetes' verb, as RBAC and messages name it. */
const char *request_verb(const struct request *r);
/* "/apis/GROUP/VERSION/namespaces/NS/PLURAL/NAME/SUBRESOURCE?QUERY", every part percent-encoded. Owned. */
char *request_path(const struct request *r);
/* Content-Type of the body, NULL without one. */
const char *request_content_type(const struct request *r);
/* "create pods default/pi-driver": for messages. Owned. */
char *request_describe(const struct request *r);

struct reply {
	int status;	   /* HTTP status; 0 if there was none */
	struct json *body; /* parsed body or NULL; a callback may take_ptr() it, what it leaves is freed */
	struct err err;	   /* ERR_NONE for 2xx */
};

void reply_done(struct reply *r);

/*
 * Fills r->err of an answer that is not 2xx: class from HTTP status and Status.reason (409 AlreadyExists is EXISTS, 409 otherwise CONFLICT;
 * 410, or reason Expired/Gone, GONE; 403 DENIED; 429 and 503 BUSY; 504 and reason Timeout: TIMEOUT; 422, 400, 405, 406, 415 INVALID; 413 TOO_LARGE), the text
 * "create pods default/pi-driver: 422 Invalid: <Status.message>". retry_after_ms from the header (seconds, -1 if
 * absent) or Status.details.retryAfterSeconds, at most 5 minutes. req NULL: the text begins with the status; status 0: the
 * body alone decides (the Status of a watch's ERROR event without a code). A 403 message of RBAC already names verb, resource and namespace.
 */
void reply_classify(struct reply *r, const struct request *req, int64_t retry_after_s);

#endif
