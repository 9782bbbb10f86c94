/* SPDX-License-Identifier: MIT */
/*
 * The whole console before a scripted 16550: who may have to wait for it, what each log contains,
 * what reaches the line, and the way out of a panic. A character takes 87 us on the line and a port
 * access 1 us, so the clock shows who waited.
 */
/* links: hypervisor/core/base/console.c hypervisor/core/hypercall/console_io.c hypervisor/core/base/console_tx.c hypervisor/core/base/console_guest.c */
/* links: hypervisor/core/base/log_ring.c hypervisor/core/base/debug_keys.c hypervisor/core/base/cmdline.c hypervisor/x86/cpu/serial.c */
/* links: hypervisor/x86/cpu/traps.c hypervisor/core/base/timer.c hypervisor/core/base/softirq.c hypervisor/lib/heap.c */
/* links: hypervisor/lib/bitmap.c hypervisor/lib/printf.c hypervisor/lib/string.c hypervisor/lib/cpu_guards.c */
#include "hv/console.h"

#include <sys/wait.h>
#include <unistd.h>
#include "control_sim.h"
#include "core/base/console_internal.h"
#include "hv/arch/cpu.h"
#include "hv/hypercall_handlers.h"
#include "hv/cmdline.h"
#include "hv/evtchn.h"
#include "hv/softirq.h"
#include "hv/timer.h"
#include "x86/cpu/backtrace.h"
#include "x86/cpu/entry.h"
#include "x86/cpu/extable.h"
#include "x86/cpu/regs.h"
#include "x86/cpu/serial.h"

#define PORT	  0x3f8
#define ACCESS_NS 1000
#define CHAR_NS	  86805 /* ten bits at 115200 baud */
#define FIFO	  16
#define NO_WAIT	  MILLISECS(1) /* a hypercall that waits for the line takes much longer */

/* --- the UART --- */

static s_time_t access_ns = ACCESS_NS, char_ns = CHAR_NS;

static struct {
	bool dead;	      /* accepts characters and never sends them */
	bool instant;	      /* like an emulator's: sends at once */
	bool no_fifo;	      /* an 8250: only one character can wait */
	char fifo[FIFO];      /* waiting for the shift register */
	unsigned int waiting; /* characters in the FIFO */
	bool shifting;
	char shift;
	s_time_t shifted; /* when the shift register is empty again */
	u8 scratch;
	char line[1 << 21]; /* what went out */
	size_t sent;
	void (*on_write)(void); /* called before a character is taken */
} uart;

static void uart_advance(void)
{
	while (uart.shifting && !uart.dead && (uart.instant || host_now >= uart.shifted)) {
		assert_true(uart.sent < sizeof(uart.line) - 16);
		uart.line[uart.sent++] = uart.shift;
		uart.shifting = uart.waiting > 0;
		if (!uart.shifting)
			break;
		uart.shift = uart.fifo[0];
		memmove(uart.fifo, uart.fifo + 1, --uart.waiting);
		uart.shifted += char_ns;
	}
}

u8 host_inb(u16 port)
{
	host_now += access_ns;
	uart_advance();
	switch (port - PORT) {
	case 2:
		return uart.no_fifo ? 0x01 : 0xc1; /* FIFOs are on, no interrupt is pending */
	case 5:
		return uart.waiting || uart.dead ? 0 : uart.shifting ? 0x20 : 0x60;
	case 7:
		return uart.scratch;
	}
	return 0;
}

void host_outb(u16 port, u8 value)
{
	static u8 lcr;

	host_now += access_ns;
	uart_advance();
	if (port - PORT == 7)
		uart.scratch = value;
	if (port - PORT == 3)
		lcr = value;
	if (port != PORT || lcr & 0x80)
		return;
	if (uart.on_write)
		uart.on_write();
	if (!uart.shifting) {
		uart.shifting = true;
		uart.shift = (char)value;
		uart.shifted = host_now + char_ns;
		uart_advance();
		return;
	}
	if (uart.waiting == (uart.no_fifo ? 1 : FIFO))
		fail_msg("a character was written to a full FIFO: the line loses it");
	uart.fifo[uart.waiting++] = (char)value;
}

