/* SPDX-License-Identifier: MIT */
/* Reports of memory use for people: boot's log line and debug key 'm'. */
#include "hv/memory_dump.h"

#include "core/base/page_alloc_internal.h"
#include "hv/console.h"
#include "hv/domain.h"
#include "hv/hv_heap.h"
#include "hv/page_alloc.h"

static unsigned long kib(unsigned long pages)
{
	return pages << (PAGE_SHIFT - 10);
}

/* Other CPUs allocate and free meanwhile, so the numbers may differ by some pages. */
void memory_log_held(void)
{
	unsigned long heap = hv_heap_used_count(), all = hv_memory_pages();

	log_info("memory: the hypervisor holds %lu KiB: image and tables of frames %lu, heap %lu",
		 kib(all), kib(all - min(heap, all)), kib(heap));
}

void memory_dump(char key)
{
	memory_log_held();
	log_err("memory: free %lu KiB: dirty %lu, claimed %lu, unused parts of heap chunks %lu",
		kib(page_alloc_free_count()), kib(page_alloc_dirty_count()),
		kib(page_claimed_total()), kib(hv_heap_free_count()));
	domain_dump_pages();
}
