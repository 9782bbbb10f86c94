/* SPDX-License-Identifier: MIT */
/*
 * The answer of device.list, for `xm block-list` and `xm network-list`: facts of the backend, and
 * the guest's claims about its event channel and rings (docs/reference/xend-protocol.md names
 * them).
 */
#include "xend/device/device.h"

#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/str.h"
#include "xend/domain/domain.h"
#include "protocol.h"

static int64_t number_or_none(const char *directory, const char *key)
{
	uint64_t value = store_read_number(UINT32_MAX, UINT64_MAX, "%s/%s", directory, key);

	return value == UINT64_MAX ? -1 : (int64_t)value;
}

/* A frontend with several queues writes these once per queue; the first queue stands for all. */
static int64_t of_queue(const char *front, const char *key, const char *queue_key)
{
	int64_t value = number_or_none(front, key);

	return value >= 0 ? value : number_or_none(front, queue_key);
}

static struct json_object *describe(struct domain *domain, const struct device_ops *ops,
				    const char *back_class, unsigned int devid)
{
	const struct device *listed = device_by_id(domain, ops->class, devid);
	struct device key = { .domain = domain,
			      .ops = ops,
			      .devid = devid,
			      .host = listed ? listed->host : 0,
			      .disk.type = strcmp(back_class, "qdisk") == 0 ? CONFIG_DISK_QDISK :
									      CONFIG_DISK_PHY };
	struct json_object *o = json_new_object();
	char back[DEVICE_PATH_MAX], front[DEVICE_PATH_MAX], *text;
	struct device *device;

	device_back_path(&key, back);
	device_front_path(&key, front);
	text = ops == &device_vbd_ops ? config_vdev_name(devid) : NULL;
	if (text)
		json_set_string(o, XEND_DEV_DEVICE, text);
	else
		json_set_printf(o, XEND_DEV_DEVICE, "%u", devid);
	free(text);
	json_set_int(o, XEND_DEV_DEVID, devid);
	json_set_int(o, XEND_DEV_BACKEND_ID, key.host);
	json_set_int(o, XEND_DEV_HANDLE, devid);
	json_set_int(o, XEND_DEV_STATE, number_or_none(back, "state"));
	json_set_string(o, XEND_DEV_BACKEND_PATH, back);
	if (ops == &device_vbd_ops) {
		json_set_int(o, XEND_DEV_EVENT_CHANNEL,
			     of_queue(front, "event-channel", "queue-0/event-channel"));
		json_set_int(o, XEND_DEV_RING_REF, of_queue(front, "ring-ref", "queue-0/ring-ref"));
	} else {
		text = store_read("%s/mac", back);
		json_set_string(o, XEND_DEV_MAC, text);
		free(text);
		json_set_int(o, XEND_DEV_EVENT_CHANNEL,
			     of_queue(front, "event-channel", "queue-0/event-channel-tx"));
		json_set_int(o, XEND_DEV_TX_RING_REF,
			     of_queue(front, "tx-ring-ref", "queue-0/tx-ring-ref"));
		json_set_int(o, XEND_DEV_RX_RING_REF,
			     of_queue(front, "rx-ring-ref", "queue-0/rx-ring-ref"));
	}
	TAILQ_FOREACH(device, &domain->devices, link)
		if (device->ops == ops && device->devid == devid)
			json_set(o, XEND_DEV_CONFIG, device_to_json(device));
	return o;
}

struct listed {
	unsigned int devid;
	const char *back_class;
};

static int compare(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;

	return x->devid < y->devid ? -1 : x->devid > y->devid;
}

/* Appends the backends of one class to *list. */
static void add_listed(const struct domain *domain, const char *back_class, struct listed **list,
		       size_t *nr)
{
	unsigned int count;
	char **names =
		store_list(&count, "/local/domain/0/backend/%s/%d", back_class, domain->domid);

	*list = xreallocarray(*list, *nr + count + 1, sizeof(**list));
	for (unsigned int i = 0; i < count; i++) {
		uint64_t devid;

		if (str_to_u64(names[i], 10, 0, UINT32_MAX, &devid))
			(*list)[(*nr)++] = (struct listed){ (unsigned int)devid, back_class };
	}
	free(names);
}

struct json_object *devices_describe(struct domain *domain, const struct device_ops *ops)
{
	struct json_object *array = json_new_array();
	const struct device *device;
	struct listed *list = NULL;
	size_t nr = 0;

	add_listed(domain, ops->class, &list, &nr);
	if (ops == &device_vbd_ops)
		add_listed(domain, "qdisk", &list, &nr);
	TAILQ_FOREACH(device, &domain->devices, link) {
		if (device->ops != ops || !device->host)
			continue;
		list = xreallocarray(list, nr + 1, sizeof(*list));
		list[nr++] = (struct listed){ device->devid, ops->class };
	}
	qsort(list, nr, sizeof(*list), compare);
	for (size_t i = 0; i < nr; i++)
		json_append(array, describe(domain, ops, list[i].back_class, list[i].devid));
	free(list);
	return array;
}
