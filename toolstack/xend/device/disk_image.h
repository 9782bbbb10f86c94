/* SPDX-License-Identifier: MIT */
/*
 * Images in formats of QEMU's, and the images that they lie on (backing files).
 *
 * An image's format is what the configuration says, never what its content looks like: a guest may
 * write any header into a raw disk, also one that names a file of the host's. A guest cannot change
 * the header of its qcow2 image, because it sees only what is inside. The header names the format
 * of the image below; xend refuses one that does not, because QEMU would then guess.
 *
 * Whoever makes an image chooses what it lies on. So an image of a stranger's may name any file
 * of the host's, which the guest can then read. What is read here is bounded, whatever it says.
 */
#ifndef XEND_DEVICE_DISK_IMAGE_H
#define XEND_DEVICE_DISK_IMAGE_H

#include <stddef.h>

#include "config/config.h"
#include "lib/error.h"

/* More than any image lies on; also ends a chain that leads back to itself. */
#define DISK_IMAGE_MAX_BELOW 32

/* What an image lies on. */
struct disk_image_below {
	char *path; /* NULL: nothing */
	enum config_disk_format format;
};
/* Reads the header of one image; the path is to be freed. May block. */
int disk_image_find_below(const char *path, enum config_disk_format format,
			  struct disk_image_below *below, struct error **e);

struct disk_image_list {
	char **paths;
	size_t nr;
};

/*
 * Reads the header of an image, which `fd` is a handle (O_PATH) on, and of all that it lies on;
 * appends the paths of the latter. `path` names the image, for errors and for relative paths. May
 * block.
 */
int disk_image_read(int fd, const char *path, enum config_disk_format format,
		    struct disk_image_list *list, struct error **e);
void disk_image_list_free(struct disk_image_list *list);

/* QEMU's word for a format. */
const char *disk_image_driver(enum config_disk_format format);

#endif
