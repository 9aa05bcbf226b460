/* SPDX-License-Identifier: Apache-2.0 */
/* A report as a page and as CSV. */
#include "deliver/report-tables.h"

#include "core/casewords.h"

#include <stdio.h>
#include <string.h>

/* In Chinese the parts are numbered as an office numbers them. */
static const char style[] =
	"body{font:14px/1.45 \"Noto Sans CJK SC\",\"Source Han Sans SC\",\"WenQuanYi Zen Hei\","
	"\"Microsoft YaHei\",sans-serif;color:#1a1a1a;background:#fff;max-width:80rem;"
	"margin:0 auto;padding:1rem}h1{font-size:1.6rem;margin:.4rem 0;text-align:center}"
	".office,.span{color:#444;text-align:center;margin:.3rem 0}"
	"h2{font-size:1.1rem;border-bottom:1px solid #999;margin:1.4rem 0 .5rem}"
	"main{counter-reset:part}:lang(zh) h2::before{counter-increment:part;"
	"content:counter(part,simp-chinese-informal)\"\u3001\"}"
	"table{border-collapse:collapse;width:100%}"
	"th,td{border:1px solid #bbb;padding:.15rem .4rem;text-align:left;"
	"overflow-wrap:break-word}"
	"thead th{background:#eee}td.n{text-align:right;white-space:nowrap}"
	"td.k{white-space:nowrap}td.s{min-width:11em}"
	"footer{border-top:1px solid #999;margin-top:1.5rem;padding-top:.4rem;font-size:.85rem}"
	"@page{size:A4 landscape;margin:12mm}@media print{body{max-width:none;padding:0;"
	"font-size:8.5pt}h2{break-after:avoid}tr{break-inside:avoid}th,td{padding:.1rem .25rem}"
	"thead{display:table-header-group}}";

struct page {
	struct report_writer writer;
	struct sheet sheet;
	const struct plan *plan;
	size_t rows;
};

static struct page *page_of(struct report_writer *writer)
{
	return (struct page *)(void *)writer;
}

static void page_begin(struct report_writer *writer, const char *name, const char *heading,
		       const struct report_column *columns, size_t n)
{
	struct page *page = page_of(writer);
	struct sheet *sheet = &page->sheet;
	page->rows = 0;
	text_format(sheet->out, "<section id=\"%s\"><h2>", name);
	sheet_say(sheet, heading);
	sheet_markup(sheet, "</h2>\n<table><thead><tr>");
	for (size_t i = 0; i < n; i++) {
		sheet_markup(sheet, "<th scope=\"col\">");
		sheet_say(sheet, columns[i].head);
		sheet_markup(sheet, "</th>");
	}
	sheet_markup(sheet, "</tr></thead><tbody>\n");
}

static void page_number(struct text *out, const struct report_column *column,
			const struct report_value *value)
{
	if (column->cell == CELL_SHARE) {
		text_fixed(out, 100 * value->number, 1);
		text_char(out, '%');
	} else {
		text_fixed(out, value->number,
			   column->cell == CELL_COUNT ? 0
			   : value->has_decimals      ? value->decimals
						      : column->decimals);
	}
}

static bool is_text(const struct report_column *column)
{
	return column->cell != CELL_NUMBER && column->cell != CELL_SHARE &&
	       column->cell != CELL_COUNT;
}

static const char *site_name(const struct plan *plan, const char *id)
{
	uint32_t site = id == NULL ? NO_INDEX : plan_site(plan, id);
	return site == NO_INDEX ? id : plan->sites[site].name;
}

/* "3 readings …; transmission rate below 90 %" */
static void add_note(struct sheet *sheet, const struct report_remark *remarks)
{
	char n[24];
	for (const struct report_remark *r = remarks; r->sentence != NULL; r++) {
		if (r > remarks)
			sheet_say(sheet, SAY("; "));
		snprintf(n, sizeof n, "%lld", (long long)r->n);
		sheet_phrase(sheet, r->sentence, "n", n, NULL);
	}
}

