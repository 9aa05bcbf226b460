/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The evaluator's state, shared by its parts: evaluate.c (instant limits, and the outside),
 * evaluate-calm.c (what compliance needs no closer look), evaluate-means.c (mean limits),
 * evaluate-eight.c (those of eight hours), evaluate-signal.c (flat, step, range, silence),
 * evaluate-settle.c (the first results after a stop), evaluate-late.c (readings that come late),
 * evaluate-await.c (results that wait for a flow), evaluate-clue.c (clues), evaluate-alert.c
 * (raising and clearing), evaluate-keep.c (restarts), evaluate-repeat.c (a ledger that was lost),
 * evaluate-concern.c (whose frames are kept). Explain looks at it, and changes nothing.
 *
 * What most monitors never need lies apart from what each reading moves (struct monitor_alerts,
 * struct limit_rest): an array that is all zeros takes no memory until it is written to, so those
 * are only written to where there is something to keep.
 */
#include "core/clue.h"
#include "core/discharge.h"
#include "core/eight.h"
#include "core/evaluate.h"
#include "core/series.h"
#include "core/window.h"

/* One alert: the condition's active period. */
struct alert_state {
	bool active, dirty; /* dirty: peak or last value changed since last said */
	enum bound bound;
	bool has_value;
	int64_t began_ms, raised_ms, peak_ms;
	double value, peak, last;
	uint32_t readings;    /* since it began */
	int64_t said_mono_ns; /* when a peak was last said */
};

/* One level of a limit (exceedance or warning) with its runs. */
struct track {
	bool on_run, off_run;
	int64_t on_since_ms, off_since_ms; /* first reading (mean: window start, end) of the run */
	uint32_t on_readings;              /* of whatever flag, in the on-run */
	uint32_t on_results, off_results;  /* new results (windows) in the run */
	double highest, lowest;            /* of the on-run, since on_since_ms */
	int64_t highest_ms, lowest_ms;
	struct alert_state alert;
};

struct limit_state {
	struct track exceedance;
};

struct limit_rest {
	struct track warning;            /* where the limit has warn_at */
	struct alert_state undetermined; /* means only */
	struct windows windows;          /* means only */
	struct window held;              /* judged, exceeds, and may be marked yet */
};

struct monitor_state {
	bool has_reading, has_valid;
	bool impossible;   /* that alert is active: the next valid reading clears it */
	bool filled;       /* it is one of a figure that may be measured as well */
	bool astray;       /* late readings came since the last in order, or that alert is active */
	int64_t newest_ms; /* measured, of whatever flag */
	int64_t valid_ms;  /* measured, of the last valid reading */
	double valid_value;
	int64_t result_ms; /* of the last new result */
	double result_value;
	int64_t heard_ms, heard_measured_ms, heard_mono_ns; /* last reading other than flag B */
	bool flat_run;
	int64_t flat_since_ms;
	uint32_t flat_results;
	double flat_low, flat_high;
	/* evaluate-settle.c: readings seen whether they counted or not */
	bool has_seen, settling;
	bool lull, stood; /* a gap, or a standstill, came before some set aside */
	uint32_t settled; /* new results set aside in a row */
	int64_t seen_ms, seen_result_ms, returned_ms;
	int64_t pace_ms; /* between the last two results, while something was discharged */
	double seen_value;
};

/* Late readings, each newer than the one before it, and what came in order behind them. */
struct late_run {
	int64_t since_ms, last_ms;
	uint32_t late, in_order;
};

struct monitor_alerts {
	struct alert_state stale, flat, step, over_range, under_range, impossible, late;
	struct late_run late_run;
};

/* A condition that must hold for some results in a row, and for some time. */
struct clue_hold {
	bool on;
	int64_t since_ms;
	uint32_t results;
	struct alert_state alert;
};

/* Of a monitor with clue rules. */
struct clue_state {
	struct series series;
	struct clue_hold clipped, negative, contradictions[CONTRADICTIONS_MOST];
	bool flagged;
	int64_t flagged_since_ms, flagged_ms; /* first and last reading set aside */
	uint32_t shut_results;
	int64_t shut_since_ms, shut_ms;
	double shut_low, shut_high, shut_value;
	bool shut_over; /* results beyond a limit without discharge, since shut_over_ms */
	int64_t shut_over_ms;
	uint32_t settled_results; /* set aside in a row beyond a limit */
	int64_t settled_since_ms, settled_ms;
	uint32_t alike_results;
	int64_t alike_since_ms;
	char alike[80]; /* clue_rules.alike of the other */
	struct alert_state alerts[CLUES];
};

