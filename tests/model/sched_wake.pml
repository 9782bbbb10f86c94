/* SPDX-License-Identifier: MIT */
/*
 * No wake-up is lost (core/sched/sched.c).
 *
 * A vCPU V blocks and is woken by events, is paused, is moved by its affinity, and uses up its
 * domain's cap. Meanwhile two CPUs choose, switch, save registers, steal and halt. The reasons not
 * to run (`blocked`, `paused`) change without a lock. The place of V (`running`, `queued`,
 * `parked`, its CPU) changes under the lock of its CPU's queue. A CPU halts unless SOFTIRQ_SCHEDULE
 * is pending there; only an IPI ends a halt. Once nothing moves any more, a runnable V must run.
 *
 * OLD: the CPU that saved V's registers queues V, if V is runnable by then, and does not tell
 * itself.
 * OPEN_HALT: a CPU looks for softirqs with interrupts on before it halts.
 */

/* run: fail -DOLD -DPINNED */
/* run: fail -DOLD -DPINNED -DCAPPED */
/* run: fail -DOLD -DWARM */
/* run: fail -DOLD -DMOVED -DTIMES=1 */
/* run: fail -DOPEN_HALT */
/* run: pass -DPINNED -DPAUSED */
/* run: pass -DPINNED -DCAPPED -DPAUSED -DTIMES=1 */
/* run: pass -DPAUSED */
/* run: pass -DWARM -DPAUSED */
/* run: pass -DMOVED -DTIMES=1 */

#define CPUS   2
#define NOBODY 2 /* an interrupt handler elsewhere */
#ifndef TIMES
#define TIMES 2 /* that V blocks, and that an event is sent */
#endif

bit blocked, paused, event;
bit running, queued, parked, counted;
byte on; /* V's CPU */
bit allowed[CPUS];     /* V's affinity */
bit lock[CPUS];
bit curr_is_v[CPUS];   /* else the idle vCPU */
bit idle[CPUS];	       /* sched_idle_cpus */
bit schedule[CPUS];    /* SOFTIRQ_SCHEDULE pending */
bit ipi[CPUS];
bit spent, armed;      /* the cap's budget; the refill timer */
byte blocks;

#define RUNNABLE (!blocked && !paused)

/*
 * In each process: `me` is its CPU or NOBODY, `c` is V's CPU, whose queue's lock it holds or wants;
 * `to`, `stays`, `head` are what the functions of the same names in C have.
 */
#define LOCALS byte c, to; bit stays, head

inline take(q) { atomic { !lock[q] -> lock[q] = 1 } }
inline release(q) { lock[q] = 0 }

/* sched_lock_vcpu */
inline take_of_v()
{
	do
	:: c = on;
	   take(c);
	   if
	   :: on == c -> break
	   :: else -> release(c)
	   fi
	od
}

inline raise_on(r)
{
	if
	:: atomic { schedule[r] -> skip }
	:: atomic { !schedule[r] -> schedule[r] = 1 };
	   if
	   :: r != me -> ipi[r] = 1
	   :: else
	   fi
	fi
}

/* The idle vCPU runs on c, whose lock is held. */
inline ask_to_schedule()
{
	idle[c] = 0;
	raise_on(c)
}

/* V waits on c: a CPU that idles is to fetch it, unless V is pinned. */
inline call_idle_cpu()
{
	if
	:: !(allowed[0] && allowed[1])
	:: atomic { allowed[0] && allowed[1] && idle[0] -> idle[0] = 0 }; raise_on(0)
	:: atomic { allowed[0] && allowed[1] && idle[1] -> idle[1] = 0 }; raise_on(1)
	:: allowed[0] && allowed[1] && !idle[0] && !idle[1]
	fi
}

inline vcpu_wake()
{
	do
	:: take_of_v();
	   if
	   :: !RUNNABLE || running || queued || parked -> break
	   :: else
	   fi;
	   counted = 1;
	   if
	   :: allowed[c] && (idle[c] || !idle[1 - c] || !allowed[1 - c]) -> to = c
	   :: else -> to = (allowed[1 - c] -> 1 - c : c)
	   fi;
	   if
	   :: to == c ->
	      queued = 1;
	      if
	      :: !curr_is_v[c] -> ask_to_schedule()
	      :: else -> call_idle_cpu()
	      fi;
	      break
	   :: else -> on = to; release(c)
	   fi
	od;
	release(c)
}

inline vcpu_sleep()
{
	take_of_v();
	if
	:: RUNNABLE
	:: else ->
	   if
	   :: running ->
	      if
	      :: curr_is_v[c] -> raise_on(c)
	      :: else
	      fi
	   :: else -> queued = 0; parked = 0; counted = 0
	   fi
	fi;
	release(c)
}

inline share_park()
{
	parked = 1;
	armed = 1
}

/*
 * Another CPU's queue has V: it comes here, unless it ran there a moment ago. The lock is dropped
 * meanwhile.
 */
inline steal()
{
	release(me);
	take(0);
	take(1);
	if
	:: queued && on == 1 - me && allowed[me] ->
	   if
	   :: on = me
#ifdef WARM
	   :: skip
#endif
	   fi
	:: else
	fi;
	release(1 - me)
}

inline first_runnable()
{
	head = 0;
	if
	:: queued && on == me ->
	   if
	   :: spent -> queued = 0; share_park()
	   :: else -> head = 1
	   fi
	:: else
	fi
}

