/* SPDX-License-Identifier: MIT */
/* The forms of help that other programs read. */
#ifndef XM_COMMANDS_HELP_H
#define XM_COMMANDS_HELP_H

#include <stdbool.h>
#include <stdio.h>

/* Prints the output of `xm help`. */
void help_short(FILE *out);

/*
 * If xl has this command and xm has not: says so on stderr, with the reason and what to use
 * instead, and returns true.
 */
bool help_only_xl(const char *word);

/* Prints the keys of a domain's configuration file, one on each line. */
void help_print_keys(void);

/*
 * Prints a part of the manual in mdoc: "commands" of xm(1), "keys" of xm.cfg(5), or "settings" of
 * xend-config.sxp(5). False for any other part.
 */
bool help_man(const char *part);

#endif