/* Results of a site that wait for the flow of their moment, in the order in which they came. */
enum { AWAITING_MOST = 128 };
struct awaiting {
	uint32_t n;
	struct reading at[AWAITING_MOST];
};

/* When alerts of monitors were raised, the newest ones (wall clock of the receipt). */
enum { FLOOD_BEGINS = 10, FLOOD_ENDS = 5, FLOOD_WITHIN_MS = 600000 };
struct flood {
	int64_t now_ms;
	int64_t raised_ms[FLOOD_BEGINS + 1];
	uint32_t next; /* the oldest, which the next one takes the place of */
};

struct link_state {
	struct alert_state alert;
};

/* A level's bounds, made once from the limit. */
struct level {
	bool has_max, has_min;
	bool derived, clear_derived; /* computed thresholds: compared to 12 digits */
	double max, min, clear_max, clear_min;
};

/* What a monitor is judged by, made once from the plan: each reading passes over all else. */
enum trait {
	TRAIT_SILENCE = 1,
	TRAIT_INSTANT = 2, /* limits of single readings */
	TRAIT_MEANS = 4,   /* limits of means */
	TRAIT_FLOW = 8,    /* the flow of its site, or what it does to the first results after it */
	TRAIT_STEP = 16,
	TRAIT_FLAT = 32,
	TRAIT_RANGE = 64,
	TRAIT_CLUES = 128,
};

/*
 * What most readings are done with: while nothing of a monitor is raised and no run has begun, a
 * valid reading between these bounds changes nothing but what was read last. The bounds are no
 * wider than those of any instant limit, in force or not, of any warning, and of the range.
 */
struct calm {
	bool possible;  /* no rule of the monitor asks more of a reading */
	bool on, means; /* means: there are windows that take the value */
	double low, high;
	int64_t cycle_ms; /* of the monitor */
	int64_t stale_ns; /* silence before there is anything to look at; INT64_MAX: never */
};

struct evaluator {
	const struct plan *plan;
	verdict_fn emit;
	void *context;
	struct monitor_state *monitors;
	struct monitor_alerts *alerts; /* by monitor */
	struct calm *calms;            /* by monitor */
	uint8_t *traits;               /* by monitor: of enum trait */
	struct limit_state *limits;    /* of all monitors in a row */
	struct limit_rest *rests;      /* the same */
	struct eight **eights;         /* by limit; NULL: no mean of eight hours */
	uint32_t *first_limit;         /* by monitor, into limits, rests, eights and levels */
	struct level *exceedance, *warning;
	struct link_state *links;
	struct clue_state *clues;     /* by plan.clues */
	struct discharge *discharges; /* by site */
	struct awaiting *awaiting;    /* by site */
	const struct marks *marks;    /* NULL: none */
	judged_fn watch;              /* NULL: nobody */
	void *watching;
	bool flows_known; /* of recorded data */
	bool tells_rises; /* the same */
	struct alert_state own[OWN_FAULTS];
	struct flood flood;
	size_t n_limits;
};

/* What one reading means to the runs of its monitor. */
struct step {
	int64_t time_ms, mono_ns;
	double value;  /* as measured: what is reported */
	double judged; /* what is compared: rounded where the limit says so */
	bool gap;      /* longer than stale_after since the last valid reading: runs are broken */
	bool stood;    /* nothing was discharged in between: runs of time are broken */
	bool result;   /* a new result, for counts */
	uint32_t readings; /* that it stands for: 1, of a mean those in its window */
};

/* Which condition a verdict is about. */
struct condition {
	uint32_t monitor, connection, limit;
	enum alert_kind kind;
	const char *reason;
};

/* --- evaluate.c: limits --- */

/** limit_feed() - an exceedance and its warning get a value, or a mean since @since_ms */
void limit_feed(struct evaluator *e, uint32_t monitor, uint32_t limit, const struct step *s,
		int64_t since_ms);
/** level_violated() - and which @bound; left alone if none is */
bool level_violated(const struct level *level, double value, enum bound *bound);
/** reading_step() - what a valid reading means to the runs of its monitor, before it is fed */
struct step reading_step(const struct evaluator *e, const struct reading *r);
/** step_breaks() - a run that asks for so much time; 0: one that counts results alone, which a time
 * without discharge does not part */
bool step_breaks(const struct step *s, int64_t lasting_ms);
/** limit_rest() - what happens outside a limit's dates says nothing, and ends what it raised */
void limit_rest(struct evaluator *e, uint32_t monitor, uint32_t limit, int64_t time_ms);

