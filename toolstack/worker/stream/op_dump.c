/* SPDX-License-Identifier: MIT */
/*
 * The operation "dump": {"op":"dump","domid":5,"fd":3} writes a PV domain's memory and registers as
 * an ELF core. The format is that of Xen's own tools, which crash(8) reads: sections, no segments
 * (docs/misc/dump-core-format.txt in Xen's sources).
 *
 * The domain should be paused. If it runs, each page is a snapshot of its own moment.
 */
#include "worker/worker.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <xen/elfnote.h>

#include "worker/limits.h"
#include "worker/target.h"
#include "worker/stream/format.h"
#include "worker/stream/guest_p2m.h"
#include "lib/alloc.h"
#include "lib/file.h"
#include "hv/hv.h"

#define PAGE  4096
#define BATCH 256
/* Frames that a running guest may get while its list is read. */
#define GROWTH	  4096
#define PV_MAGIC  0xF00FEBEDULL
#define NOTE_NAME "Xen"

enum {
	SECTION_NULL,
	SECTION_NAMES,
	SECTION_NOTES,
	SECTION_VCPUS,
	SECTION_SHARED,
	SECTION_P2M,
	SECTION_PAGES,
	SECTIONS
};

static const char *const section_names[SECTIONS] = {
	"", ".shstrtab", ".note.Xen", ".xen_prstatus", ".xen_shared_info", ".xen_p2m", ".xen_pages",
};

struct note_header {
	uint64_t magic, nr_vcpus, nr_pages, page_size;
};

/* The structures of the version hypercall, in the order of the format. */
struct note_version {
	uint64_t major, minor;
	xen_extraversion_t extra;
	struct xen_compile_info compile;
	xen_capabilities_info_t capabilities;
	xen_changeset_info_t changeset;
	struct xen_platform_parameters platform;
	uint64_t page_size;
};

_Static_assert(sizeof(xen_extraversion_t) == sizeof(((struct hv_version *)0)->extra),
	       "copied as it is");
_Static_assert(sizeof(xen_capabilities_info_t) == sizeof(((struct hv_version *)0)->capabilities),
	       "copied as it is");
_Static_assert(sizeof(xen_changeset_info_t) == sizeof(((struct hv_version *)0)->changeset),
	       "copied as it is");

struct p2m_entry {
	uint64_t pfn, mfn;
};

struct dump {
	struct hv *hv;
	uint32_t domid;
	int fd;
	struct hv_domain_info info;
	struct guest_p2m p2m;
	struct shared_info *shared;
	uint64_t nr_pages; /* pages that the guest has */
	unsigned int nr_vcpus;
	struct str names, notes;
};

static int put(struct dump *d, const void *data, size_t length, struct error **e)
{
	return file_write_fd(d->fd, "the core", data, length, e);
}

static int pad_to_page(struct dump *d, uint64_t at, struct error **e)
{
	static const char zeros[PAGE];

	return put(d, zeros, (PAGE - at % PAGE) % PAGE, e);
}

/* --- what goes before the memory --- */

static void add_note(struct str *notes, uint32_t type, const void *desc, uint32_t size)
{
	Elf64_Nhdr header = { .n_namesz = sizeof(NOTE_NAME), .n_descsz = size, .n_type = type };

	str_add_bytes(notes, &header, sizeof(header));
	str_add_bytes(notes, NOTE_NAME, sizeof(NOTE_NAME));
	str_add_bytes(notes, desc, size);
	while (notes->len % 4)
		str_add_char(notes, '\0');
}

static int make_notes(struct dump *d, struct error **e)
{
	const struct note_header header = { PV_MAGIC, d->nr_vcpus, d->nr_pages, PAGE };
	const uint64_t format = 1; /* major 0, minor 1 */
	struct note_version note = { 0 };
	struct hv_version version;
	int rc = hv_host_version(d->hv, &version, e);

	if (rc)
		return rc;
	note.major = version.major;
	note.minor = version.minor;
	memcpy(note.extra, version.extra, sizeof(note.extra));
	memcpy(note.compile.compiler, version.compiler, sizeof(note.compile.compiler));
	memcpy(note.capabilities, version.capabilities, sizeof(note.capabilities));
	memcpy(note.changeset, version.changeset, sizeof(note.changeset));
	note.platform.virt_start = version.virt_start;
	note.page_size = version.page_size;
	add_note(&d->notes, XEN_ELFNOTE_DUMPCORE_NONE, "", 0);
	add_note(&d->notes, XEN_ELFNOTE_DUMPCORE_HEADER, &header, sizeof(header));
	add_note(&d->notes, XEN_ELFNOTE_DUMPCORE_XEN_VERSION, &note, sizeof(note));
	add_note(&d->notes, XEN_ELFNOTE_DUMPCORE_FORMAT_VERSION, &format, sizeof(format));
	return 0;
}

