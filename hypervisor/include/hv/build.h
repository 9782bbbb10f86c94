/* SPDX-License-Identifier: MIT */
/*
 * The Makefile includes this header before everything else (-include). It holds what every object
 * of the hypervisor is compiled under.
 */
#ifndef HV_BUILD_H
#define HV_BUILD_H

#ifndef __ASSEMBLY__
/* One static image: no symbol is ever found through a global offset table. */
#pragma GCC visibility push(hidden)
#endif

#endif
