/* SPDX-License-Identifier: Apache-2.0 */
#include "config-text.h"

#include "config/sources.h"
#include "core/text.h"

#include <stdlib.h>
#include <string.h>

struct config_file {
	char *name;
	struct text text;
};

void config_text_init(struct config_text *text)
{
	*text = (struct config_text){0};
	pthread_mutex_init(&text->lock, NULL);
}

static void files_free(struct config_file *files, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(files[i].name);
		text_deinit(&files[i].text);
	}
	free(files);
}

void config_text_deinit(struct config_text *text)
{
	files_free(text->files, text->n);
	pthread_mutex_destroy(&text->lock);
}

/* Without memory evidence has one file less. */
static void file_add(void *context, const char *name, const char *at, size_t length)
{
	struct config_text *text = context;
	void *grown = reallocarray(text->files, text->n + 1, sizeof *text->files);

	if (grown == NULL)
		return;
	text->files = grown;
	struct config_file *file = &text->files[text->n++];
	*file = (struct config_file){.name = strdup(name)};
	text_add_n(&file->text, at, length);
}

void config_text_read(struct config_text *text, const char *file)
{
	struct config_text now = {0};

	(void)config_sources(file, file_add, &now);
	pthread_mutex_lock(&text->lock);
	struct config_file *before = text->files;
	size_t n = text->n;
	text->files = now.files;
	text->n = now.n;
	pthread_mutex_unlock(&text->lock);
	files_free(before, n);
}

void config_text_each(struct config_text *text,
		      void (*fn)(void *context, size_t i, const char *name, const char *at,
				 size_t length),
		      void *context)
{
	pthread_mutex_lock(&text->lock);
	for (size_t i = 0; i < text->n; i++) {
		const struct config_file *file = &text->files[i];
		if (file->name != NULL && !file->text.failed)
			fn(context, i, file->name, file->text.at != NULL ? file->text.at : "",
			   file->text.length);
	}
	pthread_mutex_unlock(&text->lock);
}
