/* SPDX-License-Identifier: MIT */
/*
 * Opens Domain-0's kernel: unpacks a bzImage, reads its Xen notes, and checks that its segments may
 * lie where it wants them.
 */
#include "x86/pv/dom0/dom0_kernel.h"

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

/* A PV guest's kernel may use [start, end): canonical, not the hypervisor's, no wrap. */
static bool __init guest_virt_ok(u64 start, u64 end)
{
	if (start >= end || !is_canonical(start) || !is_canonical(end - 1))
		return false;
	return end <= M2P_RO_VIRT || start > L4_SLOT_ADDR(HV_LAST_SLOT + 1) - 1;
}

/* Sets the end of the kernel, behind which its symbols lie if it wants them. */
static void __init dom0_kernel_place_symtab(struct dom0_kernel *k, u64 kernel_end)
{
	const char *why;

	if (k->notes.flags & PV_NOTES_BSD_SYMTAB && pv_symtab_find(&k->elf, &k->symtab, &why))
		boot_fail("Domain-0's kernel cannot be used: %s", why);
	if (k->symtab.size) {
		k->symtab_virt = ROUND_UP(kernel_end, PV_SYMTAB_ALIGN);
		kernel_end = k->symtab_virt + k->symtab.size;
	}
	k->virt_end = ROUND_UP(kernel_end, PAGE_SIZE);
}

static void __init dom0_kernel_layout(struct dom0_kernel *k)
{
	struct elf_segment seg;
	u64 last = 0;

	k->virt_start = ~0UL;
	for (unsigned int i = 0; i < k->elf.phnum; i++) {
		u64 va, end;

		if (elf_segment_get(&k->elf, i, &seg))
			boot_fail("Domain-0's kernel: program header %u is damaged", i);
		if (seg.type != PT_LOAD || !seg.memsz)
			continue;
		va = pv_notes_virt(&k->notes, seg.paddr);
		end = va + seg.memsz;
		if (seg.memsz > GiB(1) || va < k->notes.virt_base ||
		    va - k->notes.virt_base > GiB(1) || !guest_virt_ok(va, end))
			boot_fail("Domain-0's kernel: segment %u would lie at %#lx to %#lx, where "
				  "no guest may be",
				  i, va, end);
		k->virt_start = min(k->virt_start, (u64)(va & PAGE_MASK));
		last = max(last, end);
	}
	if (!last)
		boot_fail("Domain-0's kernel has nothing to load");
	dom0_kernel_place_symtab(k, last);
	if ((k->notes.virt_base & ~PAGE_MASK) || !guest_virt_ok(k->notes.virt_base, k->virt_end))
		boot_fail("Domain-0's kernel: its virtual base %#lx is not a page that a guest may "
			  "have",
			  k->notes.virt_base);
	if (k->notes.entry < k->virt_start || k->notes.entry >= k->virt_end)
		boot_fail("Domain-0's kernel: its entry %#lx lies outside of it", k->notes.entry);
	if (k->notes.flags & PV_NOTES_HYPERCALL_PAGE &&
	    (k->notes.hypercall_page < k->virt_start || k->notes.hypercall_page >= k->virt_end ||
	     (k->notes.hypercall_page & ~PAGE_MASK)))
		boot_fail("Domain-0's kernel: its hypercall page %#lx lies outside of it",
			  k->notes.hypercall_page);
	if (k->notes.flags & PV_NOTES_INIT_P2M &&
	    ((k->notes.init_p2m & (BIT(39) - 1)) ||
	     !guest_virt_ok(k->notes.init_p2m, k->notes.init_p2m + BIT(39))))
		boot_fail(
			"Domain-0's kernel wants its p2m list at %#lx, where no guest may have it",
			k->notes.init_p2m);
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
	if (!k->elf.is_64bit)
		boot_fail("Domain-0's kernel is a 32-bit one: only 64-bit PV kernels can be "
			  "Domain-0");
	if (pv_notes_read(&k->elf, &k->notes, &why))
		boot_fail("Domain-0's kernel cannot be used: %s", why);
	if (k->notes.flags & PV_NOTES_NOT_DOM0)
		boot_fail("Domain-0's kernel cannot be used: it was built without support for "
			  "being Domain-0");
	dom0_kernel_layout(k);
}

void __init dom0_kernel_close(struct dom0_kernel *k)
{
	if (k->unpacked)
		boot_buffer_free(k->unpacked, k->unpacked_size);
	boot_unmap(k->module, k->module_size);
}
