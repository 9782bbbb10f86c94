/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls with hostile numbers and arguments. None may crash the guest or the host, and those of
 * paravirtualized guests alone are not there. Leaves out what ends the guest or blocks it.
 */
#include "pvh.h"

static uint64_t state = 88172645463325252UL;

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint64_t argument(void)
{
	/* Three pages: a hypercall may write past what the second holds. */
	static uint64_t buffer[3 * PAGE_SIZE / 8] __attribute__((aligned(4096)));

	switch (next() % 6) {
	case 0:
		return next() % 40;
	case 1:
		for (unsigned int i = 0; i < 64; i++)
			buffer[i] = next() % 3 ? next() % 64 : next();
		return (uint64_t)buffer;
	case 2:
		return (uint64_t)buffer + PAGE_SIZE - next() % 16; /* across pages */
	case 3:
		return 0xffff800000000000 + next() % (1UL << 40);
	case 4:
		return 0x100000000 + next() % PAGE_SIZE;
	default:
		return next();
	}
}

void pvh_test(void)
{
	static const uint8_t paravirtual[] = { 0, 1, 2, 3, 4, 5, 10, 14, 25, 26 };
	static const uint8_t numbers[] = { 17, 20, 21, 32, 33, 34, 35, 36, 38, 39, 40, 60, 63 };

	for (unsigned int i = 0; i < sizeof(paravirtual); i++)
		EXPECT_EQ(hypercall5(paravirtual[i], argument(), argument(), argument(), argument(),
				     argument()),
			  -XENOSYS);
	for (unsigned int i = 0; i < 200000; i++) {
		uint64_t nr = next() % 64 ? numbers[next() % sizeof(numbers)] : next() | 64;

		/* HVMOP_set_param may take the console's port away, EVTCHNOP_close and _reset too.
		 */
		if (nr == 34 || nr == 32)
			hypercall5(nr, 100 + argument() % 1000, argument(), argument(), argument(),
				   argument());
		else if (nr ==
			 20) /* statuses are written along the array, as long as it is said to be */
			hypercall5(nr, argument(), argument(), next() % 64, argument(), argument());
		else
			hypercall5(nr, argument(), argument(), argument(), argument(), argument());
	}
}
