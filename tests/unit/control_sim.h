/* SPDX-License-Identifier: MIT */
/*
 * Simulated domains for tests of event channels and grants: the few parts of core/domain/domain.c
 * and of the dispatcher that these need.
 */
#ifndef UNIT_CONTROL_SIM_H
#define UNIT_CONTROL_SIM_H

#include <stdlib.h>
#include <string.h>
#include "host/host.h"
#include "hv/arch/guest_access.h"
#include "hv/atomic.h"
#include "hv/domain.h"
#include "hv/hv_heap.h"
#include "hv/hypercall.h"
#include "lib/errno.h"
#include "unit.h"

#define SIM_DOMAINS 4
#define SIM_VCPUS   3

static struct domain *sim_domain[SIM_DOMAINS];
static bool sim_preempt; /* the result of hypercall_preempt_check() */
struct domain *dom0;

static void sim_domains_create(unsigned int ram_pages)
{
	host_cpus_init(1);
	host_ram_init(ram_pages);
	for (unsigned int i = 0; i < SIM_DOMAINS; i++) {
		struct domain *d = hv_alloc_pages(1);

		_Static_assert(sizeof(struct domain) <= 2 * PAGE_SIZE, "two pages");
		d->id = (domid_t)i;
		d->refcount = 1;
		d->is_privileged = i == 0;
		d->max_vcpus = SIM_VCPUS;
		spin_lock_init(&d->lock, LOCK_DOMAIN);
		d->vcpus = hv_alloc(SIM_VCPUS * sizeof(*d->vcpus));
		d->shared_info = hv_alloc_pages(0);
		for (unsigned int n = 0; n < SIM_VCPUS; n++) {
			struct vcpu *v = hv_alloc(sizeof(*v));

			v->id = n;
			v->domain = d;
			v->vcpu_info = (vcpu_info_t *)&d->shared_info->vcpu_info[n];
			d->vcpus[n] = v;
		}
		sim_domain[i] = d;
	}
	dom0 = sim_domain[0];
	sim_preempt = false;
}

static void sim_domain_free(struct domain *d)
{
	for (unsigned int n = 0; n < SIM_VCPUS; n++)
		hv_free(d->vcpus[n]);
	hv_free(d->vcpus);
	hv_free_pages(d->shared_info, 0);
	hv_free_pages(d, 1);
}

static void sim_run_as(unsigned int domain, unsigned int vcpu)
{
	current = sim_domain[domain]->vcpus[vcpu];
}

bool domain_get(struct domain *d)
{
	if (!d->refcount)
		return false;
	d->refcount++;
	return true;
}

void domain_put(struct domain *d)
{
	assert_true(d->refcount > 0);
	d->refcount--;
}

struct domain *domain_get_by_id(domid_t id)
{
	struct domain *d = id < SIM_DOMAINS ? sim_domain[id] : NULL;

	return d && domain_get(d) ? d : NULL;
}

struct domain *hypercall_target(unsigned int id, int *err)
{
	struct domain *d = id == DOMID_SELF ? current->domain :
			   id < SIM_DOMAINS ? sim_domain[id] :
					      NULL;

	*err = !d ? -ESRCH : -EPERM;
	if (!d || (d != current->domain && !current->domain->is_privileged))
		return NULL;
	return domain_get(d) ? d : NULL;
}

bool hypercall_preempt_check(void)
{
	return sim_preempt;
}

long subop_dispatch(const struct subop *table, unsigned int rows, unsigned int op,
		    void __guest *arg)
{
	u64 copy[SUBOP_MAX_SIZE / sizeof(u64)];
	long ret;

	if (op >= rows || !table[op].fn)
		return -ENOSYS;
	if (table[op].access == CALL_DOM0 && !current->domain->is_privileged)
		return -EPERM;
	assert_true(table[op].size <= sizeof(copy));
	if (copy_from_guest(copy, arg, table[op].size))
		return -EFAULT;
	ret = table[op].fn(copy);
	assert_int_equal(host_locks_held(), 0);
	if ((table[op].flags & SUBOP_OUT) && (ret >= 0 || ret == -ERESTART) &&
	    copy_to_guest(arg, copy, table[op].size))
		return -EFAULT;
	return ret;
}

#endif
