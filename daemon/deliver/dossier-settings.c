/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/dossier-parts.h"

#include "store/ledger-instruments.h"

enum { SETTINGS_SHOWN = 20 };

struct settings {
	struct instrument_view at[SETTINGS_SHOWN]; /* the newest, in a ring */
	size_t n;
};

static bool take(void *context, const struct instrument_view *view)
{
	struct settings *settings = context;
	settings->at[settings->n++ % SETTINGS_SHOWN] = *view;
	return true;
}

static void number(struct parts *parts, double value)
{
	text_double(parts->sheet.out, value);
}

static void row(struct parts *parts, const struct instrument_view *view)
{
	struct sheet *sheet = &parts->sheet;
	sheet_markup(sheet, "<tr><td>");
	sheet_time(sheet, view->since_ms);
	sheet_markup(sheet, "</td><td>");
	if (view->has_range) {
		number(parts, view->low);
		sheet_markup(sheet, " \xe2\x80\x93 ");
		number(parts, view->high);
		text_char(sheet->out, ' ');
		sheet_text(sheet, parts->monitor->unit);
	} else {
		text_char(sheet->out, '-');
	}
	sheet_markup(sheet, "</td><td>");
	number(parts, view->scale);
	sheet_markup(sheet, "</td><td>");
	number(parts, view->offset);
	sheet_markup(sheet, "</td></tr>\n");
}

void part_settings(struct parts *parts)
{
	static const char *const heads[] = {SAY("Since"), SAY("Measuring range"), SAY("Slope"),
					    SAY("Offset")};
	struct settings settings = {.n = 0};
	if (parts->dossier->ledger == NULL ||
	    ledger_instrument(parts->dossier->ledger, parts->site->id, parts->monitor->factor, take,
			      &settings) != 0 ||
	    settings.n < 2)
		return;
	sheet_markup(&parts->sheet, "<p>");
	sheet_say(&parts->sheet, SAY("The range or the slope was changed:"));
	sheet_markup(&parts->sheet, "</p>");
	sheet_table(&parts->sheet, "list", heads, sizeof heads / sizeof heads[0]);
	size_t from = settings.n > SETTINGS_SHOWN ? settings.n - SETTINGS_SHOWN : 0;
	for (size_t i = from; i < settings.n; i++)
		row(parts, &settings.at[i % SETTINGS_SHOWN]);
	sheet_table_end(&parts->sheet);
}
