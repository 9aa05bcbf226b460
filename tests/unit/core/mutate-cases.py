#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
mutate-cases: single faults planted in the rules of cases, clues, loads and classes, to see their tests
bite.

    mutate-cases.py [--only TEXT]

Every cell of the life cycle's table is given every other value, every default of terms, roles and
closing conditions another one, and the faults below are planted, each alone, in a copy that is
compiled with the unit tests of its module. Exit code 1 if one survives. Takes a minute; by hand or
in the long tier.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.normpath(os.path.join(HERE, "..", "..", ".."))
CORE = os.path.join(SOURCE, "daemon", "core")
TESTS = {"supcase.c": ["supcase"], "deadline.c": ["deadline"], "caserules.c": ["caserules", "deadline"],
         "order.c": ["order"], "compliance.c": ["compliance"], "steady.c": ["steady"], "section.c": ["section"], "tally.c": ["tally"],
         "permit.c": ["permit"], "series.c": ["series"], "evaluate-clue.c": ["evaluate-clue"], "clue.c": ["evaluate-clue"]}

# (file, text that stands there, what is planted instead)
FAULTS = [
    ("deadline.c", "if (listed(days->on, days->n_on, day))\n\t\treturn true;", ""),
    ("deadline.c", "clock->kept.due_ms = 0;", ""),
    ("deadline.c", "clock->kept.extended = before.extended;", ""),
    ("deadline.c", "clock->kept.fixed = before.fixed;", ""),
    ("deadline.c", "clock->stage_ms = before.kept.stage_ms;", ""),
    ("deadline.c", "clock->extended = before.kept.extended;", ""),
    ("deadline.c", "clock->fixed = before.kept.fixed;", ""),
    ("deadline.c", "if (clock->due_ms > now_ms)\n\t\treturn;", ""),
    ("deadline.c", "most_ms != 0 && most_ms < clock->due_ms", "false"),
    ("deadline.c", "longest_ms > extended_ms ? longest_ms : extended_ms", "longest_ms"),
    ("deadline.c", "longest_ms > extended_ms ? longest_ms : extended_ms", "extended_ms"),
    ("deadline.c", "due_ms > in_all(plan, clock);", "due_ms >= in_all(plan, clock);"),
    ("deadline.c", "return clock->status == CASE_RECTIFYING && in_all", "return in_all"),
    ("deadline.c", "if (listed(days->off, days->n_off, day))\n\t\treturn false;", ""),
    ("deadline.c", "weekday >= 1 && weekday <= 5", "weekday >= 1 && weekday <= 6"),
    ("deadline.c", "weekday >= 1 && weekday <= 5", "weekday >= 0 && weekday <= 5"),
    ("deadline.c", "(day + 4) % 7", "(day + 3) % 7"),
    ("deadline.c", "days[middle] < day", "days[middle] <= day"),
    ("deadline.c", "high = n;", "high = n == 0 ? 0 : n - 1;"),
    ("deadline.c", "if (n == 0)\n\t\tfor (; day != end && !workday(days, day); day += step)\n\t\t\tcontinue;", ""),
    ("deadline.c", "n > 0 && day != end", "n >= 0 && day != end"),
    ("deadline.c", "term.n * INT64_C(60000);\n\tcase TERM_DAYS:\n\t\tday =", "term.n * INT64_C(3600000);\n\tcase TERM_DAYS:\n\t\tday ="),
    ("deadline.c", "zone_day_ms(zone, day + 1) - 1000", "zone_day_ms(zone, day + 1)"),
    ("deadline.c", "zone_day_ms(zone, day + 1) - 1000", "zone_day_ms(zone, day) - 1000"),
    ("deadline.c", "workday_from(days, day + term.n, 0, 1)", "day + term.n"),
    ("deadline.c", "return verified ? STAGE_ASSIGN : STAGE_VERIFY;", "return STAGE_VERIFY;"),
    ("deadline.c", "return verified ? STAGE_ASSIGN : STAGE_VERIFY;", "return STAGE_ASSIGN;"),
    ("deadline.c", "case CASE_ASSIGNED:\n\t\treturn STAGE_PLAN;", "case CASE_ASSIGNED:\n\t\treturn STAGE_ASSIGN;"),
    ("deadline.c", "case CASE_REVIEW:\n\t\treturn STAGE_CHECK;", "case CASE_REVIEW:\n\t\treturn STAGE_RECTIFY;"),
    ("deadline.c", "clock->track == TRACK_PLANNED", "clock->track != TRACK_PLANNED"),
    ("deadline.c", "stage == STAGE_RECTIFY && clock->track", "clock->track"),
    ("deadline.c", "due_ms != 0 && due_ms < clock->due_ms", "due_ms != 0"),
    ("deadline.c", "return at > clock->stage_ms ? at : 0;", "return at;"),
    ("deadline.c", "if (level == 1)\n\t\treturn clock->due_ms;", "if (level == 1)\n\t\treturn clock->due_ms + 1;"),
    ("deadline.c", "escalate[level - 2]", "escalate[0]"),
    ("deadline.c", "clock->due_ms != 0 && case_status_open(clock->status)", "clock->due_ms != 0"),
    ("deadline.c", "plan->rules != NULL && clock->due_ms != 0 && case", "plan->rules != NULL && case"),
    ("deadline.c", "for (int i = clock->reminded; i < REMINDERS; i++)", "for (int i = 0; i < REMINDERS; i++)"),
    ("deadline.c", "clock->escalation < ESCALATIONS ?", "clock->escalation <= ESCALATIONS ?"),
    ("deadline.c", "for (int level = ESCALATIONS; level > clock->escalation; level--)", "for (int level = 1; level > clock->escalation; level--)"),
    ("deadline.c", "if (at == 0 || now_ms < at)\n\t\t\tcontinue;\n\t\tclock->escalation", "if (at == 0 || now_ms <= at)\n\t\t\tcontinue;\n\t\tclock->escalation"),
    ("deadline.c", "if (at == 0 || now_ms < at)\n\t\t\tcontinue;\n\t\tclock->reminded", "if (at == 0 || now_ms <= at)\n\t\t\tcontinue;\n\t\tclock->reminded"),
    ("deadline.c", "clock->reminded = i;", ""),
    ("deadline.c", "clock->escalation = level;", ""),
    ("deadline.c", "clock->reminded = clock->escalation = 0;", ""),
    ("deadline.c", "bound && now_ms >= clock->due_ms", "bound && now_ms > clock->due_ms"),
    ("deadline.c", "bound && clock->extended", "false"),
    ("deadline.c", "bound && due_ms <= clock->due_ms", "bound && due_ms < clock->due_ms"),
    ("deadline.c", "due_ms - clock->due_ms > clock->due_ms - clock->stage_ms", "due_ms - clock->due_ms >= clock->due_ms - clock->stage_ms"),
    ("deadline.c", "due_ms - clock->due_ms > clock->due_ms - clock->stage_ms", "false"),
    ("deadline.c", "clock->due_ms = due_ms;\n\tclock->extended = true;", "clock->due_ms = due_ms;"),
    ("deadline.c", "clock->extended = true;\n\tclock->reminded = 0;", "clock->extended = true;"),
    ("deadline.c", "plan->rules != NULL && due_ms <= now_ms", "plan->rules != NULL && due_ms < now_ms"),
    ("deadline.c", "latest(plan, clock) != 0 && due_ms > latest(plan, clock)", "false"),
    ("deadline.c", "bool at_once = clock->status == CASE_RECTIFYING && clock", "bool at_once = clock"),
    ("deadline.c", "at_once ? terms->stage[STAGE_RECTIFY] : terms->longest", "terms->longest"),
    ("deadline.c", "bool moves = whole || due_ms > clock->due_ms;", "bool moves = whole;"),
    ("deadline.c", "bool moves = whole || due_ms > clock->due_ms;", "bool moves = due_ms > clock->due_ms;"),
    ("deadline.c", "if (due_ms == clock->due_ms)\n\t\treturn NULL;", ""),
    ("deadline.c", "if (!whole && (clock->fixed || clock->extended))", "if (!whole && clock->extended)"),
    ("deadline.c", "if (clock->fixed || clock->extended)\n\t\treturn", "if (clock->extended)\n\t\treturn"),
    ("deadline.c", "if (clock->fixed || clock->extended)\n\t\treturn", "if (clock->fixed)\n\t\treturn"),
    ("deadline.c", "if (clock->due_ms != 0 && now_ms >= clock->due_ms)", "if (clock->due_ms != 0 && now_ms > clock->due_ms)"),
    ("deadline.c", "|| clock->extended || clock->fixed)", "|| clock->extended)"),
    ("deadline.c", "clock->extended = clock->fixed = false;", "clock->extended = false;"),
    ("deadline.c", "clock->due_ms = due_ms;\n\tclock->fixed = true;", "clock->due_ms = due_ms;"),
    ("supcase.c", "peak / limit - 1", "peak / limit"),
    ("supcase.c", "f->peak <= s->ph_grave_low ||", "f->peak < s->ph_grave_low ||"),
    ("supcase.c", "f->peak >= s->ph_grave_high", "f->peak > s->ph_grave_high"),
    ("supcase.c", "fabs(f->peak - f->limit) > s->ph_serious", "fabs(f->peak - f->limit) >= s->ph_serious"),
    ("supcase.c", "f->peak < s->oxygen_serious", "f->peak <= s->oxygen_serious"),
    ("supcase.c", "f->multiple >= s->grave_multiple)", "f->multiple > s->grave_multiple)"),
    ("supcase.c", "f->multiple > s->serious_multiple", "f->multiple >= s->serious_multiple"),
    ("supcase.c", "f->kind == SITE_WATER_SOURCE && severity == SEVERITY_GENERAL", "false"),
    ("supcase.c", "f->multiple > s->source_grave_multiple", "f->multiple >= s->source_grave_multiple"),
    ("supcase.c", "f->kind == SITE_RIVER_SECTION) && toxic", "false) && toxic"),
    ("supcase.c", "f->days >= s->serious_days", "f->days > s->serious_days"),
    ("supcase.c", "f->below >= s->serious_classes", "f->below > s->serious_classes"),
    ("supcase.c", "f->class == SECTION_INFERIOR ||", ""),
    ("supcase.c", "if (f->inferior_beyond)\n\t\treturn SEVERITY_GRAVE;", ""),
    ("supcase.c", "f->kind == SITE_OUTFALL && f->days", "f->days"),
    ("supcase.c", "return m->limits[raised->limit].opens_case &&", "return true ||"),
    ("caserules.c", "f->track == TRACK_IMMEDIATE && f->severity", "f->severity"),
    ("caserules.c", "&& f->severity == SEVERITY_GENERAL", ""),
    ("caserules.c", "bool short_of_days = f->exceedance && f", "bool short_of_days = f"),
    ("caserules.c", "return f->exceedance && c->laboratory", "return c->laboratory"),
    ("caserules.c", "f->compliant_days < c->", "f->compliant_days <= c->"),
    ("caserules.c", "c->laboratory && f->kind == SITE_WATER_SOURCE", "c->laboratory"),
    ("caserules.c", "(f->laboratory && !asks_laboratory(c, f))", "f->laboratory"),
    ("caserules.c", "(f->release && !asks_release(c, f))", "f->release"),
    ("caserules.c", "f->checkers < c->checkers", "f->checkers <= c->checkers"),
    ("caserules.c", "beside(c, f) < c->attachments", "beside(c, f) <= c->attachments"),
    ("caserules.c", "f->open_steps > 0", "f->open_steps > 1"),
    ("caserules.c", "return c->release && !f->district;", "return c->release;"),
    ("caserules.c", "length > 0 && !named_before", "!named_before"),
    ("caserules.c", "name.length > 0 && !named_before(rules, list, name.at, name)", "name.length > 0"),
    ("caserules.c", "officer != NULL && officer == officer_spelt(rules, b)", "false"),
    ("caserules.c", "officer != NULL && officer == officer_spelt(rules, b)", "officer == officer_spelt(rules, b)"),
    ("caserules.c", "return a.length == b.length && strncasecmp(a.at, b.at, a.length) == 0", "return strncasecmp(a.at, b.at, a.length) == 0"),
    ("caserules.c", "if (by != NULL)", "if (false)"),
    ("caserules.c", "&&\n\t\t     has_role(rules, name, roles)", ""),
    ("caserules.c", "if (rules == NULL || rules->n_officers == 0)\n\t\treturn true;", "if (rules == NULL)\n\t\treturn true;"),
    ("caserules.c", "officer != NULL && (officer->roles & roles) != 0", "officer != NULL"),
    ("compliance.c", "2 * hour->covered_ms >= HOUR_MS", "2 * hour->covered_ms > HOUR_MS"),
    ("compliance.c", "hour->load < site->gate_below", "hour->load <= site->gate_below"),
    ("compliance.c", "hour->load < site->gate_below * flow->load_times * seconds", "hour->load < site->gate_below * seconds"),
    ("compliance.c", "site->has_gate &&", ""),
    ("compliance.c", "m->n_limits == 0 ? usual_share : 0", "0"),
    ("compliance.c", "m->limits[i].min_valid > share", "m->limits[i].min_valid < share"),
    ("compliance.c", "m->cycle_ms > 0 ? m->cycle_ms : m->stale_after_ms", "m->stale_after_ms"),
    ("compliance.c", "m->cycle_ms > 0 ? m->cycle_ms : m->stale_after_ms", "m->cycle_ms"),
    ("compliance.c", "return one < 1 ? one : 1;", "return one;"),
    ("compliance.c", "m->gated || due <= 0;", "due <= 0;"),
    ("compliance.c", "hourly(m) * __builtin_popcount", "__builtin_popcount"),
    ("compliance.c", "day->count.hours & all & ~day->shut", "day->count.hours & all"),
    ("compliance.c", "|| l->by_flow", ""),
    ("compliance.c", "l->on_delay_ms > 0 ||", ""),
    ("compliance.c", "|| l->on_count > 1", ""),
    ("compliance.c", "(low && limit_beyond(l, at_ms, c->low))", "false"),
    ("compliance.c", "(low && limit_beyond(l, at_ms, c->low))", "limit_beyond(l, at_ms, c->low)"),
    ("compliance.c", "if (day->late)\n\t\treturn DAY_EXCEEDS;", ""),
    ("compliance.c", "if (m->gated && share->due <= 0)\n\t\treturn DAY_IDLE;", ""),
    ("compliance.c", "share->valid > 0 && compare12", "compare12"),
    ("compliance.c", "compare12(share->valid, share->needed) >= 0", "compare12(share->valid, share->needed) > 0"),
    ("order.c", "strlen(value) > field->most", "strlen(value) >= field->most"),
    ("order.c", "c == 0x7f", "false"),
    ("order.c", "|| c1)", ")"),
    ("order.c", "!(end && lines)", "!end"),
    ("order.c", "0xed, 0xed, 0x80, 0x9f", "0xed, 0xed, 0x80, 0xbf"),
    ("order.c", "0xe0, 0xe0, 0xa0, 0xbf", "0xe0, 0xe0, 0x80, 0xbf"),
    ("order.c", "0xf4, 0xf4, 0x80, 0x8f", "0xf4, 0xf4, 0x80, 0xbf"),
    ("order.c", "0xc2, 0xdf", "0xc0, 0xdf"),
    ("order.c", "field->list < 0 ? value", "true ? value"),
    ("order.c", "(month == 2 && !leap)", "(month == 2)"),
    ("order.c", "year % 100 != 0", "true"),
    ("order.c", "order->dated != NULL && order->document == NULL ?", "false ?"),
    ("steady.c", "step_ms >= STEADY_STEP_MS ||", "false ||"),
    ("steady.c", "|| step_ms <= -STEADY_STEP_MS", ""),
    ("steady.c", "s->offset_ms = offset_ms; /*", "/*"),
    ("steady.c", ">= STEADY_HOLD_MS", "> STEADY_HOLD_MS"),
    ("section.c", "compare12(value, b->max[class]) <= 0", "compare12(value, b->max[class]) < 0"),
    ("section.c", "compare12(value, b->max[class]) <= 0", "value <= b->max[class]"),
    ("section.c", "compare12(value, b->min[class]) >= 0", "compare12(value, b->min[class]) > 0"),
    ("section.c", "class < SECTION_CLASSES && !within", "class < SECTION_CLASSES - 1 && !within"),
    ("section.c", "enum { THIRD = 2 };", "enum { THIRD = 3 };"),
    ("section.c", "if (b->has_max && b->has_min)\n\t\treturn value > b", "if (false)\n\t\treturn value > b"),
    ("section.c", "value > 0 ? b->min[THIRD] / value : 1e300", "value > 0 ? value / b->min[THIRD] : 1e300"),
    ("section.c", "value > 0 ? b->min[THIRD] / value : 1e300", "b->min[THIRD] / value"),
    ("section.c", "if (class < section->class ||", "if (class <= section->class ||"),
    ("section.c", "(r < section->ratio ||", "(r <= section->ratio ||"),
    ("section.c", "(r == section->ratio && monitor > section->monitor)", "false"),
    ("section.c", "b->has_max && !b->has_min && *class == SECTION_INFERIOR", "b->has_max && *class == SECTION_INFERIOR"),
    ("section.c", "b->has_max && !b->has_min && *class == SECTION_INFERIOR", "b->has_max && !b->has_min"),
    ("section.c", "inferior_times * b->max[SECTION_CLASSES - 1]) > 0", "inferior_times * b->max[SECTION_CLASSES - 1]) >= 0"),
    ("section.c", "*class == SECTION_UNKNOWN || target == 0 ? 0", "*class == SECTION_UNKNOWN ? 0"),
    ("tally.c", "t->begun && r->measured_ms < t->at_ms", "t->begun && r->measured_ms <= t->at_ms"),
    ("tally.c", "t->events[at - 1].time_ms > r->measured_ms", "t->events[at - 1].time_ms >= r->measured_ms"),
    ("tally.c", "r->has_value && r->flag == FLAG_NORMAL", "r->has_value"),
    ("tally.c", "int64_t end_ms = earlier(to_ms, v->until_ms);", "int64_t end_ms = to_ms;"),
    ("tally.c", "double m3_s = q->value < 0 ? 0 : q->value;", "double m3_s = q->value;"),
    ("tally.c", "earlier(flows_ms, spoken_ms(t, c, to_ms))", "spoken_ms(t, c, to_ms)"),
    ("tally.c", "t->sums[i].covered_ms += both_ms;", "t->sums[i].covered_ms += flows_ms;"),
    ("tally.c", "i == flow ? m3 : c->value", "c->value"),
    ("tally.c", "m->has_target && c->value > m->target", "m->has_target"),
    ("tally.c", "(c->value - m->target) * m->load_times", "c->value * m->load_times"),
    ("tally.c", "if (!hour_empty(t) && fn != NULL)", "if (fn != NULL)"),
    ("tally.c", "bool passes = silent(t) && to_ms >= t->hour.end_ms;", "bool passes = false;"),
    ("tally.c", "time_ms + monitor_at(t, place)->hold_ms", "INT64_MAX"),
    ("tally.c", "if (*out < 0)\n\t\t*out += m->rollover;", ""),
    ("tally.c", "*out < m->rollover / 2", "true"),
    ("tally.c", "next->time_ms - t->count_ms > m->hold_ms", "false"),
    ("tally.c", "next->time_ms <= t->count_ms", "next->time_ms < t->count_ms"),
    ("tally.c", "t->values[flow].until_ms = next->time_ms;", ""),
    ("tally.c", "next == NULL || !next->valid || !t->has_count", "next == NULL || !t->has_count"),
    ("tally.c", "t->has_count = e->valid;", "t->has_count = true;"),
    ("tally.c", "has && until_ms - last_ms <= hold_ms ? earlier(until_ms, last_ms) : until_ms", "until_ms"),
    ("tally.c", ".year = first.year + 1, .month = 1", ".year = first.year + 1, .month = 2"),
    ("permit.c", "m->permit_load) > 0", "m->permit_load) >= 0"),
    ("permit.c", "clears && p->reached > now", "p->reached > now"),
    ("permit.c", "VERDICT_CLEARED, i, fn", "VERDICT_CLEARED, 0, fn"),
    ("permit.c", "say(p, plan, &v, VERDICT_PEAK", "if (false) say(p, plan, &v, VERDICT_PEAK"),
    ("permit.c", "if (hour.start_ms < p->year.end_ms)\n\t\treturn;", ""),
    ("permit.c", "i < p->reached ? p->readings[i] + readings : readings", "readings"),
    ("permit.c", "{p->year.start_ms, p->year.start_ms}, true", "{p->year.start_ms, p->year.start_ms}, false"),
    ("permit.c", "if (hour.start_ms < p->year.start_ms)\n\t\treturn;", ""),
    ("permit.c", "p->load += sum->load;", "p->load = sum->load;"),
    ("permit.c", "load / m->permit_load * m->permit_tonnes", "load"),
    ("series.c", "length <= SERIES_LONGEST && length <= s->n", "length <= SERIES_LONGEST && length < s->n"),
    ("series.c", "s->repeats[length] < UINT16_MAX", "true"),
    ("series.c", "memset(s->repeats, 0, sizeof s->repeats);", ""),
    ("series.c", "if (s->n < count || count == 0)", "if (count == 0)"),
    ("series.c", "sqrt(squares / count) < share", "sqrt(squares / count) <= share"),
    ("series.c", "sqrt(squares / count) < share", "sqrt(squares / (count - 1)) < share"),
    ("series.c", "share * fabs(mean)", "share * mean"),
    ("series.c", "return mean != 0 && ", "return "),
    ("series.c", "i < count && i < s->n && n < SERIES", "i < s->n && n < SERIES"),
    ("series.c", "count > length ? count : length", "count"),
    ("series.c", "s->repeats[length] >= needed", "s->repeats[length] > needed"),
    ("series.c", "s->repeats[length] >= needed && series_different(s, length)", "s->repeats[length] >= needed"),
    ("evaluate-clue.c", "if (!holds) {\n\t\th->on = false;", "if (!holds) {"),
    ("evaluate-clue.c", "s->time_ms - h->since_ms >= rules_of(e, c->monitor)->hold_ms", "s->time_ms - h->since_ms > rules_of(e, c->monitor)->hold_ms"),
    ("evaluate-clue.c", "h->results >= count && long_enough", "h->results > count && long_enough"),
    ("evaluate-clue.c", "h->results >= count && long_enough", "h->results >= count || long_enough"),
    ("evaluate-clue.c", "compare12(s->value, rules->clipped_from) >= 0", "compare12(s->value, rules->clipped_from) > 0"),
    ("evaluate-clue.c", "x->kind == CONTRADICTION_SATURATION ? oxygen_saturation(other) : other", "other"),
    ("evaluate-clue.c", "llabs(s->time_ms - other->valid_ms) > rules->within_ms", "llabs(s->time_ms - other->valid_ms) >= rules->within_ms"),
    ("evaluate-clue.c", "!other->has_valid || llabs", "llabs"),
    ("evaluate-clue.c", "allowed(x, other->valid_value)) > 0", "allowed(x, other->valid_value)) >= 0"),
    ("evaluate-clue.c", "series_time(&state->series, results - 1)", "s->time_ms"),
    ("evaluate-clue.c", "series->n < rules->weak_flat_count || flat", "series->n < rules->weak_flat_count"),
    ("evaluate-clue.c", "s->value > e->plan->monitors[monitor].detection_limit &&", ""),
    ("evaluate-clue.c", "pattern > rules->repeating_count ? pattern : rules->repeating_count", "rules->repeating_count"),
    ("evaluate-clue.c", "> ALIKE_WITHIN_MS", ">= ALIKE_WITHIN_MS"),
    ("evaluate-clue.c", "if (!same) {\n\t\talert_clear", "if (false) {\n\t\talert_clear"),
    ("evaluate-clue.c", "state->alike_results >= rules->alike_count &&", "state->alike_results > rules->alike_count &&"),
    ("evaluate-clue.c", "series_different(&state->series, rules->alike_count))", "true)"),
    ("evaluate-clue.c", "} else if (keeps(e, other, mine)) {\n\t\trun_alike(e, other, mine, same, s);", "} else if (false) {"),
    ("evaluate-clue.c", "same && state->alike_results == 0", "same"),
    ("evaluate-clue.c", "\tstate->clipped.on = state->negative.on = false;\n\tfor", "\tfor"),
    ("evaluate-clue.c", "\t\tstate->contradictions[i].on = false;", "\t\t;"),
    ("evaluate-clue.c", "if (!state->alerts[CLUE_ALIKE].active)\n\t\tstate->alike_results = 0;", ""),
    ("evaluate-clue.c", "if (!s->result)\n\t\treturn;\n\tforget_settled", "forget_settled"),
    ("evaluate-clue.c", "r->flag == FLAG_STOPPED && flows", "r->flag == FLAG_STOPPED"),
    ("evaluate-clue.c", "return !shut && (r->flag", "return (r->flag"),
    ("evaluate-clue.c", "r->measured_ms - state->flagged_ms > m->stale_after_ms", "false"),
    ("evaluate-clue.c", "state->flagged_since_ms >= m->clues->flagged_after_ms", "state->flagged_since_ms > m->clues->flagged_after_ms"),
    ("evaluate-clue.c", "state->flagged = false;\n\t\talert_clear(e, &c, a, r->measured_ms);", "state->flagged = false;"),
    ("evaluate-clue.c", "state->shut_results = 0;\n\t\talert_clear", "alert_clear"),
    ("evaluate-clue.c", "state->shut_results >= m->clues->shut_count", "state->shut_results > m->clues->shut_count"),
    ("evaluate-clue.c", "state->shut_high > m->detection_limit", "true"),
    ("evaluate-clue.c", "compare12(change, m->clues->shut_share * state->shut_high) > 0", "compare12(change, m->clues->shut_share * state->shut_high) >= 0"),
    ("evaluate-clue.c", "state->shut_results == 0 || (r->measured_ms > state->shut_ms && !held)", "true"),
    ("clue.c", "468 / (31.6 + celsius)", "468 / (32.6 + celsius)"),
    ("clue.c", "5.25588", "5.35588"),
]
# Faults that change nothing, and why.
EQUIVALENT = {
    "clock->escalation < ESCALATIONS ? -> clock->escalation <= ESCALATIONS ?":
        "what is read beyond the list is the next one's empty stage",
    "high = n; -> high = n == 0 ? 0 : n - 1;": "the search ends at the last day, and that is looked at",
    "next->time_ms <= t->count_ms -> next->time_ms < t->count_ms": "for no time nothing is spoken",
    "t->values[flow].until_ms = next->time_ms; -> ": "the next reading ends it all the same",
    "return mean != 0 && -> return": "no deviation is below 0",
    "!other->has_valid || llabs -> llabs": "the time of no reading is 1970",
}


