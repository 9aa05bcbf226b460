/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Report: a month or year of a district in tables: monitors, loads against permits, classes of
 * sections, cases and how they ended, the ten worst monitors. It is what the yearly report of an
 * office asks for (domain practice: 按期办结率, 有效率, 达标率).
 *
 * The same tables become a page, for the screen and for A4 paper, and CSV. Everything is read from
 * what was added up (store/tallies.h) and page by page from the ledger, never from the readings, so
 * that a year costs no more memory than its monitors and groups, and holds up no commit.
 */
#include "deliver/sheet.h"
#include "store/ledger.h"
#include "store/tallies.h"

struct report {
	const struct plan *plan;
	const struct wording *words; /* NULL: English */
	struct ledger *ledger;
	struct tallies *tallies; /* NULL: nothing was added up yet */
	struct span span;        /* a calendar month or year */
	int64_t now_ms;
};

/** report_html(), report_csv() - add the whole report to @out (any thread).
 * Return: 0, negative errno, a result of the ledger. */
int report_html(struct text *out, const struct report *report);
/** The CSV begins with a byte order mark, for spreadsheets. Each table begins with a line of its
 * columns, whose first is `table`; numbers have 12 digits, so that a sum reads as what was added
 * up, shares are from 0 to 1, and names stay untranslated. */
int report_csv(struct text *out, const struct report *report);
