/* SPDX-License-Identifier: MIT */
/*
 * console_io takes more from Domain-0 than any buffer holds, in one call, to the last byte. The
 * hypervisor's own log, as readconsole returns it, contains none of that. VIRQ_CON_RING tells
 * Domain-0 about new lines in the log.
 */
#define __XEN_TOOLS__
#include "guest.h"

#include <xen/sysctl.h>

#define LINE	  "what Domain-0 writes, 64 bytes of it, belongs to no log at all.\n"
#define LINE_SIZE (sizeof(LINE) - 1)
#define LINES	  512
#define LOG_SIZE  65536 /* bytes; the rest is ignored */

_Static_assert(LINE_SIZE == 64, "whole lines in TEXT_SIZE");

static char text[LINES * LINE_SIZE], hv_log[LOG_SIZE];

static long console_write(const void *from, unsigned long count)
{
	return hc3(__HYPERVISOR_console_io, CONSOLEIO_write, count, from);
}

/* Reads the hypervisor's log from its start. Returns the number of bytes. */
static uint32_t read_log(void)
{
	static xen_sysctl_t op = { .cmd = XEN_SYSCTL_readconsole,
				   .interface_version = XEN_SYSCTL_INTERFACE_VERSION };

	op.u.readconsole.count = sizeof(hv_log) - 1;
	set_xen_guest_handle(op.u.readconsole.buffer, hv_log);
	EXPECT_EQ(hc1(__HYPERVISOR_sysctl, &op), 0);
	return op.u.readconsole.count;
}

static bool log_has(uint32_t size, const char *what, uint32_t length)
{
	for (uint32_t at = 0; at + length <= size; at++)
		if (!memcmp(hv_log + at, what, length))
			return true;
	return false;
}

static void expect_event_for_a_new_line(void)
{
	static xen_sysctl_t op = { .cmd = XEN_SYSCTL_debug_keys,
				   .interface_version = XEN_SYSCTL_INTERFACE_VERSION };
	evtchn_bind_virq_t virq = { .virq = VIRQ_CON_RING, .vcpu = 0 };
	sched_poll_t poll = { .nr_ports = 1 };
	char key = 'h';

	EXPECT_EQ(hc2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, &virq), 0);
	shared_info->evtchn_pending[virq.port / 64] &= ~(1UL << (virq.port % 64));
	op.u.debug_keys.nr_keys = 1;
	set_xen_guest_handle(op.u.debug_keys.keys, &key);
	EXPECT_EQ(hc1(__HYPERVISOR_sysctl, &op), 0);
	set_xen_guest_handle(poll.ports, &virq.port);
	EXPECT_EQ(hc2(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll), 0);
	EXPECT((shared_info->evtchn_pending[virq.port / 64] >> (virq.port % 64)) & 1);
}

void test_main(void)
{
	char c;

	for (unsigned int i = 0; i < LINES; i++)
		memcpy(text + i * LINE_SIZE, LINE, LINE_SIZE);
	EXPECT_EQ(console_write(text, sizeof(text)), 0);
	EXPECT_EQ(console_write(text, 0), 0);
	EXPECT_EQ(console_write((const void *)0x7ffff000, 1), -XEFAULT);
	EXPECT_EQ(hc3(__HYPERVISOR_console_io, CONSOLEIO_read, 1, &c), 0);
	EXPECT_EQ(hc3(__HYPERVISOR_console_io, 77, 1, &c), -XENOSYS);
	EXPECT(!log_has(read_log(), LINE, 40));
	EXPECT(log_has(read_log(), "command line: ", 14) ||
	       log_has(read_log(), "Command line: ", 14));
	expect_event_for_a_new_line();
}
