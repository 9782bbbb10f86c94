/* SPDX-License-Identifier: MIT */
/*
 * A guest whose notes lack SUSPEND_CANCEL: it takes every return from a suspend for a restore, and
 * proves that it looks like one. It suspends by itself, as often as its command line says
 * ("rounds=N"), and writes to its console's ring what it found. "own_info=0": the hypervisor is one
 * that does not forget where a vCPU's vcpu_info lies. "restored=N": after that round it is in a new
 * domain, whose vCPUs never had such a place.
 */
#include "guest.h"

#include <xen/io/console.h>

static struct vcpu_info *own_info;
static unsigned long store_pfn, console_pfn;
static vcpu_guest_context_t second;

static void say(const char *text, unsigned long number)
{
	struct xencons_interface *ring = (void *)(console_pfn * PAGE_SIZE);
	struct evtchn_send send = { .port = start_info->console.domU.evtchn };

	for (; *text; text++)
		ring->out[ring->out_prod++ % sizeof(ring->out)] =
			*text == '%' ? (char)('0' + number) : *text;
	EXPECT_EQ(hc2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &send), 0);
}

static void map_shared_info(uint64_t entry)
{
	EXPECT_EQ(hc3(__HYPERVISOR_update_va_mapping, shared_info, entry, UVMF_INVLPG), 0);
}

/* What a kernel does at its start, and again once it is restored: each of it works once. */
static void set_up(bool with_info)
{
	struct evtchn_bind_virq timer = { .virq = VIRQ_TIMER };
	struct vcpu_register_vcpu_info place = { .mfn = virt_to_mfn(own_info) };

	second.ctrlreg[3] = xen_pfn_to_cr3(virt_to_mfn((void *)start_info->pt_base));
	EXPECT_EQ(hc2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, &timer), 0);
	EXPECT_EQ(hc2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, &timer), -XEEXIST);
	EXPECT_EQ(hc3(__HYPERVISOR_vcpu_op, VCPUOP_is_up, 1, 0), 0);
	EXPECT_EQ(hc3(__HYPERVISOR_vcpu_op, VCPUOP_initialise, 1, &second), 0);
	EXPECT_EQ(hc3(__HYPERVISOR_vcpu_op, VCPUOP_initialise, 1, &second), -XEEXIST);
	if (with_info)
		EXPECT_EQ(hc3(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, &place), 0);
	EXPECT_EQ(hc3(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, &place), -XEINVAL);
}

/* Returns what the suspend call did. */
static long suspend(void)
{
	struct sched_shutdown suspend = { .reason = SHUTDOWN_suspend };

	shared_info->arch.max_pfn = start_info->nr_pages;
	shared_info->arch.p2m_cr3 = virt_to_mfn((void *)start_info->pt_base) << 12;
	shared_info->arch.p2m_vaddr = start_info->mfn_list;
	start_info->store_mfn = store_pfn;
	start_info->console.domU.mfn = (uint32_t)console_pfn;
	map_shared_info(0);
	return hc3(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &suspend, virt_to_mfn(start_info));
}

static void check_restored(void)
{
	/* The other ends may have sent something already. */
	unsigned long services =
		1UL << start_info->store_evtchn | 1UL << start_info->console.domU.evtchn;

	EXPECT_EQ(start_info->store_mfn, pfn_to_mfn(store_pfn));
	EXPECT_EQ(start_info->console.domU.mfn, pfn_to_mfn(console_pfn));
	map_shared_info(start_info->shared_info | 0x67);
	for (unsigned int i = 0; i < sizeof(xen_ulong_t) * 8; i++) {
		EXPECT_EQ(shared_info->evtchn_mask[i], -1);
		EXPECT_EQ(shared_info->evtchn_pending[i] & ~(i ? 0 : services), 0);
	}
}

void test_main(void)
{
	unsigned long rounds = guest_option("rounds=", 2);

	store_pfn = machine_to_phys_mapping[start_info->store_mfn];
	console_pfn = machine_to_phys_mapping[start_info->console.domU.mfn];
	own_info = page_take();
	second.flags = VGCF_in_kernel;
	second.user_regs.rip = (unsigned long)test_main;
	second.user_regs.cs = FLAT_KERNEL_CS;
	second.user_regs.ss = second.kernel_ss = FLAT_KERNEL_SS;
	set_up(true);
	for (unsigned long round = 1; round <= rounds; round++) {
		say("suspends for time %\r\n", round);
		if (suspend()) {
			map_shared_info(start_info->shared_info | 0x67);
			guest_fail("the suspend was cancelled");
		}
		check_restored();
		set_up(guest_option("own_info=", 1) || round == guest_option("restored=", 0));
		guest_install_traps();
	}
	say("all % rounds are through\r\n", rounds);
}
