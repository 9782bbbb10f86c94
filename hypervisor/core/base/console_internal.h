/* SPDX-License-Identifier: MIT */
/* Private to console.c, console_tx.c, console_guest.c and debug_keys.c. */
#ifndef CORE_BASE_CONSOLE_INTERNAL_H
#define CORE_BASE_CONSOLE_INTERNAL_H

#include <stdarg.h>
#include "hv/console.h"

#define CONSOLE_PREFIX	 "(HV) "
#define CONSOLE_LINE_MAX 320

/*
 * The lock of the hypervisor's log, the transmit buffer and the input; interrupts are off under it.
 * The CPU that panics passes without the lock. Any other CPU that comes here during a panic halts
 * for good.
 */
unsigned long __must_check console_lock_take(void);
void console_lock_drop(unsigned long flags);

/*
 * Formats a line into buf (CONSOLE_LINE_MAX bytes): CONSOLE_PREFIX, `prefix`, the text, '\n'. A
 * line that is too long is cut. Returns its length.
 */
size_t console_format_line(char *buf, const char *prefix, const char *fmt, va_list args);

/* Shows a guest's line on the device, or counts it as lost if the transmit buffer has no room. */
void console_show_guest_line(const char *line, size_t len);

/* --- the transmit buffer (console_tx.c); console_lock is held --- */

/*
 * The writers. Each may fill the buffer only up to its share, so that the next in this list still
 * finds room.
 */
enum tx_writer { TX_GUEST, TX_DOM0, TX_HV };

void tx_init(void); /* boot, once the CPU has softirqs and timers */
/* Sets the device; NULL: none. Until tx_set_buffered each write waits for it. */
void tx_set_device(const struct console_device *device);
bool tx_has_device(void);
void tx_set_buffered(void);
/* Sends what is in the buffer; from now on each write waits for the device again. */
void tx_set_synchronous(void);
/*
 * Takes a whole line (true), or nothing of it if it does not fit the writer's share (false).
 *
 * TX_HV calls again until the line fits, and drops the lock in between. After too many calls
 * without progress the device counts as dead: all output is dropped until the device takes
 * something again.
 */
bool tx_put_line(enum tx_writer writer, const char *line, size_t len);
/* Takes as much as fits the writer's share. Returns the number of bytes. */
size_t tx_put_some(enum tx_writer writer, const char *s, size_t len);
/* Counts a guest's line as lost. The number of lost lines is shown once there is room again. */
void tx_count_lost_line(void);
/* Are there lost lines that no message has reported yet? */
bool tx_has_lost_lines(void);

#endif
