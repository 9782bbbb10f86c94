/* SPDX-License-Identifier: MIT */
/*
 * Makes random hypercalls with hostile arguments, as many as its command line says: "seed=N
 * calls=N". It runs as a guest beside others, and proves that host and neighbours live on. A run
 * that does harm can be repeated by its seed.
 */
#include "guest.h"

static uint64_t state;
static unsigned char *arena; /* ARENA_PAGES pages of random bytes, the target of arguments */
#define ARENA_PAGES 16UL
/* Machine addresses of the L1 entries that map the arena. They are read before the first call,
 * because calls may destroy the way to them. */
static uint64_t arena_entries[ARENA_PAGES];
static grant_entry_v1_t *grants; /* the first page of the grant table */
static domid_t self;
static char own_page[PAGE_SIZE] __attribute__((aligned(4096)));
static struct vcpu_info *own_vcpu_info;
#define LOW_END 0x100000UL /* the start of this program */
#define GRANTS	(PAGE_SIZE / sizeof(grant_entry_v1_t))

static uint64_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dUL;
}

static unsigned long arena_frame(void)
{
	return virt_to_mfn(arena + rnd() % ARENA_PAGES * PAGE_SIZE);
}

/*
 * A word for a structure: something that guests name (frames, ports, references, domains), a limit,
 * or rubbish. As an address it points into the arena and never into this program, because a call
 * that writes there must not end the run: the first MiB is not mapped, and 32-bit rubbish has its
 * top bit set.
 */
static uint64_t hostile_word(void)
{
	static const uint64_t edges[] = { 0,
					  1,
					  2,
					  3,
					  7,
					  8,
					  16,
					  31,
					  32,
					  63,
					  64,
					  255,
					  256,
					  511,
					  512,
					  1023,
					  4095,
					  4096,
					  0x7fef,
					  0x7ff0,
					  0x7ff1,
					  0x7ff2,
					  0x7ff4,
					  0x7fff,
					  0xffff,
					  0x10000,
					  0x7fffffff,
					  0x80000000,
					  0xffffffff,
					  0x100000000,
					  0x7fffffffffff,
					  0x800000000000,
					  0xffff7fffffffffff,
					  0xffff800000000000,
					  0xffff828000000000,
					  0xffff87ffffffffff,
					  0xffff880000000000,
					  0x7fffffffffffffff,
					  0x8000000000000000,
					  0xffffffffffffffff };

	switch (rnd() % 10) {
	case 0:
		return rnd();
	case 1:
		return rnd() % 64;
	case 2:
		return (rnd() & 0xffffffff) | 0x80000000;
	case 3:
		return arena_frame();
	case 4:
		return arena_frame() << 12 | (rnd() & 0xfff);
	case 5:
		return (uint64_t)arena + rnd() % (ARENA_PAGES * PAGE_SIZE);
	case 6:
		/* Only entries of arena pages: the same table maps this program. */
		return arena_entries[rnd() % ARENA_PAGES] | (rnd() & 3);
	case 7:
		return 0x7ff0;
	default:
		return edges[rnd() % (sizeof(edges) / sizeof(edges[0]))];
	}
}

static void *hostile_struct(void)
{
	uint64_t *p = (uint64_t *)(arena + rnd() % (ARENA_PAGES * PAGE_SIZE - 4096) / 8 * 8);

	/* Half of them are pairs of 32-bit words, as most fields are. */
	for (unsigned int i = 0; i < 24; i++)
		p[i] = rnd() & 1 ? hostile_word() :
				   (hostile_word() & 0xffffffff) | hostile_word() << 32;
	return p;
}

static unsigned long hostile_arg(void)
{
	return rnd() % 3 ? hostile_word() : (unsigned long)hostile_struct();
}

