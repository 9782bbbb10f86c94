/* SPDX-License-Identifier: MIT */
/*
 * The seam between what every kind of guest needs (x86/guest) and what one kind does in a way of
 * its own (x86/pv). x86/guest implements hv/arch/guest.h. Where kinds differ it calls through the
 * table of the domain's kind.
 */
#ifndef X86_GUEST_GUEST_OPS_H
#define X86_GUEST_GUEST_OPS_H

#include "hv/arch/frame.h"
#include "hv/frame.h"
#include "x86/arch_domain.h"
#include "x86/cpu/policy.h"
#include "x86/mm/log_dirty.h"

#include <xen/physdev.h>

/*
 * For a kind whose guests have frame numbers of their own, and whose memory is not mapped while
 * the hypervisor runs. The functions do what guest_frame_get, copy_from_guest, copy_to_guest,
 * clear_guest and arch_gfn_* do.
 */
struct guest_memory_ops {
	struct page_info *(*frame_get)(struct domain *d, gfn_t gfn, mfn_t *mfn);
	int (*copy_from)(void *dst, const void __guest *src, size_t size);
	int (*copy_to)(void __guest *dst, const void *src, size_t size);
	int (*clear)(void __guest *dst, size_t size);
	int (*gfn_map)(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order,
		       enum gfn_use use);
	int (*gfn_unmap)(struct domain *d, gfn_t gfn, mfn_t mfn);
	unsigned int (*gfn_give_up)(struct domain *d, const gfn_t *gfns, unsigned int nr,
				    unsigned int order);
	unsigned long (*gfn_max)(const struct domain *d);
};

struct guest_ops {
	/*
	 * NULL: a guest's frame number is the machine's, and its memory is mapped where it uses it
	 * itself (x86/guest/guest_copy.c). Each domain has a copy in arch->memory_ops, a load
	 * nearer.
	 */
	const struct guest_memory_ops *memory;
	/* The most that CPUID may tell a guest of this kind. */
	const struct cpu_policy *max_policy;

	/* --- domains and vCPUs; hv/arch/guest.h says what each does --- */
	int (*config_check)(const struct xen_domctl_createdomain *config);
	/*
	 * What a domain and a vCPU of this kind have besides; NULL: nothing. create returns 0 or
	 * -ENOMEM, and free is called also if it failed.
	 */
	int (*domain_create)(struct domain *d, const struct xen_domctl_createdomain *config);
	void (*domain_free)(struct domain *d);
	int (*vcpu_create)(struct vcpu *v);
	void (*vcpu_free)(struct vcpu *v);
	int (*domain_relinquish)(struct domain *d);
	/* Gives v the state that it has before its first context. */
	void (*vcpu_init)(struct vcpu *v);
	/* Drops what v holds of its domain's memory. 0 or -ERESTART. v does not run. */
	int (*vcpu_relinquish)(struct vcpu *v);
	/*
	 * Computes again which page tables v runs on (x86/mm/log_dirty.c). mmu_lock held. NULL:
	 * always the same.
	 */
	reload_tables_fn *reload_tables;
	int (*vcpu_set_context)(struct vcpu *v, const vcpu_guest_context_t *ctx);
	void (*vcpu_get_context)(struct vcpu *v, vcpu_guest_context_t *ctx);
	/* The fields of ext_vcpucontext besides vcpu and size. v is paused. 0 or -EINVAL. */
	void (*get_ext_context)(const struct vcpu *v, struct xen_domctl_ext_vcpucontext *ctx);
	int (*set_ext_context)(struct vcpu *v, const struct xen_domctl_ext_vcpucontext *ctx);

	/* --- running; interrupts are off --- */
	/* Moves this CPU's registers, besides user_regs and xstate, to v, which leaves the CPU. */
	void (*save)(struct vcpu *v);
	/* Loads v's page tables and all of its registers besides xstate. */
	void (*load)(struct vcpu *v);
	/* Enters the guest with the registers of guest_regs. */
	void __noreturn (*enter)(void);
	/*
	 * Makes the addresses valid that the kernel of v, which is current, has registered. True:
	 * something changed for that, and leave_kernel_view must undo it.
	 */
	bool (*enter_kernel_view)(struct vcpu *v);
	void (*leave_kernel_view)(struct vcpu *v);

