/*
 * The CRDs as a command: printed for those who have the program or its image, but not the files beside it.
 *
 * `spark-operator crds | kubectl apply --server-side -f -` is the whole use of it, so the output is what kubectl reads.
 */
#include "crds.h"

#include <string.h>

#include "base/text.h"
#include "json/yaml.h"

struct json *crds_parse(const char *text)
{
	struct err err = { 0 };

	return json_parse(text, strlen(text), &err);
}

static void print_list(FILE *out)
{
	auto_json list = json_new_object();
	auto_free char *text = NULL;
	struct json *items;

	json_set_str(list, "apiVersion", "v1");
	json_set_str(list, "kind", "List");
	items = json_set(list, "items", json_new_array());
	for (size_t i = 0; crds_data[i]; i++)
		json_append(items, crds_parse(crds_data[i]));
	text = json_print_pretty(list);
	fputs(text, out);
}

int crds_print(const struct options *o, FILE *out)
{
	if (text_eq(o->output, "json")) {
		print_list(out);
		return fflush(out) == 0 ? 0 : 1;
	}
	for (size_t i = 0; crds_data[i]; i++) {
		auto_json crd = crds_parse(crds_data[i]);
		auto_free char *text = yaml_print(crd);

		fprintf(out, "---\n%s", text);
	}
	return fflush(out) == 0 ? 0 : 1;
}
