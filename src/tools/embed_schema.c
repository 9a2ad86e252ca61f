/*
 * Runs while the program is built: embed_schema KUBERNETES CRD.yaml... prints C source with the schemas of the CRDs
 * as tables (include/rules/schema.h). KUBERNETES is the record of the types that the CRDs name in descriptions,
 * "(core/v1 Volume)", where they leave the fields to Kubernetes (crds/record-types).
 *
 * A node is printed after the nodes that it refers to. Nodes of the same text are one: the template of a scheduled
 * application is the spec of an application. A file that cannot be read, or a type that is not recorded, ends the
 * build with its name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "json/yaml.h"

enum { FILE_MAX = 1 << 20, NODE_MAX = 1 << 16, NODES_MAX = 4096 };

#define NAMED		"(core/v1 "
#define OPEN		"x-kubernetes-preserve-unknown-fields"
#define INT_OR_STRING	"x-kubernetes-int-or-string"
#define FIRST_VERSION	"spec.versions"
#define SCHEMA_OF_FIRST "schema.openAPIV3Schema"

static const struct json *types;    /* of Kubernetes, by name */
static struct json *types_compiled; /* by name the number of their node */
static char *nodes[NODES_MAX];	    /* the initializer of each */
static size_t node_count;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "embed_schema: %s: %s\n", what, why);
	exit(1);
}

/* The first document of a file. Owned. */
static struct json *read_document(const char *path)
{
	FILE *f = fopen(path, "r");
	struct err err = { 0 };
	auto_buf text;
	auto_json documents = NULL;
	char chunk[4096];
	size_t len;

