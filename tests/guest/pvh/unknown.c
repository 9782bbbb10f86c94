/* SPDX-License-Identifier: MIT */
/* What has no meaning for such a guest ends it, and it alone: a frame that is not there
 * ("what=memory"), a triple fault. */
#include "pvh.h"

void pvh_test(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) none = { 0, 0 };

	if (pvh_option("what=memory"))
		*(volatile uint64_t *)0xd0000000 = 1;
	__asm__ volatile("lidt %0; ud2" : : "m"(none));
	pvh_fail("it lives on");
}
