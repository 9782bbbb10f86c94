/* SPDX-License-Identifier: MIT */
/*
 * Event channels over simulated domains: the protocol, permissions, teardown, and random operations
 * compared with a model.
 */
/* links: hypervisor/core/event/evtchn.c hypervisor/core/event/evtchn_send.c hypervisor/core/event/evtchn_ops.c hypervisor/lib/bitmap.c */
#include "core/event/evtchn.h"
#include "control_sim.h"
#include "hv/arch/guest.h"
#include "hv/arch/pirq.h"
#include "hv/hypercall_handlers.h"
#include "hv/sched.h"

#define OP(cmd, op) do_event_channel_op(EVTCHNOP_##cmd, (unsigned long)(op), 0, 0, 0, 0)
#define MAX_PORT    63

static unsigned int wakes, kicks, unbinds;
static int pirq_bind_result;

void vcpu_wake(struct vcpu *v)
{
	wakes++;
}

void vcpu_unblock(struct vcpu *v)
{
	v->pause_flags &= ~(u32)VPF_BLOCKED;
	wakes++;
}

void arch_vcpu_kick(struct vcpu *v)
{
	kicks++;
}

int pirq_guest_bind(struct vcpu *v, unsigned int pirq, unsigned int port, bool will_share)
{
	return pirq_bind_result;
}

void pirq_guest_unbind(struct domain *d, unsigned int pirq)
{
	unbinds++;
}

void pirq_set_affinity(struct domain *d, unsigned int pirq, unsigned int cpu)
{
}

static int setup(void **state)
{
	sim_domains_create(64);
	for (unsigned int i = 0; i < SIM_DOMAINS; i++)
		assert_int_equal(evtchn_domain_create(sim_domain[i], MAX_PORT), 0);
	wakes = kicks = unbinds = 0;
	pirq_bind_result = 0;
	return 0;
}

/* Destroys all domains; no port, reference or memory may be left. */
static int teardown(void **state)
{
	for (unsigned int i = 0; i < SIM_DOMAINS; i++) {
		sim_preempt = true;
		while (evtchn_domain_destroy(sim_domain[i]) == -ERESTART)
			;
	}
	for (unsigned int i = 0; i < SIM_DOMAINS; i++) {
		assert_int_equal(sim_domain[i]->refcount, 1);
		assert_int_equal(evtchn_alloc_unbound(sim_domain[i], 0), -EINVAL);
		evtchn_domain_free(sim_domain[i]);
		sim_domain_free(sim_domain[i]);
	}
	assert_int_equal(host_allocs_live, 0);
	return 0;
}

static bool pending(unsigned int dom, unsigned int port)
{
	return bitmap_test_bit(sim_domain[dom]->shared_info->evtchn_pending, port);
}

static void guest_consumes(unsigned int dom, unsigned int vcpu)
{
	vcpu_info_t *vi = sim_domain[dom]->vcpus[vcpu]->vcpu_info;

	vi->evtchn_upcall_pending = 0;
	vi->evtchn_pending_sel = 0;
	memset(sim_domain[dom]->shared_info->evtchn_pending, 0,
	       sizeof(sim_domain[dom]->shared_info->evtchn_pending));
}

/* Makes a port of domain a for b, and a port of b bound to it. */
static void connect(unsigned int a, unsigned int b, unsigned int *port_a, unsigned int *port_b)
{
	struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = (domid_t)b };
	struct evtchn_bind_interdomain bind = { .remote_dom = (domid_t)a };

	sim_run_as(a, 0);
	assert_int_equal(OP(alloc_unbound, &alloc), 0);
	sim_run_as(b, 0);
	bind.remote_port = alloc.port;
	assert_int_equal(OP(bind_interdomain, &bind), 0);
	*port_a = alloc.port;
	*port_b = bind.local_port;
}

static void an_event_sets_pending_selector_and_upcall_once(void **state)
{
	unsigned int pa, pb;
	struct evtchn_send send;
	vcpu_info_t *vi = sim_domain[1]->vcpus[0]->vcpu_info;

	connect(1, 2, &pa, &pb);
	assert_true(pending(2, pb)); /* a fresh binding starts with an event */
	send.port = pb;
	kicks = 0;
	assert_int_equal(OP(send, &send), 0);
	assert_true(pending(1, pa));
	assert_int_equal(vi->evtchn_pending_sel, 1);
	assert_int_equal(vi->evtchn_upcall_pending, 1);
	assert_int_equal(kicks, 1);
	assert_int_equal(OP(send, &send), 0);
	assert_int_equal(kicks, 1);
}

