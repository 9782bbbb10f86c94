/* SPDX-License-Identifier: MIT */
/*
 * Event channels: allocate, bind, send, mask, close. A pending event makes one upcall, on the way
 * back from a hypercall.
 */
#include "guest.h"

static volatile unsigned int upcalls;

static void on_event(struct guest_regs *regs)
{
	(void)regs;
	upcalls++;
	shared_info->vcpu_info[0].evtchn_upcall_pending = 0;
	__atomic_exchange_n(&shared_info->vcpu_info[0].evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
}

static bool pending(unsigned int port)
{
	return (shared_info->evtchn_pending[port / 64] >> (port % 64)) & 1;
}

static void clear(unsigned int port)
{
	__atomic_fetch_and(&shared_info->evtchn_pending[port / 64], ~(1UL << (port % 64)),
			   __ATOMIC_SEQ_CST);
}

static void mask(unsigned int port, bool masked)
{
	if (masked)
		__atomic_fetch_or(&shared_info->evtchn_mask[port / 64], 1UL << (port % 64),
				  __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_and(&shared_info->evtchn_mask[port / 64], ~(1UL << (port % 64)),
				   __ATOMIC_SEQ_CST);
}

static long op(unsigned int cmd, void *arg)
{
	return hc2(__HYPERVISOR_event_channel_op, cmd, arg);
}

static void test_interdomain(void)
{
	evtchn_alloc_unbound_t alloc = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
	evtchn_bind_interdomain_t bind = { .remote_dom = DOMID_SELF };
	evtchn_status_t status = { .dom = DOMID_SELF };
	evtchn_send_t send;
	evtchn_close_t close;

	EXPECT_EQ(op(EVTCHNOP_alloc_unbound, &alloc), 0);
	EXPECT(alloc.port > 0);
	bind.remote_port = alloc.port;
	EXPECT_EQ(op(EVTCHNOP_bind_interdomain, &bind), 0);
	EXPECT(bind.local_port != alloc.port);
	mask(alloc.port, false);
	mask(bind.local_port, false);
	status.port = alloc.port;
	EXPECT_EQ(op(EVTCHNOP_status, &status), 0);
	EXPECT_EQ(status.status, EVTCHNSTAT_interdomain);
	EXPECT_EQ(status.u.interdomain.port, bind.local_port);

	/* Binding marks the new port pending, because an event may have been lost before. */
	clear(alloc.port);
	clear(bind.local_port);
	events_enable();
	upcalls = 0;
	send.port = bind.local_port;
	EXPECT_EQ(op(EVTCHNOP_send, &send), 0);
	EXPECT_EQ(upcalls, 1);
	EXPECT(pending(alloc.port));
	/* Already pending: no second upcall. */
	EXPECT_EQ(op(EVTCHNOP_send, &send), 0);
	EXPECT_EQ(upcalls, 1);
	/* Masked: pending, but no upcall; unmasking by hypercall makes it. */
	mask(alloc.port, true);
	clear(alloc.port);
	EXPECT_EQ(op(EVTCHNOP_send, &send), 0);
	EXPECT_EQ(upcalls, 1);
	EXPECT(pending(alloc.port));
	evtchn_unmask_t unmask = { .port = alloc.port };
	EXPECT_EQ(op(EVTCHNOP_unmask, &unmask), 0);
	EXPECT_EQ(upcalls, 2);
	events_disable();

	close.port = bind.local_port;
	EXPECT_EQ(op(EVTCHNOP_close, &close), 0);
	EXPECT(op(EVTCHNOP_close, &close) < 0);
	EXPECT_EQ(op(EVTCHNOP_status, &status), 0);
	EXPECT_EQ(status.status, EVTCHNSTAT_unbound);
	close.port = alloc.port;
	EXPECT_EQ(op(EVTCHNOP_close, &close), 0);
}

static void test_ipi_and_virq(void)
{
	evtchn_bind_ipi_t ipi = { .vcpu = 0 };
	evtchn_bind_virq_t virq = { .virq = VIRQ_TIMER, .vcpu = 0 };
	evtchn_bind_virq_t bad = { .virq = 999, .vcpu = 0 };
	evtchn_send_t send;

	EXPECT_EQ(op(EVTCHNOP_bind_ipi, &ipi), 0);
	clear(ipi.port);
	mask(ipi.port, false);
	events_enable();
	upcalls = 0;
	send.port = ipi.port;
	EXPECT_EQ(op(EVTCHNOP_send, &send), 0);
	EXPECT_EQ(upcalls, 1);
	events_disable();
	EXPECT_EQ(op(EVTCHNOP_bind_virq, &virq), 0);
	EXPECT_EQ(op(EVTCHNOP_bind_virq, &virq), -XEEXIST);
	EXPECT_EQ(op(EVTCHNOP_bind_virq, &bad), -XEINVAL);
	ipi.vcpu = 4000;
	EXPECT_EQ(op(EVTCHNOP_bind_ipi, &ipi), -XENOENT);
	send.port = virq.port;
	EXPECT_EQ(op(EVTCHNOP_send, &send), -XEINVAL);
}

static void test_bad_ports(void)
{
	static const unsigned int ports[] = { 0, 4000, 131071, 0x7fffffff, 0xffffffff };

	for (unsigned int i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		evtchn_send_t send = { .port = ports[i] };

		EXPECT_EQ(op(EVTCHNOP_send, &send), -XEINVAL);
	}
	EXPECT_EQ(op(EVTCHNOP_send, (void *)0x7ffff000), -XEFAULT);
	EXPECT_EQ(op(77, NULL), -XENOSYS);
}

void test_main(void)
{
	guest_event = on_event;
	test_interdomain();
	test_ipi_and_virq();
	test_bad_ports();
}
