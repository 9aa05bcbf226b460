/* SPDX-License-Identifier: Apache-2.0 */
#include "house.h"

#include "core/text.h"
#include "servers.h"

#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static const struct limit limits[] = {{.has_max = true,
				       .max = 50,
				       .opens_case = true,
				       .source = "configuration",
				       .key = "instant:max=50"}};
static const struct monitor monitors[HOUSE_MONITORS] = {
	{.site = 0,
	 .factor = "w01018",
	 .factor_name = "COD",
	 .unit = "mg/L",
	 .limits = limits,
	 .n_limits = 1},
	{.site = 1, .factor = "w21003", .factor_name = "NH3-N", .unit = "mg/L"},
};
static const struct site sites[] = {
	{.id = "bend-3",
	 .name = "Bend",
	 .kind = SITE_OUTFALL,
	 .opens = 1u << ALERT_EXCEEDANCE,
	 .first_monitor = 0,
	 .n_monitors = 1},
	{.id = "a b,c=d\nreading x=1 2\t\"\\", .name = "?", .first_monitor = 1, .n_monitors = 1},
};
static const struct connection connections[] = {{.id = "line-1", .driver = "modbus"}};

void house_open(struct house *house)
{
	CHECK(ledger_open(&house->ledger, house->directory, &house->plan) == 0);
	CHECK(daybook_open(&house->daybook, house->directory, &house->plan) == 0);
	CHECK(metrics_new(&house->metrics) == 0);
}

void house_close(struct house *house)
{
	house->daybook = daybook_close(house->daybook);
	house->ledger = ledger_close(house->ledger);
	house->metrics = metrics_free(house->metrics);
}

void house_build(struct house *house)
{
	*house = (struct house){.plan = {.node = "edge-01",
					 .office = "Office",
					 .case_prefix = "T",
					 .case_number = "{prefix}-{year}-{seq}",
					 .language = "en",
					 .sites = sites,
					 .n_sites = 2,
					 .monitors = monitors,
					 .n_monitors = HOUSE_MONITORS,
					 .connections = connections,
					 .n_connections = 1}};
	servers_temporary(house->directory, sizeof house->directory);
	house_open(house);
}

void house_tear_down(struct house *house)
{
	house_close(house);
	servers_remove(house->directory);
}

void house_record(struct house *house, uint32_t monitor, size_t n, double first)
{
	for (size_t i = 0; i < n; i++) {
		int64_t time_ms = HOUSE_EPOCH_MS + (int64_t)house->seq++;
		struct reading reading = {.seq = house->seq,
					  .measured_ms = time_ms,
					  .received_ms = time_ms,
					  .value = first + (double)i,
					  .has_value = true,
					  .monitor = monitor,
					  .flag = FLAG_NORMAL};
		CHECK(daybook_append(house->daybook, &reading, 1) == 0);
	}
	CHECK(daybook_commit(house->daybook) == 0);
}

void house_warn(struct house *house, bool raised)
{
	int64_t time_ms = HOUSE_EPOCH_MS + (int64_t)house->seq++;
	struct verdict verdict = {.type = raised ? VERDICT_RAISED : VERDICT_CLEARED,
				  .kind = ALERT_WARNING,
				  .connection = NO_INDEX,
				  .bound = BOUND_MAX,
				  .time_ms = time_ms,
				  .began_ms = time_ms,
				  .raised_ms = time_ms,
				  .has_value = true,
				  .value = 46,
				  .peak_value = 46,
				  .peak_ms = time_ms,
				  .last_value = 46};
	CHECK(ledger_apply(house->ledger, &verdict, 1, time_ms, NULL) == 0);
}

void house_exceed(struct house *house, double value)
{
	int64_t time_ms = HOUSE_EPOCH_MS + (int64_t)house->seq++, opened = 0;
	struct verdict verdict = {.type = VERDICT_RAISED,
				  .kind = ALERT_EXCEEDANCE,
				  .connection = NO_INDEX,
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
				  .last_value = value};
	CHECK(ledger_apply(house->ledger, &verdict, 1, time_ms, &opened) == 0);
	CHECK(opened > 0);
}

double house_metric(struct house *house, const char *series)
{
	struct text text = {0};
	double value = -1;
	char line[160];
	snprintf(line, sizeof line, "\n%s ", series);
	metrics_print(house->metrics, &text);
	const char *at = text.at == NULL ? NULL : strstr(text.at, line);
	if (at != NULL)
		value = strtod(at + strlen(line), NULL);
	text_deinit(&text);
	return value;
}

/* Until @series is @least to @most. */
static bool wait_between(struct house *house, const char *series, double least, double most)
{
	int64_t until = servers_now_ms() + 30000;
	double is;
	while ((is = house_metric(house, series)) < least || is > most) {
		if (servers_now_ms() > until) {
			fprintf(stderr, "%s is %g, not %g to %g\n", series, is, least, most);
			return false;
		}
		poll(NULL, 0, 5);
	}
	return true;
}

bool house_wait(struct house *house, const char *series, double value)
{
	return wait_between(house, series, value, value);
}

bool house_reach(struct house *house, const char *series, double least)
{
	return wait_between(house, series, least, INFINITY);
}

void house_say(int said)
{
	CHECK(write(said, "!", 1) == 1);
}

void house_kill_one(void (*live)(const void *context, int said), const void *context, int pause_ms)
{
	int said[2];
	char mark;
	CHECK(pipe(said) == 0);
	fflush(NULL);
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		live(context, said[1]);
	close(said[1]);
	CHECK(read(said[0], &mark, 1) == 1);
	close(said[0]);
	poll(NULL, 0, pause_ms); /* the moment of the kill: any will do */
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(waitpid(pid, NULL, 0) == pid);
}
