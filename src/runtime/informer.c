/*
 * The informer: carries the commands of a watch stepper to the API and the store, and replies and data back to the
 * stepper.
 *
 * Happy path: start → list pages → store complete, on_synced → stream → each event changes the store. The stepper
 * decides about failures. Here they become one problem text, and a log line when a problem begins, once a minute, and
 * when it is over. The end of a stream that was open for a while is no problem: servers, proxies and rolling restarts
 * often cause it.
 */
#include "runtime/informer.h"

#include <assert.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

enum { LOG_EVERY_MS = 60 * 1000, ESTABLISHED_MS = 1000 };

struct informer {
	struct api *api;
	struct sched *sched;
	struct store *store;
	const struct resource *res;
	char *ns;	/* or NULL */
	char *selector; /* "&labelSelector=…&fieldSelector=…", encoded; or "" */
	void (*on_synced)(void *arg);
	void (*on_fresh)(void *arg);
	void *arg;
	struct watch *watch;
	struct sched_timer timer;
	struct api_call *list;
	struct api_call *stream;
	uint64_t relist;  /* the last one that began, see store_relist_begin() */
	const char *verb; /* of the last call, for the log */
	int64_t opened_ms;
	bool optional;
	bool absent; /* optional, and the last list was answered so */
	bool synced;
	bool fresh;	    /* nothing that informer_freshen asked for is missing */
	bool ordinary;	    /* the end of the stream that is being handled is no problem */
	char *problem;	    /* or NULL */
	bool problem_lasts; /* until the stream brings something */
	int64_t logged_ms;
	struct metric *lists;
	struct metric *watches;
	struct metric *events;
	struct metric *restarts;
	struct metric *contact;
};

/* Why a watch came to its end: the server ended it; its version was gone; it broke or was refused; no bytes came, or no
 * end. */
static const char *const cut_reasons[] = { "ended", "expired", "failed", "silent" };

static void on_timer(void *arg);

/* label: a second label beside the resource, or NULL. */
static struct metric *find_family(struct metrics *m, enum metric_type type, const char *name, const char *help,
				  const char *label)
{
	const char *const labels[] = { "resource", label, NULL };

	return metrics_family(m, type, name, help, labels, NULL, 0);
}

static struct metric *resource_counter(struct metrics *m, const char *resource, const char *name, const char *help)
{
	struct metric *found = find_family(m, METRIC_COUNTER, name, help, NULL);

	metric_init(found, (const char *const[]){ resource });
	return found;
}

static void add_informer_metrics(struct informer *i, struct metrics *m)
{
	const char *resource = i->res->plural;

	i->lists = resource_counter(m, resource, "informer_lists_total", "List calls to the API server, by pages");
	i->watches = resource_counter(m, resource, "informer_watches_total", "Watch streams opened");
	i->events =
	    resource_counter(m, resource, "informer_events_total", "Objects added, changed or removed by watch events");
	i->restarts = find_family(
	    m, METRIC_COUNTER, "spark_operator_watch_restarts_total",
	    "Watch streams that came to an end, by reason: ended (by the server), expired, failed, silent", "reason");
	for (size_t n = 0; n < array_len(cut_reasons); n++)
		metric_init(i->restarts, (const char *const[]){ resource, cut_reasons[n] });
	i->contact = find_family(m, METRIC_GAUGE, "spark_operator_watch_last_contact_timestamp_seconds",
				 "When the API server last sent something about the resource, 0: never", "namespace");
	metric_init(i->contact, (const char *const[]){ resource, i->ns ? i->ns : "" });
}

static void count_metric(const struct informer *i, struct metric *metric)
{
	const char *const values[] = { i->res->plural };

	if (metric)
		metric_add(metric, values, 1);
}

static void count_cut(const struct informer *i, const char *reason)
{
	if (i->restarts)
		metric_add(i->restarts, (const char *const[]){ i->res->plural, reason }, 1);
}

