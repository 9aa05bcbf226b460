/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/dossier-parts.h"

#include "core/reading.h"
#include "store/ledger-marks.h"

#include <string.h>

enum { MARKS_SHOWN = 100 };

/* Return: {"marks":[…]} over a picture, newest first; NULL where there is none. */
static json_t *read_marks(const struct dossier *dossier, const struct chart *chart)
{
	struct text text = {0};
	const struct mark_filter filter = {.site = json_words(dossier->c, "site"),
					   .factor = json_words(dossier->c, "factor"),
					   .from_ms = chart->from_ms,
					   .to_ms = chart->to_ms,
					   .limit = MARKS_SHOWN};
	int r = ledger_marks_json(dossier->ledger, &filter, &text);
	json_t *json = r == 0 ? json_loadb(text.at, text.length, 0, NULL) : NULL;
	text_deinit(&text);
	return json;
}

static void mark_flag(struct parts *parts, const json_t *mark)
{
	const char *flag = json_words(mark, "flag");
	if (flag == NULL || flag[0] == FLAG_NORMAL)
		sheet_say(&parts->sheet, SAY("flag N: lifts what was marked before"));
	else
		sheet_say(&parts->sheet, chart_flag_word(chart_flag((uint8_t)flag[0])));
}

static void mark_row(struct parts *parts, const json_t *mark)
{
	static const char *const times[] = {"given_at", "from", "to"};
	struct sheet *sheet = &parts->sheet;
	sheet_markup(sheet, "<tr>");
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		sheet_markup(sheet, "<td>");
		sheet_time(sheet, json_ms(mark, times[i]));
		sheet_markup(sheet, "</td>");
	}
	sheet_markup(sheet, "<td>");
	mark_flag(parts, mark);
	sheet_markup(sheet, "</td>");
	if (!parts->dossier->open) {
		sheet_markup(sheet, "<td>");
		sheet_text(sheet, json_words(mark, "by"));
		sheet_markup(sheet, "</td><td>");
		sheet_text(sheet, json_words(mark, "reason"));
		sheet_markup(sheet, "</td>");
	}
	sheet_markup(sheet, "</tr>\n");
}

void part_marks(struct parts *parts)
{
	static const char *const heads[] = {SAY("Given"), SAY("From"), SAY("To"),
					    SAY("Flag"),  SAY("By"),   SAY("reason")};
	const struct dossier *dossier = parts->dossier;
	size_t columns = sizeof heads / sizeof heads[0] - (dossier->open ? 2 : 0);
	if (dossier->ledger == NULL || dossier->panels == NULL)
		return;
	json_t *marks = json_array();
	for (size_t i = dossier->panels->n; i-- > 0;) {
		json_t *json = read_marks(dossier, dossier->panels->at[i].chart);
		json_array_extend(marks, json_object_get(json, "marks"));
		json_decref(json);
	}
	if (json_array_size(marks) > 0) {
		part_begin(parts, SAY("Later marks"));
		part_newest(parts, heads, columns, marks, MARKS_SHOWN, mark_row);
		part_end(parts);
	}
	json_decref(marks);
}
