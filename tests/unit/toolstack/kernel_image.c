/* SPDX-License-Identifier: MIT */
/* Lays out a minimal ELF kernel, and the boot protocol's header before a payload. */
#include "kernel_image.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include <xen/elfnote.h>

static void add_note(struct str *notes, uint32_t type, const void *desc, uint32_t size)
{
	const Elf64_Nhdr head = { .n_namesz = 4, .n_descsz = size, .n_type = type };

	str_add_bytes(notes, &head, sizeof(head));
	str_add_bytes(notes, "Xen", 4);
	str_add_bytes(notes, desc, size);
	while (notes->len % 4 != 0)
		str_add_char(notes, '\0');
}

static void add_number(struct str *notes, uint32_t type, uint64_t value)
{
	add_note(notes, type, &value, sizeof(value));
}

static void make_notes(struct str *notes, const struct kernel_spec *spec)
{
	add_note(notes, XEN_ELFNOTE_GUEST_OS, "test", 5);
	add_note(notes, XEN_ELFNOTE_LOADER, "generic", 8);
	add_number(notes, XEN_ELFNOTE_VIRT_BASE, spec->virt_base);
	add_number(notes, XEN_ELFNOTE_ENTRY, spec->entry);
	if (spec->hypercall_page != 0)
		add_number(notes, XEN_ELFNOTE_HYPERCALL_PAGE, spec->hypercall_page);
	if (spec->init_p2m != 0)
		add_number(notes, XEN_ELFNOTE_INIT_P2M, spec->init_p2m);
	if (spec->mod_start_pfn)
		add_number(notes, XEN_ELFNOTE_MOD_START_PFN, 1);
	if (spec->symbols)
		add_note(notes, XEN_ELFNOTE_BSD_SYMTAB, "yes", 4);
}

/* Appends symbols, their names, and the sections of both. */
static void add_symbols(struct str *out, int count)
{
	static const char names[] = "\0name";
	Elf64_Ehdr *head;
	Elf64_Shdr sections[3] = {
		{ 0 },
		{ .sh_type = SHT_SYMTAB, .sh_link = 2, .sh_entsize = sizeof(Elf64_Sym) },
		{ .sh_type = SHT_STRTAB, .sh_size = sizeof(names) },
	};

	sections[1].sh_offset = out->len;
	sections[1].sh_size = (uint64_t)count * sizeof(Elf64_Sym);
	for (int i = 0; i < count; i++) {
		const Elf64_Sym symbol = { .st_name = 1, .st_value = (uint64_t)i };

		str_add_bytes(out, &symbol, sizeof(symbol));
	}
	sections[2].sh_offset = out->len;
	str_add_bytes(out, names, sizeof(names));
	while (out->len % 8 != 0)
		str_add_char(out, '\0');
	head = (Elf64_Ehdr *)out->text;
	head->e_shoff = out->len;
	head->e_shentsize = sizeof(Elf64_Shdr);
	head->e_shnum = 3;
	str_add_bytes(out, sections, sizeof(sections));
}

void kernel_image_make(struct str *out, const struct kernel_spec *spec)
{
	Elf64_Ehdr head = { .e_type = ET_EXEC,
			    .e_machine = EM_X86_64,
			    .e_version = 1,
			    .e_phoff = KERNEL_IMAGE_PHDR,
			    .e_ehsize = sizeof(head),
			    .e_phentsize = sizeof(Elf64_Phdr),
			    .e_phnum = 2 };
	Elf64_Phdr load = { .p_type = PT_LOAD,
			    .p_flags = PF_R | PF_W | PF_X,
			    .p_offset = KERNEL_IMAGE_OFFSET,
			    .p_vaddr = spec->virt,
			    .p_paddr = spec->virt - spec->virt_base,
			    .p_filesz = spec->filesz,
			    .p_memsz = spec->memsz,
			    .p_align = 4096 };
	Elf64_Phdr note = { .p_type = PT_NOTE, .p_offset = KERNEL_IMAGE_NOTES, .p_align = 4 };
	struct str notes = STR_INIT;

	memcpy(head.e_ident, ELFMAG, SELFMAG);
	head.e_ident[EI_CLASS] = spec->is_32bit ? ELFCLASS32 : ELFCLASS64;
	head.e_ident[EI_DATA] = ELFDATA2LSB;
	head.e_ident[EI_VERSION] = EV_CURRENT;
	head.e_entry = spec->entry;
	if (!spec->no_notes)
		make_notes(&notes, spec);
	note.p_filesz = note.p_memsz = notes.len;
	str_add_bytes(out, &head, sizeof(head));
	str_add_bytes(out, &load, sizeof(load));
	str_add_bytes(out, &note, sizeof(note));
	while (out->len < KERNEL_IMAGE_NOTES)
		str_add_char(out, '\0');
	str_add_bytes(out, notes.text, notes.len);
	while (out->len < KERNEL_IMAGE_OFFSET)
		str_add_char(out, '\0');
	for (uint64_t i = 0; i < spec->filesz; i++)
		str_add_char(out, (char)(i + 1));
	if (spec->symbols)
		add_symbols(out, spec->symbols);
	str_free(&notes);
}

static void put_le32(char *p, uint32_t value)
{
	memcpy(p, &value, sizeof(value));
}

void kernel_image_wrap(struct str *out, const void *payload, size_t size, size_t unpacked,
		       int is_gzip)
{
	char setup[5 * 512] = { 0 }; /* the boot sector and four setup sectors */
	char length[4];

	setup[0x1f1] = 4;
	setup[0x1fe] = 0x55;
	setup[0x1ff] = (char)0xaa;
	memcpy(setup + 0x202, "HdrS", 4);
	setup[0x206] = 0x0c;
	setup[0x207] = 0x02;
	put_le32(setup + 0x248, 0);
	put_le32(setup + 0x24c, (uint32_t)size + (is_gzip ? 0 : 4));
	str_add_bytes(out, setup, sizeof(setup));
	str_add_bytes(out, payload, size);
	put_le32(length, (uint32_t)unpacked);
	if (!is_gzip)
		str_add_bytes(out, length, sizeof(length));
}
