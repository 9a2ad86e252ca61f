/*
 * A valid application with a patch on it. cmocka.h comes before this.
 */
#ifndef TESTS_PATCHED_APP_H
#define TESTS_PATCHED_APP_H

#include "parse.h"
#include "spark/app.h"

static const char patched_app_base[] =
    "{'metadata':{'name':'orders','namespace':'team-a','uid':'u'},"
    "'spec':{'type':'Scala','mode':'cluster','image':'i:1','mainClass':'M','mainApplicationFile':'local:///a.jar',"
    "'sparkVersion':'3.5.6','driver':{},'executor':{}}}";

/* patch_text: a merge patch on it, in single quotes. Returns the tree that app borrows from. Owned. */
static inline struct json *patched_app(const char *patch_text, struct app *app)
{
	struct json *tree = parse_quoted(patched_app_base);
	auto_json patch = parse_quoted(patch_text);
	struct err err = { 0 };

	json_merge_apply(tree, patch);
	if (app_decode(tree, app, &err))
		fail_msg("%s: %s", patch_text, err.msg);
	return tree;
}

#endif
