/* The version of Spark that an application is submitted for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "spark/version.h"

static void numbers(void **state)
{
	static const struct {
		const char *text;
		int number;
	} rows[] = {
		{ "3.5.6", 305 },
		{ "v4.0.1", 400 },
		{ "3.10", 310 },
		{ "3.5.0-preview", 305 },
		{ "3.5.1+vendor", 305 },
		{ "3.5.x", 305 },
		{ "3", 0 },
		{ "3.", 0 },
		{ "3.x", 0 },
		{ ".5", 0 },
		{ "latest", 0 },
		{ "12345678901.1", 0 },
		{ "3.12345678901", 0 },
		{ "", 0 },
		{ NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		if (version_number(rows[i].text) != rows[i].number)
			fail_msg("%s: %d", rows[i].text, version_number(rows[i].text));
}

#define LONG_TAIL "1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1"

static const struct row {
	const char *field;
	const char *image;
	const char *text;
	enum version_source source;
	bool is_contradicted;
} rows[] = {
	/* the field */
	{ "3.5.6", "spark", "3.5.6", VERSION_OF_FIELD, false },
	{ "v3.5.6", "spark", "3.5.6", VERSION_OF_FIELD, false },
	{ " 3.5.6\n", "spark", "3.5.6", VERSION_OF_FIELD, false },
	{ "3.1.1", "spark", "3.1.1", VERSION_OF_FIELD, false },
	{ "3.5.1-amzn-0", "spark", "3.5.1-amzn-0", VERSION_OF_FIELD, false },
	{ "3.5.1+vendor", "spark", "3.5.1", VERSION_OF_FIELD, false },
	{ "3.5.1+vendor", "spark:3.5.1.7-vendor", "3.5.1", VERSION_OF_FIELD, false },
	{ "4.0.0 (preview)", "spark", "4.0.0", VERSION_OF_FIELD, false },
	{ "5.0.0", "spark", "5.0.0", VERSION_OF_FIELD, false },
	{ "3." LONG_TAIL, "spark", "3.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1", VERSION_OF_FIELD,
	  false },
	/* a tag may be the version of the user's program */
	{ "3.5.6", "app:4.0.1", "3.5.6", VERSION_OF_FIELD, false },
	{ "3.5", "app:4.0.1", "3.5", VERSION_OF_FIELD, false },
	{ "3.5.6", "spark-pi:4.0.1", "3.5.6", VERSION_OF_FIELD, false },
	{ "3.5.6", "sparkling:4.0.1", "3.5.6", VERSION_OF_FIELD, false },
	/* that of Spark's own image is Spark's */
	{ "3.5.6", "spark:4.0.1", "3.5.6", VERSION_OF_FIELD, true },
	{ "3.5.6", "host:5000/apache/spark-py:v3.4.4-java17@sha256:44", "3.5.6", VERSION_OF_FIELD, true },
	{ "3.5.1", "apache/spark:3.5.6", "3.5.1", VERSION_OF_FIELD, false },
	{ "3.5.1", "apache/spark:latest", "3.5.1", VERSION_OF_FIELD, false },
	{ "3.5.1", "spark:3.0.3", "3.5.1", VERSION_OF_FIELD, false },
	/* a part of a version, which the image completes */
	{ "3.5", "spark:3.5.6", "3.5.6", VERSION_OF_IMAGE, false },
	{ "3.5", "spark:v3.5.6-java17", "3.5.6", VERSION_OF_IMAGE, false },
	{ "3.5.x", "spark:3.5.6", "3.5.6", VERSION_OF_IMAGE, false },
	{ "3.5.*", "spark:3.5.6", "3.5.6", VERSION_OF_IMAGE, false },
	{ "3", "spark:3.3.2", "3.3.2", VERSION_OF_IMAGE, false },
	{ "4.x", "spark:4.1.0", "4.1.0", VERSION_OF_IMAGE, false },
	{ "3.1", "spark:3.10.1", "3.1", VERSION_OF_FIELD, true },
	{ "3.5", "spark:3.5", "3.5", VERSION_OF_FIELD, false },
	{ "3.5.x", "spark", "3.5", VERSION_OF_FIELD, false },
	/* no field: the image */
	{ "", "spark:3.5.6-scala2.12-java17", "3.5.6", VERSION_OF_IMAGE, false },
	{ "", "host:5000/spark:v3.4.4", "3.4.4", VERSION_OF_IMAGE, false },
	{ "", "spark:3.5.6@sha256:4444", "3.5.6", VERSION_OF_IMAGE, false },
	{ "", "spark:5.0.0", "5.0.0", VERSION_OF_IMAGE, false },
	{ "", "spark:3.5.", "3.5", VERSION_OF_IMAGE, false },
	/* a field that names no version which can be submitted: the image */
	{ "2.4.5", "kernel:3.2.3", "3.2.3", VERSION_OF_IMAGE, true },
	{ "3.0.1", "spark:3.5.6", "3.5.6", VERSION_OF_IMAGE, true },
	{ "3.0.x", "spark:3.5.6", "3.5.6", VERSION_OF_IMAGE, true },
	{ "latest", "spark:3.5.6", "3.5.6", VERSION_OF_IMAGE, true },
	{ "3", "spark:4.0.1", "4.0.1", VERSION_OF_IMAGE, true },
	/* neither: the newest known, of the same major version where that is known */
	{ "", "flyte-spark:6qk2hUvXy3N0aPq_rYwzCw", "4.3", VERSION_ASSUMED, false },
	{ "", "spark", "4.3", VERSION_ASSUMED, false },
	{ "", "host:5000/spark", "4.3", VERSION_ASSUMED, false },
	{ "", "spark@sha256:3.5", "4.3", VERSION_ASSUMED, false },
	{ "", "", "4.3", VERSION_ASSUMED, false },
	{ "2.4.5", "kernel:dev", "4.3", VERSION_ASSUMED, false },
	{ "2.4.5", "app:1.4.2", "4.3", VERSION_ASSUMED, false },
	{ "2.4.5", "app:24.10.1", "4.3", VERSION_ASSUMED, false },
	{ "2.4.5", "spark:3.0.3", "4.3", VERSION_ASSUMED, false },
	{ "latest", "spark:latest", "4.3", VERSION_ASSUMED, false },
	{ "3", "spark", "3.5", VERSION_ASSUMED, false },
	{ "3.0.2", "spark", "3.5", VERSION_ASSUMED, false },
	{ "4", "spark", "4.3", VERSION_ASSUMED, false },
	{ "99", "spark", "4.3", VERSION_ASSUMED, false },
};