static void page_row(struct report_writer *writer, const struct report_column *columns,
		     const struct report_value *values, size_t n)
{
	struct page *page = page_of(writer);
	struct sheet *sheet = &page->sheet;
	page->rows++;
	sheet_markup(sheet, "<tr>");
	for (size_t i = 0; i < n; i++) {
		bool text = is_text(&columns[i]);
		sheet_markup(sheet, columns[i].cell == CELL_KEY    ? "<td class=\"k\">"
				    : columns[i].cell == CELL_SITE ? "<td class=\"s\">"
				    : text                         ? "<td>"
								   : "<td class=\"n\">");
		if (columns[i].cell == CELL_CODE)
			sheet_code(sheet, values[i].text == NULL ? "" : values[i].text);
		else if (columns[i].cell == CELL_STEP)
			sheet_say(sheet, step_words(values[i].text, NULL));
		else if (columns[i].cell == CELL_NOTE)
			add_note(sheet, values[i].remarks);
		else if (columns[i].cell == CELL_WORD)
			sheet_say(sheet, values[i].text);
		else if (columns[i].cell == CELL_SITE)
			sheet_text(sheet, site_name(page->plan, values[i].text));
		else if (text)
			sheet_text(sheet, values[i].text);
		else if (values[i].has_number)
			page_number(sheet->out, &columns[i], &values[i]);
		sheet_markup(sheet, "</td>");
	}
	sheet_markup(sheet, "</tr>\n");
}

static void page_end(struct report_writer *writer)
{
	struct page *page = page_of(writer);
	sheet_markup(&page->sheet, "</tbody></table>\n");
	if (page->rows == 0) {
		sheet_markup(&page->sheet, "<p>");
		sheet_say(&page->sheet, SAY("none in this time"));
		sheet_markup(&page->sheet, "</p>\n");
	}
	sheet_markup(&page->sheet, "</section>\n");
}

enum { DATE_BYTES = 40 };

static const char *date_words(const struct page *page, int64_t wall_ms, char *out)
{
	struct civil c = zone_civil(page->sheet.zone, wall_ms);
	snprintf(out, DATE_BYTES,
		 page->sheet.words == NULL ? "%d-%02d-%02d" : "%d\u5e74%d\u6708%d\u65e5",
		 (int)c.year, c.month, c.day);
	return out;
}

static void page_title(struct page *page, const struct report *report)
{
	char name[DATE_BYTES];
	bool english = page->sheet.words == NULL;
	struct civil c = zone_civil(page->sheet.zone, report->span.start_ms);
	if (report->span.end_ms > month_of(page->sheet.zone, report->span.start_ms).end_ms)
		snprintf(name, sizeof name, english ? "%d" : "%d\u5e74\u5ea6", (int)c.year);
	else
		snprintf(name, sizeof name, english ? "%d-%02d" : "%d\u5e74%d\u6708", (int)c.year,
			 c.month);
	sheet_phrase(&page->sheet, SAY("Supervision report {time}"), "time", name, NULL);
}

static void page_head(struct page *page, const struct report *report)
{
	struct sheet *sheet = &page->sheet;
	char from[DATE_BYTES], to[DATE_BYTES];
	sheet_markup(sheet, report->words == NULL ? "<!DOCTYPE html>\n<html lang=\"en\">"
						  : "<!DOCTYPE html>\n<html lang=\"zh-CN\">");
	sheet_markup(sheet, "<head><meta charset=\"utf-8\"><meta http-equiv="
			    "\"Content-Security-Policy\" content=\"default-src 'none'; style-src ");
	html_policy_hash(sheet->out, style);
	sheet_markup(sheet, "\"><title>");
	page_title(page, report);
	sheet_markup(sheet, "</title><style>");
	sheet_markup(sheet, style);
	sheet_markup(sheet, "</style></head>\n<body><main><p class=\"office\">");
	sheet_text(sheet, report->plan->office);
	sheet_markup(sheet, "</p><h1>");
	page_title(page, report);
	sheet_markup(sheet, "</h1>\n<p class=\"span\">");
	sheet_phrase(sheet, SAY("From {from} to {to}"), "from",
		     date_words(page, report->span.start_ms, from), "to",
		     date_words(page, report->span.end_ms - 1, to), NULL);
	sheet_markup(sheet, "</p>\n");
}

