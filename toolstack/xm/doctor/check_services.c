/* SPDX-License-Identifier: MIT */
/* The programs that must run, and those that may. */
#include "xm/doctor/doctor.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/str.h"
#include "protocol.h"
#include "xm/client/client.h"

/* Seconds in which xend must answer. Its loop never waits, so it answers in milliseconds. */
#define PATIENCE 5

/* Connects to a stream socket. Returns 0 or -errno. */
static int try_socket(const struct doctor *d, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char *below = doctor_path(d, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc = 0;

	if (strlen(below) >= sizeof(address.sun_path))
		rc = -ENAMETOOLONG;
	else
		strcpy(address.sun_path, below);
	if (rc == 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)))
		rc = -errno;
	if (fd >= 0)
		close(fd);
	free(below);
	return rc;
}

void doctor_check_xenstored(struct doctor *d)
{
	bool installed = doctor_exists(d, "/etc/init.d/xen") ||
			 doctor_exists(d, "/lib/systemd/system/xenstored.service");
	int rc = d->hypervisor ? try_socket(d, "/run/xenstored/socket") : 0;

	if (d->hypervisor && rc == 0)
		doctor_add(d, "xenstored", DOCTOR_OK, NULL, "it runs");
	else if (rc == -EACCES || rc == -EPERM)
		doctor_add(d, "xenstored", DOCTOR_OK, NULL, "only root can see whether it runs");
	else if (!installed)
		doctor_add(d, "xenstored", DOCTOR_FAULT, "apt-get install xen-utils-4.17",
			   "it is not installed; xend and guests' drivers talk through it");
	else if (rc)
		doctor_add(d, "xenstored", DOCTOR_FAULT, "service xen start",
			   "it does not run (%s)", strerror(-rc));
	else
		doctor_add(d, "xenstored", DOCTOR_OK, NULL, "it is installed");
}

/* Asks xend what it knows of the host. Returns 0, or -errno with a sentence. */
static int ask_xend(struct doctor *d, struct error **e)
{
	struct client *client;
	int rc = client_open(&client, e);

	if (rc)
		return rc;
	client_set_patience(client, PATIENCE);
	rc = client_call(client, XEND_M_HOST_INFO, NULL, NULL, NULL, &d->host, e);
	client_close(client);
	return rc;
}

/* Whether a pattern of file names below the root has a match; a link may lead anywhere. */
static bool matches(const struct doctor *d, const char *pattern)
{
	char *below = doctor_path(d, pattern);
	glob_t names;
	bool found = glob(below, 0, NULL, &names) == 0;

	globfree(&names);
	free(below);
	return found;
}

/* Whether the host starts the service, by systemd or by the links of System V. */
static bool is_enabled(const struct doctor *d, const char *service)
{
	char *unit = xasprintf("/etc/systemd/system/*.target.wants/%s.service", service);
	char *link = xasprintf("/etc/rc2.d/S??%s", service);
	bool enabled = matches(d, doctor_exists(d, "/run/systemd/system") ? unit : link);

	free(unit);
	free(link);
	return enabled;
}

/* Adds the advice to have the host start a service. */
static void advise_start(struct doctor *d, const char *topic, const char *service, const char *text)
{
	char *mend = doctor_exists(d, "/run/systemd/system") ?
			     xasprintf("systemctl enable --now %s", service) :
			     xasprintf("update-rc.d %s defaults", service);

	doctor_add(d, topic, DOCTOR_ADVICE, mend, "%s", text);
	free(mend);
}

void doctor_check_xend(struct doctor *d)
{
	struct error *e = NULL;
	int rc;

	if (!d->hypervisor) {
		doctor_add(d, "xend", DOCTOR_OK, NULL, "it starts under the hypervisor only");
		return;
	}
	rc = ask_xend(d, &e);
	if (rc == -ECONNREFUSED)
		doctor_add(d, "xend", DOCTOR_FAULT, "service xend start", "it does not run");
	else if (rc == -EAGAIN)
		doctor_add(d, "xend", DOCTOR_FAULT, "service xend restart",
			   "it runs, but has not answered for %d seconds; a restart touches no "
			   "guest",
			   PATIENCE);
	else if (rc == -EACCES)
		doctor_add(d, "xend", DOCTOR_FAULT, "sudo xm doctor", "only root may ask it");
	else if (rc)
		doctor_add(d, "xend", DOCTOR_FAULT, "service xend restart\nxm log -n 20", "%s",
			   error_text(e));
	else if (!is_enabled(d, "xend"))
		advise_start(d, "xend", "xend", "it runs, but does not start with the host");
	else
		doctor_add(d, "xend", DOCTOR_OK, NULL, "it runs");
	error_free(&e);
}

/* Whether systemd is kept from starting a service, by an administrator or by a package. */
static bool is_masked(const struct doctor *d, const char *service)
{
	static const char *const directories[] = { "/etc", "/lib", "/usr/lib" };
	bool masked = false;

	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]) && !masked; i++) {
		char *name = xasprintf("%s/systemd/system/%s.service", directories[i], service);
		char *path = doctor_path(d, name), target[16];
		ssize_t n = readlink(path, target, sizeof(target));

		masked = n == (ssize_t)strlen("/dev/null") &&
			 memcmp(target, "/dev/null", (size_t)n) == 0;
		free(path);
		free(name);
	}
	return masked;
}

void doctor_check_guests(struct doctor *d)
{
	bool systemd = doctor_exists(d, "/run/systemd/system");

	/* systemd makes a unit of Debian's script without anybody having enabled it. */
	if (doctor_exists(d, "/etc/init.d/xendomains") &&
	    (systemd ? !is_masked(d, "xendomains") : is_enabled(d, "xendomains")))
		doctor_add(d, "guests", DOCTOR_ADVICE,
			   systemd ? "systemctl mask xendomains.service" :
				     "update-rc.d xendomains disable",
			   "xendomains starts and ends the guests of /etc/xen/auto by xl, beside "
			   "xenolith-guests");
	else if (!is_enabled(d, "xenolith-guests"))
		advise_start(d, "guests", "xenolith-guests",
			     "nothing starts guests with the host, or ends them properly");
	else
		doctor_add(d, "guests", DOCTOR_OK, NULL,
			   "xenolith-guests starts and ends them with the host");
}

void doctor_check_libvirt(struct doctor *d)
{
	static const char driver[] =
		"/usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_libxl.so";

	if (!doctor_exists(d, "/usr/sbin/libvirtd"))
		doctor_add(d, "libvirt", DOCTOR_OK, NULL,
			   "it is not installed; virt-manager and virsh need it, xm does not");
	else if (!doctor_exists(d, driver))
		doctor_add(d, "libvirt", DOCTOR_ADVICE,
			   "apt-get install libvirt-daemon-driver-xen\nsystemctl restart libvirtd",
			   "its driver for Xen is missing, so it sees no guests");
	else
		doctor_add(d, "libvirt", DOCTOR_OK, NULL,
			   "it is installed, with its driver for "
			   "Xen");
}
