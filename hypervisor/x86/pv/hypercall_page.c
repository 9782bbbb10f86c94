/* SPDX-License-Identifier: MIT */
/*
 * The hypercall page (xen/arch-x86/xen.h): 32 bytes of code for each hypercall, which a guest
 * calls. SYSCALL destroys RCX and R11. The guest's compiler expects both to be preserved, so the
 * code saves them.
 */
#include "x86/pv/pv.h"

#include "lib/string.h"

#define SLOT_BYTES 32

void pv_hypercall_page_init(void *page)
{
	static const u8 call[] = {
		0x51,		     /* push %rcx */
		0x41, 0x53,	     /* push %r11 */
		0xb8, 0,    0, 0, 0, /* mov $nr, %eax */
		0x0f, 0x05,	     /* syscall */
		0x41, 0x5b,	     /* pop %r11 */
		0x59,		     /* pop %rcx */
		0xc3,		     /* ret */
	};
	/*
	 * The guest jumps here with the flags word and an interrupt frame on the stack. This
	 * completes struct iret_context and does not return.
	 */
	static const u8 iret[] = {
		0x51,	    /* push %rcx */
		0x41, 0x53, /* push %r11 */
		0x50,	    /* push %rax */
		0xb8, __HYPERVISOR_iret,
		0,    0,
		0,	    /* mov $nr, %eax */
		0x0f, 0x05, /* syscall */
	};
	u8 *slot = page;

	memset(page, 0xcc, PAGE_SIZE); /* int3 */
	for (unsigned int nr = 0; nr < PAGE_SIZE / SLOT_BYTES; nr++, slot += SLOT_BYTES) {
		memcpy(slot, call, sizeof(call));
		slot[4] = (u8)nr;
	}
	memcpy((u8 *)page + (size_t)__HYPERVISOR_iret * SLOT_BYTES, iret, sizeof(iret));
}
