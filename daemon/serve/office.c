/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/office.h"

#include "core/supcase.h"
#include "deliver/dossier.h"
#include "serve/office-parts.h"

#include <stdio.h>
#include <string.h>

enum { SPARKS_WAIT_MS = 400 };

static const char style[] =
	"body{font:15px/1.45 \"Noto Sans CJK SC\",\"Source Han Sans SC\",\"WenQuanYi Zen Hei\","
	"\"Microsoft YaHei\",sans-serif;color:#1a1a1a;background:#fff;max-width:76rem;margin:0 "
	"auto;"
	"padding:.6rem 1rem}"
	"h1{font-size:1.4rem;margin:.3rem 0}h2{font-size:1.1rem;margin:1.3rem 0 .4rem}"
	"table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid "
	"#ccc;padding:.25rem "
	".5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere;min-width:3.2em}"
	"th::first-letter,td::first-letter{text-transform:uppercase}"
	".f{display:inline-block}" /* what is written small, such as pH, stays so */
	"thead th,tbody td:first-child,.w{white-space:nowrap}thead th{background:#eee}tbody "
	"th{font-weight:600}.wide{overflow-x:auto}"
	".grave,.bad,.overdue{color:#991b1b;font-weight:600}.serious,.odd{color:#92400e;font-"
	"weight:600}"
	".good{color:#166534}small{color:#555}.grave::before,.bad::before{content:\"\\25cf\\a0\"}"
	".serious::before,.odd::before{content:\"\\25b2\\a0\"}"
	".spark{width:96px;height:22px;vertical-align:middle}.spark path{fill:none;stroke:#1d4ed8;"
	"stroke-width:1.3;stroke-linejoin:round;stroke-linecap:round}"
	"form{display:flex;flex-wrap:wrap;gap:.4rem .9rem;align-items:end;margin:.6rem 0}"
	"[hidden]{display:none!important}#sign{margin:0}"
	"dialog{width:min(36rem,94vw);border:1px solid #999}dialog h2{margin-top:0}"
	"#deed-fields{display:grid;gap:.5rem;margin:.6rem 0}#deed-form{display:block}"
	"#deed-sure,#deed-refused{white-space:pre-line;overflow-wrap:anywhere}"
	"#deed-refused{border-left:4px solid #991b1b;padding-left:.6rem}"
	"label{display:flex;flex-direction:column;font-size:.85rem}"
	"button{white-space:nowrap}select,button,input,textarea{font:inherit;"
	"padding:"
	".2rem .4rem}#summary b{font-size:1.25rem}#summary span{margin-right:1.4rem}"
	"header{display:flex;flex-wrap:wrap;justify-content:space-between;align-items:baseline}"
	"footer{border-top:1px solid #999;margin-top:1.5rem;font-size:.85rem;color:#333}"
	"a{color:#1d4ed8}:focus-visible{outline:3px "
	"solid "
	"#f59e0b}"
	/* on a phone a case is a card, its deadline above the rest, and so is a site */
	"@media(max-width:40rem){body{padding:.4rem "
	".6rem;overflow-wrap:anywhere}label,select{max-width:100%}.wide "
	"thead{position:absolute;left:"
	"-999rem}.wide tr{display:flex;flex-wrap:wrap;padding:.4rem 0;border-bottom:2px solid #999}"
	".wide tbody>tr>*{border:0;padding:.1rem .3rem;flex:1 0 45%;order:2}#alerts tbody>tr>*{"
	"flex-basis:100%}#cases tbody>tr>:nth-child(-n+2){order:1;flex:0 1 auto}"
	"#cases td:nth-child(7){order:1;flex-basis:100%}"
	"#cases td:nth-child(7)::before{content:\"due \"}"
	"#cases td:nth-child(8)::before{content:\"responsible: \"}"
	"#sites td:nth-child(4):not(:empty)::before{content:\"open cases: \"}"
	":lang(zh) #cases td:nth-child(7)::before{content:\"\\671f\\9650\\ff1a\"}"
	":lang(zh) #cases td:nth-child(8)::before{content:\"\\8d23\\4efb\\ff1a\"}"
	":lang(zh) #sites "
	"td:nth-child(4):not(:empty)::before{content:\"\\672a\\9500\\53f7\\ff1a\"}}"
	"@media print{form,nav,#live{display:none}thead{display:table-header-group}tr{break-inside:"
	"avoid}}";

void office_policy(struct text *out)
{
	text_add(out, "default-src 'none'; style-src ");
	html_policy_hash(out, style);
	text_char(out, ' ');
	dossier_policy(out); /* an officer's dossier is opened by this page, and inherits this */
	text_add(out, "; script-src ");
	html_policy_hash(out, office_script);
	text_add(out, "; img-src data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
		      "frame-ancestors "
		      "'none'");
}

/* --- addresses --- */

static void parameter(struct text *out, const char *name, const char *value)
{
	text_format(out, "%s%s=", out->length == 0 ? "?" : "&", name);
	for (; *value != '\0'; value++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.",
			   *value) != NULL)
			text_char(out, *value);
		else
			text_format(out, "%%%02X", (unsigned)(unsigned char)*value);
}

