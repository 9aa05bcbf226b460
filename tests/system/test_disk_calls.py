# SPDX-License-Identifier: Apache-2.0
"""The daemon killed, or failed by the disk, at its Nth write, fsync, rename, unlink or truncation.

DUCHA_LONG=1: each N up to 500, once killed before the call and once in the middle of a write.
"""

import pytest

from load import Load
from shim import LONG, shimmed, turn_on

CALLS = [range(n, n + 50) for n in range(1, 501, 50)] if LONG else [(1, 4, 9, 20, 42, 77, 130)]


@pytest.fixture
def load(make_daemon, broker):
    load = Load(make_daemon, broker)
    yield load
    load.close()


@pytest.mark.parametrize("calls", CALLS, ids=lambda calls: f"from {calls[0]}")
def test_a_kill_at_each_disk_call_loses_and_doubles_nothing(load, calls):
    lives = [(n, action) for n in calls for action in ("kill", "torn")]
    load.daemon.stop()
    for i, (n, action) in enumerate(lives):
        load.exceed(i * load.n_sites // len(lives))
        load.daemon.launch(**shimmed(load.daemon, f"disk:{n}:{action}"))
        assert load.daemon.ended() == -9, f"disk call {n}: {load.daemon.said()[-2000:]}"
        load.check_messages()
    load.daemon.start()
    load.end(load.n_sites)


@pytest.mark.parametrize("n", range(1, 20) if LONG else (1, 2))
def test_a_failed_fsync_ends_the_daemon_and_loses_nothing(load, n):
    load.exceed(0)
    load.daemon.stop()
    load.daemon.start(**shimmed(load.daemon, f"sync:{n}:EIO", on_signal=True))
    load.more_acknowledged()
    turn_on(load.daemon)
    assert load.daemon.ended() == 1
    assert "fsync failed" in load.daemon.said()
    load.check_messages()
    load.daemon.start()
    load.end(1)


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_a_failed_write_ends_nobody_and_loses_nothing(load, error):
    load.daemon.stop()
    load.daemon.start(**shimmed(load.daemon, f"write:61:{error}:every", on_signal=True))
    load.more_acknowledged()
    turn_on(load.daemon)
    load.exceed(0)
    load.more_acknowledged(200)
    load.daemon.process.kill()
    load.daemon.ended()
    load.check_messages()
    load.daemon.start()
    load.end(1)
