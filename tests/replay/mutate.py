#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
mutate: single faults planted in the evaluation, to see the recordings and the random readings bite.

    mutate.py BUILD [--cases N] [--only TEXT]

Works on a copy of the source; BUILD is a configured build directory, of which only duchad's options
are taken. Prints a table: the fault, and which tests saw it. Exit code 1 if a fault that is not
marked equivalent survives. Takes some minutes; by hand or in the long tier.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.normpath(os.path.join(HERE, "..", ".."))
E, S, W = ("daemon/core/evaluate.c", "daemon/core/evaluate-signal.c", "daemon/core/window.c")
A, B = "daemon/core/evaluate-means.c", "daemon/core/evaluate-calm.c"
D, G = "daemon/core/discharge.c", "daemon/core/evaluate-discharge.c"
M, K, C = "daemon/core/marks.c", "daemon/core/evaluate-marks.c", "daemon/core/supcase.c"

# (file, text that stands there, what is planted instead)
FAULTS = (
    (E, "compare(value, level->max, level->derived) > 0", "compare(value, level->max, level->derived) >= 0"),
    (E, "compare(value, level->min, level->derived) < 0", "compare(value, level->min, level->derived) <= 0"),
    (E, "compare(value, level->clear_max, level->clear_derived) <= 0",
     "compare(value, level->clear_max, level->clear_derived) < 0"),
    (E, "compare(value, level->clear_min, level->clear_derived) >= 0",
     "compare(value, level->clear_min, level->clear_derived) > 0"),
    (E, ".clear_max = l->max - l->deadband", ".clear_max = l->max"),
    (E, ".clear_min = l->min + l->deadband", ".clear_min = l->min - l->deadband"),
    (E, "l->average != AVERAGE_INSTANT || l->deadband != 0", "false"),
    (E, "level.max = l->max * l->warn_at;", "level.max = l->max;"),
    (E, "level.min = l->min / l->warn_at;", "level.min = l->min * l->warn_at;"),
    (E, "level.clear_max = level.max - l->deadband;", "level.clear_max = level.max;"),
    (E, "level.derived = level.clear_derived = true;", "level.clear_derived = true;"),
    (E, "t->on_since_ms >= l->on_delay_ms && t->on_results", "t->on_since_ms > l->on_delay_ms && t->on_results"),
    (E, "t->on_results >= l->on_count)", "t->on_results > l->on_count)"),
    (E, "l->on_delay_ms && t->on_results >= l->on_count)", "l->on_delay_ms || t->on_results >= l->on_count)"),
    (E, "t->on_results += s->result;", "t->on_results++;"),
    (E, "if (!t->on_run)\n\t\ttrack_begin(t, s, since_ms);", "track_begin(t, s, since_ms);"),
    (E, "\t\tt->on_run = false;\n\t\treturn;\n\t}\n\tif (!t->on_run)", "\t\treturn;\n\t}\n\tif (!t->on_run)"),
    (E, "s->time_ms - t->off_since_ms < l->off_delay_ms", "s->time_ms - t->off_since_ms <= l->off_delay_ms"),
    (E, "t->off_results < l->off_count", "t->off_results <= l->off_count"),
    (E, "t->off_results += s->result;", "t->off_results++;"),
    (E, "\tif (!level_cleared(level, s->judged)) {\n\t\tt->off_run = false;", "\tif (!level_cleared(level, s->judged)) {"),
    (E, "\tif (s->gap)\n\t\tt->on_run = t->off_run = false;", ""),
    (E, "\tif (s->gap)\n\t\tt->on_run = t->off_run = false;", "\tif (s->gap)\n\t\tt->on_run = false;"),
    (E, "a->bound == BOUND_MAX ? s->value > a->peak : s->value < a->peak", "s->value > a->peak"),
    (E, "high ? t->highest : t->lowest,", "high ? t->lowest : t->highest,"),
    (E, "\t\talert_clear(e, &c, &warning->alert, s->time_ms);\n\t\t*warning", "\t\t*warning"),
    (E, "\tif (was_active)\n\t\t*warning = (struct track){0};", ""),
    (E, "s->judged = rounded ? round_even(s->value, l->decimals) : s->value;", "s->judged = s->value;"),
    (E, "wall_ms >= l->valid_from_ms", "wall_ms > l->valid_from_ms"),
    (E, "wall_ms < l->valid_to_ms", "wall_ms <= l->valid_to_ms"),
    (E, "    r->measured_ms < m->newest_ms)\n\t\treturn false;", "    false)\n\t\treturn false;"),
    (E, "bool complies = r->value >= c->low && r->value <= c->high;", "bool complies = r->value <= c->high;"),
    (E, "bool complies = r->value >= c->low && r->value <= c->high;", "bool complies = r->value >= c->low;"),
    (E, "if (!c->on || !complies || r->flag", "if (!complies || r->flag"),
    (E, "heard_mono_ns >= e->calms[monitor].stale_ns", "heard_mono_ns > e->calms[monitor].stale_ns"),
    (B, ".possible = plain_signal(e, monitor)", ".possible = true"),
    (B, "calm = at_rest(&e->limits[at].exceedance) &&", "calm ="),
    (B, "(m->limits[i].warn_at == 0 || at_rest(&e->rests[at].warning))", "true"),
    (A, "if (!limit_in_force(l, w->span.start_ms) || not_app", "if (!limit_in_force(l, w->span.end_ms) || not_app"),
    (E, "alert_clear(e, &c, &state->exceedance.alert, time_ms);\n\tc.kind", "c.kind"),
    (E, "\t\t\ttrack_unknown(&e->rests[first + i].warning);", "\t\t\t;"),
    (E, "\tt->off_run = false;\n\tt->on_readings += t->on_run;",
     "\tt->on_run = t->off_run = false;\n\tt->on_readings += t->on_run;"),
    (E, "t->on_readings += t->on_run;", ""),
    (E, "t->alert.readings += t->alert.active;", ""),
    (A, "compare12((double)w->n, l->min_valid * due) >= 0", "compare12((double)w->n, l->min_valid * due) > 0"),
    (A, "return w->n > 0 && compare12", "return compare12"),
    (A, "return m->expected_per_hour * length_ms / 3600e3;", "return m->expected_per_hour * 24;"),
    (A, "e->limits[at].exceedance.off_run = rest->warning.off_run = false;\n\tif (rest->undetermined.active)",
     "if (rest->undetermined.active)"),
    (A, "j.judged = l->compare == COMPARE_ROUNDED ? round_even(j.mean, l->decimals) : j.mean;", "j.judged = j.mean;"),
    (A, "if (l->mark_until_ms != 0 && j.outcome == OUTCOME_EXCEEDS)", "if (l->mark_until_ms != 0)"),
    (A, "\t\tif (wall_ms >= due_ms)", "\t\tif (wall_ms > due_ms)"),
    (A, "if (a->active && window_weigh", "if (window_weigh"),
    (A, "\te->rests[at].held = (struct window){0};\n", ""),
    (K, "day.hour = (int)(l->mark_until_ms / 3600000);", "day.hour = 12;"),
    (K, "day.minute = (int)(l->mark_until_ms / 60000 % 60);", "day.minute = 0;"),
    (K, "zone_civil(&plan->zone, held->span.end_ms)", "zone_civil(&plan->zone, held->span.start_ms)"),
    (C, "(m->limits[raised->limit].mark_until_ms == 0 ||", "(true ||"),
    (A, "limit_feed(e, monitor, limit, &s, w->span.start_ms);", "limit_feed(e, monitor, limit, &s, w->span.end_ms);"),
    (A, "\talert_clear(e, &c, &rest->undetermined, w->span.end_ms);\n", ""),
    (S, "\tif (s->gap)\n\t\tm->flat_run = false;", ""),
    (S, "compare12(high, low + plan->flat_band) > 0", "compare12(high, low + plan->flat_band) >= 0"),
    (S, "compare12(high, low + plan->flat_band) > 0", "high > low + plan->flat_band"),
    (S, "s->time_ms - m->flat_since_ms >= plan->flat_after_ms", "s->time_ms - m->flat_since_ms > plan->flat_after_ms"),
    (S, "m->flat_results >= plan->flat_count;", "m->flat_results > plan->flat_count;"),
    (S, "compare12(value, last + size) > 0", "compare12(value, last + size) >= 0"),
    (S, "compare12(value, last - size) < 0", "value < last - size"),
    (S, "!s->gap && step_rule(", "step_rule("),
    (S, "fmax(1, (double)since_ms / hour_ms)", "1"),
    (S, "fmax(1, (double)since_ms / hour_ms)", "((double)since_ms / hour_ms)"),
    (S, "compare12(s->value, m->step_times * fmax(last, 0)) > 0", "compare12(s->value, m->step_times * fmax(last, 0)) >= 0"),
    (S, "compare12(s->value, m->step_share * lowest_max(m, s->time_ms)) > 0", "true"),
    (S, "fmin(lowest, m->limits[i].max)", "m->limits[i].max"),
    (S, "m->limits[i].has_max && limit_in_force(&m->limits[i], time_ms)", "m->limits[i].has_max"),
    (S, "compare12(value, m->dead_at) <= 0;", "compare12(value, m->dead_at) < 0;"),
    (S, "m->has_dead && compare12", "compare12"),
    (S, "m->has_most && value > m->most", "m->has_most && value >= m->most"),
    (S, "m->has_most && value > m->most", "false"),
    (S, "value >= m->range_low && value <= m->range_high))\n\t\treturn false;", "false))\n\t\treturn false;"),
    (S, "if (value == m->codes[i])", "if (value >= m->codes[i])"),
    (S, "bool said = alerts->over_range.active || alerts->under_range.active;", "bool said = false;"),
    (S, "\te->monitors[monitor].impossible = true;\n", ""),
    (S, "|| signal_is_dead(plan, r->value);", ";"),
    (E, "if (signal_is_dead(monitor, value))\n\t\treturn FLAG_FAULT;", "if (signal_is_dead(monitor, value))\n\t\treturn FLAG_OVER_RANGE;"),
    (E, "return signal_is_impossible(monitor, value) ? FLAG_FAULT : FLAG_NORMAL;", "return FLAG_NORMAL;"),
    (E, "if (r->flag != FLAG_NORMAL || m->impossible)", "if (r->flag != FLAG_NORMAL)"),
    
    (S, "below && set_aside && !under_range->active", "below && !under_range->active"),
    (S, "bool above = r->value > plan->range_high;", "bool above = r->value >= plan->range_high;"),
    (S, "bool above = r->value > plan->range_high;", "bool above = true;"),
    (S, "&& limit_in_range(plan))", ")"),
    (S, "bound <= m->range_high;", "bound < m->range_high;"),
    (S, "(silent_ns == after_ms * 1000000 && !reached)", "silent_ns == after_ms * 1000000"),
    (S, "(silent_ns == after_ms * 1000000 && !reached)", "false"),
    (S, "m->heard_measured_ms = r->measured_ms;\n\tm->heard_mono_ns", "m->heard_mono_ns"),
    (S, "bool before = r->received_ms < stale->raised_ms;", "bool before = false;"),
    (E, "(value < monitor->range_low || value > monitor->range_high)", "(value < monitor->range_low)"),
    (E, "(value < monitor->range_low || value > monitor->range_high)", "(value > monitor->range_high)"),
    (E, "r->measured_ms - m->valid_ms > plan->stale_after_ms)", "r->measured_ms - m->valid_ms >= plan->stale_after_ms)"),
    (E, "s.gap = (plan->stale_after_ms > 0 && ", "s.gap = ("),
    (E, "r->measured_ms - m->result_ms < plan->cycle_ms;", "r->measured_ms - m->result_ms <= plan->cycle_ms;"),
    (E, "r->value == m->result_value &&", ""),
    (E, "s.result = r->measured_ms > m->valid_ms && !held;", "s.result = !held;"),
    (E, "if (m->has_reading && r->measured_ms < m->newest_ms)", "if (m->has_reading && r->measured_ms <= m->newest_ms)"),
    (E, "if (m->has_reading && r->measured_ms < m->newest_ms)", "if (false)"),
    (E, "bool heard = r->flag != FLAG_COMMUNICATION;", "bool heard = true;"),
    (E, "value_feed(e, marks_reading(e->marks, raw, &room), heard);", "(void)room, value_feed(e, raw, heard);"),
    (E, "\tif (e->monitors[monitor].has_reading)\n\t\treturn;\n", "\treturn;\n"),
    (W, "if (zone_offset_s(zone, span.end_ms - 1) * (int64_t)1000 != offset_ms)", "if (false)"),
    (W, "span.start_ms + 36 * (int64_t)HOUR_MS", "span.start_ms + 24 * (int64_t)HOUR_MS"),
    (W, "wall_ms >= windows->open[i].span.start_ms &&\n\t\t    wall_ms < windows",
     "wall_ms > windows->open[i].span.start_ms &&\n\t\t    wall_ms < windows"),
    (W, "wall_ms < windows->open[i].span.end_ms", "wall_ms <= windows->open[i].span.end_ms"),
    (W, "\tif (wall_ms < windows->next.start_ms)\n\t\treturn;\n", ""),
    (W, "if (clock_ms < windows->next.end_ms + grace_ms)", "if (clock_ms <= windows->next.end_ms + grace_ms)"),
    (W, "if (clock_ms < windows->next.end_ms + grace_ms)", "if (clock_ms < windows->next.end_ms)"),
    (W, "\ttotal_add(&w->weight, weight);\n", "\ttotal_add(&w->weight, 1);\n"),
    (W, "out->span.start_ms >= alike_ms && !any_open", "!any_open"),
    (W, "\tif (w != NULL)\n\t\t*w = (struct window){0};\n", ""),
    (W, "(window->weight.sum + window->weight.rest);", "(window->weight.sum + 1);"),
    (E, "if (shut)\n\t\treturn;", ""),
    (E, "if (valid && !shut)", "if (valid)"),
    (A, "- shut_ms);\n", ");\n"),
    (A, "(known && *due < 1)", "(known && *due <= 1)"),
    (A, "(result || !l->of_results)", "true"),
    (E, "discharge_returned(d, to_ms) > from_ms", "false"),
    (S, "if (excused_ms == 0)", "if (true)"),
    (D, "d->low_ms + d->for_ms", "d->low_ms + d->for_ms + 1"),
    (D, "if (d->low && !(value < d->below))", "if (d->low && !(value <= d->below))"),
    (D, "d->points[middle].time_ms <= time_ms", "d->points[middle].time_ms < time_ms"),
    (D, "time_ms - d->points[low - 1].time_ms > d->hold_ms", "time_ms - d->points[low - 1].time_ms >= d->hold_ms"),
    (G, "m->settle_left-- == 0", "--m->settle_left == 0"),
    (G, "if (*weight < 0)\n\t\t*weight = 0;", ""),
    (G, "e->flows_known = true;", ""),
    (G, "\t\tr = marks_reading(e->marks, r, &room);", "\t\t;"),
    (M, "if (m->flag != FLAG_NORMAL)", ""),
    (M, "layer->at[i].to_ms <= from_ms)", "layer->at[i].to_ms < from_ms)"),
    (M, "if (i < layer->n && layer->at[i].from_ms < to_ms)", "if (false)"),
    (M, "marks->spans[middle].to_ms <= time_ms", "marks->spans[middle].to_ms < time_ms"),
    (M, "marks->spans[low].from_ms > time_ms", "marks->spans[low].from_ms >= time_ms"),
)
# Faults that no recording can show, and why.
EQUIVALENT = {
    "m->step_times * fmax(last, 0)": "what lies above a share of a limit lies above 0",
    "return w->n > 0 && compare12": "without readings there is no weight either",
    "if (l->mark_until_ms != 0 && j.outcome == OUTCOME_EXCEEDS)": "what complies is passed over when it is looked at again",
    "layer->at[i].to_ms <= from_ms)":
        "what is cut off a span that ends there is empty, and goes with what the mark covers",
    "if (zone_offset_s(zone, span.end_ms - 1) * (int64_t)1000 != offset_ms)":
        "zones change by whole hours but for a few",
    "\tif (was_active)\n\t\t*warning = (struct track){0};":
        "each reading under an active exceedance has already done so",
}


