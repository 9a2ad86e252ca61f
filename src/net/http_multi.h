/*
 * libcurl's multi handle on the loop: sockets become uv_poll handles, its timeout a timer of the scheduler.
 *
 * The events come from the loop, with no libcurl function on the stack but http_multi_* ones, so all of those may be
 * called.
 */
#ifndef NET_HTTP_MULTI_H
#define NET_HTTP_MULTI_H

#include <curl/curl.h>

#include "net/loop.h"

struct http_multi_events {
	/* easy is finished and already removed. */
	void (*finished)(void *arg, CURL *easy, CURLcode code);
	/* libcurl failed as a whole: every transfer is lost. Remove them all; new ones may be added from settled on. */
	void (*broken)(void *arg, const char *why);
	/* libcurl has done what it could for now; finished was called for all that ended. */
	void (*settled)(void *arg);
};

struct http_multi;

enum { HTTP_MULTI_ALL = 0 };

/* cached: connections kept at most, used and idle; HTTP_MULTI_ALL: as many as libcurl thinks fit for the number of
 * transfers. events is borrowed. */
struct http_multi *http_multi_new(struct loop *loop, long cached, const struct http_multi_events *events, void *arg);
/* CURLM_OK, or why libcurl did not take it. */
CURLMcode http_multi_add(struct http_multi *m, CURL *easy);
void http_multi_remove(struct http_multi *m, CURL *easy);
/* All transfers must be removed. No event afterwards; frees itself when the loop has run the close callbacks. */
void http_multi_close(struct http_multi *m);

#endif
