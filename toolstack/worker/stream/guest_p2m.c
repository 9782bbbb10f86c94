/* SPDX-License-Identifier: MIT */
/*
 * Finds the machine frames of the guest's list, reads its entries once, and asks the hypervisor
 * which of them the domain really has.
 */
#include "worker/stream/guest_p2m.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/alloc.h"
#include "worker/stream/format.h"

#define PAGE	   4096
#define PER_PAGE   512
#define MAP_WINDOW 1024
#define BATCH	   1024

#define PTE_PRESENT 1ULL
#define PTE_FRAME   0x000ffffffffff000ULL

static int bad_list(struct error **e, const char *why)
{
	return error_set(e, EINVAL,
			 "The domain's list of its memory is damaged (%s): it cannot be saved.",
			 why);
}

/* Copies one page of the guest. */
static int copy_page(struct hv *hv, uint32_t domid, uint64_t mfn, uint64_t *to, struct error **e)
{
	xen_pfn_t frame = mfn;
	const void *page = hv_map_frames(hv, domid, PROT_READ, &frame, NULL, 1, e);

	if (!page)
		return -EFAULT;
	memcpy(to, page, PAGE);
	hv_unmap_frames(hv, (void *)(uintptr_t)page, 1);
	return 0;
}

/* --- the machine frames of the list --- */

/* A walk through the guest's page tables that keeps the last table of each level. */
struct walk {
	struct hv *hv;
	uint32_t domid;
	uint64_t mfn[5];
	uint64_t table[5][PER_PAGE];
};

static int walk_to(struct walk *w, uint64_t root_mfn, uint64_t virt, uint64_t *mfn,
		   struct error **e)
{
	*mfn = root_mfn;
	for (unsigned int level = 4; level >= 1; level--) {
		unsigned int index = (virt >> (12 + 9 * (level - 1))) & (PER_PAGE - 1);
		uint64_t entry;

		if (w->mfn[level] != *mfn) {
			int rc = copy_page(w->hv, w->domid, *mfn, w->table[level], e);

			if (rc)
				return rc;
			w->mfn[level] = *mfn;
		}
		entry = w->table[level][index];
		if (!(entry & PTE_PRESENT))
			return bad_list(e, "it is not mapped");
		*mfn = (entry & PTE_FRAME) >> 12;
	}
	return 0;
}

/*
 * Finds the list by its address in the kernel's address space (xen/arch-x86/xen.h, p2m_cr3 and
 * p2m_vaddr).
 */
static int list_by_address(struct hv *hv, uint32_t domid, uint64_t cr3, uint64_t virt,
			   uint64_t *list_mfns, uint64_t count, struct error **e)
{
	struct walk *w = xcalloc(1, sizeof(*w));
	int rc = 0;

	w->hv = hv;
	w->domid = domid;
	for (unsigned int level = 0; level < 5; level++)
		w->mfn[level] = FRAME_INVALID;
	for (uint64_t i = 0; i < count && rc == 0; i++)
		rc = walk_to(w, xen_cr3_to_pfn(cr3), virt + i * PAGE, &list_mfns[i], e);
	free(w);
	return rc;
}

/*
 * Finds the list by the tree of frame numbers: the root page has the frames of leaf pages, a leaf
 * page has the frames of the list.
 */
static int list_by_tree(struct hv *hv, uint32_t domid, uint64_t root_mfn, uint64_t *list_mfns,
			uint64_t count, struct error **e)
{
	uint64_t root[PER_PAGE] = { 0 };
	uint64_t leaf[PER_PAGE] = { 0 };
	int rc;

	if (count > (uint64_t)PER_PAGE * PER_PAGE)
		return bad_list(e, "it is too long for a tree");
	rc = copy_page(hv, domid, root_mfn, root, e);
	for (uint64_t i = 0; i < count && rc == 0; i++) {
		if (i % PER_PAGE == 0)
			rc = copy_page(hv, domid, root[i / PER_PAGE], leaf, e);
		list_mfns[i] = leaf[i % PER_PAGE];
	}
	return rc;
}

/* --- the list itself --- */

/* Entries that may be frames, collected for one question to the hypervisor. */
struct candidates {
	uint64_t pfns[BATCH];
	xen_pfn_t mfns[BATCH], types[BATCH];
	unsigned int count;
};

/* Adds the candidates that the domain has. The others are marks of the guest's own, or lies. */
static int take(struct guest_p2m *p2m, struct hv *hv, uint32_t domid, struct candidates *c,
		struct error **e)
{
	int rc;

