/* SPDX-License-Identifier: MIT */
/*
 * One frame that changes hands while CPUs still have translations of it: the clock, stamps and filter of x86/mm/tlb.c
 * with what the allocator does to a freed frame (core/base/page_alloc.c, x86/mm/page_reuse.c). The owner unmaps the frame
 * without a flush and gives it back; an idle CPU scrubs it; somebody gets it. Meanwhile every CPU that runs the old owner
 * stores through whatever its TLB holds.
 *
 * THE PROPERTY. A frame that is given out holds zeros, and no CPU has a translation of it.
 *
 * One line of the model is one step that other CPUs may come in between; atomic is for what really is one,
 * or what nobody else can see. The clock has few values. With WRAP it starts anew at the last one, else it stands still.
 */
/* run: pass */
/* run: pass -DWRAP */
/* run: fail -DOLD */
/* run: fail -DSTAMP_BEFORE_UNMAP */
/* run: fail -DNOTE_AFTER_FLUSH */
/* run: fail -DWRAP -DWRAP_UNANNOUNCED */

#define CPUS 3
#define FIRST 1
#ifndef LAST
#define LAST 4
#endif

byte clock = FIRST;
byte stamped;
bool wrap_wanted, wrapping;
byte note[CPUS]; /* tlb_flushed_at */
bool tlb[CPUS];
bool pending[CPUS];
bool requesting; /* request_lock */

bool mapped = true;
bool bytes;	 /* the frame holds something */
byte stamp;	 /* in its type_info */
mtype = { OWNED, IN_HAND, DIRTY, CLEAN };
mtype state = OWNED;

/* --- x86/mm/tlb.c --- */

/* clock_for_flush */
inline note_take()
{
	now = clock;
	if
	:: stamped == now && now != LAST ->
		atomic {
			if
			:: clock == now ->
				clock = now + 1;
				now = now + 1;
				wrap_wanted = wrap_wanted || now == LAST
			:: else ->
				now = clock
			fi
		}
	:: else
	fi
}

/* tlb_load_cr3; interrupts are off: `serve` does not come in between. */
inline flush_here()
{
#ifdef NOTE_AFTER_FLUSH
	tlb[me] = false;
	note_take();
#else
	note_take();
	tlb[me] = false;
#endif
	note[me] = now;
	now = 0
}

/* The interrupt. */
inline serve()
{
	flush_here();
	pending[me] = false
}

/* tlb_flush_mask, of those in `stale` */
inline flush_stale()
{
	if
	:: stale & (1 << me) ->
		flush_here();
		stale = stale & ~(1 << me)
	:: else
	fi;
	if
	:: stale ->
		do
		:: atomic { !requesting -> requesting = true; break }
		:: pending[me] -> serve()
		od;
		atomic {
			pending[0] = stale & 1;
			pending[1] = stale & 2;
			pending[2] = stale & 4;
			stale = 0
		};
		!(pending[0] || pending[1] || pending[2]);
		requesting = false
	:: else
	fi
}

/* tlb_filter of all CPUs */
inline filter()
{
	now = clock;
	if
	:: stamp == 0 -> stale = 0
	:: else ->
		if
		:: wrapping -> stale = 7
		:: !wrapping && stamp > now -> stale = 0
		:: !wrapping && stamp <= now ->
			stale = (note[0] <= stamp -> 1 : 0);
			stale = stale | (note[1] <= stamp -> 2 : 0);
			stale = stale | (note[2] <= stamp -> 4 : 0)
		fi
	fi;
	now = 0
}

#ifdef WRAP
inline wrap()
{
#ifndef WRAP_UNANNOUNCED
	wrapping = true;
#endif
	clock = FIRST;
	stale = 7;
	flush_stale();
	wrapping = false
}
#endif

/* --- the frame --- */

/* arch_page_reused */
inline reused()
{
	filter();
	flush_stale();
	stamp = 0
}

/* tlb_clock, and arch_page_freed; the caller has the frame in hand */
inline unmap_and_free()
{
#ifndef STAMP_BEFORE_UNMAP
	mapped = false;
#endif
	now = clock;
	if
	:: stamped != now -> stamped = now
	:: else
	fi;
#ifdef STAMP_BEFORE_UNMAP
	mapped = false;
#endif
	atomic {
		stamp = now;
		now = 0;
		state = DIRTY
	}
}

inline give_out()
{
	reused();
	if
	:: dirty -> bytes = false
	:: else
	fi;
	atomic {
		assert(!bytes);
		assert(!tlb[0] && !tlb[1] && !tlb[2]);
		dirty = false;
		mapped = true;
		state = OWNED
	}
}

/* page_alloc_scrub_some. What would disturb others too often goes back as it was. */
inline scrub()
{
#ifndef OLD
	filter();
	if
	:: stale & ~(1 << me) -> give_back = true
	:: true -> flush_stale(); stamp = 0
	fi;
#endif
	if
	:: give_back ->
		atomic {
			give_back = false;
			stale = 0;
			state = DIRTY
		}
	:: else ->
		bytes = false;
		state = CLEAN
	fi
}

/* A CPU runs the owner's programs, switches between them, and is in the hypervisor now and then. */
active [CPUS] proctype cpu()
{
	byte me = _pid, now, stale;
	bool dirty, give_back;

end:	do
	:: pending[me] -> serve()
	:: tlb[me] && !bytes -> bytes = true
	:: flush_here()
#ifdef WRAP
	:: atomic { wrap_wanted && !wrapping -> wrap_wanted = false }; wrap()
#endif
	:: atomic { me == 2 && state == OWNED -> state = IN_HAND }; unmap_and_free()
	:: atomic { me == 2 && (state == DIRTY || state == CLEAN) -> dirty = state == DIRTY; state = IN_HAND }; give_out()
	:: atomic { me == 0 && state == DIRTY -> state = IN_HAND }; scrub()
	od
}

active proctype walkers()
{
end:	do
	:: atomic { mapped && !tlb[0] -> tlb[0] = true }
	:: atomic { mapped && !tlb[1] -> tlb[1] = true }
	:: atomic { mapped && !tlb[2] -> tlb[2] = true }
	od
}
