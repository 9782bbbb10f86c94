/* SPDX-License-Identifier: MIT */
/* Commands for the disks and network interfaces of running domains. */
#include "xm/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "lib/alloc.h"
#include "lib/json.h"
#include "protocol.h"
#include "xm/client/call.h"
#include "xm/format.h"

/* block-attach and block-configure: send "BackDev FrontDev Mode [BackDomain]" as a disk. */
static int disk_order(const struct xm_args *args, const char *method)
{
	struct config_disk disk;
	struct error *error = NULL;
	struct json_object *params;
	char *directory = get_current_dir_name();
	struct str text = STR_INIT;
	int rc;

	str_printf(&text, "%s,%s,%s", args->operands[1], args->operands[2], args->operands[3]);
	rc = config_disk_parse(str_text(&text), directory, &disk, &error);
	free(directory);
	str_free(&text);
	if (rc) {
		/* What would be read as xl's form has no disk's name in the third place. */
		rc = strchr(args->operands[1], ':') ?
			     xm_fail("Domain '%s', disk %s: %s", args->operands[0],
				     args->operands[2], error_text(error)) :
			     xm_fail("Domain '%s', disk %s: '%s' does not say what it is. Write "
				     "file:%s, or phy:%s for a block device.",
				     args->operands[0], args->operands[2], args->operands[1],
				     args->operands[1], args->operands[1]);
		error_free(&error);
		return rc;
	}
	params = xm_domain_params(args->operands[0]);
	json_set_string(params, XEND_P_CLASS, XEND_CLASS_VBD);
	json_set(params, XEND_P_CONFIG, config_disk_to_json(&disk));
	if (args->count > 4)
		json_set_string(json_find(params, XEND_P_CONFIG), "backend", args->operands[4]);
	config_disk_free(&disk);
	return xm_order(method, params, args->operands[0]);
}

static int block_attach_run(const struct xm_args *args)
{
	return disk_order(args, XEND_M_DEVICE_ATTACH);
}

static int block_configure_run(const struct xm_args *args)
{
	return disk_order(args, XEND_M_DEVICE_CONFIGURE);
}

static int network_attach_run(const struct xm_args *args)
{
	struct config_vif vif;
	struct error *error = NULL;
	struct json_object *params;
	struct str text = STR_INIT;
	int rc;

	for (int i = 1; i < args->count; i++)
		str_printf(&text, "%s%s", i > 1 ? "," : "", args->operands[i]);
	rc = config_vif_parse(str_text(&text), &vif, &error);
	str_free(&text);
	if (rc) {
		rc = xm_fail("Domain '%s', network card: %s", args->operands[0], error_text(error));
		error_free(&error);
		return rc;
	}
	params = xm_domain_params(args->operands[0]);
	json_set_string(params, XEND_P_CLASS, XEND_CLASS_VIF);
	json_set(params, XEND_P_CONFIG, config_vif_to_json(&vif));
	config_vif_free(&vif);
	return xm_order(XEND_M_DEVICE_ATTACH, params, args->operands[0]);
}

static int detach(const struct xm_args *args, const char *class)
{
	struct json_object *params = xm_domain_params(args->operands[0]);

	json_set_string(params, XEND_P_CLASS, class);
	json_set_string(params, XEND_P_DEVICE, args->operands[1]);
	json_set_bool(params, XEND_P_FORCE, xm_args_has(args, 'f'));
	return xm_order(XEND_M_DEVICE_DETACH, params, args->operands[0]);
}

static int block_detach_run(const struct xm_args *args)
{
	return detach(args, XEND_CLASS_VBD);
}

static int network_detach_run(const struct xm_args *args)
{
	return detach(args, XEND_CLASS_VIF);
}

static void print_block(struct json_object *device)
{
	struct block_row row = { .devid = xm_int(device, XEND_DEV_DEVID, -1),
				 .backend = xm_int(device, XEND_DEV_BACKEND_ID, -1),
				 .handle = xm_int(device, XEND_DEV_HANDLE, -1),
				 .state = xm_int(device, XEND_DEV_STATE, -1),
				 .event_channel = xm_int(device, XEND_DEV_EVENT_CHANNEL, -1),
				 .ring_ref = xm_int(device, XEND_DEV_RING_REF, -1),
				 .backend_path = xm_string(device, XEND_DEV_BACKEND_PATH, "-") };

	format_block_row(stdout, &row);
}