/** reading_feed() - a reading whose turn it is; @heard: by its raw flag, and not heard already */
void reading_feed(struct evaluator *e, const struct reading *r, bool heard);

/* --- evaluate-await.c: results that wait for the flow of their moment --- */

int awaiting_new(struct evaluator *e);
/** awaiting_add() - Return: false if it need not wait, and is to be fed. */
bool awaiting_add(struct evaluator *e, const struct reading *r);
/** awaiting_put() - one more waits; where there is no room, all others go on */
void awaiting_put(struct evaluator *e, const struct reading *r);
/** awaiting_pass() - those of a site go on whose flow has come, or that waited long enough */
void awaiting_pass(struct evaluator *e, uint32_t site, int64_t now_ms);
/** awaiting_window() - those that were measured before the end of a window that is judged now */
void awaiting_window(struct evaluator *e, uint32_t monitor, int64_t end_ms);
/** awaiting_end() - nothing waits any more */
void awaiting_end(struct evaluator *e);

/* --- evaluate-calm.c --- */

/** calm_begin() - the bounds, once the levels are known; not calm yet */
void calm_begin(struct evaluator *e, uint32_t monitor);
/** calm_settle() - is it calm, after a reading that was fed the long way? */
void calm_settle(struct evaluator *e, uint32_t monitor);

/* --- evaluate-means.c: windows; evaluator_windows() is there, too --- */

void means_add(struct evaluator *e, const struct reading *r, bool result);
/** means_set_aside() - a valid reading that counts for nothing, and is not due */
void means_set_aside(struct evaluator *e, const struct reading *r, bool result);
/** not_applicable() - without discharge, or with too little for one reading to be due, a window
 * says nothing; @due: out: readings due in it while the site discharges, 0: unknown */
bool not_applicable(const struct evaluator *e, uint32_t monitor, const struct window *w,
		    double *due);
/** share_suffices() - is enough of a window valid, and does it weigh anything? */
bool share_suffices(const struct limit *l, const struct window *w, double due);
/** judged_settle() - a window has a mean: how it compares */
void judged_settle(const struct evaluator *e, struct judged *j, double mean);

/* --- evaluate-eight.c --- */

int eights_new(struct evaluator *e);
void eights_free(struct evaluator *e);
/** eight_weigh() - what a day comes to; left undetermined where its hours do not suffice */
void eight_weigh(const struct evaluator *e, const struct window *day, struct judged *j);

/* --- evaluate-alert.c --- */

/** condition_of() - a condition of a monitor that belongs to no limit */
struct condition condition_of(uint32_t monitor, enum alert_kind kind);
void alert_say(struct evaluator *e, enum verdict_type type, const struct condition *c,
	       const struct alert_state *a, int64_t time_ms, int64_t mono_ns);
void alert_raise(struct evaluator *e, const struct condition *c, struct alert_state *a,
		 int64_t time_ms, int64_t mono_ns);
/** alert_clear() - nothing where it is not active */
void alert_clear(struct evaluator *e, const struct condition *c, struct alert_state *a,
		 int64_t time_ms);
/** alert_goes_on() - an active one of a limit got a value
 * @before: its peak before that */
void alert_goes_on(struct evaluator *e, const struct condition *c, const struct alert_state *a,
		   double before, int64_t time_ms);
/** alert_raise_value() - an alert that has just its own value: flat, step, over_range */
void alert_raise_value(struct evaluator *e, const struct condition *c, struct alert_state *a,
		       const struct step *s, int64_t began_ms);
/** alert_raise_reading() - the same, by a reading of whatever flag, which may have no value */
void alert_raise_reading(struct evaluator *e, const struct condition *c, struct alert_state *a,
			 const struct reading *r, int64_t began_ms);

/* --- evaluate-discharge.c: what the site's flow makes of a reading --- */

int discharges_new(struct evaluator *e);
void discharges_free(struct evaluator *e);
/** discharge_of() - NULL where the flow means nothing to the monitor */
const struct discharge *discharge_of(const struct evaluator *e, uint32_t monitor);
/** discharge_concerns() - the monitor is gated, weighed or settles, or measures a flow that means
 * something */
bool discharge_concerns(const struct evaluator *e, uint32_t monitor);
/** discharge_hear() - a valid reading, which may be one of the flow */
void discharge_hear(struct evaluator *e, const struct reading *r);
/** reading_shut() - measured while nothing was discharged: kept, and counts for nothing */
bool reading_shut(const struct evaluator *e, const struct reading *r);
/** reading_weight() - in a mean. Return: false if it cannot enter it, its flow being unknown. */
bool reading_weight(const struct evaluator *e, const struct limit *l, const struct reading *r,
		    double *weight);
