/* SPDX-License-Identifier: Apache-2.0 */
#include "store/numbers.h"

#include "core/text.h"
#include "store/sql.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NUMBERS_BYTES = 65536 };

/* Digits that changed on the disk change it; not a signature. */
static uint64_t numbers_sum(const struct numbers *n)
{
	const int64_t heads[] = {n->known, n->cases, n->alerts, n->events};
	uint64_t sum = 5381;

	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
		sum = sum * 1000003 + (uint64_t)heads[i];
	for (size_t i = 0; i < n->n_years; i++)
		sum = (sum * 1000003 + (uint64_t)n->years[i].year) * 1000003 +
		      (uint64_t)n->years[i].seq;
	return sum;
}

int numbers_year(struct numbers *numbers, int64_t year, int64_t seq)
{
	for (size_t i = 0; i < numbers->n_years; i++) {
		if (numbers->years[i].year != year)
			continue;
		if (numbers->years[i].seq < seq)
			numbers->years[i].seq = seq;
		return 0;
	}
	void *more = reallocarray(numbers->years, numbers->n_years + 1, sizeof *numbers->years);
	if (more == NULL)
		return -ENOMEM;
	numbers->years = more;
	numbers->years[numbers->n_years++] = (struct number_year){year, seq};
	return 0;
}

void numbers_deinit(struct numbers *numbers)
{
	free(numbers->years);
	*numbers = (struct numbers){0};
}

/* --- text --- */

static int parse_years(struct numbers *out, const char **at)
{
	int64_t year, seq;
	int length, r = 0;

	while (r == 0 &&
	       sscanf(*at, "year %" SCNd64 " %" SCNd64 "\n%n", &year, &seq, &length) == 2) {
		r = numbers_year(out, year, seq);
		*at += length;
	}
	return r;
}

int numbers_parse(struct numbers *out, const char *text)
{
	int length = 0;
	uint64_t sum = 0;

	*out = (struct numbers){0};
	int n = sscanf(text,
		       "cases %" SCNd64 " %" SCNd64 "\nalerts %" SCNd64 "\nevents %" SCNd64 "\n%n",
		       &out->known, &out->cases, &out->alerts, &out->events, &length);
	text += length;
	int r = n == 4 && length > 0 ? parse_years(out, &text) : -EUCLEAN;
	if (r == 0 && (sscanf(text, "sum %" SCNx64, &sum) != 1 || sum != numbers_sum(out)))
		r = -EUCLEAN;
	if (r != 0)
		numbers_deinit(out);
	return r;
}

static void numbers_print(const struct numbers *n, struct text *out)
{
	text_format(out, "cases %" PRId64 " %" PRId64 "\nalerts %" PRId64 "\nevents %" PRId64 "\n",
		    n->known, n->cases, n->alerts, n->events);
	for (size_t i = 0; i < n->n_years; i++)
		text_format(out, "year %" PRId64 " %" PRId64 "\n", n->years[i].year,
			    n->years[i].seq);
	text_format(out, "sum %" PRIx64 "\n", numbers_sum(n));
}

/* --- the file --- */

int numbers_read(struct numbers *out, const char *directory)
{
	char path[4200], *text = malloc(NUMBERS_BYTES);

	*out = (struct numbers){0};
	if (text == NULL)
		return -ENOMEM;
	snprintf(path, sizeof path, "%s/numbers", directory);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : 0;
	if (r == 0) {
		ssize_t n = read(fd, text, NUMBERS_BYTES - 1);
		r = n < 0 ? -errno : 0;
		text[n < 0 ? 0 : n] = '\0';
		close(fd);
	}
	if (r == 0)
		r = numbers_parse(out, text);
	free(text);
	return r;
}

static int file_put(const char *path, const struct text *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	ssize_t n = write(fd, text->at, text->length);
	int r = n < 0 ? -errno : (size_t)n < text->length ? -ENOSPC : 0;
	if (r == 0 && fsync(fd) != 0)
		r = SQL_FATAL;
	close(fd);
	return r;
}

int numbers_write(const struct numbers *numbers, const char *directory)
{
	char path[4200], next[4210];
	struct text text = {0};

	snprintf(path, sizeof path, "%s/numbers", directory);
	snprintf(next, sizeof next, "%s.new", path);
	numbers_print(numbers, &text);
	int r = text.failed ? -ENOMEM : file_put(next, &text);
	text_deinit(&text);
	if (r == 0 && rename(next, path) != 0)
		r = -errno;
	return r == 0 ? sql_sync_directory(directory) : r;
}
