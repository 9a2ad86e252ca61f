/*
 * Kerberos for the driver (KerberosConfDriverFeatureStep).
 *
 * Happy path: the driver mounts krb5.conf from a ConfigMap, and delegation tokens from a secret. Executors get their
 * tokens from the driver. A keytab stays in the image, at local:///PATH. Nothing can fail: validation has refused
 * everything that Spark would upload, or would obtain with the submitter's own ticket.
 */
#include "build.h"
#include "spark/conf.h"

#define KRB5_VOLUME  "krb5-file"
#define TOKEN_VOLUME "hadoop-secret"
#define TOKEN_DIR    "/mnt/secrets/hadoop-credentials"

static void put_krb5(struct build *b, const char *configmap)
{
	json_set_str(json_ensure_object(build_volume(b, KRB5_VOLUME), "configMap"), "name", configmap);
	json_set_str(build_mount(b, KRB5_VOLUME, "/etc/krb5.conf"), "subPath", "krb5.conf");
}

static void put_tokens(struct build *b, const char *secret)
{
	const char *item = conf_get(b->conf, "spark.kubernetes.kerberos.tokenSecret.itemKey", "");
	auto_free char *file = xasprintf(TOKEN_DIR "/%s", item);

	json_set_str(json_ensure_object(build_volume(b, TOKEN_VOLUME), "secret"), "secretName", secret);
	build_mount(b, TOKEN_VOLUME, TOKEN_DIR);
	build_env(b, "HADOOP_TOKEN_FILE_LOCATION", file);
}

int kerberos_step(struct build *b, struct err *err)
{
	const char *configmap = conf_get(b->conf, "spark.kubernetes.kerberos.krb5.configMapName", NULL);
	const char *secret = conf_get(b->conf, "spark.kubernetes.kerberos.tokenSecret.name", NULL);

	(void)err;
	if (configmap)
		put_krb5(b, configmap);
	if (secret)
		put_tokens(b, secret);
	return 0;
}
