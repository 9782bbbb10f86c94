/* SPDX-License-Identifier: MIT */
/*
 * console_io takes more from Domain-0 than any buffer holds, in one call and to the end; and the
 * hypervisor's own log, as readconsole tells it, has none of it. VIRQ_CON_RING tells Domain-0 of
 * new lines there.
 */
#define __XEN_TOOLS__
#include "guest.h"

#include <xen/sysctl.h>

#define LINE	  "what Domain-0 writes, 64 bytes of it, belongs to no log at all.\n"
#define LINE_SIZE (sizeof(LINE) - 1)
#define LINES	  512
#define LOG_SIZE  65536 /* more is not looked at */

_Static_assert(LINE_SIZE == 64, "whole lines in TEXT_SIZE");

static char text[LINES * LINE_SIZE], hv_log[LOG_SIZE];

static long console_write(const void *from, unsigned long count)
{
	return hc3(__HYPERVISOR_console_io, CONSOLEIO_write, count, from);
}

/* The hypervisor's log from its beginning: the number of bytes. */
static uint32_t read_log(void)
{
	static xen_sysctl_t op = { .cmd = XEN_SYSCTL_readconsole, .interface_version = XEN_SYSCTL_INTERFACE_VERSION };

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
	EXPECT(log_has(read_log(), "command line: ", 14) || log_has(read_log(), "Command line: ", 14));
}
