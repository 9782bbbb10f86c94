/* SPDX-License-Identifier: MIT */
/*
 * Domains and vCPUs: creation, lookup, and the last reference. pause.c pauses them, domain_end.c
 * ends domains.
 *
 * A domain's structure lives while anyone holds a reference. Its existence holds one until
 * domain_kill is done, each lookup one, and all its pages together one. The last reference may be
 * dropped under any lock, so a tasklet frees the memory.
 */
#include "hv/domain.h"

#include "core/domain/domain_internal.h"
#include "hv/arch/guest.h"
#include "hv/arch/pirq.h"
#include "hv/arch/time.h"
#include "hv/atomic.h"
#include "hv/console.h"
#include "hv/evtchn.h"
#include "hv/grant.h"
#include "hv/hv_heap.h"
#include "hv/sched.h"
#include "hv/softirq.h"
#include "lib/errno.h"
#include "lib/string.h"

struct domain *dom0;
struct domain *idle_domain;
struct domain *dom_xen, *dom_io;

#define DOMAIN_HASH_SIZE 256

static struct list domain_list = LIST_INIT(domain_list); /* ascending IDs; [domlist_lock] */
static struct domain *domain_hash[DOMAIN_HASH_SIZE];	 /* the same by ID; [domlist_lock] */
static DEFINE_SPINLOCK(domlist_lock, LOCK_DOMLIST);

/* Unreferenced domains for the reaper to free: pushed with cmpxchg, linked by next_dead. */
static struct domain *dead_domains;
static void domain_reap(void *unused);
static struct tasklet reaper = { .fn = domain_reap };

static unsigned int domain_struct_order(void)
{
	unsigned int order = 0;

	while ((PAGE_SIZE << order) < sizeof(struct domain))
		order++;
	return order;
}

/* Page aligned, because struct page_info names its owner by page number. */
static struct domain *domain_struct_alloc(domid_t id)
{
	struct domain *d = hv_alloc_pages(domain_struct_order());

	if (!d)
		return NULL;
	d->id = id;
	d->refcount = 1;
	list_init(&d->link);
	spin_lock_init(&d->lock, LOCK_DOMAIN);
	spin_lock_init(&d->memory.lock, LOCK_PAGE_LIST);
	d->memory.pages = d->memory.hv_pages = (struct page_list)PAGE_LIST_INIT;
	rangeset_init(&d->iomem_caps, hv_alloc, hv_free);
	rangeset_init(&d->irq_caps, hv_alloc, hv_free);
	return d;
}

static struct domain **hash_bucket(domid_t id)
{
	return &domain_hash[id % DOMAIN_HASH_SIZE];
}

/* Inserts d into the list. -EEXIST: its ID is taken. */
static int domain_list_insert(struct domain *d)
{
	struct domain *pos;
	int err = 0;

	spin_lock(&domlist_lock);
	list_for_each(pos, &domain_list, link) {
		if (pos->id == d->id)
			err = -EEXIST;
		if (pos->id >= d->id)
			break;
	}
	if (!err) {
		list_add_tail(&d->link, &pos->link);
		d->next_hash = *hash_bucket(d->id);
		*hash_bucket(d->id) = d;
	}
	spin_unlock(&domlist_lock);
	return err;
}

static void domain_list_remove(struct domain *d)
{
	struct domain **at = hash_bucket(d->id);

	spin_lock(&domlist_lock);
	while (*at != d)
		at = &(*at)->next_hash;
	*at = d->next_hash;
	list_del(&d->link);
	spin_unlock(&domlist_lock);
}

static void domain_struct_free(struct domain *d)
{
	struct vcpu *v;

	/*
	 * First, because the scheduler's timer looks at all vCPUs. domain_kill killed the other
	 * timers.
	 */
	sched_domain_free(d);
	if (d->vcpus) {
		for_each_vcpu(d, v)
			vcpu_free(v);
		hv_free(d->vcpus);
	}
	if (d->arch)
		arch_domain_free(d);
	if (d->grants)
		grant_domain_free(d);
	if (d->evtchn)
		evtchn_domain_free(d);
	if (d->shared_info)
		shared_page_free(d->shared_info);
	rangeset_destroy(&d->iomem_caps);
	rangeset_destroy(&d->irq_caps);
	hv_free_pages(d, domain_struct_order());
}

