/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Explain: step by step, in sentences of the node's language, why alerts and cases of one monitor
 * came in recorded data, or did not.
 *
 * It looks at the evaluator's state before and after each reading of the monitor, and is told of
 * windows, verdicts and what the ledger made of them; the evaluation itself knows nothing of it and
 * costs the same. Readings that change nothing are counted and not listed. What never came is said
 * at the end, with how near it was. Lines are kept and printed in the order of their times.
 */
#include "core/evaluate.h"

#include <stdio.h>

struct explain;
struct backtest_fate;
struct permit;

/* What is asked about: a monitor, and of it one kind of alert, one averaging, or all. */
struct explain_subject {
	const struct plan *plan;
	uint32_t monitor;
	bool all_kinds, all_averages;
	enum alert_kind kind;
	enum average average;
	const char *name; /* of the case; NULL: the monitor itself is asked about */
};

/** explain_subject() - SITE:FACTOR, or with a third part: an averaging or a kind of alert
 * Return: false if it names nothing of the plan. */
bool explain_subject(struct explain_subject *out, const struct plan *plan, const char *what);

/** explain_new() - Return: 0, -ENOMEM. */
int explain_new(struct explain **out, const struct explain_subject *subject);
struct explain *explain_free(struct explain *explain);
/** explain_begin() - once the evaluator is there, before it is fed */
void explain_begin(struct explain *explain, struct evaluator *evaluator);
/** explain_verdict() - the @index-th verdict of all */
void explain_verdict(struct explain *explain, const struct verdict *verdict, size_t index);
/** explain_before(), explain_after() - around what the evaluator makes of a reading of the monitor
 * @raw: as it came, its flag not marked, T where it lies beyond the range */
void explain_before(struct explain *explain, const struct reading *raw);
void explain_after(struct explain *explain, const struct reading *raw);
/** explain_year() - what the monitor's load of a year, with a permit, came to by @until_ms */
void explain_year(struct explain *explain, const struct permit *permit, int64_t covered_ms,
		  int64_t until_ms);
/** explain_end() - the data end at @time_ms: what never came */
void explain_end(struct explain *explain, int64_t time_ms);
/** explain_fate() - what the verdict of that index did to a case */
void explain_fate(struct explain *explain, const struct backtest_fate *fate);
/** explain_print() - Return: false without memory, or where @out fails. */
bool explain_print(struct explain *explain, FILE *out);
