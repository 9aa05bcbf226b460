# SPDX-License-Identifier: Apache-2.0
"""cases: random configurations and readings, chosen to lie on the edges of the rules."""
import datetime
import random
import zoneinfo

import judge
import settings

ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "UTC")
# The hours around which a series is laid: changes of the clock, a new year, an ordinary noon.
MOMENTS = {
    "Europe/Berlin": ("2026-03-29T00:30:00Z", "2026-10-24T23:30:00Z", "2025-12-31T22:40:00Z"),
    "America/New_York": ("2026-03-08T06:30:00Z", "2026-11-01T04:30:00Z", "2026-01-01T04:40:00Z"),
    "Asia/Shanghai": ("2025-12-31T15:40:00Z", "2026-06-01T04:00:00Z"),
    "UTC": ("2025-12-31T23:40:00Z", "2026-06-01T11:59:00Z"),
}
FACTORS = ("w01018", "w21003", "w21001", "w01010", "w01001", "w01009", "w21011", "w01003")
STEPS = (0.1, 0.3, 0.2, 0.7, 1.1)


def epoch_ms(text):
    return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def around(dice, centres, step):
    """A value on, just beside, or noisily near one of the centres."""
    centre = dice.choice(centres)
    near = dice.choice((0, 0, 0, step, -step, 2 * step, -2 * step, 1e-9, -1e-9, 20 * step, -20 * step))
    value = centre + near
    return max(0.0, value if dice.random() < 0.3 else float("%.10g" % value))


def limit(dice, high):
    entry = {}
    unit = dice.choice(STEPS)
    if dice.random() < 0.8:
        entry["max"] = float("%.10g" % (high * dice.choice((0.3, 0.5, 0.7))))
    if "max" not in entry or dice.random() < 0.3:
        entry["min"] = float("%.10g" % (high * dice.choice((0.05, 0.1, 0.2))))
    if dice.random() < 0.4:
        entry["warn_at"] = dice.choice((0.9, 0.8, 0.7))
        if entry.get("max", 1) * entry["warn_at"] <= entry.get("min", 0) / entry["warn_at"]:
            del entry["warn_at"]
    if dice.random() < 0.5:
        entry["on_count"] = dice.choice((1, 2, 3))
    if dice.random() < 0.5:
        entry["off_count"] = dice.choice((1, 2, 3))
    if dice.random() < 0.6:
        entry["opens"] = dice.choice(("alert", "case", "case"))
    if dice.random() < 0.25:
        entry["compare"] = "rounded"
        if dice.random() < 0.6:
            entry["decimals"] = dice.choice((0, 1, 2))
    entry["average"] = dice.choice(("instant", "instant", "instant", "hour", "hour", "day", "day-8h"))
    if entry["average"] == "instant":
        if dice.random() < 0.6:
            entry["on_delay_s"] = dice.choice((0, 60, 120, 300, 90, 0.5))
        if dice.random() < 0.6:
            entry["off_delay_s"] = dice.choice((0, 60, 180, 300, 90))
        if dice.random() < 0.6:
            entry["deadband"] = float("%.10g" % (unit * dice.choice((1, 2, 3))))
            if "max" in entry and "min" in entry:
                entry["deadband"] = float("%.10g" % min(unit, (entry["max"] - entry["min"]) / 4))
        if dice.random() < 0.3:
            del entry["average"]
    else:
        if dice.random() < 0.5:
            entry["grace_s"] = dice.choice((0, 60, 300, 1800, 7200, 21600))
        if entry["average"] == "day" and dice.random() < 0.5:
            entry["mark_until"] = dice.choice(("00:01", "06:00", "12:00", "23:59"))
        if dice.random() < 0.6:
            entry["min_valid"] = dice.choice((0.1, 0.5, 0.7, 0.75, 1.0))
    if entry.get("average") == "day-8h":
        entry.setdefault("max", float("%.10g" % (high * dice.choice((0.3, 0.5, 0.7)))))
        for name in ("min", "warn_at") if "min" in entry else ():
            entry.pop(name, None)
    return entry


