/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DUCHA_TESTS_STORE_RULED_LEDGER_H
#define DUCHA_TESTS_STORE_RULED_LEDGER_H

/* A ledger under the default rules of an office, and what it says. */
#include "store-ledger.h"

#include "core/caserules.h"

static struct case_rules rules;
static struct plan plan;

static inline int set_up(void **state)
{
	case_rules_default(&rules);
	plan = test_plan;
	plan.rules = &rules;
	return directory_make(state);
}

static inline struct ledger *ruled_ledger(void **state)
{
	struct ledger *ledger;
	assert_int_equal(ledger_open(&ledger, *state, &plan), 0);
	return ledger;
}

struct said {
	char types[4096];
	int64_t last;
};

static inline bool hear(void *context, const struct ledger_event *event)
{
	struct said *said = context;
	strcat(strcat(said->types, event->type + strlen("ducha.")), " ");
	said->last = event->id;
	return true;
}

static inline void said_is(struct ledger *ledger, struct said *said, const char *expected)
{
	said->types[0] = '\0';
	assert_int_equal(ledger_events(ledger, said->last, SIZE_MAX, hear, said), 0);
	assert_string_equal(said->types, expected);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, directory_remove)

#endif
