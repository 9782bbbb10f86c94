/* SPDX-License-Identifier: MIT */
/* Kinds of texts that a key can ask for. */
#ifndef CONFIG_TEXT_H
#define CONFIG_TEXT_H

#include <stdbool.h>

struct config_text {
	const char *expected; /* "expected ..." */
	char *(*parse)(
		const char *text); /* the canonical form, to be freed; NULL when it is not one */
	bool number_too;	   /* a number stands for its digits */
};

extern const struct config_text text_any;  /* UTF-8 in one line */
extern const struct config_text text_name; /* of a domain */
extern const struct config_text text_uuid;
extern const struct config_text text_path;    /* absolute */
extern const struct config_text text_program; /* a program's name, or an absolute path */
extern const struct config_text text_address; /* IPv4 or IPv6 */
extern const struct config_text
	text_addresses; /* some of these, each with /BITS if wanted, separated by blanks */
extern const struct config_text text_mac;
extern const struct config_text text_vdev;
extern const struct config_text text_rate;
extern const struct config_text text_domain;	/* name or number of a domain */
extern const struct config_text text_interface; /* name of a network interface or bridge */
extern const struct config_text text_cpus;

#endif
