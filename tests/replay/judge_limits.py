# SPDX-License-Identifier: Apache-2.0
"""judge_limits: alerts, runs, levels and limits with their windows, for judge.py."""
import math

from judge_time import HOUR, digits12, half_even


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

    def part(self, gap, stood):
        """A gap breaks runs, a standstill those that ask for time."""
        if gap or (stood and self.entry.get("on_delay_s", 0)):
            self.on.break_()
        if gap or (stood and self.entry.get("off_delay_s", 0)):
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
        self.windows, self.missed = {}, {}
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
            self.windows.setdefault(start, []).append((value, max(weight, 0), time))

    def miss(self, time, new):
        """A reading that was set aside is not due."""
        start, _ = self.monitor.zone.window(self.entry["average"], time)
        if (new or self.entry.get("mean_of") != "results") and self.entry["average"] != "day-8h" and \
                (self.next_window is None or start >= self.next_window):
            self.missed[start] = self.missed.get(start, 0) + 1

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
        missed = self.missed.pop(start, 0)
        expected = max(0, self.monitor.per_hour * (end - start - shut) / 3600000 - missed)
        if (shut or missed) and not values and (shut == end - start or (self.monitor.per_hour and expected < 1)):
            return
        mean = self.largest_of_eight(start, end, values) if self.entry["average"] == "day-8h" else \
            self.mean(values, expected)
        if mean is None:
            if not self.undetermined.active:
                self.undetermined.raise_at(end, start, None)
            self.after_undetermined()
            return
        if self.undetermined.active:
            self.undetermined.clear_at(end)
        self.take(end, mean, 1, start, True)
        if self.mark_until and self.exceedance.beyond(mean, True):
            self.held = self.monitor.zone.parse(self.monitor.zone.text(end)[:11] + self.mark_until + ":00")

    def mean(self, values, expected):
        """None where too few of those expected are there, or nothing has a weight."""
        weights = math.fsum(weight for _, weight, _ in values)
        share = digits12(len(values) / expected) if expected else 1
        if share < self.entry.get("min_valid", 0.75) or not values or weights <= 0:
            return None
        return math.fsum(value * weight for value, weight, _ in values) / weights

    def largest_of_eight(self, start, end, values):
        """Of the moving means of eight hours of a day; None where it has too few, and does not exceed."""
        hours = []
        for begin in range(start, end - HOUR + 1, HOUR):
            shut = self.monitor.gate.shut_within(begin, begin + HOUR) if self.monitor.gate else 0
            hours.append(self.mean([one for one in values if begin <= one[2] < begin + HOUR],
                                   self.monitor.per_hour * (HOUR - shut) / HOUR))
        means = []
        for first in range(len(hours) - 7):
            known = [one for one in hours[first:first + 8] if one is not None]
            if known and len(known) >= digits12(8 * self.entry.get("min_valid", 0.75)):
                means.append(math.fsum(known) / len(known))
        if not means or (len(means) < 14 and not self.exceedance.beyond(max(means), True)):
            return None
        return max(means)

    def settle(self):
        """The day may not be marked any more, and its mean stands: the alert may open its case."""
        due, self.held = self.held, None
        if self.exceedance.alert.active:
            self.monitor.log("settled", due, self.exceedance.alert.active)

    def after_undetermined(self):
        """A window without a verdict says nothing: like a reading without flag N."""
        for level in self.levels:
            level.not_valid()
