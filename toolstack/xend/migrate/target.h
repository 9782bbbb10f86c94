/* SPDX-License-Identifier: MIT */
/*
 * The end of a move at which the domain arrives (docs/design/migration.md). It answers, and never
 * asks.
 */
#ifndef XEND_MIGRATE_TARGET_H
#define XEND_MIGRATE_TARGET_H

#include "lib/error.h"

struct domain;
#include "lib/error.h"

struct domain;
struct peer;

/* In a task of its own: serves one connection until it ends. The caller frees the peer. */
void target_serve(struct peer *peer);

/*
 * In a task that holds the lock of a domain that is complete here: a person says that the source
 * will never have it again. Starts it; if the source asks after all, the answer is that it runs
 * here.
 */
int target_keep(struct domain *domain, struct error **e);

/*
 * In a task that holds the lock of a domain that is complete here: a person says that the source
 * will never have it again. Starts it; if the source asks after all, the answer is that it runs
 * here.
 */
int target_keep(struct domain *domain, struct error **e);

#endif
