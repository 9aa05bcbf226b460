/* SPDX-License-Identifier: Apache-2.0 */
#include "timepiece.h"

#include "base/log.h"
#include "flow/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>

#define KEPT "clock/lived"
enum { KEEP_EVERY_MS = 3600000, TRY_EVERY_MS = 10000, AGREE_MS = 2000 };

struct trust_clocks timepiece_clocks(void)
{
	struct timex kernel = {.modes = 0};
	int state = adjtimex(&kernel);
	struct trust_clocks now = {.wall_ms = clock_wall_ms(),
				   .mono_ms = clock_mono_ns() / 1000000};

	int64_t off_ms = (int64_t)kernel.time.tv_sec * 1000 - now.wall_ms;
	now.synced = state >= 0 && state != TIME_ERROR && (kernel.status & STA_UNSYNC) == 0 &&
		     off_ms > -AGREE_MS && off_ms < AGREE_MS;
	return now;
}

static void read_boot(char out[static 40])
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	out[0] = '\0';
	if (file == NULL)
		return;
	if (fscanf(file, "%36[0-9a-f-]", out) != 1)
		out[0] = '\0';
	fclose(file);
}

/* --- in the ledger --- */

struct kept {
	int64_t lived_ms, mono_ms; /* wall clock as far as it was believed, when it was kept */
	int doubted;
	char boot[40];
};

/* Return: 0; -ENOENT: nothing, or nothing that is understood; other negative errno. */
static int kept_read(struct ledger *ledger, struct kept *out)
{
	char text[128];
	void *data = NULL;
	size_t size;

	int r = ledger_get(ledger, KEPT, &data, &size);
	if (r == 0) {
		snprintf(text, sizeof text, "%.*s", (int)(size < 127 ? size : 127), (char *)data);
		out->boot[0] = '\0';
		if (sscanf(text, "%" SCNd64 " %" SCNd64 " %d %36[0-9a-f-]", &out->lived_ms,
			   &out->mono_ms, &out->doubted, out->boot) < 3)
			r = -ENOENT;
	}
	free(data);
	return r;
}

static int kept_write(struct timepiece *t, int64_t mono_ms)
{
	char text[128];

	int n = snprintf(text, sizeof text, "%" PRId64 " %" PRId64 " %d %s",
			 t->trust.lived_ms + mono_ms, mono_ms, t->trust.doubted, t->boot);
	int r = ledger_put(t->ledger, KEPT, text, (size_t)n);
	t->due_ms = mono_ms + (r == 0 ? KEEP_EVERY_MS : TRY_EVERY_MS);
	if (r == 0)
		t->kept_ms = t->trust.lived_ms;
	return r;
}

/* --- in the main thread --- */

static void publish(struct timepiece *t, const struct trust_clocks *now)
{
	bool doubted = t->trust.doubted;

	atomic_store(&t->lived_ms, t->trust.lived_ms);
	if (doubted == atomic_exchange(&t->doubted, doubted))
		return;
	t->due_ms = INT64_MIN;
	if (doubted)
		log_event(LOGGED_CLOCK, ABOUT_NOTHING,
			  "the clock is %lld days ahead of what was lived here: no readings are "
			  "removed for their age by it and nothing falls due, until it is set, "
			  "synchronised, or confirmed (duchactl clock confirm)",
			  (long long)(trust_ahead(&t->trust, now) / TRUST_STEP_MS));
	else
		log_event(LOGGED_CLOCK, ABOUT_NOTHING, "the clock is believed again");
}

int timepiece_begin(struct timepiece *t, struct ledger *ledger, const int64_t *days, size_t n_days,
		    const struct trust_clocks *now)
{
	struct kept kept = {0};

	*t = (struct timepiece){.ledger = ledger, .due_ms = INT64_MIN};
	read_boot(t->boot);
	int r = kept_read(ledger, &kept);
	if (r == -ENOENT)
		kept = (struct kept){.lived_ms = trust_recorded(days, n_days, now->wall_ms)};
	else if (r != 0)
		return r;
	else if (t->boot[0] != '\0' && strcmp(t->boot, kept.boot) == 0 &&
		 now->mono_ms > kept.mono_ms)
		kept.lived_ms += now->mono_ms - kept.mono_ms;
	trust_begin(&t->trust, kept.lived_ms, kept.doubted != 0, now);
	publish(t, now);
	return 0;
}

int timepiece_look(struct timepiece *t, const struct trust_clocks *now)
{
	if (atomic_exchange(&t->confirm, false))
		trust_confirm(&t->trust, now);
	(void)trust_look(&t->trust, now);
	publish(t, now);
	int64_t moved_ms = t->trust.lived_ms - t->kept_ms;
	if (now->mono_ms < t->due_ms && moved_ms > -KEEP_EVERY_MS && moved_ms < KEEP_EVERY_MS)
		return 0;
	return kept_write(t, now->mono_ms);
}

/* --- any thread --- */

int64_t timepiece_age_ms(const struct timepiece *t)
{
	int64_t wall_ms = clock_wall_ms(),
		lived_ms = atomic_load(&t->lived_ms) + clock_mono_ns() / 1000000;

	return lived_ms < wall_ms ? lived_ms : wall_ms;
}

bool timepiece_doubted(const struct timepiece *t)
{
	return atomic_load(&t->doubted);
}

void timepiece_confirm(struct timepiece *t)
{
	atomic_store(&t->confirm, true);
}
