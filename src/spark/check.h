/*
 * Checks of single values. Each returns NULL, or what was expected instead.
 */
#ifndef SPARK_CHECK_H
#define SPARK_CHECK_H

/* Spark's notation, above 0; or also 0. */
const char *check_memory(const char *text);
const char *check_overhead(const char *text);
const char *check_factor(const char *text);
const char *check_positive(const char *text);
const char *check_port(const char *text);
/* Kubernetes quantity; or also Spark's notation. */
const char *check_quantity(const char *text);
const char *check_limit(const char *text);
const char *check_app_name(const char *text);
const char *check_object_name(const char *text);
const char *check_label_name(const char *text); /* DNS label, as names of volumes and containers */
const char *check_label_key(const char *text);
const char *check_label_value(const char *text);
const char *check_env_name(const char *text);
const char *check_secret_ref(const char *text);
const char *check_absolute(const char *text);
const char *check_not_empty(const char *text);
const char *check_version(const char *text);
const char *check_type(const char *text);
const char *check_mode(const char *text);
const char *check_pull_policy(const char *text);
const char *check_python(const char *text);
const char *check_ip_policy(const char *text);
const char *check_ip_families(const char *text);
/* A file that the driver can reach: not one of the submitter's. */
const char *check_file(const char *text);
const char *check_files(const char *text); /* comma list */
const char *check_main_file(const char *text);

#endif
