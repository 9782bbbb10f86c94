/* SPDX-License-Identifier: MIT */
/*
 * Reads Xen notes, or the string that kernels had before there were notes. The names of the
 * string's values are those that xen/elfnote.h calls LEGACY.
 */
#include "lib/pv_notes.h"

#include <xen/elfnote.h>
#include <xen/features.h>
#include "lib/errno.h"
#include "lib/string.h"

#define PAGE_BITS   12
#define XEN_VERSION "xen-3.0" /* the interface's name, in all versions since */

/* Text that is not terminated. */
struct text {
	const char *at;
	size_t size;
};

struct reader {
	struct pv_notes *notes;
	/* Whether the kernel says so itself, so that there is no default. */
	bool any, has_virt_base, has_entry, has_paddr_offset, starts_in_hvm;
	int rc; /* the first error; words for it are in *why */
	const char **why;
};

static bool text_is(struct text text, const char *what)
{
	return text.size == strlen(what) && memcmp(text.at, what, text.size) == 0;
}

static bool text_begins(struct text text, const char *what)
{
	return text.size >= strlen(what) && memcmp(text.at, what, strlen(what)) == 0;
}

/* The text up to `separator`; moves *rest behind it. */
static struct text text_next(struct text *rest, char separator)
{
	struct text next = { rest->at, 0 };

	while (next.size < rest->size && rest->at[next.size] != separator)
		next.size++;
	rest->at += next.size;
	rest->size -= next.size;
	if (rest->size) {
		rest->at++;
		rest->size--;
	}
	return next;
}

/* Appends text to a terminated string of `size` bytes. People see it, and logs contain it. */
static void text_append(char *to, size_t size, struct text text)
{
	size_t at = strlen(to);

	for (size_t i = 0; i < text.size && at < size - 1; i++) {
		char c = text.at[i];

		if (c < ' ' || c > '~')
			c = '?';
		to[at++] = c;
	}
	to[at] = '\0';
}

static void text_set(char *to, size_t size, struct text text)
{
	to[0] = '\0';
	text_append(to, size, text);
}

static int fail(struct reader *r, int errnum, const char *why)
{
	if (!r->rc) {
		r->rc = -errnum;
		*r->why = why;
	}
	return r->rc;
}

/* "it requires the feature NAME, ..." */
static int fail_of(struct reader *r, const char *before, struct text what, const char *after)
{
	char *reason = r->notes->reason;
	size_t size = sizeof(r->notes->reason);

	/* Leave room for the words that follow a long name. */
	what.size = min(what.size, (size_t)PV_NOTES_TEXT);
	text_set(reason, size, (struct text){ before, strlen(before) });
	text_append(reason, size, what);
	text_append(reason, size, (struct text){ after, strlen(after) });
	return fail(r, ENOEXEC, reason);
}

/* --- features --- */

/*
 * The features by name. Those that no 64-bit PV guest can have are refused if a kernel requires
 * them. Kernels that require writable_page_tables are common: many authors took "!" for "not", and
 * Linux is among them. Such a kernel never writes to a page table that it has not asked for, so it
 * needs nothing.
 */
static const struct {
	const char *name;
	bool missing;
} features[] = {
	[XENFEAT_writable_page_tables] = { "writable_page_tables", false },
	[XENFEAT_writable_descriptor_tables] = { "writable_descriptor_tables", false },
	[XENFEAT_auto_translated_physmap] = { "auto_translated_physmap", true },
	[XENFEAT_supervisor_mode_kernel] = { "supervisor_mode_kernel", true },
	[XENFEAT_pae_pgdir_above_4gb] = { "pae_pgdir_above_4gb", false },
	[XENFEAT_mmu_pt_update_preserve_ad] = { "mmu_pt_update_preserve_ad", false },
	[XENFEAT_highmem_assist] = { "highmem_assist", false },
	[XENFEAT_gnttab_map_avail_bits] = { "gnttab_map_avail_bits", false },
	[XENFEAT_hvm_callback_vector] = { "hvm_callback_vector", true },
	[XENFEAT_hvm_safe_pvclock] = { "hvm_safe_pvclock", true },
	[XENFEAT_hvm_pirqs] = { "hvm_pirqs", true },
	[XENFEAT_dom0] = { "dom0", false },
};

