/*
 * What a scrape costs: scrape_cost [PODS]     default: 60000, of a sixth as many applications in 20 namespaces
 *
 * Prints one JSON object: the time to write the metrics out with nothing in the caches and with everything (the least
 * of several rounds, in microseconds), the size of the text, the time to copy as many bytes, and the time of one change
 * of a pod. The series are the same in both cases: the ratio of the first two says whether a scrape looks at objects.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "kube/store.h"
#include "metrics/app_metrics.h"
#include "spark/app.h"
#include "spark/pod.h"

enum { ROUNDS = 9, NAMESPACES = 20, PODS_OF_AN_APP = 6, TEXT_MAX = 64 << 20, NS_PER_US = 1000 };

struct world {
	struct sched sched;
	struct metrics *registry;
	struct store *apps;
	struct store *pods;
	struct app_metrics *metrics;
	int version;
};

/* Of this process, so that others do not count. */
static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / NS_PER_US;
}

static struct json *object(struct world *w, int app, const char *name)
{
	struct json *tree = json_new_object(), *metadata = json_ensure_object(tree, "metadata");

	json_setf(metadata, "namespace", "ns-%d", app % NAMESPACES);
	json_set_str(metadata, "name", name);
	json_set_str(metadata, "uid", name);
	json_setf(metadata, "resourceVersion", "%d", ++w->version);
	json_set_str(metadata, "creationTimestamp", "2026-01-02T03:04:05Z");
	return tree;
}

static void put(struct store *s, struct json *tree)
{
	struct err err = { 0 };
	struct kobj *o = kobj_new(store_kind(s), tree, &err);

	if (!o) {
		fprintf(stderr, "scrape_cost: %s\n", err.msg);
		exit(1);
	}
	store_upsert(s, o);
}

static void put_app(struct world *w, int app)
{
	auto_free char *name = xasprintf("app-%d", app);
	struct json *tree = object(w, app, name);

	json_set_str(json_ensure_object(json_ensure_object(tree, "status"), "applicationState"), "state", "RUNNING");
	put(w->apps, tree);
}

static void put_pod(struct world *w, int pod, const char *phase)
{
	auto_free char *name = xasprintf("pod-%d", pod);
	struct json *tree = object(w, pod / PODS_OF_AN_APP, name);
	struct json *labels = json_ensure_object(json_get(tree, "metadata"), "labels");

	json_set_str(labels, LABEL_SPARK_ROLE, "executor");
	json_setf(labels, LABEL_APP_NAME, "app-%d", pod / PODS_OF_AN_APP);
	json_set_str(json_ensure_object(tree, "status"), "phase", phase);
	put(w->pods, tree);
}

static void start(struct world *w)
{
	char names[NAMESPACES][16];
	const char *namespaces[NAMESPACES];
	const struct app_metrics_options options = { 0 };
	struct app_metrics_world world;

	for (int i = 0; i < NAMESPACES; i++) {
		snprintf(names[i], sizeof(names[i]), "ns-%d", i);
		namespaces[i] = names[i];
	}
	sched_init(&w->sched, 0, 1767323045000, 1);
	w->registry = metrics_new();
	w->apps = store_new(&app_kind);
	w->pods = store_new(&pod_kind);
	world = (struct app_metrics_world){ .registry = w->registry,
					    .sched = &w->sched,
					    .apps = w->apps,
					    .pods = w->pods,
					    .namespaces = namespaces,
					    .namespace_count = NAMESPACES };
	w->metrics = app_metrics_new(&world, &options);
	app_metrics_start(w->metrics);
}

static void finish(struct world *w)
{
	app_metrics_free(w->metrics);
	metrics_free(w->registry);
	store_free(w->apps);
	store_free(w->pods);
	sched_done(&w->sched);
}

static double scrape_us(struct world *w, struct buf *text)
{
	double least = 1e12;

	for (int i = 0; i < ROUNDS; i++) {
		double begin = cpu_us(), took;

		buf_done(text);
		buf_init(text, TEXT_MAX);
		metrics_write(w->registry, text);
		took = cpu_us() - begin;
		least = took < least ? took : least;
	}
	return least;
}

static double copy_us(const struct buf *text)
{
	auto_free char *copy = xmalloc(text->len);
	volatile char seen; /* so that the copy is made */
	double least = 1e12;

	for (int i = 0; i < ROUNDS; i++) {
		double begin = cpu_us(), took;

		memcpy(copy, text->data, text->len);
		seen = copy[text->len / 2];
		took = cpu_us() - begin;
		least = took < least ? took : least;
	}
	(void)seen;
	return least;
}

int main(int argc, char **argv)
{
	int64_t pods = 60000;
	struct world w = { 0 };
	auto_buf text = { 0 };
	double empty, full, begin;

	if (argc > 1 && (!text_i64(argv[1], &pods) || pods < PODS_OF_AN_APP || pods > 1000000)) {
		fprintf(stderr, "usage: scrape_cost [PODS]\n");
		return 2;
	}
	json_setup();
	start(&w);
	empty = scrape_us(&w, &text);
	for (int i = 0; i < pods / PODS_OF_AN_APP; i++)
		put_app(&w, i);
	for (int i = 0; i < pods; i++)
		put_pod(&w, i, "Running");
	full = scrape_us(&w, &text);
	begin = cpu_us();
	for (int i = 0; i < pods; i++)
		put_pod(&w, i, "Succeeded");
	printf("{\"pods\": %lld, \"empty_us\": %.1f, \"full_us\": %.1f, \"bytes\": %zu, \"copy_us\": %.1f, "
	       "\"change_us\": %.2f}\n",
	       (long long)pods, empty, full, text.len, copy_us(&text), (cpu_us() - begin) / (double)pods);
	finish(&w);
	return 0;
}
