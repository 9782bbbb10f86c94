/* SPDX-License-Identifier: MIT */
/*
 * A second vCPU is initialised, runs, is taken down and brought up again, and gets NMIs while it
 * sleeps.
 */
#include "guest.h"

#include <xen/callback.h>

extern char second_start[], second_nmi[];
static char second_stack[8192] __attribute__((aligned(16)));
char *second_stack_top = second_stack + sizeof(second_stack);
static volatile unsigned long counter, stop, sleeps, nmis;

__asm__(".text\n"
	"second_start: movq second_stack_top(%rip), %rsp\n"
	"xorl %ebp, %ebp\n"
	"call second_main\n"
	"ud2\n"
	/* Do not return to the interrupted code. Only the hypercall iret would unmask
	 * further NMIs. */
	"second_nmi: movq second_stack_top(%rip), %rsp\n"
	"xorl %ebp, %ebp\n"
	"call second_nmi_main\n"
	"ud2\n");

void second_nmi_main(void);
void second_nmi_main(void)
{
	nmis++;
	for (;;)
		hc3(__HYPERVISOR_vcpu_op, VCPUOP_down, 1, 0);
}

/* Sleeps with events masked: only an NMI ends it. */
static void sleep_for_nmi(void)
{
	struct callback_register cb = { .type = CALLBACKTYPE_nmi,
					.address = (unsigned long)second_nmi };
	struct sched_poll poll = { .nr_ports = 0 };

	hc2(__HYPERVISOR_callback_op, CALLBACKOP_register, &cb);
	sleeps = 1;
	hc2(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll);
}

void second_main(void);
void second_main(void)
{
	for (;;) {
		while (!stop)
			counter++;
		if (stop == 2)
			sleep_for_nmi();
		/* Goes down here; the call returns when another vCPU brings this one up again. */
		hc3(__HYPERVISOR_vcpu_op, VCPUOP_down, 1, 0);
	}
}

/* Waits, at most five seconds, until the counter has moved. */
static bool counter_moves(void)
{
	unsigned long before = counter;
	uint64_t end = system_time() + 5000000000UL;

	while (counter == before) {
		if (system_time() > end)
			return false;
		hc2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	}
	return true;
}

static bool becomes_down(void)
{
	uint64_t end = system_time() + 5000000000UL;

	while (hc3(__HYPERVISOR_vcpu_op, VCPUOP_is_up, 1, 0) == 1) {
		if (system_time() > end)
			return false;
		hc2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	}
	return true;
}

static bool becomes(const volatile unsigned long *set)
{
	uint64_t end = system_time() + 5000000000UL;

	while (!*set) {
		if (system_time() > end)
			return false;
		hc2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	}
	return true;
}

static bool becomes_blocked(void)
{
	struct vcpu_runstate_info run = { 0 };
	uint64_t end = system_time() + 5000000000UL;

	do {
		if (system_time() > end ||
		    hc3(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 1, &run))
			return false;
		hc2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	} while (run.state != RUNSTATE_blocked);
	return true;
}

void test_main(void)
{
	static vcpu_guest_context_t ctx, bad;
	struct vcpu_runstate_info run = { 0 };

	EXPECT_EQ(hc3(__HYPERVISOR_vcpu_op, VCPUOP_is_up, 1, 0), 0);
	EXPECT_EQ(hc3(__HYPERVISOR_vcpu_op, VCPUOP_up, 1, 0), -XEINVAL);
	ctx.flags = VGCF_in_kernel;
	ctx.user_regs.rip = (unsigned long)second_start;
	ctx.user_regs.rsp = (unsigned long)second_stack_top;
	ctx.user_regs.rflags = 0x202;
	ctx.user_regs.cs = FLAT_KERNEL_CS;
	ctx.user_regs.ss = FLAT_KERNEL_SS;
	ctx.kernel_ss = FLAT_KERNEL_SS;
	ctx.kernel_sp = (unsigned long)second_stack_top;
	ctx.ctrlreg[3] = xen_pfn_to_cr3(virt_to_mfn((void *)start_info->pt_base));

	/* Refused: a context whose page table is not one, or that would run in the hypervisor. */
	memcpy(&bad, &ctx, sizeof(bad));
	bad.ctrlreg[3] = xen_pfn_to_cr3(virt_to_mfn(page_take()));
	EXPECT(hc3(__HYPERVISOR_vcpu_op, VCPUOP_initialise, 1, &bad) < 0);

	EXPECT_EQ(hc3(__HYPERVISOR_vcpu_op, VCPUOP_initialise, 1, &ctx), 0);
	EXPECT_EQ(hc3(__HYPERVISOR_vcpu_op, VCPUOP_initialise, 1, &ctx), -XEEXIST);
	EXPECT_EQ(hc3(__HYPERVISOR_vcpu_op, VCPUOP_up, 1, 0), 0);
	EXPECT(counter_moves());
	EXPECT_EQ(hc3(__HYPERVISOR_vcpu_op, VCPUOP_is_up, 1, 0), 1);
	EXPECT_EQ(hc3(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 1, &run), 0);
	EXPECT(run.time[RUNSTATE_running] > 0);
	stop = 1;
	EXPECT(becomes_down());
	stop = 0;
	EXPECT_EQ(hc3(__HYPERVISOR_vcpu_op, VCPUOP_up, 1, 0), 0);
	EXPECT(counter_moves());
	/* Now another vCPU takes it down. */
	EXPECT_EQ(hc3(__HYPERVISOR_vcpu_op, VCPUOP_down, 1, 0), 0);
	EXPECT(becomes_down());

	/* An NMI ends a sleep. */
	stop = 2;
	EXPECT_EQ(hc3(__HYPERVISOR_vcpu_op, VCPUOP_up, 1, 0), 0);
	EXPECT(becomes(&sleeps));
	EXPECT(becomes_blocked());
	EXPECT_EQ(hc3(__HYPERVISOR_vcpu_op, VCPUOP_send_nmi, 1, 0), 0);
	EXPECT(becomes(&nmis));
	EXPECT(becomes_down());
}
