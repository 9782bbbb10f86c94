/* SPDX-License-Identifier: MIT */
/*
 * What a kernel says about itself: notes in a segment, notes in a section, the older string; and
 * its symbol table. Damaged ones and impossible wishes are refused with a reason.
 */
/* links: hypervisor/lib/pv_notes.c hypervisor/lib/pv_symtab.c hypervisor/lib/elf.c */
#include "lib/pv_notes.h"
#include "lib/errno.h"
#include "lib/pv_symtab.h"
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <xen/elfnote.h>
#include "unit.h"

enum { NONE, INFO, SYMTAB, STRTAB, NAMES, SECTIONS };

#define INFO_MAX 256
#define BASE	 0xffffffff80000000UL
#define ENTRY	 0xffffffff80001000UL

/* A kernel of one segment. `info` holds its notes or its string. */
struct image {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[2];
	Elf64_Shdr sh[SECTIONS];
	Elf64_Sym symbols[3];
	char strings[16], names[64];
	u8 info[INFO_MAX];
	size_t info_size;
};

static struct image make_image(void)
{
	struct image i = {
		.eh = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_entry = ENTRY,
			.e_phoff = offsetof(struct image, ph),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 2,
			.e_shoff = offsetof(struct image, sh),
			.e_shentsize = sizeof(Elf64_Shdr),
			.e_shnum = SECTIONS,
			.e_shstrndx = NAMES },
		.ph = { { .p_type = PT_LOAD, .p_paddr = 0x1000, .p_filesz = 64, .p_memsz = 64 } },
		.sh = { [INFO] = { .sh_name = 1,
				   .sh_type = SHT_PROGBITS,
				   .sh_offset = offsetof(struct image, info),
				   .sh_addralign = 4 },
			[SYMTAB] = { .sh_name = 13,
				     .sh_type = SHT_SYMTAB,
				     .sh_offset = offsetof(struct image, symbols),
				     .sh_size = sizeof(i.symbols),
				     .sh_link = STRTAB,
				     .sh_entsize = sizeof(Elf64_Sym) },
			[STRTAB] = { .sh_name = 13,
				     .sh_type = SHT_STRTAB,
				     .sh_offset = offsetof(struct image, strings),
				     .sh_size = 13 },
			[NAMES] = { .sh_name = 13,
				    .sh_type = SHT_STRTAB,
				    .sh_offset = offsetof(struct image, names),
				    .sh_size = sizeof(i.names) } },
		.symbols = { { 0 }, { .st_name = 1 }, { .st_name = 7 } },
		.strings = "\0start\0finis",
		.names = "\0__xen_guest\0.other",
	};

	return i;
}

static void add_note(struct image *i, u32 type, const void *desc, u32 size)
{
	const Elf64_Nhdr head = { .n_namesz = 4, .n_descsz = size, .n_type = type };

	memcpy(i->info + i->info_size, &head, sizeof(head));
	memcpy(i->info + i->info_size + sizeof(head), "Xen", 4);
	memcpy(i->info + i->info_size + sizeof(head) + 4, desc, size);
	i->info_size += ROUND_UP(sizeof(head) + 4 + size, 4UL);
	i->sh[INFO].sh_type = SHT_NOTE;
}

static void add_number(struct image *i, u32 type, u64 value)
{
	add_note(i, type, &value, sizeof(value));
}

static void set_string(struct image *i, const char *text)
{
	i->info_size = strlen(text) + 1;
	memcpy(i->info, text, i->info_size);
}

/* Reads the image; the text stays valid until the next call. */
static int read_image(struct image *i, struct pv_notes *notes, const char **why)
{
	struct elf_image elf;

	i->sh[INFO].sh_size = i->info_size;
	*why = "";
	assert_int_equal(elf_open(&elf, i, sizeof(*i), why), 0);
	return pv_notes_read(&elf, notes, why);
}

static void in_a_segment_too(struct image *i)
{
	i->ph[1] = (Elf64_Phdr){ .p_type = PT_NOTE,
				 .p_offset = offsetof(struct image, info),
				 .p_filesz = i->info_size,
				 .p_align = 4 };
}

static void notes_lie_in_segments_or_sections(void **state)
{
	for (int segment = 0; segment < 2; segment++) {
		struct image i = make_image();
		struct pv_notes n;
		const char *why;

		add_note(&i, XEN_ELFNOTE_GUEST_OS, "NetB\007SD", 8);
		add_number(&i, XEN_ELFNOTE_VIRT_BASE, BASE);
		add_number(&i, XEN_ELFNOTE_ENTRY, ENTRY + 4);
		add_number(&i, XEN_ELFNOTE_SUSPEND_CANCEL, 1);
		add_note(&i, XEN_ELFNOTE_BSD_SYMTAB, "yes", 4);
		add_note(&i, XEN_ELFNOTE_PAE_MODE, "yes", 4);
		add_note(&i, XEN_ELFNOTE_FEATURES, "!writable_page_tables|strange", 30);
		if (segment) {
			in_a_segment_too(&i);
			/* Nobody needs the sections then. */
			i.eh.e_shoff = sizeof(i) - 1;
		}
		assert_int_equal(read_image(&i, &n, &why), 0);
		assert_true(n.virt_base == BASE && n.paddr_offset == 0 && n.entry == ENTRY + 4);
		assert_true(pv_notes_virt(&n, 0x1000) == BASE + 0x1000);
		assert_int_equal(n.flags, PV_NOTES_SUSPEND_CANCEL | PV_NOTES_BSD_SYMTAB);
		assert_string_equal(n.guest_os, "NetB?SD");
	}
}

