/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/judge.h"

#include "flow/clock.h"
#include "flow/witness.h"

#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

/* A wall clock that steps back by more than this is another clock, by less it is being adjusted. */
enum { SET_BACK_MS = 5 * 60 * 1000, SET_BACK_TICKS = 2 };
enum { TICK_MS = 250, BATCH = 256, PEAKS_WAITING = 4096 };
#define SNAPSHOT_EVERY_NS 60000000000
#define TICK_NS (TICK_MS * (int64_t)1000000)

struct judge_call {
	void (*fn)(void *context, struct evaluator *evaluator, const struct judge_mark *read);
	void *context;
	sem_t done;
};

/* What the evaluator speaks to: it goes where the evaluator goes. */
struct voice {
	struct verdicts *verdicts;
	struct witness *witness;
};

struct judge {
	struct judge_setup setup;
	struct judge_call *_Atomic call; /* of another thread, which waits */
	struct evaluator *evaluator;
	struct voice *voice;
	struct snapshot snapshot;
	struct judge_mark mark;
	pthread_t thread;
	struct gate gate;
	_Atomic bool stop;
	int64_t ticked_ns, kept_ns, wall_ms;
	uint64_t replaced; /* as of the last tick */
	int set_back; /* ticks at which to look for what the clock has stamped before it was set
			 back */
};

static void emit(void *context, const struct verdict *verdict)
{
	const struct voice *voice = context;
	struct verdicts *verdicts = voice->verdicts;
	if (voice->witness != NULL)
		witness_verdict(voice->witness, verdict);
	/* While the ledger cannot be written peaks would pile up; what ends an alert carries its
	 * peak. */
	if (verdict->type == VERDICT_PEAK && verdicts_waiting(verdicts) > PEAKS_WAITING)
		return;
	verdicts_add(verdicts, &(struct verdict_item){.verdict = *verdict});
}

int judge_new(struct judge **out, const struct judge_setup *setup)
{
	struct judge *j = calloc(1, sizeof *j);
	if (j == NULL)
		return -ENOMEM;
	j->setup = *setup;
	j->mark.boot = setup->boot;
	j->voice = calloc(1, sizeof *j->voice);
	if (j->voice == NULL) {
		free(j);
		return -ENOMEM;
	}
	j->voice->verdicts = setup->verdicts;
	int r = gate_init(&j->gate);
	if (r == 0)
		r = evaluator_new(&j->evaluator, setup->plan, clock_wall_ms(), clock_mono_ns(),
				  emit, j->voice);
	if (r == 0)
		r = witness_new(&j->voice->witness,
				&(struct witness_setup){.plan = setup->plan,
							.evaluator = j->evaluator,
							.rings = setup->rings,
							.boot = setup->boot,
							.held_bytes = setup->held_bytes,
							.metrics = setup->metrics});
	if (r == 0) {
		j->snapshot.capacity = sizeof j->mark + evaluator_save_size(j->evaluator);
		j->snapshot.bytes = malloc(j->snapshot.capacity);
		r = j->snapshot.bytes == NULL ? -ENOMEM : 0;
	}
	if (r < 0)
		judge_free(j);
	else
		*out = j;
	return r;
}

struct judge *judge_free(struct judge *judge)
{
	if (judge == NULL)
		return NULL;
	witness_free(judge->voice->witness);
	free(judge->voice);
	evaluator_free(judge->evaluator);
	gate_deinit(&judge->gate);
	free(judge->snapshot.bytes);
	free(judge);
	return NULL;
}

struct evaluator *judge_evaluator(struct judge *judge)
{
	return judge->evaluator;
}

struct gate *judge_gate(struct judge *judge)
{
	return &judge->gate;
}

/* The clerk, which stands too, has stored the last snapshot: its bytes are nobody's. */
void judge_succeed(struct judge *judge, struct judge *next, const struct plan_change *change)
{
	struct evaluator *evaluator = judge->evaluator;
	struct voice *voice = judge->voice;
	unsigned char *bytes = judge->snapshot.bytes;
	evaluator_carry(next->evaluator, evaluator, change);
	witness_carry(next->voice->witness, voice->witness, change);
	judge->evaluator = next->evaluator;
	judge->voice = next->voice;
	judge->snapshot.bytes = next->snapshot.bytes;
	judge->snapshot.capacity = next->snapshot.capacity;
	judge->setup.plan = next->setup.plan;
	judge->kept_ns = 0; /* the next round leaves a snapshot under the new names */
	next->evaluator = evaluator;
	next->voice = voice;
	next->snapshot.bytes = bytes;
}

static void judge_ring(struct judge *j, size_t index)
{
	struct ring *ring = &j->setup.rings->at[index];
	const struct reading *readings;
	size_t n;
	while (readings = ring_peek(ring, RING_JUDGE, &n), n > 0) {
		if (n > BATCH)
			n = BATCH;
		for (size_t i = 0; i < n; i++) {
			evaluator_feed(j->evaluator, &readings[i]);
			witness_see(j->voice->witness, &readings[i]);
		}
		j->mark.seq[index] = readings[n - 1].seq;
		ring_take(ring, RING_JUDGE, n);
		ring_release(ring, RING_JUDGE);
	}
}

/* A row that the recorder stores while we are here is either counted in `recorded`, and then it
 * lies at most the rings' size ahead of what we have read, or it comes later. */
