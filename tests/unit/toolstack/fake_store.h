/* SPDX-License-Identifier: MIT */
/* A xenstore for tests, which defines what xend/runtime/store.h declares (fake_store.c). */
#ifndef FAKE_STORE_H
#define FAKE_STORE_H

#include <stdbool.h>

/* The value of a node; NULL: there is none. Good until the next change. */
const char *node_get(const char *path);
void node_set(const char *path, const char *value);
/* Removes a node and all below it. */
void node_remove(const char *path);
void node_remove_all(void);
/* Whether there is the node, or one below it. */
bool node_is_there(const char *path);
/* Called after store_remove(), if it is set. */
extern void (*node_on_remove)(const char *path);
/* Watches hear of changes at once, or, when they are held, not before store_catch_up(). */
void node_hold_events(bool hold);
/* How often that directory was listed since it was reset. */
unsigned int node_lists(const char *path);
void node_reset_lists(void);

#endif
