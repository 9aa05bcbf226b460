#!/usr/bin/env python3
"""Are readings.csv, frames.csv and case.json what the sealed chains say?

check.sh has checked the seals' signatures; this follows the links up to the seals, reads what they hold, and computes the
chain of the ledger's entries again from its readable rows. It says what agrees, or the first difference. Python 3.7, and
nothing beside it.
可读文件是否与封存的哈希链一致：逐条重算并比对，指出第一处不符。
"""
import bisect
import csv
import datetime
import glob
import hashlib
import itertools
import json
import os
import re
import struct
import sys

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
FRAMES = {"m": "modbus-tcp", "r": "modbus-rtu", "t": "mqtt", "h": "hj212"}
READINGS = "time,received_at,site,factor,value,flag"
BATCHES = "batch,committed_at,clock,largest_error_us"
PLACES = "link,byte"
ENTRIES = "number,kind,ref,digest,hash"
CASE, ALERT, HISTORY, DAYBOOK, DIGEST, DAY, FRAMES_GONE, MARK, CHANGE, LEFT, COURSE = 1, 2, 3, 6, 8, 9, 10, 11, 12, 15, 21


WORDS = {"seal": "封签", "keys": "密钥", "links": "哈希链各环", "frames/": "报文", "frames.csv": "报文表", "readings.csv": "监测数据",
         "batches.csv": "批次", "places.csv": "数据位置", "rows.jsonl": "台账各行", "entries.csv": "台账哈希链", "case.json": "案件", "step": "办理步骤",
         "episode": "事件时段", "later.csv": "补录数据", "attachments": "附件", "anchor": "锚点"}


def bad(sentence):
    print(sentence)
    print("核验未通过，首处不符：" + next((word for begin, word in WORDS.items() if sentence.startswith(begin)), "案件"))
    sys.exit(1)


def ms(text):
    """A time as it is written, in milliseconds since 1970."""
    if text in (None, ""):
        return None
    return (datetime.datetime.fromisoformat(text) - EPOCH) // datetime.timedelta(milliseconds=1)


# --- links ---

class Reading:
    def __init__(self, fields):
        (self.sequence, self.boot, self.ring, self.ring_sequence, self.monitor, self.measured, self.received, value, flag,
         self.raw) = fields
        self.value = None if flag & 0x80 else value
        self.flag = chr(flag & 0x7f)

    def line(self):
        return self.measured, self.received, self.site, self.factor, self.value, self.flag


def name_at(data, at):
    n = struct.unpack_from("<H", data, at)[0]
    return data[at + 2:at + 2 + n].decode(), at + 2 + n


def link_read(path, data, names, readings, batches):
    """The records of one link; returns the digest of the frames that it says came with it."""
    at, frames = 33, None
    while at < len(data):
        kind, at = chr(data[at]), at + 1
        if kind == "a":  # another day's file numbers its monitors anew
            names.clear()
            at = name_at(data, at + 24)[1]
        elif kind == "r":
            readings.append(Reading(struct.unpack_from("<qqBqqqqdBQ", data, at)))
            readings[-1].place = {"link": os.path.basename(path), "byte": str(at - 1)}
            at += 66
        elif kind == "m":
            monitor = struct.unpack_from("<q", data, at)[0]
            site, at = name_at(data, at + 8)
            factor, at = name_at(data, at)
            names[monitor] = (site, factor)
        elif kind == "g":
            at += 32
        elif kind == "f":
            frames, at = data[at + 16:at + 48], at + 48
        elif kind == "b":
            batch, _, _, _, _, committed, _, error = struct.unpack_from("<8q", data, at)
            batches.append((batch, committed, {-1: "free", -2: "unknown"}.get(error, "synchronised"), max(error, -1)))
            at += 64
            if at != len(data) or batch != number_of(path):
                bad(f"{path}: it is the link of batch {batch}, or does not end with it")
        else:
            bad(f"{path}: a record of kind {kind!r}")
    return frames


def number_of(path):
    return int(os.path.basename(path)[:-4])


# --- seals ---

class Seal:
    """A line: what is signed, and the signature in hexadecimal."""
    def __init__(self, line):
        words = line.split(" ")
        if len(words) != 14 or words[:3] != ["seal", "1", "ed25519-sha256"]:
            bad(f"seals: not a line of a seal: {line}")
        self.line, self.node = line, words[3]
        self.number, self.time, self.key = int(words[4]), int(words[5]), int(words[6])
        self.links, self.entries = (int(words[8]), words[9]), (int(words[10]), words[11])
        self.previous = words[12]