/* "a|!b|c": all are supported, and b is required. */
static int take_features(struct reader *r, struct text list)
{
	while (list.size) {
		struct text name = text_next(&list, '|');
		bool known = false;

		if (!text_begins(name, "!"))
			continue;
		name.at++;
		name.size--;
		for (unsigned int i = 0; i < ARRAY_SIZE(features); i++)
			if (features[i].name && text_is(name, features[i].name))
				known = !features[i].missing;
		if (!known)
			return fail_of(r, "it requires the feature \"", name,
				       "\", which paravirtualized guests do not have");
		if (text_is(name, features[XENFEAT_dom0].name))
			r->notes->flags |= PV_NOTES_DOM0_ONLY;
	}
	return 0;
}

static int take_xen_version(struct reader *r, struct text version)
{
	return text_begins(version, XEN_VERSION) ?
		       0 :
		       fail_of(r, "it was built for the interface \"", version,
			       "\", and only " XEN_VERSION " exists");
}

/* --- notes --- */

static int take_note(const struct elf_note *note, void *data)
{
	struct reader *r = data;
	struct pv_notes *n = r->notes;
	u64 number = elf_note_u64(note);
	struct text text = { (const char *)note->desc,
			     strnlen((const char *)note->desc, note->descsz) };

	if (strcmp(note->name, "Xen"))
		return 0;
	r->any = true;
	switch (note->type) {
	case XEN_ELFNOTE_VIRT_BASE:
		n->virt_base = number;
		r->has_virt_base = true;
		break;
	case XEN_ELFNOTE_PADDR_OFFSET:
		n->paddr_offset = number;
		break;
	case XEN_ELFNOTE_ENTRY:
		n->entry = number;
		r->has_entry = true;
		break;
	case XEN_ELFNOTE_HYPERCALL_PAGE:
		n->hypercall_page = number;
		n->flags |= PV_NOTES_HYPERCALL_PAGE;
		break;
	case XEN_ELFNOTE_INIT_P2M:
		n->init_p2m = number;
		n->flags |= PV_NOTES_INIT_P2M;
		break;
	case XEN_ELFNOTE_MOD_START_PFN:
		n->flags |= number ? PV_NOTES_MOD_START_PFN : 0;
		break;
	case XEN_ELFNOTE_SUSPEND_CANCEL:
		n->flags |= number ? PV_NOTES_SUSPEND_CANCEL : 0;
		break;
	case XEN_ELFNOTE_BSD_SYMTAB:
		n->flags |= text_begins(text, "yes") ? PV_NOTES_BSD_SYMTAB : 0;
		break;
	case XEN_ELFNOTE_SUPPORTED_FEATURES:
		n->flags |= number & BIT(XENFEAT_dom0) ? 0 : PV_NOTES_NOT_DOM0;
		break;
	case XEN_ELFNOTE_FEATURES:
		return take_features(r, text);
	case XEN_ELFNOTE_XEN_VERSION:
		return take_xen_version(r, text);
	case XEN_ELFNOTE_PHYS32_ENTRY:
		r->starts_in_hvm = true;
		break;
	case XEN_ELFNOTE_GUEST_OS:
		text_set(n->guest_os, sizeof(n->guest_os), text);
		break;
	case XEN_ELFNOTE_GUEST_VERSION:
		text_set(n->guest_version, sizeof(n->guest_version), text);
		break;
	case XEN_ELFNOTE_LOADER:
		text_set(n->loader, sizeof(n->loader), text);
		break;
	}
	return 0;
}

/* --- the section __xen_guest --- */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 'a' - 'A';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* Decimal, or hexadecimal after "0x". */
static int text_number(struct reader *r, struct text text, u64 *number)
{
	unsigned int base = text_begins(text, "0x") || text_begins(text, "0X") ? 16 : 10;
	size_t i = base == 16 ? 2 : 0;

	*number = 0;
	if (i == text.size)
		return fail(r, EINVAL, "a number in its section __xen_guest is damaged");
	for (; i < text.size; i++) {
		u64 d = digit(text.at[i]);

		if (d >= base || __builtin_mul_overflow(*number, base, number) ||
		    __builtin_add_overflow(*number, d, number))
			return fail(r, EINVAL, "a number in its section __xen_guest is damaged");
	}
	return 0;
}

