/*
 * Which connections stay when there is no room for all. Happy path: there is room, and no connection is looked at.
 *
 * Three limits hold: for all connections, for those in handshake, and for those of one address. At a limit, the
 * connection that is worth least is closed to make room for the new one; among equals, the one that is longest in its
 * state. A good connection has made a good request, and a known address has made one in the last hour. A stranger is a
 * connection that is not good, from an address that is not known. In the order of their worth: strangers, strangers
 * whose request takes long, other connections of known addresses, good connections. A good connection is not closed in
 * the middle of a request. So the API server, whose address is known from its first request on, finds a place whatever
 * others do.
 *
 * All bodies together have a limit. Above it, the connection that holds most is refused, a stranger before another one.
 *
 * Failure modes: if no connection may be closed for the new one, the new one is closed.
 */
#include <netinet/in.h>
#include <string.h>

#include "base/mem.h"
#include "server.h"

enum {
	KNOWN_MS = 60 * 60 * 1000,
	NOTE_MS = 1000,	    /* how often a connection's good requests are noted */
	STRANGER_MS = 1000, /* how long a stranger's request may take when others need its place */
};

enum worth { WORTH_STRANGER, WORTH_SLOW_STRANGER, WORTH_KNOWN, WORTH_GOOD, WORTH_KEEPING };

struct census {
	unsigned handshakes;
	unsigned same; /* from the address of the new one */
	struct http_conn *least;
	struct http_conn *least_handshake;
	struct http_conn *least_same;
};

struct http_address http_census_address(const uv_tcp_t *tcp)
{
	struct sockaddr_storage peer = { 0 };
	struct http_address ret = { { [10] = 0xff, [11] = 0xff } };
	const void *peer_ptr = &peer;
	int len = sizeof(peer);

	if (uv_tcp_getpeername(tcp, (struct sockaddr *)&peer, &len) < 0)
		return (struct http_address){ 0 };
	if (peer.ss_family == AF_INET)
		memcpy(&ret.bytes[12], &((const struct sockaddr_in *)peer_ptr)->sin_addr, 4);
	else
		memcpy(ret.bytes, &((const struct sockaddr_in6 *)peer_ptr)->sin6_addr, sizeof(ret.bytes));
	return ret;
}

bool http_census_is_loopback(const struct http_address *address)
{
	static const unsigned char mapped[] = {
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127
	}; /* ::ffff:127.0.0.0/104 */
	static const unsigned char one[HTTP_ADDRESS_SIZE] = { [15] = 1 };

	return memcmp(address->bytes, mapped, sizeof(mapped)) == 0 || memcmp(address->bytes, one, sizeof(one)) == 0;
}

static struct http_known *find_known(struct http_server *s, const struct http_address *address)
{
	for (size_t i = 0; i < s->known_count; i++)
		if (memcmp(&s->known[i].address, address, sizeof(*address)) == 0)
			return &s->known[i];
	return NULL;
}

static bool is_known(struct http_server *s, const struct http_address *address, int64_t now_ms)
{
	const struct http_known *known = find_known(s, address);

	return known && now_ms - known->at_ms < KNOWN_MS;
}

/* Adds an entry. If the table is full, it takes the place of the oldest one. */
static struct http_known *add_known(struct http_server *s, const struct http_address *address)
{
	struct http_known *oldest = &s->known[0];

	if (s->known_count < HTTP_KNOWN_MAX) {
		oldest = &s->known[s->known_count++];
	} else {
		for (size_t i = 1; i < s->known_count; i++)
			if (s->known[i].at_ms < oldest->at_ms)
				oldest = &s->known[i];
	}
	oldest->address = *address;
	return oldest;
}

void http_census_good(struct http_server *s, struct http_conn *c)
{
	int64_t now_ms = sched_now(&s->loop->sched);
	struct http_known *known;

	if (c->good && now_ms - c->good_ms < NOTE_MS)
		return;
	c->good = true;
	c->good_ms = now_ms;
	known = find_known(s, &c->address);
	if (!known)
		known = add_known(s, &c->address);
	known->at_ms = now_ms;
}

static enum worth worth_of(const struct http_conn *c, int64_t now_ms)
{
	bool stranger = !c->good && !c->known;
	bool busy = c->state == HTTP_CONN_BODY || c->state == HTTP_CONN_REPLY;

	if (busy)
		return stranger && now_ms - c->since_ms >= STRANGER_MS ? WORTH_SLOW_STRANGER : WORTH_KEEPING;
	if (stranger)
		return WORTH_STRANGER;
	if (c->good)
		return c->state == HTTP_CONN_HEAD ? WORTH_KEEPING : WORTH_GOOD;
	return WORTH_KNOWN;
}

/* Puts c into *least if it is worth less than what is there. Of equals the first stays, which is longer in its
 * state. */
static void keep_least(struct http_conn **least, struct http_conn *c, int64_t now_ms)
{
	enum worth worth = worth_of(c, now_ms);

	if (worth != WORTH_KEEPING && (!*least || worth < worth_of(*least, now_ms)))
		*least = c;
}

static struct census take_census(struct http_server *s, const struct http_conn *newcomer, int64_t now_ms)
{
	struct census census = { 0 };

	for (struct list *link = s->conns.next; link != &s->conns; link = link->next) {
		struct http_conn *c = container_of(link, struct http_conn, link);

		keep_least(&census.least, c, now_ms);
		if (c->state == HTTP_CONN_HANDSHAKE) {
			census.handshakes++;
			keep_least(&census.least_handshake, c, now_ms);
		}
		if (memcmp(&c->address, &newcomer->address, sizeof(c->address)) == 0) {
			census.same++;
			keep_least(&census.least_same, c, now_ms);
		}
	}
	return census;
}

bool http_census_admit(struct http_server *s, struct http_conn *c)
{
	const struct http_server_options *o = &s->options;
	int64_t now_ms = sched_now(&s->loop->sched);
	struct http_conn *victim;
	struct census census;
	unsigned most;

	c->known = is_known(s, &c->address, now_ms);
	most = c->known ? o->max_connections - o->max_connections / 4 : o->max_per_address;
	if (s->count <= most && s->count <= o->max_handshakes && s->count <= o->max_connections)
		return true;
	census = take_census(s, c, now_ms);
	if (census.same >= most)
		victim = census.least_same;
	else if (c->secure && census.handshakes >= o->max_handshakes)
		victim = census.least_handshake;
	else if (s->count > o->max_connections)
		victim = census.least;
	else
		return true;
	if (!victim)
		return false;
	s->stats.evicted++;
	http_conn_close(victim);
	return true;
}

static struct http_conn *find_costliest(struct http_server *s)
{
	struct http_conn *most = NULL;

	for (struct list *link = s->conns.next; link != &s->conns; link = link->next) {
		struct http_conn *c = container_of(link, struct http_conn, link);
		bool stranger = !c->good && !c->known, most_stranger = most && !most->good && !most->known;

		if (c->reserved == 0)
			continue;
		if (!most || (stranger && !most_stranger) ||
		    (stranger == most_stranger && c->reserved > most->reserved))
			most = c;
	}
	return most;
}

struct http_conn *http_census_body(struct http_server *s, struct http_conn *c)
{
	s->bodies += c->parser.body.cap - c->reserved;
	c->reserved = c->parser.body.cap;
	return s->bodies > s->options.max_bodies ? find_costliest(s) : NULL;
}

void http_census_body_done(struct http_server *s, struct http_conn *c)
{
	s->bodies -= c->reserved;
	c->reserved = 0;
}
