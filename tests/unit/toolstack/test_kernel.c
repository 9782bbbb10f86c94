/* SPDX-License-Identifier: MIT */
/* A guest's kernel from file to description: formats, damage, the sandbox and the cache. */
/* links: toolstack/worker/build/bzimage.c toolstack/worker/build/cache.c toolstack/worker/build/kernel.c toolstack/worker/build/kernel_info.c toolstack/worker/build/kernel_sandbox.c toolstack/worker/limits.c toolstack/worker/sandbox.c toolstack/worker/build/unpack.c toolstack/worker/build/unpack_lz4.c toolstack/worker/build/unpack_lzo.c toolstack/worker/build/unpack_streams.c toolstack/worker/build/unpack_xz.c toolstack/worker/build/x86_filter.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/str.c hypervisor/lib/elf.c hypervisor/lib/pv_notes.c hypervisor/lib/pv_symtab.c hypervisor/lib/bzimage.c tests/unit/toolstack/kernel_image.c */
/* libs: -lseccomp -lgcrypt -lbz2 -llzma -llzo2 -lzstd -llz4 -lz */
#include "worker/build/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bzlib.h>
#include <lz4.h>
#include <lz4frame.h>
#include <lzma.h>
#include <lzo/lzo1x.h>
#include <zlib.h>
#include <zstd.h>

#include "worker/sandbox.h"
#include "worker/build/unpack.h"
#include "worker/build/unpack_xz.h"
#include "kernel_image.h"
#include "unit.h"
#include "lib/file.h"

static char dir[] = "/tmp/test_kernel.XXXXXX";

