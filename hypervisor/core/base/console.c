/* SPDX-License-Identifier: MIT */
/*
 * The console: the hypervisor's log, input routing, panic. console_tx.c is the way to the device,
 * console_guest.c the log of guests, debug_keys.c has the debug keys.
 *
 * One lock protects the log, the transmit buffer and the input. A panic does not need that lock, so
 * its message gets out whatever the other CPUs hold.
 */
#include "core/base/console_internal.h"
#include "core/base/log_ring.h"

#include "hv/arch/cpu.h"
#include "hv/atomic.h"
#include "hv/cmdline.h"
#include "hv/domain.h"
#include "hv/evtchn.h"
#include "hv/softirq.h"
#include "lib/printf.h"
#include "lib/string.h"

#define LOG_SIZE    65536 /* power of two */
#define INPUT_SIZE  1024  /* power of two */
#define CTRL_A	    1
#define SWITCH_KEYS 3 /* this many Ctrl-A in a row switch the input */

/* At least some 10 ms: a CPU that holds the lock and still runs has released it by then. */
#define PANIC_LOCK_SPINS 1000000

static DEFINE_SPINLOCK(console_lock, LOCK_CONSOLE);
static char log_bytes[LOG_SIZE];
static struct log_ring hv_log_ring = { .bytes = log_bytes, .size = LOG_SIZE };
static u32 panicking; /* the CPU that panics, + 1; 0: none */
static bool panic_said;
static bool boot_done;
static const struct console_screen *screen; /* NULL: none, or Domain-0 has it */
static const struct console_screen *panic_screen;

static char input_ring[INPUT_SIZE];
/* The interrupt puts at the tail, console_getc takes from the head; both under console_lock. */
static u32 input_head, input_tail;
static unsigned int ctrl_a_run;
static bool input_to_hypervisor;

unsigned long console_lock_take(void)
{
	u32 who = READ_ONCE(panicking);

	if (likely(!who))
		return spin_lock_irqsave(&console_lock);
	if (who != smp_processor_id() + 1)
		arch_halt();
	return arch_irq_save();
}

void console_lock_drop(unsigned long flags)
{
	if (unlikely(READ_ONCE(panicking) == smp_processor_id() + 1))
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

/*
 * Tells Domain-0 of new lines; xenconsoled follows the log by this event. A tasklet sends it,
 * because a line may be logged under any lock.
 */
static void tell_dom0(void *data)
{
	evtchn_send_dom0_virq(VIRQ_CON_RING);
}

static struct tasklet log_tasklet = { .fn = tell_dom0 };

static void log_line(const char *prefix, const char *fmt, va_list args)
{
	char line[CONSOLE_LINE_MAX];
	size_t n = console_format_line(line, prefix, fmt, args);
	unsigned long flags = console_lock_take();

	log_ring_put(&hv_log_ring, line, n);
	while (!tx_put_line(TX_HV, line, n)) {
		/*
		 * Wait until the device has sent something. In between, other CPUs may write, and
		 * interrupts come if they were on.
		 */
		console_lock_drop(flags);
		cpu_relax();
		flags = console_lock_take();
	}
	if (screen)
		screen->put(line, n);
	console_lock_drop(flags);
	if (boot_done)
		tasklet_schedule(&log_tasklet);
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

void console_show_guest_line(const char *line, size_t len)
{
	unsigned long flags = console_lock_take();

	/*
	 * After a loss, lose all lines until the message about the loss is shown: it says "here".
	 */
	if (tx_has_lost_lines() || !tx_put_line(TX_GUEST, line, len))
		tx_count_lost_line();
	console_lock_drop(flags);
}

size_t console_write_dom0(const char *s, size_t len)
{
	unsigned long flags = console_lock_take();
	size_t n = tx_put_some(TX_DOM0, s, len);

	console_lock_drop(flags);
	return n;
}

void console_set_device(const struct console_device *device)
{
	unsigned long flags = console_lock_take();
	bool first = device && !tx_has_device();
	char line[CONSOLE_LINE_MAX];
	u32 pos = hv_log_ring.first;
	size_t n;

	tx_set_device(device);
	/* Show what was logged before there was a device. */
	while (first && (n = log_ring_read_line(&hv_log_ring, &pos, line, sizeof(line))) > 0)
		tx_put_line(TX_HV, line, n);
	console_lock_drop(flags);
}

void console_set_screen(const struct console_screen *new_screen)
{
	unsigned long flags = console_lock_take();
	char line[CONSOLE_LINE_MAX];
	u32 pos = hv_log_ring.first;
	size_t n;

	screen = panic_screen = new_screen;
	while ((n = log_ring_read_line(&hv_log_ring, &pos, line, sizeof(line))) > 0)
		screen->put(line, n);
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
	unsigned long flags = console_lock_take();

	boot_done = true;
	screen = NULL;
	if (boot_options.sync_console)
		tx_set_synchronous();
	else
		tx_set_buffered();
	console_lock_drop(flags);
}

void console_end(void)
{
	unsigned long flags = console_lock_take();

	tx_set_synchronous();
	console_lock_drop(flags);
}

/*
 * Gives the CPU that holds the lock some time to release it. If the lock stays taken (this CPU
 * holds it, or its holder has stopped), the buffer is as the holder left it: at worst some
 * characters are sent twice or not at all.
 */
static void take_console_for_good(void)
{
	for (unsigned int i = 0; i < PANIC_LOCK_SPINS && !spin_trylock(&console_lock); i++)
		cpu_relax();
	tx_set_synchronous();
	if (!screen && panic_screen) {
		screen = panic_screen;
		screen->clear();
	}
}

void panic_begin(void)
{
	u32 nobody = 0, me = smp_processor_id() + 1;

	arch_irq_disable();
	if (!atomic_cmpxchg(&panicking, &nobody, me))
		arch_halt();
	arch_stop_other_cpus();
	take_console_for_good();
}

void __noreturn panic(const char *fmt, ...)
{
	char prefix[32];
	va_list args;

	/*
	 * If this CPU has panicked before, the fault is in the panic code itself: panic_begin
	 * halts.
	 */
	if (READ_ONCE(panicking) != smp_processor_id() + 1 || panic_said)
		panic_begin();
	panic_said = true;
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
