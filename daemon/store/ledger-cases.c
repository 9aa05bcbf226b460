/* SPDX-License-Identifier: Apache-2.0 */
#include "core/refusal.h"
#include "store/ledger-internal.h"
#include "store/milestone.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOST_MS = 3600000 }; /* of the clocks of those that measure */

int ledger_recount_cases(struct ledger *ledger)
{
	sqlite3_stmt *list = ledger->sql[SQL_CASE_COUNT];
	size_t cases[CASE_STATUSES] = {0};
	bool row;

	int r = sql_step(list, &row);
	for (; r == 0 && row; r = sql_step(list, &row)) {
		enum case_status status = ledger_status(sql_text(list, 0));
		if (status != CASE_STATUSES)
			cases[status] = (size_t)sqlite3_column_int64(list, 1);
	}
	sql_reset(list);
	for (size_t i = 0; r == 0 && i < CASE_STATUSES; i++)
		atomic_store_explicit(&ledger->cases[i], cases[i], memory_order_relaxed);
	return r;
}

size_t ledger_case_count(struct ledger *ledger, enum case_status status)
{
	return atomic_load_explicit(&ledger->cases[status], memory_order_relaxed);
}

/* --- registration --- */

static int case_number_next(struct ledger *ledger, int64_t year, int64_t *seq)
{
	sqlite3_stmt *next = ledger->sql[SQL_CASE_NEXT];
	bool row;

	sql_bind(next, "i", year);
	int r = sql_step(next, &row);
	if (r == 0)
		*seq = sqlite3_column_int64(next, 0);
	sql_reset(next);
	ledger->registered++;
	return r == 0 ? numbers_year(&ledger->numbers, year, *seq) : r;
}

int ledger_history(struct ledger *ledger, int64_t id, int64_t now_ms, const char *action,
		   const struct case_order *o, int escalation)
{
	return sql_do(ledger->sql[SQL_HISTORY_ADD], "iitttttttttttttttttzzzzt", id, now_ms, action,
		      o->by, o->note, o->unit, o->leader, o->team, o->reason, o->track, o->step,
		      o->document, o->level, o->checkers, o->approved_by, o->relation, o->file,
		      o->type, o->sha256, o->due_ms, o->other, o->bytes, (int64_t)escalation,
		      o->user);
}

/* --- the clock of a case --- */

static void row_text(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text != NULL ? text : "");
}

static struct case_clock row_clock(sqlite3_stmt *row)
{
	struct case_clock clock = {
		.kind = (enum site_kind)sqlite3_column_int(row, CASE_SITE_KIND),
		.severity = severity_find(sql_text(row, CASE_SEVERITY)),
		.status = ledger_status(sql_text(row, CASE_STATUS)),
		.verified = sqlite3_column_int(row, CASE_VERIFIED) != 0,
		.track = case_track_find(sql_text(row, CASE_TRACK)),
		.stage_ms = sqlite3_column_int64(row, CASE_STAGE),
		.due_ms = sqlite3_column_int64(row, CASE_DUE),
		.reminded = sqlite3_column_int(row, CASE_REMINDED),
		.escalation = sqlite3_column_int(row, CASE_ESCALATION),
		.extended = sqlite3_column_int(row, CASE_EXTENDED) != 0,
		.fixed = sqlite3_column_int(row, CASE_FIXED) != 0,
		.kept = {.stage_ms = sqlite3_column_int64(row, CASE_KEPT_STAGE),
			 .due_ms = sqlite3_column_int64(row, CASE_KEPT_DUE),
			 .extended = sqlite3_column_int(row, CASE_KEPT_EXTENDED) != 0,
			 .fixed = sqlite3_column_int(row, CASE_KEPT_FIXED) != 0},
	};
	if (clock.stage_ms == 0)
		clock.stage_ms = sqlite3_column_int64(row, CASE_OPENED_AT);
	return clock;
}