def keys_read():
    """From which seal on each key signs, and to which."""
    with open("keys") as f:
        keys = [(int(line.split(" ")[4]), int(line.split(" ")[6])) for line in f]
    return {number: range(first, last) for (number, first), (_, last) in zip(keys, keys[1:] + [(0, sys.maxsize)])}


def seals_read():
    """All seals that are here by their numbers; each names the one before it, and a key signs at its own time alone."""
    seals, keys = {}, keys_read()
    for path in sorted(glob.glob("seals/*.seals")):
        with open(path) as f:
            for seal in map(Seal, f.read().splitlines()):
                if seal.number in seals:
                    bad(f"{path}: there are two seals {seal.number}")
                if seal.number not in keys.get(seal.key, ()):
                    bad(f"{path}: seal {seal.number} is none of those that keys has for key {seal.key}")
                seals[seal.number] = seal
    for number, seal in seals.items():
        before = seals.get(number - 1)
        if before is not None and hashlib.sha256(before.line.encode()).hexdigest() != seal.previous:
            bad(f"seals: seal {number} does not follow seal {number - 1}")
    return seals


def seals_check():
    """All seals in order, among them those that stand by themselves; that of the readings, if there is one."""
    seals, alone = seals_read(), {}
    for path in glob.glob("seal*.txt"):
        with open(path) as f, open(path[:-3] + "sig", "rb") as sig:
            alone[path] = Seal(f.read() + " " + sig.read().hex())
        number = alone[path].number
        if number not in seals or seals[number].line != alone[path].line:
            bad(f"{path}: seals/ has no such seal {number}")
    return [seal for _, seal in sorted(seals.items())], alone


def named_once(named):
    """What seals name, by number."""
    hashes = {}
    for number, name in named:
        if hashes.setdefault(number, name) != name:
            bad(f"seals: two hashes for number {number}")
    return hashes


class Times:
    """Do times agree with those of the seals around them? One that does not may come of a clock that was set or of a fault."""
    def __init__(self, what, seals, named):
        self.what, self.seals, self.odd = what, seals, []
        self.named = list(itertools.accumulate((named(seal)[0] for seal in seals), max))

    def hold(self, which, at, number):
        """What entry or batch @number has was sealed by the first seal that names it or a later one, and not by the one before."""
        i = bisect.bisect_left(self.named, number)
        seal, before = self.seals[i], self.seals[i - 1] if i > 0 else None
        known = seal.number == 1 or before is not None and before.number == seal.number - 1
        if not known or at > seal.time + 120000 or before is not None and at < before.time - 120000:
            self.odd.append(f"{which} ({EPOCH + datetime.timedelta(milliseconds=at)}) by seal {seal.number}"
                            f" ({EPOCH + datetime.timedelta(milliseconds=seal.time)})")

    def say(self):
        if self.odd:
            print(f"NOTE 注意: {len(self.odd)} {self.what} were not sealed at their time 未按时封存: {self.odd[0]}")


def links_follow(seals, last):
    """Each link with its path, when it has been seen that it goes on from the one before it, or that a seal names that."""
    named, before, former = named_once(seal.links for seal in seals), 0, None
    for path in sorted(glob.glob("links/*.bin")):
        with open(path, "rb") as f:
            data = f.read()
        if former is not None and number_of(path) == before + 1:
            if data[1:33].hex() != former:
                bad(f"{path}: does not follow the link before it")
        elif former is not None and named.get(before) != former:
            bad(f"links: no seal names the last one before {path}")
        before, former = number_of(path), hashlib.sha256(data).hexdigest()
        if named.get(before, former) != former and (last is None or before != last.links[0]):
            bad(f"{path}: not what a seal of seals/ says of batch {before}")
        yield path, data
    if former is not None and (last is None or last.links != (before, former)):
        bad("links: the last one is not what the seal names")
    print("links OK")


def frames_are(path, digest):
    """Are the frames of this link here? They must be what it says."""
    try:
        with open("frames/" + os.path.basename(path), "rb") as f:
            if hashlib.sha256(f.read()).digest() != digest:
                bad(f"frames/{os.path.basename(path)}: not what its link says")
    except FileNotFoundError:
        return False
    return True


def links_read(seals, last):
    """All readings, and which links say that frames came with them that are not here."""
    names, readings, missing, batches = {}, [], [], []
    for path, data in links_follow(seals, last):
        first = len(readings)
        frames = link_read(path, data, names, readings, batches)
        for reading in readings[first:]:  # a name stands behind the readings that brought it
            reading.site, reading.factor = names.get(reading.monitor, (None, None))
            reading.batch = number_of(path)
        if frames is not None and not frames_are(path, frames):
            missing.append(number_of(path))
    here = {os.path.basename(path) for path in glob.glob("links/*.bin")}
    for path in glob.glob("frames/*.bin"):
        if os.path.basename(path) not in here:
            bad(f"{path}: there is no such link")
    batches_check(batches)
    return readings, missing


