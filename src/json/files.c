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

static const char *place_name(const char *path)
{
	return text_eq(path, "-") ? "standard input" : path;
}

static int read_file(const char *path, struct buf *text, struct err *err)
{
	FILE *file;
	int result;

	if (text_eq(path, "-"))
		return read_all(stdin, place_name(path), text, err);
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

char *files_place_text(const struct files_place *place)
{
	auto_buf text;

	buf_init(&text, SIZE_MAX);
	buf_puts(&text, place_name(place->path));
	if (place->document)
		buf_printf(&text, ", document %zu", place->document);
	if (place->item)
		buf_printf(&text, ", item %zu", place->item);
	return buf_take(&text);
}

/* The items of a List, or NULL. */
static struct json *items_of(const struct json *document)
{
	struct json *items = json_get(document, "items");

	return text_ends(json_str(document, "kind", ""), "List") && json_is(items, JSON_ARRAY) ? items : NULL;
}

/* Returns how many objects the document holds. */
static size_t each_of_document(struct json *document, struct files_place place, files_object_fn *fn, void *context)
{
	const struct json *items = items_of(document);
	size_t count = json_len(items);

	if (!items) {
		fn(context, &place, document);
		return 1;
	}
	json_each (item, items) {
		place.item += count > 1;
		fn(context, &place, item);
	}
	return count;
}

int files_each_object(const char *path, files_object_fn *fn, void *context, struct err *err)
{
	auto_buf text;
	auto_json documents = NULL;
	auto_json places = NULL;
	const struct json *place;
	size_t count = 0;
	bool several;

	buf_init(&text, FILE_MAX_BYTES);
	if (read_file(path, &text, err) < 0)
		return err_code(err);
	documents = yaml_parse_like_kubectl(buf_str(&text), text.len, &places, err);
	if (!documents)
		return err_wrap(err, "%s", place_name(path));
	place = json_first(places);
	several = json_len(documents) > 1;
	json_each (document, documents) {
		const struct files_place at = {
			.path = path,
			.document = several ? (size_t)json_i64(place, "document", 0) : 0,
			.notes = json_get(place, "notes"),
		};

		count += each_of_document(document, at, fn, context);
		place = json_next(place);
	}
	return (int)count;
}

static void append_object(void *context, const struct files_place *place, struct json *object)
{
	(void)place;
	json_append(context, json_dup(object));
}

struct json *files_read_objects(const char *path, struct err *err)
{
	auto_json objects = json_new_array();

	return files_each_object(path, append_object, objects, err) < 0 ? NULL : take_ptr(objects);
}
