/*
 * Checks of single values. Each returns NULL, or what was expected instead.
 */
#ifndef RULES_CHECK_H
#define RULES_CHECK_H

#include <stdbool.h>

typedef const char *check_fn(const char *text);

/* Spark's notation, above 0; or also 0. */
const char *check_memory(const char *text);
const char *check_overhead(const char *text);
const char *check_factor(const char *text);
const char *check_factor_positive(const char *text);
const char *check_bool(const char *text);
const char *check_bool_exact(const char *text); /* without blanks around it */
const char *check_positive(const char *text);
const char *check_cores(const char *text);
const char *check_count(const char *text); /* also 0 */
const char *check_port(const char *text);
const char *check_block_port(const char *text); /* as executors take it: also 0, not below 1024 */
const char *check_configmap_size(const char *text);
/* Kubernetes quantity; or also Spark's notation. */
const char *check_quantity(const char *text);
const char *check_limit(const char *text);
/* The number that a quantity says; false if it is none. */
bool check_quantity_value(const char *text, double *ret);
const char *check_app_name(const char *text);
const char *check_object_name(const char *text);
const char *check_label_name(const char *text);	 /* DNS label, as names of volumes and containers */
const char *check_secret_name(const char *text); /* of one that Spark mounts as the volume NAME-volume */
const char *check_executor_prefix(const char *text);
const char *check_port_name(const char *text);
const char *check_label_key(const char *text);
const char *check_annotation_key(const char *text);
const char *check_label_value(const char *text);
/* The same after Spark has replaced {{APP_ID}} and {{EXECUTOR_ID}}. */
const char *check_label_template(const char *text);
const char *check_env_name(const char *text);
const char *check_secret_ref(const char *text);
const char *check_absolute(const char *text);
const char *check_not_empty(const char *text);
const char *check_mode(const char *text);
const char *check_pull_policy(const char *text);
const char *check_python(const char *text);
const char *check_ip_policy(const char *text);
const char *check_ip_families(const char *text);
/* A file that the driver can reach: not one of the submitter's. */
const char *check_file(const char *text);
const char *check_files(const char *text);    /* comma list */
const char *check_packages(const char *text); /* comma list of Maven coordinates */
const char *check_reference(const char *text);
const char *check_image(const char *text);	  /* an empty one counts as none */
const char *check_object_names(const char *text); /* comma list */
const char *check_user(const char *text);
const char *check_main_file(const char *text);
const char *check_keytab(const char *text);

#endif
