/*
 * play KUBECONFIG NAMESPACE COUNT: plays the kubelet for driver pods, until COUNT applications of the namespace have
 * ended.
 *
 * For a cluster that is only an API server. Level-triggered: looks every 100 ms at all driver pods that its informer
 * knows and moves each one phase on, Pending → Running → Succeeded; a patch that fails (the API server is being
 * restarted) is simply made again. Prints the number of applications per state at the end; exit code 1 unless all are
 * COMPLETED within 5 minutes.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/map.h"
#include "base/text.h"
#include "runtime/client.h"
#include "runtime/informer.h"
#include "spark/app.h"
#include "spark/pod.h"

enum { LOOK_MS = 100, GIVE_UP_MS = 300000, MAX_PATCHES = 64 };

struct play {
	struct loop loop;
	struct client *client;
	const char *ns;
	int64_t count;
	struct store *apps;
	struct store *pods;
	struct informer *app_informer;
	struct informer *pod_informer;
	struct map *patching; /* keys of pods with a patch under way → play */
	struct sched_timer look;
	int64_t started_ms;
	int result;
};

struct patch {
	struct play *play;
	char *key;
};

static void on_patched(void *arg, struct reply *reply)
{
	struct patch *patch = arg;

	(void)reply; /* what failed is seen again at the next look */
	map_remove(patch->play->patching, patch->key);
	free(patch->key);
	free(patch);
}

static struct json *running_status(void)
{
	struct json *status = json_new_object();

	json_set_str(status, "phase", "Running");
	return status;
}

static struct json *succeeded_status(void)
{
	struct json *status = json_new_object();
	struct json *container =
	    json_append(json_set(status, "containerStatuses", json_new_array()), json_new_object());
	struct json *terminated = json_ensure_object(json_ensure_object(container, "state"), "terminated");
	char finished[TIME_TEXT_SIZE];

	json_set_str(status, "phase", "Succeeded");
	json_set_str(container, "name", DRIVER_CONTAINER);
	json_set_str(container, "image", "image");
	json_set_str(container, "imageID", "");
	json_set_bool(container, "ready", false);
	json_set_i64(container, "restartCount", 0);
	json_set_i64(terminated, "exitCode", 0);
	json_set_str(terminated, "reason", "Completed");
	json_set_str(terminated, "finishedAt", time_rfc3339(time_wall_ms(), finished));
	return status;
}

static void move_on(struct play *p, const struct pod_view *pod)
{
	auto_free char *key = xasprintf("%s/%s", pod->ns, pod->name);
	struct patch *patch;
	auto_json body = NULL;
	struct request request = {
		.verb = VERB_PATCH,
		.res = &resource_pod,
		.ns = pod->ns,
		.name = pod->name,
		.subresource = "status",
	};

	if (map_get(p->patching, key))
		return;
	body = json_new_object();
	json_set(body, "status", pod->phase == POD_PENDING ? running_status() : succeeded_status());
	request.body = body;
	map_set(p->patching, key, p);
	patch = xcalloc(1, sizeof(*patch));
	*patch = (struct patch){ p, take_ptr(key) };
	api_send(client_api(p->client), &request, on_patched, patch);
}

static void report(const struct play *p)
{
	int64_t states[APP_STATE_COUNT] = { 0 };
	const struct kobj *o;
	size_t pos = 0;

	while ((o = store_next(p->apps, &pos)))
		if (o->view)
			states[((const struct app *)o->view)->state]++;
	for (int i = 0; i < APP_STATE_COUNT; i++)
		if (states[i])
			printf("%s %" PRId64 "\n", i == APP_NEW ? "NEW" : app_state_text((enum app_state)i), states[i]);
}

static int64_t completed(const struct play *p)
{
	const struct kobj *o;
	size_t pos = 0;
	int64_t count = 0;

	while ((o = store_next(p->apps, &pos)))
		count += o->view && ((const struct app *)o->view)->state == APP_COMPLETED;
	return count;
}

static void on_look(void *arg)
{
	struct play *p = arg;
	const struct kobj *o;
	size_t pos = 0;
	bool all = completed(p) >= p->count;

	if (all || sched_now(&p->loop.sched) - p->started_ms > GIVE_UP_MS) {
		p->result = all ? 0 : 1;
		loop_stop(&p->loop);
		return;
	}
	while ((o = store_next(p->pods, &pos)) && map_len(p->patching) < MAX_PATCHES) {
		const struct pod_view *pod = o->view;

		if (pod && pod->role == POD_ROLE_DRIVER && (pod->phase == POD_PENDING || pod->phase == POD_RUNNING))
			move_on(p, pod);
	}
	sched_arm(&p->loop.sched, &p->look, LOOK_MS);
}

static struct informer *watch_kind(const struct play *p, struct store *store, const char *selector)
{
	struct informer_options options = {
		.api = client_api(p->client),
		.sched = (struct sched *)&p->loop.sched,
		.store = store,
		.ns = p->ns,
		.label_selector = selector,
	};
	struct informer *informer = informer_new(&options);

	informer_start(informer);
	return informer;
}

static int set_up(struct play *p, const char *kubeconfig, struct err *err)
{
	struct client_options options = { .user_agent = "play" };
	struct config config;

	if (config_load(kubeconfig, NULL, &config, err) < 0 || loop_init(&p->loop, err) < 0)
		return err_code(err);
	p->client = client_new(&p->loop, &config, &options, err);
	config_done(&config);
	if (!p->client)
		return err_code(err);
	p->apps = store_new(&app_kind);
	p->pods = store_new(&pod_kind);
	p->patching = map_new(NULL);
	p->app_informer = watch_kind(p, p->apps, NULL);
	p->pod_informer = watch_kind(p, p->pods, LABEL_LAUNCHED_BY "=true");
	p->started_ms = sched_now(&p->loop.sched);
	sched_timer_init(&p->look, on_look, p);
	sched_arm(&p->loop.sched, &p->look, 0);
	return 0;
}

int main(int argc, char **argv)
{
	struct play p = { 0 };
	struct err err = { 0 };

	json_setup();
	if (argc != 4 || !text_i64(argv[3], &p.count)) {
		fputs("usage: play KUBECONFIG NAMESPACE COUNT\n", stderr);
		return 2;
	}
	p.ns = argv[2];
	if (set_up(&p, argv[1], &err) < 0) {
		fprintf(stderr, "play: %s\n", err.msg);
		return 2;
	}
	loop_run(&p.loop);
	report(&p);
	return p.result; /* the process ends: what the loop still holds goes with it */
}
