/* SPDX-License-Identifier: MIT */
/* Connects interfaces to bridges by ioctl (netdevice(7), linux/sockios.h). None of them waits. */
#include "xend/device/bridge.h"

#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "lib/alloc.h"
#include "lib/str.h"

static bool is_bridge(const char *name)
{
	char path[64 + IFNAMSIZ];

	if (!*name || strlen(name) >= IFNAMSIZ || strchr(name, '/') || name[0] == '.')
		return false;
	snprintf(path, sizeof(path), "/sys/class/net/%s/bridge", name);
	return access(path, F_OK) == 0;
}

char *bridge_find(const char *name)
{
	static const char prefix[] = "xenbr";
	char other[IFNAMSIZ + 4];

	if (is_bridge(name))
		return xstrdup(name);
	if (!str_starts(name, prefix) || bridge_interface_exists(name) || strlen(name) >= IFNAMSIZ)
		return NULL;
	snprintf(other, sizeof(other), "eth%s", name + strlen(prefix));
	return is_bridge(other) ? xstrdup(other) : NULL;
}

bool bridge_interface_exists(const char *name)
{
	return if_nametoindex(name) != 0;
}

static void name_request(struct ifreq *request, const char *name)
{
	memset(request, 0, sizeof(*request));
	snprintf(request->ifr_name, sizeof(request->ifr_name), "%s", name);
}

static int set_flags(int fd, const char *interface, short set, short clear)
{
	struct ifreq request;

	name_request(&request, interface);
	if (ioctl(fd, SIOCGIFFLAGS, &request))
		return -errno;
	request.ifr_flags = (short)((request.ifr_flags | set) & ~clear);
	return ioctl(fd, SIOCSIFFLAGS, &request) ? -errno : 0;
}

static int set_address(int fd, const char *interface)
{
	static const unsigned char address[] = { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff };
	struct ifreq request;

	name_request(&request, interface);
	request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(request.ifr_hwaddr.sa_data, address, sizeof(address));
	return ioctl(fd, SIOCSIFHWADDR, &request) ? -errno : 0;
}

static int rename_to(int fd, const char *interface, const char *name)
{
	struct ifreq request;

	name_request(&request, interface);
	snprintf(request.ifr_newname, sizeof(request.ifr_newname), "%s", name);
	return ioctl(fd, SIOCSIFNAME, &request) ? -errno : 0;
}

static int set_mtu(int fd, const char *bridge, const char *interface, uint64_t *mtu)
{
	struct ifreq request;

	if (!*mtu) {
		name_request(&request, bridge);
		if (ioctl(fd, SIOCGIFMTU, &request))
			return -errno;
		*mtu = (uint64_t)request.ifr_mtu;
	}
	name_request(&request, interface);
	request.ifr_mtu = (int)*mtu;
	return ioctl(fd, SIOCSIFMTU, &request) ? -errno : 0;
}

static int add_to_bridge(int fd, const char *bridge, const char *interface)
{
	struct ifreq request;

	name_request(&request, bridge);
	request.ifr_ifindex = (int)if_nametoindex(interface);
	return ioctl(fd, SIOCBRADDIF, &request) ? -errno : 0;
}

int bridge_connect(const char *bridge, const char *interface, const char *rename, uint64_t *mtu,
		   struct error **e)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;
	const char *name = rename ? rename : interface;

	if (fd < 0)
		return error_set(e, errno, "Cannot connect %s to the bridge %s: no socket: %s.",
				 interface, bridge, strerror(errno));
	rc = set_flags(fd, interface, 0, IFF_UP);
	if (rc == 0)
		rc = set_address(fd, interface);
	if (rc) {
		error_set(e, rc, "Cannot set the interface %s up: %s.", interface, strerror(-rc));
		goto out;
	}
	rc = rename ? rename_to(fd, interface, rename) : 0;
	if (rc) {
		error_set(e, rc, "Cannot rename the interface %s to %s: %s.", interface, rename,
			  strerror(-rc));
		goto out;
	}
	rc = set_mtu(fd, bridge, name, mtu);
	if (rc) {
		error_set(e, rc, "Cannot give the interface %s packets of %llu bytes: %s.", name,
			  (unsigned long long)*mtu, strerror(-rc));
		goto out;
	}
	rc = add_to_bridge(fd, bridge, name);
	if (rc == 0)
		rc = set_flags(fd, name, IFF_UP, 0);
	if (rc)
		error_set(e, rc, "Cannot put the interface %s on the bridge %s: %s.", name, bridge,
			  strerror(-rc));
out:
	close(fd);
	return rc;
}