def table(path, header):
    """The lines of a table by their columns, which are these; one that is not there has none."""
    if not os.path.exists(path):
        return []
    with open(path, newline="", encoding="utf-8") as f:
        lines = list(csv.reader(f))
    if not lines or lines[0] != header.split(","):
        bad(f"{path}: its first line is not {header}")
    for n, line in enumerate(lines, 1):
        if len(line) != len(lines[0]):
            bad(f"{path}: line {n} has {len(line)} columns, the first has {len(lines[0])}")
    return [dict(zip(lines[0], line)) for line in lines[1:]]


def batches_check(batches):
    """When each was committed, and how far the clock was trusted."""
    lines = table("batches.csv", BATCHES)
    for line, said in zip(lines, batches):
        batch, committed, clock, error = line.values()
        if (batch, ms(committed), clock, int(error or -1)) != (str(said[0]), *said[1:]):
            bad(f"batches.csv: batch {said[0]} is not what its link says")
    if len(lines) != len(batches):
        bad(f"batches.csv: batch {len(lines)} of {len(batches)} is its last: there are as many links")


# --- the ledger's rows ---

def cell(value):
    if value is None:
        return b"n"
    if isinstance(value, int):
        return b"i" + struct.pack("<q", value)
    if isinstance(value, float):
        return b"d" + struct.pack("<d", value)
    if isinstance(value, dict):  # bytes
        data = bytes.fromhex(value["hex"])
        return b"t" + struct.pack("<Q", len(data)) + data
    return b"t" + struct.pack("<Q", len(value.encode())) + value.encode()


def entries_follow(seals, last, times):
    """The newest digest of each row that the sealed entries name; in @times which entry each step has."""
    named = named_once(seal.entries for seal in seals)
    newest, lines = {}, table("entries.csv", ENTRIES)
    number, head = int(lines[0]["number"]), bytes.fromhex(lines[0]["hash"])
    for line in lines[1:]:
        number += 1
        kind, ref, digest = int(line["kind"]), int(line["ref"]), bytes.fromhex(line["digest"])
        head = hashlib.sha256(b"\0" + head + b"e" + struct.pack("<qBq", number, kind, ref) + digest).digest()
        if int(line["number"]) != number or line["hash"] != head.hex():
            bad(f"entries.csv: entry {line['number']} does not follow the one before it")
        if number != last.entries[0] and named.get(number, head.hex()) != head.hex():
            bad(f"entries.csv: entry {number} is not what a seal of seals/ says")
        newest[kind, ref] = digest
        times.setdefault((kind, ref), number)
    if last.entries != (number, head.hex()):
        bad("entries.csv: the last one is not what seal-case.txt names")
    return newest


def rows_read(seals, last):
    times, rows, steps = {}, {}, Times("steps", seals, lambda seal: seal.entries)
    newest = entries_follow(seals, last, times)
    with open("rows.jsonl", encoding="utf-8") as f:
        for text in f:
            row = json.loads(text)
            key, cells = (row["kind"], row["ref"]), row["cells"]
            digest = hashlib.sha256(bytes([2, row["kind"]]) + b"".join(map(cell, cells.values()))).digest()
            if newest.get(key) != digest:
                bad(f"rows.jsonl: {key[1]} of kind {key[0]} is not what the chain says")
            rows[key] = cells
    head, = of_kind(rows, CASE)
    left = {cells["alert_id"] for cells in of_kind(rows, LEFT)}
    for (kind, ref), cells in rows.items():
        if kind == HISTORY:
            steps.hold(f"step {ref}", cells["at"], times[kind, ref])
        if cells.get("case_id", head["id"]) != head["id"] and kind != MARK and not (kind == ALERT and ref in left):
            bad(f"rows.jsonl: {ref} of kind {kind} is of case {cells['case_id']}")
    if (DIGEST, head["id"]) in newest and (DIGEST, head["id"]) not in rows:
        bad("rows.jsonl: the digest of the readings that the chain has is left out")
    course_check(rows, head, left)
    steps.say()
    print(f"course OK: no step and no episode is left out, as of {EPOCH + datetime.timedelta(milliseconds=last.time)}")
    return rows


