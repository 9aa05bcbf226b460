/* SPDX-License-Identifier: Apache-2.0 */
#include "backtest.h"

#include "backtest-events.h"
#include "backtest-loads.h"
#include "backtest-names.h"
#include "backtest-order.h"
#include "backtest-strays.h"
#include "base/log.h"
#include "core/beside.h"
#include "core/csv.h"
#include "core/evaluate.h"
#include "explain.h"
#include "recording.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct backtest;
/* A row whose monitor is known. */
typedef void (*take_fn)(struct backtest *b, uint32_t monitor, const struct csv_row *row);

/* Rows of one time, until the next comes. */
struct moment {
	struct held {
		uint32_t monitor;
		struct csv_row row;
	} * at;
	size_t n, room;
	take_fn take;
};

struct backtest {
	const struct plan *plan;
	const struct marks *marks;
	struct evaluator *evaluator;
	struct backtest_names names;
	struct backtest_strays *strays;
	struct backtest_order *order; /* NULL: nothing looks at several monitors */
	struct beside *shown;         /* by monitor */
	bool beside;                  /* some row asks those beside it */
	bool stopped;                 /* a row has to be looked at more closely */
	uint64_t said;                /* up to which row what is malformed was said */
	struct moment moment;
	const char *line;  /* of the present row */
	int64_t *clock_ms; /* by monitor: newest of its own rows, INT64_MIN: none yet */
	int64_t start_ms, latest_ms;
	struct verdict *verdicts;
	size_t n_verdicts, capacity;
	uint64_t rows, readings, unknown, malformed;
	struct backtest_loads *loads; /* NULL: nothing has a permit */
	struct backtest_events events;
	struct explain *explain; /* NULL: nobody asks why */
	uint32_t explained;      /* its monitor */
	bool failed;
	const char *file;
	FILE *err;
};

/* Names that the configuration lacks are said once. */
static uint32_t monitor_of(struct backtest *b, const struct csv_row *row,
			   const struct backtest_name *known)
{
	if (known->used)
		return known->monitor;
	struct backtest_name unknown = {.site = strndup(row->site, row->site_length),
					.factor = strndup(row->factor, row->factor_length),
					.monitor = NO_INDEX,
					.used = true,
					.owned = true};
	if (unknown.site == NULL || unknown.factor == NULL ||
	    !backtest_names_add(&b->names, &unknown)) {
		b->failed = true;
		return NO_INDEX;
	}
	bool site_known = plan_site(b->plan, unknown.site) != NO_INDEX;
	fprintf(b->err,
		site_known ? "site \"%s\" has no monitor of factor \"%s\": its rows are skipped\n"
			   : "unknown site \"%s\" (factor \"%s\"): its rows are skipped\n",
		unknown.site, unknown.factor);
	return NO_INDEX;
}

/* --- first pass: rows to verdicts --- */

/* Data knows one clock. Recorded years reach to 9999, nanoseconds in 64 bits to 2262: for durations
 * alone the clock is counted from the start, and stops where no rule can tell the difference. */
static int64_t mono_of(const struct backtest *b, int64_t wall_ms)
{
	const int64_t most_ms = INT64_MAX / 1000000 / 2;
	int64_t since_ms = wall_ms - b->start_ms;
	if (since_ms > most_ms)
		since_ms = most_ms;
	if (since_ms < -most_ms)
		since_ms = -most_ms;
	return since_ms * 1000000;
}

static void keep(void *context, const struct verdict *verdict)
{
	struct backtest *b = context;
	if (b->n_verdicts == b->capacity) {
		size_t capacity = b->capacity == 0 ? 1024 : b->capacity * 2;
		struct verdict *more = realloc(b->verdicts, capacity * sizeof *more);
		if (more == NULL) {
			b->failed = true;
			return;
		}
		b->verdicts = more;
		b->capacity = capacity;
	}
	if (b->explain != NULL)
		explain_verdict(b->explain, verdict, b->n_verdicts);
	b->verdicts[b->n_verdicts++] = *verdict;
}

