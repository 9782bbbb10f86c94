/* SPDX-License-Identifier: MIT */
/* Allocates a guest's memory in the largest extents available, and copies files into it. */
#include "worker/build/guest_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE	    4096ULL
#define SUPER_ORDER 9
#define SUPER_PAGES (1ULL << SUPER_ORDER)
/* Extents in one request: 128 MiB, between two reports of progress. */
#define SUPER_BATCH 64
#define PAGE_BATCH  (32ULL << 10)
/* Pages in one mapping. */
#define WINDOW 4096ULL

/*
 * Allocates up to `count` extents from *pfn on, and moves *pfn past them. Returns how many it got
 * (fewer, or 0, when no more extents of that order exist), or -errno.
 */
static long populate_extents(struct guest *g, uint64_t *pfn, uint64_t count, unsigned int order,
			     struct error **e)
{
	xen_pfn_t *extents = g->p2m + *pfn;
	xen_pfn_t list[SUPER_BATCH] = { 0 };
	long got;

	if (order == 0) {
		/* The hypervisor's answer goes directly into the p2m list. */
		for (uint64_t i = 0; i < count; i++)
			extents[i] = *pfn + i;
		got = hv_memory_populate(g->hv, g->domid, extents, extents, count, 0, e);
		if (got > 0)
			*pfn += (uint64_t)got;
		return got;
	}
	for (uint64_t i = 0; i < count; i++)
		list[i] = *pfn + (i << order);
	got = hv_memory_populate(g->hv, g->domid, list, list, count, order, e);
	for (long i = 0; i < got; i++)
		for (uint64_t j = 0; j < 1ULL << order; j++)
			g->p2m[(*pfn)++] = list[i] + j;
	return got;
}

static int no_memory(struct guest *g, uint64_t got, struct error **e)
{
	uint64_t free_bytes = 0;

	hv_host_avail_heap(g->hv, -1, &free_bytes, NULL);
	return error_set(e, ENOMEM,
			 "There is not enough memory for the guest: it needs %llu MiB, and %llu "
			 "MiB are free. Give it less, or "
			 "shrink other domains (xm mem-set).",
			 (unsigned long long)g->nr_pages >> 8,
			 (unsigned long long)(free_bytes >> 20) + (got >> 8));
}

int guest_populate(struct guest *g, uint64_t nr_pages, guest_progress_fn *progress,
		   struct error **e)
{
	struct error *ignored = NULL;
	uint64_t pfn = 0;

	g->nr_pages = nr_pages;
	g->p2m = malloc(nr_pages * sizeof(*g->p2m));
	if (!g->p2m)
		return error_set(e, ENOMEM, "Out of memory for the list of the guest's %llu pages.",
				 (unsigned long long)nr_pages);
	while (nr_pages - pfn >= SUPER_PAGES) {
		uint64_t want = (nr_pages - pfn) / SUPER_PAGES;
		long got;

		want = want < SUPER_BATCH ? want : SUPER_BATCH;
		got = populate_extents(g, &pfn, want, SUPER_ORDER, &ignored);
		progress("memory", pfn, nr_pages);
		/* No more extents of 2 MiB are free, but smaller ones may be. */
		if (got < (long)want)
			break;
	}
	error_free(&ignored);
	while (pfn < nr_pages) {
		uint64_t want = nr_pages - pfn < PAGE_BATCH ? nr_pages - pfn : PAGE_BATCH;
		long got = populate_extents(g, &pfn, want, 0, e);

		if (got < 0)
			return (int)got;
		if (got < (long)want)
			return no_memory(g, pfn, e);
		progress("memory", pfn, nr_pages);
	}
	return 0;
}

void guest_free(struct guest *g)
{
	free(g->p2m);
	g->p2m = NULL;
}

void *guest_map(struct guest *g, uint64_t pfn, uint64_t count, struct error **e)
{
	if (pfn > g->nr_pages || count > g->nr_pages - pfn) {
		error_set(e, EINVAL, "The frames %llu to %llu are not the guest's.",
			  (unsigned long long)pfn, (unsigned long long)pfn + count);
		return NULL;
	}
	return hv_map_frames(g->hv, g->domid, PROT_READ | PROT_WRITE, g->p2m + pfn, NULL, count, e);
}

static int read_fully(int fd, char *to, uint64_t offset, uint64_t size, const char *what,
		      struct error **e)
{
	while (size > 0) {
		ssize_t n = pread(fd, to, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(e, errno, "%s cannot be read: %s.", what, strerror(errno));
		if (n == 0)
			return error_set(e, EIO, "%s cannot be read: it became shorter meanwhile.",
					 what);
		to += n;
		offset += (uint64_t)n;
		size -= (uint64_t)n;
	}
	return 0;
}

int guest_load(struct guest *g, uint64_t to, int fd, uint64_t offset, uint64_t size,
	       const char *what, guest_progress_fn *progress, struct error **e)
{
	uint64_t total = size, done = 0;
	int rc = 0;

	while (done < total && rc == 0) {
		uint64_t in_page = (to + done) % PAGE, pfn = (to + done) / PAGE;
		uint64_t now = WINDOW * PAGE - in_page;
		uint64_t count;
		char *window;

		now = now < total - done ? now : total - done;
		count = (in_page + now + PAGE - 1) / PAGE;
		window = guest_map(g, pfn, count, e);
		if (!window)
			return -EIO;
		rc = read_fully(fd, window + in_page, offset + done, now, what, e);
		hv_unmap_frames(g->hv, window, count);
		done += now;
		progress("load", done, total);
	}
	return rc;
}

/* Clears bytes of one page. */
static int clear_part(struct guest *g, uint64_t from, uint64_t size, struct error **e)
{
	char *page = guest_map(g, from / PAGE, 1, e);

	if (!page)
		return -EIO;
	memset(page + from % PAGE, 0, size);
	hv_unmap_frames(g->hv, page, 1);
	return 0;
}

int guest_clear(struct guest *g, uint64_t from, uint64_t size, struct error **e)
{
	uint64_t end = from + size, first = (from + PAGE - 1) / PAGE, last = end / PAGE;
	int rc = 0;

	if (size == 0)
		return 0;
	if (end < from || (end + PAGE - 1) / PAGE > g->nr_pages)
		return error_set(e, EINVAL, "The bytes %#llx to %#llx are not the guest's.",
				 (unsigned long long)from, (unsigned long long)end);
	if (first > last)
		return clear_part(g, from, size, e);
	if (from % PAGE != 0)
		rc = clear_part(g, from, first * PAGE - from, e);
	if (rc == 0 && last > first)
		rc = hv_clear_frames(g->hv, g->domid, g->p2m + first, last - first, e);
	if (rc == 0 && end % PAGE != 0)
		rc = clear_part(g, last * PAGE, end % PAGE, e);
	return rc;
}