/* --- the console's surroundings --- */

static unsigned long args[6];
static unsigned int polls, con_ring_events;
static jmp_buf machine_end;
static const char *how_it_ended;
static void (*on_backtrace)(void);

void hypercall_set_arg(unsigned int index, unsigned long value)
{
	args[index] = value;
}

void vcpu_poll_until(s_time_t until);
void vcpu_poll_until(s_time_t until)
{
	assert_true(until > host_now);
	polls++;
}

void evtchn_send_dom0_virq(unsigned int virq)
{
	assert_int_equal(host_locks_held(), 0);
	con_ring_events += virq == VIRQ_CON_RING;
}

void arch_stop_other_cpus(void)
{
}

void arch_backtrace(void)
{
	log_err("backtrace:");
	if (on_backtrace)
		on_backtrace();
}

void arch_halt(void)
{
	how_it_ended = "<halted>";
	longjmp(machine_end, 1);
}

void arch_reboot(void)
{
	how_it_ended = "<rebooted>";
	longjmp(machine_end, 1);
}

void backtrace_regs(const struct cpu_user_regs *regs)
{
	log_err("rip %016lx", regs->rip);
}

unsigned long extable_fixup(unsigned long addr)
{
	return 0;
}

static bool fixup_fault(const struct cpu_user_regs *regs, unsigned long addr)
{
	return false;
}

const struct ring3_ops ring3 = { .fixup_fault = fixup_fault };

void interrupt_dispatch(struct cpu_user_regs *regs, unsigned int vector)
{
}

/* Advances the clock, and runs the CPU's timers and softirqs. */
static void run_for(s_time_t ns)
{
	s_time_t until = host_now + ns;

	host_set_cpu(0);
	while (host_now < until) {
		host_now += max(char_ns / 2, MICROSECS(50));
		uart_advance();
		if (host_timer_deadline[0] <= host_now) {
			host_timer_deadline[0] = STIME_MAX;
			softirq_raise(SOFTIRQ_TIMER);
		}
		softirq_run();
	}
	assert_int_equal(host_locks_held(), 0);
}

/* --- what tests do and look at --- */

static s_time_t
	longest; /* the longest hypercall of the last write_as(), with interrupts on or off */

static void write_as(unsigned int domain, const char *text, size_t len)
{
	long ret;

	sim_run_as(domain, 0);
	longest = 0;
	args[1] = len;
	args[2] = (unsigned long)text;
	do {
		s_time_t start = host_now;

		ret = do_console_io(CONSOLEIO_write, args[1], args[2], 0, 0, 0);
		assert_int_equal(host_locks_held(), 0);
		longest = max(longest, host_now - start);
		if (ret == -ERESTART)
			run_for(MILLISECS(10));
	} while (ret == -ERESTART);
	assert_int_equal(ret, 0);
}

static void say_as(unsigned int domain, const char *text)
{
	write_as(domain, text, strlen(text));
}

/* Numbered lines of 64 characters. */
static char *numbered_lines(const char *what, size_t bytes)
{
	static char text[1 << 20];

	assert_true(bytes < sizeof(text));
	for (size_t at = 0; at < bytes; at += 64)
		snprintf(text + at, 65, "%s %06zu %*s\n", what, at / 64, (int)(55 - strlen(what)),
			 "");
	text[bytes] = '\0';
	return text;
}

static const char *line_text(void)
{
	uart.line[uart.sent] = '\0';
	return uart.line;
}

static const char *log_text(void)
{
	static char text[1 << 17];
	u32 index = 0;
	size_t n = 0, got;

	while ((got = console_read_log(text + n, sizeof(text) - 1 - n, &index, n > 0, false)) > 0)
		n += got;
	text[n] = '\0';
	return text;
}

static unsigned int count(const char *text, const char *what)
{
	unsigned int n = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		n++;
	return n;
}

static void boot(void)
{
	host_now = SECONDS(10);
	timer_subsystem_init();
	timer_cpu_init(0);
	cmdline_parse("com1=115200,8n1 console=com1");
	serial_init();
	console_init();
	serial_enable_polling();
	console_boot_done();
}

