/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The office page's two tables, and what they share.
 */
#include "deliver/sheet.h"
#include "serve/office.h"

extern const char office_script[]; /* office.js */

/* So many on a page that it stays under 100 KiB, whatever the district. */
enum { OFFICE_CASES = 40, OFFICE_SITES = 60, OFFICE_CHOICES = 100, OFFICE_CASES_MOST = 2000 };

/* One case as far as the page needs it; @json stays the owner of its texts. */
struct office_case {
	const json_t *json;
	uint32_t site; /* NO_INDEX: not of this plan */
	int severity;  /* 2: grave */
	int64_t id, due_ms;
	bool verified;
};

struct office_page {
	const struct office *office;
	const struct plan *plan;
	struct sheet sheet;
	json_t *lists[OFFICE_CASES_MOST / 1000]; /* answers that hold the cases */
	size_t n_lists;
	struct office_case *cases; /* all that were asked for, in the page's order */
	size_t n_cases, hidden;    /* hidden: left out, because the page is open to everybody */
	uint32_t *open_cases;      /* by site */
	bool curves;               /* all of the last day is in them */
	bool more;                 /* there are more than OFFICE_CASES_MOST */
};

/** office_take_cases() - read, filtered and put in order. Return: 0, negative errno. */
int office_take_cases(struct office_page *page);
void office_drop_cases(struct office_page *page);
void office_cases(struct office_page *page);
void office_sites(struct office_page *page);
/** office_alerts() - of each kind that is active on the shown sites: what it means and asks for */
void office_alerts(struct office_page *page);

/** office_who() - the officer who shows a token; else where to type it, where there are officers */
void office_who(struct office_page *page);
/** office_deeds() - for an officer: the box in which an action is chosen and confirmed */
void office_deeds(struct office_page *page);
/** office_row_deeds() - for an officer: a cell with what he may do to this case now */
void office_row_deeds(struct office_page *page, const struct office_case *c);

/** office_named() - may what happens at this site be told here? */
bool office_named(const struct office_page *page, uint32_t site);
/** office_link() - adds the page's own address with the same filters and another page number */
void office_link(struct office_page *page, size_t number, const char *language);
/** office_site_link() - adds the address of the page of one site */
void office_site_link(struct office_page *page, const char *site);
/** office_pages() - links to the other pages of a list of @n with @most on each */
void office_pages(struct office_page *page, size_t n, size_t most);
