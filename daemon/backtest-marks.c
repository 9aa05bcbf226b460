/* SPDX-License-Identifier: Apache-2.0 */
#include "backtest-marks.h"

#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct marking {
	const struct plan *plan;
	const char *file;
	FILE *err;
	struct mark *given;
	size_t n, room;
	unsigned long number; /* of the line */
	bool bad;
};

static bool says(const char *name, const char *at, size_t length)
{
	return strlen(name) == length && memcmp(name, at, length) == 0;
}

static uint32_t monitor_of(const struct plan *plan, const struct marks_row *row)
{
	for (uint32_t i = 0; i < plan->n_monitors; i++)
		if (says(plan->monitors[i].factor, row->factor, row->factor_length) &&
		    says(plan->sites[plan->monitors[i].site].id, row->site, row->site_length))
			return i;
	return NO_INDEX;
}

static bool keep(struct marking *m, const struct mark *mark)
{
	if (m->n == m->room) {
		size_t room = m->room == 0 ? 64 : 2 * m->room;
		struct mark *more = reallocarray(m->given, room, sizeof *more);
		if (more == NULL)
			return false;
		m->given = more;
		m->room = room;
	}
	m->given[m->n++] = *mark;
	return true;
}

static void say(struct marking *m, const char *why)
{
	fprintf(m->err, "%s:%lu: %s\n", m->file, m->number, why);
	m->bad = true;
}

static void take_row(struct marking *m, const char *line, size_t length,
		     const struct marks_header *header)
{
	char why[160];
	struct marks_row row;
	if (!marks_row(line, length, header, &m->plan->zone, &row, why, sizeof why)) {
		say(m, why);
		return;
	}
	struct mark mark = {monitor_of(m->plan, &row), row.from_ms, row.to_ms, row.flag};
	if (mark.monitor == NO_INDEX)
		fprintf(m->err, "%s:%lu: no monitor \"%.*s\" \"%.*s\": the mark is skipped\n",
			m->file, m->number, (int)row.site_length, row.site, (int)row.factor_length,
			row.factor);
	else if (!keep(m, &mark))
		say(m, "out of memory");
}

static void take_lines(struct marking *m, FILE *in)
{
	struct marks_header header;
	char *line = NULL, why[160];
	size_t room = 0;
	ssize_t n;
	while ((n = getline(&line, &room, in)) >= 0) {
		size_t length = (size_t)n;
		while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
			length--;
		m->number++;
		if (m->number > 1 && length > 0) {
			take_row(m, line, length, &header);
		} else if (m->number == 1 &&
			   !marks_header(line, length, &header, why, sizeof why)) {
			say(m, why);
			break;
		}
	}
	free(line);
	if (m->number == 0) {
		m->number = 1;
		say(m, "the file is empty; its first line names the columns");
	}
}

int backtest_marks(const struct plan *plan, const char *file, struct marks *out, FILE *err)
{
	struct marking m = {.plan = plan, .file = file, .err = err};
	FILE *in = fopen(file, "re");
	*out = (struct marks){0};
	if (in == NULL) {
		fprintf(err, "%s: %s\n", file, log_error_text(errno));
		return 1;
	}
	take_lines(&m, in);
	if (ferror(in))
		say(&m, log_error_text(errno));
	fclose(in);
	if (!m.bad && marks_build(out, plan->n_monitors, m.given, m.n) < 0)
		say(&m, "out of memory");
	free(m.given);
	return m.bad ? 1 : 0;
}
