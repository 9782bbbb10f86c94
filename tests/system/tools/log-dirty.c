/* SPDX-License-Identifier: MIT */
/*
 * What a tool that migrates a guest does to its log of dirty pages, without a migration.
 *
 *	log-dirty torment DOMID SECONDS	turns it on and off, asks for rounds, with pools of all
 *sizes, until the domain is gone or the time is over; says how often log-dirty on|off DOMID
 *	log-dirty clean DOMID TIMES	rounds; the fewest ticks of the TSC that one took
 *	log-dirty pool DOMID		bytes of the mirrors' pool
 * In a guest, what it pays (ticks of the TSC, which are instructions where the emulator counts):
 *	log-dirty fork TIMES		a process that ends at once, the mean
 *	log-dirty touch PAGES TIMES	the first write to each of the pages, the mean, each second
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define __XEN_TOOLS__
#include <xen/xen.h>
#include <xen/domctl.h>

struct hypercall {
	uint64_t op, arg[5];
};
#define HYPERCALL _IOC(_IOC_NONE, 'P', 0, sizeof(struct hypercall))

#define PAGES_MAX (1UL << 20)

static unsigned char bitmap[PAGES_MAX / 8] __attribute__((aligned(4096)));
static struct xen_domctl op __attribute__((aligned(4096)));
static uint32_t domid;

static uint64_t ticks(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}

/* The result, or -errno. */
static long domctl(uint32_t command)
{
	static int fd;
	struct hypercall call = { __HYPERVISOR_domctl, { (uintptr_t)&op } };
	long rc;

	if (!fd)
		fd = open("/dev/xen/privcmd", O_RDWR);
	op.cmd = command;
	op.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op.domain = (domid_t)domid;
	rc = ioctl(fd, HYPERCALL, &call);
	return rc < 0 ? -errno : rc;
}

static unsigned long domain_pages(void)
{
	memset(&op, 0, sizeof(op));
	return domctl(XEN_DOMCTL_getdomaininfo) || op.domain != domid ?
		       0 :
		       (unsigned long)op.u.getdomaininfo.max_pages;
}

static long shadow(uint32_t what, uint32_t mode, unsigned long pages)
{
	memset(&op, 0, sizeof(op));
	op.u.shadow_op.op = what;
	op.u.shadow_op.mode = mode;
	op.u.shadow_op.pages = pages;
	if (pages)
		set_xen_guest_handle(op.u.shadow_op.dirty_bitmap, bitmap);
	return domctl(XEN_DOMCTL_shadow_op);
}

static int torment(unsigned int seconds)
{
	time_t end = time(NULL) + seconds;
	unsigned long rounds = 0, turns = 0, refused = 0, pages;

	srand(1);
	while ((pages = domain_pages()) != 0 && time(NULL) < end) {
		if (pages > PAGES_MAX)
			pages = PAGES_MAX;
		/* 0: what the hypervisor finds right; else hardly enough, or plenty. */
		memset(&op, 0, sizeof(op));
		op.u.paging_mempool.size = rand() % 3 ? (uint64_t)(rand() % 300) << 12 : 0;
		domctl(XEN_DOMCTL_set_paging_mempool_size);
		if (shadow(XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY, 0, 0)) {
			refused++;
			shadow(XEN_DOMCTL_SHADOW_OP_OFF, 0, 0);
			usleep(1000);
			continue;
		}
		turns++;
		for (int n = rand() % 40; n > 0; n--) {
			unsigned int mode = rand() % 4 ? 0 : XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL;

			rounds += shadow(rand() % 4 ? XEN_DOMCTL_SHADOW_OP_CLEAN :
						      XEN_DOMCTL_SHADOW_OP_PEEK,
					 mode, 1 + (unsigned long)rand() % pages) == 0;
			usleep((unsigned int)(rand() % 3000));
		}
		shadow(XEN_DOMCTL_SHADOW_OP_OFF, 0, 0);
	}
	printf("turned on %lu times, %lu rounds, refused %lu times\n", turns, rounds, refused);
	return 0;
}

static int clean(unsigned int times)
{
	unsigned long pages = domain_pages();
	uint64_t best = UINT64_MAX;
	long rc = pages ? 0 : -ESRCH;

	while (rc == 0 && times--) {
		uint64_t start = ticks();

		rc = shadow(XEN_DOMCTL_SHADOW_OP_CLEAN, 0, pages);
		if (ticks() - start < best)
			best = ticks() - start;
	}
	printf("%ld %lu ticks, %u dirty\n", rc, best, op.u.shadow_op.stats.dirty_count);
	return rc != 0;
}

static int pool(void)
{
	memset(&op, 0, sizeof(op));
	if (domctl(XEN_DOMCTL_get_paging_mempool_size))
		return 1;
	printf("%lu\n", (unsigned long)op.u.paging_mempool.size);
	return 0;
}

static int fork_often(unsigned int times)
{
	uint64_t start = ticks();

	for (unsigned int i = 0; i < times; i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		if (child < 0 || waitpid(child, NULL, 0) != child)
			return 1;
	}
	printf("%lu\n", (ticks() - start) / times);
	return 0;
}

static int touch(unsigned int pages, unsigned int times)
{
	volatile char *at = mmap(NULL, pages * 4096UL, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	madvise((void *)at, pages * 4096UL, MADV_NOHUGEPAGE);
	while (times--) {
		uint64_t start;

		sleep(1);
		start = ticks();
		for (unsigned long i = 0; i < pages; i++)
			at[i * 4096]++;
		printf("%lu\n", (ticks() - start) / pages);
		fflush(stdout);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	unsigned int first = argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 10) : 0;
	unsigned int second = argc > 3 ? (unsigned int)strtoul(argv[3], NULL, 10) : 1;

	domid = first;
	if (strcmp(what, "fork") == 0)
		return fork_often(first ? first : 1);
	if (strcmp(what, "touch") == 0)
		return touch(first, second);
	/* What the hypervisor reads and writes must not be elsewhere. */
	memset(bitmap, 0xff, sizeof(bitmap));
	if (mlockall(MCL_CURRENT))
		perror("log-dirty: mlockall");
	if (strcmp(what, "torment") == 0)
		return torment(second);
	if (strcmp(what, "on") == 0)
		return shadow(XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY, 0, 0) != 0;
	if (strcmp(what, "off") == 0)
		return shadow(XEN_DOMCTL_SHADOW_OP_OFF, 0, 0) != 0;
	if (strcmp(what, "clean") == 0)
		return clean(second);
	if (strcmp(what, "pool") == 0)
		return pool();
	fprintf(stderr, "log-dirty: what shall it do?\n");
	return 2;
}
