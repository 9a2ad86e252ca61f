/*
 * From the options of metrics to what they come to: texts to numbers, names to what Prometheus takes, defaults for what is not
 * given. What is wrong is said, and has its default: metrics are no reason not to work.
 */
#include "app_metrics_parts.h"
#include "base/text.h"
#include "metric_labels.h"

enum { BUCKETS_MAX = 100 };

/* kubeflow cmd/operator/controller/start.go */
static const double submit_buckets[] = { 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256 };
static const double start_buckets[] = { 30, 60, 90, 120, 150, 180, 210, 240, 270, 300 };

/* ERR_INVALID if they are not numbers that rise; then ret has the defaults. */
static int take_buckets(struct app_metrics_buckets *ret, const struct strv *texts, const double *defaults,
			size_t default_count, struct err *err)
{
	size_t count = texts ? texts->len : 0;
	int rc = 0;

	ret->bounds = xcalloc(BUCKETS_MAX, sizeof(double));
	if (count > BUCKETS_MAX)
		rc = err_set(err, ERR_INVALID, "more than %d buckets", BUCKETS_MAX);
	for (size_t i = 0; i < count && rc == 0; i++) {
		if (!text_double(texts->items[i], &ret->bounds[i]))
			rc = err_set(err, ERR_INVALID, "bucket \"%s\" is not a number", texts->items[i]);
		else if (i > 0 && ret->bounds[i] <= ret->bounds[i - 1])
			rc = err_set(err, ERR_INVALID, "bucket %s is not larger than the one before", texts->items[i]);
	}
	ret->count = count;
	if (count > 0 && rc == 0)
		return 0;
	for (size_t i = 0; i < default_count; i++)
		ret->bounds[i] = defaults[i];
	ret->count = default_count;
	return rc;
}

int app_metrics_settings_init(struct app_metrics_settings *s, const struct app_metrics_options *o, struct err *err)
{
	struct err problems[3] = { { 0 } };

	metric_labels_names(o->labels, &s->names, &problems[0]);
	take_buckets(&s->submit, o->submit_buckets, submit_buckets, array_len(submit_buckets), &problems[1]);
	take_buckets(&s->start, o->start_buckets, start_buckets, array_len(start_buckets), &problems[2]);
	s->prefix = xstrdup(o->prefix ? o->prefix : "");
	s->old_names = o->old_names;
	for (size_t i = 0; i < array_len(problems); i++)
		if (problems[i].code != ERR_NONE) {
			*err = problems[i];
			return err_code(err);
		}
	if (s->prefix[0] >= '0' && s->prefix[0] <= '9')
		return err_set(err, ERR_INVALID, "prefix of metrics \"%s\" begins with a digit", s->prefix);
	return 0;
}

void app_metrics_settings_done(struct app_metrics_settings *s)
{
	strv_done(&s->names);
	free(s->submit.bounds);
	free(s->start.bounds);
	free(s->prefix);
}

int app_metrics_check(const struct app_metrics_options *options, struct err *err)
{
	struct app_metrics_settings probe = { 0 };
	int rc = app_metrics_settings_init(&probe, options, err);

	app_metrics_settings_done(&probe);
	return rc;
}
