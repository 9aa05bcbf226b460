/* SPDX-License-Identifier: Apache-2.0 */
/* Why a case is as severe as it is: for its history, in the language of the node. */
#include "core/section.h"
#include "core/supcase.h"
#include "core/text.h"

#include <string.h>

/* One sentence in both languages; %s is the figure. */
struct cause {
	const char *english, *chinese;
};

static void say_figure(struct text *out, const struct cause *cause, bool chinese, double value,
		       int decimals)
{
	struct text figure = {0};
	const char *sentence = chinese ? cause->chinese : cause->english;
	const char *place = strstr(sentence, "{}");
	text_fixed(&figure, value, decimals);
	text_add_n(out, sentence, (size_t)(place - sentence));
	text_add(out, figure.at);
	text_add(out, place + 2);
	out->failed |= figure.failed;
	text_deinit(&figure);
}

static void say_class(struct text *out, const struct severity_facts *f, bool chinese)
{
	text_format(out, chinese ? "水质类别%s" : "class %s",
		    f->class == SECTION_INFERIOR && chinese ? "劣V" : section_name(f->class));
	if (f->below > 0)
		text_format(out, chinese ? ",低于目标%d级" : ", %d below the target", f->below);
}

/* What of the factor itself, by a rule of its own or by the multiple. */
static void say_value(struct text *out, const struct severity_facts *f, bool chinese)
{
	static const struct cause acidity = {"pH of {}", "pH值{}"},
				  oxygen = {"dissolved oxygen of {} mg/L", "溶解氧{} mg/L"},
				  multiple = {"{} times over the limit", "超标{}倍"};
	if (f->has_peak && strcmp(f->factor, "w01001") == 0)
		say_figure(out, &acidity, chinese, f->peak, 2);
	else if (f->has_peak && strcmp(f->factor, "w01009") == 0)
		say_figure(out, &oxygen, chinese, f->peak, 2);
	else if (f->kind == SITE_RIVER_SECTION && f->class != SECTION_UNKNOWN)
		say_class(out, f, chinese);
	else if (f->has_multiple)
		say_figure(out, &multiple, chinese, f->multiple, 2);
}

enum severity severity_by_peak(const struct plan *plan, uint32_t monitor, enum bound bound,
			       double peak, double limit)
{
	const struct monitor *m = &plan->monitors[monitor];
	struct severity_facts f = {.kind = plan->sites[m->site].kind,
				   .factor = m->factor,
				   .has_limit = true,
				   .limit = limit,
				   .has_peak = true,
				   .peak = peak};
	f.has_multiple = case_multiple(m, bound, peak, limit, &f.multiple);
	severity_section(&f, plan, monitor);
	return case_severity(&f);
}

void severity_why(const struct severity_facts *f, bool chinese, struct text *out)
{
	enum severity severity = case_severity(f);
	bool source = f->kind == SITE_WATER_SOURCE;
	struct severity_facts alone = *f; /* without what the kind of site adds */
	alone.days = 0;
	alone.kind = source && !f->has_multiple ? SITE_OUTFALL : f->kind;
	if (severity == SEVERITY_GRAVE && (source || f->kind == SITE_RIVER_SECTION) &&
	    factor_is_toxic(f->factor))
		text_add(out, chinese ? "有毒污染物" : "a toxic pollutant");
	else if (case_severity(&alone) == severity)
		say_value(out, f, chinese);
	else if (source)
		text_add(out, chinese ? "饮用水水源地" : "a water source");
	else
		text_format(out, chinese ? "30日内%d日超标" : "%d exceeding days in 30", f->days);
}

void severity_rise(enum severity from, const struct severity_facts *f, bool chinese,
		   struct text *out)
{
	enum severity to = case_severity(f);
	if (chinese)
		text_format(out, "%s→%s:", case_word_chinese(LIST_SEVERITY, severity_name(from)),
			    case_word_chinese(LIST_SEVERITY, severity_name(to)));
	else
		text_format(out, "%s → %s: ", severity_name(from), severity_name(to));
	severity_why(f, chinese, out);
}
