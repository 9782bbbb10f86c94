/* SPDX-License-Identifier: MIT */
/* links: toolstack/worker/build/bzimage.c toolstack/worker/build/kernel_info.c toolstack/worker/build/unpack.c toolstack/worker/build/unpack_lz4.c toolstack/worker/build/unpack_lzo.c toolstack/worker/build/unpack_streams.c toolstack/worker/build/unpack_xz.c toolstack/worker/build/x86_filter.c hypervisor/lib/elf.c hypervisor/lib/pv_notes.c hypervisor/lib/pv_symtab.c hypervisor/lib/bzimage.c hypervisor/lib/pv_start.c */
/* libs: -lgcrypt -lbz2 -llzma -llzo2 -lzstd -llz4 -lz */
/*
 * A kernel's file: unpacked if it is packed, read as an ELF image, laid out in a guest of 64 MiB.
 * What is accepted must hold: segments inside of the image, everything inside of the guest, page
 * tables as many as were counted, symbols that can be read.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/elf.h"
#include "lib/pv_start.h"
#include "lib/pv_symtab.h"
#include "worker/build/bzimage.h"
#include "worker/build/kernel.h"
#include "worker/build/unpack.h"

#define OUT_MAX	 (1u << 20)
#define NR_PAGES (64u << 8)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct out {
	uint8_t *data;
	size_t size;
};

static int collect(void *context, const void *data, size_t size)
{
	struct out *out = context;

	if (size > OUT_MAX - out->size)
		abort();
	memcpy(out->data + out->size, data, size);
	out->size += size;
	return 0;
}

static uint64_t mfn_of(const void *unused, uint64_t pfn)
{
	if (pfn >= NR_PAGES)
		abort();
	return pfn + 5;
}

static void check_layout(const struct kernel_info *info)
{
	struct pv_start s = {
		.virt_base = info->virt_base,
		.virt_end = info->virt_end,
		.init_p2m = info->init_p2m,
		.nr_pages = NR_PAGES,
		.ramdisk_size = 12345,
		.flags = (info->flags & KERNEL_HAS_INIT_P2M ? PV_START_INIT_P2M : 0) |
			 (info->flags & KERNEL_MOD_START_PFN ? PV_START_MOD_PFN : 0) |
			 PV_START_SERVICES,
	};
	const char *why = NULL;
	uint64_t need = 0, *table;

	if (pv_start_plan(&s, &need, &why) != 0) {
		if (why == NULL)
			abort();
		return;
	}
	if (s.mapped_end > NR_PAGES || s.p2m + s.nr_p2m > NR_PAGES ||
	    s.ramdisk + s.nr_ramdisk > NR_PAGES ||
	    (info->virt_end - info->virt_base) / KERNEL_PAGE > NR_PAGES)
		abort();
	table = malloc(KERNEL_PAGE);
	for (uint64_t i = 0; i < s.nr_pt; i++)
		pv_start_fill_table(&s, i, table, mfn_of, NULL);
	free(table);
}

/* Any part of the block of symbols can be read. */
static void check_symbols(const void *image, size_t size)
{
	struct pv_symtab table;
	struct elf_image elf;
	const char *why = NULL;
	uint8_t part[509];

	if (elf_open(&elf, image, size, &why) != 0)
		abort();
	if (pv_symtab_find(&elf, &table, &why) != 0) {
		if (why == NULL)
			abort();
		return;
	}
	for (uint64_t at = 0; at < table.size; at += sizeof(part))
		pv_symtab_read(&table, at, part,
			       table.size - at < sizeof(part) ? table.size - at : sizeof(part));
}

static void check_image(const void *image, size_t size)
{
	struct kernel_info info;
	const char *why = NULL;

	if (kernel_info_read(image, size, &info, &why) != 0) {
		if (why == NULL)
			abort();
		return;
	}
	if (kernel_info_check(&info, size, &why) != 0)
		abort();
	for (uint32_t i = 0; i < info.nr_segments; i++)
		if (info.segments[i].offset + info.segments[i].filesz > size ||
		    info.segments[i].virt < info.virt_base ||
		    info.segments[i].filesz > info.segments[i].memsz)
			abort();
	if (info.flags & KERNEL_BSD_SYMTAB)
		check_symbols(image, size);
	check_layout(&info);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct out out = { .size = 0 };
	struct bzimage image;
	const char *why = NULL;

	if (bzimage_open(&image, data, size, &why) != 0) {
		check_image(data, size);
		return 0;
	}
	if (image.payload < data || image.size > (size_t)(data + size - image.payload))
		abort();
	out.data = malloc(OUT_MAX);
	if (unpack(image.payload, image.size, OUT_MAX, collect, &out, &why) == 0)
		check_image(out.data, out.size);
	else if (why == NULL)
		abort();
	free(out.data);
	return 0;
}