static void what_is_not_said_has_a_default(void **state)
{
	struct image i = make_image();
	struct pv_notes n;
	const char *why;

	add_note(&i, XEN_ELFNOTE_LOADER, "generic", 8);
	assert_int_equal(read_image(&i, &n, &why), 0);
	assert_true(n.virt_base == 0 && n.paddr_offset == 0 && n.entry == ENTRY && n.flags == 0);
}

static void the_older_string_is_read(void **state)
{
	struct image i = make_image();
	struct pv_notes n;
	const char *why;

	set_string(&i, "GUEST_OS=openbsd,GUEST_VER=4.1,XEN_VER=xen-3.0,LOADER=generic,PAE=no,"
		       "VIRT_BASE=0xC0000000,HYPERCALL_PAGE=0x101,BSD_SYMTAB,STRANGE=1,ALONE,"
		       "FEATURES=writable_page_tables|auto_translated_physmap");
	assert_int_equal(read_image(&i, &n, &why), 0);
	assert_true(n.virt_base == 0xc0000000 && n.entry == ENTRY);
	/* Addresses in the file are virtual unless ELF_PADDR_OFFSET says otherwise. */
	assert_true(pv_notes_virt(&n, 0xc0001000) == 0xc0001000);
	assert_true(n.hypercall_page == 0xc0101000);
	assert_int_equal(n.flags, PV_NOTES_HYPERCALL_PAGE | PV_NOTES_BSD_SYMTAB);
	assert_string_equal(n.guest_os, "openbsd");
	assert_string_equal(n.guest_version, "4.1");
	assert_string_equal(n.loader, "generic");
	set_string(&i, "VIRT_BASE=0xC0000000,ELF_PADDR_OFFSET=0,VIRT_ENTRY=3221225488");
	assert_int_equal(read_image(&i, &n, &why), 0);
	assert_true(pv_notes_virt(&n, 0x1000) == 0xc0001000 && n.entry == 0xc0000010);
	/* The section may end without a NUL, and notes go before the string. */
	set_string(&i, "LOADER=generic");
	i.info_size--;
	assert_int_equal(read_image(&i, &n, &why), 0);
	assert_string_equal(n.loader, "generic");
}

static void expect_refusal(struct image *i, int rc, const char *words)
{
	struct pv_notes n;
	const char *why;
	int got = read_image(i, &n, &why);

	if (got != rc || !strstr(why, words))
		fail_msg("%d \"%s\", not %d \"%s\"", got, why, rc, words);
}

static void what_cannot_be_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *string, *why;
		int rc;
	} strings[] = {
		{ "XEN_VER=2.0", "it was built for the interface \"2.0\"", -ENOEXEC },
		{ "XEN_VER=", "it was built for the interface \"\"", -ENOEXEC },
		{ "FEATURES=a|!auto_translated_physmap",
		  "it requires the feature \"auto_translated_physmap\", which paravirtualized "
		  "guests do not have",
		  -ENOEXEC },
		{ "FEATURES=!a\001123456789012345678901234567890", "\"a?1234567890123456789012\"",
		  -ENOEXEC },
		{ "VIRT_BASE=", "a number in its section __xen_guest is damaged", -EINVAL },
		{ "VIRT_BASE", "a number in its section", -EINVAL },
		{ "VIRT_BASE=0x", "a number in its section", -EINVAL },
		{ "VIRT_BASE=12z", "a number in its section", -EINVAL },
		{ "VIRT_BASE=a0", "a number in its section", -EINVAL },
		{ "VIRT_BASE=0x10000000000000000", "a number in its section", -EINVAL },
		{ "HYPERCALL_PAGE=0xfffffffffffff0", "a number in its section", -EINVAL },
	};
	struct image i = make_image();

	expect_refusal(&i, -ENOEXEC, "it has no Xen notes");
	for (size_t at = 0; at < ARRAY_SIZE(strings); at++) {
		set_string(&i, strings[at].string);
		expect_refusal(&i, strings[at].rc, strings[at].why);
	}
	i = make_image();
	add_number(&i, XEN_ELFNOTE_PHYS32_ENTRY, 0x1000);
	expect_refusal(&i, -ENOEXEC, "those of a PVH kernel");
	i = make_image();
	add_note(&i, XEN_ELFNOTE_XEN_VERSION, "xen-4", 6);
	expect_refusal(&i, -ENOEXEC, "the interface \"xen-4\"");
	i = make_image();
	add_note(&i, XEN_ELFNOTE_FEATURES, "!hvm_pirqs", 11);
	in_a_segment_too(&i);
	expect_refusal(&i, -ENOEXEC, "\"hvm_pirqs\"");
	i = make_image();
	add_note(&i, XEN_ELFNOTE_LOADER, "generic", 8);
	i.info_size -= 5;
	expect_refusal(&i, -EINVAL, "its ELF notes are damaged");
	i = make_image();
	set_string(&i, "LOADER=generic");
	i.sh[NAMES].sh_size = sizeof(struct image);
	expect_refusal(&i, -EINVAL, "damaged");
}

