#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The same fleet polled by a raw epoll client, by a libmodbus loop and by the whole duchad, in turn.

bench-modbus.py DUCHAD SIM RAW LIBMODBUS COUNT [--rounds N] [--seconds S] [INSTRUMENTS]...

Each instrument is asked for ten registers (five float32) once a second. The fleet has one processor
to itself, the client another. CPU is user and system time of the whole process; `driver` is duchad's
event-loop thread alone, with its decoding and the ring. Loopback makes the sender pay for the fleet's
receive path too, the same for all. Compare within one run, by the ratios.
"""
import argparse
import glob
import http.client
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

DATA = pathlib.Path(__file__).resolve().parents[3] / "config"
REGISTERS = 10
FACTORS = ["w01018", "w21003", "w21011", "w21001", "w01001"]
SETTLE_S = 4


def pinned(processor):
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) < 2:
        return None
    return lambda: os.sched_setaffinity(0, {processors[processor]})


class Fleet:
    def __init__(self, sim, instruments, directory):
        ready = directory / "fleet"
        self.process = subprocess.Popen(
            [sim, "--fleet", str(instruments + 16), "--registers", str(REGISTERS), "--port-base", "0",
             "--ready-file", str(ready)], preexec_fn=pinned(0), stdout=subprocess.DEVNULL)
        while not ready.exists() or not re.search(r"\d{4,}", ready.read_text()):
            if self.process.poll() is not None:
                sys.exit(f"the fleet ended with {self.process.returncode}")
            time.sleep(0.01)
        self.port = int(re.search(r"\d{4,}", ready.read_text()).group())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)


def client(program, port, instruments, seconds):
    done = subprocess.run([program, str(port), str(instruments), str(REGISTERS), str(seconds)],
                          preexec_fn=pinned(1), stdout=subprocess.PIPE, text=True, check=True)
    polls, late, cpu_us, resident = map(int, done.stdout.split())
    return {"polls/s": polls / seconds, "late": late, "us": cpu_us / polls,
            "bytes": resident / instruments}


def configuration(directory, port, instruments):
    connections = ",\n".join(
        f'{{ id = "line-{i}"; driver = "modbus"; transport = "tcp"; host = "127.0.0.1";'
        f' port = {port}; interval_ms = 1000; timeout_ms = 500; }}' for i in range(instruments))
    sites = ",\n".join(
        f'{{ id = "site-{i}"; name = "Site {i}"; kind = "outfall"; monitors: (' + ", ".join(
            f'{{ factor = "{f}"; connection = "line-{i}"; unit_id = 1; table = "holding";'
            f' address = {2 * a}; type = "float32"; limits: ( {{ max = 50.0; opens = "case"; }} ); }}'
            for a, f in enumerate(FACTORS)) + " ); }" for i in range(instruments))
    path = directory / "bench.cfg"
    path.write_text('node: { id = "bench"; office = "office"; case_prefix = "B";'
                    f' timezone = "Asia/Shanghai"; language = "en"; data_directory = "{DATA}"; }};\n'
                    f'storage: {{ directory = "{directory}/state"; }};\n'
                    f'http: {{ socket = "{directory}/s"; }};\n'
                    f"connections: (\n{connections}\n);\nsites: (\n{sites}\n);\n")
    return path


class Daemon:
    def __init__(self, duchad, directory, port, instruments, environment=None):
        self.directory = directory
        config = configuration(directory, port, instruments)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            name = f"ducha-bench-{os.getpid()}-{time.monotonic_ns()}"
            notify.bind("\0" + name)
            notify.settimeout(20)
            self.log = directory / "log"
            with open(self.log, "w") as log:
                self.process = subprocess.Popen(
                    [duchad, "-c", config], preexec_fn=pinned(1), stdout=log, stderr=log,
                    env={**os.environ, "NOTIFY_SOCKET": "@" + name, **(environment or {})})
            try:
                while b"READY=1" not in notify.recv(4096):
                    pass
            except TimeoutError:
                self.process.kill()
                sys.exit(self.log.read_text())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def metrics(self):
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        here = os.getcwd()
        os.chdir(self.directory)  # a socket's name holds no more than 107 bytes
        connection.sock.connect("s")
        os.chdir(here)
        connection.request("GET", "/metrics")
        sums = {}
        for line in connection.getresponse().read().decode().splitlines():
            if line.startswith("#"):
                continue
            series, value = line.rsplit(" ", 1)
            name = series.split("{")[0]
            result = re.search(r'result="(\w+)"', series)
            key = f"{name} {result.group(1)}" if result else name
            sums[key] = sums.get(key, 0) + float(value)
        connection.close()
        return sums

    def threads(self):
        """{thread: (name, CPU in microseconds, times it went to sleep)}"""
        threads = {}
        for task in glob.glob(f"/proc/{self.process.pid}/task/*"):
            task = pathlib.Path(task)
            status = (task / "status").read_text()
            threads[int(task.name)] = (
                (task / "comm").read_text().strip(),
                int((task / "schedstat").read_text().split()[0]) / 1e3,
                int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", status, re.M).group(1)))
        return threads

    def resident(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s*(\d+)", status).group(1)) * 1024


def whole(duchad, port, instruments, seconds, base):
    with tempfile.TemporaryDirectory(dir=".") as name, \
            Daemon(duchad, pathlib.Path(name).resolve(), port, instruments) as daemon:
        time.sleep(SETTLE_S)
        before, threads = daemon.metrics(), daemon.threads()
        time.sleep(seconds)
        after_threads, after = daemon.threads(), daemon.metrics()
        resident = daemon.resident()

    def grown(key):
        return after.get(key, 0) - before.get(key, 0)

    polls = instruments * seconds  # the scrapes lie apart by more than `seconds`
    cpu, sleeps = {}, {}
    for thread, (what, us, switches) in after_threads.items():
        was = threads.get(thread, (what, 0, 0))
        cpu[what] = cpu.get(what, 0) + us - was[1]
        sleeps[what] = sleeps.get(what, 0) + switches - was[2]
    return {"polls/s": grown("ducha_polls_total ok") / seconds,
            "late": grown("ducha_polls_late_total"), "us": sum(cpu.values()) / polls,
            "driver": cpu.get("loop", 0) / polls, "bytes": (resident - base) / instruments,
            "refused": grown("ducha_ring_full_total"),
            "failed": grown("ducha_polls_total timeout") + grown("ducha_polls_total error"),
            "cpu": {k: v / polls for k, v in cpu.items()},
            "sleeps": {k: v / polls for k, v in sleeps.items()}}


def base_resident(duchad, port):
    with tempfile.TemporaryDirectory(dir=".") as name, \
            Daemon(duchad, pathlib.Path(name).resolve(), port, 1) as daemon:
        time.sleep(SETTLE_S)
        return daemon.resident()


def calls(duchad, count, port, instruments, seconds):
    """Allocations and eventfd writes per poll, by thread, of a daemon with the counter in it."""
    with tempfile.TemporaryDirectory(dir=".") as name:
        directory = pathlib.Path(name).resolve()
        said = directory / "calls"
        environment = {"LD_PRELOAD": os.path.abspath(count), "COUNT_CALLS": str(said)}
        with Daemon(duchad, directory, port, instruments, environment) as daemon:
            def look():
                said.unlink(missing_ok=True)
                daemon.process.send_signal(signal.SIGRTMIN + 8)
                while not said.exists() or not said.read_text().endswith("end\n"):
                    time.sleep(0.01)
                lines = [list(map(int, l.split())) for l in said.read_text().splitlines()[:-1]]
                return {thread: (a, w) for thread, a, w in lines}
            time.sleep(SETTLE_S)
            before = look()
            time.sleep(seconds)
            names, after = daemon.threads(), look()
    sums = {}
    for thread, (a, w) in after.items():
        was = before.get(thread, (0, 0))
        name = names.get(thread, ("?",))[0]
        old = sums.get(name, (0, 0))
        sums[name] = (old[0] + a - was[0], old[1] + w - was[1])
    polls = instruments * seconds
    return {n: (a / polls, w / polls) for n, (a, w) in sums.items() if a or w}


def spread(runs, key):
    values = [r[key] for r in runs]
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def show(name, runs):
    print(f"  {name:10} {statistics.median(r['polls/s'] for r in runs):7.0f} polls/s, "
          f"late {sum(r['late'] for r in runs):.0f}, CPU us/poll {spread(runs, 'us')}, "
          f"{statistics.median(r['bytes'] for r in runs):.0f} B an instrument")


def ratio(title, over, under, key="us"):
    ratios = [a[key] / b["us"] for a, b in zip(over, under)]
    print(f"  {title}: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def compare(options, instruments):
    raw, plain, ducha = [], [], []
    with tempfile.TemporaryDirectory() as name, \
            Fleet(options.sim, instruments, pathlib.Path(name)) as fleet:
        base = base_resident(options.duchad, fleet.port)
        for _ in range(options.rounds):
            raw.append(client(options.raw, fleet.port, instruments, options.seconds))
            plain.append(client(options.libmodbus, fleet.port, instruments, options.seconds))
            ducha.append(whole(options.duchad, fleet.port, instruments, options.seconds, base))
        counted = calls(options.duchad, options.count, fleet.port, instruments, options.seconds)
    print(f"{instruments} instruments, {REGISTERS} registers each at 1 Hz, "
          f"{options.rounds} rounds of {options.seconds} s, median (least to most):")
    show("raw epoll", raw)
    show("libmodbus", plain)
    show("duchad", ducha)
    print(f"  driver     CPU us/poll {spread(ducha, 'driver')}; failed polls "
          f"{sum(r['failed'] for r in ducha):.0f}, refused readings "
          f"{sum(r['refused'] for r in ducha):.0f}; base {base / 2**20:.1f} MiB")
    ratio("driver / raw", ducha, raw, "driver")
    ratio("duchad / raw", ducha, raw)
    ratio("libmodbus / raw", plain, raw)
    last = ducha[-1]
    print("  by thread, us/poll: " + ", ".join(
        f"{k} {v:.2f}" for k, v in sorted(last["cpu"].items(), key=lambda x: -x[1]) if v >= 0.005))
    print("  went to sleep, per poll: " + ", ".join(
        f"{k} {v:.3f}" for k, v in sorted(last["sleeps"].items(), key=lambda x: -x[1]) if v >= 5e-4))
    print("  allocations and bells rung, per poll: " + (", ".join(
        f"{k} {a:.4f} {w:.4f}" for k, (a, w) in counted.items()) or "none"), flush=True)


def main():
    parser = argparse.ArgumentParser()
    for name in ("duchad", "sim", "raw", "libmodbus", "count"):
        parser.add_argument(name, type=os.path.abspath)
    parser.add_argument("instruments", type=int, nargs="*", default=[500, 5000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=8)
    options = parser.parse_args()
    for instruments in options.instruments or [500, 5000]:
        compare(options, instruments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
