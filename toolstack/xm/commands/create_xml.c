/* SPDX-License-Identifier: MIT */
/*
 * The elements and attributes are those of xm's create.dtd. A disk is two elements: the vbd is what
 * the domain sees, the vdi what lies behind it.
 */
#include "xm/commands/create_xml.h"

#include <stdio.h>
#include <stdlib.h>

static void add_escaped(struct str *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '&')
			str_add(out, "&amp;");
		else if (*text == '<')
			str_add(out, "&lt;");
		else if (*text == '"')
			str_add(out, "&quot;");
		else if ((unsigned char)*text < ' ')
			str_printf(out, "&#%d;", *text);
		else
			str_add_char(out, *text);
	}
}

static void add_attribute(struct str *out, const char *name, const char *text)
{
	str_printf(out, " %s=\"", name);
	add_escaped(out, text ? text : "");
	str_add_char(out, '"');
}

static void add_number(struct str *out, const char *name, uint64_t number)
{
	str_printf(out, " %s=\"%llu\"", name, (unsigned long long)number);
}

static void add_name(struct str *out, const char *indent, const char *label, const char *about)
{
	str_printf(out, "%s<name>\n%s\t<label>", indent, indent);
	add_escaped(out, label);
	str_printf(out, "</label>\n%s\t<description>", indent);
	add_escaped(out, about ? about : " ");
	str_printf(out, "</description>\n%s</name>\n", indent);
}

static void add_pv(struct str *out, const struct config *c)
{
	char *line = config_cmdline(c);
	struct str words = STR_INIT;

	for (size_t i = 0; i < c->nr_bootargs; i++)
		str_printf(&words, "%s%s", i ? " " : "", c->bootargs[i]);
	str_add(out, "\t\t<pv");
	add_attribute(out, "kernel", c->kernel);
	add_attribute(out, "bootloader", c->bootloader);
	add_attribute(out, "ramdisk", c->ramdisk);
	add_attribute(out, "args", line);
	add_attribute(out, "bootloader_args", str_text(&words));
	str_add(out, "/>\n");
	str_free(&words);
	free(line);
}

static void add_memory(struct str *out, const struct config *c)
{
	str_add(out, "\t\t<memory");
	add_number(out, "static_min", 0);
	add_number(out, "static_max", config_maxmem(c) << 20);
	add_number(out, "dynamic_min", c->memory << 20);
	add_number(out, "dynamic_max", c->memory << 20);
	str_add(out, "/>\n");
}

static void add_vbd(struct str *out, const struct config_disk *disk, size_t number)
{
	str_printf(out, "\t\t<vbd name=\"vdb%zu\" vdi=\"vdi%zu\"", number, number);
	add_attribute(out, "mode", disk->mode == CONFIG_DISK_WRITE ? "RW" : "RO");
	add_attribute(out, "device", disk->vdev);
	add_attribute(out, "bootable", "1");
	add_attribute(out, "type", disk->cdrom ? "CD" : "disk");
	str_add(out, " qos_algorithm_type=\"\"/>\n");
}

static void add_vdi(struct str *out, const struct config_disk *disk, size_t number)
{
	struct str source = STR_INIT;
	char name[32];

	snprintf(name, sizeof(name), "vdi%zu", number);
	if (disk->target)
		str_printf(&source, "%s:%s", disk->type == CONFIG_DISK_PHY ? "phy" : "file",
			   disk->target);
	str_add(out, "\t<vdi");
	add_attribute(out, "name", name);
	add_attribute(out, "src", str_text(&source));
	add_attribute(out, "read_only", disk->mode == CONFIG_DISK_WRITE ? "False" : "True");
	add_attribute(out, "sharable", disk->shared ? "True" : "False");
	str_add(out, " size=\"-1\" type=\"system\">\n");
	add_name(out, "\t\t", name, NULL);
	str_add(out, "\t</vdi>\n");
	str_free(&source);
}

static void add_vif(struct str *out, const struct config_vif *vif, size_t number)
{
	str_printf(out, "\t\t<vif name=\"vif%zu\"", number);
	add_attribute(out, "mac", vif->mac);
	str_add(out, " mtu=\"");
	if (vif->mtu)
		str_printf(out, "%llu", (unsigned long long)vif->mtu);
	str_add_char(out, '"');
	if (vif->vifname)
		add_attribute(out, "device", vif->vifname);
	else
		str_printf(out, " device=\"eth%zu\"", number);
	if (vif->bridge)
		add_attribute(out, "network", vif->bridge);
	str_add(out, " qos_algorithm_type=\"\"/>\n");
}

/* Without the password: what xm prints is shown around. */
static void add_console(struct str *out, const struct config_vfb *vfb)
{
	str_add(out, "\t\t<console protocol=\"rfb\">\n\t\t\t<other_config key=\"type\" "
		     "value=\"vnc\"/>\n\t\t\t<other_config key=\"vnclisten\"");
	add_attribute(out, "value", vfb->vnclisten);
	str_add(out, "/>\n\t\t\t<other_config key=\"vncdisplay\"");
	add_number(out, "value", vfb->vncdisplay);
	str_printf(out,
		   "/>\n\t\t\t<other_config key=\"vncunused\" value=\"%d\"/>\n\t\t</console>\n",
		   vfb->vncunused);
}

void create_xml(const struct config *c, struct str *out)
{
	str_add(out, "<?xml version=\"1.0\" ?>\n<xm>\n\t<vm is_a_template=\"false\" "
		     "auto_power_on=\"false\" PCI_bus=\"\"");
	add_attribute(out, "actions_after_shutdown", config_action_name(c->on_poweroff));
	add_attribute(out, "actions_after_reboot", config_action_name(c->on_reboot));
	add_attribute(out, "actions_after_crash", config_action_name(c->on_crash));
	add_number(out, "vcpus_max", config_maxvcpus(c));
	add_number(out, "vcpus_at_startup", c->vcpus);
	str_add(out, ">\n");
	add_name(out, "\t\t", c->name, c->description);
	str_add(out, "\t\t<version>0</version>\n");
	add_pv(out, c);
	add_memory(out, c);
	for (size_t i = 0; i < c->nr_disk; i++)
		add_vbd(out, &c->disk[i], i);
	for (size_t i = 0; i < c->nr_vif; i++)
		add_vif(out, &c->vif[i], i);
	for (size_t i = 0; i < c->nr_vfb; i++)
		add_console(out, &c->vfb[i]);
	str_add(out, "\t</vm>\n");
	for (size_t i = 0; i < c->nr_disk; i++)
		add_vdi(out, &c->disk[i], i);
	str_add(out, "</xm>\n");
}
