/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Completion: what may stand next on the command line, for the shell's own functions.
 *
 * They are a few lines each and ask `duchactl --complete WORD...`, so that verbs and options come
 * from the tables that judge them, and sites, factors, cases and deliveries from the daemon. Where it
 * does not run, or a file is meant, nothing is printed and the shell goes by its default.
 */

/**
 * complete() - print to stdout what fits, a line each
 * @words: those before the one that is being typed, and that one, which may be empty
 */
void complete(int n, char **words);
