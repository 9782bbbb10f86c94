/* SPDX-License-Identifier: MIT */
/*
 * What a domain's record says of its way from one host to another (docs/design/migration.md). The
 * domain's state says how far it is; this says which move it is, and who has the other end.
 */
#ifndef XEND_DOMAIN_MOVE_H
#define XEND_DOMAIN_MOVE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/domain_size.h"
#include "lib/error.h"
#include "lib/json.h"

struct peer;

/* 128 bits as hexadecimal digits. */
#define MOVE_ID 33

struct move {
	char id[MOVE_ID];
	bool incoming;
	char *host;	   /* the other host, for people; at the source also where to connect */
	unsigned int port; /* at the source: the other host's */
	bool tls;	   /* at the source: the connection is encrypted */
	struct domain_size size; /* at the target: the domain's, for its nodes in xenstore */
	/*
	 * At the source: the hypervisor may log what the guest writes, and give it a smaller share
	 * of the processors (live.h). The cap that it has by itself; -1: neither.
	 */
	int cap;
	/* At the source, not recorded: when the guest was suspended, by the loop's clock. */
	uint64_t suspended_at;
	/* At the source, not recorded: a person says that the other host will never have it. */
	bool keep;
	/* At the target, not recorded: the connection of the task that works on it; NULL: none. */
	struct peer *peer;
};

bool move_id_is_valid(const char *id);
struct move *move_new(const char *id, bool incoming, const char *host, unsigned int port);
void move_free(struct move *move); /* NULL: nothing */

struct json_object *move_to_json(const struct move *move);
struct move *move_from_json(struct json_object *o, struct error **e);

#endif
