/*
 * kubeload: a load maker and stopwatch for the api tier and the benchmarks, on the operator's own API client.
 *
 *   kubeload apps  -n N        create N SparkApplications at once
 *   kubeload limit -n N        what the API server can take from a plain client that knows everything beforehand: for
 *                              each of N applications the SparkApplication, ConfigMap, Service and driver Pod; then,
 *                              timed without the SparkApplications, the objects only, and all that the operator writes
 *   kubeload submit -n N       create N SparkApplications at once and time until every driver pod is there
 *   kubeload wait -n N         wait until the driver pods of N SparkApplications are there; says when, in wall time
 *
 * Further flags: -k KUBECONFIG -s NAMESPACE -f TEMPLATE (YAML of a SparkApplication) -x PREFIX of the names -j JOBS at
 * once. Prints one JSON object with the figures; times in ms, measured here.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/map.h"
#include "base/text.h"
#include "json/yaml.h"
#include "kube/event.h"
#include "kube/plan.h"
#include "runtime/client.h"
#include "runtime/informer.h"
#include "spark/pod.h"
#include "submission/submission.h"
#include "ui_service.h"

#define MASTER "k8s://https://kubernetes.default.svc:443"

enum { GIVE_UP_MS = 900000, IDLE_POLL_MS = 100, MAX_STEPS = 8 };

struct flags {
	const char *command;
	const char *kubeconfig;
	const char *ns;
	const char *template_file;
	const char *prefix;
	int64_t count;
	int64_t jobs;
};

/* What a stage does for each application. */
enum work { CREATE_APP, CREATE_ALL, WORK_OFF_PLAN };

/* One application's way: the requests of a chain, one after the other. */
struct job {
	struct bench *bench;
	int64_t number;
	struct json *app; /* as created */
	struct plan plan; /* what follows its creation */
	size_t step;
};

struct bench {
	struct flags flags;
	struct loop loop;
	struct client *client;
	struct json *app_template;
	struct job *jobs;
	/* the stage under way */
	int64_t next;
	int64_t done;
	enum work work;
	void (*finished)(struct bench *b);
	int64_t started_ms;
	int64_t writes;
	size_t limit; /* index of limits */
	char *prefix; /* of the names */
	/* submit */
	struct store *pods;
	struct informer *informer;
	struct map *created; /* "ns/name" → its job */
	int64_t *latencies;
	int64_t *created_ms;
	int64_t seen;
	bool waiting; /* nothing is created */
	struct sched_timer guard;
	struct json *figures;
};

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "kubeload: %s: %s\n", what, why);
	exit(1);
}

static int64_t now_ms(const struct bench *b)
{
	(void)b;
	return time_now_ms();
}

/* ---- stages: every job has its request sent, at most flags.jobs at once ---- */

static void start_jobs(struct bench *b);

static void job_done(struct job *job)
{
	struct bench *b = job->bench;

	b->done++;
	if (b->done < b->flags.count)
		start_jobs(b);
	else
		b->finished(b);
}

static void send_next(struct job *job);
static void plan_objects(struct job *job, bool all);

static void on_reply(void *arg, struct reply *reply)
{
	struct job *job = arg;
	struct bench *b = job->bench;

	if (reply->err.code != ERR_NONE)
		die("the API server refused", reply->err.msg);
	b->writes++;
	if (job->app) {
		job->step++;
		send_next(job);
		return;
	}
	job->app = take_ptr(reply->body);
	if (b->created_ms)
		b->created_ms[job->number] = now_ms(b);
	if (b->work == CREATE_ALL) {
		plan_objects(job, false);
		send_next(job);
	} else {
		job_done(job);
	}
}

static struct json *make_app(const struct bench *b, int64_t number)
{
	struct json *app = json_dup(b->app_template);
	struct json *metadata = json_ensure_object(app, "metadata");

	json_setf(metadata, "name", "%s-%" PRId64, b->prefix, number);
	json_set_str(metadata, "namespace", b->flags.ns);
	return app;
}

static void send_create(struct job *job)
{
	auto_json app = make_app(job->bench, job->number);
	struct request request = {
		.verb = VERB_CREATE,
		.res = &resource_sparkapplication,
		.ns = job->bench->flags.ns,
		.body = app,
	};

	api_send(client_api(job->bench->client), &request, on_reply, job);
}

