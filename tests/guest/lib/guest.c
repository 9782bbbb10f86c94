/* SPDX-License-Identifier: MIT */
/* The micro-guests' library: output, hypercalls, memory, exceptions and events, without a C
 * library.
 */
#include "guest.h"

#include <stdarg.h>

start_info_t *start_info;
static char shared_info_page[PAGE_SIZE] __attribute__((aligned(4096)));
shared_info_t *shared_info = (shared_info_t *)shared_info_page;
static char pages[GUEST_PAGES][PAGE_SIZE] __attribute__((aligned(4096)));

void (*guest_exception)(struct guest_regs *regs);
void (*guest_event)(struct guest_regs *regs);
unsigned long catch_rip, catch_error, catch_cr2;
long catch_vector;

extern char exception_0[], exception_1[], exception_2[], exception_3[], exception_4[],
	exception_5[], exception_6[], exception_7[], exception_8[], exception_10[], exception_11[],
	exception_12[], exception_13[], exception_14[], exception_16[], exception_17[],
	exception_18[], exception_19[], exception_128[];

void *memset(void *p, int c, size_t n)
{
	char *d = p;

	while (n--)
		*d++ = (char)c;
	return p;
}

void *memcpy(void *d, const void *s, size_t n)
{
	char *to = d;
	const char *from = s;

	while (n--)
		*to++ = *from++;
	return d;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;

	for (; n--; x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

/* --- output --- */

static char line[512];
static size_t line_len;

static void put(char c)
{
	if (line_len < sizeof(line))
		line[line_len++] = c;
}

static void put_number(unsigned long v, unsigned int base, int width, char pad, bool prefix)
{
	char digits[24];
	int n = 0;

	do
		digits[n++] = "0123456789abcdef"[v % base];
	while (v /= base);
	if (prefix) {
		put('0');
		put('x');
	}
	for (; width > n; width--)
		put(pad);
	while (n--)
		put(digits[n]);
}

/* %s %d %u %x %ld %lu %lx %p %c, with # and a zero-padded width. */
static void format(const char *fmt, va_list args)
{
	for (; *fmt; fmt++) {
		bool prefix = false, is_long = false;
		char pad = ' ';
		int width = 0;
		long v;

		if (*fmt != '%') {
			put(*fmt);
			continue;
		}
		for (fmt++; *fmt == '#' || *fmt == '0'; fmt++) {
			prefix |= *fmt == '#';
			if (*fmt == '0')
				pad = '0';
		}
		for (; *fmt >= '0' && *fmt <= '9'; fmt++)
			width = width * 10 + *fmt - '0';
		for (; *fmt == 'l'; fmt++)
			is_long = true;
		switch (*fmt) {
		case 's':
			for (const char *s = va_arg(args, const char *); *s; s++)
				put(*s);
			break;
		case 'c':
			put((char)va_arg(args, int));
			break;
		case 'd':
			v = is_long ? va_arg(args, long) : va_arg(args, int);
			if (v < 0)
				put('-');
			put_number(v < 0 ? -(unsigned long)v : (unsigned long)v, 10, width, pad,
				   false);
			break;
		case 'u':
			put_number(is_long ? va_arg(args, unsigned long) :
					     va_arg(args, unsigned int),
				   10, width, pad, false);
			break;
		case 'p':
			prefix = is_long = true;
			/* fall through */
		case 'x':
			put_number(is_long ? va_arg(args, unsigned long) :
					     va_arg(args, unsigned int),
				   16, width, pad, prefix);
			break;
		default:
			put(*fmt);
		}
	}
}

static void flush(void)
{
	hypercall5(__HYPERVISOR_console_io, CONSOLEIO_write, line_len, (unsigned long)line, 0, 0);
	line_len = 0;
}

void guest_printf(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	format(fmt, args);
	va_end(args);
	flush();
}

/* A domain's console is seen by nobody on some hosts; the reason of its end is. */
static void __attribute__((noreturn)) guest_end(unsigned int reason)
{
	sched_shutdown_t arg = { .reason = reason };

	for (;;)
		hypercall5(__HYPERVISOR_sched_op, SCHEDOP_shutdown, (unsigned long)&arg, 0, 0, 0);
}

#define END_WITH(word)                     \
	va_list args;                      \
	va_start(args, fmt);               \
	guest_printf("RESULT " word ": "); \
	format(fmt, args);                 \
	put('\n');                         \
	flush();                           \
	va_end(args);                      \
	guest_end(SHUTDOWN_crash);

void guest_fail(const char *fmt, ...)
{
	END_WITH("failure")
}

void guest_error(const char *fmt, ...)
{
	END_WITH("error")
}

void guest_skip(const char *why)
{
	guest_printf("RESULT skip: %s\n", why);
	guest_end(SHUTDOWN_poweroff);
}

/* No hypercall returns it: but a guest may ask about its own ports, and not about another
 * domain's. */
domid_t own_domid(void)
{
	for (domid_t id = 0; id < DOMID_FIRST_RESERVED; id++) {
		struct evtchn_status status = { .dom = id, .port = 1 };
		long rc = hc2(__HYPERVISOR_event_channel_op, EVTCHNOP_status, &status);

		if (rc != -XEPERM && rc != -XESRCH)
			return id;
	}
	guest_error("no domain is this one");
}

/* --- memory --- */

unsigned long pfn_to_mfn(unsigned long pfn)
{
	return ((unsigned long *)start_info->mfn_list)[pfn];
}

unsigned long virt_to_mfn(const void *va)
{
	return pfn_to_mfn((unsigned long)va / PAGE_SIZE);
}

/* The domain builder maps the page tables where start_info says, so the frame of a table gives its
 * address. */
static uint64_t *table_at(uint64_t entry)
{
	unsigned long mfn = (entry & 0x000ffffffffff000UL) / PAGE_SIZE;

	return (uint64_t *)(machine_to_phys_mapping[mfn] * PAGE_SIZE);
}

uint64_t *entry_of(const void *va, unsigned int level)
{
	unsigned long a = (unsigned long)va;
	uint64_t *table = (uint64_t *)start_info->pt_base;
	unsigned int last = 3 + 9 * level;

	for (unsigned int shift = 39; shift > last; shift -= 9) {
		uint64_t entry = table[(a >> shift) & 511];

		if (!(entry & 1))
			guest_error("no page table for %p", va);
		table = table_at(entry);
	}
	return &table[(a >> last) & 511];
}

uint64_t entry_maddr(const uint64_t *e)
{
	return virt_to_mfn(e) * PAGE_SIZE + ((unsigned long)e & (PAGE_SIZE - 1));
}

uint64_t l1_entry_maddr(const void *va)
{
	return entry_maddr(entry_of(va, 1));
}

void set_writable(void *va, bool writable)
{
	uint64_t e = virt_to_mfn(va) * PAGE_SIZE | 0x65 | (writable ? 2 : 0);

	if (hypercall5(__HYPERVISOR_update_va_mapping, (unsigned long)va, e, UVMF_INVLPG, 0, 0))
		guest_error("remapping %p fails", va);
}

void *page_take(void)
{
	static unsigned int taken;

	if (taken == GUEST_PAGES)
		guest_error("no page left");
	return pages[taken++];
}

/* --- exceptions and events --- */

void guest_handle_exception(struct guest_regs *regs);
void guest_handle_event(struct guest_regs *regs);
void guest_main(void);

void guest_handle_exception(struct guest_regs *regs)
{
	if (catch_rip) {
		catch_vector = (long)regs->vector;
		catch_error = regs->error_code;
		catch_cr2 = shared_info->vcpu_info[0].arch.cr2;
		regs->rip = catch_rip;
		return;
	}
	if (!guest_exception)
		guest_error("exception %ld, error code %#lx, at %#lx, address %#lx",
			    (long)regs->vector, regs->error_code, regs->rip,
			    shared_info->vcpu_info[0].arch.cr2);
	guest_exception(regs);
}

void guest_handle_event(struct guest_regs *regs)
{
	if (guest_event)
		guest_event(regs);
}

void events_enable(void)
{
	shared_info->vcpu_info[0].evtchn_upcall_mask = 0;
	__asm__ volatile("" ::: "memory");
	if (shared_info->vcpu_info[0].evtchn_upcall_pending)
		hypercall5(__HYPERVISOR_xen_version, 0, 0, 0, 0, 0);
}

void events_disable(void)
{
	shared_info->vcpu_info[0].evtchn_upcall_mask = 1;
	__asm__ volatile("" ::: "memory");
}

uint64_t system_time(void)
{
	volatile struct vcpu_time_info *t = &shared_info->vcpu_info[0].time;
	uint32_t version;
	uint64_t delta, ns;

	do {
		version = t->version;
		__asm__ volatile("lfence" ::: "memory");
		delta = rdtsc() - t->tsc_timestamp;
		delta = t->tsc_shift < 0 ? delta >> -t->tsc_shift : delta << t->tsc_shift;
		ns = t->system_time +
		     (uint64_t)(((unsigned __int128)delta * t->tsc_to_system_mul) >> 32);
		__asm__ volatile("lfence" ::: "memory");
	} while ((version & 1) || version != t->version);
	return ns;
}

unsigned long guest_option(const char *name, unsigned long otherwise)
{
	const char *p = (const char *)start_info->cmd_line;
	size_t n = 0;
	unsigned long v = 0;

	while (name[n])
		n++;
	for (; *p; p++) {
		if (memcmp(p, name, n))
			continue;
		for (p += n; *p >= '0' && *p <= '9'; p++)
			v = v * 10 + (unsigned long)(*p - '0');
		return v;
	}
	return otherwise;
}

void guest_install_traps(void)
{
#define TRAP(n, dpl)                                                 \
	{                                                            \
		n, dpl, FLAT_KERNEL_CS, (unsigned long)exception_##n \
	}
	static const struct trap_info traps[] = {
		TRAP(0, 0),  TRAP(1, 0),  TRAP(2, 0),  TRAP(3, 3),   TRAP(4, 3),
		TRAP(5, 0),  TRAP(6, 0),  TRAP(7, 0),  TRAP(8, 0),   TRAP(10, 0),
		TRAP(11, 0), TRAP(12, 0), TRAP(13, 0), TRAP(14, 0),  TRAP(16, 0),
		TRAP(17, 0), TRAP(18, 0), TRAP(19, 0), TRAP(128, 3), { 0, 0, 0, 0 },
	};
	const struct callback_register event = { CALLBACKTYPE_event, 0,
						 (unsigned long)event_entry };
	const struct callback_register failsafe = { CALLBACKTYPE_failsafe, 0,
						    (unsigned long)failsafe_entry };

	if (hypercall5(__HYPERVISOR_set_trap_table, (unsigned long)traps, 0, 0, 0, 0) ||
	    hypercall5(__HYPERVISOR_callback_op, CALLBACKOP_register, (unsigned long)&event, 0, 0,
		       0) ||
	    hypercall5(__HYPERVISOR_callback_op, CALLBACKOP_register, (unsigned long)&failsafe, 0,
		       0, 0))
		guest_error("the handlers are refused");
}

/*
 * Who loads a kernel clears what its file does not have. The test finds the TLB as if nobody had
 * looked: a grant that is mapped over a page does not flush what the page was.
 */
static void expect_empty_bss(void)
{
	struct mmuext_op flush = { .cmd = MMUEXT_TLB_FLUSH_LOCAL };

	for (const unsigned long *p = (unsigned long *)pages;
	     p < (unsigned long *)(pages + GUEST_PAGES); p++)
		if (*p)
			guest_error(".bss has %#lx at %p", *p, (const void *)p);
	if (hypercall5(__HYPERVISOR_mmuext_op, (unsigned long)&flush, 1, 0, DOMID_SELF, 0))
		guest_error("the TLB cannot be flushed");
}

void guest_main(void)
{
	expect_empty_bss();
	if (hypercall5(__HYPERVISOR_update_va_mapping, (unsigned long)shared_info_page,
		       start_info->shared_info | 0x67, UVMF_INVLPG, 0, 0))
		guest_error("shared_info cannot be mapped");
	guest_install_traps();
	test_main();
	guest_printf("RESULT success\n");
	guest_end(SHUTDOWN_poweroff);
}
