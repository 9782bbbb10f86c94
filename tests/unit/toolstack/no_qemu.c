/* SPDX-License-Identifier: MIT */
/* A host without QEMU, for tests of other backends. */
#include "xend/device/qemu.h"

#include <errno.h>
#include <string.h>

int qemu_check_installed(const struct domain *domain, const char *name, struct error **e)
{
	return error_set(e, ENOENT, "There is no QEMU here.");
}

int qemu_serve(const struct qemu_device *device, struct error **e)
{
	return error_set(e, EIO, "There is no QEMU here.");
}

bool qemu_stop(struct domain *domain)
{
	return true;
}

pid_t qemu_pid(int domid)
{
	return 0;
}

bool qemu_is_class(const char *class)
{
	return strcmp(class, "qdisk") == 0;
}

bool qemu_holds(const char *class, int domid, unsigned int devid)
{
	return false;
}
