/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "drivers/modbus/cycle.h"

#include <inttypes.h>
#include <string.h>

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

/* On a slow line even a reply that comes at once may take longer than it is waited for. */
static void warn_timeout(const struct modbus_connection *c, const struct modbus_cycle *cycle,
			 const char *file, FILE *out)
{
	if (cycle->longest_ms < c->timeout_ms)
		return;
	fprintf(out,
		"%s: warning: connection \"%s\" has timeout_ms = %" PRId64
		", and the bytes of its longest request and reply take %" PRId64
		" ms on the line; raise timeout_ms or lower max_registers\n",
		file, c->id, c->timeout_ms, cycle->longest_ms);
}

static int check_connections(const struct modbus_connection *connections, size_t n,
			     const char *file, FILE *out)
{
	for (size_t i = 0; i < n; i++) {
		struct modbus_cycle cycle;
		int r = modbus_cycle(&connections[i], &cycle);
		if (r < 0)
			return r;
		warn_cycle(&connections[i], &cycle, file, out);
		warn_timeout(&connections[i], &cycle, file, out);
	}
	return 0;
}

int check_cycles(const struct assembly *assembly, const char *file, FILE *out)
{
	int r = check_connections(assembly->modbus, assembly->n_modbus, file, out);
	return r < 0 ? r : check_connections(assembly->buses, assembly->n_buses, file, out);
}

size_t check_appointments(const struct plan *plan, const char *file, int64_t now_ms, FILE *out)
{
	struct civil now = zone_civil(&plan->zone, now_ms);
	char today[16];
	size_t n = 0;
	snprintf(today, sizeof today, "%04d-%02d-%02d", (int)now.year % 10000, now.month % 100,
		 now.day % 100);
	for (size_t i = 0; i < plan->n_sites; i++) {
		const struct parties *p = &plan->sites[i].parties;
		if (p->valid_until == NULL || strcmp(p->valid_until, today) >= 0)
			continue;
		fprintf(out,
			"%s: warning: site \"%s\": the contact's appointment ended on %s; name one "
			"anew\n",
			file, plan->sites[i].id, p->valid_until);
		n++;
	}
	return n;
}
