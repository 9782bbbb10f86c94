/* SPDX-License-Identifier: MIT */
/* Events reach the guest by a vector, without EOI; masked by the interrupt flag; also out of HLT
 * and by a timer. */
#include "pvh.h"

#define VECTOR 0x80

static volatile unsigned int calls;
static uint32_t port;

static void upcall(struct frame *f)
{
	(void)f;
	shared_info->vcpu_info[0].evtchn_upcall_pending = 0;
	__atomic_exchange_n(&shared_info->vcpu_info[0].evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
	__atomic_and_fetch(&shared_info->evtchn_pending[port / 64], ~(1UL << port % 64),
			   __ATOMIC_SEQ_CST);
	calls++;
}

static void send(void)
{
	struct evtchn_send op = { .port = port };

	EXPECT_EQ(hc2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &op), 0);
}

void pvh_test(void)
{
	struct evtchn_bind_ipi ipi = { .vcpu = 0 };
	struct evtchn_bind_virq virq = { .virq = VIRQ_TIMER, .vcpu = 0 };
	struct vcpu_set_singleshot_timer timer = { 0 };
	uint64_t start;

	pvh_handler[VECTOR] = upcall;
	EXPECT_EQ(hc2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, &ipi), 0);
	port = ipi.port;
	set_callback_vector(VECTOR);

	send();
	for (volatile int i = 0; i < 1000; i++)
		;
	EXPECT_EQ(calls, 0);
	__asm__ volatile("sti; nop; nop" ::: "memory");
	EXPECT_EQ(calls, 1);
	for (unsigned int i = 0; i < 100; i++)
		send();
	EXPECT_EQ(calls, 101);

	/* Out of HLT, by the timer's event. */
	EXPECT_EQ(hc2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, &virq), 0);
	port = virq.port;
	__asm__ volatile("cli" ::: "memory");
	calls = 0;
	start = shared_info->vcpu_info[0].time.system_time;
	timer.timeout_abs_ns = start + 1000000000UL;
	EXPECT_EQ(hc3(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, &timer), 0);
	while (!calls)
		__asm__ volatile("sti; hlt; cli" ::: "memory");
	EXPECT_EQ(calls, 1);
}
