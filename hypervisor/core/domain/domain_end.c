/* SPDX-License-Identifier: MIT */
/* How domains end: shutdown, crash, and destruction in bounded steps. */
#include "hv/domain.h"

#include <stdarg.h>
#include "core/domain/domain_internal.h"
#include "hv/arch/cpu.h"
#include "hv/arch/guest.h"
#include "hv/arch/pirq.h"
#include "hv/atomic.h"
#include "hv/console.h"
#include "hv/evtchn.h"
#include "hv/grant.h"
#include "hv/cmdline.h"
#include "hv/page_alloc.h"
#include "hv/sched.h"
#include "lib/errno.h"
#include "lib/printf.h"

/* When Domain-0 ends, the machine ends: Domain-0 is the host's own system. */
static void host_shutdown(u32 reason)
{
	console_end();
	switch (reason) {
	case SHUTDOWN_poweroff:
		log_info("Domain-0 halted: powering off\n");
		arch_power_off();
	case SHUTDOWN_crash:
	case SHUTDOWN_watchdog:
		log_err("Domain-0 %s\n",
			reason == SHUTDOWN_crash ? "crashed" : "stopped feeding its watchdog");
		if (boot_options.noreboot) {
			log_err("option noreboot is set: halted\n");
			arch_halt();
		}
		arch_reboot();
	default:
		log_info("Domain-0 shut down (reason %u): rebooting\n", reason);
		arch_reboot();
	}
}

/* Pauses all of d's vCPUs. True: d was not shutting down before, so `reason` counts. */
static bool stop_vcpus(struct domain *d, u32 reason)
{
	struct vcpu *v;
	bool again;

	spin_lock(&d->lock);
	again = d->shutdown.begun;
	if (!again)
		d->shutdown.code = reason;
	d->shutdown.begun = true;
	/*
	 * On every call: a vCPU that was created since the last one must stop, too. Otherwise a
	 * vCPU that crashes would go on for ever.
	 */
	for_each_vcpu(d, v) {
		if (v->paused_for_shutdown)
			continue;
		v->paused_for_shutdown = true;
		vcpu_pause_nosync(v);
	}
	d->shutdown.done = true;
	spin_unlock(&d->lock);
	return !again;
}

static void tell_shutdown(struct domain *d, u32 reason)
{
	int port;

	spin_lock(&d->lock);
	port = (int)d->shutdown.suspend_port;
	spin_unlock(&d->lock);
	console_domain_ends(d);
	/*
	 * The tool that saves the domain may have subscribed to a port of its own
	 * (XEN_DOMCTL_subscribe).
	 */
	if (reason == SHUTDOWN_suspend && port > 0)
		evtchn_send(d, (unsigned int)port);
	else
		evtchn_send_dom0_virq(VIRQ_DOM_EXC);
}

int domain_shutdown(struct domain *d, u32 reason)
{
	if (d->is_privileged)
		host_shutdown(reason);
	if (stop_vcpus(d, reason))
		tell_shutdown(d, reason);
	return 0;
}

void domain_resume(struct domain *d)
{
	struct vcpu *v;

	domain_pause(d);
	spin_lock(&d->lock);
	d->shutdown.begun = d->shutdown.done = false;
	d->shutdown.code = ~0U;
	for_each_vcpu(d, v) {
		if (v->paused_for_shutdown) {
			v->paused_for_shutdown = false;
			vcpu_unpause(v);
		}
	}
	spin_unlock(&d->lock);
	domain_unpause(d);
}

void domain_crash(struct domain *d, const char *fmt, ...)
{
	char why[160];
	va_list args;

	va_start(args, fmt);
	fmt_vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	/*
	 * Several vCPUs may break the rules at once: one log line until Domain-0 lets the domain
	 * run again.
	 */
	if (!stop_vcpus(d, SHUTDOWN_crash))
		return;
	log_err("domain %u crashed: %s\n", d->id, why);
	if (d->is_privileged)
		host_shutdown(SHUTDOWN_crash);
	tell_shutdown(d, SHUTDOWN_crash);
}

enum kill_stage { KILL_START, KILL_EVENTS, KILL_GRANTS, KILL_ARCH, KILL_REST, KILL_DONE };

int domain_kill(struct domain *d)
{
	struct vcpu *v;
	int err = 0;

	switch ((enum kill_stage)d->kill_stage) {
	case KILL_START:
		domain_pause(d);
		spin_lock(&d->lock);
		d->state = DOMAIN_DYING;
		spin_unlock(&d->lock);
		console_domain_ends(d);
		page_claim(d, 0);
		d->kill_stage = KILL_EVENTS;
		/* fall through */
	case KILL_EVENTS:
		if (d->pirqs)
			pirq_domain_destroy(d);
		err = evtchn_domain_destroy(d);
		if (err)
			return err;
		d->kill_stage = KILL_GRANTS;
		/* fall through */
	case KILL_GRANTS:
		err = grant_domain_release_mappings(d);
		if (err)
			return err;
		for_each_vcpu(d, v) {
			vcpu_timers_kill(v);
			vcpu_unregister_info(v);
		}
		domain_watchdogs_kill(d);
		d->kill_stage = KILL_ARCH;
		/* fall through */
	case KILL_ARCH:
		err = arch_domain_relinquish(d);
		if (err)
			return err;
		d->kill_stage = KILL_REST;
		/* fall through */
	case KILL_REST:
		spin_lock(&d->lock);
		d->state = DOMAIN_DEAD;
		spin_unlock(&d->lock);
		d->kill_stage = KILL_DONE;
		domain_put(d);
		evtchn_send_dom0_virq(VIRQ_DOM_EXC);
		/* fall through */
	case KILL_DONE:
		break;
	}
	return 0;
}