static void row_read(sqlite3_stmt *row, struct case_row *out)
{
	*out = (struct case_row){
		.id = sqlite3_column_int64(row, CASE_ID),
		.opened_ms = sqlite3_column_int64(row, CASE_OPENED_AT),
		.closed_ms = sqlite3_column_int64(row, CASE_CLOSED_AT),
		.merged_into = sqlite3_column_int64(row, CASE_MERGED),
		.automatic = strcmp(sql_text(row, CASE_SOURCE), "automatic") == 0,
		.has_unit = sql_text(row, CASE_UNIT) != NULL,
		.has_leader = sql_text(row, CASE_LEADER) != NULL,
		.has_team = sql_text(row, CASE_TEAM) != NULL,
		.reopened = sqlite3_column_int(row, CASE_REOPENED),
		.restored = sqlite3_column_int(row, CASE_RESTORED),
		.clock = row_clock(row),
	};
	row_text(out->site, sizeof out->site, sql_text(row, CASE_SITE));
	row_text(out->factor, sizeof out->factor, sql_text(row, CASE_FACTOR));
	row_text(out->kind, sizeof out->kind, sql_text(row, CASE_KIND));
	row_text(out->average, sizeof out->average, sql_text(row, CASE_AVERAGE));
	row_text(out->reason, sizeof out->reason, sql_text(row, CASE_REASON));
}

int ledger_case_row(struct ledger *ledger, int64_t id, struct case_row *out)
{
	sqlite3_stmt *one = ledger->sql[SQL_CASE_ONE];
	bool row;

	sql_bind(one, "i", id);
	int r = sql_step(one, &row);
	if (r == 0 && !row)
		r = LEDGER_UNKNOWN;
	if (r == 0)
		row_read(one, out);
	sql_reset(one);
	return r;
}

/* When there is something to say of a case, or of a milestone of its plan; 0: never. */
static int case_timer(struct ledger *ledger, int64_t id, const struct case_clock *clock,
		      int64_t *at_ms)
{
	struct case_parts parts = {0};
	struct milestone ignored;
	int r = 0;

	*at_ms = deadline_timer(ledger->plan, clock);
	if (ledger->plan->rules == NULL || clock->status != CASE_RECTIFYING)
		return 0;
	r = ledger_case_history(ledger, id, &parts);
	int64_t step_ms = r != 0 ? 0
				 : milestone_next(ledger->plan, clock, parts.history,
						  parts.n_history, &ignored);
	case_parts_deinit(&parts);
	if (step_ms != 0 && (*at_ms == 0 || step_ms < *at_ms))
		*at_ms = step_ms;
	return r;
}

int ledger_case_clock(struct ledger *ledger, int64_t id, const struct case_clock *clock)
{
	int64_t timer_ms;
	int r = case_timer(ledger, id, clock, &timer_ms);

	ledger->timed = true;
	return r != 0 ? r
		      : sql_do(ledger->sql[SQL_CASE_CLOCK], "izzziibbzzbb", id, clock->stage_ms,
			       clock->due_ms, timer_ms, (int64_t)clock->reminded,
			       (int64_t)clock->escalation, (int)clock->extended, (int)clock->fixed,
			       clock->kept.stage_ms, clock->kept.due_ms, (int)clock->kept.extended,
			       (int)clock->kept.fixed);
}

/* A new case's clock begins; in recorded data nothing falls due. */
static int case_begin(struct ledger *ledger, int64_t id, int64_t now_ms)
{
	struct case_row row;

	if (ledger->plan->rules == NULL)
		return 0;
	int r = ledger_case_row(ledger, id, &row);
	if (r != 0)
		return r;
	deadline_begin(ledger->plan, &row.clock, now_ms);
	return ledger_case_clock(ledger, id, &row.clock);
}

/* --- registration of what the judge raised --- */

