/* SPDX-License-Identifier: MIT */
/*
 * The stamp of a frame's last writable use (page_type_put of x86/mm/page_types.c), when several CPUs drop references of
 * that type, under different locks: a grant is unpinned (CPU 0) while a vCPU of the granter (CPU 1) maps the frame,
 * unmaps it without a flush, and makes a page table of it. CPU 2 runs another vCPU of the granter.
 *
 * THE PROPERTY. When the frame is a page table, no CPU has a writable translation of it.
 *
 * The clock's value is read before the count falls to zero, in one compare-and-exchange with the new stamp. A use that
 * has come and gone in between leaves the count as it was; so each drop that is not the last one changes something
 * (`drops`), for the exchange to fail. How flushes are done is the matter of tlb_scrub.pml: here one is one step.
 */
/* run: pass */
/* run: fail -DOLD */

#define CPUS 3
#define LAST 6
#define ROUNDS 5 /* uses by CPU 1: more than `drops` has values cannot happen while another CPU is between two steps */

byte clock = 1;
byte stamped;
byte note[CPUS];
bool tlb[CPUS];
bool mapped;

/* type_info: one word, so read and exchanged as a whole */
bool writable = true;
byte count = 1; /* the grant's */
byte drops;
byte stamp;

inline flush(cpu)
{
	atomic {
		if
		:: stamped == clock && clock != LAST -> clock++
		:: else
		fi;
		note[cpu] = clock;
		tlb[cpu] = false
	}
}

inline type_put()
{
	do
	:: atomic { x_count = count; x_drops = drops };
		if
		:: x_count == 1 ->
			now = clock;
			if
			:: stamped != now -> stamped = now
			:: else
			fi
		:: else
		fi;
		atomic {
			if
			:: count == x_count && drops == x_drops && x_count == 1 ->
				count = 0;
				stamp = now;
				drops = 0;
				now = 0;
				x_count = 0;
				x_drops = 0;
				break
			:: count == x_count && drops == x_drops && x_count != 1 ->
				count--;
#ifndef OLD
				drops++;
#endif
				x_count = 0;
				x_drops = 0;
				break
			:: else
			fi
		}
	od
}

active proctype unpin()
{
	byte now, x_count, x_drops;

	type_put()
}

active proctype granter()
{
	byte now, x_count, x_drops, rounds, cpu;

	do
	:: rounds < ROUNDS ->
		rounds++;
		/* Writable to writable: nothing is flushed. A new type begins with no drops. */
		atomic { count < 2; count++ };
		mapped = true;
		mapped = false;
		type_put()
	:: atomic { count == 0 -> writable = false; count = 1 };
		cpu = 0;
		do
		:: cpu < CPUS ->
			if
			:: note[cpu] <= stamp -> flush(cpu)
			:: else
			fi;
			cpu++
		:: else -> break
		od;
		assert(!tlb[0] && !tlb[1] && !tlb[2]);
		break
	od
}

active proctype programs()
{
end:	do
	:: atomic { mapped && !tlb[2] -> tlb[2] = true }
	:: flush(2)
	od
}
