/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the verifier's tests share: a small store that was written by the real daybook, ledger and
 * sealer, and one word on whether it verifies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "testing.h"
#include "core/frame.h"
#include "core/plan.h"
#include "seal/sealer.h"
#include "store/daybook.h"
#include "store/ledger-instruments.h"
#include "store/ledger-marks.h"
#include "store/ledger.h"
#include "verify/verify.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

/* 2026-01-02 03:04:05 +08:00 */
#define NOW INT64_C(1767294245000)
#define DAY_MS INT64_C(86400000)

/* The wall clock that store and sealer see: that of what was told last, going on from there; and
 * whether the kernel calls it synchronised. */
static struct {
	int64_t told_ms, told_mono_ms;
	bool synchronised;
} life_clock = {.told_ms = NOW};

static inline int64_t life_mono_ms(void)
{
	struct timespec t;
	assert_int_equal(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t), 0);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline void life_at(int64_t wall_ms)
{
	life_clock.told_ms = wall_ms;
	life_clock.told_mono_ms = life_mono_ms();
}

static inline int64_t life_wall_ms(void)
{
	if (life_clock.told_mono_ms == 0)
		life_at(life_clock.told_ms);
	return life_clock.told_ms + life_mono_ms() - life_clock.told_mono_ms;
}

/* Instead of the C library's. */
int clock_gettime(clockid_t clock, struct timespec *out)
{
	if (clock != CLOCK_REALTIME)
		return (int)syscall(SYS_clock_gettime, clock, out);
	int64_t now_ms = life_wall_ms();
	*out = (struct timespec){.tv_sec = (time_t)(now_ms / 1000),
				 .tv_nsec = (long)(now_ms % 1000) * 1000000};
	return 0;
}

int adjtimex(struct timex *out)
{
	*out = (struct timex){.maxerror = 5000, .status = life_clock.synchronised ? 0 : STA_UNSYNC};
	return life_clock.synchronised ? TIME_OK : TIME_ERROR;
}

static const struct limit store_limit = {.has_max = true,
					 .max = 50,
					 .opens_case = true,
					 .source = "permit 7",
					 .key = "instant:max=50"};
static const struct monitor store_monitors[] = {
	{.site = 0,
	 .factor = "w01018",
	 .factor_name = "COD",
	 .unit = "mg/L",
	 .limits = &store_limit,
	 .n_limits = 1},
	{.site = 0,
	 .factor = "w21003",
	 .factor_name = "NH3-N",
	 .unit = "mg/L",
	 .limits = &store_limit,
	 .n_limits = 1},
};
static const struct site store_site = {.id = "outfall-3",
				       .name = "三号排口",
				       .kind = SITE_OUTFALL,
				       .opens = 1u << ALERT_EXCEEDANCE,
				       .n_monitors = 2};
static const struct connection store_connection = {"wwtp-3", "modbus"};
static const struct zone_change store_changes[] = {{0, 8 * 3600}};
static const struct plan store_plan = {.node = "edge-01",
				       .case_prefix = "测督挂",
				       .case_number = "{prefix}〔{year}〕{seq}号",
				       .language = "en",
				       .zone = {store_changes, 1},
				       .sites = &store_site,
				       .n_sites = 1,
				       .monitors = store_monitors,
				       .n_monitors = 2,
				       .connections = &store_connection,
				       .n_connections = 1};

/* A daemon's life on the store. */
struct life {
	const char *directory;
	int64_t roll_ms;
	struct daybook *daybook;
	struct ledger *ledger;
	struct sealer *sealer;
	uint64_t seq;
};

static inline void life_daybook(void *context, struct chain_head *out)
{
	daybook_head(((struct life *)context)->daybook, out);
}

static inline void life_heads(void *context, struct chain_head *daybook, struct chain_head *ledger)
{
	struct life *life = context;
	daybook_head(life->daybook, daybook);
	assert_int_equal(ledger_head(life->ledger, ledger), 0);
}

static inline void life_fatal(void *context)
{
	(void)context;
	fail();
}

static inline void life_sealer(struct life *life)
{
	struct sealer_setup setup = {.directory = life->directory,
				     .node = "edge-01",
				     .zone = &store_plan.zone,
				     .every_ms = 1,
				     .roll_ms = life->roll_ms,
				     .heads = life_heads,
				     .fatal = life_fatal,
				     .context = life};
	assert_int_equal(sealer_new(&life->sealer, &setup), 0);
}

static inline void life_begin(struct life *life, const char *directory, int64_t roll_ms)
{
	*life = (struct life){.directory = directory, .roll_ms = roll_ms};
	assert_int_equal(daybook_open(&life->daybook, directory, &store_plan), 0);
	assert_int_equal(ledger_open(&life->ledger, directory, &store_plan), 0);
	ledger_bind(life->ledger, life_daybook, life);
	life_sealer(life);
	assert_int_equal(ledger_instruments(life->ledger, life_wall_ms()), 0);
}

