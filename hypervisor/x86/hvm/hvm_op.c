/* SPDX-License-Identifier: MIT */
/* The hypercall hvm_op (xen/hvm/hvm_op.h), and the parameters of a domain (xen/hvm/params.h). */
#include "hv/hypercall.h"

#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include "hv/arch/guest_access.h"
#include "hv/atomic.h"
#include "hv/speculation.h"
#include "hypercall_table.h"
#include "lib/errno.h"
#include "x86/hvm/apic.h"
#include "x86/hvm/p2m.h"

/* Who may set and read a parameter: its domain itself, or only the domain's controller. */
enum { GUEST_SETS = 1, GUEST_READS = 2, TOOLS = 4, ONCE = 8 };
#define BOTH (GUEST_SETS | GUEST_READS | TOOLS)

static const u8 params[HVM_NR_PARAMS] = {
	[HVM_PARAM_CALLBACK_IRQ] = BOTH,
	[HVM_PARAM_STORE_PFN] = GUEST_READS | TOOLS,
	[HVM_PARAM_STORE_EVTCHN] = GUEST_READS | TOOLS,
	[HVM_PARAM_IOREQ_PFN] = TOOLS,
	[HVM_PARAM_BUFIOREQ_PFN] = TOOLS,
	[HVM_PARAM_BUFIOREQ_EVTCHN] = TOOLS,
	[HVM_PARAM_VIRIDIAN] = TOOLS,
	[HVM_PARAM_ALTP2M] = TOOLS,
	[HVM_PARAM_TIMER_MODE] = TOOLS,
	[HVM_PARAM_HPET_ENABLED] = TOOLS,
	[HVM_PARAM_IDENT_PT] = TOOLS,
	[HVM_PARAM_ACPI_S_STATE] = TOOLS,
	[HVM_PARAM_VM86_TSS] = BOTH,
	[HVM_PARAM_VM86_TSS_SIZED] = BOTH,
	[HVM_PARAM_VPT_ALIGN] = TOOLS,
	[HVM_PARAM_CONSOLE_PFN] = GUEST_READS | TOOLS,
	[HVM_PARAM_CONSOLE_EVTCHN] = GUEST_READS | TOOLS,
	[HVM_PARAM_ACPI_IOPORTS_LOCATION] = BOTH,
	[HVM_PARAM_PAGING_RING_PFN] = TOOLS,
	[HVM_PARAM_MONITOR_RING_PFN] = TOOLS,
	[HVM_PARAM_SHARING_RING_PFN] = TOOLS,
	[HVM_PARAM_TRIPLE_FAULT_REASON] = TOOLS,
	[HVM_PARAM_IOREQ_SERVER_PFN] = TOOLS | ONCE,
	[HVM_PARAM_NR_IOREQ_SERVER_PAGES] = TOOLS | ONCE,
	[HVM_PARAM_VM_GENERATION_ID_ADDR] = BOTH,
	[HVM_PARAM_X87_FIP_WIDTH] = TOOLS,
	[HVM_PARAM_MCA_CAP] = TOOLS,
};

/* Only by a vector: there is no interrupt controller for lines, and no PCI bus. */
static int set_callback(struct domain *d, u64 value)
{
	u64 type = value >> 56, vector = value & 0xff;

	if (type != HVM_PARAM_CALLBACK_TYPE_VECTOR) {
		/* Linux writes 1 here to say that its vCPUs have vectors of their own. */
		WRITE_ONCE(d->arch->hvm->callback_vector, 0);
		return 0;
	}
	if (vector < 16)
		return -EINVAL;
	WRITE_ONCE(d->arch->hvm->callback_vector, (u8)vector);
	return 0;
}

static int check_value(u32 index, u64 value)
{
	switch (index) {
	case HVM_PARAM_TIMER_MODE:
		return value > HVMPTM_one_missed_tick_pending ? -EINVAL : 0;
	case HVM_PARAM_ACPI_S_STATE:
		/* Nothing here sleeps: the state is S0. */
		return value ? -EOPNOTSUPP : 0;
	case HVM_PARAM_TRIPLE_FAULT_REASON:
		return value > SHUTDOWN_MAX ? -EINVAL : 0;
	case HVM_PARAM_X87_FIP_WIDTH:
		return value == 0 || value == 4 || value == 8 ? 0 : -EINVAL;
	case HVM_PARAM_MCA_CAP:
	case HVM_PARAM_VIRIDIAN:
	case HVM_PARAM_ALTP2M:
		/* None of them is offered. */
		return value ? -EOPNOTSUPP : 0;
	default:
		return 0;
	}
}

