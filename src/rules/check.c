/*
 * Checks of single values, as Spark's submission (SparkSubmitArguments, Config) and Kubernetes' validation make them.
 */
#include "rules/check.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "spark/memory.h"
#include "spark/conf.h"
#include "spark/version.h"

enum {
	CONFIGMAP_SIZE_MAX = 1 << 20,
	EXECUTOR_PREFIX_MAX = 237, /* KUBERNETES_POD_NAME_PREFIX_MAX_LENGTH: room for "-exec-" and a number */
	SECRET_NAME_MAX = 63 - 7,  /* "-volume" */
	PORT_NAME_MAX = 15,
	DNS_LABEL_MAX = 63,
};

static const char *one_of(const char *text, const char *const *names, const char *why)
{
	for (; *names; names++)
		if (text_eq(text, *names))
			return NULL;
	return why;
}

/* Spark drops blanks around numbers and booleans (ConfigHelpers.toNumber, toBoolean). */
static bool read_double(const char *text, double *ret)
{
	auto_free char *value = text_trimmed(text);

	return text_double(value, ret);
}

static bool read_integer(const char *text, int64_t *ret)
{
	auto_free char *value = text_trimmed(text);

	return text_i64(value, ret);
}

const char *check_memory(const char *text)
{
	int64_t mib;

	return memory_mib(text, VERSION_NEWEST, &mib) && mib > 0
		   ? NULL
		   : "expected a size in Spark's notation, at least 1m, such as 512m or 2g";
}

/* A number with a point is a share of the memory, which is another setting. */
const char *check_overhead(const char *text)
{
	int64_t mib;
	double share;

	if (memory_mib(text, VERSION_NEWEST, &mib))
		return NULL;
	if (strchr(text, '.') && read_double(text, &share))
		return "expected a size in Spark's notation, such as 512m or 2g; a share of the memory is a "
		       "memoryOverheadFactor: that of the spec, or spark.driver.memoryOverheadFactor and "
		       "spark.executor.memoryOverheadFactor of sparkConf";
	return "expected a size in Spark's notation, such as 512m or 2g";
}

const char *check_factor(const char *text)
{
	double value;

	return read_double(text, &value) && value >= 0 ? NULL : "expected a number that is not negative, such as 0.1";
}

const char *check_factor_positive(const char *text)
{
	double value;

	return read_double(text, &value) && value > 0 ? NULL : "expected a number above 0, such as 0.1";
}

const char *check_bool(const char *text)
{
	auto_free char *value = text_trimmed(text);

	return check_bool_exact(value);
}

const char *check_bool_exact(const char *text)
{
	return strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0 ? NULL : "expected true or false";
}

const char *check_count(const char *text)
{
	int64_t value;

	return read_integer(text, &value) && value >= 0 ? NULL : "expected an integer, at least 0";
}

const char *check_configmap_size(const char *text)
{
	int64_t value;

	return read_integer(text, &value) && value <= CONFIGMAP_SIZE_MAX ? NULL : "expected a number, at most 1048576";
}

const char *check_positive(const char *text)
{
	int64_t value;

	return read_integer(text, &value) && value > 0 ? NULL : "expected an integer above 0";
}

const char *check_cores(const char *text)
{
	const char *why = check_positive(text);
	double value;

	return why && check_quantity_value(text, &value) && value > 0
		   ? "expected an integer above 0, as Spark's cores are whole: a part of a processor is a coreRequest"
		   : why;
}

const char *check_port(const char *text)
{
	int64_t value;

	return read_integer(text, &value) && value > 0 && value < 65536 ? NULL
									: "expected a port number from 1 to 65535";
}

const char *check_block_port(const char *text)
{
	int64_t value;
	bool ok = read_integer(text, &value) && (value == 0 || (value >= 1024 && value < 65536));

	return ok ? NULL : "expected 0 or a port number from 1024 to 65535";
}

static bool is_exponent(const char *text)
{
	int64_t value;

	return (*text == 'e' || *text == 'E') && text_i64(text + 1, &value);
}

static const struct {
	const char *suffix;
	double factor;
} quantity_suffixes[] = {
	{ "", 1 },	  { "n", 1e-9 },    { "u", 1e-6 },    { "m", 1e-3 },	{ "k", 1e3 },	  { "M", 1e6 },
	{ "G", 1e9 },	  { "T", 1e12 },    { "P", 1e15 },    { "E", 1e18 },	{ "Ki", 0x1p10 }, { "Mi", 0x1p20 },
	{ "Gi", 0x1p30 }, { "Ti", 0x1p40 }, { "Pi", 0x1p50 }, { "Ei", 0x1p60 },
};

