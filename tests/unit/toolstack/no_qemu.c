/* SPDX-License-Identifier: MIT */
/* A host without QEMU, for tests of other backends. */
#include "xend/device/qemu.h"
#include "xend/device/qemu_end.h"
#include "xend/device/qemu_image.h"

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

enum qemu_life qemu_life(int domid)
{
	return QEMU_NONE;
}

enum qemu_life qemu_process_find(int domid, struct qemu_process *process)
{
	return QEMU_NONE;
}

void qemu_process_close(struct qemu_process *process)
{
}

bool qemu_is_class(const char *class)
{
	return strcmp(class, "qdisk") == 0;
}

bool qemu_image_is_held(const struct device *device)
{
	return false;
}
