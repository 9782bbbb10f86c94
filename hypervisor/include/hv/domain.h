/* SPDX-License-Identifier: MIT */
/*
 * Domains and their virtual CPUs.
 *
 * Lock tags:
 *	[I] set at creation, never changes	[A] atomic
 *	[D] d->lock				[V] v->lock
 *	[S] the scheduler's lock of v->processor
 *	[C] only by the CPU that runs v
 * Each subsystem's part is a struct of its own header, with its own tags.
 */
#ifndef HV_DOMAIN_H
#define HV_DOMAIN_H

#include "lib/types.h" /* before the public headers, which need its names */

#include <xen/xen.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/domctl.h>
#include "hv/console.h"
#include "hv/cpumask.h"
#include "hv/domain_end.h"
#include "hv/evtchn_types.h"
#include "hv/frame.h"
#include "hv/memory_types.h"
#include "hv/pause.h"
#include "hv/percpu.h"
#include "hv/sched_types.h"
#include "hv/spinlock.h"
#include "hv/vcpu_timer.h"
#include "hv/watchdog.h"
#include "lib/list.h"
#include "lib/rangeset.h"

struct arch_domain;
struct arch_vcpu;
struct evtchn_domain;
struct grant_table;
struct pirq_domain;

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

	struct sched_vcpu sched;
	struct vcpu_runstate runstate;
	void __guest *time_guest; /* [V] VCPUOP_register_vcpu_time_memory_area, or NULL */
	struct vcpu_timers timers;
	struct evtchn_vcpu ports;
};

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

	spinlock_t lock;	 /* LOCK_DOMAIN */
	enum domain_state state; /* [D] */
	unsigned int kill_stage; /* [D] how far domain_kill has come */
	struct domain_shutdown shutdown;
	s32 pause_count;	    /* [A] the hypervisor's */
	u32 controller_pause_count; /* [D] the toolstack's, counted into pause_count once */

	/* [I] An array of max_vcpus; an entry is NULL until its vCPU is created. */
	struct vcpu **vcpus;
	unsigned int max_vcpus; /* [I] */

	struct domain_memory memory;
	struct domain_memory_map memory_map;

	shared_info_t *shared_info;   /* [I] */
	struct evtchn_domain *evtchn; /* [I] */
	struct grant_table *grants;   /* [I] */
	struct pirq_domain *pirqs;    /* [I] NULL unless it may have physical interrupts */

	struct rangeset iomem_caps; /* [D] machine frame numbers */
	struct rangeset irq_caps;   /* [D] interrupts (GSIs) */

	u32 vm_assist; /* [C] bits of VMASST_TYPE_* */
	s64 time_offset_seconds;

	struct sched_domain sched;
	struct domain_watchdogs watchdogs;
	struct domain_console console;
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

/* --- context --- */
/*
 * Checks `ctx` and gives v its first registers. The caller holds d->lock. On an error (-EINVAL and
 * others) nothing has changed.
 */
int __must_check vcpu_set_context(struct vcpu *v, const vcpu_guest_context_t *ctx);
int __must_check vcpu_reset(struct vcpu *v);

/* vcpu_op's register_vcpu_info: 0, -EINVAL, -ENOMEM. */
int __must_check vcpu_register_info(struct vcpu *v, gfn_t gfn, unsigned int offset);
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
