/* SPDX-License-Identifier: MIT */
/* The older name of cpus. */
#ifndef CONFIG_PIN_H
#define CONFIG_PIN_H

#include "config/value.h"

/* Renames cpu to cpus, unless it pins nothing or cpus is there, too. */
void pin_rename(struct value *object);

#endif
