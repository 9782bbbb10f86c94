/* SPDX-License-Identifier: MIT */
/*
 * The boot options. Each is a row of the table in core/base/cmdline.c; a warning names every
 * unknown option.
 */
#ifndef HV_CMDLINE_H
#define HV_CMDLINE_H

#include "lib/cpu_guards.h"
#include "lib/types.h"

/*
 * An amount of memory: bytes plus percent of all memory, or with `less` all memory but that amount.
 * All fields zero: the option was not given.
 */
struct mem_amount {
	u64 bytes;
	unsigned int percent;
	bool less;
};

struct boot_options {
	char text[1024]; /* the whole line, for XENVER_commandline */
	/* x86/pv/dom0/dom0_memory.h defines how the three work together. */
	struct {
		struct mem_amount size, min, max;
	} dom0_mem;
	unsigned int dom0_max_vcpus; /* 0: as many as CPUs */
	unsigned int maxcpus;	     /* 0: all */
	bool noreboot;
	/* enum loglevel up to which lines are shown; -1: none. */
	int loglvl;
	/* Lines of guests: the level up to which they are shown whatever their rate. */
	int guest_loglvl;
	/* Lines of guests: the level up to which they are shown within each domain's rate. */
	int guest_loglvl_limited;
	bool sync_console; /* each write waits for the device */
	struct {
		unsigned int baud; /* 0: leave as it is */
		u16 port;	   /* 0: none */
		unsigned int irq;
		bool pci; /* a PCI card's: the port is not known yet */
		/* Where it is, as bus << 8 | device << 3 | function; 0: the first one. */
		u16 pci_function;
	} com1, com2;
	char console[16]; /* "com1", "com2", "none" */
	bool console_vga; /* and the screen */
	bool dom0_vcpus_pin;
	bool hvm; /* use hardware virtualization where the processor has it */
	unsigned long sched_timeslice_ms;
	struct cpu_guard_wishes guards; /* spec-ctrl, pv-l1tf */
};
extern struct boot_options boot_options;
void cmdline_parse(const char *line);

#endif
