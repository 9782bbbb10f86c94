/* SPDX-License-Identifier: MIT */
/* The commands of xl that have no meaning here, so that a person who knows xl learns why. */
#ifndef XM_COMMANDS_ONLY_XL_H
#define XM_COMMANDS_ONLY_XL_H

/* Why xm has no such command, and what to use instead, as one clause. NULL: xl has none either. */
const char *only_xl(const char *word);

#endif
