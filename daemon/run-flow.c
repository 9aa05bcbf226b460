/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a reading: doors, rings, judge, recorder, clerk, and what ties each to the next. */
#include "run-state.h"

#include "base/log.h"
#include "core/tail.h"
#include "flow/clock.h"

#include <errno.h>
#include <libintl.h>
#include <stdio.h>
#include <stdlib.h>

/* Readings that senders may repeat, and what a ring holds at the least. */
enum { REMEMBERED = 256, RINGS_SECONDS = 10 };
/* MQTT 3.1.1, 2.3.1: a sender has no more packet identifiers for what is not acknowledged. */
enum { PACKETS = 65535 };
/* Data loggers keep what was not acknowledged, perhaps for days: what of it is known after a
 * restart (restore.c). */
enum { BACKFILLED = 200000 };

/* --- ties between rooms --- */

static int record_append(void *context, const struct reading *readings, size_t n)
{
	return daybook_append(((struct run *)context)->daybook, readings, n);
}

static int record_gap(void *context, const struct gap *gap)
{
	return daybook_append_gap(((struct run *)context)->daybook, gap, clock_wall_ms());
}

static int record_frames(void *context, const uint8_t *bytes, size_t n)
{
	return daybook_append_frames(((struct run *)context)->daybook, bytes, n, clock_wall_ms());
}

static int record_commit(void *context)
{
	struct run *run = context;
	int r = keeper_gaps(run->keeper, run->daybook);
	if (r == 0)
		r = run_append_spared(run);
	if (r == 0)
		r = daybook_commit(run->daybook);
	if (r == 0)
		keeper_gaps_written(run->keeper);
	return r;
}

static void record_committed(void *context)
{
	struct run *run = context;
	run_spared_written(run);
	if (run->exporter != NULL)
		exporter_wake(run->exporter);
}

/* Asked by the judge, which runs only while there are recorder and keeper. */
static bool own_fault(void *context, enum own_fault fault)
{
	struct run *run = context;
	if (fault == OWN_CLOCK)
		return timepiece_doubted(&run->timepiece);
	if (fault == OWN_DAMAGED && (ledger_altered(run->ledger) || evidence_amiss(run->evidence)))
		return true;
	if (fault != OWN_UNRECORDED)
		return keeper_fault(run->keeper, fault);
	return recorder_failing(run->recorder) || recorder_missing(run->recorder) ||
	       stored_owes(&run->rings);
}

bool run_unrecorded(void *context)
{
	return own_fault(context, OWN_UNRECORDED);
}

static uint64_t replaced(void *context)
{
	return ledger_mended(((struct run *)context)->ledger);
}

static int64_t recorded(void *context)
{
	return daybook_sequence(((struct run *)context)->daybook);
}

int run_commit(void *context, const struct verdict *verdicts, size_t n, int64_t *opened)
{
	return ledger_apply(((struct run *)context)->ledger, verdicts, n, clock_wall_ms(), opened);
}

static int keep_snapshot(void *context, const void *snapshot, size_t size)
{
	return ledger_put_often(((struct run *)context)->ledger, RESTORE_SNAPSHOT, snapshot, size);
}

const char *run_translate(const char *english)
{
	return english[0] == '\0' ? "" : gettext(english);
}

static void count_case(struct run *run, const struct verdict *v)
{
	const struct monitor *m = &run->plan->monitors[v->monitor];
	struct severity_facts facts = {.kind = run->plan->sites[m->site].kind,
				       .factor = m->factor,
				       .has_peak = v->has_value,
				       .peak = v->peak_value,
				       .has_limit = v->has_limit,
				       .limit = v->limit_value};
	facts.has_multiple = v->has_limit && case_multiple(m, v->bound, v->peak_value,
							   v->limit_value, &facts.multiple);
	enum severity severity =
		v->kind == ALERT_EXCEEDANCE ? case_severity(&facts) : SEVERITY_GENERAL;
	metric_add(run->opened[v->kind][severity], 1);
}

static void say_alert(const struct plan *plan, const struct verdict *v, int64_t opened,
		      const char *line)
{
	const struct monitor *m = v->monitor == NO_INDEX ? NULL : &plan->monitors[v->monitor];
	log_event(LOGGED_ALERT,
		  ABOUT(.site = m == NULL ? NULL : plan->sites[m->site].id,
			.factor = m == NULL ? NULL : m->factor,
			.connection = v->connection == NO_INDEX
					      ? NULL
					      : plan->connections[v->connection].id,
			.case_id = opened),
		  "%s", line);
}

