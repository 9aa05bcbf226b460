/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Telegram: what a data logger of HJ 212-2017 sends and what it is answered. Pure.
 *
 * Written from the standard and apart from the daemon's driver: a mistake that both had would be
 * seen by nobody.
 */
#include "core/text.h"
#include "core/zone.h"
#include "sim/signal.h"

struct telegram_factor {
	char *code; /* w01018 */
	struct signal signal;
};

struct telegram_sender {
	char *mn, *password;
	int system; /* ST */
	struct telegram_factor *factors;
	size_t n_factors;
};

enum { TELEGRAM_FACTORS = 60, TELEGRAM_QN = 17, TELEGRAM_ANSWER = 400 };

/**
 * telegram_write() - a message of real-time data (CN 2011) that asks for its answer
 * @qn: out, TELEGRAM_QN digits and a NUL
 * @wall_ms: what the logger's clock shows; its second is the DataTime
 *
 * A factor without a number (nan) has flag D and no value, a silent one is left out.
 * Return: false where all are silent.
 */
bool telegram_write(const struct telegram_sender *sender, int64_t time_ms, int64_t wall_ms,
		    const struct zone *zone, char qn[TELEGRAM_QN + 1], struct text *out);

/**
 * telegram_answer() - the answer that @bytes begin with
 * @used: out: bytes that are done with; 0: more are needed
 * Return: true if it is a whole data answer (CN 9014) to @qn
 */
bool telegram_answer(const char *bytes, size_t n, const char *qn, size_t *used);