static void a_masked_port_stays_silent_until_unmasked(void **state)
{
	unsigned int pa, pb;
	struct evtchn_unmask unmask;
	vcpu_info_t *vi = sim_domain[1]->vcpus[0]->vcpu_info;

	connect(1, 2, &pa, &pb);
	bitmap_set_bit(sim_domain[1]->shared_info->evtchn_mask, pa);
	assert_int_equal(OP(send, &(struct evtchn_send){ pb }), 0);
	assert_true(pending(1, pa));
	assert_int_equal(vi->evtchn_upcall_pending, 0);
	sim_run_as(1, 0);
	unmask.port = pa;
	assert_int_equal(OP(unmask, &unmask), 0);
	assert_int_equal(vi->evtchn_upcall_pending, 1);
	assert_int_equal(vi->evtchn_pending_sel, 1);
}

static void a_blocked_vcpu_is_woken(void **state)
{
	unsigned int pa, pb;

	connect(1, 2, &pa, &pb);
	sim_domain[1]->vcpus[0]->pause_flags = VPF_BLOCKED;
	OP(send, &(struct evtchn_send){ pb });
	assert_int_equal(wakes, 1);
}

static void pollers_wake_for_their_port_even_masked(void **state)
{
	unsigned int pa, pb, pc, pd;
	struct vcpu *v = sim_domain[1]->vcpus[2];

	connect(1, 2, &pa, &pb);
	connect(1, 2, &pc, &pd);
	memset(sim_domain[1]->shared_info->evtchn_mask, 0xff, 512);
	evtchn_poll_begin(v, (int)pa);
	OP(send, &(struct evtchn_send){ pd });
	assert_int_equal(v->pause_flags, VPF_POLL);
	OP(send, &(struct evtchn_send){ pb });
	assert_int_equal(v->pause_flags, 0);
	assert_int_equal(wakes, 1);
	assert_int_equal(sim_domain[1]->evtchn->pollers, 0);
	assert_int_equal(evtchn_port_poll(sim_domain[1], pa), 1);
	assert_int_equal(evtchn_port_poll(sim_domain[1], 60), -EINVAL);
	guest_consumes(1, 0);
	evtchn_poll_begin(v, -1);
	OP(send, &(struct evtchn_send){ pd });
	assert_int_equal(v->pause_flags, 0);
}

static void virqs_bind_once_and_reach_their_vcpu(void **state)
{
	struct evtchn_bind_virq timer = { VIRQ_TIMER, 1, 0 }, console = { VIRQ_CONSOLE, 0, 0 };
	struct evtchn_bind_vcpu move;

	sim_run_as(0, 0);
	assert_int_equal(OP(bind_virq, &timer), 0);
	assert_int_equal(OP(bind_virq, &timer), -EEXIST);
	assert_int_equal(OP(bind_virq, (&(struct evtchn_bind_virq){ VIRQ_CONSOLE, 1, 0 })),
			 -EINVAL);
	assert_int_equal(OP(bind_virq, (&(struct evtchn_bind_virq){ NR_VIRQS, 0, 0 })), -EINVAL);
	assert_int_equal(OP(bind_virq, (&(struct evtchn_bind_virq){ VIRQ_TIMER, 77, 0 })), -ENOENT);
	assert_int_equal(OP(bind_virq, &console), 0);
	evtchn_send_vcpu_virq(dom0->vcpus[0], VIRQ_TIMER);
	assert_false(pending(0, timer.port));
	evtchn_send_vcpu_virq(dom0->vcpus[1], VIRQ_TIMER);
	assert_true(pending(0, timer.port));
	assert_int_equal(dom0->vcpus[1]->vcpu_info->evtchn_upcall_pending, 1);
	move = (struct evtchn_bind_vcpu){ timer.port, 0 };
	assert_int_equal(OP(bind_vcpu, &move), -EINVAL);
	move = (struct evtchn_bind_vcpu){ console.port, 2 };
	assert_int_equal(OP(bind_vcpu, &move), 0);
	evtchn_send_dom0_virq(VIRQ_CONSOLE);
	assert_int_equal(dom0->vcpus[2]->vcpu_info->evtchn_upcall_pending, 1);
	assert_int_equal(OP(close, &(struct evtchn_close){ console.port }), 0);
	assert_false(pending(0, console.port));
	evtchn_send_dom0_virq(VIRQ_CONSOLE);
	assert_false(pending(0, console.port));
	assert_int_equal(OP(bind_virq, &console), 0);
}

