/* SPDX-License-Identifier: MIT */
/*
 * A domain's directories in xenstore, as the kernels of PV guests, the backends and Xen's own tools
 * expect them.
 */
#ifndef XEND_DOMAIN_LAYOUT_H
#define XEND_DOMAIN_LAYOUT_H

#include "xend/runtime/store.h"

struct domain;
struct domain_size;

/* Puts all nodes but the devices' and the channels'. The domain must have its id. */
void layout_put(const struct domain *domain, const struct domain_size *size,
		struct store_batch *batch);
/*
 * Writes the frames and ports of the store and the console, once the worker has set them up. The
 * new nodes have the access of their directories. 0 or -errno.
 */
int layout_write_channels(const struct domain *domain, struct error **e);
/* Removes all nodes of a dead domain, except those that another domain has taken over. */
void layout_remove(const struct domain *domain);
/*
 * -EIO: the domain runs, but xenstore has no directory of it, as after a restart of xenstored. Then
 * a missing node of its devices means nothing, and nobody reads what xend writes for it.
 */
int layout_check_known(const struct domain *domain, struct error **e);
/*
 * Writes a changed name or UUID. Writes nothing for a domain that is gone, or whose number another
 * domain has.
 */
int layout_rename(const struct domain *domain, struct error **e);

#endif