def discharge(dice, site, minutes):
    """A flow monitor at the site, weights and a gate; the flow is often off."""
    flow = {"factor": "w00000", "connection": "broker", "topic": "t/flow", "range": [0.0, 100.0],
            "stale_after_s": dice.choice((0, 3 * minutes * 60, 7200))}
    if dice.random() < 0.8:
        site["flow_gate"] = {"below": dice.choice((1.0, 5.0)),
                             "for_s": dice.choice((0, 60, 2 * minutes * 60, 1800))}
        if dice.random() < 0.3:
            site["flow_gate"]["factor"] = "w00000"
    for it in site["monitors"]:
        if dice.random() < 0.4:
            it["settle_results"] = dice.choice((1, 2))
        if dice.random() < 0.15:
            it["gated"] = False
        for entry in it["limits"]:
            if entry.get("average", "instant") != "instant":
                if dice.random() < 0.6 and entry["average"] != "day-8h":
                    entry["weight"] = "flow"
                if dice.random() < 0.4:
                    entry["mean_of"] = "results"
    site["monitors"].insert(dice.choice((0, len(site["monitors"]))), flow)


def flow_series(dice, start_ms, n, minutes):
    at, rows, running = start_ms - dice.choice((0, 60000, 600000)), [], True
    for _ in range(n):
        if dice.random() < 0.15:
            running = not running
        value = dice.choice((5.0, 10.0, 20.0, 33.3)) if running else dice.choice((0.0, 0.5, 0.999, -1.0))
        rows.append((at, None if dice.random() < 0.05 else value, "N" if dice.random() < 0.92 else dice.choice("MFB")))
        if dice.random() < 0.03:
            rows.append((at - dice.choice((1000, 600000)), 10.0, "N"))
        at += dice.choice((1, 1, 1, 1, 1, 2, 5, 30)) * minutes * 60000
    return rows


def monitor(dice, factor, connection, minutes):
    high = dice.choice((1.0, 3.0, 10.0, 200.0))
    it = {"factor": factor, "connection": connection}
    if connection == "broker":
        it["topic"] = "t/" + factor
        if dice.random() < 0.8:
            it["expected_per_hour"] = dice.choice((60 / minutes, 12, 4, 0.25))
    else:
        it.update(unit_id=1, table="holding", address=2 * int(factor[-3:]), type="float32")
    if dice.random() < 0.7:
        it["range"] = [0.0, high]
        if dice.random() < 0.2:
            it["live_zero"] = dice.random() < 0.7
        if dice.random() < 0.2:
            it["under_range"] = dice.random() < 0.7
    if dice.random() < 0.8:
        it["stale_after_s"] = dice.choice((0, 60, 120, 180, 300, 600, 3600))
    if dice.random() < 0.4:
        it["cycle_s"] = dice.choice((120, 180, 240, 3600))
    if dice.random() < 0.3:
        it["flat_count"] = dice.choice((2, 3, 5))
    elif dice.random() < 0.3:
        it["flat_after_s"] = dice.choice((60, 180, 300))
    if ("flat_count" in it or "flat_after_s" in it) and dice.random() < 0.6:
        it["flat_band"] = dice.choice((0.0, 0.1, 0.2, 0.3))
    if dice.random() < 0.4:
        it["max_step"] = dice.choice(STEPS)
    if dice.random() < 0.2:
        it["max_step_hour"] = dice.choice(STEPS)
    if dice.random() < 0.2:
        it["step_times"] = dice.choice((1.0, 1.1, 2.0, 3.0))
        if dice.random() < 0.5:
            it["step_share"] = dice.choice((0.1, 0.5, 1.0))
    it["limits"] = [limit(dice, high) for _ in range(dice.choice((0, 1, 1, 1, 2, 3)))]
    return it, high


