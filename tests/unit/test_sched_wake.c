/* SPDX-License-Identifier: MIT */
/* links: hypervisor/lib/heap.c hypervisor/lib/bitmap.c */
/*
 * No wake-up is lost. Several CPUs at once block, poll, wake, pause, move, cap and destroy vCPUs,
 * in every order that a few changes of turns make.
 *
 * Once all is quiet, each runnable vCPU runs, or waits behind one that runs, or waits for its
 * domain's cap. It waits behind a vCPU that had more than its share no longer than the rate limit,
 * and behind any other no longer than a slice.
 */
#include "interleave.h"

/* Not all functions of these files are used here. */
#pragma GCC diagnostic ignored "-Wunused-function"
#include "sched_sim.h"

#include "core/event/evtchn_send.c"
#include "core/domain/pause.c"
#include "core/sched/runstate.c"
#include "core/sched/sched.c"
#include "core/sched/sched_op.c"
#include "core/sched/sched_param.c"
#include "core/sched/sched_place.c"
#include "core/sched/sched_share.c"
#include "core/base/softirq.c"
#include "core/base/timer.c"
#include "core/domain/watchdog.c"
#include "hv/arch/cpu.h"
#include "hv/arch/guest.h"

/* A vCPU on its own CPU checks on its way out. */
void arch_vcpu_kick(struct vcpu *v)
{
	if (v != current && READ_ONCE(v->is_running))
		arch_cpu_kick(READ_ONCE(v->processor));
}

static struct vcpu *victim, *other;
static bool nmi; /* an NMI is pending for the victim */
static struct domain *victims;

bool arch_vcpu_interrupt_deliverable(const struct vcpu *v)
{
	return v == victim && READ_ONCE(nmi);
}

int domain_shutdown(struct domain *d, u32 reason)
{
	return 0;
}

struct domain *domain_get_by_id(domid_t id)
{
	return NULL;
}

long subop_dispatch(const struct subop *table, unsigned int rows, unsigned int op,
		    void __guest *arg)
{
	return -ENOSYS;
}

/* --- references as in domain.c, but without a tasklet between the last one and the end --- */

bool domain_get(struct domain *d)
{
	interleave_step();
	if (!d->refcount)
		return false;
	d->refcount++;
	return true;
}

void domain_put(struct domain *d)
{
	interleave_step();
	if (--d->refcount)
		return;
	assert_ptr_equal(d, victims);
	sched_domain_free(d);
	sched_vcpu_free(victim);
	/* The run's end frees the memory. Until then no access to the vCPU is allowed. */
	__asan_poison_memory_region(sim_of(victim), sizeof(struct sim_vcpu));
}

/* --- the acts of CPUs: each is a hypercall of the vCPU there, or an interrupt --- */

#define ACTS(_)                                                        \
	_(NOTHING)                                                     \
	_(BLOCK)      /* current: sched_op block */                    \
	_(POLL)	      /* current: sched_op poll of no port */          \
	_(YIELD)      /* current */                                    \
	_(EVENT)      /* for the victim */                             \
	_(NMI)	      /* for the victim */                             \
	_(PAUSE)      /* the victim: pause and unpause */              \
	_(PAUSE_SYNC) /* the same, and it is off its CPU in between */ \
	_(DOWN_UP)    /* VCPUOP_down and VCPUOP_up */                  \
	_(PIN_HERE)   /* the victim: affinity to CPU 0 */              \
	_(PIN_THERE)  /* to CPU 1 */                                   \
	_(PIN_AWAY)   /* to CPU 1, and back to 0 */                    \
	_(REFILL)     /* the refill timer's time has come */           \
	_(CAP_LIFTED) /* its domain has no cap any more */             \
	_(WAKE_OTHER) /* `other` becomes runnable */                   \
	_(DESTROY)    /* its domain goes, as domain_kill and the reaper do */
#define ACT_ENUM(a) a,
#define ACT_NAME(a) #a,

enum act { ACTS(ACT_ENUM) NR_ACTS };
static const char *const act_names[] = { ACTS(ACT_NAME) };

