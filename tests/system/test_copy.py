# SPDX-License-Identifier: Apache-2.0
"""Copies of a store whose daemon goes on: each verifies, and what was copied otherwise says what may be the cause."""
import itertools
import json
import os
import shutil
import subprocess
import threading

import pytest

import disks
from conftest import DUCHACTL, ENVIRONMENT, modbus_connection, modbus_monitor, site
from servers import wait_until

MONITORS, COPIES = 8, 24


def ctl(*arguments):
    return subprocess.run([DUCHACTL, *map(str, arguments)], capture_output=True, text=True, timeout=120, env=ENVIRONMENT)


def check_clean(directory):
    done = ctl("--json", "verify", directory)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


class Restless:
    """Instruments whose alerts come and go, and an officer who notes something all the time."""

    def __init__(self, make_daemon, instrument):
        self.instrument = instrument
        self.daemon = make_daemon(
            [modbus_connection(instrument.port, interval_ms=20)],
            [site(f"s{n}", [modbus_monitor("w01018", address=2 * n, limits="{ max = 50.0; }")])
             for n in range(MONITORS)], storage="anchor_s = 1;")
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        for turn in itertools.count():
            self.instrument.set_float(2 * (turn % MONITORS), 60.0 + turn % 7 if turn // MONITORS % 2 == 0 else 20.0)
            self.daemon.request("POST", f"/api/v1/cases/{1 + turn % MONITORS}/actions",
                                json.dumps({"action": "note", "by": "A", "note": str(turn)}))
            if self.ending.wait(0.05):
                return

    def __enter__(self):
        for n in range(MONITORS):
            self.instrument.set_float(2 * n, 60.0)
        wait_until(lambda: len(self.daemon.cases()) == MONITORS, what="a case of each")
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.thread.join(20)


def test_each_copy_of_a_running_store_verifies(make_daemon, instrument, tmp_path):
    with Restless(make_daemon, instrument) as restless:
        daemon, former = restless.daemon, {"entries": 0, "readings": 0}
        for n in range(COPIES):
            copy = tmp_path / f"copy{n}"
            done = daemon.ctl("--json", "copy", str(copy))
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout)["held_ms"] < 2000
            said = check_clean(copy)
            assert said["entries"] > former["entries"] and said["readings"] > former["readings"]
            former = said
            assert not (copy / "secret").exists() and not (copy / "copy.unfinished").exists()
            assert (copy / "numbers").exists() and (copy / "daybook" / "boot").exists()
            with open(daemon.config) as f:
                assert (copy / "config" / "00-ducha.cfg").read_text() == f.read()
            if n > 0:
                shutil.rmtree(copy)
        assert not daemon.faults(""), "the daemon was held up"
    daemon.stop()
    check_clean(daemon.store)
    stopped = tmp_path / "stopped"
    assert ctl("copy", stopped, daemon.store).returncode == 0
    assert check_clean(stopped)["unsealed"] == 0


def test_a_daemon_goes_on_with_a_copy(make_daemon, instrument, tmp_path):
    with Restless(make_daemon, instrument) as restless:
        first = restless.daemon
        copy = tmp_path / "copy"
        assert first.ctl("copy", str(copy)).returncode == 0
    first.stop()
    cases, readings = check_clean(copy)["entries"], check_clean(copy)["readings"]
    second = make_daemon([modbus_connection(instrument.port)], [site("s0", [modbus_monitor("w01018")])], start=False,
                         store=str(copy))
    second.start()
    assert len(second.cases()) == MONITORS
    wait_until(lambda: second.values("s0", "w01018"), what="a reading")
    second.stop()
    with open(copy / "seals" / "keys") as f:
        key = f.read().splitlines()[-1].split(" ")[7]
    assert "signs itself" in ctl("verify", copy).stderr
    done = ctl("--json", "verify", copy, "--trust", key)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["readings"] > readings and json.loads(done.stdout)["entries"] > cases


def copied_by_hand(daemon, copy, *parts):
    for part in parts:
        source = os.path.join(daemon.store, part)
        if os.path.isdir(source):
            shutil.copytree(source, copy / part, dirs_exist_ok=True)
        else:
            shutil.copy2(source, copy / part)


def check_hinted(copy):
    done = ctl("verify", copy)
    assert done.returncode == 1 and "bad: " in done.stderr, done.stdout + done.stderr
    assert "a copy whose files are of different moments" in done.stderr and "duchactl copy" in done.stderr, done.stderr
    return done.stderr


@pytest.mark.parametrize("parts", [("daybook", "ledger.db"), ("ledger.db", "daybook")])
def test_a_copy_in_the_wrong_order_names_what_may_be_the_cause(make_daemon, instrument, tmp_path, parts):
    with Restless(make_daemon, instrument) as restless:
        copy = tmp_path / "copy"
        copy.mkdir()
        copied_by_hand(restless.daemon, copy, *parts)
        before = check_sealed(restless.daemon)
        wait_until(lambda: check_sealed(restless.daemon) > before + 1, what="two more seals")
        copied_by_hand(restless.daemon, copy, "attachments" if "attachments" in os.listdir(restless.daemon.store) else "seals",
                       "seals")
        assert "is missing, of which seal" in check_hinted(copy) or "damaged" in check_hinted(copy)


def check_sealed(daemon):
    return daemon.delivered("seal.anchored")[-1]["data"]["seal"] if daemon.delivered("seal.anchored") else 0


def test_a_copy_without_the_log_names_what_may_be_the_cause(make_daemon, instrument, tmp_path):
    with Restless(make_daemon, instrument) as restless:
        copy = tmp_path / "copy"
        assert restless.daemon.ctl("copy", str(copy)).returncode == 0
        day, = (copy / "daybook").glob("*.db")
        shutil.copy2(os.path.join(restless.daemon.store, "daybook", day.name), day)
        check_hinted(copy)


def test_a_copy_goes_nowhere_but_into_an_empty_place(make_daemon, instrument, tmp_path):
    daemon = make_daemon([modbus_connection(instrument.port)], [site("s0", [modbus_monitor("w01018")])])
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "x").write_text("")
    done = daemon.ctl("copy", str(copy))
    assert done.returncode == 1 and "it is no empty directory" in done.stderr
    done = daemon.ctl("copy", os.path.join(daemon.store, "daybook", "copy"))
    assert done.returncode == 1 and "it lies in the store itself" in done.stderr
    assert not os.path.exists(os.path.join(daemon.store, "daybook", "copy"))
    done = ctl("copy", tmp_path / "other", copy)
    assert done.returncode == 1 and "there is no ledger.db in it" in done.stderr
    assert ctl("copy").returncode == 64
    (copy / "x").unlink()
    assert daemon.ctl("copy", str(copy)).returncode == 0
    (copy / "copy.unfinished").write_text("")
    done = ctl("verify", copy)
    assert done.returncode == 1 and "broke off here" in done.stderr


def test_a_copy_says_that_there_is_no_room(make_daemon, instrument, tmp_path):
    daemon = make_daemon([modbus_connection(instrument.port)], [site("s0", [modbus_monitor("w01018")])])
    with disks.small_tmpfs(str(tmp_path / "small"), "1m") as small:
        done = daemon.ctl("copy", os.path.join(small, "copy"))
        assert done.returncode == 1 and "there is no room" in done.stderr, done.stderr
