/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Config text: the files of the configuration in force, word by word, for evidence. They are read
 * when it takes effect: a file may be another by the time that somebody asks.
 */
#include <pthread.h>
#include <stddef.h>

struct config_text {
	pthread_mutex_t lock; /* of what follows: a reload reads while somebody asks */
	struct config_file *files;
	size_t n;
};

void config_text_init(struct config_text *text);
void config_text_deinit(struct config_text *text);
/** config_text_read() - @file and all that it includes, in the place of what was there */
void config_text_read(struct config_text *text, const char *file);
/** config_text_each() - (any thread) @i: 0: the file itself, then what it includes in order */
void config_text_each(struct config_text *text,
		      void (*fn)(void *context, size_t i, const char *name, const char *at,
				 size_t length),
		      void *context);
