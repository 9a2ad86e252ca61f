/* The intrusive list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/list.h"
#include "base/mem.h"

struct item {
	int n;
	struct list link;
};

static void test_order(void **state)
{
	struct item items[] = { { .n = 0 }, { .n = 1 }, { .n = 2 } };
	struct list head;

	(void)state;
	list_init(&head);
	assert_true(list_empty(&head));
	for (size_t i = 0; i < array_len(items); i++)
		list_append(&head, &items[i].link);
	list_remove(&items[1].link);
	list_remove(&items[1].link);
	assert_int_equal(container_of(list_pop(&head), struct item, link)->n, 0);
	assert_int_equal(container_of(list_pop(&head), struct item, link)->n, 2);
	assert_null(list_pop(&head));
	assert_true(list_empty(&head));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_order) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
