/* SPDX-License-Identifier: Apache-2.0 */
/* A daybook, a ledger and the tallier over them, in a directory of their own. */
#ifndef DUCHA_TEST_TALLIED_H
#define DUCHA_TEST_TALLIED_H

#include "deliver/tallier.h"
#include "testing.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>

struct bench {
	char directory[64];
	struct daybook *daybook;
	struct ledger *ledger;
	struct tallier *tallier;
	uint64_t seq;
};

/* The tallier, as @more says. */
static inline void bench_begin(struct bench *b, const struct plan *plan, struct tallier_setup more)
{
	more.directory = b->directory;
	more.plan = plan;
	more.ledger = b->ledger;
	more.newest = daybook_sequence(b->daybook);
	assert_int_equal(tallier_new(&b->tallier, &more), 0);
}

static inline struct bench *bench_new(const struct plan *plan, struct tallier_setup more)
{
	struct bench *b = calloc(1, sizeof *b);
	strcpy(b->directory, "/tmp/test-tallied-XXXXXX");
	assert_non_null(mkdtemp(b->directory));
	assert_int_equal(daybook_open(&b->daybook, b->directory, plan), 0);
	assert_int_equal(ledger_open(&b->ledger, b->directory, plan), 0);
	bench_begin(b, plan, more);
	return b;
}

static inline int bench_free(void **state)
{
	struct bench *b = *state;
	tallier_free(b->tallier);
	ledger_close(b->ledger);
	daybook_close(b->daybook);
	nftw(b->directory, test_unlink, 16, FTW_DEPTH | FTW_PHYS);
	free(b);
	return 0;
}

#endif
