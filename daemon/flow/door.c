/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/door.h"

#include "base/log.h"
#include "core/beside.h"
#include "core/evaluate.h"
#include "flow/clock.h"
#include "flow/door-keeper.h"
#include "flow/seen.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FUTURE_MS = 5 * 60 * 1000 };

/* A sample that was handed in, to know a redelivered one. */
struct memory {
	int64_t given_ms; /* the device's time, else the receipt */
	int64_t kept_ms;  /* the time it was kept under */
	double value;     /* NAN: none came */
	bool earlier;     /* of an earlier life: given_ms is not known and equals kept_ms */
};

/* The sample of a monitor that was given the latest time. */
struct newest {
	bool any;
	int64_t given_ms, kept_ms;
};

enum link { LINK_UNSAID, LINK_UP, LINK_DOWN };

static const char flags[] = "NFMSDCTB";

struct door {
	struct door_setup setup;
	struct ring *ring;
	uint64_t seq, pushed;         /* newest given, and newest that the ring took */
	struct memory *memories;      /* `remembered` for each monitor, a small ring */
	uint32_t *memory_next;        /* by monitor: how many were ever written */
	struct newest *newest;        /* by monitor */
	struct beside *shown;         /* by monitor */
	struct seen seen;             /* of all monitors, far longer than memories */
	uint64_t *whose;              /* for it, by monitor */
	unsigned char *wanted, *said; /* enum link, by connection */
	bool link_waits;
	struct metric *timeouts;
	struct metric *readings[sizeof flags - 1]; /* by flag */
	struct log_repeat timeout_log, kept_back_log;
	struct reading handed; /* the newest */
};

static bool count_by_flag(struct door *d)
{
	bool all = true;
	for (size_t i = 0; i < sizeof flags - 1; i++) {
		char labels[64];
		snprintf(labels, sizeof labels, "driver=\"%s\",flag=\"%c\"", d->setup.driver,
			 flags[i]);
		d->readings[i] = metrics_counter(d->setup.metrics, "ducha_readings_total",
						 "Readings that came in, by flag", labels);
		all = all && d->readings[i] != NULL;
	}
	return all;
}

static int begin_seen(struct door *d)
{
	const struct plan *plan = d->setup.plan;
	int r = seen_init(&d->seen, d->setup.redelivered);
	d->whose = calloc(plan->n_monitors + 1, sizeof *d->whose);
	if (r != 0 || d->whose == NULL)
		return -ENOMEM;
	for (size_t i = 0; d->setup.redelivered > 0 && i < plan->n_monitors; i++)
		d->whose[i] = seen_whose(plan->sites[plan->monitors[i].site].id,
					 plan->monitors[i].factor);
	return 0;
}

int door_new(struct door **out, const struct door_setup *setup)
{
	struct door *d = calloc(1, sizeof *d);
	if (d == NULL)
		return -ENOMEM;
	d->setup = *setup;
	d->ring = &setup->rings->at[setup->ring];
	d->memories = calloc(setup->plan->n_monitors * setup->remembered + 1, sizeof *d->memories);
	d->memory_next = calloc(setup->plan->n_monitors + 1, sizeof *d->memory_next);
	d->newest = calloc(setup->plan->n_monitors + 1, sizeof *d->newest);
	d->shown = calloc(setup->plan->n_monitors + 1, sizeof *d->shown);
	d->wanted = calloc(setup->plan->n_connections + 1, 1);
	d->said = calloc(setup->plan->n_connections + 1, 1);
	d->timeouts = metrics_counter(setup->metrics, "ducha_unrecorded_total",
				      "Samples that were acknowledged or read but not recorded",
				      "reason=\"timeout\"");
	if (d->memories == NULL || d->memory_next == NULL || d->newest == NULL ||
	    d->shown == NULL || d->wanted == NULL || d->said == NULL || d->timeouts == NULL ||
	    !count_by_flag(d) || begin_seen(d) != 0) {
		door_free(d);
		return -ENOMEM;
	}
	*out = d;
	return 0;
}

struct door *door_free(struct door *door)
{
	if (door == NULL)
		return NULL;
	free(door->memories);
	free(door->memory_next);
	free(door->newest);
	free(door->shown);
	seen_deinit(&door->seen);
	free(door->whose);
	free(door->wanted);
	free(door->said);
	free(door);
	return NULL;
}

/* Of most monitors nothing came through this door: that takes no memory. */
static void carry_memories(const struct door *door, uint32_t was, struct door *next, uint32_t now)
{
	size_t n = door->setup.remembered;
	if (door->memory_next[was] > 0)
		memcpy(&next->memories[now * n], &door->memories[was * n],
		       n * sizeof *door->memories);
}

