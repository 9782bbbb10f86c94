/* SPDX-License-Identifier: MIT */
/*
 * The operation "build": takes an empty domain that was just created, and makes it ready to be
 * unpaused.
 */
#include "worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xen/xen.h>

#include "lib/pv_start.h"
#include "worker/build/bootloader.h"
#include "worker/build/kernel.h"
#include "worker/limits.h"
#include "worker/build/request.h"
#include "worker/build/start.h"
#include "worker/target.h"

#define PAGE	  4096ULL
#define PAGES_MIB 256ULL

/* What the guest starts with: from its configuration, or from a bootloader. */
struct boot_files {
	int directory;		      /* of kernel and ramdisk: AT_FDCWD, or a bootloader's */
	const char *kernel, *ramdisk; /* NULL: none */
	const char *cmdline;
};

struct ramdisk {
	int fd;
	uint64_t size;
};

static int ramdisk_open(struct ramdisk *ramdisk, int directory, const char *path, struct error **e)
{
	struct stat st;

	if (!path)
		return 0;
	ramdisk->fd = openat(directory, path,
			     O_RDONLY | O_CLOEXEC | O_NONBLOCK |
				     (directory == AT_FDCWD ? 0 : O_NOFOLLOW));
	if (ramdisk->fd < 0 || fstat(ramdisk->fd, &st))
		return error_set(e, errno, "The ramdisk %s cannot be opened: %s.", path,
				 strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_set(e, EINVAL, "The ramdisk %s is not usable: it is not a file.",
				 path);
	ramdisk->size = (uint64_t)st.st_size;
	return 0;
}

static void ramdisk_close(struct ramdisk *ramdisk)
{
	if (ramdisk->fd >= 0)
		close(ramdisk->fd);
}

static int plan(struct pv_start *layout, uint64_t pages, const char *path,
		const struct kernel *kernel, const struct ramdisk *ramdisk, struct error **e)
{
	const struct kernel_info *info = &kernel->info;
	const char *why = "";
	uint64_t need = 0;
	int rc;

	*layout = (struct pv_start){
		.virt_base = info->virt_base,
		.virt_end = info->virt_end,
		.init_p2m = info->init_p2m,
		.nr_pages = pages,
		.ramdisk_size = ramdisk->size,
		.flags = (info->flags & KERNEL_HAS_INIT_P2M ? PV_START_INIT_P2M : 0) |
			 (info->flags & KERNEL_MOD_START_PFN ? PV_START_MOD_PFN : 0) |
			 PV_START_SERVICES,
	};
	rc = pv_start_plan(layout, &need, &why);
	if (rc == -ENOMEM)
		return error_set(e, ENOMEM,
				 "The guest's memory of %llu MiB cannot hold its kernel and "
				 "ramdisk: give it at least "
				 "%llu MiB.",
				 (unsigned long long)pages / PAGES_MIB,
				 (unsigned long long)need / PAGES_MIB + 1);
	if (rc)
		return error_set(e, -rc, "The guest cannot be built from %s: %s.", path, why);
	return 0;
}

static int load_kernel(struct guest *guest, const struct kernel *kernel, const char *path,
		       struct error **e)
{
	char what[300];
	int rc = 0;

	snprintf(what, sizeof(what), "The kernel %.280s", path);
	for (uint32_t i = 0; i < kernel->info.nr_segments && rc == 0; i++) {
		const struct kernel_segment *seg = &kernel->info.segments[i];
		uint64_t to = seg->virt - kernel->info.virt_base;

		rc = guest_load(guest, to, kernel->fd, seg->offset, seg->filesz, what,
				worker_progress, e);
		/* New memory may hold what its last owner left there. */
		if (rc == 0)
			rc = guest_clear(guest, to + seg->filesz, seg->memsz - seg->filesz, e);
	}
	return rc;
}

static int build(struct guest *guest, const struct build_request *r, const struct boot_files *files,
		 const struct kernel *kernel, const struct ramdisk *ramdisk,
		 struct json_object *result, struct error **e)
{
	struct pv_start layout;
	struct start start = {
		.kernel = &kernel->info,
		.layout = &layout,
		.cmdline = files->cmdline,
	};
	int rc = plan(&layout, r->size.pages, files->kernel, kernel, ramdisk, e);

	if (rc == 0)
		rc = limits_for_domain(r->size.pages, e);
	if (rc == 0)
		rc = build_request_prepare_domain(r, guest->hv, e);
	if (rc == 0)
		rc = guest_populate(guest, r->size.pages, worker_progress, e);
	if (rc == 0)
		rc = load_kernel(guest, kernel, files->kernel, e);
	if (rc == 0 && ramdisk->size > 0)
		rc = guest_load(guest, layout.ramdisk * PAGE, ramdisk->fd, 0, ramdisk->size,
				"The ramdisk", worker_progress, e);
	if (rc == 0)
		rc = start_prepare(guest, &start, e);
	if (rc)
		return rc;
	build_request_result(result, &start.store, &start.console, guest->nr_pages);
	json_set_string(result, "guest_os", kernel->info.guest_os);
	json_set_string(result, "loader", kernel->info.loader);
	json_set_bool(result, "cached", kernel->from_cache);
	json_set_bool(result, "suspend_cancel", kernel->info.flags & KERNEL_SUSPEND_CANCEL);
	return 0;
}

_Static_assert(BOOTLOADER_ARGS_MAX == MAX_GUEST_CMDLINE, "what fits there fits here");
_Static_assert(PV_START_PAGES_MAX >= CONFIG_MEMORY_MAX * PAGES_MIB,
	       "so that all sizes can be built");

/*
 * Runs the bootloader, if any. Its kernel, RAM disk and command line override the configuration's.
 */
static int choose(struct boot_files *files, struct json_object *request, uint32_t domid,
		  struct bootloader_choice *choice, struct error **e)
{
	struct json_object *order;
	int rc = json_opt_typed(request, "bootloader", json_type_object, &order, e);

	if (rc || !order)
		return rc;
	worker_progress("bootloader", 0, 1);
	rc = bootloader_run(order, domid, choice, e);
	if (rc)
		return rc;
	files->directory = choice->directory;
	files->kernel = choice->output.kernel;
	files->ramdisk = *choice->output.ramdisk != '\0' ? choice->output.ramdisk : NULL;
	if (*choice->output.args != '\0')
		files->cmdline = choice->output.args;
	return 0;
}

static int open_and_build(const struct build_request *r, const struct boot_files *files,
			  struct json_object *request, struct json_object *result, struct error **e)
{
	struct kernel kernel = { .fd = -1 };
	struct ramdisk ramdisk = { .fd = -1 };
	struct guest guest = { .domid = r->domid };
	int rc;

	worker_progress("kernel", 0, 1);
	/*
	 * This runs before the hypervisor's device is open, so that the process that parses the
	 * kernel cannot reach it.
	 */
	rc = kernel_open_in(&kernel, files->directory, files->kernel, r->cache, e);
	if (rc == 0)
		rc = ramdisk_open(&ramdisk, files->directory, files->ramdisk, e);
	if (rc && files->directory != AT_FDCWD)
		error_prefix(e, "The bootloader made a choice that cannot be started: ");
	if (rc == 0)
		rc = target_open(request, &guest.hv, e);
	if (rc == 0)
		rc = build(&guest, r, files, &kernel, &ramdisk, result, e);
	guest_free(&guest);
	hv_close(guest.hv);
	ramdisk_close(&ramdisk);
	kernel_close(&kernel);
	return rc;
}

int op_build(struct json_object *request, struct json_object *result, struct error **e)
{
	struct bootloader_choice choice = { .directory = -1 };
	struct boot_files files = { .directory = AT_FDCWD };
	struct build_request r;
	char *cmdline = NULL;
	int rc = build_request_parse(&r, request, e);

	if (rc == 0) {
		files.kernel = r.config->kernel;
		files.ramdisk = r.config->ramdisk;
		files.cmdline = cmdline = config_cmdline(r.config);
		rc = choose(&files, request, r.domid, &choice, e);
	}
	if (rc == 0 && !files.kernel)
		rc = error_set(
			e, EINVAL,
			"The guest has no kernel: set kernel or bootloader in its configuration.");
	if (rc == 0)
		rc = open_and_build(&r, &files, request, result, e);
	bootloader_free(&choice);
	free(cmdline);
	build_request_free(&r);
	return rc;
}
