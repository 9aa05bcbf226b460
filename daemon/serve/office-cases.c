/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/office-parts.h"

#include "core/supcase.h"
#include "deliver/dossier.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MOST = 1000 };
#define DAY_MS INT64_C(86400000)

/* --- reading --- */

static bool is_status(const struct query *query, const json_t *c)
{
	const char *wanted = query->stage;
	return wanted == NULL || strcmp(wanted, "all") == 0 || strcmp(wanted, "open") == 0 ||
	       strcmp(wanted, json_words(c, "status")) == 0;
}

static bool wants_ended(const struct query *query)
{
	int status = 0;
	if (query->stage == NULL || strcmp(query->stage, "open") == 0)
		return false;
	while (status < CASE_STATUSES &&
	       strcmp(query->stage, case_status_name((enum case_status)status)) != 0)
		status++;
	return status == CASE_STATUSES || !case_status_open((enum case_status)status);
}

static bool is_wanted(const struct query *query, const json_t *c)
{
	return is_status(query, c) &&
	       (query->severity == NULL || strcmp(query->severity, json_words(c, "severity")) == 0);
}

/* Within a day, or seven, from now; what is overdue already is not among them. */
static bool is_due(const struct office *office, int64_t due_ms)
{
	const char *wanted = office->query->due;
	int64_t left_ms = due_ms - office->now_ms;
	if (wanted == NULL || due_ms == 0)
		return wanted == NULL;
	if (strcmp(wanted, "overdue") == 0)
		return left_ms < 0;
	return left_ms >= 0 && left_ms < (strcmp(wanted, "day") == 0 ? DAY_MS : 7 * DAY_MS);
}

static void take_case(struct office_page *page, const json_t *c)
{
	const char *site = json_words(c, "site");
	uint32_t at = site == NULL ? NO_INDEX : plan_site(page->plan, site);
	bool ended = json_case_ended(c) != 0;
	if (!page->office->sees_persons && dossier_secrecy(page->plan, c) != SECRECY_NONE) {
		page->hidden++;
		return;
	}
	if (at != NO_INDEX && !ended)
		page->open_cases[at]++;
	if (!is_wanted(page->office->query, c) ||
	    !is_due(page->office, ended ? 0 : json_ms(c, "due_at")))
		return;
	page->cases[page->n_cases++] = (struct office_case){
		.json = c,
		.site = at,
		.severity = (int)severity_find(json_words(c, "severity")),
		.id = json_integer_value(json_object_get(c, "id")),
		.due_ms = ended ? 0 : json_ms(c, "due_at"),
		.verified = json_is_true(json_object_get(c, "verified")),
	};
}

/* The graver first; then what falls due sooner, what has no deadline last; then the newer. */
static int order(const void *a, const void *b)
{
	const struct office_case *x = a, *y = b;
	if (x->severity != y->severity)
		return y->severity - x->severity;
	if (x->due_ms != y->due_ms)
		return x->due_ms == 0 ? 1 : y->due_ms == 0 ? -1 : x->due_ms < y->due_ms ? -1 : 1;
	return x->id > y->id ? -1 : x->id < y->id;
}

static int take_list(struct office_page *page, struct case_filter *filter)
{
	struct text text = {0};
	int r = ledger_cases_json(page->office->setup->ledger, filter, &text);
	json_t *list = r == 0 ? json_loadb(text.at, text.length, 0, NULL) : NULL;
	text_deinit(&text);
	if (list == NULL)
		return r == 0 ? -ENOMEM : r;
	page->lists[page->n_lists++] = list;
	filter->after = json_integer_value(json_object_get(list, "next"));
	const json_t *cases = json_object_get(list, "cases");
	for (size_t i = 0; i < json_array_size(cases); i++)
		take_case(page, json_array_get(cases, i));
	return 0;
}

int office_take_cases(struct office_page *page)
{
	const struct query *query = page->office->query;
	struct case_filter filter = {.site = query->site, .to_ms = INT64_MAX, .limit = LIST_MOST};
	filter.all = wants_ended(query);
	page->cases = calloc(OFFICE_CASES_MOST, sizeof *page->cases);
	page->open_cases = calloc(page->plan->n_sites + 1, sizeof *page->open_cases);
	if (page->cases == NULL || page->open_cases == NULL)
		return -ENOMEM;
	int r = 0;
	do
		r = take_list(page, &filter);
	while (r == 0 && filter.after != 0 && page->n_lists < OFFICE_CASES_MOST / LIST_MOST);
	page->more = filter.after != 0;
	qsort(page->cases, page->n_cases, sizeof *page->cases, order);
	return r;
}