/* Whether a connection is said to answer is kept by the evaluator, too. */
void door_succeed(struct door *door, struct door *next, const struct plan_change *change)
{
	size_t n = change->to->n_monitors, links = change->to->n_connections;
	struct door old = *door;
	for (uint32_t i = 0; i < n; i++)
		if (change->monitors[i] != NO_INDEX)
			carry_memories(door, change->monitors[i], next, i);
	plan_carry(next->memory_next, door->memory_next, change->monitors, n,
		   sizeof *door->memory_next);
	plan_carry(next->newest, door->newest, change->monitors, n, sizeof *door->newest);
	plan_carry(next->wanted, door->wanted, change->connections, links, 1);
	plan_carry(next->said, door->said, change->connections, links, 1);
	old.seen = next->seen;
	next->seen = door->seen;
	next->seq = door->seq;
	next->pushed = door->pushed;
	next->link_waits = door->link_waits;
	next->timeout_log = door->timeout_log;
	next->kept_back_log = door->kept_back_log;
	*door = *next;
	*next = old;
}

static void remember(struct door *door, uint32_t monitor, const struct memory *memory)
{
	size_t n = door->setup.remembered;
	struct newest *newest = &door->newest[monitor];
	door->memories[monitor * n + door->memory_next[monitor]++ % n] = *memory;
	if (!newest->any || memory->kept_ms > newest->kept_ms)
		*newest = (struct newest){true, memory->given_ms, memory->kept_ms};
}

void door_remember(struct door *door, uint32_t monitor, int64_t measured_ms, double value)
{
	remember(door, monitor, &(struct memory){measured_ms, measured_ms, value, true});
	seen_add(&door->seen, seen_mark(door->whose[monitor], measured_ms, value));
}

/* The remembered samples of a monitor. */
static const struct memory *memories_of(const struct door *door, uint32_t monitor, size_t *n)
{
	*n = door->setup.remembered;
	const struct memory *at = &door->memories[monitor * *n];
	if (door->memory_next[monitor] < *n)
		*n = door->memory_next[monitor];
	return at;
}

static const struct memory *kept_at(const struct door *door, uint32_t monitor, int64_t kept_ms)
{
	size_t n;
	const struct memory *m = memories_of(door, monitor, &n);
	for (size_t i = 0; i < n; i++)
		if (m[i].kept_ms == kept_ms)
			return &m[i];
	return NULL;
}

static bool same_value(const struct memory *m, const struct reading *r)
{
	return r->has_value ? m->value == r->value : isnan(m->value);
}

/* Same monitor, time and value is one reading. One of an earlier life may have been kept later than
 * it was given, right behind those that were given the same time. */
static bool is_duplicate(struct door *door, const struct reading *r, uint64_t mark)
{
	size_t n;
	if (mark != 0 && seen_has(&door->seen, mark))
		return true;
	const struct memory *m = memories_of(door, r->monitor, &n), *behind;
	for (size_t i = 0; i < n; i++)
		if (m[i].given_ms == r->measured_ms && same_value(&m[i], r)) {
			door->handed.measured_ms = m[i].kept_ms;
			return true;
		}
	for (int64_t ms = r->measured_ms; (behind = kept_at(door, r->monitor, ms)) != NULL; ms++)
		if (behind->earlier && same_value(behind, r))
			return true;
	return false;
}

/*
 * Another value in the same millisecond is kept, a millisecond later. A burst is so spread into the
 * next milliseconds, and what is given a time among them comes behind them: else it would be kept
 * twice under one time, or count as late and miss its limits. Only what is given an earlier time
 * than the newest is late.
 */
static int64_t time_to_keep(const struct door *door, const struct reading *r)
{
	const struct newest *newest = &door->newest[r->monitor];
	int64_t ms = r->measured_ms;
	if (!newest->any || ms > newest->kept_ms)
		return ms;
	if (ms >= newest->given_ms)
		return newest->kept_ms + 1;
	while (kept_at(door, r->monitor, ms) != NULL)
		ms++;
	return ms;
}

static void say_link(struct door *door, uint32_t connection)
{
	struct reading r = {.kind = door->wanted[connection] == LINK_DOWN ? SLOT_LINK_DOWN
									  : SLOT_LINK_UP,
			    .monitor = connection,
			    .received_ms = clock_wall_ms(),
			    .received_mono_ns = clock_mono_ns()};
	r.measured_ms = r.received_ms;
	r.ring = (uint8_t)door->setup.ring;
	r.seq = door->seq + 1;
	if (!ring_push(door->ring, &r)) {
		door->link_waits = true;
		return;
	}
	door->seq++;
	door->said[connection] = door->wanted[connection];
}

/* A link that did not fit into a full ring is said once there is room: its loss would hide an
 * outage. */
static void say_waiting_links(struct door *door)
{
	door->link_waits = false;
	for (uint32_t i = 0; i < door->setup.plan->n_connections; i++)
		if (door->wanted[i] != door->said[i])
			say_link(door, i);
}

void door_link(struct door *door, uint32_t connection, bool up)
{
	door->wanted[connection] = up ? LINK_UP : LINK_DOWN;
	if (door->wanted[connection] == door->said[connection])
		return;
	say_link(door, connection);
	door_flush(door);
}

