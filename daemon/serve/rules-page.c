/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/rules-page.h"

#include "core/rules.h"

struct page {
	struct text *out;
	const struct plan *plan;
	const char *comma;
};

static void member(struct text *out, const char *name, const char *value)
{
	text_format(out, ",\"%s\":", name);
	text_json(out, value);
}

static void value_json(struct text *out, const struct rule *rule)
{
	text_add(out, ",\"value\":");
	if (rule->text != NULL)
		text_json(out, rule->text);
	else
		text_double(out, rule->number);
}

static void place_json(struct page *p, const struct rule *rule)
{
	bool placed = rule->place.line != 0 && p->plan->files != NULL;
	struct text place = {0};
	rule_from(&place, p->plan, rule);
	member(p->out, "from", whence_name((enum whence)rule->place.whence));
	member(p->out, "file", placed ? p->plan->files[rule->place.file] : NULL);
	if (placed)
		text_format(p->out, ",\"line\":%u", rule->place.line);
	else
		text_add(p->out, ",\"line\":null");
	member(p->out, "source", rule->source);
	member(p->out, "place", place.at);
	text_deinit(&place);
}

static void rule_json(void *context, const struct rule *rule)
{
	struct page *p = context;
	text_add(p->out, p->comma);
	text_add(p->out, "{\"factor\":");
	text_json(p->out, rule->factor);
	member(p->out, "limit", rule->limit);
	member(p->out, "rule", rule->name);
	value_json(p->out, rule);
	place_json(p, rule);
	text_char(p->out, '}');
	p->comma = ",";
}

void page_rules(struct text *out, const struct plan *plan, const char *site)
{
	uint32_t index = plan_site(plan, site);
	struct page p = {out, plan, ""};
	text_add(out, "{\"site\":");
	text_json(out, site);
	member(out, "kind", site_kind_name(plan->sites[index].kind));
	text_add(out, ",\"rules\":[");
	rules_each(plan, index, rule_json, &p);
	text_add(out, "]}\n");
}
