/*
 * Rules about several options, applied when all are known. Flags that have no effect here are right in every
 * combination; options_warnings names them. ERR_INVALID names the flag and what was expected.
 */
#include "options_parts.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "kube/selector.h"

/*
 * Only the webhook enforces quotas. GCP's operator is one process, so without its webhook nobody would, and it
 * refuses to start (main.go). With the commands of kubeflow's operator another process may serve the webhook.
 */
static int check_quota(const struct options *o, struct err *err)
{
	if (o->notes->set != OPTIONS_OLD || o->webhook || !o->quota)
		return 0;
	return err_set(err, ERR_INVALID, "--enable-resource-quota-enforcement: expected --enable-webhook with it");
}

/* An empty name means all namespaces, as it does for kubeflow's operator. A selector adds nothing to all of them. */
static int check_namespaces(struct options *o, struct err *err)
{
	if (strv_has(&o->namespaces, "")) {
		strv_done(&o->namespaces);
		selector_free(take_ptr(o->namespace_selector));
	}
	for (size_t i = 0; i < o->namespaces.len; i++)
		if (!text_is_dns_label(o->namespaces.items[i]))
			return err_set(err, ERR_INVALID, "--namespaces: \"%s\": expected names of namespaces",
				       o->namespaces.items[i]);
	return 0;
}

/* What is given twice counts once: to watch a namespace twice would be waste at best. The first place is kept. */
static void drop_repeated(struct options *o, const struct option_row *row, struct strv *list)
{
	struct strv once = { 0 };
	auto_strv told = { 0 };

	for (size_t i = 0; i < list->len; i++) {
		if (!strv_has(&once, list->items[i]))
			strv_add(&once, list->items[i]);
		else if (!strv_has(&told, list->items[i])) {
			strv_add(&told, list->items[i]);
			strv_addf(&o->notes->repeated, "--%s (\"%s\" is given more than once)", row->name,
				  list->items[i]);
		}
	}
	strv_done(list);
	*list = once;
}

static void drop_all_repeated(struct options *o)
{
	for (size_t i = 0; i < option_row_count; i++) {
		struct strv *list = option_set_of_texts(o, &option_rows[i]);

		if (list && list->len > 1)
			drop_repeated(o, &option_rows[i], list);
	}
}

/* A certificate that has hardly begun to be valid would have to be renewed at once, again and again. */
static int check_lives(const struct options *o, struct err *err)
{
	enum { SHORTEST_MS = 10 * 60 * 1000 };
	static const char expected[] = "expected at least 10m";

	if (o->webhook_ca_life_ms < SHORTEST_MS)
		return err_set(err, ERR_INVALID, "--webhook-ca-lifetime: %s", expected);
	if (o->webhook_cert_life_ms < SHORTEST_MS)
		return err_set(err, ERR_INVALID, "--webhook-cert-lifetime: %s", expected);
	return 0;
}

/* An empty --master means the default: GCP's operator has a flag of that name whose default is the empty text. */
static int check_master(struct options *o, struct err *err)
{
	struct option_name name;

	if (!text_empty(o->master) || !option_find(OPTIONS_START, "master", strlen("master"), &name))
		return 0;
	return option_value(o, name.row, name.row->dflt, err);
}

/* Blanks at the ends and braces that are not replaced would fail each application. */
static int check_default_image(const struct options *o, struct err *err)
{
	const char *image = o->default_image ? o->default_image : "";
	auto_free char *trimmed = text_trimmed(image);

	if (!text_eq(trimmed, image))
		return err_set(err, ERR_INVALID, "--default-image: \"%s\": expected no blanks before or behind it",
			       image);
	for (const char *brace = strpbrk(image, "{}"); brace; brace = strpbrk(brace, "{}")) {
		if (!text_starts(brace, IMAGE_VERSION))
			return err_set(err, ERR_INVALID,
				       "--default-image: \"%s\": expected an image such as apache/spark:" IMAGE_VERSION
				       ", without other braces",
				       image);
		brace += strlen(IMAGE_VERSION);
	}
	return 0;
}

/* "none" beside other entries would be read in two ways. */
static int check_limits(struct options *o, struct err *err)
{
	for (size_t i = 0; i < option_row_count; i++) {
		const struct strv *list = option_limit(o, &option_rows[i]);

		if (list && list->len > 1 && strv_has(list, LIMIT_NONE))
			return err_set(err, ERR_INVALID, "--%s: expected none alone, or entries without it",
				       option_rows[i].name);
	}
	return 0;
}

int option_check(struct options *o, struct err *err)
{
	drop_all_repeated(o);
	if (check_limits(o, err) < 0)
		return err_code(err);
	if (check_namespaces(o, err) < 0 || check_master(o, err) < 0 || check_default_image(o, err) < 0)
		return err_code(err);
	if (!(o->notes->set & OPTIONS_SERVE))
		return 0;
	if (check_lives(o, err) < 0)
		return err_code(err);
	if (option_gates_ttl_is_off(&o->feature_gates))
		o->default_ttl_s = 0;
	return check_quota(o, err);
}
