/* SPDX-License-Identifier: MIT */
/*
 * The boot options, each a row of the table in core/base/cmdline.c. An unknown one is named in a
 * warning.
 */
#ifndef HV_CMDLINE_H
#define HV_CMDLINE_H

#include "lib/types.h"

/* An amount of memory, of what there is: bytes + percent, or (less) all but that. All zero: not
 * said. */
struct mem_amount {
	u64 bytes;
	unsigned int percent;
	bool less;
};

struct boot_options {
	char text[1024]; /* the whole line, for XENVER_commandline */
	struct {
		struct mem_amount size, min,
			max; /* x86/pv/dom0/dom0_memory.h says what they come to */
	} dom0_mem;
	unsigned int dom0_max_vcpus; /* 0: as many as CPUs */
	unsigned int maxcpus;	     /* 0: all */
	bool noreboot;
	int loglvl;		  /* enum loglevel, or -1: what is shown */
	int guest_loglvl;	  /* of guests: what is shown whatever its rate */
	int guest_loglvl_limited; /* of guests: what is shown within each domain's rate */
	bool sync_console;	  /* each write waits for the device */
	struct {
		unsigned int baud; /* 0: leave as it is */
		u16 port;	   /* 0: none */
		unsigned int irq;
	} com1, com2;
	char console[16]; /* "com1", "com2", "none" */
	bool dom0_vcpus_pin;
	unsigned long sched_timeslice_ms;
};
extern struct boot_options boot_options;
void cmdline_parse(const char *line);

#endif
