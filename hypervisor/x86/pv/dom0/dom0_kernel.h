/* SPDX-License-Identifier: MIT */
/* Domain-0's kernel: unpacked, and what its Xen notes ask for (xen/elfnote.h). */
#ifndef X86_PV_DOM0_DOM0_KERNEL_H
#define X86_PV_DOM0_DOM0_KERNEL_H

#include "lib/elf.h"
#include "x86/pv/pv.h"

struct dom0_kernel {
	struct elf_image elf;
	void *unpacked; /* buffer that `elf` lies in, or NULL if the module itself is the ELF file
			 */
	size_t unpacked_size;
	const void *module; /* the module's mapping */
	size_t module_size;

	u64 virt_base, paddr_offset; /* address a of the ELF's p_paddr lies at virt_base + a -
					paddr_offset */
	u64 entry, hypercall_page;   /* 0: no hypercall page */
	u64 init_p2m;		     /* where the p2m list is to be mapped; 0: behind the ramdisk */
	bool has_init_p2m, mod_start_pfn, has_loader, supports_pv;
	u64 virt_start, virt_end; /* page-aligned range that the segments fill */
};

/* Unpacks and reads it; panics with one clear line if it is no kernel that can be Domain-0. */
void dom0_kernel_open(struct dom0_kernel *k, const struct boot_module *module);
/* Gives back what open took. */
void dom0_kernel_close(struct dom0_kernel *k);

static inline u64 dom0_segment_virt(const struct dom0_kernel *k, const struct elf_segment *seg)
{
	return k->virt_base + seg->paddr - k->paddr_offset;
}

#endif
