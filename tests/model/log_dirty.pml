/* SPDX-License-Identifier: MIT */
/*
 * One page that two vCPUs write to while a tool copies it round by round: the entry of the guest's table, its mirror
 * (x86/mm/mirror.c: entry_open, mirror_update, mirror_protect) and the round (x86/mm/log_dirty.c). The guest's kernel clears the
 * dirty marked of the entry meanwhile, as it does when it has written the page to a disk.
 *
 * THE PROPERTIES. After the last round, with the vCPUs stopped, the tool has the page's last contents. A vCPU never writes to a
 * page that the kernel knows to be clean without setting the entry's dirty bit again.
 *
 * One line of the model is one step that other CPUs may come in between; atomic is for what really is one,
 * or what nobody else can see.
 */
/* run: pass */
/* run: fail -DMARK_FIRST */
/* run: fail -DHOT_FIRST */
/* run: fail -DPROTECT_FIRST */
/* run: fail -DPROTECT_UNLOCKED */
/* run: fail -DNO_FLUSH */
/* run: fail -DNO_GENERATION */

#define VCPUS	2
#define WRITES	2
#define ROUNDS	2
#define PUBLISH 1

bool newer; /* than what the tool has copied */
bool marked, hot;
bool entry_dirty = true;
bool mirror_rw;
bool mirror_generation; /* there is one change at most */
bool tlb[VCPUS]; /* has a writable translation */
bool lock;	 /* mmu_lock */
bool clean;	 /* the kernel knows that the page is clean: it has cleared dirty, and flushed */
byte stopped;

#ifdef NO_GENERATION
#define SAME_GENERATION true
#else
#define SAME_GENERATION (mirror_generation == generation)
#endif

#define acquire() atomic { !lock -> lock = true }
#define release() lock = false
#define flush()	  atomic { tlb[0] = false; tlb[1] = false }

/* --- the processor and entry_open --- */

proctype vcpu(byte id)
{
	byte n = 0;
	bool generation, seen_dirty, seen_rw, wrote;

	do
	:: n < WRITES ->
		wrote = false;
		atomic {
			if
			:: tlb[id] || mirror_rw ->
				tlb[id] = true;
				assert(!clean || entry_dirty);
				newer = true;
				n++;
				wrote = true
			:: else
			fi
		}
		if
		:: wrote
		:: else ->
			atomic { seen_rw = mirror_rw; generation = mirror_generation }
			seen_dirty = entry_dirty;
			if
			:: !seen_dirty ->
				/* A compare-and-exchange: the entry may have changed to dirty, not back. */
				atomic { entry_dirty = true; clean = false }
			:: else
			fi
#ifdef MARK_FIRST
			marked = true;
#endif
#ifdef HOT_FIRST
			hot = true;
#endif
			wrote = false;
			atomic {
				if
				:: mirror_rw == seen_rw && SAME_GENERATION ->
					mirror_rw = true;
					wrote = true
				:: else
				fi
			}
			if
			:: wrote ->
#ifndef HOT_FIRST
				hot = true;
#endif
#ifndef MARK_FIRST
				marked = true;
#endif
				skip
			:: else
			fi
		fi;
		atomic { wrote = false; seen_rw = false; seen_dirty = false; generation = false }
	:: n == WRITES ->
		break
	od;
	stopped++
}

/* --- the guest's kernel: an entry without dirty, or with it --- */

proctype kernel()
{
	byte n = 0;
	bool dirty, opened;

	do
	:: n < PUBLISH ->
		n++;
		if
		:: dirty = false
		:: dirty = true
		fi;
		acquire();
		atomic { entry_dirty = dirty; clean = clean && !dirty };
		/* mirror_update: may it be written at once? */
		opened = entry_dirty && marked;
		atomic {
			mirror_rw = opened;
			mirror_generation = !mirror_generation
		}
		if
		:: opened -> hot = true
		:: else
		fi;
		release();
		flush();
		atomic {
			if
			:: !dirty && !entry_dirty -> clean = true
			:: else
			fi
		}
	:: n == PUBLISH ->
		break
	od;
	stopped++
}

/* --- the tool --- */

inline protect()
{
#ifndef PROTECT_UNLOCKED
	acquire();
#endif
	atomic { was_hot = hot; hot = false }
	if
	:: was_hot -> mirror_rw = false
	:: else
	fi;
#ifndef PROTECT_UNLOCKED
	release();
#endif
#ifndef NO_FLUSH
	flush()
#else
	skip
#endif
}

proctype tool()
{
	byte n = 0;
	bool taken, was_hot;

	do
	:: n <= ROUNDS ->
		/* The last one comes when the vCPUs are paused. */
		if
		:: n == ROUNDS -> stopped == VCPUS + 1
		:: else
		fi;
		n++;
#ifdef PROTECT_FIRST
		protect();
		atomic { taken = marked; marked = false }
#else
		atomic { taken = marked; marked = false }
		protect();
#endif
		if
		:: taken -> newer = false
		:: else
		fi
	:: n > ROUNDS ->
		break
	od;
	assert(!newer)
}

init
{
	atomic {
		run vcpu(0);
		run vcpu(1);
		run kernel();
		run tool()
	}
}