static int group_setup(void **state)
{
	sim_domains_create(64);
	boot();
	return 0;
}

static int group_teardown(void **state)
{
	for (unsigned int i = 0; i < SIM_DOMAINS; i++)
		sim_domain_free(sim_domain[i]);
	return 0;
}

static int setup(void **state)
{
	u32 index = 0;
	char c;

	boot_options.guest_loglvl = -1;
	cmdline_parse("guest_loglvl=none");
	uart.dead = uart.instant = false;
	uart.on_write = NULL;
	/* Send what the last test left, and let every domain write again. */
	run_for(SECONDS(5));
	uart.sent = 0;
	while (console_read_log(&c, 1, &index, true, true))
		;
	polls = 0;
	return 0;
}

/* --- who waits --- */

static void a_guests_lines_that_are_shown_do_not_wait_for_the_line(void **state)
{
	cmdline_parse("guest_loglvl=all");
	write_as(1, numbered_lines("guest", 4096), 4096);
	if (longest > NO_WAIT)
		fail_msg("the hypercall took %ld us", (long)longest / 1000);
}

static void what_domain0_writes_does_not_wait_and_comes_out_whole(void **state)
{
	const char *text = numbered_lines("dom0", 4096);
	static char expected[8192];
	size_t n = 0;

	write_as(0, text, 4096);
	if (longest > NO_WAIT)
		fail_msg("the hypercall took %ld us", (long)longest / 1000);
	/* The line's own time for it, and a tenth. */
	run_for((4096 + 64) * CHAR_NS / 10 * 11);
	for (size_t i = 0; i < 4096; i++) {
		if (text[i] == '\n')
			expected[n++] = '\r';
		expected[n++] = text[i];
	}
	expected[n] = '\0';
	assert_string_equal(line_text(), expected);
}

static void domain0_sleeps_while_the_buffer_is_full_and_loses_nothing(void **state)
{
	write_as(0, numbered_lines("dom0", 64 * 1024), 64 * 1024);
	assert_true(longest <= NO_WAIT);
	assert_true(polls > 0);
	run_for(SECONDS(3));
	assert_int_equal(count(line_text(), "dom0 "), 1024);
	assert_non_null(strstr(line_text(), "dom0 001023"));
}

static void domain0s_output_is_instant_where_the_uart_is(void **state)
{
	uart.instant = true;
	say_as(0, "login: ");
	assert_string_equal(line_text(), "login: ");
	write_as(0, numbered_lines("dom0", 64 * 1024), 64 * 1024);
	run_for(MILLISECS(500));
	assert_int_equal(count(line_text(), "dom0 "), 1024);
}

static void a_line_of_the_hypervisor_is_never_lost(void **state)
{
	for (unsigned int i = 0; i < 40; i++) {
		write_as(0, numbered_lines("dom0", 1024), 1024);
		log_err("important %u", i);
	}
	run_for(SECONDS(5));
	for (unsigned int i = 0; i < 40; i++) {
		char line[40];

		snprintf(line, sizeof(line), "(HV) important %u\r\n", i);
		assert_int_equal(count(line_text(), line), 1);
	}
	assert_int_equal(count(line_text(), "dom0 "), 40 * 16);
}

/* Much more than the buffer holds, at once: the hypervisor waits, because it must lose nothing. */
static void a_long_dump_of_the_hypervisor_is_whole(void **state)
{
	for (unsigned int i = 0; i < 600; i++)
		log_err("a line of a dump that is %u lines long: number %u", 600, i);
	run_for(SECONDS(3));
	assert_int_equal(count(line_text(), "a line of a dump"), 600);
	assert_non_null(strstr(line_text(), "number 599\r\n"));
}

static void a_dead_uart_holds_nobody(void **state)
{
	s_time_t start;

	uart.dead = true;
	for (unsigned int i = 0; i < 300; i++)
		log_err("a line that nobody sees, of some length, number %u of many", i);
	start = host_now;
	write_as(0, numbered_lines("dom0", 64 * 1024), 64 * 1024);
	assert_true(host_now - start < SECONDS(3));
	start = host_now;
	for (unsigned int i = 0; i < 300; i++)
		log_err("another line that nobody sees, of some length, number %u", i);
	assert_true(host_now - start < SECONDS(1));
	uart.dead = false;
	run_for(SECONDS(3));
	log_err("alive");
	run_for(SECONDS(1));
	assert_non_null(strstr(line_text(), "(HV) alive\r\n"));
}

