/*
 * Executors that do not come. Spark asks for them again and again, and only the log of the driver tells why they are
 * not there. Here is what the operator says of them while the application runs.
 */
#ifndef LIFECYCLE_EXECUTORS_H
#define LIFECYCLE_EXECUTORS_H

#include "kube/outcome.h"
#include "spark/app.h"
#include "spark/pod.h"
#include "submission/submission.h"

/* An application whose driver runs. All borrowed. */
struct executors_site {
	const struct app *app;
	const struct pod_view *driver;
	const struct pod_view *const *pods; /* all pods of the application */
	size_t pod_count;
	const char *submission_id;	 /* of the run */
	const char *app_id;		 /* Spark's; what is learned of the run is kept under this name */
	bool is_as_submitted;		 /* the spec is the one that was submitted */
	const struct outcomes *outcomes; /* NULL: nothing is known */
	int64_t now_ms;			 /* wall */
};

enum executors_step {
	EXECUTORS_REST = 0,
	EXECUTORS_NOTE, /* the time from which on executors are missing */
	EXECUTORS_TRY,	/* ask the API server why */
};

struct executors_look {
	char *message;	    /* what is wrong; owned, NULL if nothing is */
	const char *reason; /* the word for it: ExecutorsPending or ExecutorsRefused; else NULL */
	bool is_missing;    /* there are fewer executors than there must be */
	enum executors_step step;
	int64_t next_ms; /* from now: when to look again though nothing changes; -1: never */
};

void executors_look(struct executors_look *ret, const struct executors_site *site);
void executors_look_done(struct executors_look *look);
/*
 * Plans the step. A try is the creation of the executor pod that the driver would create, as a dry run; one a minute
 * at most, and ever fewer. The plan asks for one more look after it, to report the answer. options: of the submission.
 */
void executors_plan(const struct executors_look *look, const struct executors_site *site,
		    const struct submission_options *options, struct plan *plan);

#endif
