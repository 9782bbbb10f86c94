/* SPDX-License-Identifier: MIT */
/* The rules for sharing a disk, as pure functions over chains (disk_graph.h) and uses. */
#include "xend/device/disk_claims.h"

#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"

struct disk_use *disk_use_add(struct disk_use_list *list, enum disk_user user,
			      enum disk_access access)
{
	struct disk_use *use;

	list->uses = xreallocarray(list->uses, list->nr + 1, sizeof(*list->uses));
	use = &list->uses[list->nr++];
	*use = (struct disk_use){ .user = user, .access = access };
	return use;
}

void disk_use_list_cut(struct disk_use_list *list, size_t nr)
{
	while (list->nr > nr) {
		struct disk_use *use = &list->uses[--list->nr];

		disk_chain_free(&use->chain);
		free(use->who);
		free(use->what);
		free(use->vdev);
	}
}

void disk_use_list_free(struct disk_use_list *list)
{
	disk_use_list_cut(list, 0);
	free(list->uses);
	*list = (struct disk_use_list){ NULL, 0 };
}

bool disk_access_conflicts(enum disk_access mine, enum disk_access other)
{
	switch (mine) {
	case DISK_SHARES:
		return false;
	case DISK_READS:
		return other == DISK_WRITES;
	default:
		return true;
	}
}

static bool is_guest(const struct disk_use *use)
{
	return use->user == DISK_USER_GUEST || use->user == DISK_USER_SUSPENDED ||
	       use->user == DISK_USER_GONE;
}

bool disk_use_touches(const struct disk_chain *mine, const struct disk_use *use)
{
	const struct disk_link *theirs = use->chain.links, *shared, *device;

	if (!mine->nr || !use->chain.nr)
		return false;
	shared = disk_chain_find_node(mine, theirs->node);
	if (is_guest(use))
		return shared || disk_chain_find_node(&use->chain, mine->links->node);
	device = disk_chain_find_device(mine, theirs->device);
	/* `mine` lies on that volume or loop device, which is there to be used. */
	if ((use->user == DISK_USER_HOLDER || use->user == DISK_USER_LOOP) && device)
		return false;
	if (disk_chain_find_node(&use->chain, mine->links->node))
		return true;
	/*
	 * A file in a mounted file system is reached through the mount. Any other use bypasses the
	 * mount.
	 */
	return shared && !(device && device->below_files);
}

/* Whether a guest or a mount uses that loop device. Then their access counts instead of its own. */
static bool is_explained(const struct disk_use *loop, const struct disk_use_list *list)
{
	const struct disk_link *link = loop->chain.links;

	for (size_t i = 0; i < list->nr; i++) {
		const struct disk_use *use = &list->uses[i];

		if (use == loop || use->user == DISK_USER_LOOP)
			continue;
		if (disk_chain_find_device(&use->chain, link->device) ||
		    (use->makes_loop && disk_chain_find_node(&use->chain, link->node)))
			return true;
	}
	return false;
}

const struct disk_use *disk_use_conflict(const struct disk_chain *mine, enum disk_access access,
					 const struct disk_use_list *list)
{
	for (size_t i = 0; i < list->nr; i++) {
		const struct disk_use *use = &list->uses[i];

		if (use->exempt || !disk_access_conflicts(access, use->access) ||
		    !disk_use_touches(mine, use))
			continue;
		if (use->user != DISK_USER_LOOP || !is_explained(use, list))
			return use;
	}
	return NULL;
}

bool disk_use_explains_writer(const struct disk_chain *mine, const struct disk_use_list *list)
{
	for (size_t i = 0; i < list->nr; i++)
		if (list->uses[i].access != DISK_READS && disk_use_touches(mine, &list->uses[i]))
			return true;
	return false;
}

/* --- words --- */

/*
 * The used thing as seen from `mine`: "it", "/dev/a1, which lies on it" or "/dev/a, on which it
 * lies".
 */
static char *describe_thing(const struct disk_chain *mine, const struct disk_use *use)
{
	const char *what = use->what ? use->what : "another disk";

	if (disk_node_equal(mine->links->node, use->chain.links->node))
		return xstrdup("it");
	if (disk_chain_find_node(&use->chain, mine->links->node))
		return xasprintf("%s, which lies on it", what);
	return xasprintf("%s, on which it lies", what);
}

char *disk_use_describe(const struct disk_chain *mine, const struct disk_use *use)
{
	const char *verb = use->access == DISK_READS ? "reads" : "writes";
	char *thing = describe_thing(mine, use), *text = NULL;

	switch (use->user) {
	case DISK_USER_GUEST:
		text = xasprintf(
			"domain '%s' %s %s%s%s%s. Shut that domain down or detach the disk there.",
			use->who, verb, thing, use->vdev ? " (as " : "", use->vdev ? use->vdev : "",
			use->vdev ? ")" : "");
		break;
	case DISK_USER_SUSPENDED:
		text = xasprintf("domain '%s' is suspended and relies on %s. Resume or delete that "
				 "domain first.",
				 use->who, thing);
		break;
	case DISK_USER_GONE:
		text = xasprintf("domain '%s' is gone, but the backend driver in Domain-0 has not "
				 "let go of %s. Try again "
				 "when its input and output are through.",
				 use->who, thing);
		break;
	case DISK_USER_MOUNT:
		text = xasprintf("Domain-0 has mounted %s on %s%s. Unmount that first.", thing,
				 use->who, use->access == DISK_READS ? " (to read)" : "");
		break;
	case DISK_USER_SWAP:
		text = xasprintf("Domain-0 swaps to %s (%s). Use swapoff first.", thing, use->who);
		break;
	case DISK_USER_HOLDER:
		text = xasprintf(
			"Domain-0 has made the volume %s of it. Deactivate the volume first.",
			use->who);
		break;
	case DISK_USER_LOOP:
		text = xasprintf(
			"Domain-0 has the loop device %s over it. Detach it (losetup -d) first.",
			use->who);
		break;
	}
	free(thing);
	return text;
}