static void domain0_alone_before_a_dead_uart_goes_on(void **state)
{
	s_time_t start = host_now;

	uart.dead = true;
	write_as(0, numbered_lines("dom0", 512 * 1024), 512 * 1024);
	assert_true(host_now - start < SECONDS(5));
}

static void sync_console_waits_for_each_write(void **state)
{
	pid_t child = fork();
	int status;

	if (!child) {
		cmdline_parse("sync_console");
		console_boot_done();
		say_as(0, "a line of Domain-0 that is longer than the FIFO\n");
		run_for(17 * CHAR_NS);
		log_err("a line of the hypervisor that is longer than the FIFO");
		host_now += 17 * CHAR_NS;
		uart_advance();
		_exit(strcmp(line_text(),
			     "a line of Domain-0 that is longer than the FIFO\r\n"
			     "(HV) a line of the hypervisor that is longer than the FIFO\r\n") !=
		      0);
	}
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
}

static void a_uart_without_a_fifo_gets_one_character_at_a_time(void **state)
{
	pid_t child = fork();
	int status;

	if (!child) {
		uart.no_fifo = true;
		serial_init();
		write_as(0, numbered_lines("dom0", 4096), 4096);
		run_for(SECONDS(2));
		_exit(longest > NO_WAIT || count(line_text(), "dom0 ") != 64);
	}
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
}

/*
 * A speed that com1= accepts, with a port that answers as fast as any: the line is not taken for
 * dead, whether the hypervisor itself waits or a timer does. Runs in a child, which exits with 0 if
 * all came out.
 */
static void write_slowly(unsigned int baud)
{
	static const char line[] = "a line of the hypervisor, as wide as many of its lines are";
	unsigned int lines = 16384 / (sizeof(CONSOLE_PREFIX) + sizeof(line)) + 2;
	char options[60];

	snprintf(options, sizeof(options), "com1=%u,8n1 console=com1", baud);
	cmdline_parse(options);
	serial_init();
	access_ns = 250;
	char_ns = SECONDS(10) / baud;
	/* A little more than the buffer holds, so that the hypervisor must wait. */
	for (unsigned int i = 0; i < lines; i++)
		log_err("%s", line);
	write_as(0, numbered_lines("dom0", 64), 64);
	run_for(17000 * char_ns);
	/* Then without the buffer. */
	console_end();
	log_err("the last line");
	host_now += 17 * char_ns;
	uart_advance();
	_exit(count(line_text(), line) != lines || count(line_text(), "dom0 ") != 1 ||
	      count(line_text(), "(HV) the last line\r\n") != 1);
}

static void a_slow_line_is_not_a_dead_one(void **state)
{
	static const unsigned int speeds[] = { 115200, 9600, 1200, 300, 75 };
	int status;

	for (unsigned int i = 0; i < ARRAY_SIZE(speeds); i++) {
		pid_t child = fork();

		if (!child)
			write_slowly(speeds[i]);
		waitpid(child, &status, 0);
		if (status)
			fail_msg("lines are lost at %u baud", speeds[i]);
	}
}

/* A dead line of such a speed is found within seconds, not minutes. */
static void a_dead_slow_line_is_given_up(void **state)
{
	pid_t child = fork();
	s_time_t start;
	int status;

	if (!child) {
		cmdline_parse("com1=300,8n1 console=com1");
		serial_init();
		uart.dead = true;
		start = host_now;
		for (unsigned int i = 0; i < 300; i++)
			log_err("a line that nobody sees, of some length, number %u of many", i);
		_exit(host_now - start > SECONDS(10));
	}
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
}

/* --- what the log holds --- */