void office_link(struct office_page *page, size_t number, const char *language)
{
	const struct query *query = page->office->query;
	struct text address = {0};
	char count[24];
	snprintf(count, sizeof count, "%zu", number + 1);
	if (query->site != NULL)
		parameter(&address, "site", query->site);
	if (query->stage != NULL)
		parameter(&address, "status", query->stage);
	if (query->severity != NULL)
		parameter(&address, "severity", query->severity);
	if (query->due != NULL)
		parameter(&address, "due", query->due);
	if (language != NULL)
		parameter(&address, "language", language);
	if (number > 0)
		parameter(&address, "page", count);
	text_char(page->sheet.out, '/');
	sheet_text(&page->sheet, address.at);
	text_deinit(&address);
}

void office_site_link(struct office_page *page, const char *site)
{
	struct text address = {0};
	parameter(&address, "site", site);
	if (page->office->query->language != NULL)
		parameter(&address, "language", page->office->query->language);
	text_char(page->sheet.out, '/');
	sheet_text(&page->sheet, address.at);
	text_deinit(&address);
}

void office_pages(struct office_page *page, size_t n, size_t most)
{
	size_t last = n == 0 ? 0 : (n - 1) / most, here = page->office->query->page;
	size_t from = here > 5 ? here - 5 : 0;
	if (last == 0)
		return;
	sheet_markup(&page->sheet, "<nav aria-label=\"");
	sheet_say(&page->sheet, SAY("Pages"));
	sheet_markup(&page->sheet, "\"><p>");
	sheet_say(&page->sheet, SAY("Page"));
	for (size_t i = from; i <= last && i < from + 11; i++) {
		if (i == here) {
			text_format(page->sheet.out, " <b>%zu</b>", i + 1);
			continue;
		}
		sheet_markup(&page->sheet, " <a href=\"");
		office_link(page, i, page->office->query->language);
		text_format(page->sheet.out, "\">%zu</a>", i + 1);
	}
	text_format(page->sheet.out, " / %zu</p></nav>\n", last + 1);
}

/* --- the frame --- */

static void page_begin(struct office_page *page)
{
	struct sheet *sheet = &page->sheet;
	text_format(sheet->out,
		    "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"
		    "<meta name=\"viewport\" content=\"width=device-width\">"
		    "<meta name=\"referrer\" content=\"no-referrer\"><title>",
		    sheet->words == NULL ? "en" : "zh-CN");
	sheet_text(sheet, page->plan->office);
	sheet_markup(sheet, "</title><link rel=\"icon\" href=\"data:,\"><style>");
	sheet_markup(sheet, style);
	sheet_markup(sheet, "</style></head>\n<body><header><h1>");
	sheet_text(sheet, page->plan->office);
	sheet_markup(sheet, "</h1><p><span id=\"live\" data-on=\"");
	sheet_say(sheet, SAY("live"));
	sheet_markup(sheet, "\" data-off=\"");
	sheet_say(sheet, SAY("not live; read again every minute"));
	sheet_markup(sheet, "\"></span> <a href=\"");
	office_link(page, page->office->query->page, sheet->words == NULL ? "zh_CN" : "en");
	text_format(sheet->out, "\" lang=\"%s\">%s</a></p>", sheet->words == NULL ? "zh-CN" : "en",
		    sheet->words == NULL ? "\u4e2d\u6587" : "English");
	office_who(page);
	sheet_markup(sheet, "</header>\n");
}

static void page_end(struct office_page *page)
{
	struct sheet *sheet = &page->sheet;
	sheet_markup(sheet, "</main>\n<footer><p>");
	sheet_say(sheet, SAY("What the system registers is a clue until it is verified; it may not "
			     "by itself be the basis of a penalty."));
	sheet_markup(sheet, " <span id=\"foot\">");
	if (page->office->officer == NULL)
		sheet_say(sheet, SAY("This page only shows; it changes nothing."));
	sheet_markup(sheet, "</span></p></footer>\n");
	office_deeds(page);
	sheet_markup(sheet, "<script>");
	sheet_markup(sheet, office_script);
	sheet_markup(sheet, "</script></body></html>\n");
}

static void figure(struct office_page *page, const char *english, size_t n)
{
	text_format(page->sheet.out, "<span><b>%zu</b> ", n);
	sheet_say(&page->sheet, english);
	sheet_markup(&page->sheet, "</span> ");
}

static void page_summary(struct office_page *page)
{
	size_t overdue = 0, unverified = 0;
	char now[SHEET_TIME_BYTES];
	for (size_t i = 0; i < page->n_cases; i++) {
		const struct office_case *c = &page->cases[i];
		overdue += c->due_ms != 0 && c->due_ms < page->office->now_ms;
		unverified += !c->verified;
	}
	sheet_markup(&page->sheet, "<p id=\"summary\" aria-live=\"polite\">");
	figure(page, SAY("cases"), page->n_cases);
	figure(page, SAY("overdue"), overdue);
	figure(page, SAY("not verified yet"), unverified);
	sheet_markup(&page->sheet, "<small>");
	sheet_phrase(&page->sheet, SAY("as of {time}"), "time",
		     sheet_moment(&page->sheet, page->office->now_ms, now), NULL);
	sheet_markup(&page->sheet, "</small></p>\n");
}

