/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * House: a store on disk with a small invented plan, as the delivering rooms find it.
 */
#include "core/metrics.h"
#include "store/daybook.h"
#include "store/ledger.h"

struct house {
	char directory[128];
	struct plan plan;
	struct ledger *ledger;
	struct daybook *daybook;
	struct metrics *metrics;
	_Atomic uint64_t heartbeat;
	uint64_t seq;
};

/** house_build() - an empty store in a directory of its own */
void house_build(struct house *house);
void house_tear_down(struct house *house);
/** house_close(), house_open() - as a stop and a start of the daemon do */
void house_close(struct house *house);
void house_open(struct house *house);

enum {
	HOUSE_PLAIN,
	HOUSE_HOSTILE,
	HOUSE_MONITORS
};                                   /* the monitors; the second has an awful site name */
#define HOUSE_EPOCH_MS 1767225600000 /* of the first reading; the n-th is n ms later */

/** house_record() - commit @n readings of @monitor with the values @first, @first + 1 … */
void house_record(struct house *house, uint32_t monitor, size_t n, double first);
/** house_warn() - commit one alert event: a warning raised, or cleared */
void house_warn(struct house *house, bool raised);
/** house_exceed() - commit an exceedance of monitor 0 that opens a case (alert and case event) */
void house_exceed(struct house *house, double value);
/** house_metric() - one series as printed, such as "ducha_influx_backlog"; -1 if it is not there */
double house_metric(struct house *house, const char *series);
/** house_wait() - until @series is @value, at most 30 s. Return: whether it is. */
bool house_wait(struct house *house, const char *series, double value);
/** house_reach() - the same, until it is at least that much */
bool house_reach(struct house *house, const char *series, double least);
/**
 * house_kill_one() - a life in a process of its own, killed
 * @live: never returns; writes one byte to @said when what may be lost has begun
 * @pause_ms: from then to the kill
 */
void house_kill_one(void (*live)(const void *context, int said), const void *context, int pause_ms);
/** house_say() - that byte */
void house_say(int said);
