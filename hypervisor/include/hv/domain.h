/* SPDX-License-Identifier: MIT */
/*
 * Domains and their virtual CPUs.
 *
 * Lock tags:
 *	[I] set at creation, never changes	[A] atomic
 *	[D] d->lock				[P] d->page_lock
 *	[V] v->lock				[E] event lock (core/event/evtchn.c)
 *	[S] the scheduler's lock of v->processor
 *	[C] only by the CPU that runs v
 */
#ifndef HV_DOMAIN_H
#define HV_DOMAIN_H

#include "lib/types.h" /* before the public headers, which need its names */

#include <xen/xen.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/domctl.h>
#include "hv/cpumask.h"
#include "hv/mm.h"
#include "hv/percpu.h"
#include "hv/sched_types.h"
#include "hv/spinlock.h"
#include "hv/timer.h"
#include "lib/list.h"
#include "lib/rangeset.h"

struct arch_domain;
struct arch_vcpu;
struct evtchn_domain;
struct grant_table;
struct pirq_domain;

/*
 * Why a vCPU does not run; a vCPU is runnable when pause_flags and both pause counts (its own, its
 * domain's) are zero.
 */
enum vcpu_pause_flag {
	VPF_BLOCKED = 1 << 0, /* sched_op block: an event wakes it */
	VPF_DOWN = 1 << 1,    /* not up (VCPUOP_up) */
	VPF_POLL = 1 << 2,    /* sched_op poll: one of some ports wakes it */
};

struct vcpu {
	unsigned int id;	/* [I] */
	unsigned int processor; /* [S] the CPU that runs it, or ran it last, or will */
	struct domain *domain;	/* [I] */
	struct arch_vcpu *arch; /* [I] */

	/* Never NULL: in shared_info, registered by the guest, or a dummy page of the hypervisor.
	 */
	vcpu_info_t *vcpu_info;
	vcpu_info_t *own_info; /* [I] the hypervisor's own page of a vCPU that has no place in
				  shared_info, or NULL */
	vcpu_info_t *
		unregistered_info; /* [I] where vcpu_info was before the guest registered its own */
	mfn_t vcpu_info_mfn; /* [V] registered by VCPUOP_register_vcpu_info: INVALID_MFN if not */
	spinlock_t lock;     /* LOCK_VCPU */

	u32 pause_flags;	  /* [A] VPF_* */
	s32 pause_count;	  /* [A] the hypervisor's own reasons */
	bool is_initialised;	  /* [D] has a context */
	bool is_running;	  /* [S] on its processor right now */
	bool paused_for_shutdown; /* [D] */
	bool is_idle;		  /* [I] */

	struct sched_vcpu sched; /* [S] */

	struct vcpu_runstate_info runstate; /* [S] */
	void __guest *runstate_guest;	    /* [V] guest address of its copy, or NULL */
	void __guest *time_guest;	    /* [V] VCPUOP_register_vcpu_time_memory_area, or NULL */

	struct timer periodic_timer, singleshot_timer, poll_timer; /* [V] */
	s_time_t periodic_period, periodic_last;		   /* [V] */
	u16 virq_to_evtchn[24];					   /* [E] NR_VIRQS */
	int poll_evtchn; /* [E] a single port polled for, 0 none, -1 several */
};

#define DOMAIN_MEMORY_MAP_MAX 32

enum domain_state { DOMAIN_ALIVE, DOMAIN_DYING, DOMAIN_DEAD };

struct domain {
	domid_t id;	  /* [I] */
	u32 refcount;	  /* [A] */
	struct list link; /* domain list, LOCK_DOMLIST, ascending IDs */

	bool is_privileged;	    /* [I] Domain-0 */
	bool is_idle;		    /* [I] */
	u32 create_flags;	    /* [I] XEN_DOMCTL_CDF_* */
	xen_domain_handle_t handle; /* [D] */
	u32 ssidref;

	spinlock_t lock;	    /* LOCK_DOMAIN */
	enum domain_state state;    /* [D] */
	bool is_shutting_down;	    /* [D] */
	bool is_shut_down;	    /* [D] every vCPU is out */
	u32 shutdown_code;	    /* [D] SHUTDOWN_* */
	s32 pause_count;	    /* [A] the hypervisor's */
	u32 controller_pause_count; /* [D] the toolstack's, counted into pause_count once */

	struct vcpu **vcpus;	/* [I] array of max_vcpus, entries NULL until made */
	unsigned int max_vcpus; /* [I] */

	spinlock_t page_lock;	       /* LOCK_PAGE_LIST */
	struct page_list pages;	       /* [P] RAM that it owns */
	struct page_list hv_pages;     /* [P] shared pages of the hypervisor that it may map */
	u32 tot_pages, max_pages;      /* [P] */
	u32 claimed_pages;	       /* LOCK_HEAP */
	unsigned int relinquish_stage; /* [D] how far destruction came */

	shared_info_t *shared_info;   /* [I] */
	struct evtchn_domain *evtchn; /* [I] */
	struct grant_table *grants;   /* [I] */
	struct pirq_domain *pirqs;    /* [I] NULL unless it may have physical interrupts */

