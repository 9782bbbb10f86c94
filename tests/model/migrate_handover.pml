/* SPDX-License-Identifier: MIT */
/*
 * One guest that moves to another host: the hand-over of docs/design/migration.md. The source asks and the target
 * answers, over connections that break at any moment; either xend is killed at any moment and starts anew from its
 * record; the target's host may lose its power. What is in the air when a connection breaks is lost or arrives late.
 *
 * THE PROPERTIES. The guest never runs on both hosts, nor does the target open a disk that the source has not closed.
 * When nothing moves any more, the guest runs on one host, and the other one has nothing left of it.
 *
 * A record (s_rec, t_rec) outlives its xend, and so does a guest; nothing else does. A message has the number of its
 * connection; xend reads those of its present one. One line of the model is one step that others may come in between.
 */
/* run: pass */
/* run: pass -DPOWER */
/* run: pass -DBREAKS=4 -DKILLS=0 */
/* run: fail -DGO_BEFORE_RECORD */
/* run: fail -DRESUME_IN_DOUBT */
/* run: fail -DOPEN_EARLY */
/* run: fail -DNO_DROP */
/* run: fail -DOWN_WITHOUT_RECORD */

#ifndef BREAKS
#define BREAKS 2
#endif
#ifndef KILLS
#define KILLS 1
#endif

/* From the source: a new move, its memory with the end of the stream, and the rest. */
mtype = { OFFER, MEMORY, GO, CLOSED, ASK, DROP };
/* From the target. */
mtype = { READY, RECEIVED, ARRIVED, RUNS, UNKNOWN };
/* Records of the source, and of the target. */
mtype = { HERE, OUTGOING, HANDED_OVER, AWAY, FORGOTTEN };
mtype = { NOTHING, INCOMING, COMPLETE, OURS, RUNNING };

chan to_target = [3] of { byte, mtype };
chan to_source = [3] of { byte, mtype };

mtype s_rec = HERE;
mtype t_rec = NOTHING;
bool s_runs = true, s_exists = true, s_open = true;
bool t_runs, t_exists, t_open;

byte connection;	/* the newest one; the source makes it */
bool up;		/* it has not broken */
bool s_kill, t_kill;	/* that xend ends at its next step */
bool power_lost;

#define ONE_COPY assert(!(s_runs && t_runs) && !(s_open && t_open))

inline say_target(what)
{
	if
	:: atomic { up && nfull(to_target) -> to_target!connection, what }
	:: !up
	fi
}

inline connect_and(what)
{
	atomic {
		connection++;
		up = true;
		do
		:: to_source?_, _
		:: empty(to_source) -> break
		od
	};
	say_target(what)
}

/* The answer to what was said last; 0: the connection broke. Late ones of older connections are never read. */
inline hear_source()
{
	answer = 0;
	if
	:: to_source?eval(connection), answer
	:: !up
	:: s_kill
	fi
}

active proctype source()
{
	mtype answer;

again:
	s_kill = false;
	/* What a starting xend does. */
	if
	:: s_rec == OUTGOING -> goto take_back
	:: s_rec == HANDED_OVER -> goto doubt
	:: s_rec == AWAY -> goto away
	:: else
	fi;
	s_rec = OUTGOING;
	connect_and(OFFER);
	hear_source();
	if
	:: s_kill -> goto again
	:: !s_kill && answer != READY -> goto take_back
	:: else
	fi;
	s_runs = false;
	say_target(MEMORY);
	hear_source();
	if
	:: s_kill -> goto again
	:: !s_kill && answer != RECEIVED -> goto take_back
	:: else
	fi;
#ifdef GO_BEFORE_RECORD
	say_target(GO);
	if
	:: s_kill -> goto again
	:: else
	fi;
	s_rec = HANDED_OVER;
#else
	s_rec = HANDED_OVER;
	say_target(GO);
#endif
	hear_source();
	goto judge;

doubt:
#ifdef RESUME_IN_DOUBT
	goto take_back;
#endif
	connect_and(ASK);
	hear_source();
judge:
	if
	:: s_kill -> goto again
	:: !s_kill && answer == RECEIVED ->
		say_target(GO);
		hear_source();
		goto judge
	:: !s_kill && answer == ARRIVED
	:: !s_kill && answer == UNKNOWN -> goto take_back
	:: !s_kill && answer == 0 -> goto doubt
	fi;
	s_rec = AWAY;

	/* The guest is the target's. Close, then say so until the target has understood. */
away:
	atomic { s_open = false; s_exists = false };
	say_target(CLOSED);
	hear_source();
	do
	:: s_kill -> goto again
	:: !s_kill && (answer == RUNS || answer == UNKNOWN) -> break
	:: !s_kill && answer == 0 -> connect_and(ASK); hear_source()
	:: !s_kill && answer == ARRIVED -> say_target(CLOSED); hear_source()
	od;
	s_rec = FORGOTTEN;
	goto end_source;

	/* It goes on here. Tell the target, which may have it complete and wait. */
take_back:
	atomic { s_runs = true; ONE_COPY };
#ifndef NO_DROP
	connect_and(DROP);
	hear_source();
	do
	:: s_kill -> goto again
	:: !s_kill && answer == UNKNOWN -> break
	:: !s_kill && answer != UNKNOWN -> connect_and(DROP); hear_source()
	od;
#endif
	s_rec = HERE;

end_source:
	skip
}

