/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/behind.h"

#include "base/log.h"

#include <inttypes.h>

#define PASSED "influx/readings"
#define FROM "influx/ahead-from"
#define TO "influx/ahead-to"

static bool is_parted(int64_t passed, int64_t from, int64_t to)
{
	return passed <= from && from <= to && passed < to;
}

static int put(struct behind *behind, const char *name, int64_t value, int64_t *stored)
{
	if (value == *stored)
		return 0;
	int rc = ledger_put_cursor(behind->ledger, name, value);
	if (rc == 0)
		*stored = value;
	return rc;
}

/* A range that begins anew has a `from` above the old `to`, which is no range; so `from` is stored
 * before `to`, and `passed` is true at any time. */
int behind_store(struct behind *behind)
{
	int rc = put(behind, PASSED, atomic_load(&behind->passed), &behind->stored_passed);
	if (rc == 0)
		rc = put(behind, FROM, atomic_load(&behind->from), &behind->stored_from);
	if (rc == 0)
		rc = put(behind, TO, atomic_load(&behind->to), &behind->stored_to);
	return rc;
}

/* The range goes first: what had left of another daybook says nothing of this one. */
static int forget(struct behind *behind)
{
	int rc = put(behind, TO, 0, &behind->stored_to);
	atomic_store(&behind->passed, 0);
	atomic_store(&behind->from, 0);
	atomic_store(&behind->to, 0);
	return rc != 0 ? rc : behind_store(behind);
}

int behind_init(struct behind *behind, struct ledger *ledger, int64_t newest)
{
	*behind = (struct behind){.ledger = ledger,
				  .stored_passed = ledger_cursor(ledger, PASSED, -1),
				  .stored_from = ledger_cursor(ledger, FROM, 0),
				  .stored_to = ledger_cursor(ledger, TO, 0)};
	if (behind->stored_passed > newest || behind->stored_to > newest)
		log_warnx("influx: sent up to %" PRId64 ", but the daybook ends at %" PRId64
			  ": sending all of it",
			  behind->stored_passed > behind->stored_to ? behind->stored_passed
								    : behind->stored_to,
			  newest);
	else if (behind->stored_passed >= 0) {
		atomic_store(&behind->passed, behind->stored_passed);
		atomic_store(&behind->from, behind->stored_from);
		atomic_store(&behind->to, behind->stored_to);
		return 0;
	}
	return forget(behind);
}

int64_t behind_waiting(const struct behind *behind, int64_t newest)
{
	/* `from` is written before `to` and read after it: at worst too few count as gone */
	int64_t to = atomic_load(&behind->to), from = atomic_load(&behind->from);
	int64_t passed = atomic_load(&behind->passed);
	int64_t waiting = newest - passed;
	if (is_parted(passed, from, to)) /* also when newer ones have left since */
		waiting = (newest > to ? newest - to : 0) + from - passed;
	return waiting > 0 ? waiting : 0;
}

int64_t behind_end(const struct behind *behind)
{
	int64_t from = atomic_load(&behind->from);
	return is_parted(atomic_load(&behind->passed), from, atomic_load(&behind->to)) ? from
										       : INT64_MAX;
}

int64_t behind_fresh(const struct behind *behind, int64_t newest)
{
	return behind_end(behind) == INT64_MAX ? -1 : newest - atomic_load(&behind->to);
}

void behind_part(struct behind *behind, int64_t newest, int64_t most)
{
	int64_t passed = atomic_load(&behind->passed);
	int64_t from = newest - most > passed ? newest - most : passed;
	int64_t to = atomic_load(&behind->to);
	if (from < to) /* a stop must not find the new `from` before the old `to` */
		from = to;
	atomic_store(&behind->from, from);
	atomic_store(&behind->to, from);
}

void behind_pass(struct behind *behind, int64_t sequence)
{
	int64_t end = behind_end(behind);
	atomic_store(&behind->passed, sequence >= end ? atomic_load(&behind->to) : sequence);
}

void behind_pass_fresh(struct behind *behind, int64_t sequence)
{
	atomic_store(&behind->to, sequence);
}
