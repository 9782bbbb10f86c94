/* SPDX-License-Identifier: MIT */
/* Whether a configuration is for a guest of the kind that can be created. */
#ifndef CONFIG_GUEST_KIND_H
#define CONFIG_GUEST_KIND_H

#include <stdbool.h>
#include "config/diag.h"
#include "config/value.h"

/* False after an error: the keys (`object`) are those of a fully virtualized guest. */
bool guest_kind_check(const struct value *object, struct config_diags *diags);

#endif