def tests(duchad, copy, cases):
    """Names of the recordings that fail with this daemon; "random" if only random readings do."""
    replay = os.path.join(copy, "tests", "replay")
    names = sorted(x for x in os.listdir(replay) if os.path.isdir(os.path.join(replay, x)) and x[0] != "_")
    seen = [name for name in names
            if subprocess.run([os.path.join(replay, "test-recordings"), duchad, name],
                              capture_output=True).returncode]
    if not seen and subprocess.run([os.path.join(replay, "test-random"), duchad, "--cases", str(cases)],
                      capture_output=True).returncode:
        seen.append("random")
    return seen


def build(directory):
    return subprocess.run(["ninja", "-C", directory, "-j2", "duchad"], capture_output=True).returncode == 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", help="where to build the copy; made if it is not there")
    parser.add_argument("--cases", type=int, default=150)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    copy = tempfile.mkdtemp(prefix="ducha-mutate-")
    survived = 0
    try:
        shutil.copytree(SOURCE, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git", "build*"))
        shutil.rmtree(args.build, ignore_errors=True)
        subprocess.run(["meson", "setup", args.build, copy, "-Dbuildtype=debug"], check=True, capture_output=True)
        duchad = os.path.join(os.path.abspath(args.build), "duchad")
        if not build(args.build) or tests(duchad, copy, args.cases):
            print("the tests fail without any fault")
            return 1
        for name, old, new in FAULTS:
            if args.only not in old + new:
                continue
            path = os.path.join(copy, name)
            with open(path, encoding="utf-8") as file:
                text = file.read()
            what = "%s: %s -> %s" % (os.path.basename(name), " ".join(old.split()), " ".join(new.split()))
            if text.count(old) != 1:
                print("NOT PLACED %s (%d times)" % (what, text.count(old)), flush=True)
                survived += 1
                continue
            with open(path, "w", encoding="utf-8") as file:
                file.write(text.replace(old, new))
            seen = tests(duchad, copy, args.cases) if build(args.build) else ["does not build"]
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            if seen:
                print("seen       %s\n           by %s" % (what, ", ".join(seen)), flush=True)
            elif old in EQUIVALENT:
                print("equivalent %s: %s" % (what, EQUIVALENT[old]), flush=True)
            else:
                print("SURVIVED   %s" % what, flush=True)
                survived += 1
    finally:
        shutil.rmtree(copy, ignore_errors=True)
    print("%d faults not seen" % survived)
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
