/* SPDX-License-Identifier: MIT */
/*
 * A kernel whose notes are in a section without a segment, and do not say VIRT_BASE. One says
 * BSD_SYMTAB: its symbols lie at `end`, as the BSDs expect.
 */
#include "guest.h"

#include <elf.h>
#include <xen/elfnote.h>

__asm__(".pushsection .note.Xen, \"a\", @note\n"
	"	.balign 4\n"
	"	.long 4, 4, 11\n" /* XEN_ELFNOTE_BSD_SYMTAB */
	"	.asciz \"Xen\"\n"
	"	.asciz \"yes\"\n"
	"	.popsection\n");
_Static_assert(XEN_ELFNOTE_BSD_SYMTAB == 11, "as above");

extern const char end[];

static bool same(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

void test_main(void)
{
	/* A size in 32 bits, then an ELF file. */
	uint32_t size = *(const uint32_t *)end;
	const char *file = end + sizeof(size);
	const Elf64_Ehdr *head = (const Elf64_Ehdr *)file;
	const Elf64_Shdr *sections = (const Elf64_Shdr *)(file + head->e_shoff);
	const Elf64_Shdr *table = NULL, *names;
	const Elf64_Sym *symbols;
	unsigned long found = 0;

	guest_printf("%u bytes of symbols at %p\n", size, (const void *)end);
	EXPECT(memcmp(head->e_ident, ELFMAG, SELFMAG) == 0);
	EXPECT_EQ(head->e_ident[EI_CLASS], ELFCLASS64);
	EXPECT(head->e_version <= 1);
	for (unsigned int i = 1; i < head->e_shnum && !table; i++)
		if (sections[i].sh_type == SHT_SYMTAB && sections[i].sh_offset)
			table = &sections[i];
	EXPECT(table != NULL);
	names = &sections[table->sh_link];
	EXPECT(names->sh_offset != 0);
	EXPECT(table->sh_offset + table->sh_size <= size);
	EXPECT(names->sh_offset + names->sh_size <= size);
	symbols = (const Elf64_Sym *)(file + table->sh_offset);
	for (unsigned long i = 0; i < table->sh_size / sizeof(*symbols); i++) {
		EXPECT(symbols[i].st_name < names->sh_size);
		if (same(file + names->sh_offset + symbols[i].st_name, "test_main"))
			found = symbols[i].st_value;
	}
	EXPECT_EQ(found, (unsigned long)test_main);
}
