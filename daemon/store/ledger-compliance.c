/* SPDX-License-Identifier: Apache-2.0 */
/* The data test of closing: the days of a case's monitors, by what was measured on them. */
#include "core/compliance.h"
#include "store/ledger-internal.h"
#include "store/ledger-marks.h"
#include "store/tallies.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a refusal names; and more days than these have been long enough. */
enum { DAYS_NAMED = 7, DAYS_MOST = 3660 };

/* What the worst of the case's monitors says of a day. */
struct case_day {
	bool judged;
	enum day_state state;
	struct day_share share;
	uint32_t monitor;
};

struct days {
	struct ledger *ledger;
	const struct zone *zone;
	struct tallies *tallies; /* NULL: nothing was added up yet */
	int64_t until_ms;        /* all before is added up */
	int64_t first, n;        /* days of the zone */
	struct case_day *worst;
	struct day_record *records; /* of one monitor */
	bool several;
};

/* --- since when --- */

/* The last moment at which an exceedance was active, else the registration. */
static int exceeded_last(struct ledger *ledger, const struct case_row *row, int64_t now_ms,
			 int64_t *since_ms)
{
	sqlite3_stmt *quiet = ledger->sql[SQL_CASE_QUIET];
	bool found;

	sql_bind(quiet, "ii", row->id, now_ms);
	int r = sql_step(quiet, &found);
	*since_ms = row->opened_ms;
	if (r == 0 && found && sqlite3_column_type(quiet, 0) != SQLITE_NULL)
		*since_ms = sqlite3_column_int64(quiet, 0);
	sql_reset(quiet);
	return r;
}

/* --- the record --- */

static struct span span_of(const struct days *d, int64_t i)
{
	return (struct span){zone_day_ms(d->zone, d->first + i),
			     zone_day_ms(d->zone, d->first + i + 1)};
}

static struct day_record *record_at(struct days *d, int64_t wall_ms)
{
	int64_t i = zone_day(d->zone, wall_ms) - d->first;
	return i < 0 || i >= d->n ? NULL : &d->records[i];
}

static bool take_day(void *context, const struct tally_row *row)
{
	struct day_record *record = record_at(context, row->span.start_ms);
	if (record != NULL) {
		record->count = row->count;
		record->late = row->late > 0;
	}
	return true;
}

struct flow_hours {
	struct days *days;
	const struct site *site;
};

static bool take_hour(void *context, const struct tally_row *row)
{
	const struct flow_hours *f = context;
	const struct monitor *flow = &f->days->ledger->plan->monitors[f->site->flow_monitor];
	struct day_record *record = record_at(f->days, row->span.start_ms);
	if (record != NULL && flow_shut(f->site, flow, &row->sum))
		record->shut |= hour_of_day(record->span, row->span.start_ms);
	return true;
}

static int read_records(struct days *d, uint32_t monitor)
{
	const struct plan *plan = d->ledger->plan;
	const struct site *site = &plan->sites[plan->monitors[monitor].site];
	const struct span all = {span_of(d, 0).start_ms, span_of(d, d->n - 1).end_ms};
	struct flow_hours flow = {d, site};
	int r = 0;

	for (int64_t i = 0; i < d->n; i++)
		d->records[i] = (struct day_record){.span = span_of(d, i)};
	if (d->tallies != NULL)
		r = tallies_rows(d->tallies, monitor, TALLY_DAY, all, take_day, d);
	if (r == 0 && d->tallies != NULL && plan->monitors[monitor].gated && site->has_flow)
		r = tallies_rows(d->tallies, site->flow_monitor, TALLY_HOUR, all, take_hour, &flow);
	return r;
}

/* Is all of a day added up, with what was marked of it? */
static int is_pending(struct days *d, const struct monitor *m, int64_t i, bool *pending)
{
	*pending = d->until_ms < d->records[i].span.end_ms;
	return *pending ? 0
			: tallies_waits(d->tallies, m->site, d->records[i].span.start_ms, pending);
}

static void take_worse(struct case_day *worst, const struct case_day *day)
{
	if (!worst->judged || day->state > worst->state)
		*worst = *day;
}

static int judge_monitor(struct days *d, uint32_t monitor)
{
	const struct monitor *m = &d->ledger->plan->monitors[monitor];
	int r = read_records(d, monitor);

	for (int64_t i = 0; r == 0 && i < d->n; i++) {
		struct case_day day = {.judged = true, .monitor = monitor};
		bool pending;
		day.state = compliance_day(m, &d->records[i], &day.share);
		r = is_pending(d, m, i, &pending);
		if (pending && day.state != DAY_EXCEEDS)
			day.state = DAY_PENDING;
		take_worse(&d->worst[i], &day);
	}
	return r;
}

static void judge_missing(struct days *d)
{
	const struct case_day unknown = {true, DAY_UNKNOWN, {0}, NO_INDEX};
	for (int64_t i = 0; i < d->n; i++)
		take_worse(&d->worst[i], &unknown);
}

