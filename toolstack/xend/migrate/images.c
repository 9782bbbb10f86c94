/* SPDX-License-Identifier: MIT */
/* Follows the headers of images, and holds what they name against the permitted directories. */
#include "xend/migrate/images.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include "xend/device/disk_image.h"
#include "xend/migrate/offer.h"
#include "xend/runtime/offload.h"
#include "xend/runtime/settings.h"
#include "xend/runtime/task.h"

/* Milliseconds to read the headers. */
#define PATIENCE 30000

/* What QEMU opens for a guest here. A driver domain opens its own files. */
static bool has_header(const struct config_disk *disk)
{
	return disk->type == CONFIG_DISK_QDISK && disk->format != CONFIG_FORMAT_RAW &&
	       disk->target && !disk->script && strcmp(disk->backend, "0") == 0;
}

static void look_at(const struct config_disk *disk, const struct xend_config *settings,
		    struct json_object *reasons)
{
	struct disk_image_list below = { NULL, 0 };
	struct error *e = NULL;
	int fd = open(disk->target, O_PATH | O_CLOEXEC);

	/* One that is not there is another check's. */
	if (fd < 0)
		return;
	disk_image_read(fd, disk->target, disk->format, &below, &e);
	close(fd);
	for (size_t i = 0; i < below.nr; i++) {
		char *what = xasprintf("The disk %.200s lies on a file:", disk->target);

		offer_check_path(what, below.paths[i], settings, reasons);
		free(what);
	}
	if (e)
		json_append(reasons, json_new_string(error_text(e)));
	error_free(&e);
	disk_image_list_free(&below);
}

void images_look(const struct config *config, const struct xend_config *settings,
		 struct json_object *reasons)
{
	for (size_t i = 0; i < config->nr_disk; i++)
		if (has_header(&config->disk[i]))
			look_at(&config->disk[i], settings, reasons);
}

/* --- in a thread --- */

struct looking {
	struct config *config; /* its own copy: the thread may outlive the conversation */
	struct json_object *reasons;
};

static void look_in_thread(void *arg)
{
	struct looking *looking = arg;

	images_look(looking->config, settings, looking->reasons);
}

static void looking_free(void *arg)
{
	struct looking *looking = arg;

	config_free(looking->config);
	json_object_put(looking->reasons);
	free(looking);
}

void images_check(const struct config *config, struct json_object *reasons)
{
	bool any = false, before;
	struct looking *looking;
	int rc;

	for (size_t i = 0; i < config->nr_disk; i++)
		any = any || has_header(&config->disk[i]);
	if (!any)
		return;
	looking = xmalloc(sizeof(*looking));
	*looking = (struct looking){ config_copy(config), json_new_array() };
	before = task_shield(true);
	rc = offload(look_in_thread, looking_free, looking, task_deadline(PATIENCE));
	task_shield(before);
	if (rc) {
		json_append(reasons, json_new_string("Its disk images do not answer."));
		return;
	}
	for (size_t i = 0; i < json_object_array_length(looking->reasons); i++)
		json_append(reasons,
			    json_object_get(json_object_array_get_idx(looking->reasons, i)));
	looking_free(looking);
}

int images_check_again(const struct config *config, struct error **e)
{
	struct json_object *reasons = json_new_array();
	struct str text = STR_INIT;
	int rc = 0;

	images_check(config, reasons);
	for (size_t i = 0; i < json_object_array_length(reasons); i++) {
		str_add(&text, i ? " " : "");
		str_add(&text, json_object_get_string(json_object_array_get_idx(reasons, i)));
	}
	if (text.len)
		rc = error_set(e, EACCES, "%s", str_text(&text));
	str_free(&text);
	json_object_put(reasons);
	return rc;
}