/* The file's first and latest time are those of all its rows, of unknown monitors, too. */
static bool pass_time(struct backtest *b, int64_t time_ms)
{
	if (time_ms > b->latest_ms)
		b->latest_ms = time_ms;
	if (b->evaluator != NULL)
		return true;
	b->start_ms = b->latest_ms = time_ms;
	if (evaluator_new(&b->evaluator, b->plan, time_ms, mono_of(b, time_ms), keep, b) < 0) {
		b->failed = true;
		return false;
	}
	evaluator_marks(b->evaluator, b->marks);
	evaluator_tell_rises(b->evaluator);
	if (b->explain != NULL)
		explain_begin(b->explain, b->evaluator);
	return true;
}

/* Member by member, where it is used: a copy would wait for each of them to be written. */
static void read_row(const struct backtest *b, uint32_t monitor, const struct csv_row *row,
		     struct reading *out)
{
	out->seq = out->raw = out->frame = 0;
	out->measured_ms = out->received_ms = row->time_ms;
	out->received_mono_ns = mono_of(b, row->time_ms);
	out->value = row->value;
	out->monitor = monitor;
	out->ring = 0;
	out->kind = SLOT_VALUE;
	out->flag = (uint8_t)quality_flag(&b->plan->monitors[monitor], row->flag, true, row->value);
	out->has_value = true;
	out->beside = false;
}

/* The same, when its turn is there. */
static void settle_row(const struct backtest *b, uint32_t monitor, const struct csv_row *row,
		       struct reading *out)
{
	read_row(b, monitor, row, out);
	if (b->beside && row->has_value)
		beside_settle(b->plan, b->shown, out);
}

__attribute__((noinline)) static void add_load(struct backtest *b, const struct reading *raw)
{
	struct reading room;
	const struct reading *r = b->marks == NULL ? raw : marks_reading(b->marks, raw, &room);
	b->failed |= !backtest_loads_add(b->loads, r);
}

/* The silence after a late row may be over by the clock that an empty row has moved. */
static void passed_already(struct backtest *b, uint32_t monitor)
{
	int64_t clock_ms = b->clock_ms[monitor];

	evaluator_clock(b->evaluator, monitor, clock_ms, mono_of(b, clock_ms), false);
}

static void feed(struct backtest *b, uint32_t monitor, const struct csv_row *row)
{
	struct reading r;
	settle_row(b, monitor, row, &r);
	if (row->has_value && row->time_ms < b->start_ms)
		evaluator_reach_back(b->evaluator, monitor, row->time_ms);
	if (row->time_ms > b->clock_ms[monitor]) {
		b->clock_ms[monitor] = row->time_ms;
		evaluator_clock(b->evaluator, monitor, row->time_ms, r.received_mono_ns, false);
	}
	if (!row->has_value)
		return;
	b->readings++;
	evaluator_feed(b->evaluator, &r);
	if (row->time_ms < b->clock_ms[monitor])
		passed_already(b, monitor);
	if (b->loads != NULL)
		add_load(b, &r);
}

/* Counts a row. Return: its monitor; NO_INDEX: none that is known, or memory failed. */
static uint32_t count_row(struct backtest *b, const struct csv_row *row,
			  const struct backtest_name *name)
{
	b->rows++;
	if (!pass_time(b, row->time_ms))
		return NO_INDEX;
	uint32_t monitor = monitor_of(b, row, name);
	b->unknown += monitor == NO_INDEX;
	return monitor;
}

static void judge_row(struct backtest *b, const struct csv_row *row,
		      const struct backtest_name *name)
{
	uint32_t monitor = count_row(b, row, name);
	if (monitor != NO_INDEX)
		feed(b, monitor, row);
}

/* A row of the monitor that is looked on, or of another. */
static void watch_row(struct backtest *b, uint32_t monitor, const struct csv_row *row)
{
	if (b->explain == NULL || monitor != b->explained || !row->has_value) {
		feed(b, monitor, row);
		return;
	}
	struct reading r;
	settle_row(b, monitor, row, &r);
	explain_before(b->explain, &r);
	feed(b, monitor, row);
	explain_after(b->explain, &r);
}

/* --- what was read at one moment is known before any of it is judged (core/beside.h) --- */

