/*
 * One call to the API server as data: verb, resource, name, body; and what came back.
 * Pure: building the URL and classifying the answer, no sockets.
 */
#ifndef KUBE_REQUEST_H
#define KUBE_REQUEST_H

#include <stdbool.h>
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

/* The order in which the client lets waiting requests go. Lists have a lane of their own, whatever the request says,
 * and the leader's Lease has a client of its own. */
enum lane {
	LANE_NORMAL = 0,
	LANE_HIGH, /* the webhook's certificate: reviews depend on it */
	LANE_LOW,  /* events: nothing depends on them */
};

struct fence;

struct request {
	enum verb verb;
	enum lane lane;
	const struct resource *res;
	const char *ns;		 /* NULL: all namespaces (list, watch) or not namespaced */
	const char *name;	 /* NULL for LIST, WATCH, CREATE; "": the only one of its resource */
	const char *subresource; /* "status", … or NULL */
	const char *query;	 /* already encoded, without '?'; NULL if none */
	const struct json *body; /* NULL if none */
	int64_t timeout_ms;	 /* 0: the client's default for the verb */
	/* Asked at the moment of sending: kube/fence.h. If it does not let the request pass, that ends with CANCELED.
	 * Borrowed until the call is over. NULL: the request may be sent at any time. */
	struct fence *fence;
};

/* "GET", "POST", "PATCH", "DELETE". */
const char *request_method(const struct request *r);
/* Whether the request changes something. */
bool request_is_write(const struct request *r);
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
	struct json *body; /* parsed body or NULL; the callback may take_ptr() it, else it is freed */
	struct err err;	   /* ERR_NONE for 2xx */
};

void reply_done(struct reply *r);

/*
 * Fills r->err of an answer that is not 2xx. The class comes from the HTTP status and Status.reason: 409 AlreadyExists
 * is EXISTS, any other 409 CONFLICT; 410 and the reasons Expired and Gone are GONE; 403 is DENIED; 429 and 503 are
 * BUSY; 504 and the reason Timeout are TIMEOUT; 400, 405, 406, 415 and 422 are INVALID; 413 is TOO_LARGE.
 *
 * The text is "create pods default/pi-driver: 422 Invalid: <Status.message>". req NULL: it begins with the status.
 * retry_after_s is the value of the header, -1 if there is none; then Status.details.retryAfterSeconds counts. Both
 * count up to 5 minutes. If r->status is 0, the body alone decides (an ERROR event of a watch whose Status has no
 * code).
 */
void reply_classify(struct reply *r, const struct request *req, int64_t retry_after_s);

/* Whether the API server has refused an object for fields that it does not know (fieldValidation=Strict). */
bool reply_names_unknown_fields(const struct err *err);

#endif