	struct rangeset iomem_caps; /* [D] machine frame numbers */
	struct rangeset irq_caps;   /* [D] interrupts (GSIs) */

	u32 vm_assist; /* [C] bits of VMASST_TYPE_* */
	s64 time_offset_seconds;

	struct {
		struct timer timer;
		u32 in_use; /* LOCK_DOMAIN */
		s_time_t expiry;
		struct domain *domain;
	} watchdogs[2];

	struct sched_domain sched; /* core/sched */

	u32 printk_tokens; /* guest_printk's rate limit; these three under a lock of
			      core/base/console_guest.c */
	u32 printk_lost;   /* messages over the limit since the last that was within it */
	s_time_t printk_refill;

	/* What control operations keep of it (core/memory/memory_map.c, console_io.c, domctl*.c).
	 */
	struct {
		u64 start, size;
		u32 type;
	} __packed memory_map[DOMAIN_MEMORY_MAP_MAX]; /* [D] pseudo-physical E820, as its builder
							 set it */
	unsigned int nr_memory_map;		      /* [D] 0: none was set */
	char console_line[120];			      /* [D] what it wrote of a line so far */
	unsigned int console_fill;		      /* [D] */
	u32 suspend_port;	/* [D] its own port that tells of a suspend, 0: VIRQ_DOM_EXC does */
	bool debugger_attached; /* [D] */

	struct arch_domain *arch;	      /* [I] */
	struct domain *next_hash, *next_dead; /* LOCK_DOMLIST; core/domain/domain.c */
};

extern struct domain *dom0;	   /* NULL until it is built */
extern struct domain *idle_domain; /* owner of the idle vCPUs: vCPU n runs on CPU n */
/* Owners of the hypervisor's shared pages and of memory-mapped I/O (DOMID_XEN, DOMID_IO). */
extern struct domain *dom_xen, *dom_io;

#define for_each_vcpu(d, v)                                     \
	for (unsigned int vi_ = 0; vi_ < (d)->max_vcpus; vi_++) \
		if (((v) = (d)->vcpus[vi_]) != NULL)

/* --- life (core/domain/domain.c) --- */
void domain_subsystem_init(void); /* boot: idle_domain, dom_xen, dom_io */
/*
 * A new, paused domain without vCPUs' context, reference count 1 (held by its existence).
 * ERR_PTR(-EEXIST, -ENOMEM, -EINVAL).
 */
struct domain *domain_create(domid_t id, const struct xen_domctl_createdomain *config,
			     bool privileged);
/* vCPU `id` of d, down and without context, its first processor chosen by the scheduler. NULL on no
 * memory. */
struct vcpu *vcpu_create(struct domain *d, unsigned int id);
struct domain *domain_get_by_id(domid_t id); /* with a reference, or NULL */
bool __must_check domain_get(struct domain *d);
void domain_put(struct domain *d); /* the last one frees it */
/* The domain with the least ID >= from, with a reference, or NULL: for domctl and sysctl lists. */
struct domain *domain_get_next(domid_t from);

/* Domain lookups for printing only. */
void domain_dump_pages(void);
void domain_dump_all(char key);

/* --- pausing; a paused domain's vCPUs are off every CPU when these return --- */
void vcpu_pause(struct vcpu *v); /* waits; never on `current` */
void vcpu_pause_nosync(struct vcpu *v);
void vcpu_unpause(struct vcpu *v);
void domain_pause(struct domain *d); /* waits; never on the current domain */
void domain_unpause(struct domain *d);
int domain_pause_by_controller(struct domain *d);   /* 0, -EBUSY */
int domain_unpause_by_controller(struct domain *d); /* 0, -EINVAL if it was not paused */

/* --- the end --- */
int domain_shutdown(struct domain *d,
		    u32 reason);      /* SHUTDOWN_*; tells Domain-0 when all vCPUs are out */
void domain_resume(struct domain *d); /* after a suspend that was called off */
/*
 * Crashes the domain of a vCPU that broke the rules; the host goes on, unless that is Domain-0. The
 * log says why, unless the domain was shutting down already.
 */
void domain_crash(struct domain *d, const char *fmt, ...) __printf(2, 3);
/* Kills in bounded steps: 0 when done, -ERESTART to be called again. */
int __must_check domain_kill(struct domain *d);

/* --- context --- */
/* Gives a vCPU its first registers, checked. Caller holds d->lock. -EINVAL and others: nothing
 * changed. */
int __must_check vcpu_set_context(struct vcpu *v, const vcpu_guest_context_t *ctx);
int __must_check vcpu_reset(struct vcpu *v);

/* vcpu_op's register_vcpu_info: 0, -EINVAL, -ENOMEM. */
int __must_check vcpu_register_info(struct vcpu *v, mfn_t mfn, unsigned int offset);
void vcpu_unregister_info(struct vcpu *v);

static inline bool vcpu_is_runnable(const struct vcpu *v)
{
	return !(READ_ONCE(v->pause_flags) | (u32)READ_ONCE(v->pause_count) |
		 (u32)READ_ONCE(v->domain->pause_count));
}

static inline bool domain_is_dying(const struct domain *d)
{
	return READ_ONCE(d->state) != DOMAIN_ALIVE;
}

#endif
