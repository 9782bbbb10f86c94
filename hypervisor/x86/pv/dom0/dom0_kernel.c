/* SPDX-License-Identifier: MIT */
/*
 * Opens Domain-0's kernel: unpacks a bzImage, reads its Xen notes, and checks that its segments may
 * lie where it wants them.
 */
#include "x86/pv/dom0/dom0_kernel.h"

#include <xen/elfnote.h>
#include "hv/console.h"
#include "lib/bzimage.h"
#include "lib/decompress.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/cpu/regs.h"
#include "x86/mm/boot_map.h"
#include "x86/pv/address.h"

#define PT_LOAD 1

static struct decompress_tls unpack_tls __initdata;

/*
 * `unpacked`: the size in bytes that the bzImage claims. If a damaged bzImage claims too little,
 * the decompressor fails cleanly; the caller has refused one that claims too much.
 */
static void __init dom0_kernel_unpack(struct dom0_kernel *k, const void *data, size_t size,
				      size_t unpacked)
{
	struct decompress_mem mem = { 0 };
	size_t need, out = 0;
	const char *why = "there is not enough memory for it";
	int err = -ENOMEM;

	/* The libraries are compiled for user space and find their stack guard in FS. */
	wrmsr(MSR_FS_BASE, (u64)&unpack_tls);
	need = decompress_mem_needed(data, size);
	if (!need)
		boot_fail("Domain-0's kernel: its compressed part is damaged, or of a format other "
			  "than gzip, xz, zstd "
			  "and "
			  "lz4");
	k->unpacked_size = ROUND_UP(unpacked, PAGE_SIZE);
	k->unpacked = boot_buffer_alloc(k->unpacked_size);
	mem.size = ROUND_UP(need, PAGE_SIZE);
	mem.base = boot_buffer_alloc(mem.size);
	if (k->unpacked && mem.base)
		err = decompress(data, size, k->unpacked, k->unpacked_size, &out, &mem, &why);
	wrmsr(MSR_FS_BASE, 0);
	if (err)
		boot_fail("Domain-0's kernel cannot be unpacked: %s", why);
	boot_buffer_free(mem.base, mem.size);
	if (elf_open(&k->elf, k->unpacked, out, &why))
		boot_fail("Domain-0's kernel: %s", why);
}

static int __init dom0_kernel_note(const struct elf_note *note, void *data)
{
	struct dom0_kernel *k = data;

	if (strcmp(note->name, "Xen"))
		return 0;
	switch (note->type) {
	case XEN_ELFNOTE_VIRT_BASE:
		k->virt_base = elf_note_u64(note);
		k->supports_pv = true;
		break;
	case XEN_ELFNOTE_PADDR_OFFSET:
		k->paddr_offset = elf_note_u64(note);
		break;
	case XEN_ELFNOTE_ENTRY:
		k->entry = elf_note_u64(note);
		break;
	case XEN_ELFNOTE_HYPERCALL_PAGE:
		k->hypercall_page = elf_note_u64(note);
		break;
	case XEN_ELFNOTE_INIT_P2M:
		k->init_p2m = elf_note_u64(note);
		k->has_init_p2m = true;
		break;
	case XEN_ELFNOTE_MOD_START_PFN:
		k->mod_start_pfn = elf_note_u64(note) != 0;
		break;
	case XEN_ELFNOTE_LOADER:
		k->has_loader = true;
		break;
	}
	return 0;
}

/* A PV guest's kernel may use [start, end): canonical, not the hypervisor's, no wrap. */
static bool __init guest_virt_ok(u64 start, u64 end)
{
	if (start >= end || !is_canonical(start) || !is_canonical(end - 1))
		return false;
	return end <= M2P_RO_VIRT || start > L4_SLOT_ADDR(HV_LAST_SLOT + 1) - 1;
}

