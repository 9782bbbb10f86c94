/* SPDX-License-Identifier: MIT */
/* System time advances. A single-shot timer sends VIRQ_TIMER when it is due, and wakes a blocked
 * vCPU. */
#include "guest.h"

/* Nanoseconds. Debian's Xen on a busy host may end a poll a little early, because it corrects its
 * clock once a second. */
#define EARLY 1000000UL

static volatile unsigned int upcalls;

static void on_event(struct guest_regs *regs)
{
	(void)regs;
	upcalls++;
	shared_info->vcpu_info[0].evtchn_upcall_pending = 0;
	for (unsigned int i = 0; i < 64; i++)
		__atomic_exchange_n(&shared_info->evtchn_pending[i], 0, __ATOMIC_SEQ_CST);
	shared_info->vcpu_info[0].evtchn_pending_sel = 0;
}

/* A guest may ask for any time. After the short poll, each time is the next one, so it has been
 * programmed into the hardware. */
static void ask_for_all_times(void)
{
	sched_poll_t poll = { .nr_ports = 0 };

	for (unsigned int bit = 20; bit <= 64; bit++) {
		uint64_t time = bit == 64 ? 0 : 1UL << bit;
		vcpu_set_singleshot_timer_t single = { .timeout_abs_ns = time - 1 };

		EXPECT_EQ(hc1(__HYPERVISOR_set_timer_op, time - 1), 0);
		poll.timeout = system_time() + 200000;
		EXPECT_EQ(hc2(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll), 0);
		EXPECT_EQ(hc3(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, &single), 0);
		poll.timeout = system_time() + 200000;
		EXPECT_EQ(hc2(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll), 0);
	}
	EXPECT_EQ(hc3(__HYPERVISOR_vcpu_op, VCPUOP_stop_singleshot_timer, 0, 0), 0);
}

void test_main(void)
{
	evtchn_bind_virq_t virq = { .virq = VIRQ_TIMER, .vcpu = 0 };
	vcpu_set_singleshot_timer_t single = { 0 };
	uint64_t start = system_time(), now, last = start;
	sched_poll_t poll = { .nr_ports = 1 };
	evtchn_port_t port;

	for (unsigned int i = 0; i < 10000; i++) {
		now = system_time();
		EXPECT(now >= last);
		last = now;
	}
	guest_event = on_event;
	EXPECT_EQ(hc2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, &virq), 0);
	shared_info->evtchn_mask[virq.port / 64] &= ~(1UL << (virq.port % 64));
	hc3(__HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, 0, 0);

	start = system_time();
	single.timeout_abs_ns = start + 20000000;
	EXPECT_EQ(hc3(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, &single), 0);
	upcalls = 0;
	/* Block enables events and waits for one. */
	EXPECT_EQ(hc2(__HYPERVISOR_sched_op, SCHEDOP_block, 0), 0);
	now = system_time();
	EXPECT(upcalls >= 1);
	EXPECT(now + EARLY >= start + 20000000);
	if (now > start + 2000000000UL)
		guest_fail("the timer was %lu ms late", (now - start - 20000000) / 1000000);

	events_disable();
	single.timeout_abs_ns = start;
	single.flags = VCPU_SSHOTTMR_future;
	/* vcpu.h specifies -ETIME; Xen 4.17 accepts the time and fires at once. Both lose
	 * nothing. */
	long past = hc3(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, &single);
	EXPECT(past == 0 || past == -XETIME);

	/* set_timer_op, and polling for its port with events disabled. */
	upcalls = 0;
	port = virq.port;
	set_xen_guest_handle(poll.ports, &port);
	EXPECT_EQ(hc1(__HYPERVISOR_set_timer_op, system_time() + 10000000), 0);
	EXPECT_EQ(hc2(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll), 0);
	EXPECT_EQ(upcalls, 0);
	EXPECT((shared_info->evtchn_pending[port / 64] >> (port % 64)) & 1);
	/* Polling times out. */
	shared_info->evtchn_pending[port / 64] = 0;
	poll.timeout = system_time() + 10000000;
	EXPECT_EQ(hc2(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll), 0);
	EXPECT(system_time() + EARLY >= poll.timeout);
	ask_for_all_times();
	EXPECT_EQ(hc2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0), 0);
	EXPECT_EQ(hc2(__HYPERVISOR_sched_op, 99, 0), -XENOSYS);
	EXPECT_EQ(hc3(__HYPERVISOR_vcpu_op, VCPUOP_is_up, 0, 0), 1);
	EXPECT_EQ(hc3(__HYPERVISOR_vcpu_op, VCPUOP_is_up, 4000, 0), -XENOENT);
}
