/* SPDX-License-Identifier: MIT */
/*
 * The relocation server. A host is on the list by its address, or by a name that its address has
 * and that leads back to it: who owns an address can give it any name.
 */
#include "xend/migrate/listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uv.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/str.h"
#include "xend/migrate/peer.h"
#include "xend/migrate/target.h"
#include "xend/migrate/tls.h"
#include "xend/runtime/offload.h"
#include "xend/runtime/settings.h"
#include "xend/runtime/task.h"

/* Connections at once; a host moves a few domains at a time. */
#define CONNECTIONS_MAX 16
#define BACKLOG		16
/* Milliseconds to find out a name. */
#define NAME_PATIENCE 10000
/* Milliseconds until connections are taken again, when no descriptor was left for one. */
#define PAUSE 1000

static struct listener {
	uv_poll_t poll;
	uv_timer_t pause;
	enum peer_wire wire;
	int fd;
	bool listens;
} listeners[] = { { .wire = PEER_PLAIN, .fd = -1 }, { .wire = PEER_TLS, .fd = -1 } };
#define LISTENERS (sizeof(listeners) / sizeof(listeners[0]))

static unsigned int connections;

struct caller {
	int fd;
	enum peer_wire wire;
	struct sockaddr_storage address;
	socklen_t length;
	char number[NI_MAXHOST], name[NI_MAXHOST]; /* name: empty if there is none */
};

static void caller_free(void *arg)
{
	struct caller *caller = arg;

	if (caller->fd >= 0)
		close(caller->fd);
	free(caller);
}

/* --- who it is --- */

/* An IPv4 address that has come through an IPv6 socket is known by its own numbers. */
static void unmap(char *number)
{
	static const char prefix[] = "::ffff:";

	if (str_starts(number, prefix) && strchr(number, '.'))
		memmove(number, number + strlen(prefix), strlen(number + strlen(prefix)) + 1);
}

static bool has_number(const struct addrinfo *list, const char *number)
{
	char text[NI_MAXHOST];

	for (; list; list = list->ai_next)
		if (getnameinfo(list->ai_addr, list->ai_addrlen, text, sizeof(text), NULL, 0,
				NI_NUMERICHOST) == 0 &&
		    strcmp(text, number) == 0)
			return true;
	return false;
}

/* In a thread. */
static void find_name(void *arg)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct caller *caller = arg;
	struct addrinfo *list = NULL;
	char name[NI_MAXHOST];

	if (getnameinfo((struct sockaddr *)&caller->address, caller->length, name, sizeof(name),
			NULL, 0, NI_NAMEREQD) ||
	    getaddrinfo(name, NULL, &hints, &list))
		return;
	if (has_number(list, caller->number))
		snprintf(caller->name, sizeof(caller->name), "%s", name);
	freeaddrinfo(list);
}

/* -EACCES: it is not on the list. Frees the caller in any case but success. */
static int let_in(struct caller *caller, struct peer **peer)
{
	const char *name;
	struct error *e = NULL;
	int rc;

	if (!xend_config_allows(settings, caller->number)) {
		rc = offload(find_name, caller_free, caller, task_deadline(NAME_PATIENCE));
		if (rc)
			return rc;
		if (!*caller->name || !xend_config_allows(settings, caller->name)) {
			log_warning("%s%s%s%s may not move domains here: it is not on the list "
				    "xend-relocation-hosts-allow.",
				    caller->number, *caller->name ? " (" : "", caller->name,
				    *caller->name ? ")" : "");
			/* TLS would have to be spoken with it before it could be told so. */
			if (caller->wire == PEER_PLAIN) {
				*peer = peer_new(caller->fd, caller->number);
				caller->fd = -1;
			}
			caller_free(caller);
			return -EACCES;
		}
	}
	name = *caller->name ? caller->name : caller->number;
	if (caller->wire == PEER_TLS) {
		peer_watch_silence(caller->fd);
		caller->fd = tls_wrap(caller->fd, TLS_SERVER, name, &e);
	}
	rc = caller->fd < 0 ? caller->fd : 0;
	if (rc == 0)
		*peer = peer_new(caller->fd, name);
	else
		log_warning("%s", error_text(e));
	error_free(&e);
	caller->fd = -1;
	caller_free(caller);
	return rc;
}

/* --- connections --- */

