/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/documents.h"

#include "base/log.h"
#include "deliver/dossier.h"
#include "deliver/report.h"

#include <errno.h>
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

static void take(const struct serve_setup *setup, struct readers *readers, struct dossier *dossier,
		 struct dossier_taken *taken)
{
	struct daybook_reader *reader;
	int result = readers_take(readers, &reader);
	dossier->unread = result < 0;
	if (result == 0) {
		result = dossier_take(dossier, setup->directory, reader, taken);
		readers_give(readers, reader, result < 0);
	}
	if (result < 0)
		log_warnx("http: the readings of a dossier cannot be read: %s",
			  log_error_text(-result));
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
	struct dossier_taken taken = {0};
	int result = ledger_case_json(setup->ledger, order->id, &json);
	json_t *c = result == 0 ? json_loadb(json.at, json.length, 0, NULL) : NULL;
	text_deinit(&json);
	if (c == NULL)
		return result != 0 ? result : -ENOMEM;
	dossier.c = c;
	take(setup, readers, &dossier, &taken);
	dossier_write(out, &dossier);
	dossier_taken_deinit(&taken);
	json_decref(c);
	return 0;
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
