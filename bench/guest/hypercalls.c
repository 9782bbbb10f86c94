/* SPDX-License-Identifier: MIT */
/*
 * What each operation of a PV guest costs, in instructions, the guest's own few for the call
 * included. It runs as Domain-0, alone, and as a guest that xl started: the paths are the same but
 * for who else is there.
 *
 * Each row is a loop of CALLS, of which the same loop without the operation is subtracted. To look
 * into one of them (bench/profile): "only=NAME" on the command line does that row alone, and "mark"
 * writes a byte to MARK_PORT around its last round, which stops the emulator there.
 */
#include "bench.h"

#define CALLS	  100
#define FIRST_REF 64
#define MARK_PORT 0x505 /* pvpanic's (QEMU's docs/specs/pvpanic.txt) */

static bool wanted(const char *name)
{
	return !bench_has_word("only") || bench_has_word(name);
}

static void mark(void)
{
	__asm__ volatile("outb %%al, %%dx" ::"a"(1), "d"(MARK_PORT) : "memory");
}

/* The row `name`: `body` less `rest`, what of it belongs to the measuring. */
#define ROW(name, body, rest)                                                           \
	do {                                                                            \
		if (wanted(name)) {                                                     \
			uint64_t full_ = LEAST(CALLS, body), own_ = LEAST(CALLS, rest); \
			if (bench_has_word("mark")) {                                   \
				mark();                                                 \
				for (unsigned int i = 0; i < CALLS; i++) {              \
					body;                                           \
				}                                                       \
				mark();                                                 \
			}                                                               \
			bench_report(name, full_ - own_, CALLS);                        \
		}                                                                       \
	} while (0)

static inline void must(long ret, long want, const char *what)
{
	if (ret != want)
		bench_die(what, (uint64_t)ret);
}

static void measure_calls(void)
{
	ROW("null_hypercall", hc2(__HYPERVISOR_xen_version, XENVER_version, 0), );
	ROW("sched_yield", hc2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0), );
}

/* --- events --- */

static unsigned int local_port, far_port;

/* A channel from this guest to itself. */
static void connect_to_self(void)
{
	evtchn_alloc_unbound_t alloc = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
	evtchn_bind_interdomain_t bind = { .remote_dom = DOMID_SELF };

	must(bench_evtchn_op(EVTCHNOP_alloc_unbound, &alloc), 0, "EVTCHNOP_alloc_unbound");
	bind.remote_port = alloc.port;
	must(bench_evtchn_op(EVTCHNOP_bind_interdomain, &bind), 0, "EVTCHNOP_bind_interdomain");
	far_port = alloc.port;
	local_port = bind.local_port;
	bench_port_unmask(far_port);
	bench_port_clear(far_port);
}

/* Everything that a send sets, so that the next one sets it again. No upcall: events stay off. */
static inline void forget_event(void)
{
	shared_info->evtchn_pending[far_port / 64] = 0;
	shared_info->vcpu_info[0].evtchn_pending_sel = 0;
	shared_info->vcpu_info[0].evtchn_upcall_pending = 0;
}

static void measure_events(void)
{
	evtchn_send_t send;

	connect_to_self();
	send.port = local_port;
	forget_event();
	must(bench_evtchn_op(EVTCHNOP_send, &send), 0, "EVTCHNOP_send");
	if (!bench_port_pending(far_port))
		bench_die("the event does not arrive at port", far_port);
	ROW(
		"evtchn_send_fresh",
		{
			forget_event();
			bench_evtchn_op(EVTCHNOP_send, &send);
		},
		forget_event());
	ROW("evtchn_send_pending", bench_evtchn_op(EVTCHNOP_send, &send), );
}

/* --- page tables --- */

static void measure_page_tables(void)
{
	char *window = page_take();
	uint64_t entry[2] = { virt_to_mfn(page_take()) << 12 | 0x67,
			      virt_to_mfn(page_take()) << 12 | 0x67 };
	volatile uint64_t *l1_entry = entry_of(window, 1);
	mmu_update_t update = { .ptr = l1_entry_maddr(window) | MMU_NORMAL_PT_UPDATE };

	/* Another frame each time: a reference and a type to take, one of each to give back. */
	update.val = entry[0];
	must(hc4(__HYPERVISOR_mmu_update, &update, 1, 0, DOMID_SELF), 0, "mmu_update");
	ROW(
		"mmu_update",
		{
			update.val = entry[i & 1];
			hc4(__HYPERVISOR_mmu_update, &update, 1, 0, DOMID_SELF);
		},
		{ update.val = entry[i & 1]; });
	/* The frame stays, a protection changes: what mprotect and the dirty bits of a guest do. */
	ROW(
		"mmu_update_flags",
		{
			update.val = entry[0] & ~(uint64_t)((i & 1) << 1);
			hc4(__HYPERVISOR_mmu_update, &update, 1, 0, DOMID_SELF);
		},
		{ update.val = entry[0] & ~(uint64_t)((i & 1) << 1); });
	must(hc3(__HYPERVISOR_update_va_mapping, window, entry[0], UVMF_INVLPG), 0,
	     "update_va_mapping");
	ROW("update_va_mapping",
	    hc3(__HYPERVISOR_update_va_mapping, window, entry[i & 1], UVMF_INVLPG),
	    __asm__ volatile("" ::"r"(entry[i & 1])));
	/* A write to a page table that is mapped read-only: trapped, and done by the hypervisor. */
	ROW("pte_write_trapped", *l1_entry = entry[i & 1],
	    __asm__ volatile("" ::"r"(entry[i & 1])));
}

