/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/dossier.h"

#include "deliver/dossier-parts.h"
#include "deliver/sources.h"

#include <stdio.h>
#include <string.h>

static const char style[] =
	"body{font:15px/1.5 \"Noto Sans CJK SC\",\"Source Han Sans SC\",\"WenQuanYi Zen Hei\","
	"\"Microsoft YaHei\",sans-serif;color:#1a1a1a;background:#fff;max-width:50rem;margin:0 "
	"auto;"
	"padding:1rem}"
	"h1{font-size:1.5rem;margin:.2rem 0}h2{font-size:1.1rem;border-bottom:1px solid #999;"
	"margin:1.4rem 0 .5rem}h3{font-size:1rem;margin:1rem 0 .3rem}"
	"table{border-collapse:collapse;width:100%;margin:.4rem 0}"
	"th,td{border:1px solid #bbb;padding:.2rem .5rem;text-align:left;vertical-align:top;"
	"overflow-wrap:anywhere}"
	"th::first-letter,b::first-letter,strong::first-letter{text-transform:uppercase}"
	".list td,.list th,.readings td,.readings th{min-width:5.8em}"
	"thead th{background:#eee}tbody th{font-weight:normal;background:#f6f6f6}"
	".pairs tbody th{width:11rem}.readings{font-size:.85rem}"
	"@media screen{.list,.readings{overflow-x:auto}}"
	".pairs,.list td,p,li,h1{overflow-wrap:anywhere}.note{white-space:pre-line}"
	"td.whole{white-space:nowrap}td.file{min-width:8em}"
	".office{color:#444}.status{font-size:1.05rem}.status b{border:1px solid #1a1a1a;"
	"padding:0 .4rem;font-weight:600}"
	".clue{border:2px solid #b45309;padding:.4rem .7rem;margin:1rem 0}"
	"figure{margin:.5rem 0}figcaption,.legend{font-size:.85rem;color:#333}svg{width:100%;"
	"height:auto;background:#fff}"
	"svg text{font-size:11px;fill:#333}.value{text-anchor:end}.time{text-anchor:middle}"
	".limit-name{text-anchor:end}svg .limit-name{fill:#b91c1c;paint-order:stroke;"
	"stroke:#fff;stroke-width:3px}"
	".grid{stroke:#ddd;stroke-width:1}.limit{stroke:#b91c1c;stroke-width:1.5;stroke-dasharray:"
	"7 4}svg .share{stroke:#b45309;stroke-width:1}"
	".curve{fill:none;stroke:#1d4ed8;stroke-width:1.4;stroke-linejoin:round;stroke-linecap:"
	"round}"
	".episode{fill:#fecaca;fill-opacity:.7}.silent{fill:#e5e7eb}.hatched{fill:url(#hatch)}"
	".hatch{stroke:#6b7280;stroke-width:2}.marked{fill:#fff;stroke:#6b7280}"
	".key{display:inline-block;width:1.6rem;height:.7rem;margin:0 .3rem 0 .9rem;border:1px "
	"solid "
	"#999}"
	".key-episode{background:#fecaca}.key-silent{background:#e5e7eb}"
	".key-hatched{background:repeating-linear-gradient(45deg,#fff 0 3px,#6b7280 3px 5px)}"
	"footer{border-top:1px solid #999;margin-top:1.5rem;padding-top:.4rem;font-size:.85rem}"
	"@page{size:A4;margin:16mm 14mm}"
	/* names and texts stand in two columns, so that what is known at first fills the first page
	 */
	"@media print{body{max-width:none;padding:0;font-size:10pt;line-height:1.35}"
	"h2,h3{break-after:avoid;margin-top:.8rem}p{margin:.5rem 0}th,td{padding:.1rem .4rem}"
	".pairs{display:block}.pairs tbody{display:grid;grid-template-columns:1fr 1fr}"
	".pairs tr{display:flex}.pairs tbody th{flex:0 0 32%;width:auto}.pairs td{flex:1}"
	".pairs,figure,tr,.clue,footer{break-inside:avoid}"
	"thead{display:table-header-group}footer{break-before:avoid}"
	"*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}";

void dossier_policy(struct text *out)
{
	html_policy_hash(out, style);
}

enum secrecy dossier_secrecy(const struct plan *plan, const json_t *c)
{
	return secrecy_of_case(plan, json_words(c, "site"),
			       json_is_true(json_object_get(c, "verified")));
}

