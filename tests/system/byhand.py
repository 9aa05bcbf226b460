# SPDX-License-Identifier: Apache-2.0
"""A whole store held against its chains and seals by what ducha-evidence(7) says, libsodium and hashlib.

The columns of the ledger's rows are read from the manual itself, so that it says enough and stays true.
"""
import glob
import hashlib
import os
import re
import sqlite3
import struct

import nacl.signing

MANUAL = os.path.join(os.path.dirname(__file__), "..", "..", "daemon", "ducha-evidence.7")
COUNTED = {"how many rows of history it has": "(SELECT count(*) FROM history h WHERE h.case_id = t.id)",
           "the greatest id of these": "(SELECT max(h.id) FROM history h WHERE h.case_id = t.id)",
           "how many alerts have it as their case_id": "(SELECT count(*) FROM alerts a WHERE a.case_id = t.id)",
           "how many rows of left_episodes": "(SELECT count(*) FROM left_episodes l WHERE l.case_id = t.id)"}
ACTIVE = {"cases": "EXISTS(SELECT 1 FROM alerts a WHERE a.case_id = t.id AND a.cleared IS NULL)", "alerts": "t.cleared IS NULL"}
BORN = {18: "cleared IS NOT NULL", 19: "acknowledged IS NOT NULL", 20: "settled <> 0"}
ROWLESS = (6, 7, 13, 22)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def statements():
    """By kind the statement for a row, from the manual's list."""
    with open(MANUAL, encoding="utf-8") as f:
        section = f.read().split(".Ss What is hashed", 1)[1].split(".El", 1)[0]
    text = re.sub(r"^\.(Ic|Pq) ", "", section, flags=re.M).replace("\n", " ")
    out = {}
    for item in text.split(".It ")[1:]:
        kind, table, cells = re.match(r"(\d+) (\w+)[^:]*: (.*)", item).groups()
        always, _, moving = cells.partition("; and, NULL while")
        if moving:
            moving = moving.split("cleared, ", 1)[1]
        always = always.split("; escalation", 1)[0].replace(", and how many", ", how many")
        columns = [COUNTED.get(cell.strip(), f"t.{cell.strip()}") for cell in re.split(", |; ", always)]
        columns += [f"CASE WHEN NOT ({ACTIVE[table]}) THEN t.{cell.strip()} END" for cell in moving.split(", ") if cell.strip()]
        if table == "history":
            columns.append("CASE WHEN t.user IS NULL THEN t.escalation ELSE coalesce(t.escalation, 'NULL') || ' ' || t.user END")
        key = "case_id" if table == "case_digests" else "id"
        born = f" AND {BORN[int(kind)]}" if int(kind) in BORN else ""
        out[int(kind)] = f"SELECT {', '.join(columns)} FROM {table} t WHERE t.{key} = ?{born}"
    return out


def cell(value):
    if value is None:
        return b"n"
    if isinstance(value, int):
        return b"i" + struct.pack("<q", value)
    if isinstance(value, float):
        return b"d" + struct.pack("<d", value)
    data = value.encode() if isinstance(value, str) else value
    return b"t" + struct.pack("<q", len(data)) + data


def entries_of(store):
    """The ledger's chain followed: hashes by number, and how many rows were held against it."""
    db, newest, links = sqlite3.connect(f"file:{store}/ledger.db?mode=ro", uri=True), {}, {}
    hashes, before = {}, bytes(32)
    for number, kind, ref, digest, said in db.execute("SELECT * FROM chain ORDER BY number"):
        before = sha256(b"\0", before, b"e", struct.pack("<qBq", number, kind, ref), digest)
        assert before == said and number == len(hashes) + 1, number
        hashes[number] = before
        newest[kind, ref] = digest
        if kind == 6:
            links[ref] = digest
    pruned = max((ref for kind, ref in newest if kind == 7), default=0)
    sql = statements()
    for (kind, ref), digest in newest.items():
        if kind in ROWLESS or kind == 4 and ref <= pruned:
            continue
        row = db.execute(sql[kind], (ref,)).fetchone()
        assert sha256(bytes([2, kind]), *map(cell, row)) == digest, (kind, ref)
    days = {name[:10]: (last, said) for name, last, said in db.execute("SELECT name, last_batch, hash FROM chain_days")}
    return hashes, links, len(newest), days


def name(text):
    return struct.pack("<H", len(text.encode())) + text.encode()


def readings_of(db, first, last):
    for seq, boot, ring, rseq, monitor, measured, received, value, flag, raw in db.execute(
            "SELECT seq, boot, ring, rseq, monitor, measured_ms, received_ms, value, flag, raw FROM readings"
            " WHERE seq BETWEEN ? AND ? ORDER BY seq", (first, last)):
        yield b"r" + struct.pack("<qqBqqqqdBQ", seq, boot, ring, rseq, monitor, measured, received, value or 0.0,
                                 ord(flag) | (0x80 if value is None else 0), raw % (1 << 64))


