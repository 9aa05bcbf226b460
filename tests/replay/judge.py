# SPDX-License-Identifier: Apache-2.0
"""
judge: a second evaluation of `duchad --backtest`, written from the rules as duchad.cfg(5) states
them and not from the daemon's code, so that the two can be held against each other.

It is slow and plain on purpose. A configuration is a dictionary with the keys of ducha.cfg
(settings.read() makes one from a file); readings come from a CSV. What comes out is a list of
events with the fields in FIELDS, in the order in which the daemon prints them.

    judge.py DUCHA.CFG DATA.CSV [MARKS.CSV]   prints the events
"""
import csv
import itertools
import json
import math
import os
import sys

import judge_strays
import loads
import settings as grammar
from judge_flow import Flow
from judge_limits import Alert
from judge_monitor import Monitor
from judge_time import Zone, digits12

FIELDS = ("type", "time", "site", "factor", "kind", "average", "value", "began_at", "limit", "bound",
          "reason", "case", "number", "episodes")
EPISODES_SAID = 100  # an event names no more of a case's episodes
RANK = {"alert.cleared": 0, "settled": 1, "alert.raised": 1, "case.opened": 2, "case.updated": 2}


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
        rows, strays = judge_strays.drop(rows, self.monitors)
        for monitor in self.monitors.values():
            monitor.start(rows[0][0])
        settled = list(self.settled(rows))
        self.know_flows(settled)
        for monitor, time, value, flag, none in settled:
            if value is None:
                monitor.tick(time)
            else:
                monitor.reading(time, value, flag, none)
        end = max(row[0] for row in rows)
        for monitor in self.monitors.values():
            monitor.tick(end, True)
        for (_, site, factor, value, _), came, behind in strays:
            alert = Alert(self.monitors[site, factor], "clue")
            alert.raise_at(came, came, value, reason="dated_ahead")
            alert.clear_at(behind)
        loads.judge(self, rows, Alert)
        return self.numbered()

    def by_clock(self, rows):
        """As they would have come: each monitor's in the file's order, those of several by the newest time
        that each has reached, and at one moment an oxygen probe behind those beside it."""
        clocks, keys, last = {}, [], (-math.inf, False)
        for time, site, factor, _, _ in rows:
            monitor = self.monitors.get((site, factor))
            if monitor:
                clocks[monitor] = max(time, clocks.get(monitor, time))
                last = (clocks[monitor], monitor.asks_beside)
            keys.append(last)
        return [row for _, row in sorted(zip(keys, rows), key=lambda one: one[0])]

    def settled(self, rows):
        """What is read at one moment is known before the flag of any of it is."""
        known = (row for row in self.by_clock(rows) if row[1:3] in self.monitors)
        for time, moment in itertools.groupby(known, key=lambda row: row[0]):
            moment = [(self.monitors[site, factor], value, flag) for _, site, factor, value, flag in moment]
            for monitor, value, flag in moment:
                if value is not None:
                    monitor.show(time, value, flag)
            for monitor, value, flag in moment:
                yield monitor, time, value, *(
                    (flag, False) if value is None else monitor.settle(time, value, flag))

    def know_flows(self, settled):
        for (site, factor), monitor in self.monitors.items():
            gate = monitor.site.get("flow_gate")
            measured_by = monitor.site.get("flow_factor") or (gate or {}).get("factor", "w00000")
            of_flow = self.monitors.get((site, measured_by))
            if not of_flow:
                continue
            readings, newest = [], None
            for measured, time, value, flag, _ in settled:
                if measured is not of_flow or value is None or (newest is not None and time < newest):
                    continue
                newest = time
                if of_flow.counted(time, value, flag) == "N":
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


def project_events(lines):
    """The daemon's output, but for what says only that a case has become graver, which is no matter here."""
    events, episodes = [], {}
    for line in lines:
        event, action = project_event(line)
        is_case = event["type"].startswith("case.")
        same = is_case and episodes.get(event["case"]) == event["episodes"] < EPISODES_SAID
        if not (same and action == "severity"):
            events.append(event)
        if is_case:
            episodes[event["case"]] = event["episodes"]
    return events


def project_event(line):
    """A line of the daemon's output with the fields that are compared, and what was done last in a case."""
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
    history = data.get("history")
    return event, history[-1]["action"] if history else None


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
