/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Model: the two-reader ring (daemon/flow/ring.c), the bells (bell.c) and the four threads that
 * use them (door.c, judge.c, recorder.c with its relief), small enough for every interleaving to be
 * tried.
 *
 * Each access to what threads share is a step of its own; what a thread does with its own copies
 * between two such accesses is one step with the access. A slot is written and read in two halves,
 * so a reader that is too early sees a torn or an old reading. The recorder and the relief share the
 * recorder's cursor under a lock.
 *
 * Proved, for the capacity SLOTS and READINGS readings, where the ring goes round more than twice:
 *  - the judge reads each published reading once, whole, in order; nothing else;
 *  - each published reading is either committed by the recorder, FAILURES of whose commits may
 *    fail at any time, or passed over and counted by the relief, once and in order; nothing is both,
 *    and nothing neither, unless the recorder gave up at the end;
 *  - the producer never overwrites what a reader may still read, and refuses only a full ring;
 *  - nobody sleeps through a reading or the stop. The sleepers of the model have no time-out, so
 *    that one which only the time-out of bell_sleep() would wake shows as a deadlock;
 *  - with a commit that never returns (DISK_HANGS) the judge still reads everything.
 *
 * Not proved here:
 *  - the memory orders: Spin knows only one order of all accesses that every thread sees alike.
 *    Whether each release has its acquire is what the stress test under -Db_sanitize=thread tells;
 *  - that the C does what the model does: the names are the same, to be compared by eye;
 *  - several readings published before one ring, as the driver does at the end of a batch;
 *  - counts beyond READINGS, other capacities, more than one ring behind a bell, a reading that
 *    waits for its commit (stored_wait), the evaluator, the daybook;
 *  - how long anything takes.
 *
 * WRONG_… are seeded faults; with any of them the check must fail (see the file `check`).
 */
#ifndef SLOTS
#define SLOTS 2
#endif
#ifndef READINGS
#define READINGS 5
#endif
#ifndef FAILURES
#define FAILURES 1
#endif
#ifndef BATCH
#define BATCH 1
#endif
#define JUDGE 0
#define RECORDER 1

/* struct ring: what is shared */
byte head;
byte passed[2];
byte slot_a[SLOTS], slot_b[SLOTS];

/* struct bell, one for each reader */
bool asleep[2], rung[2];

/* struct recorder: its lock, and what is under it: the recorder's cursor of the ring */
bool locked;
byte c_head, c_taken;

bool stop_judge, stop_recorder, stop_relief;
bool produced, relief_gone, recorder_gone; /* threads that were joined */

/* what was seen, for the claims at the end */
byte refused, judged, committed, passed_over;
bool gave_up;

/* --- bell.c --- */

inline bell_ring_always(who)
{
	rung[who] = true
}

inline bell_ring(who)
{
#ifdef WRONG_RING_WITHOUT_EXCHANGE
	if
	:: asleep[who] -> bell_ring_always(who); asleep[who] = false
	:: else
	fi
#else
	d_step {
		was_asleep = asleep[who];
		asleep[who] = false
	}
	if
	:: was_asleep -> bell_ring_always(who)
	:: else
	fi;
	was_asleep = false
#endif
}

inline wait_fd(who) /* poll, then read */
{
	d_step { rung[who] -> rung[who] = false }
}

inline bell_pause(who) /* with its time-out, that may be over at any moment */
{
	if
	:: wait_fd(who)
	:: true
	fi
}

/* --- ring.c, the readers' side; head and taken are those of struct ring_cursor --- */

inline ring_peek(head_copy, taken, n)
{
	d_step { /* one access at most to what is shared: head */
		if
		:: head_copy == taken -> head_copy = head
		:: else
		fi;
		n = head_copy - taken;
#ifndef WRONG_RUN_BEYOND_THE_END
		if
		:: n > SLOTS - taken % SLOTS -> n = SLOTS - taken % SLOTS
		:: else
		fi
#endif
	}
}

