/* SPDX-License-Identifier: MIT */
/*
 * The domains that xend knows: those it made, the managed ones that do not run, and what others
 * (xl) have made.
 *
 * What a domain is lies in the hypervisor, in xenstore and in its record (record.h); a struct
 * domain is a copy that can be made anew at any moment (recover.h).
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
struct device;

/*
 * What xend is doing to a domain, as its record says. A xend that starts finds the record of one
 * that was killed: RUNNING, HALTED and SUSPENDED are at rest, all others are taken back
 * (recover.c).
 */
enum domain_state {
	DOMAIN_HALTED,	  /* managed; it has no id */
	DOMAIN_SUSPENDED, /* managed; its memory is in a file */
	DOMAIN_BUILDING,  /* from before it is created to its first instruction */
	DOMAIN_RUNNING,
	DOMAIN_SAVING, /* asked to suspend, its memory is being written */
	DOMAIN_DYING,  /* being taken apart */
	DOMAIN_STATES
};

/* What shall become of a domain once it is taken apart; in its record, for a xend that is killed in
 * between. */
enum domain_goal {
	GOAL_REST,	/* halted if it is managed, forgotten otherwise */
	GOAL_RESTART,	/* it reboots */
	GOAL_SUSPENDED, /* its memory is in its file, whole */
	DOMAIN_GOALS
};

struct domain {
	TAILQ_ENTRY(domain) link;
	unsigned int refs;
	bool gone;    /* no longer in the list: only references keep it */
	bool ours;    /* xend made it */
	bool managed; /* its record stays when it halts */
	enum domain_state state;
	enum domain_goal goal;
	int domid; /* -1: none */
	uint8_t uuid[16];
	char *name;
	struct config *config; /* with its uuid and MACs, and what was attached since; NULL: others
				  made it */
	time_t start_time;     /* 0: not known */
	char *reason;	       /* why it was left down */
	char *saving_to;       /* the file that is being written */
	bool shutdown_handled; /* somebody acts upon its shutdown */
	bool reboot_asked;     /* domain.reboot came from us: it is no crash loop */
	bool stop_handled;     /* on_xend_stop was done for it */
	bool earlier_boot; /* its record is from before the host booted: whatever number that names
			      is not its */
	uint64_t store_mfn, console_mfn;
	uint32_t store_port, console_port;
	struct console *console;
	TAILQ_HEAD(, device) devices;

	const char *operation; /* NULL: nobody works on it */
	struct task *worker;   /* who does */
	struct cond changed;   /* its state, its shutdown, the end of an operation */
};

TAILQ_HEAD(domain_list, domain);
extern struct domain_list domains;

/* The hypervisor, open for as long as xend runs. */
extern struct hv *domain_hv;

#define UUID_TEXT 37
void uuid_to_text(const uint8_t uuid[16], char text[UUID_TEXT]);
bool uuid_from_text(const char *text, uint8_t uuid[16]);

/* Puts a new one in the list, with a reference of the list's. */
struct domain *domain_add(const char *name, const uint8_t uuid[16]);
/* Takes it out; whoever waits for it is woken and finds `gone`. */
void domain_remove(struct domain *domain);
struct domain *domain_ref(struct domain *domain);
void domain_unref(struct domain *domain);

/*
 * A number may be another domain's by now: others destroy domains and make new ones while xend
 * waits. So the hypervisor, which knows UUIDs, is asked right before each step by number, and again
 * after each wait. No hypercall does both at once; but numbers are given in turn, so one comes
 * again only after tens of thousands of domains (or when a tool asks for just that one).
 */
enum domain_number {
	NUMBER_OWN,   /* the hypervisor has that domain (it may be dying) */
	NUMBER_FREE,  /* nobody has it; what stands under it in xenstore is left of this domain */
	NUMBER_OTHERS /* its number is another domain's, or it has none: nothing under it is this
			 domain's */
};
/* info is filled for NUMBER_OWN. An error says that the hypervisor did not answer, which is none of
 * the three. */
int domain_number(const struct domain *domain, enum domain_number *whose,
		  struct hv_domain_info *info, struct error **e);
/* The domain itself, or -ESRCH; other errors as above. */
int domain_info(const struct domain *domain, struct hv_domain_info *info, struct error **e);
/* Whether what stands under its number may be changed in its name: the number is its own, or
 * nobody's. */
bool domain_may_touch(const struct domain *domain);
/* The domain of the list that the hypervisor's is: number and UUID agree. NULL. */
struct domain *domain_of(const struct hv_domain_info *info);
/* Of the hypervisor's list, the entry of that domain; NULL. */
const struct hv_domain_info *domain_find_info(const struct domain *domain,
					      const struct hv_domain_info *list, size_t count);

struct domain *domain_by_name(const char *name);
struct domain *domain_by_id(int domid);
struct domain *domain_by_uuid(const uint8_t uuid[16]);
/* By what a request says: name, id, UUID. Gives the caller a reference; -ESRCH and the sentence
 * that xm prints. */
int domain_lookup(struct json_object *which, struct domain **out, struct error **e);

/*
 * Makes the caller (a task) the one who works on the domain; waits while another one does. -ESRCH
 * if it is gone then, -EBUSY after a long wait, -ECANCELED. domain_lock_now does not wait.
 */
int domain_lock(struct domain *domain, const char *operation, struct error **e);
int domain_lock_now(struct domain *domain, const char *operation);
void domain_unlock(struct domain *domain);

void domain_set_state(struct domain *domain, enum domain_state state);
void domain_set_reason(struct domain *domain, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Makes the list agree with the hypervisor: domains that others made appear, those that are gone
 * disappear or are taken apart (lifecycle.h). Called before each look at the list.
 */
void domains_refresh(void);
/*
 * Before one of ours starts: -EEXIST if a domain of another toolstack runs under its UUID or its
 * name. xenstore and other tools could not tell them apart.
 */
int domain_check_alone(const struct domain *domain, struct error **e);
/* A valid name: 1 to 64 printable characters without blanks and slashes, and not a number alone. */
int domain_check_name(const char *name, struct error **e);

#endif
