/*
 * Refusals and troubles of a submission. A refusal may pass by itself, since quotas free up, and accounts and roles
 * appear, so it is stood for a while. A trouble says nothing about the application, so it is stood for ever. The first
 * row of the table that matches a failure counts. Nothing can fail.
 */
#include "refusal.h"

#include "base/mem.h"
#include "base/text.h"
#include "unknown_fields.h"

enum {
	INVALID_LIMIT_MS = 5 * 1000,
	TROUBLE_TOLD_MS = 30 * 1000,
	AFTER_GRACE_MS = 60 * 1000, /* for the kubelet to end the holder and to say so */
};

static bool is_ending(const struct failure *f)
{
	return f->holder_gone_ms > 0 && failure_is_refusal(f);
}

static bool is_invalid(const struct failure *f)
{
	return failure_is_refusal(f) && (f->err.code == ERR_INVALID || f->err.code == ERR_TOO_LARGE);
}

/* The driver pod is there, but the cache does not have it. Only one that lacks a label stays unseen. */
static bool is_unseen(const struct failure *f)
{
	return failure_is_presence(f, &resource_pod);
}

static bool is_any(const struct failure *f)
{
	(void)f;
	return true;
}

static int64_t ending_limit(const struct failure *f, int64_t limit_ms)
{
	int64_t gone_ms = f->holder_gone_ms + AFTER_GRACE_MS - f->since_ms;

	return gone_ms > limit_ms ? gone_ms : limit_ms;
}

static int64_t invalid_limit(const struct failure *f, int64_t limit_ms)
{
	(void)f;
	return limit_ms < INVALID_LIMIT_MS ? limit_ms : INVALID_LIMIT_MS;
}

static int64_t given_limit(const struct failure *f, int64_t limit_ms)
{
	(void)f;
	return limit_ms;
}

static const struct refusal_row {
	bool (*matches)(const struct failure *f);
	int64_t (*limit)(const struct failure *f, int64_t limit_ms); /* NULL: it is never final */
	int64_t told_ms;					     /* after the first failure in a row */
	const char *reason;
	const char *text;
} refusal_rows[] = {
	{ is_ending, ending_limit, 0, "NameInUse", "submission waits for the end of what has its name: " },
	{ is_invalid, invalid_limit, 0, "Refused", "submission refused, trying again: " },
	{ failure_is_refusal, given_limit, 0, "Refused", "submission refused, trying again: " },
	{ is_unseen, NULL, TROUBLE_TOLD_MS, "Retrying",
	  "the driver pod is there, but cannot be followed: does it still have the label " LABEL_LAUNCHED_BY
	  "=true? " },
	{ is_any, NULL, TROUBLE_TOLD_MS, "Retrying", "submission fails, trying again: " },
};

static const struct refusal_row *row_of(const struct failure *f)
{
	const struct refusal_row *row = refusal_rows;

	while (!row->matches(f))
		row++;
	return row;
}

void refusal_judge(struct refusal *ret, const struct failure *f, const struct app *app, int64_t limit_ms,
		   int64_t now_ms)
{
	struct failure told = *f;
	const struct refusal_row *row = row_of(f);
	int64_t waited_ms = now_ms > f->since_ms ? now_ms - f->since_ms : 0;
	int64_t end_ms = row->limit ? row->limit(f, limit_ms) : -1;

	*ret = (struct refusal){ .next_ms = -1, .reason = row->reason };
	ret->is_final = row->limit && waited_ms >= end_ms;
	ret->is_told = !ret->is_final && waited_ms >= row->told_ms;
	if (ret->is_final || ret->is_told)
		unknown_fields_translate(&told, app);
	if (ret->is_final)
		ret->message = xstrdup(told.err.msg);
	else if (ret->is_told)
		ret->message = xasprintf("%s%s", row->text, told.err.msg);
	if (!ret->is_final && row->limit)
		ret->next_ms = end_ms - waited_ms;
	else if (!ret->is_final && !ret->is_told)
		ret->next_ms = row->told_ms - waited_ms;
}

void refusal_done(struct refusal *r)
{
	free(take_ptr(r->message));
}
