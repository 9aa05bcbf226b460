/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence.h"

#include "base/log.h"
#include "flow/clock.h"
#include "store/evidence.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* What was judged is recorded by then, where the recorder is not behind. */
#define SETTLED_NS INT64_C(5000000000)
/* Seals are so far apart at most. */
#define SEAL_APART_MS INT64_C(60000)
enum { RESTING = 64 };

/* A case that has come to rest, and since when that is known. */
struct resting {
	int64_t id, alert, since_ns;
};

struct evidence {
	struct evidence_setup setup;
	struct sealer *sealer;
	char *node; /* no reload changes these two */
	struct zone zone;
	pthread_mutex_t lock; /* guards setup.plan and reader */
	struct daybook_reader *reader;
	int64_t anchored_ns;
	struct resting resting[RESTING];
	size_t n_resting;
	bool started;
};

static void heads(void *context, struct chain_head *daybook, struct chain_head *ledger)
{
	struct evidence *e = context;

	daybook_head(e->setup.daybook, daybook);
	if (ledger_head(e->setup.ledger, ledger) != 0)
		*ledger = (struct chain_head){0};
}

static void bound(void *context, struct chain_head *out)
{
	daybook_head(((struct evidence *)context)->setup.daybook, out);
}

static void wake(void *context)
{
	sealer_wake(((struct evidence *)context)->sealer);
}

static void fatal(void *context)
{
	struct evidence *e = context;

	e->setup.fatal(e->setup.context);
}

/* Return: whether it can go on; what fails is tried again at the next seal. */
static bool went_well(struct evidence *e, int r)
{
	if (r > 0)
		fatal(e);
	return r == 0;
}

/* --- digests --- */

static int digest_keep(struct evidence *e, struct evidence_case *c)
{
	struct evidence_lines lines;
	char hex[CHAIN_HEX_BYTES];

	pthread_mutex_lock(&e->lock);
	int r = evidence_read(e->reader, e->setup.plan, c, NULL, NULL, &lines);
	c->kept = lines.readings; /* of these the first ones, whatever comes meanwhile */
	if (r == 0)
		r = evidence_read(e->reader, e->setup.plan, c, NULL, NULL, &lines);
	pthread_mutex_unlock(&e->lock);
	if (r != 0)
		return r == -ENOENT ? 0 : r; /* the plan has no such monitor any more */
	chain_hex(hex, lines.digest, sizeof lines.digest);
	return ledger_evidence_put(e->setup.ledger, c, hex, lines.readings);
}

/* Since when the case rests as it does now. */
static int64_t rests_since(struct evidence *e, const struct evidence_case *c, int64_t now_ns)
{
	for (size_t i = 0; i < e->n_resting; i++) {
		struct resting *r = &e->resting[i];
		if (r->id != c->id)
			continue;
		if (r->alert != c->alert)
			*r = (struct resting){c->id, c->alert, now_ns};
		return r->since_ns;
	}
	if (e->n_resting < RESTING)
		e->resting[e->n_resting++] = (struct resting){c->id, c->alert, now_ns};
	return now_ns;
}

static void forget(struct evidence *e, int64_t id)
{
	for (size_t i = 0; i < e->n_resting; i++)
		if (e->resting[i].id == id)
			e->resting[i--] = e->resting[--e->n_resting];
}

static int digest_try(struct evidence *e, int64_t id, int64_t now_ns)
{
	struct evidence_case c;

	int r = ledger_evidence(e->setup.ledger, id, &c);
	if (r == 0 && now_ns - rests_since(e, &c, now_ns) >= SETTLED_NS) {
		r = digest_keep(e, &c);
		if (r == 0)
			forget(e, id);
	}
	evidence_deinit(&c);
	return r;
}

/* Cases at rest get their digest at the first seal behind which nothing of them is outstanding. */
static void digests(struct evidence *e)
{
	int64_t now_ns = clock_mono_ns(), id = 0;
	int r = 0;

	if (!e->started || e->setup.unrecorded(e->setup.context))
		return;
	do {
		r = ledger_evidence_next(e->setup.ledger, id, &id);
		if (r == 0 && id != 0)
			r = digest_try(e, id, now_ns);
	} while (went_well(e, r) && id != 0);
	if (r < 0) {
		errno = -r;
		log_warn("the digest of a case cannot be kept; it is tried again");
	}
}

/* --- anchors --- */

