/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Names: which monitor a row of a recording is about.
 *
 * Sites and factors by name, in open addressing. Recorded monitors mostly take turns, so that what
 * followed last time is looked at first, and a row costs one comparison.
 */
#include "core/csv.h"
#include "core/plan.h"

struct backtest_name {
	const char *site, *factor;
	char *joined; /* "site,factor,", owned */
	size_t site_length, factor_length;
	size_t joined_length; /* 0: names that a row holds in quotes */
	uint32_t monitor;     /* NO_INDEX: unknown, and said so */
	bool used, owned;
	size_t next; /* the place of what followed it in the data */
};

struct backtest_names {
	struct backtest_name *at;
	size_t mask, n;
	size_t last; /* the place of the row before; the caller's to set */
};

/** backtest_names_fill() - with the plan's monitors. Return: false without memory */
bool backtest_names_fill(struct backtest_names *names, const struct plan *plan);
void backtest_names_deinit(struct backtest_names *names);
/** backtest_names_add() - another; its texts are freed with the names where they are @owned.
 * Return: false without memory */
bool backtest_names_add(struct backtest_names *names, const struct backtest_name *name);
/** backtest_names_find() - that of a row; not used: a free place for it, until one is added */
struct backtest_name *backtest_names_find(struct backtest_names *names, const struct csv_row *row);

/** backtest_names_expected() - what followed the last one last time */
static inline struct backtest_name *backtest_names_expected(const struct backtest_names *names)
{
	return &names->at[names->at[names->last].next];
}