static inline void life_end(struct life *life, bool clean)
{
	sealer_stop(life->sealer, clean);
	sealer_free(life->sealer);
	ledger_close(life->ledger);
	daybook_close(life->daybook);
}

static inline struct reading life_reading(struct life *life, uint32_t monitor, int64_t at_ms,
					  double value)
{
	return (struct reading){.monitor = monitor,
				.seq = ++life->seq,
				.measured_ms = at_ms,
				.received_ms = at_ms + 3,
				.has_value = value >= 0,
				.value = value,
				.raw = 0xfedcba9876543210u + life->seq,
				.flag = value >= 0 ? FLAG_NORMAL : FLAG_FAULT};
}

/* @n readings in one commit. */
static inline void life_batch(struct life *life, int n, int64_t at_ms)
{
	life_at(at_ms);
	struct reading readings[64];
	assert_true(n <= 64);
	for (int i = 0; i < n; i++)
		readings[i] = life_reading(life, (uint32_t)i % 2, at_ms + i * 1000,
					   i % 7 == 3 ? -1 : 40 + i / 4.0);
	assert_int_equal(daybook_append(life->daybook, readings, (size_t)n), 0);
	assert_int_equal(daybook_commit(life->daybook), 0);
}

static inline void life_gap(struct life *life, int64_t at_ms)
{
	life_at(at_ms);
	struct gap gap = {.monitor = 1, .from_ms = at_ms, .to_ms = at_ms + 500, .count = 9};
	assert_int_equal(daybook_append_gap(life->daybook, &gap, at_ms), 0);
	assert_int_equal(daybook_commit(life->daybook), 0);
}

/* A frame of the newest reading and one more that says it is the same, in one commit. */
static inline void life_frames(struct life *life, int64_t at_ms)
{
	life_at(at_ms);
	static const uint8_t asked[] = {0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 2};
	static const uint8_t answered[] = {0, 1, 0, 0, 0, 7, 1, 3, 4, 0x42, 0x48, 0, 0};
	uint8_t bytes[2 * FRAME_HEAD_BYTES + sizeof asked + sizeof answered];
	struct frame_record record = {.kind = FRAME_MODBUS_TCP,
				      .boot = daybook_boot(life->daybook),
				      .seq = life->seq,
				      .at_ms = at_ms,
				      .frame = 1 + life->seq,
				      .asked = asked,
				      .n_asked = sizeof asked,
				      .answered = answered,
				      .n_answered = sizeof answered};
	frame_head(bytes, &record);
	memcpy(bytes + FRAME_HEAD_BYTES, asked, sizeof asked);
	memcpy(bytes + FRAME_HEAD_BYTES + sizeof asked, answered, sizeof answered);
	record.kind = FRAME_SAME;
	record.n_asked = record.n_answered = 0;
	frame_head(bytes + sizeof bytes - FRAME_HEAD_BYTES, &record);
	/* in two pieces, as out of a ring */
	assert_int_equal(daybook_append_frames(life->daybook, bytes, 50, at_ms), 0);
	assert_int_equal(daybook_append_frames(life->daybook, bytes + 50, sizeof bytes - 50, at_ms),
			 0);
	assert_int_equal(daybook_commit(life->daybook), 0);
}

static inline void life_note(void *context, const struct recomputation *change, bool withdraw,
			     struct text *out)
{
	(void)context, (void)change, (void)withdraw;
	text_add(out, "changed");
}

/* A mark, and a mean that it changed. */
static inline void life_mark(struct life *life, int64_t at_ms)
{
	life_at(at_ms);
	struct text out = {0};
	struct mark_order order = {.site = "outfall-3",
				   .factor = "w01018",
				   .reason = "calibration",
				   .by = "Officer A",
				   .from_ms = at_ms - 60000,
				   .to_ms = at_ms,
				   .flag = FLAG_CALIBRATION};
	struct recomputation change = {.start_ms = at_ms - 3600000,
				       .end_ms = at_ms,
				       .has_before = true,
				       .before = 51,
				       .was = OUTCOME_EXCEEDS,
				       .is = OUTCOME_COMPLIES};
	assert_int_equal(ledger_mark(life->ledger, &order, at_ms, &out), 0);
	assert_int_equal(ledger_mark_settle(life->ledger, ledger_mark_last(life->ledger), &change,
					    1, at_ms, life_note, NULL),
			 0);
	text_deinit(&out);
}

static inline struct verdict life_verdict(enum verdict_type type, uint32_t monitor,
					  int64_t raised_ms, int64_t at_ms)
{
	return (struct verdict){.type = type,
				.kind = ALERT_EXCEEDANCE,
				.monitor = monitor,
				.connection = NO_INDEX,
				.limit = 0,
				.bound = BOUND_MAX,
				.has_limit = true,
				.limit_value = 50,
				.has_value = true,
				.value = 61,
				.peak_value = 63,
				.peak_ms = raised_ms,
				.last_value = 60,
				.began_ms = raised_ms,
				.raised_ms = raised_ms,
				.time_ms = at_ms,
				.readings = 3};
}

