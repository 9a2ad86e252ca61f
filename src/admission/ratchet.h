/*
 * Which problems of an updated object are new. An update is judged by what it makes worse, as an API server judges
 * updates by the schema of a CRD (Kubernetes' "validation ratcheting").
 */
#ifndef ADMISSION_RATCHET_H
#define ADMISSION_RATCHET_H

#include "json/json.h"

/* An object and its problems, as validation_problems() lists them. */
struct ratchet_side {
	const struct json *object;
	const struct json *problems;
};

/*
 * Splits the problems of the new object. ret_old has those that the old object has too: of the same field, or of that
 * field of another element of the list, with the same message and the same value. ret_new has the others. Both arrays
 * are owned.
 */
void ratchet_split(const struct ratchet_side *now, const struct ratchet_side *before, struct json **ret_new,
		   struct json **ret_old);

#endif
