/* SPDX-License-Identifier: MIT */
/*
 * The limits of the build and the hypervisor's virtual address space.
 *
 * A 64-bit PV guest leaves L4 slots 256 to 271 (0xffff800000000000 to 0xffff87ffffffffff,
 * xen/arch-x86/xen-x86_64.h) to the hypervisor. Slots that every address space shares are filled
 * once at boot and never change, so a guest's L4 page needs only a copy of them; PERDOMAIN is the
 * one slot that differs from domain to domain.
 *
 *  slot  what                                                       shared by all  user-readable
 *  256   machine-to-phys table, the read-only view that guests use      yes            yes
 *  257   machine-to-phys table, the hypervisor's writable view          yes            no
 *  258   frame table: struct page_info, one for each frame of RAM       yes            no
 *  259   the hypervisor's own memory at HEAP_VIRT + machine address:    yes            no
 *        only 2 MiB chunks that belong to it are mapped here
 *  260   per-domain area: per vCPU its GDT, LDT and map_frame window    no             no
 *  261   image, stacks, device memory                                   yes            no
 */
#ifndef HV_CONFIG_H
#define HV_CONFIG_H

#ifdef __ASSEMBLY__
#define HV_UL(x) x
#else
#define HV_UL(x) x##UL
#endif

#define PAGE_SHIFT 12
#define PAGE_SIZE  (HV_UL(1) << PAGE_SHIFT)
#define PAGE_MASK  (~(PAGE_SIZE - 1))

/* The size of a cpumask. Boot counts the CPUs that are present. */
#define HV_MAX_CPUS 1024
/* The limit of one domain: an L2 page of the per-domain area holds one L1 page for each vCPU. */
#define HV_MAX_VCPUS  512
#define HV_FIRST_SLOT 256
#define HV_LAST_SLOT  271

#define L4_SLOT_ADDR(slot) (HV_UL(0xffff000000000000) | (HV_UL(1) * (slot) << 39))
/* A PV guest's parts of the address space: up to here, and from there on. */
#define GUEST_LOWER_HALF_END HV_UL(0x0000800000000000)
#define GUEST_UPPER_HALF     L4_SLOT_ADDR(HV_LAST_SLOT + 1)
#define M2P_RO_VIRT	     L4_SLOT_ADDR(256)
#define M2P_RW_VIRT	     L4_SLOT_ADDR(257)
#define FRAME_TABLE_VIRT     L4_SLOT_ADDR(258)
#define HEAP_VIRT	     L4_SLOT_ADDR(259)
#define HEAP_VIRT_END	     L4_SLOT_ADDR(260)
#define PERDOMAIN_SLOT	     260
#define PERDOMAIN_VIRT	     L4_SLOT_ADDR(PERDOMAIN_SLOT)
/* The image's link address; 1 GiB for it. */
#define IMAGE_VIRT L4_SLOT_ADDR(261)
/*
 * Where a loader puts the image, in one piece, if it cannot choose: GRUB takes any multiple of 2
 * MiB (x86/boot/head.S).
 */
#define IMAGE_PHYS HV_UL(0x200000)
/* CPU n's stacks lie at STACK_VIRT + n * STACK_STRIDE. */
#define STACK_VIRT (IMAGE_VIRT + HV_UL(0x40000000))
/* Device memory, and frames that stay mapped; 2 GiB. */
#define DEVICE_VIRT	(IMAGE_VIRT + HV_UL(0x80000000))
#define DEVICE_VIRT_END (IMAGE_VIRT + HV_UL(0x100000000))
/* Boot modules, and Domain-0's kernel while its domain is built. */
#define BOOT_VIRT     (IMAGE_VIRT + 0x4000000000UL)
#define BOOT_VIRT_END (IMAGE_VIRT + 0x8000000000UL)

/* Per-domain area: 2 MiB (one L1 page) for each vCPU. */
#define PERDOMAIN_VCPU_SHIFT 21
/* Pages 0 to 15: GDT; 0 to 13 are the guest's frames, 14 holds this CPU's own descriptors. */
#define PERDOMAIN_GDT_PAGE     0
#define PERDOMAIN_LDT_PAGE     16 /* pages 16 to 31 */
#define PERDOMAIN_WINDOW_PAGE  32 /* map_frame window */
#define PERDOMAIN_WINDOW_PAGES 128

/*
 * A CPU's stacks are aligned to STACK_STRIDE, so code on any of them finds the top by masking the
 * stack pointer. Pages: 0 guard, 1 NMI, 2 guard, 3 #DF, 4 guard, 5 #MC, 6 guard, 7 #DB, 8 guard, 9
 * to 15 the primary stack. struct cpu_info (hv/percpu.h) lies at the very top.
 */
#define STACK_STRIDE	   (16 * PAGE_SIZE)
#define STACK_NMI_PAGE	   1
#define STACK_DF_PAGE	   3
#define STACK_MC_PAGE	   5
#define STACK_DB_PAGE	   7
#define STACK_PRIMARY_PAGE 9

#endif
