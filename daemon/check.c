/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "drivers/modbus/cycle.h"

#include <inttypes.h>

static void warn_cycle(const struct modbus_connection *c, const struct modbus_cycle *cycle,
		       const char *file, FILE *out)
{
	if (cycle->least_ms > c->interval_ms)
		fprintf(out,
			"%s: warning: connection \"%s\" cannot hold interval_ms = %" PRId64
			": its %zu requests take %" PRId64 " ms at least\n",
			file, c->id, c->interval_ms, cycle->n_requests, cycle->least_ms);
	else if (cycle->n_requests > 1 && cycle->worst_ms > c->interval_ms)
		fprintf(out,
			"%s: warning: connection \"%s\" cannot hold interval_ms = %" PRId64
			" when nothing answers: its %zu requests to %zu units take %" PRId64
			" ms then; raise interval_ms or lower timeout_ms = %" PRId64 "\n",
			file, c->id, c->interval_ms, cycle->n_requests, cycle->n_units,
			cycle->worst_ms, c->timeout_ms);
}

int check_cycles(const struct assembly *assembly, const char *file, FILE *out)
{
	for (size_t i = 0; i < assembly->n_modbus; i++) {
		struct modbus_cycle cycle;
		int r = modbus_cycle(&assembly->modbus[i], &cycle);
		if (r < 0)
			return r;
		warn_cycle(&assembly->modbus[i], &cycle, file, out);
	}
	return 0;
}
