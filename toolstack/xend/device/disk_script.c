/* SPDX-License-Identifier: MIT */
/* Runs a disk's script, and finds out which block device the script has made. */
#include "xend/device/disk_script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "xend/device/device.h"
#include "xend/device/disk_graph.h"
#include "xend/device/hotplug.h"
#include "xend/domain/domain.h"
#include "xend/runtime/task.h"
#include "xend/runtime/files.h"

#define MAX_WORDS 3
/*
 * The kernel closes the device somewhat later than the driver's own is gone, and a script may fail
 * until then. So there are some tries, with milliseconds between.
 */
#define REMOVE_TRIES	3
#define REMOVE_INTERVAL 500

/*
 * Xen's scripts for network block devices take the server and its port as arguments, and the
 * device on removal. All other scripts read "params".
 */
static bool takes_words(const char *script)
{
	const char *name = strrchr(script, '/');

	name = name ? name + 1 : script;
	return strcmp(name, "block-nbd") == 0 || strcmp(name, "block-enbd") == 0;
}

/* Splits "server:port" or "server port" in place. */
static void split(char *target, const char *words[MAX_WORDS])
{
	size_t n = 0;

	for (char *word; (word = strsep(&target, " :")) && n < MAX_WORDS - 1;)
		if (*word)
			words[n++] = word;
	words[n] = NULL;
}

/* Reads "physical-device" in the form MAJOR:MINOR of hexadecimal numbers. */
static int read_number(const char *script, const char *back, dev_t *number, struct error **e)
{
	char *text = store_read("%s/physical-device", back), end;
	unsigned int high, low;
	int rc = 0;

	*number = 0;
	if (text && sscanf(text, "%x:%x%c", &high, &low, &end) == 2)
		*number = makedev(high, low);
	else if (text)
		rc = error_set(e, EIO,
			       "The script %s add wrote \"%.40s\" as physical-device: expected the "
			       "numbers of a block device, as in 7:0.",
			       script, text);
	free(text);
	return rc;
}

/* The path of the device that the script has made, by the path or the number that it wrote. */
static int find_device(struct device *device, const char *script, const char *back,
		       struct error **e)
{
	char *path = store_read("%s/physical-device-path", back), *name;
	dev_t number;
	int rc = read_number(script, back, &number, e);

	if (rc == 0 && !path && !number)
		rc = error_set(e, EIO,
			       "The script %s add ended well, but names no block device in %s "
			       "(physical-device).",
			       script, back);
	if (rc == 0 && path && path[0] != '/')
		rc = error_set(
			e, EIO,
			"The script %s add wrote \"%.80s\" as physical-device-path: expected "
			"an absolute path.",
			script, path);
	if (rc == 0 && !path) {
		name = disk_device_name(&disk_sources_host, number);
		if (!name)
			rc = error_set(e, EIO,
				       "The script %s add wrote %x:%x as physical-device, but "
				       "Domain-0 has no such block device.",
				       script, major(number), minor(number));
		else
			path = xasprintf("/dev/%s", name);
		for (char *c = path; rc == 0 && c && *c; c++)
			*c = *c == '!' ? '/' : *c;
		free(name);
	}
	if (rc == 0) {
		device->served = path;
		device->block_device = number;
		path = NULL;
	}
	free(path);
	return rc;
}

int disk_script_add(struct device *device, struct store_batch *batch, struct error **e)
{
	char *script = hotplug_script_path(device->disk.script);
	char *target = xstrdup(device->disk.target ? device->disk.target : "");
	char back[DEVICE_PATH_MAX];
	const char *words[MAX_WORDS];
	int rc = store_commit(batch, e);

	device_back_path(device, back);
	if (rc == 0) {
		rc = files_check_program(script);
		if (rc)
			error_set(e, rc,
				  "The script %s of the disk %s of domain '%s' cannot be run: %s. "
				  "Is its package installed?",
				  script, device->disk.vdev, device->domain->name,
				  files_error_text(rc));
	}
	split(target, words);
	if (rc == 0)
		rc = hotplug_run(script, "add", takes_words(script) ? words : NULL, "vbd",
				 device->domain->domid, device->devid, e);
	if (rc == 0)
		rc = find_device(device, script, back, e);
	free(target);
	free(script);
	return rc;
}

static int run_remove(const char *script, const char *back, int domid, unsigned int devid,
		      struct error **e)
{
	char *path = store_read("%s/physical-device-path", back);
	const char *words[] = { path, NULL };
	int rc = hotplug_run(script, "remove", takes_words(script) ? words : NULL, "vbd", domid,
			     devid, e);

	free(path);
	return rc;
}

void disk_script_undo(int domid, unsigned int devid)
{
	char *back = xasprintf("/local/domain/0/backend/vbd/%d/%u", domid, devid);
	char *script = store_read("%s/script", back);
	struct error *e = NULL;
	int rc = 0;

	for (int i = 0; script && (!i || rc == -EIO) && i < REMOVE_TRIES; i++) {
		if (i)
			task_sleep(REMOVE_INTERVAL);
		rc = run_remove(script, back, domid, devid, &e);
	}
	if (rc)
		log_warning("The disk %u of domain %d is taken away, but its script may have left "
			    "something: %s",
			    devid, domid, error_text(e));
	if (script)
		store_remove("%s/script", back);
	error_free(&e);
	free(script);
	free(back);
}
