/* SPDX-License-Identifier: MIT */
/* Memory type range registers and the PAT: which values can be written, and which loaded. */
/* links: hypervisor/x86/hvm/dev/mtrr.c */
#include "x86/hvm/dev/mtrr.h"
#include "lib/errno.h"
#include "unit.h"

#include <string.h>

enum { CAP = 0xfe, VAR = 0x200, DEF_TYPE = 0x2ff, BITS = 39 };

static const u32 fixed[] = { 0x250, 0x258, 0x259, 0x268, 0x269, 0x26a,
			     0x26b, 0x26c, 0x26d, 0x26e, 0x26f };

static bool is_type(u64 t)
{
	return t == 0 || t == 1 || t == 4 || t == 5 || t == 6;
}

static void starts_disabled(void **state)
{
	struct hvm_hw_mtrr m;
	u64 value;

	mtrr_reset(&m);
	assert_int_equal(mtrr_read_msr(&m, CAP, &value), 0);
	assert_int_equal(value, 0x508); /* eight pairs, fixed ranges, WC; no SMRR */
	assert_int_equal(mtrr_read_msr(&m, DEF_TYPE, &value), 0);
	assert_int_equal(value, 0);
	assert_int_equal(m.msr_pat_cr, 0x0007040600070406);
	assert_int_equal(mtrr_check_saved(&m, BITS), 0);
}

static void knows_its_registers(void **state)
{
	struct hvm_hw_mtrr m;
	unsigned int found = 0;
	u64 value;

	mtrr_reset(&m);
	for (u32 msr = 0; msr < 0x1000; msr++) {
		found += mtrr_has_msr(msr);
		assert_int_equal(mtrr_read_msr(&m, msr, &value), mtrr_has_msr(msr) ? 0 : -EINVAL);
		assert_int_equal(mtrr_write_msr(&m, msr, 0, BITS),
				 mtrr_has_msr(msr) && msr != CAP ? 0 : -EINVAL);
	}
	assert_int_equal(found, 1 + 16 + 11 + 1);
	assert_false(mtrr_has_msr(0x277)); /* PAT */
}

static void the_default_type_is_checked(void **state)
{
	struct hvm_hw_mtrr m;
	u64 value;

	mtrr_reset(&m);
	for (u64 type = 0; type < 256; type++)
		assert_int_equal(mtrr_write_msr(&m, DEF_TYPE, type | 0xc00, BITS),
				 is_type(type) ? 0 : -EINVAL);
	for (unsigned int bit = 8; bit < 64; bit++)
		assert_int_equal(mtrr_write_msr(&m, DEF_TYPE, BIT(bit) | 6, BITS),
				 bit == 10 || bit == 11 ? 0 : -EINVAL);
	assert_int_equal(mtrr_read_msr(&m, DEF_TYPE, &value), 0);
	assert_int_equal(value, 0x806);
}

static void fixed_ranges_have_eight_types(void **state)
{
	struct hvm_hw_mtrr m;
	u64 value;

	mtrr_reset(&m);
	for (unsigned int i = 0; i < ARRAY_SIZE(fixed); i++) {
		for (unsigned int byte = 0; byte < 8; byte++)
			for (u64 type = 0; type < 256; type++)
				assert_int_equal(mtrr_write_msr(&m, fixed[i], type << byte * 8,
								BITS),
						 is_type(type) ? 0 : -EINVAL);
		assert_int_equal(mtrr_write_msr(&m, fixed[i], 0x0605040100060600 + i % 2, BITS), 0);
		assert_int_equal(m.msr_mtrr_fixed[i], 0x0605040100060600 + i % 2);
		assert_int_equal(mtrr_read_msr(&m, fixed[i], &value), 0);
		assert_int_equal(value, m.msr_mtrr_fixed[i]);
	}
}

static void variable_ranges_are_pairs(void **state)
{
	struct hvm_hw_mtrr m;

	mtrr_reset(&m);
	for (u32 pair = 0; pair < 8; pair++) {
		u32 base = VAR + pair * 2, mask = base + 1;

		for (u64 type = 0; type < 256; type++)
			assert_int_equal(mtrr_write_msr(&m, base, 0x1000 | type, BITS),
					 is_type(type) ? 0 : -EINVAL);
		for (unsigned int bit = 8; bit < 64; bit++)
			assert_int_equal(mtrr_write_msr(&m, base, BIT(bit), BITS),
					 bit >= 12 && bit < BITS ? 0 : -EINVAL);
		for (unsigned int bit = 0; bit < 64; bit++)
			assert_int_equal(mtrr_write_msr(&m, mask, BIT(bit), BITS),
					 bit >= 11 && bit < BITS ? 0 : -EINVAL);
		assert_int_equal(mtrr_write_msr(&m, base, 0xc0000000, BITS), 0);
		assert_int_equal(m.msr_mtrr_var[pair * 2], 0xc0000000);
	}
}

static void the_pat_has_one_type_more(void **state)
{
	for (unsigned int byte = 0; byte < 8; byte++)
		for (u64 type = 0; type < 256; type++)
			assert_int_equal(pat_is_valid(type << byte * 8),
					 is_type(type) || type == 7);
	assert_true(pat_is_valid(0x0407050600070106)); /* Linux's */
}

/* Each register of the record, with each bit turned over: refused if a write would be. */
static void saved_registers_are_checked(void **state)
{
	struct hvm_hw_mtrr good, m, written;
	u64 *const word = (u64 *)&m;

	mtrr_reset(&good);
	good.msr_mtrr_def_type = 0xc06;
	for (unsigned int i = 0; i < 11; i++)
		good.msr_mtrr_fixed[i] = 0x0606060606060606;
	good.msr_mtrr_var[0] = 0xc0000000;
	good.msr_mtrr_var[1] = 0x7fc0000800;
	assert_int_equal(mtrr_check_saved(&good, BITS), 0);
	assert_int_equal(sizeof(m) / 8, 1 + 16 + 11 + 2);
	for (unsigned int i = 0; i < sizeof(m) / 8; i++)
		for (unsigned int bit = 0; bit < 64; bit++) {
			u32 msr = i == 0  ? 0x277 :
				  i < 17  ? VAR + i - 1 :
				  i < 28  ? fixed[i - 17] :
				  i == 28 ? CAP :
					    DEF_TYPE;
			bool valid;

			m = written = good;
			word[i] ^= BIT(bit);
			valid = i == 0 ? pat_is_valid(m.msr_pat_cr) :
					 !mtrr_write_msr(&written, msr, word[i], BITS);
			assert_int_equal(mtrr_check_saved(&m, BITS), valid ? 0 : -EINVAL);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_disabled),
		cmocka_unit_test(knows_its_registers),
		cmocka_unit_test(the_default_type_is_checked),
		cmocka_unit_test(fixed_ranges_have_eight_types),
		cmocka_unit_test(variable_ranges_are_pairs),
		cmocka_unit_test(the_pat_has_one_type_more),
		cmocka_unit_test(saved_registers_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
