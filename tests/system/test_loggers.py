# SPDX-License-Identifier: Apache-2.0
"""Data loggers that dial in: what they send is recorded once, and acknowledged when it is recorded."""
import datetime
import os
import re
import subprocess
import time

import pytest

import loggers
import servers
from conftest import BUILD, recorded, site
from loggers import Logger, message, stamp
from servers import wait_until
from shim import LONG, shimmed, turn_on

SIM = os.path.join(BUILD, "tools", "sim", "ducha-sim")
MN, OTHER = "88888880000001", "88888880000002"


def connection(port, rest=""):
    return f'{{ id = "loggers"; driver = "hj212"; listen = "127.0.0.1:{port}"; {rest} }}'


def monitor(factor, mn=MN, rest="", limits=""):
    limits = f" limits: ( {limits} );" if limits else ""
    return f'{{ factor = "{factor}"; connection = "loggers"; mn = "{mn}"; {rest}{limits} }}'


@pytest.fixture
def port():
    return servers.free_port()


def dial(daemon, port):
    """A logger that is connected, or None where the daemon has ended before it listened."""
    def connected():
        try:
            return Logger(port)
        except OSError:
            return daemon.process.poll()
    came = wait_until(connected, what="somebody who listens, or the end")
    return came if isinstance(came, Logger) else None


def test_loggers_of_each_version_come_with_their_own_times_and_flags(make_daemon, port, tmp_path):
    (tmp_path / "pw").write_text("123456\n")
    daemon = make_daemon([connection(port, f'password_file = "{tmp_path}/pw";')], [
        site("outfall-1", [monitor("w01018", limits="{ max = 50.0; }"), monitor("w00000")]),
        site("outfall-2", [monitor("w21003", OTHER), monitor("w01001", OTHER, 'data = "hour";')])])
    logger, at = dial(daemon, port), int(time.time()) - 60
    logger.send(message(MN, f"DataTime={stamp(at)};w01018-Rtd=61.3,w01018-Flag=N;w00000-Rtd=36.91,w00000-Flag=M"))
    answer = logger.answer()
    assert {k: answer[k] for k in ("ST", "CN", "PW", "MN", "Flag", "CP")} == {
        "ST": "91", "CN": "9014", "PW": "123456", "MN": MN, "Flag": "4", "CP": ""}

    # 2005, over the same connection: no QN, no Flag, old codes; then 2025, in pieces.
    logger.send(message(OTHER, f"DataTime={stamp(at)};060-Rtd=1.803,060-Flag=D", flag=None, qn=""))
    text = loggers.telegram(message(OTHER, f"DataTime={stamp(at + 1)};w21003-Rtd=1.9;w01001-Rtd=7", flag=9))
    for i in range(0, len(text), 7):
        logger.raw(text[i:i + 7])
    assert logger.answer()["Flag"] == "8"

    # Its own means are not values, but where a monitor asks for them.
    logger.send(message(OTHER, f"DataTime={stamp(at + 2)};w21003-Avg=9;w01001-Avg=7.5", cn=2061))
    logger.answer()
    assert [(r["value"], r["flag"]) for r in daemon.readings("outfall-2", "w21003")] == [(1.803, "D"), (1.9, "N")]
    assert daemon.values("outfall-2", "w01001") == [7.5]
    readings = daemon.readings("outfall-1")
    assert {(r["factor"], r["value"], r["flag"]) for r in readings} == {("w01018", 61.3, "N"), ("w00000", 36.91, "M")}
    assert {r["time"] for r in readings} == {time.strftime("%Y-%m-%dT%H:%M:%S.000+08:00", time.gmtime(at + 8 * 3600))}
    wait_until(daemon.cases, what="a case for 61.3 > 50")