static void note_contact(const struct informer *i)
{
	const char *const values[] = { i->res->plural, i->ns ? i->ns : "" };
	int64_t wall_s = sched_wall(i->sched) / 1000;

	if (i->contact)
		metric_set(i->contact, values, (double)wall_s);
}

/* The part of each query that the selectors make. Owned. */
static char *selector_query(const struct informer_options *options)
{
	auto_free char *labels = text_url_encode(options->label_selector ? options->label_selector : "");
	auto_free char *fields = text_url_encode(options->field_selector ? options->field_selector : "");

	return xasprintf("%s%s%s%s", labels[0] ? "&labelSelector=" : "", labels, fields[0] ? "&fieldSelector=" : "",
			 fields);
}

struct informer *informer_new(const struct informer_options *options)
{
	struct informer *i = xcalloc(1, sizeof(*i));

	i->api = options->api;
	i->sched = options->sched;
	i->store = options->store;
	i->res = store_kind(options->store)->res;
	i->ns = xstrdup_null(options->ns);
	i->on_synced = options->on_synced;
	i->on_fresh = options->on_fresh;
	i->arg = options->arg;
	i->optional = options->optional;
	i->watch = watch_new(&options->sched->rng);
	i->fresh = true;
	i->selector = selector_query(options);
	if (options->metrics)
		add_informer_metrics(i, options->metrics);
	sched_timer_init(&i->timer, on_timer, i);
	return i;
}

void informer_free(struct informer *i)
{
	if (!i)
		return;
	if (i->list)
		api_cancel(i->api, i->list);
	if (i->stream)
		api_cancel(i->api, i->stream);
	sched_disarm(i->sched, &i->timer);
	if (i->contact) /* a series that stays would look like an informer that receives nothing */
		metric_remove(i->contact, (const char *const[]){ i->res->plural, i->ns ? i->ns : "" });
	watch_free(i->watch);
	free(i->ns);
	free(i->selector);
	free(i->problem);
	free(i);
}

/* ---- problems ---- */

static void log_informer_problem(struct informer *i, const char *text)
{
	i->logged_ms = sched_now(i->sched);
	log_warn("-", "cannot follow the API server", "resource", i->res->plural, "namespace", i->ns ? i->ns : "*",
		 "verb", i->verb, "error", text, NULL);
}

static void set_problem(struct informer *i, const char *text)
{
	bool first = !i->problem;

	free(i->problem);
	i->problem = xstrdup(text);
	if (i->absent && first)
		log_info("-", "not followed, since the API server does not offer it; asked for again and again",
			 "resource", i->res->plural, "namespace", i->ns ? i->ns : "*", "error", text, NULL);
	if (i->absent)
		return;
	if (first || sched_now(i->sched) - i->logged_ms >= LOG_EVERY_MS)
		log_informer_problem(i, text);
}

static void clear_problem(struct informer *i)
{
	if (!i->problem)
		return;
	free(take_ptr(i->problem));
	log_info("-", "following the API server again", "resource", i->res->plural, "namespace", i->ns ? i->ns : "*",
		 NULL);
}

/* ---- commands ---- */

static void on_page(void *arg, struct reply *reply);
static void on_data(void *arg, const char *data, size_t len);
static void on_end(void *arg, struct reply *reply);

static void send_list(struct informer *i, const char *query)
{
	auto_free char *text = xasprintf("%s%s", query, i->selector);
	struct request req = { .verb = VERB_LIST, .res = i->res, .ns = i->ns, .query = text };

	if (i->list)
		api_cancel(i->api, i->list);
	i->verb = request_verb(&req);
	i->list = api_send(i->api, &req, on_page, i);
	count_metric(i, i->lists);
}

static void open_stream(struct informer *i, const char *query)
{
	auto_free char *text = xasprintf("%s%s", query, i->selector);
	struct request req = { .verb = VERB_WATCH, .res = i->res, .ns = i->ns, .query = text };

	assert(!i->stream);
	i->verb = request_verb(&req);
	i->opened_ms = sched_now(i->sched);
	i->stream = api_stream(i->api, &req, on_data, on_end, i);
	count_metric(i, i->watches);
}