def course_check(rows, head, left):
    """The chain says how many steps and episodes the case has, and how many of these another case took over."""
    course, steps, alerts = rows.get((COURSE, head["id"])), of_kind(rows, HISTORY), of_kind(rows, ALERT)
    if course is None:
        bad("rows.jsonl: how many steps the case has is left out")
    own = sum(cells["case_id"] == head["id"] for cells in alerts)
    here = len(steps), steps[-1]["id"] if steps else None, own, len(of_kind(rows, LEFT))
    said = course["steps"], course["last_step"], course["episodes"], course["taken"]
    if here != said:
        bad(f"rows.jsonl: {here[0]} steps up to {here[1]} and {here[2]} + {here[3]} episodes, the chain says"
            f" {said[0]} up to {said[1]} and {said[2]} + {said[3]}")
    if left - {cells["id"] for cells in alerts}:
        bad("rows.jsonl: an episode that another case took over is left out")


def of_kind(rows, kind):
    return [cells for (k, _), cells in sorted(rows.items()) if k == kind]


# --- case.json ---

AS_THEY_ARE = ("id", "year", "seq", "site", "site_name", "factor", "factor_name", "kind", "status", "level", "escalation",
               "source", "unit", "decimals", "first_value", "title", "document", "track", "relapses", "reopened", "merged_into",
               "verified", "extended")
TIMES = (("opened_at", "opened"), ("closed_at", "closed"), ("due_at", "due"))
IN_CHARGE = (("unit", "in_charge"), ("leader", "leader"), ("team", "team"))
# these move while an alert is active, and are in the chain when it clears
WORST = (("bound", "bound"), ("limit", "limit_value"), ("limit_source", "limit_source"), ("peak_value", "peak_value"),
         ("peak_at", "peak_at"), ("last_value", "last_value"), ("multiple", "multiple"))
LIMIT = (("limit", "limit_value"), ("bound", "bound"), ("limit_source", "limit_source"))
NAMED = (("unit", "unit"), ("decimals", "decimals"))
PEAK = (("peak_value", "peak"), ("peak_at", "peak_at"), ("multiple", "multiple"))
AVERAGED = ("warning", "exceedance", "undetermined")
STAGES = {"registered": "verify", "assigned": "plan", "rectifying": "rectify", "review": "check"}
STEP = ("action", "by", "note", "unit", "leader", "team", "reason", "track", "step", "document", "level", "checkers",
        "approved_by", "relation", "type", "sha256", "bytes", "other")
# of an episode that goes on; a peak is held against the value that raised it, and against multiples
FREE = ("peak_at", "last_value", "evidence.readings", "episodes.peak_value", "factors.peak_value", "factors.peak_at")
HELD = {"": AS_THEY_ARE + ("number", "severity", "restored", "node", "average", "episodes", "responsible", "history", "evidence",
                           "withdrawn_reason", "attachments", "factors", "stage", "level_document", "document_dated",
                           "level_document_dated", "steps", "links") + tuple(name for name, _ in TIMES + WORST),
        "responsible": ("unit", "leader", "team"), "evidence": ("readings", "digest"),
        "episodes": ("alert", "began_at", "raised_at", "ended_at", "limit", "limit_source", "peak_value", "factor", "unit",
                     "decimals", "reason"),
        "history": STEP + ("at", "due", "name", "user", "escalation", "from", "dated"),
        "attachments": ("at", "by", "name", "type", "bytes", "sha256"),
        "factors": ("factor", "factor_name") + tuple(name for name, _ in LIMIT + NAMED + PEAK),
        "steps": ("step", "due_at", "done_at"), "links": ("case", "relation", "at", "by")}


def beside(case, moves):
    """What is said and held against nothing: by name, of each part of the case."""
    names = ["number (but for its year and sequence)"]
    names += [name + " (while an episode goes on)" for name in FREE if moves]
    for part, held in HELD.items():
        said = case.get(part, []) if part else case
        for name in sorted({name for one in (said if isinstance(said, list) else [said]) for name in one} - set(held)):
            names.append(f"{part}.{name}".lstrip("."))
    return ", ".join(names)


def number_is(said, year, seq):
    """Numbers that stand by themselves, whatever the pattern has around them."""
    apart = r"(?<![0-9])0*%d(?:[^0-9](?:.*[^0-9])?|)0*%d(?![0-9])"
    return re.search(apart % (year, seq), said) or re.search(apart % (seq, year), said)


def value_of(part, name):
    """A member as the chain has it: times in milliseconds."""
    return ms(part.get(name)) if name.endswith("_at") or name in ("at", "due") else part.get(name)


def same(where, said, row):
    """Nothing, no and 0 are left out alike."""
    if (said or None) != (row or None):
        bad(f"case.json: {where} is {said!r}, the chain says {row!r}")


def same_all(where, part, row, names):
    for name, column in names:
        same(where + name, value_of(part, name), row[column])


def same_list(name, said, row):
    """A list that follows from the steps, as tuples."""
    for n, (one, other) in enumerate(itertools.zip_longest(said, row), 1):
        if one != other:
            bad(f"case.json: {name}, {n}: it is {one!r}, by the chain it is {other!r}")