static void print_network(struct json_object *device)
{
	struct network_row row = { .index = xm_int(device, XEND_DEV_DEVID, -1),
				   .backend = xm_int(device, XEND_DEV_BACKEND_ID, -1),
				   .mac = xm_string(device, XEND_DEV_MAC, "-"),
				   .handle = xm_int(device, XEND_DEV_HANDLE, -1),
				   .state = xm_int(device, XEND_DEV_STATE, -1),
				   .event_channel = xm_int(device, XEND_DEV_EVENT_CHANNEL, -1),
				   .tx_ring_ref = xm_int(device, XEND_DEV_TX_RING_REF, -1),
				   .rx_ring_ref = xm_int(device, XEND_DEV_RX_RING_REF, -1),
				   .backend_path = xm_string(device, XEND_DEV_BACKEND_PATH, "-") };

	format_network_row(stdout, &row);
}

/* How the table of one class of devices is printed. */
struct device_table {
	const char *class;
	void (*header)(FILE *out);
	void (*row)(struct json_object *device);
};

/* Adds (KEY VALUE) for each member; members of an object become children. */
static void add_members(struct sexp *sexp, struct json_object *o)
{
	json_object_object_foreach(o, key, value)
	{
		if (json_object_is_type(value, json_type_object))
			add_members(sexp, value);
		else if (value)
			sexp_set(sexp, key, json_object_get_string(value));
	}
}

static void print_long(const char *class, struct json_object *device)
{
	struct sexp *sexp = sexp_new(class);
	struct str text = STR_INIT;

	add_members(sexp, device);
	sexp_print(sexp, &text);
	fputs(str_text(&text), stdout);
	str_free(&text);
	sexp_free(sexp);
}

static int device_list(const struct xm_args *args, const struct device_table *table)
{
	bool whole = xm_args_has(args, 'l'), json = xm_args_has(args, XM_OPTION_JSON);
	struct json_object *all;
	int status = XM_OK;

	if (!xm_can_ask())
		return XM_FAILED;
	if (!whole && !json)
		table->header(stdout);
	all = json_new_array();
	for (int i = 0; i < args->count; i++) {
		struct json_object *params = xm_domain_params(args->operands[i]), *answer, *devices;
		size_t count;

		json_set_string(params, XEND_P_CLASS, table->class);
		answer = xm_call(XEND_M_DEVICE_LIST, params, NULL);
		devices = xm_array(answer, "devices", &count);
		if (!answer)
			status = XM_FAILED;
		for (size_t j = 0; j < count; j++) {
			struct json_object *device = json_object_array_get_idx(devices, j);

			if (json && args->count > 1)
				json_set_string(device, "domain", args->operands[i]);
			if (json)
				json_append(all, json_object_get(device));
			else if (whole)
				print_long(table->class, device);
			else
				table->row(device);
		}
		json_object_put(answer);
	}
	if (json && (status == XM_OK || json_object_array_length(all)))
		xm_print_json(all);
	json_object_put(all);
	return status;
}

static int block_list_run(const struct xm_args *args)
{
	static const struct device_table table = { XEND_CLASS_VBD, format_block_header,
						   print_block };

	return device_list(args, &table);
}

static int network_list_run(const struct xm_args *args)
{
	static const struct device_table table = { XEND_CLASS_VIF, format_network_header,
						   print_network };

	return device_list(args, &table);
}

static int pci_run(const struct xm_args *args)
{
	return xm_fail("%s: this release cannot give PCI devices to domains yet.",
		       args->command->name);
}

static const struct xm_option list_options[] = {
	{ 'l', "long", NULL, "all that is known of each, as S-expressions" },
	{ XM_OPTION_JSON, "json", NULL,
	  "print what xend answered, as JSON; for several domains each device has its \"domain\"" },
	{ 0 },
};

static const struct xm_option detach_options[] = {
	{ 'f', "force", NULL, "also if the domain still uses it" },
	{ 0 },
};

#define PCI_HELP                                                                              \
	"This release cannot do it; a domain reaches disks and networks by block-attach and " \
	"network-attach."

