/* SPDX-License-Identifier: MIT */
/* `xm top`. */
#ifndef XM_TOP_TOP_H
#define XM_TOP_TOP_H

struct xm_args;

int top_run(const struct xm_args *args);

#endif
