/* SPDX-License-Identifier: MIT */
/*
 * The timer of a virtual local APIC (SDM 3A 11.5.4). One-shot and periodic mode count down from
 * the initial count, which is kept as the time when the count reaches 0. In TSC-deadline mode the
 * interrupt comes when the guest's TSC has reached the deadline.
 */
#include "x86/hvm/dev/vlapic.h"

#include "lib/errno.h"

/* A guest that asks for more interrupts than this one loses them, and not the host its time. */
#define PERIOD_MIN_NS 50000

#define REG(l, offset) ((l)->reg[(offset) / 16])

/* How long one count takes. Values 0 to 6 of bits 3, 1, 0 divide by 2 to 128, 7 by 1. */
u64 vlapic_timer_tick_ns(const struct vlapic *l)
{
	u32 value = REG(l, VLAPIC_DIVIDE);
	u32 code = (value & 3) | (value & 8) >> 1;

	return (u64)VLAPIC_BUS_NS << ((code + 1) & 7);
}

static u64 period_ns(const struct vlapic *l)
{
	return REG(l, VLAPIC_TIMER_INIT) * vlapic_timer_tick_ns(l);
}

static u32 mode(const struct vlapic *l)
{
	return REG(l, VLAPIC_LVT_TIMER) & (u32)VLAPIC_LVT_MODE;
}

u32 vlapic_timer_count(const struct vlapic *l, u64 now_ns)
{
	u64 left, tick = vlapic_timer_tick_ns(l);

	if (!l->expires)
		return 0;
	if (now_ns < l->expires)
		left = l->expires - now_ns;
	else if (mode(l) == VLAPIC_LVT_PERIODIC)
		left = period_ns(l) - (now_ns - l->expires) % period_ns(l);
	else
		return 0;
	return (u32)DIV_ROUND_UP(left, tick);
}

void vlapic_timer_start(struct vlapic *l, u32 count, u64 now_ns)
{
	/* In TSC-deadline mode the write is ignored. */
	if (mode(l) == VLAPIC_LVT_DEADLINE)
		return;
	REG(l, VLAPIC_TIMER_INIT) = count;
	l->expires = count ? now_ns + period_ns(l) : 0;
}

void vlapic_timer_set_lvt(struct vlapic *l, u32 value)
{
	u32 old = mode(l);

	REG(l, VLAPIC_LVT_TIMER) = value;
	/* Into TSC-deadline mode or out of it: the timer stops. */
	if ((old ^ value) & VLAPIC_LVT_DEADLINE) {
		l->expires = 0;
		l->deadline = 0;
	}
}

/* The count goes on from where it is, at the new rate. */
void vlapic_timer_set_divide(struct vlapic *l, u32 value, u64 now_ns)
{
	u32 count = vlapic_timer_count(l, now_ns);

	REG(l, VLAPIC_DIVIDE) = value;
	if (l->expires)
		l->expires = now_ns + count * vlapic_timer_tick_ns(l);
}

static void run_deadline(struct vlapic *l, const struct vlapic_time *now, struct vlapic_out *out)
{
	if (!l->deadline || now->tsc < l->deadline)
		return;
	l->deadline = 0;
	vlapic_raise_lvt(l, VLAPIC_LVT_TIMER, out);
}

void vlapic_timer_run(struct vlapic *l, const struct vlapic_time *now, struct vlapic_out *out)
{
	if (mode(l) == VLAPIC_LVT_DEADLINE) {
		run_deadline(l, now, out);
		return;
	}
	if (!l->expires || now->ns < l->expires)
		return;
	/* However many periods have passed, one interrupt is pending. */
	if (mode(l) == VLAPIC_LVT_PERIODIC)
		l->expires += ((now->ns - l->expires) / period_ns(l) + 1) * period_ns(l);
	else
		l->expires = 0;
	out->flags |= VLAPIC_OUT_TIMER;
	vlapic_raise_lvt(l, VLAPIC_LVT_TIMER, out);
}

/* System time when the guest's TSC is `deadline`; UINT64_MAX: too far away. */
static u64 deadline_ns(u64 deadline, const struct vlapic_time *now)
{
	u64 ticks, ms;

	if (deadline <= now->tsc)
		return now->ns;
	ticks = deadline - now->tsc;
	ms = ticks / now->tsc_khz;
	if (ms > 1000UL * 3600 * 24 * 365 * 100) /* a century */
		return ~0UL;
	return now->ns + ms * 1000000 +
	       DIV_ROUND_UP(ticks % now->tsc_khz * 1000000, (u64)now->tsc_khz);
}

u64 vlapic_timer_next(const struct vlapic *l, const struct vlapic_time *now)
{
	u64 next = l->expires;

	if (REG(l, VLAPIC_LVT_TIMER) & VLAPIC_LVT_MASKED)
		return 0;
	if (mode(l) == VLAPIC_LVT_DEADLINE) {
		if (!l->deadline)
			return 0;
		next = deadline_ns(l->deadline, now);
		return next == ~0UL ? 0 : max(next, 1UL);
	}
	if (next && mode(l) == VLAPIC_LVT_PERIODIC && period_ns(l) < PERIOD_MIN_NS)
		next = max(next, now->ns + PERIOD_MIN_NS);
	return next;
}

int vlapic_read_deadline(struct vlapic *l, const struct vlapic_time *now, u64 *value)
{
	if (!(l->features & VLAPIC_HAS_DEADLINE))
		return -EINVAL;
	/* 0 once it has passed, even if the interrupt waits for vlapic_timer_run. */
	*value = l->deadline > now->tsc ? l->deadline : 0;
	return 0;
}

int vlapic_write_deadline(struct vlapic *l, u64 value, const struct vlapic_time *now,
			  struct vlapic_out *out)
{
	if (!(l->features & VLAPIC_HAS_DEADLINE))
		return -EINVAL;
	/* In the other modes writes are ignored, and it reads as 0. */
	if (mode(l) != VLAPIC_LVT_DEADLINE)
		return 0;
	vlapic_timer_run(l, now, out);
	l->deadline = value;
	vlapic_timer_run(l, now, out);
	out->flags |= VLAPIC_OUT_TIMER;
	return 0;
}
