/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/enclosure.h"

#include "deliver/dossier.h"

#include <errno.h>
#include <jansson.h>

/* Without its readings a dossier is still one. */
static void take(const struct courier_host *host, struct dossier *dossier,
		 struct dossier_taken *taken)
{
	struct daybook_reader *reader;
	if (daybook_reader_open(&reader, host->directory, host->plan) != 0)
		return;
	(void)dossier_take(dossier, host->directory, reader, taken);
	dossier->unread = false;
	daybook_reader_close(reader);
}

int enclosure_dossier(const struct courier_host *host, int64_t case_id, struct text *out)
{
	struct text json = {0};
	struct dossier dossier = {.plan = host->plan,
				  .words = host->words,
				  .ledger = host->ledger,
				  .now_ms = pause_wall_ms()};
	struct dossier_taken taken = {0};
	int result = ledger_case_json(host->ledger, case_id, &json);
	json_t *c = result == 0 ? json_loadb(json.at, json.length, 0, NULL) : NULL;
	text_deinit(&json);
	if (c == NULL)
		return result != 0 ? result : -ENOMEM;
	dossier.c = c;
	take(host, &dossier, &taken);
	dossier_write(out, &dossier);
	dossier_taken_deinit(&taken);
	json_decref(c);
	return out->failed ? -ENOMEM : 0;
}
