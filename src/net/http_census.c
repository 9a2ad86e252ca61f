/*
 * Who may stay when there is not room for all. Happy path: there is room, and nobody is looked at.
 *
 * Three limits: connections altogether, connections in handshake, connections of one address. At a limit the connection
 * worth least makes room for the new one, the one longest in its state among equals: first strangers, which are neither
 * good themselves nor from an address known for good requests; then strangers whose request takes long; then new ones of known
 * addresses; then good ones that idle. In the middle of a request none of the latter goes. The API server, whose
 * address is known from its first request on, so finds a place whatever others do.
 *
 * Bodies have a limit together: over it the one that holds most is given up, a stranger's before another's.
 *
 * Failure modes: nobody may go: then it is the new one that does.
 */
#include <netinet/in.h>
#include <string.h>

#include "base/mem.h"
#include "server.h"

enum {
	KNOWN_MS = 60 * 60 * 1000,
	NOTE_MS = 1000,	    /* how often a connection's good requests are noted */
	STRANGER_MS = 1000, /* time that a stranger has for its request when others want in */
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

/* A new entry, in the place of the oldest if there is no other. */
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

/* least: NULL or what was found before, which is older. */
static void compare(struct http_conn **least, struct http_conn *c, int64_t now_ms)
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

		compare(&census.least, c, now_ms);
		if (c->state == HTTP_CONN_HANDSHAKE) {
			census.handshakes++;
			compare(&census.least_handshake, c, now_ms);
		}
		if (memcmp(&c->address, &newcomer->address, sizeof(c->address)) == 0) {
			census.same++;
			compare(&census.least_same, c, now_ms);
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

static struct http_conn *costliest(struct http_server *s)
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
	return s->bodies > s->options.max_bodies ? costliest(s) : NULL;
}

void http_census_body_done(struct http_server *s, struct http_conn *c)
{
	s->bodies -= c->reserved;
	c->reserved = 0;
}