static void ports_are_guarded(void **state)
{
	struct evtchn_alloc_unbound alloc = { .dom = 1, .remote_dom = 3 };
	struct evtchn_bind_interdomain bind = { .remote_dom = 1 };
	struct evtchn_status status = { .dom = 1 };

	sim_run_as(2, 0);
	assert_int_equal(OP(alloc_unbound, &alloc), -EPERM);
	sim_run_as(0, 0);
	assert_int_equal(OP(alloc_unbound, &alloc), 0); /* on behalf of domain 1 */
	bind.remote_port = alloc.port;
	assert_int_equal(OP(bind_interdomain, &bind), -EINVAL); /* meant for 3 */
	status.port = alloc.port;
	assert_int_equal(OP(status, &status), 0);
	assert_int_equal(status.status, EVTCHNSTAT_unbound);
	assert_int_equal(status.u.unbound.dom, 3);
	sim_run_as(3, 0);
	assert_int_equal(OP(status, &status), -EPERM);
	assert_int_equal(OP(bind_interdomain, &bind), 0);
	assert_int_equal(OP(bind_interdomain, &bind), -EINVAL); /* only once */
	bind.remote_port = 0;
	assert_int_equal(OP(bind_interdomain, &bind), -EINVAL);
	bind.remote_port = 1U << 31;
	assert_int_equal(OP(bind_interdomain, &bind), -EINVAL);
	assert_int_equal(OP(send, &(struct evtchn_send){ 0 }), -EINVAL);
	assert_int_equal(OP(send, &(struct evtchn_send){ ~0U }), -EINVAL);
	assert_int_equal(OP(close, &(struct evtchn_close){ 0 }), -EINVAL);
	assert_int_equal(OP(bind_pirq, &(struct evtchn_bind_pirq){ 0 }), -EPERM);
	assert_int_equal(do_event_channel_op(EVTCHNOP_init_control, (unsigned long)&bind, 0, 0, 0,
					     0),
			 -ENOSYS);
	assert_int_equal(do_event_channel_op(EVTCHNOP_set_priority, (unsigned long)&bind, 0, 0, 0,
					     0),
			 -ENOSYS);
}

static void physical_interrupts_bind_and_unbind(void **state)
{
	struct evtchn_bind_pirq bind = { .pirq = 9 };

	dom0->pirqs = (struct pirq_domain *)dom0;
	sim_run_as(0, 0);
	pirq_bind_result = -EBUSY;
	assert_int_equal(OP(bind_pirq, &bind), -EBUSY);
	assert_true(bitmap_is_empty(dom0->evtchn->pirqs, MAX_PORT));
	pirq_bind_result = 0;
	assert_int_equal(OP(bind_pirq, &bind), 0);
	evtchn_send_pirq(dom0, bind.port);
	assert_true(pending(0, bind.port));
	assert_int_equal(OP(close, &(struct evtchn_close){ bind.port }), 0);
	assert_int_equal(unbinds, 1);
	guest_consumes(0, 0);
	evtchn_send_pirq(dom0, bind.port); /* an interrupt that was still on its way */
	assert_false(pending(0, bind.port));
}

static void ports_are_bounded_and_memory_failures_reported(void **state)
{
	struct evtchn_bind_ipi ipi = { 0 };

	sim_run_as(1, 0);
	host_alloc_fail_after = 0;
	assert_int_equal(OP(bind_ipi, &ipi), -ENOMEM);
	for (unsigned int i = 0; i < MAX_PORT; i++)
		assert_int_equal(OP(bind_ipi, &ipi), 0);
	assert_int_equal(OP(bind_ipi, &ipi), -ENOSPC);
}

static void reset_closes_all_in_steps(void **state)
{
	unsigned int pa, pb, steps = 1;
	struct evtchn_reset reset = { DOMID_SELF };

	for (unsigned int i = 0; i < MAX_PORT; i++)
		connect(1, 2, &pa, &pb);
	sim_run_as(1, 0);
	sim_preempt = true;
	while (OP(reset, &reset) == -ERESTART)
		steps++;
	assert_true(steps > 1);
	assert_int_equal(sim_domain[1]->refcount, 1);
	assert_int_equal(evtchn_port_get(sim_domain[2]->evtchn, pb)->type, PORT_UNBOUND);
}

/* --- random operations against a model --- */

struct model_port {
	enum port_type type;
	unsigned int dom, port; /* the peer's; or who is allowed to bind; or VIRQ and vCPU */
};
static struct model_port model[SIM_DOMAINS][MAX_PORT + 1];

