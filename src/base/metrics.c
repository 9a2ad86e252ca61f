/*
 * The metrics registry. A series is found by its labels as they are printed (`state="FAILED",kind="a"`): they are a
 * unique key and ready for output. The number of series of a family is bounded, since label values may come from users.
 * Above the limit, everything is counted in one series whose values are "other". A histogram stores one count per
 * bucket and sums them up when it is written. The output is the text format 0.0.4 of
 * prometheus.io/docs/instrumenting/exposition_formats.
 */
#include "base/metrics.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"

enum { MAX_SERIES = 10000 };

struct series {
	double value; /* sum of what was observed, for histograms and summaries */
	uint64_t count;
	unsigned users; /* that metric_init has shown it to, see metric_remove() */
	uint64_t buckets[];
};

struct metric {
	enum metric_type type;
	char *name;
	char *help;
	struct strv labels;
	double *bounds;
	size_t bound_count;
	struct map *series;	 /* printed labels → struct series */
	const struct metric *of; /* of an alias: the family whose series it shows; else NULL */
	char *only;		 /* of an alias: the printed labels of the one series that it shows; NULL for all */
};

struct collector {
	void (*fn)(void *arg);
	void *arg;
};

struct metrics {
	struct metric **families;
	size_t len;
	struct collector *collectors;
	size_t collector_count;
};

static const char *const type_names[] = {
	[METRIC_COUNTER] = "counter",
	[METRIC_GAUGE] = "gauge",
	[METRIC_HISTOGRAM] = "histogram",
	[METRIC_SUMMARY] = "summary",
};

struct metrics *metrics_new(void)
{
	return xcalloc(1, sizeof(struct metrics));
}

static void family_free(struct metric *f)
{
	free(f->name);
	free(f->help);
	strv_done(&f->labels);
	free(f->bounds);
	map_free(f->series);
	free(f->only);
	free(f);
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->len; i++)
		family_free(m->families[i]);
	free(m->families);
	free(m->collectors);
	free(m);
}

/* How many bytes at the start of text are never escaped. They are copied at once, which is faster. */
static size_t label_plain_len(const char *text)
{
	size_t len = 0;

	while (text[len] >= '#' && text[len] <= 'z' && text[len] != '\\')
		len++;
	return len;
}

/* Escapes backslash and line feed, and in label values (quoted) the quote too. Bytes that are not UTF-8 become U+FFFD,
 * since Prometheus would refuse the whole scrape for them. */
static void add_escaped(struct buf *out, const char *text, bool quoted)
{
	size_t left = strlen(text);

	while (left > 0) {
		size_t len = label_plain_len(text);

		if (len == 0)
			len = text_utf8_char(text, left);
		if (len == 0)
			buf_puts(out, "\xef\xbf\xbd");
		else if (*text == '\n')
			buf_puts(out, "\\n");
		else if (*text == '\\' || (quoted && *text == '"'))
			buf_printf(out, "\\%c", *text);
		else
			buf_add(out, text, len);
		len = len ? len : 1;
		text += len;
		left -= len;
	}
}

/* The key of a series, owned. values NULL: the key of the series that counts everything above the limit. */
static char *print_labels(const struct metric *m, const char *const *values)
{
	struct buf out = { .max = SIZE_MAX };

	for (size_t i = 0; i < m->labels.len; i++) {
		buf_puts(&out, i > 0 ? "," : "");
		buf_puts(&out, m->labels.items[i]);
		buf_puts(&out, "=\"");
		add_escaped(&out, values ? values[i] : "other", true);
		buf_putc(&out, '"');
	}
	return buf_take(&out);
}

static struct series *new_series(struct metric *m, const char *key)
{
	struct series *s = xcalloc(1, sizeof(*s) + m->bound_count * sizeof(s->buckets[0]));

	map_set(m->series, key, s);
	return s;
}

static struct series *ensure_series(struct metric *m, const char *const *values)
{
	auto_free char *key = print_labels(m, values);
	auto_free char *other = NULL;
	struct series *s = map_get(m->series, key);

	if (s)
		return s;
	if (map_len(m->series) < MAX_SERIES)
		return new_series(m, key);
	other = print_labels(m, NULL);
	s = map_get(m->series, other);
	return s ? s : new_series(m, other);
}

struct metric *metrics_find(const struct metrics *m, const char *name)
{
	for (size_t i = 0; i < m->len; i++)
		if (text_eq(m->families[i]->name, name))
			return m->families[i];
	return NULL;
}

static struct metric *add_family(struct metrics *m, enum metric_type type, const char *name, const char *help)
{
	struct metric *f = xcalloc(1, sizeof(*f));

	assert(!metrics_find(m, name));
	f->type = type;
	f->name = xstrdup(name);
	f->help = xstrdup(help);
	m->families = xreallocarray(m->families, m->len + 1, sizeof(struct metric *));
	m->families[m->len++] = f;
	return f;
}

/* A second user of the family means the same by it. */
static bool is_like(const struct metric *f, enum metric_type type, const char *const *label_names)
{
	size_t count = 0;

	for (; label_names && label_names[count]; count++)
		if (count == f->labels.len || !text_eq(f->labels.items[count], label_names[count]))
			return false;
	return f->type == type && !f->of && count == f->labels.len;
}