void run_announce(void *context, const struct verdict *verdict, int64_t opened)
{
	struct run *run = context;
	struct text line = {0};
	if (opened != 0)
		count_case(run, verdict);
	tail_verdict(&line, run->plan, verdict, opened, run_translate);
	if (!line.failed)
		say_alert(run->plan, verdict, opened, line.at);
	text_deinit(&line);
	if (run->exporter != NULL)
		exporter_wake(run->exporter);
}

/* --- metrics --- */

static double view_used(void *context)
{
	struct ring_view *v = context;
	return (double)ring_used(v->ring, v->who);
}

static double view_slots(void *context)
{
	return (double)ring_slots(((struct ring_view *)context)->ring);
}

static double view_refused(void *context)
{
	struct ring_view *v = context;
	return (double)atomic_load_explicit(&v->ring->refused, memory_order_relaxed);
}

int run_show_ring(struct run *run, size_t index, const char *name)
{
	static const char *const readers[RING_READERS] = {"judge", "recorder"};
	char labels[128];
	int r = 0;
	for (int who = 0; who < RING_READERS && r == 0; who++) {
		struct ring_view *v = &run->views[index][who];
		*v = (struct ring_view){&run->rings.at[index], (enum ring_reader)who};
		snprintf(labels, sizeof labels, "ring=\"%s\",reader=\"%s\"", name, readers[who]);
		r = metrics_gauge_read(run->metrics, "ducha_ring_used",
				       "Slots that a reader has not passed", labels, view_used, v);
	}
	snprintf(labels, sizeof labels, "ring=\"%s\"", name);
	if (r == 0)
		r = metrics_gauge_read(run->metrics, "ducha_ring_slots", "Slots of a ring", labels,
				       view_slots, &run->views[index][0]);
	if (r == 0)
		r = metrics_counter_read(run->metrics, "ducha_ring_full_total",
					 "Readings refused because a ring was full", labels,
					 view_refused, &run->views[index][0]);
	return r;
}

static int show_cases(struct run *run)
{
	char labels[96];
	for (int kind = 0; kind < ALERT_KINDS; kind++)
		for (int severity = 0; severity < SEVERITIES; severity++) {
			snprintf(labels, sizeof labels, "kind=\"%s\",severity=\"%s\"",
				 alert_kind_name((enum alert_kind)kind),
				 severity_name((enum severity)severity));
			run->opened[kind][severity] =
				metrics_counter(run->metrics, "ducha_cases_opened_total",
						"Cases registered by the daemon", labels);
			if (run->opened[kind][severity] == NULL)
				return -ENOMEM;
		}
	return 0;
}

/* --- rings and doors --- */

size_t run_slots(const struct assembly *assembly)
{
	size_t wanted = assembly->polled_per_minute * RINGS_SECONDS / 60, slots = 8192;
	while (slots < wanted)
		slots *= 2;
	return slots;
}

static int open_rings(struct run *run)
{
	size_t n = RINGS + run->assembly->n_buses + run->n_fields - 1;
	int r = rings_init(&run->rings, n, run_slots(run->assembly));
	run->views = calloc(RINGS_MAX, sizeof *run->views);
	if (r == 0 && run->views == NULL)
		r = -ENOMEM;
	if (r == 0)
		r = run_show_ring(run, RING_PUSHED, "mqtt");
	return r == 0 ? run_show_ring(run, RING_LOGGERS, "loggers") : r;
}

int run_door(struct run *run, const struct plan *plan, size_t ring, struct door **out)
{
	static const char *const drivers[] = {
		[RING_FIELD] = "modbus", [RING_PUSHED] = "mqtt", [RING_LOGGERS] = "hj212"};
	static const size_t redelivered[] = {
		[RING_FIELD] = 0, [RING_PUSHED] = PACKETS, [RING_LOGGERS] = BACKFILLED};
	size_t kind = ring < RINGS ? ring : RING_FIELD;
	return door_new(out, &(struct door_setup){.plan = plan,
						  .rings = &run->rings,
						  .ring = ring,
						  .driver = drivers[kind],
						  .remembered = kind == RING_FIELD ? 1 : REMEMBERED,
						  .redelivered = redelivered[kind],
						  .metrics = run->metrics,
						  .keep = run_keep_spare,
						  .context = run});
}

