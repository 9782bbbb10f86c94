/* SPDX-License-Identifier: MIT */
/*
 * A domain's nodes in xenstore: one table and a few functions write all but those of its devices.
 */
#include "xend/domain/layout.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/domain_size.h"
#include "lib/str.h"
#include "xend/domain/domain.h"

/*
 * The limit in bytes of a console's backlog, for programs that read it from xenstore; Xen's tools
 * write the same.
 */
#define CONSOLE_LIMIT 1048576

struct node {
	const char *name;
	const char *value; /* NULL: a directory */
	enum store_access access;
};

/*
 * Nodes below /local/domain/ID that are the same for all domains: the guest's own places, and where
 * xend tells the guest something.
 */
static const struct node common_nodes[] = {
	{ "memory", NULL, STORE_GUEST_READS },
	{ "cpu", NULL, STORE_GUEST_READS },
	{ "control", NULL, STORE_GUEST_READS },
	{ "store", NULL, STORE_GUEST_READS },
	{ "console", NULL, STORE_GUEST_READS },
	{ "control/shutdown", "", STORE_GUEST_OWNS },
	{ "control/sysrq", "", STORE_GUEST_OWNS },
	{ "control/feature-poweroff", "", STORE_GUEST_OWNS },
	{ "control/feature-reboot", "", STORE_GUEST_OWNS },
	{ "control/feature-suspend", "", STORE_GUEST_OWNS },
	{ "control/platform-feature-multiprocessor-suspend", "1", STORE_GUEST_READS },
	{ "control/platform-feature-xs_reset_watches", "1", STORE_GUEST_READS },
	{ "device/suspend/event-channel", "", STORE_GUEST_OWNS },
	{ "data", NULL, STORE_GUEST_OWNS },
	{ "drivers", NULL, STORE_GUEST_OWNS },
	{ "feature", NULL, STORE_GUEST_OWNS },
	{ "attr", NULL, STORE_GUEST_OWNS },
	{ "error", NULL, STORE_GUEST_OWNS },
};

static void put_vm(const struct domain *domain, struct store_batch *batch, const char *uuid)
{
	unsigned int domid = (unsigned int)domain->domid;
	char *cmdline = config_cmdline(domain->config);
	char time[64];

	snprintf(time, sizeof(time), "%lld.00", (long long)domain->start_time);
	store_drop(batch, "/vm/%s", uuid);
	store_put(batch, STORE_GUEST_READS, domid, NULL, "/vm/%s", uuid);
	store_put(batch, STORE_GUEST_READS, domid, uuid, "/vm/%s/uuid", uuid);
	store_put(batch, STORE_GUEST_READS, domid, domain->name, "/vm/%s/name", uuid);
	store_put(batch, STORE_GUEST_READS, domid, "linux", "/vm/%s/image/ostype", uuid);
	store_put(batch, STORE_GUEST_READS, domid,
		  domain->config->kernel ? domain->config->kernel : "", "/vm/%s/image/kernel",
		  uuid);
	store_put(batch, STORE_GUEST_READS, domid,
		  domain->config->ramdisk ? domain->config->ramdisk : "", "/vm/%s/image/ramdisk",
		  uuid);
	store_put(batch, STORE_GUEST_READS, domid, cmdline ? cmdline : "", "/vm/%s/image/cmdline",
		  uuid);
	store_put(batch, STORE_GUEST_READS, domid, time, "/vm/%s/start_time", uuid);
	free(cmdline);
}

static void put_cpus(const struct domain *domain, const struct domain_size *size,
		     struct store_batch *batch)
{
	unsigned int domid = (unsigned int)domain->domid;

	for (unsigned int i = 0; i < config_maxvcpus(domain->config); i++)
		store_put(batch, STORE_GUEST_READS, domid, i < size->vcpus ? "online" : "offline",
			  "/local/domain/%u/cpu/%u/availability", domid, i);
}

void layout_put(const struct domain *domain, const struct domain_size *size,
		struct store_batch *batch)
{
	unsigned int domid = (unsigned int)domain->domid;
	char uuid[UUID_TEXT], vm[64];

	/* A dead domain's tools may have left nodes under this id. */
	store_drop(batch, "/local/domain/%u", domid);
	store_put(batch, STORE_GUEST_READS, domid, NULL, "/local/domain/%u", domid);
	store_put(batch, STORE_GUEST_READS, domid, NULL, "/local/domain/%u/device", domid);
	/* Domain-0's drivers work on the domain's devices meanwhile. */
	store_batch_later(batch, true);
	uuid_to_text(domain->uuid, uuid);
	snprintf(vm, sizeof(vm), "/vm/%s", uuid);
	put_vm(domain, batch, uuid);