static int judge_monitors(struct days *d, const struct case_row *row)
{
	sqlite3_stmt *list = d->ledger->sql[SQL_CASE_MONITORS];
	int64_t n = 0;
	bool more;

	sql_bind(list, "i", row->id);
	int r = sql_step(list, &more);
	for (; r == 0 && more; n++) {
		uint32_t monitor =
			plan_monitor(d->ledger->plan, sql_text(list, 0), sql_text(list, 1));
		if (monitor == NO_INDEX)
			judge_missing(d);
		else
			r = judge_monitor(d, monitor);
		if (r == 0)
			r = sql_step(list, &more);
	}
	sql_reset(list);
	d->several = n > 1;
	return r;
}

/* --- what is said --- */

static void date_text(const struct days *d, int64_t i, struct text *out)
{
	const struct civil c = zone_civil(d->zone, span_of(d, i).start_ms);
	text_format(out, "%04d-%02d-%02d", (int)c.year, c.month, c.day);
}

static void why_text(const struct case_day *day, struct text *out)
{
	const struct day_share *share = &day->share;
	if (day->state != DAY_SHORT)
		text_add(out, day_state_text(day->state));
	else if (share->hours)
		text_format(out, "%.4g of %.4g hours have a valid reading, and %.4g are needed",
			    share->valid, share->due, share->needed);
	else
		text_format(out, "%.0f of %.0f readings are valid, and %.0f are needed",
			    share->valid, share->due, ceil(share->needed));
}

static void monitor_json(const struct days *d, uint32_t monitor, struct text *out)
{
	const struct monitor *m = &d->ledger->plan->monitors[monitor];

	text_add(out, ",\"site\":");
	text_json(out, d->ledger->plan->sites[m->site].id);
	text_add(out, ",\"factor\":");
	text_json(out, m->factor);
}

static void say_day(const struct days *d, int64_t i, struct compliance *out)
{
	const struct case_day *day = &d->worst[i];

	text_add(&out->why, "; ");
	date_text(d, i, &out->why);
	if (d->several && day->monitor != NO_INDEX) {
		const struct monitor *m = &d->ledger->plan->monitors[day->monitor];
		text_format(&out->why, " %s/%s", d->ledger->plan->sites[m->site].id, m->factor);
	}
	text_add(&out->why, ": ");
	why_text(day, &out->why);
	text_add(&out->json, out->said++ == 0 ? "{\"day\":\"" : ",{\"day\":\"");
	date_text(d, i, &out->json);
	text_format(&out->json, "\",\"is\":\"%s\"", day_state_name(day->state));
	if (day->monitor != NO_INDEX)
		monitor_json(d, day->monitor, &out->json);
	if (day->state == DAY_SHORT)
		text_format(&out->json, ",\"of\":\"%s\",\"valid\":%.0f,\"needed\":%.12g",
			    day->share.hours ? "hours" : "readings", day->share.valid,
			    day->share.needed);
	text_char(&out->json, '}');
}

/* Back from yesterday: what counts, and the newest that do not, until there are enough or one
 * exceeds. */
static void count_days(const struct days *d, struct compliance *out)
{
	int64_t others = 0;
	bool goes_on = true;

	for (int64_t i = d->n - 1; goes_on && out->days < out->needed && i >= 0; i--) {
		bool counts = d->worst[i].state == DAY_COMPLIES;
		goes_on = d->worst[i].state != DAY_EXCEEDS;
		out->days += counts;
		if (!counts && (out->said < DAYS_NAMED || !goes_on))
			say_day(d, i, out);
		else
			others += !counts;
	}
	if (others > 0)
		text_format(&out->why, "; %lld days before them count as little",
			    (long long)others);
}

static int judge_days(struct days *d, const struct case_row *row, struct compliance *out)
{
	d->worst = calloc((size_t)d->n, sizeof *d->worst);
	d->records = calloc((size_t)d->n, sizeof *d->records);
	int r = d->worst == NULL || d->records == NULL ? -ENOMEM : 0;
	if (r == 0)
		r = tallies_read(&d->tallies, d->ledger->directory, d->ledger->plan);
	/* a mark that was not taken up may touch any day */
	if (r == 0 && tallies_marked(d->tallies) >= ledger_mark_last(d->ledger))
		d->until_ms = tallies_until(d->tallies);
	if (r == 0 || r == -ENOENT)
		r = judge_monitors(d, row);
	if (r == 0)
		count_days(d, out);
	tallies_close(d->tallies);
	free(d->worst);
	free(d->records);
	return r;
}

int ledger_compliance(struct ledger *ledger, const struct case_row *row, int64_t now_ms,
		      struct compliance *out)
{
	struct days d = {.ledger = ledger, .zone = &ledger->plan->zone};
	int64_t since_ms;

	int r = exceeded_last(ledger, row, now_ms, &since_ms);
	if (r != 0)
		return r;
	d.first = zone_day(d.zone, since_ms - 1) + 1;
	d.n = zone_day(d.zone, now_ms) - d.first;
	text_add(&out->why, "; whole days count from ");
	date_text(&d, 0, &out->why);
	text_add(&out->why, " on");
	if (d.n > DAYS_MOST) {
		d.first += d.n - DAYS_MOST;
		d.n = DAYS_MOST;
	}
	return d.n <= 0 ? 0 : judge_days(&d, row, out);
}

void compliance_deinit(struct compliance *compliance)
{
	text_deinit(&compliance->why);
	text_deinit(&compliance->json);
}
