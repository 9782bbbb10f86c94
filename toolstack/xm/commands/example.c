/* SPDX-License-Identifier: MIT */
/*
 * `xm create --example`: a guest that starts wherever Domain-0 is a Debian, with nothing to fetch
 * and no disk: Domain-0's own kernel with its own initrd, which stops before it looks for a root
 * file system and gives a shell (initramfs-tools(7), "break").
 */
#include "xm/commands/example.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/file.h"
#include "xm/default_bridge.h"

#define DIRECTORY    "/etc/xen"
#define DEFAULT_NAME "example"

struct example {
	const char *name;
	char *path, *kernel, *ramdisk;
};

/* Returns an enum xm_status. A name that is a path is the file's, and its last part the guest's. */
static int choose_names(const struct xm_args *args, struct example *e)
{
	const char *word = args->count ? args->operands[0] : DEFAULT_NAME;
	struct utsname host;

	if (args->count > 1)
		return xm_usage_error(args->command, "--example takes one name");
	e->name = strrchr(word, '/') ? strrchr(word, '/') + 1 : word;
	if (!e->name[strspn(e->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789_.-")] &&
	    e->name[0] && e->name[0] != '.' && e->name[0] != '-') {
		uname(&host);
		e->path = xasprintf("%s%s", strchr(word, '/') ? "" : DIRECTORY "/", word);
		e->kernel = xasprintf("/boot/vmlinuz-%s", host.release);
		e->ramdisk = xasprintf("/boot/initrd.img-%s", host.release);
		return XM_OK;
	}
	return xm_usage_error(args->command,
			      "an example's name has letters, digits and _.- only, not '%s'", word);
}

static int find_kernel(const struct example *e)
{
	if (access(e->kernel, R_OK) || access(e->ramdisk, R_OK))
		return xm_fail(
			"The example starts this host's own kernel, and there is no %s: %s. Write "
			"a file by hand: see xm.cfg(5).",
			access(e->kernel, R_OK) ? e->kernel : e->ramdisk, strerror(errno));
	return XM_OK;
}

static void describe(const struct example *e, struct str *text)
{
	char *bridge = default_bridge_name(""),
	     *directory = xasprintf("/sys/class/net/%s/bridge", bridge);
	bool exists = access(directory, F_OK) == 0;

	str_printf(text,
		   "# A first guest, written by `xm create --example': this host's own kernel, "
		   "with a shell in\n"
		   "# its RAM disk. It needs no disk. xm.cfg(5) has all keys.\n"
		   "name    = \"%s\"\n"
		   "kernel  = \"%s\"\n"
		   "ramdisk = \"%s\"\n"
		   "extra   = \"console=hvc0 break=premount\"\n"
		   "memory  = 512\n"
		   "vcpus   = 1\n",
		   e->name, e->kernel, e->ramdisk);
	if (exists)
		str_printf(text, "vif     = [ \"bridge=%s\" ]\n", bridge);
	else
		str_printf(text,
			   "# There was no bridge %s; `xm network-setup' makes it.\n"
			   "# vif   = [ \"bridge=%s\" ]\n",
			   bridge, bridge);
	free(directory);
	free(bridge);
}

/* Never over a file that is there. */
static int write_new(const struct example *e, const struct str *text)
{
	int fd = open(e->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	struct error *error = NULL;
	int status = XM_OK;

	if (fd < 0 && errno == EEXIST)
		return xm_fail("%s exists, and stays as it is. `xm create --example NAME' takes "
			       "another name.",
			       e->path);
	if (fd < 0)
		return xm_fail("Cannot write %s: %s.", e->path, strerror(errno));
	if (file_write_fd(fd, e->path, str_text(text), text->len, &error)) {
		status = xm_fail("%s", error_text(error));
		unlink(e->path);
	}
	close(fd);
	error_free(&error);
	return status;
}

static void say_next(const struct example *e, const char *file)
{
	int width = (int)strlen("xm create -c ") + (int)strlen(file);

	printf("Wrote %s. Next:\n", e->path);
	printf("  xm create -c %s   start it; its shell comes after some seconds, Ctrl-] leaves "
	       "it\n",
	       file);
	printf("  %-*s   see it run\n", width, "xm list");
	printf("  xm destroy %-*s   end it\n", width - (int)strlen("xm destroy "), e->name);
}

int example_write(const struct xm_args *args)
{
	struct example e = { 0 };
	struct str text = STR_INIT;
	int status = choose_names(args, &e);

	if (status == XM_OK)
		status = find_kernel(&e);
	if (status == XM_OK) {
		describe(&e, &text);
		status = write_new(&e, &text);
	}
	if (status == XM_OK)
		say_next(&e, args->count ? args->operands[0] : e.name);
	str_free(&text);
	free(e.path);
	free(e.kernel);
	free(e.ramdisk);
	return status;
}
