/* SPDX-License-Identifier: MIT */
/*
 * A hypervisor for host tests of hv/hv.h's callers: machine memory is an array, and each domain's
 * state a struct that tests look into. Windows of foreign memory are copies that go back when they
 * are unmapped, so that a sanitizer sees who writes past their ends.
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
	uint64_t map_bytes; /* of the memory map that it is told */
	struct fake_vcpu vcpus[FAKE_VCPUS];
	struct hv_tsc_info tsc;
	uint64_t pins[FAKE_PINS]; /* frame << 8 | command */
	unsigned int nr_pins;
	struct hv_grant_seed grants[2];
	unsigned int nr_policy_leaves;
};

struct fake {
	uint64_t memory[FAKE_FRAMES][512];
	uint32_t owner[FAKE_FRAMES]; /* 0: free */
	uint32_t type[FAKE_FRAMES];  /* XEN_DOMCTL_PFINFO_* */
	struct fake_domain domains[FAKE_DOMAINS];
	uint64_t max_mfn;     /* that the host says it has; frames past FAKE_FRAMES are nobody's */
	uint64_t free_frames; /* that the host will still give to domains */
	uint64_t next_frame;  /* where the search for free frames goes on */
	unsigned int windows; /* that are mapped */
	long fail_after;      /* so many calls succeed, the next fails; -1: none fails */
};

extern struct fake fake;

void fake_reset(void);
/* A frame for the domain, which is not counted; FAKE_FRAMES must not be used up. */
uint64_t fake_alloc(uint32_t domid);
/* The domain is as new: all that it had is free, but for its shared info. */
void fake_renew(uint32_t domid);

#endif
