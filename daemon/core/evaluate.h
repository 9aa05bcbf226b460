/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Evaluator: readings in, verdicts out. All of the judge that is not a thread.
 *
 * It holds the state of every condition (runs, windows, alerts) and decides by the rules of
 * duchad.cfg(5), "When exactly an alert is raised and cleared". Time is an argument everywhere:
 * limits run on the readings' measured times, silence on CLOCK_BOOTTIME. Live, --backtest and the
 * tests run this same code. One thread owns an evaluator; nothing here allocates after
 * evaluator_new().
 */
#include "core/change.h"
#include "core/marks.h"
#include "core/reading.h"
#include "core/verdict.h"
#include "core/window.h"

struct evaluator;

typedef void (*verdict_fn)(void *context, const struct verdict *verdict);

/**
 * evaluator_new() - all conditions at rest; silence counts from the start
 * @start_ms: wall clock; @start_mono_ns: CLOCK_BOOTTIME of the same moment
 * @emit: called from within the other functions, in the order of decisions
 */
int evaluator_new(struct evaluator **out, const struct plan *plan, int64_t start_ms,
		  int64_t start_mono_ns, verdict_fn emit, void *context);
struct evaluator *evaluator_free(struct evaluator *evaluator);

/** evaluator_feed() - one slot, in the order of its ring */
void evaluator_feed(struct evaluator *evaluator, const struct reading *reading);

/**
 * evaluator_concern() - once @reading was fed: is something raised at its monitor, or about to be?
 * It is about to be where the run of an instant limit's delay has begun; of a mean limit, whose
 * window is judged at its end, where the reading by itself is beyond it.
 */
bool evaluator_concern(const struct evaluator *evaluator, const struct reading *reading);
/** evaluator_looks_back() - may an alert of the monitor turn out to have begun long ago, as that of
 * a mean does, or of a flat signal? */
bool evaluator_looks_back(const struct evaluator *evaluator, uint32_t monitor);

/**
 * evaluator_marks() - from here on readings count with the flags that these marks give them
 * @marks: of the plan's monitors; kept by the caller until another table takes its place; NULL:
 * none
 */
void evaluator_marks(struct evaluator *evaluator, const struct marks *marks);

/** evaluator_tell_rises() - of recorded data: no tick says peaks, so each that makes an exceedance
 * graver is said as it comes, and each day that one goes on */
void evaluator_tell_rises(struct evaluator *evaluator);

/**
 * evaluator_flow() - recorded data whose flow is known beforehand: all readings of flow monitors,
 * before the first evaluator_feed(), so that the order of rows means nothing to weights and gates
 * Return: false without memory. Allocates, unlike the rest.
 */
bool evaluator_flow(struct evaluator *evaluator, const struct reading *reading);

/**
 * evaluator_clock() - the clock of one monitor reached a moment: silence and windows are judged
 * @reached: true: a silence that ends exactly now is judged too (the end of recorded data)
 */
void evaluator_clock(struct evaluator *evaluator, uint32_t monitor, int64_t wall_ms,
		     int64_t mono_ns, bool reached);

/** evaluator_windows() - evaluator_clock() for the windows alone: after a restart silence is not
 * judged again, since the links that excuse it are not on record */
void evaluator_windows(struct evaluator *evaluator, uint32_t monitor, int64_t wall_ms);

/**
 * evaluator_set_back() - the wall clock was set back to @wall_ms: what was measured beyond it was
 * measured by a wrong clock, and must not make all that comes now late. Runs are broken; windows
 * beyond begin anew.
 */
void evaluator_set_back(struct evaluator *evaluator, int64_t wall_ms);

/**
 * evaluator_reach_back() - recorded data may hold a monitor's readings before the start: as long as
 * it had none, its windows begin with the one that holds @wall_ms
 */
void evaluator_reach_back(struct evaluator *evaluator, uint32_t monitor, int64_t wall_ms);

/* --- windows looked up again, because a mark came over them --- */

/** evaluator_reopen() - forget what the unjudged windows of a monitor's means hold that a mark from
 * @from_ms to @to_ms touches, and judge none of them until evaluator_go_on() */
void evaluator_reopen(struct evaluator *evaluator, uint32_t monitor, int64_t from_ms,
		      int64_t to_ms);
