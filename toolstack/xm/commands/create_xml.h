/* SPDX-License-Identifier: MIT */
/* `xm create --xmldryrun`: a configuration as xm's XML. */
#ifndef XM_COMMANDS_CREATE_XML_H
#define XM_COMMANDS_CREATE_XML_H

#include "config/config.h"
#include "lib/str.h"

/* Adds the document: an element xm with the machine, and an element vdi for each disk. */
void create_xml(const struct config *config, struct str *out);

#endif
