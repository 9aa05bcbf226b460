# SPDX-License-Identifier: Apache-2.0
"""Archives of cases, checked as whoever receives one does: by the commands of its README, by hand, and by libsodium; of
each protocol, after clocks that were set, and with readings that came late."""
import csv
import datetime
import glob
import hashlib
import json
import os
import re
import shutil
import sqlite3
import struct
import subprocess
import time

import pytest

import byhand
import loggers
import servers
from conftest import modbus_connection, modbus_monitor, mqtt_connection, mqtt_monitor, site
from servers import wait_until
from shim import LONG
from test_evidence import check_signatures, frames_of, resting_case
from test_loggers import connection as logger_connection
from test_loggers import dial
from test_loggers import monitor as logger_monitor

FAKETIME = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)
DAY = 86400


def archive_of(daemon, tmp_path, case=1):
    """The archive of a case, unpacked; checked by all means: its own programs, and libsodium."""
    folder, tar = tmp_path / f"case-{case}-{time.monotonic_ns()}", tmp_path / "case.tar"
    done = daemon.ctl("evidence", str(case), "-o", str(tar), timeout=60)
    folder.mkdir()
    subprocess.run(["tar", "-xf", tar, "-C", folder], check=True)
    assert done.returncode == 0, done.stderr + (folder / "VERIFY.txt").read_text()
    done = subprocess.run(["sh", "check.sh"], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "VERIFY.txt").read_text().startswith("clean: ")
    check_signatures(folder)
    return folder, done.stdout


def lines_of(path):
    if not path.exists():
        return []
    with path.open() as f:
        return list(csv.DictReader(f))


# --- the README ---

def commands_of(readme):
    """What stands behind three blanks in the steps, and what is set apart below them."""
    steps = readme.split("Its steps one by one:")[1].split("What this proves")[0]
    for line in steps.splitlines():
        behind = re.match(r"\d\. .*?:   +(\S.*?)(   +\(.*)?$", line)
        if "HASH..." not in line and (behind or line.startswith("       ")):
            yield behind[1] if behind else line


def test_the_commands_of_the_readme_check_an_archive_and_the_manual_a_store(make_daemon, instrument, tmp_path):
    daemon = resting_case(make_daemon, instrument)
    folder, _ = archive_of(daemon, tmp_path)
    commands = "\n".join(commands_of((folder / "README.txt").read_text()))

    def follow():
        return subprocess.run(["sh", "-e", "-c", commands], cwd=folder, capture_output=True, text=True, timeout=120)
    done = follow()
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout
    digest = json.loads((folder / "case.json").read_text())["evidence"]["digest"]
    assert f"{digest}  -" in said and "readings.csv: OK" in said and "frames OK" in said, said
    assert said.count("Signature Verified Successfully") == 2, said
    hashes = dict(reversed(pair) for pair in re.findall(r"^([0-9a-f]{64})  (links/.*)$", said, re.M))
    former = re.findall(r"^[0-9a-f]{64}$", said, re.M)
    paths = sorted(hashes)
    assert len(paths) == len(former) and f" {hashes[paths[-1]]} " in (folder / "seal.txt").read_text()
    assert all(former[i + 1] == hashes[path] for i, path in enumerate(paths[:-1])), said
    key = "".join(re.findall(r"^((?: [0-9a-f]{2}){16})$", said, re.M)[:2]).replace(" ", "")
    assert key == (folder / "keys").read_text().split(" ")[7], said
    # a value that was changed, with the sum of its file: the records of the links say another one
    readings, sums = folder / "readings.csv", folder / "SHA256SUMS"
    kept = readings.read_bytes()
    readings.write_bytes(re.sub(rb",60,N", b",50,N", kept, count=1))
    sums.write_text(sums.read_text().replace(hashlib.sha256(kept).hexdigest(), hashlib.sha256(readings.read_bytes()).hexdigest()))
    commands = "\n".join(line for line in commands.splitlines() if "SHA256SUMS.sig" not in line)
    done = follow()
    assert done.returncode == 1 and "../said ../sealed differ" in done.stdout, done.stdout + done.stderr

    daemon.stop()
    readings, rows, seals = byhand.verify(daemon.store)
    assert min(readings, rows, seals) > 3
    day, = glob.glob(os.path.join(daemon.store, "daybook", "*.db"))
    for path, sql in ((day, "UPDATE readings SET value = 49 WHERE seq = 2"), (day, "UPDATE gaps SET count = 1"),
                      (day, "UPDATE monitors SET factor = 'w21003'"),
                      (os.path.join(daemon.store, "ledger.db"), "UPDATE cases SET status = 'closed'"),
                      (os.path.join(daemon.store, "ledger.db"), "UPDATE alerts SET peak = 51")):
        copy = tmp_path / "copy"
        shutil.copytree(daemon.store, copy, dirs_exist_ok=True)
        with sqlite3.connect(copy / os.path.relpath(path, daemon.store)) as db:
            changed = db.execute(sql).rowcount
        db.close()
        if changed:
            with pytest.raises(AssertionError):
                byhand.verify(copy)
        shutil.rmtree(copy)


