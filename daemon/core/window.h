/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Windows: the clock hours and days over which a mean is taken.
 *
 * A window is an hour or day of the node's zone by measured time, start included and end excluded;
 * an hour that occurs twice is two windows, a day has its true length. Late readings still enter a
 * window that was not yet judged, so a few windows may be open at once.
 */
#include "core/plan.h"

struct span {
	int64_t start_ms, end_ms;
};

/** window_span() - the window of @average (hour, or any of a day) that holds @wall_ms */
struct span window_span(const struct zone *zone, enum average average, int64_t wall_ms);

/* A sum, and what rounding lost of it (Neumaier). */
struct total {
	double sum, rest;
};

/* What a window comes to; none: it says nothing. */
enum outcome { OUTCOME_NONE, OUTCOME_COMPLIES, OUTCOME_EXCEEDS, OUTCOME_UNDETERMINED };

struct window {
	struct span span; /* end_ms 0: unused */
	uint64_t n;
	uint64_t aside; /* valid ones that were set aside (settle_results), and are not due */
	struct total sum, weight; /* of values times weights, and of weights */
};

#define WINDOWS_OPEN 8
/* The windows of one mean limit: those with readings, and how far it was judged. */
struct windows {
	struct window open[WINDOWS_OPEN];
	struct span next; /* the next to be judged */
	bool waits;       /* its contents are looked up again, and nothing is judged until then */
};

void windows_start(struct windows *windows, const struct zone *zone, enum average average,
		   int64_t start_ms);
/** windows_add() - a valid value at @wall_ms; ignored where its window was judged already
 * @weight: 1 in a plain mean */
void windows_add(struct windows *windows, const struct zone *zone, enum average average,
		 int64_t wall_ms, double value, double weight);
/** windows_set_aside() - one that would have entered it, and is not due any more */
void windows_set_aside(struct windows *windows, const struct zone *zone, enum average average,
		       int64_t wall_ms);
/** windows_refill() - add to a window what was forgotten of it; ignored where it was judged */
void windows_refill(struct windows *windows, const struct window *contents);
/**
 * windows_take() - the next window if the clock has reached its end plus the grace
 * @alike_ms: empty windows from here on say the same, so that a leap of the clock is no long loop
 * Return: true, and the window (n = 0 for an empty one), which is judged with this.
 */
bool windows_take(struct windows *windows, const struct zone *zone, enum average average,
		  int64_t clock_ms, int64_t grace_ms, int64_t alike_ms, struct window *out);
/** window_add() - a value into it */
void window_add(struct window *window, double value, double weight);
/** window_find() - of @n open ones that which holds a moment, NULL for none */
struct window *window_find(struct window *open, size_t n, int64_t wall_ms);
/** window_place() - a free place, or that of the one furthest in the future: a wrong clock may not
 * push out the present */
struct window *window_place(struct window *open, size_t n);
/** window_refill() - add to one of @n open ones what was forgotten of it */
void window_refill(struct window *open, size_t n, const struct window *contents);
/** window_merge() - two halves of one window */
void window_merge(struct window *window, const struct window *more);
/** mean_outcome() - what the plain mean of a window that began at @start_ms comes to
 * @n: valid readings in it; @due: how many were due, 0: unknown */
enum outcome mean_outcome(const struct limit *limit, int64_t start_ms, double mean, double n,
			  double due);
/** limit_beyond() - is a value by itself beyond a limit that is in force then? */
bool limit_beyond(const struct limit *limit, int64_t at_ms, double value);
/** window_mean() - NaN where nothing has a weight */
double window_mean(const struct window *window);