def test_what_is_wrong_is_counted_and_said_and_costs_nobody_the_connection(make_daemon, port, tmp_path):
    (tmp_path / "pw").write_text("123456\n")
    daemon = make_daemon([connection(port, f'password_file = "{tmp_path}/pw";')],
                         [site("outfall-1", [monitor("w01018")])])
    logger = dial(daemon, port)
    area = f"DataTime={stamp()};w01018-Rtd=1"
    logger.raw(b"GET / HTTP/1.1\r\n\r\n" + loggers.telegram(message(MN, area)).replace(b"Rtd=1", b"Rtd=2"))
    for text in (message("88888880000009", area), message(MN, area, pw="654321"), message(MN, area, cn=1062),
                 message(MN, area)[:-2], message(MN, "DataTime=20261301000000;w01018-Rtd=1", flag=4),
                 message(MN, area.replace("=1", "=one"), flag=4)):
        logger.send(text)
    logger.send(message(MN, area.replace("=1", "=5"), qn="20260102030405006"))
    assert logger.answer()["QN"] == "20260102030405006"
    assert daemon.values("outfall-1", "w01018") == [5]
    for result in ("crc", "garbage", "mn", "password", "command", "syntax"):
        assert daemon.metric("ducha_telegrams_total", result=result) == 1, result
    assert daemon.metric("ducha_telegrams_total", result="ok") == 3
    assert daemon.metric("ducha_unrecorded_total", reason="payload") == 2
    assert daemon.metric("ducha_readings_total", driver="hj212", flag="N") == 1
    said = daemon.said()
    for text in ('loggers: no monitor has mn = "88888880000009", which 127.0.0.1 sends',
                 f"loggers: MN {MN} at 127.0.0.1 has another password",
                 f"loggers: MN {MN} at 127.0.0.1 sends CN=1062",
                 f"loggers: MN {MN} at 127.0.0.1: what it sends of w01018 is no number"):
        assert text in said


def test_silence_is_told_by_the_monitor_and_a_reload_keeps_the_connection(make_daemon, port):
    daemon = make_daemon([connection(port)], [site("outfall-1", [monitor("w01018")], rest="stale_after_s = 1;")])
    logger = dial(daemon, port)
    logger.send(message(MN, f"DataTime={stamp()};w01018-Rtd=1"))
    logger.answer()
    wait_until(lambda: daemon.alerts(active=True, kind="stale"), what="stale")
    text = loggers.telegram(message(OTHER, f"DataTime={stamp()};w01018-Rtd=2"))
    logger.raw(text[:50])
    with open(daemon.config) as f:
        config = f.read()
    with open(daemon.config, "w") as f:
        f.write(config.replace(MN, OTHER))
    assert daemon.ctl("reload").returncode == 0
    logger.raw(text[50:])
    logger.answer()
    assert daemon.values("outfall-1", "w01018") == [1, 2]
    wait_until(lambda: not daemon.alerts(active=True, kind="stale"), what="the end of stale")
    logger.close()
    wait_until(lambda: daemon.metric("ducha_loggers", connection="loggers") == 0, what="nobody there")
    assert daemon.metric("ducha_connections_up", connection="loggers") == 1


class Backlog:
    """A logger with numbered messages, which keeps each until it is acknowledged and then sends the
    next; those of half an hour ago first, as after an outage."""

    def __init__(self, daemon, port):
        self.daemon, self.port = daemon, port
        self.began, self.next, self.sent, self.acknowledged = time.time() - 1800, 1, {}, set()

    def text(self, number):
        return message(MN, f"DataTime={stamp(self.began + number, 17)};w01018-Rtd={number}", qn=f"{number:017d}")

    def send_until_it_ends(self):
        """Eight at once, as fast as they are acknowledged; its disk goes wrong in the middle of it."""
        wanted = len(self.acknowledged) + 20
        logger, waiting = dial(self.daemon, self.port), set()
        try:
            while logger is not None:
                while len(waiting) < 8:
                    number = min(set(range(1, self.next + 1)) - self.acknowledged - waiting)
                    self.next = max(self.next, number + 1)
                    logger.send(self.text(number))
                    waiting.add(number)
                answers = logger.answers(20)
                if answers is None:
                    return
                came = {int(a["QN"]) for a in answers}
                if len(self.acknowledged) < wanted <= len(self.acknowledged | came):
                    turn_on(self.daemon)
                self.acknowledged |= came
                waiting -= came
        except OSError:
            return
        finally:
            if logger is not None:
                logger.close()

    def check(self):
        """Looks into the files of a daemon that is dead."""
        values = recorded(self.daemon.store, "w01018")
        lost = self.acknowledged - set(values)
        assert not lost, f"acknowledged and not in the daybook: {sorted(lost)}"
        twice = [v for v, n in values.items() if n > 1]
        assert not twice, f"recorded more than once: {twice}"