# --- frames ---

def crc(data):
    """MODBUS over serial line, 6.2.2."""
    register = 0xffff
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xa001 if register & 1 else 0)
    return struct.pack("<H", register)


def float_of(asked, answered):
    """pymodbus reads a request and its reply, both without what goes before and behind."""
    from pymodbus.factory import ClientDecoder, ServerDecoder
    request, reply = ServerDecoder().decode(asked), ClientDecoder().decode(answered)
    assert (request.function_code, request.address, request.count) == (3, 0, 2), asked.hex()
    return struct.unpack(">f", struct.pack(">HH", *reply.registers))[0], answered[2:]


def of_tcp(asked, answered):
    assert asked[:4] == answered[:4] and asked[6] == answered[6] == 1
    assert struct.unpack(">HHH", answered[:6])[1:] == (0, len(answered) - 6)
    return float_of(asked[7:], answered[7:])


def of_rtu(asked, answered):
    assert crc(asked[:-2]) == asked[-2:] and crc(answered[:-2]) == answered[-2:] and asked[0] == answered[0] == 1
    return float_of(asked[1:-2], answered[1:-2])


def of_mqtt(asked, answered):
    assert asked == b"b/cod"
    value = json.loads(answered)["cod"]
    return value, struct.pack(">d", value)


def of_logger(asked, answered):
    assert asked.startswith(b"127.0.0.1") and answered.startswith(b"##")
    text, sum_of = answered[6:6 + int(answered[2:6])], answered[6 + int(answered[2:6]):].strip()
    assert b"%04X" % loggers.crc(text) == sum_of
    value = float(re.search(rb"w01018-Rtd=([0-9.]+)", text)[1])
    return value, struct.pack(">d", value)


def check_frames(folder, frame, decode, rising):
    """Every reading of the case can be had from its frame alone, together with its raw value."""
    lines, batches = frames_of(folder), {line["batch"]: line for line in lines_of(folder / "batches.csv")}
    for line in lines:
        assert line["frame"] == frame, line
        value, raw = decode(bytes.fromhex(line["asked"]), bytes.fromhex(line["answered"]))
        assert value == float(line["value"]) and int(line["raw"], 16) == int.from_bytes(raw, "big"), line
        moments = [datetime.datetime.fromisoformat(line[name]) for name in ("received_at", "exchanged_at")]
        assert abs(moments[0] - moments[1]) < datetime.timedelta(seconds=1) and line["flag"] == "N", line
        assert batches[line["batch"]]["clock"] in ("synchronised", "free", "unknown"), line
    assert float(lines[0]["value"]) == rising, lines


def test_the_frames_of_each_protocol_say_what_was_read(make_daemon, instrument, broker, tmp_path):
    cable, port = servers.Cable(tmp_path), servers.free_port()
    serial = servers.Instrument(device=cable.far).start()
    limit = "{ max = 50.0; }"
    line = (f'{{ id = "bus"; driver = "modbus"; transport = "rtu"; device = "{cable.device}"; baud = 19200; parity = "N"; '
            f'data_bits = 8; stop_bits = 1; interval_ms = 200; timeout_ms = 1000; }}')
    try:
        for one in (instrument, serial):
            one.set_float(0, 20.0)
        daemon = make_daemon([modbus_connection(instrument.port), line, mqtt_connection(broker.port), logger_connection(port)], [
            site("tcp", [modbus_monitor("w01018", limits=limit)]), site("rtu", [modbus_monitor("w01018", "bus", limits=limit)]),
            site("mqtt", [mqtt_monitor("w01018", "b/cod", limit, rest='value = "/cod";')]),
            site("hj", [logger_monitor("w01018", limits=limit)])])
        wait_until(lambda: broker.subscribed("edge"), what="the subscription")
        logger, at = dial(daemon, port), int(time.time()) - 60
        for i, value in enumerate((20.0, 61.5, 63.25, 20.5)):
            for one in (instrument, serial):
                one.set_float(0, value)
            broker.publish("b/cod", json.dumps({"cod": value}))
            logger.send(loggers.message("88888880000001", f"DataTime={loggers.stamp(at + i)};w01018-Rtd={value}"))
            logger.answer()
            for name in ("tcp", "rtu"):
                wait_until(lambda: value in daemon.values(name, "w01018"), what=f"{value} of {name}")
        wait_until(lambda: len(daemon.alerts(active=False, kind="exceedance")) == 4, what="four alerts and their end")
        decode = {"tcp": ("modbus-tcp", of_tcp), "rtu": ("modbus-rtu", of_rtu), "mqtt": ("mqtt", of_mqtt), "hj": ("hj212", of_logger)}
        cases = {case["site"]: case["id"] for case in daemon.cases()}
        assert set(cases) == set(decode)
        for name, case in cases.items():
            folder, _ = archive_of(daemon, tmp_path, case)
            check_frames(folder, *decode[name], 61.5)
    finally:
        serial.stop()
        cable.unplug()


# --- clocks, and readings that come late ---

