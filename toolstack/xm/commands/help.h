/* SPDX-License-Identifier: MIT */
/* The forms of help that other programs read. */
#ifndef XM_COMMANDS_HELP_H
#define XM_COMMANDS_HELP_H

#include <stdbool.h>
#include <stdio.h>

/* What `xm help` says. */
void help_short(FILE *out);

/* The keys of a domain's file, one a line. */
void help_print_keys(void);

/*
 * A part of the manual in mdoc: "commands" of xm(1), "keys" of xm.cfg(5), "settings" of
 * xend-config.sxp(5). False if it is none of these.
 */
bool help_man(const char *part);

#endif
