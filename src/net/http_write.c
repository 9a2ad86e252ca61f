/*
 * What a connection sends. Happy path: a reply is encrypted if the connection is secure, and the socket takes all of it
 * at once. Otherwise libuv writes the rest, and the connection is told afterwards.
 *
 * Failure modes: a broken TLS session or socket ends the connection. So does a peer that makes TLS send more than it
 * reads.
 */
#include "base/mem.h"
#include "internal.h"
#include "server.h"

enum { QUEUE_MAX = 256 << 10 }; /* bytes that wait to be sent while reading: handshake, alerts */

struct conn_write {
	uv_write_t req;
	struct http_conn *conn;
	struct buf head;
	struct http_body body;
	bool reply;
};

uv_buf_t http_body_rest(const struct http_body *body)
{
	const struct buf *text = body->shared ? &body->shared->text : &body->own;

	return uv_buf_init(text->len > body->sent ? text->data + body->sent : NULL, (unsigned)(text->len - body->sent));
}

void http_body_done(struct http_body *body)
{
	buf_done(&body->own);
	http_text_unref(body->shared);
	*body = (struct http_body){ 0 };
}

static void on_written(uv_write_t *req, int status)
{
	struct conn_write *w = container_of(req, struct conn_write, req);
	struct http_conn *c = w->conn;
	bool reply = w->reply;

	buf_done(&w->head);
	http_body_done(&w->body);
	free(w);
	loop_touch(c->server->loop);
	if (status < 0)
		http_conn_close(c);
	else if (reply)
		http_conn_replied(c);
	http_conn_unref(c);
}

void http_write(struct http_conn *c, struct buf *head, struct http_body *body, bool reply)
{
	struct conn_write *w = xcalloc(1, sizeof(*w));
	uv_buf_t bufs[2];
	int rc;

	w->conn = c;
	w->reply = reply;
	w->head = *head;
	w->body = *body;
	*head = (struct buf){ 0 };
	*body = (struct http_body){ 0 };
	bufs[0] = uv_buf_init(w->head.data, (unsigned)w->head.len);
	bufs[1] = http_body_rest(&w->body);
	c->refs++;
	rc = uv_write(&w->req, (uv_stream_t *)&c->tcp, bufs, bufs[1].len > 0 ? 2 : 1, on_written);
	if (rc < 0)
		on_written(&w->req, rc);
}

void http_write_flush(struct http_conn *c)
{
	auto_buf cipher = { 0 };
	auto_body none = { 0 };

	if (c->state == HTTP_CONN_CLOSED)
		return;
	tls_session_output(c->tls, &cipher);
	if (cipher.len > 0)
		http_write(c, &cipher, &none, false);
	if (uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp) > QUEUE_MAX && c->state != HTTP_CONN_REPLY)
		http_conn_close(c);
}

static bool write_records(struct http_conn *c, struct buf *head, const struct http_body *body)
{
	uv_buf_t rest = http_body_rest(body);

	if (head->len + rest.len > HTTP_RECORD_SIZE)
		return tls_session_write(c->tls, head->data, head->len) &&
		       tls_session_write(c->tls, rest.base, rest.len);
	head->max = HTTP_RECORD_SIZE;
	buf_add(head, rest.base, rest.len);
	return tls_session_write(c->tls, head->data, head->len);
}

void http_write_encrypt(struct http_conn *c, struct buf *head, struct http_body *body)
{
	bool ok = write_records(c, head, body);

	if (!c->keep_alive)
		tls_session_shutdown(c->tls);
	buf_done(head);
	http_body_done(body);
	tls_session_output(c->tls, head);
	if (!ok || head->len == 0)
		http_conn_close(c);
}

bool http_write_now(struct http_conn *c, struct buf *head, struct http_body *body)
{
	const uv_buf_t bufs[] = { uv_buf_init(head->data, (unsigned)head->len), http_body_rest(body) };
	int n = uv_try_write((uv_stream_t *)&c->tcp, bufs, bufs[1].len > 0 ? 2 : 1);
	size_t done = n > 0 ? (size_t)n : 0, of_head = done < head->len ? done : head->len;

	buf_drop(head, of_head);
	body->sent += done - of_head;
	return head->len + http_body_rest(body).len == 0;
}