class Clock:
    """The wall clock of a daemon, which libfaketime sets."""

    def __init__(self, tmp_path):
        if FAKETIME is None:
            pytest.skip("there is no libfaketime (package faketime)")
        self.path = str(tmp_path / "clock")
        self.environment = dict(LD_PRELOAD=FAKETIME, FAKETIME_TIMESTAMP_FILE=self.path, FAKETIME_NO_CACHE="1",
                                FAKETIME_DONT_FAKE_MONOTONIC="1", FAKETIME_DONT_RESET="1")
        self.set(0)

    def set(self, seconds):
        with open(self.path + ".new", "w") as f:
            f.write(f"{seconds:+d}\n")
        os.rename(self.path + ".new", self.path)


def to_midnight():
    """Seconds from now to half a minute before the next midnight of Shanghai."""
    return DAY - int(time.time() + 8 * 3600) % DAY - 30


def readings_between(daemon, begin, end):
    """Of the store itself, by measured time, both included."""
    begin, end = (round(datetime.datetime.fromisoformat(t).timestamp() * 1000) for t in (begin, end))
    found = []
    for path in glob.glob(os.path.join(daemon.store, "daybook", "*.db")):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20) as db:
            found += db.execute("SELECT measured_ms, seq, value FROM readings WHERE measured_ms BETWEEN ? AND ?",
                                (begin, end)).fetchall()
        db.close()
    return sorted(found)


STEPS = (3600, -3600, DAY, -DAY, "midnight", 0)


def digest_of(daemon):
    """What is noted makes a seal, behind which a case that rests gets its digest."""
    daemon.request("POST", "/api/v1/cases/1/actions", json.dumps({"action": "note", "by": "A", "note": "n"}))
    return daemon.cases()[0]["evidence"]["digest"]


@pytest.mark.parametrize("steps", [STEPS] + ([(step, 0) for step in STEPS[:-1]] if LONG else []))
def test_a_case_whose_clock_was_set_has_evidence_that_verifies(make_daemon, instrument, tmp_path, steps):
    clock = Clock(tmp_path)
    instrument.set_float(0, 20.0)
    daemon = make_daemon([modbus_connection(instrument.port, interval_ms=50)],
                         [site("a", [modbus_monitor("w01018", limits="{ max = 50.0; }")])], start=False)
    daemon.start(**clock.environment)
    instrument.set_float(0, 61.5)
    wait_until(daemon.cases, what="a case")
    for step in steps:
        before = instrument.requests
        clock.set(to_midnight() + 29 if step == "midnight" else step)
        wait_until(lambda: instrument.requests >= before + 28, what=f"readings after {step}")
        if LONG or step == -DAY:
            folder, _ = archive_of(daemon, tmp_path)  # while it goes on
            assert len(lines_of(folder / "readings.csv")) > 28
    clock.set(2 * DAY)  # later than any of these: an alert is ended by a reading that is not late
    instrument.set_float(0, 20.0)
    wait_until(lambda: daemon.alerts(active=False, kind="exceedance"), what="the end of the alert")
    wait_until(lambda: digest_of(daemon), 40, "a digest", every=1)
    folder, said = archive_of(daemon, tmp_path)
    episode, = daemon.cases()[0]["episodes"]
    lines = lines_of(folder / "readings.csv")
    assert [float(line["value"]) for line in lines] == [value for *_, value in
                                                        readings_between(daemon, episode["began_at"], episode["ended_at"])], said
    assert not (folder / "later.csv").exists()
    daemon.stop()
    byhand.verify(daemon.store)


def test_telegrams_that_come_afterwards_stand_where_they_belong(make_daemon, tmp_path):
    port = servers.free_port()
    daemon = make_daemon([logger_connection(port)], [site("hj", [logger_monitor("w01018", limits="{ max = 50.0; }")])])
    logger, at = dial(daemon, port), int(time.time()) - 600

    def send(seconds, value):
        logger.send(loggers.message("88888880000001", f"DataTime={loggers.stamp(at + seconds)};w01018-Rtd={value}"))
        logger.answer()
    send(0, 61.5)
    send(60, 62.5)
    send(30, 61.75)  # while it is open
    wait_until(daemon.cases, what="a case")
    archive_of(daemon, tmp_path)
    send(90, 20.5)
    wait_until(lambda: daemon.alerts(active=False, kind="exceedance"), what="the end of the alert")
    send(45, 19.5)  # it has ended, and there is no digest yet
    wait_until(lambda: digest_of(daemon), 40, "a digest", every=1)
    send(75, 18.5)  # there is one
    folder, said = archive_of(daemon, tmp_path)
    assert [float(line["value"]) for line in lines_of(folder / "readings.csv")] == [61.5, 61.75, 19.5, 62.5, 20.5]
    assert [float(line["value"]) for line in lines_of(folder / "later.csv")] == [18.5]
    assert "1 readings came after the digest" in said, said
    assert {line["frame"] for line in frames_of(folder)} <= {"hj212", "none"}
    daemon.stop()
    byhand.verify(daemon.store)