def day_of(document):
    """The day behind a document's number, as "5号 2026-01-02" or "5号（2026年1月2日）" have it."""
    day = re.search("(?:[(（]|(?<=[ 号]))([0-9]{4})(?:-([0-9]{2})-([0-9]{2})|年([0-9]{1,2})月([0-9]{1,2})日)[)）]?$", document or "")
    if day is None or not document[:day.start()].strip(" "):
        return None
    try:
        return datetime.date(*(int(n) for n in day.groups() if n)).isoformat()
    except ValueError:
        return None


def factor_of(alert, head):
    return alert["factor"] or head["factor"]


def case_head(case, row, course, node, moves):
    same_all("", case, row, [(name, name) for name in AS_THEY_ARE] + list(TIMES))
    same_all("", case, course, (("severity", "severity"), ("restored", "restored")))
    same("node", case.get("node"), node)
    same_all("responsible.", case["responsible"], row, IN_CHARGE)
    same("withdrawn_reason", case.get("withdrawn_reason"), row["withdrawn"])
    same("average", case.get("average"), row["average"] if row["kind"] in AVERAGED else None)
    if not moves:
        same_all("", case, row, WORST)
    if not number_is(case["number"], row["year"], row["seq"]):
        bad(f"case.json: number is {case['number']}, the chain says {row['seq']} of {row['year']}")
    stage = "assign" if row["status"] == "registered" and row["verified"] else STAGES.get(row["status"])
    same("stage", case.get("stage"), stage if row["due"] else None)


def multiple_follows(where, part, own):
    """From peak and limit; there is one where another episode of the factor has one in the chain."""
    there, multiple = any(row["bound"] == "max" and row["multiple"] is not None for row in own), part.get("multiple")
    if multiple is None and there and part.get("bound") == "max" or \
            multiple is not None and multiple != part["peak_value"] / part["limit"] - 1:
        bad(f"case.json: {where}multiple is {part['multiple']!r}: it does not follow from peak and limit")


def case_moves(case, head, alerts, left):
    """While an alert is active the worst of the case is that of an episode, and a multiple follows."""
    own = [row for row in alerts if factor_of(row, head) == head["factor"]]
    limit, limits = [case.get(name) for name, _ in LIMIT], [[row[column] for _, column in LIMIT] for row in own]
    if limit not in limits and (own or any(limit)):
        bad(f"case.json: limit is {limit!r}, that of no episode in the chain")
    peaks = [said["peak_value"] for said, row in zip(case["episodes"], alerts) if row in own]
    if not left and own and case.get("peak_value") not in peaks:
        bad(f"case.json: peak_value is {case.get('peak_value')!r}, that of no episode")
    multiple_follows("", case, own)


def case_episodes(case, head, alerts):
    if len(case["episodes"]) != len(alerts):
        bad(f"case.json: {len(case['episodes'])} episodes, the chain says {len(alerts)}")
    for said, row in zip(case["episodes"], alerts):
        where = f"episode {row['id']}: "
        same_all(where, said, row, (("alert", "id"), ("began_at", "began"), ("raised_at", "raised"), ("ended_at", "cleared"),
                                    ("limit", "limit_value"), ("limit_source", "limit_source"), ("reason", "reason")))
        if "factors" in case or "factor" in said:
            same(where + "factor", said.get("factor"), factor_of(row, head))
            same_all(where, said, row, NAMED)
        peak, raised = said["peak_value"], row["value"]
        if row["cleared"] is not None:
            same(where + "peak_value", peak, row["peak"])
        elif row["kind"] == "exceedance" and (peak < raised if row["bound"] == "max" else peak > raised):
            bad(f"case.json: {where}peak_value is {peak!r}, better than {raised!r}, which raised it")


def case_history(case, steps):
    if len(case["history"]) != len(steps):
        bad(f"case.json: {len(case['history'])} steps, the chain says {len(steps)}")
    for at, (said, row) in enumerate(zip(case["history"], steps)):
        where = f"step {row['id']}: "
        same_all(where, said, row, [(name, name) for name in ("at", "due") + STEP] + [("name", "file")])
        escalation, user = row["escalation"], None
        if isinstance(escalation, str):  # of a user
            escalation, user = escalation.split(" ", 1)
            escalation = None if escalation == "NULL" else int(escalation)
        same(where + "user", said.get("user"), user)
        same(where + "escalation", said.get("escalation"), escalation)
        same(where + "from", said.get("from"), reopened_from(steps, at))
    kept = [(row["sha256"], row["file"], row["by"], row["at"], row["type"], row["bytes"]) for row in steps
            if row["sha256"] is not None]
    if kept != [(a["sha256"], a["name"], a["by"], ms(a["at"]), a["type"], a["bytes"]) for a in case.get("attachments", ())]:
        bad("case.json: attachments are not those of the history")
    for sha256, *_ in kept:
        if not os.path.exists("attachments/" + sha256):
            bad(f"attachments/{sha256}: the history names it, and it is not here")


