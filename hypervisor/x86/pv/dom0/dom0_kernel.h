/* SPDX-License-Identifier: MIT */
/* Domain-0's kernel: unpacked, and what its Xen notes ask for (xen/elfnote.h). */
#ifndef X86_PV_DOM0_DOM0_KERNEL_H
#define X86_PV_DOM0_DOM0_KERNEL_H

#include "lib/elf.h"
#include "lib/pv_notes.h"
#include "lib/pv_symtab.h"
#include "x86/pv/pv.h"

struct dom0_kernel {
	struct elf_image elf;
	/* The buffer that holds `elf`; NULL if the module itself is the ELF file. */
	void *unpacked;
	size_t unpacked_size;
	const void *module; /* the module's mapping */
	size_t module_size;

	struct pv_notes notes;
	u64 virt_start, virt_end; /* page-aligned range that the segments and the symbols fill */
	/* The kernel's symbols, if it wants them: a block of symtab.size bytes. */
	struct pv_symtab symtab;
	u64 symtab_virt;
};

/* Unpacks and reads the kernel. Panics with one clear line if it cannot be Domain-0's kernel. */
void dom0_kernel_open(struct dom0_kernel *k, const struct boot_module *module);
/* Frees what dom0_kernel_open allocated and mapped. */
void dom0_kernel_close(struct dom0_kernel *k);

#endif
