/*
 * Types of secrets whose file programs find by a variable (kubeflow pkg/common/spark.go, SecretType). Submission sets
 * the variable by a property, the webhook sets it in the pod. A secret of any other type is only mounted. Nothing can
 * fail.
 */
#include "spark/secrets.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

static const struct secret_type {
	const char *name;
	const char *variable;
	const char *file;
} types[] = {
	{ "GCPServiceAccount", "GOOGLE_APPLICATION_CREDENTIALS", "key.json" },
	{ "HadoopDelegationToken", "HADOOP_TOKEN_FILE_LOCATION", "hadoop.token" },
};

static const struct secret_type *find(const char *type)
{
	for (size_t i = 0; i < array_len(types); i++)
		if (text_eq(types[i].name, type))
			return &types[i];
	return NULL;
}

const char *secrets_variable(const char *type)
{
	const struct secret_type *found = find(type);

	return found ? found->variable : NULL;
}

/* Go's filepath.Join of an absolute path and a name: no empty part, no "." and no "..". Owned. */
static char *joined_path(const char *path, const char *name)
{
	auto_strv parts = { 0 };
	auto_free char *text = NULL;

	for (size_t len; *path; path += len + (path[len] == '/')) {
		auto_free char *part = NULL;

		len = strcspn(path, "/");
		part = xstrndup(path, len);
		if (text_eq(part, "..") && parts.len)
			free(parts.items[--parts.len]);
		else if (*part && !text_eq(part, ".") && !text_eq(part, ".."))
			strv_add(&parts, part);
	}
	strv_add(&parts, name);
	text = strv_join(&parts, "/");
	return xasprintf("/%s", text);
}

char *secrets_file(const char *type, const char *path)
{
	const struct secret_type *found = find(type);

	return joined_path(path, found ? found->file : "");
}