static void cancel_stream(struct informer *i)
{
	if (i->stream)
		api_cancel(i->api, take_ptr(i->stream));
}

static void upsert_object(struct informer *i, struct json *object)
{
	struct err err;
	struct kobj *o = kobj_new(store_kind(i->store), object, &err);

	if (o)
		store_upsert(i->store, o);
	else
		log_warn("-", "object left out", "resource", i->res->plural, "error", err.msg, NULL);
}

static void remove_object(struct informer *i, const struct json *object)
{
	const char *ns = json_str(object, "metadata.namespace", "");
	auto_free char *key = xasprintf("%s%s%s", ns, ns[0] ? "/" : "", json_str(object, "metadata.name", ""));

	store_remove(i->store, key);
}

static void end_list(struct informer *i)
{
	store_relist_end(i->store, i->ns, i->relist);
	mem_trim(); /* the trees of the pages were much larger than what is kept of them */
	if (i->synced)
		return;
	i->synced = true;
	log_info("-", "cache is complete", "resource", i->res->plural, "namespace", i->ns ? i->ns : "*", NULL);
	if (i->on_synced)
		i->on_synced(i->arg);
}

static void end_freshen(struct informer *i)
{
	i->fresh = true;
	if (i->on_fresh)
		i->on_fresh(i->arg);
}

static void take_warning(struct informer *i, const struct watch_cmd *cmd)
{
	if (i->ordinary) {
		log_debug("-", "watch ended", "resource", i->res->plural, "error", cmd->text, NULL);
		return;
	}
	set_problem(i, cmd->text);
	i->problem_lasts = cmd->lasts;
}

static void execute_cmd(struct informer *i, struct watch_cmd *cmd)
{
	switch (cmd->type) {
	case WATCH_CMD_LIST:
		send_list(i, cmd->text);
		return;
	case WATCH_CMD_OPEN:
		open_stream(i, cmd->text);
		return;
	case WATCH_CMD_CANCEL:
		cancel_stream(i);
		return;
	case WATCH_CMD_TIMER:
		sched_arm(i->sched, &i->timer, cmd->ms);
		return;
	case WATCH_CMD_BEGIN:
		i->relist = store_relist_begin(i->store);
		return;
	case WATCH_CMD_UPSERT:
		upsert_object(i, take_ptr(cmd->object));
		return;
	case WATCH_CMD_DELETE:
		remove_object(i, cmd->object);
		return;
	case WATCH_CMD_END:
		end_list(i);
		return;
	case WATCH_CMD_WARN:
		take_warning(i, cmd);
		return;
	case WATCH_CMD_FRESH:
		end_freshen(i);
		return;
	}
}

/* Counts a stream that we end ourselves: after an ERROR event (its version may be gone), or at the timer. A stream that
 * is reopened since informer_freshen wants to know how far it is has done nothing wrong. */
static void count_cancel(const struct informer *i, const struct watch_event *ev, const struct watch_cmds *cmds)
{
	bool cancel = false, list = false;

	if (ev->type != WATCH_EV_DATA && ev->type != WATCH_EV_TIMER)
		return;

	for (size_t n = 0; n < cmds->len; n++) {
		cancel = cancel || cmds->items[n].type == WATCH_CMD_CANCEL;
		list = list || cmds->items[n].type == WATCH_CMD_LIST;
	}
	if (cancel && ev->type == WATCH_EV_TIMER)
		count_cut(i, "silent");
	else if (cancel)
		count_cut(i, list ? "expired" : "failed");
}

