/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Rejects: what a database refused for good, kept as text for a person to look at.
 *
 * DIRECTORY/rejected/ holds at most 100 files and 64 MiB; the oldest go first, and are counted. A
 * name follows from the lines' place, so the same lines refused again after a crash are still one
 * file.
 */
#include <stddef.h>

/* Results besides 0 and negative errno. */
enum rejects_result {
	REJECTS_FATAL = 1, /* an fsync failed: never retried, the daemon must exit 1 */
};

/**
 * rejects_keep() - make @text durable as DIRECTORY/rejected/NAME, with @why as a comment line
 * @removed: out: files that went for room
 * Return: 0, negative errno: then it is not on disk; REJECTS_FATAL.
 */
int rejects_keep(const char *directory, const char *name, const char *why, const char *text,
		 size_t length, size_t *removed);
