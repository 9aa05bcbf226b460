/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Line file: lines that are only ever added, each durable before the call returns.
 */
#include "core/text.h"

/* Results besides 0 and negative errno. */
enum line_file_result { LINE_FILE_FATAL = 1 /* a failed fsync: the daemon must end */ };

/** line_file_add() - add @line with a line end; whole or not at all
 * Return: 0, negative errno, LINE_FILE_FATAL. */
int line_file_add(const char *directory, const char *name, const struct text *line);
/**
 * line_file_last() - the last whole line, without its end; what a crash left behind it is cut off
 * @out: emptied first; stays empty where there is no line
 */
int line_file_last(const char *directory, const char *name, struct text *out);
/** sync_folder() - make names in it durable. Return: as line_file_add(). */
int sync_folder(const char *directory);
