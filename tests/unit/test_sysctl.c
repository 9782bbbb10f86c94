/* SPDX-License-Identifier: MIT */
/* Sysctl operations over simulated domains: the version, the CPU pool, lists, CPU sets, the log. */
/* links: hypervisor/core/hypercall/sysctl.c hypervisor/core/hypercall/control.c hypervisor/core/hypercall/sysctl_system.c hypervisor/core/hypercall/sysctl_topology.c */
/* links: hypervisor/core/hypercall/sysctl_cpupool.c hypervisor/core/hypercall/domctl_vcpu.c hypervisor/lib/bitmap.c */
#include "core/hypercall/sysctl.h"
#include "control_sim.h"
#include "hv/arch/control.h"
#include "hv/arch/guest.h"
#include "hv/arch/time.h"
#include "hv/hypercall_handlers.h"
#include "hv/console.h"
#include "hv/page_alloc.h"
#include "hv/sched.h"

#define CPUS 11

static struct xen_sysctl op;
static const char log_text[] = "a line of the log";
static bool log_cleared;
static char keys_seen[8];

/* --- the functions that sysctl calls --- */

size_t console_read_log(char *buf, size_t len, u32 *index, bool incremental, bool clear)
{
	u32 pos = incremental ? *index : 0;
	size_t n = min(len, min((size_t)5, strlen(log_text) - pos)); /* in small pieces */

	memcpy(buf, log_text + pos, n);
	*index = pos + (u32)n;
	log_cleared |= clear;
	return n;
}

void debug_key_handle(char key)
{
	keys_seen[strlen(keys_seen)] = key;
}

unsigned int sched_id(void)
{
	return XEN_SCHEDULER_CREDIT;
}

long sched_sysctl(struct xen_sysctl_scheduler_op *o)
{
	return 0;
}

u64 cpu_idle_time(unsigned int cpu)
{
	return 1000 + cpu;
}

unsigned long page_alloc_free_count(void)
{
	return 7;
}

unsigned long page_alloc_free_in(unsigned int min_bits, unsigned int max_bits)
{
	return 3;
}

unsigned long page_claimed_total(void)
{
	return 2;
}

u64 time_tsc_khz(void)
{
	return 2000000;
}

struct domain *domain_get_next(domid_t from)
{
	for (unsigned int i = from; i < SIM_DOMAINS; i++)
		if (domain_get(sim_domain[i]))
			return sim_domain[i];
	return NULL;
}

void domain_get_info(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
	memset(info, 0, sizeof(*info));
	info->domain = d->id;
}

void arch_cpu_topology(unsigned int cpu, struct xen_sysctl_cputopo *out)
{
	*out = (struct xen_sysctl_cputopo){ cpu / 2, 0, 0 };
}

bool arch_hvm_available(void)
{
	return false;
}

void arch_physinfo(struct xen_sysctl_physinfo *out)
{
	out->capabilities |= XEN_SYSCTL_PHYSCAP_pv;
}

bool arch_pci_exists(u16 segment, u8 bus, u8 devfn)
{
	return bus == 0;
}

long arch_sysctl(struct xen_sysctl *o, bool *copyback)
{
	return -ENOSYS;
}

int vcpu_set_hard_affinity(struct vcpu *v, const cpumask_t *m)
{
	return 0;
}

int vcpu_set_soft_affinity(struct vcpu *v, const cpumask_t *m)
{
	return 0;
}

int vcpu_set_context(struct vcpu *v, const vcpu_guest_context_t *ctx)
{
	return 0;
}

int vcpu_reset(struct vcpu *v)
{
	return 0;
}

void arch_vcpu_get_context(struct vcpu *v, vcpu_guest_context_t *ctx)
{
}

void vcpu_pause(struct vcpu *v)
{
}

void vcpu_unpause(struct vcpu *v)
{
}

void domain_pause(struct domain *d)
{
}

void domain_unpause(struct domain *d)
{
}

/* --- tests --- */

static int setup(void **state)
{
	sim_domains_create(64);
	host_cpus_init(CPUS);
	sim_run_as(0, 0);
	memset(keys_seen, 0, sizeof(keys_seen));
	log_cleared = false;
	return 0;
}

static int teardown(void **state)
{
	for (unsigned int i = 0; i < SIM_DOMAINS; i++) {
		assert_int_equal(sim_domain[i]->refcount, 1);
		sim_domain_free(sim_domain[i]);
	}
	assert_int_equal(host_allocs_live, 0);
	return 0;
}

