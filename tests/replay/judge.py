# SPDX-License-Identifier: Apache-2.0
"""
judge: a second evaluation of `duchad --backtest`, written from the rules as duchad.cfg(5) states
them and not from the daemon's code, so that the two can be held against each other.

It is slow and plain on purpose. A configuration is a dictionary with the keys of ducha.cfg
(settings.read() makes one from a file); readings come from a CSV. What comes out is a list of
events with the fields in FIELDS, in the order in which the daemon prints them.

    judge.py DUCHA.CFG DATA.CSV [MARKS.CSV]   prints the events
"""
import bisect
import csv
import datetime
import decimal
import itertools
import json
import math
import os
import sys
import zoneinfo

import loads
import settings as grammar

IMPOSSIBLE = grammar.impossible()

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
FIELDS = ("type", "time", "site", "factor", "kind", "average", "value", "began_at", "limit", "bound",
          "reason", "case", "number", "episodes")
EPISODES_SAID = 100  # an event names no more of a case's episodes
RANK = {"alert.cleared": 0, "settled": 1, "alert.raised": 1, "case.opened": 2, "case.updated": 2}


def digits12(number):
    return float("%.12g" % number)


def half_even(number, places):
    step = decimal.Decimal(1).scaleb(-places)
    return float(decimal.Decimal(repr(digits12(number))).quantize(step, rounding=decimal.ROUND_HALF_EVEN))


# --- time ---

