/*
 * Runs while the program is built: embed_crds FILE.yaml... prints C source with `crds_data`, the files' documents as
 * compact JSON, ended by NULL. A file that is no YAML ends the build with its name and the place.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "json/yaml.h"

enum { FILE_MAX = 1 << 20, LINE_LEN = 100 };

static bool read_file(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "r");
	char chunk[4096];
	size_t len;

	if (!f)
		return false;
	while ((len = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(out, chunk, len);
	fclose(f);
	return !out->overflow;
}

/* As string literals, a line each. */
static void print_literal(const char *text)
{
	printf("\t\"");
	for (size_t i = 0; text[i]; i++) {
		if (text[i] == '"' || text[i] == '\\')
			putchar('\\');
		if (text[i] == '?')
			putchar('\\'); /* no trigraphs */
		if (isprint((unsigned char)text[i]))
			putchar(text[i]);
		else
			printf("\\%03o", (unsigned)(unsigned char)text[i]);
		if (i % LINE_LEN == LINE_LEN - 1)
			printf("\"\n\t\"");
	}
	printf("\",\n");
}

static int embed(const char *path)
{
	struct err err = { 0 };
	auto_buf text;
	auto_json documents = NULL;

	buf_init(&text, FILE_MAX);
	if (!read_file(path, &text)) {
		fprintf(stderr, "%s: cannot be read\n", path);
		return 1;
	}
	documents = yaml_parse(text.data, text.len, &err);
	if (!documents) {
		fprintf(stderr, "%s: %s\n", path, err.msg);
		return 1;
	}
	json_each (document, documents) {
		auto_free char *json = json_print(document);

		print_literal(json);
	}
	return 0;
}

int main(int argc, char **argv)
{
	json_setup();
	printf("/* Made by embed_crds. */\n#include \"crds.h\"\n\nconst char *const crds_data[] = {\n");
	for (int i = 1; i < argc; i++)
		if (embed(argv[i]) != 0)
			return 1;
	printf("\tNULL,\n};\n");
	return fflush(stdout) == 0 ? 0 : 1;
}
