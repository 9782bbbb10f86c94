/* SPDX-License-Identifier: MIT */
/* Sets a guest's screen up: nodes, QEMU, a port, the gate. */
#include "xend/domain/screen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/config.h"
#include "lib/json.h"
#include "lib/log.h"
#include "xend/device/qemu.h"
#include "xend/device/qemu_process.h"
#include "xend/domain/domain.h"
#include "xend/domain/worker.h"
#include "xend/runtime/settings.h"
#include "xend/runtime/task.h"
#include "protocol.h"

#define FIRST_PORT 5900
/* Displays that are tried for an unused one. */
#define DISPLAYS 500
/*
 * Milliseconds in which the last gate of a domain that reboots gives its port back, and between two
 * tries.
 */
#define PORT_PATIENCE 3000
#define PORT_INTERVAL 100
/* Milliseconds in which a client acknowledges nothing. */
#define CLIENT_SILENCE 60000
#define BACKLOG	       8

/* --- nodes --- */

static const char *listen_address(const struct config_vfb *vfb)
{
	return vfb->vnclisten ? vfb->vnclisten : settings->vnc_listen;
}

static const char *password_of(const struct config_vfb *vfb)
{
	const char *password = vfb->vncpasswd ? vfb->vncpasswd : settings->vncpasswd;

	return password && *password ? password : NULL;
}

static void put_device(const struct domain *domain, struct store_batch *batch, const char *class)
{
	unsigned int domid = (unsigned int)domain->domid;
	char back[64], front[64];

	snprintf(back, sizeof(back), "/local/domain/0/backend/%s/%u/0", class, domid);
	snprintf(front, sizeof(front), "/local/domain/%u/device/%s/0", domid, class);
	store_drop(batch, "/local/domain/0/backend/%s/%u", class, domid);
	store_put(batch, STORE_GUEST_OWNS, domid, NULL, "%s", front);
	store_put(batch, STORE_GUEST_OWNS, domid, back, "%s/backend", front);
	store_put_number(batch, STORE_GUEST_OWNS, domid, 0, "%s/backend-id", front);
	store_put(batch, STORE_GUEST_OWNS, domid, "1", "%s/state", front);
	store_put(batch, STORE_GUEST_READS, domid, NULL, "%s", back);
	store_put(batch, STORE_GUEST_READS, domid, front, "%s/frontend", back);
	store_put_number(batch, STORE_GUEST_READS, domid, domid, "%s/frontend-id", back);
	store_put(batch, STORE_GUEST_READS, domid, "1", "%s/online", back);
	store_put(batch, STORE_GUEST_READS, domid, domain->name, "%s/domain", back);
	store_put(batch, STORE_GUEST_READS, domid, "1", "%s/state", back);
}

int screen_put(const struct domain *domain, struct store_batch *batch, struct error **e)
{
	const struct config *config = domain->config;
	int rc;

	if (!config->nr_vfb)
		return 0;
	if (config->nr_vfb > 1)
		return error_set(e, EOPNOTSUPP,
				 "Domain '%s' has %zu screens (vfb); it can have one.",
				 domain->name, config->nr_vfb);
	rc = qemu_check_installed(domain, "vfb", e);
	if (rc)
		return rc;
	put_device(domain, batch, "vfb");
	put_device(domain, batch, "vkbd");
	/* The password is for nobody's eyes, least of all the guest's. */
	store_put(batch, STORE_GUEST_READS, (unsigned int)domain->domid,
		  config->vfb->vnc ? "1" : "0", "/local/domain/0/backend/vfb/%d/0/vnc",
		  domain->domid);
	store_put(batch, STORE_GUEST_READS, (unsigned int)domain->domid,
		  listen_address(config->vfb), "/local/domain/0/backend/vfb/%d/0/vnclisten",
		  domain->domid);
	return 0;
}

/* --- the port --- */

/* A socket that listens; -errno. */
static int listen_at(const char *address, unsigned int port)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
				  .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	const int yes = 1, silence = CLIENT_SILENCE;
	char text[16];
	int fd, rc = 0;

	snprintf(text, sizeof(text), "%u", port);
	if (getaddrinfo(address, text, &hints, &found))
		return -EINVAL;
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		rc = -errno;
	else if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
		 /* Clients inherit these: one whose machine is gone frees its place. */
		 setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes)) ||
		 setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence, sizeof(silence)) ||
		 bind(fd, found->ai_addr, found->ai_addrlen) || listen(fd, BACKLOG))
		rc = -errno;
	freeaddrinfo(found);
	if (rc && fd >= 0)
		close(fd);
	return rc ? rc : fd;
}