static const unsigned char calls[] = {
	__HYPERVISOR_set_gdt,
	__HYPERVISOR_fpu_taskswitch,
	__HYPERVISOR_platform_op,
	__HYPERVISOR_set_debugreg,
	__HYPERVISOR_get_debugreg,
	__HYPERVISOR_update_descriptor,
	__HYPERVISOR_memory_op,
	__HYPERVISOR_multicall,
	__HYPERVISOR_update_va_mapping,
	__HYPERVISOR_set_timer_op,
	__HYPERVISOR_xen_version,
	__HYPERVISOR_console_io,
	__HYPERVISOR_grant_table_op,
	__HYPERVISOR_vm_assist,
	__HYPERVISOR_mmu_update,
	__HYPERVISOR_vcpu_op,
	__HYPERVISOR_set_segment_base,
	__HYPERVISOR_mmuext_op,
	__HYPERVISOR_nmi_op,
	__HYPERVISOR_event_channel_op,
	__HYPERVISOR_physdev_op,
	__HYPERVISOR_hvm_op,
	__HYPERVISOR_sysctl,
	__HYPERVISOR_domctl,
	__HYPERVISOR_update_va_mapping_otherdomain,
	__HYPERVISOR_sched_op,
	__HYPERVISOR_callback_op,
	__HYPERVISOR_dm_op,
	__HYPERVISOR_set_trap_table,
	__HYPERVISOR_argo_op,
	__HYPERVISOR_xsm_op,
	__HYPERVISOR_kexec_op,
	__HYPERVISOR_set_callbacks,
	__HYPERVISOR_sched_op_compat,
	__HYPERVISOR_event_channel_op_compat,
	__HYPERVISOR_physdev_op_compat,
};

/* Calls that would only end or stop this guest itself. */
static bool is_suicide(unsigned int nr, unsigned long a0)
{
	if (nr == __HYPERVISOR_sched_op || nr == __HYPERVISOR_sched_op_compat)
		return a0 == SCHEDOP_block || a0 == SCHEDOP_shutdown || a0 == SCHEDOP_poll ||
		       a0 == SCHEDOP_watchdog;
	if (nr == __HYPERVISOR_vcpu_op)
		return a0 == VCPUOP_down;
	/* Its output would flood the log: let 1 of 64 pass. */
	if (nr == __HYPERVISOR_console_io)
		return rnd() % 64 != 0;
	return false;
}

/* A grant of a frame of the arena, or rubbish. */
static void hostile_grant(void)
{
	grant_entry_v1_t *entry = &grants[rnd() % GRANTS];

	entry->frame = (uint32_t)hostile_word();
	entry->domid = (domid_t)(rnd() & 1 ? self : hostile_word());
	entry->flags = (uint16_t)(rnd() & 1 ? GTF_permit_access : rnd());
}

/* Maps, unmaps and copies by references and handles that may exist, at places that may be
 * allowed. */
static void plausible_grant_call(void)
{
	static const unsigned int ops[] = { GNTTABOP_map_grant_ref, GNTTABOP_unmap_grant_ref,
					    GNTTABOP_copy };
	unsigned int op = ops[rnd() % 3];
	void *arg = hostile_struct();

	if (op == GNTTABOP_map_grant_ref) {
		struct gnttab_map_grant_ref *map = arg;

		map->host_addr = rnd() & 1 ? arena_entries[rnd() % ARENA_PAGES] :
					     (uint64_t)arena + rnd() % ARENA_PAGES * PAGE_SIZE;
		map->flags = (uint32_t)(rnd() & 0x3f);
		map->ref = (grant_ref_t)(rnd() % GRANTS);
		map->dom = self;
	} else if (op == GNTTABOP_unmap_grant_ref) {
		struct gnttab_unmap_grant_ref *unmap = arg;

		unmap->host_addr = rnd() & 1 ? arena_entries[rnd() % ARENA_PAGES] : (uint64_t)arena;
		unmap->handle = (grant_handle_t)(rnd() % 64);
	} else {
		struct gnttab_copy *copy = arg;

		copy->source.u.ref = (grant_ref_t)(rnd() % GRANTS);
		copy->source.domid = self;
		copy->dest.u.gmfn = arena_frame();
		copy->dest.domid = DOMID_SELF;
		copy->flags = (uint16_t)(rnd() & 3);
		copy->len = (uint16_t)(rnd() & 4095);
	}
	hc3(__HYPERVISOR_grant_table_op, op, arg, 1 + rnd() % 3);
}

/* Up to three calls at once, without those that may stop this guest for good. */
static void fill_multicall(multicall_entry_t *entries, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		do
			entries[i].op = calls[rnd() % sizeof(calls)];
		while (entries[i].op == __HYPERVISOR_sched_op ||
		       entries[i].op == __HYPERVISOR_vcpu_op);
}

/* None of the first operations sets a new page table base: one without this program would
 * end it. */
