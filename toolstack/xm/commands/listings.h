/* SPDX-License-Identifier: MIT */
/* Lists of domains in the forms of xl. */
#ifndef XM_COMMANDS_LISTINGS_H
#define XM_COMMANDS_LISTINGS_H

struct xm_args;

/* `xm vm-list`: UUID, ID and name. */
int vm_list_run(const struct xm_args *args);
/* `xm claims`: the table of `xm list` with the memory that is set aside for each domain. */
int claims_run(const struct xm_args *args);

#endif
