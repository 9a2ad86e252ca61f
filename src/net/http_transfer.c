/*
 * The easy handle of one transfer. Happy path: init sets every option (nothing comes from the environment), libcurl
 * calls on_header and on_body, finish turns the result into a struct http_reply.
 *
 * A server name other than the URL's host: the URL gets the name, CURLOPT_CONNECT_TO the address, so that SNI and
 * verification use the name; the Host header stays what it was, as with tls-server-name in client-go.
 *
 * Failure modes: a body over its limit ends the transfer (ERR_TOO_LARGE). A stream pauses while its data is not
 * delivered. A reply that did not arrive as a whole has an error and an empty body.
 */
#include "http_transfer.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

enum {
	CONNECT_TIMEOUT_MS = 10000,
	REPLY_MAX = 1 << 20,	/* if a request has no limit: error texts of streams */
	BUFFER_SIZE = 16 << 10, /* a TLS record; libcurl takes 64 KiB for sending unless told otherwise */
	KEEPALIVE_IDLE_S = 15,
	KEEPALIVE_INTERVAL_S = 5,
	KEEPALIVE_PROBES = 3,
	UNACKED_MAX_MS = 30000,
	INCOMING_FILES = 64, /* file descriptors that are left for incoming connections, at most a quarter of all */
};

/* libcurl has a connection, a new one or one of before, and sends the request next. It may say so again, if a
 * connection of before turns out to be closed and it tries another one. */
static int on_begin(void *arg, char *peer_ip, char *own_ip, int peer_port, int own_port)
{
	struct http_transfer *t = arg;

	(void)peer_ip;
	(void)own_ip;
	(void)peer_port;
	(void)own_port;
	t->refused = t->begin && !t->begin(t->begin_arg);
	if (t->refused)
		return CURL_PREREQFUNC_ABORT;
	t->begun = true;
	return CURL_PREREQFUNC_OK;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct http_transfer *t = arg;
	size_t len = size * count;
	long status = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (!t->stream || status < 200 || status > 299) {
		t->too_large = !buf_add(&t->reply.body, data, len);
		return t->too_large ? 0 : len;
	}
	if (len > t->chunk.max - t->chunk.len) {
		t->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	buf_add(&t->chunk, data, len);
	t->arrived(t);
	return len;
}

/* The value of header line data if it has this name, without blanks around it; NULL otherwise. */
static char *header_value(const char *data, size_t len, const char *name)
{
	size_t name_len = strlen(name);

	if (len <= name_len || strncasecmp(data, name, name_len) != 0 || data[name_len] != ':')
		return NULL;
	data += name_len + 1;
	len -= name_len + 1;
	while (len > 0 && strchr(" \t", *data)) {
		data++;
		len--;
	}
	while (len > 0 && strchr(" \t\r\n", data[len - 1]))
		len--;
	return xstrndup(data, len);
}

static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
	struct http_transfer *t = arg;
	size_t len = size * count;
	auto_free char *retry_after = header_value(data, len, "Retry-After");
	auto_free char *date = header_value(data, len, "Date");
	int64_t seconds;
	time_t when;

	if (retry_after && text_i64(retry_after, &seconds) && seconds >= 0)
		t->reply.retry_after_s = seconds;
	if (date) {
		when = curl_getdate(date, NULL);
		if (when >= 0)
			t->reply.date_ms = (int64_t)when * 1000;
	}
	return len;
}

/* libcurl 7.88 has no option for the number of probes. */
static int on_sockopt(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	static const struct {
		int level;
		int name;
		int value;
	} options[] = {
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S },
		{ IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S },
		{ IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKED_MAX_MS },
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
	};

	(void)arg;
	(void)purpose;
	for (size_t i = 0; i < array_len(options); i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(options[i].value));
	return CURL_SOCKOPT_OK;
}

/* Opens no socket that would take one of the last file descriptors: with none left, nobody could ask this process
 * whether it is well. The kernel gives away the lowest number that is free, so the number says how many are in use. */
static curl_socket_t on_opensocket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http_transfer *t = arg;
	struct rlimit files = { .rlim_cur = RLIM_INFINITY };
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	rlim_t reserve;

	(void)purpose;
	getrlimit(RLIMIT_NOFILE, &files);
	reserve = files.rlim_cur / 4 < INCOMING_FILES ? files.rlim_cur / 4 : INCOMING_FILES;
	if (fd >= 0 && (rlim_t)fd < files.rlim_cur - reserve)
		return fd;
	if (fd >= 0)
		close(fd);
	t->no_file = fd >= 0 || errno == EMFILE;
	return CURL_SOCKET_BAD;
}