static void pin(struct vcpu *v, unsigned int cpu)
{
	cpumask_t m;

	cpumask_zero(&m);
	cpumask_set(cpu, &m);
	assert_int_equal(vcpu_set_hard_affinity(v, &m), 0);
}

static void do_to_current(enum act act)
{
	struct sched_poll none = { .nr_ports = 0 };

	if (current->is_idle)
		return;
	if (act == BLOCK)
		vcpu_block();
	else if (act == POLL)
		assert_int_equal(op_poll(&none), 0);
	else
		vcpu_yield();
}

static void do_to_victim(enum act act)
{
	switch (act) {
	case EVENT:
		vcpu_mark_events_pending(victim);
		break;
	case NMI:
		nmi = true;
		vcpu_notify(victim);
		break;
	case PAUSE:
		vcpu_pause_nosync(victim);
		vcpu_unpause(victim);
		break;
	case PAUSE_SYNC:
		vcpu_pause(victim);
		if (victim->is_running)
			interleave_fail("it runs while it is paused");
		vcpu_unpause(victim);
		break;
	case DOWN_UP:
		atomic_or(&victim->pause_flags, VPF_DOWN);
		vcpu_sleep_nosync(victim);
		atomic_and(&victim->pause_flags, ~(u32)VPF_DOWN);
		vcpu_wake(victim);
		break;
	case PIN_HERE:
		pin(victim, 0);
		break;
	case PIN_THERE:
		pin(victim, 1);
		break;
	case PIN_AWAY:
		pin(victim, 1);
		pin(victim, 0);
		break;
	case REFILL:
		host_now += MILLISECS(40);
		softirq_raise_on(victims->sched.refill.cpu, SOFTIRQ_TIMER);
		break;
	case CAP_LIFTED:
		share_set_cap(victims, 0);
		break;
	case DESTROY:
		if (victims->state == DOMAIN_DEAD)
			break;
		victims->state = DOMAIN_DEAD;
		domain_pause(victims);
		/* Drop the reference that stands for its existence. */
		domain_put(victims);
		break;
	default:
		fail_msg("no such act");
	}
}

static void do_act(enum act act)
{
	if (act == NOTHING)
		return;
	if (act < EVENT) {
		do_to_current(act);
	} else if (act == WAKE_OTHER) {
		vcpu_unblock(other);
	} else if ((act == PAUSE_SYNC || act == DESTROY) && current == victim) {
		/* A vCPU does not wait for itself. */
	} else if (domain_get(victims)) {
		/* To act on another domain, hold a reference to it. */
		do_to_victim(act);
		domain_put(victims);
	}
}

/* --- scenes --- */

static struct {
	bool pinned; /* the victim, to CPU 0 */
	bool spent;  /* its domain has a cap that is used up */
	bool queued; /* `other` waits on CPU 0 */
	bool ahead;  /* and had 5 ms more than the victim */
	bool warm;   /* a vCPU that ran a moment ago is not moved to another CPU */
	enum act acts[INTERLEAVE_CPUS][2];
} play;

/* Makes a domain of one vCPU, which is blocked. */
static struct domain *new_domain(unsigned int cpu)
{
	struct domain *d = sim_domain(1, 256, 0);

	d->evtchn = calloc(1, sizeof(*d->evtchn));
	d->refcount = 1;
	d->vcpus[0]->processor = cpu;
	d->vcpus[0]->pause_flags = VPF_BLOCKED;
	d->vcpus[0]->runstate.info.state = RUNSTATE_blocked;
	return d;
}

/* The victim runs on CPU 0, and each other CPU runs a vCPU of its own. `other` is blocked, or
 * waits.
 */
