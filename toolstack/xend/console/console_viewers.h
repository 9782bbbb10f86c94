/* SPDX-License-Identifier: MIT */
/*
 * The clients that watch a console, and its scroll-back of 64 KiB. They outlive what they watch:
 * those of a bootloader's terminal see the guest's console next.
 */
#ifndef XEND_CONSOLE_CONSOLE_VIEWERS_H
#define XEND_CONSOLE_CONSOLE_VIEWERS_H

#include <stdbool.h>
#include <stddef.h>

struct client;
struct viewers;

struct viewers *viewers_make(void);
/* From now on type() gets what the clients type. NULL: it is lost. */
void viewers_connect(struct viewers *viewers,
		     void (*type)(void *arg, const char *bytes, size_t length), void *arg);
/* Keeps the bytes in the scroll-back and sends them to all clients. */
void viewers_show(struct viewers *viewers, const char *bytes, size_t length);
/* Takes a client, whose request is answered. With `scrollback` it gets earlier bytes first. */
void viewers_add(struct viewers *viewers, struct client *client, bool scrollback);
/* Hangs up on all clients. NULL is none. */
void viewers_free(struct viewers *viewers);

#endif
