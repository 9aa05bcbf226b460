#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
report: what an operator would get from real series with the office's practice, and which of the
labelled events it finds.

    report.py DUCHAD FOLDER [--plain] [--only NAME]... [--keep DIR]

FOLDER holds public data sets that are no part of this project; each class below names its own. Every
set becomes one site that says practice = "office", ranges, rates and limits, and nothing else; it is
played through --backtest. An event is found where an alert of its monitor (of its site, where the
label names no monitor) is raised from its first row until GRACE_H hours after its last. Prints a line
for each set; the figures in tests/README.md come from here. With --plain the site says limits and rates
alone, no practice and nothing of its instruments, and each case is named with the value that opened it.
"""
import argparse
import collections
import csv
import datetime
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.normpath(os.path.join(HERE, "..", "..", "config"))
GRACE_H = 1
WEEK_S = 7 * 86400.0
III = '{ standard = "GB3838-2002"; class = "III"; }'
LOOP = "live_zero = true;"  # 4 to 20 mA
WATCH = '{ max = 200.0; source = "watch level"; }'


class Monitor:
    def __init__(self, factor, column, per_hour, range_=None, limits="", unit=None, more=""):
        self.factor, self.column = factor, column
        self.settings = "expected_per_hour = %r; " % float(per_hour)
        if unit:
            self.settings += 'unit = "%s"; ' % unit
        self.settings += "limits: ( %s ); " % limits if limits else ""
        self.instrument = ("range = (%r, %r); " % tuple(float(x) for x in range_) if range_ else "") + more

    def text(self, plain):
        return '{ factor = "%s"; connection = "bus"; topic = "t/%s"; %s%s }' % (
            self.factor, self.factor, self.settings, "" if plain else self.instrument)


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def spans(times, marked, most_s):
    """Runs of marked rows, each as (first, last) time; a pause of more than most_s begins another."""
    out = []
    for time in (t for t, is_marked in zip(times, marked) if is_marked):
        if out and (time - out[-1][1]).total_seconds() <= most_s:
            out[-1][1] = time
        else:
            out.append([time, time])
    return [tuple(span) for span in out]


class Gecco:
    """A drinking-water works, a row a minute; EVENT marks rows in which something was wrong."""
    name, path, kind, zone = "gecco2018", "gecco2018/gecco2018_20160906_20160928.csv", "water_source", "UTC"
    monitors = [Monitor("w01010", "Tp", 60, (0, 50), more=LOOP),
                Monitor("w01001", "pH", 60, (4, 10), '{ standard = "GB3838-2002"; class = "II"; }', more=LOOP),
                Monitor("w01014", "Leit", 60, (0, 1000)),
                Monitor("w01003", "Trueb", 60, (0, 5), '{ max = 1.0; source = "GB 5749-2022, table 1"; }'),
                Monitor("w-clo2", "Cl", 60, (0, 2), '{ min = 0.1; max = 0.8; source = "GB 5749-2022, table 2"; }', more=LOOP),
                Monitor("w00000", "Fm", 60, (0, 5000), unit="m3/h")]

    def time(self, row):
        return datetime.datetime.fromisoformat(row["time_utc"].rstrip("Z"))

    def events(self, rows):
        return [(None, *span) for span in spans([self.time(r) for r in rows],
                                                [r["EVENT"] == "TRUE" for r in rows], 60)]


class Sandy:
    """A creek, three sensors about every 90 minutes; label_* marks what experts found wrong."""
    name, path, kind, zone = "sandy", "oddwater/sandy.csv", "river_section", "Australia/Brisbane"
    monitors = [Monitor("w01014", "Cond", 2 / 3, (0, 2000)), Monitor("w01003", "Tur", 2 / 3, (0, 4000), WATCH)]

    def time(self, row):
        return datetime.datetime.fromisoformat(row["Timestamp"])

    def events(self, rows):
        times = [self.time(r) for r in rows]
        return [(m.factor, *span) for m in self.monitors
                for span in spans(times, [r["label_" + m.column] == "1" for r in rows], 6 * 3600)]


class Logan:
    """A river, five sensors each 15 minutes; what technicians rejected has -9999 in its _cor column."""
    name, path, kind, zone = "logan_river", "logan_river/MainStreet2019.csv", "river_section", "Etc/GMT+7"
    monitors = [Monitor("w01010", "temp", 4, (-5, 50)), Monitor("w01014", "cond", 4, (0, 5000)),
                Monitor("w01001", "ph", 4, (0, 14), III), Monitor("w01009", "do", 4, (0, 50), III),
                Monitor("w01003", "turb", 4, (0, 4000), WATCH)]

    def time(self, row):
        return datetime.datetime.fromisoformat(row["datetime"])

    def events(self, rows):
        times = [self.time(r) for r in rows]
        return [(m.factor, *span) for m in self.monitors
                for span in spans(times, [r[m.column + "_cor"] == "-9999" for r in rows], 3600)]


class Queensland:
    """A tidal river, hourly, cleaned; no labels."""
    name, path = "queensland", "queensland/Johnstone_river_coquette_point.csv"
    kind, zone = "river_section", "Australia/Brisbane"
    monitors = [Monitor("w01014", "Conductivity", 1, (0, 60000)), Monitor("w01010", "Temp", 1, (0, 50)),
                Monitor("w21007", "NO3", 1, (0, 10), '{ max = 10.0; source = "GB 3838-2002, table 2"; }'),
                Monitor("w01003", "Turbidity", 1, (0, 4000), WATCH)]

    def time(self, row):
        return datetime.datetime.fromisoformat(row["Timestamp"])

    def events(self, rows):
        return []


class Neon(Queensland):
    """A creek, a row each 5 minutes, cleaned; no labels."""
    name, path, zone = "neon_prin", "neon_prin/downstream_201907.csv", "UTC"
    monitors = [Monitor("w01014", "conductance", 12, (0, 5000)), Monitor("w01010", "temperature", 12, (-5, 50)),
                Monitor("w01001", "pH", 12, (0, 14), III), Monitor("w01009", "dissolvedOxygen", 12, (0, 50), III),
                Monitor("w01003", "turbidity", 12, (0, 4000), WATCH)]

    def time(self, row):
        return datetime.datetime.fromisoformat(row["Timestamp"].rstrip("Z"))


class Jiangsu(Queensland):
    """An outfall of an unnamed factor, hourly means with long gaps, taken for ammonia; no labels."""
    name, path, kind, zone = "jiangsu_outfall", "jiangsu_outfall/outfall_hourly_a.csv", "outfall", "Asia/Shanghai"
    monitors = [Monitor("w21003", "monitorAvgValue", 1, (0, 100),
                        '{ max = 15.0; average = "hour"; }, { max = 15.0; average = "day"; }')]

    def time(self, row):
        return datetime.datetime.fromisoformat(row["monitorTime"])


class Works(Queensland):
    """The effluent of a sewage works, daily, in no order of time; no labels."""
    name, path, kind, zone = "uci_wwtp", "uci_wwtp/water-treatment-data.csv", "outfall", "Europe/Madrid"
    monitors = [Monitor("w01001", "PH-S", 1 / 24, (0, 14), '{ standard = "GB18918-2002"; class = "1B"; }'),
                Monitor("w01018", "DQO-S", 1 / 24, (0, 2000), "{ max = 60.0; }"),
                Monitor("w01012", "SS-S", 1 / 24, (0, 2000), "{ max = 20.0; }"),
                Monitor("w01014", "COND-S", 1 / 24, (0, 10000))]

    def time(self, row):
        day, month, year = row["Date"][2:].split("/")
        return datetime.datetime(1900 + int(year), int(month), int(day), 12)


SETS = (Gecco, Sandy, Logan, Queensland, Neon, Jiangsu, Works)


def configuration(one, plain):
    return ('node: { id = "labelled"; office = "Office"; case_prefix = "T"; timezone = "%s"; language = "en"; '
            'data_directory = "%s"; practice = "%s"; };\n'
            'storage: { directory = "/nonexistent"; };\nhttp: { socket = "/nonexistent/s"; };\n'
            'connections: ( { id = "bus"; driver = "mqtt"; uri = "mqtt://127.0.0.1:1"; client_id = "l"; } );\n'
            'sites: ( { id = "%s"; kind = "%s"; monitors: (\n%s\n); } );\n' %
            (one.zone, DATA, "none" if plain else "office", one.name, one.kind,
             ",\n".join(m.text(plain) for m in one.monitors)))


def readings(one, rows, file):
    out = csv.writer(file, lineterminator="\n")
    out.writerow(("time", "site", "factor", "value"))
    for row in rows:
        for monitor in one.monitors:
            value = row[monitor.column]
            out.writerow((one.time(row).isoformat(), one.name, monitor.factor,
                          "" if value in ("NULL", "?", "NA") else value))


def play(duchad, one, rows, folder, plain):
    """Alerts as (factor, kind, raised), and cases as (factor, kind), with --plain and their first value."""
    paths = [os.path.join(folder, one.name + end) for end in (".cfg", ".csv")]
    with open(paths[0], "w", encoding="utf-8") as file:
        file.write(configuration(one, plain))
    with open(paths[1], "w", encoding="utf-8") as file:
        readings(one, rows, file)
    run = subprocess.run([duchad, "--backtest", paths[1], "-c", paths[0]], capture_output=True, text=True,
                         check=False)
    if run.returncode != 0:
        sys.exit(run.stderr)
    alerts, cases = [], []
    for line in run.stdout.splitlines():
        event = json.loads(line)
        data = event["data"]
        if event["type"] == "alert.raised":
            raised = datetime.datetime.fromisoformat(data["raised_at"]).replace(tzinfo=None)
            alerts.append((data["factor"], data["reason"] or data["kind"], raised))
        elif event["type"] == "case.opened":
            cases.append((data["factor"], data["kind"]) + ((data["first_value"],) if plain else ()))
    return alerts, cases


def found_by(event, alerts):
    factor, first, last = event
    end = last + datetime.timedelta(hours=GRACE_H)
    return {kind for of, kind, raised in alerts if factor in (None, of) and first <= raised <= end}


def outside(events, alerts):
    """Alerts that no labelled event accounts for."""
    grace = datetime.timedelta(hours=GRACE_H)
    return sum(not any(of in (None, factor) and first <= raised <= last + grace for of, first, last in events)
               for factor, _, raised in alerts)


def report(one, rows, alerts, cases):
    times = [one.time(r) for r in rows]
    weeks = (times[-1] - times[0]).total_seconds() / WEEK_S
    events = one.events(rows)
    found = [found_by(event, alerts) for event in events]
    kinds = collections.Counter(kind for _, kind, _ in alerts)
    by = collections.Counter(kind for kinds_ in found for kind in kinds_)
    print("%-16s %-13s %6.1f weeks  %5.1f alerts a week  %4.2f cases a week  %s" % (
        one.name, one.kind, weeks, len(alerts) / weeks, len(cases) / weeks,
        "found %d of %d, %.1f alerts a week outside them" % (
            sum(map(bool, found)), len(events), outside(events, alerts) / weeks) if events else "no labels"))
    print("    alerts: " + (", ".join("%s %d" % x for x in kinds.most_common()) or "none"))
    if cases:
        print("    cases: " + ", ".join("%s %d" % (" ".join(map(str, x)), n) for x, n in
                                        collections.Counter(cases).most_common()))
    if by:
        print("    found by: " + ", ".join("%s %d" % x for x in by.most_common()))
    for event in (e for e, f in zip(events, found) if not f):
        print("    missed: %s %s to %s" % (event[0] or "site", event[1], event[2]))


def main():
    options = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    options.add_argument("duchad")
    options.add_argument("folder")
    options.add_argument("--plain", action="store_true", help="sites that say limits alone")
    options.add_argument("--only", action="append", help="a set, by name")
    options.add_argument("--keep", help="where configurations and readings stay")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for one in (kind() for kind in SETS if not given.only or kind.name in given.only):
            rows = sorted(rows_of(os.path.join(given.folder, one.path)), key=one.time)
            report(one, rows, *play(os.path.abspath(given.duchad), one, rows, given.keep or folder, given.plain))


if __name__ == "__main__":
    main()
