/* SPDX-License-Identifier: MIT */
/*
 * What a PV kernel says about itself: its Xen notes (xen/elfnote.h), in a segment or in sections,
 * or the older string in a section `__xen_guest`. Pure code, used for Domain-0 and by the toolstack
 * for all other guests.
 */
#ifndef LIB_PV_NOTES_H
#define LIB_PV_NOTES_H

#include "lib/elf.h"

#define PV_NOTES_TEXT 24

enum pv_notes_flags {
	PV_NOTES_HYPERCALL_PAGE = 1,  /* a page for hypercall stubs, at hypercall_page */
	PV_NOTES_INIT_P2M = 2,	      /* the list of frames is mapped at init_p2m */
	PV_NOTES_MOD_START_PFN = 4,   /* the ramdisk need not be mapped */
	PV_NOTES_BSD_SYMTAB = 8,      /* wants its symbol table behind itself */
	PV_NOTES_SUSPEND_CANCEL = 16, /* can go on after a suspend in place */
	PV_NOTES_DOM0_ONLY = 32,
	PV_NOTES_NOT_DOM0 = 64,
};

struct pv_notes {
	/* An ELF p_paddr of a is mapped at virt_base + a - paddr_offset. */
	u64 virt_base, paddr_offset;
	u64 entry, hypercall_page, init_p2m; /* virtual addresses */
	u32 flags;			     /* enum pv_notes_flags */
	/* For people: printable, terminated, cut off at the end. */
	char guest_os[PV_NOTES_TEXT], guest_version[PV_NOTES_TEXT], loader[PV_NOTES_TEXT];
	char reason[100]; /* words for *why */
};

/*
 * Reads them, with the defaults for those that are missing. 0; -ENOEXEC: no PV kernel, or one that
 * requires what no PV guest has; -EINVAL: damaged. On an error *why has words that follow "it is
 * not usable: "; they may be inside of *notes.
 */
int __must_check pv_notes_read(const struct elf_image *elf, struct pv_notes *notes,
			       const char **why);

static inline u64 pv_notes_virt(const struct pv_notes *notes, u64 paddr)
{
	return notes->virt_base + paddr - notes->paddr_offset;
}

#endif