bool dossier_unit_tells(const struct plan *plan, const json_t *c, const char *unit)
{
	return json_is_true(json_object_get(c, "verified")) || !secrecy_in(plan, unit);
}

/* --- shared by the parts --- */

void part_begin(struct parts *parts, const char *heading)
{
	sheet_markup(&parts->sheet, "<section><h2>");
	sheet_say(&parts->sheet, heading);
	sheet_markup(&parts->sheet, "</h2>\n");
}

void part_end(struct parts *parts)
{
	sheet_markup(&parts->sheet, "</section>\n");
}

void part_pairs(struct parts *parts)
{
	sheet_markup(&parts->sheet, "<table class=\"pairs\"><tbody>\n");
}

void part_pairs_end(struct parts *parts)
{
	sheet_markup(&parts->sheet, "</tbody></table>\n");
}

void part_newest(struct parts *parts, const char *const *heads, size_t n_heads, const json_t *list,
		 size_t most, void (*row)(struct parts *parts, const json_t *one))
{
	size_t n = json_array_size(list), hidden = n > most ? n - most : 0;
	char count[24];
	sheet_table(&parts->sheet, "list", heads, n_heads);
	for (size_t i = hidden; i < n; i++)
		row(parts, json_array_get(list, i));
	sheet_table_end(&parts->sheet);
	if (hidden == 0)
		return;
	snprintf(count, sizeof count, "%zu", hidden);
	sheet_markup(&parts->sheet, "<p>");
	sheet_phrase(&parts->sheet, SAY("Earlier ones, not shown: {count}."), "count", count, NULL);
	sheet_markup(&parts->sheet, "</p>\n");
}

void part_row_begin(struct parts *parts, const char *name)
{
	sheet_markup(&parts->sheet, "<tr><th scope=\"row\">");
	sheet_say(&parts->sheet, name);
	sheet_markup(&parts->sheet, "</th><td>");
}

void part_row_end(struct parts *parts)
{
	sheet_markup(&parts->sheet, "</td></tr>\n");
}

void part_row(struct parts *parts, const char *name, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	part_row_begin(parts, name);
	sheet_text(&parts->sheet, text);
	part_row_end(parts);
}

void part_row_word(struct parts *parts, const char *name, const char *english)
{
	if (english == NULL || english[0] == '\0')
		return;
	part_row_begin(parts, name);
	sheet_say(&parts->sheet, english);
	part_row_end(parts);
}

void part_row_code(struct parts *parts, const char *name, const char *code)
{
	if (code == NULL || code[0] == '\0')
		return;
	part_row_begin(parts, name);
	sheet_code(&parts->sheet, code);
	part_row_end(parts);
}

void part_row_time(struct parts *parts, const char *name, int64_t wall_ms)
{
	if (wall_ms == 0)
		return;
	part_row_begin(parts, name);
	sheet_time(&parts->sheet, wall_ms);
	part_row_end(parts);
}

void part_source(struct parts *parts, const char *source)
{
	struct text words = {0};
	source_words(&words, parts->sheet.words, source);
	sheet_text(&parts->sheet, words.at);
	text_deinit(&words);
}

void part_row_source(struct parts *parts, const char *name, const char *source)
{
	if (source == NULL || source[0] == '\0')
		return;
	part_row_begin(parts, name);
	part_source(parts, source);
	part_row_end(parts);
}

/* A factor that has joined has a unit and decimals of its own. */
static const json_t *of_case_or(const struct parts *parts, const json_t *object, const char *member)
{
	return json_object_get(object, member) != NULL ? object : parts->dossier->c;
}

bool part_value_words(const struct parts *parts, struct text *out, const json_t *object,
		      const char *member)
{
	const json_t *value = json_object_get(object, member);
	const json_t *decimals = json_object_get(of_case_or(parts, object, "decimals"), "decimals");
	if (!json_is_number(value))
		return false;
	bool exact = strcmp(member, "limit") == 0 || !json_is_integer(decimals);
	if (exact)
		text_double(out, json_number_value(value));
	else
		text_fixed(out, json_number_value(value), (int)json_integer_value(decimals));
	return true;
}

void part_value(struct parts *parts, const json_t *object, const char *member)
{
	struct text words = {0};
	if (part_value_words(parts, &words, object, member)) {
		const char *unit = json_words(of_case_or(parts, object, "unit"), "unit");
		sheet_text(&parts->sheet, words.at);
		text_char(parts->sheet.out, ' ');
		sheet_text(&parts->sheet, unit);
	} else {
		text_char(parts->sheet.out, '-');
	}
	text_deinit(&words);
}