static void guests_and_domain0_never_displace_the_hypervisors_lines(void **state)
{
	const char *text;

	log_info("the first line of boot");
	uart.instant = true;
	cmdline_parse("guest_loglvl=all");
	for (unsigned int i = 0; i < 64; i++) {
		write_as(0, numbered_lines("linux", 32 * 1024), 32 * 1024);
		write_as(1, numbered_lines("guest", 64 * 1024), 64 * 1024);
		guest_printk(sim_domain[2], LOG_WARN, "did something bad");
		run_for(SECONDS(2));
		uart.sent = 0;
	}
	text = log_text();
	assert_string_equal(text, "(HV) the first line of boot\n");
}

static void guests_are_silent_by_default(void **state)
{
	boot_options.guest_loglvl = -1;
	say_as(1, "hello\n");
	guest_printk(sim_domain[1], LOG_ERR, "did something bad");
	run_for(SECONDS(1));
	assert_string_equal(line_text(), "");
	assert_string_equal(log_text(), "");
}

/* The lines that key G shows, without prefixes, from the log. */
static const char *guest_log(void)
{
	debug_key_handle('G');
	run_for(SECONDS(5));
	return log_text();
}

static void a_debug_key_shows_what_guests_wrote(void **state)
{
	say_as(1, "hello from 1\n");
	say_as(2, "hello from 2");
	say_as(2, ", and more\n");
	guest_printk(sim_domain[3], LOG_WARN, "did something bad\n");
	guest_log();
	assert_non_null(strstr(log_text(),
			       "(HV) d1: hello from 1\n(HV) d2: hello from 2, and more\n"
			       "(HV) d3: did something bad\n"));
	assert_non_null(strstr(line_text(), "(HV) d3: did something bad\r\n"));
}

static void the_levels_say_which_lines_are_shown(void **state)
{
	cmdline_parse("guest_loglvl=warning");
	guest_printk(sim_domain[1], LOG_WARN, "a warning");
	guest_printk(sim_domain[1], LOG_DEBUG, "a detail");
	say_as(1, "its own text\n");
	run_for(SECONDS(1));
	assert_string_equal(line_text(), "(HV) d1: a warning\r\n");
	uart.sent = 0;
	cmdline_parse("guest_loglvl=all");
	say_as(1, "its own text\n");
	run_for(SECONDS(1));
	assert_string_equal(line_text(), "(HV) d1: its own text\r\n");
}

/*
 * guest_loglvl=none/all shows everything, but limits each domain's rate. Lines beyond the rate are
 * counted and reported once.
 */
static void a_flood_is_bounded_and_its_loss_is_said_once(void **state)
{
	cmdline_parse("guest_loglvl=none/all");
	write_as(1, numbered_lines("flood", 6400), 6400);
	say_as(2, "a quiet one\n");
	run_for(SECONDS(2));
	assert_int_equal(count(line_text(), "d1: flood"), 10);
	assert_int_equal(count(line_text(), "d2: a quiet one"), 1);
	say_as(1, "later\n");
	say_as(1, "and later\n");
	run_for(SECONDS(2));
	assert_int_equal(
		count(line_text(),
		      "(HV) d1: 90 lines left out\r\n(HV) d1: later\r\n(HV) d1: and later\r\n"),
		1);
	assert_int_equal(count(line_text(), "left out"), 1);
	/* The guests' log has the same lines. */
	assert_int_equal(count(guest_log(),
			       "(HV) d1: 90 lines left out\n(HV) d1: later\n(HV) d1: and later\n"),
			 1);
}

/*
 * guest_loglvl=all has no rate limit, for an administrator who watches a guest boot; only the
 * buffer is a limit.
 */
static void lines_that_do_not_fit_are_counted_and_leave_room_for_domain0(void **state)
{
	unsigned int shown, lost;
	const char *said;

	cmdline_parse("guest_loglvl=all");
	write_as(1, numbered_lines("flood", 64 * 1000), 64 * 1000);
	say_as(0, "Domain-0 speaks\n");
	assert_int_equal(polls, 0);
	run_for(SECONDS(3));
	say_as(1, "later\n");
	run_for(SECONDS(1));
	assert_non_null(strstr(line_text(), "Domain-0 speaks"));
	shown = count(line_text(), "d1: flood");
	assert_true(shown > 10);
	said = strstr(line_text(), " lines of guests were left out here");
	assert_non_null(said);
	while (said[-1] != ' ')
		said--;
	lost = (unsigned int)strtoul(said, NULL, 10);
	assert_int_equal(shown + lost, 1000);
	assert_non_null(strstr(line_text(), "d1: later"));
}

