/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Discharge: what a site's flow monitor says about its other monitors: by how much a result weighs
 * in a flow-weighted mean, and when nothing was discharged at all.
 *
 *   flow  below ──╳─────╳──╳────────╳────╳─────────
 *                 low   for_s   shut       ╳ flow is back: open
 *
 * Times are measured times. Only valid readings in their order come here; late ones are passed
 * over, as limits do. Live the last hundreds of readings and the last periods are kept; recorded
 * data may be known before it is judged (@grows), so that the order of its rows means nothing.
 */
#include "core/window.h"

struct flow_point {
	int64_t time_ms;
	double value;
};

struct discharge {
	bool in_use, gates, grows, failed;
	double below;    /* in the flow monitor's unit, to either side of 0 */
	int64_t for_ms;  /* how long the flow is low before nothing is discharged */
	int64_t hold_ms; /* how long a flow reading speaks for what follows; 0: for ever */
	struct flow_point *points; /* ascending */
	size_t n_points, points_room;
	struct span *shut; /* ascending, ended periods */
	size_t n_shut, shut_room;
	int64_t newest_ms; /* recorded data: of all its readings, of whatever flag */
	bool low;          /* a run below goes on, since low_ms */
	int64_t low_ms;
};

/* What lasts over a restart: the last reading, the running low, and the last periods. */
struct discharge_record {
	struct flow_point last;
	struct span shut[16];
	uint32_t n_shut;
	bool has_last, low;
	int64_t low_ms;
};
void discharge_save(const struct discharge *discharge, struct discharge_record *out);
/** discharge_load() - into one that was just made, for another bound or delay, too */
void discharge_load(struct discharge *discharge, const struct discharge_record *record);

/** discharge_init() - room for a live monitor. Return: false without memory. */
bool discharge_init(struct discharge *discharge, const struct site *site,
		    const struct monitor *flow);
void discharge_deinit(struct discharge *discharge);
/** discharge_add() - a valid reading of the flow monitor; sets failed if it grows and cannot */
void discharge_add(struct discharge *discharge, int64_t time_ms, double value);
/** discharge_unhear() - forget what was measured from @from_ms to @to_ms, and the periods it made
 */
void discharge_unhear(struct discharge *discharge, int64_t from_ms, int64_t to_ms);
/** discharge_set_back() - forget what a wrong clock measured beyond a moment */
void discharge_set_back(struct discharge *discharge, int64_t wall_ms);
/** discharge_flow() - the flow that counts at a moment: the newest reading at or before it.
 * Return: false if none is known that still speaks for it. */
bool discharge_flow(const struct discharge *discharge, int64_t time_ms, double *out);
/** discharge_shut() - was nothing discharged at a moment?
 * @end_ms: then the end of that period (excluded), INT64_MAX where it goes on */
bool discharge_shut(const struct discharge *discharge, int64_t time_ms, int64_t *end_ms);
/** discharge_returned() - the end of the last period that ended at or before a moment, INT64_MIN
 * without one */
int64_t discharge_returned(const struct discharge *discharge, int64_t time_ms);
/** discharge_settled() - from when on it is always open or always shut, as far as is known */
int64_t discharge_settled(const struct discharge *discharge);
/** discharge_shut_ms() - for how long of a span nothing was discharged */
int64_t discharge_shut_ms(const struct discharge *discharge, struct span span);