inline say_source(what)
{
	if
	:: atomic { up && from == connection && nfull(to_source) -> to_source!from, what }
	:: !up || from != connection
	fi
}

/* One task at a time works on the domain: a message of a newer connection ends the wait on an older one. */
active proctype target()
{
	byte from;
	mtype what;

again:
	atomic {
		up = (t_kill -> false : up);
		t_kill = false;
		/* What a starting xend takes away: what was not complete, and what its host has lost. */
		if
		:: t_rec == INCOMING || (t_rec != NOTHING && !t_exists) -> t_rec = NOTHING; t_exists = false; t_open = false
		:: else
		fi
	};
end_target:
	do
	:: t_kill -> goto again
	:: to_target?from, what ->
		if
		:: what == OFFER && t_rec == NOTHING ->
			t_rec = INCOMING;
			t_exists = true;
			say_source(READY)
		:: what == OFFER && t_rec != NOTHING -> say_source(UNKNOWN)
		:: what == MEMORY && t_rec == INCOMING ->
			t_rec = COMPLETE;
			say_source(RECEIVED)
		:: what == GO && (t_rec == COMPLETE || t_rec == OURS) ->
#ifndef OWN_WITHOUT_RECORD
			t_rec = OURS;
#endif
			say_source(ARRIVED);
#ifdef OWN_WITHOUT_RECORD
			if
			:: t_kill -> goto again
			:: else
			fi;
			t_rec = OURS;
#endif
#ifdef OPEN_EARLY
			goto begin
#endif
		:: what == CLOSED && t_rec == OURS ->
begin:			atomic { t_open = true; ONE_COPY };
			/* Killed here, xend finds the record "ours", and is told again that the source has closed. */
			if
			:: t_kill -> t_open = false; goto again
			:: else
			fi;
			t_rec = RUNNING;
			atomic { t_runs = t_exists; ONE_COPY };
			say_source(RUNS)
		:: what == ASK && t_rec == COMPLETE -> say_source(RECEIVED)
		:: what == ASK && t_rec == OURS -> say_source(ARRIVED)
		:: what == ASK && t_rec == RUNNING -> say_source(RUNS)
		:: what == ASK && (t_rec == NOTHING || t_rec == INCOMING) -> say_source(UNKNOWN)
		:: what == DROP ->
			assert(t_rec != OURS && t_rec != RUNNING);
			t_rec = NOTHING;
			t_exists = false;
			say_source(UNKNOWN)
		/* A message that makes no sense now: hang up. */
		:: else -> atomic { up = (from == connection -> false : up) }
		fi
	/* The connection on which the memory comes has broken. */
	:: atomic { t_rec == INCOMING && (!up || from != connection) && empty(to_target) -> t_rec = NOTHING; t_exists = false }
	od
}

active proctype faults()
{
	byte breaks = BREAKS, kills = KILLS, kills_t = KILLS;
	bool power = true;

	do
	:: atomic { breaks > 0 -> breaks--; up = false }
	/* What was in the air is lost; without this step it arrives late. */
	:: atomic { breaks > 0 && !up && nempty(to_target) -> to_target?_, _ }
	:: atomic { breaks > 0 && !up && nempty(to_source) -> to_source?_, _ }
	:: atomic { kills > 0 -> kills--; up = false; s_kill = true }
	:: atomic { kills_t > 0 -> kills_t--; up = false; t_kill = true }
#ifdef POWER
	/* Not while it runs: a guest ends with its host. */
	:: atomic {
		power && !t_runs && t_exists ->
			power = false;
			power_lost = true;
			up = false;
			t_exists = false;
			t_open = false;
			t_kill = true
	}
#endif
	:: breaks == 0 && kills == 0 && kills_t == 0 -> break
	od
}

/* When nothing moves any more. */
active proctype judge_end()
{
	timeout;
	ONE_COPY;
	if
	:: s_runs -> assert(s_rec == HERE && s_exists && s_open && t_rec == NOTHING && !t_exists)
	:: t_runs -> assert(t_rec == RUNNING && t_exists && t_open && s_rec == FORGOTTEN && !s_exists && !s_open)
	/* The target's host died with the guest, which it owned already. */
	:: else -> assert(power_lost && s_rec == FORGOTTEN)
	fi
}
