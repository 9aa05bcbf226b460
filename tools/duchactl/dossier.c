/* SPDX-License-Identifier: Apache-2.0 */
#include "show.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whole or not at all: beside the file first, then in its place. */
static int write_file(const char *path, const struct text *page)
{
	struct text beside = {0};
	text_add(&beside, path);
	text_add(&beside, ".XXXXXX");
	int fd = beside.failed ? -1 : mkstemp(beside.at);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	bool good = file != NULL && fchmod(fd, 0640) == 0 &&
		    fwrite(page->at, 1, page->length, file) == page->length;
	if (file != NULL)
		good = fclose(file) == 0 && good;
	good = good && rename(beside.at, path) == 0;
	if (!good) {
		fprintf(stderr, "duchactl: %s: %s\n", path, strerror(errno));
		if (fd >= 0)
			unlink(beside.at);
	}
	text_deinit(&beside);
	return good ? CTL_OK : CTL_FAILED;
}

/* What client_path() built, in the language asked for, to stdout or into a file. */
static int take_document(struct client *client, const struct ctl_options *options)
{
	struct client_answer answer = {0};
	const char *chosen = getenv("LANGUAGE");
	if (options->language != NULL)
		client_parameter(client, "language", options->language);
	else if (chosen != NULL && chosen[0] != '\0')
		client_parameter(client, "language",
				 strncmp(chosen, "zh", 2) == 0 ? "zh_CN" : "en");
	int result = show_fetch(client, &answer);
	if (result == CTL_OK)
		result = options->output == NULL ? show_body(&answer)
						 : write_file(options->output, &answer.body);
	client_answer_deinit(&answer);
	return result;
}

int show_dossier(struct client *client, const struct ctl_options *options)
{
	struct text path = {0};
	text_format(&path, "/api/v1/cases/%s/dossier", options->id);
	client_path(client, path.at);
	if (options->open)
		client_parameter(client, "public", "1");
	int result = take_document(client, options);
	text_deinit(&path);
	return result;
}

/* --- an archive --- */

enum { BLOCK_BYTES = 512, SIZE_AT = 124, SIZE_DIGITS = 11 };

/* A member of the archive, as core/tar.h writes them. Return: NULL: there is none. */
static const char *tar_member(const struct text *tar, const char *name, size_t *size)
{
	char digits[SIZE_DIGITS + 1] = "";
	for (size_t at = 0; at + BLOCK_BYTES <= tar->length && tar->at[at] != '\0';) {
		memcpy(digits, tar->at + at + SIZE_AT, SIZE_DIGITS);
		*size = strtoul(digits, NULL, 8);
		size_t next = at + BLOCK_BYTES;
		if (*size > tar->length - next)
			return NULL;
		if (strncmp(tar->at + at, name, 100) == 0)
			return tar->at + next;
		at = next + (*size + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
	}
	return NULL;
}

/* What followed from a rule, such as days that were removed, is no fault, and is told. */
static void notes_tell(const char *said, size_t size)
{
	for (const char *line = said, *end; line < said + size; line = end + 1) {
		end = memchr(line, '\n', (size_t)(said + size - line));
		if (end == NULL)
			return;
		if (strncmp(line, "note: ", 6) == 0)
			fprintf(stderr, "duchactl evidence: %.*s\n", (int)(end - line), line);
	}
}

/* What is not as it was sealed is archived all the same, and loudly. */
static int archive_judge(const struct ctl_options *options, const struct text *tar)
{
	size_t size;
	const char *said = tar_member(tar, "VERIFY.txt", &size);
	if (said != NULL)
		notes_tell(said, size);
	if (said == NULL || strncmp(said, "clean", 5) == 0)
		return CTL_OK;
	fprintf(stderr, "duchactl evidence: %.*s\n", (int)strcspn(said, "\n"), said);
	fprintf(stderr,
		"duchactl evidence: %s: written all the same, with VERIFY.txt in it; what it holds "
		"is not as it was sealed\n",
		options->output);
	return CTL_FAILED;
}

int show_evidence(struct client *client, const struct ctl_options *options)
{
	struct client_answer answer = {0};
	struct text path = {0};
	text_format(&path, "/api/v1/cases/%s/evidence", options->id);
	client_path(client, path.at);
	if (options->trust != NULL)
		client_parameter(client, "trust", options->trust);
	int result = show_fetch(client, &answer);
	if (result == CTL_OK)
		result = write_file(options->output, &answer.body);
	if (result == CTL_OK)
		result = archive_judge(options, &answer.body);
	client_answer_deinit(&answer);
	text_deinit(&path);
	return result;
}

int show_report(struct client *client, const struct ctl_options *options)
{
	client_path(client, "/api/v1/report");
	if (options->month != NULL)
		client_parameter(client, "month", options->month);
	if (options->year != NULL)
		client_parameter(client, "year", options->year);
	if (options->csv)
		client_header(client, "Accept: text/csv");
	return take_document(client, options);
}
