/*
 * Submission goldens: {"app", "run", "master", "submitted_ms", "ui_url"} in, the three objects or the error out. So
 * that a difference can be read, spark.properties appears as an object and the executor template as a tree; order and
 * form of the text are tests/unit/submission/test_properties.c's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "golden.h"
#include "json/yaml.h"
#include "submission/submission.h"
#include "spark/ui_url.h"

static char unescape(char c)
{
	static const char letters[] = "ntrf", chars[] = "\n\t\r\f";
	const char *at = strchr(letters, c);

	return at && c ? chars[at - letters] : c;
}

/* One line "key=value"; moves past its end. */
static void parse_line(const char **text, struct json *out)
{
	const char *p = *text;
	auto_buf key, value;
	struct buf *to = &key;

	buf_init(&key, 1 << 20);
	buf_init(&value, 1 << 20);
	for (; *p && *p != '\n'; p++) {
		if (*p == '=' && to == &key)
			to = &value;
		else if (*p == '\\')
			buf_putc(to, unescape(*++p));
		else
			buf_putc(to, *p);
	}
	*text = *p ? p + 1 : p;
	json_set_str(out, buf_str(&key), buf_str(&value));
}

static struct json *parse_properties(const char *text)
{
	struct json *out = json_new_object();

	while (*text) {
		if (*text == '#')
			text += strcspn(text, "\n") + 1;
		else
			parse_line(&text, out);
	}
	return out;
}

static struct json *parse_template(const char *text)
{
	struct err err = { 0 };
	auto_json documents = yaml_parse(text, strlen(text), &err);

	if (!documents)
		fail_msg("executor template: %s", err.msg);
	assert_int_equal(json_len(documents), 1);
	return json_take_first(documents);
}

/* The driver pod is the last object; of a kind that comes twice the second is called by its name. */
static const char *member_of(const struct json *object, const struct json *out)
{
	static const char *const names[][2] = { { "ConfigMap", "configmap" },
						{ "Service", "service" },
						{ "Pod", "driver" } };

	for (size_t i = 0; i < array_len(names); i++)
		if (text_eq(json_str(object, "kind", NULL), names[i][0]) && !json_get(out, names[i][1]))
			return names[i][1];
	return json_str(object, "metadata.name", "");
}

static struct json *run(const struct json *input)
{
	const struct submission_options options = {
		.master = json_str(input, "master", "k8s://https://10.96.0.1:443"),
		.submitted_ms = json_i64(input, "submitted_ms", 0),
		.ui_url_format = json_str(input, "ui_url", NULL),
	};
	struct json *out = json_new_object(), *data, *object;
	struct submission s = { 0 };
	struct err err = { 0 };
	struct app app;
	int rc;

	rc = app_decode(json_get(input, "app"), &app, &err);
	if (!rc)
		rc = submission_build(&app, json_i64(input, "run", 1), &options, &s, &err);
	if (rc) {
		assert_null(s.objects);
		assert_int_equal(err.code, ERR_INVALID);
		json_set_str(out, "error", err.msg);
		return out;
	}
	assert_int_equal(submission_validate(&app, &err), 0);
	data = json_get(submission_find(&s, "ConfigMap"), "data");
	json_set(data, "spark.properties", parse_properties(json_text(json_get(data, "spark.properties"), "")));
	json_set(data, "podspec-configmap-key", parse_template(json_text(json_get(data, "podspec-configmap-key"), "")));
	while ((object = json_take_first(s.objects)))
		json_set(out, member_of(object, out), object);
	submission_done(&s);
	return out;
}

int main(void)
{
	json_setup();
	return golden_run("golden/submission", run);
}