def frames_of(db, path, batch):
    for first, last, digest in db.execute("SELECT first, last, digest FROM frames WHERE batch = ?", (batch,)):
        if os.path.exists(path):
            with open(path, "rb") as f:
                assert sha256(f.read()[first:last]) == digest, (path, batch)
        yield b"f" + struct.pack("<qq", first, last) + digest


def days_of(store):
    """The day's files by their batches: a clock may have been set back."""
    def first(path):
        return sqlite3.connect(f"file:{path}?mode=ro", uri=True).execute("SELECT min(batch) FROM chain").fetchone()[0]
    return sorted(glob.glob(f"{store}/daybook/????-??-??*.db"), key=first)


def links_of(store, removed):
    """The daybook's chain followed over all days: hashes by batch, and how many readings it has."""
    hashes, readings, before = {}, 0, bytes(32)
    for _, said in sorted(removed.values()):
        before = said
    for path in days_of(store):
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        begin, monitors, gaps, file = db.execute("SELECT hash, monitors, gaps, name FROM chain_begin").fetchone()
        seq, = db.execute("SELECT seq FROM chain_begin").fetchone()
        assert begin == before and file == os.path.basename(path), path
        head = b"a" + struct.pack("<qqq", seq, monitors, gaps) + name(file)
        for batch, first, last, newest_monitor, newest_gap, at, mono, error, said in db.execute(
                "SELECT * FROM chain ORDER BY batch").fetchall():
            rows = list(readings_of(db, first, last))
            rows += [b"m" + struct.pack("<q", i) + name(site) + name(factor) for i, site, factor in db.execute(
                "SELECT id, site, factor FROM monitors WHERE id > ? AND id <= ? ORDER BY id", (monitors, newest_monitor))]
            rows += [b"g" + struct.pack("<qqqq", *row) for row in db.execute(
                "SELECT monitor, from_ms, to_ms, count FROM gaps WHERE rowid > ? AND rowid <= ? ORDER BY rowid", (gaps, newest_gap))]
            rows += frames_of(db, path[:-3] + ".frames", batch)
            end = b"b" + struct.pack("<8q", batch, first, last, newest_monitor, newest_gap, at, mono, error)
            before = sha256(b"\0", before, head, *rows, end)
            assert before == said, (path, batch)
            hashes[batch], head, monitors, gaps = before, b"", newest_monitor, newest_gap
            readings += last - first + 1 if first else 0
    return hashes, readings


def keys_of(store):
    keys, former = [], None
    with open(f"{store}/seals/keys") as f:
        lines = f.read().splitlines()
    for line in lines:
        _, version, algorithms, _, number, _, seal, public, _, signature = line.split(" ")
        assert (version, algorithms, int(number)) == ("1", "ed25519-sha256", len(keys) + 1), line
        nacl.signing.VerifyKey(former or bytes.fromhex(public)).verify(line.rsplit(" ", 1)[0].encode(), bytes.fromhex(signature))
        former = bytes.fromhex(public)
        keys.append((int(seal), former))
    return keys


def seals_of(store):
    """Each seal is signed by the key of its time and names the line before it: what they say of links and entries."""
    keys, said, former, lines = keys_of(store), [], None, []
    for path in glob.glob(f"{store}/seals/*.seals"):
        with open(path) as f:
            lines += f.read().splitlines()
    for number, line in enumerate(sorted(lines, key=lambda line: int(line.split(" ")[4])), 1):
        words = line.split(" ")
        assert words[:3] == ["seal", "1", "ed25519-sha256"] and int(words[4]) == number, line
        assert former is None or sha256(former.encode()).hex() == words[12], line
        begin, public = keys[int(words[6]) - 1]
        assert begin <= number and (int(words[6]) == len(keys) or number < keys[int(words[6])][0]), line
        nacl.signing.VerifyKey(public).verify(line.rsplit(" ", 1)[0].encode(), bytes.fromhex(words[13]))
        said.append((int(words[8]), words[9], int(words[10]), words[11]))
        former = line
    return said


def verify(store):
    """Return: how many readings, rows and seals were verified; fails at the first that is not what it should be."""
    entries, bound, rows, removed = entries_of(store)
    links, readings = links_of(store, removed)
    seals = seals_of(store)
    for batch, link, entry, head in seals:
        assert batch == 0 or links.get(batch, bytes.fromhex(link)).hex() == link, batch
        assert entry == 0 or entries[entry].hex() == head, entry
    for batch, digest in bound.items():
        assert links.get(batch, digest) == digest, batch
    assert not links or seals and max(links) >= seals[-1][0]
    return readings, rows, len(seals)


if __name__ == "__main__":
    import sys
    print("%d readings, %d rows, %d seals: as they were sealed" % verify(sys.argv[1]))