static int take_value(struct reader *r, struct text name, struct text value)
{
	struct pv_notes *n = r->notes;

	if (text_is(name, "VIRT_BASE")) {
		r->has_virt_base = true;
		return text_number(r, value, &n->virt_base);
	}
	if (text_is(name, "ELF_PADDR_OFFSET")) {
		r->has_paddr_offset = true;
		return text_number(r, value, &n->paddr_offset);
	}
	if (text_is(name, "VIRT_ENTRY")) {
		r->has_entry = true;
		return text_number(r, value, &n->entry);
	}
	if (text_is(name, "HYPERCALL_PAGE")) {
		n->flags |= PV_NOTES_HYPERCALL_PAGE;
		return text_number(r, value, &n->hypercall_page);
	}
	if (text_is(name, "FEATURES"))
		return take_features(r, value);
	if (text_is(name, "XEN_VER"))
		return take_xen_version(r, value);
	if (text_is(name, "BSD_SYMTAB"))
		n->flags |= PV_NOTES_BSD_SYMTAB;
	else if (text_is(name, "GUEST_OS"))
		text_set(n->guest_os, sizeof(n->guest_os), value);
	else if (text_is(name, "GUEST_VER"))
		text_set(n->guest_version, sizeof(n->guest_version), value);
	else if (text_is(name, "LOADER"))
		text_set(n->loader, sizeof(n->loader), value);
	return 0;
}

/* "NAME=VALUE,NAME,..." */
static int take_string(struct reader *r, struct text string)
{
	struct pv_notes *n = r->notes;
	u64 page;

	while (string.size) {
		struct text value = text_next(&string, ',');
		struct text name = text_next(&value, '=');
		int rc = take_value(r, name, value);

		if (rc)
			return rc;
	}
	if (!r->has_paddr_offset)
		n->paddr_offset = n->virt_base;
	/* It is the number of a frame, and the others are addresses. */
	page = n->hypercall_page;
	if (page > ~0UL >> PAGE_BITS)
		return fail(r, EINVAL, "a number in its section __xen_guest is damaged");
	n->hypercall_page = n->virt_base + (page << PAGE_BITS);
	return 0;
}

static int read_xen_guest(const struct elf_image *elf, struct reader *r)
{
	struct elf_section sec;

	for (unsigned int i = 1; i < elf->shnum; i++) {
		const char *bytes;
		size_t size;

		if (elf_section_get(elf, i, &sec))
			return fail(r, EINVAL, "its ELF sections are damaged");
		if (strcmp(sec.name, "__xen_guest") || !sec.data || !sec.size)
			continue;
		bytes = (const char *)sec.data;
		size = strnlen(bytes, sec.size);
		r->any = true;
		return take_string(r, (struct text){ bytes, size });
	}
	return 0;
}

int pv_notes_read(const struct elf_image *elf, struct pv_notes *notes, const char **why)
{
	struct reader r = { .notes = notes, .why = why };
	int rc;

	memset(notes, 0, sizeof(*notes));
	rc = elf_for_each_note(elf, take_note, &r);
	if (!rc && !r.any)
		rc = elf_for_each_section_note(elf, take_note, &r);
	if (rc)
		return fail(&r, EINVAL, "its ELF notes are damaged");
	if (!r.any)
		rc = read_xen_guest(elf, &r);
	if (rc)
		return rc;
	if (!r.any)
		return fail(&r, ENOEXEC,
			    "it has no Xen notes, so it was built without support for running as a "
			    "paravirtualized guest");
	if (r.starts_in_hvm && !r.has_entry && !r.has_virt_base)
		return fail(&r, ENOEXEC,
			    "its Xen notes are those of a PVH kernel: it was built without support "
			    "for running as a paravirtualized guest");
	if (!r.has_entry)
		notes->entry = elf->entry;
	return 0;
}
