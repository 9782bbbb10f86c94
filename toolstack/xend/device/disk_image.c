/* SPDX-License-Identifier: MIT */
/*
 * Reads the headers of images. Layouts: QEMU's docs/interop/qcow2.txt and qed_spec.txt; Microsoft's
 * Virtual Hard Disk Image Format Specification. Version 1 of qcow begins as version 2 does.
 */
#include "xend/device/disk_image.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/alloc.h"

/* Bytes of an image's begin that are read. A header with its extensions is far shorter. */
#define HEADER_MAX 65536
/* The longest path in a header of qcow and qcow2. */
#define PATH_IN_HEADER_MAX 1023
/* The longest name of a format that QEMU takes from there. */
#define FORMAT_IN_HEADER_MAX 15

#define QCOW_MAGIC	   0x514649fbU
#define QCOW_LEAST	   48 /* bytes of a header */
#define QCOW2_SHORT	   72 /* of version 2 */
#define QCOW2_LONG	   104
#define QCOW2_MIN_BITS	   9 /* of an offset in a cluster */
#define QCOW2_MAX_BITS	   21
#define QCOW2_DATA_FILE	   (1ULL << 2)
#define QCOW2_END	   0
#define QCOW2_BELOW_FORMAT 0xe2792acaU
#define QED_MAGIC	   0x00444551U
#define QED_LEAST	   64
#define QED_BELOW	   (1ULL << 0)
#define QED_BELOW_IS_RAW   (1ULL << 2)
#define VHD_FOOTER	   512
#define VHD_DIFFERENCING   4

static const char broken[] = "its header is broken.";

struct header {
	unsigned char bytes[HEADER_MAX]; /* zeros beyond the file's end, as QEMU reads there */
	size_t length;
	bool is_little; /* the order of the bytes of its numbers */
};

/* What a header says about the image below. */
struct found {
	char *path;   /* NULL: there is none */
	char *format; /* QEMU's word; NULL: it does not say */
};

static uint32_t number32(const struct header *h, size_t at)
{
	uint32_t value;

	memcpy(&value, h->bytes + at, sizeof(value));
	return h->is_little ? le32toh(value) : be32toh(value);
}

static uint64_t number64(const struct header *h, size_t at)
{
	uint64_t value;

	memcpy(&value, h->bytes + at, sizeof(value));
	return h->is_little ? le64toh(value) : be64toh(value);
}

const char *disk_image_driver(enum config_disk_format format)
{
	static const char *const names[] = {
		[CONFIG_FORMAT_RAW] = "raw",	 [CONFIG_FORMAT_QCOW] = "qcow",
		[CONFIG_FORMAT_QCOW2] = "qcow2", [CONFIG_FORMAT_VHD] = "vpc",
		[CONFIG_FORMAT_QED] = "qed",
	};

	return names[format];
}

static bool format_of(const char *driver, enum config_disk_format *format)
{
	for (unsigned int i = CONFIG_FORMAT_RAW; i <= CONFIG_FORMAT_QED; i++) {
		if (strcmp(disk_image_driver(i), driver) == 0) {
			*format = i;
			return true;
		}
	}
	return false;
}

static int not_of_format(const char *path, const char *why, enum config_disk_format format,
			 struct error **e)
{
	return error_set(e, EINVAL, "%s is not a usable %s image: %s", path,
			 format == CONFIG_FORMAT_VHD ? "vhd" : disk_image_driver(format), why);
}

/* Takes a text out of the header. -ERANGE: it is not within. */
static int take(const struct header *h, uint64_t at, uint64_t length, char **out)
{
	if (!length)
		return 0;
	if (length > PATH_IN_HEADER_MAX || at > h->length || length > h->length - at)
		return -ERANGE;
	if (memchr(h->bytes + at, '\0', length))
		return -ERANGE;
	*out = xstrndup((const char *)h->bytes + at, length);
	return 0;
}

/*
 * Looks through the extensions of a qcow2 header for the format of the image below, up to `end`.
 * As for QEMU, the last one counts, and one that crosses the end is an error.
 */
