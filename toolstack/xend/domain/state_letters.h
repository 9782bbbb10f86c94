/* SPDX-License-Identifier: MIT */
/* A domain's state in the letters of `xm list`. */
#ifndef XEND_DOMAIN_STATE_LETTERS_H
#define XEND_DOMAIN_STATE_LETTERS_H

#include "hv/hv.h"

/* "r-----" and so on: rbpscd, each in its place. Only a domain that goes on has r or b. */
void domain_state_letters(const struct hv_domain_info *info, char letters[7]);

#endif
