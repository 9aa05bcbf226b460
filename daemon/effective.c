/* SPDX-License-Identifier: Apache-2.0 */
#include "effective.h"

#include "core/rules.h"

#include <errno.h>
#include <string.h>

enum { COLUMNS = 6 };

struct listing {
	const struct plan *plan;
	uint32_t site;
	struct text cells; /* each with its NUL, row by row */
	size_t n, widths[COLUMNS];
};

/* Characters, of which these few texts have none that is wide. */
static size_t width_of(const char *text)
{
	size_t n = 0;
	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void add_cell(struct listing *l, const char *text)
{
	const char *shown = text == NULL || text[0] == '\0' ? "-" : text;
	size_t *width = &l->widths[l->n++ % COLUMNS];
	if (width_of(shown) > *width)
		*width = width_of(shown);
	text_add(&l->cells, shown);
	text_char(&l->cells, '\0');
}

static void add_rule(void *context, const struct rule *rule)
{
	struct listing *l = context;
	struct text value = {0}, from = {0};
	rule_value(&value, rule);
	rule_from(&from, l->plan, rule);
	add_cell(l, l->plan->sites[l->site].id);
	add_cell(l, rule->factor);
	add_cell(l, rule->limit);
	add_cell(l, rule->name);
	add_cell(l, value.at);
	add_cell(l, from.at);
	l->cells.failed = l->cells.failed || value.failed || from.failed;
	text_deinit(&value);
	text_deinit(&from);
}

static void print_cells(const struct listing *l, FILE *out)
{
	const char *cell = l->cells.at;
	for (size_t i = 0; i < l->n; i++, cell += strlen(cell) + 1) {
		bool last = i % COLUMNS == COLUMNS - 1;
		size_t room = last ? 0 : l->widths[i % COLUMNS] + 2 - width_of(cell);
		fprintf(out, "%s%*s%s", cell, (int)room, "", last ? "\n" : "");
	}
}

int effective_print(const struct plan *plan, FILE *out)
{
	static const char *const heads[COLUMNS] = {"SITE", "FACTOR", "LIMIT",
						   "RULE", "VALUE",  "ORIGIN"};
	struct listing l = {.plan = plan};
	for (size_t i = 0; i < COLUMNS; i++)
		add_cell(&l, heads[i]);
	for (; l.site < plan->n_sites; l.site++)
		rules_each(plan, l.site, add_rule, &l);
	int r = l.cells.failed ? -ENOMEM : 0;
	if (r == 0)
		print_cells(&l, out);
	text_deinit(&l.cells);
	return r;
}

/* Nobody said "none", and its kind has defaults of an office (signals/kinds.cfg). */
static bool may_follow(const struct site *site)
{
	return site->practice == NULL && site->places[RULE_PRACTICE].whence == WHENCE_BUILT_IN &&
	       (site->kind == SITE_RIVER_SECTION || site->kind == SITE_WATER_SOURCE ||
		site->kind == SITE_OUTFALL);
}

void effective_note(const struct plan *plan, const char *file, FILE *out)
{
	size_t n = 0;
	for (size_t i = 0; i < plan->n_sites; i++)
		n += may_follow(&plan->sites[i]);
	if (n > 0)
		fprintf(out,
			"%s: note: %zu of %zu sites follow no practice: what they do not say "
			"themselves is built-in, without delay, deadband, step or flat; practice = "
			"\"office\" at the node, or at a site, gives what offices use at its "
			"kind\n",
			file, n, plan->n_sites);
}