static int read_extensions(const struct header *h, uint64_t at, uint64_t end, struct found *found)
{
	while (at < end) {
		uint32_t type, length;

		if (at + 8 > sizeof(h->bytes))
			return -ERANGE;
		type = number32(h, at);
		length = number32(h, at + 4);
		at += 8;
		if (at > end || length > end - at)
			return -ERANGE;
		if (type == QCOW2_END)
			return 0;
		if (type == QCOW2_BELOW_FORMAT) {
			free(found->format);
			found->format = NULL;
			if (length > FORMAT_IN_HEADER_MAX || take(h, at, length, &found->format))
				return -ERANGE;
		}
		at += ((uint64_t)length + 7) / 8 * 8;
	}
	return 0;
}

/*
 * The next two read what is particular to a format: where the name of the image below is (0: there
 * is none), and its format. They return what is wrong, or NULL.
 */
static const char *read_qcow(const struct header *h, enum config_disk_format format, uint64_t *name,
			     struct found *found)
{
	uint32_t version = number32(h, 4), bits = number32(h, 20);
	uint64_t begin = version == 3 ? number32(h, 100) : QCOW2_SHORT;

	if ((format == CONFIG_FORMAT_QCOW) != (version == 1) || version > 3)
		return "it has another version of the format.";
	*name = number64(h, 8);
	if (version == 1)
		return NULL;
	if (h->length < QCOW2_LONG || begin < (version == 3 ? QCOW2_LONG : QCOW2_SHORT) ||
	    bits < QCOW2_MIN_BITS || bits > QCOW2_MAX_BITS || *name > 1ULL << bits)
		return broken;
	if (version == 3 && (number64(h, 72) & QCOW2_DATA_FILE))
		return "its data is in another file, which is not supported. Convert it with "
		       "qemu-img.";
	return read_extensions(h, begin, *name ? *name : 1ULL << bits, found) ? broken : NULL;
}

static const char *read_qed(const struct header *h, uint64_t *name, struct found *found)
{
	uint64_t features = number64(h, 16);

	*name = features & QED_BELOW ? number32(h, 56) : 0;
	if (*name && (features & QED_BELOW_IS_RAW))
		found->format = xstrdup("raw");
	return NULL;
}

static int read_name(struct header *h, const char *path, enum config_disk_format format,
		     struct found *found, struct error **e)
{
	bool is_qed = format == CONFIG_FORMAT_QED;
	uint64_t name = 0;
	const char *wrong;

	h->is_little = is_qed;
	if (h->length < (is_qed ? QED_LEAST : QCOW_LEAST) ||
	    number32(h, 0) != (is_qed ? QED_MAGIC : QCOW_MAGIC))
		wrong = "it does not begin as one.";
	else if (is_qed)
		wrong = read_qed(h, &name, found);
	else
		wrong = read_qcow(h, format, &name, found);
	if (!wrong && name && take(h, name, number32(h, is_qed ? 60 : 16), &found->path))
		wrong = broken;
	return wrong ? not_of_format(path, wrong, format, e) : 0;
}

/* The description is at the end, and a copy at the begin unless the image is of fixed size. */
static int read_vhd(int fd, struct header *h, const char *path, struct error **e)
{
	off_t size = lseek(fd, 0, SEEK_END);

	if (h->length >= VHD_FOOTER && memcmp(h->bytes, "conectix", 8) != 0 && size >= VHD_FOOTER &&
	    pread(fd, h->bytes, VHD_FOOTER, size - VHD_FOOTER) != VHD_FOOTER)
		return error_set(e, errno, "Cannot read %s: %s.", path, strerror(errno));
	if (h->length < VHD_FOOTER || memcmp(h->bytes, "conectix", 8) != 0)
		return not_of_format(path, "it neither begins nor ends as one.", CONFIG_FORMAT_VHD,
				     e);
	if (number32(h, 60) == VHD_DIFFERENCING)
		return not_of_format(path,
				     "it holds the differences to another image, which QEMU does "
				     "not support.",
				     CONFIG_FORMAT_VHD, e);
	return 0;
}

static int read_header(int fd, const char *path, enum config_disk_format format,
		       struct found *found, struct error **e)
{
	struct header *h;
	ssize_t n;
	int rc = 0;