def centres(it, high):
    out = [high, high * 0.25]
    for entry in it["limits"]:
        for name in ("max", "min"):
            if name in entry:
                at, band, warn = entry[name], entry.get("deadband", 0), entry.get("warn_at", 0.9)
                sign = 1 if name == "max" else -1
                level = at * warn if name == "max" else at / warn
                out += [at, at, at - sign * band, level, level - sign * band, (at + level) / 2]
    return out


def series(dice, start_ms, n, minutes, it, high, tame):
    """(time_ms, value or None, flag) in the order of the file."""
    at, rows, value = start_ms + dice.choice((0, 0, 0, 1, 60000, 999)), [], None
    where, step = centres(it, high), it.get("max_step", dice.choice(STEPS))
    stale_ms = it.get("stale_after_s", 7200) * 1000
    for _ in range(n):
        kind = dice.random()
        if value is None or kind < 0.65:
            value = around(dice, where, step)
        flag = "N" if dice.random() < 0.85 else dice.choice("FMSDCTBB")
        rows.append((at, None if dice.random() < 0.06 else value, flag))
        if not tame and dice.random() < 0.03:
            rows.append((at, around(dice, where, step), "N"))
        if not tame and dice.random() < 0.04:
            rows.append((at - dice.choice((1, 1000, 60000, 600000)), around(dice, where, step), "N"))
        gap = dice.random()
        if gap < 0.05:
            at += max(1000, stale_ms + dice.choice((0, 0, 1, -1, 60000)))
        elif gap < 0.08:
            at += dice.choice((3600000, 7200000, 5400000, 86400000))
        elif gap < 0.12:
            at += dice.choice((1, 500, 1000, 30000))
        else:
            at += minutes * 60000
    return rows


