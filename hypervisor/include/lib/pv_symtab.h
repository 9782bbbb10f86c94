/* SPDX-License-Identifier: MIT */
/*
 * A kernel's symbol table as the BSDs expect it behind the kernel (xen/elfnote.h, BSD_SYMTAB): the
 * block's size in 32 bits, then an ELF file of three sections: none, the
 * symbols, their names. NetBSD and FreeBSD look for it at their symbol `end`. Pure code.
 */
#ifndef LIB_PV_SYMTAB_H
#define LIB_PV_SYMTAB_H

#include "lib/elf.h"

/* The block begins at the first such address behind the kernel. */
#define PV_SYMTAB_ALIGN 8

struct pv_symtab {
	const u8 *symbols, *names; /* in the kernel's image */
	u64 symbols_size, names_size;
	u64 size; /* bytes of the block; 0: the kernel has no symbols, and needs no block */
};

/* 0, or -EINVAL with *why for a damaged table. For 64-bit kernels. */
int __must_check pv_symtab_find(const struct elf_image *elf, struct pv_symtab *table,
				const char **why);
/* Copies `size` bytes of the block from offset `at` on, which must not reach behind it. */
void pv_symtab_read(const struct pv_symtab *table, u64 at, void *to, size_t size);

#endif
