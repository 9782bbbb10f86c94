/* SPDX-License-Identifier: MIT */
/*
 * The console: the hypervisor's log, input routing, panic. The log of guests is in
 * console_guest.c, debug keys are in debug_keys.c.
 *
 * One lock protects the log, the device and the input; a panic no longer takes it, so that it gets
 * through whatever the others hold.
 */
#include "core/console_internal.h"
#include "core/log_ring.h"

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
#define CTRL_A	    1
#define SWITCH_KEYS 3 /* Ctrl-A so often in a row switches the input */

static DEFINE_SPINLOCK(console_lock, LOCK_CONSOLE);
static char log_bytes[LOG_SIZE];
static struct log_ring hv_log_ring = { .bytes = log_bytes, .size = LOG_SIZE };
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

size_t console_format_line(char *buf, const char *prefix, const char *fmt, va_list args)
{
	size_t n = (size_t)fmt_snprintf(buf, CONSOLE_LINE_MAX, CONSOLE_PREFIX "%s", prefix);

	n += (size_t)fmt_vsnprintf(buf + n, CONSOLE_LINE_MAX - n, fmt, args);
	n = min(n, (size_t)CONSOLE_LINE_MAX - 2);
	if (buf[n - 1] != '\n')
		buf[n++] = '\n';
	return n;
}

static void log_line(const char *prefix, const char *fmt, va_list args)
{
	char line[CONSOLE_LINE_MAX];
	size_t n = console_format_line(line, prefix, fmt, args);
	unsigned long flags = console_lock_take();

	log_ring_put(&hv_log_ring, line, n);
	if (device_write)
		device_write(line, n);
	console_lock_drop(flags);
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

void console_write(const char *s, size_t len)
{
	unsigned long flags = console_lock_take();

	if (device_write)
		device_write(s, len);
	console_lock_drop(flags);
}

void console_set_device(void (*write)(const char *s, size_t len))
{
	unsigned long flags = console_lock_take();
	bool first = write && !device_write;
	char line[CONSOLE_LINE_MAX];
	u32 pos = hv_log_ring.first;
	size_t n;

	device_write = write;
	/* What was logged before there was a device. */
	while (first && (n = log_ring_read_line(&hv_log_ring, &pos, line, sizeof(line))) > 0)
		write(line, n);
	console_lock_drop(flags);
}

size_t console_read_log(char *buf, size_t len, u32 *index, bool incremental, bool clear)
{
	unsigned long flags = console_lock_take();
	size_t n;

	if (!incremental)
		*index = hv_log_ring.first;
	n = log_ring_read(&hv_log_ring, index, buf, len);
	if (clear)
		hv_log_ring.first = *index;
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
