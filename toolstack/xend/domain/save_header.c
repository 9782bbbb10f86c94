/* SPDX-License-Identifier: MIT */
/*
 * Writes and reads the header of a saved domain's file; a reader trusts nothing in it before its
 * checks.
 */
#include "xend/domain/save_header.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/file.h"
#include "lib/str.h"
#include "xend/runtime/seal.h"

#define PADDED(length)	 (((size_t)(length) + 7) & ~(size_t)7)
#define VERSION_UNSEALED 1

int save_header_make(struct json_object *config, const char *path, struct str *out,
		     struct error **e)
{
	struct save_header header = { .version = htole32(SAVE_VERSION) };
	struct str text = STR_INIT;
	uint8_t seal[SEAL_SIZE];
	int rc;

	json_print(config, &text);
	if (text.len > SAVE_MAX_CONFIG) {
		rc = error_set(
			e, EFBIG,
			"Cannot save to %s: the domain's configuration has %zu bytes as JSON, "
			"and a saved one has at most %d KiB.",
			path, text.len, SAVE_MAX_CONFIG / 1024);
		str_free(&text);
		return rc;
	}
	memcpy(header.magic, SAVE_MAGIC, sizeof(header.magic));
	header.length = htole32((uint32_t)text.len);
	seal_make(text.text, text.len, seal);
	str_add_bytes(out, &header, sizeof(header));
	str_add_bytes(out, seal, sizeof(seal));
	str_add_bytes(out, text.text, text.len);
	for (size_t i = text.len; i < PADDED(text.len); i++)
		str_add_char(out, '\0');
	str_free(&text);
	return 0;
}

/* Whether the file begins with `length` bytes of the magic, or with as many as it has. */
static bool begins_with(const char *path, const char *magic, size_t length)
{
	char bytes[sizeof(SAVE_MAGIC_XL)];
	/* O_NONBLOCK: a FIFO must not block xend. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	ssize_t n = -1;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		n = read(fd, bytes, length);
	if (fd >= 0)
		close(fd);
	return n >= 0 && memcmp(bytes, magic, (size_t)n) == 0;
}

bool save_header_begins(const char *path)
{
	return begins_with(path, SAVE_MAGIC, sizeof(SAVE_MAGIC) - 1);
}

bool save_header_is_saved(const char *path)
{
	return save_header_begins(path) ||
	       begins_with(path, SAVE_MAGIC_XL, sizeof(SAVE_MAGIC_XL) - 1);
}

static int read_exactly(int fd, const char *path, void *to, size_t length, struct error **e)
{
	size_t done = 0;

	while (done < length) {
		ssize_t n = read(fd, (char *)to + done, length - done);

		if (n < 0)
			return error_set(e, errno, "Cannot read the saved domain %s: %s.", path,
					 strerror(errno));
		if (n == 0)
			return error_set(e, ENOEXEC, "The saved domain %s ends within its header.",
					 path);
		done += (size_t)n;
	}
	return 0;
}

int save_header_read(int fd, const char *path, struct json_object **config, bool *ours,
		     struct error **e)
{
	struct save_header header;
	uint8_t seal[SEAL_SIZE];
	struct error *why = NULL;
	uint32_t version;
	size_t length;
	char *text;
	int rc = read_exactly(fd, path, &header, sizeof(header), e);

	if (rc)
		return rc;
	version = le32toh(header.version);
	length = le32toh(header.length);
	if (memcmp(header.magic, SAVE_MAGIC, sizeof(header.magic)) != 0)
		return error_set(e, ENOEXEC,
				 "%s is no domain that xend saved. (A file of `xl save` is "
				 "restored by `xl restore`.)",
				 path);
	if ((version != SAVE_VERSION && version != VERSION_UNSEALED) || length == 0 ||
	    length > SAVE_MAX_CONFIG)
		return error_set(
			e, ENOEXEC,
			"The saved domain %s has a header of another version, or a damaged one.",
			path);
	if (version == SAVE_VERSION)
		rc = read_exactly(fd, path, seal, sizeof(seal), e);
	if (rc)
		return rc;
	text = xmalloc(PADDED(length));
	rc = read_exactly(fd, path, text, PADDED(length), e);
	if (rc == 0) {
		*ours = version == SAVE_VERSION && seal_fits(text, length, seal);
		*config = json_parse_object(text, length, &why);
		if (!*config)
			rc = error_set(e, ENOEXEC, "The configuration in the saved domain %s: %s",
				       path, error_text(why));
		error_free(&why);
	}
	free(text);
	return rc;
}

int save_header_open(const char *path, struct json_object **config, bool *ours, struct error **e)
{
	/* O_NONBLOCK: nobody may ever write to a FIFO. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), rc;
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		rc = error_set(e, errno, "Cannot open the saved domain %s: %s.", path,
			       strerror(errno));
		if (fd >= 0)
			close(fd);
		return rc;
	}
	if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))
		rc = save_header_read(fd, path, config, ours, e);
	else
		rc = error_set(e, ENOEXEC, "%s is no file, so it is no saved domain.", path);
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}