	if (c->count == 0)
		return 0;
	memcpy(c->types, c->mfns, c->count * sizeof(c->types[0]));
	rc = hv_frames_info(hv, domid, c->types, c->count, e);
	for (unsigned int i = 0; i < c->count && rc == 0; i++) {
		uint64_t type = c->types[i] & XEN_DOMCTL_PFINFO_LTAB_MASK;

		if (type == XEN_DOMCTL_PFINFO_XTAB)
			continue;
		rc = frame_map_add(&p2m->frames, c->mfns[i],
				   type << STREAM_TYPE_SHIFT | c->pfns[i]);
		if (rc == -ENOSPC)
			return bad_list(e, "it names more frames than the domain has");
		if (rc)
			return error_set(e, ENOMEM,
					 "Out of memory for the list of the domain's pages.");
	}
	c->count = 0;
	return rc;
}

static int take_list(struct guest_p2m *p2m, struct hv *hv, uint32_t domid, uint64_t max_mfn,
		     struct candidates *c, struct error **e)
{
	int rc = 0;

	for (uint64_t done = 0; done < p2m->nr_list_frames && rc == 0; done += MAP_WINDOW) {
		uint64_t count = p2m->nr_list_frames - done < MAP_WINDOW ?
					 p2m->nr_list_frames - done :
					 MAP_WINDOW;
		uint64_t first = done * PER_PAGE;
		uint64_t entries = count * PER_PAGE;
		const uint64_t *list =
			hv_map_frames(hv, domid, PROT_READ,
				      (const xen_pfn_t *)p2m->list_frames + done, NULL, count, e);

		if (!list)
			return -EFAULT;
		entries = entries < p2m->nr_pfns - first ? entries : p2m->nr_pfns - first;
		for (uint64_t i = 0; i < entries && rc == 0; i++) {
			/* Read each entry once: during a dump the guest may run and change it. */
			uint64_t mfn = __atomic_load_n(&list[i], __ATOMIC_RELAXED);

			if (mfn > max_mfn)
				continue;
			c->pfns[c->count] = first + i;
			c->mfns[c->count++] = mfn;
			if (c->count == BATCH)
				rc = take(p2m, hv, domid, c, e);
		}
		hv_unmap_frames(hv, (void *)(uintptr_t)list, count);
	}
	return rc == 0 ? take(p2m, hv, domid, c, e) : rc;
}

static int read_list(struct guest_p2m *p2m, struct hv *hv, uint32_t domid, uint64_t max_mfn,
		     struct error **e)
{
	struct candidates *c = xcalloc(1, sizeof(*c));
	int rc = take_list(p2m, hv, domid, max_mfn, c, e);

	free(c);
	return rc;
}

int guest_p2m_find_list(struct guest_p2m *p2m, struct hv *hv, uint32_t domid,
			const struct arch_shared_info *arch, struct error **e)
{
	uint64_t cr3 = arch->p2m_cr3, virt = arch->p2m_vaddr,
		 root = arch->pfn_to_mfn_frame_list_list;

	if (cr3 != 0)
		return list_by_address(hv, domid, cr3, virt, p2m->list_frames, p2m->nr_list_frames,
				       e);
	if (root == 0 || root == FRAME_INVALID)
		return bad_list(e, "there is none yet");
	return list_by_tree(hv, domid, root, p2m->list_frames, p2m->nr_list_frames, e);
}

int guest_p2m_read(struct guest_p2m *p2m, struct hv *hv, uint32_t domid,
		   const struct shared_info *shared, uint64_t max_mfn, uint64_t max_pages,
		   struct error **e)
{
	struct arch_shared_info arch = shared->arch;
	int rc;

	memset(p2m, 0, sizeof(*p2m));
	if (arch.max_pfn == 0 || arch.max_pfn > GUEST_PFNS_MAX)
		return bad_list(e, "its length is impossible");
	p2m->nr_pfns = arch.max_pfn;
	p2m->nr_list_frames = (p2m->nr_pfns + PER_PAGE - 1) / PER_PAGE;
	p2m->list_frames = calloc(p2m->nr_list_frames, sizeof(*p2m->list_frames));
	if (!p2m->list_frames || frame_map_init(&p2m->frames, max_pages, max_pages))
		return error_set(e, ENOMEM,
				 "Out of memory for the list of the domain's %llu pages.",
				 (unsigned long long)p2m->nr_pfns);
	rc = guest_p2m_find_list(p2m, hv, domid, &arch, e);
	return rc == 0 ? read_list(p2m, hv, domid, max_mfn, e) : rc;
}

uint64_t guest_p2m_mfn_to_pfn(void *context, uint64_t mfn)
{
	struct guest_p2m *p2m = context;
	const struct frame_entry *entry = frame_map_find(&p2m->frames, mfn);

	return entry ? entry->value & STREAM_PFN_MASK : FRAME_INVALID;
}

void guest_p2m_free(struct guest_p2m *p2m)
{
	frame_map_free(&p2m->frames);
	free(p2m->list_frames);
	memset(p2m, 0, sizeof(*p2m));
}
