/* SPDX-License-Identifier: MIT */
/*
 * What the source tells of a domain before it comes: the first line of a conversation. Its reader
 * believes nothing: the configuration goes through the decoder of all configurations, and what it
 * names of the host must be what the host permits to strangers. Pure.
 */
#ifndef XEND_MIGRATE_OFFER_H
#define XEND_MIGRATE_OFFER_H

#include <stdbool.h>

#include "config/domain_size.h"
#include "hv/hv.h"
#include "lib/error.h"
#include "lib/json.h"
#include "xend/domain/move.h"

struct config;
struct domain;
struct xend_config;

/* Of the conversation. A peer with another one is refused with a sentence. */
#define MIGRATE_VERSION 1

struct offer {
	char move[MOVE_ID];
	bool managed;
	bool resumes_afresh; /* struct domain */
	struct config *config;
	struct domain_size size;
	struct hv_cpu_policy policy; /* the processor's features that the guest has seen */
};

/* The line; `size` is cut to what the configuration allows (domain_size_put). */
struct json_object *offer_line(const char *move, const struct domain *domain,
			       struct domain_size *size, const struct hv_cpu_policy *policy);
/* -EBADMSG, -EPROTO. offer_free in any case. */
int offer_read(struct offer *offer, struct json_object *line, struct error **e);
void offer_free(struct offer *offer);

/*
 * Adds a sentence to the array for each thing of this host that the configuration names, and that
 * the settings do not let a stranger name.
 */
void offer_check_names(const struct config *config, const struct xend_config *settings,
		       struct json_object *reasons);
/* The same for one path of the host's; `what` begins the sentence. NULL: nothing. */
void offer_check_path(const char *what, const char *path, const struct xend_config *settings,
		      struct json_object *reasons);

#endif
