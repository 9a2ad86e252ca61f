/*
 * Names as Spark derives them from an application's name.
 */
#ifndef SPARK_NAMES_H
#define SPARK_NAMES_H

#include <stdint.h>

/* The number of the run with that submission id. 0 if the id is not one of app_names_init(); NULL is none. */
int64_t names_run(const char *submission_id);

/* The value of the label spark-app-name (KubernetesConf.getAppNameLabel): at most 63 characters, maybe empty. Owned. */
char *names_app_label(const char *app_name);
/* Resource name prefix (KubernetesConf.getResourceNamePrefix) of an application's name and an id. Owned. */
char *names_prefix(const char *app_name, const char *id);

/* The name of the volume for a ConfigMap (kubeflow GetConfigMapVolumeName). Owned. */
char *names_configmap_volume(const char *configmap);

#endif
