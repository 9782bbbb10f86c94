/* SPDX-License-Identifier: MIT */
/*
 * A connection to the xend of another host, for one task: lines of JSON in both directions, and in
 * between the bytes of a worker, which gets the same descriptor. The other end is a stranger: a
 * line has a limit, and so has each wait.
 */
#ifndef XEND_MIGRATE_PEER_H
#define XEND_MIGRATE_PEER_H

#include <stdint.h>

#include "lib/error.h"
#include "lib/json.h"

/* The longest line in bytes: an offer has a configuration of at most as many. */
#define PEER_LINE_MAX (512 * 1024)

struct peer;

enum peer_wire { PEER_PLAIN, PEER_TLS };

/* In a task. Resolves the name and connects, in a thread: 10 seconds for each address. */
int peer_connect(const char *host, unsigned int port, enum peer_wire wire, struct peer **out,
		 struct error **e);
/* The same for the bare socket, which blocks. */
int peer_connect_socket(const char *host, unsigned int port, struct error **e);
/* Has the kernel find out that the other host is gone; peer_new does so, too. */
void peer_watch_silence(int fd);
/* Takes a connected socket over. `name`: of the other host, for people. */
struct peer *peer_new(int fd, const char *name);
void peer_free(struct peer *peer); /* NULL: nothing */

const char *peer_name(const struct peer *peer);

/* In a task. Takes `line` over. -EPIPE: the connection has ended. */
int peer_say(struct peer *peer, struct json_object *line, struct error **e);
/*
 * In a task: the next line, an object that the caller puts; its member "say" is *word. -EPIPE: the
 * connection has ended; -EPROTO: what came is no such line; -ETIMEDOUT, -ECANCELED. A line "error"
 * with a sentence is -EREMOTEIO with that sentence.
 */
int peer_hear(struct peer *peer, uint64_t deadline, const char **word, struct json_object **line,
	      struct error **e);

/* A new line that says `word`. */
struct json_object *peer_line(const char *word);
/* Says "error" with the sentence, and reads what still comes for a while, so that it is read. */
void peer_refuse(struct peer *peer, const char *sentence);

/*
 * Gives the descriptor to a worker: reads and writes block until peer_take_back. -EPROTO: bytes
 * have come that nobody has asked for.
 */
int peer_lend(struct peer *peer, struct error **e);
void peer_take_back(struct peer *peer);
int peer_fd(const struct peer *peer);

/* Ends the connection; whoever reads from it, a worker too, finds its end. */
void peer_hang_up(struct peer *peer);
/* The same for all, because xend stops. */
void peers_hang_up(void);

#endif