static int listen_once(const struct config_vfb *vfb, unsigned int *port)
{
	unsigned int tries = vfb->vncunused ? DISPLAYS : 1;
	int fd = -EADDRINUSE;

	for (unsigned int i = 0; fd == -EADDRINUSE && i < tries; i++) {
		*port = FIRST_PORT + (unsigned int)vfb->vncdisplay + i;
		fd = listen_at(listen_address(vfb), *port);
	}
	return fd;
}

static int find_port(const struct domain *domain, unsigned int *port, struct error **e)
{
	const struct config_vfb *vfb = domain->config->vfb;
	uint64_t deadline = task_deadline(PORT_PATIENCE);
	int fd = listen_once(vfb, port);

	while (fd == -EADDRINUSE && task_now() < deadline) {
		if (task_sleep(PORT_INTERVAL))
			return error_set(e, ECANCELED, "Setting up the screen was cancelled.");
		fd = listen_once(vfb, port);
	}
	if (fd >= 0)
		return fd;
	/* EADDRINUSE would say that a disk is in use, which a reboot waits for. */
	return error_set(e, fd == -EADDRINUSE ? EADDRNOTAVAIL : -fd,
			 "The screen of domain '%s' cannot be shown at address %s, port %u: %s.%s",
			 domain->name, listen_address(vfb), *port, strerror(-fd),
			 fd == -EADDRINUSE ? " vncunused=1 takes the next one." : "");
}

/* --- starting --- */

static int start_gate(struct domain *domain, int listener, struct request *asker, struct error **e)
{
	struct json_object *order = json_new_object(), *result = NULL;
	const char *password = password_of(domain->config->vfb);
	char directory[QEMU_PATH_MAX];
	int rc;

	qemu_screen_path(domain->domid, false, directory);
	json_set_string(order, "op", "screen");
	json_set_int(order, "domid", domain->domid);
	json_set_int(order, "server", qemu_pid(domain->domid));
	json_set_string(order, "directory", directory);
	json_set_string(order, "password", password);
	rc = worker_run(order, listener, asker, &result, e);
	json_object_put(order);
	json_object_put(result);
	return rc;
}

static int serve(struct domain *domain, const char *class, struct error **e)
{
	struct qemu_device device = { domain, class, 0, class };
	struct hv_domain_info info;
	int rc = domain_info(domain, &info, e);

	return rc ? rc : qemu_serve(&device, e);
}

static int say_port(const struct domain *domain, unsigned int port, struct error **e)
{
	unsigned int domid = (unsigned int)domain->domid;
	struct hv_domain_info info;
	struct store_batch *batch;
	int rc = domain_info(domain, &info, e);

	if (rc)
		return rc;
	batch = store_begin();
	store_put_number(batch, STORE_GUEST_READS, domid, port, "/local/domain/%u/console/vnc-port",
			 domid);
	store_put(batch, STORE_GUEST_READS, domid, listen_address(domain->config->vfb),
		  "/local/domain/%u/console/vnc-listen", domid);
	return store_commit_unseen(batch, e);
}

int screen_start(struct domain *domain, struct request *asker, struct error **e)
{
	unsigned int port = 0;
	int listener, rc;

	if (!domain->config->nr_vfb)
		return 0;
	rc = serve(domain, "vfb", e);
	if (rc == 0)
		rc = serve(domain, "vkbd", e);
	if (rc || !domain->config->vfb->vnc)
		return rc;
	listener = find_port(domain, &port, e);
	if (listener < 0)
		return listener;
	rc = start_gate(domain, listener, asker, e);
	close(listener);
	if (rc == 0)
		rc = say_port(domain, port, e);
	if (rc == 0)
		log_info("Domain %s: its screen is shown by VNC at %s, port %u.", domain->name,
			 listen_address(domain->config->vfb), port);
	return rc;
}

struct json_object *screen_describe(const struct domain *domain)
{
	struct json_object *o = NULL;
	char *address, *port;

	if (!domain->config || !domain->config->nr_vfb)
		return NULL;
	address = store_read("/local/domain/%d/console/vnc-listen", domain->domid);
	port = store_read("/local/domain/%d/console/vnc-port", domain->domid);
	if (address && port) {
		o = json_new_object();
		json_set_printf(o, XEND_D_SCREEN_ADDRESS,
				strchr(address, ':') ? "[%s]:%s" : "%s:%s", address, port);
		json_set_string(o, XEND_D_SCREEN_PASSWORD, password_of(domain->config->vfb));
		if (domain->state == DOMAIN_RUNNING && !qemu_pid(domain->domid))
			json_set_bool(o, XEND_D_SCREEN_DEAD, true);
	}
	free(port);
	free(address);
	return o;
}
