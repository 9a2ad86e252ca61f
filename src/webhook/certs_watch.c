/*
 * The watch of one object: an informer with a field selector on metadata.name, and a store that has at most that
 * object.
 *
 * Happy path: start → the informer lists → on_change → every change → on_change. Failure modes: those of
 * runtime/informer, which tries again and logs.
 */
#include "certs_watch.h"

#include <stdlib.h>

#include "base/mem.h"
#include "kube/store.h"
#include "runtime/informer.h"

struct certs_watch {
	struct store *store;
	struct informer *informer;
	void (*on_change)(void *arg);
	void *arg;
};

static void on_object(void *arg, const struct kobj *before, const struct kobj *now)
{
	const struct certs_watch *w = arg;

	(void)before;
	(void)now;
	w->on_change(w->arg);
}

static void on_listed(void *arg)
{
	const struct certs_watch *w = arg;

	w->on_change(w->arg);
}

struct certs_watch *certs_watch_new(const struct certs_watch_options *options)
{
	auto_free char *selector = xasprintf("metadata.name=%s", options->name);
	struct certs_watch *w = xcalloc(1, sizeof(*w));

	w->on_change = options->on_change;
	w->arg = options->arg;
	w->store = store_new(options->kind);
	store_on_change(w->store, on_object, w);
	w->informer = informer_new(&(struct informer_options){
	    .api = options->api,
	    .sched = options->sched,
	    .store = w->store,
	    .ns = options->ns,
	    .field_selector = selector,
	    .on_synced = on_listed,
	    .arg = w,
	    .metrics = options->metrics,
	});
	return w;
}

void certs_watch_start(struct certs_watch *w)
{
	informer_start(w->informer);
}

void certs_watch_free(struct certs_watch *w)
{
	if (!w)
		return;
	informer_free(w->informer);
	store_free(w->store);
	free(w);
}

const struct kobj *certs_watch_object(const struct certs_watch *w)
{
	size_t pos = 0;

	return store_next(w->store, &pos);
}

bool certs_watch_listed(const struct certs_watch *w)
{
	return informer_synced(w->informer);
}

const char *certs_watch_problem(const struct certs_watch *w)
{
	return informer_problem(w->informer);
}

bool certs_watch_has_seen(const struct certs_watch *w, const char *resource_version)
{
	return informer_has_seen(w->informer, resource_version);
}