static void add_header(struct http_transfer *t, const char *line)
{
	struct curl_slist *list = curl_slist_append(t->headers, line);

	if (!list)
		abort(); /* out of memory */
	t->headers = list;
}

static char *url_part(CURLU *url, CURLUPart part)
{
	auto_free char *copy = NULL;
	char *text = NULL;

	if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK)
		return NULL;
	copy = xstrdup(text);
	curl_free(text);
	return take_ptr(copy);
}

/* Puts server_name in the place of the URL's host, which stays the address to connect to. */
static int use_server_name(struct http_transfer *t, CURLU *url, const char *server_name, struct err *err)
{
	auto_free char *host = url_part(url, CURLUPART_HOST);
	auto_free char *port = url_part(url, CURLUPART_PORT);
	auto_free char *header = xasprintf("Host: %s:%s", host, port);
	auto_free char *target = xasprintf("%s:%s:%s:%s", server_name, port, host, port);

	if (curl_url_set(url, CURLUPART_HOST, server_name, 0) != CURLUE_OK)
		return err_set(err, ERR_INVALID, "server name \"%s\": not a host name", server_name);
	add_header(t, header);
	t->connect_to = curl_slist_append(NULL, target);
	curl_easy_setopt(t->easy, CURLOPT_CONNECT_TO, t->connect_to);
	return 0;
}

static void url_cleanup(CURLU **url)
{
	curl_url_cleanup(*url);
}

static int set_url(struct http_transfer *t, const char *text, const struct http_profile *profile, struct err *err)
{
	__attribute__((cleanup(url_cleanup))) CURLU *url = curl_url();
	auto_free char *scheme = NULL, *host = NULL, *port = NULL, *whole = NULL;

	if (curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK)
		return err_set(err, ERR_INVALID, "\"%s\" is not a URL", text);
	scheme = url_part(url, CURLUPART_SCHEME);
	if (!text_eq(scheme, "https") && !text_eq(scheme, "http"))
		return err_set(err, ERR_INVALID, "URL \"%s\": expected https or http", text);
	host = url_part(url, CURLUPART_HOST);
	port = url_part(url, CURLUPART_PORT);
	t->peer = xasprintf("%s:%s", host, port);
	if (profile->server_name && use_server_name(t, url, profile->server_name, err) < 0)
		return err_code(err);
	whole = url_part(url, CURLUPART_URL);
	curl_easy_setopt(t->easy, CURLOPT_URL, whole);
	return 0;
}

static void set_method(struct http_transfer *t, const struct http_request *r)
{
	if (text_eq(r->method, "HEAD")) {
		curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
		return;
	}
	if (r->body || text_eq(r->method, "POST") || text_eq(r->method, "PUT") || text_eq(r->method, "PATCH")) {
		t->body = xmalloc(r->body_len + 1);
		if (r->body)
			memcpy(t->body, r->body, r->body_len);
		curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len);
		curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, t->body);
	}
	curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, r->method);
}

static void set_headers(struct http_transfer *t, const struct http_request *r)
{
	add_header(t, "Expect:");
	for (size_t i = 0; r->headers && r->headers[i]; i++) {
		assert(!strpbrk(r->headers[i], "\r\n"));
		add_header(t, r->headers[i]);
	}
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
	if (r->compressed)
		curl_easy_setopt(t->easy, CURLOPT_ACCEPT_ENCODING, "gzip");
}

static void set_blob(struct http_transfer *t, CURLoption option, char *pem)
{
	struct curl_blob blob = { .data = pem, .flags = CURL_BLOB_COPY };

	if (!pem)
		return;
	blob.len = strlen(pem);
	curl_easy_setopt(t->easy, option, &blob);
}

/* Trusts this CA and no other: libcurl begins with the file and the directory of authorities that it was built with,
 * and would trust those in the directory beside the given ones. */
