/*
 * An API server that only remembers: what spark-submit sends to it is answered as if it had been done. It listens
 * on the loopback, plain HTTP, on a port of the system's choice.
 */
#ifndef OFFLINE_SUBMIT_SERVER_H
#define OFFLINE_SUBMIT_SERVER_H

#include "json/json.h"
#include "net/loop.h"

struct submit_server;

/* NULL + *err. */
struct submit_server *submit_server_new(struct loop *loop, struct err *err);
int submit_server_port(const struct submit_server *s);
/* The requests so far, {"requests": [{"method", "path", "body"}…]}, borrowed. */
const struct json *submit_server_recording(const struct submit_server *s);
/* Closes all connections and frees the server. The loop has to run the close callbacks of the connections
 * afterwards. */
void submit_server_close(struct submit_server *s);

#endif
