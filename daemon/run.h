/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Run: the life of the daemon between its birth and death, in order and in reverse.
 *
 * Before it is ready every error ends it with a sentence; afterwards only a signal does, or a
 * failed fsync. Nothing here decides anything about readings: it makes the rooms' objects, ties
 * each to the next by plain functions, starts their threads, waits, and takes everything down
 * again.
 */
#include "assemble.h"

/**
 * run() - until SIGTERM or SIGINT (which the caller has blocked for all threads, with SIGHUP)
 * @config, @assembly: in: what it begins with; out: what was in force at the end (reload.h); the
 * caller's to free
 * @file: the configuration's path, read again at SIGHUP
 * Return: the process' exit code.
 */
int run(struct config **config, struct assembly **assembly, const char *file);
