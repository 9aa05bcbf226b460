/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The inside of explain: its state, and the lines that it says.
 */
#include "core/evaluate-state.h"
#include "core/text.h"
#include "explain.h"

/* Marks a text for the catalogue; it is translated where it is said. */
#define SAY(english) english

/* Why a reading does not count, for a limit of single readings or in a mean. */
enum why {
	WHY_COUNTED,
	WHY_FLAG,
	WHY_RANGE,
	WHY_MARK,
	WHY_LATE,
	WHY_SHUT,
	WHY_SETTLES,
	WHY_HELD,
	WHY_FLOW,
	WHYS
};

/* What came of the readings of one window. */
struct counts {
	int64_t start_ms; /* of the window */
	bool used;
	uint64_t n[WHYS];
};
enum { WINDOWS_COUNTED = WINDOWS_OPEN + 1 };

/* The longest run that raised nothing, or did. */
struct longest {
	uint32_t results;
	int64_t ms;
};

/* One level of a limit: what it was before the reading, and what came of it in all. */
struct level_view {
	struct track before;
	bool skipping; /* the reading before did not count, and that was said */
	uint64_t judged, violated, undetermined, silent; /* readings, or windows */
	uint64_t raised;
	struct longest longest;
};

struct limit_view {
	char *name, *warning_name; /* as sentences name it */
	struct level_view exceedance, warning;
	bool out_of_force; /* said so */
	uint64_t n;        /* of the window that the reading falls into, before it */
	struct counts counts[WINDOWS_COUNTED];
};

/* Conditions of the signal: how near they came. */
struct signal_view {
	int64_t silence_ms, heard_ms; /* the longest; the last reading other than flag B */
	bool heard;
	struct longest flat;
	double step; /* the largest between valid readings */
	uint64_t above_range;
	uint32_t clipped, contradictions[CONTRADICTIONS_MOST], shut, alike; /* results in a row */
	uint64_t raised[ALERT_KINDS];
};

struct line {
	int64_t time_ms;
	uint64_t round;        /* verdicts of a reading come behind its reasons */
	size_t place, verdict; /* as said; in explain.verdicts, SIZE_MAX: of none */
	char *text;
};

/* A raise, or what stands, and what the ledger made of it. */
struct said_verdict {
	size_t index; /* of all verdicts */
	struct verdict verdict;
	char *number; /* of its case; NULL: none */
	bool opened;
};

enum { WORDS = 16 };

struct explain {
	struct explain_subject subject;
	struct evaluator *evaluator;
	const struct monitor *monitor;
	struct limit_view *limits;
	struct signal_view signal;
	uint64_t readings[WHYS]; /* of the monitor, by what became of them */
	/* the reading at work */
	bool in_reading;
	struct step step;
	bool had_valid, flows_between;
	double valid_value; /* the valid reading before */
	int64_t valid_ms;
	uint64_t round;
	struct line *lines;
	size_t n_lines, room;
	struct said_verdict *verdicts; /* ascending by index */
	size_t n_verdicts, verdicts_room;
	bool failed;
	char words[WORDS][48]; /* numbers of the sentence at work */
	unsigned next_word;
};

/** explain_say() - a line: a sentence and its places (pairs of name and text, then NULL) */
void explain_say(struct explain *x, int64_t time_ms, const char *english, ...)
	__attribute__((sentinel));
/** explain_say_verdict() - the same, of a verdict; it follows what is said of its reading
 * @kept: in verdicts, where its case is to be said; SIZE_MAX */
void explain_say_verdict(struct explain *x, const struct verdict *v, size_t kept,
			 const char *english, ...) __attribute__((sentinel));
/** explain_phrase() - a part of a sentence, added to @out */
void explain_phrase(struct text *out, const char *english, ...) __attribute__((sentinel));

/* Texts for places, valid until WORDS more are asked for. */
const char *explain_number(struct explain *x, double value);
const char *explain_computed(struct explain *x, double value);
const char *explain_count(struct explain *x, uint64_t n);
const char *explain_seconds(struct explain *x, int64_t ms);
const char *explain_time(struct explain *x, int64_t time_ms);

/** explain_compared() - "61.3 > 50", as @level decides it; @value rounded to @judged where the
 * limit says so */
void explain_compared(struct text *out, struct explain *x, const struct limit *l,
		      const struct level *level, double value, double judged);
/** explain_limit_name() - as sentences name a limit or its warning, to be freed */
char *explain_limit_name(struct explain *x, const struct limit *l, const struct level *warning);

bool explains_limit(const struct explain *x, uint32_t limit);
bool explains_kind(const struct explain *x, enum alert_kind kind);

/** explain_instant() - what one reading did to the runs of a limit of single readings */
void explain_instant(struct explain *x, uint32_t limit, const struct reading *raw, enum why why);
/** explain_readings_in() - counted in the window of a limit of the monitor that holds a moment */
uint64_t explain_readings_in(const struct explain *x, uint32_t limit, int64_t time_ms);
/** explain_mean() - whether a reading is in its window */
void explain_mean(struct explain *x, uint32_t limit, const struct reading *raw, enum why why);
/** explain_judged() - a judged_fn */
void explain_judged(void *context, const struct judged *judged);
/** explain_why_words() - "marked", of a reading with a raw flag */
void explain_why_words(struct text *out, enum why why, const struct reading *raw);
/** explain_add_fate() - say behind a verdict what became of it */
void explain_add_fate(struct explain *x, struct line *line);
/** explain_never() - what never came, and how near it was */
void explain_never(struct explain *x, int64_t time_ms);
/** explain_note_run() - keep the longest run */
void explain_note_run(struct longest *longest, uint32_t results, int64_t ms);
