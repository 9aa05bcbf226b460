/* SPDX-License-Identifier: Apache-2.0 */
#include "core/section.h"

#include "core/number.h"

#include <stddef.h>

static bool within(const struct class_bounds *b, size_t class, double value)
{
	return (!b->has_max || compare12(value, b->max[class]) <= 0) &&
	       (!b->has_min || compare12(value, b->min[class]) >= 0);
}

int section_class_of(const struct class_bounds *b, double value)
{
	int class = 0;
	while (class < SECTION_CLASSES && !within(b, (size_t) class, value))
		class ++;
	return class + 1;
}

/* Against class III, which the assessment rules compare with: above 1 is beyond it. */
static double ratio(const struct class_bounds *b, double value)
{
	enum { THIRD = 2 };
	if (b->has_max && b->has_min)
		return value > b->max[THIRD] || value < b->min[THIRD] ? 1 : 0;
	if (b->has_max)
		return b->max[THIRD] > 0 ? value / b->max[THIRD] : 0;
	return value > 0 ? b->min[THIRD] / value : 1e300;
}

bool section_counts(const struct plan *plan, uint32_t monitor)
{
	return plan->monitors[monitor].classes != NULL;
}

bool section_is(const struct plan *plan, uint32_t site)
{
	const struct site *s = &plan->sites[site];
	for (uint32_t i = 0; i < s->n_monitors; i++)
		if (section_counts(plan, s->first_monitor + i))
			return true;
	return false;
}

void section_begin(struct section_class *section)
{
	*section = (struct section_class){.class = SECTION_UNKNOWN, .monitor = NO_INDEX};
}

void section_take(struct section_class *section, const struct plan *plan, uint32_t monitor,
		  double value)
{
	const struct class_bounds *b = plan->monitors[monitor].classes;
	if (b == NULL)
		return;
	int class = section_class_of(b, value);
	double r = ratio(b, value);
	if (class < section->class ||
	    (class == section->class &&
	     (r < section->ratio || (r == section->ratio && monitor > section->monitor))))
		return;
	*section = (struct section_class){class, monitor, r};
}

const char *section_name(int class)
{
	static const char *const names[] = {NULL, "I", "II", "III", "IV", "V", "inferior V"};
	return class >= 0 && class <= SECTION_INFERIOR ? names[class] : NULL;
}

int section_below(const struct plan *plan, uint32_t monitor, double value, double inferior_times,
		  int *class, bool *beyond)
{
	const struct monitor *m = &plan->monitors[monitor];
	const struct class_bounds *b = m->classes;
	int target = plan->sites[m->site].target_class;
	*class = b == NULL ? SECTION_UNKNOWN : section_class_of(b, value);
	*beyond = b != NULL && b->has_max && !b->has_min && *class == SECTION_INFERIOR &&
		  compare12(value, inferior_times * b->max[SECTION_CLASSES - 1]) > 0;
	return *class == SECTION_UNKNOWN || target == 0 ? 0 : *class - target;
}
