/*
 * AdmissionReview (admission.k8s.io/v1 and v1beta1) to a view and back. Pure.
 * Source of the rules: k8s.io/api/admission, apiserver's request/admissionreview.go.
 */
#ifndef KUBE_REVIEW_H
#define KUBE_REVIEW_H

#include <stdbool.h>

#include "json/json.h"

enum review_operation { REVIEW_CREATE = 1, REVIEW_UPDATE, REVIEW_DELETE, REVIEW_CONNECT };

/* Values, about: what two objects of 1.5 MiB, the limit of etcd, can be made of with some text in them. */
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
 * ERR_INVALID with what is wrong: no JSON, not an AdmissionReview of these versions, no request, no uid, no
 * resource, unknown operation, something else than an object where one belongs, CREATE or UPDATE without object;
 * and ERR_TOO_LARGE beyond REVIEW_MAX_NODES. ret needs review_done() only after success.
 */
int review_parse(const char *text, size_t len, struct review *ret, struct err *err);
void review_done(struct review *r);
/* "CREATE"; never NULL. */
const char *review_operation_name(enum review_operation operation);

struct review_reply {
	bool denied;
	int code; /* of a denial: HTTP code; 0: that of reason, 403 without one */
	/* Of a denial: a metav1.StatusReason, such as "Invalid" or "Forbidden". Static. NULL: the one of the code. */
	const char *reason;
	char *message;	     /* of a denial; owned */
	struct json *causes; /* of a denial: array of {reason, message, field} for status.details; owned, may be NULL */
	struct json *patch;  /* JSON Patch; owned; NULL or empty: no change; of a denial: ignored */
	struct json *warnings; /* array of strings, shown by kubectl; owned, may be NULL */
};

void review_reply_done(struct review_reply *r);
/*
 * The answer in the version of the question: uid echoed, the patch in base64. Owned text. A denial with causes
 * carries kind and name too, and kubectl shows it as it shows the API server's own: The Pod "x" is invalid: FIELD:
 * MESSAGE.
 */
char *review_reply_print(const struct review *r, const struct review_reply *reply);

#endif