static void moment_end(struct backtest *b)
{
	struct moment *moment = &b->moment;
	for (size_t i = 0; i < moment->n; i++) {
		struct reading r;
		read_row(b, moment->at[i].monitor, &moment->at[i].row, &r);
		if (moment->at[i].row.has_value)
			beside_show(b->plan, b->shown, &r);
	}
	for (size_t i = 0; i < moment->n; i++)
		moment->take(b, moment->at[i].monitor, &moment->at[i].row);
	moment->n = 0;
}

static void moment_add(struct backtest *b, uint32_t monitor, const struct csv_row *row)
{
	struct moment *moment = &b->moment;
	if (moment->n > 0 && moment->at[0].row.time_ms != row->time_ms)
		moment_end(b);
	if (moment->n == moment->room) {
		size_t room = moment->room == 0 ? 64 : 2 * moment->room;
		struct held *more = reallocarray(moment->at, room, sizeof *more);
		if (more == NULL) {
			b->failed = true;
			return;
		}
		moment->at = more;
		moment->room = room;
	}
	moment->at[moment->n++] = (struct held){monitor, *row};
}

/* Where what stands beside a row, or why it was judged as it was, is asked for. */
static void closer_row(struct backtest *b, const struct csv_row *row,
		       const struct backtest_name *name)
{
	uint32_t monitor = count_row(b, row, name);
	if (monitor == NO_INDEX)
		return;
	if (b->beside)
		moment_add(b, monitor, row);
	else
		watch_row(b, monitor, row);
}

static void refuse_row(struct backtest *b, uint64_t number, const char *why)
{
	if (number > b->said)
		fprintf(b->err, "%s:%llu: %s\n", b->file, (unsigned long long)number, why);
	b->said = number > b->said ? number : b->said;
	b->rows++;
	b->malformed++;
}

static void take_flow(struct backtest *b, uint32_t monitor, const struct csv_row *row)
{
	struct reading r;
	settle_row(b, monitor, row, &r);
	b->failed |= row->has_value && !evaluator_flow(b->evaluator, &r);
}

/* The flow is known before anything is judged by it, wherever in the file it stands. */
static void flow_row(struct backtest *b, const struct csv_row *row,
		     const struct backtest_name *name)
{
	if (!pass_time(b, row->time_ms) || !name->used || name->monitor == NO_INDEX)
		return;
	if (b->beside)
		moment_add(b, name->monitor, row);
	else
		take_flow(b, name->monitor, row);
}

typedef void (*row_fn)(struct backtest *b, const struct csv_row *row,
		       const struct backtest_name *name);

/* A row that is not as expected. Return: the bytes it takes. */
static size_t other_row(struct backtest *b, const struct csv_header *header,
			const struct recording *rest, struct csv_row *row,
			struct backtest_name **name, char *why, size_t why_size)
{
	struct csv_line line;
	csv_line(rest->at, rest->at + rest->size, &line);
	*name = NULL;
	if (line.length > 0 && csv_row_of(&line, header, &b->plan->zone, row, why, why_size))
		*name = backtest_names_find(&b->names, row);
	return line.taken;
}

/* Each row behind the header, refused ones to @refused (NULL: passed over). Made anew for each @fn,
 * as a call for each row would be felt. */
__attribute__((always_inline)) static inline void
each_row(struct backtest *b, struct recording rest, const struct csv_header *header, row_fn fn,
	 void (*refused)(struct backtest *, uint64_t, const char *))
{
	__attribute__((uninitialized)) char why[160];
	struct csv_row row = {0};
	for (uint64_t number = 2; rest.size > 0 && !b->failed && !b->stopped; number++) {
		struct backtest_name *name = backtest_names_expected(&b->names);
		size_t taken = csv_row_like(rest.at, rest.at + rest.size, header, name->joined,
					    name->joined_length, &row);
		why[0] = '\0';
		if (taken == 0)
			taken = other_row(b, header, &rest, &row, &name, why, sizeof why);
		b->line = rest.at;
		rest.at += taken;
		rest.size -= taken;
		if (name != NULL) {
			b->names.last = (size_t)(name - b->names.at);
			fn(b, &row, name);
		} else if (why[0] != '\0' && refused != NULL) {
			refused(b, number, why);
		}
	}
}