static void the_end_of_a_domain_says_what_is_left(void **state)
{
	cmdline_parse("guest_loglvl=none/all");
	write_as(1, numbered_lines("flood", 1280), 1280);
	say_as(1, "the last wo");
	run_for(SECONDS(2));
	console_domain_ends(sim_domain[1]);
	run_for(SECONDS(2));
	assert_non_null(
		strstr(line_text(), "(HV) d1: 10 lines left out\r\n(HV) d1: the last wo\r\n"));
	console_domain_ends(sim_domain[1]);
	run_for(SECONDS(2));
	assert_int_equal(count(line_text(), "left out"), 1);
}

static void a_log_that_is_full_begins_with_a_whole_line(void **state)
{
	for (unsigned int i = 0; i < 4000; i++) {
		log_info("line %u of many, which are more than the log holds", i);
		if (i % 100 == 0)
			run_for(MILLISECS(300));
	}
	assert_true(strlen(log_text()) > 60000);
	assert_memory_equal(log_text(), "(HV) line ", 10);
	assert_non_null(strstr(log_text(), "(HV) line 3999 of many"));
}

static void domain0_is_told_of_new_lines(void **state)
{
	run_for(MILLISECS(1));
	con_ring_events = 0;
	say_as(0, "Domain-0 itself\n");
	say_as(1, "a guest\n");
	run_for(MILLISECS(1));
	assert_int_equal(con_ring_events, 0);
	log_info("one");
	log_info("and another before anybody looks");
	run_for(MILLISECS(1));
	assert_int_equal(con_ring_events, 1);
}

/*
 * As by xl dmesg -c: the log is read in pieces, then what was read is cleared, and what came since
 * is not.
 */
static void clearing_forgets_what_was_read(void **state)
{
	char buf[64];
	u32 index = 0;
	size_t n;

	log_info("one");
	n = console_read_log(buf, sizeof(buf), &index, false, false);
	assert_int_equal(n, strlen("(HV) one\n"));
	log_info("two");
	console_read_log(buf, 0, &index, true, true);
	assert_string_equal(log_text(), "(HV) two\n");
}

/* --- the end --- */

static jmp_buf midway;

static void stop_midway(void)
{
	if (uart.sent)
		longjmp(midway, 1);
}

/*
 * Runs fn in a child, because nobody can log after a panic. Returns 0 if the line has `text`, or if
 * the line's last text and the way the machine ended make `text`.
 */
static int panics(void (*fn)(void), const char *text)
{
	pid_t child = fork();
	int status;

	if (!child) {
		s_time_t left = SECONDS(10);

		if (!setjmp(machine_end))
			fn();
		uart.on_write = NULL;
		for (; left > 0; left -= CHAR_NS) {
			host_now += CHAR_NS;
			uart_advance();
		}
		strcpy(uart.line + uart.sent, how_it_ended);
		_exit(!strstr(uart.line, text));
	}
	waitpid(child, &status, 0);
	return status;
}

static void panic_after_output(void)
{
	write_as(0, numbered_lines("dom0", 4096), 4096);
	arch_irq_disable();
	panic("the end");
}

static void a_panic_sends_first_what_waits(void **state)
{
	assert_int_equal(panics(panic_after_output, "dom0 000063"), 0);
	assert_int_equal(panics(panic_after_output,
				"\n(HV) panic on CPU 0: the end\r\n(HV) backtrace:\r\n<rebooted>"),
			 0);
}

/* CPU 1 stops forever while it writes to the UART and holds the lock. */
static void panic_while_another_has_the_lock(void)
{
	host_cpus_init(2);
	host_set_cpu(1);
	uart.on_write = stop_midway;
	if (!setjmp(midway))
		for (;;) {
			log_err("CPU 1 writes and never comes back");
			host_now += 20 * CHAR_NS;
		}
	uart.on_write = NULL;
	host_set_cpu(0);
	panic("the end");
}

