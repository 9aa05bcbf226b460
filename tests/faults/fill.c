/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fill DIRECTORY SITE FACTOR ROWS HOURS: a store as it is after so many hours of one monitor, the
 * newest reading a minute old, in days of UTC+8. Values count from 0, so that one that is missing
 * would be seen. Each hour has a frame.
 */
#include "core/frame.h"
#include "store/daybook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COMMIT_ROWS = 10000 };

static int frame_add(struct daybook *daybook, int64_t time_ms)
{
	uint8_t bytes[FRAME_HEAD_BYTES];
	frame_head(bytes, &(struct frame_record){.kind = FRAME_MQTT, .at_ms = time_ms, .frame = 1});
	return daybook_append_frames(daybook, bytes, sizeof bytes, time_ms);
}

static int fill(struct daybook *daybook, int64_t rows, int64_t hours)
{
	int64_t begin_ms = ((int64_t)time(NULL) - 60) * 1000 - hours * 3600000;
	int64_t committed_hour = 0; /* a day ends with a commit, and has no reading of the next */
	int rc = 0;
	for (int64_t i = 0; rc == 0 && i < rows; i++) {
		int64_t time_ms = begin_ms + hours * 3600000 * i / rows;
		struct reading reading = {.kind = SLOT_VALUE,
					  .measured_ms = time_ms,
					  .received_ms = time_ms,
					  .value = (double)i,
					  .has_value = true,
					  .flag = FLAG_NORMAL};
		int64_t hour = time_ms / 3600000;
		bool begins = hour != committed_hour;
		if (begins || i % COMMIT_ROWS == 0)
			rc = daybook_commit(daybook);
		if (rc == 0)
			rc = daybook_append(daybook, &reading, 1);
		if (rc == 0 && begins)
			rc = frame_add(daybook, time_ms);
		committed_hour = hour;
	}
	return rc != 0 ? rc : daybook_commit(daybook);
}

int main(int argc, char **argv)
{
	struct daybook *daybook;
	if (argc != 6)
		return 64;
	const struct monitor monitor = {.factor = argv[3]};
	const struct site site = {.id = argv[2], .n_monitors = 1};
	const struct zone_change east = {0, 8 * 3600};
	const struct plan plan = {.node = "edge-01",
				  .zone = {&east, 1},
				  .sites = &site,
				  .n_sites = 1,
				  .monitors = &monitor,
				  .n_monitors = 1};
	int rc = daybook_open(&daybook, argv[1], &plan);
	if (rc == 0) {
		rc = fill(daybook, strtoll(argv[4], NULL, 10), strtoll(argv[5], NULL, 10));
		daybook_close(daybook);
	}
	if (rc != 0)
		fprintf(stderr, "fill: %s\n", strerror(rc < 0 ? -rc : rc));
	return rc == 0 ? 0 : 1;
}
