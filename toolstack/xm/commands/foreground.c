/* SPDX-License-Identifier: MIT */
/* Asks once a second, each time over a connection of its own: xend may be restarted meanwhile. */
#include "xm/commands/foreground.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/json.h"
#include "protocol.h"
#include "xm/client/answer.h"
#include "xm/client/client.h"
#include "xm/command.h"

enum { PATIENCE = 60 }; /* seconds that xend may be away */

enum life { RUNS, STAYS_DOWN, GONE };

static enum life life_of(struct json_object *domain, char **reason)
{
	const char *why = xm_string(domain, XEND_D_REASON, NULL);

	if (xm_int(domain, XEND_D_ID, -1) >= 0 || json_find(domain, XEND_D_OPERATION))
		return RUNS;
	if (!why)
		return GONE;
	*reason = xstrdup(why);
	return STAYS_DOWN;
}

/* -errno if xend cannot be asked. STAYS_DOWN: *reason says why, and the caller frees it. */
static int look(const char *uuid, enum life *life, char **reason, struct error **e)
{
	struct json_object *result = NULL, *domains;
	struct client *client = NULL;
	int rc = client_open(&client, e);
	size_t count;

	if (rc == 0)
		rc = client_call(client, XEND_M_DOMAIN_LIST, NULL, NULL, NULL, &result, e);
	client_close(client);
	if (rc)
		return rc;
	*life = GONE;
	domains = xm_array(result, "domains", &count);
	for (size_t i = 0; i < count; i++) {
		struct json_object *domain = json_object_array_get_idx(domains, i);

		if (strcmp(xm_string(domain, XEND_D_UUID, ""), uuid) == 0)
			*life = life_of(domain, reason);
	}
	json_object_put(result);
	return 0;
}

int foreground_wait(const char *uuid, const char *name)
{
	enum life life = RUNS;
	char *reason = NULL;
	unsigned int away = 0;
	int status = XM_OK;

	fflush(stdout);
	while (life == RUNS && status == XM_OK) {
		struct error *e = NULL;

		sleep(1);
		if (look(uuid, &life, &reason, &e) == 0)
			away = 0;
		else if (++away == PATIENCE)
			status = xm_fail("Domain '%s' is watched no longer: %s", name,
					 error_text(e));
		error_free(&e);
	}
	if (life == STAYS_DOWN)
		status = xm_fail("Domain '%s' has ended and stays down: %s", name, reason);
	if (life == GONE)
		printf("Domain %s has ended.\n", name);
	free(reason);
	return status;
}
