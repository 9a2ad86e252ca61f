/*
 * Kubeconfig files: from a list of YAML files and a context name to a struct config. Semantics: client-go
 * tools/clientcmd.
 *
 * Files are searched in order, and an entry is taken as a whole from the first file that names it. Relative paths in it
 * are relative to that file. Credential plugins, basic authentication and impersonation are not supported, and are
 * refused: to go on without them would mean to act as another user. If the server is reached without TLS, its user is
 * not read, as in clientcmd's ClientConfig(): a token is never sent in the clear. Every message names the file, the
 * entry and the field.
 */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "json/decode.h"
#include "json/yaml.h"
#include "config_parts.h"

struct file {
	char *path;
	struct json *tree; /* object */
};

struct kubeconfig {
	struct file *files;
	size_t len;
};

/* An entry of one of the three lists, and its file. */
struct entry {
	const struct file *file;
	const char *name;
	const struct json *value;
};

struct list_kind {
	const char *list;
	const char *member; /* the member that holds the value, and its name in messages */
};

static const struct list_kind clusters = { "clusters", "cluster" };
static const struct list_kind contexts = { "contexts", "context" };
static const struct list_kind users = { "users", "user" };
static const struct list_kind *const list_kinds[] = { &clusters, &contexts, &users };

struct context {
	const char *cluster;
	const char *user;
	const char *ns;
};

static const struct field context_fields[] = {
	{ .path = "cluster", .type = FIELD_STR, .offset = offsetof(struct context, cluster) },
	{ .path = "user", .type = FIELD_STR, .offset = offsetof(struct context, user) },
	{ .path = "namespace", .type = FIELD_STR, .offset = offsetof(struct context, ns) },
};

struct cluster {
	const char *server;
	const char *ca;
	const char *ca_data;
	const char *server_name;
	const char *proxy;
	bool insecure;
};

static const struct field cluster_fields[] = {
	{ .path = "server", .type = FIELD_STR, .offset = offsetof(struct cluster, server) },
	{ .path = "certificate-authority", .type = FIELD_STR, .offset = offsetof(struct cluster, ca) },
	{ .path = "certificate-authority-data", .type = FIELD_STR, .offset = offsetof(struct cluster, ca_data) },
	{ .path = "tls-server-name", .type = FIELD_STR, .offset = offsetof(struct cluster, server_name) },
	{ .path = "proxy-url", .type = FIELD_STR, .offset = offsetof(struct cluster, proxy) },
	{ .path = "insecure-skip-tls-verify", .type = FIELD_BOOL, .offset = offsetof(struct cluster, insecure) },
};

struct user {
	const char *token;
	const char *token_file;
	const char *cert;
	const char *cert_data;
	const char *key;
	const char *key_data;
};

static const struct field user_fields[] = {
	{ .path = "token", .type = FIELD_STR, .offset = offsetof(struct user, token) },
	{ .path = "tokenFile", .type = FIELD_STR, .offset = offsetof(struct user, token_file) },
	{ .path = "client-certificate", .type = FIELD_STR, .offset = offsetof(struct user, cert) },
	{ .path = "client-certificate-data", .type = FIELD_STR, .offset = offsetof(struct user, cert_data) },
	{ .path = "client-key", .type = FIELD_STR, .offset = offsetof(struct user, key) },
	{ .path = "client-key-data", .type = FIELD_STR, .offset = offsetof(struct user, key_data) },
};

#define INSTEAD                                                                                                        \
	"use a token or tokenFile (\"kubectl create token SERVICEACCOUNT\" makes one) or a client certificate instead"

static const struct {
	const char *field;
	const char *why;
} refused[] = {
	{ "auth-provider", "authentication providers ended with Kubernetes 1.26; " INSTEAD },
	{ "username", "basic authentication ended with Kubernetes 1.19; " INSTEAD },
	{ "password", "basic authentication ended with Kubernetes 1.19; " INSTEAD },
	{ "as", "impersonation is not supported; use credentials of that user" },
	{ "as-uid", "impersonation is not supported; use credentials of that user" },
	{ "as-groups", "impersonation is not supported; use credentials of that user" },
	{ "as-user-extra", "impersonation is not supported; use credentials of that user" },
};

static void kubeconfig_done(struct kubeconfig *k)
{
	for (size_t i = 0; i < k->len; i++) {
		free(k->files[i].path);
		json_free(k->files[i].tree);
	}
	free(k->files);
}

