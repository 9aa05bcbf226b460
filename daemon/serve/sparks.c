/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/sparks.h"

#include "base/log.h"
#include "base/pulse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	BATCH_ROWS = 20000,
	LOOKED_AT_MS = 300000,
	PAUSE_MS = 2000,
	IDLE_MS = 5000,
	DAY_MS = 86400000
};

static int64_t clock_ms(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t sparks_number(int64_t wall_ms)
{
	return wall_ms / (DAY_MS / SPARK_COLUMNS);
}

/* --- rows --- */

struct batch {
	struct sparks *sparks;
	int64_t last;
	size_t n;
};

static void spark_add(struct spark *spark, int64_t number, float value)
{
	struct spark_column *column = &spark->at[(uint64_t)number % SPARK_COLUMNS];
	if (column->number > number)
		return;
	if (column->number < number)
		*column = (struct spark_column){number, value, value};
	column->low = value < column->low ? value : column->low;
	column->high = value > column->high ? value : column->high;
}

static bool take_row(void *context, const struct daybook_row *row)
{
	struct batch *batch = context;
	const struct reading *reading = &row->reading;
	batch->last = row->sequence;
	batch->n++;
	if (row->monitor != NO_INDEX && reading->flag == FLAG_NORMAL && reading->has_value &&
	    reading->measured_ms > 0)
		spark_add(&batch->sparks->at[row->monitor], sparks_number(reading->measured_ms),
			  (float)reading->value);
	return true;
}

/* --- where a day ago lies --- */

static bool first_row(void *context, const struct daybook_row *row)
{
	*(int64_t *)context = row->reading.received_ms;
	return false;
}

/* The sequence behind which rows were received after @since_ms: readings arrive in order. */
static int day_begin(struct daybook_reader *reader, int64_t newest, int64_t since_ms, int64_t *out)
{
	int64_t low = 0, high = newest;
	while (low < high) {
		int64_t middle = low + (high - low) / 2, received_ms = INT64_MAX;
		int r = daybook_after(reader, middle, 1, first_row, &received_ms);
		if (r != 0)
			return r;
		if (received_ms < since_ms)
			low = middle + 1;
		else
			high = middle;
	}
	*out = low;
	return 0;
}

/* --- the thread --- */

/* With the mutex. */
static void pause_ms(struct sparks *sparks, int64_t ms)
{
	int64_t until = clock_ms(CLOCK_MONOTONIC) + ms;
	const struct timespec end = {until / 1000, until % 1000 * 1000000};
	pthread_cond_timedwait(&sparks->changed, &sparks->mutex, &end);
}

/* With the mutex. Return: false when it is to end. */
static bool wait_for_eyes(struct sparks *sparks)
{
	while (!sparks->stopping) {
		int64_t since = sparks->wanted_mono_ms;
		if (since != INT64_MIN && clock_ms(CLOCK_MONOTONIC) - since < LOOKED_AT_MS)
			return true;
		pulse_beat(&sparks->pulse);
		pause_ms(sparks, IDLE_MS);
	}
	return false;
}

/* Takes in what is new, batch by batch. */
static int catch_up(struct sparks *sparks, struct daybook_reader *reader, int64_t *cursor)
{
	const int64_t since_ms = clock_ms(CLOCK_REALTIME) - DAY_MS;
	int64_t newest = daybook_sequence(sparks->daybook), begin = *cursor;
	int r = newest > *cursor ? day_begin(reader, newest, since_ms, &begin) : 0;
	*cursor = begin > *cursor ? begin : *cursor;
	for (bool more = r == 0; more;) {
		struct batch batch = {.sparks = sparks, .last = *cursor};
		pulse_beat(&sparks->pulse);
		pthread_mutex_lock(&sparks->mutex);
		r = sparks->stopping ? -ECANCELED
				     : daybook_after(reader, *cursor, BATCH_ROWS, take_row, &batch);
		*cursor = batch.last;
		more = r == 0 && batch.n == BATCH_ROWS;
		if (r == 0)
			sparks->reached = more || *cursor > newest ? *cursor : newest;
		pthread_cond_broadcast(&sparks->changed);
		pthread_mutex_unlock(&sparks->mutex);
	}
	return r;
}

static void *follow(void *context)
{
	struct sparks *sparks = context;
	struct daybook_reader *reader = NULL;
	int64_t cursor = 0;
	int before = 0;
	pulse_begin(&sparks->pulse, PULSE_SLOW, "curves", NULL);
	pthread_mutex_lock(&sparks->mutex);
	while (wait_for_eyes(sparks)) {
		pthread_mutex_unlock(&sparks->mutex);
		int r = reader != NULL
				? 0
				: daybook_reader_open(&reader, sparks->directory, sparks->plan);
		if (r == 0)
			r = catch_up(sparks, reader, &cursor);
		if (r < 0 && r != -ECANCELED) {
			if (before == 0)
				log_warnx("http: the last day cannot be read: %s",
					  log_error_text(-r));
			reader = daybook_reader_close(reader);
		}
		before = r;
		pthread_mutex_lock(&sparks->mutex);
		if (!sparks->stopping &&
		    (r != 0 || sparks->reached >= daybook_sequence(sparks->daybook)))
			pause_ms(sparks, PAUSE_MS);
	}
	pthread_mutex_unlock(&sparks->mutex);
	daybook_reader_close(reader);
	pulse_end(&sparks->pulse);
	return NULL;
}

/* --- birth and death --- */

int sparks_start(struct sparks *sparks, const struct plan *plan, struct daybook *daybook,
		 const char *directory)
{
	pthread_condattr_t monotonic;
	*sparks = (struct sparks){.plan = plan,
				  .daybook = daybook,
				  .directory = directory,
				  .wanted_mono_ms = INT64_MIN};
	pthread_mutex_init(&sparks->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&sparks->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	sparks->at = calloc(plan->n_monitors + 1, sizeof *sparks->at);
	if (sparks->at == NULL)
		return -ENOMEM;
	int error = pthread_create(&sparks->thread, NULL, follow, sparks);
	sparks->runs = error == 0;
	return -error;
}

void sparks_stop(struct sparks *sparks)
{
	pthread_mutex_lock(&sparks->mutex);
	sparks->stopping = true;
	pthread_cond_broadcast(&sparks->changed);
	pthread_mutex_unlock(&sparks->mutex);
	if (sparks->runs)
		pthread_join(sparks->thread, NULL);
	free(sparks->at);
	pthread_cond_destroy(&sparks->changed);
	pthread_mutex_destroy(&sparks->mutex);
}

/* --- asking --- */

bool sparks_want(struct sparks *sparks, int64_t wait_ms)
{
	int64_t target = daybook_sequence(sparks->daybook), begun = clock_ms(CLOCK_MONOTONIC), left;
	pthread_mutex_lock(&sparks->mutex);
	sparks->wanted_mono_ms = begun;
	pthread_cond_broadcast(&sparks->changed);
	while (sparks->runs && !sparks->stopping && sparks->reached < target &&
	       (left = begun + wait_ms - clock_ms(CLOCK_MONOTONIC)) > 0)
		pause_ms(sparks, left);
	bool in = sparks->reached >= target;
	pthread_mutex_unlock(&sparks->mutex);
	return in;
}

void sparks_copy(struct sparks *sparks, uint32_t monitor, struct spark *out)
{
	pthread_mutex_lock(&sparks->mutex);
	*out = sparks->at[monitor];
	pthread_mutex_unlock(&sparks->mutex);
}
