/*
 * The Lease over real connections: what must not cost a leader its Lease. Client and leader are those of the program,
 * the server answers for one Lease in the same loop.
 */
#include "client_lib.h"

#include "runtime/leader.h"

enum { DURATION_MS = 2500, DEADLINE_MS = 1500, RETRY_MS = 200 };

static int version;
static int patches;
static bool started, lost, released;
static bool slow;	   /* lists and writes of others are not answered */
static bool slow_leases;   /* lists of Leases are not answered */
static const char *former; /* the name of a second Lease, which is ours; or NULL */
static int former_patches;

static const char former_lease[] =
    "{\"metadata\":{\"name\":\"former\",\"namespace\":\"ops\",\"resourceVersion\":\"3\"},"
    "\"spec\":{\"holderIdentity\":\"me\",\"leaseDurationSeconds\":2}}";

static void answer_lease(struct raw *c)
{
	auto_free char *body = xasprintf(
	    "{\"metadata\":{\"name\":\"lock\",\"namespace\":\"ops\",\"resourceVersion\":\"%d\"},\"spec\":{"
	    "\"holderIdentity\":\"%s\",\"leaseDurationSeconds\":2,\"renewTime\":\"2026-01-01T00:00:00.%06dZ\"}}",
	    version, patches > 0 ? "me" : "", patches);

	answer(c, 200, "", body);
}

static void serve_lease(struct raw *c, const char *head, const char *body)
{
	(void)body;
	if (strstr(head, "watch=")) {
		raw_puts(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	} else if (strstr(head, "/leases?")) {
		if (slow_leases)
			return;
		answer(c, 200, "", "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[]}");
	} else if (strstr(head, "/leases/lock")) {
		patches += text_starts(head, "PATCH");
		version += text_starts(head, "PATCH");
		answer_lease(c);
	} else if (strstr(head, "/leases/former")) {
		former_patches += text_starts(head, "PATCH");
		answer(c, 200, "", former_lease);
	} else if (!slow) {
		answer(c, 200, "", "{}");
	}
}

static void on_started(void *arg)
{
	(void)arg;
	started = true;
}

static void on_lost(void *arg)
{
	(void)arg;
	lost = true;
}

static void on_released(void *arg)
{
	(void)arg;
	released = true;
}

static struct leader *begin_leading(struct client *client)
{
	const struct leader_options options = {
		.api = client_api(client),
		.sched = &w.loop.sched,
		.lease = { "ops", "lock", "me", DURATION_MS, DEADLINE_MS, RETRY_MS },
		.former_name = former,
		.clock_ms = time_boot_ms,
		.on_started = on_started,
		.on_lost = on_lost,
	};
	struct leader *l = leader_new(&options);

	version = 5;
	patches = 0;
	started = lost = released = slow = false;
	leader_start(l);
	run_until(&w.loop, &started);
	return l;
}

static void swallow(struct raw *r)
{
	if (r->eof)
		raw_close(r);
}

/* The load balancer fails over: what was connected is dead, without a word, and new connections work. */
static void go_mute(void)
{
	for (struct list *link = w.server.conns.next; link != &w.server.conns; link = link->next)
		container_of(link, struct raw, link)->on_data = swallow;
}

static void a_silent_fail_over_costs_no_lease(void **state)
{
	struct leader *l;
	int before;

	(void)state;
	begin_with(serve_lease, 0, 4);
	l = begin_leading(w.client);
	for (int i = 0; i < 4; i++) /* more connections that will be dead */
		send_as(&get_pod, i);
	run(4);
	go_mute();
	before = patches;
	run_for(&w.loop, 2 * DEADLINE_MS);
	assert_true(leader_may_write(l));
	assert_false(lost);
	assert_true(patches > before + 4);
	leader_free(l);
	end();
}

/* All places and all tokens of the working client are taken, by lists that are not answered. The client of the Lease
 * does not notice. */
static void lists_do_not_delay_a_renewal(void **state)
{
	struct client_options options = { .max_connections = 2 };
	static char token[] = "t0k";
	struct config config = { .token = token };
	struct client *lease_client;
	struct leader *l;
	struct err err;
	int before;

	(void)state;
	begin_with(serve_lease, 1, 2);
	config.server = w.url;
	lease_client = client_new(&w.loop, &config, &options, &err);
	assert_non_null(lease_client);
	l = begin_leading(lease_client);
	slow = true;
	before = patches;
	for (int i = 0; i < CALLS; i++)
		send_as(&list_pods, i);
	run_for(&w.loop, DEADLINE_MS);
	assert_in_range(patches - before, 5, 8);
	assert_false(lost);
	leader_free(l);
	client_close(lease_client);
	end();
}

/* The watches of both Leases begin with a list, and an answer to it may come late or never. */
static void lists_of_two_leases_do_not_delay_a_renewal(void **state)
{
	struct leader *l;

	(void)state;
	begin_with(serve_lease, 0, LEADER_CONNECTIONS);
	slow_leases = true;
	former = "former";
	former_patches = 0;
	l = begin_leading(w.client);
	run_for(&w.loop, 2 * DEADLINE_MS);
	assert_false(lost);
	assert_true(patches > 8);
	assert_true(former_patches > 8);
	leader_free(l);
	slow_leases = false;
	former = NULL;
	end();
}

static void a_silent_fail_over_does_not_keep_it_from_being_given_back(void **state)
{
	struct leader *l;

	(void)state;
	begin(serve_lease);
	l = begin_leading(w.client);
	go_mute();
	leader_release(l, on_released, NULL);
	run_until(&w.loop, &released);
	assert_non_null(strstr(w.server.requests.items[w.server.requests.len - 1], "\"holderIdentity\":\"\""));
	assert_false(lost);
	leader_free(l);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_silent_fail_over_costs_no_lease),
		cmocka_unit_test(lists_do_not_delay_a_renewal),
		cmocka_unit_test(lists_of_two_leases_do_not_delay_a_renewal),
		cmocka_unit_test(a_silent_fail_over_does_not_keep_it_from_being_given_back),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