static int make_dir(void **state)
{
	strcpy(dir, "/tmp/test_kernel.XXXXXX");
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static const char *in_dir(const char *name)
{
	static char path[2][128];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
	return path[turn];
}

/* --- reading an image --- */

static void image_is_described(void **state)
{
	struct kernel_spec spec = KERNEL_SPEC_LINUX;
	struct str image = STR_INIT;
	struct kernel_info info;
	const char *why = "";

	spec.hypercall_page = 0xffffffff81002000ULL;
	kernel_image_make(&image, &spec);
	assert_int_equal(kernel_info_read(image.text, image.len, &info, &why), 0);
	assert_true(info.virt_base == spec.virt_base && info.entry == spec.entry);
	assert_true(info.virt_start == 0xffffffff81000000ULL &&
		    info.virt_end == 0xffffffff81005000ULL);
	assert_int_equal(info.flags,
			 KERNEL_HAS_INIT_P2M | KERNEL_MOD_START_PFN | KERNEL_HYPERCALL_PAGE);
	assert_true(info.init_p2m == spec.init_p2m && info.hypercall_page == spec.hypercall_page);
	assert_int_equal(info.nr_segments, 1);
	assert_true(info.segments[0].offset == KERNEL_IMAGE_OFFSET &&
		    info.segments[0].virt == spec.virt);
	assert_true(info.segments[0].filesz == 5000 && info.segments[0].memsz == 20000);
	assert_string_equal(info.guest_os, "test");
	assert_string_equal(info.loader, "generic");
	str_free(&image);
}

static void zeros_at_a_segments_end_are_left_out(void **state)
{
	struct kernel_spec spec = KERNEL_SPEC_LINUX;
	struct str image = STR_INIT;
	struct kernel_info info;
	const char *why = "";

	spec.filesz = 18000;
	kernel_image_make(&image, &spec);
	memset(image.text + KERNEL_IMAGE_OFFSET + 4097, 0, 18000 - 4097);
	image.text[KERNEL_IMAGE_OFFSET + 4096] = 1;
	assert_int_equal(kernel_info_read(image.text, image.len, &info, &why), 0);
	assert_int_equal(info.segments[0].filesz, 4097);
	str_free(&image);
}

static void unusable_kernels_are_refused_with_a_reason(void **state)
{
	static const struct {
		struct kernel_spec change; /* non-zero members replace */
		const char *why;
	} cases[] = {
		{ { .no_notes = 1 }, "it has no Xen notes" },
		{ { .is_32bit = 1 }, "the ELF file is for another processor" },
		{ { .entry = 0xffffffff81005000ULL }, "its entry point lies outside of it" },
		{ { .entry = 0xffffffff80fff000ULL }, "its entry point lies outside of it" },
		{ { .hypercall_page = 0xffffffff81002010ULL },
		  "its hypercall page lies outside of it" },
		{ { .hypercall_page = 0xffffffff81005000ULL },
		  "its hypercall page lies outside of it" },
		{ { .init_p2m = 0x8000001000ULL }, "it wants the list of its frames where" },
		{ { .init_p2m = 0xffff808000000000ULL }, "it wants the list of its frames where" },
		{ { .memsz = 1ULL << 30 }, "it is to lie where no guest may have it" },
		{ { .memsz = 4000 }, "an ELF segment is cut off" },
		{ { .virt_base = 0xffff800000000000ULL, .virt = 0xffff800000001000ULL },
		  "it is to lie where no guest" },
		{ { .virt_base = 0x00007ffffffff000ULL, .virt = 0x00007ffffffff000ULL },
		  "it is to lie where no guest" },
		{ { .virt_base = 0xffffffff80000800ULL },
		  "its addresses are not those of whole pages" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kernel_spec spec = KERNEL_SPEC_LINUX;
		const struct kernel_spec *c = &cases[i].change;
		struct str image = STR_INIT;
		struct kernel_info info;
		const char *why = "";

		spec.no_notes = c->no_notes;
		spec.is_32bit = c->is_32bit;
		spec.entry = c->entry != 0 ? c->entry : spec.entry;
		spec.hypercall_page = c->hypercall_page;
		spec.init_p2m = c->init_p2m != 0 ? c->init_p2m : spec.init_p2m;
		spec.memsz = c->memsz != 0 ? c->memsz : spec.memsz;
		spec.virt = c->virt != 0 ? c->virt : spec.virt;
		spec.virt_base = c->virt_base != 0 ? c->virt_base : spec.virt_base;
		kernel_image_make(&image, &spec);
		if (kernel_info_read(image.text, image.len, &info, &why) == 0 ||
		    strncmp(why, cases[i].why, strlen(cases[i].why)) != 0)
			fail_msg("case %zu: \"%s\" in place of \"%s\"", i, why, cases[i].why);
		str_free(&image);
	}
}

static void descriptions_from_elsewhere_are_checked(void **state)
{
	struct kernel_spec spec = KERNEL_SPEC_LINUX;
	struct str image = STR_INIT;
	struct kernel_info info, bad;
	const char *why = "";
	uint64_t seed = UNIT_SEED;

	kernel_image_make(&image, &spec);
	assert_int_equal(kernel_info_read(image.text, image.len, &info, &why), 0);
	assert_int_equal(kernel_info_check(&info, image.len, &why), 0);
	assert_int_not_equal(kernel_info_check(&info, image.len - 1, &why), 0);
	bad = info;
	bad.nr_segments = KERNEL_SEGMENTS_MAX + 1;
	assert_int_not_equal(kernel_info_check(&bad, image.len, &why), 0);
	bad = info;
	memset(bad.guest_os, 'x', sizeof(bad.guest_os));
	assert_int_not_equal(kernel_info_check(&bad, image.len, &why), 0);
	bad = info;
	bad.segments[0].offset = UINT64_MAX - 10;
	assert_int_not_equal(kernel_info_check(&bad, image.len, &why), 0);
	/* Any description that passes has its segments inside the image and inside its range. */
	for (int i = 0; i < 100000; i++) {
		uint64_t at = unit_random(&seed) %
			      (offsetof(struct kernel_info, segments) + sizeof(bad.segments[0]));

		bad = info;
		((uint8_t *)&bad)[at] ^= (uint8_t)(1 << unit_random(&seed) % 8);
		if (kernel_info_check(&bad, image.len, &why) != 0)
			continue;
		for (uint32_t s = 0; s < bad.nr_segments; s++) {
			assert_true(bad.segments[s].offset + bad.segments[s].filesz <= image.len);
			assert_true(bad.segments[s].virt - bad.virt_base <= 2 * KERNEL_SIZE_MAX);
			assert_true(bad.segments[s].virt + bad.segments[s].memsz <= bad.virt_end);
		}
	}
	str_free(&image);
}

/* --- unpacking --- */

static int collect(void *context, const void *data, size_t size)
{
	str_add_bytes(context, data, size);
	return 0;
}

enum format { GZIP, XZ, ZSTD, LZ4, LZ4_FRAME, BZIP2, LZMA, LZO, FORMATS };

static void pack_gzip(struct str *out, const struct str *in)
{
	z_stream z = { .next_in = (Bytef *)in->text, .avail_in = (uInt)in->len };

	deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
	z.next_out = (Bytef *)str_reserve(out, in->len + 1000);
	z.avail_out = (uInt)in->len + 1000;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	out->len += z.total_out;
	deflateEnd(&z);
}

static void pack_lzma(struct str *out, const struct str *in)
{
	lzma_options_lzma options;
	lzma_stream z = LZMA_STREAM_INIT;

	lzma_lzma_preset(&options, 1);
	assert_int_equal(lzma_alone_encoder(&z, &options), LZMA_OK);
	z.next_in = (const uint8_t *)in->text;
	z.avail_in = in->len;
	z.avail_out = in->len + 1000;
	z.next_out = (uint8_t *)str_reserve(out, z.avail_out);
	assert_int_equal(lzma_code(&z, LZMA_FINISH), LZMA_STREAM_END);
	out->len += z.total_out;
	lzma_end(&z);
}

static void add_be(struct str *out, uint32_t value, int bytes)
{
	while (bytes-- > 0)
		str_add_char(out, (char)(value >> 8 * bytes));
}

/* As lzop does, with both sums of the unpacked bytes and one of the packed. */
static void pack_lzo(struct str *out, const struct str *in)
{
	static uint8_t work[LZO1X_1_MEM_COMPRESS], packed[(64 << 10) + 5000];

	str_add_bytes(out, "\x89LZO\0\r\n\x1a\n", 9);
	add_be(out, 0x1040, 2);
	add_be(out, 0x20a0, 2);
	add_be(out, 0x0940, 2);
	add_be(out, 1, 1);     /* the method */
	add_be(out, 5, 1);     /* the level */
	add_be(out, 0x143, 4); /* sums, and an extra field */
	add_be(out, 0100644, 4);
	add_be(out, 0, 4);
	add_be(out, 0, 4);
	add_be(out, 6, 1);
	str_add_bytes(out, "kernel", 6);
	add_be(out, 0, 4); /* the header's checksum, which nobody needs */
	add_be(out, 3, 4);
	str_add_bytes(out, "xyz", 3);
	add_be(out, 0, 4);
	assert_int_equal(lzo_init(), LZO_E_OK);
	for (size_t at = 0; at < in->len; at += 64 << 10) {
		size_t size = in->len - at < 64 << 10 ? in->len - at : 64 << 10;
		const uint8_t *from = (const uint8_t *)in->text + at;
		lzo_uint got = sizeof(packed);

		assert_int_equal(lzo1x_1_compress(from, size, packed, &got, work), LZO_E_OK);
		add_be(out, (uint32_t)size, 4);
		add_be(out, (uint32_t)(got < size ? got : size), 4);
		add_be(out, (uint32_t)adler32(1, from, (uInt)size), 4);
		add_be(out, (uint32_t)crc32(0, from, (uInt)size), 4);
		if (got < size)
			add_be(out, (uint32_t)adler32(1, packed, (uInt)got), 4);
		str_add_bytes(out, got < size ? packed : from, got < size ? got : size);
	}
	add_be(out, 0, 4);
}

static void pack(struct str *out, const struct str *in, enum format format)
{
	size_t room = in->len + 1000, at = 0;
	char *to = str_reserve(out, room);
	unsigned int size;
	uint32_t word;

	if (format == GZIP) {
		pack_gzip(out, in);
	} else if (format == LZMA) {
		pack_lzma(out, in);
	} else if (format == LZO) {
		pack_lzo(out, in);
	} else if (format == BZIP2) {
		size = (unsigned int)room;
		assert_int_equal(BZ2_bzBuffToBuffCompress(to, &size, in->text,
							  (unsigned int)in->len, 1, 0, 0),
				 BZ_OK);
		out->len += size;
	} else if (format == LZ4_FRAME) {
		at = LZ4F_compressFrame(to, room, in->text, in->len, NULL);
		assert_false(LZ4F_isError(at));
		out->len += at;
	} else if (format == XZ) {
		assert_int_equal(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL,
							 (const uint8_t *)in->text, in->len,
							 (uint8_t *)to, &at, room),
				 LZMA_OK);
		out->len += at;
	} else if (format == ZSTD) {
		at = ZSTD_compress(to, room, in->text, in->len, 3);
		assert_false(ZSTD_isError(at));
		out->len += at;
	} else {
		word = 0x184c2102;
		memcpy(to, &word, 4);
		at = (size_t)LZ4_compress_default(in->text, to + 8, (int)in->len, (int)room - 8);
		word = (uint32_t)at;
		memcpy(to + 4, &word, 4);
		out->len += 8 + at;
	}
}

static void some_data(struct str *out)
{
	uint64_t seed = UNIT_SEED;

	for (int i = 0; i < 300000; i++)
		str_add_char(out, (char)(i % 1000 < 500 ? unit_random(&seed) : 'a'));
}

static void each_format_is_unpacked(void **state)
{
	struct str data = STR_INIT;

	some_data(&data);
	for (enum format f = 0; f < FORMATS; f++) {
		struct str packed = STR_INIT, got = STR_INIT;
		const char *why = "";

		pack(&packed, &data, f);
		assert_int_equal(unpack(packed.text, packed.len, data.len, collect, &got, &why), 0);
		assert_int_equal(got.len, data.len);
		assert_memory_equal(got.text, data.text, data.len);
		str_clear(&got);
		assert_int_equal(unpack(packed.text, packed.len, data.len - 1, collect, &got, &why),
				 -EFBIG);
		str_free(&packed);
		str_free(&got);
	}
	str_free(&data);
}

/* Packs like Linux's build: the x86 filter before LZMA2, with a CRC32. */
static void pack_xz_kernel(struct str *out, const struct str *in)
{
	lzma_options_lzma options;
	lzma_filter filters[] = { { LZMA_FILTER_X86, NULL },
				  { LZMA_FILTER_LZMA2, &options },
				  { LZMA_VLI_UNKNOWN, NULL } };
	lzma_stream xz = LZMA_STREAM_INIT;

	lzma_lzma_preset(&options, 1);
	assert_int_equal(lzma_stream_encoder(&xz, filters, LZMA_CHECK_CRC32), LZMA_OK);
	xz.next_in = (const uint8_t *)in->text;
	xz.avail_in = in->len;
	xz.avail_out = in->len + 1000;
	xz.next_out = (uint8_t *)str_reserve(out, xz.avail_out);
	assert_int_equal(lzma_code(&xz, LZMA_FINISH), LZMA_STREAM_END);
	out->len += xz.total_out;
	lzma_end(&xz);
}

/* liblzma filters the data; our own code must restore them, wherever opcodes and signs are. */
static void the_x86_filter_is_undone(void **state)
{
	static const uint8_t bytes[] = { 0xe8, 0xe9, 0x00, 0xff, 0x01, 0x90 };
	uint64_t seed = UNIT_SEED;

	for (int round = 0; round < 300; round++) {
		struct str data = STR_INIT, packed = STR_INIT, got = STR_INIT;
		/* Some sizes are close to that of a chunk. */
		size_t size =
			round < 10 ? (256u << 10) - 5 + (size_t)round : unit_random(&seed) % 3000;
		unsigned int dense = 1 + (unsigned int)(unit_random(&seed) % 40);
		const char *why = "";

		for (size_t i = 0; i < size; i++)
			str_add_char(&data,
				     (char)(unit_random(&seed) % dense == 0 ?
						    bytes[unit_random(&seed) % sizeof(bytes)] :
						    unit_random(&seed)));
		pack_xz_kernel(&packed, &data);
		/* unpack_xz_is_kernel() requires room for the longest header. */
		while (packed.len < 1100)
			str_add_char(&packed, '\0');
		assert_true(unpack_xz_is_kernel((const uint8_t *)packed.text, packed.len));
		assert_int_equal(unpack(packed.text, packed.len, size, collect, &got, &why), 0);
		assert_int_equal(got.len, size);
		assert_memory_equal(str_text(&got), str_text(&data), size);
		str_free(&data);
		str_free(&packed);
		str_free(&got);
	}
}

static void a_wrong_checksum_is_noticed(void **state)
{
	struct str data = STR_INIT, packed = STR_INIT, got = STR_INIT;
	const char *why = "";
	size_t at;

	some_data(&data);
	pack_xz_kernel(&packed, &data);
	/* Index and footer take 24 to 40 bytes; the checksum comes before them. */
	for (at = packed.len - 48; at < packed.len - 12; at++) {
		packed.text[at] ^= 1;
		str_clear(&got);
		if (unpack(packed.text, packed.len, data.len, collect, &got, &why) == -EINVAL &&
		    strstr(why, "checksum") != NULL)
			break;
		packed.text[at] ^= 1;
	}
	assert_true(at < packed.len - 12);
	str_free(&data);
	str_free(&packed);
	str_free(&got);
}

static void damaged_data_are_an_error(void **state)
{
	struct str data = STR_INIT;
	uint64_t seed = UNIT_SEED;

	some_data(&data);
	for (enum format f = 0; f < FORMATS; f++) {
		struct str packed = STR_INIT, got = STR_INIT;
		const char *why = NULL;

		pack(&packed, &data, f);
		/* Every format detects that the data end in the middle. */
		assert_int_not_equal(unpack(packed.text, packed.len / 2, 1 << 20, collect, &got,
					    &why),
				     0);
		assert_non_null(why);
		/* lz4 has no checksum, so a changed byte may pass; the output must not become
		 * longer than allowed. */
		for (int i = 0; i < 30; i++) {
			size_t at = 8 + unit_random(&seed) % (packed.len - 8);
			char old = packed.text[at];

			packed.text[at] ^= 0x55;
			str_clear(&got);
			unpack(packed.text, packed.len, data.len, collect, &got, &why);
			assert_true(got.len <= data.len);
			packed.text[at] = old;
		}
		str_free(&packed);
		str_free(&got);
	}
	str_free(&data);
}

static void unknown_formats_are_named(void **state)
{
	const char *why = "";

	assert_int_equal(unpack("PK\3\4............", 16, 1000, collect, NULL, &why), -ENOTSUP);
	assert_non_null(strstr(why, "bzip2, gzip, lz4, lzma, lzo, xz and zstd"));
}

/* --- files, the sandbox and the cache --- */

static void write_kernel(const char *name, enum format format, char first)
{
	struct kernel_spec spec = KERNEL_SPEC_LINUX;
	struct str image = STR_INIT, packed = STR_INIT, file = STR_INIT;

	kernel_image_make(&image, &spec);
	image.text[KERNEL_IMAGE_OFFSET] = first;
	pack(&packed, &image, format);
	kernel_image_wrap(&file, packed.text, packed.len, image.len, format == GZIP);
	assert_int_equal(file_write_atomic(in_dir(name), file.text, file.len, 0644, NULL), 0);
	str_free(&image);
	str_free(&packed);
	str_free(&file);
}

/* Packs a file as it is. */
static void pack_file(const char *name, enum format format, const struct str *image)
{
	struct str packed = STR_INIT;

	pack(&packed, image, format);
	assert_int_equal(file_write_atomic(in_dir(name), packed.text, packed.len, 0644, NULL), 0);
	str_free(&packed);
}

/* Opens the kernel and checks the first byte of its segment. */
static void expect_kernel(const char *name, const char *cache, char first, bool from_cache)
{
	struct kernel kernel;
	struct error *e = NULL;
	char byte = 0;

	if (kernel_open_in(&kernel, AT_FDCWD, in_dir(name), cache, &e) != 0)
		fail_msg("%s", error_text(e));
	assert_int_equal(pread(kernel.fd, &byte, 1, (off_t)kernel.info.segments[0].offset), 1);
	assert_int_equal(byte, first);
	assert_int_equal(kernel.from_cache, from_cache);
	kernel_close(&kernel);
}

static void kernels_are_opened_and_cached_by_content(void **state)
{
	char cache[128];

	snprintf(cache, sizeof(cache), "%s/cache/kernels", dir);
	for (enum format f = 0; f < FORMATS; f++) {
		write_kernel("k", f, (char)('A' + f));
		expect_kernel("k", NULL, (char)('A' + f), false);
		expect_kernel("k", cache, (char)('A' + f), false);
		expect_kernel("k", cache, (char)('A' + f), true);
		/* The same content under another name is found; another content under the same name
		 * is not. */
		write_kernel("other", f, (char)('A' + f));
		expect_kernel("other", cache, (char)('A' + f), true);
	}
	write_kernel("k", GZIP, 'z');
	expect_kernel("k", cache, 'z', false);
}

static void a_damaged_cache_entry_is_made_again(void **state)
{
	char cache[128], command[200];

	snprintf(cache, sizeof(cache), "%s/cache2", dir);
	write_kernel("k", XZ, 'x');
	expect_kernel("k", cache, 'x', false);
	snprintf(command, sizeof(command), "for f in %s/*.kernel; do truncate -s -1 $f; done",
		 cache);
	assert_int_equal(system(command), 0);
	expect_kernel("k", cache, 'x', false);
	expect_kernel("k", cache, 'x', true);
}

static void a_cache_that_others_may_write_to_is_not_used(void **state)
{
	char cache[128];

	snprintf(cache, sizeof(cache), "%s/cache3", dir);
	assert_int_equal(mkdir(cache, 0777), 0);
	assert_int_equal(chmod(cache, 0777), 0);
	write_kernel("k", XZ, 'x');
	expect_kernel("k", cache, 'x', false);
	expect_kernel("k", cache, 'x', false);
}

static void an_elf_file_is_used_as_it_is(void **state)
{
	struct kernel_spec spec = KERNEL_SPEC_LINUX;
	struct str image = STR_INIT;

	kernel_image_make(&image, &spec);
	assert_int_equal(file_write_atomic(in_dir("elf"), image.text, image.len, 0644, NULL), 0);
	expect_kernel("elf", NULL, 1, false);
	str_free(&image);
}

static void expect_refusal(const char *name, const char *text)
{
	struct kernel kernel;
	struct error *e = NULL;

	assert_int_not_equal(kernel_open_in(&kernel, AT_FDCWD, in_dir(name), NULL, &e), 0);
	if (strstr(error_text(e), text) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", error_text(e), text);
	assert_int_equal(kernel.fd, -1);
	error_free(&e);
}

static void hostile_files_cost_an_error_message(void **state)
{
	struct str text = STR_INIT;

	expect_refusal("missing", "cannot be opened: No such file");
	expect_refusal("", "it is not a file");
	for (int i = 0; i < 5000; i++)
		str_add_char(&text, 'x');
	file_write_atomic(in_dir("text"), text.text, text.len, 0644, NULL);
	expect_refusal("text", "neither a bzImage nor an ELF file");
	file_write_atomic(in_dir("short"), text.text, 20, 0644, NULL);
	expect_refusal("short", "too short for a kernel");
	memcpy(text.text, "\177ELF", 4);
	file_write_atomic(in_dir("bad-elf"), text.text, text.len, 0644, NULL);
	expect_refusal("bad-elf", "is not usable: the ELF file is for another processor");
	assert_int_equal(truncate(in_dir("text"), KERNEL_FILE_MAX + 1), 0);
	expect_refusal("text", "larger than any kernel");
	str_clear(&text);
	kernel_image_wrap(&text,
			  "\375"
			  "7zXZ\0damaged",
			  14, 100000, 0);
	file_write_atomic(in_dir("bad-xz"), text.text, text.len, 0644, NULL);
	expect_refusal("bad-xz", "its xz data are damaged");
	str_free(&text);
}

static void files_packed_as_a_whole_are_opened_and_cached(void **state)
{
	struct kernel_spec spec = KERNEL_SPEC_LINUX;
	char cache[128];

	snprintf(cache, sizeof(cache), "%s/cache-whole", dir);
	for (enum format f = 0; f < FORMATS; f++) {
		struct str image = STR_INIT;

		kernel_image_make(&image, &spec);
		image.text[KERNEL_IMAGE_OFFSET] = (char)('A' + f);
		pack_file("whole", f, &image);
		expect_kernel("whole", cache, (char)('A' + f), false);
		expect_kernel("whole", cache, (char)('A' + f), true);
		str_free(&image);
	}
}

static void a_packed_bzimage_is_unpacked_twice(void **state)
{
	struct str file = STR_INIT;

	write_kernel("inner", XZ, 'i');
	assert_int_equal(file_read(in_dir("inner"), 1 << 20, &file, NULL), 0);
	pack_file("outer", GZIP, &file);
	expect_kernel("outer", NULL, 'i', false);
	str_clear(&file);
	/* Not more than that. */
	assert_int_equal(file_read(in_dir("outer"), 1 << 20, &file, NULL), 0);
	pack_file("outermost", BZIP2, &file);
	expect_refusal("outermost", "not an ELF file");
	str_free(&file);
}

/* Opens a kernel that wants its symbols, and checks the segment that has them. */
static void expect_symbols(const char *name, const char *cache, bool from_cache, int count)
{
	struct kernel kernel;
	const struct kernel_segment *seg = &kernel.info.segments[1];
	struct error *e = NULL;
	uint32_t words[2];

	if (kernel_open_in(&kernel, AT_FDCWD, in_dir(name), cache, &e) != 0)
		fail_msg("%s", error_text(e));
	assert_int_equal(kernel.from_cache, from_cache);
	assert_int_equal(kernel.info.nr_segments, 2);
	/* Behind the last byte of the kernel, which fills 20000 bytes. */
	assert_true(seg->virt == 0xffffffff81000000ULL + 20000);
	assert_true(seg->memsz > (uint64_t)count * 24 && seg->filesz == seg->memsz);
	assert_true(kernel.info.virt_end >= seg->virt + seg->memsz);
	assert_int_equal(pread(kernel.fd, words, sizeof(words), (off_t)seg->offset), sizeof(words));
	assert_int_equal(words[0], seg->memsz);
	assert_memory_equal(&words[1], "\177ELF", 4);
	kernel_close(&kernel);
}

static void symbols_become_a_segment_if_the_kernel_wants_them(void **state)
{
	struct kernel_spec spec = KERNEL_SPEC_LINUX;
	struct str image = STR_INIT;
	char cache[128];

	snprintf(cache, sizeof(cache), "%s/cache-symbols", dir);
	/* More of them than one write has. */
	spec.symbols = 10000;
	kernel_image_make(&image, &spec);
	assert_int_equal(file_write_atomic(in_dir("plain"), image.text, image.len, 0644, NULL), 0);
	expect_symbols("plain", cache, false, spec.symbols);
	expect_symbols("plain", cache, true, spec.symbols);
	expect_symbols("plain", NULL, false, spec.symbols);
	pack_file("packed", LZO, &image);
	expect_symbols("packed", cache, false, spec.symbols);
	expect_symbols("packed", cache, true, spec.symbols);
	/* The sections are cut off. */
	pack_file("packed", GZIP, &(struct str){ .text = image.text, .len = image.len - 8 });
	expect_refusal("packed", "its symbol table is damaged");
	str_free(&image);
}

static void the_same_kernel_is_cached_once_for_each_file(void **state)
{
	struct kernel_spec spec = KERNEL_SPEC_LINUX;
	struct str image = STR_INIT;
	char cache[128];

	snprintf(cache, sizeof(cache), "%s/cache-same", dir);
	kernel_image_make(&image, &spec);
	pack_file("first", LZMA, &image);
	pack_file("second", LZMA, &image);
	expect_kernel("first", cache, 1, false);
	expect_kernel("second", cache, 1, true);
	str_free(&image);
}

static int crash(void *context, int fd, void *result, const char **why)
{
	raise(SIGSEGV);
	return 0;
}

static int spin(void *context, int fd, void *result, const char **why)
{
	for (volatile int i = 0; i < 1;)
		;
	return 0;
}

static int overflow(void *context, int fd, void *result, const char **why)
{
	static const char zeros[4096];

	while (write(fd, zeros, sizeof(zeros)) > 0)
		;
	*why = "it does not fit";
	return -EFBIG;
}

/* Reports its process id, and never ends. */
static int spin_and_tell(void *context, int fd, void *result, const char **why)
{
	pid_t pid = getpid();

	if (write(fd, &pid, sizeof(pid)) != sizeof(pid))
		return -EIO;
	return spin(context, fd, result, why);
}

static void the_sandbox_ends_with_who_made_it(void **state)
{
	static const struct sandbox_limits limits = { 1 << 26, 1 << 16, 60 };
	int pipe_fds[2], result = 0;
	pid_t parent, inside = 0;

	assert_int_equal(pipe(pipe_fds), 0);
	parent = fork();
	if (parent == 0) {
		sandbox_run(spin_and_tell, NULL, pipe_fds[1], &result, sizeof(result), &limits,
			    "The file", NULL);
		_exit(0);
	}
	close(pipe_fds[1]);
	assert_int_equal(read(pipe_fds[0], &inside, sizeof(inside)), sizeof(inside));
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	/* The sandboxed process's end of the pipe closes when it dies. */
	assert_int_equal(read(pipe_fds[0], &result, sizeof(result)), 0);
	close(pipe_fds[0]);
}

/* The sandboxed function can reach nothing but the file that it was given. */
static int look_around(void *context, int fd, void *result, const char **why)
{
	*why = "it could do more than it should";
	if (getuid() == 0 || getgid() == 0 || kill(getppid(), 0) == 0)
		return -EACCES;
	for (int i = 5; i < 64; i++)
		if (fcntl(i, F_GETFD) >= 0)
			return -EBADF;
	*(int *)result = 42;
	return 0;
}

/* Taken over, it might report and then stay. */
static int report_and_hang(void *context, int fd, void *result, const char **why)
{
	static const char report[204]; /* says that all is well */

	*(int *)result = 7;
	if (write(3, report, sizeof(report)) == sizeof(report))
		for (;;)
			pause();
	return -EIO;
}

static void the_sandbox_is_left_after_its_report(void **state)
{
	static const struct sandbox_limits limits = { 1 << 26, 1 << 16, 60 };
	struct error *e = NULL;
	int result = 0;

	alarm(20);
	assert_int_equal(sandbox_run(report_and_hang, NULL, -1, &result, sizeof(result), &limits,
				     "The file", &e),
			 0);
	alarm(0);
	assert_int_equal(result, 7);
	/* And it is gone. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void the_sandbox_holds(void **state)
{
	static const struct sandbox_limits limits = { 1 << 26, 1 << 16, 1 };
	struct error *e = NULL;
	int result = 0, fd = open(in_dir("out"), O_RDWR | O_CREAT, 0600), other = dup(fd);
	struct stat st;

	assert_int_not_equal(sandbox_run(crash, NULL, fd, &result, sizeof(result), &limits,
					 "The file", &e),
			     0);
	assert_non_null(strstr(error_text(e),
			       "The file is not usable: the process that read it was stopped"));
	assert_int_not_equal(sandbox_run(spin, NULL, fd, &result, sizeof(result), &limits,
					 "The file", &e),
			     0);
	assert_non_null(strstr(error_text(e), "took more than 1 seconds"));
	assert_int_not_equal(sandbox_run(overflow, NULL, fd, &result, sizeof(result), &limits,
					 "The file", &e),
			     0);
	assert_string_equal(error_text(e), "The file is not usable: it does not fit.");
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(st.st_size <= 1 << 16);
	error_free(&e);
	if (geteuid() == 0) {
		if (sandbox_run(look_around, NULL, fd, &result, sizeof(result), &limits, "The file",
				&e) != 0)
			fail_msg("%s", error_text(e));
		assert_int_equal(result, 42);
	}
	close(other);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(image_is_described),
		cmocka_unit_test(zeros_at_a_segments_end_are_left_out),
		cmocka_unit_test(unusable_kernels_are_refused_with_a_reason),
		cmocka_unit_test(descriptions_from_elsewhere_are_checked),
		cmocka_unit_test(each_format_is_unpacked),
		cmocka_unit_test(the_x86_filter_is_undone),
		cmocka_unit_test(a_wrong_checksum_is_noticed),
		cmocka_unit_test(damaged_data_are_an_error),
		cmocka_unit_test(unknown_formats_are_named),
		cmocka_unit_test(kernels_are_opened_and_cached_by_content),
		cmocka_unit_test(a_damaged_cache_entry_is_made_again),
		cmocka_unit_test(a_cache_that_others_may_write_to_is_not_used),
		cmocka_unit_test(an_elf_file_is_used_as_it_is),
		cmocka_unit_test(hostile_files_cost_an_error_message),
		cmocka_unit_test(files_packed_as_a_whole_are_opened_and_cached),
		cmocka_unit_test(a_packed_bzimage_is_unpacked_twice),
		cmocka_unit_test(symbols_become_a_segment_if_the_kernel_wants_them),
		cmocka_unit_test(the_same_kernel_is_cached_once_for_each_file),
		cmocka_unit_test(the_sandbox_holds),
		cmocka_unit_test(the_sandbox_is_left_after_its_report),
		cmocka_unit_test(the_sandbox_ends_with_who_made_it),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
