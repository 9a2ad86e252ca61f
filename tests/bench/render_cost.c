/*
 * What it costs to render applications: render_cost FILE...
 *
 * Prints one JSON object: for each file the time of one submission_build (the least of several rounds, in
 * microseconds), the most heap that it held at any moment beyond what was there before, in bytes, and, as the limit
 * that no way of building the same objects can undercut, the time it takes just to print them. Time is that of this
 * process alone, so it means little on its own and much beside that limit, or beside spark-submit in the same run.
 * Heap is counted by wrapped allocation functions (-Wl,--wrap) and does not depend on the machine.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/text.h"
#include "json/files.h"
#include "submission/submission.h"

enum { ROUNDS = 7, REPEAT = 20, NS_PER_US = 1000 };

static size_t held, most;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);

static void *count(void *p)
{
	held += malloc_usable_size(p);
	if (held > most)
		most = held;
	return p;
}

void *__wrap_malloc(size_t size)
{
	return count(__real_malloc(size));
}

void *__wrap_calloc(size_t number, size_t size)
{
	return count(__real_calloc(number, size));
}

void *__wrap_realloc(void *p, size_t size)
{
	held -= malloc_usable_size(p);
	return count(__real_realloc(p, size));
}

void __wrap_free(void *p)
{
	held -= malloc_usable_size(p);
	__real_free(p);
}

static void die(const char *what, const char *why)
{
	fprintf(stderr, "render_cost: %s: %s\n", what, why);
	exit(1);
}

static void build(const struct app *app, struct submission *s)
{
	const struct submission_options options = { .master = "k8s://https://10.96.0.1:443" };
	struct err err = { 0 };

	memset(s, 0, sizeof(*s));
	if (submission_build(app, 1, &options, s, &err) < 0)
		die(app->name, err.msg);
}

/* Of this process, so that others do not count. */
static int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000 * 1000 * 1000 + t.tv_nsec;
}

static int64_t lesser(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* The least time of one call, so that what else the machine does counts little. */
static double build_us(const struct app *app)
{
	int64_t least = INT64_MAX;
	struct submission s;

	for (int round = 0; round < ROUNDS; round++) {
		int64_t begin = cpu_ns();

		for (int i = 0; i < REPEAT; i++) {
			build(app, &s);
			submission_done(&s);
		}
		least = lesser(least, cpu_ns() - begin);
	}
	return (double)least / REPEAT / NS_PER_US;
}

static double print_us(const struct submission *s)
{
	int64_t least = INT64_MAX;

	for (int round = 0; round < ROUNDS; round++) {
		int64_t begin = cpu_ns();

		for (int i = 0; i < REPEAT; i++)
			free(json_print(s->objects));
		least = lesser(least, cpu_ns() - begin);
	}
	return (double)least / REPEAT / NS_PER_US;
}

static size_t build_bytes(const struct app *app)
{
	size_t before = held;
	struct submission s;

	most = held;
	build(app, &s);
	submission_done(&s);
	return most - before;
}

static struct json *measure(struct json *object)
{
	struct json *figures = json_new_object(), *metadata = json_ensure_object(object, "metadata");
	struct submission s;
	struct err err = { 0 };
	struct app app;

	json_set_str(metadata, "uid", "2f1a7b0c-9d3e-4c55-8a61-0123456789ab");
	if (app_decode(object, &app, &err) < 0)
		die(json_str(metadata, "name", ""), err.msg);
	json_set_str(figures, "name", app.name);
	json_set(figures, "render_us", json_new_double(build_us(&app)));
	build(&app, &s);
	json_set(figures, "print_us", json_new_double(print_us(&s)));
	submission_done(&s);
	json_set_i64(figures, "heap_bytes", (int64_t)build_bytes(&app));
	return figures;
}

int main(int argc, char **argv)
{
	auto_json all = NULL;
	auto_free char *text = NULL;
	struct err err = { 0 };

	json_setup();
	all = json_new_array();
	for (int i = 1; i < argc; i++) {
		auto_json objects = files_read_objects(argv[i], &err);

		if (!objects)
			die(argv[i], err.msg);
		json_each (object, objects)
			json_append(all, measure(object));
	}
	text = json_print_pretty(all);
	fputs(text, stdout);
	return 0;
}
