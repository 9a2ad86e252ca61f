/*
 * Carrying out one plan: its actions in order, the first failure ends it. What follows from the outcome is the
 * controller's to decide.
 */
#ifndef RUNTIME_RUNNER_H
#define RUNTIME_RUNNER_H

#include "base/sched.h"
#include "kube/api.h"
#include "kube/outcome.h"
#include "runtime/recorder.h"

enum { STATUS_INTERVAL_MS = 100 }; /* between two status writes of one key */

/* A version of an object that the API server told us of: the cache is behind until it has seen it. */
struct sighting {
	const struct resource *res;
	char *ns;
	char *version;
};

struct sightings {
	struct sighting *items;
	size_t len;
};

void sightings_done(struct sightings *s);

struct runner_options {
	struct api *api;
	struct sched *sched;
	struct recorder *recorder;
	const char *key;	      /* for the log; borrowed for the runner's life */
	bool (*may_write)(void *arg); /* may be NULL */
	void *may_write_arg;
	/* The API server drops fields of created objects that it does not know. Else it refuses the object. */
	bool drops_unknown_fields;
	bool *has_told_dropped;	   /* whether the log has what a status lost, which is said once; may be NULL */
	struct outcomes *outcomes; /* gets how optional creations went; borrowed */
	int64_t status_ms;	   /* when the key's status was last written, INT64_MIN: long ago; kept up to date */
	void (*done)(void *arg);   /* exactly once, from the loop */
	void *arg;
};

struct runner {
	struct runner_options options;
	struct plan plan;
	size_t pos; /* the action under way */
	struct api_call *call;
	int64_t sent_ms;
	struct sched_timer timer;
	bool has_found;		/* a creation has found that its object is there already */
	struct err why;		/* the answer for which the object is looked at */
	struct failure failure; /* the outcome, without times and tries; err.code ERR_NONE: the plan went through */
	bool root_gone;		/* the object whose status was to be written, or that was checked, is not there */
	struct sightings seen;	/* of what was written or read */
};

/* Moves *plan. */
struct runner *runner_new(const struct runner_options *options, struct plan *plan);
void runner_start(struct runner *r);
/* Cancels what is under way, silently. */
void runner_free(struct runner *r);
/* "create pods default/pi-driver": the action under way. Owned. */
char *runner_describe(const struct runner *r);

#endif
