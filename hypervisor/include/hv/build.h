/* SPDX-License-Identifier: MIT */
/* Included before everything else (the Makefile's -include): what every object of the hypervisor is
 * compiled under. */
#ifndef HV_BUILD_H
#define HV_BUILD_H

#ifndef __ASSEMBLY__
/* One static image: no symbol is ever found through a global offset table. */
#pragma GCC visibility push(hidden)
#endif

#endif
