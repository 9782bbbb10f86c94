/* SPDX-License-Identifier: MIT */
/* Domain-0's kernel: unpacked, and what its Xen notes ask for (xen/elfnote.h). */
#ifndef X86_PV_DOM0_DOM0_KERNEL_H
#define X86_PV_DOM0_DOM0_KERNEL_H

#include "lib/elf.h"
#include "x86/pv/pv.h"

struct dom0_kernel {
	struct elf_image elf;
	/* The buffer that holds `elf`; NULL if the module itself is the ELF file. */
	void *unpacked;
	size_t unpacked_size;
	const void *module; /* the module's mapping */
	size_t module_size;

	/* An ELF p_paddr of a is mapped at virt_base + a - paddr_offset. */
	u64 virt_base, paddr_offset;
	u64 entry, hypercall_page; /* 0: no hypercall page */
	u64 init_p2m;		   /* virtual address for the p2m list, if has_init_p2m */
	bool has_init_p2m, mod_start_pfn, has_loader, supports_pv;
	u64 virt_start, virt_end; /* page-aligned range that the segments fill */
};

/* Unpacks and reads the kernel. Panics with one clear line if it cannot be Domain-0's kernel. */
void dom0_kernel_open(struct dom0_kernel *k, const struct boot_module *module);
/* Frees what dom0_kernel_open allocated and mapped. */
void dom0_kernel_close(struct dom0_kernel *k);

static inline u64 dom0_segment_virt(const struct dom0_kernel *k, const struct elf_segment *seg)
{
	return k->virt_base + seg->paddr - k->paddr_offset;
}

#endif
