/* SPDX-License-Identifier: MIT */
/* Methods for disks and interfaces of running domains. */
#include "xend/runtime/request.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/log.h"
#include "xend/device/device.h"
#include "xend/device/disk_use.h"
#include "xend/device/vif_twin.h"
#include "xend/domain/domain.h"
#include "xend/domain/acquire.h"
#include "protocol.h"
#include "xend/domain/record.h"
#include "xend/domain/recover.h"

static int class_of(struct request *request, const struct device_ops **ops, struct error **e)
{
	const char *name = request_string(request, XEND_P_CLASS);

	*ops = device_class(name);
	if (!*ops)
		return error_set(e, EINVAL,
				 "There is no class '%.20s' of devices; vbd and vif are possible.",
				 name);
	return 0;
}

static int keep(struct domain *domain, struct error **e)
{
	devices_to_config(domain);
	return record_write(domain, e);
}

/*
 * Records an attached device. If that fails, removes the device at once: the next xend would take a
 * device that the record lacks for half attached.
 */
static int keep_attached(struct device *device, struct error **e)
{
	struct domain *domain = device->domain;
	int rc = keep(domain, e);
	char *name;

	if (rc == 0)
		return 0;
	name = device->ops->name(device);
	device_take_apart(device);
	device_forget(device);
	/* The new record may be in place even if syncing its directory failed. */
	keep(domain, NULL);
	error_prefix(e, "The device %s was not attached to domain '%s': ", name, domain->name);
	free(name);
	return rc;
}

static int attach(struct request *request, struct json_object *result, struct error **e)
{
	const struct device_ops *ops;
	struct domain *domain;
	struct device *device;
	char *name;
	int rc = class_of(request, &ops, e);

	/* Before the domain is locked, because recovery may need it. */
	if (rc == 0)
		rc = recover_wait(request, e);
	if (rc == 0)
		rc = domain_acquire(request, "attach", NEED_RUNS | NEED_OURS, &domain, e);
	if (rc)
		return rc;
	rc = device_from_json(domain, ops, request_value(request, XEND_P_CONFIG), &device, e);
	if (rc == 0)
		rc = device_attach(device, e);
	if (rc == 0)
		rc = keep_attached(device, e);
	if (rc == 0) {
		name = ops->name(device);
		json_set_int(result, XEND_DEV_DEVID, device->devid);
		json_set_string(result, XEND_DEV_DEVICE, name);
		free(name);
		vif_twin_warn(domain, result);
	}
	domain_release(domain);
	return rc;
}

static int detach(struct request *request, struct json_object *result, struct error **e)
{
	const struct device_ops *ops;
	struct domain *domain;
	int rc = class_of(request, &ops, e);

	if (rc == 0)
		rc = domain_acquire(request, "detach", NEED_RUNS | NEED_OURS, &domain, e);
	if (rc)
		return rc;
	rc = device_detach(domain, ops, request_string(request, XEND_P_DEVICE),
			   request_bool(request, XEND_P_FORCE), e);
	if (rc == 0) {
		rc = keep(domain, e);
		if (rc)
			error_prefix(e,
				     "The device was detached, but domain '%s' has it in its "
				     "record still: ",
				     domain->name);
	}
	domain_release(domain);
	return rc;
}

static int list(struct request *request, struct json_object *result, struct error **e)
{
	const struct device_ops *ops;
	struct domain *domain;
	int rc = class_of(request, &ops, e);

	if (rc == 0)
		rc = request_domain(request, &domain, e);
	if (rc)
		return rc;
	rc = domain_check(domain, NEED_RUNS, e);
	if (rc == 0)
		json_set(result, "devices", devices_describe(domain, ops));
	domain_unref(domain);
	return rc;
}

static bool goes_on(const struct domain *domain)
{
	struct hv_domain_info info;

	return domain_info(domain, &info, NULL) == 0 && !info.dying && !info.shutdown;
}

/*
 * Replaces a disk of the domain by `next`, which it takes. If that fails, attaches the old one,
 * which is in the record, again, unless somebody has taken it meanwhile.
 */
static int replace(struct device *old, struct device *next, struct error **e)
{
	struct domain *domain = old->domain;
	struct device *before = device_new(domain, old->ops, &old->disk);
	struct error *why = NULL;
	int rc = device_detach(domain, old->ops, next->disk.vdev, false, e);

	if (rc) {
		device_free(next);
		device_free(before);
		return rc;
	}
	rc = device_attach(next, e);
	if (rc == 0)
		rc = keep_attached(next, e);
	if (rc == 0) {
		device_free(before);
		return 0;
	}
	if (device_attach(before, &why))
		log_error("%s", error_text(why));
	/* A guest that ended meanwhile has the disk at its next start: the record still says so. */
	if (!why || goes_on(domain))
		keep(domain, NULL);
	error_free(&why);
	return rc;
}

/*
 * Detaches a disk and attaches it again with its new configuration: to the guest, the medium of a
 * drive has changed.
 */
static int configure(struct request *request, struct json_object *result, struct error **e)
{
	const struct device_ops *ops;
	struct domain *domain;
	struct device *old, *next;
	int rc = class_of(request, &ops, e);

	if (rc == 0 && ops != &device_vbd_ops)
		rc = error_set(e, EOPNOTSUPP, "Only disks can be configured anew.");
	if (rc == 0)
		rc = recover_wait(request, e);
	if (rc == 0)
		rc = domain_acquire(request, "configure", NEED_RUNS | NEED_OURS, &domain, e);
	if (rc)
		return rc;
	rc = device_from_json(domain, ops, request_value(request, XEND_P_CONFIG), &next, e);
	if (rc == 0) {
		old = device_find(domain, ops, next->disk.vdev);
		rc = old ? disk_use_check(next, old, e) :
			   error_set(e, ENODEV, "Domain '%s' has no disk %s.", domain->name,
				     next->disk.vdev);
		if (rc == 0)
			rc = replace(old, next, e);
		else
			device_free(next);
	}
	domain_release(domain);
	return rc;
}

#define DOMAIN                                    \
	{                                         \
		XEND_P_DOMAIN, PARAM_DOMAIN, true \
	}
#define CLASS                                    \
	{                                        \
		XEND_P_CLASS, PARAM_STRING, true \
	}

const struct method methods_device[] = {
	{ XEND_M_DEVICE_ATTACH, attach, { DOMAIN, CLASS, { XEND_P_CONFIG, PARAM_OBJECT, true } } },
	{ XEND_M_DEVICE_DETACH,
	  detach,
	  { DOMAIN,
	    CLASS,
	    { XEND_P_DEVICE, PARAM_INT_OR_STRING, true },
	    { XEND_P_FORCE, PARAM_BOOL, false } } },
	{ XEND_M_DEVICE_LIST, list, { DOMAIN, CLASS } },
	{ XEND_M_DEVICE_CONFIGURE,
	  configure,
	  { DOMAIN, CLASS, { XEND_P_CONFIG, PARAM_OBJECT, true } } },
	{ NULL },
};
