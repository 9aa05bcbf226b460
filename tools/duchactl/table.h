/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Table: aligned text for people.
 */
#include "core/text.h"

enum { TABLE_COLUMNS = 12 };

struct table {
	size_t columns;
	unsigned right;    /* bit for each column that is aligned to the right */
	struct text cells; /* each cell with its NUL */
	size_t n;          /* cells */
};

/** table_cell() - the next cell, row by row; control characters are replaced; NULL: "-" */
void table_cell(struct table *table, const char *s);
/** table_print() - all rows; each column as wide as its widest cell, two spaces between */
void table_print(const struct table *table, struct text *out);
void table_deinit(struct table *table);