static void op_begin(u32 cmd)
{
	memset(&op, 0, sizeof(op));
	op.cmd = cmd;
	op.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
}

static long run(void)
{
	long ret = do_sysctl((unsigned long)&op, 0, 0, 0, 0, 0);

	assert_int_equal(host_locks_held(), 0);
	return ret;
}

static void only_the_right_version_is_run(void **state)
{
	sim_run_as(0, 0);
	op_begin(XEN_SYSCTL_sched_id);
	op.interface_version++;
	assert_int_equal(run(), -EACCES);
	op_begin(XEN_SYSCTL_sched_id);
	assert_int_equal(run(), 0);
	assert_int_equal(op.u.sched_id.sched_id, XEN_SCHEDULER_CREDIT);
	op_begin(~0U);
	assert_int_equal(run(), -ENOSYS);
	op_begin(0);
	assert_int_equal(run(), -ENOSYS);
	op_begin(XEN_SYSCTL_livepatch_op);
	assert_int_equal(run(), -EOPNOTSUPP);
}

static void pool_op(u32 what, u32 pool, u8 *bitmap, u32 bits)
{
	op_begin(XEN_SYSCTL_cpupool_op);
	op.u.cpupool_op.op = what;
	op.u.cpupool_op.cpupool_id = pool;
	op.u.cpupool_op.cpumap.bitmap.p = bitmap;
	op.u.cpupool_op.cpumap.nr_bits = bits;
}

static void walking_the_pools_finds_one_with_all_cpus_and_domains(void **state)
{
	u8 map[4] = { 0xaa, 0xaa, 0xaa, 0xaa };

	pool_op(XEN_SYSCTL_CPUPOOL_OP_INFO, 0, map, 24);
	assert_int_equal(run(), 0);
	assert_int_equal(op.u.cpupool_op.cpupool_id, 0);
	assert_int_equal(op.u.cpupool_op.sched_id, XEN_SCHEDULER_CREDIT);
	assert_int_equal(op.u.cpupool_op.n_dom, SIM_DOMAINS);
	assert_int_equal(map[0], 0xff);
	assert_int_equal(map[1], 0x07);
	assert_int_equal(map[2], 0);
	assert_int_equal(map[3], 0xaa); /* past the given size */
	pool_op(XEN_SYSCTL_CPUPOOL_OP_INFO, 1, map, 24);
	assert_int_equal(run(), -ENOENT);
	pool_op(XEN_SYSCTL_CPUPOOL_OP_FREEINFO, 0, map, 24);
	assert_int_equal(run(), 0);
	assert_int_equal(map[0] | map[1] | map[2], 0);
	pool_op(XEN_SYSCTL_CPUPOOL_OP_INFO, 0, map, ~0U);
	assert_int_equal(run(), -EINVAL);
}

static void the_pool_cannot_be_changed(void **state)
{
	static const struct {
		u32 op, pool, cpu, domid;
		long ret;
	} cases[] = {
		{ XEN_SYSCTL_CPUPOOL_OP_CREATE, 0, 0, 0, -EEXIST },
		{ XEN_SYSCTL_CPUPOOL_OP_CREATE, XEN_SYSCTL_CPUPOOL_PAR_ANY, 0, 0, -EOPNOTSUPP },
		{ XEN_SYSCTL_CPUPOOL_OP_DESTROY, 0, 0, 0, -EBUSY },
		{ XEN_SYSCTL_CPUPOOL_OP_DESTROY, 3, 0, 0, -ENOENT },
		{ XEN_SYSCTL_CPUPOOL_OP_ADDCPU, 0, 1, 0, -ENODEV },
		{ XEN_SYSCTL_CPUPOOL_OP_ADDCPU, 0, CPUS, 0, -EINVAL },
		{ XEN_SYSCTL_CPUPOOL_OP_RMCPU, 0, 1, 0, -EBUSY },
		{ XEN_SYSCTL_CPUPOOL_OP_RMCPU, 1, 1, 0, -ENOENT },
		{ XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, 0, 0, 1, 0 },
		{ XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, 0, 0, 99, -EINVAL },
		{ XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, 0, 0, 0x10001, -EINVAL },
		{ 0, 0, 0, 0, -ENOSYS },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		pool_op(cases[i].op, cases[i].pool, NULL, 0);
		op.u.cpupool_op.cpu = cases[i].cpu;
		op.u.cpupool_op.domid = cases[i].domid;
		assert_int_equal(run(), cases[i].ret);
	}
}