bool check_quantity_value(const char *text, double *ret)
{
	size_t len = strspn(text, "0123456789.");
	auto_free char *number = xstrndup(text, len);
	double value;

	if (!text_double(number, &value))
		return false;
	if (is_exponent(text + len))
		return text_double(text, ret);
	for (size_t i = 0; i < array_len(quantity_suffixes); i++) {
		if (!text_eq(text + len, quantity_suffixes[i].suffix))
			continue;
		*ret = value * quantity_suffixes[i].factor;
		return true;
	}
	return false;
}

const char *check_quantity(const char *text)
{
	double value;

	return check_quantity_value(text, &value) ? NULL : "expected a Kubernetes quantity, such as 500m, 2 or 1Gi";
}

const char *check_limit(const char *text)
{
	return check_memory(text) && check_quantity(text) ? "expected a size, such as 2g or 2Gi" : NULL;
}

const char *check_app_name(const char *text)
{
	if (strlen(text) > DNS_LABEL_MAX)
		return "must be no more than 63 bytes";
	if (text_is_dns_label(text) && !(*text >= '0' && *text <= '9'))
		return NULL;
	return "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
	       "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
	       "validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
}

const char *check_object_name(const char *text)
{
	return text_is_dns_subdomain(text)
		   ? NULL
		   : "expected a name of a Kubernetes object: lower case letters, digits, '-' and '.'";
}

const char *check_label_name(const char *text)
{
	return text_is_dns_label(text) ? NULL : "expected a DNS label: lower case letters, digits and '-', at most 63";
}

const char *check_secret_name(const char *text)
{
	return text_is_dns_label(text) && strlen(text) <= SECRET_NAME_MAX
		   ? NULL
		   : "expected at most 56 lower case letters, digits and '-': Spark calls the volume NAME-volume";
}

const char *check_executor_prefix(const char *text)
{
	return text_is_dns_subdomain(text) && strlen(text) <= EXECUTOR_PREFIX_MAX
		   ? NULL
		   : "expected at most 237 lower case letters, digits, '-' and '.', as pods are called";
}

/* apimachinery util/validation IsValidPortName. */
const char *check_port_name(const char *text)
{
	size_t len = strlen(text);
	bool letter = strpbrk(text, "abcdefghijklmnopqrstuvwxyz") != NULL;

	if (len <= PORT_NAME_MAX && letter && text_is_dns_label(text) && !strstr(text, "--"))
		return NULL;
	return "expected lower case letters, digits and single '-', at least one letter, at most 15 characters";
}

const char *check_label_key(const char *text)
{
	return text_is_label_key(text)
		   ? NULL
		   : "expected [PREFIX/]NAME, the name of letters, digits, '-', '_' and '.', at most 63";
}