def cells(text):
    """The life cycle's table: each cell with each other value."""
    values = ["CASE_REGISTERED", "CASE_ASSIGNED", "CASE_RECTIFYING", "CASE_REVIEW", "CASE_CLOSED",
              "CASE_WITHDRAWN", "SAME", "NO"]
    table = re.search(r"static const signed char steps.*?\n};", text, re.S)
    for row in re.finditer(r"\[(ACTION_\w+)\] = \{(.*?)\}", table.group(0), re.S):
        for i, cell in enumerate(re.finditer(r"\w+", row.group(2))):
            for value in values:
                same = cell.group(0) == "SAME" and value == values[i] or value == "SAME" and cell.group(0) == values[i]
                if value == cell.group(0) or same:
                    continue
                start = table.start() + row.start(2) + cell.start()
                planted = text[:start] + value + text[start + len(cell.group(0)):]
                yield f"{row.group(1)} in {values[i]}: {cell.group(0)} -> {value}", planted


def numbers(text):
    """Defaults of terms, roles and conditions: each number one more, each role and truth turned."""
    for part in re.finditer(r"(static const struct terms \w+ = \{.*?\n};|static const unsigned defaults.*?\n\t};"
                            r"|\*rules = \(struct case_rules\)\{.*?\n\t};)", text, re.S):
        for old, new in ((r"(?<=\()(\d+)(?=\))", lambda m: str(int(m) + 1)), (r"(?<= = )(\d+)", lambda m: str(int(m) + 1)),
                         (r"\btrue\b", lambda m: "false"), (r"(?<== )[HIL](?= \||,)", lambda m: "0")):
            for found in re.finditer(old, part.group(0)):
                start = part.start() + found.start()
                line = text.rfind("\n", 0, start)
                planted = text[:start] + new(found.group(0)) + text[start + len(found.group(0)):]
                yield " ".join(text[line:text.find("\n", start)].split()) + " at " + str(start - line), planted