static void model_check(void)
{
	unsigned int refs[SIM_DOMAINS] = { 1, 1, 1, 1 };

	for (unsigned int d = 0; d < SIM_DOMAINS; d++)
		for (unsigned int p = 1; p <= MAX_PORT; p++) {
			struct evtchn_port *port = evtchn_port_get(sim_domain[d]->evtchn, p);
			struct model_port *m = &model[d][p];

			assert_int_equal(port ? port->type : PORT_FREE, m->type);
			assert_int_equal(bitmap_test_bit(sim_domain[d]->evtchn->used, p),
					 m->type != PORT_FREE);
			if (m->type == PORT_INTERDOMAIN) {
				assert_ptr_equal(port->peer.domain, sim_domain[m->dom]);
				assert_int_equal(port->peer.port, m->port);
				if (m->dom != d || m->port != p)
					refs[m->dom]++;
			} else if (m->type == PORT_UNBOUND) {
				assert_int_equal(port->allowed, m->dom);
			}
		}
	for (unsigned int d = 0; d < SIM_DOMAINS; d++)
		assert_int_equal(sim_domain[d]->refcount, refs[d]);
}

static void model_close(unsigned int d, unsigned int p)
{
	struct model_port *m = &model[d][p];

	if (m->type == PORT_INTERDOMAIN)
		model[m->dom][m->port] = (struct model_port){ PORT_UNBOUND, d, 0 };
	m->type = PORT_FREE;
}

static void random_step(u64 *seed)
{
	unsigned int d = unit_random(seed) % SIM_DOMAINS, r = unit_random(seed) % SIM_DOMAINS;
	unsigned int p = unit_random(seed) % (MAX_PORT + 4), q = unit_random(seed) % (MAX_PORT + 4);
	bool exists = p && p <= MAX_PORT && model[d][p].type != PORT_FREE;
	bool remote_exists = q && q <= MAX_PORT;
	long ret;

	sim_run_as(d, 0);
	switch (unit_random(seed) % 8) {
	case 0: {
		struct evtchn_alloc_unbound op = { .dom = DOMID_SELF, .remote_dom = (domid_t)r };

		ret = OP(alloc_unbound, &op);
		if (!ret) {
			assert_int_equal(model[d][op.port].type, PORT_FREE);
			model[d][op.port] = (struct model_port){ PORT_UNBOUND, r, 0 };
		}
		break;
	}
	case 1:
	case 2: {
		struct evtchn_bind_interdomain op = { .remote_dom = (domid_t)r, .remote_port = q };
		bool ok = remote_exists && model[r][q].type == PORT_UNBOUND && model[r][q].dom == d;

		ret = OP(bind_interdomain, &op);
		if (ret != -ENOSPC)
			assert_int_equal(ret, ok ? 0 : -EINVAL);
		if (!ret) {
			model[d][op.local_port] = (struct model_port){ PORT_INTERDOMAIN, r, q };
			model[r][q] = (struct model_port){ PORT_INTERDOMAIN, d, op.local_port };
			assert_true(pending(d, op.local_port));
		}
		break;
	}
	case 3:
		ret = OP(close, &(struct evtchn_close){ p });
		assert_int_equal(ret, exists ? 0 : -EINVAL);
		if (!ret) {
			model_close(d, p);
			assert_false(pending(d, p));
		}
		break;
	case 4: {
		struct evtchn_bind_ipi op = { .vcpu = r % SIM_VCPUS };

		if (!OP(bind_ipi, &op))
			model[d][op.port] = (struct model_port){ PORT_IPI, 0, 0 };
		break;
	}
	default:
		ret = OP(send, &(struct evtchn_send){ p });
		assert_int_equal(ret, exists ? 0 : -EINVAL);
		if (!ret && model[d][p].type == PORT_INTERDOMAIN)
			assert_true(pending(model[d][p].dom, model[d][p].port));
		if (unit_random(seed) % 4 == 0)
			guest_consumes(r, 0);
	}
}

static void random_operations_agree_with_the_model(void **state)
{
	u64 seed = UNIT_SEED;

	memset(model, 0, sizeof(model));
	for (unsigned int i = 0; i < 20000; i++) {
		random_step(&seed);
		if (i % 16 == 0)
			model_check();
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_event_sets_pending_selector_and_upcall_once),
		TEST(a_masked_port_stays_silent_until_unmasked),
		TEST(a_blocked_vcpu_is_woken),
		TEST(pollers_wake_for_their_port_even_masked),
		TEST(virqs_bind_once_and_reach_their_vcpu),
		TEST(ports_are_guarded),
		TEST(physical_interrupts_bind_and_unbind),
		TEST(ports_are_bounded_and_memory_failures_reported),
		TEST(reset_closes_all_in_steps),
		TEST(random_operations_agree_with_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