void office_drop_cases(struct office_page *page)
{
	while (page->n_lists > 0)
		json_decref(page->lists[--page->n_lists]);
	free(page->cases);
	free(page->open_cases);
}

/* --- the table --- */

static void cell(struct office_page *page, const char *class)
{
	text_format(page->sheet.out, class == NULL ? "<td>" : "<td class=\"%s\">", class);
}

static void value_words(struct text *out, const json_t *c, const char *member, bool exact)
{
	const json_t *value = json_object_get(c, member);
	const json_t *decimals = json_object_get(c, "decimals");
	if (!json_is_number(value))
		text_char(out, '-');
	else if (exact || !json_is_integer(decimals))
		text_double(out, json_number_value(value));
	else
		text_fixed(out, json_number_value(value), (int)json_integer_value(decimals));
}

/* Of a load: how much of the permit is used. */
static bool load_values(struct office_page *page, const json_t *c)
{
	const json_t *limit = json_object_get(c, "limit"),
		     *decimals = json_object_get(c, "decimals");
	double load, permit = json_number_value(limit);
	struct text words = {0};
	if (!json_load(c, &load) || !(permit > 0))
		return false;
	text_fixed(&words, load, json_is_integer(decimals) ? (int)json_integer_value(decimals) : 3);
	text_add(&words, " / ");
	text_double(&words, permit);
	text_format(&words, " %s (", json_words(c, "unit") == NULL ? "" : json_words(c, "unit"));
	text_fixed(&words, 100 * load / permit, 1);
	text_add(&words, "%)");
	sheet_text(&page->sheet, words.at);
	text_deinit(&words);
	return true;
}

static void case_values(struct office_page *page, const json_t *c)
{
	struct text words = {0};
	if (load_values(page, c))
		return;
	if (json_is_number(json_object_get(c, "peak_value"))) {
		value_words(&words, c, "peak_value", false);
		if (json_is_number(json_object_get(c, "limit"))) {
			text_add(&words, " / ");
			value_words(&words, c, "limit", true);
		}
		text_char(&words, ' ');
		text_add(&words, json_words(c, "unit") == NULL ? "" : json_words(c, "unit"));
	}
	sheet_text(&page->sheet, words.at);
	text_deinit(&words);
}

static void case_link(struct office_page *page, const struct office_case *c)
{
	struct sheet *sheet = &page->sheet;
	const char *language = page->office->query->language;
	text_format(sheet->out,
		    "<th scope=\"row\" class=\"w\"><a href=\"/api/v1/cases/%lld/dossier",
		    (long long)c->id);
	if (language != NULL)
		text_format(sheet->out, "?language=%s", language);
	sheet_markup(sheet, "\">");
	sheet_text(sheet, json_words(c->json, "number"));
	sheet_markup(sheet, "</a></th>");
}

/* What has joined: factors of the same event. */
static void case_factors(struct office_page *page, const json_t *c)
{
	const char *site = json_words(c, "site");
	const json_t *factors = json_object_get(c, "factors");
	for (size_t i = 1; site != NULL && i < json_array_size(factors); i++) {
		const json_t *one = json_array_get(factors, i);
		uint32_t monitor = plan_monitor(page->plan, site, json_words(one, "factor"));
		sheet_markup(&page->sheet, ", ");
		sheet_text(&page->sheet, monitor == NO_INDEX
						 ? json_words(one, "factor_name")
						 : factor_words(page->sheet.words,
								&page->plan->monitors[monitor]));
	}
}

/* Who told of it; the words in which it was told may be a complaint's, and stay with officers. */
static void case_origin(struct office_page *page, const json_t *c)
{
	const char *source = json_words(c, "source"), *title = json_words(c, "title");
	if (source == NULL || strcmp(source, "automatic") == 0)
		return;
	sheet_markup(&page->sheet, "<br><small>");
	sheet_say(&page->sheet, source);
	if (title != NULL && page->office->sees_persons) {
		sheet_markup(&page->sheet, ": ");
		sheet_text(&page->sheet, title);
	}
	sheet_markup(&page->sheet, "</small>");
}

static void case_what(struct office_page *page, const struct office_case *c)
{
	const char *factor = json_factor(c->json, page->plan, page->sheet.words),
		   *average = json_words(c->json, "average");
	cell(page, NULL);
	sheet_say(&page->sheet, json_kind(c->json));
	if (factor != NULL) {
		text_char(page->sheet.out, ' ');
		sheet_text(&page->sheet, factor);
	}
	case_factors(page, c->json);
	if (average != NULL) {
		sheet_markup(&page->sheet, " <small>");
		sheet_say(&page->sheet, average);
		sheet_markup(&page->sheet, "</small>");
	}
	case_origin(page, c->json);
}

