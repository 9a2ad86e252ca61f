/*
 * Command lines of tests: options from a list of arguments. Include after cmocka.h.
 */
#ifndef TESTS_OPTIONS_ARGS_H
#define TESTS_OPTIONS_ARGS_H

#include "options/options.h"

#define ARGS(...) ((const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })

enum { MAX_ARGS = 8 };

static inline int parse(struct options *o, enum option_set set, const char *const *args, struct err *err)
{
	char *argv[MAX_ARGS];
	int argc = 0;

	for (; args[argc]; argc++)
		argv[argc] = (char *)args[argc];
	return options_parse(o, set, argc, argv, err);
}

static inline void must_parse(struct options *o, enum option_set set, const char *const *args)
{
	struct err err = { 0 };

	if (parse(o, set, args, &err) < 0)
		fail_msg("%s: %s", args[0] ? args[0] : "", err.msg);
}

#endif