const struct xm_command xm_device_commands[] = {
	{ .name = "block-attach",
	  .run = block_attach_run,
	  .usage = "DOMAIN BACKDEV FRONTDEV MODE [BACKDOMAIN]",
	  .summary = "Give a domain another disk",
	  .help = "BACKDEV is phy:DEVICE or file:FILE of Domain-0; FRONTDEV is what the domain "
		  "calls it, as xvdb; MODE "
		  "is r or w "
		  "(w!: although others use it, too).",
	  .examples = "xm block-attach web1 phy:/dev/vg/data xvdb w\tgive web1 a volume as xvdb\n"
		      "xm block-attach web1 file:/srv/cd.iso xvdc r\tgive it a file, to read only",
	  .min_operands = 4,
	  .max_operands = 5 },
	{ .name = "block-detach",
	  .run = block_detach_run,
	  .usage = "DOMAIN FRONTDEV",
	  .summary = "Take a disk away from a domain",
	  .help = "FRONTDEV is the disk's name in the domain, or its number as block-list shows "
		  "it.",
	  .examples = "xm block-detach web1 xvdb\ttake xvdb away",
	  .options = detach_options,
	  .min_operands = 2,
	  .max_operands = 2 },
	{ .name = "block-list",
	  .run = block_list_run,
	  .usage = "DOMAIN...",
	  .summary = "List the disks of a domain",
	  .examples = "xm block-list web1\tlist web1's",
	  .options = list_options,
	  .min_operands = 1,
	  .max_operands = -1 },
	{ .name = "block-configure",
	  .run = block_configure_run,
	  .usage = "DOMAIN BACKDEV FRONTDEV MODE [BACKDOMAIN]",
	  .summary = "Change a disk's medium or mode",
	  .examples = "xm block-configure web1 file:/srv/cd2.iso xvdc r\tput another disc in",
	  .min_operands = 4,
	  .max_operands = 5 },
	{ .name = "network-attach",
	  .run = network_attach_run,
	  .usage = "DOMAIN [KEY=VALUE...]",
	  .summary = "Give a domain another network card",
	  .help = "The keys are those of vif in xm.cfg(5): mac, bridge, ip, script, backend, "
		  "vifname, rate and others.",
	  .examples = "xm network-attach web1\tgive web1 a card on the default bridge\n"
		      "xm network-attach web1 bridge=xenbr1 mac=00:16:3e:00:00:07\tsay which "
		      "bridge and which address",
	  .min_operands = 1,
	  .max_operands = -1 },
	{ .name = "network-detach",
	  .run = network_detach_run,
	  .usage = "DOMAIN DEVICE",
	  .summary = "Take a network card away from a domain",
	  .help = "DEVICE is the card's number as network-list shows it, or its MAC address.",
	  .examples = "xm network-detach web1 1\ttake the second card away",
	  .options = detach_options,
	  .min_operands = 2,
	  .max_operands = 2 },
	{ .name = "network-list",
	  .run = network_list_run,
	  .usage = "DOMAIN...",
	  .summary = "List the network cards of a domain",
	  .examples = "xm network-list web1\tlist web1's",
	  .options = list_options,
	  .min_operands = 1,
	  .max_operands = -1 },
	{ .name = "pci-attach",
	  .run = pci_run,
	  .usage = "DOMAIN DEVICE [SLOT]",
	  .summary = "Give a domain a PCI device (not there yet)",
	  .help = PCI_HELP,
	  .max_operands = -1 },
	{ .name = "pci-detach",
	  .run = pci_run,
	  .usage = "DOMAIN DEVICE",
	  .summary = "Take a PCI device away from a domain (not there yet)",
	  .help = PCI_HELP,
	  .max_operands = -1 },
	{ .name = "pci-list",
	  .run = pci_run,
	  .usage = "DOMAIN",
	  .summary = "List the PCI devices of a domain (not there yet)",
	  .help = PCI_HELP,
	  .max_operands = -1 },
	{ .name = "pci-list-assignable-devices",
	  .run = pci_run,
	  .usage = "",
	  .summary = "List the PCI devices that domains may have (not there yet)",
	  .help = PCI_HELP,
	  .max_operands = -1 },
	{ 0 },
};