static void setup(void)
{
	sim_start(interleave_scene->cpus);
	nmi = false;
	victims = new_domain(0);
	victim = victims->vcpus[0];
	if (play.pinned)
		pin(victim, 0);
	vcpu_unblock(victim);
	for (unsigned int cpu = 1; cpu < nr_cpus; cpu++) {
		struct vcpu *v = new_domain(cpu)->vcpus[0];

		pin(v, cpu);
		vcpu_unblock(v);
	}
	sim_settle();
	other = new_domain(0)->vcpus[0];
	if (play.queued) {
		vcpu_unblock(other);
		sim_settle();
		if (play.ahead)
			other->sched.vtime = victim->sched.vtime + share_cost(other, MILLISECS(5));
	}
	assert_true(victim->is_running && victim->processor == 0);
	sched_params.migrate_delay_us = play.warm ? 1000 : 0;
	if (play.spent) {
		victims->sched.cap = 25;
		victims->sched.budget_at = host_now;
		victims->sched.budget = 1;
		host_now += MICROSECS(10);
	}
}

static void body(unsigned int cpu)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(play.acts[cpu]); i++) {
		do_act(play.acts[cpu][i]);
		/*
		 * The way out of a hypercall. If another vCPU runs afterwards, the next act is an
		 * interrupt's.
		 */
		softirq_run();
	}
}

/* Checks how long it waits: until the slice of the running one ends, if nothing else happens. */
static void check_wait(const struct run_queue *rq, const struct vcpu *v)
{
	s64 ahead = vtime_diff(rq->curr->sched.vtime, v->sched.vtime);
	s_time_t ratelimit = MICROSECS(sched_params.ratelimit_us);

	if (rq->slice_end > host_now + MILLISECS(sched_params.slice_ms))
		interleave_fail("it waits for longer than a slice");
	if (!v->sched.yielding && ahead >= (s64)share_cost(v, MILLISECS(1)) &&
	    rq->slice_end > max(host_now, rq->run_start + ratelimit))
		interleave_fail("it waits for one that has had more than its share");
}

static void check_vcpu(const struct vcpu *v)
{
	const struct run_queue *rq = &per_cpu(run_queue, v->processor);
	bool runnable = vcpu_is_runnable(v);

	if (v->is_running + v->sched.queued + v->sched.parked != runnable)
		interleave_fail(runnable ? "a wake-up was lost: runnable, and nowhere" :
					   "not runnable, yet somewhere");
	if (v->is_running != (rq->curr == v))
		interleave_fail("it runs where it does not run");
	if (v->sched.queued && rq->curr->is_idle)
		interleave_fail("a wake-up was lost: it waits for a CPU that is halted");
	if (v->sched.queued)
		check_wait(rq, v);
	for (unsigned int cpu = 0; v->sched.queued && !play.warm && cpu < nr_cpus; cpu++)
		if (per_cpu(run_queue, cpu).curr->is_idle && place_allowed(v, cpu))
			interleave_fail("it waits, and a CPU that it may use idles");
	if (v->sched.parked && !timer_is_armed(&v->domain->sched.refill))
		interleave_fail("a wake-up was lost: it is parked and no timer is armed");
	if ((v->is_running || v->sched.queued) && !place_allowed(v, v->processor))
		interleave_fail("it is where it may not be");
	if (v->sched.active != runnable)
		interleave_fail("the domain's count of runnable vCPUs is wrong");
	if (v->runstate.info.state != (v->is_running ? RUNSTATE_running :
				       runnable	     ? RUNSTATE_runnable :
						       runstate_when_off(v)))
		interleave_fail("its runstate is not its state");
	if (!runnable && (v->pause_flags & ~(u32)(VPF_BLOCKED | VPF_POLL)))
		interleave_fail("it was unpaused and is paused");
	if (!runnable && vcpu_must_look(v))
		interleave_fail("a wake-up was lost: it sleeps over an event or NMI");
}

static void check(void)
{
	for (unsigned int i = 0; i < sim_nr_domains; i++)
		if (sim_domains[i]->refcount)
			check_vcpu(sim_domains[i]->vcpus[0]);
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		const struct run_queue *rq = &per_cpu(run_queue, cpu);

		if (per_cpu(softirq_pending, cpu))
			interleave_fail("a CPU waits with a softirq pending");
		if (rq->curr->is_idle != cpumask_test(cpu, &sched_idle_cpus))
			interleave_fail("the set of idle CPUs is wrong");
	}
}