static void page_foot(struct page *page, const struct report *report)
{
	struct sheet *sheet = &page->sheet;
	char now[SHEET_TIME_BYTES];
	sheet_markup(sheet, "<footer><p>");
	sheet_phrase(sheet,
		     SAY("As of {time}. Only readings with flag N count; loads are sums over the "
			 "time that is covered, never extrapolated. Cases that nobody has verified "
			 "are clues."),
		     "time", sheet_moment(sheet, report->now_ms, now), NULL);
	text_char(sheet->out, ' ');
	sheet_say(sheet,
		  SAY("A mean is that of the means of the days. pH, sound and the direction of "
		      "the wind have no mean, since that of their figures says nothing: they "
		      "are judged value by value, and have their lowest and highest. Rain is "
		      "a sum."));
	sheet_markup(sheet, "</p></footer></main></body></html>\n");
}

int report_html(struct text *out, const struct report *report)
{
	struct page page = {.writer = {page_begin, page_row, page_end},
			    .sheet = {out, report->words, &report->plan->zone},
			    .plan = report->plan};
	page_head(&page, report);
	int r = report_tables(report, &page.writer);
	page_foot(&page, report);
	return r;
}

/* --- CSV --- */

/* By which a spreadsheet knows UTF-8; without it, one in Chinese takes the file for GBK. */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

struct lines {
	struct report_writer writer;
	struct text *out;
	const char *name;
};

/* As RFC 4180 has it. What a spreadsheet would take for a formula is kept from it. */
static void field(struct text *out, const char *s)
{
	bool formula = s != NULL && s[0] != '\0' && strchr("=+-@\t", s[0]) != NULL;
	if (s == NULL)
		return;
	if (!formula && strpbrk(s, ",\"\r\n") == NULL) {
		text_add(out, s);
		return;
	}
	text_add(out, formula ? "\"'" : "\"");
	for (; *s != '\0'; s++) {
		if (*s == '"')
			text_char(out, '"');
		text_char(out, *s);
	}
	text_char(out, '"');
}

static void lines_begin(struct report_writer *writer, const char *name, const char *heading,
			const struct report_column *columns, size_t n)
{
	struct lines *lines = (struct lines *)(void *)writer;
	(void)heading;
	lines->name = name;
	text_add(lines->out, "table");
	for (size_t i = 0; i < n; i++) {
		text_char(lines->out, ',');
		text_add(lines->out, columns[i].name);
	}
	text_add(lines->out, "\r\n");
}

/* Of our own words: nothing in it is escaped. */
static void field_note(struct text *out, const struct report_remark *remarks)
{
	struct text note = {0};
	add_note(&(struct sheet){.out = &note}, remarks);
	field(out, note.at);
	text_deinit(&note);
}

static void lines_row(struct report_writer *writer, const struct report_column *columns,
		      const struct report_value *values, size_t n)
{
	struct lines *lines = (struct lines *)(void *)writer;
	text_add(lines->out, lines->name);
	for (size_t i = 0; i < n; i++) {
		text_char(lines->out, ',');
		if (columns[i].cell == CELL_NOTE)
			field_note(lines->out, values[i].remarks);
		else if (is_text(&columns[i]))
			field(lines->out, values[i].text);
		else if (values[i].has_number)
			text_format(lines->out, "%.12g", values[i].number);
	}
	text_add(lines->out, "\r\n");
}

static void lines_end(struct report_writer *writer)
{
	(void)writer;
}

int report_csv(struct text *out, const struct report *report)
{
	struct lines lines = {.writer = {lines_begin, lines_row, lines_end}, .out = out};
	text_add(out, BYTE_ORDER_MARK);
	return report_tables(report, &lines.writer);
}
