# SPDX-License-Identifier: Apache-2.0
"""judge_clues: what several results, or several monitors, show together, for judge.py."""
import math

import settings as grammar
from judge_limits import Alert
from judge_time import digits12

CLUES = {"clipped_count": 4, "clipped_share": 0.005, "weak_flat_count": 24, "weak_flat_share": 0.005,
         "repeating_count": 12, "alike_count": 12, "shut_count": 3, "shut_share": 0.2, "shut_after_s": 86400,
         "flagged_after_s": 7200, "contradicts_count": 2, "within_s": 14400, "hold_s": 1800,
         "altitude_m": 0}
ALIKE_MS, SEVERAL = 420000, 3
MASSES = grammar.masses()


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
        self.rate_unsaid = monitor.factor in MASSES and not (monitor.interval or settings.get("cycle_s") or settings.get("expected_per_hour"))
        self.bottom = settings.get("detection_limit", 0)
        self.clipped = Held(monitor, self.rules["clipped_count"], self.rules["hold_s"] * 1000, "clipped")
        self.courses = {name: Alert(monitor, "clue") for name in ("weak_flat", "repeating")}
        self.flagged, self.shut = Alert(monitor, "clue"), Alert(monitor, "clue")
        self.shut_over, self.settled = Alert(monitor, "clue"), Alert(monitor, "clue")
        self.over_since, self.first_ones = None, []
        gate = monitor.site.get("flow_gate")
        measures = gate and monitor.factor == gate.get("factor", monitor.site.get("flow_factor", "w00000"))
        self.backwards = -gate["below"] if measures and gate["below"] > 0 and self.rules["contradicts_count"] else None
        self.negative = Held(monitor, self.rules["contradicts_count"], self.rules["hold_s"] * 1000, "negative_flow")
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
        self.watch_shut_over(time, value, flag, shut)

    def watch_shut_over(self, time, value, flag, shut):
        """Beyond a limit for long, while nothing is discharged; moments of flow in between are no end of it."""
        after = self.rules["shut_after_s"] * 1000
        if not after or flag != "N" or not shut:
            return
        if not self.monitor.beyond(time, value):
            self.end_shut_over(time)
            return
        if self.over_since is None:
            self.over_since = time
        if not self.shut_over.active and time - self.over_since >= after:
            self.shut_over.raise_at(time, self.over_since, value, reason="shut_over_limit")

    def end_shut_over(self, time):
        self.over_since = None
        if self.shut_over.active:
            self.shut_over.clear_at(time)

    def set_aside(self, time, value):
        """A new result that was one of the first after a stop."""
        if not self.rules["shut_count"]:
            return
        if not self.monitor.beyond(time, value):
            self.first_ones = []
            if self.settled.active:
                self.settled.clear_at(time)
            return
        self.first_ones.append(time)
        if not self.settled.active and len(self.first_ones) >= self.rules["shut_count"]:
            self.settled.raise_at(time, self.first_ones[0], value, reason="settled")

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
            self.break_course()
            self.clipped.run = []
            for _, _, held in self.contradictions:
                held.run = []
            self.negative.run = []
        if not new:
            return
        self.end_shut_over(time)
        if self.first_ones and time - self.first_ones[-1] > 7 * 86400000:
            self.first_ones = []
            if self.settled.active:
                self.settled.clear_at(time)
        if self.rate_unsaid and self.results and time - self.results[-1][0] < 840000:
            self.break_course()
        self.results.append((time, value))
        low, high = self.monitor.low, self.monitor.high
        if self.rules["clipped_count"] and high < math.inf:
            top = high - self.rules["clipped_share"] * (high - low)
            self.clipped.take(time, value, digits12(value) >= digits12(top))
        self.watch_contradictions(time, value)
        if self.backwards is not None:
            self.negative.take(time, value, value <= self.backwards)
        if self.course or self.rate_unsaid:
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

    def break_course(self):
        self.results = []
        for twin in self.twins.values():
            if not twin["alert"].active:
                twin["times"] = []

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
        return (self.course or self.rate_unsaid) and self.rules["alike_count"] and self.monitor.site["kind"] == "outfall"

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


class Order:
    """Late readings in a row, each later than the one before it: a clock was wrong."""

    def __init__(self, monitor):
        self.count = monitor.settings.get("late_count", 0)
        self.alert = Alert(monitor, "clue")
        self.late_times, self.behind = [], 0

    def late(self, time, value):
        if not self.count:
            return
        if self.late_times and time <= self.late_times[-1]:
            self.late_times = []
        self.late_times.append(time)
        self.behind = 0
        if not self.alert.active and len(self.late_times) >= self.count:
            self.alert.raise_at(time, self.late_times[0], value, reason="out_of_order")

    def in_order(self, time):
        self.late_times = []
        self.behind += 1
        if self.alert.active and self.behind >= self.count:
            self.alert.clear_at(time)
