/* SPDX-License-Identifier: MIT */
/* Methods that start and stop all guests of the host. */
#include "xend/runtime/request.h"

#include <errno.h>

#include "config/config.h"
#include "protocol.h"
#include "xend/domain/guests.h"

static int start(struct request *request, struct json_object *result, struct error **e)
{
	const char *path = request_string(request, XEND_P_PATH);
	struct json_object *object = request_value(request, XEND_P_CONFIG);
	const char *reason = request_string(request, XEND_D_REASON);
	struct config *config;

	if (!path && !object && !reason)
		return guests_order_start(request, e);
	if (!path || !object == !reason)
		return error_set(
			e, EINVAL,
			"guests.start takes a path with the configuration that the file "
			"describes, or with the reason why it cannot be used, or neither.");
	if (reason)
		return guests_order_bad_file(path, reason, e);
	config = config_from_json(object, e);
	return config ? guests_order_file(path, config, e) : -EBADMSG;
}

static int stop(struct request *request, struct json_object *result, struct error **e)
{
	return guests_order_stop(request, e);
}

static int status(struct request *request, struct json_object *result, struct error **e)
{
	guests_describe(result);
	return 0;
}

const struct method methods_guests[] = {
	{ XEND_M_GUESTS_START,
	  start,
	  { { XEND_P_PATH, PARAM_STRING, false },
	    { XEND_P_CONFIG, PARAM_OBJECT, false },
	    { XEND_D_REASON, PARAM_STRING, false } } },
	{ XEND_M_GUESTS_STOP, stop },
	{ XEND_M_GUESTS_STATUS, status },
	{ NULL },
};