static void a_kernel_may_be_for_domain_0_or_not(void **state)
{
	struct image i = make_image();
	struct pv_notes n;
	const char *why;

	add_number(&i, XEN_ELFNOTE_SUPPORTED_FEATURES, 1 << 5);
	assert_int_equal(read_image(&i, &n, &why), 0);
	assert_int_equal(n.flags, PV_NOTES_NOT_DOM0);
	i = make_image();
	add_number(&i, XEN_ELFNOTE_SUPPORTED_FEATURES, 1 << 11);
	add_note(&i, XEN_ELFNOTE_FEATURES, "!dom0", 6);
	assert_int_equal(read_image(&i, &n, &why), 0);
	assert_int_equal(n.flags, PV_NOTES_DOM0_ONLY);
}

/* --- the symbol table --- */

static void the_symbols_are_an_elf_file(void **state)
{
	struct image i = make_image();
	struct elf_image elf;
	struct pv_symtab table;
	struct elf_section symbols, names;
	const char *why;
	u8 block[600], piece[600];
	u32 size;

	assert_int_equal(elf_open(&elf, &i, sizeof(i), &why), 0);
	assert_int_equal(pv_symtab_find(&elf, &table, &why), 0);
	assert_true(table.size > 0 && table.size <= sizeof(block));
	pv_symtab_read(&table, 0, block, table.size);
	memcpy(&size, block, sizeof(size));
	assert_int_equal(size, table.size);
	elf = (struct elf_image){ .data = block + 4,
				  .size = table.size - 4,
				  .is_64bit = true,
				  .shoff = sizeof(Elf64_Ehdr),
				  .shentsize = sizeof(Elf64_Shdr),
				  .shnum = 3 };
	assert_int_equal(elf_section_get(&elf, 1, &symbols), 0);
	assert_int_equal(symbols.type, SHT_SYMTAB);
	assert_int_equal(symbols.size, sizeof(i.symbols));
	assert_memory_equal(symbols.data, i.symbols, sizeof(i.symbols));
	assert_int_equal(elf_section_get(&elf, symbols.link, &names), 0);
	assert_int_equal(names.size, 13);
	assert_memory_equal(names.data, i.strings, 13);
	/* Any part of it is the same. */
	for (size_t at = 0; at < table.size; at += 7)
		for (size_t n = 1; n <= table.size - at; n += 5) {
			pv_symtab_read(&table, at, piece, n);
			assert_memory_equal(piece, block + at, n);
		}
}

static void damaged_symbols_are_refused(void **state)
{
	static const struct {
		size_t at;
		u64 value;
	} damages[] = {
		{ offsetof(Elf64_Shdr, sh_offset), ~0UL },
		{ offsetof(Elf64_Shdr, sh_size), 25 },
		{ offsetof(Elf64_Shdr, sh_size), 1 << 20 },
		{ offsetof(Elf64_Shdr, sh_entsize), 16 },
		{ offsetof(Elf64_Shdr, sh_link), 99 },
		{ offsetof(Elf64_Shdr, sh_link), INFO },
	};
	struct elf_image elf;
	struct pv_symtab table;
	const char *why = "";

	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		struct image image = make_image();

		memcpy((char *)&image.sh[SYMTAB] + damages[i].at, &damages[i].value,
		       damages[i].at == offsetof(Elf64_Shdr, sh_link) ? 4 : 8);
		assert_int_equal(elf_open(&elf, &image, sizeof(image), &why), 0);
		assert_int_equal(pv_symtab_find(&elf, &table, &why), -EINVAL);
		assert_string_equal(why, "its symbol table is damaged");
	}
}

static void a_stripped_kernel_has_no_symbols(void **state)
{
	struct image i = make_image();
	struct elf_image elf;
	struct pv_symtab table;
	const char *why = "";

	i.sh[SYMTAB].sh_type = SHT_PROGBITS;
	assert_int_equal(elf_open(&elf, &i, sizeof(i), &why), 0);
	assert_int_equal(pv_symtab_find(&elf, &table, &why), 0);
	assert_int_equal(table.size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(notes_lie_in_segments_or_sections),
		cmocka_unit_test(what_is_not_said_has_a_default),
		cmocka_unit_test(the_older_string_is_read),
		cmocka_unit_test(what_cannot_be_is_refused_with_a_reason),
		cmocka_unit_test(a_kernel_may_be_for_domain_0_or_not),
		cmocka_unit_test(the_symbols_are_an_elf_file),
		cmocka_unit_test(damaged_symbols_are_refused),
		cmocka_unit_test(a_stripped_kernel_has_no_symbols),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
