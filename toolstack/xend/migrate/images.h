/* SPDX-License-Identifier: MIT */
/*
 * The files below a stranger's images. The header of an image in qcow2 names the file that it lies
 * on, which the guest can then read: that file must be one that strangers may name, too.
 */
#ifndef XEND_MIGRATE_IMAGES_H
#define XEND_MIGRATE_IMAGES_H

#include "lib/error.h"
#include "lib/json.h"

struct config;
struct xend_config;

/* Adds a sentence for each such file that the settings do not permit. May block. */
void images_look(const struct config *config, const struct xend_config *settings,
		 struct json_object *reasons);
/*
 * The same with xend's settings, in a task and in a thread of its own. An image that cannot be read
 * in time is a reason, too. Never cancelled.
 */
void images_check(const struct config *config, struct json_object *reasons);
/* The same for a domain that is about to open its images. -EACCES: the error has the sentences. */
int images_check_again(const struct config *config, struct error **e);

#endif
