/* SPDX-License-Identifier: MIT */
/* ELF reader: every access goes through elf_bytes(), which checks it against the image. */
#include "lib/elf.h"
#include "lib/errno.h"
#include "lib/string.h"

enum {
	ELF_CLASS_32 = 1,
	ELF_CLASS_64 = 2,
	ELF_DATA_LITTLE = 1,
	ELF_TYPE_EXEC = 2,
	ELF_TYPE_DYN = 3,
	ELF_MACHINE_386 = 3,
	ELF_MACHINE_X86_64 = 62,
	ELF_PT_LOAD = 1,
	ELF_PT_NOTE = 4,
	/* The real count is in a section header then; no kernel has so many. */
	ELF_PHNUM_EXTENDED = 0xffff,
};

struct elf_ident {
	u8 magic[4], class, data, version, abi, pad[8];
};

struct elf64_header {
	struct elf_ident ident;
	u16 type, machine;
	u32 version;
	u64 entry, phoff, shoff;
	u32 flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf32_header {
	struct elf_ident ident;
	u16 type, machine;
	u32 version, entry, phoff, shoff, flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf64_phdr {
	u32 type, flags;
	u64 offset, vaddr, paddr, filesz, memsz, align;
};

struct elf32_phdr {
	u32 type, offset, vaddr, paddr, filesz, memsz, flags, align;
};

struct elf64_shdr {
	u32 name, type;
	u64 flags, addr, offset, size;
	u32 link, info;
	u64 align, entsize;
};

struct elf32_shdr {
	u32 name, type, flags, addr, offset, size, link, info, align, entsize;
};

struct elf_note_header {
	u32 namesz, descsz, type;
};

_Static_assert(sizeof(struct elf64_header) == 64 && sizeof(struct elf32_header) == 52,
	       "System V ABI, ELF header");
_Static_assert(sizeof(struct elf64_phdr) == 56 && sizeof(struct elf32_phdr) == 32,
	       "System V ABI, program header");
_Static_assert(sizeof(struct elf64_shdr) == 64 && sizeof(struct elf32_shdr) == 40,
	       "System V ABI, section header");

/* The address of `size` bytes at `offset` of the image; NULL when they are not all inside. */
static const u8 *elf_bytes(const struct elf_image *elf, u64 offset, u64 size)
{
	if (offset > elf->size || size > elf->size - offset)
		return NULL;
	return elf->data + offset;
}

/* Program header `index` in the 64-bit form; false when it is not inside the image. */
static bool elf_phdr_read(const struct elf_image *elf, unsigned int index, struct elf64_phdr *ph)
{
	u64 table_offset = (u64)index * elf->phentsize, offset;
	struct elf32_phdr ph32;
	const u8 *p;

	if (index >= elf->phnum || __builtin_add_overflow(elf->phoff, table_offset, &offset))
		return false;
	p = elf_bytes(elf, offset, elf->is_64bit ? sizeof(*ph) : sizeof(ph32));
	if (!p)
		return false;
	if (elf->is_64bit) {
		memcpy(ph, p, sizeof(*ph));
		return true;
	}
	memcpy(&ph32, p, sizeof(ph32));
	*ph = (struct elf64_phdr){
		.type = ph32.type,
		.flags = ph32.flags,
		.offset = ph32.offset,
		.vaddr = ph32.vaddr,
		.paddr = ph32.paddr,
		.filesz = ph32.filesz,
		.memsz = ph32.memsz,
		.align = ph32.align,
	};
	return true;
}

static int elf_fail(const char **why, const char *text)
{
	*why = text;
	return -EINVAL;
}

/*
 * Fills the fields of `elf` from the header of its class. -ENOEXEC: the file is for something else.
 */
static int elf_read_header(struct elf_image *elf, const char **why)
{
	struct elf64_header h64;
	struct elf32_header h32;
	u16 type, machine;

	if (elf->is_64bit) {
		if (elf->size < sizeof(h64))
			return elf_fail(why, "the ELF header is cut off");
		memcpy(&h64, elf->data, sizeof(h64));
		type = h64.type;
		machine = h64.machine;
		elf->entry = h64.entry;
		elf->phoff = h64.phoff;
		elf->phentsize = h64.phentsize;
		elf->phnum = h64.phnum;
		elf->shoff = h64.shoff;
		elf->shentsize = h64.shentsize;
		elf->shnum = h64.shnum;
		elf->shstrndx = h64.shstrndx;
	} else {
		if (elf->size < sizeof(h32))
			return elf_fail(why, "the ELF header is cut off");
		memcpy(&h32, elf->data, sizeof(h32));
		type = h32.type;
		machine = h32.machine;
		elf->entry = h32.entry;
		elf->phoff = h32.phoff;
		elf->phentsize = h32.phentsize;
		elf->phnum = h32.phnum;
		elf->shoff = h32.shoff;
		elf->shentsize = h32.shentsize;
		elf->shnum = h32.shnum;
		elf->shstrndx = h32.shstrndx;
	}
	if (machine != (elf->is_64bit ? ELF_MACHINE_X86_64 : ELF_MACHINE_386)) {
		*why = "the ELF file is for another processor";
		return -ENOEXEC;
	}
	if (type != ELF_TYPE_EXEC && type != ELF_TYPE_DYN) {
		*why = "the ELF file is not an executable";
		return -ENOEXEC;
	}
	if (elf->phentsize <
	    (elf->is_64bit ? sizeof(struct elf64_phdr) : sizeof(struct elf32_phdr)))
		return elf_fail(why, "the ELF program headers have a wrong size");
	if (!elf->phnum || elf->phnum == ELF_PHNUM_EXTENDED)
		return elf_fail(why, "the ELF file has no program headers");
	if (!elf->shoff || elf->shentsize < (elf->is_64bit ? sizeof(struct elf64_shdr) :
							     sizeof(struct elf32_shdr)))
		elf->shnum = 0;
	return 0;
}

int elf_open(struct elf_image *elf, const void *data, size_t size, const char **why)
{
	struct elf_segment seg;
	struct elf_ident ident;
	int err;

	*elf = (struct elf_image){ .data = data, .size = size };
	if (size < sizeof(ident)) {
		*why = "too small for an ELF file";
		return -ENOEXEC;
	}
	memcpy(&ident, data, sizeof(ident));
	if (memcmp(ident.magic, "\177ELF", 4)) {
		*why = "not an ELF file";
		return -ENOEXEC;
	}
	if ((ident.class != ELF_CLASS_64 && ident.class != ELF_CLASS_32) ||
	    ident.data != ELF_DATA_LITTLE) {
		*why = "the ELF file is for another processor";
		return -ENOEXEC;
	}
	elf->is_64bit = ident.class == ELF_CLASS_64;
	err = elf_read_header(elf, why);
	if (err)
		return err;
	for (unsigned int i = 0; i < elf->phnum; i++)
		if (elf_segment_get(elf, i, &seg))
			return elf_fail(why, "an ELF segment is cut off or has an impossible size");
	return 0;
}

int elf_segment_get(const struct elf_image *elf, unsigned int index, struct elf_segment *seg)
{
	struct elf64_phdr ph;
	const u8 *data;
	u64 end;

	*seg = (struct elf_segment){ 0 };
	if (!elf_phdr_read(elf, index, &ph))
		return -EINVAL;
	data = elf_bytes(elf, ph.offset, ph.filesz);
	if (!data)
		return -EINVAL;
	if (ph.type == ELF_PT_LOAD &&
	    (ph.memsz < ph.filesz || __builtin_add_overflow(ph.vaddr, ph.memsz, &end) ||
	     __builtin_add_overflow(ph.paddr, ph.memsz, &end)))
		return -EINVAL;
	*seg = (struct elf_segment){
		.type = ph.type,
		.flags = ph.flags,
		.vaddr = ph.vaddr,
		.paddr = ph.paddr,
		.filesz = ph.filesz,
		.memsz = ph.memsz,
		.data = data,
	};
	return 0;
}

/*
 * Parses the note at *offset of the `size` bytes at `data`, and moves *offset behind it. Names and
 * descriptors are padded to 4 bytes, or to 8 in a segment with that alignment (System V ABI, "Note
 * Section").
 */
static int elf_note_read(const u8 *data, u64 size, u64 align, u64 *offset, struct elf_note *note)
{
	struct elf_note_header h;
	u64 left = size - *offset, name_room, desc_room;
	const u8 *p = data + *offset;

	if (left < sizeof(h))
		return -EINVAL;
	memcpy(&h, p, sizeof(h));
	left -= sizeof(h);
	/* Padding goes up to a multiple of `align` within the segment; the header is 12 bytes. */
	name_room = ROUND_UP(sizeof(h) + (u64)h.namesz, align) - sizeof(h);
	if (name_room > left)
		return -EINVAL;
	left -= name_room;
	if (h.descsz > left)
		return -EINVAL;
	/* The last note's padding may be missing. */
	desc_room = min(ROUND_UP((u64)h.descsz, align), left);
	if (h.namesz && p[sizeof(h) + h.namesz - 1] != '\0')
		return -EINVAL;
	*note = (struct elf_note){
		.type = h.type,
		.name = h.namesz ? (const char *)p + sizeof(h) : "",
		.desc = p + sizeof(h) + name_room,
		.descsz = h.descsz,
	};
	*offset += sizeof(h) + name_room + desc_room;
	return 0;
}

/* Calls fn for each note in those bytes, as elf_for_each_note() does. */
static int elf_notes_in(const u8 *bytes, u64 size, u64 align,
			int (*fn)(const struct elf_note *note, void *data), void *data)
{
	struct elf_note note;
	u64 offset = 0;
	int ret;

	while (offset < size) {
		ret = elf_note_read(bytes, size, align == 8 ? 8 : 4, &offset, &note);
		if (!ret)
			ret = fn(&note, data);
		if (ret)
			return ret;
	}
	return 0;
}

int elf_for_each_note(const struct elf_image *elf,
		      int (*fn)(const struct elf_note *note, void *data), void *data)
{
	struct elf_segment seg;
	struct elf64_phdr ph;
	int ret;

	for (unsigned int i = 0; i < elf->phnum; i++) {
		if (!elf_phdr_read(elf, i, &ph) || elf_segment_get(elf, i, &seg))
			return -EINVAL;
		if (seg.type != ELF_PT_NOTE)
			continue;
		ret = elf_notes_in(seg.data, seg.filesz, ph.align, fn, data);
		if (ret)
			return ret;
	}
	return 0;
}

/* Section header `index` in the 64-bit form; false when it is not inside the image. */
static bool elf_shdr_read(const struct elf_image *elf, unsigned int index, struct elf64_shdr *sh)
{
	u64 table_offset = (u64)index * elf->shentsize, offset;
	struct elf32_shdr sh32;
	const u8 *p;

	if (index >= elf->shnum || __builtin_add_overflow(elf->shoff, table_offset, &offset))
		return false;
	p = elf_bytes(elf, offset, elf->is_64bit ? sizeof(*sh) : sizeof(sh32));
	if (!p)
		return false;
	if (elf->is_64bit) {
		memcpy(sh, p, sizeof(*sh));
		return true;
	}
	memcpy(&sh32, p, sizeof(sh32));
	*sh = (struct elf64_shdr){
		.name = sh32.name,
		.type = sh32.type,
		.offset = sh32.offset,
		.size = sh32.size,
		.link = sh32.link,
		.align = sh32.align,
		.entsize = sh32.entsize,
	};
	return true;
}

/* The name at `offset` of the file's table of section names; NULL when it is not inside. */
static const char *elf_section_name(const struct elf_image *elf, u32 offset)
{
	struct elf64_shdr names;
	const u8 *p;

	if (!elf->shstrndx)
		return "";
	if (!elf_shdr_read(elf, elf->shstrndx, &names) || names.type == ELF_SHT_NOBITS)
		return NULL;
	p = elf_bytes(elf, names.offset, names.size);
	if (!p || offset >= names.size ||
	    strnlen((const char *)p + offset, names.size - offset) == names.size - offset)
		return NULL;
	return (const char *)p + offset;
}

int elf_section_get(const struct elf_image *elf, unsigned int index, struct elf_section *sec)
{
	struct elf64_shdr sh;

	*sec = (struct elf_section){ 0 };
	if (!elf_shdr_read(elf, index, &sh))
		return -EINVAL;
	*sec = (struct elf_section){
		.name = elf_section_name(elf, sh.name),
		.type = sh.type,
		.link = sh.link,
		.size = sh.size,
		.align = sh.align,
		.entsize = sh.entsize,
	};
	if (sh.type != ELF_SHT_NOBITS)
		sec->data = elf_bytes(elf, sh.offset, sh.size);
	return sec->name && (sec->data || sh.type == ELF_SHT_NOBITS) ? 0 : -EINVAL;
}

int elf_for_each_section_note(const struct elf_image *elf,
			      int (*fn)(const struct elf_note *note, void *data), void *data)
{
	struct elf_section sec;
	int ret;

	/* Section 0 is none. */
	for (unsigned int i = 1; i < elf->shnum; i++) {
		if (elf_section_get(elf, i, &sec))
			return -EINVAL;
		if (sec.type != ELF_SHT_NOTE)
			continue;
		ret = elf_notes_in(sec.data, sec.size, sec.align, fn, data);
		if (ret)
			return ret;
	}
	return 0;
}

u64 elf_note_u64(const struct elf_note *note)
{
	u64 value = 0;

	if (note->descsz == 4 || note->descsz == 8)
		memcpy(&value, note->desc, note->descsz);
	return value;
}