# --- what follows from the steps ---

def reopened_from(steps, at):
    ended = {"close": "closed", "withdraw": "withdrawn", "merge": "withdrawn"}
    before = [ended[row["action"]] for row in steps[:at] if row["action"] in ended]
    return before[-1] if steps[at]["action"] == "reopen" and before else None


def milestones(steps):
    """What was planned step by step, and when it was done; a plan of the same step, or a new begin, replaces it."""
    for at, plan in enumerate(steps):
        later = [row for row in steps[at + 1:] if row["step"] == plan["step"]]
        replaced = any(row["action"] == "plan" for row in later) or \
            any(reopened_from(steps, i) == "withdrawn" for i in range(at + 1, len(steps)))
        if plan["action"] == "plan" and plan["step"] is not None and not replaced:
            yield plan["step"], plan["due"], next((row["at"] for row in later if row["action"] == "rectified"), None)


def linked(steps):
    """Other cases, but those that it was merged with and parted from."""
    for at, row in enumerate(steps):
        later = [other for other in steps[at + 1:]
                 if row["action"] == "merge" and other["action"] == "reopen" or
                 row["action"] == "merged" and other["action"] == "parted" and other["other"] == row["other"]]
        if row["other"] and not later and row["action"] != "parted":
            yield row["other"], row["relation"] or row["action"], row["at"], row["by"]


def case_follows(case, head, steps):
    same_list("steps", [(m["step"], ms(m["due_at"]), ms(m["done_at"])) for m in case.get("steps", ())], milestones(steps))
    same_list("links", [(to["case"], to["relation"], ms(to["at"]), to["by"]) for to in case.get("links", ())], linked(steps))
    level = [row["document"] for row in steps if row["action"] == "level"][-1:] or [None]
    same("level_document", case.get("level_document"), level[0])
    same("document_dated", case.get("document_dated"), day_of(head["document"]))
    same("level_document_dated", case.get("level_document_dated"), day_of(level[0]))
    for said, row in zip(case["history"], steps):
        same(f"step {row['id']}: dated", said.get("dated"), day_of(row["document"]))


def case_factors(case, head, alerts):
    """Of each factor of a case with several the worst of its episodes."""
    several = {factor_of(row, head) for row in alerts}
    same_list("factors", sorted(said["factor"] for said in case.get("factors", ())),
              sorted(several) if several - {head["factor"]} else ())
    for said in case.get("factors", ()):
        where = f"factor {said['factor']}: "
        own = [row for row in alerts if factor_of(row, head) == said["factor"]]
        fixed = [row for row in own if all(said.get(n) == row[c] for n, c in LIMIT + NAMED + (("factor_name", "factor_name"),))]
        if not any(row["cleared"] is None or all(value_of(said, n) == row[c] for n, c in PEAK) for row in fixed):
            bad(f"case.json: {where}its limit {said['limit']!r} and peak {said['peak_value']!r} are of no episode in the chain")
        multiple_follows(where, said, own)


def case_digest(case, rows, head):
    """It holds until the case has a further episode; case.json and readings.csv must have it then."""
    row, alerts, said = rows.get((DIGEST, head["id"])), of_kind(rows, ALERT), case["evidence"]["digest"]
    rests = all(a["cleared"] is not None for a in alerts)
    if row is None or not alerts or row["alert"] != alerts[-1]["id"] or not rests:
        row = {"digest": None, "readings": sum(a["readings"] or 0 for a in alerts)}
    same("evidence.digest", said, row["digest"])
    if rests:
        same("evidence.readings", case["evidence"]["readings"], row["readings"])
    with open("readings.csv", "rb") as f:
        lines = f.read().split(b"\n", 1)[1]
    if said is not None and hashlib.sha256(lines).hexdigest() != said:
        days_removed(rows, row["readings"] - lines.count(b"\n"))
    return said


def days_removed(rows, gone):
    """Readings of the digest that are not here: the chain must say that their days were removed."""
    days = of_kind(rows, DAY)
    if not 0 < gone <= sum(day["last"] - day["first"] + 1 for day in days):
        bad("readings.csv: not those of which the chain has the digest, and it says of no day of theirs that it was removed")
    print(f"NOTE 注意: {gone} readings of the digest are not kept any more 部分数据已按保存期限清除; the chain says what was removed:")
    for day in days:
        print(f"  {day['name']}, batches {day['first_batch']} to {day['last_batch']}, last hash {day['hash']['hex']},"
              f" removed {EPOCH + datetime.timedelta(milliseconds=day['removed'])}")


