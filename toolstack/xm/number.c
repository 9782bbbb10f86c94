/* SPDX-License-Identifier: MIT */
/* Numbers on the command line. */
#include "xm/number.h"

#include "lib/str.h"

bool number_parse(const char *text, int64_t min, int64_t max, int64_t *number)
{
	uint64_t value;

	if (!str_to_u64(text, 10, (uint64_t)min, (uint64_t)max, &value))
		return false;
	*number = (int64_t)value;
	return true;
}
