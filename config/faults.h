/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Faults: the list of what is wrong with a configuration, in the order in which it is found.
 */
#include "config/config.h"

struct faults {
	struct config_faults list;
	struct config_faults notes; /* what is worth knowing of a good configuration */
	bool no_memory;             /* a fault was lost because memory ran out */
};

/** faults_add() - note "file:line: message"; the message says what is wrong and what would be right
 */
void faults_add(struct faults *faults, const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/** faults_add_text() - the same with a finished message */
void faults_add_text(struct faults *faults, const char *file, int line, const char *message);
/** faults_note_text() - the same for a note */
void faults_note_text(struct faults *faults, const char *file, int line, const char *message);
/** faults_sort() - by file, then line, then as found */
void faults_sort(struct config_faults *list);