static void cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		const struct row *row = &rows[i];
		auto_json spec = json_new_object();
		struct version v;

		json_set_str(spec, "sparkVersion", row->field);
		json_set_str(spec, "image", row->image);
		v = version_of_spec(spec, NULL);
		if (!text_eq(v.text, row->text) || v.source != row->source || v.is_contradicted != row->is_contradicted)
			fail_msg("%s of %s: %s, source %d", row->field, row->image, v.text, v.source);
		/* Whatever the spec says, labels take the text, and the text says the number. */
		assert_true(text_is_label_value(v.text));
		assert_int_equal(version_number(v.text), v.number);
		assert_true(v.number >= VERSION_OLDEST);
	}
}

static void the_image_of_the_driver_counts(void **state)
{
	auto_json spec = json_new_object();

	(void)state;
	json_set_str(spec, "image", "spark:3.3.1");
	json_set_str(json_ensure_object(spec, "driver"), "image", "spark:3.4.4");
	json_set_str(json_ensure_object(spec, "executor"), "image", "spark:3.5.6");
	assert_string_equal(version_of_spec(spec, NULL).text, "3.4.4");
	assert_string_equal(version_of_spec(spec, "spark:4.0.1").text, "3.4.4");
	assert_string_equal(version_of_spec(NULL, NULL).text, "4.3");
	assert_string_equal(version_of_spec(NULL, "spark:4.0.1").text, "4.0.1");
	assert_string_equal(version_of_spec(NULL, "spark:{sparkVersion}").text, "4.3");
}

static void doubts(void **state)
{
	static const struct {
		const char *field;
		const char *image;
		const char *want; /* NULL: none */
	} table[] = {
		{ "3.5.6", "spark", NULL },
		{ "3.5.1+vendor", "spark", NULL },
		{ "3", "spark:3.5.6", NULL },
		{ "", "spark:3.5.6", NULL },
		{ "3.5.6", "app:4.0.1", NULL },
		{ "3.5.6", "spark:4.0.1",
		  "\"3.5.6\" is not what the tag of the driver's image says: it is submitted as for Spark 3.5.6: set "
		  "sparkVersion to the version of Spark in the image" },
		{ "4.4.0", "spark", "Spark 4.4.0 is newer than this operator knows: it is submitted as for 4.3" },
		{ "", "spark",
		  "neither this field nor the tag of the driver's image says MAJOR.MINOR of a Spark from 3.1 on: it is "
		  "submitted as for Spark 4.3: set sparkVersion to the version of Spark in the image" },
		{ "2.4.5", "spark",
		  "\"2.4.5\" does not say MAJOR.MINOR of a Spark from 3.1 on, and neither does the "
		  "tag of the driver's image: it is submitted as for Spark 4.3: set sparkVersion to the version of "
		  "Spark in the image" },
		{ "2.4.5", "spark:3.2.3",
		  "\"2.4.5\" does not say MAJOR.MINOR of a Spark from 3.1 on, but the tag of the "
		  "driver's image does: it is submitted as for Spark 3.2.3: set sparkVersion to the version of Spark "
		  "in the image" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(table); i++) {
		auto_json spec = json_new_object();
		auto_free char *doubt = NULL;
		struct version v;

		json_set_str(spec, "sparkVersion", table[i].field);
		json_set_str(spec, "image", table[i].image);
		v = version_of_spec(spec, NULL);
		doubt = version_doubt(&v);
		if (!text_eq(doubt, table[i].want))
			fail_msg("%s of %s: %s", table[i].field, table[i].image, doubt ? doubt : "no doubt");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(cases),
		cmocka_unit_test(the_image_of_the_driver_counts),
		cmocka_unit_test(doubts),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
