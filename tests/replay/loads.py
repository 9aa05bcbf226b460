# SPDX-License-Identifier: Apache-2.0
"""
loads: discharged totals and permits as duchad.cfg(5), LOADS, states them, for judge.py: by pieces of
time in which flow and concentration both speak, cut at the clock hours.
"""
import datetime

MILLIGRAMS = {"mg/L": 1, "ug/L": 1e-3, "g/L": 1e3}          # in a litre, which are grams in a m³
CUBIC_METRES = {"m3/s": 1, "L/s": 1e-3, "m3/h": 1 / 3600}   # in a second
GRACE_MS = 600000


def digits12(number):
    return float("%.12g" % number)


def speaking(readings, hold):
    """[(from, to, value)] of what a monitor says; @readings: (time, value, flag) in the file's order."""
    ordered = sorted(readings, key=lambda one: one[0])
    out = []
    for i, (time, value, flag) in enumerate(ordered):
        end = time + hold
        if i + 1 < len(ordered):
            end = min(end, ordered[i + 1][0])
        if flag == "N" and end > time:
            out.append((time, end, value))
    return out


def counting(readings, hold, rollover):
    """The same of a counter: the flow, in its unit a second, between two readings."""
    ordered = sorted(readings, key=lambda one: one[0])
    out = []
    for (at, before, flag), (to, after, next_flag) in zip(ordered, ordered[1:]):
        went = after - before + (rollover if after < before else 0)
        if flag == next_flag == "N" and at < to <= at + hold and 0 <= went < rollover / 2:
            out.append((at, to, went * 1000 / (to - at)))
    return out


def overlaps(flows, values):
    """(from, to, flow, value) where both speak."""
    i = j = 0
    while i < len(flows) and j < len(values):
        start, end = max(flows[i][0], values[j][0]), min(flows[i][1], values[j][1])
        if start < end:
            yield start, end, flows[i][2], values[j][2]
        if flows[i][1] <= values[j][1]:
            i += 1
        else:
            j += 1


def by_hour(zone, flows, values, cubic_metres):
    """{start of the clock hour: (end, grams)}; an hour in which both spoke is there."""
    hours = {}
    for start, end, flow, value in overlaps(flows, values):
        while start < end:
            first, last = zone.window("hour", start)
            part = min(end, last)
            grams = max(0, flow) * cubic_metres * (part - start) / 1000 * value
            hours[first] = (last, hours.get(first, (last, 0))[1] + grams)
            start = part
    return hours


class Permit:
    """What a monitor may discharge in a year, and which shares of it were said."""

    def __init__(self, monitor, alert):
        settings = monitor.settings
        self.monitor, self.tonnes = monitor, settings["permit_tonnes_year"]
        self.shares = [(share, alert(monitor, "load")) for share in
                       [*settings.get("permit_warn_at", (0.8,)), 1.0]]
        self.year, self.grams = None, 0

    def hour(self, start, end, grams):
        year = self.monitor.zone.local(start).year
        if year != self.year:
            first = self.monitor.zone.parse(datetime.date(year, 1, 1).isoformat() + " 00:00:00")
            for _, alert in self.shares:
                if alert.active:
                    alert.clear_at(first)
            self.year, self.grams = year, 0
        self.grams += grams
        for share, alert in self.shares:
            if not alert.active and digits12(self.grams) > digits12(share * self.tonnes * 1e6):
                alert.raise_at(end, start, self.grams / 1e6, "max", "%.9g%%" % (100 * share))
                alert.active["limit"] = self.tonnes


def judge(judge_, rows, alert):
    """The loads of all sites with a permit, over all rows wherever they stand."""
    latest = max(row[0] for row in rows)
    for (site, factor), monitor in judge_.monitors.items():
        flow = judge_.monitors.get((site, monitor.site.get("flow_factor", "w00000")))
        if not flow or not monitor.settings.get("permit_tonnes_year"):
            continue
        said = {}
        for time, at, what, value, flag in rows:
            if at == site and value is not None and what in (factor, flow.factor):
                of = judge_.monitors[at, what]
                said.setdefault(what, []).append((time, value, of.counted(time, value, flag)))
        if "rollover" in flow.settings:
            flows = counting(said.get(flow.factor, []), flow.hold_ms, flow.settings["rollover"])
            scale = 1
        else:
            flows = speaking(said.get(flow.factor, []), flow.hold_ms)
            scale = CUBIC_METRES[flow.settings.get("unit", "L/s")]
        values = speaking(said.get(factor, []), monitor.hold_ms)
        scale *= MILLIGRAMS[monitor.settings.get("unit", "mg/L")]
        permit = Permit(monitor, alert)
        carried = by_hour(judge_.zone, flows, values, scale)
        for start, (end, _) in sorted(by_hour(judge_.zone, flows, flows, 1).items()):
            if end + GRACE_MS <= latest:
                permit.hour(start, end, carried.get(start, (end, 0))[1])
