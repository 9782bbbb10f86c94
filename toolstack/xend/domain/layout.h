/* SPDX-License-Identifier: MIT */
/* The directories of a domain in xenstore, as PV guests' kernels, the backends, and Xen's own tools
 * expect them. */
#ifndef XEND_DOMAIN_LAYOUT_H
#define XEND_DOMAIN_LAYOUT_H

#include "xend/runtime/store.h"

struct domain;
struct domain_size;

/* All of it but the devices; the domain has its id, and, if it is known, where its store and
 * console are. */
void layout_put(const struct domain *domain, const struct domain_size *size,
		struct store_batch *batch);
/* Where the worker put the store's and the console's pages and ports. */
void layout_put_channels(const struct domain *domain, struct store_batch *batch);
/* Removes all nodes of a dead domain, unless they are another one's by now. */
void layout_remove(const struct domain *domain);
/*
 * -EIO: the domain runs and xenstore has no directory of it, as after a new start of xenstored.
 * What is not there of its devices means nothing then, and what is written for it reaches nobody.
 */
int layout_check_known(const struct domain *domain, struct error **e);
/* The name was changed, or the UUID. Nothing is written for a domain that is gone, or whose number
 * is another's by now. */
int layout_rename(const struct domain *domain, struct error **e);

#endif
