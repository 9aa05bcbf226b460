# SPDX-License-Identifier: Apache-2.0
"""The power cut under a daemon at work: ext4 on a loop device, shut down without its log (root); and,
for anybody, a disk that keeps what was synced and nothing else.

DUCHA_LONG=1: 60 cuts of the one, 200 of the other. The same with fsync swallowed has to lose, or this
shows nothing.
"""
import os
import random

import pytest

from disks import PowerCut, Synced
from load import Load
from servers import wait_until
from shim import LONG, shimmed

CUTS = {PowerCut: 60 if LONG else 3, Synced: 200 if LONG else 5}


@pytest.fixture(params=[PowerCut, Synced])
def disk(tmp_path, request):
    disk = request.param(str(tmp_path))
    yield disk
    disk.close()


@pytest.fixture
def load(make_daemon, broker, disk):
    load = Load(make_daemon, broker, store=os.path.join(disk.place, "store"), environment=disk.environment)
    yield load
    load.close()


def cut(load, disk):
    """Returns what was acknowledged before the power went.

    What is acknowledged while the shutdown is under way proves nothing: the machine lives on, and its
    ext4 (6.18) now and then lets an fdatasync() that was waiting then return 0 for blocks it drops (a
    bare loop of write and fdatasync loses its last record so, in one cut of sixty).
    """
    acknowledged = set(load.watch.acknowledgements.read())
    disk.cut()
    load.daemon.kill()
    load.in_doubt |= load.watch.acknowledgements.read() - acknowledged
    disk.restore()
    return acknowledged - load.in_doubt


def test_a_power_cut_loses_nothing_acknowledged(load, disk):
    cuts = CUTS[type(disk)]
    for n in range(cuts):
        load.exceed(n % load.n_sites)
        load.more_acknowledged(random.randrange(5, 120))
        wait_until(lambda: len(load.daemon.cases()) == min(n + 1, load.n_sites), what="the case")
        load.watch.check_cases()
        acknowledged = cut(load, disk)
        lost = acknowledged - set(load.watch.read_daybook("w01003"))
        assert not lost, f"cut {n}: {sorted(lost)[:20]} were acknowledged and are gone"
        load.daemon.start()
        load.watch.check_cases()
        load.subscribed()
    load.end(min(cuts, load.n_sites))


def test_without_fsync_a_power_cut_does_lose(load, disk):
    load.daemon.stop()
    load.daemon.start(**shimmed(load.daemon, "sync:1:lie:ever"))
    load.more_acknowledged(100)
    acknowledged = cut(load, disk)
    try:
        kept = set(load.watch.read_daybook("w01003"))
    except Exception:  # not even a database any more
        kept = set()
    assert acknowledged - kept
