/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Reload: the next configuration in the place of the present one, all of it or nothing.
 *
 *   main      load, check, assemble, prepare │ all stand: swap │ end and begin what changed, free
 *   others    go on by the old plan ─────────┴ some ms ────────┴ go on by the new plan
 *
 * The next plan and all tables that follow it are made beside the present ones while everybody goes
 * on. Then whoever produces readings stands still at its gate (flow/gate.h), the judge and the
 * recorder empty the rings, the clerk commits what was decided: nothing is under way that names
 * something by the old plan. The tables change hands, and all go on. Sockets and serial lines that
 * did not change stay open, with what was asked on them.
 *
 * Whatever speaks against it comes before the swap: faults of the file, keys that only a restart
 * can change, a store that cannot be written. Then the present configuration stays in force. What a
 * disk or network may refuse (deliveries, the exporter, clearing alerts whose condition is gone)
 * comes behind the swap and is tried again until it works.
 */
#include "core/text.h"

#include <pthread.h>

struct run;

/* Where a thread asks for a reload and waits for what comes of it. */
struct reload_desk {
	int wake_fd; /* readable: somebody asks */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t asked, done; /* under lock */
	bool open, good;
	struct text said; /* of the last one */
};

int reload_desk_init(struct reload_desk *desk); /* 0, negative errno */
void reload_desk_deinit(struct reload_desk *desk);
/** reload_desk_take() - what was asked for until now (main thread) */
uint64_t reload_desk_take(struct reload_desk *desk);
/** reload_desk_answer() - @ticket of reload_desk_take(); @said is copied */
void reload_desk_answer(struct reload_desk *desk, uint64_t ticket, bool good,
			const struct text *said);
/** reload_desk_close() - the end: whoever waits is told so, and whoever comes */
void reload_desk_close(struct reload_desk *desk);
/** reload_desk_ask() - reload, and wait for it (any thread but main)
 * Return: true where the new configuration is in force; *answer is JSON, else a sentence a line */
bool reload_desk_ask(struct reload_desk *desk, struct text *answer);
/** reload_ask() - the same, @context being the run */
bool reload_ask(void *context, struct text *answer);

/** reload() - main thread; says in the log what came of it */
void reload(struct run *run);
/** reload_settle() - try again what was left behind a swap (main thread, each second) */
void reload_settle(struct run *run);
