/*
 * URLs of web interfaces (kubeflow web_ui.go, getSparkUIingressURL).
 *
 * Happy path: the application's names are put into the format, and the result is split into host and path. Four things
 * differ from kubeflow's operator: {{$appId}} is the id that the driver will have, and not empty. A port in the URL is
 * not part of the host. A slash at the end of the path is ignored. A path that is a pattern for the Ingress controller
 * already, with a group in parentheses, stays as it is there, and the URL ends before the group. ui_url_check_format()
 * says what is wrong with a format.
 */
#include "spark/ui_url.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"

enum { URL_MAX = 8192 };

enum variable { APP_NAME, APP_NAMESPACE, APP_ID };

/* A longer name comes before a name that it begins with. */
static const struct {
	const char *name;
	enum variable variable;
} variables[] = { { "$appNamespace", APP_NAMESPACE }, { "$appName", APP_NAME }, { "$appId", APP_ID } };

/* {{ $name }} at the beginning of text; returns what follows it, NULL if there is none. */
static const char *read_variable(const char *text, enum variable *ret)
{
	if (!text_starts(text, "{{"))
		return NULL;
	text += 2 + strspn(text + 2, " \t");
	for (size_t i = 0; i < array_len(variables); i++) {
		const char *end = text + strlen(variables[i].name);

		if (!text_starts(text, variables[i].name))
			continue;
		end += strspn(end, " \t");
		*ret = variables[i].variable;
		return text_starts(end, "}}") ? end + 2 : NULL;
	}
	return NULL;
}

const char *ui_url_check_format(const char *format)
{
	static const char why[] =
	    "expected a URL in which {{$appName}}, {{$appNamespace}} and {{$appId}} stand for those "
	    "of the application";
	enum variable variable;

	while (*format) {
		const char *rest = read_variable(format, &variable);

		if (!rest && strchr("{} \t\r\n", *format))
			return why;
		format = rest ? rest : format + 1;
	}
	return NULL;
}

static char *substitute(const char *format, const struct app *app, const char *app_id)
{
	const char *const values[] = {
		[APP_NAME] = app->name, [APP_NAMESPACE] = app->ns ? app->ns : "default", [APP_ID] = app_id
	};
	enum variable variable;
	auto_buf out;

	buf_init(&out, URL_MAX);
	while (*format) {
		const char *rest = read_variable(format, &variable);

		if (rest)
			buf_puts(&out, values[variable]);
		else
			buf_putc(&out, *format);
		format = rest ? rest : format + 1;
	}
	return buf_take(&out);
}

/* The host, between user and port. An address such as [::1] keeps its colons. */
static char *host_of(const char *authority, size_t len)
{
	const char *end = authority + len, *at = memchr(authority, '@', len), *p;

	if (at)
		authority = at + 1;
	for (p = end; p > authority && p[-1] >= '0' && p[-1] <= '9'; p--)
		;
	if (p > authority && p[-1] == ':')
		end = p - 1;
	return xstrndup(authority, (size_t)(end - authority));
}

void ui_url_init(struct ui_url *u, const char *format, const struct app *app, const char *app_id)
{
	auto_free char *text = substitute(format, app, app_id);
	char *authority, *path, *group;
	size_t len;

	u->pattern = NULL;
	u->text = strstr(text, "://") ? take_ptr(text) : xasprintf("http://%s", text);
	authority = strstr(u->text, "://") + 3;
	path = authority + strcspn(authority, "/?#");
	group = path + strcspn(path, "(?#");
	if (*group == '(') {
		u->pattern = xstrdup(path);
		*group = '\0';
	}
	u->host = host_of(authority, (size_t)(path - authority));
	u->path = xstrndup(path, strcspn(path, "?#"));
	len = strlen(u->path);
	while (len && u->path[len - 1] == '/')
		len--;
	u->base = xstrndup(u->path, len);
}

void ui_url_done(struct ui_url *u)
{
	free(u->text);
	free(u->host);
	free(u->path);
	free(u->base);
	free(u->pattern);
	*u = (struct ui_url){ 0 };
}
