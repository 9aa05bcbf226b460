/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Recording: a file of recorded data in memory, or mapped, and its lines.
 */
#include <stdbool.h>
#include <stddef.h>

struct recording {
	const char *at;
	size_t size;
	bool mapped;
};

/** recording_open() - map a file, or read a pipe to its end. Return: 0; -1 and errno, and then
 * recording_close() all the same. */
int recording_open(struct recording *recording, const char *file);
void recording_close(const struct recording *recording);
/** recording_line() - take the next line off @rest, without its end. Return: its length. */
size_t recording_line(struct recording *rest, const char **line);
