/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <pthread.h>
#include <time.h>

/* By the machine's clock and zone: the node's zone is not known before the file is read. */
static const char *today_text(char text[static 16])
{
	time_t now = time(NULL);
	struct tm civil;
	localtime_r(&now, &civil);
	strftime(text, 16, "%Y-%m-%d", &civil);
	return text;
}

struct loading {
	const char *file;
	const struct config_dates *dates;
	struct config **config;
	struct config_faults *faults;
	int result;
};

static void *load_main(void *context)
{
	struct loading *loading = context;
	loading->result =
		config_load(loading->file, loading->dates, loading->config, loading->faults);
	return NULL;
}

int load(const char *file, enum load_use use, struct config **out, struct config_faults *faults)
{
	char today[16];
	const struct config_dates dates = {today_text(today), use == LOAD_CHECK};
	struct loading loading = {.file = file,
				  .dates = use == LOAD_BACKTEST ? NULL : &dates,
				  .config = out,
				  .faults = faults};
	pthread_t thread;
	if (pthread_create(&thread, NULL, load_main, &loading) == 0)
		pthread_join(thread, NULL);
	else
		load_main(&loading);
	return loading.result;
}
