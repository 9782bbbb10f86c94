/* SPDX-License-Identifier: MIT */
/*
 * Guest pages that the hypervisor writes to over a long time: mapped in every address space, with
 * references held.
 */
#include "hv/guest_page.h"

#include "hv/arch/frame.h"
#include "hv/arch/map.h"
#include "hv/domain.h"
#include "lib/errno.h"

int guest_page_map(struct domain *d, gfn_t gfn, struct guest_page *page)
{
	mfn_t mfn;
	struct page_info *pg = guest_frame_get(d, gfn, &mfn);
	int err = -EINVAL;

	if (!pg)
		return -EINVAL;
	if (arch_page_get_writable(pg))
		goto put_page;
	page->pg = pg;
	page->va = map_frame_global(mfn);
	if (page->va)
		return 0;
	err = -ENOMEM;
	arch_page_put_writable(pg);
put_page:
	page_put(pg);
	return err;
}

void guest_page_unmap(const struct guest_page *page)
{
	unmap_frame_global(page->va);
	arch_page_put_writable(page->pg);
	page_put(page->pg);
}