const char *part_site_name(const struct parts *parts)
{
	const char *name = json_words(parts->dossier->c, "site_name");
	if (parts->secrecy != SECRECY_NONE)
		return sheet_word(&parts->sheet,
				  SAY("an enterprise, not named until the case is verified"));
	if (name != NULL && name[0] != '\0')
		return name;
	name = json_words(parts->dossier->c, "site");
	return name == NULL ? parts->dossier->plan->node : name;
}

/* --- the page --- */

static void page_policy(struct text *out)
{
	text_add(out, "default-src 'none'; style-src ");
	html_policy_hash(out, style);
	text_add(out, "; img-src data:; base-uri 'none'; form-action 'none'");
}

static void page_begin(struct parts *parts)
{
	struct sheet *sheet = &parts->sheet;
	text_format(sheet->out, "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">",
		    sheet->words == NULL ? "en" : "zh-CN");
	sheet_markup(sheet, "<meta http-equiv=\"Content-Security-Policy\" content=\"");
	page_policy(sheet->out);
	sheet_markup(sheet, "\"><meta name=\"viewport\" content=\"width=device-width\">"
			    "<meta name=\"referrer\" content=\"no-referrer\"><link rel=\"icon\" "
			    "href=\"data:,\"><title>");
	sheet_text(sheet, json_words(parts->dossier->c, "number"));
	text_char(sheet->out, ' ');
	sheet_text(sheet, part_site_name(parts));
	sheet_markup(sheet, "</title><style>");
	sheet_markup(sheet, style);
	sheet_markup(sheet, "</style></head>\n<body>\n");
}

/* Who told the office of it, and on which paper; who wrote it down is a person. */
static void hand_words(struct parts *parts)
{
	const json_t *c = parts->dossier->c,
		     *step = json_array_get(json_object_get(c, "history"), 0);
	const char *by = json_words(step, "by"), *document = json_words(c, "document");
	struct sheet *sheet = &parts->sheet;
	char when[SHEET_TIME_BYTES];
	sheet_phrase(sheet,
		     parts->secrecy == SECRECY_ALL
			     ? SAY("Registered by hand; source: {source}.")
			     : SAY("Registered by hand on {when}; source: {source}."),
		     "when", sheet_moment(sheet, json_ms(c, "opened_at"), when), "source",
		     sheet_word(sheet, json_words(c, "source")), NULL);
	text_char(sheet->out, ' ');
	if (by != NULL && !parts->dossier->open) {
		sheet_phrase(sheet, SAY("Registered by: {by}."), "by", by, NULL);
		text_char(sheet->out, ' ');
	}
	if (document != NULL && !parts->dossier->open) {
		sheet_phrase(sheet, SAY("Document: {document}."), "document", document, NULL);
		text_char(sheet->out, ' ');
	}
	sheet_say(sheet, json_is(c, "status", "withdrawn") ? SAY("It was never verified.")
							   : SAY("It is still to be verified."));
}

static void clue_line(struct parts *parts)
{
	if (json_is_true(json_object_get(parts->dossier->c, "verified")))
		return;
	sheet_markup(&parts->sheet, "<p class=\"clue\">");
	if (!json_is(parts->dossier->c, "source", "automatic"))
		hand_words(parts);
	else if (json_is(parts->dossier->c, "status", "withdrawn"))
		sheet_say(&parts->sheet, SAY("Registered by the system, and ended without being "
					     "verified. It was a clue, not a finding."));
	else
		sheet_say(&parts->sheet, SAY("Registered by the system and not verified. A clue, "
					     "not a finding."));
	sheet_markup(&parts->sheet, "</p>\n");
}

/* Status, severity, level; what an unverified or a reopened case is called. */
static void head_status(struct parts *parts)
{
	const json_t *c = parts->dossier->c;
	struct sheet *sheet = &parts->sheet;
	bool reopened = json_integer_value(json_object_get(c, "reopened")) > 0 &&
			strcmp(json_words(c, "status"), "rectifying") == 0;
	sheet_markup(sheet, "<p class=\"status\"><b>");
	sheet_say(sheet,
		  reopened ? SAY("rectifying again after reopening") : json_words(c, "status"));
	sheet_markup(sheet, "</b> <b>");
	sheet_say(sheet, json_words(c, "severity"));
	sheet_markup(sheet, "</b> <b>");
	sheet_say(sheet, json_words(c, "level"));
	sheet_markup(sheet, "</b> ");
	sheet_say(sheet, json_is_true(json_object_get(c, "verified")) ? SAY("verified and accepted")
			 : json_is(c, "status", "withdrawn")          ? SAY("not verified")
								      : SAY("not verified yet"));
	sheet_markup(sheet, "</p>\n");
}

