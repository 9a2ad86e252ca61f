/*
 * Runs every file of a directory through a fuzz target, so that each past finding stays a test without a fuzzer.
 *
 * Happy path: prints how many inputs ran, exit status 0. A target that fails aborts, with the name of the input on
 * the line before. A directory that is absent or holds no file is a failure: a corpus that got lost must not pass.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path, size_t size)
{
	auto_free uint8_t *data = xmalloc(size ? size : 1); /* exactly as large, so that a read past the end is seen */
	FILE *file = fopen(path, "rb");
	size_t got;

	if (!file) {
		perror(path);
		return -1;
	}
	got = fread(data, 1, size, file);
	fclose(file);
	if (got != size) {
		fprintf(stderr, "%s: cut short\n", path);
		return -1;
	}
	fprintf(stderr, "%s\n", path);
	LLVMFuzzerTestOneInput(data, size);
	return 0;
}

/* The number of inputs that ran, -1 on failure. */
static int replay_all(const char *name, DIR *dir)
{
	struct dirent *entry;
	struct stat st;
	int count = 0;

	while ((entry = readdir(dir))) {
		auto_free char *path = xasprintf("%s/%s", name, entry->d_name);

		if (stat(path, &st) != 0) {
			perror(path);
			return -1;
		}
		if (!S_ISREG(st.st_mode))
			continue;
		if (replay(path, (size_t)st.st_size) != 0)
			return -1;
		count++;
	}
	return count;
}

int main(int argc, char **argv)
{
	DIR *dir;
	int count;

	if (argc != 2) {
		fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
		return 2;
	}
	dir = opendir(argv[1]);
	if (!dir) {
		perror(argv[1]);
		return 1;
	}
	count = replay_all(argv[1], dir);
	closedir(dir);
	printf("%d inputs\n", count);
	return count > 0 ? 0 : 1;
}
