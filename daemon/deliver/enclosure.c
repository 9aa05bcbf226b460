/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/enclosure.h"

#include "deliver/dossier.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

/* Without its readings a dossier is still one. */
static bool take_chart(const struct courier_host *host, struct dossier *dossier,
		       struct chart *chart, struct dossier_frames *frames,
		       struct dossier_further *further)
{
	struct daybook_reader *reader;
	if (chart == NULL || daybook_reader_open(&reader, host->directory, host->plan) != 0)
		return false;
	int result = dossier_chart(dossier, reader, chart, &dossier->cut);
	if (dossier_further(dossier, reader, further) == 0)
		dossier->further = further;
	if (dossier_frames(dossier, host->directory, reader, frames) == 0)
		dossier->frames = frames;
	dossier_rain(dossier, reader, &dossier->rain);
	daybook_reader_close(reader);
	return result == 1;
}

int enclosure_dossier(const struct courier_host *host, int64_t case_id, struct text *out)
{
	struct text json = {0};
	struct dossier dossier = {.plan = host->plan,
				  .words = host->words,
				  .ledger = host->ledger,
				  .now_ms = pause_wall_ms()};
	int result = ledger_case_json(host->ledger, case_id, &json);
	json_t *c = result == 0 ? json_loadb(json.at, json.length, 0, NULL) : NULL;
	text_deinit(&json);
	if (c == NULL)
		return result != 0 ? result : -ENOMEM;
	struct chart *chart = malloc(sizeof *chart);
	struct dossier_frames frames = {0};
	struct dossier_further further = {0};
	dossier.c = c;
	if (take_chart(host, &dossier, chart, &frames, &further))
		dossier.chart = chart;
	dossier_write(out, &dossier);
	dossier_frames_deinit(&frames);
	dossier_further_deinit(&further);
	free(chart);
	json_decref(c);
	return out->failed ? -ENOMEM : 0;
}
