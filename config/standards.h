/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Standards: the limits of published standards, from the files standards/NAME.cfg of the data
 * directory. An entry holds for one factor and for the classes it names (all, without `classes`);
 * some hold under a condition only (a lake, cold water), of which one may be the usual one.
 */
#include "config/catalogue.h"

struct standard_limit {
	char *factor, *unit, *table, *source, *condition, *from, *to;
	struct texts classes;
	bool usual; /* holds where no condition is asked for */
	bool has_max, has_min;
	double max, min;
	int average; /* enum config_average */
	int opens;   /* 0 alert, 1 case */
	int confidence;
};

struct standard {
	char *id, *name_zh, *name_en, *about;
	struct texts classes;
	struct standard_limit *limits;
	size_t n_limits, room;
};

struct standards {
	struct standard *at;
	size_t n;
	char today[11]; /* which entries are in force */
};

/** standards_read() - every file of DATA/standards; as catalogue_read() */
int standards_read(struct standards *standards, const char *data, const struct reader *reader,
		   struct faults *faults);
void standards_deinit(struct standards *standards);

/* What a limit entry asks for. */
struct standard_ask {
	const char *standard, *class_name, *condition; /* condition NULL: the usual one */
	int average;                                   /* -1: every */
	const char *factor, *unit;                     /* of the monitor */
};

/**
 * standards_expand() - the limits that a `standard` entry stands for, in the monitor's unit
 * @out: *n limits, only bounds, averaging, opens and source set; to be freed with their sources
 *
 * Where there are none, a fault at the key to blame names what exists.
 * Return: true if there are some
 */
bool standards_expand(const struct standards *standards, const struct standard_ask *ask,
		      struct walk *walk, const config_setting_t *entry, struct config_limit **out,
		      size_t *n);
