/* SPDX-License-Identifier: MIT */
#include "stream/guest_p2m.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE	   4096
#define PER_PAGE   512
#define MAP_WINDOW 1024
/* As the stream has 32 bits for the highest frame, and a list of 4 TiB of memory is 8 GiB. */
#define PFNS_MAX (1ULL << 30)

#define PTE_PRESENT 1ULL
#define PTE_FRAME   0x000ffffffffff000ULL

static int bad_list(struct error **e, const char *why)
{
	return error_set(e, EINVAL, "The domain's list of its memory is damaged (%s): it cannot be saved.", why);
}

/* Copies one page of the guest. */
static int copy_page(struct hv *hv, uint32_t domid, uint64_t mfn, uint64_t *to, struct error **e)
{
	xen_pfn_t frame = mfn;
	const void *page = hv_map_frames(hv, domid, PROT_READ, &frame, NULL, 1, e);

	if (page == NULL)
		return -EFAULT;
	memcpy(to, page, PAGE);
	hv_unmap_frames(hv, (void *)(uintptr_t)page, 1);
	return 0;
}

/* --- the machine frames of the list ---------------------------------------------------------------- */

/* A walk through the guest's page tables that remembers the table that it came by at each level. */
struct walk {
	struct hv *hv;
	uint32_t domid;
	uint64_t mfn[5];
	uint64_t table[5][PER_PAGE];
};

