/*
 * The headless service through which executors reach the driver (DriverServiceFeatureStep). The properties
 * spark.driver.host and the driver's ports tell the driver about its service. Nothing can fail.
 */
#include "base/buf.h"
#include "build.h"
#include "spark/conf.h"
#include "spark/version.h"

static struct json *add_service_port(struct json *ports, const char *name, int64_t number)
{
	struct json *port = json_append(ports, json_new_object());

	json_set_str(port, "name", name);
	json_set_i64(port, "port", number);
	json_set_i64(port, "targetPort", number);
	return port;
}

static void put_members(const struct build *b, struct json *metadata, const char *member, const char *prefix)
{
	json_each (entry, b->conf) {
		const char *key = conf_suffix(entry, prefix);

		if (key)
			json_set_str(json_ensure_object(metadata, member), key, json_text(entry, ""));
	}
}

static void put_families(const struct build *b, struct json *spec)
{
	const char *policy = conf_get(b->conf, "spark.kubernetes.driver.service.ipFamilyPolicy", "SingleStack");
	auto_strv families = { 0 };

	strv_split(&families, conf_get(b->conf, "spark.kubernetes.driver.service.ipFamilies", "IPv4"), ',');
	json_set_str(spec, "ipFamilyPolicy", policy);
	for (size_t i = 0; i < families.len; i++)
		json_append_str(json_ensure_array(spec, "ipFamilies"), families.items[i]);
}

static void put_ports(struct build *b, struct json *ports)
{
	int64_t rpc = conf_i64(b->conf, "spark.driver.port", 7078);
	int64_t blocks = conf_i64(b->conf, "spark.driver.blockManager.port", 7079);

	add_service_port(ports, "driver-rpc-port", rpc);
	add_service_port(ports, "blockmanager", blocks);
	add_service_port(ports, "spark-ui", conf_i64(b->conf, "spark.ui.port", 4040));
	if (b->version >= SPARK_4_1) {
		int64_t number = conf_i64(b->conf, "spark.connect.grpc.binding.port", 15002);
		struct json *connect = add_service_port(ports, "spark-connect", number);

		json_set_str(connect, "appProtocol", b->version >= SPARK_4_2 ? "grpc" : NULL);
	}
	json_setf(b->conf, "spark.driver.host", "%s.%s.svc", b->names.service, b->ns);
	json_setf(b->conf, "spark.driver.port", "%lld", (long long)rpc);
	json_setf(b->conf, "spark.driver.blockManager.port", "%lld", (long long)blocks);
}

int service_step(struct build *b, struct err *err)
{
	struct json *service = build_object(b, &resource_service, b->names.service);
	struct json *metadata = json_get(service, "metadata"), *spec;

	(void)err;
	if (b->version >= SPARK_3_2)
		json_set_str(json_get(metadata, "labels"), LABEL_APP_SELECTOR, b->names.app_id);
	put_members(b, metadata, "labels", "spark.kubernetes.driver.service.label.");
	put_members(b, metadata, "annotations", "spark.kubernetes.driver.service.annotation.");
	spec = json_ensure_object(service, "spec");
	json_set_str(spec, "clusterIP", "None");
	if (b->version >= SPARK_3_4)
		put_families(b, spec);
	if (b->version >= SPARK_4_3)
		json_set_bool(spec, "publishNotReadyAddresses",
			      conf_true(b->conf, "spark.kubernetes.driver.service.publishNotReadyAddresses"));
	json_set(spec, "selector", json_dup(b->labels));
	put_ports(b, json_ensure_array(spec, "ports"));
	return 0;
}
