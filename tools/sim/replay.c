/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/replay.h"

#include "sim/bank.h"

#include "core/text.h"
#include "core/zone.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_FIELDS = 32, MAX_UNITS = 247, WORDS = 2 };

enum column { TIME, SITE, FACTOR, VALUE, FLAG, COLUMNS };
static const char *const column_names[COLUMNS] = {"time", "site", "factor", "value", "flag"};

struct replay_reader {
	const struct replay_options *options;
	FILE *faults;
	uint32_t line;
	int column[COLUMNS]; /* place in the row, -1: not there */
	struct zone_change offset;
	struct zone zone;
	size_t room_rows, room_series;
	struct replay *replay;
};

static void reader_fault(struct replay_reader *in, const char *what, const char *text)
{
	fprintf(in->faults, "%s:%u: %s \"%s\"\n", in->options->file, in->line, what, text);
	in->replay->n_bad++;
}

/* Cuts the line at its commas, in place. Return: number of fields. */
static int reader_split(char *line, char *fields[MAX_FIELDS])
{
	int n = 0;
	line[strcspn(line, "\r\n")] = '\0';
	while (n < MAX_FIELDS) {
		char *comma = strchr(line, ',');
		fields[n++] = line;
		if (comma == NULL)
			break;
		*comma = '\0';
		line = comma + 1;
	}
	return n;
}

static int reader_header(struct replay_reader *in, char *line)
{
	char *fields[MAX_FIELDS];
	if (strncmp(line, "\xef\xbb\xbf", 3) == 0)
		line += 3;
	int n = reader_split(line, fields);
	for (int c = 0; c < COLUMNS; c++) {
		in->column[c] = -1;
		for (int i = 0; i < n; i++)
			if (strcmp(fields[i], column_names[c]) == 0)
				in->column[c] = i;
		if (in->column[c] < 0 && c != FLAG) {
			reader_fault(in, "the header has no column", column_names[c]);
			return -EINVAL;
		}
	}
	return 0;
}

/* Return: false for what is neither a number nor one of the words for none. */
static bool reader_value(const char *text, double *value)
{
	char *end;
	*value = NAN;
	if (*text == '\0' || strcasecmp(text, "NA") == 0 || strcasecmp(text, "NaN") == 0)
		return true;
	if (text[strspn(text, "0123456789+-.eE")] != '\0')
		return false;
	*value = strtod(text, &end);
	return *end == '\0' && isfinite(*value);
}

static bool reader_wants(const struct replay_reader *in, const char *site)
{
	for (size_t i = 0; i < in->options->n_sites; i++)
		if (strcmp(in->options->sites[i], site) == 0)
			return true;
	return in->options->n_sites == 0;
}

/* Makes room for one more. Return: 0 or -ENOMEM. */
static int reader_grow(void **at, size_t n, size_t *room, size_t bytes)
{
	if (n < *room)
		return 0;
	size_t more = *room == 0 ? 64 : *room * 2;
	void *grown = reallocarray(*at, more, bytes);
	if (grown == NULL)
		return -ENOMEM;
	*at = grown;
	*room = more;
	return 0;
}

/* Unit and address of a new series: behind the last one of its site, or a new unit. */
static int reader_place(const struct replay *r, struct replay_series *s)
{
	s->unit_id = 1;
	for (size_t i = 0; i < r->n_series; i++) {
		const struct replay_series *o = &r->series[i];
		if (strcmp(o->site, s->site) == 0) {
			s->unit_id = o->unit_id;
			s->address = (uint16_t)(o->address + WORDS);
		} else if (s->address == 0 && o->unit_id >= s->unit_id) {
			s->unit_id = (uint8_t)(o->unit_id + 1);
		}
	}
	return s->unit_id > MAX_UNITS ? -EINVAL : 0;
}

static int reader_new_series(struct replay_reader *in, const char *site, const char *factor)
{
	struct replay *r = in->replay;
	void *at = r->series;
	if (reader_grow(&at, r->n_series, &in->room_series, sizeof *r->series) != 0)
		return -ENOMEM;
	r->series = at;
	struct replay_series *s = &r->series[r->n_series];
	*s = (struct replay_series){.current = NAN, .site = strdup(site), .factor = strdup(factor)};
	if (asprintf(&s->topic, "%s/%s/%s", in->options->prefix, site, factor) < 0)
		s->topic = NULL;
	r->n_series++;
	if (s->site == NULL || s->factor == NULL || s->topic == NULL)
		return -ENOMEM;
	r->n_series--;
	int error = reader_place(r, s);
	r->n_series++;
	if (error != 0)
		reader_fault(in, "more than 247 sites, the first too many is", site);
	return error;
}

/* Return: 0 and its index, -ENOMEM, or -EINVAL (said). */
static int reader_series(struct replay_reader *in, const char *site, const char *factor,
			 uint32_t *series)
{
	struct replay *r = in->replay;
	for (size_t i = 0; i < r->n_series; i++)
		if (strcmp(r->series[i].factor, factor) == 0 &&
		    strcmp(r->series[i].site, site) == 0) {
			*series = (uint32_t)i;
			return 0;
		}
	*series = (uint32_t)r->n_series;
	return reader_new_series(in, site, factor);
}

