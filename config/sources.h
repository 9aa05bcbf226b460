/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Sources: the texts that a configuration is made of, as they stand in its files.
 */
#include <stddef.h>

/**
 * config_sources() - the file and all that it includes, in the order in which they are read
 * @fn: one of them: its name as it was looked up, and its text, which may hold anything
 * Return: 0, also where the text is broken: then those up to there; -ENOMEM.
 */
int config_sources(const char *file,
		   void (*fn)(void *context, const char *name, const char *text, size_t length),
		   void *context);
