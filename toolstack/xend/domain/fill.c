/* SPDX-License-Identifier: MIT */
/* Finds memory for a new domain, and has the worker fill it. */
#include "xend/domain/fill.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "config/config.h"
#include "config/domain_size.h"
#include "protocol.h"
#include "xend/console/console.h"
#include "xend/domain/balloon.h"
#include "xend/domain/boot.h"
#include "xend/domain/bootloader.h"
#include "xend/domain/domain.h"
#include "xend/domain/worker.h"
#include "xend/runtime/request.h"

/* Where the worker keeps decompressed kernels. */
#define KERNEL_CACHE "/var/cache/xenolith/kernels"
#define KB_PER_PAGE  4

static int get_number(struct json_object *result, const char *key, uint64_t *out, struct error **e)
{
	int64_t value;
	int rc = json_get_int(result, key, 0, INT64_MAX, &value, e);

	if (rc) {
		error_prefix(e, "The worker's answer: ");
		return rc;
	}
	*out = (uint64_t)value;
	return 0;
}

/* *fd is the bootloader's console, which the caller closes, or -1. */
static int order_bootloader(struct domain *domain, const struct boot *boot,
			    struct json_object *order, int *fd, struct error **e)
{
	int rc = bootloader_put(domain, order, e);

	if (rc || !boot->console)
		return rc;
	rc = console_open_boot(domain, fd, e);
	if (rc)
		return rc;
	json_set_int(json_find(order, "bootloader"), "console", 3);
	request_progress(boot->asker, XEND_STAGE_MENU, 1, 1);
	return 0;
}

/* Has the worker fill the domain from a kernel or from a saved image. */
static int fill(struct domain *domain, const struct boot *boot, const struct domain_size *size,
		struct error **e)
{
	struct json_object *order = json_new_object(), *result = NULL;
	uint64_t store_port = 0, console_port = 0;
	bool cancels = !boot->resumes_afresh;
	int terminal = -1, rc = 0;

	json_set_string(order, "op", boot->image_fd >= 0 ? "restore" : "build");
	worker_name_domain(order, domain);
	json_set(order, "config", config_to_json(domain->config));
	json_set(order, "size", domain_size_to_json(size));
	json_set_string(order, "cache", KERNEL_CACHE);
	if (boot->image_fd >= 0)
		json_set_int(order, "fd", 3);
	else if (!domain->config->kernel && domain->config->bootloader)
		rc = order_bootloader(domain, boot, order, &terminal, e);
	if (rc == 0 && boot->ready)
		rc = boot->ready(boot->ready_arg, e);
	if (rc == 0)
		rc = worker_run(order, terminal >= 0 ? terminal : boot->image_fd, boot->asker,
				&result, e);
	if (terminal >= 0)
		close(terminal);
	json_object_put(order);
	if (rc)
		return rc;
	rc = get_number(result, "store_mfn", &domain->store_mfn, e);
	if (rc == 0)
		rc = get_number(result, "store_port", &store_port, e);
	if (rc == 0)
		rc = get_number(result, "console_mfn", &domain->console_mfn, e);
	if (rc == 0)
		rc = get_number(result, "console_port", &console_port, e);
	if (rc == 0 && boot->image_fd < 0)
		rc = json_opt_bool(result, "suspend_cancel", true, &cancels, e);
	json_object_put(result);
	if (rc)
		return rc;
	domain->resumes_afresh = !cancels;
	domain->store_port = (uint32_t)store_port;
	domain->console_port = (uint32_t)console_port;
	return 0;
}

/*
 * Sets the domain's limit, and reserves its memory in the hypervisor while the worker fills it, so
 * that the next domain can already look for its own. Not every hypervisor has such claims: without
 * one, *claimed is false. -ENOMEM: another tool took the memory that was found.
 */
static int limit_and_claim(struct domain *domain, const struct domain_size *size, bool *claimed,
			   struct error **e)
{
	uint32_t domid = (uint32_t)domain->domid;
	struct error *why = NULL;
	int rc = hv_domain_set_max_mem(domain_hv, domid, domain_size_limit_kb(size), e);

	if (rc)
		return rc;
	rc = hv_memory_claim(domain_hv, domid, size->pages, &why);
	*claimed = rc == 0;
	if (rc == -ENOMEM)
		return error_move(e, &why);
	error_free(&why);
	return 0;
}

int fill_domain(struct domain *domain, const struct boot *boot, const struct domain_size *size,
		struct balloon_loan *loan, struct error **e)
{
	uint64_t kb = size->pages * KB_PER_PAGE;
	int rc = balloon_reserve(kb + balloon_overhead_kb(kb, (unsigned int)config_maxvcpus(
								      domain->config)),
				 loan, e);
	struct hv_domain_info info;
	bool claimed = false;

	if (rc)
		return rc;
	rc = domain_info(domain, &info, e);
	if (rc == 0)
		rc = limit_and_claim(domain, size, &claimed, e);
	if (claimed)
		balloon_release();
	if (rc == 0)
		rc = fill(domain, boot, size, e);
	if (claimed && domain_info(domain, &info, NULL) == 0)
		hv_memory_claim(domain_hv, (uint32_t)domain->domid, 0, NULL);
	if (!claimed)
		balloon_release();
	return rc;
}
