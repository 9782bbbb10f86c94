/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's console. The hypervisor's own lines are in a log for `xl dmesg` and appear on
 * the console's device. Lines of guests and about them are in a log of their own (debug key G), and
 * on the device as far as guest_loglvl allows. What Domain-0 writes goes to the device only:
 * Domain-0 has its own log.
 */
#ifndef HV_CONSOLE_H
#define HV_CONSOLE_H

#include <stdarg.h>
#include "hv/time.h"
#include "lib/types.h"

struct domain;

enum loglevel { LOG_ERR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/*
 * Any context but NMI, where only a panic may print. Waits for the device if the hypervisor's share
 * of the transmit buffer is full.
 */
void hv_log(enum loglevel level, const char *fmt, ...) __printf(2, 3);
#define log_err(...)   hv_log(LOG_ERR, __VA_ARGS__)
#define log_warn(...)  hv_log(LOG_WARN, __VA_ARGS__)
#define log_info(...)  hv_log(LOG_INFO, __VA_ARGS__)
#define log_debug(...) hv_log(LOG_DEBUG, __VA_ARGS__)

/*
 * A message caused by `d`, prefixed "dN: ", for the log of guests. Beyond ten lines a second of one
 * domain it is only counted, unless guest_loglvl wants its level without a limit. Never waits for
 * the device.
 */
void guest_printk(struct domain *d, enum loglevel level, const char *fmt, ...) __printf(3, 4);
/* Tells how many messages of d were only counted, if there are any: d will not write again soon. */
void guest_log_tell_lost(struct domain *d);
void guest_log_dump(char key); /* debug key G */

/*
 * Says what happened with registers and a symbolised backtrace, on every console, then reboots or
 * halts (option noreboot).
 */
void __noreturn panic(const char *fmt, ...) __printf(1, 2);

/*
 * Boot cannot go on for a reason that a person can mend (a wrong module, too little memory): one
 * line, then halts; no reset.
 */
void __noreturn boot_fail(const char *fmt, ...) __printf(1, 2);
/*
 * First step of a panic, for who has something to print before panic(): stops the other CPUs, takes
 * the console whatever its lock is, and sends what waits in the transmit buffer. Halts if a CPU has
 * panicked already.
 */
void panic_begin(void);
/*
 * Until this is called a panic halts, so that a machine that cannot boot does not reset for ever;
 * afterwards it reboots. And until then each write waits for the device; afterwards there is a
 * buffer (but with option sync_console).
 */
void console_boot_done(void);
/*
 * Sends what waits in the transmit buffer; each later write waits for the device. For who is about
 * to end the machine.
 */
void console_end(void);
/* Registers the console's softirq and debug keys; logging works from the first instruction. */
void console_init(void);

/* What shows the console's output, byte by byte. Called with interrupts off under LOCK_CONSOLE. */
struct console_device {
	unsigned int (*room)(void); /* bytes that it takes now, without waiting */
	void (*send)(char c);	    /* takes one; room() said that it can */
	s_time_t fill_time;	    /* how long it sends when it is full */
};
void console_set_device(const struct console_device *device);

/* Asserts are for our own bugs: nothing that a guest or a user does may reach one. */
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
 * Output of Domain-0, as it is. Returns how many bytes of it were taken: fewer when the buffer is
 * full, which the device needs some time to change.
 */
size_t console_write_dom0(const char *s, size_t len);
/*
 * d is about to stop for long or for good: its unfinished line, and what it lost. LOCK_DOMAIN is
 * not held.
 */
void console_domain_ends(struct domain *d);
/* Takes one input character that is for Domain-0, or -1. VIRQ_CONSOLE tells Domain-0 that there is
 * one. */
int console_getc(void);
/*
 * Called by the serial driver, interrupt context: routes input to Domain-0 or, after Ctrl-A three
 * times, to the debug keys.
 */
void console_rx(char c);
/*
 * Copies log bytes from position *index on into `buf` (at most `len`), advances *index; `clear`
 * forgets what was read. Returns the number of bytes. For XEN_SYSCTL_readconsole.
 */
size_t console_read_log(char *buf, size_t len, u32 *index, bool incremental, bool clear);

/* Debug keys: fn runs in softirq context on the CPU that took the key. */
void debug_key_register(char key, const char *what, void (*fn)(char key));
void debug_key_handle(char key); /* now */
void debug_key_queue(char key);	 /* from the serial interrupt: soon */

#endif
