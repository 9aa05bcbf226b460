/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ledger-instruments.h"

#include "store/ledger-internal.h"

int ledger_instruments(struct ledger *ledger, int64_t now_ms)
{
	int r = ledger_begin(ledger);
	for (uint32_t i = 0; r == 0 && i < ledger->plan->n_monitors; i++) {
		const struct monitor *m = &ledger->plan->monitors[i];
		r = sql_do(ledger->sql[SQL_INSTRUMENT_ADD], "ittoodd", now_ms,
			   ledger->plan->sites[m->site].id, m->factor, (int)m->has_range,
			   m->range_low, (int)m->has_range, m->range_high, m->scale, m->offset);
	}
	return ledger_end(ledger, r);
}

int ledger_instrument(struct ledger *ledger, const char *site, const char *factor,
		      bool (*fn)(void *context, const struct instrument_view *view), void *context)
{
	bool row, on = true;
	pthread_mutex_lock(&ledger->lock);
	sqlite3_stmt *list = ledger->sql[SQL_INSTRUMENT_LIST];
	sql_bind(list, "tt", site, factor);
	int r = sql_step(list, &row);
	for (; r == 0 && row && on; r = sql_step(list, &row)) {
		struct instrument_view view = {.since_ms = sqlite3_column_int64(list, 0)};
		view.has_range = sql_double(list, 1, &view.low) && sql_double(list, 2, &view.high);
		sql_double(list, 3, &view.scale);
		sql_double(list, 4, &view.offset);
		on = fn(context, &view);
	}
	sql_reset(list);
	pthread_mutex_unlock(&ledger->lock);
	return r;
}
