/* SPDX-License-Identifier: MIT */
/*
 * Two guests on one processor that wake each other by events. The first is started as "serve" and
 * says the port that the second, of the next domain number, is to be told with "port=N". A round
 * trip is: send, block, the other one wakes up, its upcall, its send, its block, and back.
 */
#include "bench.h"

#define TRIPS 100

static unsigned int own_port;
static volatile bool arrived;

static void on_event(struct guest_regs *regs)
{
	(void)regs;
	shared_info->vcpu_info[0].evtchn_upcall_pending = 0;
	__atomic_exchange_n(&shared_info->vcpu_info[0].evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
	if (bench_port_pending(own_port)) {
		bench_port_clear(own_port);
		arrived = true;
	}
}

/* Blocking opens the door for events; it is closed again before `arrived` is looked at. */
static void await(void)
{
	events_disable();
	while (!arrived) {
		hc2(__HYPERVISOR_sched_op, SCHEDOP_block, 0);
		events_disable();
	}
	arrived = false;
}

static void notify(void)
{
	evtchn_send_t send = { .port = own_port };

	bench_evtchn_op(EVTCHNOP_send, &send);
}

static void serve(domid_t peer)
{
	evtchn_alloc_unbound_t alloc = { .dom = DOMID_SELF, .remote_dom = peer };
	char line[] = "BENCH-PORT 0000\n";

	if (bench_evtchn_op(EVTCHNOP_alloc_unbound, &alloc))
		bench_die("no channel for domain", peer);
	own_port = alloc.port;
	for (unsigned int i = 14, v = own_port; i > 10; i--, v /= 10)
		line[i] = (char)('0' + v % 10);
	bench_port_unmask(own_port);
	bench_say(line);
	for (;;) {
		await();
		notify();
	}
}

static void trip(unsigned int times)
{
	while (times--) {
		notify();
		await();
	}
}

static void call(domid_t peer)
{
	evtchn_bind_interdomain_t bind = { .remote_dom = peer,
					   .remote_port = (uint32_t)bench_option("port=", 0) };

	if (bench_evtchn_op(EVTCHNOP_bind_interdomain, &bind))
		bench_die("no channel to domain", peer);
	own_port = bind.local_port;
	bench_port_unmask(own_port);
	/* A new channel is pending at both ends. */
	trip(10);
	bench_port_clear(own_port);
	arrived = false;
	bench_report("event_round_trip", LEAST(1, trip(TRIPS)), TRIPS);
}

void test_main(void)
{
	domid_t self;

	bench_begin();
	self = bench_own_domid();

	guest_event = on_event;
	if (bench_has_word("serve"))
		serve((domid_t)(self + 1));
	call((domid_t)(self - 1));
	bench_say("BENCH-END\n");
	bench_drain();
}
