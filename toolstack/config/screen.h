/* SPDX-License-Identifier: MIT */
/* xl's keys of a screen outside of vfb. */
#ifndef CONFIG_SCREEN_H
#define CONFIG_SCREEN_H

#include "config/value.h"

/* Moves vnc and the keys beside it into a list vfb, where a paravirtualized guest gets one. */
void screen_gather(struct value *object);

#endif
