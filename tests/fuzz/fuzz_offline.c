/*
 * A file of a user's, as validate, render and diff --print-command read it. Properties: none of them crashes, each ends
 * with an exit code of its own, every line that is printed begins with the file, and whatever is wrong is said; what
 * validate finds valid, render renders.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/text.h"
#include "offline/diff.h"
#include "offline/render.h"
#include "offline/validate_files.h"

enum { INPUT_MAX = 16384, CODE_FAILED_MAX = 2 };

typedef int run_fn(const struct options *o, FILE *out, FILE *errors);

struct result {
	int code;
	char *out;
	char *errors;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void done(struct result *r)
{
	free(r->out);
	free(r->errors);
}
#define auto_result __attribute__((cleanup(done))) struct result

static struct result run(run_fn *fn, enum option_set set, const char *const *args)
{
	struct result r = { 0 };
	struct options o;
	struct err err = { 0 };
	size_t out_size, errors_size;
	FILE *out = open_memstream(&r.out, &out_size), *errors = open_memstream(&r.errors, &errors_size);
	int argc = 0;

	while (args[argc])
		argc++;
	require(options_parse(&o, set, argc, (char **)args, &err) == 0);
	r.code = fn(&o, out, errors);
	options_done(&o);
	fclose(out);
	fclose(errors);
	return r;
}

static void check_lines(const char *text, const char *path)
{
	for (; *text; text += strcspn(text, "\n") + 1)
		require(text_starts(text, path) && strchr(text, '\n'));
}

static void check_file(const char *path)
{
	auto_result validated = run(validate_files_run, OPTIONS_VALIDATE, (const char *const[]){ "-f", path, NULL });
	auto_result rendered = run(render_run, OPTIONS_RENDER, (const char *const[]){ "-f", path, NULL });
	auto_result command = run(diff_run, OPTIONS_DIFF, (const char *const[]){ "-f", path, "--print-command", NULL });

	check_lines(validated.out, path);
	check_lines(validated.errors, path);
	check_lines(rendered.errors, path);
	check_lines(command.errors, path);
	require(validated.code == 0 || *validated.errors);
	require(rendered.code == 0 || *rendered.errors);
	require(command.code >= 0 && command.code <= CODE_FAILED_MAX);
	require(validated.code != 0 || rendered.code == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *path = NULL;
	int fd;

	if (size > INPUT_MAX)
		return 0;
	json_setup();
	fd = memfd_create("fuzz_offline", MFD_CLOEXEC);
	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	path = xasprintf("/proc/self/fd/%d", fd);
	check_file(path);
	close(fd);
	return 0;
}