	if (format == CONFIG_FORMAT_RAW)
		return 0;
	h = xcalloc(1, sizeof(*h));
	n = pread(fd, h->bytes, sizeof(h->bytes), 0);
	h->length = n > 0 ? (size_t)n : 0;
	if (n < 0)
		rc = error_set(e, errno, "Cannot read %s: %s.", path, strerror(errno));
	else if (format == CONFIG_FORMAT_VHD)
		rc = read_vhd(fd, h, path, e);
	else
		rc = read_name(h, path, format, found, e);
	free(h);
	return rc;
}

/* The path of the image below, by the same rule as QEMU's: relative to its user's directory. */
static int resolve(const char *user, const char *name, char **out, struct error **e)
{
	const char *slash = strrchr(user, '/');

	if (strcspn(name, ":") < strcspn(name, "/"))
		return error_set(e, EINVAL,
				 "%s lies on \"%.80s\", which is not a plain path of a file.", user,
				 name);
	*out = *name == '/' || !slash ? xstrdup(name) :
					xasprintf("%.*s/%s", (int)(slash - user), user, name);
	return 0;
}

static int open_to_read(const char *path, struct error **e)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)))
		return fd;
	if (fd < 0)
		return error_set(e, errno, "Cannot read the image %s: %s.", path, strerror(errno));
	close(fd);
	return error_set(e, EINVAL, "The image %s is neither a file nor a block device.", path);
}

/* From what the header of `user` says to a path and a format. */
static int descend(const char *user, const struct found *found, struct disk_image_below *below,
		   struct error **e)
{
	int rc = resolve(user, found->path, &below->path, e);

	if (rc)
		return rc;
	if (found->format && format_of(found->format, &below->format))
		return 0;
	if (!found->format)
		rc = error_set(e, EINVAL,
			       "%s lies on %s, and does not say of which format that is. To guess "
			       "would be unsafe, because a guest may have written it; say it: "
			       "qemu-img rebase -u -F FORMAT -b %s %s",
			       user, below->path, found->path, user);
	else
		rc = error_set(e, EINVAL, "%s lies on %s, whose format \"%.20s\" is not supported.",
			       user, below->path, found->format);
	free(below->path);
	below->path = NULL;
	return rc;
}

static int find_below(int file, const char *path, enum config_disk_format format,
		      struct disk_image_below *below, struct error **e)
{
	struct found found = { NULL, NULL };
	int rc = read_header(file, path, format, &found, e);

	*below = (struct disk_image_below){ .path = NULL };
	if (rc == 0 && found.path)
		rc = descend(path, &found, below, e);
	free(found.format);
	free(found.path);
	return rc;
}

int disk_image_find_below(const char *path, enum config_disk_format format,
			  struct disk_image_below *below, struct error **e)
{
	int file = open_to_read(path, e), rc;

	*below = (struct disk_image_below){ .path = NULL };
	if (file < 0)
		return file;
	rc = find_below(file, path, format, below, e);
	close(file);
	return rc;
}

int disk_image_read(int fd, const char *path, enum config_disk_format format,
		    struct disk_image_list *list, struct error **e)
{
	char *name = xasprintf("/proc/self/fd/%d", fd);
	int file = open_to_read(name, e), rc = file < 0 ? file : 0;
	struct disk_image_below below = { .path = NULL };

	free(name);
	if (rc)
		return rc;
	rc = find_below(file, path, format, &below, e);
	close(file);
	while (rc == 0 && below.path) {
		const char *user;

		if (list->nr >= DISK_IMAGE_MAX_BELOW) {
			free(below.path);
			return error_set(e, ELOOP, "%s lies on more than %d images.", path,
					 DISK_IMAGE_MAX_BELOW);
		}
		list->paths = xreallocarray(list->paths, list->nr + 1, sizeof(*list->paths));
		user = list->paths[list->nr++] = below.path;
		rc = disk_image_find_below(user, below.format, &below, e);
	}
	return rc;
}

void disk_image_list_free(struct disk_image_list *list)
{
	for (size_t i = 0; i < list->nr; i++)
		free(list->paths[i]);
	free(list->paths);
	*list = (struct disk_image_list){ NULL, 0 };
}