def once(pairs):
    """An object, none of whose members is said twice: which of them counts, programs do not agree on."""
    names = sorted(name for name, _ in pairs)
    for name, other in zip(names, names[1:]):
        if name == other:
            bad(f"case.json: {name} is there twice")
    return dict(pairs)


def case_check(case, rows, node):
    head, alerts, left = of_kind(rows, CASE)[0], of_kind(rows, ALERT), of_kind(rows, LEFT)
    moves = any(row["cleared"] is None and row["case_id"] == head["id"] for row in alerts)
    case_head(case, head, rows[COURSE, head["id"]], node, moves)
    case_episodes(case, head, alerts)
    if moves:
        case_moves(case, head, alerts, left)
    case_factors(case, head, alerts)
    case_history(case, of_kind(rows, HISTORY))
    case_follows(case, head, of_kind(rows, HISTORY))
    return head, case_digest(case, rows, head), any(row["cleared"] is None for row in alerts)


def case_read(rows, node):
    with open("case.json", encoding="utf-8") as f:
        case = json.load(f, object_pairs_hook=once)
    head, digest, moves = case_check(case, rows, node)
    print("case OK: case.json is what the chain says; not in the chain: " + beside(case, moves))
    return head, digest


# --- readings.csv and frames.csv ---

def spans(head, alerts):
    """From when to when, of which factor, in the order of the readings."""
    out = []
    for row in sorted(alerts, key=lambda row: (row["factor"] is not None and row["factor"] != head["factor"],
                                               row["factor"] or "", row["began"])):
        factor, end = row["factor"] or head["factor"], row["cleared"] if row["cleared"] is not None else 1 << 62
        if out and out[-1][0] == factor and row["began"] <= out[-1][2]:
            out[-1][2] = max(out[-1][2], end)
        else:
            out.append([factor, row["began"], end])
    return out


def expected(readings, head, alerts):
    for factor, begin, end in spans(head, alerts):
        found = [r for r in readings if (r.site, r.factor) == (head["site"], factor) and begin <= r.measured <= end]
        yield from sorted(found, key=lambda r: (r.measured, r.sequence))


def line_of(line):
    return (ms(line["time"]), ms(line["received_at"]), line["site"], line["factor"],
            float(line["value"]) if line["value"] else None, line["flag"])


def readings_check(readings, head, alerts, digest, days):
    """Each line is a reading of the chain, and none is left out but what came since."""
    lines = [line_of(line) for line in table("readings.csv", READINGS)]
    if not lines and digest is None and not days and any(row["cleared"] is not None and row["readings"] for row in alerts):
        bad("readings.csv: there are none, and an episode of the case that ended had some")
    taken, passed = [], []
    for reading in expected(readings, head, alerts):
        if len(taken) < len(lines) and lines[len(taken)] == reading.line():
            taken.append(reading)
        else:
            passed.append(reading)
    if len(taken) < len(lines):
        bad(f"readings.csv: line {len(taken) + 2} is no reading of the chain")
    newest = max((r.sequence for r in taken), default=0)
    later, last = later_read() if digest is not None else [], digest_batch(head["id"]) if digest is not None else None
    for reading in taken:
        if last is not None and reading.batch > last:
            bad(f"readings.csv: reading {reading.sequence} came with batch {reading.batch}, the digest was made with {last}")
    known = set(later)
    for reading in passed:
        if reading.sequence < newest or digest is not None and (reading.line(), str(reading.batch)) not in known:
            bad(f"readings.csv: reading {reading.sequence} of the chain, measured {EPOCH + datetime.timedelta(milliseconds=reading.measured)}, is left out")
    if table("places.csv", PLACES) != [reading.place for reading in taken]:
        bad("places.csv: it does not say where the readings are in the links")
    print(f"readings OK: {len(taken)} lines are what the links hold")
    if later:
        here = sum((reading.line(), str(reading.batch)) in known for reading in passed)
        print(f"NOTE 注意: {len(later)} readings came after the digest 摘要生成后补录: {here} of them are in links that are here,"
              " the others rest on the sums' signature alone (their batches are in the daybook)")
    return taken


def digest_batch(case):
    """The newest batch when the digest was made: the one that the chain names with it, or had named before."""
    lines = [(int(line["kind"] or 0), int(line["ref"] or 0)) for line in table("entries.csv", ENTRIES)]
    made = max((n for n, entry in enumerate(lines) if entry == (DIGEST, case)), default=0)
    named = [ref for kind, ref in lines[made + 1:made + 2] + lines[made::-1] if kind == DAYBOOK]
    return named[0] if named else None


