/* SPDX-License-Identifier: Apache-2.0 */
#include "config/document.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Only what the scan lets through, so hardly ever. */
static void syntax_fault(const struct document *document, struct faults *faults)
{
	const struct scan *scan = &document->scan;
	const char *error = config_error_text(&document->tree);
	int flat_line = config_error_line(&document->tree);
	size_t length;
	const char *line = scan_line(scan, flat_line, &length);
	struct scan_place place = scan_place(scan, flat_line);
	faults_add(
		faults, scan->files[place.file].name, place.line,
		"%s at \"%.*s\"; look for a missing quote, bracket, = or ; on this line or the one "
		"before",
		error ? error : "syntax error", scan_shown(line, length), line);
}

/* A broken text does not reach libconfig, which loses memory at some syntax errors. */
static int parse(struct document *document, struct faults *faults)
{
	const struct scan *scan = &document->scan;
	if (scan->broken) {
		faults_add_text(faults, scan->broken_file, scan->broken_line, scan->broken_message);
		return -EINVAL;
	}
	if (config_read_string(&document->tree, scan->flat.at) == CONFIG_TRUE)
		return 0;
	syntax_fault(document, faults);
	return -EINVAL;
}

int document_read(struct document *document, const char *file, const struct reader *reader,
		  struct faults *faults)
{
	config_init(&document->tree);
	int error = scan_read(&document->scan, file, reader);
	return error ? error : parse(document, faults);
}

void document_deinit(struct document *document)
{
	config_destroy(&document->tree);
	scan_deinit(&document->scan);
}

static bool same_line(const struct config_fault *fault, const char *file, int line)
{
	return fault->line == line && strcmp(fault->file, file) == 0;
}

/* Faults that follow from the one noted: the scan has put another value there. */
static void drop_line(struct config_faults *list, size_t first, const char *file, int line)
{
	size_t kept = first;
	for (size_t i = first; i < list->n; i++) {
		if (same_line(&list->at[i], file, line)) {
			free(list->at[i].file);
			free(list->at[i].message);
		} else {
			list->at[kept++] = list->at[i];
		}
	}
	list->n = kept;
}

static bool has_line(const struct config_faults *list, size_t first, const char *file, int line)
{
	for (size_t i = first; i < list->n; i++)
		if (same_line(&list->at[i], file, line))
			return true;
	return false;
}

void document_notes(const struct document *document, struct faults *faults, size_t first)
{
	const struct scan *scan = &document->scan;
	for (size_t i = 0; i < scan->n_notes; i++)
		if (scan->notes[i].weight == NOTE_INSTEAD) {
			struct scan_place place = scan_place(scan, scan->notes[i].line);
			drop_line(&faults->list, first, scan->files[place.file].name, place.line);
		}
	for (size_t i = 0; i < scan->n_notes; i++) {
		const struct scan_note *note = &scan->notes[i];
		struct scan_place place = scan_place(scan, note->line);
		const char *file = scan->files[place.file].name;
		if (note->weight != NOTE_UNLESS ||
		    !has_line(&faults->list, first, file, place.line))
			faults_add_text(faults, file, place.line, note->message);
	}
}

typedef void (*say_fn)(struct faults *faults, const char *file, int line, const char *message);

static void say(const struct document *document, struct faults *faults,
		const config_setting_t *setting, say_fn add, const char *format, va_list arguments)
	__attribute__((format(printf, 5, 0)));
static void say(const struct document *document, struct faults *faults,
		const config_setting_t *setting, say_fn add, const char *format, va_list arguments)
{
	const struct scan *scan = &document->scan;
	struct scan_place place = scan_place(scan, (int)config_setting_source_line(setting));
	char *message = NULL;
	if (vasprintf(&message, format, arguments) < 0)
		message = NULL;
	if (message)
		add(faults, scan->files[place.file].name, place.line, message);
	else
		faults->no_memory = true;
	free(message);
}

int document_line(const struct document *document, const config_setting_t *setting)
{
	return scan_place(&document->scan, (int)config_setting_source_line(setting)).line;
}

void document_fault(const struct document *document, struct faults *faults,
		    const config_setting_t *setting, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	say(document, faults, setting, faults_add_text, format, arguments);
	va_end(arguments);
}

void document_note(const struct document *document, struct faults *faults,
		   const config_setting_t *setting, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	say(document, faults, setting, faults_note_text, format, arguments);
	va_end(arguments);
}
