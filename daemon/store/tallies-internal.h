/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The tallies' inside: tallies.c has hours, days and classes, tallies-minutes.c the minutes.
 */
#include "store/meanfile.h"
#include "store/sql.h"
#include "store/tallies.h"

enum tallies_sql {
	MONITOR_ADD,
	MONITOR_FIND,
	PUT,
	GET,
	HOUR_PUT,
	HOUR_GET,
	HOURS_FORGET,
	HOURS_PRUNE,
	HOURS_LOAD,
	DAY_ADD,
	DAY_SET,
	DAY_SUM,
	DAY_LATE,
	DAY_LATE_GET,
	AGAIN_ADD,
	AGAIN_NEXT,
	AGAIN_FIND,
	AGAIN_DONE,
	ROWS_HOURS,
	ROWS_DAYS,
	LATEST_PUT,
	LATEST_GET,
	SECTION_ADD,
	SECTION_LIST,
	SECTION_LAST,
	MINUTES_PUT,
	MINUTES_GET,
	MINUTES_ENDS,
	MINUTES_LIST,
	MINUTES_DROP,
	TALLIES_STATEMENTS
};

struct tallies {
	char directory[4096]; /* of the store */
	sqlite3 *db;
	sqlite3_stmt *sql[TALLIES_STATEMENTS];
	const struct plan *plan;
	int64_t *ids;         /* by monitor of the plan; 0: not looked up */
	struct meanfile *day; /* open for reading; NULL: none */
};

/** tallies_id() - of a monitor in the file; *id 0: nothing was ever added up of it
 * @add: then it gets one */
int tallies_id(struct tallies *tallies, uint32_t monitor, bool add, int64_t *id);
/** tallies_leave_day() - no file of a day is held open any longer */
void tallies_leave_day(struct tallies *tallies);
