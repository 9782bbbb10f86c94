/* SPDX-License-Identifier: MIT */
/* The bounds of the image's parts (xenolith.lds), link addresses. */
#ifndef X86_BOOT_SECTIONS_H
#define X86_BOOT_SECTIONS_H

extern char _start[], _etext[]; /* read, execute */
extern char _srodata[], _erodata[];
extern char _sdata[], _edata[]; /* read, write; holds the per-CPU template */
extern char _percpu_start[], _percpu_end[];
extern char _sbss[], _ebss[];
extern char _sinit[], _einit[];		/* freed after boot, in two parts: */
extern char _sinittext[], _einittext[]; /* read, execute */
extern char _sinitdata[];		/* to _einit: read, write */
extern char _boot_stack[], _boot_stack_top[];
extern char _end[];
extern char _build_id_note[], _build_id_note_end[];

/* Where the loader put the image, a multiple of 2 MiB (head.S). */
extern unsigned long image_phys;

/* Machine address of something in the image. */
#define image_to_maddr(p) ((unsigned long)(p)-IMAGE_VIRT + image_phys)

#endif
