/*
 * What this run of the operator knows of the objects beside each application: which it has created, and which it could not.
 */
#ifndef LIFECYCLE_EXTRA_NOTES_H
#define LIFECYCLE_EXTRA_NOTES_H

#include "kube/plan.h"
#include "lifecycle/extras.h"

struct extra_notes;

struct extra_notes *extra_notes_new(void);
void extra_notes_free(struct extra_notes *n);
/* How the creation went for the application key: object as the API server has it, or NULL and err. */
void extra_notes_add(struct extra_notes *n, const char *key, const struct action *action, const struct json *object,
		     const struct err *err, int64_t wall_ms);
/* Borrowed until the next change; NULL and 0 if nothing is known. */
const struct extra_sighting *extra_notes_get(const struct extra_notes *n, const char *key, size_t *ret_len);
/* The application's status tells of some of them: those are forgotten here. */
void extra_notes_told(struct extra_notes *n, const char *key, const struct app *app);
/* Nobody will ask for the application any more. */
void extra_notes_drop(struct extra_notes *n, const char *key);

#endif
