/*
 * Kerberos for the driver (KerberosConfDriverFeatureStep): krb5.conf of a ConfigMap, delegation tokens of a secret.
 *
 * Executors get their tokens from the driver. A keytab is used where it is, as local:///PATH; what Spark would upload
 * or obtain with the submitter's own ticket has been refused by validation, or does not exist.
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
