/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the daybook's tests share: readings of the test plan, and rows read back.
 */
#include "store-plan.h"

#include "store/daybook.h"

/* 2026-01-02 03:04:05 +08:00 */
#define NOW INT64_C(1767294245000)
#define DAY_MS INT64_C(86400000)
#define HOUR_MS INT64_C(3600000)

static inline struct daybook *open_daybook(void **state)
{
	struct daybook *daybook;
	assert_int_equal(daybook_open(&daybook, *state, &test_plan), 0);
	return daybook;
}

static inline struct daybook_reader *open_reader(void **state)
{
	struct daybook_reader *reader;
	assert_int_equal(daybook_reader_open(&reader, *state, &test_plan), 0);
	return reader;
}

static inline struct reading reading(uint32_t monitor, uint64_t seq, int64_t measured,
				     int64_t received, double value)
{
	return (struct reading){.monitor = monitor,
				.seq = seq,
				.measured_ms = measured,
				.received_ms = received,
				.has_value = true,
				.value = value,
				.raw = 0xfedcba9876543210u,
				.flag = FLAG_NORMAL};
}

static inline void store(struct daybook *daybook, struct reading r)
{
	assert_int_equal(daybook_append(daybook, &r, 1), 0);
	assert_int_equal(daybook_commit(daybook), 0);
}

struct rows {
	size_t n;
	struct {
		int64_t sequence, boot;
		char site[16], factor[16];
		struct reading reading;
	} at[4000];
};

static inline bool add_row(void *context, const struct daybook_row *row)
{
	struct rows *rows = context;
	assert_true(rows->n < sizeof rows->at / sizeof rows->at[0]);
	rows->at[rows->n].sequence = row->sequence;
	rows->at[rows->n].boot = row->boot;
	rows->at[rows->n].reading = row->reading;
	snprintf(rows->at[rows->n].site, 16, "%s", row->site);
	snprintf(rows->at[rows->n].factor, 16, "%s", row->factor);
	assert_int_equal(row->monitor, row->reading.monitor);
	rows->n++;
	return true;
}

static inline struct rows *all_after(struct daybook_reader *reader, int64_t after, size_t limit)
{
	struct rows *rows = calloc(1, sizeof *rows);
	assert_int_equal(daybook_after(reader, after, limit, add_row, rows), 0);
	for (size_t i = 1; i < rows->n; i++)
		assert_true(rows->at[i].sequence > rows->at[i - 1].sequence);
	return rows;
}

static inline size_t count_after(void **state, int64_t after)
{
	struct daybook_reader *reader = open_reader(state);
	struct rows *rows = all_after(reader, after, SIZE_MAX);
	size_t n = rows->n;
	free(rows);
	daybook_reader_close(reader);
	return n;
}

static inline bool has_file(void **state, const char *name)
{
	char path[256];
	snprintf(path, sizeof path, "%s/daybook/%s", (const char *)*state, name);
	return access(path, F_OK) == 0;
}
