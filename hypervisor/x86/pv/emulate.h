/* SPDX-License-Identifier: MIT */
/* The interface between emulate.c and emulate_io.c. */
#ifndef X86_PV_EMULATE_H
#define X86_PV_EMULATE_H

#include "x86/emul/decode.h"
#include "x86/pv/pv.h"

enum emulated {
	/* The registers hold the result. Handlers in emulate.c leave RIP to their caller. */
	EMUL_DONE,
	EMUL_RETRY,   /* run it again: it was preempted, or is a string instruction midway */
	EMUL_TRAPPED, /* another exception was queued for the guest */
	EMUL_REFUSED, /* the guest gets its #GP */
};

/* IN, OUT, INS, OUTS. Advances regs->rip itself. */
enum emulated pv_emulate_io(const struct insn *insn, struct insn_regs *regs);

#endif