static int reader_keep(struct replay_reader *in, struct replay_row *row, const char *site,
		       const char *factor)
{
	struct replay *r = in->replay;
	void *at = r->rows;
	int error = reader_series(in, site, factor, &row->series);
	if (error == 0)
		error = reader_grow(&at, r->n_rows, &in->room_rows, sizeof *r->rows);
	if (error != 0)
		return error;
	r->rows = at;
	row->line = in->line;
	r->rows[r->n_rows++] = *row;
	return 0;
}

static int reader_row(struct replay_reader *in, char *line)
{
	char *fields[MAX_FIELDS];
	const char *text[COLUMNS];
	struct replay_row row = {0};
	int n = reader_split(line, fields);
	if (n == 1 && *fields[0] == '\0')
		return 0;
	for (int c = 0; c < COLUMNS; c++)
		text[c] = in->column[c] >= 0 && in->column[c] < n ? fields[in->column[c]] : "";
	row.flag = text[FLAG][0] != '\0' ? text[FLAG][0] : 'N';
	if (!time_parse(text[TIME], strlen(text[TIME]), &in->zone, &row.wall_ms))
		reader_fault(in, "not a time:", text[TIME]);
	else if (*text[SITE] == '\0' || *text[FACTOR] == '\0')
		reader_fault(in, "no site or no factor at", text[TIME]);
	else if (!reader_value(text[VALUE], &row.value))
		reader_fault(in, "not a number:", text[VALUE]);
	else if (strlen(text[FLAG]) > 1 || strchr("NFMSDCTB", row.flag) == NULL)
		reader_fault(in, "not a flag:", text[FLAG]);
	else if (!reader_wants(in, text[SITE]))
		in->replay->n_skipped++;
	else
		return reader_keep(in, &row, text[SITE], text[FACTOR]);
	return 0;
}

static int reader_file(struct replay_reader *in, FILE *file)
{
	char *line = NULL;
	size_t room = 0;
	int error = 0;
	while (error == 0 && getline(&line, &room, file) >= 0)
		error = in->line++ == 0 ? (in->line = 1, reader_header(in, line))
					: reader_row(in, line);
	if (error == 0 && in->line == 0) {
		in->line = 1;
		reader_fault(in, "no header line in", in->options->file);
		error = -EINVAL;
	}
	free(line);
	return error;
}

static int replay_compare(const void *left, const void *right)
{
	const struct replay_row *a = left, *b = right;
	if (a->wall_ms != b->wall_ms)
		return a->wall_ms < b->wall_ms ? -1 : 1;
	return (a->line > b->line) - (a->line < b->line);
}

int replay_load(const struct replay_options *options, struct replay **out, FILE *faults)
{
	struct replay_reader in = {.options = options, .faults = faults, .line = 0};
	in.offset.offset_s = options->offset_s;
	in.zone = (struct zone){.changes = &in.offset, .n_changes = 1};
	FILE *file = fopen(options->file, "re");
	if (file == NULL) {
		fprintf(faults, "%s:1: cannot read it: %s\n", options->file, strerror(errno));
		return -EINVAL;
	}
	in.replay = calloc(1, sizeof *in.replay);
	int error = in.replay == NULL ? -ENOMEM : reader_file(&in, file);
	fclose(file);
	if (error != 0) {
		replay_free(in.replay);
		return error;
	}
	if (in.replay->n_rows > 1)
		qsort(in.replay->rows, in.replay->n_rows, sizeof *in.replay->rows, replay_compare);
	*out = in.replay;
	return 0;
}

struct replay *replay_free(struct replay *r)
{
	if (r == NULL)
		return NULL;
	for (size_t i = 0; i < r->n_series; i++) {
		free(r->series[i].site);
		free(r->series[i].factor);
		free(r->series[i].topic);
	}
	free(r->series);
	free(r->rows);
	free(r);
	return NULL;
}

char *replay_payload(const struct replay_row *row)
{
	struct text text = {0};
	text_format(&text, "{\"ts\":%lld,\"value\":", (long long)row->wall_ms);
	text_double(&text, row->value);
	text_format(&text, ",\"flag\":\"%c\"}", row->flag);
	if (text.failed)
		text_deinit(&text);
	return text.at;
}

static const struct replay_series *replay_at(const struct replay *r, uint8_t unit_id, unsigned word)
{
	for (size_t i = 0; i < r->n_series; i++)
		if (r->series[i].unit_id == unit_id && r->series[i].address == word - word % WORDS)
			return &r->series[i];
	return NULL;
}

int replay_read(void *context, uint8_t unit_id, uint8_t function, uint16_t address, unsigned count,
		int64_t time_ms, uint16_t *words)
{
	const struct replay *r = context;
	(void)time_ms;
	if (replay_at(r, unit_id, 0) == NULL)
		return BANK_NO_SUCH_UNIT;
	for (unsigned i = 0; i < count; i++) {
		const struct replay_series *s = replay_at(r, unit_id, address + i);
		uint16_t own[WORDS];
		if (s == NULL || function < BANK_HOLDING)
			return BANK_ILLEGAL_ADDRESS;
		bank_encode(BANK_FLOAT32, BANK_ABCD, s->current, own);
		words[i] = own[(address + i) % WORDS];
	}
	return BANK_OK;
}
