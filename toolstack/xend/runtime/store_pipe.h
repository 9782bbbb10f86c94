/* SPDX-License-Identifier: MIT */
/*
 * Changes of xenstore that do not wait for each other's answers: for store_batch.c alone.
 * libxenstore sends a request when the one before it has been answered, so each costs two switches
 * of processes, and two rounds of xenstored's loop, which looks at each guest.
 */
#ifndef XEND_RUNTIME_STORE_PIPE_H
#define XEND_RUNTIME_STORE_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Connects to xenstored's socket; without one (xenstored is a domain) there is no pipe. */
void store_pipe_open(void);
void store_pipe_close(void);
bool store_pipe_is_open(void);

/*
 * Adds a request of that type (xen/io/xs_wire.h) to those that are sent: `path` with its zero, and
 * `length` bytes after it. `path` must stay until store_pipe_flush.
 */
void store_pipe_add(uint32_t type, const char *path, const char *more, size_t length);

/*
 * Sends what was added, and waits for the answers. 0, or the positive errno of the first refusal
 * since the last flush, with its path in *refused; what came after it may have been done. Removing
 * what is not there is no failure. xend ends if xenstored does.
 */
int store_pipe_flush(const char **refused);

#endif