/* An alert that opens a case, and its end unless @open. */
static inline void life_alert(struct life *life, uint32_t monitor, int64_t at_ms, bool open)
{
	life_at(at_ms);
	struct verdict v[2] = {life_verdict(VERDICT_RAISED, monitor, at_ms, at_ms),
			       life_verdict(VERDICT_CLEARED, monitor, at_ms, at_ms + 5000)};
	assert_int_equal(ledger_apply(life->ledger, v, open ? 1 : 2, at_ms, NULL), 0);
}

static inline void life_act(struct life *life, int64_t id, enum case_action action, int64_t at_ms)
{
	life_at(at_ms);
	struct text out = {0};
	struct case_order order = {
		.action = action, .by = "Officer A", .user = "uid 7", .note = "n", .unit = "U"};
	assert_int_equal(ledger_act(life->ledger, id, &order, at_ms, &out), 0);
	text_deinit(&out);
}

/* A case that a person opens. */
static inline void life_hand(struct life *life, int64_t at_ms)
{
	struct text out = {0};
	struct case_order order = {
		.by = "Officer A", .site = "outfall-3", .source = "inspection", .title = "t"};
	life_at(at_ms);
	assert_int_equal(ledger_open_case(life->ledger, &order, at_ms, &out), 0);
	text_deinit(&out);
}

/* A case that is withdrawn needs no day any more. */
static inline void life_withdraw(struct life *life, int64_t id, int64_t at_ms)
{
	life_at(at_ms);
	struct text out = {0};
	struct case_order order = {
		.action = ACTION_WITHDRAW, .by = "Officer A", .note = "n", .reason = "false_alarm"};
	assert_int_equal(ledger_act(life->ledger, id, &order, at_ms, &out), 0);
	text_deinit(&out);
}

/* A seal of what there is, by a sealer that begins anew. */
static inline void life_seal(struct life *life)
{
	sealer_free(life->sealer);
	life_sealer(life);
}

/* A seal as a minute would bring it; once in a life. */
static inline void life_minute(struct life *life)
{
	struct chain_head daybook, ledger;
	life_heads(life, &daybook, &ledger);
	assert_int_equal(sealer_start(life->sealer), 0);
	assert_true(sealer_await(life->sealer, daybook.number, ledger.number, 60000));
	sealer_stop(life->sealer, false);
}

/* --- verifying --- */

struct said {
	char bad[1024], notes[8192];
};

static inline void say(void *context, bool bad, const char *sentence)
{
	struct said *said = context;
	char *to = bad ? said->bad : said->notes;
	size_t size = bad ? sizeof said->bad : sizeof said->notes, length = strlen(to);
	snprintf(to + length, size - length, "%s\n", sentence);
}

static inline int verify_with(const char *directory, const char *anchor, struct said *said,
			      struct verify_sum *sum)
{
	struct verify_setup setup = {.directory = directory,
				     .anchors = &anchor,
				     .n_anchors = anchor != NULL,
				     .say = say,
				     .context = said};
	*said = (struct said){0};
	return verify_store(&setup, sum);
}

static inline void check_clean(const char *directory)
{
	struct verify_sum sum;
	struct said said;
	int r = verify_with(directory, NULL, &said, &sum);
	if (r != 0)
		print_message("%s: %s", directory, said.bad);
	assert_int_equal(r, VERIFY_CLEAN);
}

static inline void check_bad(const char *directory, const char *words)
{
	struct verify_sum sum;
	struct said said;
	int r = verify_with(directory, NULL, &said, &sum);
	if (r != VERIFY_BAD)
		print_message("verified, though there should be: %s\n", words);
	assert_int_equal(r, VERIFY_BAD);
	if (strstr(said.bad, words) == NULL)
		print_message("said: %s", said.bad);
	assert_non_null(strstr(said.bad, words));
}

/* --- directories: in memory where there is such a place, since nothing here is about disks --- */

static inline void directory_clear(const char *directory)
{
	nftw(directory, test_unlink, 8, FTW_DEPTH | FTW_PHYS);
}

static inline int set_up(void **state)
{
	life_clock.synchronised = false;
	life_at(NOW);
	char *name = strdup(access("/dev/shm", W_OK) == 0 ? "/dev/shm/ducha-verify-XXXXXX"
							  : "/tmp/ducha-verify-XXXXXX");
	*state = name;
	return name != NULL && mkdtemp(name) != NULL ? 0 : -1;
}

static inline int tear_down(void **state)
{
	directory_clear(*state);
	free(*state);
	return 0;
}
