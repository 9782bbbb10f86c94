/* SPDX-License-Identifier: MIT */
/* Real compressed data, whole and damaged; the formats' own tools make them while the test runs. */
/* links: hypervisor/lib/decompress.c hypervisor/lib/decompress_gzip.c hypervisor/lib/decompress_lz4.c */
/* links: hypervisor/lib/decompress_xz.c hypervisor/lib/decompress_zstd.c */
/* libs: -llzma -lzstd -llz4 -lz */
#include "lib/decompress.h"
#include "lib/decompress_formats.h"
#include "lib/errno.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "unit.h"

enum { SMALL = 700, LARGE = 3000000 };

struct blob {
	u8 *data;
	size_t size;
};

/* The tools as Linux's build calls them (scripts/Makefile.lib, scripts/xz_wrap.sh), and with other
 * options that people use. */
static const struct tool {
	const char *name, *command;
	bool has_checksum;
} tools[] = {
	{ "gzip", "gzip -n -c -9", true },
	{ "xz, as Linux", "xz -c --check=crc32 --x86 --lzma2=dict=32MiB", true },
	{ "xz, crc64", "xz -c -6", true },
	{ "xz, sha256", "xz -c --check=sha256 --block-size=100000", true },
	{ "zstd, as Linux", "zstd -q -c -22 --ultra", true },
	{ "zstd, no checksum", "zstd -q -c --no-check -1", false },
	{ "lz4, as Linux", "lz4 -q -l -c -9", false },
};

static u8 *plain;

void libc_shim_init(void)
{
}

/* Behind each buffer is a page without access: it catches what the libraries, which are not
 * instrumented, read or write past the end. */
static struct blob guarded(size_t size)
{
	size_t room = ROUND_UP(size + 1, 4096UL);
	u8 *p = mmap(NULL, room + 4096, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_true(p != MAP_FAILED);
	assert_int_equal(mprotect(p + room, 4096, PROT_NONE), 0);
	return (struct blob){ p + room - size, size };
}

static void unguard(struct blob b)
{
	size_t room = ROUND_UP(b.size + 1, 4096UL);

	munmap(b.data + b.size - room, room + 4096);
}

static int make_plain(void **state)
{
	uint64_t seed = UNIT_SEED;

	plain = malloc(LARGE);
	/* Few different words, so that compression finds repetitions, and some noise. */
	for (size_t i = 0; i < LARGE; i++) {
		uint64_t r = unit_random(&seed);

		plain[i] = i >= 64 && r % 8 ? plain[i - 1 - r / 8 % 3 * 21] : (u8)(r >> 32);
	}
	return 0;
}

static int free_plain(void **state)
{
	free(plain);
	return 0;
}

static struct blob compress(const struct tool *tool, size_t size)
{
	char in[] = "build/unit/decompress-XXXXXX", command[256];
	struct blob out = { malloc(size * 2 + 4096), 0 };
	int fd = mkstemp(in);
	FILE *pipe;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, plain, size), size);
	close(fd);
	snprintf(command, sizeof(command), "%s <%s", tool->command, in);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	out.size = fread(out.data, 1, size * 2 + 4096, pipe);
	if (pclose(pipe) != 0)
		fail_msg("%s does not work: is it installed?", tool->command);
	unlink(in);
	return out;
}

