/* SPDX-License-Identifier: MIT */
#include "pvh.h"

#include <stdarg.h>
#include <xen/io/console.h>

extern uint8_t pvh_vectors[];
extern uint64_t pvh_start_info;

handler_t *pvh_handler[256];
const struct hvm_start_info *start_info;
struct shared_info *shared_info;
static uint8_t shared_page[PAGE_SIZE] __attribute__((aligned(4096)));

struct gate {
	uint16_t offset0, selector;
	uint8_t ist, type;
	uint16_t offset1;
	uint32_t offset2, reserved;
};
static struct gate idt[256] __attribute__((aligned(16)));

void *memset(void *p, int c, size_t n)
{
	for (uint8_t *b = p; n--; b++)
		*b = (uint8_t)c;
	return p;
}

void *memcpy(void *to, const void *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
	return to;
}

/* --- console --- */

static struct xencons_interface *ring;
static uint32_t ring_port;

uint64_t hvm_param(uint32_t index)
{
	struct xen_hvm_param p = { .domid = DOMID_SELF, .index = index };

	EXPECT_EQ(hc2(__HYPERVISOR_hvm_op, HVMOP_get_param, &p), 0);
	return p.value;
}

static void put_char(char c)
{
	struct evtchn_send send = { .port = ring_port };

	if (!ring)
		return;
	/* The daemon in Domain-0 empties the ring. */
	while (ring->out_prod - __atomic_load_n(&ring->out_cons, __ATOMIC_ACQUIRE) ==
	       sizeof(ring->out))
		hc2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	ring->out[ring->out_prod % sizeof(ring->out)] = c;
	__atomic_store_n(&ring->out_prod, ring->out_prod + 1, __ATOMIC_SEQ_CST);
	if (c == '\n')
		hc2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &send);
}

static void put_string(const char *s)
{
	while (*s)
		put_char(*s++);
}

static void put_number(unsigned long v, unsigned int base)
{
	char digits[24];
	int n = 0;

	do
		digits[n++] = "0123456789abcdef"[v % base];
	while (v /= base);
	while (n)
		put_char(digits[--n]);
}

static void vprint(const char *fmt, va_list ap)
{
	for (; *fmt; fmt++) {
		bool alt = false, wide = false;
		long value;

		if (*fmt != '%') {
			put_char(*fmt);
			continue;
		}
		for (fmt++; *fmt == '#' || *fmt == 'l'; fmt++) {
			alt |= *fmt == '#';
			wide |= *fmt == 'l';
		}
		if (*fmt == 's') {
			put_string(va_arg(ap, const char *));
			continue;
		}
		if (*fmt == 'd')
			value = wide ? va_arg(ap, long) : va_arg(ap, int);
		else
			value = wide ? va_arg(ap, long) : (long)va_arg(ap, unsigned int);
		if (alt)
			put_string("0x");
		if (*fmt == 'd' && value < 0) {
			put_char('-');
			value = -value;
		}
		put_number((unsigned long)value, *fmt == 'x' ? 16 : 10);
	}
}

void pvh_printf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprint(fmt, ap);
	va_end(ap);
}

static void __attribute__((noreturn)) power_off(void)
{
	struct sched_shutdown off = { .reason = SHUTDOWN_poweroff };

	/* What the ring still has is read before the domain goes. */
	while (ring && ring->out_prod != __atomic_load_n(&ring->out_cons, __ATOMIC_ACQUIRE))
		hc2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	for (;;)
		hc2(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &off);
}

void pvh_fail(const char *fmt, ...)
{
	va_list ap;

	put_string("RESULT failure: ");
	va_start(ap, fmt);
	vprint(fmt, ap);
	va_end(ap);
	put_char('\n');
	power_off();
}

void pvh_done(void)
{
	put_string("RESULT success\n");
	power_off();
}

bool pvh_option(const char *word)
{
	const char *line = (const char *)start_info->cmdline_paddr;

	for (; line && *line; line++) {
		const char *a = line, *b = word;

		while (*b && *a == *b)
			a++, b++;
		if (!*b)
			return true;
	}
	return false;
}

/* --- exceptions --- */

/* An access that may fault: the address of its instruction, and where to go on. */
static uint64_t fault_at, fault_to;
static int faulted;

void pvh_interrupt(struct frame *f)
{
	if (f->rip == fault_at && fault_at) {
		faulted = 1 + (int)f->vector;
		f->rip = fault_to;
		return;
	}
	if (!pvh_handler[f->vector])
		pvh_fail("exception or interrupt %lu, error %#lx, at %#lx, CR2 %#lx", f->vector,
			 f->error, f->rip, ({
				 uint64_t v;
				 __asm__ volatile("mov %%cr2, %0" : "=r"(v));
				 v;
			 }));
	pvh_handler[f->vector](f);
}

int rdmsr_safe(uint32_t msr, uint64_t *value)
{
	uint32_t lo = 0, hi = 0;

	faulted = 0;
	__asm__ volatile(
		"lea 1f(%%rip), %%r8\n\tmov %%r8, %2\n\tlea 2f(%%rip), %%r8\n\tmov %%r8, %3\n"
		"1:\trdmsr\n2:"
		: "+a"(lo), "+d"(hi), "=m"(fault_at), "=m"(fault_to)
		: "c"(msr)
		: "r8", "memory");
	fault_at = 0;
	*value = lo | (uint64_t)hi << 32;
	return *(volatile int *)&faulted;
}

int wrmsr_safe(uint32_t msr, uint64_t value)
{
	faulted = 0;
	__asm__ volatile(
		"lea 1f(%%rip), %%r8\n\tmov %%r8, %0\n\tlea 2f(%%rip), %%r8\n\tmov %%r8, %1\n"
		"1:\twrmsr\n2:"
		: "=m"(fault_at), "=m"(fault_to)
		: "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
		: "r8", "memory");
	fault_at = 0;
	return *(volatile int *)&faulted;
}

static void load_idt(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) idtr = { sizeof(idt) - 1, (uint64_t)idt };

	for (unsigned int i = 0; i < 256; i++) {
		uint64_t at = (uint64_t)pvh_vectors + i * 16;

		idt[i] = (struct gate){ (uint16_t)at,	      8, 0, 0x8e, (uint16_t)(at >> 16),
					(uint32_t)(at >> 32), 0 };
	}
	__asm__ volatile("lidt %0" : : "m"(idtr));
}

/* --- start --- */

void set_callback_vector(uint8_t vector)
{
	struct xen_hvm_param p = { .domid = DOMID_SELF,
				   .index = HVM_PARAM_CALLBACK_IRQ,
				   .value = (uint64_t)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56 |
					    vector };

	EXPECT_EQ(hc2(__HYPERVISOR_hvm_op, HVMOP_set_param, &p), 0);
}

static void map_shared_info(void)
{
	struct xen_add_to_physmap add = { .domid = DOMID_SELF,
					  .space = XENMAPSPACE_shared_info,
					  .gpfn = (uint64_t)shared_page / PAGE_SIZE };

	EXPECT_EQ(hc2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &add), 0);
	shared_info = (struct shared_info *)shared_page;
}

void pvh_main(void);
void pvh_main(void)
{
	load_idt();
	start_info = (const struct hvm_start_info *)pvh_start_info;
	ring_port = (uint32_t)hvm_param(HVM_PARAM_CONSOLE_EVTCHN);
	ring = (struct xencons_interface *)(hvm_param(HVM_PARAM_CONSOLE_PFN) * PAGE_SIZE);
	map_shared_info();
	pvh_test();
	pvh_done();
}
