/* SPDX-License-Identifier: MIT */
/* The relocation server: lets other hosts in that are on the list, each in a task of its own. */
#ifndef XEND_MIGRATE_LISTEN_H
#define XEND_MIGRATE_LISTEN_H

/*
 * Listens if xend-config.sxp asks for it. A failure is in the log: xend manages its domains without
 * it.
 */
void migrate_listen(void);
/* Stops listening, and ends all connections with other hosts, also those to them. */
void migrate_stop(void);

#endif
