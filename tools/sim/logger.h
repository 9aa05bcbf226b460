/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Logger: a data logger that dials in to a centre, as HJ 212-2017 wants it.
 *
 *   each interval: a message ──► backlog ──► sent ──► answered: the next
 *                                   ▲          └─ no answer: again, twice; then a new connection
 *                                   └── kept while there is no connection, and sent afterwards
 *
 * One message is under way at a time, so the centre gets them in their order; a message is dropped
 * when it was answered, or when the backlog is full. All in the caller's thread, which polls.
 */
#include "sim/telegram.h"

#include <stdio.h>

enum { LOGGER_BACKLOG = 100000 };

struct logger_absence {        /* no connection is made, and none is there */
	int64_t at_ms, for_ms; /* since the start; for_ms 0: to the end */
};

struct logger_setup {
	char *id;
	struct telegram_sender sender;
	int64_t interval_ms, timeout_ms;
	struct logger_absence *absences;
	size_t n_absences;
};

struct logger_counts {
	uint64_t made, answered, again, lost; /* made = answered + lost + in the backlog */
};

struct logger;

/** logger_new() - @centre: address:port, digits. Return: 0, -EINVAL (no such address), -ENOMEM. */
int logger_new(struct logger **out, const struct logger_setup *setup, const char *centre,
	       const struct zone *zone);
struct logger *logger_free(struct logger *logger);
/** logger_step() - make what is due, connect, send, give up waiting
 * @time_ms: since the start; @wall_ms: the clock
 * Return: when it is to be called again at the latest, as @time_ms */
int64_t logger_step(struct logger *logger, int64_t time_ms, int64_t wall_ms);
/** logger_fd() - to be polled for @events; -1: nothing */
int logger_fd(const struct logger *logger, short *events);
struct logger_counts logger_counts(const struct logger *logger);
