/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The tallier's inside, shared by its parts: tallier.c (rows, hours, days, the thread),
 * tallier-permits.c (loads against permits), tallier-marks.c (what people say of readings),
 * tallier-anew.c (days that are added up again), tallier-late.c (days that exceed by what came
 * late), tallier-minutes.c (minutes), tallier-room.c (hours that go).
 */
#include "base/log.h"
#include "core/compliance.h"
#include "core/permit.h"
#include "deliver/pause.h"
#include "deliver/tallier.h"
#include "store/ledger-marks.h"

#include <pthread.h>

enum { DAYS_OPEN = 2, HOURS_OPEN = 2 };
#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)

/* Counts of a day that are not in the file yet. */
struct open_day {
	struct span span; /* end_ms 0: unused */
	struct tally_count count;
};

/* The minutes of an hour of a monitor, as the file has them and as they have come since. */
struct open_hour {
	bool used, changed; /* it is one; the file has not all of it */
	int64_t start_ms;
	int64_t upto; /* what was counted up to this sequence is in it already */
	struct minute minutes[HOUR_MINUTES];
};

struct redo {
	uint32_t site;
	int64_t day_ms, late_ms;
};

struct tallier {
	struct tallier_setup setup;
	struct tallies *store;
	struct daybook_reader *reader;
	struct tally *sites; /* by site of the plan; plan NULL: nothing is added up there */
	struct open_day (*days)[DAYS_OPEN];
	struct open_hour *hours[HOURS_OPEN]; /* each by monitor */
	struct permit *permits;              /* by monitor */
	struct marks marks;                  /* over the readings, up to the one numbered marked */
	int64_t marked;
	int64_t *monitor_ms;        /* by monitor: its newest reading's time; 0: not known */
	struct tally_value *latest; /* by monitor of a section; at_ms 0: none; valid: to be kept */
	int64_t classed_ms;         /* sections were classed up to this hour */
	int64_t cursor, counted;    /* rows up to these were read, and counted */
	int64_t from, minuted;      /* rows up to these were added up to hours, to minutes */
	int64_t now_ms, newest_ms;  /* the pass's clock; the newest receipt read */
	int64_t kept_ms, pruned_ms; /* when that was done last, by the pass's clock */
	int64_t minuted_ms;         /* the same */
	int64_t dropped_ms;         /* hours before were dropped as was asked */
	bool pruned;                /* hours, in the transaction at hand */
	int64_t redo_at_ms;         /* CLOCK_MONOTONIC: days are not done again before */
	struct verdict *verdicts;   /* to be offered */
	size_t n_verdicts, room;
	struct redo *redo; /* to be noted in the file */
	size_t n_redo, redo_room;
	bool failed, closed; /* without memory; an hour ended */
	bool crowded;        /* a changed hour of minutes went to the file to make room */
	int result;          /* of the first write that failed within a pass */
	struct pause pause;
	pthread_t thread;
	bool started;
	struct log_repeat trouble, unfiled;
};

/** tallier_redo() - a day of a site has to be added up anew, once the hour of @late_ms is over */
void tallier_redo(struct tallier *t, uint32_t site, int64_t late_ms);
/** tallier_settle() - what memory has counted goes to the file, with how far that is */
int tallier_settle(struct tallier *t, int64_t until_ms);
/** tallier_round() - takes what is new, @redo: and adds up anew what is due. What it counts it
 * keeps in the file now and then. Return: 0, negative errno. */
int tallier_round(struct tallier *t, int64_t now_ms, bool redo);
/** tallier_keep() - the first write that failed decides over the pass */
void tallier_keep(struct tallier *t, int r);
struct span tallier_day(const struct tallier *t, int64_t wall_ms);
void tallier_count(struct tally_count *c, struct span day, const struct reading *r);

/** marks_take() - marks that were given since: readings count by them from here on, and days that
 * they touch are added up anew */
int marks_take(struct tallier *t);

/** late_take() - a reading that is counted for the first time */
void late_take(struct tallier *t, const struct reading *reading);
/** late_judge() - a day that is added up anew. Return: 0, negative errno. */
int late_judge(struct tallier *t, uint32_t monitor, struct span day);

/** permits_has() - has the monitor a permit, at a site that is added up? */
bool permits_has(const struct tallier *t, uint32_t monitor);
/** permits_hour() - an hour of the monitor is complete */
void permits_hour(struct tallier *t, uint32_t monitor, struct span hour,
		  const struct tally_sum *sum);
/** permits_recall_alert() - for ledger_open_alerts(): which shares are raised */
bool permits_recall_alert(void *context, const struct open_alert *alert);
/** permits_recall() - after a restart, or when days were added up anew, the alerts follow the file.
 * @site: NO_INDEX: all */
int permits_recall(struct tallier *t, uint32_t site);

/** minutes_init() - Return: 0, -ENOMEM */
int minutes_init(struct tallier *t);
void minutes_deinit(struct tallier *t);
/** minutes_recall() - what memory has is forgotten, and how far it was is read from the file */
int minutes_recall(struct tallier *t);
/** minutes_count() - a reading that is not in the file yet; as it counts */
void minutes_count(struct tallier *t, const struct reading *reading, int64_t sequence);
/** minutes_due() - are the minutes to be kept in the file within this transaction? */
bool minutes_due(const struct tallier *t);
/** minutes_keep() - all of memory to the file, with how far that is */
void minutes_keep(struct tallier *t);
/** minutes_file() - hours that were over before a moment go to the files of their days; in no
 * transaction. What a disk refuses is tried again. Return: 0, TALLIES_FATAL. */
int minutes_file(struct tallier *t, int64_t before_ms);
/** minutes_again() - a reading of a day that is added up anew, in the order of their times: an hour
 * begins empty as far as it lies in the day. @hour: of the monitor, zeros at first */
void minutes_again(struct tallier *t, struct open_hour *hour, struct span day,
		   const struct reading *reading);
/** minutes_again_end() - of a monitor: its last hour is complete, and memory's are forgotten */
void minutes_again_end(struct tallier *t, struct open_hour *hour, uint32_t monitor);

/** room_prune() - hours whose time is over, or whose room somebody needs, where it is due; within a
 * transaction */
void room_prune(struct tallier *t);
/** room_give() - behind it: the file is made smaller where that was asked for, and whoever asks
 * hears which hours are left. Return: 0, TALLIES_FATAL, negative errno. */
int room_give(struct tallier *t);

/** tallier_number() - a number of the file, 0 where there is none. Return: 0, negative errno. */
int tallier_number(struct tallier *t, const char *name, int64_t *out);

/** anew_due() - the days that are noted in the file, once the hours in question are over */
int anew_due(struct tallier *t, int64_t until_ms);