/*
 * Creates the parts that every domain has except the special ones. The caller frees d on an error.
 */
static int domain_create_parts(struct domain *d, const struct xen_domctl_createdomain *config)
{
	unsigned int ports = config->max_evtchn_port;
	unsigned int frames =
		config->max_grant_frames < 0 ? GRANT_DEFAULT_FRAMES : config->max_grant_frames;
	unsigned int maptrack = config->max_maptrack_frames < 0 ? GRANT_DEFAULT_MAPTRACK_FRAMES :
								  config->max_maptrack_frames;
	int err;

	d->shared_info = shared_page_alloc(d, true);
	if (!d->shared_info)
		return -ENOMEM;
	err = sched_domain_init(d);
	if (!err)
		err = evtchn_domain_create(d, ports);
	if (!err)
		err = grant_domain_create(d, frames, maptrack);
	if (!err && d->is_privileged)
		err = pirq_domain_create(d);
	if (!err)
		err = arch_domain_create(d, config);
	return err;
}

struct domain *domain_create(domid_t id, const struct xen_domctl_createdomain *config,
			     bool privileged)
{
	struct domain *d;
	int err = -ENOMEM;

	if (id >= DOMID_FIRST_RESERVED || config->max_vcpus < 1 || config->max_vcpus > HV_MAX_VCPUS)
		return ERR_PTR(-EINVAL);
	d = domain_struct_alloc(id);
	if (!d)
		return ERR_PTR(-ENOMEM);
	d->is_privileged = privileged;
	d->create_flags = config->flags;
	d->ssidref = config->ssidref;
	memcpy(d->handle, config->handle, sizeof(d->handle));
	d->max_vcpus = config->max_vcpus;
	d->vcpus = hv_alloc(d->max_vcpus * sizeof(*d->vcpus));
	/* Paused by its controller until it is complete. */
	d->pause_count = 1;
	d->controller_pause_count = 1;
	domain_watchdogs_init(d);
	if (d->vcpus)
		err = domain_create_parts(d, config);
	if (!err)
		err = domain_list_insert(d);
	/* Now that it is in the list, time_set_wallclock does not miss it. */
	if (!err)
		arch_domain_update_wallclock(d);
	if (err) {
		if (d->pirqs)
			pirq_domain_destroy(d);
		domain_struct_free(d);
		return ERR_PTR(err);
	}
	return d;
}

struct vcpu *vcpu_create(struct domain *d, unsigned int id)
{
	struct vcpu *v;

	if (id >= d->max_vcpus || d->vcpus[id])
		return NULL;
	v = hv_alloc(sizeof(*v));
	if (!v)
		return NULL;
	v->id = id;
	v->domain = d;
	v->is_idle = d->is_idle;
	v->vcpu_info_mfn = INVALID_MFN;
	spin_lock_init(&v->lock, LOCK_VCPU);
	v->pause_flags = d->is_idle ? 0 : VPF_DOWN;
	if (d->shared_info && id < XEN_LEGACY_MAX_VCPUS)
		v->vcpu_info = (vcpu_info_t *)&d->shared_info->vcpu_info[id];
	else
		v->vcpu_info = v->own_info = hv_alloc(sizeof(*v->own_info));
	if (!v->vcpu_info) {
		hv_free(v);
		return NULL;
	}
	v->unregistered_info = v->vcpu_info;
	v->vcpu_info->evtchn_upcall_mask = 1;
	if (arch_vcpu_create(v)) {
		hv_free(v->own_info);
		hv_free(v);
		return NULL;
	}
	if (!d->is_idle)
		vcpu_timers_init(v);
	sched_vcpu_init(v);
	smp_wmb();
	d->vcpus[id] = v;
	return v;
}

/* No CPU holds any state of v: its domain is gone, or never started. */
void vcpu_free(struct vcpu *v)
{
	vcpu_timers_kill(v);
	sched_vcpu_free(v);
	arch_vcpu_free(v);
	hv_free(v->own_info);
	hv_free(v);
}

/* --- lookup and references --- */

bool domain_get(struct domain *d)
{
	u32 old = atomic_read(&d->refcount);

	do {
		if (old == 0)
			return false;
	} while (!atomic_cmpxchg(&d->refcount, &old, old + 1));
	return true;
}

