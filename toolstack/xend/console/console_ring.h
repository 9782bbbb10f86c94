/* SPDX-License-Identifier: MIT */
/* The two rings of a console's page (xen/io/console.h). The guest writes the page, too: whatever
 * its indices say stays in bounds. */
#ifndef XEND_CONSOLE_CONSOLE_RING_H
#define XEND_CONSOLE_CONSOLE_RING_H

#include <stddef.h>

struct xencons_interface;

/* Takes up to `room` bytes of what the guest wrote; 0: nothing there. */
size_t console_ring_take(struct xencons_interface *page, char *to, size_t room);
/* Puts bytes where the guest reads; how many found room. */
size_t console_ring_give(struct xencons_interface *page, const char *from, size_t length);

#endif
