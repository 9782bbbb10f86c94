/* SPDX-License-Identifier: MIT */
/*
 * The domains that xend knows: those that it made, managed ones that do not run, and those of other
 * toolstacks (xl).
 *
 * The truth about a domain is in the hypervisor, in xenstore and in its record (record.h). A struct
 * domain is a copy that can be rebuilt at any moment (recover.h).
 */
#ifndef XEND_DOMAIN_DOMAIN_H
#define XEND_DOMAIN_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <time.h>

#include "lib/error.h"
#include "hv/hv.h"
#include "lib/json.h"
#include "xend/runtime/task.h"

struct config;
struct console;
struct console_boot;
struct device;
struct move;

/*
 * The operation of xend on a domain, as its record says. A starting xend finds the records of a
 * killed one: HALTED, SUSPENDED and RUNNING are stable states; it finishes or undoes all others
 * (recover.c).
 */
enum domain_state {
	DOMAIN_HALTED,	  /* managed; it has no id */
	DOMAIN_SUSPENDED, /* managed; memory in a file */
	DOMAIN_BUILDING,  /* from before its creation until it runs */
	DOMAIN_RUNNING,
	DOMAIN_SAVING, /* being suspended and written to a file, or to another host */
	DOMAIN_DYING,  /* being destroyed */
	/* On its way to another host (docs/design/migration.md), suspended, here: */
	DOMAIN_HANDED_OVER, /* this host does not run it any more, unless the other one refuses */
	DOMAIN_COMPLETE,    /* it has come as a whole; it is the other host's still */
	DOMAIN_ARRIVED,	    /* it is this host's; the other one may have its disks still */
	DOMAIN_STATES
};

/*
 * The fate of a domain once it is destroyed. It stands in the record, in case xend is killed in
 * between.
 */
enum domain_goal {
	GOAL_REST,	/* halted if it is managed, forgotten otherwise */
	GOAL_RESTART,	/* it reboots */
	GOAL_SUSPENDED, /* its memory is in its file, complete */
	GOAL_MOVED,	/* another host has it, which must be told that this one has closed */
	DOMAIN_GOALS
};

struct domain {
	TAILQ_ENTRY(domain) link;
	unsigned int refs;
	bool gone;    /* no longer in the list; only references keep it */
	bool ours;    /* xend made it */
	bool managed; /* kept when it halts */
	enum domain_state state;
	enum domain_goal goal;
	int domid; /* -1: none */
	uint8_t uuid[16];
	char *name;
	/*
	 * A second name that nobody else may take. While its record gets a new one: that of before,
	 * which it may get back. While it comes from another host: the one that it will have. Else
	 * NULL.
	 */
	char *old_name;
	/*
	 * With the UUID, the MACs and what was attached since; NULL: another toolstack made the
	 * domain.
	 */
	struct config *config;
	time_t start_time; /* 0: not known */
	char *reason;	   /* why xend left it down */
	char *saving_to;   /* the file being written */
	/* It goes to another host, comes from one, or that one may hold a copy; else NULL. */
	struct move *move;
	bool shutdown_handled; /* a task already handles its shutdown */
	bool reboot_asked;     /* domain.reboot asked for it: no crash loop */
	bool with_host;	       /* it was suspended because the host stopped */
	/*
	 * xend has paused it for a moment, or has not let it run yet: whoever finds it paused lets
	 * it go on. Nobody else asked for this pause.
	 */
	bool held;
	/*
	 * xend gave up waiting for it to suspend, after it had taken the request: when it suspends
	 * at last, nobody wants that any more.
	 */
	bool suspends_late;
	/*
	 * Its kernel's notes lack SUSPEND_CANCEL: after a suspend it goes on as if it had been
	 * restored (resume.h).
	 */
	bool resumes_afresh;
	/* Its nodes in xenstore may still have the name, or a corpse's also the UUID, of before. */
	bool half_renamed;
	/*
	 * It serves devices, and did not answer: until then nobody waits for it, while it has that
	 * number (driver_domain.c).
	 */
	uint64_t silent_until;
	int silent_domid;
	bool record_owed; /* its record could not be written */
	/* Its record is from before the host booted, so the domid in it means nothing. */
	bool earlier_boot;
	uint64_t store_mfn, console_mfn;
	uint32_t store_port, console_port;
	struct console *console;
	struct console_boot *console_boot; /* while its bootloader has a terminal */
	TAILQ_HEAD(, device) devices;
	/* Each backend of its disks in xenstore is one of its devices (backend_watch.h). */
	bool backends_known;