def test_a_kill_at_any_disk_call_loses_and_doubles_nothing(make_daemon, port):
    daemon = make_daemon([connection(port)], [site("outfall-1", [monitor("w01018")])], start=False)
    backlog = Backlog(daemon, port)
    for n in range(1, 60) if LONG else (1, 2, 4, 7, 20):
        daemon.launch(**shimmed(daemon, f"disk:{n}:{'torn' if n % 2 else 'kill'}", on_signal=True))
        backlog.send_until_it_ends()
        assert daemon.ended() == -9, daemon.said()[-2000:]
        backlog.check()
    daemon.start()
    logger = dial(daemon, port)
    wanted = set(range(1, backlog.next))
    for number in sorted(wanted):  # all of it, also what was acknowledged: no logger is sure of that
        logger.send(backlog.text(number))
        assert int(logger.answer()["QN"]) == number
    assert sorted(daemon.values("outfall-1", "w01018")) == sorted(wanted)


def test_what_cannot_be_recorded_is_not_acknowledged(make_daemon, port):
    daemon = make_daemon([connection(port)], [site("outfall-1", [monitor("w01018")])], start=False)
    daemon.start(**shimmed(daemon, "write:1:EIO:ever", on_signal=True))
    logger, number, at = dial(daemon, port), 0, time.time()

    def text():
        return message(MN, f"DataTime={stamp(at + number, 17)};w01018-Rtd={number}")

    def answered():
        """The next one has its answer; false where it can have none."""
        logger.send(text())
        return wait_until(lambda: logger.answers(0.02) or "readings cannot be recorded" in daemon.said(),
                          what="an answer, or a disk that takes nothing") is not True

    assert answered()
    turn_on(daemon)
    number = 1
    while answered():
        number += 1
    assert logger.answers(0.2) == []
    daemon.kill()
    assert recorded(daemon.store, "w01018") == {n: 1 for n in range(number)}
    daemon.start()
    logger = dial(daemon, port)
    for _ in range(2):
        logger.send(text())
        logger.answer()
    assert daemon.values("outfall-1", "w01018") == list(range(number + 1))


SCENARIO = """loggers: ( { id = "works-3"; mn = "%s"; interval_s = 1; timeout_s = 5;
    factors: ( { code = "w01018"; base = 38.0; noise = 1.0; decimals = 1; }, { code = "w00000"; base = 300.0; } ); } );
"""


def test_the_simulated_logger_sends_afterwards_what_it_measured_meanwhile(make_daemon, port, tmp_path):
    daemon = make_daemon([connection(port)], [site("outfall-1", [monitor("w01018"), monitor("w00000")])])
    (tmp_path / "scenario.cfg").write_text(SCENARIO % MN)
    sim = subprocess.Popen([SIM, "--centre", f"127.0.0.1:{port}", tmp_path / "scenario.cfg"], text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def measured():
        return [r["time"] for r in daemon.readings("outfall-1", "w00000")]

    try:
        wait_until(measured, what="a first message")
        daemon.kill()
        until = time.time() + 2.5
        wait_until(lambda: time.time() > until, what="more than one message while nobody listens")
        daemon.start()
        wait_until(lambda: len(measured()) >= 5, what="what was measured meanwhile")
    finally:
        sim.terminate()
        said = sim.communicate(timeout=20)[0]
    wait_until(lambda: len(measured()) == len(daemon.values("outfall-1", "w01018")), what="whole messages")
    times = [datetime.datetime.fromisoformat(t).timestamp() for t in measured()]
    assert [t - times[0] for t in times] == list(range(len(times))), "a second is missing, or there twice"
    messages, answered = map(int, re.search(r"works-3: (\d+) messages, (\d+) answered", said).groups())
    assert answered <= len(times) <= messages