static void a_panic_gets_through_a_lock_that_is_never_released(void **state)
{
	assert_int_equal(panics(panic_while_another_has_the_lock,
				"(HV) panic on CPU 0: the end\r\n"),
			 0);
}

static void fault_in_the_console(void)
{
	struct cpu_user_regs regs = { .entry_vector = X86_TRAP_MC, .rip = 0x1234 };

	uart.on_write = stop_midway;
	if (!setjmp(midway))
		for (;;) {
			log_err("this CPU takes an exception here");
			host_now += 20 * CHAR_NS;
		}
	uart.on_write = NULL;
	trap_fatal(&regs, 0);
}

static void an_exception_within_the_console_is_reported(void **state)
{
	assert_int_equal(panics(fault_in_the_console,
				"(HV) rip 0000000000001234\r\n(HV) panic on CPU 0: machine check"),
			 0);
}

static void panic_again(void)
{
	panic("again");
}

static void fault_again(void)
{
	struct cpu_user_regs regs = { .entry_vector = X86_TRAP_MC, .rip = 0x1234 };

	trap_fatal(&regs, 0);
}

static void panic_whose_backtrace_panics(void)
{
	on_backtrace = panic_again;
	panic("the first");
}

static void panic_whose_backtrace_faults(void)
{
	on_backtrace = fault_again;
	panic("the first");
}

static void a_panic_within_a_panic_halts(void **state)
{
	assert_int_equal(panics(panic_whose_backtrace_panics,
				"panic on CPU 0: the first\r\n(HV) backtrace:\r\n<halted>"),
			 0);
	assert_int_equal(panics(panic_whose_backtrace_faults,
				"panic on CPU 0: the first\r\n(HV) backtrace:\r\n<halted>"),
			 0);
}

/* When the machine ends on purpose, nothing stays unsent. Key R stands for all such ways. */
static void reboot_after_output(void)
{
	write_as(0, numbered_lines("dom0", 4096), 4096);
	debug_key_handle('R');
}

static void a_reboot_sends_first_what_waits(void **state)
{
	assert_int_equal(panics(reboot_after_output,
				"debug key 'R': reboot the machine\r\n<rebooted>"),
			 0);
	assert_int_equal(panics(reboot_after_output, "dom0 000063"), 0);
}

#define TEST(fn) cmocka_unit_test_setup(fn, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_guests_lines_that_are_shown_do_not_wait_for_the_line),
		TEST(what_domain0_writes_does_not_wait_and_comes_out_whole),
		TEST(domain0_sleeps_while_the_buffer_is_full_and_loses_nothing),
		TEST(domain0s_output_is_instant_where_the_uart_is),
		TEST(a_line_of_the_hypervisor_is_never_lost),
		TEST(a_long_dump_of_the_hypervisor_is_whole),
		TEST(a_dead_uart_holds_nobody),
		TEST(domain0_alone_before_a_dead_uart_goes_on),
		TEST(sync_console_waits_for_each_write),
		TEST(a_uart_without_a_fifo_gets_one_character_at_a_time),
		TEST(a_slow_line_is_not_a_dead_one),
		TEST(a_dead_slow_line_is_given_up),
		TEST(guests_and_domain0_never_displace_the_hypervisors_lines),
		TEST(guests_are_silent_by_default),
		TEST(a_debug_key_shows_what_guests_wrote),
		TEST(the_levels_say_which_lines_are_shown),
		TEST(a_flood_is_bounded_and_its_loss_is_said_once),
		TEST(lines_that_do_not_fit_are_counted_and_leave_room_for_domain0),
		TEST(the_end_of_a_domain_says_what_is_left),
		TEST(a_log_that_is_full_begins_with_a_whole_line),
		TEST(domain0_is_told_of_new_lines),
		TEST(clearing_forgets_what_was_read),
		TEST(a_panic_sends_first_what_waits),
		TEST(a_panic_gets_through_a_lock_that_is_never_released),
		TEST(an_exception_within_the_console_is_reported),
		TEST(a_panic_within_a_panic_halts),
		TEST(a_reboot_sends_first_what_waits),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