struct metric *metrics_family(struct metrics *m, enum metric_type type, const char *name, const char *help,
			      const char *const *label_names, const double *buckets, size_t bucket_count)
{
	struct metric *f = metrics_find(m, name);

	if (f) {
		assert(is_like(f, type, label_names));
		return f;
	}
	f = add_family(m, type, name, help);
	assert(bucket_count == 0 || type == METRIC_HISTOGRAM);
	for (; label_names && *label_names; label_names++)
		strv_add(&f->labels, *label_names);
	f->bounds = xcalloc(bucket_count, sizeof(*buckets));
	for (size_t i = 0; i < bucket_count; i++) {
		assert(i == 0 || buckets[i - 1] < buckets[i]);
		f->bounds[i] = buckets[i];
	}
	f->bound_count = bucket_count;
	f->series = map_new(free);
	if (f->labels.len == 0)
		ensure_series(f, NULL);
	return f;
}

void metrics_alias(struct metrics *m, const struct metric *of, enum metric_type type, const char *name,
		   const char *help, const char *const *values)
{
	struct metric *f = add_family(m, type, name, help);

	assert(!of->of && (type == of->type || (type == METRIC_SUMMARY && of->type == METRIC_HISTOGRAM)));
	f->of = of;
	f->only = values ? print_labels(of, values) : NULL;
}

void metric_add(struct metric *m, const char *const *values, double delta)
{
	assert(m->type == METRIC_GAUGE || (m->type == METRIC_COUNTER && delta >= 0));
	ensure_series(m, values)->value += delta;
}

void metric_set(struct metric *m, const char *const *values, double value)
{
	assert(m->type == METRIC_GAUGE);
	ensure_series(m, values)->value = value;
}

void metric_observe(struct metric *m, const char *const *values, double value)
{
	struct series *s = ensure_series(m, values);

	assert(m->type == METRIC_HISTOGRAM || m->type == METRIC_SUMMARY);
	s->value += value;
	s->count++;
	for (size_t i = 0; i < m->bound_count; i++) {
		if (value <= m->bounds[i]) {
			s->buckets[i]++;
			break;
		}
	}
}

void metric_init(struct metric *m, const char *const *values)
{
	ensure_series(m, values)->users++;
}

void metric_remove(struct metric *m, const char *const *values)
{
	auto_free char *key = print_labels(m, values);
	struct series *s = map_get(m->series, key);

	if (s && s->users > 1)
		s->users--;
	else
		map_remove(m->series, key);
}

double metric_get(const struct metric *m, const char *const *values)
{
	auto_free char *key = print_labels(m, values);
	const struct series *s = map_get(m->series, key);

	return s ? s->value : 0;
}

void metrics_on_collect(struct metrics *m, void (*fn)(void *arg), void *arg)
{
	m->collectors = xreallocarray(m->collectors, m->collector_count + 1, sizeof(struct collector));
	m->collectors[m->collector_count++] = (struct collector){ fn, arg };
}

void metrics_off_collect(struct metrics *m, void (*fn)(void *arg), const void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->collector_count; i++)
		if (m->collectors[i].fn != fn || m->collectors[i].arg != arg)
			m->collectors[kept++] = m->collectors[i];
	m->collector_count = kept;
}

static void write_sample(struct buf *out, const struct metric *f, const char *suffix, const char *labels, double value)
{
	char text[TEXT_NUMBER_SIZE];

	buf_printf(out, "%s%s", f->name, suffix);
	if (*labels)
		buf_printf(out, "{%s}", labels);
	buf_printf(out, " %s\n", text_number(value, text));
}

static void write_bucket(struct buf *out, const struct metric *f, const char *labels, const char *bound, uint64_t count)
{
	buf_printf(out, "%s_bucket{%s%sle=\"%s\"} %llu\n", f->name, labels, *labels ? "," : "", bound,
		   (unsigned long long)count);
}

/* f: the family whose name and type are written. of: the family that the series belongs to. */
static void write_series(struct buf *out, const struct metric *f, const struct metric *of, const char *labels,
			 const struct series *s)
{
	uint64_t count = 0;

	if (f->type == METRIC_COUNTER || f->type == METRIC_GAUGE) {
		write_sample(out, f, "", labels, s->value);
		return;
	}
	if (f->type == METRIC_HISTOGRAM) {
		for (size_t i = 0; i < of->bound_count; i++) {
			char bound[TEXT_NUMBER_SIZE];

			count += s->buckets[i];
			write_bucket(out, f, labels, text_number(of->bounds[i], bound), count);
		}
		write_bucket(out, f, labels, "+Inf", s->count);
	}
	write_sample(out, f, "_sum", labels, s->value);
	write_sample(out, f, "_count", labels, (double)s->count);
}

static void write_family(struct buf *out, const struct metric *f)
{
	const struct metric *of = f->of ? f->of : f;
	struct map_iter it = { 0 };

	buf_printf(out, "# HELP %s ", f->name);
	add_escaped(out, f->help, false);
	buf_printf(out, "\n# TYPE %s %s\n", f->name, type_names[f->type]);
	while (map_next(of->series, &it)) {
		if (!f->only)
			write_series(out, f, of, it.key, it.value);
		else if (text_eq(f->only, it.key))
			write_series(out, f, of, "", it.value);
	}
}

void metrics_write(struct metrics *m, struct buf *out)
{
	for (size_t i = 0; i < m->collector_count; i++)
		m->collectors[i].fn(m->collectors[i].arg);
	for (size_t i = 0; i < m->len; i++)
		write_family(out, m->families[i]);
}
