# SPDX-License-Identifier: Apache-2.0
"""More event loops than one, and no descriptors for what they are to do."""
import glob
import os
import resource
import subprocess

import pytest

import servers
from conftest import DUCHAD, ENVIRONMENT, Daemon, modbus_connection, modbus_monitor, site
from servers import wait_until

INSTRUMENTS = 5


@pytest.fixture
def instruments():
    all = [servers.Instrument().start() for _ in range(INSTRUMENTS)]
    for i, instrument in enumerate(all):
        instrument.set_float(0, 10.0 + i)
    try:
        yield all
    finally:
        for instrument in all:
            instrument.stop()


def loops_of(daemon):
    n = 0
    for path in glob.glob(f"/proc/{daemon.process.pid}/task/*/comm"):
        with open(path) as f:
            n += f.read().strip() == "loop"
    return n


def make(make_daemon, instruments, threads, **more):
    daemon = make_daemon(
        [modbus_connection(instrument.port, f"line-{i}") for i, instrument in enumerate(instruments)],
        [site(f"outfall-{i}", [modbus_monitor("w01018", f"line-{i}")])
         for i in range(len(instruments))], start=False, **more)
    with open(daemon.config, "a") as f:
        f.write(f"threads = {threads};\n")
    return daemon.start()


@pytest.mark.parametrize("threads,loops", [(3, 3), (16, INSTRUMENTS)])
def test_each_loop_polls_its_share(make_daemon, instruments, threads, loops):
    daemon = make(make_daemon, instruments, threads)
    for i in range(INSTRUMENTS):
        wait_until(lambda: len(daemon.values(f"outfall-{i}", "w01018")) >= 3, what=f"readings of {i}")
        assert set(daemon.values(f"outfall-{i}", "w01018")) == {10.0 + i}
    assert loops_of(daemon) == loops
    rings = {f"field-{i}" if i > 1 else "field" for i in range(1, loops + 1)} | {"mqtt", "loggers"}
    metrics = daemon.metrics()
    assert {m for m in metrics if m.startswith("ducha_ring_slots")} == \
        {f'ducha_ring_slots{{ring="{ring}"}}' for ring in rings}
    assert daemon.metric("ducha_connections_up") == INSTRUMENTS
    daemon.stop()
    daemon.start()
    before = [len(daemon.values(f"outfall-{i}", "w01018")) for i in range(INSTRUMENTS)]
    for i in range(INSTRUMENTS):
        wait_until(lambda: len(daemon.values(f"outfall-{i}", "w01018")) > before[i],
                   what=f"readings of {i} after a restart")


def test_too_few_descriptors_are_an_error_at_the_start(tmp_path):
    n = 200
    daemon = Daemon(tmp_path, [modbus_connection(1502, f"line-{i}") for i in range(n)],
                    [site(f"outfall-{i}", [modbus_monitor("w01018", f"line-{i}")])
                     for i in range(n)])
    answer = subprocess.run(
        [DUCHAD, "-c", daemon.config], capture_output=True, text=True, timeout=30, env=ENVIRONMENT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (300, 300)))
    assert answer.returncode == 1
    assert "200 instruments need 656 descriptors, the limit is 300; raise LimitNOFILE" in \
        answer.stderr
    assert not os.path.exists(daemon.socket)


def test_the_limit_of_descriptors_is_raised_by_the_daemon_itself(make_daemon, instruments):
    daemon = make(make_daemon, instruments[:1], 1)
    soft, hard = resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE)
    assert soft == hard