static void serve(void *arg)
{
	struct peer *peer = NULL;
	int rc = let_in(arg, &peer);

	if (rc == 0)
		target_serve(peer);
	else if (peer)
		peer_refuse(peer, "Your host is not on this one's list of those that may move "
				  "domains here (xend-relocation-hosts-allow in its "
				  "xend-config.sxp).");
	peer_free(peer);
	connections--;
}

static void on_connection(uv_poll_t *poll, int status, int events);

static void on_pause_end(uv_timer_t *timer)
{
	struct listener *listener = timer->data;

	uv_poll_start(&listener->poll, UV_READABLE, on_connection);
}

/*
 * A connection that cannot be accepted stays in the kernel's queue, and the loop would hear of it
 * again at once, for ever.
 */
static void pause_after(struct listener *listener, int errnum)
{
	if (errnum != EMFILE && errnum != ENFILE && errnum != ENOBUFS && errnum != ENOMEM)
		return;
	log_warning("A host that wants to move a domain here has to wait: %s.", strerror(errnum));
	uv_poll_stop(&listener->poll);
	uv_timer_start(&listener->pause, on_pause_end, PAUSE, 0);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
	struct listener *listener = poll->data;
	struct caller *caller = xcalloc(1, sizeof(*caller));

	caller->wire = listener->wire;
	caller->length = sizeof(caller->address);
	caller->fd = accept4(listener->fd, (struct sockaddr *)&caller->address, &caller->length,
			     SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (caller->fd < 0)
		pause_after(listener, errno);
	if (caller->fd < 0 || connections == CONNECTIONS_MAX ||
	    getnameinfo((struct sockaddr *)&caller->address, caller->length, caller->number,
			sizeof(caller->number), NULL, 0, NI_NUMERICHOST)) {
		caller_free(caller);
		return;
	}
	unmap(caller->number);
	connections++;
	if (!task_start(serve, caller)) {
		connections--;
		caller_free(caller);
	}
}

/* --- the listening socket --- */

static int open_socket(const struct addrinfo *address)
{
	const int on = 1;
	int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
			address->ai_protocol);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, address->ai_addr, address->ai_addrlen) || listen(fd, BACKLOG)) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

/* Addresses are numbers here, so nothing waits. Without one, IPv6 serves IPv4, too. */
static int open_any(const char *address, unsigned int port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV };
	static const int families[] = { AF_INET6, AF_INET };
	int fd = -EADDRNOTAVAIL;
	char text[8];

	snprintf(text, sizeof(text), "%u", port);
	for (size_t i = 0; fd < 0 && i < sizeof(families) / sizeof(families[0]); i++) {
		struct addrinfo *list = NULL;

		hints.ai_family = families[i];
		if (getaddrinfo(address, text, &hints, &list))
			continue;
		fd = open_socket(list);
		freeaddrinfo(list);
		if (fd == -EADDRINUSE)
			break;
	}
	return fd;
}

static void listen_at(struct listener *listener, unsigned int port)
{
	const char *address = settings->relocation_address;

	listener->fd = open_any(address, port);
	if (listener->fd < 0) {
		log_error("Domains cannot be moved here: port %u%s%s cannot be listened on: %s.",
			  port, address ? " of " : "", address ? address : "",
			  strerror(-listener->fd));
		return;
	}
	uv_timer_init(uv_default_loop(), &listener->pause);
	uv_poll_init(uv_default_loop(), &listener->poll, listener->fd);
	listener->poll.data = listener->pause.data = listener;
	uv_poll_start(&listener->poll, UV_READABLE, on_connection);
	listener->listens = true;
	log_info("Domains may be moved here%s: port %u.",
		 listener->wire == PEER_TLS ? " over TLS" : "", port);
}

void migrate_listen(void)
{
	if (settings->relocation_server)
		listen_at(&listeners[PEER_PLAIN], (unsigned int)settings->relocation_port);
	if (settings->relocation_ssl_server)
		listen_at(&listeners[PEER_TLS], (unsigned int)settings->relocation_ssl_port);
}

static void on_closed(uv_handle_t *handle)
{
	struct listener *listener = handle->data;

	close(listener->fd);
	listener->fd = -1;
}

void migrate_stop(void)
{
	for (size_t i = 0; i < LISTENERS; i++) {
		struct listener *listener = &listeners[i];

		if (listener->listens) {
			uv_close((uv_handle_t *)&listener->pause, NULL);
			uv_close((uv_handle_t *)&listener->poll, on_closed);
		}
		listener->listens = false;
	}
	peers_hang_up();
}