static void make_sections(struct dump *d, Elf64_Shdr sections[SECTIONS])
{
	const uint64_t sizes[SECTIONS][2] = {
		/* size, size of an entry */
		[SECTION_NOTES] = { d->notes.len, 0 },
		[SECTION_VCPUS] = { d->nr_vcpus * sizeof(vcpu_guest_context_t),
				    sizeof(vcpu_guest_context_t) },
		[SECTION_SHARED] = { PAGE, PAGE },
		[SECTION_P2M] = { d->nr_pages * sizeof(struct p2m_entry),
				  sizeof(struct p2m_entry) },
		[SECTION_PAGES] = { d->nr_pages * PAGE, PAGE },
	};
	uint64_t at = sizeof(Elf64_Ehdr) + SECTIONS * sizeof(Elf64_Shdr);

	for (int i = 0; i < SECTIONS; i++) {
		sections[i].sh_name = (Elf64_Word)d->names.len;
		str_add_bytes(&d->names, section_names[i], strlen(section_names[i]) + 1);
	}
	for (int i = SECTION_NAMES; i < SECTIONS; i++) {
		if (i == SECTION_PAGES)
			at = (at + PAGE - 1) / PAGE * PAGE;
		sections[i].sh_type = i == SECTION_NAMES ? SHT_STRTAB :
				      i == SECTION_NOTES ? SHT_NOTE :
							   SHT_PROGBITS;
		sections[i].sh_offset = at;
		sections[i].sh_size = i == SECTION_NAMES ? d->names.len : sizes[i][0];
		sections[i].sh_entsize = sizes[i][1];
		sections[i].sh_addralign = i == SECTION_PAGES ? PAGE : 1;
		at += sections[i].sh_size;
	}
}

static int write_vcpus(struct dump *d, struct error **e)
{
	vcpu_guest_context_t *context = xmalloc(sizeof(*context));
	int rc = 0;

	for (unsigned int i = 0; i < d->nr_vcpus && rc == 0; i++) {
		memset(context, 0, sizeof(*context));
		/* A vCPU that was never started has no registers: write zeros. */
		hv_vcpu_get_context(d->hv, d->domid, i, context, NULL);
		rc = put(d, context, sizeof(*context), e);
	}
	free(context);
	return rc;
}

static int write_p2m(struct dump *d, struct error **e)
{
	struct p2m_entry entries[BATCH];
	int rc = 0;

	for (uint64_t done = 0; done < d->nr_pages && rc == 0; done += BATCH) {
		const struct frame_entry *frames = d->p2m.frames.entries + done;
		size_t count = d->nr_pages - done < BATCH ? d->nr_pages - done : BATCH;

		for (size_t i = 0; i < count; i++)
			entries[i] = (struct p2m_entry){ frames[i].value & STREAM_PFN_MASK,
							 frames[i].frame };
		rc = put(d, entries, count * sizeof(entries[0]), e);
	}
	return rc;
}

static int write_head(struct dump *d, struct error **e)
{
	Elf64_Ehdr header = { .e_type = ET_CORE,
			      .e_machine = EM_X86_64,
			      .e_version = EV_CURRENT,
			      .e_shoff = sizeof(header),
			      .e_ehsize = sizeof(header),
			      .e_shentsize = sizeof(Elf64_Shdr),
			      .e_shnum = SECTIONS,
			      .e_shstrndx = SECTION_NAMES };
	Elf64_Shdr sections[SECTIONS] = { { 0 } };
	int rc = make_notes(d, e);

	if (rc)
		return rc;
	memcpy(header.e_ident, ELFMAG, SELFMAG);
	header.e_ident[EI_CLASS] = ELFCLASS64;
	header.e_ident[EI_DATA] = ELFDATA2LSB;
	header.e_ident[EI_VERSION] = EV_CURRENT;
	make_sections(d, sections);
	rc = put(d, &header, sizeof(header), e);
	if (rc == 0)
		rc = put(d, sections, sizeof(sections), e);
	if (rc == 0)
		rc = put(d, d->names.text, d->names.len, e);
	if (rc == 0)
		rc = put(d, d->notes.text, d->notes.len, e);
	if (rc == 0)
		rc = write_vcpus(d, e);
	if (rc == 0)
		rc = put(d, d->shared, PAGE, e);
	if (rc == 0)
		rc = write_p2m(d, e);
	return rc ? rc :
		    pad_to_page(d, sections[SECTION_P2M].sh_offset + sections[SECTION_P2M].sh_size,
				e);
}