/* --- grants --- */

static grant_entry_v1_t *grants;

static long grant_op(unsigned int cmd, void *arg)
{
	return hc3(__HYPERVISOR_grant_table_op, cmd, arg, 1);
}

static void grant(unsigned int ref, domid_t to, const void *page)
{
	grants[ref].domid = to;
	grants[ref].frame = (uint32_t)virt_to_mfn(page);
	__atomic_store_n(&grants[ref].flags, GTF_permit_access, __ATOMIC_SEQ_CST);
}

static void map_grant_table(void)
{
	xen_pfn_t frames[1] = { 0 };
	gnttab_setup_table_t setup = { .dom = DOMID_SELF, .nr_frames = 1 };

	set_xen_guest_handle(setup.frame_list, frames);
	must(grant_op(GNTTABOP_setup_table, &setup), 0, "GNTTABOP_setup_table");
	must(setup.status, GNTST_okay, "GNTTABOP_setup_table");
	grants = page_take();
	must(hc3(__HYPERVISOR_update_va_mapping, grants, frames[0] << 12 | 0x67, UVMF_INVLPG), 0,
	     "update_va_mapping");
}

static void measure_grants(void)
{
	domid_t self = bench_own_domid();
	char *from = page_take(), *to = page_take(), *window = page_take();
	gnttab_copy_t copy = { .source = { .u.ref = FIRST_REF, .domid = self },
			       .dest = { .u.gmfn = virt_to_mfn(to), .domid = DOMID_SELF },
			       .len = PAGE_SIZE,
			       .flags = GNTCOPY_source_gref };
	gnttab_map_grant_ref_t map = { .host_addr = (uint64_t)window,
				       .flags = GNTMAP_host_map,
				       .ref = FIRST_REF,
				       .dom = self };
	gnttab_unmap_grant_ref_t unmap = { .host_addr = (uint64_t)window };

	map_grant_table();
	grant(FIRST_REF, self, from);
	memset(from, 0x5a, PAGE_SIZE);
	must(grant_op(GNTTABOP_copy, &copy), 0, "GNTTABOP_copy");
	must(copy.status, GNTST_okay, "GNTTABOP_copy");
	if (memcmp(from, to, PAGE_SIZE))
		bench_die("a grant copy of something else, from page", (uint64_t)from / PAGE_SIZE);
	ROW("grant_copy_4k", grant_op(GNTTABOP_copy, &copy), );
	must(grant_op(GNTTABOP_map_grant_ref, &map), 0, "GNTTABOP_map_grant_ref");
	must(map.status, GNTST_okay, "GNTTABOP_map_grant_ref");
	unmap.handle = map.handle;
	must(grant_op(GNTTABOP_unmap_grant_ref, &unmap), 0, "GNTTABOP_unmap_grant_ref");
	must(unmap.status, GNTST_okay, "GNTTABOP_unmap_grant_ref");
	ROW(
		"grant_map_unmap",
		{
			grant_op(GNTTABOP_map_grant_ref, &map);
			unmap.handle = map.handle;
			grant_op(GNTTABOP_unmap_grant_ref, &unmap);
		},
		{ unmap.handle = map.handle; });
	must(map.status, GNTST_okay, "GNTTABOP_map_grant_ref");
	must(unmap.status, GNTST_okay, "GNTTABOP_unmap_grant_ref");
}

/* --- exceptions --- */

/* The shortest handler that there can be: steps over the two bytes of UD2 and goes back by the
 * hypercall. */
extern char bounce_handler[];
__asm__(".pushsection .text\n"
	"bounce_handler:\n\t"
	"popq	%rcx\n\t"
	"popq	%r11\n\t"
	"addq	$2, (%rsp)\n\t"
	"pushq	$0\n\t" /* flags: no VGCF_in_syscall */
	"pushq	%rcx\n\t"
	"pushq	%r11\n\t"
	"pushq	%rax\n\t"
	"movl	$23, %eax\n\t" /* __HYPERVISOR_iret */
	"syscall\n"
	".popsection");

static void measure_exceptions(void)
{
	const struct trap_info traps[] = { { 6, 0, FLAT_KERNEL_CS, (unsigned long)bounce_handler },
					   { 0, 0, 0, 0 } };

	must(hc1(__HYPERVISOR_set_trap_table, traps), 0, "set_trap_table");
	ROW("ud2_bounced", __asm__ volatile("ud2" ::: "memory"), );
}

void test_main(void)
{
	physdev_set_iopl_t iopl = { .iopl = 3 };

	bench_begin();
	/* What Linux asks for, too: writes to page tables are done for it. */
	must(hc2(__HYPERVISOR_vm_assist, VMASST_CMD_enable, VMASST_TYPE_writable_pagetables), 0,
	     "vm_assist");
	if (bench_has_word("mark"))
		must(hc2(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, &iopl), 0,
		     "PHYSDEVOP_set_iopl");
	measure_calls();
	measure_events();
	measure_page_tables();
	measure_grants();
	measure_exceptions();
	bench_say("BENCH-END\n");
	bench_drain();
}
