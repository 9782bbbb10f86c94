/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's console. The hypervisor's own lines go to a log for `xl dmesg` and to the
 * console's device. Lines from guests and about guests go to a second log (debug key G), and to the
 * device as far as guest_loglvl allows. Domain-0's output goes to the device only: Domain-0 has its
 * own log.
 */
#ifndef HV_CONSOLE_H
#define HV_CONSOLE_H

#include <stdarg.h>
#include "hv/time.h"
#include "lib/types.h"

struct domain;

/* What each domain writes into the log of guests. */
struct domain_console {
	/* The rate limit. A lock in core/base/console_guest.c covers these three. */
	u32 tokens;
	u32 lost; /* messages over the limit since the last one within it */
	s_time_t refilled_at;
	/* The unfinished line of its output; d->lock covers both. */
	char line[120];
	unsigned int fill;
};

enum loglevel { LOG_ERR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/*
 * Any context but NMI; in an NMI only a panic may print. Waits for the device if the hypervisor's
 * share of the transmit buffer is full.
 */
void hv_log(enum loglevel level, const char *fmt, ...) __printf(2, 3);
#define log_err(...)   hv_log(LOG_ERR, __VA_ARGS__)
#define log_warn(...)  hv_log(LOG_WARN, __VA_ARGS__)
#define log_info(...)  hv_log(LOG_INFO, __VA_ARGS__)
#define log_debug(...) hv_log(LOG_DEBUG, __VA_ARGS__)

/*
 * Logs a message caused by `d` in the log of guests, prefixed "dN: ". A message beyond ten lines a
 * second from one domain is only counted, unless guest_loglvl wants its level without a limit.
 * Never waits for the device.
 */
void guest_printk(struct domain *d, enum loglevel level, const char *fmt, ...) __printf(3, 4);
/*
 * Logs how many messages of d were only counted, if any. For a domain that will not write again
 * soon.
 */
void guest_log_tell_lost(struct domain *d);
void guest_log_dump(char key); /* debug key G */

/*
 * Prints the message and a symbolised backtrace, then reboots; halts instead with option noreboot,
 * and before console_boot_done.
 */
void __noreturn panic(const char *fmt, ...) __printf(1, 2);

/*
 * For a boot that cannot go on for a reason that a person can mend (a wrong module, too little
 * memory): prints one line and halts, without a reset.
 */
void __noreturn boot_fail(const char *fmt, ...) __printf(1, 2);
/*
 * The first step of a panic, for callers that print something before panic(). Stops the other CPUs,
 * takes the console whatever the state of its lock, and sends what is in the transmit buffer. Halts
 * if a CPU has panicked already.
 */
void panic_begin(void);
/*
 * Ends the boot phase. Before this call a panic halts, so that a machine that cannot boot does not
 * reset for ever; afterwards it reboots. Before this call each write waits for the device;
 * afterwards writes go through a buffer, unless option sync_console is set.
 */
void console_boot_done(void);
/*
 * Sends what is in the transmit buffer; each later write waits for the device. For callers that are
 * about to reboot or power off the machine.
 */
void console_end(void);
/* Registers the console's softirq and debug keys; logging works from the first instruction. */
void console_init(void);

/*
 * A device that shows the console's output byte by byte. Called with interrupts off under
 * LOCK_CONSOLE.
 */
struct console_device {
	/* How many bytes the device takes now, without waiting. */
	unsigned int (*room)(void);
	/* Sends one byte; room() has promised it. */
	void (*send)(char c);
	/* How long the full device needs to send all it holds, in ns. */
	s_time_t fill_time;
};
void console_set_device(const struct console_device *device);

/*
 * A screen that shows the hypervisor's own lines until Domain-0 runs, which then has the screen,
 * and a panic.
 */
struct console_screen {
	void (*put)(const char *line, size_t len);
	void (*clear)(void);
};
/* Boot: shows on it what was logged so far, too. */
void console_set_screen(const struct console_screen *screen);

/* Assertions are for the hypervisor's own bugs: no act of a guest or a user may trigger one. */
#define BUG() panic("BUG at %s:%d", __FILE__, __LINE__)
#define BUG_ON(cond)                                                          \
	do {                                                                  \
		if (unlikely(cond))                                           \
			panic("BUG at %s:%d: %s", __FILE__, __LINE__, #cond); \
	} while (0)
#ifdef HV_DEBUG
#define ASSERT(cond) BUG_ON(!(cond))
#else
#define ASSERT(cond) ((void)sizeof(!!(cond)))
#endif

/*
 * Writes Domain-0's output unchanged. Returns how many bytes were taken: fewer than `len` when the
 * buffer is full. The device needs some time to make room again.
 */
size_t console_write_dom0(const char *s, size_t len);
/* Writes another domain's output, line by line, into the log of guests. Takes LOCK_DOMAIN. */
void console_write_guest(struct domain *d, const char *s, size_t len);
/*
 * d is about to stop for long or for good: logs its unfinished line and the number of its lost
 * messages. The caller does not hold LOCK_DOMAIN.
 */
void console_domain_ends(struct domain *d);
/*
 * Takes one input character that is meant for Domain-0; -1: there is none. VIRQ_CONSOLE tells
 * Domain-0 of input.
 */
int console_getc(void);
/*
 * The serial driver calls this in interrupt context. Routes input to Domain-0; after Ctrl-A three
 * times, to the debug keys.
 */
void console_rx(char c);
/*
 * For XEN_SYSCTL_readconsole. Copies at most `len` bytes of the log from position *index on into
 * `buf` and advances *index. Without `incremental` it begins at the oldest byte. `clear` drops from
 * the log all up to the new *index. Returns the number of bytes.
 */
size_t console_read_log(char *buf, size_t len, u32 *index, bool incremental, bool clear);

/* Debug keys: fn runs in softirq context on the CPU that took the key. */
void debug_key_register(char key, const char *what, void (*fn)(char key));
/* Runs the key's function now. */
void debug_key_handle(char key);
/* From the serial interrupt: runs the key's function soon, in a softirq. */
void debug_key_queue(char key);

#endif
