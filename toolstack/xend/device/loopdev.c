/* SPDX-License-Identifier: MIT */
/*
 * Makes loop devices: takes a free one and configures it in one call (linux/loop.h; LOOP_CONFIGURE
 * needs Linux 5.8).
 */
#include "xend/device/loopdev.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Tries: somebody else may take the free device that the kernel has named to us. */
#define TRIES 64

static int configure_free_one(int control, int file, const char *name, bool readonly, int *out)
{
	struct loop_config config = { .fd = (uint32_t)file };
	char path[32];
	int number = ioctl(control, LOOP_CTL_GET_FREE), fd;

	if (number < 0)
		return -errno;
	snprintf(path, sizeof(path), "/dev/loop%d", number);
	fd = open(path, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	config.info.lo_flags = LO_FLAGS_AUTOCLEAR | (readonly ? LO_FLAGS_READ_ONLY : 0);
	snprintf((char *)config.info.lo_file_name, sizeof(config.info.lo_file_name), "%s", name);
	if (ioctl(fd, LOOP_CONFIGURE, &config)) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	*out = fd;
	return 0;
}

int loopdev_make(int handle, const char *name, bool readonly, int *fd, dev_t *number,
		 struct error **e)
{
	int file, control, rc = -EBUSY;
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", handle);
	file = open(path, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (file < 0)
		return error_set(e, errno, "Cannot open the disk's file %s: %s.", name,
				 strerror(errno));
	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (control < 0) {
		rc = error_set(e, errno,
			       "Cannot make a loop device for %s: /dev/loop-control: %s. Is the "
			       "module loop loaded?",
			       name, strerror(errno));
		close(file);
		return rc;
	}
	for (int i = 0; i < TRIES && rc == -EBUSY; i++)
		rc = configure_free_one(control, file, name, readonly, fd);
	if (rc == 0 && fstat(*fd, &st) == 0)
		*number = st.st_rdev;
	if (rc)
		rc = error_set(e, EIO, "Cannot make a loop device for %s: %s.", name,
			       strerror(-rc));
	close(control);
	close(file);
	return rc;
}
