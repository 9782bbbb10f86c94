/* SPDX-License-Identifier: MIT */
/* The part of a record that is about a domain's way to another host. Pure. */
#include "xend/domain/move.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"

#define PORT_MAX 65535

bool move_id_is_valid(const char *id)
{
	return strlen(id) == MOVE_ID - 1 && strspn(id, "0123456789abcdef") == MOVE_ID - 1;
}

struct move *move_new(const char *id, bool incoming, const char *host, unsigned int port)
{
	struct move *move = xcalloc(1, sizeof(*move));

	memcpy(move->id, id, MOVE_ID - 1);
	move->incoming = incoming;
	move->host = xstrdup(host);
	move->port = port;
	move->cap = -1;
	return move;
}

void move_free(struct move *move)
{
	if (move)
		free(move->host);
	free(move);
}

struct json_object *move_to_json(const struct move *move)
{
	struct json_object *o = json_new_object();

	json_set_string(o, "id", move->id);
	json_set_bool(o, "incoming", move->incoming);
	json_set_string(o, "host", move->host);
	json_set_int(o, "port", move->port);
	if (move->cap >= 0)
		json_set_int(o, "cap", move->cap);
	if (move->tls)
		json_set_bool(o, "tls", true);
	if (move->incoming)
		json_set(o, "size", domain_size_to_json(&move->size));
	return o;
}

struct move *move_from_json(struct json_object *o, struct error **e)
{
	struct json_object *size = NULL;
	const char *id, *host;
	struct move *move;
	int64_t port, cap;
	bool incoming, tls;

	if (json_get_string(o, "id", &id, e) || json_get_bool(o, "incoming", &incoming, e) ||
	    json_get_string(o, "host", &host, e) ||
	    json_get_int(o, "port", 0, PORT_MAX, &port, e) ||
	    json_opt_int(o, "cap", -1, INT32_MAX, -1, &cap, e) ||
	    json_opt_bool(o, "tls", false, &tls, e) ||
	    (incoming && json_get_typed(o, "size", json_type_object, &size, e)))
		return NULL;
	if (!move_id_is_valid(id)) {
		error_set(e, EINVAL, "The number of a move, '%.40s', is none.", id);
		return NULL;
	}
	move = move_new(id, incoming, host, (unsigned int)port);
	move->cap = (int)cap;
	move->tls = tls;
	if (incoming && domain_size_from_json(&move->size, size, e)) {
		move_free(move);
		return NULL;
	}
	return move;
}
