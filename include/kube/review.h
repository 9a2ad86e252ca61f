/*
 * AdmissionReview (admission.k8s.io/v1 and v1beta1) to a view and back. Pure.
 * Source of the rules: k8s.io/api/admission, apiserver's request/admissionreview.go.
 */
#ifndef KUBE_REVIEW_H
#define KUBE_REVIEW_H

#include <stdbool.h>

#include "json/json.h"

enum review_operation { REVIEW_CREATE = 1, REVIEW_UPDATE, REVIEW_DELETE, REVIEW_CONNECT };

/* A limit on the values in a review: about as many as two objects of 1.5 MiB (the limit of etcd) have with some
 * text. */
enum { REVIEW_MAX_NODES = 250000 };

struct review {			 /* strings and trees are borrowed from tree */
	struct json *tree;	 /* the AdmissionReview without metadata.managedFields; owned */
	const char *api_version; /* "admission.k8s.io/v1" or "admission.k8s.io/v1beta1" */
	const char *uid;
	enum review_operation operation;
	const char *group; /* of request.resource; "" is the core group */
	const char *version;
	const char *plural;
	const char *kind;	 /* of request.kind; "" if none */
	const char *subresource; /* "" if none */
	const char *ns;		 /* request.namespace, "" if none; the object itself may lack it */
	const char *name;	 /* request.name, "" with generateName; the object itself may lack it */
	bool dry_run;
	const struct json *object;     /* an object; NULL for DELETE and sometimes CONNECT */
	const struct json *old_object; /* an object; NULL for CREATE */
};

/*
 * ERR_INVALID says what is wrong: no JSON, not an AdmissionReview of these versions, no request, uid or resource, an
 * unknown operation, a value that has to be an object and is not, CREATE or UPDATE without object. ERR_TOO_LARGE: more
 * than REVIEW_MAX_NODES values. ret needs review_done() only after success.
 */
int review_parse(const char *text, size_t len, struct review *ret, struct err *err);
void review_done(struct review *r);
/* "CREATE"; never NULL. */
const char *review_operation_name(enum review_operation operation);

struct review_reply {
	bool denied;
	int code; /* of a denial: the HTTP code; 0: the code that belongs to reason, or 403 if there is no reason */
	/* Of a denial: a metav1.StatusReason, such as "Invalid" or "Forbidden". Static. NULL: the one of the code. */
	const char *reason;
	char *message;	     /* of a denial; owned */
	struct json *causes; /* of a denial: array of {reason, message, field} for status.details; owned, may be NULL */
	struct json *patch;  /* JSON Patch; owned; NULL or empty: no change; of a denial: ignored */
	struct json *warnings; /* array of strings, shown by kubectl; owned, may be NULL */
};

void review_reply_done(struct review_reply *r);
/*
 * The text of the answer, owned: in the version of the question, with its uid, and with the patch in base64. A denial
 * with causes has kind and name too. kubectl shows it like a denial of the API server: The Pod "x" is invalid: FIELD:
 * MESSAGE.
 */
char *review_reply_print(const struct review *r, const struct review_reply *reply);

#endif
