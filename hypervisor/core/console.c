/* SPDX-License-Identifier: MIT */
/*
 * The console: log ring, output device, input routing, panic. Debug keys are in debug_keys.c.
 *
 * One lock protects the ring and the device; a panic no longer takes it, so that it gets through whatever the others
 * hold.
 */
#include "hv/console.h"

#include "hv/arch.h"
#include "hv/atomic.h"
#include "hv/cmdline.h"
#include "hv/evtchn.h"
#include "hv/softirq.h"
#include "hv/time.h"
#include "lib/printf.h"
#include "lib/string.h"

#define LOG_SIZE    65536 /* power of two */
#define INPUT_SIZE  1024  /* power of two */
#define LINE_MAX    320
#define PREFIX	    "(HV) "
#define CTRL_A	    1
#define SWITCH_KEYS 3 /* Ctrl-A so often in a row switches the input */

#define GUEST_LINES_PER_SECOND 10

static DEFINE_SPINLOCK(console_lock, LOCK_CONSOLE);
static char log_ring[LOG_SIZE];
static u32 log_next, log_first; /* positions count bytes ever written, modulo 2^32 */
static void (*device_write)(const char *s, size_t len);
static u32 panicking; /* CPU + 1 of the one that panics */
static bool boot_done;

static char input_ring[INPUT_SIZE];
static u32 input_head, input_tail; /* interrupt puts at tail, console_getc takes at head; under console_lock */
static unsigned int ctrl_a_run;
static bool input_to_hypervisor;

static unsigned long console_lock_take(void)
{
	if (READ_ONCE(panicking))
		return arch_irq_save();
	return spin_lock_irqsave(&console_lock);
}

static void console_lock_drop(unsigned long flags)
{
	if (READ_ONCE(panicking))
		arch_irq_restore(flags);
	else
		spin_unlock_irqrestore(&console_lock, flags);
}

static void ring_put(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		log_ring[log_next++ % LOG_SIZE] = s[i];
	if (log_next - log_first > LOG_SIZE)
		log_first = log_next - LOG_SIZE;
}

void console_write(const char *s, size_t len, bool log)
{
	unsigned long flags = console_lock_take();

	if (log)
		ring_put(s, len);
	if (device_write)
		device_write(s, len);
	console_lock_drop(flags);
}

void console_set_device(void (*write)(const char *s, size_t len))
{
	unsigned long flags = console_lock_take();
	u32 start = log_first % LOG_SIZE, len = log_next - log_first;

	/* What was logged before there was a device. */
	if (write && !device_write) {
		write(log_ring + start, min(len, LOG_SIZE - start));
		if (len > LOG_SIZE - start)
			write(log_ring, len - (LOG_SIZE - start));
	}
	device_write = write;
	console_lock_drop(flags);
}

static void log_line(const char *prefix, const char *fmt, va_list args)
{
	char line[LINE_MAX];
	size_t n;

	n = (size_t)fmt_snprintf(line, sizeof(line), PREFIX "%s", prefix);
	n += (size_t)fmt_vsnprintf(line + n, sizeof(line) - n, fmt, args);
	n = min(n, sizeof(line) - 2);
	if (line[n - 1] != '\n')
		line[n++] = '\n';
	console_write(line, n, true);
}

void hv_log(enum loglevel level, const char *fmt, ...)
{
	va_list args;

	if ((int)level > boot_options.loglvl)
		return;
	va_start(args, fmt);
	log_line("", fmt, args);
	va_end(args);
}

/* Ten lines a second, refilled each second; several CPUs may race here, which costs a line more or less. */
static bool guest_may_print(struct domain *d)
{
	s_time_t now = time_now();

	if (now - READ_ONCE(d->printk_refill) > SECONDS(1)) {
		WRITE_ONCE(d->printk_refill, now);
		atomic_set(&d->printk_tokens, GUEST_LINES_PER_SECOND);
	}
	for (u32 left = atomic_read(&d->printk_tokens); left > 0;)
		if (atomic_cmpxchg(&d->printk_tokens, &left, left - 1))
			return true;
	return false;
}

void guest_printk(struct domain *d, enum loglevel level, const char *fmt, ...)
{
	char prefix[12];
	va_list args;

	if ((int)level > boot_options.guest_loglvl || !guest_may_print(d))
		return;
	fmt_snprintf(prefix, sizeof(prefix), "d%u: ", d->id);
	va_start(args, fmt);
	log_line(prefix, fmt, args);
	va_end(args);
}

size_t console_read_log(char *buf, size_t len, u32 *index, bool incremental, bool clear)
{
	unsigned long flags = console_lock_take();
	u32 pos = log_first;
	size_t n;

	/* A position that is no longer (or not yet) in the ring means: from its beginning. */
	if (incremental && *index - log_first <= log_next - log_first)
		pos = *index;
	for (n = 0; n < len && pos != log_next; n++)
		buf[n] = log_ring[pos++ % LOG_SIZE];
	*index = pos;
	if (clear)
		log_first = pos;
	console_lock_drop(flags);
	return n;
}

int console_getc(void)
{
	unsigned long flags = console_lock_take();
	int c = -1;

	if (input_head != input_tail)
		c = (u8)input_ring[input_head++ % INPUT_SIZE];
	console_lock_drop(flags);
	return c;
}

static void input_switch(void)
{
	input_to_hypervisor = !input_to_hypervisor;
	log_err("input goes to %s now (three times Ctrl-A switches)",
		input_to_hypervisor ? "the hypervisor's debug keys ('h': help)" : "Domain-0");
}

void console_rx(char c)
{
	unsigned long flags;

	ctrl_a_run = c == CTRL_A ? ctrl_a_run + 1 : 0;
	if (ctrl_a_run == SWITCH_KEYS) {
		ctrl_a_run = 0;
		input_switch();
		return;
	}
	if (input_to_hypervisor) {
		if (c != CTRL_A)
			debug_key_queue(c);
		return;
	}
	flags = console_lock_take();
	if (input_tail - input_head < INPUT_SIZE)
		input_ring[input_tail++ % INPUT_SIZE] = c;
	console_lock_drop(flags);
	evtchn_send_dom0_virq(VIRQ_CONSOLE);
}

void console_boot_done(void)
{
	boot_done = true;
}

/* True for the first CPU that gets here; a second panic on the same CPU is a bug of the panic code itself: stop. */
static void panic_begin(void)
{
	u32 nobody = 0, me = smp_processor_id() + 1;

	arch_irq_disable();
	if (!atomic_cmpxchg(&panicking, &nobody, me))
		arch_halt();
	arch_stop_other_cpus();
}

void __noreturn panic(const char *fmt, ...)
{
	char prefix[32];
	va_list args;

	panic_begin();
	fmt_snprintf(prefix, sizeof(prefix), "panic on CPU %u: ", smp_processor_id());
	va_start(args, fmt);
	log_line(prefix, fmt, args);
	va_end(args);
	arch_backtrace();
	if (boot_options.noreboot || !boot_done) {
		log_err("halted");
		arch_halt();
	}
	arch_reboot();
}

void __noreturn boot_fail(const char *fmt, ...)
{
	va_list args;

	panic_begin();
	va_start(args, fmt);
	log_line("cannot boot: ", fmt, args);
	va_end(args);
	arch_halt();
}