static int open_field(struct run *run, size_t i)
{
	struct field *field = &run->fields[i];
	if (i == 0)
		snprintf(field->name, sizeof field->name, "field");
	else
		snprintf(field->name, sizeof field->name, "field-%zu", i + 1);
	field->ring = i == 0 ? RING_FIELD : RINGS + run->assembly->n_buses + i - 1;
	int r = loop_new(&field->loop);
	if (r == 0)
		r = run_show_ring(run, field->ring, field->name);
	return r == 0 ? run_door(run, run->plan, field->ring, &field->door) : r;
}

static int open_bus(struct run *run, size_t i)
{
	struct bus *bus = &run->buses[i];
	snprintf(bus->name, sizeof bus->name, "serial-%s", run->assembly->buses[i].id);
	bus->ring = RINGS + i;
	int r = run_show_ring(run, bus->ring, bus->name);
	return r == 0 ? run_door(run, run->plan, bus->ring, &bus->door) : r;
}

static int open_doors(struct run *run)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < run->n_fields; i++)
		r = open_field(run, i);
	for (; r == 0 && run->n_buses < run->assembly->n_buses; run->n_buses++)
		r = open_bus(run, run->n_buses);
	if (r == 0)
		r = run_door(run, run->plan, RING_PUSHED, &run->pushed);
	return r == 0 ? run_door(run, run->plan, RING_LOGGERS, &run->loggers) : r;
}

/* No more loops than connections: one without any only ticks. */
static size_t count_fields(const struct run *run)
{
	size_t n = (size_t)run->config->threads, most = run->assembly->n_modbus;
	return n > 1 && n > most ? (most > 0 ? most : 1) : n;
}

int run_open_flow(struct run *run)
{
	run->n_fields = count_fields(run);
	run->fields = calloc(run->n_fields, sizeof *run->fields);
	run->buses = calloc(CONFIG_MOST_BUSES, sizeof *run->buses);
	int r = run->buses == NULL || run->fields == NULL ? -ENOMEM : open_rings(run);
	if (r == 0)
		r = verdicts_init(&run->verdicts);
	if (r == 0)
		r = show_cases(run);
	return r == 0 ? open_doors(run) : r;
}

/* --- threads --- */

int run_judge(struct run *run, const struct config *config, const struct plan *plan,
	      struct judge **out)
{
	return judge_new(out, &(struct judge_setup){
				      .plan = plan,
				      .rings = &run->rings,
				      .verdicts = &run->verdicts,
				      .boot = daybook_boot(run->daybook),
				      .recorded = recorded,
				      .fault = own_fault,
				      .replaced = replaced,
				      .context = run,
				      .held_bytes = (size_t)config->frames_memory,
				      .metrics = run->metrics,
				      .heartbeat = &run->beats[BEAT_JUDGE].count,
			      });
}

int run_recorder(struct run *run, const struct config *config, const struct plan *plan,
		 struct recorder **out)
{
	return recorder_new(out, &(struct recorder_setup){
					 .rings = &run->rings,
					 .flush_ms = config->flush_ms,
					 .n_monitors = plan->n_monitors,
					 .append = record_append,
					 .append_gap = record_gap,
					 .append_frames = record_frames,
					 .commit = record_commit,
					 .committed = record_committed,
					 .fatal = run_fatal,
					 .context = run,
					 .metrics = run->metrics,
					 .heartbeat = &run->beats[BEAT_RECORDER].count,
				 });
}

static int make_clerk(struct run *run)
{
	return clerk_new(&run->clerk, &(struct clerk_setup){
					      .verdicts = &run->verdicts,
					      .commit = run_commit,
					      .keep = keep_snapshot,
					      .announce = run_announce,
					      .fatal = run_fatal,
					      .context = run,
					      .metrics = run->metrics,
					      .heartbeat = &run->beats[BEAT_CLERK].count,
				      });
}

int run_make_flow(struct run *run)
{
	int r = run_judge(run, run->config, run->plan, &run->judge);
	if (r == 0)
		r = run_recorder(run, run->config, run->plan, &run->recorder);
	return r == 0 ? make_clerk(run) : r;
}
