/*
 * An API server in memory, virtual time, and what the program logs meanwhile: the stage of tests of one part of the
 * program that talks to the API server and reports in the log.
 */
#ifndef TESTS_LOGGED_KUBE_H
#define TESTS_LOGGED_KUBE_H

#include "base/buf.h"
#include "base/log.h"
#include "fake_kube.h"

struct logged_kube {
	struct sched sched;
	struct fake_kube *kube;
	struct buf log;
};

static inline void logged_kube_line(void *arg, const char *line, size_t len)
{
	struct logged_kube *k = arg;

	buf_add(&k->log, line, len);
}

/* k must not move before logged_kube_done. */
static inline void logged_kube_init(struct logged_kube *k)
{
	buf_init(&k->log, 1 << 20);
	log_setup(LOG_INFO, false);
	log_set_sink(logged_kube_line, k);
	sched_init(&k->sched, 0, 1767323045000, 1);
	k->kube = fake_kube_new(&k->sched, NULL);
}

static inline void logged_kube_done(struct logged_kube *k)
{
	fake_kube_free(k->kube);
	sched_done(&k->sched);
	buf_done(&k->log);
	log_set_sink(NULL, NULL);
}

#endif