static void teardown(void)
{
	__asan_unpoison_memory_region(sim_of(victim), sizeof(struct sim_vcpu));
	for (unsigned int i = 0; i < sim_nr_domains; i++)
		free(sim_domains[i]->evtchn);
	sim_end();
}

static void explore(unsigned int cpus, unsigned int changes)
{
	char name[200] = "";
	struct interleave_scene scene = { name, cpus, changes, setup, body, check, teardown };

	snprintf(name, sizeof(name), "%s%s%s%s%s", play.pinned ? "pinned, " : "",
		 play.spent ? "capped, " : "", play.queued ? "another waits, " : "",
		 play.ahead ? "has had more, " : "", play.warm ? "warm, " : "");
	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		snprintf(name + strlen(name), sizeof(name) - strlen(name), "%sCPU %u: %s, %s",
			 cpu ? "; " : "", cpu, act_names[play.acts[cpu][0]],
			 act_names[play.acts[cpu][1]]);
	interleave_explore(&scene);
}

/* The victim does `first` while each act is done to it, in every situation. If it may wait then, an
 * event comes at the end. */
static void explore_all(enum act first, unsigned int changes)
{
	for (unsigned int kind = 0; kind < 14; kind++)
		for (enum act act = EVENT; act < NR_ACTS; act++) {
			memset(&play, 0, sizeof(play));
			play.ahead = kind >= 12;
			play.spent = kind & 1 && !play.ahead;
			play.queued = kind & 2 || play.ahead;
			play.pinned = kind / 4 == 1 || kind == 13;
			play.warm = kind / 4 == 2;
			play.acts[0][0] = first;
			play.acts[1][0] = act;
			play.acts[1][1] =
				(first == BLOCK || first == POLL) && act != NMI ? EVENT : NOTHING;
			explore(2, changes);
		}
}

static void one_that_blocks_is_woken(void **state)
{
	explore_all(BLOCK, 2);
}

static void one_that_polls_is_woken(void **state)
{
	explore_all(POLL, 1);
}

static void one_that_yields_goes_on(void **state)
{
	explore_all(YIELD, 2);
}

static void one_that_computes_goes_on(void **state)
{
	explore_all(NOTHING, 2);
}

/* The victim is woken and destroyed while its CPU still saves its registers. */
static void one_that_ends_while_it_is_woken_is_left_alone(void **state)
{
	memset(&play, 0, sizeof(play));
	play.acts[0][0] = BLOCK;
	play.acts[1][0] = EVENT;
	play.acts[1][1] = DESTROY;
	explore(2, 3);
}

/* The same with CPUs that steal, and with more acts. */
static void any_three_cpus_lose_nothing(void **state)
{
	static const enum act own[] = { NOTHING, BLOCK, POLL, YIELD };
	uint64_t seed = UNIT_SEED;

	for (unsigned int i = 0; i < 300; i++) {
		unsigned int kind = (unsigned int)(unit_random(&seed) >> 32);

		memset(&play, 0, sizeof(play));
		play.pinned = kind & 1;
		play.spent = kind & 2;
		play.queued = kind & 4;
		play.warm = kind & 8;
		play.ahead = kind & 16;
		for (unsigned int cpu = 0; cpu < 3; cpu++)
			for (unsigned int j = 0; j < 2; j++)
				play.acts[cpu][j] =
					unit_random(&seed) % 2 ?
						own[unit_random(&seed) % ARRAY_SIZE(own)] :
						(enum act)(EVENT +
							   unit_random(&seed) % (NR_ACTS - EVENT));
		explore(3, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_blocks_is_woken),
		cmocka_unit_test(one_that_polls_is_woken),
		cmocka_unit_test(one_that_yields_goes_on),
		cmocka_unit_test(one_that_computes_goes_on),
		cmocka_unit_test(one_that_ends_while_it_is_woken_is_left_alone),
		cmocka_unit_test(any_three_cpus_lose_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
