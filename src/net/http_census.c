/*
 * Which connections stay when there is no room for all. Happy path: there is room, and no connection is looked at.
 *
 * Four limits hold: for all connections, for those in handshake, for those of one address, and for those of all
 * strangers together, who may have half of the places. At a limit, the connection that is worth least is closed to make
 * room for the new one; among equals, the one that is longest in its state.
 *
 * A good connection has had a review answered, which is a POST that succeeded, and a known address has had one answered
 * in the last hour. A GET earns nothing of this: anybody can ask for /healthz. A stranger is a connection that is not
 * good, from an address that is not known. In the order of their worth: strangers, strangers whose request takes long,
 * strangers that had something answered, others whose request takes long, other connections of known addresses, good
 * connections. A request that has taken less than a second is not cut off, and neither is the head that a good
 * connection is sending. So the API server, whose address is known from its first review on and which sends a body in
 * one go, finds a place whatever others do.
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
	NOTE_MS = 1000, /* how often a connection's good requests are noted */
	SLOW_MS = 1000, /* how long a body or a reply may take when others need the place */
};

enum worth {
	WORTH_STRANGER,
	WORTH_SLOW_STRANGER,
	WORTH_GUEST, /* a stranger that had something answered */
	WORTH_SLOW,
	WORTH_KNOWN,
	WORTH_GOOD,
	WORTH_KEEPING
};

struct census {
	unsigned handshakes;
	unsigned same; /* from the address of the new one */
	unsigned strangers;
	struct http_conn *least;
	struct http_conn *least_handshake;
	struct http_conn *least_same;
	struct http_conn *least_stranger;
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
	static const struct http_address own[] = {
		{ { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 } }, /* ::ffff:127.0.0.1 */
		{ { [15] = 1 } },					/* ::1 */
	};

	return memcmp(address, &own[0], sizeof(own[0])) == 0 || memcmp(address, &own[1], sizeof(own[1])) == 0;
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

void http_census_answered(struct http_server *s, struct http_conn *c, bool review)
{
	int64_t now_ms = sched_now(&s->loop->sched);
	struct http_known *known;

	c->answered = true;
	if (!review || (c->good && now_ms - c->good_ms < NOTE_MS))
		return;
	c->good = true;
	c->good_ms = now_ms;
	known = find_known(s, &c->address);
	if (!known)
		known = add_known(s, &c->address);
	known->at_ms = now_ms;
}

static bool is_stranger(const struct http_conn *c)
{
	return !c->good && !c->known;
}

static bool is_busy(const struct http_conn *c)
{
	return c->state == HTTP_CONN_BODY || c->state == HTTP_CONN_QUEUED || c->state == HTTP_CONN_REPLY;
}

static enum worth worth_of(const struct http_conn *c, int64_t now_ms)
{
	bool stranger = is_stranger(c);

	if (is_busy(c)) {
		if (now_ms - c->since_ms < SLOW_MS)
			return WORTH_KEEPING;
		return stranger ? WORTH_SLOW_STRANGER : WORTH_SLOW;
	}
	if (stranger)
		return c->answered ? WORTH_GUEST : WORTH_STRANGER;
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
		if (is_stranger(c)) {
			census.strangers++;
			keep_least(&census.least_stranger, c, now_ms);
		}
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

/* The connection to close when all places are taken. An address that has an eighth of them makes room among its own,
 * rather than push out idle connections of others that have earned their places. */
static struct http_conn *choose_victim(const struct http_server *s, const struct census *census)
{
	unsigned eighth = s->options.max_connections / 8 + 1;
	bool earned = census->least && !is_stranger(census->least) && !is_busy(census->least);

	return earned && census->same >= eighth ? census->least_same : census->least;
}

/* Whether a limit is reached. If so, *ret is the connection to close for c; NULL: none may be closed. */
static bool is_full(struct http_server *s, const struct http_conn *c, unsigned most, struct http_conn **ret)
{
	const struct http_server_options *o = &s->options;
	struct census census = take_census(s, c, sched_now(&s->loop->sched));

	if (census.same >= most)
		*ret = census.least_same;
	else if (c->secure && census.handshakes >= o->max_handshakes)
		*ret = census.least_handshake;
	else if (is_stranger(c) && census.strangers >= o->max_strangers)
		*ret = census.least_stranger;
	else if (s->count > o->max_connections)
		*ret = choose_victim(s, &census);
	else
		return false;
	return true;
}

bool http_census_admit(struct http_server *s, struct http_conn *c)
{
	const struct http_server_options *o = &s->options;
	struct http_conn *victim;
	unsigned most;

	c->known = is_known(s, &c->address, sched_now(&s->loop->sched));
	most = c->known ? o->max_connections - o->max_connections / 4 : o->max_per_address;
	if (s->count <= most && s->count <= o->max_handshakes && s->count <= o->max_strangers)
		return true;
	if (!is_full(s, c, most, &victim))
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
		bool stranger = is_stranger(c), most_stranger = most && is_stranger(most);

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