static int run(const void *src, size_t srclen, struct blob dst, size_t *outlen)
{
	static struct blob memory;
	struct decompress_mem mem;
	const char *why = NULL;
	int err;

	if (!memory.data)
		memory = (struct blob){ mmap(NULL, MiB(64), PROT_READ | PROT_WRITE,
					     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
					MiB(64) };
	mem = (struct decompress_mem){ .base = memory.data, .size = memory.size };
	err = decompress(src, srclen, dst.data, dst.size, outlen, &mem, &why);
	assert_non_null(why);
	assert_int_equal(err != 0, why[0] != '\0');
	return err;
}

static void restores_what_each_tool_compressed(void **state)
{
	for (size_t t = 0; t < ARRAY_SIZE(tools); t++)
		for (size_t size = SMALL; size; size = size == SMALL ? LARGE : 0) {
			struct blob packed = compress(&tools[t], size), src = guarded(packed.size),
				    dst = guarded(size);
			size_t outlen;

			memcpy(src.data, packed.data, packed.size);
			if (run(src.data, src.size, dst, &outlen))
				fail_msg("%s", tools[t].name);
			assert_int_equal(outlen, size);
			assert_memory_equal(dst.data, plain, size);
			free(packed.data);
			unguard(src);
			unguard(dst);
		}
}

static void says_how_much_memory_it_needs(void **state)
{
	for (size_t t = 0; t < ARRAY_SIZE(tools); t++) {
		struct blob packed = compress(&tools[t], SMALL), dst = guarded(SMALL);
		size_t needed = decompress_mem_needed(packed.data, packed.size), outlen;
		struct decompress_mem mem = { .size = needed };
		const char *why;

		assert_true(needed >= DECOMPRESS_MEM_MIN && needed < MiB(40));
		mem.base = malloc(needed);
		assert_int_equal(decompress(packed.data, packed.size, dst.data, dst.size, &outlen,
					    &mem, &why),
				 0);
		assert_true(mem.used <= mem.size);
		free(mem.base);
		free(packed.data);
		unguard(dst);
	}
	assert_int_equal(decompress_mem_needed("\xfd"
					       "7zXZ\0garbage garbage garbage",
					       30),
			 0);
	assert_int_equal(decompress_mem_needed("MZ", 2), 0);
}

static void too_little_memory_is_said(void **state)
{
	for (size_t t = 0; t < ARRAY_SIZE(tools); t++) {
		struct blob packed = compress(&tools[t], SMALL), dst = guarded(SMALL);
		int err = 0;

		for (size_t size = 0; size < 65536; size = size * 2 + 16) {
			struct decompress_mem mem = { .base = malloc(size), .size = size };
			const char *why;
			size_t outlen;

			err = decompress(packed.data, packed.size, dst.data, dst.size, &outlen,
					 &mem, &why);
			assert_true(err == 0 || err == -ENOMEM);
			if (err)
				assert_int_equal(outlen, 0);
			free(mem.base);
		}
		free(packed.data);
		unguard(dst);
	}
}

static void data_that_does_not_fit_is_an_error(void **state)
{
	for (size_t t = 0; t < ARRAY_SIZE(tools); t++) {
		struct blob packed = compress(&tools[t], SMALL);

		for (size_t size = 0; size < SMALL; size += 1 + size / 7) {
			struct blob dst = guarded(size);
			size_t outlen;

			assert_int_not_equal(run(packed.data, packed.size, dst, &outlen), 0);
			assert_int_equal(outlen, 0);
			unguard(dst);
		}
		free(packed.data);
	}
}

static void every_truncation_is_an_error(void **state)
{
	for (size_t t = 0; t < ARRAY_SIZE(tools); t++) {
		struct blob packed = compress(&tools[t], SMALL), dst = guarded(SMALL),
			    src = guarded(packed.size);

		for (size_t size = 0; size < packed.size; size++) {
			u8 *p = src.data + src.size - size;
			size_t outlen;

			memcpy(p, packed.data, size);
			if (!run(p, size, dst, &outlen))
				fail_msg("%s: %zu of %zu bytes are enough", tools[t].name, size,
					 packed.size);
		}
		free(packed.data);
		unguard(src);
		unguard(dst);
	}
}

static void trailing_bytes_are_an_error(void **state)
{
	for (size_t t = 0; t < ARRAY_SIZE(tools); t++) {
		struct blob packed = compress(&tools[t], SMALL), dst = guarded(SMALL);
		size_t outlen;

		packed.data[packed.size] = 0x5a;
		assert_int_equal(run(packed.data, packed.size + 1, dst, &outlen), -EINVAL);
		free(packed.data);
		unguard(dst);
	}
}

/* With a checksum, damage is found unless it hit something unimportant (a time stamp). Without one,
 * it must do no harm. */
static void no_flipped_bit_is_taken_for_good(void **state)
{
	for (size_t t = 0; t < ARRAY_SIZE(tools); t++) {
		struct blob packed = compress(&tools[t], SMALL), dst = guarded(SMALL),
			    src = guarded(packed.size);

		for (size_t bit = 0; bit < packed.size * 8; bit++) {
			size_t outlen;

			memcpy(src.data, packed.data, packed.size);
			src.data[bit / 8] ^= (u8)(1 << bit % 8);
			if (run(src.data, src.size, dst, &outlen) || !tools[t].has_checksum)
				continue;
			assert_int_equal(outlen, SMALL);
			assert_memory_equal(dst.data, plain, SMALL);
		}
		free(packed.data);
		unguard(src);
		unguard(dst);
	}
}

static void unknown_formats_and_sizes_are_refused(void **state)
{
	struct blob dst = guarded(16);
	size_t outlen = 5;

	assert_int_equal(run("MZ....", 6, dst, &outlen), -EOPNOTSUPP);
	assert_int_equal(outlen, 0);
	assert_int_equal(run("", 0, dst, &outlen), -EOPNOTSUPP);
	assert_int_equal(run("BZh9....", 8, dst, &outlen), -EOPNOTSUPP);
	assert_int_equal(run("\x1f\x8b\x08", GiB(1) + 1, dst, &outlen), -E2BIG);
	unguard(dst);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(restores_what_each_tool_compressed),
		cmocka_unit_test(says_how_much_memory_it_needs),
		cmocka_unit_test(too_little_memory_is_said),
		cmocka_unit_test(data_that_does_not_fit_is_an_error),
		cmocka_unit_test(every_truncation_is_an_error),
		cmocka_unit_test(trailing_bytes_are_an_error),
		cmocka_unit_test(no_flipped_bit_is_taken_for_good),
		cmocka_unit_test(unknown_formats_and_sizes_are_refused),
	};

	return cmocka_run_group_tests(tests, make_plain, free_plain);
}
