/* SPDX-License-Identifier: MIT */
/* The processor's part of domains and vCPUs: life, running, registers, and mappings of grants. */
#ifndef HV_ARCH_GUEST_H
#define HV_ARCH_GUEST_H

#include "lib/types.h" /* before the public headers, which need its names */

#include <xen/xen.h>
#include "hv/frame.h"

struct domain;
struct vcpu;
struct xen_domctl_createdomain;

/* --- life; on an error each function undoes what it did --- */
/*
 * Checks whether a domain can be made from this configuration: 0; -EINVAL or -EOPNOTSUPP with a
 * line on the console.
 */
int __must_check arch_domain_config_check(const struct xen_domctl_createdomain *config);
int __must_check arch_domain_create(struct domain *d, const struct xen_domctl_createdomain *config);
/* The last reference is gone. */
void arch_domain_free(struct domain *d);
/* Releases page tables and pages in bounded steps: 0 or -ERESTART. */
int __must_check arch_domain_relinquish(struct domain *d);
int __must_check arch_vcpu_create(struct vcpu *v);
void arch_vcpu_free(struct vcpu *v);
int __must_check arch_vcpu_set_context(struct vcpu *v, const vcpu_guest_context_t *ctx);
int __must_check arch_vcpu_reset(struct vcpu *v);		       /* 0 or -ERESTART */
void arch_vcpu_get_context(struct vcpu *v, vcpu_guest_context_t *ctx); /* v is paused */

/* --- running --- */
/*
 * Leaves prev and runs next: the last step of the scheduler's softirq. Interrupts are off. Does not
 * return to the caller when next is a guest.
 */
void arch_context_switch(struct vcpu *prev, struct vcpu *next);
/*
 * Writes back the state of v that the lazy switch may have left in a CPU's registers. v is not
 * running.
 */
void arch_vcpu_sync_state(struct vcpu *v);
/*
 * Makes an NMI pending for v (VCPUOP_send_nmi) and wakes v if it blocks or polls. Does nothing if
 * one is pending already.
 */
void arch_vcpu_send_nmi(struct vcpu *v);
/* Does v's next exit to the guest deliver an interrupt or NMI, besides events? */
bool arch_vcpu_interrupt_deliverable(const struct vcpu *v);
/* v's event flag was set: makes v notice it, by an IPI if v runs on another CPU. */
void arch_vcpu_kick(struct vcpu *v);

/* --- hypercalls, by the current vCPU --- */
void arch_hypercall_set_arg(unsigned int index, unsigned long value);

/* --- mapping grants into the current domain (GNTMAP_host_map) --- */
/*
 * addr: host_addr of the operation; flags: GNTMAP_*. The caller holds one reference on the frame,
 * and a writable type reference unless the mapping is read-only. These functions neither take nor
 * drop either. They return a GNTST_* status (grant_table.h).
 */
int arch_grant_map(u64 addr, mfn_t frame, unsigned int flags);
/*
 * The translation at addr must map `frame`. With new_addr 0 it becomes not present; otherwise it
 * takes over the translation at new_addr, which is cleared.
 */
int arch_grant_unmap(u64 addr, mfn_t frame, u64 new_addr, unsigned int flags);

#endif
