/* SPDX-License-Identifier: MIT */
/*
 * The two rings of a console's page (xen/io/console.h). The guest can write the page, too; accesses
 * stay in bounds whatever its indices are.
 */
#ifndef XEND_CONSOLE_CONSOLE_RING_H
#define XEND_CONSOLE_CONSOLE_RING_H

#include <stddef.h>

struct xencons_interface;

/* Takes up to `room` bytes of the guest's output. Returns their number; 0: there is none. */
size_t console_ring_take(struct xencons_interface *page, char *to, size_t room);
/* Writes input for the guest. Returns how many bytes found room. */
size_t console_ring_give(struct xencons_interface *page, const char *from, size_t length);

#endif
