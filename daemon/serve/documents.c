/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/documents.h"

#include "base/log.h"
#include "deliver/dossier.h"
#include "deliver/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The style's hash stands in the page itself: both policies hold. */
const char document_policy[] =
	"default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
	"form-action 'none'; frame-ancestors 'none'";

const struct wording *document_words(const struct serve_setup *setup, const char *language)
{
	if (language == NULL && setup->language != NULL && setup->language[0] != '\0')
		language = setup->language;
	if (language == NULL)
		language = setup->plan->language;
	return language != NULL && strncmp(language, "zh", 2) == 0 ? setup->chinese : NULL;
}

/* Return: true where @chart is filled. */
static bool take_chart(const struct serve_setup *setup, struct readers *readers,
		       struct dossier *dossier, struct chart *chart, struct dossier_frames *frames,
		       struct dossier_further *further)
{
	struct daybook_reader *reader;
	int result = chart == NULL ? -ENOMEM : readers_take(readers, &reader);
	if (result == 0) {
		result = dossier_chart(dossier, reader, chart, &dossier->cut);
		if (result >= 0 && dossier_further(dossier, reader, further) == 0)
			dossier->further = further;
		if (result >= 0 && dossier_frames(dossier, setup->directory, reader, frames) == 0)
			dossier->frames = frames;
		dossier_rain(dossier, reader, &dossier->rain);
		readers_give(readers, reader, result < 0);
	}
	if (result < 0)
		log_warnx("http: the readings of a dossier cannot be read: %s",
			  log_error_text(-result));
	dossier->unread = result < 0;
	return result == 1;
}

int document_dossier(const struct serve_setup *setup, struct readers *readers,
		     const struct document_order *order, struct text *out)
{
	struct text json = {0};
	struct dossier dossier = {.plan = setup->plan,
				  .words = document_words(setup, order->language),
				  .open = order->open,
				  .ledger = setup->ledger,
				  .now_ms = order->now_ms};
	int result = ledger_case_json(setup->ledger, order->id, &json);
	if (result != 0) {
		text_deinit(&json);
		return result;
	}
	json_t *c = json_loadb(json.at, json.length, 0, NULL);
	struct chart *chart = malloc(sizeof *chart);
	text_deinit(&json);
	struct dossier_frames frames = {0};
	struct dossier_further further = {0};
	dossier.c = c;
	if (c == NULL)
		result = -ENOMEM;
	else if (take_chart(setup, readers, &dossier, chart, &frames, &further))
		dossier.chart = chart;
	if (result == 0)
		dossier_write(out, &dossier);
	dossier_frames_deinit(&frames);
	dossier_further_deinit(&further);
	free(chart);
	json_decref(c);
	return result;
}

int document_report(const struct serve_setup *setup, const struct query *query, bool csv,
		    int64_t now_ms, struct text *out)
{
	struct report report = {.plan = setup->plan,
				.words = document_words(setup, query->language),
				.ledger = setup->ledger,
				.span = query->span,
				.now_ms = now_ms};
	int result = tallies_read(&report.tallies, setup->directory, setup->plan);
	if (result == 0 || result == -ENOENT)
		result = csv ? report_csv(out, &report) : report_html(out, &report);
	tallies_close(report.tallies);
	return result;
}
