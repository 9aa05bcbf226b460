/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Sparks: what every monitor did in the last day, in few columns, for the small curves of the
 * office page.
 *
 * A day of a district is millions of rows, and a page may ask for a hundred monitors. So one thread
 * follows the daybook by its sequence, as the exporter does, and keeps the lowest and highest valid
 * value of each column in memory. It works only while somebody looks at the page: a daemon that
 * nobody watches reads nothing twice.
 */
#include "base/pulse.h"
#include "store/daybook.h"

#include <pthread.h>

enum { SPARK_COLUMNS = 24 };

struct spark_column {
	int64_t number; /* which one since 1970; another: empty */
	float low, high;
};

struct spark {
	struct spark_column at[SPARK_COLUMNS]; /* by number modulo SPARK_COLUMNS */
};

struct sparks {
	struct pulse pulse;
	pthread_mutex_t mutex; /* guards all below but what the thread alone uses */
	pthread_cond_t changed;
	pthread_t thread;
	bool runs, stopping;
	int64_t wanted_mono_ms; /* when a page was last asked for; INT64_MIN: never */
	int64_t reached;        /* sequence up to which all is in */
	struct spark *at;       /* one a monitor */
	/* the same for its life */
	const struct plan *plan;
	struct daybook *daybook;
	const char *directory;
};

/** sparks_start() - Return: 0, negative errno. Nothing is read yet. */
int sparks_start(struct sparks *sparks, const struct plan *plan, struct daybook *daybook,
		 const char *directory);
void sparks_stop(struct sparks *sparks);

/** sparks_want() - somebody looks: wait until all committed readings are in, at most @wait_ms
 * Return: whether they are */
bool sparks_want(struct sparks *sparks, int64_t wait_ms);
/** sparks_copy() - those of a monitor; sparks_number() - the newest column at a time */
void sparks_copy(struct sparks *sparks, uint32_t monitor, struct spark *out);
int64_t sparks_number(int64_t wall_ms);