/* --- the memory --- */

/* Fail at once rather than fill the disk and fail then. */
static int check_room(struct dump *d, struct error **e)
{
	uint64_t need = d->nr_pages * (PAGE + sizeof(struct p2m_entry)) + PAGE;
	struct statvfs fs;

	if (fstatvfs(d->fd, &fs) || fs.f_blocks == 0 || fs.f_bavail * fs.f_frsize >= need)
		return 0;
	return error_set(
		e, ENOSPC,
		"There is no space left for the core: it has %llu MiB, and %llu MiB are free.",
		(unsigned long long)need >> 20,
		(unsigned long long)(fs.f_bavail * fs.f_frsize) >> 20);
}

static int write_batch(struct dump *d, uint64_t first, size_t count, struct error **e)
{
	static const char zeros[PAGE];
	xen_pfn_t frames[BATCH] = { 0 };
	int errs[BATCH], rc = 0;
	char *mapped;

	for (size_t i = 0; i < count; i++)
		frames[i] = d->p2m.frames.entries[first + i].frame;
	mapped = hv_map_frames(d->hv, d->domid, PROT_READ, frames, errs, count, e);
	if (!mapped)
		return -EFAULT;
	/* A guest that runs may have given a page back since; it becomes zeros. */
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = put(d, errs[i] ? zeros : mapped + i * PAGE, PAGE, e);
	hv_unmap_frames(d->hv, mapped, count);
	return rc;
}

static int write_pages(struct dump *d, struct error **e)
{
	int rc = 0;

	for (uint64_t done = 0; done < d->nr_pages && rc == 0; done += BATCH) {
		worker_progress("dump", done, d->nr_pages);
		rc = write_batch(d, done, d->nr_pages - done < BATCH ? d->nr_pages - done : BATCH,
				 e);
	}
	return rc;
}

static int dump(struct dump *d, struct error **e)
{
	xen_pfn_t frame;
	uint64_t max_mfn;
	int rc = hv_domain_info(d->hv, d->domid, &d->info, e);

	if (rc == 0 && d->info.hvm)
		rc = error_set(
			e, EOPNOTSUPP,
			"Domain %u is fully virtualized: only paravirtualized ones can be dumped.",
			d->domid);
	if (rc == 0)
		rc = limits_for_domain(d->info.pages, e);
	if (rc == 0)
		rc = hv_memory_max_mfn(d->hv, &max_mfn, e);
	if (rc)
		return rc;
	d->nr_vcpus = d->info.max_vcpu_id == XEN_INVALID_MAX_VCPU_ID ? 0 : d->info.max_vcpu_id + 1;
	frame = d->info.shared_info_frame;
	d->shared = hv_map_frames(d->hv, d->domid, PROT_READ, &frame, NULL, 1, e);
	if (!d->shared)
		return -EFAULT;
	rc = guest_p2m_read(&d->p2m, d->hv, d->domid, d->shared, max_mfn, d->info.pages + GROWTH,
			    e);
	d->nr_pages = d->p2m.frames.count;
	if (rc == 0)
		rc = check_room(d, e);
	if (rc == 0)
		rc = write_head(d, e);
	if (rc == 0)
		rc = write_pages(d, e);
	if (rc == 0 && fsync(d->fd) && errno != EINVAL)
		rc = error_set(e, errno, "The core did not get to the disk: %s.", strerror(errno));
	guest_p2m_free(&d->p2m);
	hv_unmap_frames(d->hv, d->shared, 1);
	return rc;
}

int op_dump(struct json_object *request, struct json_object *result, struct error **e)
{
	struct dump d = { 0 };
	int64_t domid, fd;
	int rc = json_get_int(request, "domid", 1, DOMID_FIRST_RESERVED - 1, &domid, e);

	if (rc == 0)
		rc = json_get_int(request, "fd", 0, 1023, &fd, e);
	if (rc == 0)
		rc = target_open(request, &d.hv, e);
	if (rc) {
		hv_close(d.hv);
		return rc;
	}
	d.domid = (uint32_t)domid;
	d.fd = (int)fd;
	rc = dump(&d, e);
	if (rc == 0)
		json_set_int(result, "pages", (int64_t)d.nr_pages);
	str_free(&d.names);
	str_free(&d.notes);
	hv_close(d.hv);
	return rc;
}