/* A list of {name, MEMBER: {...}} with unique names. */
static int check_list(const struct json *list, const struct list_kind *kind, struct err *err)
{
	if (!list || json_is(list, JSON_NULL))
		return 0;
	if (!json_is(list, JSON_ARRAY))
		return err_set(err, ERR_INVALID, "%s: expected a list", kind->list);
	json_each (item, list) {
		const char *name = json_text(json_get(item, "name"), NULL);

		if (!name)
			return err_set(err, ERR_INVALID, "%s: expected a name in every entry", kind->list);
		if (!json_is(json_get(item, kind->member), JSON_OBJECT))
			return err_set(err, ERR_INVALID, "%s \"%s\": expected a member \"%s\" with fields", kind->list,
				       name, kind->member);
		if (json_find(list, "name", name) != item)
			return err_set(err, ERR_INVALID, "%s: duplicate name \"%s\"", kind->list, name);
	}
	return 0;
}

static int check_tree(const struct json *tree, struct err *err)
{
	const char *kind = json_str(tree, "kind", "Config");

	if (!json_is(tree, JSON_OBJECT))
		return err_set(err, ERR_INVALID, "not a kubeconfig: expected kind: Config");
	if (!text_eq(kind, "Config"))
		return err_set(err, ERR_INVALID, "not a kubeconfig: kind is %s, expected Config", kind);
	for (size_t i = 0; i < array_len(list_kinds); i++) {
		if (check_list(json_get(tree, list_kinds[i]->list), list_kinds[i], err) < 0)
			return err_code(err);
	}
	return 0;
}

/* An empty file is an empty configuration: `kubectl config` starts from one. */
static struct json *parse_file(const char *path, struct err *err)
{
	auto_buf text;
	auto_json docs = NULL;
	auto_json tree = NULL;

	buf_init(&text, CONFIG_FILE_MAX);
	if (config_read(path, &text, err) < 0)
		return NULL;
	docs = yaml_parse(buf_str(&text), text.len, err);
	if (!docs) {
		err_wrap(err, "%s", path);
		return NULL;
	}
	if (json_len(docs) > 1) {
		err_set(err, ERR_INVALID, "%s: expected one YAML document, found %zu", path, json_len(docs));
		return NULL;
	}
	tree = json_len(docs) ? json_take_first(docs) : json_new_object();
	if (check_tree(tree, err) < 0) {
		err_wrap(err, "%s", path);
		return NULL;
	}
	return take_ptr(tree);
}

static int read_files(struct kubeconfig *k, const struct strv *paths, struct err *err)
{
	auto_free char *names = NULL;

	k->files = xcalloc(paths->len + 1, sizeof(*k->files));
	for (size_t i = 0; i < paths->len; i++) {
		struct json *tree = parse_file(paths->items[i], err);

		if (!tree && err->code == ERR_NOT_FOUND)
			continue;
		if (!tree)
			return err_code(err);
		k->files[k->len++] = (struct file){ .path = xstrdup(paths->items[i]), .tree = tree };
	}
	if (k->len > 0)
		return 0;
	names = strv_join(paths, ", ");
	return err_set(err, ERR_INVALID, "kubeconfig: no such file: %s", names);
}

static bool find_entry(const struct kubeconfig *k, const struct list_kind *kind, const char *name, struct entry *ret)
{
	for (size_t i = 0; i < k->len; i++) {
		const struct json *item = json_find(json_get(k->files[i].tree, kind->list), "name", name);

		if (item) {
			*ret = (struct entry){ &k->files[i], name, json_get(item, kind->member) };
			return true;
		}
	}
	return false;
}

/* "the contexts are: a, b" for messages; owned. */
static char *list_contexts(const struct kubeconfig *k)
{
	auto_strv names = { 0 };
	auto_free char *joined = NULL;

	for (size_t i = 0; i < k->len; i++) {
		json_each (item, json_get(k->files[i].tree, contexts.list)) {
			const char *name = json_text(json_get(item, "name"), "");

			if (!strv_has(&names, name))
				strv_add(&names, name);
		}
	}
	joined = strv_join(&names, ", ");
	return names.len ? xasprintf("the contexts are: %s", joined) : xstrdup("there are no contexts");
}

/* Finds the context of that name, or the current one. Returns false and fills *err if there is none. */
static bool find_context(const struct kubeconfig *k, const char *name, struct entry *ret, struct err *err)
{
	auto_free char *known = NULL;

	for (size_t i = 0; i < k->len && text_empty(name); i++)
		name = json_text(json_get(k->files[i].tree, "current-context"), NULL);
	if (!text_empty(name) && find_entry(k, &contexts, name, ret))
		return true;
	known = list_contexts(k);
	if (text_empty(name))
		err_set(err, ERR_INVALID, "%s: current-context is not set; %s", k->files[0].path, known);
	else
		err_set(err, ERR_INVALID, "%s: context \"%s\" not found; %s", k->files[0].path, name, known);
	return false;
}

