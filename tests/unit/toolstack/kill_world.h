/* SPDX-License-Identifier: MIT */
/*
 * A world in which xend can be killed: what would survive it is in memory that all xends of a test
 * share. Each xend is a process of its own. The hypervisor, the records, xenstore and devices are
 * fakes; a step is whatever changes one of them.
 */
#ifndef KILL_WORLD_H
#define KILL_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "xend/domain/domain.h"
#include "unit.h"

#define NEVER	    (-1)
#define MAX_GUESTS  8
#define MAX_RECORDS 4
#define OWN_CAP	    80 /* of a guest that moves while it runs */
#define FIRST	    1  /* the number of the guest that a scenario begins with */

/* What the hypervisor has. */
struct machine {
	bool exists, paused, shut_down, has_vcpus, has_devices, ran;
	bool logged;	   /* what it writes, by a worker */
	unsigned int cap;  /* as if OWN_CAP were none */
	unsigned int port; /* of its console */
	unsigned int reason;
	uint8_t uuid[16];
	uint8_t known_as[16]; /* in xenstore */
};

/* What is on the disk. */
struct record {
	bool exists, managed, held, suspends_late, resumes_afresh, half_renamed, has_devices;
	unsigned int port;
	uint8_t uuid[16];
	char name[32], config_name[32], saving_to[64];
	char move[512]; /* as JSON; empty: none */
	enum domain_state state;
	enum domain_goal goal;
	int domid;
	unsigned int on_crash;
};

struct world {
	int step, kill_at;
	bool answered; /* the operation ended, and its client was told */
	bool ran_from_image;
	int next_domid;
	bool lost; /* a device went from the record of a guest that nobody took it from */
	bool lent; /* Domain-0 gave memory for a domain that is being made */
	/* Whether tasks may wait for the next try; time passes only in that. */
	bool patient;
	uint64_t clock;
	struct machine guests[MAX_GUESTS];
	struct record records[MAX_RECORDS];
};

extern struct world *world;
/* The path of a domain's saved memory. */
extern char kill_world_image[64];

bool kill_world_make(void);
/* NULL: there is no guest of that number. */
struct machine *guest_of(uint32_t domid);
/* Its record, or one that is free. */
struct record *record_of(const uint8_t uuid[16]);
/* Comes before each change of the world, and ends the process at the chosen one. */
void kill_world_step(void);
/* Runs the tasks that were started. */
void run_tasks(void);

#endif