/* Rows of the file, before anything is judged; what is malformed is said here. */
static void order_row(struct backtest *b, const struct csv_row *row,
		      const struct backtest_name *name)
{
	uint32_t monitor = name->used ? name->monitor : NO_INDEX;
	b->failed |= !pass_time(b, row->time_ms) ||
		     !backtest_order_add(b->order, monitor, row->time_ms, b->line);
}

static bool row_asks(const struct backtest *b, const struct csv_row *row,
		     const struct backtest_name *name)
{
	return name->used && name->monitor != NO_INDEX && row->has_value &&
	       row->value <= b->plan->monitors[name->monitor].asks_most &&
	       beside_asks(b->plan, name->monitor, row->value);
}

static void look_row(struct backtest *b, const struct csv_row *row,
		     const struct backtest_name *name)
{
	if (!name->used || name->monitor == NO_INDEX)
		return;
	b->beside |= row_asks(b, row, name);
	b->failed |= !backtest_strays_add(b->strays, name->monitor, row, b->line);
}

/* So long before the newest of its monitor that this one may be a stray. */
static bool row_strays(const struct backtest *b, const struct csv_row *row,
		       const struct backtest_name *name)
{
	return name->used && name->monitor != NO_INDEX &&
	       row->time_ms + STRAY_AHEAD_MS < b->clock_ms[name->monitor];
}

/* Judged as long as nothing asks, which is so to the end of most recordings. */
static void hopeful_row(struct backtest *b, const struct csv_row *row,
			const struct backtest_name *name)
{
	b->stopped = row_asks(b, row, name) || row_strays(b, row, name);
	if (!b->stopped)
		judge_row(b, row, name);
}

static bool flow_judges(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_sites; i++)
		if (plan->sites[i].has_gate)
			return true;
	for (size_t i = 0; i < plan->n_monitors; i++)
		for (size_t j = 0; j < plan->monitors[i].n_limits; j++)
			if (plan->monitors[i].limits[j].by_flow)
				return true;
	return false;
}

/* As if no row had been seen, but for what was said of them. */
static void start_over(struct backtest *b)
{
	b->evaluator = evaluator_free(b->evaluator);
	backtest_loads_free(b->loads);
	b->loads = NULL;
	b->failed |= backtest_loads_new(&b->loads, b->plan) < 0;
	for (size_t i = 0; i < b->plan->n_monitors; i++)
		b->clock_ms[i] = INT64_MIN;
	b->rows = b->readings = b->unknown = b->malformed = 0;
	b->n_verdicts = 0;
	b->stopped = false;
}

/* Return: false if a row asks what is beside it, or may be a stray: nothing is judged then. */
static bool judged_as_it_stands(struct backtest *b, struct recording rest,
				const struct csv_header *header)
{
	if (b->explain != NULL || flow_judges(b->plan) || backtest_order_matters(b->plan))
		return false;
	each_row(b, rest, header, hopeful_row, refuse_row);
	bool whole = !b->stopped;
	if (!whole)
		start_over(b);
	return whole;
}

static void say_stray(struct backtest *b, const struct recording *rows, const struct stray *s)
{
	uint64_t number = 2;
	for (const char *at = rows->at; (at = memchr(at, '\n', (size_t)(s->line - at))); at++)
		number++;
	fprintf(b->err,
		"%s:%" PRIu64 ": dated ahead of all that follows, which goes on from the rows "
		"before: no reading, and a clue\n",
		b->file, number);
	b->rows++;
}

/* Rows whose time cannot be are looked for before anything is judged by any. */
static void drop_strays(struct backtest *b, struct recording *rows, const struct csv_header *header)
{
	size_t n = 0;
	b->failed |= backtest_strays_new(&b->strays, b->plan) < 0;
	if (b->failed)
		return;
	each_row(b, *rows, header, look_row, NULL);
	const struct stray *found = backtest_strays_found(b->strays, &n);
	for (size_t i = 0; i < n; i++)
		say_stray(b, rows, &found[i]);
	b->failed |= n > 0 && !backtest_strays_drop(b->strays, rows);
}

