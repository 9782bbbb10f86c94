/* SPDX-License-Identifier: MIT */
/*
 * Builds Domain-0: memory, kernel, ramdisk, p2m list, start info, page tables, first vCPU.
 * lib/pv_start.h says where each lies.
 */
#include "x86/pv/pv.h"

#include <xen/xen.h>
#include "hv/arch/frame.h"
#include "hv/arch/map.h"
#include "hv/atomic.h"
#include "hv/cmdline.h"
#include "hv/console.h"
#include "hv/hv_heap.h"
#include "hv/page_alloc.h"
#include "lib/errno.h"
#include "lib/pv_start.h"
#include "lib/string.h"
#include "x86/mm/boot_map.h"
#include "x86/mm/page_types.h"
#include "x86/mm/paging.h"
#include "x86/pv/dom0/dom0_kernel.h"
#include "x86/pv/dom0/dom0_memory.h"

#define PT_LOAD	      1
#define P2M_PER_FRAME (PAGE_SIZE / sizeof(unsigned long))

static struct dom0_kernel kernel __initdata;
static struct pv_start layout __initdata;
static mfn_t *p2m_mfns __initdata; /* the frames of the p2m list */
static unsigned int p2m_mfns_order __initdata;

static mfn_t __init dom0_pfn_to_mfn(unsigned long pfn)
{
	unsigned long *list = map_frame(p2m_mfns[pfn / P2M_PER_FRAME]);
	mfn_t mfn = MFN(list[pfn % P2M_PER_FRAME]);

	unmap_frame(list);
	return mfn;
}

/* --- size and layout of memory --- */

static struct dom0_memory __init dom0_memory(void)
{
	struct dom0_memory m = dom0_memory_choose(&boot_options, page_alloc_free_count());

	if (m.too_little)
		log_warn("dom0_mem asks for more than there is: Domain-0 gets %lu MiB\n",
			 m.nr_pages >> 8);
	return m;
}

static void __init dom0_plan(unsigned long nr_pages, size_t ramdisk_size)
{
	const char *why = "";
	u64 need = 0;
	int err;

	layout = (struct pv_start){
		.virt_base = kernel.notes.virt_base,
		.virt_end = kernel.virt_end,
		.init_p2m = kernel.notes.init_p2m,
		.nr_pages = nr_pages,
		.ramdisk_size = ramdisk_size,
		.flags = (kernel.notes.flags & PV_NOTES_INIT_P2M ? PV_START_INIT_P2M : 0) |
			 (kernel.notes.flags & PV_NOTES_MOD_START_PFN ? PV_START_MOD_PFN : 0),
	};
	err = pv_start_plan(&layout, &need, &why);
	if (err == -ENOMEM)
		boot_fail("Domain-0 needs at least %lu MiB for its kernel and ramdisk, and would "
			  "have %lu MiB: raise dom0_mem, or add memory",
			  (need >> 8) + 1, nr_pages >> 8);
	if (err)
		boot_fail("Domain-0 cannot be built: %s", why);
}

/* --- memory --- */

/*
 * Allocates Domain-0's frames, in the largest pieces available. The p2m list's own frames come
 * first, so that the list can be written meanwhile.
 */
