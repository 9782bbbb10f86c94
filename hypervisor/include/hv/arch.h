/* SPDX-License-Identifier: MIT */
/*
 * What core/ asks of the processor's side: the whole contract between core/ and x86/, and the only
 * header that core/ has of it. A host test implements these functions to simulate a machine.
 */
#ifndef HV_ARCH_H
#define HV_ARCH_H

#include "hv/domain.h"

/* --- CPUs --- */
void arch_cpu_idle(void); /* waits for an interrupt unless a softirq is pending; interrupts on */
void arch_cpu_kick(unsigned int cpu); /* an IPI after which the CPU looks at its softirqs */
void arch_timer_program(
	s_time_t deadline);	   /* this CPU: SOFTIRQ_TIMER at that time; STIME_MAX: never */
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
void arch_stop_other_cpus(
	void); /* a panic: they halt if they still take interrupts; does not wait for ever */
void arch_backtrace(void); /* prints who called */

/* --- domains and vCPUs; each undoes itself on an error --- */
int __must_check arch_domain_create(struct domain *d, const struct xen_domctl_createdomain *config);
void arch_domain_free(struct domain *d); /* last reference gone */
int __must_check
arch_domain_relinquish(struct domain *d); /* page tables and pages, in steps: 0 or -ERESTART */
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
 * Leaves prev and runs next: the scheduler's last step, called on a softirq's way with interrupts
 * off. Does not return to the caller when next is a guest.
 */
void arch_context_switch(struct vcpu *prev, struct vcpu *next);
/* The state of `v` that may still lie in a CPU's registers is written back (lazy switch); v is not
 * running. */
void arch_vcpu_sync_state(struct vcpu *v);
/* An NMI for v (VCPUOP_send_nmi): wakes v when it blocks or polls; nothing while one is pending. */
void arch_vcpu_send_nmi(struct vcpu *v);
/* Does v's next exit to the guest deliver an NMI? */
bool arch_vcpu_nmi_deliverable(const struct vcpu *v);
/* VCPUOP_get_physid: id[31:0] APIC ID, id[63:32] ACPI processor ID. */
u64 arch_cpu_physid(unsigned int cpu);
/* v's event flag was set: makes it look. Sends an IPI if it runs on another CPU. */
void arch_vcpu_kick(struct vcpu *v);
void __noreturn arch_idle_loop(void);

/* --- hypercalls, by the current vCPU --- */
void arch_hypercall_set_arg(unsigned int index, unsigned long value);

/* --- mapping grants into the current domain (GNTMAP_host_map) --- */
/*
 * addr: host_addr of the operation; flags: GNTMAP_*. The caller holds one reference on the frame
 * (and a writable type reference unless read-only) which these neither take nor drop. Returns a
 * GNTST_* status (grant_table.h).
 */
int arch_grant_map(u64 addr, mfn_t frame, unsigned int flags);
/* The translation at addr must be to `frame`; it becomes new_addr's, which is cleared, or not
 * present (new_addr 0). */
int arch_grant_unmap(u64 addr, mfn_t frame, u64 new_addr, unsigned int flags);
/* A writable (type) reference: 0 or -errno. */
int __must_check arch_page_get_writable(struct page_info *pg);
void arch_page_put_writable(struct page_info *pg);

/* --- memory --- */
/*
 * For each piece of memory between its uses. freed, once: the last use is over, every mapping of it
 * is gone from the page tables, though perhaps not from TLBs. reused, before it is cleared or used:
 * no CPU has a translation to it from then on, its type is none; interrupts on (it may flush other
 * CPUs), no lock of rank LOCK_IPI or later.
 */
void arch_page_freed(struct page_info *pg, unsigned int order);
void arch_page_reused(struct page_info *pg, unsigned int order);
/* Would arch_page_reused have other CPUs flush? */
bool arch_page_reuse_interrupts(const struct page_info *pg, unsigned int order);
/* Is it in use as something in particular (a type reference is held)? */
bool arch_page_has_type(const struct page_info *pg);
/* A frame of the hypervisor that a guest may map: holds one type reference that keeps it what it
 * is. */
void arch_page_share(struct page_info *pg, bool guest_writable);
/*
 * Maps, unmaps (on every CPU) the 2 MiB that begin at `first` at HEAP_VIRT + machine address. First
 * 512 GiB of memory only.
 */
#define ARCH_HEAP_ADDRESS_BITS 39
void arch_heap_map(mfn_t first);
void arch_heap_unmap(mfn_t first);

/* --- control operations (core/hypercall, core/memory) --- */
struct xen_domctl;
struct xen_sysctl;
struct xen_sysctl_cputopo;
struct xen_sysctl_physinfo;
/* Entry `index` of the machine's memory map (types of E820); false: there are no more. */
bool arch_machine_memory_map(unsigned int index, u64 *start, u64 *size, u32 *type);
/* The first frame of piece `index`, 2 MiB each, of the machine-to-phys table; INVALID_MFN: a hole.
 */
mfn_t arch_m2p_extent(unsigned long index);
void arch_cpu_ids(unsigned int cpu, u32 *apic_id, u32 *acpi_id);
void arch_cpu_topology(unsigned int cpu, struct xen_sysctl_cputopo *out);
bool arch_pci_exists(u16 segment, u8 bus, u8 devfn);
void arch_physinfo(struct xen_sysctl_physinfo *out); /* threads, cores, capabilities, hw_cap */
/*
 * Power off by the values of the PM1 control registers that an operating system found out; may
 * return if nothing happens.
 */
void arch_enter_sleep(u16 pm1a_value, u16 pm1b_value);
/*
 * Sub-operations that core has no row for; op->cmd says which. *copyback (false before): op is to
 * be copied back, for a domctl whatever the result, for a sysctl if there was no error. -ENOSYS:
 * unknown.
 */
long arch_domctl(struct domain *d, struct xen_domctl *op, bool *copyback);
long arch_sysctl(struct xen_sysctl *op, bool *copyback);
/* What d's page tables may map changes only under this (LOCK_PV_MMU). */
void arch_mmu_lock(struct domain *d);
void arch_mmu_unlock(struct domain *d);
/* May a domain be made from this: -EINVAL, -EOPNOTSUPP with a line on the console. */
int __must_check arch_domain_config_check(const struct xen_domctl_createdomain *config);

/* --- TLBs --- */
void arch_tlb_flush_domain(const struct domain *d); /* on every CPU where d runs or ran last */

#endif
