/* SPDX-License-Identifier: MIT */
/*
 * Who comes before whom among the host's guests: a driver domain starts before the guests that it
 * serves, and ends after them.
 */
#include "xend/domain/guests.h"

#include <string.h>

#include "config/config.h"
#include "xend/device/driver_domain.h"
#include "xend/domain/domain.h"

/* NULL: it is a file of which nobody has sent the contents, or a domain that is gone. */
static const struct config *config_of(const struct guest *guest)
{
	const struct domain *domain;

	if (guest->path)
		return guest->config;
	domain = domain_by_uuid(guest->uuid);
	return domain ? domain->config : NULL;
}

const char *guest_next_server(const struct guest *guest, size_t *at)
{
	const struct config *config = config_of(guest);
	const char *name;

	while (config && *at < config->nr_disk + config->nr_vif) {
		size_t i = (*at)++;

		name = i < config->nr_disk ? config->disk[i].backend :
					     config->vif[i - config->nr_disk].backend;
		if (name && strcmp(name, "0") != 0 && strcmp(name, "Domain-0") != 0)
			return name;
	}
	return NULL;
}

static bool names(const struct guest *user, const char *server)
{
	const char *name;
	size_t at = 0;

	while ((name = guest_next_server(user, &at)))
		if (strcmp(name, server) == 0)
			return true;
	return false;
}

static bool is_served(const struct guest *user, const struct guest *server)
{
	const struct domain *its = domain_by_uuid(user->uuid),
			    *servers = domain_by_uuid(server->uuid);

	return its && servers && driver_domain_serves(servers, its);
}

/* A file without contents may never come, so nobody waits for it. */
static bool is_under_way(const struct guest *guest)
{
	return guest->progress == GUEST_WORKING ||
	       (guest->progress == GUEST_WAITING && (!guest->path || guest->config));
}

bool guests_must_wait(const struct guests *guests, const struct guest *guest)
{
	const struct guest *other;

	TAILQ_FOREACH(other, &guests->list, link) {
		if (other == guest || !is_under_way(other))
			continue;
		if (guests->order == GUESTS_STOP ? is_served(other, guest) :
						   names(guest, other->name))
			return true;
	}
	return false;
}
