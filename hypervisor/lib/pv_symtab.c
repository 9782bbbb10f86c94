/* SPDX-License-Identifier: MIT */
/* Finds a kernel's symbol table and lays it out anew, in three pieces: headers, symbols, names. */
#include "lib/pv_symtab.h"
#include "lib/errno.h"
#include "lib/string.h"

enum { SECTION_NONE, SECTION_SYMBOLS, SECTION_NAMES, SECTIONS };

/* System V ABI, ELF64 header and section header. */
struct head {
	u32 size;
	struct {
		u8 ident[16];
		u16 type, machine;
		u32 version;
		u64 entry, phoff, shoff;
		u32 flags;
		u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
	} __attribute__((packed)) file;
	struct {
		u32 name, type;
		u64 flags, addr, offset, size;
		u32 link, info;
		u64 align, entsize;
	} __attribute__((packed)) sections[SECTIONS];
} __attribute__((packed));

_Static_assert(sizeof(struct head) == 4 + 64 + SECTIONS * 64, "System V ABI");

/* Offsets in the file count from its header, which lies behind the size. */
#define FILE_START  offsetof(struct head, file)
#define SYMBOLS_AT  (sizeof(struct head) - FILE_START)
#define NAMES_AT(t) ROUND_UP(SYMBOLS_AT + (t)->symbols_size, 8UL)
/* No kernel has more; sums of such sizes do not overflow. */
#define TABLE_MAX    MiB(256)
#define SYMBOL_BYTES 24

int pv_symtab_find(const struct elf_image *elf, struct pv_symtab *table, const char **why)
{
	struct elf_section symbols, names;

	*table = (struct pv_symtab){ 0 };
	*why = "its symbol table is damaged";
	for (unsigned int i = 1; i < elf->shnum; i++) {
		if (elf_section_get(elf, i, &symbols))
			return -EINVAL;
		if (symbols.type != ELF_SHT_SYMTAB)
			continue;
		if (elf_section_get(elf, symbols.link, &names) || names.type != ELF_SHT_STRTAB ||
		    symbols.entsize != SYMBOL_BYTES || symbols.size % SYMBOL_BYTES ||
		    symbols.size > TABLE_MAX || names.size > TABLE_MAX)
			return -EINVAL;
		*table = (struct pv_symtab){
			.symbols = symbols.data,
			.names = names.data,
			.symbols_size = symbols.size,
			.names_size = names.size,
		};
		table->size = FILE_START + NAMES_AT(table) + names.size;
		break;
	}
	*why = NULL;
	return 0;
}

static void make_head(const struct pv_symtab *table, struct head *head)
{
	*head = (struct head){
		.size = (u32)table->size,
		.file = { .ident = { 0x7f, 'E', 'L', 'F', 2, 1, 1 }, /* 64 bits, little-endian */
			  .type = 2,				     /* ET_EXEC */
			  .machine = 62,			     /* EM_X86_64 */
			  .version = 1,
			  .shoff = offsetof(struct head, sections) - FILE_START,
			  .ehsize = sizeof(head->file),
			  .shentsize = sizeof(head->sections[0]),
			  .shnum = SECTIONS },
		.sections = { [SECTION_SYMBOLS] = { .type = ELF_SHT_SYMTAB,
						    .offset = SYMBOLS_AT,
						    .size = table->symbols_size,
						    .link = SECTION_NAMES,
						    .align = 8,
						    .entsize = SYMBOL_BYTES },
			      [SECTION_NAMES] = { .type = ELF_SHT_STRTAB,
						  .offset = NAMES_AT(table),
						  .size = table->names_size,
						  .align = 1 } },
	};
}

void pv_symtab_read(const struct pv_symtab *table, u64 at, void *to, size_t size)
{
	struct head head;
	const struct {
		const void *data;
		u64 at, size;
	} pieces[] = {
		{ &head, 0, sizeof(head) },
		{ table->symbols, sizeof(head), table->symbols_size },
		{ table->names, FILE_START + NAMES_AT(table), table->names_size },
	};

	make_head(table, &head);
	memset(to, 0, size);
	for (unsigned int i = 0; i < ARRAY_SIZE(pieces); i++) {
		u64 from = max(at, pieces[i].at);
		u64 end = min(at + size, pieces[i].at + pieces[i].size);

		if (from < end)
			memcpy((u8 *)to + (from - at),
			       (const u8 *)pieces[i].data + (from - pieces[i].at), end - from);
	}
}