/** silence_from() - from when on silence counts: the last reading, or the end of the last time
 * without discharge by when it would be an alert, which may lie ahead */
int64_t silence_from(const struct evaluator *e, uint32_t monitor);

/* --- evaluate-settle.c: the first results after a stop, and gaps --- */

/* What lies between two readings. */
struct pause {
	int64_t ran_ms;   /* without the time in which nothing was discharged */
	bool stood;       /* such a time has ended, */
	int64_t stood_ms; /* and the flow was low for so long */
};
/** pause_before() - from the last reading to one */
struct pause pause_before(const struct evaluator *e, uint32_t monitor, int64_t from_ms,
			  int64_t to_ms);
/** pause_is_gap() - longer than stale_after, and than the monitor's own pace where that counts */
bool pause_is_gap(const struct evaluator *e, uint32_t monitor, const struct pause *pause);
/** step_pause() - whether a gap or a standstill lies before a valid reading of TRAIT_FLOW */
void step_pause(const struct evaluator *e, const struct reading *r, struct step *step);
/** reading_settled() - of TRAIT_FLOW, valid and in its order, once. Return: false if it is one of
 * the first results after flow or instrument are back, and counts for nothing. */
bool reading_settled(struct evaluator *e, const struct reading *r);

/* --- evaluate-marks.c: what people said of the data --- */

/** held_due_ms() - until when a held window may be marked */
int64_t held_due_ms(const struct plan *plan, const struct limit *l, const struct window *held);

/* --- evaluate-signal.c: what one reading, or the clock, does to a monitor's signal --- */

void signal_flat(struct evaluator *e, uint32_t monitor, const struct step *s);
void signal_step(struct evaluator *e, uint32_t monitor, const struct step *s);
/* By which rule a value is a step. */
enum step_rule { STEP_NONE, STEP_MAX, STEP_HOUR, STEP_TIMES };
/** step_rule() - from @last, measured at @last_ms; @allowed: out: the difference, or the value,
 * that is no step yet */
enum step_rule step_rule(const struct monitor *plan, const struct step *s, double last,
			 int64_t last_ms, double *allowed);
/** signal_is_dead() - what there is where there is no signal */
bool signal_is_dead(const struct monitor *m, double value);
/** signal_says_low() - is what it shows where there is nothing a clue? */
bool signal_says_low(const struct monitor *m);
/** signal_is_impossible() - a logger's code, or more than any water has; a code that lies inside
 * the range is a value */
bool signal_is_impossible(const struct monitor *m, double value);
/** signal_is_fill() - what loggers write for nothing more often than it is measured */
bool signal_is_fill(const struct monitor *m, double value);
/** signal_code_reason() - of that alert */
const char *signal_code_reason(const struct monitor_state *m);
void signal_range(struct evaluator *e, uint32_t monitor, const struct reading *r);
/** signal_impossible() - after signal_range(): said there is not said again */
void signal_impossible(struct evaluator *e, uint32_t monitor, const struct reading *r);
void signal_heard(struct evaluator *e, const struct reading *r);
void signal_silence(struct evaluator *e, uint32_t monitor, int64_t mono_ns, bool reached);

/* --- evaluate-late.c --- */

/** late_heard() - a reading that is older than an earlier one of its monitor */
void late_heard(struct evaluator *e, const struct reading *r);
/** late_in_order() - one that is not, where monitor_state.astray */
void late_in_order(struct evaluator *e, const struct reading *r);

/* --- evaluate-clue.c --- */

/** clues_result() - a valid reading in its order, after flat was judged */
void clues_result(struct evaluator *e, uint32_t monitor, const struct step *s);
/** clues_heard() - any reading in its order; @shut: measured while nothing was discharged */
void clues_heard(struct evaluator *e, const struct reading *r, bool shut);
/** clues_set_aside() - a new result that counts for nothing as one of the first after a stop */
void clues_set_aside(struct evaluator *e, const struct reading *r);
/** clue_place() - the place of an active clue in the state; NULL: the plan has no such clue */
struct alert_state *clue_place(struct evaluator *e, uint32_t monitor, const char *reason);
/** clues_repeat() - say the raise of each active clue again (evaluator_repeat()) */
void clues_repeat(struct evaluator *e, uint32_t monitor);
void clues_forget_alerts(struct clue_state *state);
void clues_set_back(struct clue_state *state);
