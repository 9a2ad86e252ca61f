/*
 * Finds the version of Spark that an application is submitted for, in spec.sparkVersion and in the tag of its image.
 * Nothing can fail: where neither says a version, one is assumed and the caller is told.
 */
#include "spark/version.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

enum {
	PART_MAX = 99, /* of a major or minor version, so that both fit into one number */
	/* A tag is often the version of the user's program. Only one that may be Spark's counts. */
	TAG_NEWEST = (VERSION_NEWEST / 100 + 1) * 100 + PART_MAX,
};

/* Versions of which a field that names no more than their major part may be. */
static const int newest_of_major[] = { [3] = SPARK_3_5, [4] = VERSION_NEWEST };

/* The numbers at the start of a text, behind an optional v: "3.5.1" of "v3.5.1-java17". */
struct numbers {
	const char *start;
	size_t len;  /* of digits and dots, the last of them a digit */
	int major;   /* 0 if there is none */
	int version; /* 0 if there is no minor version */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads the digits at *p and moves *p behind them. No digits are 0. Returns -1 if the number is above PART_MAX. */
static int read_part(const char **p)
{
	int number = 0;

	for (; is_digit(**p); (*p)++) {
		number = number * 10 + (**p - '0');
		if (number > PART_MAX)
			return -1;
	}
	return number;
}

static struct numbers read_numbers(const char *text)
{
	struct numbers n = { .start = text + (*text == 'v') };
	const char *p = n.start;
	int minor;

	n.len = is_digit(*p) ? strspn(p, "0123456789.") : 0;
	if (n.len >= VERSION_TEXT_SIZE)
		n.len = VERSION_TEXT_SIZE - 1;
	while (n.len && n.start[n.len - 1] == '.')
		n.len--;
	n.major = read_part(&p);
	if (n.major < 0)
		n.major = 0;
	if (!n.major || p[0] != '.' || !is_digit(p[1]))
		return n;
	p++;
	minor = read_part(&p);
	n.version = minor < 0 ? 0 : n.major * 100 + minor;
	return n;
}

int version_number(const char *text)
{
	return text ? read_numbers(text).version : 0;
}

/* The tag of an image's name, without the digest that may follow it. Owned; "" if the name has none. */
static char *image_tag(const char *image)
{
	auto_free char *name = xstrndup(image, strcspn(image, "@"));
	const char *colon = strrchr(name, ':');

	/* A colon before a slash belongs to the registry's port. */
	return xstrdup(colon && !strchr(colon, '/') ? colon + 1 : "");
}

/* Whether an image of this name is Spark itself and no program with a version of its own. */
static bool is_spark(const char *image)
{
	static const char *const names[] = { "spark", "spark-py", "spark-r", "pyspark" };
	const char *slash = strrchr(image, '/'), *base = slash ? slash + 1 : image;
	size_t len = strcspn(base, ":@");

	for (size_t i = 0; i < array_len(names); i++)
		if (strlen(names[i]) == len && text_starts(base, names[i]))
			return true;
	return false;
}

/* "" if there is none. */
static const char *driver_image(const struct json *spec, const char *default_image)
{
	const char *const images[] = { json_str(spec, "driver.image", NULL), json_str(spec, "image", NULL),
				       default_image };

	for (size_t i = 0; i < array_len(images); i++)
		if (!text_empty(images[i]))
			return images[i];
	return "";
}

static void put_numbers(struct version *v, const struct numbers *n, enum version_source source)
{
	v->number = n->version;
	v->source = source;
	snprintf(v->text, sizeof(v->text), "%.*s", (int)n->len, n->start);
}

/* The tag says the field's numbers and more: 3.5.6 of 3.5. */
static bool completes(const struct numbers *tag, const struct numbers *field)
{
	return tag->len > field->len && strncmp(tag->start, field->start, field->len) == 0 &&
	       tag->start[field->len] == '.';
}

/* "3.5", "3", "3.5.x": a part of a version, and nothing besides. */
static bool is_part(const struct numbers *field)
{
	const char *rest = field->start + field->len;

	return field->len && (!*rest || text_eq(rest, ".x") || text_eq(rest, ".*"));
}

/* The whole field where it can be a label's value ("3.5.1-amzn-0"), else its numbers ("3.5.1" of "3.5.1+vendor"). */
static void put_field(struct version *v, const char *text, const struct numbers *field)
{
	put_numbers(v, field, VERSION_OF_FIELD);
	if (text_is_label_value(text) && !is_part(field))
		snprintf(v->text, sizeof(v->text), "%s", text);
}

static void put_assumed(struct version *v, int major)
{
	bool is_known = major > 0 && (size_t)major < array_len(newest_of_major) && newest_of_major[major];

	v->number = is_known ? newest_of_major[major] : VERSION_NEWEST;
	v->source = VERSION_ASSUMED;
	snprintf(v->text, sizeof(v->text), "%d.%d", v->number / 100, v->number % 100);
}

struct version version_of_spec(const struct json *spec, const char *default_image)
{
	const char *written = json_str(spec, "sparkVersion", "");
	const char *image = driver_image(spec, default_image);
	auto_free char *text = text_trimmed(written), *tag_text = image_tag(image);
	struct numbers field = read_numbers(text), tag = read_numbers(tag_text);
	bool has_tag = tag.version >= VERSION_OLDEST && tag.version <= TAG_NEWEST;
	bool agrees = !*text || (is_part(&field) && completes(&tag, &field));
	struct version v = { .field = written };

	if (field.version >= VERSION_OLDEST && !(has_tag && agrees))
		put_field(&v, text, &field);
	else if (has_tag)
		put_numbers(&v, &tag, VERSION_OF_IMAGE);
	else
		put_assumed(&v, field.major);
	if (v.source == VERSION_OF_FIELD)
		v.is_contradicted = has_tag && is_spark(image) && tag.version != field.version;
	else
		v.is_contradicted = v.source == VERSION_OF_IMAGE && !agrees;
	return v;
}

char *version_doubt(const struct version *v)
{
	static const char wanted[] = "MAJOR.MINOR of a Spark from 3.1 on";
	static const char cure[] = "set sparkVersion to the version of Spark in the image";

	if (v->number > VERSION_NEWEST)
		return xasprintf("Spark %s is newer than this operator knows: it is submitted as for %d.%d", v->text,
				 VERSION_NEWEST / 100, VERSION_NEWEST % 100);
	if (v->source == VERSION_ASSUMED && !*v->field)
		return xasprintf("neither this field nor the tag of the driver's image says %s: it is submitted as for "
				 "Spark %s: %s",
				 wanted, v->text, cure);
	if (v->source == VERSION_ASSUMED)
		return xasprintf("\"%s\" does not say %s, and neither does the tag of the driver's image: it is "
				 "submitted as for Spark %s: %s",
				 v->field, wanted, v->text, cure);
	if (v->is_contradicted && v->source == VERSION_OF_FIELD)
		return xasprintf(
		    "\"%s\" is not what the tag of the driver's image says: it is submitted as for Spark %s: "
		    "%s",
		    v->field, v->text, cure);
	if (v->is_contradicted)
		return xasprintf("\"%s\" does not say %s, but the tag of the driver's image does: it is submitted as "
				 "for Spark %s: %s",
				 v->field, wanted, v->text, cure);
	return NULL;
}
