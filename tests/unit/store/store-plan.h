/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A small plan for the store's tests (two sites, four monitors, two connections, UTC+8) and a
 * directory of their own for the files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "testing.h"
#include "core/plan.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SITE_OUTFALL_3 0
#define SITE_RIVER_1 1
enum { COD, AMMONIA, ACIDITY, OXYGEN, MONITORS };

static const struct limit cod_limits[] = {
	{.has_max = true,
	 .max = 50,
	 .opens_case = true,
	 .source = "permit 7",
	 .key = "instant:max=50"},
	{.has_max = true,
	 .max = 40,
	 .opens_case = true,
	 .source = "GB 1A",
	 .key = "instant:max=40"},
	{.has_max = true,
	 .max = 50,
	 .average = AVERAGE_HOUR,
	 .opens_case = true,
	 .source = "permit 7",
	 .key = "hour:max=50"},
};
static const struct limit acidity_limits[] = {
	{.has_max = true,
	 .has_min = true,
	 .max = 9,
	 .min = 6,
	 .opens_case = true,
	 .source = "permit 7",
	 .key = "instant:min=6:max=9"},
};
static const struct monitor plan_monitors[MONITORS] = {
	[COD] = {.site = 0,
		 .factor = "w01018",
		 .factor_name = "化学需氧量",
		 .unit = "mg/L",
		 .decimals = 1,
		 .limits = cod_limits,
		 .n_limits = 3},
	[AMMONIA] = {.site = 0,
		     .factor = "w21003",
		     .factor_name = "氨氮",
		     .unit = "mg/L",
		     .decimals = 2},
	[ACIDITY] = {.site = 0,
		     .factor = "w01001",
		     .factor_name = "pH",
		     .unit = "",
		     .decimals = 2,
		     .no_multiple = true,
		     .limits = acidity_limits,
		     .n_limits = 1},
	[OXYGEN] = {.site = 1,
		    .connection = 1,
		    .factor = "w01009",
		    .factor_name = "溶解氧",
		    .unit = "mg/L",
		    .decimals = 2},
};
static const struct site plan_sites[] = {
	{.id = "outfall-3",
	 .name = "三号排口",
	 .kind = SITE_OUTFALL,
	 .responsible = {.unit = "Unit A", .leader = "Leader B"},
	 .opens = 1u << ALERT_EXCEEDANCE,
	 .first_monitor = 0,
	 .n_monitors = 3},
	{.id = "river-1",
	 .name = "一号断面",
	 .kind = SITE_RIVER_SECTION,
	 .opens = 1u << ALERT_EXCEEDANCE | 1u << ALERT_STALE,
	 .first_monitor = 3,
	 .n_monitors = 1},
};
static const struct connection plan_connections[] = {{"wwtp-3", "modbus"}, {"broker", "mqtt"}};
static const struct zone_change plan_changes[] = {{0, 8 * 3600}};
static const struct plan test_plan = {
	.node = "edge-01",
	.case_prefix = "测督挂",
	.case_number = "{prefix}〔{year}〕{seq}号",
	.language = "en",
	.zone = {plan_changes, 1},
	.sites = plan_sites,
	.n_sites = 2,
	.monitors = plan_monitors,
	.n_monitors = MONITORS,
	.connections = plan_connections,
	.n_connections = 2,
};

/* cmocka set-up and tear-down: *state is the directory's name */
static inline int directory_make(void **state)
{
	char *name = strdup("/tmp/ducha-store-XXXXXX");
	*state = name;
	return name != NULL && mkdtemp(name) != NULL ? 0 : -1;
}

/* The same, where files are kept in memory if there is such a place: for tests of our own faults,
 * which need no disk. */
static inline int directory_make_in_memory(void **state)
{
	char *name = strdup("/dev/shm/ducha-store-XXXXXX");
	*state = name;
	if (name != NULL && mkdtemp(name) != NULL)
		return 0;
	free(name);
	return directory_make(state);
}

static inline int directory_remove(void **state)
{
	nftw(*state, test_unlink, 8, FTW_DEPTH | FTW_PHYS);
	free(*state);
	return 0;
}
