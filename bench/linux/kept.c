/* SPDX-License-Identifier: MIT */
/*
 * Prints how many KiB of the machine's memory belong to no domain and are not free: what the
 * hypervisor keeps for itself. Usage: kept MEBIBYTES-OF-THE-MACHINE, in Domain-0, as root.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define __XEN_TOOLS__ 1
#include <xen/xen.h>
#include <xen/sysctl.h>

/* The kernel's <xen/privcmd.h>: a hypercall with its arguments, and the device's one request for
 * it. */
struct privcmd_hypercall {
	uint64_t op;
	uint64_t arg[5];
};
#define IOCTL_PRIVCMD_HYPERCALL _IOC(_IOC_NONE, 'P', 0, sizeof(struct privcmd_hypercall))

#define MOST_DOMAINS 512

/* In locked memory: a hypercall's memory must not be away. */
static struct {
	struct xen_sysctl sysctl;
	struct xen_domctl_getdomaininfo domain[MOST_DOMAINS];
} * page;

static void die(const char *what)
{
	fprintf(stderr, "kept: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void sysctl(int fd, uint32_t cmd)
{
	struct privcmd_hypercall call = { .op = __HYPERVISOR_sysctl,
					  .arg = { (uint64_t)&page->sysctl } };

	page->sysctl.cmd = cmd;
	page->sysctl.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	if (ioctl(fd, IOCTL_PRIVCMD_HYPERCALL, &call) < 0)
		die("sysctl");
}

int main(int argc, char **argv)
{
	int fd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
	uint64_t kept;

	if (argc != 2 || fd < 0)
		die(argc == 2 ? "/dev/xen/privcmd" : "usage: kept MEBIBYTES");
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);
	if (page == MAP_FAILED)
		die("locked memory");
	sysctl(fd, XEN_SYSCTL_physinfo);
	kept = strtoull(argv[1], NULL, 0) * 256 - page->sysctl.u.physinfo.free_pages;
	memset(&page->sysctl, 0, sizeof(page->sysctl));
	page->sysctl.u.getdomaininfolist.max_domains = MOST_DOMAINS;
	set_xen_guest_handle(page->sysctl.u.getdomaininfolist.buffer, page->domain);
	sysctl(fd, XEN_SYSCTL_getdomaininfolist);
	for (uint32_t i = 0; i < page->sysctl.u.getdomaininfolist.num_domains; i++)
		kept -= page->domain[i].tot_pages;
	printf("%llu\n", (unsigned long long)kept * 4);
	return 0;
}
