# SPDX-License-Identifier: Apache-2.0
"""The watchdog is fed only while each thread moves. A debugger's stop holds one thread alone; the
daemon has to name it and to stop feeding, and to feed again once the thread goes on."""
import contextlib
import ctypes
import json
import os
import signal
import socket
import types

import pytest

import servers
from conftest import Daemon, modbus_connection, modbus_monitor, mqtt_connection, mqtt_monitor, site
from servers import wait_until

SEIZE, INTERRUPT, DETACH, ALL_THREADS = 0x4206, 0x4207, 17, 0x40000000
# A thread that sleeps in one of these holds nothing that the others need: epoll_wait, epoll_pwait,
# poll, ppoll, clock_nanosleep, select, pselect6; and futex where it waits for a condition for a time
SLEEPING, FUTEX, WAIT_BITSET = {232, 281, 7, 271, 230, 23, 270}, 202, 9
INTERVAL_US = 2400000  # patience: 2 s, and 48 s for what works on the disk or waits for others

# {comm: the name that /health gives}, of threads that are never long at one thing, and of the others
QUICK = {"loop": "event loop", "judge": "judge", "recorder": "recorder", "relief": "relief",
         "clerk": "clerk", "exporter": "exporter", "tallier": "tallier"}
SLOW = {"delivery": "delivery folder", "keeper": "keeper", "reviser": "reviser", "sealer": "sealer",
        "event streams": "event streams", "curves": "curves", "broker watch": "broker watch"}
# of libraries, which have no heartbeat of ours: libmicrohttpd and Paho; and the main thread feeds
LIBRARIES = ("MHD-", "MQTTAsync_", "duchad")

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


class Stopped:
    """A thread that a debugger holds, in its sleep."""

    def __init__(self, pid, tid):
        self.tid, self.held = tid, False
        wait_until(lambda: self.hold(pid), 20, "the thread asleep", every=0.01)

    def hold(self, pid):
        if libc.ptrace(SEIZE, self.tid, None, None) != 0:
            pytest.skip(f"no thread can be traced here: {os.strerror(ctypes.get_errno())}")
        assert libc.ptrace(INTERRUPT, self.tid, None, None) == 0
        os.waitpid(self.tid, ALL_THREADS)
        self.held = True
        if self.sleeps(pid):
            return True
        self.release()
        return False

    def sleeps(self, pid):
        with open(f"/proc/{pid}/task/{self.tid}/syscall") as f:
            call = [int(word, 0) for word in f.read().split() if word != "running"]
        if not call or call[0] != FUTEX:
            return call != [] and call[0] in SLEEPING
        operation, timeout = call[2] & 0x7f, call[4]
        return operation == WAIT_BITSET and timeout != 0

    def release(self):
        if not self.held:
            return
        self.held = False
        assert libc.ptrace(DETACH, self.tid, None, None) == 0


class Watched:
    """A daemon under a watchdog, which is the test."""

    def __init__(self, directory):
        directory.mkdir()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(directory / "notify"))
        self.socket.setblocking(False)
        self.daemon = Daemon(
            directory, [modbus_connection(servers.free_port()), mqtt_connection(servers.free_port())],
            [site("outfall-1", [modbus_monitor("w01018"), mqtt_monitor("w21003", "a/b")])],
            influx=types.SimpleNamespace(url=f"http://127.0.0.1:{servers.free_port()}"))
        self.daemon.start(NOTIFY_SOCKET=str(directory / "notify"), WATCHDOG_USEC=str(INTERVAL_US))
        self.rounds = 0

    def threads(self):
        """{tid: comm}"""
        folder, found = f"/proc/{self.daemon.process.pid}/task", {}
        for tid in os.listdir(folder):
            with open(f"{folder}/{tid}/comm") as f:
                found[int(tid)] = f.read().strip()
        return found

    def stop_thread(self, comm):
        tids = wait_until(lambda: [tid for tid, name in self.threads().items() if name == comm], 20,
                          f"a thread named {comm}")
        return Stopped(self.daemon.process.pid, tids[0])

    def stuck(self):
        body = json.loads(self.daemon.request("GET", "/health")[1])
        return [reason for reason in body.get("reasons", []) if "does not move" in reason]

    def fed(self):
        """How often it was since the last look."""
        count = 0
        while True:
            try:
                count += self.socket.recv(4096).count(b"WATCHDOG=1")
            except BlockingIOError:
                return count

    def fill(self):
        """No message is taken any more."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender, \
                contextlib.suppress(BlockingIOError):
            sender.setblocking(False)
            while True:
                sender.sendto(b"X=1", self.socket.getsockname())

    def main_goes_round(self):
        """What the main thread does each round, feeding if all is well, is done once more."""
        self.rounds += 1
        self.daemon.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: self.daemon.said().count("from now on the log") == self.rounds, 20,
                   "a round of the main thread")


def see_hungry(watched, thread, name):
    """Nobody is fed while the thread stands, and fed again when it goes on."""
    wait_until(lambda: f"the {name} does not move" in watched.stuck(), 120, f"the {name} missed")
    watched.main_goes_round()
    watched.fed()
    for _ in range(3):
        watched.main_goes_round()
    assert watched.fed() == 0, f"fed while the {name} stood"
    thread.release()
    wait_until(lambda: watched.stuck() == [], 60, f"the {name} moving again")
    wait_until(watched.fed, 60, "the watchdog fed again")


def hold_each(tmp_path, threads):
    """One daemon for each thread, so that their patience runs out at the same time."""
    held = []
    with contextlib.ExitStack() as stack:
        for comm, name in threads.items():
            watched = Watched(tmp_path / name.replace(" ", "-"))
            stack.callback(watched.daemon.stop)
            thread = watched.stop_thread(comm)
            stack.callback(thread.release)
            held.append((watched, thread, name))
        for watched, thread, name in held:
            see_hungry(watched, thread, name)


def test_every_thread_is_watched(tmp_path):
    """Those of libraries apart. Under the names that the other tests stop them by."""
    watched = Watched(tmp_path / "all")
    try:
        known = {*QUICK, *SLOW}
        wait_until(lambda: known <= set(watched.threads().values()), 20, "all threads")
        main = watched.daemon.process.pid
        others = {comm for tid, comm in watched.threads().items()
                  if comm not in known and tid != main}
        assert all(comm.startswith(LIBRARIES) for comm in others), others
        wait_until(watched.fed, 20, "the watchdog fed")
    finally:
        watched.daemon.stop()


def test_a_manager_that_reads_nothing_holds_nothing_up(tmp_path):
    watched = Watched(tmp_path / "deaf")
    try:
        watched.fill()
        for _ in range(3):
            watched.main_goes_round()
    finally:
        watched.daemon.stop()
    assert "the service manager is not told STOPPING=1" in watched.daemon.said()


LONG = pytest.mark.skipif(os.environ.get("DUCHA_LONG") != "1", reason="a daemon a thread: DUCHA_LONG=1")


@LONG
def test_no_food_while_a_quick_thread_stands(tmp_path):
    hold_each(tmp_path, QUICK)


@LONG
def test_no_food_while_a_slow_thread_stands(tmp_path):
    """A minute: that long is their patience."""
    hold_each(tmp_path, SLOW)