	if (!f)
		die(path, "cannot be read");
	buf_init(&text, FILE_MAX);
	while ((len = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(&text, chunk, len);
	fclose(f);
	if (text.overflow)
		die(path, "is too large");
	documents = yaml_parse(text.data, text.len, &err);
	if (!documents)
		die(path, err.msg);
	return json_take_first(documents);
}

/* "Volume" of a description with "(core/v1 Volume)". Owned; NULL if there is none. */
static char *named_type(const struct json *schema)
{
	const char *at = strstr(json_str(schema, "description", ""), NAMED);

	return at ? xstrndup(at + strlen(NAMED), strcspn(at + strlen(NAMED), ")")) : NULL;
}

/* Prints the node if none is equal. Returns its number. */
static size_t add_node(const char *text)
{
	for (size_t i = 0; i < node_count; i++)
		if (text_eq(nodes[i], text))
			return i;
	if (node_count == NODES_MAX)
		die("schemas", "have too many nodes");
	printf("static const struct schema n%zu = { %s };\n", node_count, text);
	nodes[node_count] = xstrdup(text);
	return node_count++;
}

/* ---- lists of names ---- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of an object's members, or the texts of an array's elements, sorted. They belong to v; the array does
 * not. */
static const char **sorted_texts(const struct json *v)
{
	const char **texts = xcalloc(json_len(v) + 1, sizeof(*texts));
	size_t count = 0;

	json_each (child, v)
		texts[count++] = json_name(child) ? json_name(child) : json_text(child, "?");
	if (count)
		qsort(texts, count, sizeof(*texts), by_text);
	return texts;
}

static void put_texts(struct buf *out, const char *member, const struct json *list)
{
	const char **texts = sorted_texts(list);

	if (*texts)
		buf_printf(out, ", .%s = (const char *const[]){ ", member);
	for (size_t i = 0; texts[i]; i++)
		buf_printf(out, "\"%s\", ", texts[i]);
	if (*texts)
		buf_puts(out, "NULL }");
	free(texts);
}

/* What the CRD requires, and what Kubernetes requires of its type. */
static void put_required(struct buf *out, const struct json *schema, const struct json *type)
{
	const struct json *const lists[] = { json_get(schema, "required"), json_get(type, "required") };
	auto_json seen = json_new_object();

	for (size_t i = 0; i < array_len(lists); i++)
		json_each (name, lists[i])
			json_set_bool(seen, json_text(name, "?"), true);
	put_texts(out, "required", seen);
}

/* ---- nodes ---- */

/* named: the type of Kubernetes that the schema or the list around it names; NULL if none. Returns the number of the
 * node. */
static size_t compile(const struct json *schema, const char *named, bool is_kubernetes);

static size_t compile_type(const char *name)
{
	const struct json *type = json_get(types, name);
	size_t number;

	if (!type)
		die(name, "is not among the recorded types of Kubernetes");
	if (json_get(types_compiled, name))
		return (size_t)json_i64(types_compiled, name, 0);
	number = compile(type, NULL, true);
	json_set_i64(types_compiled, name, (int64_t)number);
	return number;
}

static void put_fields(struct buf *out, const struct json *properties, bool is_kubernetes)
{
	const char **names = sorted_texts(properties);

	if (*names)
		buf_printf(out, ", .field_count = %zu, .fields = (const struct schema_field[]){ ",
			   json_len(properties));
	for (size_t i = 0; names[i]; i++)
		buf_printf(out, "{ \"%s\", &n%zu }, ", names[i],
			   compile(json_get(properties, names[i]), NULL, is_kubernetes));
	if (*names)
		buf_puts(out, "}");
	free(names);
}

/* The fields are those that the schema lists; where it keeps others too, those of the type that it names. */
static void put_object(struct buf *out, const struct json *schema, const char *named, bool is_kubernetes)
{
	bool is_open = json_true(json_get(schema, OPEN)) && !is_kubernetes;
	const struct json *type = is_open ? json_get(types, named ? named : "") : NULL;

	if (is_open && !type)
		die(json_str(schema, "description", "an object that keeps unknown fields"),
		    "no recorded type of Kubernetes is named");
	buf_printf(out, ".type = SCHEMA_OBJECT, .is_kubernetes = %s", is_open || is_kubernetes ? "true" : "false");
	put_required(out, schema, type);
	put_fields(out, json_get(type ? type : schema, "properties"), is_open || is_kubernetes);
}

static void put_integer(struct buf *out, const struct json *schema)
{
	buf_puts(out, ".type = SCHEMA_INTEGER");
	if (json_get(schema, "minimum"))
		buf_printf(out, ", .min = %lld", (long long)json_i64(schema, "minimum", 0));
	else
		buf_puts(out, ", .min = INT64_MIN");
	if (json_get(schema, "maximum"))
		buf_printf(out, ", .max = %lld", (long long)json_i64(schema, "maximum", 0));
	else
		buf_puts(out, ", .max = INT64_MAX");
}

static void put_string(struct buf *out, const struct json *schema)
{
	buf_puts(out, ".type = SCHEMA_STRING");
	put_texts(out, "values", json_get(schema, "enum"));
}

static void put_node(struct buf *out, const struct json *schema, const char *named, bool is_kubernetes)
{
	const char *type = json_str(schema, "type", "");

	if (json_true(json_get(schema, INT_OR_STRING)))
		buf_puts(out, ".type = SCHEMA_INT_OR_STRING");
	else if (text_eq(type, "string"))
		put_string(out, schema);
	else if (text_eq(type, "integer"))
		put_integer(out, schema);
	else if (text_eq(type, "number"))
		buf_puts(out, ".type = SCHEMA_NUMBER");
	else if (text_eq(type, "boolean"))
		buf_puts(out, ".type = SCHEMA_BOOL");
	else if (text_eq(type, "array"))
		buf_printf(out, ".type = SCHEMA_LIST, .each = &n%zu",
			   compile(json_get(schema, "items"), named, is_kubernetes));
	else if (json_get(schema, "additionalProperties"))
		buf_printf(out, ".type = SCHEMA_MAP, .each = &n%zu",
			   compile(json_get(schema, "additionalProperties"), named, is_kubernetes));
	else if (text_eq(type, "object"))
		put_object(out, schema, named, is_kubernetes);
	else
		die(*type ? type : "a schema", "no type that is known here");
}

static size_t compile(const struct json *schema, const char *named, bool is_kubernetes)
{
	const char *reference = json_text(json_get(schema, "$ref"), NULL);
	auto_free char *own = named_type(schema);
	auto_buf text = { 0 };

	if (reference)
		return compile_type(reference);
	buf_init(&text, NODE_MAX);
	put_node(&text, schema, own ? own : named, is_kubernetes);
	if (text.overflow)
		die(json_str(schema, "description", "a schema"), "is too large");
	return add_node(buf_str(&text));
}

/* The metadata of every object are Kubernetes' own, and no CRD says more of them. The status is nobody's to write but
 * the operator's: it is known, not what is in it. */
static size_t compile_kind(const struct json *crd)
{
	const struct json *version = json_first(json_at(crd, FIRST_VERSION));
	const struct json *properties = json_get(json_at(version, SCHEMA_OF_FIRST), "properties");
	auto_buf text;

	buf_init(&text, NODE_MAX);
	buf_puts(&text, ".type = SCHEMA_OBJECT, .field_count = 5, .fields = (const struct schema_field[]){ ");
	buf_printf(&text, "{ \"apiVersion\", &n%zu }, ", compile(json_get(properties, "apiVersion"), NULL, false));
	buf_printf(&text, "{ \"kind\", &n%zu }, ", compile(json_get(properties, "kind"), NULL, false));
	buf_printf(&text, "{ \"metadata\", &n%zu }, ", compile(json_get(types, "ObjectMeta"), NULL, false));
	buf_printf(&text, "{ \"spec\", &n%zu }, ", compile(json_get(properties, "spec"), NULL, false));
	buf_printf(&text, "{ \"status\", &n%zu } }", add_node(".type = SCHEMA_OBJECT"));
	return add_node(buf_str(&text));
}

int main(int argc, char **argv)
{
	auto_json record = NULL;
	auto_buf kinds;

	json_setup();
	buf_init(&kinds, NODE_MAX);
	if (argc < 3)
		die("KUBERNETES CRD.yaml...", "missing");
	record = read_document(argv[1]);
	types = json_get(record, "definitions");
	types_compiled = json_new_object();
	printf("/* Made by embed_schema. */\n#include \"rules/schema.h\"\n\n");
	for (int i = 2; i < argc; i++) {
		auto_json crd = read_document(argv[i]);

		buf_printf(&kinds, "\t{ \"%s\", &n%zu },\n", json_str(crd, "spec.names.kind", "?"), compile_kind(crd));
	}
	printf("\nconst struct schema_field schema_kinds[] = {\n%s\t{ NULL, NULL },\n};\n", buf_str(&kinds));
	return fflush(stdout) == 0 ? 0 : 1;
}