static void fill_mmuext(struct mmuext_op *ops, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		if (rnd() % 4)
			ops[i].cmd = (unsigned int)(rnd() % 20);
	for (unsigned long i = 0; i < n; i++)
		if (ops[i].cmd == MMUEXT_NEW_BASEPTR &&
		    machine_to_phys_mapping[ops[i].arg1.mfn & 0xffffff] < 0x1000000)
			ops[i].cmd = MMUEXT_PIN_L4_TABLE;
}

static void one_call(void)
{
	unsigned int nr = rnd() % 16 ? calls[rnd() % sizeof(calls)] : (unsigned int)(rnd() % 64);
	unsigned long a[5];

	for (unsigned int i = 0; i < 5; i++)
		a[i] = hostile_arg();
	switch (nr) {
	case __HYPERVISOR_iret:
	case __HYPERVISOR_stack_switch:
		return;
	case __HYPERVISOR_update_va_mapping:
	case __HYPERVISOR_update_va_mapping_otherdomain:
		/* Anywhere except where this program is. */
		if (rnd() % 2)
			a[0] = (unsigned long)arena + rnd() % ARENA_PAGES * PAGE_SIZE;
		else if (a[0] < 0x40000000)
			return;
		break;
	case __HYPERVISOR_mmu_update:
	case __HYPERVISOR_mmuext_op:
		a[0] = (unsigned long)hostile_struct();
		a[1] = rnd() % 4;
		a[2] = rnd() % 2 ? 0 : a[2];
		a[3] = rnd() % 2 ? DOMID_SELF : a[3];
		if (nr == __HYPERVISOR_mmuext_op)
			fill_mmuext((struct mmuext_op *)a[0], a[1]);
		break;
	case __HYPERVISOR_multicall:
		a[0] = (unsigned long)hostile_struct();
		a[1] = rnd() % 4;
		fill_multicall((multicall_entry_t *)a[0], a[1]);
		break;
	case __HYPERVISOR_grant_table_op:
		hostile_grant();
		if (rnd() % 2) {
			plausible_grant_call();
			return;
		}
		/* fall through */
	default:
		/* Sub-operations are small numbers. */
		if (rnd() % 4)
			a[0] = rnd() % 48;
		if (rnd() % 2)
			a[1] = (unsigned long)hostile_struct();
	}
	if (is_suicide(nr, a[0]))
		return;
	hypercall5(nr, a[0], a[1], a[2], a[3], a[4]);
	/* With rubbish as handlers, this guest would end at its next exception. */
	if (nr == __HYPERVISOR_set_trap_table || nr == __HYPERVISOR_callback_op ||
	    nr == __HYPERVISOR_set_callbacks || nr == __HYPERVISOR_multicall)
		guest_install_traps();
}

/* --- recovery from what the calls did to this guest itself --- */

static unsigned long resume_rip, resume_rsp;
static unsigned long done, total;

/* Releases what may hold frames of the arena: descriptor tables and the user's page tables. Also
 * clears breakpoints that the loop would hit. */
static void let_go(void)
{
	struct mmuext_op ops[] = { { .cmd = MMUEXT_SET_LDT }, { .cmd = MMUEXT_NEW_USER_BASEPTR } };

	hc2(__HYPERVISOR_set_debugreg, 7, 0x400);
	hc2(__HYPERVISOR_set_gdt, 0, 0);
	hc4(__HYPERVISOR_mmuext_op, &ops[0], 1, 0, DOMID_SELF);
	hc4(__HYPERVISOR_mmuext_op, &ops[1], 1, 0, DOMID_SELF);
}

/* Arena pages may be page tables now, read-only, or gone. Makes them ordinary again where
 * possible. */
