/* SPDX-License-Identifier: MIT */
/* The methods about the certificates of other hosts. */
#include "xend/runtime/request.h"

#include <errno.h>
#include <string.h>

#include "protocol.h"
#include "xend/migrate/peer.h"
#include "xend/migrate/tls.h"
#include "xend/migrate/trust.h"
#include "xend/runtime/settings.h"

#define PORT_MAX 65535
#define HOST_MAX 255

/* A name that goes into a file, and into sentences. */
static int get_host(struct request *request, const char **host, struct error **e)
{
	*host = request_string(request, XEND_P_HOST);
	if (!**host || strlen(*host) > HOST_MAX)
		return error_set(e, EINVAL, "'%.40s' is not the name of a host.", *host);
	for (const char *at = *host; *at; at++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-_%",
			    *at))
			return error_set(e, EINVAL, "'%.40s' is not the name of a host.", *host);
	return 0;
}

static int put_own(struct json_object *result, struct error **e)
{
	struct json_object *order = json_new_object(), *said = NULL;
	const char *fingerprint;
	int rc = trust_put_own(order, e);

	if (rc == 0) {
		json_object_object_del(order, "key");
		rc = tls_tell("fingerprint", order, &said, e);
	} else {
		json_object_put(order);
	}
	if (rc == 0)
		rc = json_get_string(said, "fingerprint", &fingerprint, e);
	if (rc == 0)
		json_set_string(result, XEND_TR_OWN, fingerprint);
	json_object_put(said);
	return rc;
}

static int look(struct request *request, struct json_object *result, struct error **e)
{
	int64_t port = request_int(request, XEND_P_PORT);
	struct json_object *fingerprint = NULL;
	const char *host;
	int fd, rc = get_host(request, &host, e);

	if (rc == 0 && (port == 0 || port > PORT_MAX))
		rc = error_set(e, EINVAL, "%lld is not the number of a port.", (long long)port);
	if (rc == 0)
		rc = put_own(result, e);
	if (rc)
		return rc;
	fd = peer_connect_socket(
		host, (unsigned int)(port > 0 ? (uint64_t)port : settings->relocation_ssl_port), e);
	if (fd < 0)
		return fd;
	rc = tls_look(fd, host, &fingerprint, e);
	if (rc == 0)
		json_set(result, XEND_P_FINGERPRINT, fingerprint);
	return rc;
}

static int add(struct request *request, struct json_object *result, struct error **e)
{
	const char *fingerprint = request_string(request, XEND_P_FINGERPRINT), *host;
	int rc = get_host(request, &host, e);

	if (rc == 0 && !trust_is_fingerprint(fingerprint))
		rc = error_set(e, EINVAL,
			       "'%.80s' is not a fingerprint: 64 hexadecimal digits, as `xm trust "
			       "--list' shows them on the other host.",
			       fingerprint);
	return rc ? rc : trust_add(host, fingerprint, e);
}

static int list(struct request *request, struct json_object *result, struct error **e)
{
	struct json_object *hosts = NULL;
	int rc = put_own(result, e);

	if (rc == 0)
		rc = trust_load(&hosts, e);
	if (rc)
		return rc;
	json_set(result, XEND_TR_HOSTS, hosts);
	json_set(result, XEND_TR_ASKED, trust_asked());
	return 0;
}

static int remove_host(struct request *request, struct json_object *result, struct error **e)
{
	const char *host;
	int rc = get_host(request, &host, e);

	return rc ? rc : trust_remove(host, e);
}

const struct method methods_trust[] = {
	{ XEND_M_TRUST_LOOK,
	  look,
	  { { XEND_P_HOST, PARAM_STRING, true }, { XEND_P_PORT, PARAM_INT, false } } },
	{ XEND_M_TRUST_ADD,
	  add,
	  { { XEND_P_HOST, PARAM_STRING, true }, { XEND_P_FINGERPRINT, PARAM_STRING, true } } },
	{ XEND_M_TRUST_LIST, list, { { 0 } } },
	{ XEND_M_TRUST_REMOVE, remove_host, { { XEND_P_HOST, PARAM_STRING, true } } },
	{ NULL },
};