/* Read the run of n from taken; each must be the reading of that count, whole. */
inline read_run(taken, n)
{
	do
	:: i < n ->
		d_step {
			assert(slot_a[taken % SLOTS + i] == taken + i + 1);
			assert(slot_b[taken % SLOTS + i] == taken + i + 1);
			i++
		}
	:: else -> break
	od;
	i = 0
}

/* --- door.c: the producer --- */

active proctype producer()
{
	byte next, free_until = SLOTS, wanted, n, i, offered;
	bool was_asleep;

	do
	:: offered < READINGS ->
		/* ring_reserve(), one or two at a time */
		if
		:: wanted = 1
		:: READINGS - offered >= 2 -> wanted = 2
		fi;
		if
		:: free_until - next < wanted ->
			/* look_at_readers(), one after the other */
			free_until = passed[JUDGE] + SLOTS;
#ifndef WRONG_RECORDER_IGNORED
			d_step {
				if
				:: passed[RECORDER] + SLOTS < free_until ->
					free_until = passed[RECORDER] + SLOTS
				:: else
				fi
			};
#endif
#ifdef WRONG_JUDGE_IGNORED
			free_until = passed[RECORDER] + SLOTS;
#endif
#ifdef WRONG_ONE_SLOT_TOO_MANY
			free_until++;
#endif
		:: else
		fi;
		d_step {
			n = wanted;
			if
			:: n > free_until - next -> n = free_until - next
			:: else
			fi;
			if
			:: n > SLOTS - next % SLOTS -> n = SLOTS - next % SLOTS
			:: else
			fi
		};
		if
		:: n == 0 -> /* refused, never waited for; only ever while a reader is behind */
			d_step { refused++; offered++ }
		:: else ->
#ifdef WRONG_PUBLISH_BEFORE_FILL
			head = next + n;
#endif
			do
			:: i < n ->
				slot_a[(next + i) % SLOTS] = next + i + 1;
				d_step { slot_b[(next + i) % SLOTS] = next + i + 1; i++ }
			:: else -> break
			od;
			atomic { i = 0; next = next + n; offered = offered + n };
#ifdef WRONG_RING_BEFORE_PUBLISH
			bell_ring(JUDGE);
			bell_ring(RECORDER);
#endif
			head = next; /* ring_publish() */
#ifndef WRONG_RING_BEFORE_PUBLISH
			bell_ring(JUDGE); /* door_flush() */
			bell_ring(RECORDER)
#endif
		fi;
		d_step { n = 0; wanted = 0 };
		/* The next reading may come at once, or only when the readers are through with this
		 * one: then nothing but the bell can have told them. */
		if
		:: true
#ifdef DISK_HANGS
		:: true -> passed[JUDGE] == head
#else
		:: true -> passed[JUDGE] == head && passed[RECORDER] == head
#endif
		fi
	:: else -> break
	od;
	assert(next + refused == READINGS);
	produced = true
}

/* --- judge.c --- */

inline judge_round()
{
	ring_peek(j_head, j_taken, n);
	do
	:: n > 0 ->
#ifdef WRONG_FREE_BEFORE_READ
		passed[JUDGE] = j_taken + n;
#endif
		read_run(j_taken, n);
		d_step { j_taken = j_taken + n; judged = judged + n };
		passed[JUDGE] = j_taken; /* ring_release() */
		ring_peek(j_head, j_taken, n)
	:: else -> break
	od
}

active proctype judge()
{
	byte j_head, j_taken, n, i;

	do
	:: stop_judge -> break
	:: else ->
		judge_round();
		/* bell_sleep() */
		asleep[JUDGE] = true;
#ifdef WRONG_NO_SECOND_LOOK
		n = 0;
#else
		ring_peek(j_head, j_taken, n);
#endif
		if
		:: n > 0
		:: n == 0 ->
			if
			:: stop_judge
			:: else -> wait_fd(JUDGE)
			fi
		fi;
		n = 0;
		asleep[JUDGE] = false
	od;
#ifndef WRONG_NO_LAST_ROUND
	judge_round();
#endif
	assert(judged == head)
}

/* --- recorder.c --- */

inline lock()
{
	d_step { !locked -> locked = true }
}

inline unlock()
{
	locked = false
}