uint64_t door_frame(struct door *door, enum frame_kind kind, const void *asked, size_t n_asked,
		    const void *answered, size_t n_answered)
{
	return frames_put(&door->setup.rings->frames[door->setup.ring],
			  &(struct frame_record){.kind = (uint8_t)kind,
						 .at_ms = clock_wall_ms(),
						 .asked = asked,
						 .n_asked = n_asked,
						 .answered = answered,
						 .n_answered = n_answered});
}

/* With the flag of its own value; *use_time: out: the device's time counts. */
static struct reading reading_of(const struct door *door, const struct sample *sample,
				 bool *use_time)
{
	struct reading r = {
		.received_ms = clock_wall_ms(),
		.received_mono_ns = clock_mono_ns(),
		.value = sample->has_value ? sample->value : 0,
		.raw = sample->raw,
		.frame = sample->frame,
		.monitor = sample->monitor,
		.ring = (uint8_t)door->setup.ring,
		.has_value = sample->has_value,
	};
	*use_time = sample->has_time && sample->measured_ms <= r.received_ms + FUTURE_MS;
	r.measured_ms = *use_time ? sample->measured_ms : r.received_ms;
	r.flag = (uint8_t)quality_flag(&door->setup.plan->monitors[sample->monitor], sample->flag,
				       r.has_value, r.value);
	return r;
}

bool door_looks(const struct door *door, uint32_t monitor)
{
	return door->setup.plan->monitors[monitor].seen_beside;
}

void door_show(struct door *door, const struct sample *sample)
{
	bool use_time;
	if (!door_looks(door, sample->monitor))
		return;
	const struct reading r = reading_of(door, sample, &use_time);
	beside_show(door->setup.plan, door->shown, &r);
}

enum door_result door_submit(struct door *door, const struct sample *sample, uint64_t *seq)
{
	bool use_time;
	struct reading r = reading_of(door, sample, &use_time);
	beside_settle(door->setup.plan, door->shown, &r);
	if (door->link_waits)
		say_waiting_links(door);
	if (seq != NULL)
		*seq = door->pushed;
	door->handed = r;
	double value = r.has_value ? r.value : NAN;
	uint64_t mark = use_time ? seen_mark(door->whose[r.monitor], r.measured_ms, value) : 0;
	if (is_duplicate(door, &r, mark))
		return DOOR_DUPLICATE;
	struct memory memory = {r.measured_ms, time_to_keep(door, &r), value, false};
	door->handed.measured_ms = r.measured_ms = memory.kept_ms;
	r.seq = ++door->seq;
	if (!ring_push(door->ring, &r))
		return DOOR_FULL;
	door->pushed = r.seq;
	remember(door, r.monitor, &memory);
	if (mark != 0)
		seen_add(&door->seen, mark);
	metric_add(door->readings[strchr(flags, r.flag) - flags], 1);
	if (seq != NULL)
		*seq = r.seq;
	return DOOR_TAKEN;
}

void door_flush(struct door *door)
{
	bell_ring(&door->setup.rings->judge);
	bell_ring(&door->setup.rings->recorder);
}

bool door_wait_stored(struct door *door, uint64_t seq, int timeout_ms)
{
	return stored_wait(door->setup.rings, door->setup.ring, seq, timeout_ms);
}

uint64_t door_stored(struct door *door)
{
	return stored_upto(door->setup.rings, door->setup.ring);
}

void door_commit(struct door *door)
{
	stored_ask(door->setup.rings);
}

bool door_is_crowded(const struct door *door)
{
	return ring_used(door->ring, RING_RECORDER) > ring_slots(door->ring) / 2;
}

const struct reading *door_handed(const struct door *door)
{
	return &door->handed;
}

static void say_unrecorded(struct door *door, uint32_t monitor, bool kept)
{
	const struct monitor *m = &door->setup.plan->monitors[monitor];
	const char *site = door->setup.plan->sites[m->site].id;
	struct log_repeat *repeat = kept ? &door->timeout_log : &door->kept_back_log;
	if (log_due(repeat))
		log_event(LOGGED_EARLY_ACK, ABOUT(.site = site, .factor = m->factor),
			  kept ? "%s %s: acknowledged before it was recorded, the disk is slow "
				 "(%llu times)"
			       : "%s %s: not acknowledged, as it could neither be recorded nor set "
				 "aside (%llu times)",
			  site, m->factor, (unsigned long long)repeat->count);
}

/* Owed first: what is set aside is forgotten when nothing is owed any more. */
bool door_unrecorded(struct door *door, const struct reading *readings, size_t n, uint64_t seq,
		     int timeout_ms)
{
	const struct door_setup *setup = &door->setup;
	stored_owe(setup->rings, setup->ring, seq);
	bool kept = setup->keep != NULL &&
		    setup->keep(setup->context, setup->plan, readings, n, timeout_ms);
	if (stored_upto(setup->rings, setup->ring) >= seq)
		return true; /* meanwhile it was */
	if (kept)
		metric_add(door->timeouts, (int64_t)n);
	if (n > 0)
		say_unrecorded(door, readings[0].monitor, kept);
	return kept;
}
