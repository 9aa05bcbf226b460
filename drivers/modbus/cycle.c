/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/modbus/cycle.h"

#include "drivers/modbus/asked.h"
#include "drivers/modbus/planner.h"
#include "drivers/modbus/port.h"
#include "drivers/modbus/units.h"

#define MS INT64_C(1000000)

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* A request that gets no reply. Over TCP the connection is made anew; on a serial line a reply that
 * may still come is sat out for one timeout more (wire.h). */
static int64_t lost_request_ms(const struct modbus_connection *config)
{
	if (config->framing != MODBUS_MBAP)
		return 2 * config->timeout_ms;
	return config->timeout_ms + larger(config->request_gap_ms, config->connect_pause_ms);
}

/* The bytes of a request and its reply on a serial line. */
static int64_t bytes_ns(const struct modbus_connection *config, const struct modbus_span *span)
{
	struct modbus_request request = {.table = span->table, .count = span->count};
	if (config->serial == NULL)
		return 0;
	size_t bytes = MODBUS_RTU_REQUEST_BYTES + modbus_rtu_reply_bytes(&request);
	return port_bytes_ns(config->serial, (unsigned)bytes);
}

/* What parts it from the next. */
static int64_t gap_ns(const struct modbus_connection *config)
{
	int64_t wanted_ns = config->request_gap_ms * MS;
	return config->serial == NULL ? wanted_ns
				      : larger(wanted_ns, port_silence_ns(config->serial));
}

static int count_requests(const struct modbus_asked *asked, const struct modbus_connection *config,
			  struct modbus_cycle *cycle)
{
	struct modbus_plan plan;
	struct modbus_units units;
	int error = modbus_plan_init(&plan, asked->points, asked->n, config->max_gap,
				     config->max_registers);
	if (error != 0)
		return error;
	error = modbus_units_init(&units, &plan, config->interval_ms);
	if (error == 0) {
		int64_t least_ns = 0, longest_ns = 0;
		for (size_t i = 0; i < plan.n_spans; i++) {
			int64_t span_ns = bytes_ns(config, &plan.spans[i]);
			least_ns += span_ns + gap_ns(config);
			longest_ns = larger(longest_ns, span_ns);
		}
		cycle->least_ms = least_ns / MS;
		cycle->longest_ms = longest_ns / MS;
		cycle->n_requests = plan.n_spans;
		cycle->n_units = units.n;
		modbus_units_deinit(&units);
	}
	modbus_plan_deinit(&plan);
	return error;
}

int modbus_cycle(const struct modbus_connection *config, struct modbus_cycle *cycle)
{
	struct modbus_asked asked;
	*cycle = (struct modbus_cycle){.n_requests = 0};
	int error = modbus_asked_init(&asked, config);
	if (error == 0)
		error = count_requests(&asked, config, cycle);
	modbus_asked_deinit(&asked);
	cycle->worst_ms = (int64_t)cycle->n_requests * lost_request_ms(config);
	return error;
}