static void cpu_sets_keep_to_their_bits(void **state)
{
	u8 map[HV_MAX_CPUS / 8 + 4];
	struct xenctl_bitmap b = { .bitmap.p = map, .nr_bits = 5 };
	cpumask_t mask;

	memset(map, 0xff, sizeof(map));
	assert_int_equal(cpumask_from_guest(&mask, &b), 0);
	assert_int_equal(mask.bits[0], 0x1f);
	cpumask_fill(&mask);
	memset(map, 0, sizeof(map));
	b.nr_bits = 9;
	assert_int_equal(cpumask_to_guest(&b, &mask), 0);
	assert_int_equal(map[0], 0xff);
	assert_int_equal(map[1], 0x01);
	assert_int_equal(map[2], 0);
	memset(map, 0xff, sizeof(map));
	b.nr_bits = HV_MAX_CPUS + 20;
	assert_int_equal(cpumask_to_guest(&b, &mask), 0);
	assert_int_equal(map[HV_MAX_CPUS / 8], 0);
	assert_int_equal(map[HV_MAX_CPUS / 8 + 2], 0);
	assert_int_equal(map[HV_MAX_CPUS / 8 + 3], 0xff);
}

static void domains_are_listed_from_the_first_one_asked_for(void **state)
{
	struct xen_domctl_getdomaininfo list[SIM_DOMAINS + 1];

	memset(list, 0xff, sizeof(list));
	op_begin(XEN_SYSCTL_getdomaininfolist);
	op.u.getdomaininfolist.first_domain = 1;
	op.u.getdomaininfolist.max_domains = ~0U;
	op.u.getdomaininfolist.buffer.p = list;
	assert_int_equal(run(), 0);
	assert_int_equal(op.u.getdomaininfolist.num_domains, SIM_DOMAINS - 1);
	assert_int_equal(list[0].domain, 1);
	assert_int_equal(list[SIM_DOMAINS - 1].domain, 0xffff);
	op_begin(XEN_SYSCTL_getdomaininfolist);
	op.u.getdomaininfolist.max_domains = 2;
	op.u.getdomaininfolist.buffer.p = list;
	assert_int_equal(run(), 0);
	assert_int_equal(op.u.getdomaininfolist.num_domains, 2);
}

static void topology_without_an_array_says_how_many_cpus(void **state)
{
	xen_sysctl_cputopo_t topo[CPUS + 1] = { 0 };

	cpumask_clear_cpu(2, &cpu_online_map);
	op_begin(XEN_SYSCTL_cputopoinfo);
	assert_int_equal(run(), 0);
	assert_int_equal(op.u.cputopoinfo.num_cpus, CPUS);
	op.u.cputopoinfo.num_cpus = 5;
	op.u.cputopoinfo.cputopo.p = topo;
	assert_int_equal(run(), 0);
	assert_int_equal(op.u.cputopoinfo.num_cpus, CPUS);
	assert_int_equal(topo[2].core, XEN_INVALID_CORE_ID);
	assert_int_equal(topo[2].node, XEN_INVALID_NODE_ID);
	assert_int_equal(topo[4].core, 2);
	assert_int_equal(topo[5].core, 0); /* no room: not written */
}

static void devices_are_on_the_one_node_or_unknown(void **state)
{
	physdev_pci_device_t devs[3] = { { .bus = 0 }, { .bus = 9 }, { .bus = 0 } };
	u32 nodes[3] = { 5, 5, 5 };

	op_begin(XEN_SYSCTL_pcitopoinfo);
	op.u.pcitopoinfo.num_devs = 3;
	op.u.pcitopoinfo.devs.p = devs;
	op.u.pcitopoinfo.nodes.p = nodes;
	assert_int_equal(run(), 0);
	assert_int_equal(op.u.pcitopoinfo.num_devs, 3);
	assert_int_equal(nodes[0], 0);
	assert_int_equal(nodes[1], XEN_INVALID_DEV);
	sim_preempt = true;
	assert_int_equal(run(), 0);
	assert_int_equal(op.u.pcitopoinfo.num_devs, 1); /* the caller continues */
}