static void __init dom0_kernel_layout(struct dom0_kernel *k)
{
	struct elf_segment seg;

	k->virt_start = ~0UL;
	for (unsigned int i = 0; i < k->elf.phnum; i++) {
		u64 va, end;

		if (elf_segment_get(&k->elf, i, &seg))
			boot_fail("Domain-0's kernel: program header %u is damaged", i);
		if (seg.type != PT_LOAD || !seg.memsz)
			continue;
		va = dom0_segment_virt(k, &seg);
		end = va + seg.memsz;
		if (seg.memsz > GiB(1) || va < k->virt_base || va - k->virt_base > GiB(1) ||
		    !guest_virt_ok(va, end))
			boot_fail("Domain-0's kernel: segment %u would lie at %#lx to %#lx, where "
				  "no guest may be",
				  i, va, end);
		k->virt_start = min(k->virt_start, (u64)(va & PAGE_MASK));
		k->virt_end = max(k->virt_end, (u64)ROUND_UP(end, PAGE_SIZE));
	}
	if (!k->virt_end)
		boot_fail("Domain-0's kernel has nothing to load");
	if ((k->virt_base & ~PAGE_MASK) || !guest_virt_ok(k->virt_base, k->virt_end))
		boot_fail("Domain-0's kernel: its virtual base %#lx is not a page that a guest may "
			  "have",
			  k->virt_base);
	if (k->entry < k->virt_start || k->entry >= k->virt_end)
		boot_fail("Domain-0's kernel: its entry %#lx lies outside of it", k->entry);
	if (k->hypercall_page &&
	    (k->hypercall_page < k->virt_start || k->hypercall_page >= k->virt_end ||
	     (k->hypercall_page & ~PAGE_MASK)))
		boot_fail("Domain-0's kernel: its hypercall page %#lx lies outside of it",
			  k->hypercall_page);
	if (k->has_init_p2m &&
	    ((k->init_p2m & (BIT(39) - 1)) || !guest_virt_ok(k->init_p2m, k->init_p2m + BIT(39))))
		boot_fail(
			"Domain-0's kernel wants its p2m list at %#lx, where no guest may have it",
			k->init_p2m);
}

void __init dom0_kernel_open(struct dom0_kernel *k, const struct boot_module *module)
{
	struct bzimage_payload payload;
	const char *why = "";

	memset(k, 0, sizeof(*k));
	if (!module || !module->size)
		boot_fail("no kernel for Domain-0 was loaded: give one as the first module of the "
			  "boot loader");
	k->module = boot_map(module->start, module->size);
	k->module_size = module->size;

	if (elf_open(&k->elf, k->module, k->module_size, &why)) {
		int err = bzimage_find_payload(k->module, k->module_size, &payload, &why);

		if (err == -ENOEXEC)
			boot_fail("Domain-0's kernel (first module, %lu bytes) is neither a "
				  "bzImage nor an ELF file",
				  module->size);
		if (err)
			boot_fail("Domain-0's kernel is damaged: %s", why);
		if (payload.unpacked < PAGE_SIZE || payload.unpacked > GiB(1))
			boot_fail("Domain-0's kernel is damaged: it claims to have %lu bytes "
				  "unpacked",
				  payload.unpacked);
		dom0_kernel_unpack(k, payload.data, payload.size, payload.unpacked);
	}
	k->entry = k->elf.entry;
	if (!k->elf.is_64bit)
		boot_fail("Domain-0's kernel is a 32-bit one: only 64-bit PV kernels can be "
			  "Domain-0");
	if (elf_for_each_note(&k->elf, dom0_kernel_note, k))
		boot_fail("Domain-0's kernel: its ELF notes are damaged");
	if (!k->supports_pv)
		boot_fail("Domain-0's kernel has no Xen notes: it was built without CONFIG_XEN_PV");
	dom0_kernel_layout(k);
}

void __init dom0_kernel_close(struct dom0_kernel *k)
{
	if (k->unpacked)
		boot_buffer_free(k->unpacked, k->unpacked_size);
	boot_unmap(k->module, k->module_size);
}
