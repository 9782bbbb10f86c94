/* SPDX-License-Identifier: MIT */
/* ELF images and notes: what is read from good ones, and that damaged ones are refused. */
/* links: hypervisor/lib/elf.c */
#include "lib/elf.h"
#include "lib/errno.h"
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include "unit.h"

/* A small kernel: a loadable segment and two notes. */
struct image {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[2];
	struct {
		Elf64_Nhdr h1;
		char name1[4];
		u64 entry;
		Elf64_Nhdr h2;
		char name2[4];
		char loader[8];
	} notes;
	u8 text[64];
};

static struct image make_image(void)
{
	return (struct image){
		.eh = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_entry = 0xffffffff81000000UL,
			.e_phoff = offsetof(struct image, ph),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 2 },
		.ph = { { .p_type = PT_LOAD,
			  .p_flags = PF_R | PF_X,
			  .p_offset = offsetof(struct image, text),
			  .p_vaddr = 0xffffffff81000000UL,
			  .p_paddr = 0x1000000,
			  .p_filesz = 64,
			  .p_memsz = 128 },
			{ .p_type = PT_NOTE,
			  .p_offset = offsetof(struct image, notes),
			  .p_filesz = sizeof(((struct image *)0)->notes),
			  .p_align = 4 } },
		.notes = { .h1 = { 4, 8, 1 },
			   .name1 = "Xen",
			   .entry = 0xffffffff81000123UL,
			   .h2 = { 4, 8, 8 },
			   .name2 = "Xen",
			   .loader = "generic" },
		.text = { 0x90 },
	};
}

struct seen {
	unsigned int nr;
	u64 entry;
};

static int collect(const struct elf_note *note, void *data)
{
	struct seen *seen = data;
	u8 sum = 0;

	/* Whatever the note is, all of its bytes must be readable. */
	for (u32 i = 0; i < note->descsz; i++)
		sum += note->desc[i];
	(void)sum;
	seen->nr++;
	if (!strcmp(note->name, "Xen") && note->type == 1)
		seen->entry = elf_note_u64(note);
	return 0;
}

static int open_image(struct elf_image *elf, const struct image *img)
{
	const char *why = NULL;
	int err = elf_open(elf, img, sizeof(*img), &why);

	if (err)
		assert_non_null(why);
	return err;
}

static void reads_segments_and_notes(void **state)
{
	struct image img = make_image();
	struct elf_segment seg;
	struct seen seen = { 0 };
	struct elf_image elf;

	assert_int_equal(open_image(&elf, &img), 0);
	assert_true(elf.is_64bit && elf.phnum == 2 && elf.entry == 0xffffffff81000000UL);
	assert_int_equal(elf_segment_get(&elf, 0, &seg), 0);
	assert_true(seg.type == PT_LOAD && seg.vaddr == 0xffffffff81000000UL &&
		    seg.paddr == 0x1000000);
	assert_true(seg.filesz == 64 && seg.memsz == 128 && seg.data == img.text);
	assert_int_equal(elf_segment_get(&elf, 2, &seg), -EINVAL);
	assert_int_equal(elf_for_each_note(&elf, collect, &seen), 0);
	assert_int_equal(seen.nr, 2);
	assert_int_equal(seen.entry, 0xffffffff81000123UL);
}

static int stop_at_first(const struct elf_note *note, void *data)
{
	++*(int *)data;
	return -EEXIST;
}

static void a_note_handler_can_stop(void **state)
{
	struct image img = make_image();
	struct elf_image elf;
	int calls = 0;

	assert_int_equal(open_image(&elf, &img), 0);
	assert_int_equal(elf_for_each_note(&elf, stop_at_first, &calls), -EEXIST);
	assert_int_equal(calls, 1);
}

static void refuses_what_is_not_for_this_processor(void **state)
{
	struct image img = make_image();
	struct elf_image elf;

	img.eh.e_machine = EM_AARCH64;
	assert_int_equal(open_image(&elf, &img), -ENOEXEC);
	img = make_image();
	img.eh.e_ident[EI_DATA] = ELFDATA2MSB;
	assert_int_equal(open_image(&elf, &img), -ENOEXEC);
	img = make_image();
	img.eh.e_type = ET_REL;
	assert_int_equal(open_image(&elf, &img), -ENOEXEC);
	img = make_image();
	img.eh.e_ident[0] = 'M';
	assert_int_equal(open_image(&elf, &img), -ENOEXEC);
}