static void page_head(struct parts *parts)
{
	struct sheet *sheet = &parts->sheet;
	const char *title = json_words(parts->dossier->c, "title");
	sheet_markup(sheet, "<header><p class=\"office\">");
	sheet_text(sheet, parts->dossier->plan->office);
	sheet_markup(sheet, "</p><h1>");
	sheet_say(sheet, SAY("Supervision case"));
	text_char(sheet->out, ' ');
	sheet_text(sheet, json_words(parts->dossier->c, "number"));
	sheet_markup(sheet, "</h1>\n");
	if (title != NULL && !parts->dossier->open) {
		sheet_markup(sheet, "<p>");
		sheet_text(sheet, title);
		sheet_markup(sheet, "</p>\n");
	}
	head_status(parts);
	clue_line(parts);
	sheet_markup(sheet, "</header>\n");
}

static void page_foot(struct parts *parts)
{
	struct sheet *sheet = &parts->sheet;
	char now[SHEET_TIME_BYTES];
	sheet_markup(sheet, "<footer><p>");
	if (json_is(parts->dossier->c, "source", "automatic"))
		sheet_say(sheet,
			  SAY("This document was generated by the system from automatic monitoring "
			      "data and is a clue to a problem; without an inspection on site and "
			      "a legal and technical review it may not by itself be the basis of "
			      "an administrative penalty."));
	else
		sheet_say(sheet,
			  SAY("This case was registered by hand and is for supervision; without "
			      "a legal and technical review it may not by itself be the basis of "
			      "an administrative penalty."));
	sheet_markup(sheet, "</p><p>");
	sheet_phrase(sheet, SAY("Node {node}, {time}."), "node", parts->dossier->plan->node, "time",
		     sheet_moment(sheet, parts->dossier->now_ms, now), NULL);
	if (parts->dossier->open) {
		text_char(sheet->out, ' ');
		sheet_say(sheet,
			  SAY("Public version: persons, notes and file names are left out."));
	}
	sheet_markup(sheet, "</p></footer>\n</body></html>\n");
}

static void parts_init(struct parts *parts, struct text *out, const struct dossier *dossier)
{
	const struct plan *plan = dossier->plan;
	const char *site = json_words(dossier->c, "site"),
		   *factor = json_words(dossier->c, "factor");
	uint32_t at = site == NULL ? NO_INDEX : plan_site(plan, site);
	uint32_t monitor =
		at == NO_INDEX || factor == NULL ? NO_INDEX : plan_monitor(plan, site, factor);
	*parts = (struct parts){
		.sheet = {.out = out, .words = dossier->words, .zone = &plan->zone},
		.dossier = dossier,
		.site = at == NO_INDEX ? NULL : &plan->sites[at],
		.monitor = monitor == NO_INDEX ? NULL : &plan->monitors[monitor],
		.secrecy = dossier->open ? dossier_secrecy(plan, dossier->c) : SECRECY_NONE,
	};
}

void dossier_write(struct text *out, const struct dossier *dossier)
{
	static void (*const sections[])(struct parts *) = {
		part_facts,       part_advice,   part_values,   part_factors, part_chart,
		part_load,        part_marks,    part_episodes, part_place,   part_instrument,
		part_responsible, part_demands,  part_steps,    part_links,   part_history,
		part_attachments, part_evidence, part_frames,
	};
	static void (*const course[])(struct parts *) = {part_untold, part_advice};
	struct parts parts;
	parts_init(&parts, out, dossier);
	bool untold = parts.secrecy == SECRECY_ALL;
	size_t n = untold ? sizeof course / sizeof course[0] : sizeof sections / sizeof sections[0];
	page_begin(&parts);
	page_head(&parts);
	sheet_markup(&parts.sheet, "<main>\n");
	for (size_t i = 0; i < n; i++)
		(untold ? course : sections)[i](&parts);
	sheet_markup(&parts.sheet, "</main>\n");
	page_foot(&parts);
}
