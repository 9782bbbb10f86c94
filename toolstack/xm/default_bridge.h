/* SPDX-License-Identifier: MIT */
#ifndef XM_DEFAULT_BRIDGE_H
#define XM_DEFAULT_BRIDGE_H

/*
 * The bridge of interfaces that name none, by xend's settings below the directory `root` ("": this
 * machine), whether it exists or not. The caller frees it.
 */
char *default_bridge_name(const char *root);

#endif
