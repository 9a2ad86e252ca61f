/*
 * Two descriptions of one submission, field by field: the objects that are made here, and those that spark-submit
 * sends.
 *
 *   objects ─▶ canonical form (compare_form.c: objects by their role, texts as trees, chance taken out) ─▶ walk ─▶
 *   differences, those that a rule explains marked with its reason
 *
 * Objects and fields are named as in driver.spec.containers[spark-kubernetes-driver].env[SPARK_USER].value: lists of
 * named things by name (of mounts by path; a name that comes again is NAME#2), others by position. " (missing)" stands
 * for what only spark-submit has, " (extra)" for what only we have, " (order)" for the same names in another order.
 */
#ifndef OFFLINE_COMPARE_H
#define OFFLINE_COMPARE_H

#include "spark/app.h"

/* What may differ, each with its reason. */
struct compare_rules;

/* Those that always hold. */
struct compare_rules *compare_rules_new(void);
/*
 * One rule per line: `PATTERN  # reason`, `NAME: PATTERN  # reason` for one application; * is any text. A pattern
 * covers what is below it. Empty lines and those that begin with # say nothing. ERR_INVALID names file and line.
 */
int compare_rules_add(struct compare_rules *r, const char *text, const char *file, struct err *err);
/* As compare_rules_add reads them. Owned. */
char *compare_rules_print(const struct compare_rules *r);
void compare_rules_free(struct compare_rules *r);

struct compare_side {
	const struct json *objects;  /* array */
	const struct json *executor; /* its pod; compared if both have one, or theirs alone */
	bool terse;		     /* pods without members that have their zero value, as Go leaves them out */
};

/*
 * {"objects": N, "equal": N, "differ": N, "ignored": N, "differences": [{"path", "ours", "theirs", "reason"}…]}; ours
 * or theirs is left out where there is nothing, the reason where no rule holds. name: what rules call the application.
 * Owned.
 */
struct json *compare_run(const struct compare_rules *r, const struct app *app, const char *name,
			 const struct compare_side *ours, const struct compare_side *theirs);

/*
 * The objects that the requests of a recording ({"requests": [{"method", "path", "body"}…], "objects"?}) leave behind,
 * in the order in which they were first sent: as an API server that replaces top-level members. Owned.
 */
struct json *compare_recorded(const struct json *recording);

#endif
