/*
 * YAML comes from users' files and kubeconfigs. Property: every document, printed and read again, is the same, and it
 * is one document; through JSON too. What yaml_parse accepts, yaml_parse_like_kubectl reads in the same way, and it
 * knows where each document is.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json/yaml.h"

enum { INPUT_MAX = 1000 }; /* bytes, and so levels: what is deeper than JSON_MAX_DEPTH can be printed but not read */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void check_text(const struct json *v, const char *text)
{
	struct err err;
	auto_json documents = yaml_parse(text, strlen(text), &err);

	require(documents && json_len(documents) == 1 && json_equal(json_first(documents), v));
}

static void check_like_kubectl(const char *text, size_t len, const struct json *documents)
{
	struct err err;
	auto_json places = NULL;
	auto_json same = yaml_parse_like_kubectl(text, len, &places, &err);

	require(same || !documents);
	require(json_len(same) == json_len(places));
	require(!documents || json_equal(same, documents));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = { 0 };
	auto_json documents = NULL;

	if (size > INPUT_MAX)
		return 0;
	json_setup();
	documents = yaml_parse((const char *)data, size, &err);
	if (!documents)
		require(err.code == ERR_INVALID && *err.msg);
	check_like_kubectl((const char *)data, size, documents);
	json_each (document, documents) {
		auto_free char *yaml = yaml_print(document);
		auto_free char *json = json_print_pretty(document);

		check_text(document, yaml);
		if (json_is(document, JSON_OBJECT) || json_is(document, JSON_ARRAY))
			check_text(document, json);
	}
	return 0;
}