static int lost_text(struct ledger *ledger, int64_t lost_ms, struct text *note)
{
	const char *language = ledger->plan->language;
	bool chinese = language != NULL && strncmp(language, "zh", 2) == 0;
	void *file = NULL;
	size_t size;

	int r = sql_get_blob(ledger->sql[SQL_GET], LEDGER_LOST, &file, &size);
	text_add(note, chinese ? "台账曾损坏，于" : "The ledger was put together on ");
	text_time(note, lost_ms, &ledger->plan->zone, 0);
	text_add(note, chinese ? "由残存内容重建，此次事件此前的案件可能已丢失"
			       : " of what was left of it; an earlier case of this may be lost");
	if (r == 0 && size > 0)
		text_format(note, chinese ? "，参见存储目录中的 %.*s" : ". See %.*s in the store",
			    (int)size, (const char *)file);
	text_add(note, chinese ? "。" : ".");
	free(file);
	return r == -ENOENT ? 0 : r;
}

/* What could not be made again of a damaged ledger may have had a case of what began before. */
static int note_lost(struct ledger *ledger, const struct verdict *v, int64_t id, int64_t now_ms)
{
	sqlite3_stmt *find = ledger->sql[SQL_GET_CURSOR];
	struct text note = {0};
	bool row;

	sql_bind(find, "t", LEDGER_LOST);
	int r = sql_step(find, &row);
	int64_t lost_ms = r == 0 && row ? sqlite3_column_int64(find, 0) : 0;
	sql_reset(find);
	if (r != 0 || lost_ms == 0 || v->began_ms > lost_ms + LOST_MS)
		return r;
	r = lost_text(ledger, lost_ms, &note);
	if (r == 0)
		r = note.failed
			    ? -ENOMEM
			    : ledger_history(ledger, id, now_ms, "note",
					     &(struct case_order){.by = BY_DAEMON, .note = note.at},
					     0);
	text_deinit(&note);
	return r;
}

static int case_register(struct ledger *ledger, const struct verdict *v, int64_t now_ms,
			 int64_t *id)
{
	const struct plan *plan = ledger->plan;
	const struct monitor *m = &plan->monitors[v->monitor];
	const struct site *site = &plan->sites[m->site];
	const struct responsible *who = &site->responsible;
	int64_t year = zone_civil(&plan->zone, now_ms).year, seq = 0;

	int r = case_number_next(ledger, year, &seq);
	if (r == 0)
		r = sql_do(ledger->sql[SQL_CASE_ADD], "iittitttttiotiottt", year, seq, site->id,
			   site->name, (int64_t)site->kind, m->factor, m->factor_name,
			   alert_kind_name(v->kind), average_name(v->average),
			   ledger_bound_name(v->bound), now_ms, (int)v->has_limit, v->limit_value,
			   alert_unit(m, v->kind), (int64_t)alert_decimals(m, v->kind),
			   (int)v->has_value, v->value, who->unit, who->leader, who->team);
	*id = sqlite3_last_insert_rowid(ledger->db);
	if (r == 0)
		r = ledger_history(ledger, *id, now_ms, "registered",
				   &(struct case_order){.by = BY_DAEMON}, 0);
	if (r == 0)
		r = note_lost(ledger, v, *id, now_ms);
	if (r == 0)
		r = case_begin(ledger, *id, now_ms);
	return r;
}

/* 反复: what was reported as put right is wrong again, and goes back to work. */
static int case_relapse(struct ledger *ledger, int64_t id, int64_t now_ms)
{
	struct case_row row;

	int r = sql_do(ledger->sql[SQL_CASE_RELAPSE], "i", id);
	if (r != 0 || sqlite3_changes(ledger->db) == 0)
		return r;
	r = ledger_case_row(ledger, id, &row);
	if (r != 0)
		return r;
	deadline_again(ledger->plan, &row.clock, now_ms);
	r = ledger_case_clock(ledger, id, &row.clock);
	if (r == 0)
		r = ledger_history(ledger, id, now_ms, "relapsed",
				   &(struct case_order){.by = BY_DAEMON}, 0);
	return r;
}