static void case_due(struct office_page *page, const struct office_case *c)
{
	bool overdue = c->due_ms != 0 && c->due_ms < page->office->now_ms;
	char moment[SHEET_TIME_BYTES];
	cell(page, overdue ? "overdue" : NULL);
	sheet_moment(&page->sheet, c->due_ms, moment);
	text_format(page->sheet.out, c->due_ms == 0 ? "-" : "<span class=\"w\">%.16s</span>",
		    moment);
	if (overdue) {
		sheet_markup(&page->sheet, " <span class=\"w\">");
		sheet_say(&page->sheet, SAY("overdue"));
		sheet_markup(&page->sheet, "</span>");
	}
}

static void case_who(struct office_page *page, const struct office_case *c)
{
	const json_t *responsible = json_object_get(c->json, "responsible");
	const char *leader = json_words(responsible, "leader"),
		   *unit = json_words(responsible, "unit");
	cell(page, NULL);
	if (page->office->sees_persons || dossier_unit_tells(page->plan, c->json, unit))
		sheet_text(&page->sheet, unit);
	if (leader == NULL)
		return;
	text_char(page->sheet.out, ' ');
	if (page->office->sees_persons)
		sheet_text(&page->sheet, leader);
	else
		sheet_say(&page->sheet, SAY("leader"));
}

static void case_row(struct office_page *page, const struct office_case *c)
{
	static const char *const classes[SEVERITIES] = {"general", "serious", "grave"};
	struct sheet *sheet = &page->sheet;
	const char *name = json_words(c->json, "site_name");
	text_format(sheet->out, "<tr><td class=\"%s\">", classes[c->severity]);
	sheet_say(sheet, json_words(c->json, "severity"));
	sheet_markup(sheet, "</td>");
	case_link(page, c);
	cell(page, NULL);
	sheet_text(sheet, name != NULL ? name : json_words(c->json, "site"));
	sheet_markup(sheet, "</td>");
	case_what(page, c);
	sheet_markup(sheet, "</td><td>");
	case_values(page, c->json);
	sheet_markup(sheet, "</td><td class=\"w\">");
	sheet_say(sheet, json_words(c->json, "status"));
	if (!c->verified) {
		sheet_markup(sheet, "<br><small>");
		sheet_say(sheet, SAY("not verified yet"));
		sheet_markup(sheet, "</small>");
	}
	sheet_markup(sheet, "</td>");
	case_due(page, c);
	sheet_markup(sheet, "</td>");
	case_who(page, c);
	sheet_markup(sheet, "</td>");
	office_row_deeds(page, c);
	sheet_markup(sheet, "</tr>\n");
}

static void case_notes(struct office_page *page)
{
	char count[24];
	/* of one site it would say that there is such a case there */
	if (page->hidden > 0 && page->office->query->site == NULL) {
		snprintf(count, sizeof count, "%zu", page->hidden);
		sheet_markup(&page->sheet, "<p>");
		sheet_phrase(&page->sheet,
			     SAY("Unverified cases at enterprises, not shown on the open page: "
				 "{count}."),
			     "count", count, NULL);
		sheet_markup(&page->sheet, "</p>\n");
	}
	if (page->more) {
		sheet_markup(&page->sheet, "<p>");
		sheet_say(
			&page->sheet,
			SAY("There are more cases than this page goes through; use the filters."));
		sheet_markup(&page->sheet, "</p>\n");
	}
}

void office_cases(struct office_page *page)
{
	static const char *const heads[] = {SAY("severity"), SAY("Number"),          SAY("Site"),
					    SAY("Matter"),   SAY("Highest / limit"), SAY("status"),
					    SAY("due"),      SAY("Responsible"),     SAY("Action")};
	size_t n_heads = sizeof heads / sizeof heads[0] - (page->office->deeds == 0);
	size_t from = page->office->query->page * OFFICE_CASES;
	struct sheet *sheet = &page->sheet;
	if (page->n_cases == 0) {
		sheet_markup(sheet, "<p>");
		sheet_say(sheet, SAY("no cases"));
		sheet_markup(sheet, "</p>\n");
	} else {
		sheet_table(sheet, "wide", heads, n_heads);
		for (size_t i = from; i < page->n_cases && i < from + OFFICE_CASES; i++)
			case_row(page, &page->cases[i]);
		sheet_table_end(sheet);
	}
	case_notes(page);
	office_pages(page, page->n_cases, OFFICE_CASES);
}
