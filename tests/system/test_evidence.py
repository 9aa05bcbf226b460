# SPDX-License-Identifier: Apache-2.0
"""Evidence from outside: a store that is verified where it lies, copied, altered, killed, and cut back."""
import base64
import csv
import datetime
import glob
import hashlib
import json
import os
import shutil
import sqlite3
import struct
import subprocess
import tarfile
import urllib.parse

import nacl.exceptions
import nacl.signing
import pytest

from conftest import (DUCHACTL, ENVIRONMENT, modbus_connection, modbus_monitor, mqtt_connection,
                      mqtt_monitor, site)
from servers import wait_until


def verify(directory, *arguments):
    return subprocess.run([DUCHACTL, "verify", str(directory), *arguments], capture_output=True, text=True,
                          timeout=60, env=ENVIRONMENT)


def check_clean(directory, *arguments):
    done = verify(directory, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def check_bad(directory, words, *arguments):
    done = verify(directory, *arguments)
    assert done.returncode == 1 and "bad: " in done.stderr and words in done.stderr, done.stdout + done.stderr


def with_case(make_daemon, instrument):
    """A daemon that has opened a case and sealed it."""
    instrument.set_float(0, 60.0)
    daemon = make_daemon([modbus_connection(instrument.port)],
                         [site("outfall-3", [modbus_monitor("w01018", limits="{ max = 50.0; }")])])
    wait_until(lambda: daemon.delivered("case.opened"), what="a case")
    return daemon


def copy_of(daemon, tmp_path, name):
    copy = tmp_path / name
    shutil.copytree(daemon.store, copy)
    return copy


def change(path, sql):
    with sqlite3.connect(path) as db:
        db.execute(sql)
    db.close()


def test_a_store_verifies_live_and_copied_and_not_when_altered(make_daemon, instrument, tmp_path):
    daemon = with_case(make_daemon, instrument)
    live = daemon.ctl("verify")
    assert live.returncode == 0 and "as they were sealed" in live.stdout, live.stdout + live.stderr
    daemon.stop()
    copy = copy_of(daemon, tmp_path, "copy")
    check_clean(copy)
    answer = json.loads(check_clean(copy, "--json"))
    assert answer["clean"] and answer["bad"] is None and answer["readings"] > 0 and answer["unsealed"] == 0
    day = next((copy / "daybook").glob("*.db"))
    change(day, "UPDATE readings SET value = 49 WHERE seq = 1")
    check_bad(copy, f"{day.name}: batch ")
    other = copy_of(daemon, tmp_path, "other")
    change(other / "ledger.db", "UPDATE cases SET status = 'closed'")
    check_bad(other, "case 1 is not what the chain says")


def test_the_head_that_an_event_took_along_finds_a_store_that_was_cut_back(make_daemon, instrument, tmp_path):
    daemon = with_case(make_daemon, instrument)
    daemon.stop()
    old = copy_of(daemon, tmp_path, "old")
    daemon.start()
    daemon.request("POST", "/api/v1/cases/1/actions", json.dumps({"action": "note", "by": "A", "note": "n"}))
    wait_until(lambda: len(daemon.delivered("case.updated")) > 0, what="the note's event")
    head = daemon.delivered("case.updated")[-1]["chainhead"]
    daemon.stop()
    check_clean(daemon.store, "--anchor", head)
    check_clean(old)
    check_bad(old, head, "--anchor", head)


def test_heads_leave_by_themselves(make_daemon, instrument, influx):
    instrument.set_float(0, 60.0)  # its alert makes the first seal; each head is an event that makes the next
    daemon = make_daemon([modbus_connection(instrument.port)],
                         [site("outfall-3", [modbus_monitor("w01018", limits="{ max = 50.0; }")])],
                         storage="anchor_s = 1;", influx=influx)
    first, second = wait_until(lambda: len(daemon.delivered("seal.anchored")) >= 2 and
                               daemon.delivered("seal.anchored"), 40, "two heads")[:2]
    assert second["data"]["seal"] > first["data"]["seal"] and second["data"]["head"] != first["data"]["head"]
    wait_until(lambda: second["data"]["head"] in str(influx.query("SELECT head FROM anchor")), 30, "its line")
    daemon.stop()
    check_clean(daemon.store, "--anchor", first["data"]["head"], "--anchor", second["data"]["head"])
    # all seals of the second head and behind it are taken away, and the readings they cover
    seals, = (p for p in glob.glob(os.path.join(daemon.store, "seals", "*.seals")))
    with open(seals) as f:
        kept = [line for line in f if int(line.split(" ")[4]) < second["data"]["seal"]]
    with open(seals, "w") as f:
        f.writelines(kept)
    check_bad(daemon.store, "", "--anchor", second["data"]["head"])


def test_a_killed_daemon_leaves_a_store_that_verifies_with_its_end_named(make_daemon, instrument):
    daemon = with_case(make_daemon, instrument)
    daemon.kill()
    check_clean(daemon.store)
    daemon.start()
    daemon.stop()
    assert "did not end cleanly" in check_clean(daemon.store)


def resting_case(make_daemon, instrument):
    """A daemon whose case has come to rest and has its digest."""
    daemon = with_case(make_daemon, instrument)
    instrument.set_float(0, 20.0)
    wait_until(lambda: daemon.alerts(active=False, kind="exceedance"), what="the end of the alert")

    def sealed():
        daemon.request("POST", "/api/v1/cases/1/actions", json.dumps({"action": "note", "by": "A", "note": "n"}))
        return daemon.cases()[0]["evidence"]["digest"]
    assert sealed() is None
    wait_until(sealed, 40, "a digest", every=1)
    return daemon


def test_a_case_at_rest_gets_the_digest_of_its_readings(make_daemon, instrument):
    daemon = resting_case(make_daemon, instrument)
    digest = daemon.cases()[0]["evidence"]["digest"]
    case, (episode,) = daemon.cases()[0], daemon.cases()[0]["episodes"]
    end = datetime.datetime.fromisoformat(episode["ended_at"])  # included here, excluded there
    status, csv = daemon.request("GET", "/api/v1/readings?" + urllib.parse.urlencode(
        {"site": "outfall-3", "factor": "w01018", "from": episode["began_at"], "limit": 100000,
         "to": (end + datetime.timedelta(milliseconds=1)).isoformat()}), headers={"Accept": "text/csv"})
    lines = csv.split("\n", 1)[1]
    assert status == 200 and hashlib.sha256(lines.encode()).hexdigest() == digest
    assert case["evidence"]["readings"] == lines.count("\n") > 0
    instrument.set_float(0, 60.0)
    wait_until(lambda: daemon.alerts(active=True, kind="exceedance"), what="another episode")
    assert daemon.cases()[0]["evidence"]["digest"] is None


def frames_of(folder):
    """The lines of frames.csv, of which there is one for each reading."""
    with open(folder / "frames.csv") as f:
        lines = list(csv.DictReader(f))
    with open(folder / "readings.csv") as f:
        readings = list(csv.DictReader(f))
    assert lines and [{name: line[name] for name in readings[0]} for line in lines] == readings
    return lines


def check_modbus_frames(folder):
    """Each reading's frame is its request and its reply, from which its value can be read again."""
    for line in frames_of(folder):
        asked, answered = bytes.fromhex(line["asked"]), bytes.fromhex(line["answered"])
        assert line["frame"] == "modbus-tcp" and line["exchanged_at"][:16] == line["received_at"][:16], line
        transaction, protocol, length, unit, function, address, count = struct.unpack(">HHHBBHH", asked)
        assert (protocol, length, unit, function, address, count) == (0, 6, 1, 3, 0, 2), line
        assert struct.unpack(">HHHBBB", answered[:9]) == (transaction, 0, 7, 1, 3, 4), line
        assert struct.unpack(">f", answered[9:]) == (float(line["value"]),), line
        assert int(line["raw"], 16) == int.from_bytes(answered[9:], "big"), line
    assert {hashlib.sha256(f.read_bytes()).digest() in (folder / "links" / f.name).read_bytes()
            for f in (folder / "frames").iterdir()} == {True}


def check_signatures(folder):
    """libsodium: the seals, and that each key is signed by the one before it, the first by itself."""
    former, keys = None, {}
    for line in (folder / "keys").read_text().splitlines():
        fields = line.split(" ")
        public = bytes.fromhex(fields[7])
        nacl.signing.VerifyKey(former or public).verify(line.rsplit(" ", 1)[0].encode(), bytes.fromhex(fields[9]))
        former = keys[fields[4]] = public
    begins = [int(line.split(" ")[6]) for line in (folder / "keys").read_text().splitlines()]
    seals, former, number = [line for day in (folder / "seals").iterdir() for line in day.read_text().splitlines()], None, 0
    for line in sorted(seals, key=lambda line: int(line.split(" ")[4])):
        fields = line.split(" ")
        assert int(fields[4]) != number + 1 or former is None or hashlib.sha256(former.encode()).hexdigest() == fields[12], line
        assert int(fields[6]) == sum(begin <= int(fields[4]) for begin in begins), line
        nacl.signing.VerifyKey(keys[fields[6]]).verify(line.rsplit(" ", 1)[0].encode(), bytes.fromhex(fields[13]))
        former, number = line, int(fields[4])
    for seal in folder.glob("seal*.txt"):
        assert f"{seal.read_text()} {seal.with_suffix('.sig').read_bytes().hex()}" in seals, seal
        signed, signature = seal.read_bytes(), seal.with_suffix(".sig").read_bytes()
        key = nacl.signing.VerifyKey(keys[signed.decode().split(" ")[6]])
        key.verify(signed, signature)
        with pytest.raises(nacl.exceptions.BadSignatureError):
            key.verify(signed + b" ", signature)


def chained_readings(folder):
    """What the links hold from the first to the one that the seal names, read without any code of ours."""
    head, before, values = None, 0, []
    for path in sorted((folder / "links").iterdir()):
        link = path.read_bytes()
        assert link[0] == 0 and (int(path.stem) != before + 1 or head in (None, link[1:33])), path
        head, before, at = hashlib.sha256(link).digest(), int(path.stem), 33
        if link[at:at + 1] == b"a":  # a day begins: three numbers and a name
            at += 27 + struct.unpack_from("<H", link, at + 25)[0]
        while link[at:at + 1] == b"r":
            _, _, _, _, _, measured, _, value, flag, raw = struct.unpack_from("<qqBqqqqdBQ", link, at + 1)
            values.append((measured, value, chr(flag), raw))
            at += 67
    assert f" {before} {head.hex()} " in (folder / "seal.txt").read_text()
    return values


def check_tables(folder):
    """The readable tables hold what is chained, and the case what its rows say."""
    chained = chained_readings(folder)
    for line in frames_of(folder):
        measured = datetime.datetime.fromisoformat(line["time"]).timestamp()
        assert (round(measured * 1000), float(line["value"]), line["flag"], int(line["raw"], 16)) in chained, line
    entries = {(e["kind"], e["ref"]): e["digest"] for e in csv.DictReader((folder / "entries.csv").open())}
    case, rows = json.loads((folder / "case.json").read_text()), []
    for row in map(json.loads, (folder / "rows.jsonl").read_text().splitlines()):
        cells = b"".join(b"n" if c is None else b"i" + struct.pack("<q", c) if isinstance(c, int) else
                         b"d" + struct.pack("<d", c) if isinstance(c, float) else
                         b"t" + struct.pack("<Q", len(c.encode())) + c.encode() for c in row["cells"].values())
        assert hashlib.sha256(bytes([2, row["kind"]]) + cells).hexdigest() == entries[str(row["kind"]), str(row["ref"])]
        rows.append((row["kind"], row["cells"]))
    assert [c["action"] for kind, c in rows if kind == 3] == [step["action"] for step in case["history"]]
    assert [c["status"] for kind, c in rows if kind == 1] == [case["status"]]


def test_anybody_can_check_the_evidence_of_a_case(make_daemon, instrument, tmp_path):
    daemon = resting_case(make_daemon, instrument)
    tar, folder = tmp_path / "case.tar", tmp_path / "case"
    done = daemon.ctl("evidence", "1", "-o", str(tar))
    assert done.returncode == 0, done.stderr
    folder.mkdir()
    subprocess.run(["tar", "-xf", tar, "-C", folder], check=True)
    for name in ("case.json", "dossier.html", "readings.csv", "frames.csv", "config.cfg", "seal.txt", "seal.sig", "key.pem",
                 "keys", "rows.jsonl", "entries.csv", "VERIFY.txt", "README.txt", "SHA256SUMS", "SHA256SUMS.sig", "sums.pem"):
        assert (folder / name).stat().st_size > 0, name

    def check(*anchors):
        return subprocess.run(["sh", "check.sh", *anchors], cwd=folder, capture_output=True, text=True, timeout=60)
    head = wait_until(lambda: daemon.delivered("case.updated"), what="a note's event")[0]["chainhead"]
    good = check(head)
    assert f"anchor OK: {head} is that of entry " in good.stdout, good.stdout + good.stderr
    assert f"anchor {'0' * 63}1: no seal" in check("0" * 63 + "1").stdout
    assert good.returncode == 0, good.stdout + good.stderr
    assert "NOTE" not in good.stdout, good.stdout
    for step in ("files OK", "archive OK", "seals OK", "readings OK", "Signature Verified Successfully", "keys OK", "seal.txt OK",
                 "seal-case.txt OK", "links OK", "frames OK", "case OK", "readings OK: "):
        assert step in good.stdout, good.stdout
    check_modbus_frames(folder)
    check_signatures(folder)
    check_tables(folder)
    # what was changed afterwards is found by these commands alone
    readings, link = folder / "readings.csv", sorted((folder / "links").iterdir())[0]
    frames = sorted((folder / "frames").iterdir())[0]
    for file in (readings, link, folder / "seal.txt", frames, folder / "config.cfg", folder / "keys", folder / "sums.pem"):
        kept = file.read_bytes()
        file.write_bytes(kept[:-9] + bytes([kept[-9] ^ 1]) + kept[-8:])
        assert check().returncode != 0, file
        file.write_bytes(kept)
    assert check().returncode == 0
    # who brings the list of sums into line with what he changed lacks its signature
    kept, sums, listed = frames.read_bytes(), folder / "SHA256SUMS", (folder / "SHA256SUMS").read_text()
    frames.write_bytes(kept[:-9] + bytes([kept[-9] ^ 1]) + kept[-8:])
    sums.write_text(listed.replace(hashlib.sha256(kept).hexdigest(), hashlib.sha256(frames.read_bytes()).hexdigest()))
    bad = check()
    assert bad.returncode == 1 and "files OK" in bad.stdout and "archive OK" not in bad.stdout, bad.stdout
    # who signs it by a key of his own is found by the keys, and without that by the link
    forger = nacl.signing.SigningKey.generate()
    (folder / "SHA256SUMS.sig").write_bytes(forger.sign(sums.read_bytes()).signature)
    der = bytes.fromhex("302a300506032b6570032100") + forger.verify_key.encode()
    (folder / "sums.pem").write_bytes(b"-----BEGIN PUBLIC KEY-----\n" + base64.b64encode(der) + b"\n-----END PUBLIC KEY-----\n")
    bad = check()
    assert bad.returncode == 1 and "sums.pem: not one of keys" in bad.stdout, bad.stdout
    script = (folder / "check.sh").read_text()
    (folder / "check.sh").write_text(script.replace("|| bad 'sums.pem", "|| echo 'sums.pem"))
    bad = subprocess.run(["sh", "-c", "sed -i /sha256sum.--check/d check.sh && sh check.sh"], cwd=folder, capture_output=True,
                         text=True, timeout=60)
    assert bad.returncode == 1 and f"frames/{frames.name}: not what its link says" in bad.stdout, bad.stdout


def test_an_archive_of_what_was_altered_is_written_and_said_aloud(make_daemon, instrument, tmp_path):
    daemon, tar, report = with_case(make_daemon, instrument), tmp_path / "case.tar", tmp_path / "report.txt"
    report.write_text("seen on site")
    assert daemon.ctl("case", "1", "attach", "--file", str(report), "--type", "record", "--by", "H").returncode == 0
    assert daemon.ctl("evidence", "1", "-o", str(tar)).returncode == 0
    kept, = glob.glob(os.path.join(daemon.store, "attachments", "*"))
    with open(kept, "w") as f:
        f.write("seen on Site")
    done = daemon.ctl("evidence", "1", "-o", str(tar))
    assert done.returncode == 1 and f"bad: attachments/{os.path.basename(kept)}: it is not what it was" in done.stderr
    with tarfile.open(tar) as archive:
        assert archive.extractfile("VERIFY.txt").read().startswith(b"bad: attachments/")
        assert archive.extractfile("attachments/" + os.path.basename(kept)).read() == b"seen on Site"
    check_bad(daemon.store, "it is not what it was")


def test_the_messages_that_raised_a_case_are_in_its_evidence(make_daemon, broker, tmp_path):
    daemon = make_daemon([mqtt_connection(broker.port)], [site("bridge", [
        mqtt_monitor("w21003", "b/+/lab", "{ max = 5.0; }", rest='value = "/nh3n";'),
        mqtt_monitor("w01018", "b/+/cod", "{ max = 50.0; }")])], start=False)
    included = tmp_path / "more" / "words.cfg"
    included.parent.mkdir()
    included.write_text("# 五华区, word by word\n")
    with open(daemon.config, "a") as f:
        f.write(f'@include "{included}"\n')
    with open(daemon.config) as f:
        config = f.read()
    daemon.start()
    wait_until(lambda: broker.subscribed("edge"), what="the subscription")
    for value in (1.5, 6.5, 7.5, 2.5):
        broker.publish("b/river/cod", "12")
        broker.publish("b/river/lab", json.dumps({"nh3n": value}))
    wait_until(lambda: daemon.alerts(active=False, kind="exceedance"), what="the end of the alert")

    def written():
        daemon.request("POST", "/api/v1/cases/1/actions", json.dumps({"action": "note", "by": "A", "note": "n"}))
        done = daemon.ctl("evidence", "1", "-o", str(tmp_path / "case.tar"))
        assert done.returncode == 0, done.stderr
        with tarfile.open(tmp_path / "case.tar") as tar:
            return "seal.txt" in tar.getnames()
    wait_until(written, 30, "a seal over it", every=0.5)
    folder = tmp_path / "case"
    folder.mkdir()
    subprocess.run(["tar", "-xf", tmp_path / "case.tar", "-C", folder], check=True)
    frames = [(line["frame"], bytes.fromhex(line["asked"]), bytes.fromhex(line["answered"]))
              for line in frames_of(folder)]
    assert frames == [("mqtt", b"b/river/lab", json.dumps({"nh3n": value}).encode())
                      for value in (6.5, 7.5, 2.5)]
    assert (folder / "config.cfg").read_text() == config
    assert (folder / "config" / "01-words.cfg").read_text() == included.read_text()
    assert all(b"b/river/cod" not in f.read_bytes() for f in (folder / "frames").iterdir())


def test_the_secret_is_for_the_daemon_alone(make_daemon, instrument, tmp_path):
    daemon = with_case(make_daemon, instrument)
    secret = os.path.join(daemon.store, "secret", "seal.key")
    assert os.stat(secret).st_mode & 0o777 == 0o600 and os.stat(os.path.dirname(secret)).st_mode & 0o777 == 0o700
    daemon.stop()
    backup = tmp_path / "backup"
    shutil.copytree(daemon.store, backup, ignore=shutil.ignore_patterns("secret"))
    check_clean(backup)  # it takes no secret to verify


def test_usage_of_verify_is_judged_first(tmp_path):
    assert verify(tmp_path, "--anchor", "abc").returncode == 64
    assert verify(tmp_path, "--trust", "abc").returncode == 64
    assert verify(tmp_path).returncode == 1