static void __init dom0_alloc_memory(struct domain *d)
{
	unsigned int order = MAX_ORDER;
	unsigned long pfn = 0;

	while ((PAGE_SIZE << p2m_mfns_order) < layout.nr_p2m * sizeof(*p2m_mfns))
		p2m_mfns_order++;
	p2m_mfns = hv_alloc_pages(p2m_mfns_order);
	for (unsigned long i = 0; p2m_mfns && i < layout.nr_p2m; i++) {
		struct page_info *pg = page_alloc(d, 0, MEMF_NO_SCRUB);

		if (!pg)
			boot_fail("not enough memory for Domain-0");
		p2m_mfns[i] = page_to_mfn(pg);
		frame_clear(p2m_mfns[i]);
	}
	if (!p2m_mfns)
		boot_fail("not enough memory for Domain-0");

	while (pfn < layout.nr_pages) {
		struct page_info *pg;
		unsigned long run;

		if (pfn == layout.p2m) {
			for (unsigned long i = 0; i < layout.nr_p2m; i++, pfn++) {
				unsigned long *list = map_frame(p2m_mfns[pfn / P2M_PER_FRAME]);

				list[pfn % P2M_PER_FRAME] = mfn_x(p2m_mfns[i]);
				unmap_frame(list);
				m2p_set(p2m_mfns[i], pfn);
			}
			order = MAX_ORDER;
			continue;
		}
		run = (pfn < layout.p2m ? layout.p2m : layout.nr_pages) - pfn;
		while (order && (1UL << order) > run)
			order--;
		pg = page_alloc(d, order, MEMF_NO_SCRUB);
		if (!pg) {
			if (!order--)
				boot_fail("not enough memory for Domain-0");
			continue;
		}
		for (unsigned long i = 0; i < (1UL << order); i++, pfn++) {
			unsigned long *list = map_frame(p2m_mfns[pfn / P2M_PER_FRAME]);

			list[pfn % P2M_PER_FRAME] = mfn_x(page_to_mfn(pg)) + i;
			unmap_frame(list);
			m2p_set(mfn_add(page_to_mfn(pg), i), pfn);
		}
	}
}

/* Copies into Domain-0's frames from pseudo-physical address `to` on; data NULL: zeroes. */
static void __init dom0_write(paddr_t to, const void *data, size_t size)
{
	while (size) {
		size_t offset = to & ~PAGE_MASK, n = min(size, PAGE_SIZE - offset);
		char *frame = map_frame(dom0_pfn_to_mfn(to >> PAGE_SHIFT));

		if (data) {
			memcpy(frame + offset, data, n);
			data = (const char *)data + n;
		} else {
			memset(frame + offset, 0, n);
		}
		unmap_frame(frame);
		to += n;
		size -= n;
	}
}

static void __init dom0_load_symtab(void)
{
	static u8 part[PAGE_SIZE] __initdata;

	for (u64 at = 0; at < kernel.symtab.size; at += sizeof(part)) {
		size_t now = min(sizeof(part), kernel.symtab.size - at);

		pv_symtab_read(&kernel.symtab, at, part, now);
		dom0_write(kernel.symtab_virt + at - kernel.notes.virt_base, part, now);
	}
}

static void __init dom0_load_kernel(void)
{
	struct elf_segment seg;

	/* Frames are not scrubbed: clear each segment's part beyond its file contents. */
	for (unsigned int i = 0; i < kernel.elf.phnum; i++) {
		paddr_t to;

		if (elf_segment_get(&kernel.elf, i, &seg) || seg.type != PT_LOAD || !seg.memsz)
			continue;
		to = pv_notes_virt(&kernel.notes, seg.paddr) - kernel.notes.virt_base;
		dom0_write(to, seg.data, min(seg.filesz, seg.memsz));
		if (seg.memsz > seg.filesz)
			dom0_write(to + seg.filesz, NULL, seg.memsz - seg.filesz);
	}
	dom0_load_symtab();
	if (kernel.notes.flags & PV_NOTES_HYPERCALL_PAGE) {
		void *page = map_frame(dom0_pfn_to_mfn(
			(kernel.notes.hypercall_page - kernel.notes.virt_base) >> PAGE_SHIFT));

		pv_hypercall_page_init(page);
		unmap_frame(page);
	}
}

static u64 __init dom0_mfn_of(const void *unused, u64 pfn)
{
	return mfn_x(dom0_pfn_to_mfn(pfn));
}

static mfn_t __init dom0_build_page_tables(void)
{
	for (unsigned long i = 0; i < layout.nr_pt; i++) {
		u64 *table = map_frame(dom0_pfn_to_mfn(layout.pt + i));

		pv_start_fill_table(&layout, i, table, dom0_mfn_of, NULL);
		unmap_frame(table);
	}
	return dom0_pfn_to_mfn(layout.pt);
}

/* --- start info and the first vCPU --- */

_Static_assert(sizeof(struct start_info) + sizeof(struct dom0_vga_console_info) <= PAGE_SIZE,
	       "both lie in one page");

