/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Periods: the episodes of a case that lie close to one another, so that each can be drawn at a
 * scale at which it is seen. An alert that came back after months is another picture, not a hair
 * at the other end of the same one.
 */
#include "deliver/dossier.h"

struct period {
	int64_t from_ms, to_ms; /* to_ms: until the last was cleared, or now */
	double worst;           /* how far beyond its limit, as a share of it; 0: no value */
	size_t number;          /* among all of them, from 1 */
};
enum { PERIOD_APART_MS = 86400000 }; /* longer than this between two episodes parts them */

/**
 * periods_of() - those of a factor that are to be drawn, oldest first: the worst, and the newest
 * @factor: NULL: of all; @out: room for @most
 * @total: out: how many there are
 * Return: how many are in @out; at least one, since a case without episodes has its registration.
 */
size_t periods_of(const struct dossier *dossier, const char *factor, struct period *out,
		  size_t most, size_t *total);
/** episode_is_of() - of a case with one factor no episode says which */
bool episode_is_of(const json_t *object, const char *factor);
