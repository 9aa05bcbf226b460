/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include "words.h"

#include <string.h>

void table_cell(struct table *table, const char *s)
{
	words_clean(&table->cells, s == NULL || s[0] == '\0' ? "-" : s);
	text_char(&table->cells, '\0');
	table->n++;
}

static void pad(struct text *out, int n)
{
	while (n-- > 0)
		text_char(out, ' ');
}

void table_print(const struct table *table, struct text *out)
{
	int widths[TABLE_COLUMNS] = {0};
	const char *cell = table->cells.at;
	for (size_t i = 0; i < table->n; i++, cell += strlen(cell) + 1) {
		int width = words_width(cell);
		if (width > widths[i % table->columns])
			widths[i % table->columns] = width;
	}
	cell = table->cells.at;
	for (size_t i = 0; i < table->n; i++, cell += strlen(cell) + 1) {
		size_t column = i % table->columns;
		bool last = column + 1 == table->columns, right = (table->right >> column & 1) != 0;
		int room = widths[column] - words_width(cell);
		if (right)
			pad(out, room);
		text_add(out, cell);
		if (!right && !last)
			pad(out, room);
		text_add(out, last ? "\n" : "  ");
	}
}

void table_deinit(struct table *table)
{
	text_deinit(&table->cells);
}
