/* SPDX-License-Identifier: MIT */
/*
 * The x86 part of domains and vCPUs. The lock tags are those of hv/domain.h, and two more:
 *  [M] d->arch->mmu_lock (LOCK_PV_MMU)
 *  [C] used by the CPU that runs v, or by any CPU while v is paused
 */
#ifndef X86_ARCH_DOMAIN_H
#define X86_ARCH_DOMAIN_H

#include "hv/domain.h"
#include "hv/frame.h"

/*
 * A map_frame window: PERDOMAIN_WINDOW_PAGES entries of the vCPU's own L1 page in the per-domain
 * area. A CPU uses the window of the address space that it has loaded: each load of CR3 also sets
 * this_cpu(map_window) (x86/mm/address_space.c).
 */
struct map_window {
	u64 *l1;	    /* PERDOMAIN_WINDOW_PAGE's entry in the L1 page */
	unsigned long virt; /* address of slot 0 */
	unsigned long mfn[PERDOMAIN_WINDOW_PAGES]; /* what a slot maps; ~0UL: nothing */
	u16 users[PERDOMAIN_WINDOW_PAGES]; /* map_frame minus unmap_frame; 0: may be reused */
	/* A bit for each slot that may map something; map_window_reset visits only these. */
	u64 touched[PERDOMAIN_WINDOW_PAGES / 64];
};

struct cpu_policy;
struct guest_memory_ops;
struct guest_ops;
struct hvm_domain;
struct hvm_vcpu;
struct log_dirty;
struct log_dirty_ops;
struct p2m;

/* The frame that the exit path pushes on the guest's kernel stack (x86/pv/bounce). */
struct trap_bounce {
	u32 error_code;
	u8 flags;	  /* TBF_* */
	bool nmi_pending; /* next to flags: the exit path tests both at once */
	unsigned long eip;
};
#define TBF_EXCEPTION	      1
#define TBF_EXCEPTION_ERRCODE 2
#define TBF_INTERRUPT	      8 /* events: mask upcalls while it runs */

struct pv_vcpu {
	struct trap_info traps[256]; /* [C] address 0: none */
	struct trap_bounce bounce;   /* [C] */

	struct page_info *guest_table;	    /* [C] the kernel's L4: a type reference */
	struct page_info *guest_table_user; /* [C] the user mode's L4, or NULL: a type reference */
	/*
	 * [C] machine addresses of the L4s that are in force in user mode [0] and kernel mode [1]
	 */
	u64 mode_cr3[2];
	/*
	 * Where the last walk of pv_map_l1_slot ended. Void once an upper table of the domain
	 * changes.
	 */
	struct {
		u64 generation;		    /* table_generation at the time of the walk */
		const struct page_info *l4; /* NULL: nothing */
		unsigned long region;	    /* address >> 21 */
		mfn_t l1;
		u64 rights;
	} last_walk;	/* [M] */
	bool in_kernel; /* [C] guest kernel mode: which L4 and GS base are in force */
	unsigned long kernel_ss, kernel_sp; /* [C] stack_switch */
	unsigned long ctrlreg[8]; /* [C] guest's view of CR0, CR2 (in vcpu_info), CR3, CR4 */
	unsigned long event_callback_eip, failsafe_callback_eip, syscall_callback_eip; /* [C] */
	unsigned long syscall32_callback_eip, sysenter_callback_eip;		       /* [C] */
	u16 syscall32_callback_cs, sysenter_callback_cs;			       /* [C] */
	bool failsafe_disables_events, syscall_disables_events;			       /* [C] */
	bool syscall32_disables_events, sysenter_disables_events;		       /* [C] */

	mfn_t gdt_frames[14];	  /* [C] a descriptor-page type reference each */
	unsigned int gdt_entries; /* [C] */
	unsigned long ldt_base;	  /* [C] guest address */
	unsigned int ldt_entries; /* [C] */
	u32 ldt_mapped;		  /* [C] a bit for each mapped page of the LDT (a type reference) */

	/* [C] valid while the registers are not live */
	unsigned long fs_base, gs_base_kernel, gs_base_user;
	unsigned int iopl;	  /* [C] physdev set_iopl */
	void __guest *iobmp;	  /* [C] guest's I/O bitmap */
	unsigned int iobmp_limit; /* [C] ports */
	unsigned long nmi_callback_eip;
	bool nmi_masked;
};

struct arch_vcpu {
	/* [C] while v does not run; else they are on its CPU's stack */
	struct cpu_user_regs user_regs;
	unsigned long debugreg[8]; /* [C] */
	/* [C] the machine address to load into CR3 for the current mode */
	u64 cr3;
	void *xstate;	      /* [C] XSAVE (or FXSAVE) image, 64-byte aligned, size xstate_size() */
	u64 xcr0, xcr0_accum; /* [C] */
	unsigned int dirty_cpu;	  /* CPU whose FPU registers may still hold v's state; ~0: none */
	u64 *perdomain_l1;	  /* [I] its L1 page in the per-domain area */
	struct map_window window; /* [C] */
	u64 tsc_aux;
	struct vcpu_time_info time_last; /* [C] last published */
	bool stts;			 /* [C] guest's CR0.TS */
	/*
	 * A page whose validation or devalidation was preempted. This vCPU holds one type reference
	 * on it (x86/mm/page_types.c).
	 */
	struct page_info *held_page; /* [M] */
	struct hvm_vcpu *hvm;	     /* [I] x86/hvm/hvm.h; NULL: paravirtualized */
	struct pv_vcpu pv;
};

struct arch_domain {
	const struct guest_ops *ops; /* [I] of its kind; NULL: the idle domain */
	/* [I] ops->memory. NULL: its frame numbers are the machine's. */
	const struct guest_memory_ops *memory_ops;
	spinlock_t mmu_lock; /* LOCK_PV_MMU: every change of a page table of this domain */
	/* [M] incremented with each change of an L2, L3 or L4 entry that was in use */
	u64 table_generation;
	u64 *perdomain_l3, *perdomain_l2; /* [I] */
	struct p2m *p2m;	/* [I] x86/hvm/p2m.h; NULL: its frame numbers are the machine's */
	struct hvm_domain *hvm; /* [I] x86/hvm/hvm.h; NULL: paravirtualized */
	/* x86/mm/log_dirty.h; NULL: never on. Set under LOCK_DOMCTL, lives as long as d. */
	struct log_dirty *log_dirty;
	const struct log_dirty_ops *log_ops; /* [I] NULL: the log uses mirrors of page tables */
	unsigned long paging_pool_pages;     /* LOCK_DOMCTL: as a tool has set it; 0: by memory */
	cpumask_t dirty_cpus;	     /* [A] CPUs whose TLB may hold this domain's translations */
	struct rangeset ioport_caps; /* [D] I/O ports that the domain may access */
	/*
	 * While the domain is torn down: 1 + the number of pages still to visit. 0: not begun
	 * (x86/pv/mmu.c).
	 */
	unsigned long relinquish_pages;
	struct cpu_policy *cpu_policy;	    /* [D] x86/cpu/policy.h; NULL: pv_max */
	u32 tsc_mode, tsc_khz, incarnation; /* [D] */
	unsigned int relinquish_step;	    /* [D] */
	u32 pci_cf8;			    /* last written to port 0xcf8 */
	u8 rtc_index;			    /* last written to port 0x70 */
};

/* d->arch and v->arch are opaque pointers to these in core/. */
static inline struct pv_vcpu *pv_of(const struct vcpu *v)
{
	return &v->arch->pv;
}

#endif
