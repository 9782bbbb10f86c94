/* SPDX-License-Identifier: MIT */
#include "xend/disk_use.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/str.h"
#include "xend/device.h"
#include "xend/domain.h"

static int conflict(const struct device *device, const char *other, bool other_writes, struct error **e)
{
	bool writes = device->disk.mode == CONFIG_DISK_WRITE;

	if (!writes && !other_writes)
		return 0;
	return error_set(
		e, EADDRINUSE,
		"The disk %s cannot be given to domain '%s' to %s: domain '%s' %s it. Mode w! shares it all the same.",
		device->disk.target, device->domain->name, writes ? "write" : "read", other,
		other_writes ? "writes" : "reads");
}

int disk_identify(const char *path, struct disk_identity *identity)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	identity->device = S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev;
	identity->inode = S_ISBLK(st.st_mode) ? 0 : st.st_ino;
	return 0;
}

static bool is_same_disk(const struct device *device, const char *path)
{
	struct disk_identity other;

	return path && disk_identify(path, &other) == 0 && other.device == device->identity.device &&
	       other.inode == device->identity.inode;
}

static int check_ours(const struct device *device, struct error **e)
{
	struct domain *domain;
	struct device *other;

	TAILQ_FOREACH(domain, &domains, link) {
		if (!domain->ours || domain->domid < 0)
			continue;
		TAILQ_FOREACH(other, &domain->devices, link) {
			int rc = 0;

			if (other != device && other->ops == &device_vbd_ops && !other->disk.shared &&
			    is_same_disk(device, other->disk.target))
				rc = conflict(device, domain->name, other->disk.mode == CONFIG_DISK_WRITE, e);
			if (rc)
				return rc;
		}
	}
	return 0;
}

/* One disk that xl gave to a domain: its backend directory is written by Domain-0 alone. */
static int check_backend(const struct device *device, const struct domain *domain, const char *devid, struct error **e)
{
	char *path = store_read("/local/domain/0/backend/vbd/%d/%s/params", domain->domid, devid);
	char *mode = store_read("/local/domain/0/backend/vbd/%d/%s/mode", domain->domid, devid);
	int rc = 0;

	if (mode && is_same_disk(device, path))
		rc = conflict(device, domain->name, mode[0] == 'w', e);
	free(mode);
	free(path);
	return rc;
}

static int check_foreign(const struct device *device, struct error **e)
{
	struct domain *domain;

	TAILQ_FOREACH(domain, &domains, link) {
		unsigned int count;
		char **names;
		int rc = 0;

		if (domain->ours || domain->domid <= 0)
			continue;
		names = store_list(&count, "/local/domain/0/backend/vbd/%d", domain->domid);
		for (unsigned int i = 0; i < count && rc == 0; i++)
			rc = check_backend(device, domain, names[i], e);
		free(names);
		if (rc)
			return rc;
	}
	return 0;
}

/* A block device that is mounted, or part of a volume, is held exclusively by the kernel. */
static int check_host(const struct device *device, struct error **e)
{
	int fd;

	if (!device->block_device || device->disk.mode != CONFIG_DISK_WRITE)
		return 0;
	fd = open(device->disk.target, O_RDONLY | O_EXCL | O_CLOEXEC);
	if (fd < 0 && errno == EBUSY)
		return error_set(e, EADDRINUSE,
				 "The disk %s cannot be given to domain '%s' to write: Domain-0 uses it (mounted, or "
				 "part of a volume).",
				 device->disk.target, device->domain->name);
	if (fd >= 0)
		close(fd);
	return 0;
}

int disk_use_check(const struct device *device, struct error **e)
{
	int rc;

	if (device->disk.shared)
		return 0;
	rc = check_ours(device, e);
	if (rc == 0)
		rc = check_foreign(device, e);
	if (rc == 0)
		rc = check_host(device, e);
	return rc;
}
