/* SPDX-License-Identifier: MIT */
/* A ring of bytes, and a list of clients that all get what is added to it. */
#include "xend/console/console_viewers.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "lib/alloc.h"
#include "xend/server/client.h"

#define SCROLLBACK (64 * 1024)

struct viewer {
	TAILQ_ENTRY(viewer) link;
	struct viewers *viewers;
	struct client *client;
};

struct viewers {
	TAILQ_HEAD(, viewer) list;
	void (*type)(void *arg, const char *bytes, size_t length);
	void *arg;
	size_t scrolled; /* all bytes that ever went through the scroll-back */
	char scrollback[SCROLLBACK];
};

struct viewers *viewers_make(void)
{
	struct viewers *viewers = xmalloc(sizeof(*viewers));

	TAILQ_INIT(&viewers->list);
	viewers->type = NULL;
	viewers->arg = NULL;
	viewers->scrolled = 0;
	return viewers;
}

void viewers_connect(struct viewers *viewers,
		     void (*type)(void *arg, const char *bytes, size_t length), void *arg)
{
	viewers->type = type;
	viewers->arg = arg;
}

void viewers_show(struct viewers *viewers, const char *bytes, size_t length)
{
	struct viewer *viewer, *next;

	for (size_t i = 0; i < length; i++)
		viewers->scrollback[(viewers->scrolled + i) % SCROLLBACK] = bytes[i];
	viewers->scrolled += length;
	/*
	 * client_send_bytes disconnects a viewer that does not read, which removes it from the
	 * list.
	 */
	for (viewer = TAILQ_FIRST(&viewers->list); viewer; viewer = next) {
		next = TAILQ_NEXT(viewer, link);
		client_send_bytes(viewer->client, bytes, length);
	}
}

static void on_bytes(void *arg, const void *bytes, size_t length)
{
	struct viewers *viewers = ((struct viewer *)arg)->viewers;

	if (viewers->type)
		viewers->type(viewers->arg, bytes, length);
}

static void on_gone(void *arg)
{
	struct viewer *viewer = arg;

	TAILQ_REMOVE(&viewer->viewers->list, viewer, link);
	client_unref(viewer->client);
	free(viewer);
}

static void send_scrollback(const struct viewers *viewers, struct client *client)
{
	size_t end = viewers->scrolled % SCROLLBACK;

	if (viewers->scrolled > SCROLLBACK)
		client_send_bytes(client, viewers->scrollback + end, SCROLLBACK - end);
	client_send_bytes(client, viewers->scrollback,
			  viewers->scrolled == SCROLLBACK ? SCROLLBACK : end);
}

void viewers_add(struct viewers *viewers, struct client *client, bool scrollback)
{
	struct viewer *viewer;

	if (scrollback)
		send_scrollback(viewers, client);
	if (!client_is_connected(client))
		return;
	viewer = xcalloc(1, sizeof(*viewer));
	viewer->viewers = viewers;
	viewer->client = client_ref(client);
	TAILQ_INSERT_TAIL(&viewers->list, viewer, link);
	client_become_raw(client, on_bytes, on_gone, viewer);
}

void viewers_free(struct viewers *viewers)
{
	struct viewer *viewer;

	while (viewers && (viewer = TAILQ_FIRST(&viewers->list))) {
		struct client *client = client_ref(viewer->client);

		on_gone(viewer);
		client_hang_up(client);
		client_unref(client);
	}
	free(viewers);
}