	void (*send_nmi)(struct vcpu *v);
	/* Does v have an interrupt besides its event upcall that it must not sleep over? */
	bool (*interrupt_deliverable)(const struct vcpu *v);

	/* --- hypercalls --- */
	/* Fills a page with the entry points of all hypercalls (ELF note HYPERCALL_PAGE). */
	void (*hypercall_page_init)(void *page);
	/* The register of argument `index` of the hypercall under way. NULL: as in xen.h for PV. */
	u64 *(*hypercall_argument)(unsigned int index);
	int (*grant_map)(u64 addr, mfn_t frame, unsigned int flags);
	int (*grant_unmap)(u64 addr, mfn_t frame, u64 new_addr, unsigned int flags);
	/* gethvmcontext, sethvmcontext, gethvmcontext_partial. NULL: this kind has no such state.
	 */
	long (*hvm_context)(struct domain *d, struct xen_domctl *op);
	/* PHYSDEVOP_set_iopl and _set_iobitmap, checked. NULL: this kind has neither. */
	void (*set_iopl)(struct vcpu *v, unsigned int iopl);
	void (*set_iobitmap)(struct vcpu *v, void __guest *bitmap, unsigned int nr_ports);
};

/* The kinds. */
extern const struct guest_ops pv_guest_ops, hvm_guest_ops;
/*
 * Why this host does not run guests under hardware virtualization, in words; NULL: it does. Known
 * after boot.
 */
const char *hvm_unavailable(void);

static inline const struct guest_ops *guest_ops(const struct domain *d)
{
	return d->arch->ops;
}

/*
 * A call on a frequent path. The function of the most frequent kind is named, so that the compiler
 * can inline it; those that may be called so are declared here.
 */
#define guest_call(d, fn, ...) \
	(guest_ops(d) == &pv_guest_ops ? pv_##fn(__VA_ARGS__) : guest_ops(d)->fn(__VA_ARGS__))
void pv_save(struct vcpu *v);
void pv_load(struct vcpu *v);
bool pv_enter_kernel_view(struct vcpu *v);
void pv_leave_kernel_view(struct vcpu *v);
int pv_grant_map(u64 addr, mfn_t frame, unsigned int flags);
int pv_grant_unmap(u64 addr, mfn_t frame, u64 new_addr, unsigned int flags);

/* --- cpuid.c, policy_copy.c --- */
/* CPUID as v sees it. */
void guest_cpuid(const struct vcpu *v, u32 leaf, u32 sub, struct cpuid_leaf *out);
/* Idle domains have none of their own. */
static inline const struct cpu_policy *guest_cpu_policy(const struct domain *d)
{
	return d->arch->cpu_policy ?: &cpu_policy_pv_max;
}

/* --- context.c --- */
/* v, which is current, has written its TSC_AUX. The processor has the MSR. */
void guest_set_tsc_aux(struct vcpu *v, u64 value);
/* Forgets that d ran last on some CPU. d is about to be freed; none of its vCPUs runs. */
void guest_context_forget(const struct domain *d);

/* --- guest_copy.c --- */
/* A vCPU of d runs on this CPU from now on: how do copies reach its memory? */
void guest_copy_load(const struct domain *d);

/* --- domctl_state.c --- */
/* Can v have that XCR0, those bits that were ever set in it, and that XSAVE image? 0, -EINVAL. */
int __must_check guest_check_xstate(u64 xcr0, u64 xcr0_accum, const u8 *image, size_t size);
/* Copies v's image of the components that it ever used; v is paused. Returns the size in bytes. */
u32 guest_copy_xstate(const struct vcpu *v, void *image);
/* After that check. */
void guest_load_xstate(struct vcpu *v, u64 xcr0, u64 xcr0_accum, const u8 *image, size_t size);

/* --- vcpu_time.c --- */
/* Updates vcpu_info and the registered copies of time and runstate; v was just made current. */
void guest_time_publish(struct vcpu *v);

#endif
