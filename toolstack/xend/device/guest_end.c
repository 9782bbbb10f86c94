/* SPDX-License-Identifier: MIT */
/* Waiting for a guest to remove a device. */
#include "xend/device/guest_end.h"

#include <stdlib.h>

#include "hv/hv.h"
#include "lib/log.h"
#include "xend/device/device.h"
#include "xend/domain/domain.h"

/* Milliseconds. */
#define PATIENCE 10000
#define INTERVAL 10
/* The highest number that a port can have in any layout of event channels. */
#define PORT_MAX ((1u << 17) - 1)

uint32_t guest_end_port(const struct device *device)
{
	/* One for a disk, or one or two for an interface; of several queues the first will do. */
	static const char *const keys[] = { "event-channel", "event-channel-tx",
					    "queue-0/event-channel", "queue-0/event-channel-tx" };
	char front[DEVICE_PATH_MAX];
	uint64_t port = 0;

	device_front_path(device, front);
	for (size_t i = 0; !port && i < sizeof(keys) / sizeof(keys[0]); i++)
		port = store_read_number(PORT_MAX, 0, "%s/%s", front, keys[i]);
	return (uint32_t)port;
}

void guest_end_wait(const struct device *device, uint32_t port)
{
	uint64_t deadline = task_deadline(PATIENCE);
	const struct domain *domain = device->domain;
	char *name;

	while (port && domain_may_touch(domain) &&
	       hv_evtchn_leads_to(domain_hv, (uint32_t)domain->domid, port,
				  (uint32_t)device->host)) {
		if (task_now() >= deadline) {
			name = device->ops->name(device);
			log_warning("Domain %s has given its device %s back, but has not removed "
				    "it in %d s. It may overlook a new device of that name.",
				    domain->name, name, PATIENCE / 1000);
			free(name);
			return;
		}
		if (task_sleep(INTERVAL))
			return;
	}
}