/* apimachinery api/validation ValidateAnnotations, which does not look at the case. */
const char *check_annotation_key(const char *text)
{
	auto_free char *key = xstrdup(text);

	for (char *c = key; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
	return check_label_key(key);
}

const char *check_label_value(const char *text)
{
	return text_is_label_value(text) ? NULL : "expected letters, digits, '-', '_' and '.', at most 63";
}

const char *check_label_template(const char *text)
{
	auto_free char *value = conf_substitute(text, "spark-00000000000000000000000000000000", "1000");

	return check_label_value(value);
}

const char *check_env_name(const char *text)
{
	size_t i;

	for (i = 0; text[i]; i++) {
		char c = text[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || strchr("-._", c);

		if (!letter && !(i > 0 && c >= '0' && c <= '9'))
			break;
	}
	return i > 0 && !text[i] ? NULL
				 : "expected a variable's name of letters, digits, '-', '_' and '.', not first a digit";
}

const char *check_secret_ref(const char *text)
{
	const char *colon = strchr(text, ':');

	return colon && colon > text && colon[1] && !strchr(colon + 1, ':') ? NULL : "expected SECRET:KEY";
}

const char *check_absolute(const char *text)
{
	return text[0] == '/' && !strchr(text, ':') ? NULL : "expected an absolute path without ':'";
}

const char *check_not_empty(const char *text)
{
	return *text ? NULL : "must not be empty";
}

const char *check_mode(const char *text)
{
	if (text_eq(text, "client"))
		return "the driver of a client-mode application would have to run inside the operator: use cluster";
	return text_eq(text, "cluster") ? NULL : "supported values: \"cluster\"";
}

const char *check_pull_policy(const char *text)
{
	return one_of(text, (const char *const[]){ "Always", "IfNotPresent", "Never", NULL },
		      "supported values: \"Always\", \"IfNotPresent\", \"Never\"");
}

const char *check_python(const char *text)
{
	return text_eq(text, "3") ? NULL : "expected 3: Spark 3 and newer run Python 3 only";
}

const char *check_ip_policy(const char *text)
{
	return one_of(text, (const char *const[]){ "SingleStack", "PreferDualStack", "RequireDualStack", NULL },
		      "supported values: \"PreferDualStack\", \"RequireDualStack\", \"SingleStack\"");
}

const char *check_ip_families(const char *text)
{
	return one_of(text, (const char *const[]){ "IPv4", "IPv6", "IPv4,IPv6", "IPv6,IPv4", NULL },
		      "supported values: \"IPv4\", \"IPv4,IPv6\", \"IPv6\", \"IPv6,IPv4\"");
}

/* Length of an RFC 3986 scheme with its colon, 0 if there is none. */
static size_t scheme_len(const char *text)
{
	size_t i = 0;

	while ((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z') ||
	       (i > 0 && text[i] && strchr("0123456789+-.", text[i])))
		i++;
	return i > 0 && text[i] == ':' ? i + 1 : 0;
}

/* What java.net.URI takes: unreserved and reserved ASCII, %XX, and of Unicode what is neither control nor space. */
static bool is_uri_text(const char *text)
{
	static const char *const spaces[] = { "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\xa8", "\xe2\x80\xa9",
					      "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80" };

	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p <= ' ' || *p == 0x7f || strchr("\"<>\\^`{|}", *p))
			return false;
		if (*p == '%' && !(isxdigit(p[1]) && isxdigit(p[2])))
			return false;
		if (p[0] == 0xc2 && p[1] < 0xa0) /* U+0080 to U+009F */
			return false;
		if (p[0] == 0xe2 && p[1] == 0x80 && p[2] <= 0x8a) /* U+2000 to U+200A */
			return false;
		for (size_t i = 0; i < array_len(spaces); i++)
			if (text_starts((const char *)p, spaces[i]))
				return false;
	}
	return true;
}

const char *check_file(const char *text)
{
	size_t len = scheme_len(text);

	if (!len && *text == '/' && (text_ends(text, "/") || text_ends(text, "/*")))
		return "a folder of jars is no dependency: name it in spark.driver.extraClassPath and "
		       "spark.executor.extraClassPath of sparkConf, such as /opt/jars/*";
	if (!len || (len == 5 && strncmp(text, "file:", 5) == 0))
		return "the operator has no files of yours: use local:// for a file in the image, or a remote URL";
	if (!text[len] || text[len] == '#' || !is_uri_text(text))
		return "expected a URL; blanks and such have to be percent-encoded";
	return NULL;
}

/* Blank elements are dropped, blanks around others are not (Utils.resolveURIs). */
const char *check_files(const char *text)
{
	for (size_t len; *text; text += len + (text[len] == ',')) {
		auto_free char *item = NULL;
		const char *why;

		len = strcspn(text, ",");
		item = xstrndup(text, len);
		why = item[strspn(item, " \t\n\v\f\r")] ? check_file(item) : NULL;
		if (why)
			return why;
	}
	return NULL;
}

/* MavenUtils.extractMavenCoordinates, in the driver. */
const char *check_packages(const char *text)
{
	auto_strv items = { 0 };

	strv_split(&items, text, ',');
	for (size_t i = 0; i < items.len; i++) {
		auto_strv parts = { 0 };

		for (char *c = items.items[i]; *c; c++)
			if (*c == '/')
				*c = ':';
		strv_split(&parts, items.items[i], ':');
		if (parts.len != 3)
			return "expected Maven coordinates, GROUP:ARTIFACT:VERSION";
	}
	return NULL;
}

const char *check_object_names(const char *text)
{
	auto_strv names = { 0 };

	strv_split(&names, text, ',');
	for (size_t i = 0; i < names.len; i++)
		if (check_object_name(names.items[i]))
			return check_object_name(names.items[i]);
	return NULL;
}

/* Spark reads a property by its definition with references in it; of an environment there is only the driver's. */
const char *check_reference(const char *text)
{
	return strstr(text, "${env:") || strstr(text, "${system:")
		   ? "${env:...} and ${system:...} would stand for the submitter's, and it has none of yours: write "
		     "the value"
		   : NULL;
}

const char *check_image(const char *text)
{
	if (*text && (isspace((unsigned char)*text) || isspace((unsigned char)text[strlen(text) - 1])))
		return "must not have leading or trailing whitespace";
	return check_reference(text);
}

const char *check_main_file(const char *text)
{
	if (text_eq(text, "spark-internal"))
		return NULL;
	if (conf_program(text) == PROGRAM_JAVA && strchr(text, ','))
		return "expected one URL; it would become two jars";
	return check_file(text);
}

const char *check_user(const char *text)
{
	return conf_user_len(text) ? NULL : "expected a user's name, or a Kerberos principal USER[/HOST][@REALM]";
}

const char *check_keytab(const char *text)
{
	return text_starts(text, "local:") ? NULL
					   : "the operator has no files of yours: mount a secret with the keytab "
					     "(spec.driver.secrets) and name it as local:///PATH/FILE";
}
