/* SPDX-License-Identifier: MIT */
/*
 * The whole contract between core/ and x86/: the functions that core/ needs from the processor's
 * side, and the only header of x86/ that core/ includes. A host test implements these functions to
 * simulate a machine.
 */
#ifndef HV_ARCH_H
#define HV_ARCH_H

#include "hv/domain.h"
#include "hv/frame.h"

/* --- CPUs --- */
/* Waits for an interrupt, unless a softirq is pending. Interrupts are on. */
void arch_cpu_idle(void);
/* Sends an IPI, after which the CPU runs its pending softirqs. */
void arch_cpu_kick(unsigned int cpu);
/* Raises SOFTIRQ_TIMER on this CPU at `deadline`; STIME_MAX: never. */
void arch_timer_program(s_time_t deadline);
unsigned long arch_irq_save(void); /* disables interrupts, returns the old flags */
void arch_irq_restore(unsigned long flags);
void arch_irq_enable(void);
void arch_irq_disable(void);
bool arch_irqs_enabled(void);
/* Runs fn on each CPU of the set and waits; interrupts must be on; fn runs in interrupt context. */
void arch_call_on(const cpumask_t *cpus, void (*fn)(void *), void *data);
void __noreturn arch_reboot(void);
void __noreturn arch_halt(void);
void __noreturn arch_power_off(void);
/*
 * For a panic: halts the other CPUs, as far as they still take interrupts. The wait for them is
 * bounded.
 */
void arch_stop_other_cpus(void);
/* Prints the chain of callers. */
void arch_backtrace(void);

/* --- domains and vCPUs; on an error each function undoes what it did --- */
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
/* The shared_info and time pages. */
void arch_vcpu_update_time(struct vcpu *v); /* writes vcpu_info->time from this CPU's calibration */
void arch_domain_update_wallclock(struct domain *d);

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
/* Does v's next exit to the guest deliver an NMI? */
bool arch_vcpu_nmi_deliverable(const struct vcpu *v);
/* VCPUOP_get_physid: id[31:0] APIC ID, id[63:32] ACPI processor ID. */
u64 arch_cpu_physid(unsigned int cpu);
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
/* Takes a writable type reference: 0 or -errno. */
int __must_check arch_page_get_writable(struct page_info *pg);
void arch_page_put_writable(struct page_info *pg);

/* --- memory --- */
/*
 * Both are called for each block of memory between two uses of it.
 *
 * freed: once, after the last use. No page table maps the block any more, but TLBs may.
 *
 * reused: before the block is cleared or used again. When it returns, no CPU has a translation to
 * the block and its type is none. It may make other CPUs flush, so interrupts are on, and the
 * caller holds no lock of rank LOCK_IPI or later.
 */
void arch_page_freed(struct page_info *pg, unsigned int order);
void arch_page_reused(struct page_info *pg, unsigned int order);
/* Would arch_page_reused interrupt other CPUs for a flush? */
bool arch_page_reuse_interrupts(const struct page_info *pg, unsigned int order);
/* Does the frame have a type reference? */
bool arch_page_has_type(const struct page_info *pg);
/*
 * For a frame of the hypervisor that a guest may map: takes one type reference, which fixes the
 * frame's type.
 */
void arch_page_share(struct page_info *pg, bool guest_writable);
/*
 * Maps, or unmaps on every CPU, the 2 MiB that begin at frame `first`, at HEAP_VIRT + machine
 * address. Only the first 512 GiB of memory can be mapped so.
 */
#define ARCH_HEAP_ADDRESS_BITS 39
void arch_heap_map(mfn_t first);
void arch_heap_unmap(mfn_t first);

/* --- control operations (core/hypercall, core/memory) --- */
struct xen_domctl;
struct xen_sysctl;
struct xen_sysctl_cputopo;
struct xen_sysctl_physinfo;
/* Entry `index` of the machine's memory map (types as in E820). False: no such entry. */
bool arch_machine_memory_map(unsigned int index, u64 *start, u64 *size, u32 *type);
/*
 * The machine-to-phys table in pieces of 2 MiB: the first frame of piece `index`, or INVALID_MFN
 * for a hole.
 */
mfn_t arch_m2p_extent(unsigned long index);
void arch_cpu_ids(unsigned int cpu, u32 *apic_id, u32 *acpi_id);
void arch_cpu_topology(unsigned int cpu, struct xen_sysctl_cputopo *out);
bool arch_pci_exists(u16 segment, u8 bus, u8 devfn);
void arch_physinfo(struct xen_sysctl_physinfo *out); /* threads, cores, capabilities, hw_cap */
/*
 * Powers off by writing these values to the PM1 control registers; Domain-0 has found them in the
 * ACPI tables. Returns if the machine stays on.
 */
void arch_enter_sleep(u16 pm1a_value, u16 pm1b_value);
/*
 * Sub-operations that core has no row for; op->cmd names one. Both set *copyback (false before) if
 * op must be copied back to the caller: for a domctl whatever the result, for a sysctl only on
 * success. -ENOSYS: unknown.
 */
long arch_domctl(struct domain *d, struct xen_domctl *op, bool *copyback);
long arch_sysctl(struct xen_sysctl *op, bool *copyback);
/* This lock (LOCK_PV_MMU) covers each change of what d's page tables may map. */
void arch_mmu_lock(struct domain *d);
void arch_mmu_unlock(struct domain *d);
/*
 * Checks whether a domain can be made from this configuration: 0; -EINVAL or -EOPNOTSUPP with a
 * line on the console.
 */
int __must_check arch_domain_config_check(const struct xen_domctl_createdomain *config);

/* --- TLBs --- */
/* Flushes every CPU where d runs or ran last. */
void arch_tlb_flush_domain(const struct domain *d);

#endif
