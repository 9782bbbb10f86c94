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
#include "hv/frame.h"
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
 * Reasons why a vCPU does not run. It is runnable when pause_flags, its own pause count and its
 * domain's pause count are zero.
 */
enum vcpu_pause_flag {
	VPF_BLOCKED = 1 << 0, /* sched_op block: an event wakes it */
	VPF_DOWN = 1 << 1,    /* not up (VCPUOP_up) */
	VPF_POLL = 1 << 2,    /* sched_op poll: one of some ports wakes it */
};

struct vcpu {
	unsigned int id; /* [I] */
	/* [S] The CPU that runs the vCPU, ran it last, or will run it next. */
	unsigned int processor;
	struct domain *domain;	/* [I] */
	struct arch_vcpu *arch; /* [I] */

	/* Never NULL. Lies in shared_info, in a page that the guest registered, or in own_info. */
	vcpu_info_t *vcpu_info;
	/* [I] The hypervisor's own copy, for a vCPU without a slot in shared_info; else NULL. */
	vcpu_info_t *own_info;
	/* [I] Where vcpu_info pointed before the guest registered its own. */
	vcpu_info_t *unregistered_info;
	/* [V] The frame that VCPUOP_register_vcpu_info registered; INVALID_MFN: none. */
	mfn_t vcpu_info_mfn;
	spinlock_t lock; /* LOCK_VCPU */

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
	/* [E] The single port that sched_op poll waits for; 0: none, -1: several. */
	int poll_evtchn;
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
	bool is_shut_down;	    /* [D] every vCPU is paused, perhaps not off its CPU yet */
	u32 shutdown_code;	    /* [D] SHUTDOWN_* */
	s32 pause_count;	    /* [A] the hypervisor's */
	u32 controller_pause_count; /* [D] the toolstack's, counted into pause_count once */

	/* [I] An array of max_vcpus; an entry is NULL until its vCPU is created. */
	struct vcpu **vcpus;
	unsigned int max_vcpus; /* [I] */

	spinlock_t page_lock;	       /* LOCK_PAGE_LIST */
	struct page_list pages;	       /* [P] RAM that it owns */
	struct page_list hv_pages;     /* [P] the hypervisor's pages that it may map */
	u32 tot_pages, max_pages;      /* [P] */
	u32 claimed_pages;	       /* LOCK_HEAP */
	unsigned int relinquish_stage; /* [D] how far destruction has come */

	shared_info_t *shared_info;   /* [I] */
	struct evtchn_domain *evtchn; /* [I] */
	struct grant_table *grants;   /* [I] */
	struct pirq_domain *pirqs;    /* [I] NULL unless it may have physical interrupts */

	struct rangeset iomem_caps; /* [D] machine frame numbers */
	struct rangeset irq_caps;   /* [D] interrupts (GSIs) */

	u32 vm_assist; /* [C] bits of VMASST_TYPE_* */
	s64 time_offset_seconds;

	struct watchdog {
		struct timer timer;
		bool in_use; /* [D] */
	} watchdogs[2];

	struct sched_domain sched; /* core/sched */

	/* guest_printk's rate limit. A lock in core/base/console_guest.c covers these three. */
	u32 printk_tokens;
	/* Messages over the limit since the last one within it. */
	u32 printk_lost;
	s_time_t printk_refill;

	/*
	 * State that control operations keep (core/memory/memory_map.c, console_io.c, domctl*.c).
	 *
	 * [D] memory_map: the pseudo-physical E820 that the domain's builder set.
	 */
	struct {
		u64 start, size;
		u32 type;
	} __packed memory_map[DOMAIN_MEMORY_MAP_MAX];
	unsigned int nr_memory_map; /* [D] 0: none was set */
	/* [D] The unfinished line of its console output. */
	char console_line[120];
	unsigned int console_fill; /* [D] */
	/* [D] The port that signals a suspend of this domain; 0: VIRQ_DOM_EXC signals it. */
	u32 suspend_port;
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
 * Creates a paused domain without vCPUs. Its existence holds the one reference. Returns
 * ERR_PTR(-EEXIST, -ENOMEM, -EINVAL) on an error.
 */
struct domain *domain_create(domid_t id, const struct xen_domctl_createdomain *config,
			     bool privileged);
/*
 * Creates vCPU `id` of d, down and without context; the scheduler chooses its first processor.
 * NULL: no memory, `id` is out of range, or the vCPU exists.
 */
struct vcpu *vcpu_create(struct domain *d, unsigned int id);
/* The domain with that ID, with a reference; NULL: none. */
struct domain *domain_get_by_id(domid_t id);
/* Takes a reference. False: the last one is gone already. */
bool __must_check domain_get(struct domain *d);
/* The last reference frees the domain, in a tasklet. Any lock may be held. */
void domain_put(struct domain *d);
/*
 * The domain with the lowest ID >= `from`, with a reference; NULL: none. For the lists of domctl
 * and sysctl.
 */
struct domain *domain_get_next(domid_t from);

/* Debug output. */
void domain_dump_pages(void);
void domain_dump_all(char key);

/* --- pausing; when the waiting functions return, the vCPUs are off every CPU --- */
void vcpu_pause(struct vcpu *v); /* waits; never on `current` */
void vcpu_pause_nosync(struct vcpu *v);
void vcpu_unpause(struct vcpu *v);
void domain_pause(struct domain *d); /* waits; never on the current domain */
void domain_unpause(struct domain *d);
int domain_pause_by_controller(struct domain *d);   /* 0, -EBUSY */
int domain_unpause_by_controller(struct domain *d); /* 0, -EINVAL if it was not paused */

/* --- the end --- */
/*
 * reason: SHUTDOWN_*. Pauses every vCPU of d and tells Domain-0. For Domain-0 it ends the machine.
 * Returns 0.
 */
int domain_shutdown(struct domain *d, u32 reason);
/* Lets d run again after a cancelled suspend. */
void domain_resume(struct domain *d);
/*
 * Crashes a domain that broke the rules. The host goes on, unless d is Domain-0. The log says why,
 * unless the domain was shutting down already.
 */
void domain_crash(struct domain *d, const char *fmt, ...) __printf(2, 3);
/* Destroys d in bounded steps: 0 when done, -ERESTART to be called again. */
int __must_check domain_kill(struct domain *d);

/* --- context --- */
/*
 * Checks `ctx` and gives v its first registers. The caller holds d->lock. On an error (-EINVAL and
 * others) nothing has changed.
 */
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
