/* SPDX-License-Identifier: MIT */
/* Between console.c, console_tx.c and console_guest.c. */
#ifndef CORE_BASE_CONSOLE_INTERNAL_H
#define CORE_BASE_CONSOLE_INTERNAL_H

#include <stdarg.h>
#include "hv/console.h"

#define CONSOLE_PREFIX	 "(HV) "
#define CONSOLE_LINE_MAX 320

/*
 * The lock of the hypervisor's log, the transmit buffer and the input, with interrupts off. While
 * this CPU panics the lock counts as taken; a CPU that comes here while another one panics stops
 * for good.
 */
unsigned long __must_check console_lock_take(void);
void console_lock_drop(unsigned long flags);

/*
 * Makes a line "PREFIX fmt\n" in buf (CONSOLE_LINE_MAX bytes), cut if it is too long. Returns its
 * length.
 */
size_t console_format_line(char *buf, const char *prefix, const char *fmt, va_list args);

/*
 * Shows a line of a guest on the device, or counts it as lost if the transmit buffer has no room
 * for it.
 */
void console_show_guest_line(const char *line, size_t len);

/* --- the transmit buffer (console_tx.c); console_lock is held --- */

/*
 * Who writes. A writer fills the buffer only up to its share, so that the next one of this list
 * still finds room.
 */
enum tx_writer { TX_GUEST, TX_DOM0, TX_HV };

void tx_init(void); /* boot, once the CPU has softirqs and timers */
/* The device, NULL for none. Until tx_set_buffered each write waits for it. */
void tx_set_device(const struct console_device *device);
bool tx_has_device(void);
void tx_set_buffered(void);
/* Sends what waits, and from now on each write waits for the device again. */
void tx_set_synchronous(void);
/*
 * Takes all of a line (true), or none of it if it does not fit into the writer's share (false).
 * TX_HV calls again until it fits, with the lock dropped in between; after too many calls without
 * progress the device counts as dead, and what is written is dropped until it takes something
 * again.
 */
bool tx_put_line(enum tx_writer writer, const char *line, size_t len);
/* Takes as much as fits into the writer's share: the number of bytes. */
size_t tx_put_some(enum tx_writer writer, const char *s, size_t len);
/* A line of a guest was not put. The number of such lines is shown once there is room again. */
void tx_count_lost_line(void);
/* Are there lines whose loss is still to be shown? */
bool tx_has_lost_lines(void);

#endif