def text_of(dice, zone, at):
    """One of the ways to write a time that mean the same."""
    way = dice.random()
    if way < 0.3:
        return "%d.%03d" % (at // 1000, at % 1000) if at % 1000 else str(at // 1000)
    here = datetime.datetime.fromtimestamp(at // 1000, zone).replace(microsecond=at % 1000 * 1000)
    text = here.isoformat(timespec="milliseconds" if at % 1000 else "seconds")
    # Without offset a time that occurs twice is its first occurrence, so the second needs one.
    if way < 0.6 and not here.fold:
        return text[:-6]
    return text


def clues(dice):
    """Some clues, as easily seen as they may be."""
    rules = {"clipped_count": dice.choice((0, 1, 3)), "clipped_share": dice.choice((0.01, 0.5)),
             "weak_flat_count": dice.choice((0, 2, 4)), "weak_flat_share": dice.choice((0.01, 0.3)),
             "repeating_count": dice.choice((0, 1, 4)), "alike_count": dice.choice((0, 1, 3)),
             "shut_count": dice.choice((0, 1, 2)), "shut_share": dice.choice((0.0, 0.2)),
             "shut_after_s": dice.choice((0, 60, 3600)),
             "flagged_after_s": dice.choice((0, 60, 600)), "contradicts_count": dice.choice((0, 1, 2)),
             "within_s": dice.choice((0, 300, 7200)), "hold_s": dice.choice((0, 0, 300)), "altitude_m": 1891}
    return {name: value for name, value in rules.items() if dice.random() < 0.8}


def make(seed, tame=False):
    """(configuration, text of the CSV) for a seed."""
    dice = random.Random(seed)
    name = dice.choice(ZONES)
    start = epoch_ms(dice.choice(MOMENTS[name]))
    minutes = dice.choice((1, 1, 2, 5, 15, 60))
    config = {
        "node": {"id": "probe", "office": "invented office", "case_prefix": "试督挂", "timezone": name,
                 "language": "en", "data_directory": settings.data_directory()},
        "storage": {"directory": "/nonexistent"},
        "http": {"socket": "/nonexistent/socket"},
        "connections": [
            {"id": "broker", "driver": "mqtt", "uri": "mqtt://127.0.0.1:1", "client_id": "probe"},
            {"id": "line", "driver": "modbus", "transport": "tcp", "host": "127.0.0.1", "port": 1,
             "interval_ms": minutes * 60000, "timeout_ms": 500}],
        "sites": []}
    rows = []
    for i in range(dice.choice((1, 1, 2))):
        site = {"id": "site-%d" % i, "name": "invented site", "kind": "outfall", "monitors": []}
        if dice.random() < 0.4:
            site["opens"] = dice.sample(("exceedance", "warning", "stale", "flat", "step", "clue",
                                         "undetermined"), dice.choice((1, 2, 4)))
        if dice.random() < 0.3:
            site["stale_after_s"] = dice.choice((0, 120, 900, 3600))
        if dice.random() < 0.15:
            site["flat_after_s"] = dice.choice((300, 900))
        for factor in dice.sample(FACTORS, dice.choice((1, 2, 3))):
            it, high = monitor(dice, factor, dice.choice(("broker", "line")), minutes)
            site["monitors"].append(it)
            if dice.random() < 0.05:
                continue
            for at, value, flag in series(dice, start, dice.choice((20, 60, 120)), minutes, it, high, tame):
                rows.append((at, site["id"], factor, value, flag))
        if dice.random() < 0.35:
            discharge(dice, site, minutes)
            rows += [(at, site["id"], "w00000", value, flag)
                     for at, value, flag in flow_series(dice, start, dice.choice((20, 60)), minutes)]
        if dice.random() < 0.4:
            site["clues"] = clues(dice)
        if dice.random() < 0.4:
            site["join_h"] = dice.choice((0.05, 0.25, 1, 24))
        config["sites"].append(site)
    if dice.random() < 0.6:
        rows.sort(key=lambda row: row[0])
    if not rows:
        rows.append((start, "site-0", config["sites"][0]["monitors"][0]["factor"], None, "N"))
    if dice.random() < 0.3:
        rows.append((max(r[0] for r in rows) + dice.choice((0, 60000, 3600000, 90000000)),
                     "site-0", config["sites"][0]["monitors"][0]["factor"], None, "N"))
    zone = zoneinfo.ZoneInfo(name)
    lines = ["time,site,factor,value,flag"]
    for at, site, factor, value, flag in rows:
        number = dice.choice(("", "NA", "NaN", "nan")) if value is None else repr(value)
        lines.append(",".join((text_of(dice, zone, at), site, factor, number, flag)))
    return config, "\n".join(lines) + "\n"


def marks(seed, config, text):
    """The text of a file of marks over some of the readings; for most seeds of none."""
    dice = random.Random("marks %d" % seed)
    lines = ["reason,site,factor,from,to,flag,by"]
    rows = [row.split(",") for row in text.splitlines()]
    place = {name: rows[0].index(name) for name in ("time", "site", "factor")}
    times = sorted({row[place["time"]] for row in rows[1:]})
    for _ in range(dice.choice((0, 0, 1, 2, 5))):
        of, at = dice.choice(rows[1:]), dice.randrange(len(times))
        start, end = judge_ms(config, times[at]), judge_ms(config, times[min(len(times) - 1, at + dice.choice((1, 3, 20)))])
        if start > end:
            start, end = end, start
        end += dice.choice((0, 1, 3600000))
        if start < end:
            lines.append('"invented, as all of it",%s,%s,%s,%s,%s,probe' % (
                of[place["site"]], of[place["factor"]], seconds(start), seconds(end), dice.choice("MMFCDTSBN")))
    return "\n".join(lines) + "\n"


def judge_ms(config, text):
    return judge.Zone(config["node"]["timezone"]).parse(text)


def seconds(at):
    return "%d.%03d" % (at // 1000, at % 1000)