static void memory_is_told_as_one_node(void **state)
{
	xen_sysctl_meminfo_t mem[2] = { 0 };
	u32 distance[4] = { 0 };

	op_begin(XEN_SYSCTL_numainfo);
	assert_int_equal(run(), 0);
	assert_int_equal(op.u.numainfo.num_nodes, 1);
	op.u.numainfo.num_nodes = 2;
	op.u.numainfo.meminfo.p = mem;
	op.u.numainfo.distance.p = distance;
	assert_int_equal(run(), 0);
	assert_int_equal(mem[0].memsize, 64 << PAGE_SHIFT);
	assert_int_equal(mem[0].memfree, 7 << PAGE_SHIFT);
	assert_int_equal(distance[0], 10);
	op_begin(XEN_SYSCTL_physinfo);
	assert_int_equal(run(), 0);
	assert_int_equal(op.u.physinfo.nr_cpus, CPUS);
	assert_int_equal(op.u.physinfo.free_pages, 7);
	assert_int_equal(op.u.physinfo.capabilities,
			 XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_gnttab_v1);
	op_begin(XEN_SYSCTL_availheap);
	op.u.availheap.node = -1;
	assert_int_equal(run(), 0);
	assert_int_equal(op.u.availheap.avail_bytes, 3 << PAGE_SHIFT);
	op.u.availheap.node = 1;
	assert_int_equal(run(), -EINVAL);
}

static bool fault_everywhere(const void *addr, size_t size)
{
	return addr != &op;
}

static void the_log_is_cleared_only_when_it_arrived(void **state)
{
	char buf[64];

	memset(buf, 0, sizeof(buf));
	op_begin(XEN_SYSCTL_readconsole);
	op.u.readconsole.clear = 1;
	op.u.readconsole.buffer.p = buf;
	op.u.readconsole.count = ~0U;
	host_guest_fault = fault_everywhere;
	assert_int_equal(run(), -EFAULT);
	host_guest_fault = NULL;
	assert_false(log_cleared);
	assert_int_equal(run(), 0);
	assert_true(log_cleared);
	assert_int_equal(op.u.readconsole.count, strlen(log_text));
	assert_int_equal(op.u.readconsole.index, strlen(log_text));
	assert_string_equal(buf, log_text);
}

static void the_log_is_cleared_by_who_has_read_it_in_pieces(void **state)
{
	char buf[64];

	op_begin(XEN_SYSCTL_readconsole);
	op.u.readconsole.incremental = 1;
	op.u.readconsole.index = (u32)strlen(log_text);
	op.u.readconsole.clear = 1;
	op.u.readconsole.buffer.p = buf;
	op.u.readconsole.count = sizeof(buf);
	assert_int_equal(run(), 0);
	assert_int_equal(op.u.readconsole.count, 0);
	assert_true(log_cleared);
}

static void debug_keys_are_handled_in_order(void **state)
{
	char keys[] = "hq";

	op_begin(XEN_SYSCTL_debug_keys);
	op.u.debug_keys.keys.p = keys;
	op.u.debug_keys.nr_keys = 2;
	assert_int_equal(run(), 0);
	assert_string_equal(keys_seen, "hq");
}

static void idle_times_are_of_as_many_cpus_as_asked_for(void **state)
{
	xen_sysctl_cpuinfo_t info[CPUS + 1] = { 0 };

	op_begin(XEN_SYSCTL_getcpuinfo);
	op.u.getcpuinfo.max_cpus = ~0U;
	op.u.getcpuinfo.info.p = info;
	assert_int_equal(run(), 0);
	assert_int_equal(op.u.getcpuinfo.nr_cpus, CPUS);
	assert_int_equal(info[CPUS - 1].idletime, 1000 + CPUS - 1);
	assert_int_equal(info[CPUS].idletime, 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_the_right_version_is_run),
		TEST(walking_the_pools_finds_one_with_all_cpus_and_domains),
		TEST(the_pool_cannot_be_changed),
		TEST(cpu_sets_keep_to_their_bits),
		TEST(domains_are_listed_from_the_first_one_asked_for),
		TEST(topology_without_an_array_says_how_many_cpus),
		TEST(devices_are_on_the_one_node_or_unknown),
		TEST(memory_is_told_as_one_node),
		TEST(the_log_is_cleared_only_when_it_arrived),
		TEST(the_log_is_cleared_by_who_has_read_it_in_pieces),
		TEST(debug_keys_are_handled_in_order),
		TEST(idle_times_are_of_as_many_cpus_as_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
