/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/clerk.h"

#include "base/log.h"
#include "flow/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum { BATCH = 128, IDLE_MS = 500, RETRY_MIN_MS = 50, RETRY_MAX_MS = 2000, GIVE_UP_MS = 5000 };

struct clerk {
	struct clerk_setup setup;
	pthread_t thread;
	struct gate gate;
	_Atomic bool ending;
	struct histogram *detection;
	struct verdict batch[BATCH];
	int64_t opened[BATCH];
	_Atomic bool failing;
	bool gave_up;
};

int clerk_new(struct clerk **out, const struct clerk_setup *setup)
{
	struct clerk *c = calloc(1, sizeof *c);
	if (c == NULL)
		return -ENOMEM;
	int r = gate_init(&c->gate);
	c->setup = *setup;
	c->detection = metrics_histogram(
		setup->metrics, "ducha_detection_seconds",
		"Receipt of the reading that raises an alert to case committed", "");
	*out = c;
	return c->detection == NULL ? -ENOMEM : r;
}

struct gate *clerk_gate(struct clerk *clerk)
{
	return &clerk->gate;
}

struct clerk *clerk_free(struct clerk *clerk)
{
	if (clerk != NULL)
		gate_deinit(&clerk->gate);
	free(clerk);
	return NULL;
}

static void beat(struct clerk *c)
{
	atomic_fetch_add_explicit(c->setup.heartbeat, 1, memory_order_relaxed);
}

/* Try until it is done. Return: false if it must be given up: a failed fsync, or the end came. */
static bool insist(struct clerk *c, int (*try)(struct clerk *c, const void *what, size_t n),
		   const void *what, size_t n)
{
	int64_t began_ns = clock_mono_ns();
	int pause_ms = RETRY_MIN_MS, result;
	while ((result = try(c, what, n)) < 0) {
		beat(c);
		if (!c->failing) {
			log_event(LOGGED_LEDGER_STOPPED, ABOUT(.error = -result),
				  "the ledger cannot be written, verdicts are kept and offered "
				  "again");
		}
		c->failing = true;
		if (atomic_load(&c->ending) &&
		    clock_mono_ns() - began_ns > GIVE_UP_MS * (int64_t)1000000)
			return false;
		bell_pause(&c->setup.verdicts->bell, pause_ms);
		pause_ms = pause_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : pause_ms * 2;
	}
	if (result > 0) {
		c->setup.fatal(c->setup.context);
		return false;
	}
	if (c->failing)
		log_event(LOGGED_LEDGER_AGAIN, ABOUT_NOTHING, "the ledger is written again");
	c->failing = false;
	return true;
}

static int try_commit(struct clerk *c, const void *what, size_t n)
{
	return c->setup.commit(c->setup.context, what, n, c->opened);
}

static int try_keep(struct clerk *c, const void *what, size_t n)
{
	(void)n;
	const struct snapshot *s = what;
	return c->setup.keep(c->setup.context, s->bytes, s->size);
}

static void announce(struct clerk *c, size_t n)
{
	int64_t now_ns = clock_mono_ns();
	for (size_t i = 0; i < n; i++) {
		const struct verdict *v = &c->batch[i];
		if (v->type == VERDICT_RAISED && v->received_mono_ns != 0 && c->opened[i] != 0)
			histogram_observe(c->detection, now_ns - v->received_mono_ns);
		if (v->type != VERDICT_PEAK)
			c->setup.announce(c->setup.context, v, c->opened[i]);
	}
}

static void keep(struct clerk *c, struct snapshot *snapshot)
{
	if (!insist(c, try_keep, snapshot, 1))
		c->gave_up = true;
	atomic_store_explicit(&snapshot->full, false, memory_order_release);
}

static void serve(struct clerk *c, const struct verdict_item *items, size_t n)
{
	size_t at = 0;
	while (at < n && !c->gave_up) {
		size_t batch = 0;
		for (; at < n && batch < BATCH && items[at].snapshot == NULL; at++)
			c->batch[batch++] = items[at].verdict;
		if (batch > 0) {
			if (insist(c, try_commit, c->batch, batch))
				announce(c, batch);
			else
				c->gave_up = true;
		}
		if (at < n && items[at].snapshot != NULL)
			keep(c, items[at++].snapshot);
	}
	if (at < n)
		log_warnx("%zu verdicts could not be committed; they are decided again at the next "
			  "start",
			  n - at);
	for (; at < n; at++) /* given up: the judge still wants its snapshots back */
		if (items[at].snapshot != NULL)
			atomic_store(&items[at].snapshot->full, false);
}

static bool anything(void *context)
{
	struct clerk *c = context;
	pthread_mutex_lock(&c->setup.verdicts->lock);
	bool any = c->setup.verdicts->n > 0 || c->setup.verdicts->closed;
	pthread_mutex_unlock(&c->setup.verdicts->lock);
	return any;
}

static void *clerk_run(void *context)
{
	struct clerk *c = context;
	struct verdict_item *items;
	bool more = true;
	size_t n = 0;
	(void)pthread_setname_np(pthread_self(), "clerk");
	while (more || n > 0) {
		bell_sleep(&c->setup.verdicts->bell, IDLE_MS, anything, c);
		more = verdicts_take(c->setup.verdicts, &items, &n);
		serve(c, items, n);
		free(items);
		beat(c);
		if (gate_is_shut(&c->gate) && verdicts_waiting(c->setup.verdicts) == 0)
			gate_pass(&c->gate);
	}
	return NULL;
}

int clerk_start(struct clerk *clerk)
{
	return -pthread_create(&clerk->thread, NULL, clerk_run, clerk);
}

bool clerk_failing(const struct clerk *clerk)
{
	return atomic_load_explicit(&clerk->failing, memory_order_relaxed);
}

void clerk_hurry(struct clerk *clerk)
{
	atomic_store(&clerk->ending, true);
}

void clerk_join(struct clerk *clerk)
{
	clerk_hurry(clerk);
	bell_ring_always(&clerk->setup.verdicts->bell);
	pthread_join(clerk->thread, NULL);
}
