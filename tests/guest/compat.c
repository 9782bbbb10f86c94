/* SPDX-License-Identifier: MIT */
/*
 * The hypercalls of kernels from before interface 0x00030202, which NetBSD and Mini-OS still make:
 * set_callbacks, and sched_op, event_channel_op and physdev_op with the operation's number inside
 * of the argument.
 */
#include "guest.h"

#define NOT_CANONICAL 0x0000900000000000UL

static volatile unsigned int upcalls;

static void on_event(struct guest_regs *regs)
{
	(void)regs;
	upcalls++;
	shared_info->vcpu_info[0].evtchn_upcall_pending = 0;
	__atomic_exchange_n(&shared_info->vcpu_info[0].evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
}

static long evtchn(evtchn_op_t *op)
{
	return hypercall5(__HYPERVISOR_event_channel_op_compat, (unsigned long)op, 0, 0, 0, 0);
}

static long physdev(physdev_op_t *op)
{
	return hypercall5(__HYPERVISOR_physdev_op_compat, (unsigned long)op, 0, 0, 0, 0);
}

static unsigned int bind_own_ipi(void)
{
	evtchn_op_t op = { .cmd = EVTCHNOP_bind_ipi, .u.bind_ipi.vcpu = 0 };

	EXPECT_EQ(evtchn(&op), 0);
	EXPECT(op.u.bind_ipi.port > 0);
	shared_info->evtchn_mask[op.u.bind_ipi.port / 64] &= ~(1UL << (op.u.bind_ipi.port % 64));
	return op.u.bind_ipi.port;
}

static void send_and_expect_upcall(unsigned int port)
{
	evtchn_op_t op = { .cmd = EVTCHNOP_send, .u.send.port = port };

	shared_info->evtchn_pending[port / 64] = 0;
	upcalls = 0;
	events_enable();
	EXPECT_EQ(evtchn(&op), 0);
	events_disable();
	EXPECT_EQ(upcalls, 1);
}

static void test_event_channel_op(unsigned int port)
{
	evtchn_op_t op = { .cmd = EVTCHNOP_alloc_unbound,
			   .u.alloc_unbound = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF } };
	evtchn_op_t status = { .cmd = EVTCHNOP_status, .u.status.dom = DOMID_SELF };
	evtchn_op_t reset = { .cmd = EVTCHNOP_reset };
	evtchn_op_t unknown = { .cmd = 77 };
	evtchn_op_t bad_port = { .cmd = EVTCHNOP_send, .u.send.port = 4000 };

	send_and_expect_upcall(port);
	EXPECT_EQ(evtchn(&op), 0);
	status.u.status.port = op.u.alloc_unbound.port;
	EXPECT_EQ(evtchn(&status), 0);
	EXPECT_EQ(status.u.status.status, EVTCHNSTAT_unbound);
	op.cmd = EVTCHNOP_close;
	op.u.close.port = status.u.status.port;
	EXPECT_EQ(evtchn(&op), 0);
	EXPECT_EQ(evtchn(&bad_port), -XEINVAL);
	/* The old structure has no room for operations that were added later. */
	reset.u.alloc_unbound.dom = DOMID_SELF;
	EXPECT_EQ(evtchn(&reset), -XENOSYS);
	EXPECT_EQ(evtchn(&unknown), -XENOSYS);
	EXPECT_EQ(evtchn((void *)0x7ffff000), -XEFAULT);
}

static void test_sched_op(unsigned int port)
{
	EXPECT_EQ(hc2(__HYPERVISOR_sched_op_compat, SCHEDOP_yield, NULL), 0);
	EXPECT_EQ(hc2(__HYPERVISOR_sched_op_compat, SCHEDOP_poll, NULL), -XENOSYS);
	EXPECT_EQ(hc2(__HYPERVISOR_sched_op_compat, 77, NULL), -XENOSYS);
	/* The call unmasks events, and the event that is pending ends it. */
	shared_info->evtchn_pending[port / 64] = 0;
	upcalls = 0;
	events_disable();
	evtchn_op_t op = { .cmd = EVTCHNOP_send, .u.send.port = port };
	EXPECT_EQ(evtchn(&op), 0);
	EXPECT_EQ(upcalls, 0);
	EXPECT_EQ(hc2(__HYPERVISOR_sched_op_compat, SCHEDOP_block, NULL), 0);
	events_disable();
	EXPECT_EQ(upcalls, 1);
}

static void test_physdev_op(void)
{
	physdev_op_t op = { .cmd = PHYSDEVOP_set_iopl, .u.set_iopl.iopl = 1 };

	EXPECT_EQ(physdev(&op), 0);
	op.u.set_iopl.iopl = 4;
	EXPECT_EQ(physdev(&op), -XEINVAL);
	op.cmd = PHYSDEVOP_IRQ_UNMASK_NOTIFY;
	EXPECT_EQ(physdev(&op), 0);
	op.cmd = 77;
	EXPECT_EQ(physdev(&op), -XENOSYS);
	EXPECT_EQ(physdev((void *)0x7ffff000), -XEFAULT);
}

/* An event handler that counts its entries, then continues with the common one. */
extern const char counting_event_entry[];
__asm__(".globl counting_event_entry\n"
	"counting_event_entry:\n"
	"	incl counted_entries(%rip)\n"
	"	jmp event_entry\n");
volatile unsigned int counted_entries;

static long set_callbacks(const char *event, unsigned long failsafe, unsigned long syscall)
{
	return hypercall5(__HYPERVISOR_set_callbacks, (unsigned long)event, failsafe, syscall, 0,
			  0);
}

static void test_set_callbacks(unsigned int port)
{
	/* Mini-OS passes 0: it has no handler for system calls. */
	EXPECT_EQ(set_callbacks(counting_event_entry, (unsigned long)failsafe_entry, 0), 0);
	send_and_expect_upcall(port);
	EXPECT_EQ(counted_entries, 1);
	/* An address that is not canonical: Xen ignores it and returns 0. Upcalls continue in
	 * either case. */
	for (unsigned int i = 0; i < 3; i++) {
		long ret =
			set_callbacks(i == 0 ? (const char *)NOT_CANONICAL : counting_event_entry,
				      i == 1 ? NOT_CANONICAL : (unsigned long)failsafe_entry,
				      i == 2 ? NOT_CANONICAL : 0);

		EXPECT(ret == 0 || ret == -XEINVAL);
		send_and_expect_upcall(port);
		EXPECT_EQ(counted_entries, 2 + i);
	}
	/* The newer call replaces what the old one set. */
	guest_install_traps();
	send_and_expect_upcall(port);
	EXPECT_EQ(counted_entries, 4);
}

void test_main(void)
{
	unsigned int port;

	guest_event = on_event;
	port = bind_own_ipi();
	test_event_channel_op(port);
	test_sched_op(port);
	test_physdev_op();
	test_set_callbacks(port);
}
