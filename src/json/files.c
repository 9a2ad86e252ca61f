/*
 * Reads files with objects, up to a limit, or standard input. The items of Lists become objects of their own.
 */
#include "json/files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "json/yaml.h"

enum { FILE_MAX_BYTES = 64 << 20 };

static int read_all(FILE *file, const char *path, struct buf *text, struct err *err)
{
	char block[16384];
	size_t n;

	while ((n = fread(block, 1, sizeof(block), file)) > 0)
		if (!buf_add(text, block, n))
			return err_set(err, ERR_TOO_LARGE, "%s: larger than %d MiB", path, FILE_MAX_BYTES >> 20);
	if (ferror(file))
		return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
	return 0;
}

static int read_file(const char *path, struct buf *text, struct err *err)
{
	FILE *file;
	int result;

	if (text_eq(path, "-"))
		return read_all(stdin, "standard input", text, err);
	file = fopen(path, "re");
	if (!file)
		return err_set(err, ERR_NOT_FOUND, "%s: %s", path, strerror(errno));
	result = read_all(file, path, text, err);
	fclose(file);
	return result;
}

char *files_read_text(const char *path, struct err *err)
{
	auto_buf text;

	buf_init(&text, FILE_MAX_BYTES);
	return read_file(path, &text, err) < 0 ? NULL : buf_take(&text);
}

/* JSON is YAML but for surrogate pairs in escapes ("\ud83d\ude80"), which libyaml refuses: so JSON is tried first. */
static struct json *parse_documents(const struct buf *text, struct err *err)
{
	const char *start = buf_str(text) + strspn(buf_str(text), " \t\r\n");
	struct json *object = *start == '{' ? json_parse(buf_str(text), text->len, err) : NULL;
	struct json *documents;

	if (!object)
		return yaml_parse(buf_str(text), text->len, err);
	documents = json_new_array();
	json_append(documents, object);
	return documents;
}

struct json *files_read_objects(const char *path, struct err *err)
{
	auto_buf text;
	auto_json documents = NULL;
	struct json *objects;
	struct json *document;

	buf_init(&text, FILE_MAX_BYTES);
	if (read_file(path, &text, err) < 0)
		return NULL;
	documents = parse_documents(&text, err);
	if (!documents) {
		err_wrap(err, "%s", path);
		return NULL;
	}
	objects = json_new_array();
	while ((document = json_take_first(documents))) {
		struct json *items = json_get(document, "items");
		struct json *item;

		if (!text_ends(json_str(document, "kind", ""), "List") || !json_is(items, JSON_ARRAY)) {
			json_append(objects, document);
			continue;
		}
		while ((item = json_take_first(items)))
			json_append(objects, item);
		json_free(document);
	}
	return objects;
}
