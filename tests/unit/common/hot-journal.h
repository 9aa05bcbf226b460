/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A database as a kill in the midst of a commit leaves it: half written, its journal beside it. */
#include "testing.h"

#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

static inline void hot_journal_die(const char *path)
{
	sqlite3 *db;
	sqlite3_open(path, &db);
	/* one page of memory: the rest is written before the commit, and so is the journal */
	sqlite3_exec(
		db,
		"PRAGMA journal_mode=TRUNCATE; PRAGMA cache_size=1; PRAGMA cache_spill=1; BEGIN;"
		"CREATE TABLE half(x); INSERT INTO half VALUES(zeroblob(100000));"
		"INSERT INTO half SELECT x FROM half; INSERT INTO half SELECT x FROM half",
		NULL, NULL, NULL);
	_exit(0);
}

static inline void hot_journal_leave(const char *path)
{
	char journal[512];
	struct stat about;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		hot_journal_die(path);
	assert_int_equal(waitpid(child, NULL, 0), child);
	snprintf(journal, sizeof journal, "%s-journal", path);
	assert_int_equal(stat(journal, &about), 0);
	assert_true(about.st_size > 0);
}
