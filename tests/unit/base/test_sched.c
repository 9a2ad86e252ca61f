/* Timers: order, arming and disarming from callbacks, no delay, and a random run against a plain model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/sched.h"

struct probe {
	struct sched_timer timer;
	struct fixture *f;
	char name;
	int rearm; /* how often the callback arms its own timer again, without delay */
	struct probe *disarm;
	struct probe *arm;
};

struct fixture {
	struct sched s;
	struct buf fired;
	int earlier;
	struct probe a, b, c;
};

static void on_fire(void *arg)
{
	struct probe *p = arg;

	assert_false(sched_armed(&p->timer));
	buf_putc(&p->f->fired, p->name);
	if (p->rearm-- > 0)
		sched_arm(&p->f->s, &p->timer, 0);
	if (p->disarm)
		sched_disarm(&p->f->s, &p->disarm->timer);
	if (p->arm)
		sched_arm(&p->f->s, &p->arm->timer, 0);
}

static void on_earlier(struct sched *s)
{
	container_of(s, struct fixture, s)->earlier++;
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct probe *probes[] = { &f->a, &f->b, &f->c };

	sched_init(&f->s, 1000, 50000, 1);
	f->s.on_earlier = on_earlier;
	buf_init(&f->fired, 1000);
	for (size_t i = 0; i < array_len(probes); i++) {
		probes[i]->f = f;
		probes[i]->name = (char)('a' + i);
		sched_timer_init(&probes[i]->timer, on_fire, probes[i]);
	}
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	sched_done(&f->s);
	buf_done(&f->fired);
	free(f);
	return 0;
}

static void expect(struct fixture *f, const char *fired)
{
	assert_string_equal(buf_str(&f->fired), fired);
}

static void test_clock(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(sched_now(&f->s), 1000);
	assert_int_equal(sched_wall(&f->s), 50000);
	assert_int_equal(sched_next(&f->s), -1);
	sched_run(&f->s, 1500);
	assert_int_equal(sched_wall(&f->s), 50500);
	sched_run(&f->s, 1200);
	assert_int_equal(sched_now(&f->s), 1500);
}

static void test_order(void **state)
{
	struct fixture *f = *state;

	sched_arm(&f->s, &f->a.timer, 20);
	sched_arm(&f->s, &f->c.timer, 10);
	sched_arm(&f->s, &f->b.timer, 10);
	assert_int_equal(sched_next(&f->s), 1010);
	assert_int_equal(f->earlier, 2);
	expect(f, "");
	sched_run(&f->s, 1009);
	expect(f, "");
	sched_run(&f->s, 1010);
	expect(f, "cb");
	sched_run(&f->s, 5000);
	expect(f, "cba");
	sched_run(&f->s, 6000);
	expect(f, "cba");
}

static void test_rearm_replaces(void **state)
{
	struct fixture *f = *state;

	sched_arm(&f->s, &f->a.timer, 10);
	sched_arm(&f->s, &f->a.timer, 30);
	sched_arm(&f->s, &f->b.timer, -5);
	assert_int_equal(sched_next(&f->s), 1000);
	sched_run(&f->s, 1020);
	expect(f, "b");
	sched_run(&f->s, 1030);
	expect(f, "ba");
	assert_false(sched_armed(&f->a.timer));
}

static void test_no_delay_fires_in_a_later_run(void **state)
{
	struct fixture *f = *state;

	f->a.rearm = 2;
	f->b.arm = &f->c;
	sched_arm(&f->s, &f->a.timer, 0);
	sched_arm(&f->s, &f->b.timer, 0);
	sched_run(&f->s, 1100);
	expect(f, "ab");
	assert_int_equal(sched_next(&f->s), 1100);
	sched_run(&f->s, 1100);
	expect(f, "abac");
	sched_run(&f->s, 1100);
	expect(f, "abaca");
	assert_int_equal(sched_next(&f->s), -1);
}

static void test_disarm_from_callback(void **state)
{
	struct fixture *f = *state;

	f->a.disarm = &f->b;
	sched_arm(&f->s, &f->a.timer, 1);
	sched_arm(&f->s, &f->b.timer, 1);
	sched_arm(&f->s, &f->c.timer, 1);
	sched_run(&f->s, 2000);
	expect(f, "ac");
	assert_false(sched_armed(&f->b.timer));
	sched_disarm(&f->s, &f->b.timer);
}

/* What was due in this run and is armed again by another's callback waits for a later run. */
static void test_rearm_other_from_callback(void **state)
{
	struct fixture *f = *state;

	f->a.arm = &f->b;
	sched_arm(&f->s, &f->a.timer, 1);
	sched_arm(&f->s, &f->b.timer, 1);
	sched_arm(&f->s, &f->c.timer, 2);
	sched_run(&f->s, 2000);
	expect(f, "ac");
	sched_run(&f->s, 2000);
	expect(f, "acb");
}

static void test_huge_delay(void **state)
{
	struct fixture *f = *state;

	sched_arm(&f->s, &f->a.timer, INT64_MAX);
	assert_true(sched_next(&f->s) == INT64_MAX);
	sched_run(&f->s, INT64_MAX - 1);
	expect(f, "");
}

static void test_done_forgets(void **state)
{
	struct fixture *f = *state;

	sched_arm(&f->s, &f->a.timer, 1);
	sched_done(&f->s);
	assert_false(sched_armed(&f->a.timer));
	sched_run(&f->s, 5000);
	expect(f, "");
}

struct model {
	struct sched_timer timer;
	int64_t due; /* -1: not armed */
	int fired;
};

static void on_model(void *arg)
{
	((struct model *)arg)->fired++;
}

static void test_against_model(void **state)
{
	enum { TIMERS = 64 };
	struct fixture *f = *state;
	struct sched *s = &f->s;
	struct model models[TIMERS];

	memset(models, 0, sizeof(models));
	for (int i = 0; i < TIMERS; i++) {
		sched_timer_init(&models[i].timer, on_model, &models[i]);
		models[i].due = -1;
	}
	for (int step = 0; step < 5000; step++) {
		struct model *m = &models[rng_range(&s->rng, 0, TIMERS)];
		int64_t earliest = -1, delay = rng_range(&s->rng, 0, 50);

		if (rng_next(&s->rng) % 3) {
			sched_arm(s, &m->timer, delay);
			m->due = sched_now(s) + delay;
		} else {
			sched_disarm(s, &m->timer);
			m->due = -1;
		}
		if (step % 4 == 0)
			sched_run(s, sched_now(s) + delay / 4);
		for (int i = 0; i < TIMERS; i++) {
			bool due = step % 4 == 0 && models[i].due >= 0 && models[i].due <= sched_now(s);

			assert_int_equal(models[i].fired, due);
			models[i].fired = 0;
			if (due)
				models[i].due = -1;
			assert_int_equal(sched_armed(&models[i].timer), models[i].due >= 0);
			if (models[i].due >= 0 && (earliest < 0 || models[i].due < earliest))
				earliest = models[i].due;
		}
		assert_int_equal(sched_next(s), earliest);
	}
	sched_done(s);
}

#define timer_test(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		timer_test(test_clock),
		timer_test(test_order),
		timer_test(test_rearm_replaces),
		timer_test(test_no_delay_fires_in_a_later_run),
		timer_test(test_disarm_from_callback),
		timer_test(test_rearm_other_from_callback),
		timer_test(test_huge_delay),
		timer_test(test_done_forgets),
		timer_test(test_against_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
