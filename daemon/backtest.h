/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Backtest: the evaluation of recorded readings on the data's own clock.
 *
 * The evaluator and the ledger are the daemon's own, the ledger in memory, so what is found here is
 * what the daemon would have found. Nothing live is touched, and neither wall clock nor host
 * enters: two runs give the same bytes.
 */
#include "core/marks.h"
#include "core/plan.h"

#include <stdio.h>

/**
 * backtest() - read @file, write one JSON object a line to @out, faults and totals to @err
 * @marks: over the data, known beforehand; NULL: none
 * Return: 0; 1 if a row was malformed or the file cannot be read (said on @err).
 */
int backtest(const struct plan *plan, const char *file, const struct marks *marks, FILE *out,
	     FILE *err);
/**
 * backtest_explain() - instead of the events, why they came: sentences on @out, a line each
 * @what: a case of this run by its id or number, or SITE:FACTOR[:AVERAGING or KIND]
 * Return: as of backtest(); 1 and a sentence on @err where there is no such case or monitor.
 */
int backtest_explain(const struct plan *plan, const char *file, const struct marks *marks,
		     const char *what, FILE *out, FILE *err);
