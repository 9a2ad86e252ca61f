/*
 * The URL of an application's web interface, made from a format in which {{$appName}}, {{$appNamespace}} and {{$appId}}
 * stand for those of the application.
 */
#ifndef SPARK_UI_URL_H
#define SPARK_UI_URL_H

#include "spark/app.h"

/* What is wrong with a URL format, NULL if nothing is. */
const char *ui_url_check_format(const char *format);

struct ui_url {
	char *text;    /* the whole of it, http:// in front where no scheme was given; ends before a pattern */
	char *host;    /* without port; may be "" */
	char *path;    /* as it was, "" if there is none */
	char *base;    /* path without the slash at its end: "" for the host itself */
	char *pattern; /* a path with groups of a regular expression, as it was: "/pi(/|$)(.*)"; NULL if it has none */
};

/* The format for this application. */
void ui_url_init(struct ui_url *u, const char *format, const struct app *app, const char *app_id);
void ui_url_done(struct ui_url *u);

#endif
