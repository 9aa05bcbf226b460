/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Verdicts on their way from the judge to the clerk: a growing list under one short lock.
 *
 * Verdicts are rare, so this is no ring; it grows instead of refusing, because the judge may
 * neither wait for the disk nor drop what it decided. The clerk takes the whole list at once.
 */
#include "core/verdict.h"
#include "flow/bell.h"

#include <pthread.h>
#include <stddef.h>

/* The judge's state at one moment, with how much it had read then. */
struct snapshot {
	_Atomic bool full; /* set by the judge, cleared by the clerk once it is stored */
	size_t size, capacity;
	unsigned char *bytes;
};

struct verdict_item {
	struct snapshot *snapshot; /* NULL: the verdict counts */
	struct verdict verdict;
};

struct verdicts {
	pthread_mutex_t lock;
	struct verdict_item *at;
	size_t n, capacity;
	bool closed; /* no more will come */
	struct bell bell;
};

int verdicts_init(struct verdicts *verdicts);
void verdicts_deinit(struct verdicts *verdicts);
/** verdicts_add() - judge only; waits for memory rather than losing a decision */
void verdicts_add(struct verdicts *verdicts, const struct verdict_item *item);
/** verdicts_waiting() - how many the clerk has not taken yet (any thread) */
size_t verdicts_waiting(struct verdicts *verdicts);
/** verdicts_close() - the judge is done */
void verdicts_close(struct verdicts *verdicts);
/**
 * verdicts_take() - all there is, for the clerk, which frees @items
 * Return: true while more may come.
 */
bool verdicts_take(struct verdicts *verdicts, struct verdict_item **items, size_t *n);