inline choose_next()
{
	stays = curr_is_v[me] && RUNNABLE && allowed[me];
	stays = stays && !spent;
	first_runnable();
	if
	:: !stays && !head -> idle[me] = 1
	:: else
	fi;
	if
	:: queued && on == 1 - me ->
	   steal();
	   stays = stays && RUNNABLE && allowed[me];
	   stays = stays && !spent;
	   first_runnable()
	:: else
	fi;
	if
	:: stays
	:: !stays && head -> queued = 0
	:: !stays && !head ->
	   if
	   :: atomic { idle[me] -> skip }
	   :: atomic { !idle[me] -> idle[me] = 1 }; raise_on(me)
	   fi
	fi
}

inline context_saved()
{
	take_of_v();
	running = 0;
	if
	:: !RUNNABLE -> counted = 0; release(c)
	:: else ->
	   if
	   :: !counted || !allowed[c] -> release(c); vcpu_wake()
	   :: else ->
	      if
	      :: spent -> share_park()
	      :: else ->
		 queued = 1;
#ifdef OLD
		 call_idle_cpu()
#else
		 if
		 :: !curr_is_v[c] -> ask_to_schedule()
		 :: else -> call_idle_cpu()
		 fi
#endif
	      fi;
	      release(c)
	   fi
	fi
}

inline do_schedule()
{
	take(me);
	choose_next();
	if
	:: curr_is_v[me] && !stays && !head -> /* V leaves */
	   if
	   :: RUNNABLE
	   :: else -> counted = 0
	   fi;
	   curr_is_v[me] = 0;
	   release(me);
	   context_saved()
	:: !curr_is_v[me] && head -> /* V comes */
	   running = 1;
	   curr_is_v[me] = 1;
	   idle[me] = 0;
	   release(me)
	:: else -> release(me)
	fi
}

/*
 * What V does for its guest while it runs on this CPU: takes its events; blocks, which is over at
 * once if one is there.
 */
inline run_guest()
{
	if
	:: event -> event = 0
	:: atomic { blocks < TIMES -> blocks++ };
	   blocked = 1;
	   if
	   :: event -> blocked = 0
	   :: else -> raise_on(me)
	   fi
#ifdef CAPPED
	:: atomic { blocks < TIMES -> blocks++ };
	   spent = 1;
	   raise_on(me)
#endif
	fi
}

proctype Cpu(byte me)
{
	LOCALS;

	do
	:: atomic { schedule[me] -> schedule[me] = 0 }; do_schedule()
	:: !schedule[me] ->
#ifdef OPEN_HALT
	   if
	   :: ipi[me] -> ipi[me] = 0 /* the handler ran, and returned to the HLT */
	   :: true
	   fi;
#endif
end_halted:
	   if
	   :: atomic { ipi[me] -> ipi[me] = 0 }
	   :: curr_is_v[me] && (event || blocks < TIMES) -> run_guest()
	   fi
	od
}

proctype Sender(byte nr)
{
	byte me = NOBODY;
	LOCALS;

	do
	:: nr > 0 ->
	   nr--;
	   if
	   :: atomic { event -> skip }
	   :: atomic { !event -> event = 1 };
	      if
	      :: blocked -> blocked = 0; vcpu_wake()
	      :: else
	      fi
	   fi
	:: else -> break
	od
}

#ifdef PAUSED
proctype Pauser()
{
	byte me = NOBODY;
	LOCALS;

	paused = 1;
	vcpu_sleep();
	paused = 0;
	vcpu_wake()
}
#endif

#ifdef MOVED
/* vcpu_set_hard_affinity */
inline set_affinity(zero, one)
{
	take_of_v();
	allowed[0] = zero;
	allowed[1] = one;
	moves = !allowed[c];
	if
	:: queued && moves -> queued = 0
	:: !queued && moves && curr_is_v[c] -> raise_on(c)
	:: else
	fi;
	release(c);
	if
	:: moves -> vcpu_wake()
	:: else
	fi
}

proctype Mover()
{
	byte me = NOBODY;
	LOCALS;
	bit moves;

	set_affinity(0, 1);
	set_affinity(1, 0)
}
#endif

#ifdef CAPPED
/*
 * Time fills the budget; the timer, which was taken out of its queue before its handler runs, wakes
 * who is parked.
 */
proctype Refill()
{
	byte me = NOBODY;
	LOCALS;
	bit was;

end:	do
	:: atomic { spent -> spent = 0 }
	:: atomic { armed -> armed = 0 };
	   spent = 0;
	   take_of_v();
	   was = parked;
	   parked = 0;
	   release(c);
	   if
	   :: was -> vcpu_wake()
	   :: else
	   fi
	od
}
#endif

init
{
	atomic {
		allowed[0] = 1;
#ifndef PINNED
		allowed[1] = 1;
#endif
		running = 1;
		counted = 1;
		curr_is_v[0] = 1;
		idle[1] = 1;
		run Cpu(0);
		run Cpu(1);
		run Sender(TIMES);
#ifdef PAUSED
		run Pauser();
#endif
#ifdef MOVED
		run Mover();
#endif
#ifdef CAPPED
		run Refill();
#endif
	};
	timeout;
	/* Nothing moves: all CPUs wait for an interrupt. */
	assert(!lock[0] && !lock[1]);
	assert(!(blocked && event));
	assert(running == RUNNABLE);
	assert(!queued && !parked);
	assert(counted == RUNNABLE);
	assert(!running || (curr_is_v[on] && allowed[on]));
	assert(curr_is_v[0] == !idle[0] && curr_is_v[1] == !idle[1])
}
