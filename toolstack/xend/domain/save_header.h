/* SPDX-License-Identifier: MIT */
/*
 * The header of a saved domain's file, before the memory (docs/reference/save-file.md): 16 bytes, a
 * seal, then the configuration as JSON, padded with zeroes to a multiple of 8 bytes. All numbers
 * are little-endian. Version 1 has no seal.
 */
#ifndef XEND_DOMAIN_SAVE_HEADER_H
#define XEND_DOMAIN_SAVE_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/json.h"
#include "lib/str.h"

struct save_header {
	char magic[8];	  /* SAVE_MAGIC */
	uint32_t version; /* SAVE_VERSION */
	uint32_t length;  /* bytes of JSON, without the padding */
};
_Static_assert(sizeof(struct save_header) == 16, "the file's layout");

#define SAVE_MAGIC	"XENOLITH"
#define SAVE_MAGIC_XL	"Xen saved domain, xl format"
#define SAVE_VERSION	2
#define SAVE_MAX_CONFIG (256 * 1024)

/*
 * Appends the header with the configuration to `out`. `path` is for errors. -EFBIG: the
 * configuration is longer than SAVE_MAX_CONFIG, and nothing was appended.
 */
int save_header_make(struct json_object *config, const char *path, struct str *out,
		     struct error **e);
/*
 * Afterwards the descriptor stands behind the header. *ours: the configuration bears this host's
 * seal; otherwise a stranger may have written it. -ENOEXEC: not a saved domain, or a damaged
 * header.
 */
int save_header_read(int fd, const char *path, struct json_object **config, bool *ours,
		     struct error **e);
/*
 * Opens a file or block device and reads its header, as above. The descriptor, or -errno. It may
 * block, so it runs in a thread.
 */
int save_header_open(const char *path, struct json_object **config, bool *ours, struct error **e);

/*
 * Whether the file is empty or begins like a header, in full or in part. Only such a file may be
 * removed as an unfinished save.
 */
bool save_header_begins(const char *path);
/* Whether the file is empty or a saved domain, of xend or of xl: a new save may replace it. */
bool save_header_is_saved(const char *path);

#endif
