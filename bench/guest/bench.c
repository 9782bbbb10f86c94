/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <xen/io/console.h>

/* A guest's console: a ring in a page of its own, read by xenconsoled (xen/io/console.h). */
static struct xencons_interface *ring(void)
{
	unsigned long mfn = start_info->console.domU.mfn;

	/* The builder maps the page where its frame number says, like all of the start of memory.
	 */
	return (struct xencons_interface *)(machine_to_phys_mapping[mfn] * PAGE_SIZE);
}

static void ring_notify(void)
{
	evtchn_send_t send = { .port = start_info->console.domU.evtchn };

	bench_evtchn_op(EVTCHNOP_send, &send);
}

static bool is_domain0(void)
{
	return start_info->flags & SIF_INITDOMAIN;
}

void bench_drain(void)
{
	volatile struct xencons_interface *r = is_domain0() ? NULL : ring();

	while (r && r->out_cons != r->out_prod)
		hc2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
}

void bench_say(const char *text)
{
	struct xencons_interface *r;

	if (is_domain0()) {
		guest_printf("%s", text);
		return;
	}
	r = ring();
	for (; *text; text++) {
		while (r->out_prod - __atomic_load_n(&r->out_cons, __ATOMIC_ACQUIRE) ==
		       sizeof(r->out)) {
			ring_notify();
			hc2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
		}
		r->out[MASK_XENCONS_IDX(r->out_prod, r->out)] = *text;
		__atomic_store_n(&r->out_prod, r->out_prod + 1, __ATOMIC_RELEASE);
	}
	ring_notify();
}

static char *put_text(char *to, const char *text)
{
	while (*text)
		*to++ = *text++;
	return to;
}

static char *put_number(char *to, uint64_t v)
{
	char digits[24];
	int n = 0;

	do
		digits[n++] = (char)('0' + v % 10);
	while (v /= 10);
	while (n)
		*to++ = digits[--n];
	return to;
}

void bench_die(const char *what, uint64_t value)
{
	char line[160], *p = put_text(line, "BENCH-FAILED ");

	p = put_text(p, what);
	p = put_text(p, ": ");
	p = put_number(p, value);
	*p++ = '\n';
	*p = '\0';
	bench_say(line);
	bench_drain();
	guest_fail("%s: %ld", what, (long)value);
}

static void on_exception(struct guest_regs *regs)
{
	bench_die("an exception at", regs->rip);
}

void bench_begin(void)
{
	guest_exception = on_exception;
}

void bench_report(const char *name, uint64_t ticks, unsigned int calls)
{
	char line[160], *p = put_text(line, "BENCH ");

	p = put_text(p, name);
	*p++ = ' ';
	p = put_number(p, ticks / calls);
	p = put_text(p, " instructions ");
	p = put_number(p, ROUNDS);
	*p++ = 'x';
	p = put_number(p, calls);
	*p++ = '\n';
	*p = '\0';
	bench_say(line);
}

/* Where `name` stands at the start of a word of the command line, or NULL. */
static const char *word(const char *name)
{
	const char *p = (const char *)start_info->cmd_line;
	size_t n = 0;

	while (name[n])
		n++;
	for (const char *at = p; *at; at++)
		if ((at == p || at[-1] == ' ') && !memcmp(at, name, n))
			return at + n;
	return NULL;
}

bool bench_has_word(const char *name)
{
	const char *end = word(name);

	return end && (*end == ' ' || *end == '\0');
}

unsigned long bench_option(const char *name, unsigned long otherwise)
{
	const char *p = word(name);
	unsigned long v = 0;

	if (!p || *p < '0' || *p > '9')
		return otherwise;
	for (; *p >= '0' && *p <= '9'; p++)
		v = v * 10 + (unsigned long)(*p - '0');
	return v;
}

/* The far end of a channel to itself says. */
domid_t bench_own_domid(void)
{
	evtchn_alloc_unbound_t alloc = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
	evtchn_bind_interdomain_t bind = { .remote_dom = DOMID_SELF };
	evtchn_status_t status = { .dom = DOMID_SELF };
	evtchn_close_t close;

	if (bench_evtchn_op(EVTCHNOP_alloc_unbound, &alloc))
		bench_die("EVTCHNOP_alloc_unbound for itself", 0);
	bind.remote_port = alloc.port;
	if (bench_evtchn_op(EVTCHNOP_bind_interdomain, &bind))
		bench_die("EVTCHNOP_bind_interdomain to itself", 0);
	status.port = bind.local_port;
	if (bench_evtchn_op(EVTCHNOP_status, &status))
		bench_die("EVTCHNOP_status", 0);
	close.port = bind.local_port;
	bench_evtchn_op(EVTCHNOP_close, &close);
	close.port = alloc.port;
	bench_evtchn_op(EVTCHNOP_close, &close);
	return status.u.interdomain.dom;
}