/* The next seal may be a minute away: then it would be late. */
static int64_t earlier_ms(int64_t anchor_ms)
{
	return anchor_ms / 2 < SEAL_APART_MS ? anchor_ms / 2 : SEAL_APART_MS;
}

static void anchor(struct evidence *e, const struct sealed *last)
{
	char hex[CHAIN_HEX_BYTES];
	int64_t now_ns = clock_mono_ns();

	pthread_mutex_lock(&e->lock);
	int64_t anchor_ms = e->setup.anchor_ms;
	bool due = now_ns - e->anchored_ns >= (anchor_ms - earlier_ms(anchor_ms)) * 1000000;
	pthread_mutex_unlock(&e->lock);
	if (!due)
		return;
	chain_hex(hex, last->hash, sizeof last->hash);
	if (went_well(e, ledger_anchor(e->setup.ledger, last->line.number, last->line.time_ms, hex,
				       clock_wall_ms())))
		e->anchored_ns = now_ns;
}

static void sealed(void *context, const struct sealed *last)
{
	struct evidence *e = context;

	if (last->line.reason == SEAL_STOP)
		return;
	digests(e);
	anchor(e, last);
}

/* --- birth and death --- */

static int keep_names(struct evidence *e, const struct plan *plan)
{
	size_t n = plan->zone.n_changes;
	struct zone_change *changes = calloc(n + 1, sizeof *changes);
	e->node = strdup(plan->node);
	e->zone = (struct zone){changes, n};
	if (e->node == NULL || changes == NULL)
		return -ENOMEM;
	if (n > 0)
		memcpy(changes, plan->zone.changes, n * sizeof *changes);
	return 0;
}

int evidence_new(struct evidence **out, const struct evidence_setup *setup)
{
	struct evidence *e = calloc(1, sizeof *e);
	struct sealer_setup seals = {.directory = setup->directory,
				     .heads = heads,
				     .sealed = sealed,
				     .fatal = fatal,
				     .context = e};

	*out = NULL;
	if (e == NULL)
		return -ENOMEM;
	e->setup = *setup;
	pthread_mutex_init(&e->lock, NULL);
	int r = keep_names(e, setup->plan);
	seals.node = e->node;
	seals.zone = &e->zone;
	e->anchored_ns = clock_mono_ns();
	ledger_bind(setup->ledger, bound, e);
	if (r == 0)
		r = daybook_reader_open(&e->reader, setup->directory, setup->plan);
	if (r == 0)
		r = sealer_new(&e->sealer, &seals);
	if (r == 0)
		r = ledger_listen(setup->ledger, wake, e);
	if (r != 0)
		e = evidence_free(e);
	*out = e;
	return r;
}

struct evidence *evidence_free(struct evidence *evidence)
{
	if (evidence == NULL)
		return NULL;
	sealer_free(evidence->sealer);
	daybook_reader_close(evidence->reader);
	pthread_mutex_destroy(&evidence->lock);
	free(evidence->node);
	free((void *)(uintptr_t)evidence->zone.changes);
	free(evidence);
	return NULL;
}

int evidence_succeed(struct evidence *e, const struct plan *plan, int64_t anchor_ms)
{
	struct daybook_reader *reader = NULL;
	int r = daybook_reader_open(&reader, e->setup.directory, plan);
	if (r < 0)
		return r;
	pthread_mutex_lock(&e->lock);
	struct daybook_reader *old = e->reader;
	e->reader = reader;
	e->setup.plan = plan;
	e->setup.anchor_ms = anchor_ms;
	pthread_mutex_unlock(&e->lock);
	daybook_reader_close(old);
	return 0;
}

int evidence_start(struct evidence *evidence)
{
	evidence->started = true;
	return sealer_start(evidence->sealer);
}

void evidence_stop(struct evidence *evidence)
{
	sealer_stop(evidence->sealer, true);
}

bool evidence_await(struct evidence *evidence, int64_t batch, int64_t entry, int64_t within_ms)
{
	return sealer_await(evidence->sealer, batch, entry, within_ms);
}

void evidence_last(struct evidence *evidence, struct sealed *out)
{
	sealer_last(evidence->sealer, out);
}

int evidence_sign(struct evidence *evidence, const void *bytes, size_t n,
		  uint8_t signature[SEAL_SIGNATURE_BYTES], uint8_t public[SEAL_PUBLIC_BYTES])
{
	return sealer_sign(evidence->sealer, bytes, n, signature, public);
}

bool evidence_amiss(const struct evidence *evidence)
{
	return sealer_amiss(evidence->sealer);
}
