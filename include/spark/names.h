/*
 * Names as Spark derives them from an application's name.
 */
#ifndef SPARK_NAMES_H
#define SPARK_NAMES_H

/* The value of the label spark-app-name (KubernetesConf.getAppNameLabel): at most 63 characters, maybe empty. Owned. */
char *names_app_label(const char *app_name);
/* Resource name prefix (KubernetesConf.getResourceNamePrefix) of an application's name and an id. Owned. */
char *names_prefix(const char *app_name, const char *id);

/* The name of the volume for a ConfigMap (kubeflow GetConfigMapVolumeName). Owned. */
char *names_configmap_volume(const char *configmap);

#endif
