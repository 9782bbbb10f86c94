/* SPDX-License-Identifier: MIT */
/* A domain's state in the letters of `xm list`. */
#ifndef XEND_DOMAIN_STATE_LETTERS_H
#define XEND_DOMAIN_STATE_LETTERS_H

#include "hv/hv.h"

/*
 * "r-----" and so on: rbpscd, each in its place. Only a domain that has not ended has r or b. In
 * the place of c is r for a guest that reboots, s for one that is suspended.
 */
void domain_state_letters(const struct hv_domain_info *info, char letters[7]);

#endif