class Zone:
    def __init__(self, name):
        self.info = zoneinfo.ZoneInfo(name)

    def parse(self, text):
        """Milliseconds since 1970, rounded down; ValueError if it is no time."""
        try:
            return math.floor(decimal.Decimal(text) * 1000)
        except decimal.InvalidOperation:
            pass
        if len(text) < 19 or text[10] not in "Tt " or text[16] != ":":
            raise ValueError("not a time: " + text)
        head, rest = text[:19].replace("t", "T").replace(" ", "T"), text[19:]
        fraction = 0
        if rest.startswith("."):
            n = 1
            while n < len(rest) and rest[n].isdigit():
                n += 1
            fraction = int((rest[1:n] + "000")[:3])
            rest = rest[n:]
        civil = datetime.datetime.strptime(head, "%Y-%m-%dT%H:%M:%S")
        if rest in ("Z", "z"):
            when = civil.replace(tzinfo=UTC)
        elif rest:
            when = datetime.datetime.fromisoformat(head + rest)
        else:
            when = civil.replace(tzinfo=self.info)
        return (when.astimezone(UTC) - EPOCH) // datetime.timedelta(seconds=1) * 1000 + fraction

    def local(self, ms):
        return (EPOCH + datetime.timedelta(milliseconds=ms)).astimezone(self.info)

    def text(self, ms):
        return None if ms is None else self.local(ms).isoformat(timespec="milliseconds")

    def window(self, average, ms):
        """(start, end) of the clock hour or day that holds @ms."""
        here = self.local(ms)
        if average == "hour":
            start = ms - ms % 1000 - (here.minute * 60 + here.second) * 1000
            return start, start + 3600000
        start = here.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        after = (start.replace(tzinfo=None) + datetime.timedelta(days=1)).replace(tzinfo=self.info)
        return tuple((x.astimezone(UTC) - EPOCH) // datetime.timedelta(milliseconds=1) for x in (start, after))

    def day(self, text):
        """(start, end) of a date."""
        return self.window("day", self.parse(text + " 12:00:00"))


# --- the flow of a site ---

class Flow:
    """What a site's flow monitor measured in the whole recording, and what follows from it."""

    def __init__(self, readings, hold, gate):
        self.readings, self.hold = readings, hold
        self.shut = self.periods(gate["below"], gate.get("for_s", 0) * 1000) if gate else []

    def speaks_until(self, time):
        return time + self.hold + 1 if self.hold else math.inf

    def at(self, time):
        """The newest flow at or before @time, None where it is unknown."""
        before = bisect.bisect_right(self.readings, time, key=lambda one: one[0])
        if not before or time >= self.speaks_until(self.readings[before - 1][0]):
            return None
        return self.readings[before - 1][1]

    def periods(self, below, lasting):
        """[start, end) of each time in which nothing was discharged."""
        out, since = [], None
        for i, (time, value) in enumerate(self.readings):
            until = self.speaks_until(time)
            last = i + 1 == len(self.readings)
            next_time = math.inf if last else self.readings[i + 1][0]
            if value >= below:
                since = None
                continue
            since = time if since is None else since
            end = min(until, next_time)
            if since + lasting < end:
                start = max(since + lasting, time)
                if out and out[-1][1] == start and start > since + lasting:
                    out[-1] = (out[-1][0], end)
                elif end > start:
                    out.append((start, end))
            if until < next_time or (until == next_time and not last):
                since = None
        return out

    def is_shut(self, time):
        return any(start <= time < end for start, end in self.shut)

    def shut_within(self, start, end):
        return sum(max(0, min(end, b) - max(start, a)) for a, b in self.shut)

    def returned(self, time):
        return max((end for _, end in self.shut if end <= time), default=-math.inf)


# --- one condition that begins and ends ---

class Alert:
    """What the site's log gets to know of one condition at one monitor."""

    def __init__(self, monitor, kind, entry=None, place=0):
        self.monitor, self.kind, self.entry, self.place = monitor, kind, entry, place
        self.active = None

    def raise_at(self, time, began_at, value, bound=None, reason=None):
        entry = self.entry
        limit = entry.get(bound or "max", entry.get("min")) if entry else None
        self.active = {
            "kind": self.kind, "began_at": began_at, "value": value, "bound": bound, "reason": reason,
            "limit": limit,
            "average": entry["average"] if entry else None, "place": self.place, "entry": entry}
        self.raised_at = time
        self.monitor.log("alert.raised", time, self.active)

    def clear_at(self, time):
        self.monitor.log("alert.cleared", time, self.active)
        self.active = None


class Run:
    """An unbroken run: when it began, how many new results it has."""

    def __init__(self):
        self.first = None
        self.count = 0

    def break_(self):
        self.first, self.count = None, 0

    def add(self, time, new):
        if self.first is None:
            self.first = time
        self.count += new

    def done(self, time, delay, count):
        return self.first is not None and time >= self.first + delay and self.count >= count


class Level:
    """A limit, or the warning before it: raised after a run beyond, cleared after a run well within."""

    def __init__(self, monitor, entry, kind, place):
        self.alert = Alert(monitor, kind, entry, place)
        self.entry, self.decimals = entry, entry.get("decimals", monitor.decimals)
        self.on, self.off = Run(), Run()
        warn = entry["warn_at"] if kind == "warning" else None
        high, low = entry.get("max"), entry.get("min")
        if warn:
            high = None if high is None else high * warn
            low = None if low is None else low / warn
        band = entry.get("deadband", 0)
        self.high, self.low = high, low
        if warn:
            self.high = None if high is None else digits12(high)
            self.low = None if low is None else digits12(low)
        self.derived = bool(warn)
        self.clear_derived = bool(warn or band)
        self.clear_high, self.clear_low = high, low
        if self.clear_derived:
            self.clear_high = None if high is None else digits12(high - band)
            self.clear_low = None if low is None else digits12(low + band)

    def break_runs(self):
        self.on.break_()
        self.off.break_()

    def compared(self, value, mean):
        if mean:
            value = digits12(value)
        if self.entry.get("compare") == "rounded":
            value = half_even(value, self.decimals)
        return value

    def beyond(self, value, mean):
        value = self.compared(value, mean)
        if self.derived:
            value = digits12(value)
        if self.high is not None and value > self.high:
            return "max"
        if self.low is not None and value < self.low:
            return "min"
        return None

    def well_within(self, value, mean):
        value = self.compared(value, mean)
        if self.clear_derived:
            value = digits12(value)
        return (self.high is None or value <= self.clear_high) and \
            (self.low is None or value >= self.clear_low)

    def take(self, time, value, new, began=None, mean=False):
        """One valid reading or mean. True if the alert was raised or cleared by it."""
        entry = self.entry
        bound = self.beyond(value, mean)
        if self.alert.active:
            if not self.well_within(value, mean):
                self.off.break_()
                return False
            self.off.add(time, new)
            if not self.off.done(time, entry.get("off_delay_s", 0) * 1000, entry.get("off_count", 0)):
                return False
            self.alert.clear_at(time)
            self.break_runs()
            return True
        if not bound:
            self.on.break_()
            return False
        if self.on.first is None:
            self.began = time if began is None else began
        self.on.add(time, new)
        if not self.on.done(time, entry.get("on_delay_s", 0) * 1000, entry.get("on_count", 0)):
            return False
        self.alert.raise_at(time, self.began, value, bound)
        self.break_runs()
        return True

    def not_valid(self):
        self.off.break_()


class Limit:
    """One entry of `limits`: the exceedance, its warning, and for means the windows."""

    def __init__(self, monitor, entry, place):
        self.entry = dict(entry, average=entry.get("average", "instant"))
        self.monitor = monitor
        self.exceedance = Level(monitor, self.entry, "exceedance", place)
        self.warning = Level(monitor, self.entry, "warning", place) if entry.get("warn_at") else None
        self.undetermined = Alert(monitor, "undetermined", self.entry, place)
        self.levels = [x for x in (self.exceedance, self.warning) if x]
        self.windows = {}
        self.next_window = None
        self.mark_until = entry.get("mark_until", monitor.site.get("mark_until"))
        if self.entry["average"] != "day":
            self.mark_until = None
        self.held = None
        self.begins = monitor.zone.day(entry["from"])[0] if "from" in entry else -math.inf
        self.ends = monitor.zone.day(entry["to"])[1] if "to" in entry else math.inf

    def in_force(self, time, at):
        """Outside the entry's dates it judges nothing, and what it raised ends."""
        if self.begins <= time < self.ends:
            return True
        for level in self.levels:
            level.break_runs()
        for alert in [level.alert for level in self.levels] + [self.undetermined]:
            if alert.active:
                alert.clear_at(at)
        return False

    def take(self, time, value, new, began=None, mean=False):
        if not mean and not self.in_force(time, time):
            return
        changed = self.exceedance.take(time, value, new, began, mean)
        if not self.warning:
            return
        if self.exceedance.alert.active:
            if changed and self.warning.alert.active:
                self.warning.alert.clear_at(time)
            self.warning.break_runs()
            return
        self.warning.take(time, value, new, began, mean)

    # windows

    def open_from(self, time):
        start = self.monitor.zone.window(self.entry["average"], time)[0]
        if self.next_window is None or start < self.next_window:
            self.next_window = start

    def collect(self, time, value, new):
        weight = 1
        if not new and self.entry.get("mean_of") == "results":
            return
        if self.entry.get("weight") == "flow":
            weight = self.monitor.flow.at(time)
            if weight is None:
                return
        start, _ = self.monitor.zone.window(self.entry["average"], time)
        if self.next_window is None or start >= self.next_window:
            self.windows.setdefault(start, []).append((value, max(weight, 0)))

    def judge_windows(self, clock):
        while self.next_window is not None:
            start, end = self.monitor.zone.window(self.entry["average"], self.next_window)
            if self.held and clock >= self.held:
                self.settle()
                continue
            if clock < end + self.entry.get("grace_s", 60) * 1000:
                return
            self.next_window = end
            self.judge_window(start, end, self.windows.pop(start, []))

    def judge_window(self, start, end, values):
        if not self.in_force(start, end):
            return
        gate = self.monitor.gate
        shut = gate.shut_within(start, end) if gate else 0
        expected = self.monitor.per_hour * (end - start - shut) / 3600000
        if shut and not values and (shut == end - start or (self.monitor.per_hour and expected < 1)):
            return
        weights = math.fsum(weight for _, weight in values)
        share = digits12(len(values) / expected) if expected else 1
        if share < self.entry.get("min_valid", 0.75) or not values or weights <= 0:
            if not self.undetermined.active:
                self.undetermined.raise_at(end, start, None)
            self.after_undetermined()
            return
        if self.undetermined.active:
            self.undetermined.clear_at(end)
        mean = math.fsum(value * weight for value, weight in values) / weights
        self.take(end, mean, 1, start, True)
        if self.mark_until and self.exceedance.beyond(mean, True):
            self.held = self.monitor.zone.parse(self.monitor.zone.text(end)[:11] + self.mark_until + ":00")

    def settle(self):
        """The day may not be marked any more, and its mean stands: the alert may open its case."""
        due, self.held = self.held, None
        if self.exceedance.alert.active:
            self.monitor.log("settled", due, self.exceedance.alert.active)

    def after_undetermined(self):
        """A window without a verdict says nothing: like a reading without flag N."""
        for level in self.levels:
            level.not_valid()


# --- clues ---

CLUES = {"clipped_count": 4, "clipped_share": 0.005, "weak_flat_count": 24, "weak_flat_share": 0.005,
         "repeating_count": 12, "alike_count": 12, "shut_count": 3, "shut_share": 0.2,
         "flagged_after_s": 7200, "contradicts_count": 2, "within_s": 14400, "hold_s": 1800,
         "altitude_m": 0}
ALIKE_MS, SEVERAL = 420000, 3


class Held:
    """A clue that has to hold for some new results in a row, and for some time."""

    def __init__(self, monitor, count, lasting, reason):
        self.monitor, self.count, self.lasting, self.reason = monitor, count, lasting, reason
        self.alert, self.run = Alert(monitor, "clue"), []

    def take(self, time, value, holds):
        if not holds:
            self.run = []
            if self.alert.active:
                self.alert.clear_at(time)
            return
        self.run.append(time)
        if not self.alert.active and len(self.run) >= self.count and time - self.run[0] >= self.lasting:
            self.alert.raise_at(time, self.run[0], value, reason=self.reason)


class Clues:
    """What several results, or several monitors, show together."""

    def __init__(self, monitor, given):
        self.monitor = monitor
        self.rules = dict(CLUES, **given)
        settings = monitor.settings
        self.course = settings.get("cycle_s", 0) >= 900 or monitor.interval >= 900000 or \
            0 < settings.get("expected_per_hour", 0) <= 4
        self.bottom = settings.get("detection_limit", 0)
        self.clipped = Held(monitor, self.rules["clipped_count"], self.rules["hold_s"] * 1000, "clipped")
        self.courses = {name: Alert(monitor, "clue") for name in ("weak_flat", "repeating")}
        self.flagged, self.shut = Alert(monitor, "clue"), Alert(monitor, "clue")
        self.aside, self.while_shut = [], []
        self.results = []
        self.twins = {}
        self.contradictions = []

    def meet(self, contradictions):
        """Once all monitors of the site are known."""
        for one in contradictions if self.rules["contradicts_count"] else ():
            other = self.monitor.judge.monitors.get(
                (self.monitor.site["id"], one.get("above", one.get("saturated_at"))))
            if one["factor"] == self.monitor.factor and other:
                self.contradictions.append((one, other, Held(
                    self.monitor, self.rules["contradicts_count"], self.rules["hold_s"] * 1000, one["reason"])))

    def heard(self, time, value, flag, shut):
        self.watch_flagged(time, value, flag, shut)
        self.watch_shut(time, value, flag, shut)

    def watch_flagged(self, time, value, flag, shut):
        after = self.rules["flagged_after_s"] * 1000
        if not after:
            return
        if shut or not (flag in "MCS" or (flag == "F" and self.monitor.gate)):
            self.aside = []
            if self.flagged.active:
                self.flagged.clear_at(time)
            return
        stale = self.monitor.stale_ms
        if self.aside and stale and time - self.aside[-1] > stale:
            self.aside = []
        self.aside.append(time)
        if not self.flagged.active and time - self.aside[0] >= after:
            self.flagged.raise_at(time, self.aside[0], value, reason="flagged")

    def watch_shut(self, time, value, flag, shut):
        count = self.rules["shut_count"]
        if not count:
            return
        if not shut:
            self.while_shut = []
            if self.shut.active:
                self.shut.clear_at(time)
            return
        if flag != "N" or not self.new_while_shut(time, value):
            return
        self.while_shut.append((time, value))
        low, high = (pick(v for _, v in self.while_shut) for pick in (min, max))
        if not self.shut.active and len(self.while_shut) >= count and high > self.bottom and \
                digits12(high - low) > digits12(self.rules["shut_share"] * high):
            self.shut.raise_at(time, self.while_shut[0][0], value, reason="shut")

    def new_while_shut(self, time, value):
        if not self.while_shut:
            return True
        last, held = self.while_shut[-1]
        cycle = self.monitor.settings.get("cycle_s", 0) * 1000
        return time > last and not (value == held and time - last < cycle)

    def result(self, time, value, new, gap):
        if gap:
            self.results = []
            self.clipped.run = []
            for _, _, held in self.contradictions:
                held.run = []
            for twin in self.twins.values():
                if not twin["alert"].active:
                    twin["times"] = []
        if not new:
            return
        self.results.append((time, value))
        low, high = self.monitor.low, self.monitor.high
        if self.rules["clipped_count"] and high < math.inf:
            top = high - self.rules["clipped_share"] * (high - low)
            self.clipped.take(time, value, digits12(value) >= digits12(top))
        self.watch_contradictions(time, value)
        if self.course:
            self.watch_weak_flat(time, value)
            self.watch_repeating(time, value)
            self.watch_alike(time, value)

    def watch_contradictions(self, time, value):
        for one, other, held in self.contradictions:
            if not other.valid or abs(time - other.valid[0]) > self.rules["within_s"] * 1000:
                continue
            if "above" in one:
                allowed = one.get("times", 1) * other.valid[1]
            else:
                air = (1 - 2.25577e-5 * self.rules["altitude_m"]) ** 5.25588
                allowed = one.get("times", 1) * air * 468 / (31.6 + other.valid[1])
            held.take(time, value, digits12(value) > digits12(allowed))

    def newest(self, count):
        return [v for _, v in self.results[-count:]]

    def course_says(self, name, holds, count, time, value):
        alert = self.courses[name]
        if holds and not alert.active:
            alert.raise_at(time, self.results[-count][0], value, reason=name)
        elif not holds and alert.active:
            alert.clear_at(time)

    def watch_weak_flat(self, time, value):
        count = self.rules["weak_flat_count"]
        values = self.newest(count)
        if not count or len(values) < count or self.monitor.flat.active:
            return
        mean = sum(values) / count
        deviation = math.sqrt(sum((v - mean) ** 2 for v in values) / count)
        steady = mean != 0 and deviation < self.rules["weak_flat_share"] * abs(mean)
        self.course_says("weak_flat", steady and value > self.bottom, count, time, value)

    def watch_repeating(self, time, value):
        count = self.rules["repeating_count"]
        if not count or len(self.results) < SEVERAL:
            return
        needed = 0
        for length in range(SEVERAL, 25):
            span = max(count, length)
            values = self.newest(span + length)
            if len(values) == span + length and values[length:] == values[:-length] and \
                    len(set(values[-length:])) >= SEVERAL:
                needed = span
                break
        self.course_says("repeating", needed > 0, needed, time, value)

    def watch_alike(self, time, value):
        """Each pair of monitors keeps one run, begun by one of the two; a monitor begins one at a time."""
        if not self.compared():
            return
        everyone = self.monitor.judge.watching
        here = everyone.index(self)
        for other in everyone[here + 1:] + everyone[:here]:
            if not other.compared() or other.monitor.factor != self.monitor.factor or \
                    not other.results or abs(time - other.results[-1][0]) > ALIKE_MS:
                continue
            same = other.results[-1][1] == value
            if self.keeps(other):
                self.count_alike(other, time, value, same)
            elif other.keeps(self):
                other.count_alike(self, time, value, same)
            elif same and not any(twin["times"] for twin in self.twins.values()):
                self.count_alike(other, time, value, same)

    def compared(self):
        return self.course and self.rules["alike_count"] and self.monitor.site["kind"] == "outfall"

    def keeps(self, other):
        return bool(self.twins.get(other, {}).get("times"))

    def count_alike(self, other, time, value, same):
        twin = self.twins.setdefault(other, {"alert": Alert(self.monitor, "clue"), "times": []})
        if not same:
            twin["times"] = []
            if twin["alert"].active:
                twin["alert"].clear_at(time)
            return
        twin["times"].append(time)
        count = self.rules["alike_count"]
        if not twin["alert"].active and len(twin["times"]) >= count and \
                len(set(self.newest(count))) >= SEVERAL:
            twin["alert"].raise_at(time, twin["times"][0], value, reason="alike " + other.monitor.site["id"])


class Monitor:
    def __init__(self, judge, site, settings, connection, decimals):
        self.judge, self.zone, self.site, self.settings = judge, judge.zone, site, settings
        self.factor, self.decimals = settings["factor"], decimals
        interval = settings.get("interval_ms", connection.get("interval_ms"))
        pushed = connection["driver"] in ("mqtt", "hj212")
        stale = settings.get("stale_after_s", site.get("stale_after_s"))
        if stale is None:
            stale = 7200 if pushed else max(60, 3 * interval / 1000)
        self.stale_ms = stale * 1000
        self.hold_ms = self.stale_ms or (7200 if pushed else max(60, 3 * interval / 1000)) * 1000
        self.interval = interval if interval and not pushed else 0
        self.per_hour = settings.get("expected_per_hour",
                                     3600000 / interval if interval and not pushed else 0)
        self.low, self.high = settings.get("range", (-math.inf, math.inf))
        self.limits = [Limit(self, entry, i) for i, entry in enumerate(settings.get("limits", ()))]
        self.instant = [x for x in self.limits if x.entry["average"] == "instant"]
        self.means = [x for x in self.limits if x.entry["average"] != "instant"]
        self.stale = Alert(self, "stale")
        self.flat = Alert(self, "flat")
        self.step = Alert(self, "step")
        self.over_range, self.under_range = Alert(self, "clue"), Alert(self, "clue")
        self.impossible = Alert(self, "clue")
        self.judged = bool(settings.get("limits")) or "target_class" in site or settings.get("live_zero")
        dead = settings.get("live_zero", self.judged and "dead_at" in IMPOSSIBLE["factors"].get(self.factor, {}))
        self.says_low = settings.get("under_range", dead)
        self.clock = self.newest = self.last = self.valid = None
        self.flat_run = None
        self.result = None
        self.flow = self.gate = None
        self.marks = []
        self.seen = self.seen_result = None
        self.returned, self.to_settle = -math.inf, 0
        self.clues = Clues(self, site["clues"]) if "clues" in site else None

    def log(self, type_, time, alert):
        self.judge.events.append((self, type_, time, alert))

    # the clock

    def start(self, time):
        self.last = self.silent_from = time
        for limit in self.means:
            limit.open_from(time)

    def tick(self, time, ended=False):
        if self.clock is None or time > self.clock:
            self.clock = time
        due = self.silent_from + self.stale_ms
        while self.gate and self.stale_ms and self.clock >= due:
            shut = [end for start, end in self.gate.shut if start <= due < end]
            later = shut[0] if shut else self.gate.returned(due)
            if later <= self.silent_from:
                break
            due = later + self.stale_ms
            if self.clock >= later:
                self.silent_from = later
        if self.stale_ms and not self.stale.active and (self.clock > due or (ended and self.clock == due)):
            self.stale.raise_at(due, self.last, self.valid[1] if self.valid else None)
        for limit in self.means:
            limit.judge_windows(self.clock)

    # a reading

    def reading(self, time, value, flag):
        heard = flag != "B"
        flag = self.counted(time, value, flag)
        late = self.newest is not None and time < self.newest
        if self.newest is None and time < self.last:
            for limit in self.means:
                limit.open_from(time)
        self.tick(time)
        shut = self.gate and self.gate.is_shut(time)
        if late:
            if flag == "N" and not shut:
                for limit in self.means:
                    limit.collect(time, value, 1)
            return
        self.newest = time
        if heard:
            if self.stale.active:
                # A row without a value may have moved the clock beyond this reading.
                self.stale.clear_at(max(time, self.stale.raised_at))
            self.last = self.silent_from = time
        if self.clues:
            self.clues.heard(time, value, flag, shut)
        if shut:
            return
        self.watch_range(time, value, flag)
        if flag != "N":
            for limit in self.instant:
                for level in limit.levels:
                    level.not_valid()
            return
        if self.settles(time, value):
            return
        gap = self.valid is not None and self.stale_ms and time - self.valid[0] > self.stale_ms
        if self.valid is not None and self.gate and self.gate.returned(time) > self.valid[0]:
            gap = True
        new = self.is_new(time, value)
        for limit in self.means:
            limit.collect(time, value, new)
        if gap:
            for limit in self.instant:
                for level in limit.levels:
                    level.break_runs()
        for limit in self.instant:
            limit.take(time, value, new)
        self.watch_flat(time, value, new, gap)
        self.watch_step(time, value, gap)
        if self.clues:
            self.clues.result(time, value, new, gap)
        self.valid = (time, value)

    def is_dead(self, value):
        """At the low end of a live zero, such as 4 mA, or within 0.2 % of the range above it; or what
        the factor cannot have, which a range that begins above that shows as its low end."""
        wanted, cannot = self.settings.get("live_zero"), IMPOSSIBLE["factors"].get(self.factor, {}).get("dead_at")
        if wanted is False or (wanted is None and cannot is None) or not self.judged:
            return False
        end = self.low + 0.002 * (self.high - self.low) if "range" in self.settings else None
        dead = end if wanted or (end is not None and self.low > max(cannot, 0)) else cannot
        return digits12(value) <= digits12(dead)

    def is_impossible(self, value):
        """A logger's code, unless the range holds it, or more than the factor can have."""
        if not self.judged:
            return False
        if value > IMPOSSIBLE["factors"].get(self.factor, {}).get("most", math.inf):
            return True
        inside = "range" in self.settings and self.low <= value <= self.high
        return value in IMPOSSIBLE["codes"] and not inside and "rollover" not in self.settings

    def counted(self, time, value, flag):
        """The flag that counts: that of the last mark over it, else the raw one, T beyond the range."""
        if flag == "N" and self.is_dead(value):
            flag = "D"
        if flag == "N" and not self.low <= value <= self.high:
            flag = "T"
        if flag == "N" and self.is_impossible(value):
            flag = "D"
        over = [mark for start, end, mark in self.marks if start <= time < end]
        return over[-1] if over and over[-1] != "N" else flag

    def is_new(self, time, value):
        """Is it a new result: later than the one before, and not one the instrument still holds?"""
        cycle = self.settings.get("cycle_s", 0) * 1000
        before = self.valid
        if before is not None and time <= before[0]:
            return 0
        if self.result is not None and value == self.result[1] and time - self.result[0] < cycle:
            return 0
        self.result = (time, value)
        return 1

    def settles(self, time, value):
        """Is it one of the first results after the flow, or the instrument, came back?"""
        first = self.settings.get("settle_results", 0)
        if not first:
            return False
        returned = self.gate.returned(time) if self.gate else -math.inf
        back = returned > self.returned or (self.seen is not None and self.stale_ms and
                                            time - self.seen > self.stale_ms)
        self.returned = max(self.returned, returned)
        cycle = self.settings.get("cycle_s", 0) * 1000
        new = back or self.seen is None or (time > self.seen and not (
            value == self.seen_result[1] and time - self.seen_result[0] < cycle))
        if back:
            self.to_settle = first + 1
        if new:
            self.to_settle = max(0, self.to_settle - 1)
            self.seen_result = (time, value)
        self.seen = time
        return self.to_settle > 0

    def watch_range(self, time, value, flag):
        inside = any(name in x.entry and self.low <= x.entry[name] <= self.high
                     for x in self.limits for name in ("max", "min"))
        if self.over_range.active:
            if flag == "N":
                self.over_range.clear_at(time)
        elif inside and flag == "T" and value > self.high:
            self.over_range.raise_at(time, time, value, reason="over_range")
        below = value < self.low or self.is_dead(value)
        if self.under_range.active:
            if flag == "N":
                self.under_range.clear_at(time)
        elif self.says_low and flag in "DT" and below:
            self.under_range.raise_at(time, time, value, reason="under_range")
        said = self.over_range.active or self.under_range.active
        if self.impossible.active:
            if flag == "N":
                self.impossible.clear_at(time)
        elif flag in "DT" and not said and self.is_impossible(value):
            self.impossible.raise_at(time, time, value, reason="impossible")

    def watch_flat(self, time, value, new, gap):
        after, count = self.settings.get("flat_after_s", 0), self.settings.get("flat_count", 0)
        if not after and not count:
            after = self.site.get("flat_after_s", 0)
        if not after and not count:
            return
        band = self.settings.get("flat_band", 0)
        if value <= self.settings.get("detection_limit", 0) != 0:
            if self.flat.active:
                self.flat.clear_at(time)
            self.flat_run = None
            return
        run = None if gap else self.flat_run
        if run:
            low, high = min(run["low"], value), max(run["high"], value)
            if digits12(high) > digits12(low + band):
                if self.flat.active:
                    self.flat.clear_at(time)
                run = None
            else:
                run.update(low=low, high=high)
        if not run:
            run = self.flat_run = {"first": time, "low": value, "high": value, "count": 0}
        run["count"] += new
        if not self.flat.active and ((after and time - run["first"] >= after * 1000) or
                                     (count and run["count"] >= count)):
            self.flat.raise_at(time, run["first"], value)

    def is_step(self, time, value, since, before):
        most, hourly = self.settings.get("max_step", 0), self.settings.get("max_step_hour", 0)
        hourly *= max(1.0, (time - since) / 3600000)
        value12 = digits12(value)
        if any(size and not digits12(before - size) <= value12 <= digits12(before + size)
               for size in (most, hourly)):
            return True
        times, share = self.settings.get("step_times", 0), self.settings.get("step_share", 0.5)
        levels = [x.entry["max"] for x in self.limits if "max" in x.entry and x.in_force(time, time)]
        return bool(times and levels and value12 > digits12(times * max(before, 0)) and
                    value12 > digits12(share * min(levels)))

    def watch_step(self, time, value, gap):
        if not any(self.settings.get(x) for x in ("max_step", "max_step_hour", "step_times")) or not self.valid:
            return
        steps = not gap and self.is_step(time, value, *self.valid)
        if steps and not self.step.active:
            self.step.raise_at(time, time, value)
        elif not steps and self.step.active:
            self.step.clear_at(time)


class Judge:
    def __init__(self, config, decimals, contradictions=()):
        node = config["node"]
        self.zone, self.prefix = Zone(node["timezone"]), node["case_prefix"]
        connections = {x["id"]: x for x in config["connections"]}
        self.events = []
        self.monitors = {}
        for site in config["sites"]:
            for settings in site["monitors"]:
                self.monitors[site["id"], settings["factor"]] = Monitor(
                    self, site, settings, connections[settings["connection"]],
                    decimals[settings["factor"]])
        self.watching = [x.clues for x in self.monitors.values() if x.clues]
        for clues in self.watching:
            clues.meet(contradictions)

    def run(self, rows):
        """@rows: (time, site, factor, value or None, flag) in the file's order."""
        if not rows:
            return []
        for monitor in self.monitors.values():
            monitor.start(rows[0][0])
        self.know_flows(rows)
        for time, site, factor, value, flag in rows:
            monitor = self.monitors.get((site, factor))
            if not monitor:
                continue
            if value is None:
                monitor.tick(time)
            else:
                monitor.reading(time, value, flag)
        end = max(row[0] for row in rows)
        for monitor in self.monitors.values():
            monitor.tick(end, True)
        loads.judge(self, rows, Alert)
        return self.numbered()

    def know_flows(self, rows):
        for (site, factor), monitor in self.monitors.items():
            gate = monitor.site.get("flow_gate")
            measured_by = monitor.site.get("flow_factor") or (gate or {}).get("factor", "w00000")
            of_flow = self.monitors.get((site, measured_by))
            if not of_flow:
                continue
            readings = []
            for time, at, what, value, flag in rows:
                if (at, what) == (site, measured_by) and value is not None and \
                        of_flow.counted(time, value, flag) == "N" and not (readings and time < readings[-1][0]):
                    readings.append((time, value))
            monitor.flow = Flow(readings, of_flow.stale_ms, gate)
            if gate and of_flow is not monitor and monitor.settings.get("gated", True):
                monitor.gate = monitor.flow

    def numbered(self):
        """Number and join cases entry by entry as things happened, then put each moment in order."""
        def moment(item):
            monitor, _, time, alert = item
            return time, monitor.site["id"], monitor.factor, alert["kind"]

        self.cases, self.sequence, out = {}, {}, []
        self.events.sort(key=lambda item: moment(item) + (item[3]["place"],))
        for _, items in itertools.groupby(self.events, moment):
            printed = []
            for item in items:
                printed += [(RANK[event["type"]], item[3]["place"], event) for event in self.said(*item)]
            printed.sort(key=lambda one: one[:2])
            out += [event for _, _, event in printed]
        return out

    def said(self, monitor, type_, time, alert):
        """The events of one alert's beginning or end: its own, and its case's."""
        event = {"type": type_, "time": self.zone.text(time), "site": monitor.site["id"],
                 "factor": monitor.factor, "kind": alert["kind"], "average": alert["average"],
                 "value": alert["value"], "began_at": self.zone.text(alert["began_at"]),
                 "limit": alert["limit"], "bound": alert["bound"], "reason": alert["reason"]}
        if type_ == "alert.cleared" or not self.opens(monitor, alert, type_):
            event["case"] = alert.get("case")
            return [event] if type_ != "settled" else []
        name = (monitor.site["id"], monitor.factor, alert["kind"], alert["average"])
        if name not in self.cases:
            self.cases[name] = self.joined(name, monitor, time) or self.registered(monitor, time)
        case = self.cases[name]
        case["episodes"] += 1
        event["case"] = alert["case"] = case["id"]
        about = {"type": "case.opened" if case["episodes"] == 1 else "case.updated", "time": event["time"]}
        for field in ("site", "factor", "kind", "average"):
            about[field] = event[field]
        about.update(factor=case["factor"], case=case["id"], number=case["number"],
                     episodes=min(case["episodes"], EPISODES_SAID))
        return [event, about] if type_ != "settled" else [about]

    def registered(self, monitor, time):
        year = self.zone.local(time).year
        self.sequence[year] = self.sequence.get(year, 0) + 1
        return {"id": sum(self.sequence.values()), "episodes": 0, "factor": monitor.factor, "opened": time,
                "number": "%s〔%d〕%d号" % (self.prefix, year, self.sequence[year])}

    def joined(self, name, monitor, time):
        """The first case of the site that a further factor still joins."""
        within = monitor.site.get("join_h", 0) * 3600000
        for (site, _, kind, average), case in self.cases.items():
            if (site, kind, average) == (name[0], "exceedance", name[3]) and kind == name[2] and \
                    within and case["opened"] >= time - within:
                return case
        return None

    @staticmethod
    def opens(monitor, alert, type_):
        entry = alert["entry"] or {}
        waits = alert["kind"] == "exceedance" and entry.get("average") == "day" and \
            entry.get("mark_until", monitor.site.get("mark_until"))
        if (type_ == "settled" and "case" in alert) or (waits and type_ == "alert.raised"):
            return False
        if alert["kind"] == "exceedance" and alert["entry"].get("opens"):
            return alert["entry"]["opens"] == "case"
        return alert["kind"] in monitor.site.get("opens", ("exceedance", "load"))


def read_rows(path, zone):
    """The well-formed rows of a CSV."""
    rows = []
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            text = (row["value"] or "").strip()
            value = None if text.lower() in ("", "na", "nan") else float(text)
            rows.append((zone.parse(row["time"]), row["site"], row["factor"], value, row.get("flag") or "N"))
    return rows


def read_marks(path, it):
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            monitor = it.monitors.get((row["site"], row["factor"]))
            if monitor:
                monitor.marks.append((it.zone.parse(row["from"]), it.zone.parse(row["to"]), row["flag"]))


def judge(config, path, decimals, marks=None):
    it = Judge(config, decimals, grammar.contradictions())
    if marks:
        read_marks(marks, it)
    return it.run(read_rows(path, it.zone))


def project_events(line):
    """A line of the daemon's output with the fields that are compared."""
    whole = json.loads(line)
    data = whole["data"]
    event = {"type": whole["type"], "time": whole["time"]}
    for name in ("site", "factor", "kind", "average"):
        event[name] = data[name]
    if whole["type"].startswith("case."):
        event.update(case=data["id"], number=data["number"], episodes=len(data["episodes"]))
    else:
        for name in ("value", "began_at", "limit", "bound", "reason", "case"):
            event[name] = data[name]
    return event


def comparable(event):
    """Numbers as people read them: means may differ in the last bit."""
    return {k: digits12(v) if isinstance(v, (int, float)) else v for k, v in event.items()}


def main():
    sys.dont_write_bytecode = True
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import settings
    config = settings.read(sys.argv[1])
    for event in judge(config, sys.argv[2], settings.catalogue_decimals(), *sys.argv[3:]):
        print(json.dumps(event, ensure_ascii=False))


if __name__ == "__main__":
    main()