/* --- filters --- */

static void choice(struct office_page *page, const char *value, const char *words,
		   const char *chosen)
{
	sheet_markup(&page->sheet, "<option value=\"");
	sheet_text(&page->sheet, value);
	sheet_markup(&page->sheet,
		     chosen != NULL && strcmp(value, chosen) == 0 ? "\" selected>" : "\">");
	sheet_text(&page->sheet, words);
	sheet_markup(&page->sheet, "</option>");
}

static void choice_begin(struct office_page *page, const char *label, const char *name)
{
	sheet_markup(&page->sheet, "<label>");
	sheet_say(&page->sheet, label);
	text_format(page->sheet.out, "<select name=\"%s\">", name);
}

static void choice_end(struct office_page *page)
{
	sheet_markup(&page->sheet, "</select></label>");
}

static void choose_site(struct office_page *page)
{
	const struct plan *plan = page->plan;
	choice_begin(page, SAY("Site"), "site");
	choice(page, "", sheet_word(&page->sheet, SAY("all")), NULL);
	for (size_t i = 0; i < plan->n_sites && plan->n_sites <= OFFICE_CHOICES; i++)
		choice(page, plan->sites[i].id, plan->sites[i].name, page->office->query->site);
	if (plan->n_sites > OFFICE_CHOICES && page->office->query->site != NULL)
		choice(page, page->office->query->site, page->office->query->site,
		       page->office->query->site);
	choice_end(page);
}

static void choose_status(struct office_page *page)
{
	const char *chosen = page->office->query->stage;
	choice_begin(page, SAY("status"), "status");
	choice(page, "open", sheet_word(&page->sheet, SAY("all open ones")), chosen);
	for (int i = 0; i < CASE_STATUSES; i++) {
		const char *name = case_status_name((enum case_status)i);
		choice(page, name, sheet_word(&page->sheet, name), chosen);
	}
	choice(page, "all", sheet_word(&page->sheet, SAY("all")), chosen);
	choice_end(page);
}

static void choose_severity(struct office_page *page)
{
	choice_begin(page, SAY("severity"), "severity");
	choice(page, "", sheet_word(&page->sheet, SAY("all")), NULL);
	for (int i = SEVERITIES; i-- > 0;) {
		const char *name = severity_name((enum severity)i);
		choice(page, name, sheet_word(&page->sheet, name), page->office->query->severity);
	}
	choice_end(page);
}

static void choose_due(struct office_page *page)
{
	const char *chosen = page->office->query->due;
	choice_begin(page, SAY("due"), "due");
	choice(page, "", sheet_word(&page->sheet, SAY("all")), NULL);
	choice(page, "overdue", sheet_word(&page->sheet, SAY("overdue")), chosen);
	choice(page, "day", sheet_word(&page->sheet, SAY("within a day")), chosen);
	choice(page, "week", sheet_word(&page->sheet, SAY("within 7 days")), chosen);
	choice_end(page);
}

static void page_filters(struct office_page *page)
{
	const char *language = page->office->query->language;
	sheet_markup(&page->sheet, "<form method=\"get\" action=\"/\" role=\"search\">");
	choose_site(page);
	choose_status(page);
	choose_severity(page);
	choose_due(page);
	if (language != NULL)
		text_format(page->sheet.out,
			    "<input type=\"hidden\" name=\"language\" value=\"%s\">", language);
	sheet_markup(&page->sheet, "<button>");
	sheet_say(&page->sheet, SAY("Show"));
	sheet_markup(&page->sheet, "</button></form>\n");
}

static void section(struct office_page *page, const char *id, const char *heading,
		    void (*body)(struct office_page *))
{
	text_format(page->sheet.out, "<section aria-labelledby=\"%s-head\"><h2 id=\"%s-head\">", id,
		    id);
	sheet_say(&page->sheet, heading);
	text_format(page->sheet.out, "</h2><div id=\"%s\">\n", id);
	body(page);
	sheet_markup(&page->sheet, "</div></section>\n");
}

int office_write(const struct office *office, struct text *out)
{
	struct office_page page = {
		.office = office,
		.plan = office->setup->plan,
		.sheet = {.out = out,
			  .words = document_words(office->setup, office->query->language),
			  .zone = &office->setup->plan->zone},
	};
	int r = office_take_cases(&page);
	if (r == 0) {
		page.curves = sparks_want(office->sparks, SPARKS_WAIT_MS);
		page_begin(&page);
		sheet_markup(&page.sheet, "<main>\n");
		page_summary(&page);
		page_filters(&page);
		section(&page, "cases", SAY("Cases by severity and deadline"), office_cases);
		section(&page, "sites", SAY("Sites"), office_sites);
		sheet_markup(&page.sheet, "<div id=\"alerts\">");
		office_alerts(&page);
		sheet_markup(&page.sheet, "</div>\n");
		page_end(&page);
	}
	office_drop_cases(&page);
	return r;
}