/** evaluator_next_window() - the start of the next window to be judged; those before it are */
int64_t evaluator_next_window(const struct evaluator *evaluator, uint32_t monitor, uint32_t limit);
/** evaluator_open_since() - since when a monitor's windows may still change; INT64_MAX: no means */
int64_t evaluator_open_since(const struct evaluator *evaluator, uint32_t monitor);
/** evaluator_reopened() - was a monitor left with windows to be looked up? (after a restart) */
bool evaluator_reopened(const struct evaluator *evaluator, uint32_t monitor);
/** evaluator_refill() - what was forgotten of a window, as it counts now */
void evaluator_refill(struct evaluator *evaluator, uint32_t monitor, uint32_t limit,
		      const struct window *contents);
void evaluator_go_on(struct evaluator *evaluator, uint32_t monitor);
/** evaluator_unhear() - forget the flow that a monitor measured from @from_ms to @to_ms */
void evaluator_unhear(struct evaluator *evaluator, uint32_t monitor, int64_t from_ms,
		      int64_t to_ms);

/* A window that was judged, or as it stands. */
struct judged {
	uint32_t monitor, limit;
	const struct window *window;
	double due;          /* readings; 0: unknown */
	double mean, judged; /* as compared; unless the outcome is none or undetermined */
	uint32_t means;      /* of eight hours, of which it is the largest */
	enum outcome outcome;
};
typedef void (*judged_fn)(void *context, const struct judged *judged);
/** evaluator_wait_no_more() - no flow comes any more for which results wait: they count as they are
 */
void evaluator_wait_no_more(struct evaluator *evaluator);
/** evaluator_watch() - be told of each window as it is judged */
void evaluator_watch(struct evaluator *evaluator, judged_fn fn, void *context);
/** evaluator_each_open() - the windows with readings that are not judged yet */
void evaluator_each_open(const struct evaluator *evaluator, uint32_t monitor, judged_fn fn,
			 void *context);

/** evaluator_tick() - the live clock reached a moment, for all monitors; also says peaks (at most
 * every 10 s for an alert) */
void evaluator_tick(struct evaluator *evaluator, int64_t wall_ms, int64_t mono_ns);

/** evaluator_own_fault() - the daemon's own @fault holds or not: raised and cleared as it changes
 */
void evaluator_own_fault(struct evaluator *evaluator, enum own_fault fault, bool holds,
			 int64_t wall_ms, int64_t mono_ns);
/** evaluator_repeat() - emit VERDICT_RAISED again for all that is active, as it was raised: the
 * ledger takes what it knows without harm */
void evaluator_repeat(struct evaluator *e);

/** quality_closely() - the flag that counts of a value that came with N */
enum flag quality_closely(const struct monitor *monitor, double value);
/**
 * quality_flag() - the flag that counts: N beyond the measuring range is T (HJ 212-2017 table 9),
 * and D where the value is what a dead signal gives, or no measurement at all
 */
static inline enum flag quality_flag(const struct monitor *monitor, enum flag flag, bool has_value,
				     double value)
{
	bool plain = value > monitor->plain_low && value < monitor->plain_high;
	return flag != FLAG_NORMAL || !has_value || plain ? flag : quality_closely(monitor, value);
}
/** quality_begin() - between which values it need not look closely; all else is filled in */
void quality_begin(struct monitor *monitor);

/* --- across restarts --- */

/** evaluator_save_size() - bytes that evaluator_save() needs at most */
size_t evaluator_save_size(const struct evaluator *evaluator);
/** evaluator_save() - the state as bytes, entries named, so that a changed plan takes what fits */
size_t evaluator_save(const struct evaluator *evaluator, void *out);
/** evaluator_load() - Return: false and nothing taken if the bytes are not of this version. */
bool evaluator_load(struct evaluator *evaluator, const void *data, size_t size);
/**
 * evaluator_carry() - the state of @from into @to, which was just made for the next plan. Which
 * alerts are active is the ledger's word, as after a restart. @from stays as it is.
 */
void evaluator_carry(struct evaluator *to, const struct evaluator *from,
		     const struct plan_change *change);
/**
 * evaluator_resume() - after load and replay, before the first live reading: the ledger's word on
 * which alerts are active is final, and time spent down is no silence of the instruments.
 */
void evaluator_resume(struct evaluator *evaluator, int64_t alive_ms, int64_t mono_ns);
/** evaluator_forget_alerts(), evaluator_adopt() - first all alerts inactive, then those that are.
 * Return: false if the plan has no such condition any more. */
void evaluator_forget_alerts(struct evaluator *evaluator);
bool evaluator_adopt(struct evaluator *evaluator, const struct verdict *alert);