/* Rings to batch. */
inline take()
{
	lock();
	ring_peek(c_head, c_taken, n);
	do
	:: n > 0 && batch < BATCH ->
		d_step {
			if
			:: n > BATCH - batch -> n = BATCH - batch
			:: else
			fi
		};
#ifdef WRONG_RELEASE_BEFORE_COPY
		passed[RECORDER] = c_taken + n;
#endif
		read_run(c_taken, n);
		d_step { c_taken = c_taken + n; batch = batch + n };
		ring_peek(c_head, c_taken, n)
	:: else -> break
	od;
	passed[RECORDER] = c_taken; /* ring_release() */
	d_step { n = 0; locked = false }
}

inline recorder_round()
{
	take();
	ok = true;
	if
	:: batch == 0
#ifdef DISK_HANGS
	:: batch > 0 ->
end_hung:	false
#else
	:: batch > 0 -> /* committed: done() */
		d_step { committed = committed + batch; batch = 0 }
	:: batch > 0 && failures > 0 -> /* failed() */
		d_step {
			failures--;
#ifdef WRONG_BATCH_DROPPED
			batch = 0;
#endif
			ok = false
		};
		bell_pause(RECORDER)
#endif
	fi
}

/* ready() */
inline look() /* one access under the lock: one step */
{
	atomic { !locked -> ring_peek(c_head, c_taken, n) }
}

active proctype recorder()
{
	byte n, i, batch;
	byte failures = FAILURES;
	bool ok = true;

	do
	:: stop_recorder -> break
	:: else ->
		/* bell_sleep(); what is in the batch keeps it awake */
		asleep[RECORDER] = true;
		look();
		if
		:: n > 0 || batch > 0
		:: n == 0 && batch == 0 ->
			if
			:: stop_recorder
			:: else -> wait_fd(RECORDER)
			fi
		fi;
		asleep[RECORDER] = false;
		/* gather(): what rings meanwhile is swallowed */
		if
		:: n > 0 -> bell_pause(RECORDER)
		:: else
		fi;
		n = 0;
		recorder_round()
	od;
	do
	:: recorder_round();
		look();
		if
		:: ok && n == 0 && batch == 0 -> break
		:: !ok || n > 0 || batch > 0
		:: !ok -> gave_up = true; break
		fi
	od;
	assert(gave_up || committed + passed_over == head);
	assert(committed + passed_over <= head);
	recorder_gone = true
}

/* --- recorder.c: the relief --- */

#define IS_BEHIND (head - passed[RECORDER] >= SLOTS / 4 * 3 && head - passed[RECORDER] > SLOTS / 2)

active proctype relief()
{
	byte n, used;

	do
	:: stop_relief -> break
	/* It looks every 50 ms, so at any moment; a look that finds nothing to do changes nothing
	 * and is left out. */
#ifdef WRONG_RELIEF_WITHOUT_LOCK
	:: IS_BEHIND ->
#else
	:: atomic { !locked && IS_BEHIND -> locked = true };
#endif
		used = head - passed[RECORDER]; /* pass_over(), ring_used() */
		do
		:: used > SLOTS / 2 ->
			ring_peek(c_head, c_taken, n);
			d_step {
				if
				:: n > used - SLOTS / 2 -> n = used - SLOTS / 2
				:: else
				fi;
				assert(n > 0);
#ifndef WRONG_PASS_OVER_UNCOUNTED
				passed_over = passed_over + n;
#endif
				c_taken = c_taken + n;
				used = used - n
			}
		:: else -> break
		od;
		passed[RECORDER] = c_taken; /* ring_release() */
		d_step { used = 0; n = 0; locked = false }
	od;
	relief_gone = true
}

/* --- run.c: producers first, then the readers --- */

active proctype main()
{
	produced;
	stop_relief = true;
	relief_gone;
	stop_recorder = true;
#ifndef WRONG_STOP_WITHOUT_BELL
	bell_ring_always(RECORDER);
#endif
#ifndef DISK_HANGS
	recorder_gone;
#endif
	stop_judge = true;
#ifndef WRONG_STOP_WITHOUT_BELL
	bell_ring_always(JUDGE)
#endif
}