def mutants(name, text):
    if name == "supcase.c":
        yield from cells(text)
    if name == "caserules.c":
        yield from numbers(text)
    for file, old, new in FAULTS:
        if file == name:
            assert text.count(old) == 1, f"{name}: {old!r} stands there {text.count(old)} times"
            yield f"{' '.join(old.split())} -> {' '.join(new.split())}", text.replace(old, new)


def compile(source, out):
    subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-w", "-O0", "-c", source, "-o", out,
                    "-I" + os.path.join(SOURCE, "daemon"), "-I" + os.path.join(HERE, "..", "common")], check=True)


def bites(folder, name, objects):
    """Does a test of the module fail?"""
    for test in TESTS[name]:
        program = os.path.join(folder, "test")
        subprocess.run(["gcc", "-o", program, os.path.join(folder, f"test-{test}.o"), *objects, "-lcmocka", "-lm"],
                       check=True)
        try:
            if subprocess.run([program], capture_output=True, timeout=20).returncode:
                return True
        except subprocess.TimeoutExpired:
            return True
    return False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    seen, survived = 0, []
    with tempfile.TemporaryDirectory(prefix="ducha-mutate-") as folder:
        objects = {}
        for name in sorted(os.listdir(CORE)):
            if name.endswith(".c"):
                objects[name] = os.path.join(folder, name[:-2] + ".o")
                compile(os.path.join(CORE, name), objects[name])
        for test in {t for tests in TESTS.values() for t in tests}:
            compile(os.path.join(HERE, f"test-{test}.c"), os.path.join(folder, f"test-{test}.o"))
        objects["rig.c"] = os.path.join(folder, "rig.o")
        compile(os.path.join(HERE, "rig.c"), objects["rig.c"])
        planted = os.path.join(folder, "planted.c")
        for name in TESTS:
            if bites(folder, name, objects.values()):
                print(f"the tests of {name} fail without any fault")
                return 1
            with open(os.path.join(CORE, name), encoding="utf-8") as file:
                text = file.read()
            for what, mutant in mutants(name, text):
                if args.only not in what:
                    continue
                with open(planted, "w", encoding="utf-8") as file:
                    file.write(mutant)
                compile(planted, planted[:-2] + ".o")
                others = [o for n, o in objects.items() if n != name] + [planted[:-2] + ".o"]
                if bites(folder, name, others):
                    seen += 1
                elif what in EQUIVALENT:
                    print(f"equivalent {name}: {what}: {EQUIVALENT[what]}")
                else:
                    survived.append(what)
                    print(f"SURVIVED   {name}: {what}", flush=True)
    print(f"{seen} faults seen, {len(survived)} not")
    return 1 if survived or (seen == 0) else 0


if __name__ == "__main__":
    sys.exit(main())
