/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Reader: where the texts of a configuration come from, the disk or (in tests) the memory.
 */
#include <stddef.h>

#define READER_MAX_BYTES (16u << 20)

struct reader {
	/* Return: 0 and *text of *length bytes plus a NUL, to be freed; or a negative errno */
	int (*read)(void *context, const char *path, char **text, size_t *length);
	/* Names in the folder that end in ".cfg", sorted. Return: 0, or a negative errno */
	int (*list)(void *context, const char *folder, char ***names, size_t *n);
	void *context;
};

extern const struct reader reader_disk;

int reader_read(const struct reader *reader, const char *path, char **text, size_t *length);
int reader_list(const struct reader *reader, const char *folder, char ***names, size_t *n);
void reader_free_names(char **names, size_t n);
/** reader_beside() - @path as seen from the folder of @file: joined unless absolute; NULL: no
 * memory */
char *reader_beside(const char *file, const char *path);
/** reader_join() - "folder/name"; NULL: no memory */
char *reader_join(const char *folder, const char *name);