void domain_put(struct domain *d)
{
	struct domain *head;

	if (atomic_sub_return(&d->refcount, 1) != 0)
		return;
	head = READ_ONCE(dead_domains);
	do {
		d->next_dead = head;
	} while (!atomic_cmpxchg(&dead_domains, &head, d));
	tasklet_schedule(&reaper);
}

static void domain_reap(void *unused)
{
	struct domain *d = atomic_xchg(&dead_domains, NULL), *next;

	(void)unused;
	for (; d; d = next) {
		next = d->next_dead;
		domain_list_remove(d);
		domain_struct_free(d);
	}
}

/* domlist_lock is held. */
static struct domain *find(domid_t id)
{
	struct domain *d = *hash_bucket(id);

	while (d && d->id != id)
		d = d->next_hash;
	return d;
}

struct domain *domain_get_by_id(domid_t id)
{
	struct domain *d, *found = NULL;

	if (dom0 && id == dom0->id)
		return domain_get(dom0) ? dom0 : NULL;
	spin_lock(&domlist_lock);
	d = find(id);
	if (d && domain_get(d))
		found = d;
	spin_unlock(&domlist_lock);
	return found;
}

/*
 * Where a search for the lowest ID >= `from` may begin. Who walks through all domains asks for the
 * number after one that is there. domlist_lock is held.
 */
static struct list *search_start(domid_t from)
{
	struct domain *d = find(from);

	if (d)
		return &d->link;
	d = from ? find((domid_t)(from - 1)) : NULL;
	return d ? d->link.next : domain_list.next;
}

struct domain *domain_get_next(domid_t from)
{
	struct domain *d, *found = NULL;
	struct list *at;

	spin_lock(&domlist_lock);
	for (at = search_start(from); at != &domain_list && !found; at = at->next) {
		d = list_entry(at, struct domain, link);
		if (d->id >= from && domain_get(d))
			found = d;
	}
	spin_unlock(&domlist_lock);
	return found;
}

/* --- boot --- */

static struct domain *special_domain(domid_t id)
{
	struct domain *d = domain_struct_alloc(id);

	if (!d)
		panic("not enough memory for the hypervisor's own structures");
	return d;
}

void domain_dump_pages(void)
{
	const struct domain *d;

	spin_lock(&domlist_lock);
	list_for_each(d, &domain_list, link)
		log_err("domain %u: pages %u of %u, vCPUs %u, references %u, state %d", d->id,
			d->memory.tot_pages, d->memory.max_pages, d->max_vcpus, d->refcount,
			d->state);
	spin_unlock(&domlist_lock);
}

static void domain_dump_all(char key)
{
	struct domain *d;
	struct vcpu *v;

	(void)key;
	spin_lock(&domlist_lock);
	list_for_each(d, &domain_list, link) {
		log_err("domain %u: references %u, state %d, shut down %d (reason %u), pauses %d, "
			"pages %u of %u\n",
			d->id, d->refcount, d->state, d->shutdown.done, d->shutdown.code,
			d->pause_count, d->memory.tot_pages, d->memory.max_pages);
		for_each_vcpu(d, v) {
			/* Keeps vcpu_info where it is. */
			spin_lock(&v->lock);
			log_err("  vcpu %u: cpu %u%s, pause flags %#x count %d, upcall pending %u "
				"mask %u\n",
				v->id, v->processor, v->is_running ? " running" : "",
				v->pause_flags, v->pause_count, v->vcpu_info->evtchn_upcall_pending,
				v->vcpu_info->evtchn_upcall_mask);
			spin_unlock(&v->lock);
		}
	}
	spin_unlock(&domlist_lock);
}

void domain_subsystem_init(void)
{
	dom_xen = special_domain(DOMID_XEN);
	dom_io = special_domain(DOMID_IO);
	idle_domain = special_domain(DOMID_IDLE);
	idle_domain->is_idle = true;
	idle_domain->max_vcpus = HV_MAX_VCPUS;
	idle_domain->vcpus = hv_alloc(HV_MAX_VCPUS * sizeof(struct vcpu *));
	if (!idle_domain->vcpus || arch_domain_create(idle_domain, NULL))
		panic("not enough memory for the idle domain");
	debug_key_register('q', "domains and vCPUs", domain_dump_all);
}
