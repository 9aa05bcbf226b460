/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * District: a small plan with a real ledger, daybook and server in a folder of its own, for tests.
 */
#include "serve/serve.h"

#include <stdatomic.h>

enum { MONITOR_COD, MONITOR_AMMONIA, MONITOR_PH };

struct district {
	char directory[64], socket[96];
	const struct plan *plan;
	struct daybook *daybook;
	struct ledger *ledger;
	struct metrics *metrics;
	struct serve *serve;
	atomic_bool ill; /* what /health says */
	uint64_t seq;
};

/** district_open() - asserts that all of it works; the listener is on a free port */
void district_open(struct district *district);
void district_close(struct district *district);
/** district_serve() - the server alone, after serve_free() */
void district_serve(struct district *district);

/** district_read() - one committed reading */
void district_read(struct district *district, uint32_t monitor, double value, enum flag flag,
		   int64_t time_ms);
/** district_raise(), district_clear() - a committed exceedance; Return: the case it opened or 0 */
int64_t district_raise(struct district *district, uint32_t monitor, double value, int64_t time_ms);
void district_clear(struct district *district, uint32_t monitor, int64_t raised_ms,
		    int64_t time_ms);
int64_t district_now_ms(void);
