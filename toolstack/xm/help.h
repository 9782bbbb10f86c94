/* SPDX-License-Identifier: MIT */
/* The forms of help that other programs read. */
#ifndef XM_HELP_H
#define XM_HELP_H

#include <stdio.h>

/* What `xm help` says. */
void help_short(FILE *out);

/* The keys of a domain's file, one a line. */
void help_print_keys(void);

/* All commands in mdoc, for xm(1). */
void help_man_commands(void);

/* All keys of a domain's file in mdoc, for xm.cfg(5). */
void help_man_keys(void);

#endif
