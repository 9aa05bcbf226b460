/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rain beside an exceedance, in sentences.
 */
#include "deliver/dossier-parts.h"

#include <stdio.h>

static void say_sum(struct parts *parts, const struct dossier_rain_sum *sum, const char *known,
		    const char *unknown)
{
	const struct monitor *gauge = &parts->dossier->plan->monitors[parts->dossier->rain.gauge];
	char from[SHEET_TIME_BYTES], to[SHEET_TIME_BYTES], n[24], valid[24];
	struct text fell = {0};
	text_fixed(&fell, sum->sum, gauge->decimals);
	snprintf(n, sizeof n, "%zu", sum->n);
	snprintf(valid, sizeof valid, "%zu", sum->valid);
	sheet_phrase(&parts->sheet, sum->valid > 0 ? known : unknown, "from",
		     sheet_moment(&parts->sheet, sum->span.from_ms, from), "to",
		     sheet_moment(&parts->sheet, sum->span.to_ms, to), "fell", fell.at, "unit",
		     gauge->unit, "valid", valid, "n", n, NULL);
	sheet_markup(&parts->sheet, " ");
	text_deinit(&fell);
}

static void say_gauge(struct parts *parts)
{
	const struct plan *plan = parts->dossier->plan;
	if (parts->secrecy != SECRECY_NONE)
		return;
	sheet_phrase(&parts->sheet, SAY("Rain gauge: {place}."), "place",
		     plan->sites[plan->monitors[parts->dossier->rain.gauge].site].name, NULL);
	sheet_markup(&parts->sheet, " ");
}

void part_rain(struct parts *parts)
{
	const struct dossier_rain *rain = &parts->dossier->rain;
	if (!rain->known)
		return;
	sheet_markup(&parts->sheet, "<p class=\"rain\">");
	if (rain->unread) {
		sheet_say(&parts->sheet, SAY("What rain fell is not known: the readings of the "
					     "gauge could not be read."));
		sheet_markup(&parts->sheet, " ");
	} else {
		say_sum(parts, &rain->before,
			SAY("Rain in the 24 hours before {to}: {fell} {unit} "
			    "(valid readings: {valid} of {n})."),
			SAY("Rain in the 24 hours before {to}: not known "
			    "(valid readings: {valid} of {n})."));
		say_sum(parts, &rain->during,
			SAY("Rain from {from} to {to}: {fell} {unit} "
			    "(valid readings: {valid} of {n})."),
			SAY("Rain from {from} to {to}: not known "
			    "(valid readings: {valid} of {n})."));
	}
	say_gauge(parts);
	sheet_say(&parts->sheet, SAY("Rain is noted for those who look for the cause; it excuses "
				     "nothing."));
	sheet_markup(&parts->sheet, "</p>\n");
}
