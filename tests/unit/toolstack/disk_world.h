/* SPDX-License-Identifier: MIT */
/*
 * A host for tests that attach and detach disks. It has two guests. What decides is real, and so
 * are the files that are the disks; xenstore (fake_store.h), the kernel's backends, scripts, driver
 * domains, the clock and everything that waits are fakes, which do as `world` says.
 */
#ifndef DISK_WORLD_H
#define DISK_WORLD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/sysmacros.h>

#include <xen/io/xenbus.h>

#include "config/config.h"
#include "fake_store.h"
#include "lib/json.h"
#include "protocol.h"
#include "unit.h"
#include "xend/device/device.h"
#include "xend/domain/domain.h"

#define FIRST  11
#define SECOND 12
#define BACK   "/local/domain/0/backend/vbd/"
#define XVDA   51712
/* Nobody has that one, so asking the kernel about it tells nothing. */
#define LOOP makedev(7, 99999)
/* The disk xvda of the first guest, which the second one serves. */
#define SERVED "/local/domain/12/backend/vbd/11/51712"

/* One backend in the kernel. */
struct backend {
	int domid;
	unsigned int devid;
	bool there, leaving; /* leaving: it is off its bus, but its driver still works on it */
};
/* How a driver lets go: at once; never, because it does not start to; or not while it waits for
 * I/O; or it reports the disk closed, but has it still.
 */
enum stuck { LETS_GO, STAYS, WAITS, CLOSES };

struct disk_world {
	uint64_t now;
	enum stuck stuck;
	uint64_t lets_go_at;	 /* 0: never */
	void (*task)(void *arg); /* the last one that was started */
	bool deaf;		 /* drivers bind, but report nothing */
	bool connects_late;	 /* a driver puts "connected" over the first order to close */
	uint32_t guest_port;	 /* the guest's end of its disk; 0: none */
	uint64_t port_closes_at; /* 0: never */
	bool cancelled;		 /* the task */
	bool disk_full;
	int dies_when_detached; /* the guest that ends then; 0: none */
	bool no_recovery;
	bool has_loop; /* loop devices get the number LOOP */
	struct backend backends[8];
	bool dead[SECOND + 1];
	char record[1024]; /* the domain's devices */
	/* UNBOUND: its kernel has no driver at the disk, and closes nothing; its toolstack works.
	 * AT_WORK: its script takes three seconds; until then it does not undo what it began. */
	enum { SILENT, SERVES, REFUSES, FINDS_NOTHING, DIES, AT_WORK, UNBOUND } driver;
	bool driver_undid;
	struct {
		const char *number, *path; /* what it writes */
		bool fails;
		unsigned int busy;	 /* as often "remove" fails */
		void (*meanwhile)(void); /* is called while it runs */
		char log[200]; /* its actions and their words; "!": the guest has a node */
	} script;
	struct json_object *params;
	struct domain *asked;
};

extern struct disk_world world;
extern struct domain *first, *second;
/* Paths of two files. */
extern char disk_a[], disk_b[];

/* Before and after each test. */
int begin(void **state);
int end(void **state);
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
/* Makes the files, calls run() and removes them. For main(). */
int disk_world_run(int (*run)(void));

/* The drivers look at xenstore; each wait does so, too. */
void step(void);
struct json_object *disk(const char *path, const char *vdev, const char *mode);
/* Makes a request and compares the error with `words`; NULL: the request must succeed. */
void ask(const char *method, struct domain *domain, struct json_object *config, const char *device,
	 const char *words);
/* Attaches a file for writing. */
void attach(struct domain *domain, const char *path, const char *vdev, const char *words);
/* Fails the test if xenstore or the kernel has anything of the domain's devices. */
void nothing_is_left_of(int domid);

#endif