/* One event, one case: a further factor of the site joins the case of a short while ago. */
static int case_joinable(struct ledger *ledger, const struct verdict *v, int64_t now_ms,
			 int64_t *id)
{
	const struct site *site = &ledger->plan->sites[ledger->plan->monitors[v->monitor].site];
	sqlite3_stmt *find = ledger->sql[SQL_CASE_JOINS];
	bool row;

	if (v->kind != ALERT_EXCEEDANCE || site->join_ms == 0)
		return 0;
	sql_bind(find, "ttti", site->id, alert_kind_name(v->kind), average_name(v->average),
		 now_ms - site->join_ms);
	int r = sql_step(find, &row);
	if (r == 0 && row)
		*id = sqlite3_column_int64(find, 0);
	sql_reset(find);
	return r;
}

static int case_of_factor(struct ledger *ledger, const struct verdict *v, int64_t *id)
{
	const struct monitor *m = &ledger->plan->monitors[v->monitor];
	sqlite3_stmt *find = ledger->sql[SQL_CASE_OPEN];
	bool row;

	sql_bind(find, "tttt", ledger->plan->sites[m->site].id, m->factor, alert_kind_name(v->kind),
		 average_name(v->average));
	int r = sql_step(find, &row);
	if (r == 0 && row)
		*id = sqlite3_column_int64(find, 0);
	sql_reset(find);
	return r;
}

static int note_joined(struct ledger *ledger, const struct verdict *v, int64_t id, int64_t now_ms)
{
	const struct monitor *m = &ledger->plan->monitors[v->monitor];
	const struct case_order order = {.by = BY_DAEMON, .note = m->factor_name};

	return ledger_history(ledger, id, now_ms, "joined", &order, 0);
}

int ledger_case_raise(struct ledger *ledger, const struct verdict *v, int64_t now_ms, int64_t *id,
		      bool *opened)
{
	bool joins;

	*id = 0;
	int r = case_of_factor(ledger, v, id);
	joins = r == 0 && *id == 0;
	if (joins)
		r = case_joinable(ledger, v, now_ms, id);
	*opened = r == 0 && *id == 0;
	if (r == 0 && joins && !*opened)
		r = note_joined(ledger, v, *id, now_ms);
	if (r == 0)
		r = *opened ? case_register(ledger, v, now_ms, id)
			    : case_relapse(ledger, *id, now_ms);
	return r;
}

/* --- what may have flowed down from another site --- */

static int link_both(struct ledger *ledger, int64_t id, int64_t other, int64_t now_ms)
{
	struct case_order order = {
		.by = BY_DAEMON, .relation = "suspected_same_event", .other = other};

	int r = ledger_history(ledger, id, now_ms, "link", &order, 0);
	if (r == 0)
		r = ledger_case_event(ledger, id, "ducha.case.updated", now_ms);
	order.other = id;
	if (r == 0)
		r = ledger_history(ledger, other, now_ms, "link", &order, 0);
	return r == 0 ? ledger_case_event(ledger, other, "ducha.case.updated", now_ms) : r;
}

static int link_site(struct ledger *ledger, int64_t id, const struct site *above, int64_t now_ms)
{
	sqlite3_stmt *find = ledger->sql[SQL_CASE_ABOVE];
	int64_t other = 0;
	bool row;
	int r;

	do {
		sql_bind(find, "tiii", above->id, now_ms - above->travel_ms, id, other);
		r = sql_step(find, &row);
		if (r == 0 && row)
			other = sqlite3_column_int64(find, 0);
		sql_reset(find);
		if (r == 0 && row)
			r = link_both(ledger, id, other, now_ms);
	} while (r == 0 && row);
	return r;
}

int ledger_case_above(struct ledger *ledger, int64_t id, const struct verdict *v, int64_t now_ms)
{
	const struct plan *plan = ledger->plan;
	const char *here = plan->sites[plan->monitors[v->monitor].site].id;
	int r = 0;

	for (size_t i = 0; v->kind == ALERT_EXCEEDANCE && r == 0 && i < plan->n_sites; i++) {
		const struct site *above = &plan->sites[i];
		if (above->upstream_of != NULL && strcmp(above->upstream_of, here) == 0)
			r = link_site(ledger, id, above, now_ms);
	}
	return r;
}

/* --- the worst of its episodes --- */

