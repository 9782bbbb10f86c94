/* SPDX-License-Identifier: MIT */
/*
 * xm carries the program in itself, so that xm and the program cannot be of two versions, whether
 * they are installed or run from the directory of the build.
 */
#include "xm/python/program.h"

__asm__(".section .rodata\n"
	".global python_program\n"
	"python_program:\n"
	".incbin \"toolstack/xm/python/hints.py\"\n"
	".incbin \"toolstack/xm/python/values.py\"\n"
	".incbin \"toolstack/xm/python/evaluate.py\"\n"
	".byte 0\n"
	".previous\n");