static void repair(void)
{
	guest_install_traps();
	own_vcpu_info->evtchn_upcall_mask = 1;
	let_go();
	for (unsigned long i = 0; i < ARENA_PAGES; i++) {
		unsigned char *page = arena + i * PAGE_SIZE;
		unsigned long mfn = virt_to_mfn(page);
		struct mmuext_op unpin = { .cmd = MMUEXT_UNPIN_TABLE, .arg1.mfn = mfn };
		uint64_t entry = mfn << 12 | 0x67;
		xen_pfn_t frame = (unsigned long)page / PAGE_SIZE;
		struct xen_memory_reservation fresh = { .nr_extents = 1, .domid = DOMID_SELF };

		hc4(__HYPERVISOR_mmuext_op, &unpin, 1, 0, DOMID_SELF);
		if (!hc3(__HYPERVISOR_update_va_mapping, page, entry, UVMF_INVLPG))
			continue;
		/* The page was given away: put another one in its place. */
		set_xen_guest_handle(fresh.extent_start, &frame);
		if (hc2(__HYPERVISOR_memory_op, XENMEM_populate_physmap, &fresh) != 1)
			continue;
		((unsigned long *)start_info->mfn_list)[(unsigned long)page / PAGE_SIZE] = frame;
		hc3(__HYPERVISOR_update_va_mapping, page, frame << 12 | 0x67, UVMF_INVLPG);
	}
}

/* After any exception, the loop starts its next round with a fresh stack. */
static void on_exception(struct guest_regs *regs)
{
	static unsigned long last_done, repeats;

	/* The same round fails again and again: this program is broken beyond repair. */
	repeats = done == last_done ? repeats + 1 : 0;
	last_done = done;
	if (repeats == 1000)
		guest_error("hostile: %lu calls done, then only exceptions: vector %lu at %#lx, "
			    "address %#lx",
			    done, regs->vector, regs->rip, shared_info->vcpu_info[0].arch.cr2);
	regs->rip = resume_rip;
	regs->rsp = resume_rsp;
}

static void __attribute__((noinline)) loop(void)
{
	__asm__ volatile("leaq 1f(%%rip), %%rax\n\t"
			 "movq %%rax, %0\n\t"
			 "movq %%rsp, %1\n"
			 "1:"
			 : "=m"(resume_rip), "=m"(resume_rsp)
			 :
			 : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",
			   "r12", "r13", "r14", "r15", "memory", "cc");
	repair();
	while (done < total) {
		if (done % 25000 == 0)
			guest_printf("hostile: %lu calls done\n", done);
		done++;
		one_call();
		if (done % 64 == 0)
			repair();
	}
}

/* Clears an event that nobody waits for; else it would be delivered forever. */
static void on_event(struct guest_regs *regs)
{
	(void)regs;
	own_vcpu_info->evtchn_upcall_pending = 0;
	own_vcpu_info->evtchn_pending_sel = 0;
}

/* Registers a place for vcpu_info that stays valid: it can be set only once. */
static void keep_vcpu_info(void)
{
	struct vcpu_register_vcpu_info arg = { .mfn = virt_to_mfn(own_page), .offset = 0 };

	if (hc3(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, &arg))
		guest_error("vcpu_info cannot be moved");
	own_vcpu_info = (struct vcpu_info *)own_page;
	guest_event = on_event;
}

static void map_grants(void)
{
	xen_pfn_t frame;
	struct gnttab_setup_table setup = { .dom = DOMID_SELF, .nr_frames = 1 };

	set_xen_guest_handle(setup.frame_list, &frame);
	if (hc3(__HYPERVISOR_grant_table_op, GNTTABOP_setup_table, &setup, 1) || setup.status)
		guest_error("no grant table: %d", setup.status);
	grants = page_take();
	if (hc3(__HYPERVISOR_update_va_mapping, grants, frame << 12 | 0x67, UVMF_INVLPG))
		guest_error("the grant table cannot be mapped");
}

void test_main(void)
{
	unsigned long seed = guest_option("seed=", 1);

	total = guest_option("calls=", 1000000);
	self = own_domid();
	for (unsigned long va = 0; va < LOW_END; va += PAGE_SIZE)
		hc3(__HYPERVISOR_update_va_mapping, va, 0, UVMF_INVLPG);
	keep_vcpu_info();
	map_grants();
	arena = page_take();
	for (unsigned long i = 1; i < ARENA_PAGES; i++)
		page_take();
	/* A guard page: an array of a million elements ends at the arena's end. */
	hc3(__HYPERVISOR_update_va_mapping, page_take(), 0, UVMF_INVLPG);
	for (unsigned long i = 0; i < ARENA_PAGES; i++)
		arena_entries[i] = l1_entry_maddr(arena + i * PAGE_SIZE);
	state = seed * 0x9e3779b97f4a7c15UL + 1;
	guest_exception = on_exception;
	guest_printf("hostile: seed %lu, %lu calls\n", seed, total);
	loop();
	guest_printf("hostile: %lu calls done, all\n", done);
}