static double degree(sqlite3_stmt *row, int column)
{
	double value;
	return sql_double(row, column, &value) ? value : -INFINITY;
}

/* The alert of the highest multiple, then farthest beyond its limit, then the first; 0: none. Not
 * ORDER BY … LIMIT 1, for which SQLite makes a table each time. */
static int worst_alert(struct ledger *ledger, int64_t id, const char *factor, int64_t *out)
{
	sqlite3_stmt *list = ledger->sql[SQL_CASE_DEGREES];
	double multiple = -INFINITY, beyond = -INFINITY;
	bool row;

	*out = 0;
	sql_bind(list, "it", id, factor);
	int r = sql_step(list, &row);
	for (; r == 0 && row; r = sql_step(list, &row)) {
		double m = degree(list, 1), d = degree(list, 2);
		if (*out != 0 && (m < multiple || (m == multiple && d <= beyond)))
			continue;
		*out = sqlite3_column_int64(list, 0);
		multiple = m;
		beyond = d;
	}
	sql_reset(list);
	return r;
}

static int exceeding_days(struct ledger *ledger, const char *site, const char *factor,
			  int64_t at_ms, int *days)
{
	sqlite3_stmt *count = ledger->sql[SQL_CASE_DAYS];
	bool row;

	sql_bind(count, "tti", site, factor, at_ms);
	int r = sql_step(count, &row);
	if (r == 0 && row)
		*days = sqlite3_column_int(count, 0);
	sql_reset(count);
	return r;
}

int ledger_severity(struct ledger *ledger, const char *site, enum average average, int64_t at_ms,
		    struct severity_facts *f)
{
	uint32_t monitor = site == NULL || f->factor == NULL
				   ? NO_INDEX
				   : plan_monitor(ledger->plan, site, f->factor);

	severity_section(f, ledger->plan, monitor);
	return average == AVERAGE_DAY ? exceeding_days(ledger, site, f->factor, at_ms, &f->days)
				      : 0;
}

/* What the worst episode makes of a case; facts of a statement that may not move on meanwhile. */
struct gravity {
	enum severity before, severity;
	struct severity_facts facts;
};

/* The columns of SQL_CASE_WORST. A case once grave stays so: people were told. */
static int worst_gravity(struct ledger *ledger, sqlite3_stmt *worst, int64_t at_ms,
			 struct gravity *g)
{
	struct severity_facts *f = &g->facts;

	g->before = g->severity = severity_find(sql_text(worst, 8));
	*f = (struct severity_facts){.kind = (enum site_kind)sqlite3_column_int(worst, 6),
				     .factor = sql_text(worst, 9)};
	if (strcmp(sql_text(worst, 7), alert_kind_name(ALERT_EXCEEDANCE)) != 0)
		return 0;
	f->has_limit = sql_double(worst, 1, &f->limit);
	f->has_peak = sql_double(worst, 3, &f->peak);
	f->has_multiple = sql_double(worst, 5, &f->multiple);
	int r = ledger_severity(ledger, sql_text(worst, 10), average_named(sql_text(worst, 11)),
				at_ms, f);
	if (r == 0 && case_severity(f) > g->before)
		g->severity = case_severity(f);
	return r;
}

static int case_tighten(struct ledger *ledger, int64_t id)
{
	struct case_row row;

	int r = ledger_case_row(ledger, id, &row);
	if (r != 0)
		return r;
	deadline_tighten(ledger->plan, &row.clock);
	return ledger_case_clock(ledger, id, &row.clock);
}

/* From which severity to which, and why. */
static int tell_rise(struct ledger *ledger, int64_t id, const struct gravity *g, int64_t now_ms)
{
	const char *language = ledger->plan->language;
	struct text note = {0};

	severity_rise(g->before, &g->facts, language != NULL && strncmp(language, "zh", 2) == 0,
		      &note);
	int r = note.failed
			? -ENOMEM
			: ledger_history(ledger, id, now_ms, "severity",
					 &(struct case_order){.by = BY_DAEMON, .note = note.at}, 0);
	text_deinit(&note);
	return r;
}

