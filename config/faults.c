/* SPDX-License-Identifier: Apache-2.0 */
#include "config/faults.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Takes over @message, which may be NULL. */
static void add(struct faults *faults, struct config_faults *list, const char *file, int line,
		char *message)
{
	char *name = strdup(file);
	struct config_fault *at = realloc(list->at, (list->n + 1) * sizeof(*at));
	if (at)
		list->at = at;
	if (!at || !name || !message) {
		free(name);
		free(message);
		faults->no_memory = true;
		return;
	}
	at[list->n++] = (struct config_fault){.file = name, .line = line, .message = message};
}

void faults_add(struct faults *faults, const char *file, int line, const char *format, ...)
{
	char *message = NULL;
	va_list arguments;
	va_start(arguments, format);
	if (vasprintf(&message, format, arguments) < 0)
		message = NULL;
	va_end(arguments);
	add(faults, &faults->list, file, line, message);
}

void faults_add_text(struct faults *faults, const char *file, int line, const char *message)
{
	add(faults, &faults->list, file, line, strdup(message));
}

void faults_note_text(struct faults *faults, const char *file, int line, const char *message)
{
	add(faults, &faults->notes, file, line, strdup(message));
}

static bool in_order(const struct config_fault *a, const struct config_fault *b)
{
	int names = strcmp(a->file, b->file);
	return names < 0 || (names == 0 && a->line <= b->line);
}

/* Insertion keeps faults of one line as they were found; they come nearly sorted. */
void faults_sort(struct config_faults *list)
{
	for (size_t i = 1; i < list->n; i++) {
		struct config_fault moving = list->at[i];
		size_t place = i;
		for (; place > 0 && !in_order(&list->at[place - 1], &moving); place--)
			list->at[place] = list->at[place - 1];
		list->at[place] = moving;
	}
}

void config_faults_print(const struct config_faults *faults, FILE *out)
{
	for (size_t i = 0; i < faults->n; i++)
		fprintf(out, "%s:%d: %s\n", faults->at[i].file, faults->at[i].line,
			faults->at[i].message);
}

void config_faults_deinit(struct config_faults *faults)
{
	for (size_t i = 0; i < faults->n; i++) {
		free(faults->at[i].file);
		free(faults->at[i].message);
	}
	free(faults->at);
	*faults = (struct config_faults){0};
}
