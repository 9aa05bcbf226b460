/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Evidence of a case: which readings it rests on, and their digest.
 *
 * They are those of its monitor from the begin of each episode to its end, both included, in order
 * of their times, each once; behind them the same of each further factor that has joined the case;
 * as lines of the CSV that /api/v1/readings gives. The digest is the SHA-256 of these lines. It is
 * kept once nothing of the case is active and all of them are sealed; a further episode makes it
 * void, until a new one is kept.
 *
 * It is over what was recorded by then. A reading that comes later, measured within an episode, has
 * a greater sequence than all of these: as many as the ledger says it is over, by sequence from the
 * least on, are those of the digest; what is behind them is said to have come later. Where days of
 * them were removed, it is the batch that the ledger's chain names beside the digest that tells.
 */
#include "store/daybook.h"
#include "store/ledger.h"

struct evidence_span {
	int64_t from_ms, to_ms; /* measured, both included */
	char factor[72];
};

struct evidence_case {
	int64_t id, alert; /* alert: its newest episode's */
	int64_t kept;      /* readings that its digest in force is over; -1: it has none */
	int64_t until; /* what has a greater sequence came later than that; INT64_MAX: not known */
	char site[72], factor[72];
	struct evidence_span *spans; /* by factor in order, not touching each other */
	size_t n_spans;
};

/* Where an episode that goes on ends: behind all that was measured, also by a clock that was ahead.
 */
#define EVIDENCE_OPEN_END (INT64_C(1) << 62)

/** ledger_evidence() - of one case; evidence_deinit() in any case
 * Return: 0, LEDGER_UNKNOWN, negative errno. */
int ledger_evidence(struct ledger *ledger, int64_t id, struct evidence_case *out);
void evidence_deinit(struct evidence_case *evidence);

/** ledger_evidence_next() - the first case behind @after that wants a digest; *id 0: none */
int ledger_evidence_next(struct ledger *ledger, int64_t after, int64_t *id);
/** ledger_evidence_put() - keep its digest (hex) */
int ledger_evidence_put(struct ledger *ledger, const struct evidence_case *evidence,
			const char *digest, int64_t readings);

/* What its lines hold. */
struct evidence_lines {
	int64_t readings;
	int64_t first, last; /* least and greatest sequence; 0: none */
	int64_t later;       /* how many more came since the digest */
	uint8_t digest[CHAIN_HASH_BYTES];
};
/* Return: true to go on. */
typedef bool (*evidence_line_fn)(void *context, const struct daybook_row *row,
				 const struct text *line);
/**
 * evidence_read() - go over the lines of the digest; without one, over all that are there
 * @fn: each of them, with its line end; NULL: only their digest is wanted
 * Return: 0; -ENOENT where the plan knows the site no more; another negative errno
 */
int evidence_read(struct daybook_reader *reader, const struct plan *plan,
		  const struct evidence_case *evidence, evidence_line_fn fn, void *context,
		  struct evidence_lines *out);
/** evidence_later() - those that came since the digest, as evidence_read() */
int evidence_later(struct daybook_reader *reader, const struct plan *plan,
		   const struct evidence_case *evidence, evidence_line_fn fn, void *context,
		   struct evidence_lines *out);