	store_put(batch, STORE_GUEST_READS, domid, vm, "/local/domain/%u/vm", domid);
	store_put(batch, STORE_GUEST_READS, domid, domain->name, "/local/domain/%u/name", domid);
	store_put_number(batch, STORE_GUEST_READS, domid, domid, "/local/domain/%u/domid", domid);
	for (size_t i = 0; i < sizeof(common_nodes) / sizeof(common_nodes[0]); i++)
		store_put(batch, common_nodes[i].access, domid, common_nodes[i].value,
			  "/local/domain/%u/%s", domid, common_nodes[i].name);
	store_put_number(batch, STORE_GUEST_READS, domid, size->static_max_kb,
			 "/local/domain/%u/memory/static-max", domid);
	store_put_number(batch, STORE_GUEST_READS, domid, size->target_kb,
			 "/local/domain/%u/memory/target", domid);
	store_put_number(batch, STORE_GUEST_READS, domid, 0, "/local/domain/%u/memory/videoram",
			 domid);
	put_cpus(domain, size, batch);
	store_put_number(batch, STORE_GUEST_READS, domid, 0, "/local/domain/%u/console/backend-id",
			 domid);
	store_put_number(batch, STORE_GUEST_READS, domid, CONSOLE_LIMIT,
			 "/local/domain/%u/console/limit", domid);
	/*
	 * Debian's xenconsoled serves consoles whose type is "xenconsoled" or missing. xend serves
	 * this one.
	 */
	store_put(batch, STORE_GUEST_READS, domid, "xend", "/local/domain/%u/console/type", domid);
	store_put(batch, STORE_GUEST_READS, domid, "pty", "/local/domain/%u/console/output", domid);
	store_batch_later(batch, false);
}

int layout_write_channels(const struct domain *domain, struct error **e)
{
	const struct {
		const char *name;
		uint64_t value;
	} channels[] = {
		{ "store/ring-ref", domain->store_mfn },
		{ "store/port", domain->store_port },
		{ "console/ring-ref", domain->console_mfn },
		{ "console/port", domain->console_port },
	};
	struct store_batch *batch = store_begin();

	for (size_t i = 0; i < sizeof(channels) / sizeof(channels[0]); i++)
		store_set(batch, channels[i].value, "/local/domain/%d/%s", domain->domid,
			  channels[i].name);
	return store_commit_unseen(batch, e);
}

/*
 * Whether a domain with this UUID lives: another tool may have made one. True if the hypervisor
 * does not answer.
 */
static bool lives(const uint8_t uuid[16])
{
	struct hv_domain_info *list;
	bool found = false;
	size_t count;

	if (hv_domain_list(domain_hv, &list, &count, NULL))
		return true;
	for (size_t i = 0; i < count; i++)
		found = found ||
			(!list[i].dying && memcmp(list[i].uuid, uuid, sizeof(list[i].uuid)) == 0);
	free(list);
	return found;
}

void layout_remove(const struct domain *domain)
{
	char uuid[UUID_TEXT];

	if (domain_may_touch(domain)) {
		store_remove("/local/domain/%d", domain->domid);
		store_remove("/libxl/%d", domain->domid);
	}
	uuid_to_text(domain->uuid, uuid);
	if (!lives(domain->uuid))
		store_remove("/vm/%s", uuid);
}

int layout_check_known(const struct domain *domain, struct error **e)
{
	char uuid[UUID_TEXT], *vm = store_read("/local/domain/%d/vm", domain->domid);
	bool known;

	uuid_to_text(domain->uuid, uuid);
	known = vm && str_starts(vm, "/vm/") && strcmp(vm + strlen("/vm/"), uuid) == 0;
	free(vm);
	if (known)
		return 0;
	return error_set(e, EIO,
			 "xenstore does not know domain '%s' (id %d): was xenstored started anew? "
			 "The domain runs on, but can "
			 "neither be asked for anything nor its devices be changed. Shut it down "
			 "from inside, and restart the "
			 "host.",
			 domain->name, domain->domid);
}

int layout_rename(const struct domain *domain, struct error **e)
{
	unsigned int domid = (unsigned int)domain->domid;
	char uuid[UUID_TEXT], vm[64];
	struct store_batch *batch;
	struct hv_domain_info info;
	enum domain_number whose;
	int rc = domain_number(domain, &whose, &info, e);

	if (rc || whose != NUMBER_OWN)
		return rc;
	batch = store_begin();
	uuid_to_text(domain->uuid, uuid);
	snprintf(vm, sizeof(vm), "/vm/%s", uuid);
	store_put(batch, STORE_GUEST_READS, domid, vm, "/local/domain/%u/vm", domid);
	store_put(batch, STORE_GUEST_READS, domid, domain->name, "/local/domain/%u/name", domid);
	store_put(batch, STORE_GUEST_READS, domid, domain->name, "/vm/%s/name", uuid);
	return store_commit(batch, e);
}