/* Finds the cluster or user that the context names. Returns false and fills *err if there is none. */
static bool find_named_entry(const struct kubeconfig *k, const struct entry *from, const struct list_kind *kind,
			     const char *name, struct entry *ret, struct err *err)
{
	if (!text_empty(name) && find_entry(k, kind, name, ret))
		return true;
	if (text_empty(name))
		err_set(err, ERR_INVALID, "%s: context \"%s\": %s is not set", from->file->path, from->name,
			kind->member);
	else
		err_set(err, ERR_INVALID, "%s: context \"%s\": %s: \"%s\" not found in %s", from->file->path,
			from->name, kind->member, name, kind->list);
	return false;
}

static int entry_error(const struct entry *e, const struct list_kind *kind, const char *field, struct err *err)
{
	return err_wrap(err, "%s: %s \"%s\": %s", e->file->path, kind->member, e->name, field);
}

static int decode_entry(const struct entry *e, const struct list_kind *kind, const struct field *fields, size_t count,
			void *out, struct err *err)
{
	if (decode(e->value, fields, count, "", out, err) < 0)
		return err_wrap(err, "%s: %s \"%s\"", e->file->path, kind->member, e->name);
	return 0;
}

static char *resolve_path(const struct file *f, const char *path)
{
	const char *slash = strrchr(f->path, '/');

	if (path[0] == '/' || !slash)
		return xstrdup(path);
	return xasprintf("%.*s%s", (int)(slash + 1 - f->path), f->path, path);
}

/* Decodes base64 without its line breaks, which Go's encoding/base64 ignores too. */
static char *decode_pem(const char *data, enum config_pem kind, struct err *err)
{
	auto_free char *joined = xstrdup(data);
	auto_free char *text = NULL;
	size_t len = 0;

	for (const char *p = data; *p; p++) {
		if (*p != '\n' && *p != '\r')
			joined[len++] = *p;
	}
	joined[len] = '\0';
	text = text_base64_decode(joined, &len);
	if (!text) {
		err_set(err, ERR_INVALID, "not base64");
		return NULL;
	}
	if (config_check_pem(text, len, kind, err) < 0)
		return NULL;
	return take_ptr(text);
}

/* A PEM text that an entry has as FIELD-data or in a file FIELD. The data goes first. */
struct pem_row {
	const char *field;
	enum config_pem kind;
	const char *path; /* NULL or "": none */
	const char *data; /* base64; NULL or "": none */
	char **ret;
	char **ret_path; /* gets the path if the text is from a file */
};

static int load_pem(const struct entry *e, const struct list_kind *list, const struct pem_row *row, struct err *err)
{
	auto_free char *data_field = xasprintf("%s-data", row->field);
	auto_free char *path = NULL;

	if (!text_empty(row->data)) {
		*row->ret = decode_pem(row->data, row->kind, err);
		return *row->ret ? 0 : entry_error(e, list, data_field, err);
	}
	if (text_empty(row->path))
		return 0;
	path = resolve_path(e->file, row->path);
	*row->ret = config_read_pem(path, row->kind, err);
	if (!*row->ret)
		return entry_error(e, list, row->field, err);
	*row->ret_path = take_ptr(path);
	return 0;
}

/* "https://HOST[:PORT][/PREFIX]" without trailing slashes; http too, for `kubectl proxy`. */
static char *check_server(const char *server, struct err *err)
{
	const char *host = strstr(server, "://");
	size_t len = strlen(server);
	auto_free char *shown = NULL;

	if (*server == '\0' || !host || (!text_starts(server, "https://") && !text_starts(server, "http://")))
		goto bad;
	host += strlen("://");
	if (*host == '\0' || *host == '/' || *host == ':' || strpbrk(server, "?#@\\\"<>"))
		goto bad;
	for (const char *p = server; *p; p++) {
		if (*p <= ' ' || *p > '~')
			goto bad;
	}
	while (server[len - 1] == '/')
		len--;
	return xstrndup(server, len);
bad:
	shown = config_hide_user(server);
	err_set(err, ERR_INVALID, "Invalid value: \"%s\": expected https://HOST:PORT", shown);
	return NULL;
}