/* @told_ms: as of ledger_case_refresh() */
static int case_risen(struct ledger *ledger, int64_t id, const struct gravity *g, int64_t told_ms,
		      bool announced)
{
	if (g->severity == g->before)
		return 0;
	int r = ledger->plan->rules == NULL ? 0 : case_tighten(ledger, id);
	if (r == 0 && told_ms != 0)
		r = tell_rise(ledger, id, g, told_ms);
	return r == 0 && !announced ? ledger_case_event(ledger, id, "ducha.case.updated", told_ms)
				    : r;
}

/* A factor that has joined makes the case graver; its values are those of its own factor. */
static int refresh_joined(struct ledger *ledger, int64_t id, const struct gravity *g)
{
	return g->severity == g->before
		       ? 0
		       : sql_do(ledger->sql[SQL_CASE_GRAVER], "it", id, severity_name(g->severity));
}

static int refresh_own(struct ledger *ledger, int64_t id, sqlite3_stmt *worst,
		       const struct gravity *g, bool has_last, double last)
{
	double limit, peak, multiple;
	bool has_limit = sql_double(worst, 1, &limit), has_peak = sql_double(worst, 3, &peak);
	bool has_multiple = sql_double(worst, 5, &multiple);

	return sql_do(ledger->sql[SQL_CASE_REFRESH], "itotoioto", id, sql_text(worst, 0),
		      (int)has_limit, limit, sql_text(worst, 2), (int)has_peak, peak,
		      sqlite3_column_int64(worst, 4), (int)has_multiple, multiple,
		      severity_name(g->severity), (int)has_last, last);
}

int ledger_case_refresh(struct ledger *ledger, int64_t id, const struct verdict *v, bool has_last,
			int64_t at_ms, int64_t told_ms)
{
	const char *factor =
		v->monitor == NO_INDEX ? NULL : ledger->plan->monitors[v->monitor].factor;
	sqlite3_stmt *worst = ledger->sql[SQL_CASE_WORST];
	struct gravity g;
	int64_t alert;
	bool row;

	int r = worst_alert(ledger, id, factor, &alert);
	if (r != 0)
		return r;
	sql_bind(worst, "ii", id, alert);
	r = sql_step(worst, &row);
	if (r == 0 && row) {
		r = worst_gravity(ledger, worst, at_ms, &g);
		if (r == 0)
			r = sqlite3_column_int(worst, 12) == 0
				    ? refresh_joined(ledger, id, &g)
				    : refresh_own(ledger, id, worst, &g, has_last, v->last_value);
		if (r == 0)
			r = case_risen(ledger, id, &g, told_ms,
				       v->type == VERDICT_RAISED || v->type == VERDICT_SETTLED);
	}
	sql_reset(worst);
	return r;
}

/* --- cases by hand --- */

struct hand {
	const struct site *site;
	const struct monitor *monitor; /* NULL: the case is about no one factor */
	enum alert_kind kind;
};

static const char *or_else(const char *given, const char *otherwise)
{
	return given != NULL ? given : otherwise;
}

/* City and province list a case by a document of theirs. */
static const char *hand_level(const struct case_order *o)
{
	bool listed = strcmp(o->source, "city") == 0 || strcmp(o->source, "province") == 0;
	return or_else(o->level, listed ? o->source : "district");
}

/* Return: NULL; else what is missing. */
static const char *hand_lacks(const struct case_order *o, enum alert_kind kind)
{
	if (o->site == NULL)
		return "open needs site";
	if (o->source == NULL)
		return "open needs source";
	if (kind == ALERT_KINDS)
		return "kind is none of the kinds of alerts";
	if (o->dated != NULL && o->document == NULL)
		return "open needs document, of which dated is the day";
	if (order_two_days(o))
		return refusal_text(REFUSE_TWO_DAYS);
	bool listed = strcmp(hand_level(o), "district") != 0 || strcmp(o->source, "city") == 0 ||
		      strcmp(o->source, "province") == 0;
	return listed && o->document == NULL ? "a case that city or province has listed needs "
					       "document, the number of theirs"
					     : NULL;
}

