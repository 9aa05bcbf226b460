/* SPDX-License-Identifier: Apache-2.0 */
#include "district.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const struct zone_change changes[] = {{.from_s = INT64_MIN / 2, .offset_s = 8 * 3600}};
static const struct limit limits[] = {{.has_max = true,
				       .max = 50,
				       .opens_case = true,
				       .source = "configuration",
				       .key = "instant:max=50"}};
static const struct connection connections[] = {{.id = "wwtp-3", .driver = "modbus"},
						{.id = "broker", .driver = "mqtt"}};
static const struct monitor monitors[] = {
	{.site = 0,
	 .connection = 0,
	 .factor = "w01018",
	 .factor_name = "化学需氧量",
	 .unit = "mg/L",
	 .decimals = 1,
	 .limits = limits,
	 .n_limits = 1},
	{.site = 0,
	 .connection = 1,
	 .factor = "w21003",
	 .factor_name = "氨氮",
	 .unit = "mg/L",
	 .decimals = 2,
	 .limits = limits,
	 .n_limits = 1},
	{.site = 1,
	 .connection = 1,
	 .factor = "w01001",
	 .factor_name = "pH值",
	 .unit = "",
	 .decimals = 2,
	 .no_multiple = true},
};
static const struct site sites[] = {
	{.id = "outfall-3",
	 .name = "三号排口",
	 .kind = SITE_OUTFALL,
	 .responsible = {.unit = "某某污水处理厂"},
	 .opens = 1u << ALERT_EXCEEDANCE,
	 .first_monitor = 0,
	 .n_monitors = 2},
	{.id = "river-1",
	 .name = "一号断面",
	 .kind = SITE_RIVER_SECTION,
	 .first_monitor = 2,
	 .n_monitors = 1},
};
static const struct plan plan = {
	.node = "test-edge-01",
	.office = "测试办公室",
	.case_prefix = "测督挂",
	.case_number = "{prefix}〔{year}〕{seq}号",
	.language = "en",
	.zone = {.changes = changes, .n_changes = 1},
	.sites = sites,
	.n_sites = 2,
	.monitors = monitors,
	.n_monitors = 3,
	.connections = connections,
	.n_connections = 2,
};

int64_t district_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool health(void *context, struct text *reasons)
{
	struct district *district = context;
	if (!atomic_load(&district->ill))
		return true;
	text_add(reasons, "the judge stands still\nthe disk is full\n");
	return false;
}

void district_serve(struct district *district)
{
	char *error;
	const struct serve_setup setup = {
		.socket = district->socket,
		.listen = "127.0.0.1:0",
		.directory = district->directory,
		.version = "1.2.3",
		.plan = &plan,
		.daybook = district->daybook,
		.ledger = district->ledger,
		.metrics = district->metrics,
		.health = health,
		.context = district,
		.ping_ms = 200,
	};
	int result = serve_new(&district->serve, &setup, &error);
	if (result != 0)
		fail_msg("serve_new: %d %s", result, error == NULL ? "" : error);
}

void district_open(struct district *district)
{
	*district = (struct district){.plan = &plan};
	snprintf(district->directory, sizeof district->directory, "/tmp/ducha-test-XXXXXX");
	assert_non_null(mkdtemp(district->directory));
	snprintf(district->socket, sizeof district->socket, "%s/duchad.sock", district->directory);
	assert_int_equal(ledger_open(&district->ledger, district->directory, &plan), 0);
	assert_int_equal(daybook_open(&district->daybook, district->directory, &plan), 0);
	assert_int_equal(metrics_new(&district->metrics), 0);
	district_serve(district);
}

void district_close(struct district *district)
{
	char command[128];
	district->serve = serve_free(district->serve);
	metrics_free(district->metrics);
	daybook_close(district->daybook);
	ledger_close(district->ledger);
	snprintf(command, sizeof command, "rm -r '%s'", district->directory);
	assert_int_equal(system(command), 0);
}

void district_read(struct district *district, uint32_t monitor, double value, enum flag flag,
		   int64_t time_ms)
{
	struct reading reading = {
		.seq = ++district->seq,
		.measured_ms = time_ms,
		.received_ms = district_now_ms(),
		.value = value,
		.monitor = monitor,
		.flag = (uint8_t)flag,
		.has_value = flag != FLAG_COMMUNICATION,
	};
	assert_int_equal(daybook_append(district->daybook, &reading, 1), 0);
	assert_int_equal(daybook_commit(district->daybook), 0);
}

static struct verdict verdict_of(uint32_t monitor, double value, int64_t time_ms)
{
	return (struct verdict){
		.type = VERDICT_RAISED,
		.kind = ALERT_EXCEEDANCE,
		.monitor = monitor,
		.connection = NO_INDEX,
		.limit = monitors[monitor].n_limits > 0 ? 0 : NO_INDEX,
		.bound = BOUND_MAX,
		.time_ms = time_ms,
		.began_ms = time_ms,
		.raised_ms = time_ms,
		.has_value = true,
		.has_limit = true,
		.value = value,
		.limit_value = 50,
		.peak_value = value,
		.peak_ms = time_ms,
		.last_value = value,
	};
}

int64_t district_raise(struct district *district, uint32_t monitor, double value, int64_t time_ms)
{
	struct verdict verdict = verdict_of(monitor, value, time_ms);
	int64_t opened = 0;
	assert_int_equal(ledger_apply(district->ledger, &verdict, 1, district_now_ms(), &opened),
			 0);
	return opened;
}

void district_clear(struct district *district, uint32_t monitor, int64_t raised_ms, int64_t time_ms)
{
	struct verdict verdict = verdict_of(monitor, 61.3, raised_ms);
	verdict.type = VERDICT_CLEARED;
	verdict.time_ms = time_ms;
	assert_int_equal(ledger_apply(district->ledger, &verdict, 1, district_now_ms(), NULL), 0);
}