static int load_cluster(const struct entry *e, struct config *c, struct err *err)
{
	struct cluster view = { 0 };
	struct pem_row ca;

	if (decode_entry(e, &clusters, cluster_fields, array_len(cluster_fields), &view, err) < 0)
		return err_code(err);
	c->server = check_server(view.server ? view.server : "", err);
	if (!c->server)
		return entry_error(e, &clusters, "server", err);
	ca = (struct pem_row){
		"certificate-authority", CONFIG_PEM_CERTIFICATE, view.ca, view.ca_data, &c->ca, &c->ca_file
	};
	if (load_pem(e, &clusters, &ca, err) < 0)
		return err_code(err);
	if (view.insecure && c->ca) {
		err_set(err, ERR_INVALID, "cannot be used together with a certificate-authority");
		return entry_error(e, &clusters, "insecure-skip-tls-verify", err);
	}
	c->insecure = view.insecure;
	if (!text_empty(view.server_name))
		c->server_name = xstrdup(view.server_name);
	if (text_empty(view.proxy))
		return config_env_proxy(c->server, &c->proxy, err);
	if (config_check_proxy(view.proxy, err) < 0)
		return entry_error(e, &clusters, "proxy-url", err);
	c->proxy = xstrdup(view.proxy);
	return 0;
}

static bool is_set(const struct json *value)
{
	if (json_is(value, JSON_STRING))
		return !text_empty(json_text(value, ""));
	if (json_is(value, JSON_ARRAY) || json_is(value, JSON_OBJECT))
		return json_len(value) > 0;
	return value && !json_is(value, JSON_NULL);
}

static int check_refused(const struct entry *e, struct err *err)
{
	const struct json *exec = json_get(e->value, "exec");

	if (is_set(exec)) {
		err_set(err, ERR_INVALID, "credential plugins are not run, so \"%s\" is not; " INSTEAD,
			json_text(json_get(exec, "command"), ""));
		return entry_error(e, &users, "exec", err);
	}
	for (size_t i = 0; i < array_len(refused); i++) {
		if (!is_set(json_get(e->value, refused[i].field)))
			continue;
		err_set(err, ERR_INVALID, "%s", refused[i].why);
		return entry_error(e, &users, refused[i].field, err);
	}
	return 0;
}

static int load_token(const struct entry *e, const struct user *view, struct config *c, struct err *err)
{
	if (!text_empty(view->token_file)) {
		c->token_file = resolve_path(e->file, view->token_file);
		c->token = config_read_token(c->token_file, err);
		return c->token ? 0 : entry_error(e, &users, "tokenFile", err);
	}
	if (text_empty(view->token))
		return 0;
	if (config_check_token(view->token, err) < 0)
		return entry_error(e, &users, "token", err);
	c->token = xstrdup(view->token);
	return 0;
}

static int load_user_pair(const struct entry *e, const struct user *view, struct config *c, struct err *err)
{
	const struct pem_row rows[] = {
		{ "client-certificate", CONFIG_PEM_CERTIFICATE, view->cert, view->cert_data, &c->cert, &c->cert_file },
		{ "client-key", CONFIG_PEM_KEY, view->key, view->key_data, &c->key, &c->key_file },
	};

	for (size_t i = 0; i < array_len(rows); i++)
		if (load_pem(e, &users, &rows[i], err) < 0)
			return err_code(err);
	if (!c->cert == !c->key)
		return 0;
	err_set(err, ERR_INVALID, "not set, but %s is: expected both or none",
		c->cert ? "client-certificate" : "client-key");
	return entry_error(e, &users, c->cert ? "client-key" : "client-certificate", err);
}

static int load_user(const struct entry *e, struct config *c, struct err *err)
{
	struct user view = { 0 };

	if (check_refused(e, err) < 0)
		return err_code(err);
	if (decode_entry(e, &users, user_fields, array_len(user_fields), &view, err) < 0)
		return err_code(err);
	if (load_user_pair(e, &view, c, err) < 0)
		return err_code(err);
	return load_token(e, &view, c, err);
}

static int load_context(const struct kubeconfig *k, const char *name, struct config *c, struct err *err)
{
	struct entry context_entry, entry;
	struct context context = { 0 };

	if (!find_context(k, name, &context_entry, err) ||
	    decode_entry(&context_entry, &contexts, context_fields, array_len(context_fields), &context, err) < 0)
		return err_code(err);
	c->ns = xstrdup(text_empty(context.ns) ? "default" : context.ns);
	if (!find_named_entry(k, &context_entry, &clusters, context.cluster, &entry, err) ||
	    load_cluster(&entry, c, err) < 0)
		return err_code(err);
	if (!find_named_entry(k, &context_entry, &users, context.user, &entry, err))
		return err_code(err);
	return text_starts(c->server, "https://") ? load_user(&entry, c, err) : 0;
}

int kubeconfig_load(const struct strv *files, const char *context, struct config *ret, struct err *err)
{
	__attribute__((cleanup(kubeconfig_done))) struct kubeconfig k = { 0 };
	struct config c = { 0 };

	if (read_files(&k, files, err) < 0)
		return err_code(err);
	if (load_context(&k, context, &c, err) < 0) {
		config_done(&c);
		return err_code(err);
	}
	*ret = c;
	return 0;
}