static void send_next(struct job *job)
{
	const struct action *action = &job->plan.actions[job->step];
	struct request request = { .res = action->res, .ns = action->ns, .body = action->body };

	if (job->step == job->plan.len) {
		job_done(job);
		return;
	}
	request.verb = action->type == ACTION_STATUS ? VERB_PATCH : VERB_CREATE;
	if (action->type == ACTION_STATUS) {
		request.name = action->name;
		request.subresource = "status";
	}
	api_send(client_api(job->bench->client), &request, on_reply, job);
}

static void start_jobs(struct bench *b)
{
	while (b->next < b->flags.count && b->next - b->done < b->flags.jobs) {
		struct job *job = &b->jobs[b->next++];

		if (b->work == WORK_OFF_PLAN)
			send_next(job);
		else
			send_create(job);
	}
}

static void stage(struct bench *b, enum work work, void (*finished)(struct bench *b))
{
	b->work = work;
	b->finished = finished;
	b->next = 0;
	b->done = 0;
	b->writes = 0;
	b->started_ms = now_ms(b);
	start_jobs(b);
}

static void note_stage(struct bench *b, const char *name)
{
	int64_t elapsed = now_ms(b) - b->started_ms;
	struct json *figures = json_set(b->figures, name, json_new_object());

	json_set_i64(figures, "applications", b->flags.count);
	json_set_i64(figures, "writes", b->writes);
	json_set_i64(figures, "elapsed_ms", elapsed);
	json_set(figures, "per_minute", json_new_i64(elapsed ? b->flags.count * 60000 / elapsed : 0));
}

/* ---- limit: the same objects by a plain client ---- */

static void plan_submitted(struct plan *plan, const struct app *app)
{
	struct json *body = json_new_object();
	struct json *status = json_set(body, "status", json_new_object());

	json_set_str(json_ensure_object(status, "applicationState"), "state", "SUBMITTED");
	json_set_str(json_ensure_object(status, "driverInfo"), "podName", app->name);
	json_set_i64(status, "submissionAttempts", 1);
	json_set_str(status, "submissionID", app->uid);
	plan_status(plan, &resource_sparkapplication, app->ns, app->name, app->uid, app->resource_version, body);
}

static void plan_note(struct plan *plan, const struct app *app, const char *reason)
{
	struct event_about about = { &resource_sparkapplication, app->ns, app->name, app->uid };

	plan_create(plan, &resource_event,
		    event_build(&about, "Normal", reason, reason, "kubeload", "kubeload", time_wall_ms()), app->uid, "",
		    "");
}

/* all: the events and the status too, in the operator's order. */
static void plan_objects(struct job *job, bool all)
{
	struct submission_options options = { .master = MASTER, .submitted_ms = time_wall_ms() };
	struct submission s = { 0 };
	struct app_names names;
	struct json *service;
	struct app app;
	struct err err = { 0 };

	if (app_decode(job->app, &app, &err) < 0 || submission_build(&app, 1, &options, &s, &err) < 0)
		die("the template cannot be submitted", err.msg);
	plan_done(&job->plan);
	plan_init(&job->plan);
	job->step = 0;
	for (struct json *o = json_take_first(s.objects); o; o = json_take_first(s.objects))
		plan_create(&job->plan, resource_of_kind(json_str(o, "kind", "")), o, app.uid, "", "");
	app_names_init(&names, &app, 1);
	service = ui_service_build(&app, names.submission_id);
	if (service)
		plan_create(&job->plan, &resource_service, service, app.uid, "", "");
	app_names_done(&names);
	if (all) {
		plan_submitted(&job->plan, &app);
		plan_note(&job->plan, &app, "SparkApplicationAdded");
		plan_note(&job->plan, &app, "SparkApplicationSubmitted");
	}
	submission_done(&s);
}

static void finish(struct bench *b)
{
	loop_stop(&b->loop);
}

/* The stages of `limit`, each with applications of its own: `all` says which plan, `timed` what counts. */
static const struct limit {
	const char *figure;
	const char *suffix; /* of the prefix */
	enum work timed;
	bool all;
} limits[] = {
	{ "objects_with_application", "a", CREATE_ALL, false },
	{ "objects", "o", WORK_OFF_PLAN, false },
	{ "all_writes", "w", WORK_OFF_PLAN, true },
};