static void refuses_impossible_segments(void **state)
{
	static const struct {
		size_t field;
		u64 value;
	} damage[] = {
		{ offsetof(Elf64_Phdr, p_offset), ~0UL },
		{ offsetof(Elf64_Phdr, p_filesz), ~0UL },
		{ offsetof(Elf64_Phdr, p_filesz), 129 },
		{ offsetof(Elf64_Phdr, p_memsz), 63 },
		{ offsetof(Elf64_Phdr, p_memsz), ~0UL },
		{ offsetof(Elf64_Phdr, p_vaddr), ~0UL - 64 },
		{ offsetof(Elf64_Phdr, p_paddr), ~0UL - 64 },
	};
	struct elf_image elf;

	for (size_t i = 0; i < ARRAY_SIZE(damage); i++) {
		struct image img = make_image();

		memcpy((char *)&img.ph[0] + damage[i].field, &damage[i].value, 8);
		assert_int_equal(open_image(&elf, &img), -EINVAL);
	}
	struct image img = make_image();

	img.eh.e_phoff = ~0UL - 50;
	assert_int_equal(open_image(&elf, &img), -EINVAL);
	img = make_image();
	img.eh.e_phentsize = 8;
	assert_int_equal(open_image(&elf, &img), -EINVAL);
	img = make_image();
	img.eh.e_phnum = 0;
	assert_int_equal(open_image(&elf, &img), -EINVAL);
	img = make_image();
	img.eh.e_phnum = 0xffff;
	assert_int_equal(open_image(&elf, &img), -EINVAL);
}

static void refuses_damaged_notes(void **state)
{
	struct image img = make_image();
	struct seen seen = { 0 };
	struct elf_image elf;

	img.notes.h1.n_namesz = ~0U;
	assert_int_equal(open_image(&elf, &img), 0);
	assert_int_equal(elf_for_each_note(&elf, collect, &seen), -EINVAL);
	img = make_image();
	img.notes.h2.n_descsz = 9;
	assert_int_equal(elf_for_each_note(&elf, collect, &seen), -EINVAL);
	img = make_image();
	img.notes.name1[3] = 'x';
	assert_int_equal(elf_for_each_note(&elf, collect, &seen), -EINVAL);
}

static void reads_the_32_bit_form(void **state)
{
	struct {
		Elf32_Ehdr eh;
		Elf32_Phdr ph;
		u8 text[16];
	} img = {
		.eh = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_386,
			.e_entry = 0x100000,
			.e_phoff = sizeof(Elf32_Ehdr),
			.e_phentsize = sizeof(Elf32_Phdr),
			.e_phnum = 1 },
		.ph = { .p_type = PT_LOAD,
			.p_offset = 84,
			.p_vaddr = 0x100000,
			.p_filesz = 16,
			.p_memsz = 32 },
	};
	struct elf_segment seg;
	struct elf_image elf;
	const char *why;

	assert_int_equal(elf_open(&elf, &img, sizeof(img), &why), 0);
	assert_false(elf.is_64bit);
	assert_int_equal(elf_segment_get(&elf, 0, &seg), 0);
	assert_true(seg.vaddr == 0x100000 && seg.memsz == 32 && seg.data == img.text);
}

static void try_everything(const void *data, size_t size)
{
	struct elf_segment seg;
	struct elf_image elf;
	struct seen seen = { 0 };
	const char *why = NULL;
	u8 sum = 0;

	if (elf_open(&elf, data, size, &why)) {
		assert_non_null(why);
		return;
	}
	for (unsigned int i = 0; i < elf.phnum; i++)
		if (!elf_segment_get(&elf, i, &seg))
			for (u64 b = 0; b < seg.filesz; b++)
				sum += seg.data[b];
	(void)sum;
	(void)!elf_for_each_note(&elf, collect, &seen);
}

static void survives_every_truncation_and_random_damage(void **state)
{
	struct image img = make_image();
	uint64_t seed = UNIT_SEED;

	for (size_t size = 0; size <= sizeof(img); size++) {
		u8 *copy = malloc(size);

		memcpy(copy, &img, size);
		try_everything(copy, size);
		free(copy);
	}
	for (int round = 0; round < 100000; round++) {
		u8 *copy = malloc(sizeof(img));
		int flips = 1 + (int)(unit_random(&seed) % 4);

		memcpy(copy, &img, sizeof(img));
		while (flips--)
			copy[unit_random(&seed) % (sizeof(img) - sizeof(img.text))] =
				(u8)unit_random(&seed);
		try_everything(copy, sizeof(img));
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_segments_and_notes),
		cmocka_unit_test(a_note_handler_can_stop),
		cmocka_unit_test(refuses_what_is_not_for_this_processor),
		cmocka_unit_test(refuses_impossible_segments),
		cmocka_unit_test(refuses_damaged_notes),
		cmocka_unit_test(reads_the_32_bit_form),
		cmocka_unit_test(survives_every_truncation_and_random_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