def later_read():
    """What was recorded after the digest was made; nothing of the case rests on it."""
    return [(line_of(line), line["batch"]) for line in table("later.csv", READINGS + ",batch")]


def frames_read():
    """By reading: letter, when, asked, answered; or the letter x alone."""
    found, last = {}, {}
    for path in sorted(glob.glob("frames/*.bin")):
        with open(path, "rb") as f:
            data = f.read()
        at = 0
        while at < len(data):
            mark, follows, kind, ring, boot, sequence, when, frame, n = struct.unpack_from("<cIcBqQqQI", data, at)
            if mark != b"F":
                bad(f"{path}: no frame begins at byte {at}")
            body, end = at + 43, at + 5 + follows
            letter = kind.decode()
            if letter not in "sx":
                last[ring] = (frame, letter, when, data[body:body + n].hex(), data[body + n:end].hex())
            if letter == "x":
                found[boot, ring, sequence] = ("x", None, "", "")
            elif ring in last and last[ring][0] == frame:
                found[boot, ring, sequence] = last[ring][1:]
            at = end
    return found


def frames_gone(missing, rows):
    """Frames that are not here: the chain must say that those of their day were removed. A file may be of the day before."""
    removed = {row["name"][:10] for row in of_kind(rows, FRAMES_GONE) + of_kind(rows, DAY)}
    days = {line["batch"]: line["committed_at"][:10] for line in table("batches.csv", BATCHES)}
    for batch in missing:
        day = datetime.date.fromisoformat(days[str(batch)])
        if not removed & {day.isoformat(), (day - datetime.timedelta(days=1)).isoformat()}:
            bad(f"frames/{batch:012d}.bin: it is not here, and the chain does not say that frames of {day} were removed")


def frames_check(taken, missing, rows):
    found, lines = frames_read(), table("frames.csv", READINGS + ",raw,frame,exchanged_at,asked,answered,batch")
    if len(lines) != len(taken):
        bad(f"frames.csv: {len(lines)} lines, readings.csv has {len(taken)}")
    for n, (line, reading) in enumerate(zip(lines, taken), 2):
        letter, when, asked, answered = found.get((reading.boot, reading.ring, reading.ring_sequence), ("", None, "", ""))
        frame = {"": "none", "x": "overwritten"}.get(letter) or FRAMES.get(letter, line["frame"])
        if (line_of(line), int(line["raw"], 16)) != (reading.line(), reading.raw):
            bad(f"frames.csv: line {n} is not the reading of readings.csv")
        if line["batch"] != str(reading.batch):
            bad(f"frames.csv: line {n} was committed with batch {reading.batch}")
        if (line["frame"], ms(line["exchanged_at"]), line["asked"], line["answered"]) != (frame, when, asked, answered):
            bad(f"frames.csv: line {n} is not what the frames hold")
    first = min((r.batch for r in taken), default=0)
    missing = [batch for batch in missing if batch >= first]
    frames_gone(missing, rows)
    gone = len(missing)
    print("frames OK: frames.csv is what the frames hold" + (f"; those of {gone} links are not kept any more, as the chain says" if gone else ""))


def anchors_hold(anchors, seals):
    """Hashes that left the node: each is one of a seal, of an entry or of a link that is here."""
    known = {seal.previous: f"seal {seal.number - 1}" for seal in seals}
    known.update((hashlib.sha256(seal.line.encode()).hexdigest(), f"seal {seal.number}") for seal in seals)
    known.update((line["hash"], f"entry {line['number']}") for line in table("entries.csv", ENTRIES))
    for path in glob.glob("links/*.bin"):
        with open(path, "rb") as f:
            known[hashlib.sha256(f.read()).hexdigest()] = f"batch {number_of(path)}"
    for anchor in anchors:
        if anchor.lower() not in known:
            bad(f"anchor {anchor}: no seal, entry or link that is here has this hash")
        print(f"anchor OK: {anchor} is that of {known[anchor.lower()]}")


def main():
    seals, alone = seals_check()
    rows = rows_read(seals, alone["seal-case.txt"])
    head, digest = case_read(rows, alone["seal-case.txt"].node)
    readings, missing = links_read(seals, alone.get("seal.txt"))
    taken = readings_check(readings, head, of_kind(rows, ALERT), digest, of_kind(rows, DAY))
    times = Times("readings", seals, lambda seal: seal.links)
    for reading in taken:
        times.hold(f"reading {reading.sequence}", reading.received, reading.batch)
    times.say()
    frames_check(taken, missing, rows)
    anchors_hold(sys.argv[1:], seals)


if __name__ == "__main__":
    main()