/* Without a value: what the kind of site and a toxic factor make of it. */
static enum severity hand_severity(const struct ledger *ledger, const struct hand *hand)
{
	bool exceeds = hand->kind == ALERT_EXCEEDANCE && hand->monitor != NULL;
	const struct severity_facts facts = {.steps = ledger->plan->steps,
					     .kind = hand->site->kind,
					     .factor = exceeds ? hand->monitor->factor : NULL};
	return case_severity(&facts);
}

/* Return: 0; LEDGER_UNKNOWN or LEDGER_INCOMPLETE and {"error":…} in @out */
static int hand_look(const struct ledger *ledger, const struct case_order *o, struct hand *hand,
		     struct text *out)
{
	const struct plan *plan = ledger->plan;
	uint32_t site = o->site == NULL ? NO_INDEX : plan_site(plan, o->site), monitor = NO_INDEX;

	hand->kind = o->kind == NULL ? ALERT_CLUE : ledger_kind(o->kind);
	const char *lack = hand_lacks(o, hand->kind);
	if (lack != NULL) {
		text_format(out, "{\"error\":\"%s\"}", lack);
		return LEDGER_INCOMPLETE;
	}
	if (site != NO_INDEX && o->factor != NULL)
		monitor = plan_monitor(plan, o->site, o->factor);
	if (site == NO_INDEX || (o->factor != NULL && monitor == NO_INDEX)) {
		text_add(out, site == NO_INDEX ? "{\"error\":\"no such site\"}"
					       : "{\"error\":\"the site has no such factor\"}");
		return LEDGER_UNKNOWN;
	}
	hand->site = &plan->sites[site];
	hand->monitor = monitor == NO_INDEX ? NULL : &plan->monitors[monitor];
	return 0;
}

static int hand_add(struct ledger *ledger, const struct case_order *o, const struct hand *hand,
		    int64_t now_ms, int64_t *id)
{
	static const struct monitor none = {.decimals = 0};
	const struct monitor *m = hand->monitor != NULL ? hand->monitor : &none;
	const struct responsible *who = &hand->site->responsible;
	int64_t year = zone_civil(&ledger->plan->zone, now_ms).year, seq = 0;

	int r = case_number_next(ledger, year, &seq);
	if (r == 0)
		r = sql_do(ledger->sql[SQL_CASE_HAND], "iittittttttitittttt", year, seq,
			   hand->site->id, hand->site->name, (int64_t)hand->site->kind, m->factor,
			   m->factor_name, alert_kind_name(hand->kind),
			   or_else(o->severity, severity_name(hand_severity(ledger, hand))),
			   hand_level(o), o->source, now_ms, m->unit, (int64_t)m->decimals,
			   or_else(o->unit, who->unit), or_else(o->leader, who->leader),
			   or_else(o->team, who->team), o->title, o->document);
	*id = sqlite3_last_insert_rowid(ledger->db);
	if (r == 0)
		r = ledger_history(ledger, *id, now_ms, "registered", o, 0);
	if (r == 0)
		r = case_begin(ledger, *id, now_ms);
	if (r == 0)
		r = ledger_case_event(ledger, *id, "ducha.case.opened", now_ms);
	return r;
}

int ledger_open_case(struct ledger *ledger, const struct case_order *order, int64_t now_ms,
		     struct text *out)
{
	struct hand hand;
	int64_t id;

	struct case_order dated = *order;
	struct text document = {0};

	int r = hand_look(ledger, order, &hand, out);
	if (r != 0)
		return r;
	dated.document = order_document(order, &document);
	r = ledger_begin(ledger);
	if (r == 0)
		r = document.failed ? -ENOMEM : hand_add(ledger, &dated, &hand, now_ms, &id);
	if (r == 0)
		r = ledger_case_text(ledger, id, EPISODES_ALL, out);
	text_deinit(&document);
	return ledger_end(ledger, r);
}