static int param_set(struct domain *d, u32 index, u64 value)
{
	struct hvm_domain *hd = d->arch->hvm;
	bool own = d == current->domain;
	int err = check_value(index, value);

	if (err)
		return err;
	if (!(params[index] & (own ? GUEST_SETS : TOOLS)))
		return params[index] ? -EPERM : -EINVAL;
	spin_lock(&d->lock);
	if ((params[index] & ONCE) && hd->params[index] && hd->params[index] != value)
		err = -EEXIST;
	else if (index == HVM_PARAM_CALLBACK_IRQ)
		err = set_callback(d, value);
	if (!err)
		hd->params[index] = value;
	spin_unlock(&d->lock);
	return err;
}

static int param_get(struct domain *d, u32 index, u64 *value)
{
	if (!(params[index] & (d == current->domain ? GUEST_READS : TOOLS)))
		return params[index] ? -EPERM : -EINVAL;
	spin_lock(&d->lock);
	*value = d->arch->hvm->params[index];
	spin_unlock(&d->lock);
	return 0;
}

/* The domain, if it is one with parameters; a reference is held. */
static struct domain *target(domid_t id, int *err)
{
	struct domain *d = hypercall_target(id, err);

	if (d && !d->arch->hvm) {
		domain_put(d);
		*err = -EINVAL;
		return NULL;
	}
	return d;
}

static long op_param(void *arg, bool set)
{
	struct xen_hvm_param *p = arg;
	struct domain *d;
	int err;

	if (p->index >= HVM_NR_PARAMS)
		return -EINVAL;
	p->index = (u32)index_below(p->index, HVM_NR_PARAMS);
	d = target(p->domid, &err);
	if (!d)
		return err;
	err = set ? param_set(d, p->index, p->value) : param_get(d, p->index, &p->value);
	domain_put(d);
	return err;
}

static long op_set_param(void *arg)
{
	return op_param(arg, true);
}

static long op_get_param(void *arg)
{
	return op_param(arg, false);
}

/* A vector of the vCPU's own for its events, which goes through its APIC. 0: none. */
static long op_upcall_vector(void *arg)
{
	const struct xen_hvm_evtchn_upcall_vector *op = arg;
	struct domain *d = current->domain;
	struct vcpu *v;

	if (!d->arch->hvm || (op->vector && op->vector < 16))
		return -EINVAL;
	v = op->vcpu < d->max_vcpus ? d->vcpus[index_below(op->vcpu, d->max_vcpus)] : NULL;
	if (!v)
		return -ENOENT;
	WRITE_ONCE(hvm_of(v)->upcall_vector, op->vector);
	return 0;
}

static long op_get_mem_type(void *arg)
{
	struct xen_hvm_get_mem_type *op = arg;
	enum p2m_type type;
	struct domain *d;
	int err;

	d = target(op->domid, &err);
	if (!d)
		return err;
	(void)p2m_lookup(d, GFN(op->pfn), &type);
	op->mem_type = type == P2M_RAM_RW || type == P2M_RAM_LOGDIRTY ? HVMMEM_ram_rw :
		       type == P2M_RAM_RO || type == P2M_GRANT_RO     ? HVMMEM_ram_ro :
		       type == P2M_GRANT_RW			      ? HVMMEM_ram_rw :
									HVMMEM_mmio_dm;
	domain_put(d);
	return 0;
}

/* A guest says that it frees page tables: of no use to a host that keeps no copies of them. */
static long op_pagetable_dying(void *arg)
{
	const struct xen_hvm_pagetable_dying *op = arg;

	return current->domain->arch->hvm && op->domid == DOMID_SELF ? 0 : -EINVAL;
}

static long op_guest_request(void *arg)
{
	return -EOPNOTSUPP;
}

static const struct subop hvm_ops[] = {
	[HVMOP_set_param] = { op_set_param, sizeof(struct xen_hvm_param), CALL_ANY, 0 },
	[HVMOP_get_param] = { op_get_param, sizeof(struct xen_hvm_param), CALL_ANY, SUBOP_OUT },
	[HVMOP_pagetable_dying] = { op_pagetable_dying, sizeof(struct xen_hvm_pagetable_dying),
				    CALL_ANY, 0 },
	[HVMOP_get_mem_type] = { op_get_mem_type, sizeof(struct xen_hvm_get_mem_type), CALL_ANY,
				 SUBOP_OUT },
	[HVMOP_set_evtchn_upcall_vector] = { op_upcall_vector,
					     sizeof(struct xen_hvm_evtchn_upcall_vector), CALL_ANY,
					     0 },
	[HVMOP_guest_request_vm_event] = { op_guest_request, 0, CALL_ANY, 0 },
};

long do_hvm_op(unsigned long cmd, unsigned long arg, unsigned long a2, unsigned long a3,
	       unsigned long a4, unsigned long a5)
{
	return subop_dispatch(hvm_ops, ARRAY_SIZE(hvm_ops), (unsigned int)cmd, (void __guest *)arg);
}
