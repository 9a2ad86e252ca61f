/*
 * An operator that takes the place of another one, which knows another Lease: the two never write at the same time,
 * whichever comes, goes or dies first. That is checked at every instant by sim_replicas_run. The other one is an
 * operator of ours with the Lease of kubeflow's chart alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "sim_replica.h"

#define FORMER_LEASE "spark-spark-operator-controller-lock"

enum {
	TAKE_OVER_MS = 15000 + 5000, /* after the last renewal: the lease duration, and what the requests take */
	LONGEST_MS = 120000,
};

static const struct sim_replica_options theirs = { .identity = "theirs", .lease = FORMER_LEASE };
static const struct sim_replica_options ours = { .identity = "ours", .former = FORMER_LEASE };
static const struct sim_replica_options ours_too = { .identity = "ours-too", .former = FORMER_LEASE };
/* Another release in the same namespace, which takes the place of another operator. */
static const struct sim_replica_options renamed = { .identity = "renamed", .former = "other-controller-lock" };

struct stage {
	struct sim sim;
	struct sim_replica replicas[2];
};

static void run(struct stage *st, int64_t duration_ms)
{
	sim_replicas_run(&st->sim, st->replicas, array_len(st->replicas), duration_ms);
}

/* The first works, the second has come too. */
static void set_up(struct stage *st, const struct sim_replica_options *first, const struct sim_replica_options *second)
{
	*st = (struct stage){ 0 };
	sim_init_bare(&st->sim, SIM_SUCCEED);
	sim_replica_start(&st->replicas[0], &st->sim, first);
	run(st, 1000);
	assert_true(leader_leads(st->replicas[0].leader));
	sim_replica_start(&st->replicas[1], &st->sim, second);
	sim_apply(&st->sim, SIM_UID);
}

static void tear_down(struct stage *st)
{
	for (size_t i = 0; i < array_len(st->replicas); i++)
		sim_replica_kill(&st->replicas[i]);
	sim_done(&st->sim);
}

static const char *holder(const struct stage *st, const char *lease)
{
	return json_str(fake_kube_get(st->sim.kube, &resource_lease, SIM_LEASE_NS, lease), "spec.holderIdentity", "");
}

static void expect_second(struct stage *st, int64_t within_ms)
{
	run(st, within_ms);
	assert_true(st->replicas[1].led_ms >= 0);
	assert_true(leader_leads(st->replicas[1].leader));
	while (!sim_has_ended(&st->sim) && sched_now(&st->sim.sched) < LONGEST_MS)
		run(st, 500);
	assert_true(sim_has_ended(&st->sim));
	sim_check_writes(&st->sim);
}

static void the_newcomer_waits(void **state)
{
	struct stage st;

	(void)state;
	set_up(&st, &theirs, &ours);
	run(&st, 60000);
	assert_int_equal(st.replicas[1].writes, 0);
	assert_int_equal(st.replicas[1].led_ms, -1);
	assert_string_equal(leader_holder(st.replicas[1].leader), "theirs");
	tear_down(&st);
}

static void pass_on(const struct sim_replica_options *first, const struct sim_replica_options *second, int64_t at_ms)
{
	struct stage st;

	set_up(&st, first, second);
	run(&st, at_ms);
	sim_replica_terminate(&st.replicas[0]);
	expect_second(&st, 5000);
	if (second->former)
		assert_string_equal(holder(&st, second->former), second->identity);
	tear_down(&st);
}

static void bury(const struct sim_replica_options *first, const struct sim_replica_options *second, int64_t at_ms)
{
	struct stage st;

	set_up(&st, first, second);
	run(&st, at_ms);
	sim_replica_kill(&st.replicas[0]);
	expect_second(&st, TAKE_OVER_MS);
	tear_down(&st);
}

/* Closely while the two find each other, widely afterwards. */
static void at_many_times(void (*play)(const struct sim_replica_options *first,
				       const struct sim_replica_options *second, int64_t at_ms),
			  const struct sim_replica_options *first, const struct sim_replica_options *second)
{
	for (int64_t at_ms = 0; at_ms < 9000; at_ms += at_ms < 60 ? 3 : 377)
		play(first, second, at_ms);
}

static void theirs_ends_and_ours_goes_on(void **state)
{
	(void)state;
	at_many_times(pass_on, &theirs, &ours);
}

static void theirs_dies_and_ours_goes_on(void **state)
{
	(void)state;
	at_many_times(bury, &theirs, &ours);
}

/* As when a release is rolled back. */
static void ours_ends_and_theirs_goes_on(void **state)
{
	(void)state;
	at_many_times(pass_on, &ours, &theirs);
}

static void ours_dies_and_theirs_goes_on(void **state)
{
	(void)state;
	at_many_times(bury, &ours, &theirs);
}

static void replicas_of_ours(void **state)
{
	(void)state;
	at_many_times(pass_on, &ours, &ours_too);
	at_many_times(bury, &ours, &ours_too);
}

static void a_release_that_was_renamed(void **state)
{
	(void)state;
	at_many_times(pass_on, &ours, &renamed);
	at_many_times(bury, &ours, &renamed);
}

/* Whoever takes the other Lease away ends this process, as with its own. */
static void the_other_lease_is_lost(void **state)
{
	struct stage st;
	struct json *lease;

	(void)state;
	set_up(&st, &ours, &theirs);
	run(&st, 5000);
	lease = json_dup(fake_kube_get(st.sim.kube, &resource_lease, SIM_LEASE_NS, FORMER_LEASE));
	json_set_str(json_get(lease, "spec"), "holderIdentity", "somebody");
	fake_kube_put(st.sim.kube, &resource_lease, lease);
	run(&st, 5000);
	assert_true(st.replicas[0].lost);
	assert_null(st.replicas[0].manager);
	tear_down(&st);
}

/* It holds neither Lease after that. */
static void it_may_end_while_it_waits(void **state)
{
	struct stage st;

	(void)state;
	set_up(&st, &theirs, &ours);
	run(&st, 100);
	sim_replica_terminate(&st.replicas[1]);
	run(&st, 5000);
	assert_null(st.replicas[1].manager);
	assert_string_equal(holder(&st, SIM_LEASE), "");
	assert_string_equal(holder(&st, FORMER_LEASE), "theirs");
	tear_down(&st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newcomer_waits),		cmocka_unit_test(theirs_ends_and_ours_goes_on),
		cmocka_unit_test(theirs_dies_and_ours_goes_on), cmocka_unit_test(ours_ends_and_theirs_goes_on),
		cmocka_unit_test(ours_dies_and_theirs_goes_on), cmocka_unit_test(replicas_of_ours),
		cmocka_unit_test(a_release_that_was_renamed),	cmocka_unit_test(the_other_lease_is_lost),
		cmocka_unit_test(it_may_end_while_it_waits),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