static int walk_to(struct walk *w, uint64_t root_mfn, uint64_t virt, uint64_t *mfn, struct error **e)
{
	*mfn = root_mfn;
	for (unsigned int level = 4; level >= 1; level--) {
		unsigned int index = (virt >> (12 + 9 * (level - 1))) & (PER_PAGE - 1);
		uint64_t entry;

		if (w->mfn[level] != *mfn) {
			int rc = copy_page(w->hv, w->domid, *mfn, w->table[level], e);

			if (rc < 0)
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

/* The list that the kernel has mapped in its own address space (xen/arch-x86/xen.h, p2m_cr3 and p2m_vaddr). */
static int list_by_address(struct hv *hv, uint32_t domid, uint64_t cr3, uint64_t virt, uint64_t *list_mfns,
			   uint64_t count, struct error **e)
{
	struct walk *w = calloc(1, sizeof(*w));
	int rc = 0;

	if (w == NULL)
		return error_set(e, ENOMEM, "Out of memory.");
	w->hv = hv;
	w->domid = domid;
	for (unsigned int level = 0; level < 5; level++)
		w->mfn[level] = FRAME_INVALID;
	for (uint64_t i = 0; i < count && rc == 0; i++)
		rc = walk_to(w, xen_cr3_to_pfn(cr3), virt + i * PAGE, &list_mfns[i], e);
	free(w);
	return rc;
}

/* The list of lists: a page of frames of pages of frames of the list. */
static int list_by_tree(struct hv *hv, uint32_t domid, uint64_t root_mfn, uint64_t *list_mfns, uint64_t count,
			struct error **e)
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

/* --- the list itself ------------------------------------------------------------------------------- */

static int copy_list(struct guest_p2m *p2m, struct hv *hv, uint32_t domid, const uint64_t *list_mfns, uint64_t max_mfn,
		     struct error **e)
{
	for (uint64_t done = 0; done < p2m->nr_list_frames; done += MAP_WINDOW) {
		uint64_t count = p2m->nr_list_frames - done < MAP_WINDOW ? p2m->nr_list_frames - done : MAP_WINDOW;
		uint64_t first = done * PER_PAGE;
		uint64_t entries = count * PER_PAGE;
		const uint64_t *list =
			hv_map_frames(hv, domid, PROT_READ, (const xen_pfn_t *)list_mfns + done, NULL, count, e);

		if (list == NULL)
			return -EFAULT;
		entries = entries < p2m->nr_pfns - first ? entries : p2m->nr_pfns - first;
		memcpy(p2m->mfns + first, list, entries * sizeof(*list));
		hv_unmap_frames(hv, (void *)(uintptr_t)list, count);
	}
	/* Marks of the guest's own, for frames of others and for none. */
	for (uint64_t pfn = 0; pfn < p2m->nr_pfns; pfn++) {
		if (p2m->mfns[pfn] > max_mfn)
			p2m->mfns[pfn] = FRAME_INVALID;
		else if (frames_reverse_set(&p2m->reverse, p2m->mfns[pfn], pfn) != 0)
			return error_set(e, ENOMEM, "Out of memory.");
	}
	return 0;
}

static int find_list(struct guest_p2m *p2m, struct hv *hv, uint32_t domid, const struct arch_shared_info *arch,
		     uint64_t *list_mfns, struct error **e)
{
	uint64_t cr3 = arch->p2m_cr3, virt = arch->p2m_vaddr, root = arch->pfn_to_mfn_frame_list_list;

	if (cr3 != 0)
		return list_by_address(hv, domid, cr3, virt, list_mfns, p2m->nr_list_frames, e);
	if (root == 0 || root == FRAME_INVALID)
		return bad_list(e, "there is none yet");
	return list_by_tree(hv, domid, root, list_mfns, p2m->nr_list_frames, e);
}

static int allocate(struct guest_p2m *p2m, uint64_t max_mfn, struct error **e)
{
	p2m->mfns = malloc(p2m->nr_pfns * sizeof(*p2m->mfns));
	p2m->list_frames = malloc(p2m->nr_list_frames * sizeof(*p2m->list_frames));
	if (p2m->mfns != NULL && p2m->list_frames != NULL && frames_reverse_init(&p2m->reverse, max_mfn) == 0)
		return 0;
	error_set(e, ENOMEM, "Out of memory for the list of the domain's %llu pages.",
		  (unsigned long long)p2m->nr_pfns);
	return -ENOMEM;
}

/* The guest's own numbers of the frames that hold the list. */
static int name_list_frames(struct guest_p2m *p2m, const uint64_t *list_mfns, struct error **e)
{
	for (uint64_t i = 0; i < p2m->nr_list_frames; i++) {
		p2m->list_frames[i] = frames_reverse_get(&p2m->reverse, list_mfns[i]);
		if (p2m->list_frames[i] == FRAME_INVALID)
			return bad_list(e, "a part of it is not in the guest's memory");
	}
	return 0;
}

int guest_p2m_read(struct guest_p2m *p2m, struct hv *hv, uint32_t domid, const struct shared_info *shared,
		   uint64_t max_mfn, struct error **e)
{
	struct arch_shared_info arch = shared->arch;
	uint64_t *list_mfns;
	int rc;

	memset(p2m, 0, sizeof(*p2m));
	if (arch.max_pfn == 0 || arch.max_pfn > PFNS_MAX)
		return bad_list(e, "its length is impossible");
	p2m->nr_pfns = arch.max_pfn;
	p2m->nr_list_frames = (p2m->nr_pfns + PER_PAGE - 1) / PER_PAGE;
	rc = allocate(p2m, max_mfn, e);
	if (rc < 0)
		return rc;
	list_mfns = calloc(p2m->nr_list_frames, sizeof(*list_mfns));
	if (list_mfns == NULL)
		return error_set(e, ENOMEM, "Out of memory.");
	rc = find_list(p2m, hv, domid, &arch, list_mfns, e);
	if (rc == 0)
		rc = copy_list(p2m, hv, domid, list_mfns, max_mfn, e);
	if (rc == 0)
		rc = name_list_frames(p2m, list_mfns, e);
	free(list_mfns);
	return rc;
}

void guest_p2m_free(struct guest_p2m *p2m)
{
	free(p2m->mfns);
	free(p2m->list_frames);
	frames_reverse_free(&p2m->reverse);
	memset(p2m, 0, sizeof(*p2m));
}