static void set_ca(struct http_transfer *t, char *pem)
{
	if (!pem)
		return;
	curl_easy_setopt(t->easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(t->easy, CURLOPT_CAPATH, NULL);
	set_blob(t, CURLOPT_CAINFO_BLOB, pem);
}

/* Sets certificates as data and not as file names: libcurl keeps a parsed CA file for a day, but it compares blobs
 * before it reuses a connection. */
static void set_tls(struct http_transfer *t, const struct http_profile *profile)
{
	set_ca(t, profile->ca);
	set_blob(t, CURLOPT_SSLCERT_BLOB, profile->cert);
	set_blob(t, CURLOPT_SSLKEY_BLOB, profile->key);
	curl_easy_setopt(t->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (profile->insecure) {
		curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

static void set_transport(struct http_transfer *t, const struct http_request *r, const struct http_profile *profile)
{
	int64_t connect_ms = r->connect_timeout_ms > 0 ? r->connect_timeout_ms : CONNECT_TIMEOUT_MS;

	curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "https,http");
	curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(t->easy, CURLOPT_QUICK_EXIT,
			 1L); /* or removing a transfer waits for the name resolver's thread */
	curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
	curl_easy_setopt(t->easy, CURLOPT_PROXY, profile->proxy ? profile->proxy : "");
	curl_easy_setopt(t->easy, CURLOPT_NOPROXY, "");
	curl_easy_setopt(t->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(t->easy, CURLOPT_USERAGENT, profile->user_agent);
	curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETFUNCTION, on_opensocket);
	curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_SOCKOPTFUNCTION, on_sockopt);
	curl_easy_setopt(t->easy, CURLOPT_BUFFERSIZE, (long)BUFFER_SIZE);
	curl_easy_setopt(t->easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)BUFFER_SIZE);
}

int http_transfer_init(struct http_transfer *t, const struct http_request *r, const struct http_profile *profile,
		       struct err *err)
{
	*t = (struct http_transfer){ .stream = r->stream, .reply = { .retry_after_s = -1, .date_ms = -1 } };
	buf_init(&t->chunk, HTTP_CHUNK_MAX);
	buf_init(&t->reply.body, r->max_reply_bytes > 0 ? r->max_reply_bytes : REPLY_MAX);
	t->easy = curl_easy_init();
	if (!t->easy)
		abort(); /* out of memory */
	if (set_url(t, r->url, profile, err) < 0)
		return err_code(err);
	set_method(t, r);
	set_headers(t, r);
	set_tls(t, profile);
	set_transport(t, r, profile);
	curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
	curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->error);
	curl_easy_setopt(t->easy, CURLOPT_PREREQFUNCTION, on_begin);
	curl_easy_setopt(t->easy, CURLOPT_PREREQDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
	return 0;
}

void http_transfer_done(struct http_transfer *t)
{
	curl_easy_cleanup(t->easy);
	curl_slist_free_all(t->headers);
	curl_slist_free_all(t->connect_to);
	free(t->body);
	free(t->peer);
	buf_done(&t->chunk);
	buf_done(&t->reply.body);
}

void http_transfer_fail(struct http_transfer *t, enum err_code code, const char *why)
{
	long status = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	t->reply.status = (int)status;
	buf_done(&t->reply.body);
	err_set(&t->reply.err, code, "%s: %s", t->peer ? t->peer : "-", why);
}

void http_transfer_finish(struct http_transfer *t, CURLcode code)
{
	const char *why = t->error[0] ? t->error : curl_easy_strerror(code);
	long status = 0;

	if (t->refused) {
		http_transfer_fail(t, ERR_CANCELED, "given up before it was sent");
		return;
	}
	if (t->too_large) {
		http_transfer_fail(t, ERR_TOO_LARGE, "the reply is over its size limit");
		return;
	}
	if (code == CURLE_COULDNT_CONNECT && t->no_file)
		why = "too many open files, no connection can be made: raise the limit of open files (ulimit -n)";
	/* libcurl would show the whole URL, with the password in it */
	if (code == CURLE_COULDNT_RESOLVE_PROXY && strstr(why, "://"))
		why =
		    "the URL of the proxy cannot be read: blanks and other characters of user and password have to be "
		    "written as %XX";
	if (code != CURLE_OK) {
		http_transfer_fail(t, code == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT : ERR_IO, why);
		return;
	}
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	t->reply.status = (int)status;
}

bool http_transfer_reused(const struct http_transfer *t)
{
	long opened = 0;

	curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &opened);
	return t->begun && opened == 0;
}
