/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What speaks against the next configuration before anything is made of it: faults of the file,
 * keys that only a restart can change, readings or a ledger that cannot be written. All of it is
 * said, on the log and to whoever asked for the reload. Main thread only.
 */
#include "config/config.h"
#include "core/text.h"

struct run;

/** reload_refuse() - @sentence, logged and said. Return: false */
bool reload_refuse(struct text *said, const char *sentence);
/** reload_read() - the file as it is now into @out, to be freed by the caller whatever comes of it
 * Return: false and the faults in @said */
bool reload_read(const struct run *run, struct config **out, struct text *said);
/** reload_may() - can what is read and decided be kept, so that nothing is lost on the way?
 * Return: false and why not in @said */
bool reload_may(const struct run *run, struct text *said);
