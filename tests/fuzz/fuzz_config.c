/*
 * A kubeconfig with arbitrary content, in a directory of its own. Properties: it is refused with a message that names
 * the file, or all that is loaded can be used as it is: a server that is a URL, a token that fits into a header, a key
 * with its certificate, and no credentials without TLS.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "json/json.h"
#include "config_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/fuzz_config.XXXXXX";
static char path[sizeof(dir) + 8];

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void clean_up(void)
{
	unlink(path);
	rmdir(dir);
}

static void set_up(void)
{
	json_setup();
	require(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/config", dir);
	atexit(clean_up);
}

static void write_file(const uint8_t *data, size_t size)
{
	FILE *file = fopen(path, "wb");

	require(file && fwrite(data, 1, size, file) == size && fclose(file) == 0);
}

static void check(const struct config *c)
{
	bool tls = text_starts(c->server, "https://");
	struct err err;

	require(tls || text_starts(c->server, "http://"));
	require(!text_ends(c->server, "/") && !strpbrk(c->server, " \t\r\n\"\\"));
	require(!text_empty(c->ns));
	require(!c->cert == !c->key);
	require(tls || (!c->token && !c->token_file && !c->key));
	require(!c->token_file || c->token);
	require(!c->token || config_check_token(c->token, &err) == 0);
	require(!c->insecure || !c->ca);
	require(!c->ca || config_check_pem(c->ca, strlen(c->ca), CONFIG_PEM_CERTIFICATE, &err) == 0);
	require(!c->cert || config_check_pem(c->cert, strlen(c->cert), CONFIG_PEM_CERTIFICATE, &err) == 0);
	require(!c->key || config_check_pem(c->key, strlen(c->key), CONFIG_PEM_KEY, &err) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = { 0 };
	auto_strv files = { 0 };
	struct config c = { 0 };

	if (!*path)
		set_up();
	write_file(data, size);
	strv_add(&files, path);
	if (kubeconfig_load(&files, NULL, &c, &err) < 0) {
		require(err.code == ERR_INVALID && strstr(err.msg, path) && !c.server);
		return 0;
	}
	check(&c);
	config_done(&c);
	return 0;
}
