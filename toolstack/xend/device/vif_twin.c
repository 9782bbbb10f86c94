/* SPDX-License-Identifier: MIT */
/*
 * Two interfaces with one MAC on one bridge of one domain: a file that was copied, for example.
 * Each takes the other's packets, so a warning helps. It is no error: one of them may be about to
 * end.
 */
#include "xend/device/vif_twin.h"

#include <string.h>
#include <strings.h>

#include "lib/log.h"
#include "protocol.h"
#include "xend/device/device.h"
#include "xend/domain/domain.h"
#include "xend/runtime/settings.h"

static const char *bridge_of(const struct device *device)
{
	return device->vif.bridge ? device->vif.bridge : settings->default_bridge;
}

/* An interface of another running domain; NULL. */
static const struct device *find_twin(const struct device *device)
{
	const struct domain *domain;
	const struct device *other;

	TAILQ_FOREACH(domain, &domains, link) {
		if (domain == device->domain || domain->domid < 0)
			continue;
		TAILQ_FOREACH(other, &domain->devices, link)
			if (other->ops == &device_vif_ops && other->vif.mac &&
			    strcasecmp(other->vif.mac, device->vif.mac) == 0 &&
			    other->host == device->host &&
			    strcmp(bridge_of(other), bridge_of(device)) == 0)
				return other;
	}
	return NULL;
}

void vif_twin_warn(const struct domain *domain, struct json_object *result)
{
	const struct device *device, *twin;

	TAILQ_FOREACH(device, &domain->devices, link) {
		twin = device->ops == &device_vif_ops && device->vif.mac ? find_twin(device) : NULL;
		if (!twin)
			continue;
		json_set_printf(
			result, XEND_D_WARNING,
			"The interface %u of domain '%s' has the MAC %s, as the interface %u "
			"of domain '%s' on the same bridge, %s. Both lose packets: give one "
			"of them another mac.",
			device->devid, domain->name, device->vif.mac, twin->devid,
			twin->domain->name, bridge_of(device));
		log_warning("%s", json_object_get_string(json_find(result, XEND_D_WARNING)));
	}
}
