/* SPDX-License-Identifier: MIT */
/* The kinds of text that a key can require. */
#ifndef CONFIG_TEXT_H
#define CONFIG_TEXT_H

#include <stdbool.h>

struct config_text {
	const char *expected; /* follows "expected " in an error */
	/* The canonical form, which the caller frees; NULL when text is not of this kind. */
	char *(*parse)(const char *text);
	bool number_too; /* a number is accepted and read as its digits */
};

extern const struct config_text text_any;    /* UTF-8, one line */
extern const struct config_text text_domain; /* a domain's name */
extern const struct config_text text_name;   /* another: letters, digits and a few marks */
extern const struct config_text text_uuid;
extern const struct config_text text_path;    /* an absolute path */
extern const struct config_text text_program; /* a program's name, or an absolute path */
extern const struct config_text text_address; /* IPv4 or IPv6 */
/* Addresses separated by blanks, each with an optional /BITS. */
extern const struct config_text text_listen; /* an address, with or without :DISPLAY */
extern const struct config_text text_addresses;
extern const struct config_text text_mac;
extern const struct config_text text_vdev;
extern const struct config_text text_rate;
extern const struct config_text text_backend;	/* a domain's name or number */
extern const struct config_text text_target;	/* not empty, one line, as long as a path */
extern const struct config_text text_bridge;	/* BRIDGE[.VLAN][:TRUNK...] */
extern const struct config_text text_interface; /* a network interface's or bridge's name */
extern const struct config_text text_cpus;

#endif
