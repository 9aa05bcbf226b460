# SPDX-License-Identifier: Apache-2.0
"""judge_monitor: one monitor's readings, in the order of the file, for judge.py."""
import math

import settings as grammar
from judge_clues import Clues, Order
from judge_limits import Alert, Limit
from judge_time import digits12

IMPOSSIBLE = grammar.impossible()


def is_near(value, end):
    """As a loop's noise lets it be."""
    return abs(value - end) <= 0.005 * abs(end)


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
        self.order = Order(self)
        self.judged = bool(settings.get("limits")) or "target_class" in site or settings.get("live_zero") or \
            settings.get("permit_tonnes_year") or self.factor == site.get("flow_factor", "w00000")
        known = IMPOSSIBLE["factors"].get(self.factor, {})
        self.cannot = known.get("dead_at")  # have it, in the catalogue's unit
        if "drift" in known and "range" not in settings:
            self.cannot = -known["drift"]
        dead = settings.get("live_zero", self.judged and self.cannot is not None)
        self.says_low = settings.get("under_range", dead)
        self.asks_beside = bool(self.judged and known.get("zero_beside") and "live_zero" not in settings)
        self.asks_low = bool(self.judged and "live_zero" not in settings and "rollover" not in settings)
        self.shown = None
        self.clock = self.newest = self.last = self.valid = None
        self.flat_run = None
        self.result = None
        self.flow = self.gate = None
        self.marks = []
        self.seen = self.seen_result = None
        self.returned, self.to_settle, self.set_aside, self.settling = -math.inf, 0, 0, False
        self.pace, self.parted = None, [False, False]
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

    def reading(self, time, value, flag, none=False):
        """@none: no water by what stands beside it."""
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
            self.order.late(time, value)
            return
        self.order.in_order(time)
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
        self.watch_range(time, value, flag, none)
        if flag != "N":
            for limit in self.instant:
                for level in limit.levels:
                    level.not_valid()
            return
        gap, stood = self.parting(time)
        if self.settles(time, value):
            self.parted = [gap, stood]
            return
        self.parted = [False, False]
        new = self.is_new(time, value)
        for limit in self.means:
            limit.collect(time, value, new)
        for limit in self.instant:
            for level in limit.levels:
                level.part(gap, stood)
        for limit in self.instant:
            limit.take(time, value, new)
        self.watch_flat(time, value, new, gap, stood)
        self.watch_step(time, value, gap or stood)
        if self.clues:
            self.clues.result(time, value, new, gap or stood)
        self.valid = (time, value)

    def is_dead(self, value):
        """At the low end of a live zero, such as 4 mA, or within 0.2 % of the range above it; or what
        the factor cannot have, which a range that begins above that shows as its low end."""
        wanted, cannot = self.settings.get("live_zero"), self.cannot
        if wanted is False or (wanted is None and cannot is None) or not self.judged:
            return False
        end = self.low + 0.002 * (self.high - self.low) if "range" in self.settings else None
        dead = end if wanted or (end is not None and self.low > max(cannot, 0)) else cannot
        return digits12(value) <= digits12(dead)

    def is_low(self, value):
        return value == (self.low if "range" in self.settings else 0)

    def is_too_low(self, value):
        return any(value < x.entry.get("min", -math.inf) for x in self.limits)

    def may_be_low(self, value):
        """A whole number below what a limit asks for, where nobody knows where the range begins."""
        return self.asks_low and "range" not in self.settings and is_near(value, round(value)) and \
            self.is_too_low(value)

    def show(self, time, value, flag):
        """What it is to those beside it."""
        own = self.by_value(value, flag)
        shows = None
        if own in "NTD":
            known = IMPOSSIBLE["factors"].get(self.factor, {}).get("dead_at", -math.inf)
            nothing = digits12(value) <= known or value in IMPOSSIBLE["codes"] or self.is_dead(value) or \
                self.is_impossible(value) or self.is_fill(value)
            shows = "nothing" if nothing else "fault" if own == "D" else "low" if self.is_low(value) else \
                None if self.may_be_low(value) else "water"
        if self.shown is not None and (self.shown["time"], self.shown["value"], self.shown["shows"]) == (
                time, value, shows):
            return
        before = self.shown if self.shown and abs(self.shown["time"] - time) <= 60000 else None
        self.shown = {"time": time, "value": value, "shows": shows, "dead": None,
                      "fell": bool(before and before["shows"] == "water" and shows == "low"),
                      "clings": before["dead"] if before and before["dead"] is not None and
                      is_near(value, before["dead"]) else None}

    def settle(self, time, value, flag):
        """The flag of a reading, by what the probes beside it showed within a minute of it, and whether it is
        none by that."""
        self.show(time, value, flag)
        if self.by_value(value, flag) not in "ND":
            return flag, False
        beside = [x.shown for x in self.beside() if x.shown and abs(x.shown["time"] - time) <= 60000]
        nothing, fault, low, water = (sum(x["shows"] == what for x in beside)
                                      for what in ("nothing", "fault", "low", "water"))
        none = self.asks_beside and value == 0 and nothing + fault > water
        clings, too_low = self.shown["clings"], self.is_too_low(value)
        if self.asks_low and len(self.beside()) > 1:
            if self.is_low(value) or self.may_be_low(value):
                wanted = 2 if too_low else 3
                dead = nothing + low >= max(wanted, wanted * water)
                none = none or dead and (nothing > 0 or (too_low and water == 0)) or \
                    too_low and sum(x["fell"] for x in beside) >= 2
            none = none or clings is not None and nothing + low >= 2
        if none:
            self.shown["dead"] = value if clings is None else clings
        return ("D", True) if none else (flag, False)

    def beside(self):
        return [other for (site, _), other in self.judge.monitors.items() if other is not self and
                site == self.site["id"] and other.settings["connection"] == self.settings["connection"]]

    def is_fill(self, value):
        """What loggers write for nothing, and no limit, nor the range, has room for."""
        if not self.judged or "rollover" in self.settings or \
                "range" in self.settings and self.low <= value <= self.high:
            return False
        scale, offset = self.settings.get("scale", 1), self.settings.get("offset", 0)
        fills = {x["value"] for x in IMPOSSIBLE["fills"]}
        fills |= {x["value"] * scale + offset for x in IMPOSSIBLE["fills"] if x.get("register")}
        return any(abs(value - x) <= 1e-7 * x and all(x > y.entry.get("max", -math.inf) for y in self.limits)
                   for x in fills)

    def is_impossible(self, value):
        """A logger's code, unless the range holds it, or more than the factor can have."""
        if value in self.settings.get("codes", ()) or abs(value) >= IMPOSSIBLE["unreal_from"]:
            return True
        if not self.judged:
            return False
        if value > IMPOSSIBLE["factors"].get(self.factor, {}).get("most", math.inf):
            return True
        inside = "range" in self.settings and self.low <= value <= self.high
        return value in IMPOSSIBLE["codes"] and not inside and "rollover" not in self.settings

    def by_value(self, value, flag):
        """The flag with what the value alone says: D of a dead signal or a code, T beyond the range."""
        if flag == "N" and self.is_dead(value):
            flag = "D"
        if flag == "N" and not self.low <= value <= self.high:
            flag = "T"
        if flag == "N" and (self.is_impossible(value) or self.is_fill(value)):
            flag = "D"
        return flag

    def counted(self, time, value, flag):
        """The flag that counts: that of the last mark over it, else the raw one."""
        flag = self.by_value(value, flag)
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

    def stood(self, since, time):
        """How long nothing was discharged between two moments, of times that are over; None: there was none."""
        if not self.gate or self.gate.returned(time) <= since:
            return None
        return self.gate.shut_within(since, time)

    def parting(self, time):
        """Whether a gap, and whether a standstill, lies before a reading: since the last one, also where that
        counted for nothing, or before it."""
        if self.valid is None:
            return self.parted
        last = max(self.valid[0], -math.inf if self.seen is None else self.seen)
        stood = self.stood(last, time)
        gap = self.stale_ms and time - last - (stood or 0) > self.stale_ms
        return self.parted[0] or bool(gap), self.parted[1] or stood is not None

    def settles(self, time, value):
        """Is it one of the first results after the flow, or the instrument, came back?"""
        first = self.settings.get("settle_results", 0)
        if not first:
            return False
        stood, back = None, False
        if self.seen is not None:
            stood = self.stood(self.seen, time)
            back = self.stale_ms and time - self.seen - (stood or 0) > self.stale_ms
        returned = self.gate.returned(time) if self.gate else -math.inf
        if returned > self.returned:
            lasting = self.site["flow_gate"].get("for_s", 0) * 1000 + (stood or 0)
            back = back or self.seen is None or self.pace is None or lasting >= self.pace
            self.returned = returned
        cycle = self.settings.get("cycle_s", 0) * 1000
        new = back or self.seen is None or (time > self.seen and not (
            value == self.seen_result[1] and time - self.seen_result[0] < cycle))
        if back:
            self.to_settle = first
        if new:
            self.settling = self.to_settle > 0 and self.set_aside < first
            self.to_settle = self.to_settle - 1 if self.settling else 0
            self.set_aside = self.set_aside + 1 if self.settling else 0
            if self.seen is not None:
                self.pace = time - self.seen_result[0] - (self.stood(self.seen_result[0], time) or 0)
            self.seen_result = (time, value)
        self.seen = time
        if self.settling:
            for limit in self.means:
                limit.miss(time, new)
            if self.clues and new:
                self.clues.set_aside(time, value)
        return self.settling

    def watch_range(self, time, value, flag, none):
        inside = any(name in x.entry and self.low <= x.entry[name] <= self.high
                     for x in self.limits for name in ("max", "min"))
        if self.over_range.active:
            if flag == "N":
                self.over_range.clear_at(time)
        elif inside and flag == "T" and value > self.high:
            self.over_range.raise_at(time, time, value, reason="over_range")
        below = none or self.says_low and (value < self.low or self.is_dead(value))
        if self.under_range.active:
            if flag == "N":
                self.under_range.clear_at(time)
        elif flag in "DT" and below:
            self.under_range.raise_at(time, time, value, reason="under_range")
        said = self.over_range.active or self.under_range.active
        if self.impossible.active:
            if flag == "N":
                self.impossible.clear_at(time)
        elif flag in "DT" and not said and (self.is_impossible(value) or self.is_fill(value)):
            reason = "impossible" if self.is_impossible(value) else "fill_code"
            self.impossible.raise_at(time, time, value, reason=reason)

    def beyond(self, time, value):
        """Beyond a limit in force, whatever its averaging."""
        for limit in self.limits:
            number = value if limit.entry["average"] == "instant" else digits12(value)
            if limit.begins <= time < limit.ends and not \
                    limit.entry.get("min", -math.inf) <= number <= limit.entry.get("max", math.inf):
                return True
        return False

    def watch_flat(self, time, value, new, gap, stood):
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
        run = None if gap or (stood and after) else self.flat_run
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
