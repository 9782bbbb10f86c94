/* SPDX-License-Identifier: MIT */
/*
 * A fake hypervisor behind hv/hv.h. Machine memory is an array, and a domain's state a struct for
 * tests to inspect. A mapping of foreign memory is a copy that is written back when it is unmapped,
 * so that a sanitizer sees accesses past its end.
 */
#ifndef FAKE_HV_H
#define FAKE_HV_H

#include <stdbool.h>
#include <stdint.h>

#include "hv/hv.h"

#define FAKE_FRAMES  4096
#define FAKE_DOMAINS 4
#define FAKE_VCPUS   4
#define FAKE_PINS    64

struct fake_vcpu {
	bool online;
	vcpu_guest_context_t context;
	struct xen_domctl_ext_vcpucontext ext;
	uint64_t xsave[8];
	size_t xsave_size;
	xen_domctl_vcpu_msr_t msrs[2];
	size_t nr_msrs;
};

struct fake_domain {
	struct hv_domain_info info;
	uint64_t map_bytes; /* of its memory map */
	struct fake_vcpu vcpus[FAKE_VCPUS];
	struct hv_tsc_info tsc;
	uint64_t pins[FAKE_PINS]; /* frame << 8 | command */
	unsigned int nr_pins;
	struct hv_grant_seed grants[2];
	unsigned int nr_policy_leaves;
	struct hv_credit credit;
	bool logged;
	uint64_t dirty[FAKE_FRAMES / 64]; /* by its own numbers: what it wrote to */
};

struct fake {
	uint64_t memory[FAKE_FRAMES][512];
	uint32_t owner[FAKE_FRAMES]; /* 0: free */
	uint32_t type[FAKE_FRAMES];  /* XEN_DOMCTL_PFINFO_* */
	struct fake_domain domains[FAKE_DOMAINS];
	uint64_t max_mfn; /* the host's highest frame; those past FAKE_FRAMES belong to nobody */
	uint64_t free_frames; /* how many the host still gives to domains */
	uint64_t next_frame;  /* where the search for a free frame continues */
	unsigned int windows; /* how many are mapped */
	bool no_log;	      /* it cannot log what domains write */
	/* Called before the types of frames are told: a domain may run meanwhile. */
	void (*meanwhile)(void);
	long fail_after; /* so many calls succeed, then one fails; -1: none fails */
};

extern struct fake fake;

void fake_reset(void);
/* Allocates a frame for the domain without counting it. One of FAKE_FRAMES must be free. */
uint64_t fake_alloc(uint32_t domid);
/* Makes the domain new: frees all that it had, except its shared info. */
void fake_renew(uint32_t domid);

#endif
