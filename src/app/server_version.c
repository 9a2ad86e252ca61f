/*
 * Which Kubernetes the API server is.
 *
 * Happy path: one GET of /version, which every account may read (ClusterRole system:public-info-viewer), and one line
 * in the log. An older one than is tested: one warning with both versions; the operator works with it all the same, as
 * far as it goes. An API server that does not answer is asked again, later each time; its absence is reported by
 * others. An answer that names no version is passed over.
 */
#include "server_version.h"

#include <ctype.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

enum { ASK_AGAIN_MIN_MS = 1000, ASK_AGAIN_MAX_MS = 5 * 60 * 1000 };

struct server_version {
	struct api *api;
	struct sched *sched;
	char *text; /* NULL: not known yet */
	unsigned tries;
	struct api_call *call;
	struct sched_timer retry;
};

/* Takes the digits at *p as a number and moves *p behind them. At most 4 digits. False if there are none. */
static bool take_number(const char **p, unsigned *ret)
{
	const char *begin = *p;

	*ret = 0;
	while (isdigit((unsigned char)**p) && *p - begin < 4)
		*ret = *ret * 10 + (unsigned)(*(*p)++ - '0');
	return *p > begin;
}

/* Whether the text is a version and older than the oldest that is tested: "v1.27.3", "v1.27.16-gke.1639000". */
static bool is_too_old(const char *text)
{
	unsigned major, minor;

	if (*text == 'v')
		text++;
	if (!take_number(&text, &major) || *text++ != '.' || !take_number(&text, &minor))
		return false;
	return major < KUBERNETES_MAJOR || (major == KUBERNETES_MAJOR && minor < KUBERNETES_OLDEST_MINOR);
}

static void on_version(void *arg, struct reply *reply)
{
	struct server_version *v = arg;

	v->call = NULL;
	if (reply->err.code != ERR_NONE) {
		sched_arm(v->sched, &v->retry,
			  time_backoff_ms(ASK_AGAIN_MIN_MS, ASK_AGAIN_MAX_MS, v->tries++, &v->sched->rng));
		return;
	}
	v->text = xstrdup(json_str(reply->body, "gitVersion", "unknown"));
	if (is_too_old(v->text)) {
		auto_free char *oldest = xasprintf("v%d.%d", KUBERNETES_MAJOR, KUBERNETES_OLDEST_MINOR);

		log_warn(
		    NULL,
		    "this Kubernetes is older than the oldest that the operator is made for and tested with; the API "
		    "server does not know all that the CRDs and the webhook use",
		    "kubernetes", v->text, "oldest", oldest, NULL);
	} else {
		log_info(NULL, "the API server has answered", "kubernetes", v->text, NULL);
	}
}

static void ask(void *arg)
{
	struct server_version *v = arg;
	const struct request request = { .verb = VERB_GET, .res = &resource_server_version, .name = "" };

	v->call = api_send(v->api, &request, on_version, v);
}

struct server_version *server_version_new(struct api *api, struct sched *sched)
{
	struct server_version *v = xcalloc(1, sizeof(*v));

	v->api = api;
	v->sched = sched;
	sched_timer_init(&v->retry, ask, v);
	return v;
}

void server_version_start(struct server_version *v)
{
	ask(v);
}

const char *server_version_text(const struct server_version *v)
{
	return v->text;
}

void server_version_free(struct server_version *v)
{
	if (!v)
		return;
	if (v->call)
		api_cancel(v->api, v->call);
	sched_disarm(v->sched, &v->retry);
	free(v->text);
	free(v);
}