static void leave_snapshot(struct judge *j)
{
	struct snapshot *s = &j->snapshot;
	if (atomic_load_explicit(&s->full, memory_order_acquire))
		return; /* the clerk has not stored the last one yet */
	int64_t ahead = 0;
	for (size_t i = 0; i < j->setup.rings->n; i++)
		ahead += (int64_t)ring_slots(&j->setup.rings->at[i]);
	int64_t recorded = j->setup.recorded(j->setup.context) - ahead;
	j->mark.recorded = recorded > 0 ? recorded : 0;
	j->mark.alive_ms = clock_wall_ms();
	memcpy(s->bytes, &j->mark, sizeof j->mark);
	s->size = sizeof j->mark + evaluator_save(j->evaluator, s->bytes + sizeof j->mark);
	atomic_store_explicit(&s->full, true, memory_order_release);
	verdicts_add(j->setup.verdicts, &(struct verdict_item){.snapshot = s});
}

bool judge_unpack(const void *data, size_t size, struct judge_mark *mark, const void **state,
		  size_t *state_size)
{
	if (size < sizeof *mark)
		return false;
	memcpy(mark, data, sizeof *mark);
	*state = (const unsigned char *)data + sizeof *mark;
	*state_size = size - sizeof *mark;
	return true;
}

/* What is wrong with the daemon itself, but for a flood of alerts, which the evaluator sees by
 * itself; and a new ledger hears again of all that lasts. */
static void judge_self(struct judge *j, int64_t wall_ms, int64_t mono_ns)
{
	void *context = j->setup.context;
	for (int i = 0; j->setup.fault != NULL && i < OWN_FLOOD; i++)
		evaluator_own_fault(j->evaluator, (enum own_fault)i,
				    j->setup.fault(context, (enum own_fault)i), wall_ms, mono_ns);
	uint64_t replaced = j->setup.replaced == NULL ? 0 : j->setup.replaced(context);
	if (replaced != j->replaced)
		evaluator_repeat(j->evaluator);
	j->replaced = replaced;
}

/* A reading that was stamped by the old clock and lay in the ring yet would make all later ones
 * late: so again at the end of this round, and when the last of them must have come. */
static void judge_tick(struct judge *j, int64_t wall_ms, int64_t mono_ns)
{
	if (j->set_back > 0) {
		evaluator_set_back(j->evaluator, wall_ms);
		j->set_back--;
	}
	evaluator_tick(j->evaluator, wall_ms, mono_ns);
	judge_self(j, wall_ms, mono_ns);
	j->ticked_ns = mono_ns;
}

static void serve_call(struct judge *j)
{
	struct judge_call *call = atomic_load_explicit(&j->call, memory_order_acquire);
	if (call == NULL)
		return;
	atomic_store_explicit(&j->call, NULL, memory_order_relaxed);
	call->fn(call->context, j->evaluator, &j->mark);
	sem_post(&call->done);
}

void judge_call(struct judge *judge,
		void (*fn)(void *context, struct evaluator *evaluator,
			   const struct judge_mark *read),
		void *context)
{
	struct judge_call call = {.fn = fn, .context = context};
	sem_init(&call.done, 0, 0);
	atomic_store_explicit(&judge->call, &call, memory_order_release); /* serve_call() */
	bell_ring_always(&judge->setup.rings->judge);
	while (sem_wait(&call.done) != 0)
		continue;
	sem_destroy(&call.done);
}

static void judge_round(struct judge *j)
{
	int64_t wall_ms = clock_wall_ms(), mono_ns = clock_mono_ns();
	if (wall_ms < j->wall_ms - SET_BACK_MS) {
		evaluator_set_back(j->evaluator, wall_ms);
		j->set_back = SET_BACK_TICKS;
	}
	j->wall_ms = wall_ms;
	for (size_t i = 0; i < j->setup.rings->n; i++)
		judge_ring(j, i);
	witness_fetch(j->voice->witness);
	serve_call(j);
	if (mono_ns - j->ticked_ns >= TICK_NS || j->set_back == SET_BACK_TICKS)
		judge_tick(j, wall_ms, mono_ns);
	if (mono_ns - j->kept_ns >= SNAPSHOT_EVERY_NS) {
		leave_snapshot(j);
		j->kept_ns = mono_ns;
	}
	atomic_fetch_add_explicit(j->setup.heartbeat, 1, memory_order_relaxed);
}

static bool anything(void *context)
{
	struct judge *j = context;
	return rings_ready(j->setup.rings, RING_JUDGE) || atomic_load(&j->stop) ||
	       atomic_load(&j->call) != NULL || witness_waits(j->voice->witness);
}

static void *judge_run(void *context)
{
	struct judge *j = context;
	(void)pthread_setname_np(pthread_self(), "judge");
	j->kept_ns = clock_mono_ns() - SNAPSHOT_EVERY_NS; /* the first one at once */
	while (!atomic_load(&j->stop)) {
		judge_round(j);
		bell_sleep(&j->setup.rings->judge, TICK_MS, anything, j);
		if (gate_is_shut(&j->gate) && !rings_ready(j->setup.rings, RING_JUDGE))
			gate_pass(&j->gate);
	}
	judge_round(j);
	while (witness_waits(j->voice->witness))
		witness_fetch(j->voice->witness);
	while (atomic_load(&j->snapshot.full)) /* the clerk still has the last one in hand */
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	leave_snapshot(j);
	verdicts_close(j->setup.verdicts);
	return NULL;
}

int judge_start(struct judge *judge)
{
	return -pthread_create(&judge->thread, NULL, judge_run, judge);
}

void judge_stop(struct judge *judge)
{
	atomic_store(&judge->stop, true);
	bell_ring_always(&judge->setup.rings->judge);
	pthread_join(judge->thread, NULL);
}
