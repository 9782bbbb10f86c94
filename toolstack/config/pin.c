/* SPDX-License-Identifier: MIT */
/*
 * cpu is the older name of cpus: xend of Xen 3 and 4 put every vCPU there, and -1 was anywhere.
 * Ganeti still writes it where one set holds for all vCPUs of an instance.
 */
#include "config/pin.h"

static bool is_anywhere(const struct value *v)
{
	return value_is_empty(v) || (v->type == VALUE_NUMBER && v->number == -1);
}

void pin_rename(struct value *object)
{
	const struct value *cpu = value_find(object, "cpu"), *cpus = value_find(object, "cpus");
	struct config_pos pos;

	if (!cpu || is_anywhere(cpu) || (cpus && !value_is_empty(cpus)))
		return;
	pos = cpu->key_pos;
	value_free(value_take(object, "cpus"));
	value_set(object, "cpus", pos, value_take(object, "cpu"));
}
