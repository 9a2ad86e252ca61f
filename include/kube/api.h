/*
 * The interface of API clients: all other parts of the program talk to the API server through it.
 * It has two implementations: runtime/client (libcurl) and tests/lib/fake_kube (in memory, virtual time).
 *
 * Async contract: done runs exactly once per accepted call, from the loop, never inside send or stream. cancel is
 * synchronous and silent: afterwards no callback of that call runs. The request and its contents are read only during
 * send and stream. A write whose reply is TIMEOUT or IO may have taken place.
 */
#ifndef KUBE_API_H
#define KUBE_API_H

#include "kube/request.h"

struct api_call; /* one call under way */

/* The callback may keep the tree with take_ptr(reply->body). */
typedef void api_done_fn(void *arg, struct reply *reply);
/* Bytes of a watch as they arrive. */
typedef void api_data_fn(void *arg, const char *data, size_t len);

struct api;
struct api_ops {
	struct api_call *(*send)(struct api *api, const struct request *req, api_done_fn *done, void *arg);
	/* done runs when the stream is over. err is ERR_NONE if the server ended it properly. An error with status 200
	 * means that the stream broke off. */
	struct api_call *(*stream)(struct api *api, const struct request *req, api_data_fn *data, api_done_fn *done,
				   void *arg);
	void (*cancel)(struct api *api, struct api_call *call);
};
struct api {
	const struct api_ops *ops;
};

static inline struct api_call *api_send(struct api *api, const struct request *req, api_done_fn *done, void *arg)
{
	return api->ops->send(api, req, done, arg);
}

static inline struct api_call *api_stream(struct api *api, const struct request *req, api_data_fn *data,
					  api_done_fn *done, void *arg)
{
	return api->ops->stream(api, req, data, done, arg);
}

static inline void api_cancel(struct api *api, struct api_call *call)
{
	api->ops->cancel(api, call);
}

#endif