static void judge_strays(struct backtest *b)
{
	size_t n = 0;
	const struct stray *found = b->strays == NULL ? NULL : backtest_strays_found(b->strays, &n);
	for (size_t i = 0; i < n; i++) {
		if (found[i].again)
			continue;
		struct verdict raised = stray_verdict(&found[i], VERDICT_RAISED);
		struct verdict cleared = stray_verdict(&found[i], VERDICT_CLEARED);
		keep(b, &raised);
		keep(b, &cleared);
	}
}

/* Most recordings hold nothing that asks for it, and are judged as they stand. */
static void begin_order(struct backtest *b)
{
	if (b->beside || backtest_order_matters(b->plan))
		b->failed |= backtest_order_new(&b->order, b->plan) < 0;
}

static bool read_rows(struct backtest *b, struct recording rest)
{
	struct csv_header header;
	const char *line = "";
	char why[160] = "the file is empty; its first line names the columns";
	bool good = rest.size > 0;
	size_t length = good ? recording_line(&rest, &line) : 0;
	if (!good || !csv_header(line, length, &header, why, sizeof why)) {
		fprintf(b->err, "%s:1: %s\n", b->file, why);
		return false;
	}
	void (*refused)(struct backtest *, uint64_t, const char *) = refuse_row;
	if (judged_as_it_stands(b, rest, &header))
		return true;
	drop_strays(b, &rest, &header);
	begin_order(b);
	if (b->order != NULL) {
		each_row(b, rest, &header, order_row, refuse_row);
		b->failed |= !b->failed && !backtest_order_rows(b->order, &rest);
		refused = NULL;
	}
	b->moment.take = take_flow;
	if (flow_judges(b->plan))
		each_row(b, rest, &header, flow_row, NULL);
	moment_end(b);
	b->moment.take = watch_row;
	memset(b->shown, 0, (b->plan->n_monitors + 1) * sizeof *b->shown);
	if (b->explain != NULL || b->beside)
		each_row(b, rest, &header, closer_row, refused);
	else
		each_row(b, rest, &header, judge_row, refused);
	moment_end(b);
	return true;
}

static void end_clocks(struct backtest *b)
{
	for (uint32_t i = 0; b->evaluator != NULL && i < b->plan->n_monitors; i++)
		evaluator_clock(b->evaluator, i, b->latest_ms, mono_of(b, b->latest_ms), true);
}

static void year_over(void *context, uint32_t monitor, const struct permit *permit,
		      int64_t covered_ms, int64_t until_ms)
{
	struct backtest *b = context;
	if (b->explain != NULL && monitor == b->explained)
		explain_year(b->explain, permit, covered_ms, until_ms);
}

static void judge_loads(struct backtest *b)
{
	const struct backtest_loads_watch watch = {
		.verdict = keep, .year = year_over, .context = b};
	if (b->loads != NULL && b->evaluator != NULL)
		b->failed |= !backtest_loads_judge(b->loads, b->latest_ms, &watch);
}

static void say_totals(const struct backtest *b)
{
	fprintf(b->err,
		"%" PRIu64 " rows, %" PRIu64 " readings, %" PRIu64 " of unknown monitors, %" PRIu64
		" malformed; %" PRIu64 " alerts raised, %" PRIu64 " cleared, %" PRIu64 " cases\n",
		b->rows, b->readings, b->unknown, b->malformed, b->events.raised, b->events.cleared,
		b->events.cases);
}

/* All of the recording, once. Return: false if a row was refused, or memory failed. */
static bool go_through(struct backtest *b, struct recording in)
{
	const struct plan *plan = b->plan;
	b->clock_ms = calloc(plan->n_monitors + 1, sizeof *b->clock_ms);
	b->shown = calloc(plan->n_monitors + 1, sizeof *b->shown);
	b->failed = b->clock_ms == NULL || b->shown == NULL ||
		    !backtest_names_fill(&b->names, plan) ||
		    backtest_loads_new(&b->loads, plan) < 0;
	for (size_t i = 0; !b->failed && i < plan->n_monitors; i++)
		b->clock_ms[i] = INT64_MIN;
	bool good = !b->failed && read_rows(b, in);
	if (good) {
		end_clocks(b);
		judge_strays(b);
		judge_loads(b);
		if (b->explain != NULL && b->evaluator != NULL)
			explain_end(b->explain, b->latest_ms);
		b->failed |= !backtest_events(&b->events, b->verdicts, b->n_verdicts);
	}
	if (b->failed)
		fprintf(b->err, "backtest: out of memory\n");
	if (good)
		say_totals(b);
	return good && !b->failed && b->malformed == 0;
}

