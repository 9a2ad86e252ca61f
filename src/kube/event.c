/*
 * Events as objects, with the fields that client-go's recorder fills (tools/record/event.go, makeEvent).
 *
 * Happy path: event_build makes the object for the first occurrence, event_repeat the patch for each further one. The
 * name is that of the object, a dot and a hash of 64 bits in place of client-go's time, so that two events about one
 * object in the same millisecond have different names. Nothing here fails; texts that are too long are cut.
 */
#include "kube/event.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "base/time.h"

enum {
	NAME_MAX_BYTES = 253,
	SUFFIX_BYTES = 1 + 16, /* dot and 64 bits in hexadecimal */
	MESSAGE_MAX_BYTES = 1024,
};

static uint64_t event_hash(const struct event_about *about, const char *reason, const char *message, int64_t wall_ms)
{
	uint64_t h = (uint64_t)wall_ms;

	h = text_hash(h, about->res->kind);
	h = text_hash(h, about->uid ? about->uid : "");
	h = text_hash(h, reason);
	return text_hash(h, message);
}

/* If the object's name is cut, it still has to end in a letter or digit. */
static char *event_name(const char *object, uint64_t h)
{
	size_t len = strnlen(object, NAME_MAX_BYTES - SUFFIX_BYTES);

	while (len > 0 && !isalnum((unsigned char)object[len - 1]))
		len--;
	return xasprintf("%.*s%s%016llx", (int)len, object, len ? "." : "", (unsigned long long)h);
}

/* Cuts the message to MESSAGE_MAX_BYTES, between two characters of UTF-8. */
static char *cut_message(const char *message)
{
	size_t len = strnlen(message, MESSAGE_MAX_BYTES + 1);

	if (len <= MESSAGE_MAX_BYTES)
		return xstrdup(message);
	len = MESSAGE_MAX_BYTES;
	while (len > 0 && ((unsigned char)message[len] & 0xc0) == 0x80)
		len--;
	return xstrndup(message, len);
}

static void set_about(struct json *event, const struct event_about *about)
{
	struct json *ref = json_set(event, "involvedObject", json_new_object());
	char version[API_VERSION_SIZE];

	json_set_str(ref, "apiVersion", resource_api_version(about->res, version));
	json_set_str(ref, "kind", about->res->kind);
	json_set_str(ref, "name", about->name);
	json_set_str(ref, "namespace", about->ns);
	json_set_str(ref, "uid", about->uid);
}

struct json *event_build(const struct event_about *about, const char *type, const char *reason, const char *message,
			 const char *component, const char *instance, int64_t wall_ms)
{
	struct json *event = json_new_object();
	auto_free char *name = event_name(about->name, event_hash(about, reason, message, wall_ms));
	auto_free char *text = cut_message(message);
	char when[TIME_TEXT_SIZE];
	struct json *meta;

	time_rfc3339(wall_ms, when);
	json_set_str(event, "apiVersion", resource_event.version);
	json_set_str(event, "kind", resource_event.kind);
	meta = json_set(event, "metadata", json_new_object());
	json_set_str(meta, "name", name);
	json_set_str(meta, "namespace", text_empty(about->ns) ? "default" : about->ns);
	set_about(event, about);
	json_set_str(event, "type", type);
	json_set_str(event, "reason", reason);
	json_set_str(event, "message", text);
	json_set_str(json_set(event, "source", json_new_object()), "component", component);
	json_set_str(event, "firstTimestamp", when);
	json_set_str(event, "lastTimestamp", when);
	json_set_i64(event, "count", 1);
	json_set_str(event, "reportingComponent", component);
	json_set_str(event, "reportingInstance", instance);
	return event;
}

struct json *event_repeat(int64_t count, int64_t wall_ms)
{
	struct json *patch = json_new_object();
	char when[TIME_TEXT_SIZE];

	json_set_i64(patch, "count", count);
	json_set_str(patch, "lastTimestamp", time_rfc3339(wall_ms, when));
	return patch;
}