static void __init dom0_write_start_info(struct domain *d, const char *cmdline,
					 const struct dom0_vga_console_info *screen)
{
	mfn_t mfn = dom0_pfn_to_mfn(layout.info);
	struct start_info *si = map_frame(mfn);

	memset(si, 0, PAGE_SIZE);
	pv_start_fill_info(&layout, si);
	si->shared_info = virt_to_maddr(d->shared_info);
	si->flags |= SIF_PRIVILEGED | SIF_INITDOMAIN;
	str_copy((char *)si->cmd_line, cmdline ? cmdline : "", sizeof(si->cmd_line));
	if (screen) {
		si->console.dom0.info_off = sizeof(*si);
		si->console.dom0.info_size = sizeof(*screen);
		memcpy(si + 1, screen, sizeof(*screen));
	}
	unmap_frame(si);
}

static void __init dom0_set_first_vcpu(struct domain *d, mfn_t l4)
{
	vcpu_guest_context_t *ctx = hv_alloc(sizeof(*ctx));
	int err;

	if (!ctx)
		boot_fail("not enough memory for Domain-0");
	ctx->flags = VGCF_in_kernel | VGCF_online;
	ctx->user_regs.rip = kernel.notes.entry;
	ctx->user_regs.rsp = pv_start_virt(&layout, layout.stack + 1);
	ctx->user_regs.rsi = pv_start_virt(&layout, layout.info);
	ctx->user_regs.rflags = X86_EFLAGS_IF | X86_EFLAGS_MBS;
	ctx->user_regs.cs = FLAT_KERNEL_CS;
	ctx->user_regs.ss = FLAT_KERNEL_SS;
	ctx->kernel_ss = FLAT_KERNEL_SS;
	ctx->kernel_sp = ctx->user_regs.rsp;
	ctx->ctrlreg[3] = xen_pfn_to_cr3(mfn_x(l4));

	/* Pin the tables, as every builder does: the kernel unpins them. */
	err = pv_pin_table(d, l4, PGT_L4);
	if (!err)
		err = vcpu_set_context(d->vcpus[0], ctx);
	if (err)
		panic("Domain-0's page tables or first context are not valid (error %d)", err);
	hv_free(ctx);
}

static struct domain *__init dom0_create(void)
{
	unsigned int vcpus = boot_options.dom0_max_vcpus ? boot_options.dom0_max_vcpus : nr_cpus;
	struct xen_domctl_createdomain config = {
		.max_vcpus = vcpus < HV_MAX_VCPUS ? vcpus : HV_MAX_VCPUS,
		.max_evtchn_port = ~0U,
		.max_grant_frames = -1,
		.max_maptrack_frames = -1,
	};
	struct domain *d = domain_create(0, &config, true);

	if (IS_ERR(d))
		panic("Domain-0 cannot be created (error %ld)", PTR_ERR(d));
	for (unsigned int i = 0; i < config.max_vcpus; i++)
		if (!vcpu_create(d, i))
			boot_fail("not enough memory for Domain-0's vCPU %u", i);
	return d;
}

struct domain *__init dom0_build(const struct boot_module *kernel_module,
				 const struct boot_module *ramdisk,
				 const struct dom0_vga_console_info *screen)
{
	size_t ramdisk_size = ramdisk ? ramdisk->size : 0;
	struct dom0_memory memory;
	struct domain *d;

	dom0_kernel_open(&kernel, kernel_module);
	d = dom0_create();
	memory = dom0_memory();
	d->memory.max_pages = memory.max_pages;
	dom0_plan(memory.nr_pages, ramdisk_size);
	log_info("Domain-0: %lu MiB, %u vCPUs; kernel at %#lx to %#lx, entry %#lx\n",
		 layout.nr_pages >> 8, d->max_vcpus, kernel.virt_start, kernel.virt_end,
		 kernel.notes.entry);
	dom0_alloc_memory(d);
	dom0_load_kernel();
	dom0_kernel_close(&kernel);
	if (ramdisk_size) {
		const void *data = boot_map(ramdisk->start, ramdisk_size);

		dom0_write(layout.ramdisk << PAGE_SHIFT, data, ramdisk_size);
		boot_unmap(data, ramdisk_size);
	}
	dom0_write_start_info(d, kernel_module->cmdline, screen);
	dom0_set_first_vcpu(d, dom0_build_page_tables());
	hv_free_pages(p2m_mfns, p2m_mfns_order);
	dom0 = d;
	return d;
}