static void start_limit(struct bench *b);

static void limit_reached(struct bench *b)
{
	note_stage(b, limits[b->limit].figure);
	for (int64_t i = 0; i < b->flags.count; i++)
		json_free(take_ptr(b->jobs[i].app));
	if (++b->limit < array_len(limits))
		start_limit(b);
	else
		finish(b);
}

static void limit_created(struct bench *b)
{
	for (int64_t i = 0; i < b->flags.count; i++)
		plan_objects(&b->jobs[i], limits[b->limit].all);
	stage(b, WORK_OFF_PLAN, limit_reached);
}

static void start_limit(struct bench *b)
{
	const struct limit *limit = &limits[b->limit];

	free(b->prefix);
	b->prefix = xasprintf("%s-%s", b->flags.prefix, limit->suffix);
	if (limit->timed == CREATE_ALL)
		stage(b, CREATE_ALL, limit_reached);
	else
		stage(b, CREATE_APP, limit_created);
}

/* ---- submit and wait: an operator against the clock ---- */

static int compare_i64(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void all_seen(struct bench *b)
{
	size_t n = (size_t)b->flags.count;
	struct json *figures;

	if (b->waiting) {
		figures = json_set(b->figures, "wait", json_new_object());
		json_set_i64(figures, "applications", b->flags.count);
		json_set_i64(figures, "finished_ms", time_wall_ms());
		finish(b);
		return;
	}
	b->writes = b->flags.count; /* the creations of the applications */
	note_stage(b, "submit");
	figures = json_get(b->figures, "submit");
	qsort(b->latencies, n, sizeof(*b->latencies), compare_i64);
	json_set_i64(figures, "latency_p50_ms", b->latencies[n / 2]);
	json_set_i64(figures, "latency_p99_ms", b->latencies[n * 99 / 100]);
	json_set_i64(figures, "latency_max_ms", b->latencies[n - 1]);
	finish(b);
}

static void on_pod(void *arg, const struct kobj *before, const struct kobj *now)
{
	struct bench *b = arg;
	const struct pod_view *pod = now ? now->view : NULL;
	auto_free char *key = NULL;
	const struct job *job;

	if (before || !pod || pod->role != POD_ROLE_DRIVER)
		return;
	key = xasprintf("%s/%s", pod->ns, pod->app_name);
	job = map_get(b->created, key);
	if (!job)
		return;
	/* The pod may be seen before the reply to the creation of its application: then it took no time. */
	b->latencies[job->number] = b->created_ms[job->number] ? now_ms(b) - b->created_ms[job->number] : 0;
	if (++b->seen == b->flags.count)
		all_seen(b);
}

static void apps_created(struct bench *b)
{
	fprintf(stderr, "kubeload: %" PRId64 " applications created in %" PRId64 " ms, %" PRId64 " drivers there\n",
		b->done, now_ms(b) - b->started_ms, b->seen);
}

static void on_pods_synced(void *arg)
{
	struct bench *b = arg;

	if (!b->waiting)
		stage(b, CREATE_APP, apps_created);
}

static void start_watching(struct bench *b)
{
	struct informer_options options = {
		.api = client_api(b->client),
		.sched = &b->loop.sched,
		.ns = b->flags.ns,
		.label_selector = LABEL_LAUNCHED_BY "=true",
		.on_synced = on_pods_synced,
		.arg = b,
	};

	b->pods = store_new(&pod_kind);
	store_on_change(b->pods, on_pod, b);
	b->created = map_new(NULL);
	for (int64_t i = 0; i < b->flags.count; i++) {
		auto_free char *key = xasprintf("%s/%s-%" PRId64, b->flags.ns, b->prefix, i);

		map_set(b->created, key, &b->jobs[i]);
	}
	b->latencies = xcalloc((size_t)b->flags.count, sizeof(*b->latencies));
	b->created_ms = xcalloc((size_t)b->flags.count, sizeof(*b->created_ms));
	options.store = b->pods;
	b->informer = informer_new(&options);
	informer_start(b->informer);
}

/* ---- the program ---- */

static void apps_made(struct bench *b)
{
	note_stage(b, "apps");
	finish(b);
}

static void on_guard(void *arg)
{
	const struct bench *b = arg;

	fprintf(stderr, "kubeload: gave up: %" PRId64 " of %" PRId64 " done, %" PRId64 " drivers seen\n", b->done,
		b->flags.count, b->seen);
	exit(1);
}

static const char *const usage =
    "kubeload apps|limit|submit|wait -n N -k KUBECONFIG -f TEMPLATE [-s NAMESPACE] [-x PREFIX] "
    "[-j JOBS]";

static struct flags parse_flags(int argc, char **argv)
{
	struct flags f = { .ns = "default", .prefix = "load", .jobs = 32 };
	int option;
	bool good = true;

	while ((option = getopt(argc, argv, "n:k:s:f:x:j:")) != -1) {
		switch (option) {
		case 'n':
			good = good && text_i64(optarg, &f.count);
			break;
		case 'k':
			f.kubeconfig = optarg;
			break;
		case 's':
			f.ns = optarg;
			break;
		case 'f':
			f.template_file = optarg;
			break;
		case 'x':
			f.prefix = optarg;
			break;
		case 'j':
			good = good && text_i64(optarg, &f.jobs);
			break;
		default:
			good = false;
		}
	}
	f.command = argv[optind];
	if (!good || !f.command || !f.template_file || f.count < 1)
		die("usage", usage);
	return f;
}

static struct json *read_template(const char *path)
{
	char block[65536];
	FILE *file = fopen(path, "re");
	struct err err = { 0 };
	auto_json documents = NULL;
	size_t len;

	if (!file)
		die(path, "cannot be read");
	len = fread(block, 1, sizeof(block), file);
	fclose(file);
	documents = yaml_parse(block, len, &err);
	if (!documents)
		die(path, err.msg);
	return json_take_first(documents);
}

static void set_up(struct bench *b)
{
	struct client_options options = { .max_connections = (unsigned)b->flags.jobs, .user_agent = "kubeload" };
	struct config config;
	struct err err = { 0 };

	if (config_load(b->flags.kubeconfig, NULL, &config, &err) < 0 || loop_init(&b->loop, &err) < 0)
		die("cannot start", err.msg);
	b->client = client_new(&b->loop, &config, &options, &err);
	config_done(&config);
	if (!b->client)
		die("cannot start", err.msg);
	b->app_template = read_template(b->flags.template_file);
	b->prefix = xstrdup(b->flags.prefix);
	b->waiting = text_eq(b->flags.command, "wait");
	b->figures = json_new_object();
	b->jobs = xcalloc((size_t)b->flags.count, sizeof(*b->jobs));
	for (int64_t i = 0; i < b->flags.count; i++) {
		b->jobs[i] = (struct job){ .bench = b, .number = i };
		plan_init(&b->jobs[i].plan);
	}
	sched_timer_init(&b->guard, on_guard, b);
	sched_arm(&b->loop.sched, &b->guard, GIVE_UP_MS);
}

static void tear_down(struct bench *b)
{
	sched_disarm(&b->loop.sched, &b->guard);
	informer_free(b->informer);
	client_close(b->client);
	for (int64_t i = 0; i < b->flags.count; i++) {
		json_free(b->jobs[i].app);
		plan_done(&b->jobs[i].plan);
	}
	free(b->jobs);
	free(b->latencies);
	free(b->created_ms);
	free(b->prefix);
	map_free(b->created);
	store_free(b->pods);
	json_free(b->app_template);
	if (loop_close(&b->loop) != 0)
		die("stop", "a handle is still open");
}

int main(int argc, char **argv)
{
	struct bench b = { .flags = parse_flags(argc, argv) };
	auto_free char *text = NULL;

	json_setup();
	log_setup(LOG_WARN, false);
	set_up(&b);
	if (text_eq(b.flags.command, "apps"))
		stage(&b, CREATE_APP, apps_made);
	else if (text_eq(b.flags.command, "limit"))
		start_limit(&b);
	else if (b.waiting || text_eq(b.flags.command, "submit"))
		start_watching(&b);
	else
		die("usage", usage);
	loop_run(&b.loop);
	tear_down(&b);
	text = json_print_pretty(b.figures);
	fputs(text, stdout);
	json_free(b.figures);
	return 0;
}