/* Returns true if the stepper had no warning about the event. */
static bool step_watch(struct informer *i, struct watch_event *ev)
{
	struct watch_cmds cmds = { 0 };
	bool fine = true;

	ev->now_ms = sched_now(i->sched);
	watch_step(i->watch, ev, &cmds);
	count_cancel(i, ev, &cmds);
	for (size_t n = 0; n < cmds.len; n++) {
		if (ev->type == WATCH_EV_DATA &&
		    (cmds.items[n].type == WATCH_CMD_UPSERT || cmds.items[n].type == WATCH_CMD_DELETE))
			count_metric(i, i->events);
		if (cmds.items[n].type == WATCH_CMD_WARN)
			fine = false;
		execute_cmd(i, &cmds.items[n]);
	}
	watch_cmds_done(&cmds);
	return fine;
}

/* ---- replies and data ---- */

/* If the API server does not know the resource, its CRD is not installed. */
static void explain_missing_crd(const struct informer *i, struct err *err)
{
	if (err->code == ERR_NOT_FOUND && i->res->group[0])
		err_wrap(err, "the CRD %s.%s is not installed (kubectl apply -f crds/)", i->res->plural, i->res->group);
}

/* An optional resource that the API server does not have, or does not let us list. */
static bool is_unavailable(const struct informer *i, const struct err *err)
{
	return i->optional && (err->code == ERR_NOT_FOUND || err->code == ERR_DENIED);
}

static void on_page(void *arg, struct reply *reply)
{
	struct informer *i = arg;
	struct watch_event ev = { .type = WATCH_EV_PAGE_FAILED, .err = &reply->err };

	i->list = NULL;
	i->absent = is_unavailable(i, &reply->err);
	if (i->absent || reply->err.code == ERR_NONE)
		note_contact(i);
	if (reply->err.code == ERR_NONE) {
		ev = (struct watch_event){ .type = WATCH_EV_PAGE, .list = take_ptr(reply->body) };
	}
	explain_missing_crd(i, &reply->err);
	if (step_watch(i, &ev) && ev.type == WATCH_EV_PAGE && !i->problem_lasts)
		clear_problem(i);
}

static void on_data(void *arg, const char *data, size_t len)
{
	struct informer *i = arg;
	struct watch_event ev = { .type = WATCH_EV_DATA, .data = data, .len = len };

	note_contact(i);
	if (step_watch(i, &ev))
		clear_problem(i);
}

static const char *end_reason(const struct err *err)
{
	if (err->code == ERR_NONE)
		return "ended";
	return err->code == ERR_GONE ? "expired" : "failed";
}

static void on_end(void *arg, struct reply *reply)
{
	struct informer *i = arg;
	struct watch_event ev = { .type = WATCH_EV_ENDED, .err = &reply->err };
	bool established = sched_now(i->sched) - i->opened_ms >= ESTABLISHED_MS;

	i->stream = NULL;
	count_cut(i, end_reason(&reply->err));
	i->ordinary = reply->status == 200 && established;
	if (i->ordinary) {
		note_contact(i);
		clear_problem(i);
	}
	explain_missing_crd(i, &reply->err);
	step_watch(i, &ev);
	i->ordinary = false;
}

static void on_timer(void *arg)
{
	struct watch_event ev = { .type = WATCH_EV_TIMER };

	step_watch(arg, &ev);
}

/* ---- the contract ---- */

void informer_start(struct informer *i)
{
	struct watch_event ev = { .type = WATCH_EV_START };

	step_watch(i, &ev);
}

void informer_freshen(struct informer *i)
{
	struct watch_event ev = { .type = WATCH_EV_FRESHEN };

	i->fresh = false;
	step_watch(i, &ev);
}

bool informer_fresh(const struct informer *i)
{
	return i->fresh;
}

bool informer_synced(const struct informer *i)
{
	return i->synced;
}

enum watch_state informer_state(const struct informer *i)
{
	return watch_state(i->watch);
}

const char *informer_problem(const struct informer *i)
{
	return i->problem ? i->problem : "";
}

/* The version of the watch moves with events of all objects and with bookmarks. It is never ahead of the store. */
bool informer_has_seen(const struct informer *i, const char *resource_version)
{
	const char *seen = watch_version(i->watch);
	bool ordered;
	int order = resource_version_compare(seen, resource_version, &ordered);

	return order == 0 || (ordered && order > 0);
}