static void backtest_deinit(struct backtest *b)
{
	evaluator_free(b->evaluator);
	backtest_loads_free(b->loads);
	backtest_names_deinit(&b->names);
	backtest_order_free(b->order);
	backtest_strays_free(b->strays);
	free(b->shown);
	free(b->moment.at);
	free(b->clock_ms);
	free(b->verdicts);
}

/* Opens the recording, or says why not. */
static bool open_recording(struct recording *in, const char *file, FILE *err)
{
	if (recording_open(in, file) == 0)
		return true;
	fprintf(err, "%s: %s\n", file, log_error_text(errno));
	recording_close(in);
	return false;
}

int backtest(const struct plan *plan, const char *file, const struct marks *marks, FILE *out,
	     FILE *err)
{
	struct backtest b = {.plan = plan,
			     .marks = marks,
			     .file = file,
			     .err = err,
			     .events = {.plan = plan, .out = out}};
	struct recording in;
	if (!open_recording(&in, file, err))
		return 1;
	bool good = go_through(&b, in);
	recording_close(&in);
	backtest_deinit(&b);
	return good && fflush(out) == 0 && !ferror(out) ? 0 : 1;
}

/* --- why --- */

/* A case by its number or id, known once the whole run was made. */
struct looking {
	const char *wanted;
	const struct backtest *run;
	struct explain_subject *out;
	bool found;
};

static void look_at(void *context, const struct backtest_fate *fate)
{
	struct looking *l = context;
	char id[24];
	snprintf(id, sizeof id, "%" PRId64, fate->case_id);
	if (l->found || !fate->opened || fate->number == NULL ||
	    (strcmp(l->wanted, id) != 0 && strcmp(l->wanted, fate->number) != 0))
		return;
	const struct verdict *v = &l->run->verdicts[fate->verdict];
	*l->out = (struct explain_subject){.plan = l->run->plan,
					   .monitor = v->monitor,
					   .kind = v->kind,
					   .average = v->average,
					   .name = l->wanted};
	l->found = true;
}

/* What goes wrong on the way is said the second time. */
static bool look_up(const struct backtest *of, struct recording in, const char *what,
		    struct explain_subject *out)
{
	struct backtest b = *of;
	struct looking looking = {.wanted = what, .run = &b, .out = out};
	b.events = (struct backtest_events){.plan = of->plan, .fate = look_at, .context = &looking};
	b.err = fopen("/dev/null", "we");
	if (b.err != NULL) {
		go_through(&b, in);
		fclose(b.err);
	}
	backtest_deinit(&b);
	return looking.found;
}

static void tell_fate(void *context, const struct backtest_fate *fate)
{
	explain_fate(context, fate);
}

static int explain_run(struct backtest *b, struct recording in,
		       const struct explain_subject *subject, FILE *out)
{
	if (explain_new(&b->explain, subject) < 0)
		return 1;
	b->explained = subject->monitor;
	b->events =
		(struct backtest_events){.plan = b->plan, .fate = tell_fate, .context = b->explain};
	bool good = go_through(b, in);
	good = explain_print(b->explain, out) && good;
	explain_free(b->explain);
	backtest_deinit(b);
	return good ? 0 : 1;
}

int backtest_explain(const struct plan *plan, const char *file, const struct marks *marks,
		     const char *what, FILE *out, FILE *err)
{
	struct backtest b = {.plan = plan, .marks = marks, .file = file, .err = err};
	struct explain_subject subject;
	struct recording in;
	int code = 1;
	if (!open_recording(&in, file, err))
		return 1;
	if (explain_subject(&subject, plan, what) || look_up(&b, in, what, &subject))
		code = explain_run(&b, in, &subject, out);
	else
		fprintf(err,
			"--explain %s: no case of this run has that id or number, and it is no "
			"SITE:FACTOR of the configuration\n",
			what);
	recording_close(&in);
	return code;
}
