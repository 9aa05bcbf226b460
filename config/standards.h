/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Standards: the limits of published standards, from the files standards/NAME.cfg of the data
 * directory.
 *
 * A file is laid out as the printed standard is: tables, and in each a row for a factor with a
 * figure for every class, so that it can be read against the text. What a table says of all its
 * rows (averaging, what an exceedance opens, dates, source) a row may say otherwise for itself.
 * Rows hold from a date, and to one where another text replaced them; some hold under a condition
 * only (cold water, a lake), which may be the usual one at a kind of site.
 */
#include "config/catalogue.h"

enum { AVERAGES = 4 }; /* enum config_average */

struct standard_row {
	char *factor, *unit, *clause, *source, *condition, *from, *to;
	struct texts classes;
	struct texts
		usual_at;  /* kinds of sites where the condition holds unless another is named */
	double *max, *min; /* one for each class, or one for all; NULL: no such bound */
	size_t n_max, n_min;
	int average[AVERAGES], opens[AVERAGES]; /* enum config_average, and 0 alert, 1 case */
	size_t n_average, n_opens;
	int confidence;       /* enum confidence */
	int from_day, to_day; /* as in struct config_limit */
	bool said;            /* that its figure is not sure */
};
enum confidence { CONFIDENCE_HIGH, CONFIDENCE_MEDIUM, CONFIDENCE_LOW, CONFIDENCES };
extern const char *const confidence_names[CONFIDENCES + 1];

/* A factor that the standard has, and whose limit, or one of them, is none of a single value or of
 * a mean that is judged here. */
struct standard_absence {
	char *factor, *why, *source;
};

struct standard {
	char *id, *name_zh, *name_en, *about;
	char *replaced_by;            /* id of the standard that follows it; NULL: none */
	char *amended_on, *amendment; /* since when the rows are not all of it, and why; NULL */
	struct texts classes;
	bool recommended;   /* binds only where a permit cites it */
	bool rounded_means; /* means are rounded before they are compared */
	bool amendment_said;
	double gas_kelvin; /* reference state of gases at 101.325 kPa; 0: not said */
	struct standard_row *rows;
	size_t n_rows, room;
	struct standard_absence *absent;
	size_t n_absent;
};

struct standards {
	struct standard *at;
	size_t n;
};

/**
 * standards_read() - every file of DATA/standards; as catalogue_read()
 * @catalogue: every row's factor has to be in it, in a unit that converts
 */
int standards_read(struct standards *standards, const struct catalogue *catalogue, const char *data,
		   const struct reader *reader, struct faults *faults);
void standards_deinit(struct standards *standards);
/** standards_find() - by id, in which blanks and capitals do not count; NULL: there is none */
struct standard *standards_find(const struct standards *standards, const char *name);
/** texts_hold() - is @text one of them */
bool texts_hold(const struct texts *texts, const char *text);

/* What a limit entry asks for. */
struct standard_ask {
	const char *standard, *class_name;
	const char *condition; /* NULL: the usual one at the kind of site */
	const char *cited_by;  /* the permit that makes a recommended standard binding; NULL */
	const char *site_kind;
	int average;               /* -1: every */
	int from_day, to_day;      /* what the entry is meant for; 0: without bound */
	const char *factor, *unit; /* of the monitor */
	double molar_g;            /* of the factor; 0: not known */
};

/* One limit that it stands for: only bounds, averaging, opens, dates and source are set. */
struct standard_limit {
	struct config_limit limit; /* in the monitor's unit; the source is to be freed */
	const char *unit;          /* in which the standard has it */
	bool rounded_means;
};

/**
 * standards_expand() - the limits of all dates that a `standard` entry stands for, those of the
 * standards that replaced it included
 * @out: *n of them, to be freed
 *
 * Where there are none, a fault at the key to blame names what exists; a figure that is not sure,
 * and a standard that has been amended, are noted once. Return: true if there are some
 */
bool standards_expand(struct standards *standards, const struct standard_ask *ask,
		      struct walk *walk, const config_setting_t *entry, struct standard_limit **out,
		      size_t *n);