	const char *operation; /* what holds its lock; NULL: unlocked */
	struct task *task;     /* the task that holds the lock; NULL: recovery does */
	struct cond changed;   /* woken by a new state, a shutdown, an unlock */
};

TAILQ_HEAD(domain_list, domain);
extern struct domain_list domains;

/* The hypervisor's handle, open as long as xend runs. */
extern struct hv *domain_hv;

#define UUID_TEXT 37
void uuid_to_text(const uint8_t uuid[16], char text[UUID_TEXT]);
bool uuid_from_text(const char *text, uint8_t uuid[16]);

/* Adds a new domain to the list, which holds a reference. */
struct domain *domain_add(const char *name, const uint8_t uuid[16]);
/* Removes it from the list. Tasks that wait for it wake up and find `gone` set. */
void domain_remove(struct domain *domain);
struct domain *domain_ref(struct domain *domain);
void domain_unref(struct domain *domain);

/*
 * A domain's number may belong to another domain: other tools destroy and create domains while xend
 * waits. So ask the hypervisor, which knows UUIDs, right before each step by number, and again
 * after each wait.
 *
 * No hypercall checks and acts at once. But numbers are handed out in turn, so one is reused only
 * after tens of thousands of domains, or when a tool asks for that very number.
 */
enum domain_number {
	NUMBER_OWN, /* the hypervisor has this domain (it may be dying) */
	/* No domain has it; xenstore nodes under it are left over from this domain. */
	NUMBER_FREE,
	/*
	 * Another domain has the number, or this one has none: nothing under the number is this
	 * domain's.
	 */
	NUMBER_OTHERS
};
/*
 * Fills info for NUMBER_OWN. An error means that the hypervisor did not answer; then *whose means
 * nothing.
 */
int domain_number(const struct domain *domain, enum domain_number *whose,
		  struct hv_domain_info *info, struct error **e);
/* Fills info for the domain itself. -ESRCH: it is gone; other errors as above. */
int domain_info(const struct domain *domain, struct hv_domain_info *info, struct error **e);
/*
 * Whether xend may change what stands under the domain's number: the number is its own, or
 * nobody's. False, too, if the hypervisor does not answer.
 */
bool domain_may_touch(const struct domain *domain);
/* The listed domain with the number and the UUID in info; NULL. */
struct domain *domain_of(const struct hv_domain_info *info);
/*
 * The entry of that number, or of the domain itself, in the hypervisor's list, which is in the
 * order of numbers; NULL.
 */
const struct hv_domain_info *domain_find_number(int domid, const struct hv_domain_info *list,
						size_t count);
const struct hv_domain_info *domain_find_info(const struct domain *domain,
					      const struct hv_domain_info *list, size_t count);

/* Also by the name that it may get back while it is renamed. */
struct domain *domain_by_name(const char *name);
struct domain *domain_by_id(int domid);
struct domain *domain_by_uuid(const uint8_t uuid[16]);
/*
 * Finds a domain by what a request says: id, name, UUID, or the name as tables show it, in this
 * order. Gives the caller a reference. -ESRCH or -EINVAL, with the sentence that xm prints.
 */
int domain_lookup(struct json_object *which, struct domain **out, struct error **e);

/*
 * Locks the domain for the calling task; waits while another task has it. -ESRCH: the domain is
 * gone; -EBUSY after 10 minutes; -ECANCELED. domain_lock_now never waits: -EBUSY at once.
 */
int domain_lock(struct domain *domain, const char *operation, struct error **e);
int domain_lock_now(struct domain *domain, const char *operation);
void domain_unlock(struct domain *domain);

void domain_set_state(struct domain *domain, enum domain_state state);
void domain_set_reason(struct domain *domain, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Updates the list from the hypervisor: domains of other toolstacks appear and disappear, and
 * lifecycle_observe sees each of ours. Called before each use of the list.
 */
void domains_refresh(void);
/*
 * Before a domain of ours starts: -EEXIST if another domain runs under its UUID, or one of another
 * toolstack under its name. xenstore and other tools could not tell them apart.
 */
int domain_check_alone(const struct domain *domain, struct error **e);

#endif
